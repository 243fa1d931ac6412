//! Intervals from text, in every form PostgreSQL reads: its own and verbose ones (`1 year 2 mons ago`), those of SQL
//! (`1-2 3 4:05:06`) and both of ISO 8601 (`P1Y2M`, `P0001-02-03T04:05:06`).

use super::interval_sum::IntervalSum;
use super::numbers::{clock, fraction};
use super::parse::{DatetimeError, Result};
use super::tokens::{self, Kind, Token};
use super::words::{self, Unit};
use super::{SECOND_US, parse_iso_interval};

/// Months of a year.
const MONTHS_PER_YEAR: i64 = 12;
/// The fields of an interval as its type modifier counts them (`INTERVAL_MASK`).
pub(super) const RANGE_MONTH: i32 = 1 << 1;
pub(super) const RANGE_YEAR: i32 = 1 << 2;
pub(super) const RANGE_DAY: i32 = 1 << 3;
pub(super) const RANGE_HOUR: i32 = 1 << 10;
pub(super) const RANGE_MINUTE: i32 = 1 << 11;
pub(super) const RANGE_SECOND: i32 = 1 << 12;
/// An interval that is not restricted to some fields.
pub(super) const RANGE_FULL: i32 = 0x7fff;

/// Months, days and microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Interval {
    /// Months, twelve to a year.
    pub months: i32,
    /// Days.
    pub days: i32,
    /// Microseconds; hours have no limit of their own.
    pub time_us: i64,
}

/// Reads an interval.
pub fn interval(text: &str) -> Result<Interval> {
    interval_with(text, -1, false)
}

/// Reads an interval for a type modifier, which tells what a number without a unit counts: `interval '5' day`. The modifier
/// is yet to be applied. In the style `sql_standard`, a minus sign before all fields counts for all.
pub fn interval_with(text: &str, typmod: i32, sql_standard: bool) -> Result<Interval> {
    let range = if typmod < 0 { RANGE_FULL } else { (typmod >> 16) & RANGE_FULL };
    match verbose(text, range, sql_standard) {
        Err(DatetimeError::Syntax) => parse_iso_interval::interval(text)?.interval(),
        Err(error) => Err(error),
        Ok(sum) => sum.interval(),
    }
}

fn verbose(text: &str, range: i32, sql_standard: bool) -> Result<IntervalSum> {
    let lower = text.to_ascii_lowercase();
    let tokens = tokens::split(&lower)?;
    let signed = |token: &Token<'_>| token.text.starts_with(['-', '+']);
    let all_negative = sql_standard
        && tokens.first().is_some_and(|first| first.text.starts_with('-'))
        && !tokens.iter().skip(1).any(signed);
    let mut reader = Reader { sum: IntervalSum::default(), seen: 0, next: Next::Any, range, all_negative, ago: false };
    // From right to left, so that a unit is known before its number.
    for token in tokens.iter().rev() {
        reader.field(token)?;
    }
    if reader.seen == 0 {
        return Err(DatetimeError::Syntax);
    }
    if reader.ago { reader.sum.negated() } else { Ok(reader.sum) }
}

/// What the next number to the left counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// No unit has been read: what the type modifier says, else seconds.
    Any,
    /// This.
    Unit(Unit),
    /// There may be none: to the left of `ago` a unit must come first.
    Nothing,
}

struct Reader {
    sum: IntervalSum,
    /// The units that have been read, as bits.
    seen: u32,
    next: Next,
    range: i32,
    all_negative: bool,
    ago: bool,
}

const SECONDS: u32 = 1 << Unit::Second as u32 | 1 << Unit::Millisecond as u32 | 1 << Unit::Microsecond as u32;
const CLOCK: u32 = SECONDS | 1 << Unit::Minute as u32 | 1 << Unit::Hour as u32;

impl Reader {
    fn field(&mut self, token: &Token<'_>) -> Result<()> {
        let text = token.text.as_ref();
        let fields = match token.kind {
            Kind::Time => self.time(text, false)?,
            Kind::Signed if text.contains(':') => match self.time(&text[1..], text.starts_with('-')) {
                Ok(fields) => fields,
                Err(_) => self.number(text)?,
            },
            Kind::Signed | Kind::Date | Kind::Number => self.number(text)?,
            Kind::Word | Kind::SignedWord => return self.word(text),
        };
        if self.seen & fields != 0 {
            return Err(DatetimeError::Syntax);
        }
        self.seen |= fields;
        Ok(())
    }

