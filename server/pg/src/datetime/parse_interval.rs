//! Intervals from text, as PostgreSQL prints and commonly reads them: `1 year 2 mons -3 days 04:05:06.789`, `@ 1 hour ago`.
//!
//! The forms of ISO 8601 (`P1Y2M`) and of SQL (`1-2`) are not read.

use super::parse::{DatetimeError, Result};
use super::{DAY_US, SECOND_US};

/// Days that PostgreSQL takes for a fraction of a month.
const DAYS_PER_MONTH: f64 = 30.0;
/// Months of a year.
const MONTHS_PER_YEAR: i64 = 12;

/// What a unit counts, and how many of it.
#[derive(Clone, Copy)]
enum Unit {
    Years(i64),
    Month,
    Days(i64),
    Microseconds(i64),
}

/// Units by the names that PostgreSQL has for them.
const UNITS: [(&[&str], Unit); 12] = [
    (&["millennium", "millennia", "mil", "mils"], Unit::Years(1000)),
    (&["century", "centuries", "c", "cent"], Unit::Years(100)),
    (&["decade", "decades", "dec", "decs"], Unit::Years(10)),
    (&["year", "years", "y", "yr", "yrs"], Unit::Years(1)),
    (&["month", "months", "mon", "mons"], Unit::Month),
    (&["week", "weeks", "w"], Unit::Days(7)),
    (&["day", "days", "d"], Unit::Days(1)),
    (&["hour", "hours", "h", "hr", "hrs"], Unit::Microseconds(3600 * SECOND_US)),
    (&["minute", "minutes", "m", "min", "mins"], Unit::Microseconds(60 * SECOND_US)),
    (&["second", "seconds", "s", "sec", "secs"], Unit::Microseconds(SECOND_US)),
    (&["millisecond", "milliseconds", "ms", "msec", "msecs"], Unit::Microseconds(1000)),
    (&["microsecond", "microseconds", "us", "usec", "usecs"], Unit::Microseconds(1)),
];
/// The place of the second in [`UNITS`]: a number without a unit counts seconds, and so does a time of day.
const SECOND: usize = 9;

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
    let lower = text.to_ascii_lowercase();
    let (body, ago) = match lower.trim_ascii().strip_suffix("ago") {
        Some(body) => (body, true),
        None => (lower.as_str(), false),
    };
    let mut rest = body.trim_ascii();
    rest = rest.strip_prefix('@').unwrap_or(rest).trim_ascii_start();
    if rest.is_empty() {
        return Err(DatetimeError::Syntax);
    }
    let mut sum = Interval::default();
    let mut seen = [false; UNITS.len()];
    while !rest.is_empty() {
        rest = sum.read_field(rest, &mut seen)?.trim_ascii_start();
    }
    if ago { sum.negated() } else { Ok(sum) }
}

