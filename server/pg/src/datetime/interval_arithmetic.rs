//! What is computed with intervals: their order, sums, products, and moving days to months and hours to days.

use super::DAY_US;
use super::arithmetic::overflow;
use super::parse_interval::Interval;
use crate::error::{PgError, Result};

/// Days of a month, where intervals are compared or divided.
const DAYS_PER_MONTH: i64 = 30;
const DAY_S: f64 = 86_400.0;
const SECOND_US: f64 = 1_000_000.0;

/// `interval out of range`
pub fn interval_out_of_range() -> PgError {
    overflow("interval out of range")
}

/// What intervals are ordered by: microseconds, where a month has 30 days and a day 24 hours.
pub fn order(interval: Interval) -> i128 {
    let days = i64::from(interval.months) * DAYS_PER_MONTH + i64::from(interval.days);
    i128::from(days) * i128::from(DAY_US) + i128::from(interval.time_us)
}

/// Each field by itself; `None` when one is out of range.
fn zip(
    left: Interval,
    right: Interval,
    narrow: fn(i32, i32) -> Option<i32>,
    wide: fn(i64, i64) -> Option<i64>,
) -> Result<Interval> {
    let computed = || {
        let months = narrow(left.months, right.months)?;
        Some(Interval { months, days: narrow(left.days, right.days)?, time_us: wide(left.time_us, right.time_us)? })
    };
    computed().ok_or_else(interval_out_of_range)
}

/// The sum.
pub fn plus(left: Interval, right: Interval) -> Result<Interval> {
    zip(left, right, i32::checked_add, i64::checked_add)
}

/// The difference.
pub fn minus(left: Interval, right: Interval) -> Result<Interval> {
    zip(left, right, i32::checked_sub, i64::checked_sub)
}

/// The interval into the other direction.
pub fn negated(interval: Interval) -> Result<Interval> {
    minus(Interval::default(), interval)
}

/// The product. A fraction of a month becomes days, one of a day becomes time.
pub fn times(interval: Interval, factor: f64) -> Result<Interval> {
    scaled(interval, |number| number * factor)
}

/// The quotient, as [`times`].
pub fn divided(interval: Interval, divisor: f64) -> Result<Interval> {
    if divisor == 0.0 {
        return Err(PgError::division_by_zero());
    }
    scaled(interval, |number| number / divisor)
}

fn scaled(interval: Interval, scale: impl Fn(f64) -> f64) -> Result<Interval> {
    let (months_exact, days_exact) = (scale(f64::from(interval.months)), scale(f64::from(interval.days)));
    let (months, days) = (whole(months_exact)?, whole(days_exact)?);
    // What is left of the months is whole days and a part of one; what is left of the days goes there too.
    let days_left = to_microseconds((months_exact - f64::from(months)) * DAYS_PER_MONTH as f64);
    let mut seconds = to_microseconds((days_exact - f64::from(days) + days_left.fract()) * DAY_S);
    let mut more_days = days_left.trunc() as i64;
    if seconds.abs() >= DAY_S {
        more_days += (seconds / DAY_S).trunc() as i64;
        seconds -= (seconds / DAY_S).trunc() * DAY_S;
    }
    let days = i32::try_from(i64::from(days) + more_days).map_err(|_| interval_out_of_range())?;
    let time = (scale(interval.time_us as f64) + seconds * SECOND_US).round_ties_even();
    // -(-2^63) is the first double that does not fit.
    if !(i64::MIN as f64..-(i64::MIN as f64)).contains(&time) {
        return Err(interval_out_of_range());
    }
    Ok(Interval { months, days, time_us: time as i64 })
}

/// The part before the point, as 32 bits.
fn whole(number: f64) -> Result<i32> {
    let fits = (f64::from(i32::MIN)..f64::from(i32::MAX) + 1.0).contains(&number);
    if fits { Ok(number as i32) } else { Err(interval_out_of_range()) }
}

/// Rounded to six digits after the point.
fn to_microseconds(seconds: f64) -> f64 {
    (seconds * SECOND_US).round_ties_even() / SECOND_US
}

/// An interval whose fields have not been brought into their limits.
struct Parts {
    months: i64,
    days: i64,
    time_us: i64,
}

impl Parts {
    fn of(interval: Interval) -> Self {
        Parts { months: i64::from(interval.months), days: i64::from(interval.days), time_us: interval.time_us }
    }

    fn hours_to_days(&mut self) {
        self.days += self.time_us / DAY_US;
        self.time_us %= DAY_US;
    }

    fn days_to_months(&mut self) {
        self.months += self.days / DAYS_PER_MONTH;
        self.days %= DAYS_PER_MONTH;
    }

    /// Gives days and time one sign.
    fn align_time(&mut self) {
        if self.days > 0 && self.time_us < 0 {
            self.time_us += DAY_US;
            self.days -= 1;
        } else if self.days < 0 && self.time_us > 0 {
            self.time_us -= DAY_US;
            self.days += 1;
        }
    }

    fn interval(self) -> Result<Interval> {
        let narrow = |number: i64| i32::try_from(number).map_err(|_| interval_out_of_range());
        Ok(Interval { months: narrow(self.months)?, days: narrow(self.days)?, time_us: self.time_us })
    }
}

/// 24 hours are a day.
pub fn justify_hours(interval: Interval) -> Result<Interval> {
    let mut parts = Parts::of(interval);
    parts.hours_to_days();
    parts.align_time();
    parts.interval()
}

/// 30 days are a month.
pub fn justify_days(interval: Interval) -> Result<Interval> {
    let mut parts = Parts::of(interval);
    parts.days_to_months();
    if parts.months > 0 && parts.days < 0 {
        parts.days += DAYS_PER_MONTH;
        parts.months -= 1;
    } else if parts.months < 0 && parts.days > 0 {
        parts.days -= DAYS_PER_MONTH;
        parts.months += 1;
    }
    parts.interval()
}

/// Both, with one sign for all fields.
pub fn justify_interval(interval: Interval) -> Result<Interval> {
    let mut parts = Parts::of(interval);
    parts.hours_to_days();
    parts.days_to_months();
    if parts.months > 0 && (parts.days < 0 || parts.days == 0 && parts.time_us < 0) {
        parts.days += DAYS_PER_MONTH;
        parts.months -= 1;
    } else if parts.months < 0 && (parts.days > 0 || parts.days == 0 && parts.time_us > 0) {
        parts.days -= DAYS_PER_MONTH;
        parts.months += 1;
    }
    parts.align_time();
    parts.interval()
}