    fn word(&mut self, text: &str) -> Result<()> {
        if text == "ago" {
            self.ago = true;
            self.next = Next::Nothing;
            return Ok(());
        }
        match words::interval_unit(text) {
            Some(Unit::Timezone | Unit::TimezoneHour | Unit::TimezoneMinute | Unit::Quarter) | None => {
                Err(DatetimeError::Syntax)
            }
            Some(unit) => {
                self.next = Next::Unit(unit);
                Ok(())
            }
        }
    }

    fn time(&mut self, text: &str, negative: bool) -> Result<u32> {
        let minutes_first = self.range == RANGE_MINUTE | RANGE_SECOND;
        let clock = clock(text, minutes_first)?;
        let hours = clock.hour.checked_mul(3600 * SECOND_US).ok_or(DatetimeError::FieldOutOfRange)?;
        let rest = (clock.minute * 60 + clock.second) * SECOND_US + clock.fraction_us;
        let time_us = hours.checked_add(rest).ok_or(DatetimeError::FieldOutOfRange)?;
        self.sum.time_us = if negative || self.all_negative { -time_us } else { time_us };
        self.next = Next::Unit(Unit::Day);
        Ok(CLOCK)
    }

    fn number(&mut self, text: &str) -> Result<u32> {
        let unit = match self.next {
            Next::Unit(unit) => unit,
            Next::Any => unit_of_range(self.range),
            Next::Nothing => return Err(DatetimeError::Syntax),
        };
        let (mut whole, rest) = whole_number(text)?;
        if let Some(months) = rest.strip_prefix('-') {
            return self.years_and_months(text, whole, months);
        }
        let mut part = if rest.is_empty() { 0.0 } else { fraction(rest)? };
        if text.starts_with('-') {
            part = -part;
        }
        if self.all_negative {
            (whole, part) = (negative(whole), -part.abs());
        }
        self.sum.add(unit, whole, part)?;
        self.next = Next::Unit(if unit == Unit::Hour { Unit::Day } else { unit });
        Ok(match unit {
            Unit::Second if part != 0.0 => SECONDS,
            unit => 1 << unit as u32,
        })
    }

    /// `1-2` of SQL.
    fn years_and_months(&mut self, text: &str, years: i64, months: &str) -> Result<u32> {
        if months.strip_prefix('-').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit())) {
            return Err(DatetimeError::FieldOutOfRange);
        }
        let (months, rest) = whole_number(months)?;
        if !(0..MONTHS_PER_YEAR).contains(&months) {
            return Err(DatetimeError::FieldOutOfRange);
        }
        if !rest.is_empty() {
            return Err(DatetimeError::Syntax);
        }
        let months = if text.starts_with('-') { -months } else { months };
        let total = years.checked_mul(MONTHS_PER_YEAR).and_then(|years| years.checked_add(months));
        let total = total.ok_or(DatetimeError::FieldOutOfRange)?;
        self.sum.add(Unit::Month, if self.all_negative { negative(total) } else { total }, 0.0)?;
        self.next = Next::Unit(Unit::Month);
        Ok(1 << Unit::Month as u32)
    }
}

/// The number below zero that is as far from it.
fn negative(number: i64) -> i64 {
    if number > 0 { -number } else { number }
}

/// What a number without a unit counts: the last of the fields that the type has.
fn unit_of_range(range: i32) -> Unit {
    match range {
        RANGE_YEAR => Unit::Year,
        _ if range == RANGE_FULL || range & RANGE_SECOND != 0 => Unit::Second,
        _ if range & RANGE_MINUTE != 0 => Unit::Minute,
        _ if range & RANGE_HOUR != 0 => Unit::Hour,
        RANGE_DAY => Unit::Day,
        _ if range & RANGE_MONTH != 0 => Unit::Month,
        _ => Unit::Second,
    }
}

