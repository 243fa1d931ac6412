//! The date parts of Redshift's `dateadd` and `datediff`: what is added for one, and how boundaries of one are counted.

use crate::datetime::arithmetic::overflow;
use crate::datetime::words::{self, Unit};
use crate::datetime::{DAY_US, Interval, SECOND_US, civil_of_day};
use crate::error::{PgError, Result};

/// The part that a text names.
pub(super) fn part_of(text: &str) -> Result<Unit> {
    let unit = words::part(&text.to_lowercase());
    unit.ok_or_else(|| PgError::invalid_parameter(format!("unit \"{}\" not recognized", text.to_lowercase())))
}

fn unsupported(unit: Unit) -> PgError {
    PgError::not_supported(format!("date part \"{}\"", format!("{unit:?}").to_lowercase()))
}

/// So many of a part.
pub(super) fn interval_of(unit: Unit, number: i64) -> Result<Interval> {
    let out_of_range = || overflow("interval out of range");
    let narrow =
        |factor: i64| number.checked_mul(factor).and_then(|number| i32::try_from(number).ok()).ok_or_else(out_of_range);
    let months = |factor: i64| Ok(Interval { months: narrow(factor)?, ..Interval::default() });
    let days = |factor: i64| Ok(Interval { days: narrow(factor)?, ..Interval::default() });
    let time = |factor: i64| {
        let time_us = number.checked_mul(factor).ok_or_else(out_of_range)?;
        // Whole days of it go where they fit, since 64 bits of nanoseconds are few.
        Ok(Interval { time_us, ..Interval::default() })
    };
    match unit {
        Unit::Millennium => months(12_000),
        Unit::Century => months(1200),
        Unit::Decade => months(120),
        Unit::Year | Unit::IsoYear => months(12),
        Unit::Quarter => months(3),
        Unit::Month => months(1),
        Unit::Week => days(7),
        Unit::Day | Unit::DayOfWeek | Unit::IsoDayOfWeek | Unit::DayOfYear => days(1),
        Unit::Hour => time(3600 * SECOND_US),
        Unit::Minute => time(60 * SECOND_US),
        Unit::Second | Unit::Epoch => time(SECOND_US),
        Unit::Millisecond => time(1000),
        Unit::Microsecond => time(1),
        other => Err(unsupported(other)),
    }
}

/// The number of the part that a local time is in, counted from some fixed one; the difference of two such numbers is how
/// many boundaries are between them. Weeks begin on Sundays.
pub(super) fn ordinal(unit: Unit, local_us: i64) -> Result<i64> {
    let day = local_us.div_euclid(DAY_US);
    let (year, month, _) = civil_of_day(day);
    let months = year * 12 + i64::from(month) - 1;
    Ok(match unit {
        Unit::Millennium => (year - 1).div_euclid(1000),
        Unit::Century => (year - 1).div_euclid(100),
        Unit::Decade => year.div_euclid(10),
        Unit::Year | Unit::IsoYear => year,
        Unit::Quarter => months.div_euclid(3),
        Unit::Month => months,
        // 1970-01-04 was a Sunday.
        Unit::Week => (day - 3).div_euclid(7),
        Unit::Day | Unit::DayOfWeek | Unit::IsoDayOfWeek | Unit::DayOfYear => day,
        Unit::Hour => local_us.div_euclid(3600 * SECOND_US),
        Unit::Minute => local_us.div_euclid(60 * SECOND_US),
        Unit::Second | Unit::Epoch => local_us.div_euclid(SECOND_US),
        Unit::Millisecond => local_us.div_euclid(1000),
        Unit::Microsecond => local_us,
        other => return Err(unsupported(other)),
    })
}
