//! Intervals in both forms of ISO 8601: with designators (`P1Y2M3DT4H5M6S`) and without (`P0001-02-03T04:05:06`,
//! `P20010203T040506`). Letters are upper case.

use super::interval_sum::IntervalSum;
use super::parse::{DatetimeError, Result};
use super::words::Unit;

/// Digits of a date or time that is written without separators.
const BASIC_DATE_DIGITS: usize = 8;
const BASIC_TIME_DIGITS: usize = 6;

/// Reads an interval.
pub(super) fn interval(text: &str) -> Result<IntervalSum> {
    let body = text.strip_prefix('P').filter(|body| !body.is_empty()).ok_or(DatetimeError::Syntax)?;
    let mut sum = IntervalSum::default();
    let mut rest = body;
    let (mut in_date, mut fields) = (true, 0);
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T') {
            (in_date, fields, rest) = (false, 0, time);
            continue;
        }
        let (number, after) = number(rest)?;
        let designator = after.chars().next();
        let unit = match (in_date, designator) {
            (true, Some('Y')) => Unit::Year,
            (true, Some('M')) => Unit::Month,
            (true, Some('W')) => Unit::Week,
            (true, Some('D')) => Unit::Day,
            (false, Some('H')) => Unit::Hour,
            (false, Some('M')) => Unit::Minute,
            (false, Some('S')) => Unit::Second,
            (true, None | Some('T' | '-')) if fields == 0 => {
                rest = date_without_designators(&mut sum, &number, after)?;
                continue;
            }
            (false, None | Some(':')) if fields == 0 => {
                time_without_designators(&mut sum, &number, after)?;
                return Ok(sum);
            }
            _ => return Err(DatetimeError::Syntax),
        };
        sum.add(unit, number.whole, number.fraction)?;
        fields += 1;
        rest = &after[1..];
    }
    Ok(sum)
}

/// A number with a sign and a fraction.
struct Number {
    whole: i64,
    fraction: f64,
    digits: usize,
}

fn number(text: &str) -> Result<(Number, &str)> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (digits, rest) = unsigned.split_at(end);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return Err(DatetimeError::Syntax);
    }
    let negative = text.starts_with('-');
    let value: i64 =
        if whole.is_empty() { Ok(0) } else { whole.parse() }.map_err(|_| DatetimeError::FieldOutOfRange)?;
    let part: f64 = format!("0.{fraction}0").parse().map_err(|_| DatetimeError::Syntax)?;
    let number = Number {
        whole: if negative { -value } else { value },
        fraction: if negative { -part } else { part },
        digits: whole.len(),
    };
    Ok((number, rest))
}

/// `20010203` or `0001-02-03`, or less of it; what follows is empty or the time.
fn date_without_designators<'a>(sum: &mut IntervalSum, first: &Number, after: &'a str) -> Result<&'a str> {
    if first.digits == BASIC_DATE_DIGITS && !after.starts_with('-') {
        sum.add(Unit::Year, first.whole / 10_000, 0.0)?;
        sum.add(Unit::Month, first.whole / 100 % 100, 0.0)?;
        sum.add(Unit::Day, first.whole % 100, first.fraction)?;
        return Ok(after);
    }
    sum.add(Unit::Year, first.whole, first.fraction)?;
    let mut rest = after;
    for unit in [Unit::Month, Unit::Day] {
        let Some(field) = rest.strip_prefix('-') else { return Ok(rest) };
        let (field, after) = number(field)?;
        sum.add(unit, field.whole, field.fraction)?;
        rest = after;
    }
    if rest.is_empty() || rest.starts_with('T') { Ok(rest) } else { Err(DatetimeError::Syntax) }
}

/// `040506` or `04:05:06`, or less of it.
fn time_without_designators(sum: &mut IntervalSum, first: &Number, after: &str) -> Result<()> {
    if first.digits == BASIC_TIME_DIGITS && after.is_empty() {
        sum.add(Unit::Hour, first.whole / 10_000, 0.0)?;
        sum.add(Unit::Minute, first.whole / 100 % 100, 0.0)?;
        sum.add(Unit::Second, first.whole % 100, 0.0)?;
        // PostgreSQL takes the fraction of a second for one of a microsecond here.
        return sum.add(Unit::Microsecond, 0, first.fraction);
    }
    sum.add(Unit::Hour, first.whole, first.fraction)?;
    let mut rest = after;
    for unit in [Unit::Minute, Unit::Second] {
        let Some(field) = rest.strip_prefix(':') else { break };
        let (field, after) = number(field)?;
        sum.add(unit, field.whole, field.fraction)?;
        rest = after;
    }
    if rest.is_empty() { Ok(()) } else { Err(DatetimeError::Syntax) }
}