/// A whole number of 64 bits, and what follows it. There need not be digits: `.5`.
fn whole_number(text: &str) -> Result<(i64, &str)> {
    let signed = usize::from(text.starts_with(['+', '-']));
    let end = text[signed..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |end| end + signed);
    let (number, rest) = text.split_at(end);
    let whole = if end == signed { Ok(0) } else { number.parse() };
    Ok((whole.map_err(|_| DatetimeError::FieldOutOfRange)?, rest))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bytes::BytesMut;

    use super::super::write_interval;
    use super::*;

    fn printed(text: &str) -> Result<String> {
        let value = interval(text)?;
        let mut out = BytesMut::new();
        write_interval(value.months, value.days, value.time_us, &mut out);
        Ok(String::from_utf8(out.to_vec()).unwrap())
    }

    #[test]
    fn intervals_are_read_as_postgresql_reads_them() {
        for (text, expected) in [
            ("1 year 2 mons 3 days 04:05:06.789", "1 year 2 mons 3 days 04:05:06.789"),
            ("-1 mons +1 day -01:00:00", "-1 mons +1 day -01:00:00"),
            ("1", "00:00:01"),
            ("1.5 days", "1 day 12:00:00"),
            ("1.5 months", "1 mon 15 days"),
            ("1.5 years", "1 year 6 mons"),
            ("1.5 weeks 2.5 months 1.5 years", "1 year 8 mons 25 days 12:00:00"),
            ("@ 1 day 2 hours ago", "-1 days -02:00:00"),
            ("1 day ago 2 hours", "-1 days -02:00:00"),
            ("100:00", "100:00:00"),
            ("1:02.5", "00:01:02.5"),
            ("1y 2h 3 MIN", "1 year 02:03:00"),
            ("1y2mon3d4h5m6s", "1 year 2 mons 3 days 04:05:06"),
            ("-0.5 s", "-00:00:00.5"),
            ("1-2 3 4:05:06", "1 year 2 mons 3 days 04:05:06"),
            ("-1-2 +3 -4:05:06", "-1 years -2 mons +3 days -04:05:06"),
            ("1. day", "1 day"),
            ("- 1 day", "-1 days"),
            ("5 10:00", "5 days 10:00:00"),
            ("1-2 3", "1 year 2 mons 00:00:03"),
            ("2.5 us", "00:00:00.000002"),
            ("0.0000015", "00:00:00.000001"),
            ("1 millennium", "1000 years"),
            ("178956970 years 7 months", "178956970 years 7 mons"),
            ("-178956970 years -8 months", "-178956970 years -8 mons"),
            ("P1Y2M", "1 year 2 mons"),
            ("P0001-02-03T04:05:06", "1 year 2 mons 3 days 04:05:06"),
            ("P20010203T040506", "2001 years 2 mons 3 days 04:05:06"),
            ("PT1.5H", "01:30:00"),
            ("P-1Y", "-1 years"),
            ("P1.5D", "1 day 12:00:00"),
            ("PT", "00:00:00"),
            ("P1", "1 year"),
            ("PT1:02:03", "01:02:03"),
            ("P1Y-2M", "10 mons"),
            ("PT-1H2M", "-00:58:00"),
            ("P2020-13", "2021 years 1 mon"),
        ] {
            assert_eq!(printed(text), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_not_an_interval_is_refused() {
        for text in [
            "",
            "ago",
            "soon",
            "1 mon 1 mon",
            "1 parsec",
            "1:2:3:4",
            "P",
            "p1y",
            "é",
            "1 é",
            "1 quarter",
            "1 2",
            "1.5 2",
            "infinity",
            "1 day 1 day",
        ] {
            assert_eq!(printed(text), Err(DatetimeError::Syntax), "{text}");
        }
        for text in ["999999999999 days", "99999999999999999999 s", "9223372036854775807 hours", "1:60", "1-13"] {
            assert_eq!(printed(text), Err(DatetimeError::FieldOutOfRange), "{text}");
        }
        for text in ["178956971 years", "178956970 years 8 months"] {
            assert_eq!(printed(text), Err(DatetimeError::OutOfRange), "{text}");
        }
    }

    #[test]
    fn numbers_without_a_unit_count_the_last_field_of_the_type() {
        for (text, range, expected) in [
            ("5", RANGE_DAY, (0, 5, 0)),
            ("5", RANGE_YEAR | RANGE_MONTH, (5, 0, 0)),
            ("1 2", RANGE_DAY | RANGE_HOUR, (0, 1, 7_200_000_000)),
            ("1:2", RANGE_MINUTE | RANGE_SECOND, (0, 0, 62_000_000)),
            ("10", RANGE_HOUR, (0, 0, 36_000_000_000)),
        ] {
            let read = interval_with(text, range << 16 | 0xffff, false).unwrap();
            assert_eq!((read.months, read.days, read.time_us), expected, "{text}");
        }
    }
}
