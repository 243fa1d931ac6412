//! Numbers within dates, times and intervals: whole ones, fractions, times with colons and offsets from UTC.

use super::SECOND_US;
use super::parse::{DatetimeError, Result};

/// Hours of the widest offset from UTC, inclusive (`MAX_TZDISP_HOUR`).
const ZONE_HOURS_MAX: i64 = 15;

/// A whole number of 32 bits at the start, and what follows it.
pub(super) fn integer(text: &str) -> Result<(i64, &str)> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned.find(|c: char| !c.is_ascii_digit()).unwrap_or(unsigned.len());
    let (digits, rest) = unsigned.split_at(end);
    if digits.is_empty() {
        return Ok((0, text));
    }
    let value: i32 = text[..text.len() - rest.len()].parse().map_err(|_| DatetimeError::FieldOutOfRange)?;
    Ok((i64::from(value), rest))
}

/// The fraction that `.5` is; a point alone is none.
pub(super) fn fraction(text: &str) -> Result<f64> {
    read_fraction(text.strip_prefix('.').ok_or(DatetimeError::Syntax)?)
}

pub(super) fn read_fraction(digits: &str) -> Result<f64> {
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DatetimeError::Syntax);
    }
    if digits.is_empty() { Ok(0.0) } else { format!("0.{digits}").parse().map_err(|_| DatetimeError::Syntax) }
}

/// Microseconds of `.123456789`, rounded as PostgreSQL rounds: through a double, half to even.
pub(super) fn fraction_us(text: &str) -> Result<i64> {
    Ok((fraction(text)? * SECOND_US as f64).round_ties_even() as i64)
}

/// Hours, minutes, seconds and microseconds.
pub(super) struct Clock {
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    pub fraction_us: i64,
}

/// `10:11`, `10:11:12`, `10:11:12.5`; two fields with a fraction are minutes and seconds, and two fields are so if that is
/// asked for. A 60th second is allowed; hours have no limit here.
pub(super) fn clock(text: &str, minutes_first: bool) -> Result<Clock> {
    let (whole, point) = text.split_at(text.find('.').unwrap_or(text.len()));
    let fields: Vec<&str> = whole.split(':').collect();
    let fraction_us = if point.is_empty() { 0 } else { fraction_us(point)? };
    let number = |text: &str| match text {
        "" => Ok(0),
        _ => text.parse::<i64>().map_err(|_| DatetimeError::FieldOutOfRange),
    };
    let small = |text: &str| match number(text)? {
        it if it > i64::from(i32::MAX) => Err(DatetimeError::FieldOutOfRange),
        it => Ok(it),
    };
    let (hour, minute, second) = match fields[..] {
        [minute, second] if !point.is_empty() || minutes_first => (0, small(minute)?, small(second)?),
        [hour, minute] => (number(hour)?, small(minute)?, 0),
        [hour, minute, second] => (number(hour)?, small(minute)?, small(second)?),
        _ => return Err(DatetimeError::Syntax),
    };
    if minute > 59 || second > 60 {
        return Err(DatetimeError::FieldOutOfRange);
    }
    Ok(Clock { hour, minute, second, fraction_us })
}

/// Seconds east of UTC of `+2`, `+0230`, `-02:30` or `-02:30:15`.
pub(crate) fn offset(text: &str) -> Result<i64> {
    let negative = text.starts_with('-');
    let body = text.strip_prefix(['+', '-']).ok_or(DatetimeError::Syntax)?;
    let (mut hours, mut rest) = zone_number(body)?;
    let (mut minutes, mut seconds) = (0, 0);
    if let Some(after) = rest.strip_prefix(':') {
        (minutes, rest) = zone_number(after)?;
        if let Some(after) = rest.strip_prefix(':') {
            (seconds, rest) = zone_number(after)?;
        }
    } else if rest.is_empty() && text.len() > 3 {
        (hours, minutes) = (hours / 100, hours % 100);
    }
    if !(0..=ZONE_HOURS_MAX).contains(&hours) || !(0..60).contains(&minutes) || !(0..60).contains(&seconds) {
        return Err(DatetimeError::ZoneOutOfRange);
    }
    if !rest.is_empty() {
        return Err(DatetimeError::Syntax);
    }
    let total = hours * 3600 + minutes * 60 + seconds;
    Ok(if negative { -total } else { total })
}

fn zone_number(text: &str) -> Result<(i64, &str)> {
    integer(text).map_err(|_| DatetimeError::ZoneOutOfRange)
}

/// Days of a month.
pub(super) fn month_length(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    }
}