impl Interval {
    /// Reads a number with its unit, or a time, and adds it. A unit may come once.
    fn read_field<'a>(&mut self, text: &'a str, seen: &mut [bool]) -> Result<&'a str> {
        let (sign, unsigned) = match text.as_bytes()[0] {
            b'-' => (-1, &text[1..]),
            b'+' => (1, &text[1..]),
            _ => (1, text),
        };
        let end = unsigned.find(|it: char| !it.is_ascii_digit() && it != ':' && it != '.').unwrap_or(unsigned.len());
        let (number, rest) = unsigned.split_at(end);
        let after = rest.trim_ascii_start();
        let word = &after[..after.find(|it: char| !it.is_ascii_alphabetic()).unwrap_or(after.len())];
        let is_time = number.contains(':');
        let (unit, rest) = match UNITS.iter().position(|(names, _)| names.contains(&word)) {
            Some(unit) if !is_time => (unit, &after[word.len()..]),
            None if word.is_empty() => (SECOND, rest),
            _ if is_time => (SECOND, rest),
            _ => return Err(DatetimeError::Syntax),
        };
        if std::mem::replace(&mut seen[unit], true) {
            return Err(DatetimeError::Syntax);
        }
        if is_time {
            self.add_time(sign * time(number)?)?;
        } else {
            let (whole, fraction) = split_number(number)?;
            self.add(sign * whole, sign as f64 * fraction, UNITS[unit].1)?;
        }
        Ok(rest)
    }

    /// Adds a number of units. A fraction goes to the next smaller ones, as in PostgreSQL.
    fn add(&mut self, whole: i64, fraction: f64, unit: Unit) -> Result<()> {
        match unit {
            Unit::Years(years) => {
                let months = years * MONTHS_PER_YEAR;
                self.add_months(whole.checked_mul(months).ok_or(DatetimeError::OutOfRange)?)?;
                self.add_months((fraction * months as f64).round_ties_even() as i64)
            }
            Unit::Month => {
                self.add_months(whole)?;
                self.add_days_of(fraction * DAYS_PER_MONTH)
            }
            Unit::Days(days) => {
                self.add_days(whole.checked_mul(days).ok_or(DatetimeError::OutOfRange)?)?;
                self.add_days_of(fraction * days as f64)
            }
            Unit::Microseconds(microseconds) => {
                self.add_time(whole.checked_mul(microseconds).ok_or(DatetimeError::OutOfRange)?)?;
                self.add_time((fraction * microseconds as f64).round_ties_even() as i64)
            }
        }
    }

    fn add_months(&mut self, months: i64) -> Result<()> {
        let sum = i64::from(self.months).checked_add(months).and_then(|sum| i32::try_from(sum).ok());
        self.months = sum.ok_or(DatetimeError::OutOfRange)?;
        Ok(())
    }

    fn add_days(&mut self, days: i64) -> Result<()> {
        let sum = i64::from(self.days).checked_add(days).and_then(|sum| i32::try_from(sum).ok());
        self.days = sum.ok_or(DatetimeError::OutOfRange)?;
        Ok(())
    }

    fn add_days_of(&mut self, days: f64) -> Result<()> {
        self.add_days(days.trunc() as i64)?;
        self.add_time((days.fract() * DAY_US as f64).round_ties_even() as i64)
    }

    fn add_time(&mut self, time_us: i64) -> Result<()> {
        self.time_us = self.time_us.checked_add(time_us).ok_or(DatetimeError::OutOfRange)?;
        Ok(())
    }

    fn negated(self) -> Result<Self> {
        let negated = || {
            Some(Interval {
                months: self.months.checked_neg()?,
                days: self.days.checked_neg()?,
                time_us: self.time_us.checked_neg()?,
            })
        };
        negated().ok_or(DatetimeError::OutOfRange)
    }
}

/// The whole number and the fraction of `12.5`.
fn split_number(number: &str) -> Result<(i64, f64)> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return Err(DatetimeError::Syntax);
    }
    let whole = if whole.is_empty() { Ok(0) } else { whole.parse().map_err(|_| DatetimeError::OutOfRange) };
    let fraction = if fraction.is_empty() { Ok(0.0) } else { format!("0.{fraction}").parse() };
    Ok((whole?, fraction.map_err(|_| DatetimeError::Syntax)?))
}

/// Microseconds of `100:05`, `100:05:06.7`; two fields with a fraction are minutes and seconds.
fn time(text: &str) -> Result<i64> {
    let fields: Vec<&str> = text.split(':').collect();
    let (hours, minutes, seconds) = match fields[..] {
        [minutes, seconds] if seconds.contains('.') => ("0", minutes, seconds),
        [hours, minutes] => (hours, minutes, "0"),
        [hours, minutes, seconds] => (hours, minutes, seconds),
        _ => return Err(DatetimeError::Syntax),
    };
    let whole = |text: &str| match split_number(text)? {
        (number, _) if !text.contains('.') => Ok(number),
        _ => Err(DatetimeError::Syntax),
    };
    let (hours, minutes, (seconds, fraction)) = (whole(hours)?, whole(minutes)?, split_number(seconds)?);
    if minutes > 59 || seconds > 60 {
        return Err(DatetimeError::FieldOutOfRange);
    }
    let rest = (minutes * 60 + seconds) * SECOND_US + (fraction * SECOND_US as f64).round_ties_even() as i64;
    hours.checked_mul(3600 * SECOND_US).and_then(|hours| hours.checked_add(rest)).ok_or(DatetimeError::OutOfRange)
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
            ("1.5 weeks", "10 days 12:00:00"),
            ("@ 1 day 2 hours ago", "-1 days -02:00:00"),
            ("100:00", "100:00:00"),
            ("1:02.5", "00:01:02.5"),
            ("1y 2h 3 MIN", "1 year 02:03:00"),
            ("-0.5 s", "-00:00:00.5"),
        ] {
            assert_eq!(printed(text), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_not_an_interval_is_refused() {
        for text in
            ["", "ago", "soon", "1 mon 1 mon", "1 parsec", "1:2:3:4", "P1Y2M", "1-2", "- 1 day", "é", "1 é", "."]
        {
            assert_eq!(printed(text), Err(DatetimeError::Syntax), "{text}");
        }
        for text in ["178956971 years", "999999999999 days", "99999999999999999999 s", "9223372036854775807 hours"] {
            assert_eq!(printed(text), Err(DatetimeError::OutOfRange), "{text}");
        }
        assert_eq!(printed("1:60"), Err(DatetimeError::FieldOutOfRange));
    }
}
