//! Sums and differences of dates, times and timestamps, with PostgreSQL's limits (`timestamp.c`, `date.c`).

use super::numbers::month_length;
use super::parse_interval::Interval;
use super::zone::Zone;
use super::{
    DATE_INFINITY, DATE_MINUS_INFINITY, DAY_MAX, DAY_MIN, DAY_US, TIMESTAMP_INFINITY, TIMESTAMP_MIN_US,
    TIMESTAMP_MINUS_INFINITY, civil_of_day, day_of_civil,
};
use crate::error::{PgError, Result};
use crate::sqlstate::SqlState;

/// An error of class 22008.
pub fn overflow(message: impl Into<String>) -> PgError {
    PgError::new(SqlState::DATETIME_FIELD_OVERFLOW, message)
}

/// `timestamp out of range`
pub fn timestamp_out_of_range() -> PgError {
    overflow("timestamp out of range")
}

/// Whether a timestamp is one of the infinities.
pub fn is_infinite(timestamp_us: i64) -> bool {
    matches!(timestamp_us, TIMESTAMP_INFINITY | TIMESTAMP_MINUS_INFINITY)
}

/// Whether a date is one of the infinities.
pub fn is_infinite_date(day: i32) -> bool {
    matches!(day, DATE_INFINITY | DATE_MINUS_INFINITY)
}

/// A finite timestamp, if PostgreSQL has it.
pub fn finite_timestamp(timestamp_us: Option<i64>) -> Result<i64> {
    let in_range = |us: &i64| (TIMESTAMP_MIN_US..TIMESTAMP_INFINITY).contains(us);
    timestamp_us.filter(in_range).ok_or_else(timestamp_out_of_range)
}

/// A finite date, if PostgreSQL has it.
pub fn finite_date(day: i64) -> Result<i32> {
    let in_range = (DAY_MIN..=DAY_MAX).contains(&day);
    i32::try_from(day).ok().filter(|_| in_range).ok_or_else(|| overflow("date out of range"))
}

/// A day and a time of it as a timestamp.
pub fn timestamp_of(day: i64, time_us: i64) -> Result<i64> {
    finite_timestamp(day.checked_mul(DAY_US).and_then(|us| us.checked_add(time_us)))
}

/// The timestamp of a date, at midnight.
pub fn timestamp_of_date(day: i32) -> Result<i64> {
    match day {
        DATE_INFINITY => Ok(TIMESTAMP_INFINITY),
        DATE_MINUS_INFINITY => Ok(TIMESTAMP_MINUS_INFINITY),
        _ => timestamp_of(i64::from(day), 0).map_err(|_| overflow("date out of range for timestamp")),
    }
}

/// The date of a timestamp.
pub fn date_of_timestamp(timestamp_us: i64) -> i32 {
    match timestamp_us {
        TIMESTAMP_INFINITY => DATE_INFINITY,
        TIMESTAMP_MINUS_INFINITY => DATE_MINUS_INFINITY,
        // 64 bits of microseconds are fewer days than 32 bits hold.
        _ => timestamp_us.div_euclid(DAY_US) as i32,
    }
}

/// The local time in a zone, of a timestamp with time zone.
pub fn local(timestamp_us: i64, zone: &Zone) -> Result<i64> {
    let local_us = zone.local(timestamp_us);
    if is_infinite(timestamp_us) { Ok(timestamp_us) } else { finite_timestamp(local_us) }
}

/// The timestamp with time zone of a local time in a zone.
pub fn utc(local_us: i64, zone: &Zone) -> Result<i64> {
    if is_infinite(local_us) { Ok(local_us) } else { finite_timestamp(zone.utc(local_us)) }
}

/// A date some days later.
pub fn date_plus(day: i32, days: i64) -> Result<i32> {
    if is_infinite_date(day) { Ok(day) } else { finite_date(i64::from(day) + days) }
}

/// A timestamp some months later; the day is the last of its month if it has no such day.
pub fn plus_months(timestamp_us: i64, months: i64) -> Result<i64> {
    if is_infinite(timestamp_us) || months == 0 {
        return Ok(timestamp_us);
    }
    let (year, month, day) = civil_of_day(timestamp_us.div_euclid(DAY_US));
    let months = year * 12 + i64::from(month) - 1 + months;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    let day = i64::from(day).min(month_length(year, month));
    timestamp_of(day_of_civil(year, month as u32, day as u32), timestamp_us.rem_euclid(DAY_US))
}

fn plus_months_and_days(timestamp_us: i64, interval: Interval) -> Result<i64> {
    let later_us = plus_months(timestamp_us, i64::from(interval.months))?;
    match interval.days {
        0 => Ok(later_us),
        days => finite_timestamp(i64::from(days).checked_mul(DAY_US).and_then(|us| later_us.checked_add(us))),
    }
}

/// A timestamp without time zone, an interval later: months first, then days, then the time.
pub fn timestamp_plus(timestamp_us: i64, interval: Interval) -> Result<i64> {
    if is_infinite(timestamp_us) {
        return Ok(timestamp_us);
    }
    finite_timestamp(plus_months_and_days(timestamp_us, interval)?.checked_add(interval.time_us))
}

/// A timestamp with time zone, an interval later: months and days are those of the zone.
pub fn timestamptz_plus(timestamp_us: i64, interval: Interval, zone: &Zone) -> Result<i64> {
    if is_infinite(timestamp_us) {
        return Ok(timestamp_us);
    }
    let mut later_us = timestamp_us;
    if interval.months != 0 {
        later_us = utc(plus_months(local(later_us, zone)?, i64::from(interval.months))?, zone)?;
    }
    if interval.days != 0 {
        let days = Interval { days: interval.days, ..Interval::default() };
        later_us = utc(plus_months_and_days(local(later_us, zone)?, days)?, zone)?;
    }
    finite_timestamp(later_us.checked_add(interval.time_us))
}

/// The time between two timestamps, in days of 24 hours and the rest.
pub fn timestamp_difference(left_us: i64, right_us: i64) -> Result<Interval> {
    if is_infinite(left_us) || is_infinite(right_us) {
        return Err(overflow("cannot subtract infinite timestamps"));
    }
    let difference = left_us.checked_sub(right_us).ok_or_else(|| overflow("interval out of range"))?;
    Ok(Interval { months: 0, days: (difference / DAY_US) as i32, time_us: difference % DAY_US })
}

/// A time of day some time later, around the clock.
pub fn time_plus(time_us: i64, later_us: i64) -> i64 {
    (time_us + later_us % DAY_US).rem_euclid(DAY_US)
}
