//! `sum` and `avg` of intervals, and the arithmetic of intervals that aggregates need (`timestamp.c`).

use std::fmt::Debug;
use std::marker::PhantomData;

use super::bound::{Shape, unordered};
use super::saved::saved;
use super::state::{One, State};
use crate::datetime::Interval;
use crate::error::{PgError, Result};
use crate::function::{Aggregate, aggregate};
use crate::sqlstate::SqlState;
use crate::types::*;

/// The sum and the average.
pub(super) static ENTRIES: &[Aggregate] = &[
    aggregate("sum", &[INTERVAL], INTERVAL, |call| unordered::<IntervalSum<Whole>>("sum", call)),
    aggregate("avg", &[INTERVAL], INTERVAL, |call| unordered::<IntervalSum<Average>>("avg", call)),
];

fn overflow() -> PgError {
    PgError::new(SqlState::DATETIME_FIELD_OVERFLOW, "interval out of range")
}

/// Both together.
pub(super) fn plus(a: Interval, b: Interval) -> Result<Interval> {
    let months = a.months.checked_add(b.months);
    let days = a.days.checked_add(b.days);
    let time_us = a.time_us.checked_add(b.time_us);
    match (months, days, time_us) {
        (Some(months), Some(days), Some(time_us)) => Ok(Interval { months, days, time_us }),
        _ => Err(overflow()),
    }
}

/// The first without the second.
pub(super) fn minus(a: Interval, b: Interval) -> Result<Interval> {
    let months = a.months.checked_sub(b.months);
    let days = a.days.checked_sub(b.days);
    let time_us = a.time_us.checked_sub(b.time_us);
    match (months, days, time_us) {
        (Some(months), Some(days), Some(time_us)) => Ok(Interval { months, days, time_us }),
        _ => Err(overflow()),
    }
}

/// Each field with a function applied that multiplies or divides; what is no whole months or days goes to the next
/// smaller field, of thirty days and of 24 hours.
pub(super) fn scaled(interval: Interval, scale: impl Fn(f64) -> f64) -> Result<Interval> {
    let whole = |value: f64| {
        let fits = value >= f64::from(i32::MIN) && value <= f64::from(i32::MAX);
        if fits { Ok(value.trunc()) } else { Err(overflow()) }
    };
    let (all_months, all_days) = (scale(f64::from(interval.months)), scale(f64::from(interval.days)));
    let (months, days) = (whole(all_months)?, whole(all_days)?);
    let rest_days = rounded_us((all_months - months) * 30.0);
    let mut rest_seconds = rounded_us((all_days - days + rest_days - rest_days.trunc()) * 86_400.0);
    let mut days = days;
    if rest_seconds.abs() >= 86_400.0 {
        let carried = (rest_seconds / 86_400.0).trunc();
        days += carried;
        rest_seconds -= carried * 86_400.0;
    }
    let days = whole(days + rest_days.trunc())?;
    let time_us = (scale(interval.time_us as f64) + rest_seconds * 1e6).round_ties_even();
    // The limit itself is not a number of 64 bits that a float has.
    if !(time_us >= i64::MIN as f64 && time_us < i64::MAX as f64) {
        return Err(overflow());
    }
    Ok(Interval { months: months as i32, days: days as i32, time_us: time_us as i64 })
}

/// Rounded to microseconds, or millionths of a day.
fn rounded_us(value: f64) -> f64 {
    (value * 1e6).round_ties_even() / 1e6
}

/// What is made of the sum.
pub(super) trait Finish: Debug + 'static {
    /// The result.
    fn finish(sum: Interval, count: i64) -> Result<Interval>;
}

/// `sum`
#[derive(Debug)]
pub(super) struct Whole;

impl Finish for Whole {
    fn finish(sum: Interval, _count: i64) -> Result<Interval> {
        Ok(sum)
    }
}

/// `avg`
#[derive(Debug)]
pub(super) struct Average;

impl Finish for Average {
    fn finish(sum: Interval, count: i64) -> Result<Interval> {
        scaled(sum, |value| value / count as f64)
    }
}

/// A sum and a count.
#[derive(Debug)]
pub(super) struct IntervalSum<F> {
    sum: Interval,
    count: i64,
    kind: PhantomData<fn() -> F>,
}

impl<F> Clone for IntervalSum<F> {
    fn clone(&self) -> Self {
        IntervalSum { sum: self.sum, count: self.count, kind: PhantomData }
    }
}

impl<F> Default for IntervalSum<F> {
    fn default() -> Self {
        IntervalSum { sum: Interval { months: 0, days: 0, time_us: 0 }, count: 0, kind: PhantomData }
    }
}

impl<F: Finish> State for IntervalSum<F> {
    type Input<'a> = One<Interval>;
    type Output = Option<Interval>;
    const REMOVABLE: bool = true;

    fn add(&mut self, One(value): One<Interval>) -> Result<()> {
        self.sum = plus(self.sum, value)?;
        self.count += 1;
        Ok(())
    }

    fn remove(&mut self, One(value): One<Interval>) -> Result<()> {
        self.sum = minus(self.sum, value)?;
        self.count -= 1;
        Ok(())
    }

    fn merge(&mut self, later: Self) -> Result<()> {
        self.sum = plus(self.sum, later.sum)?;
        self.count += later.count;
        Ok(())
    }

    saved!(sum, count);

    fn finish(self, _shape: &Shape) -> Result<Option<Interval>> {
        if self.count == 0 {
            return Ok(None);
        }
        F::finish(self.sum, self.count).map(Some)
    }
}

/// So far between two intervals.
pub(super) fn between(low: Interval, high: Interval, fraction: f64) -> Result<Interval> {
    plus(low, scaled(minus(high, low)?, |value| value * fraction)?)
}
