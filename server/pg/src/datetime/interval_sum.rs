//! An interval while it is read: fields are added to it, and fractions go to the next smaller ones as in PostgreSQL.

use super::parse::{DatetimeError, Result};
use super::parse_interval::Interval;
use super::words::Unit;
use super::{DAY_US, SECOND_US};

/// Days that PostgreSQL takes for a fraction of a month.
const DAYS_PER_MONTH: f64 = 30.0;
const MONTHS_PER_YEAR: i64 = 12;

/// Years, months, days and microseconds, each within its own limits.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct IntervalSum {
    pub years: i32,
    pub months: i32,
    pub days: i32,
    pub time_us: i64,
}

impl IntervalSum {
    /// Adds a number of units.
    pub fn add(&mut self, unit: Unit, whole: i64, fraction: f64) -> Result<()> {
        match unit {
            Unit::Microsecond => self.add_time(whole, fraction, 1),
            Unit::Millisecond => self.add_time(whole, fraction, 1000),
            Unit::Second => self.add_time(whole, fraction, SECOND_US),
            Unit::Minute => self.add_time(whole, fraction, 60 * SECOND_US),
            Unit::Hour => self.add_time(whole, fraction, 3600 * SECOND_US),
            Unit::Day => {
                add(&mut self.days, whole, 1)?;
                self.add_time(0, fraction, DAY_US)
            }
            Unit::Week => {
                add(&mut self.days, whole, 7)?;
                self.add_days_of(fraction * 7.0)
            }
            Unit::Month => {
                add(&mut self.months, whole, 1)?;
                self.add_days_of(fraction * DAYS_PER_MONTH)
            }
            Unit::Year => self.add_years(whole, fraction, 1),
            Unit::Decade => self.add_years(whole, fraction, 10),
            Unit::Century => self.add_years(whole, fraction, 100),
            Unit::Millennium => self.add_years(whole, fraction, 1000),
            _ => Err(DatetimeError::Syntax),
        }
    }

    fn add_years(&mut self, whole: i64, fraction: f64, years: i64) -> Result<()> {
        add(&mut self.years, whole, years)?;
        add(&mut self.months, (fraction * (years * MONTHS_PER_YEAR) as f64).round_ties_even() as i64, 1)
    }

    fn add_days_of(&mut self, days: f64) -> Result<()> {
        add(&mut self.days, days.trunc() as i64, 1)?;
        self.add_time(0, days.fract(), DAY_US)
    }

    fn add_time(&mut self, whole: i64, fraction: f64, unit_us: i64) -> Result<()> {
        let whole_us = whole.checked_mul(unit_us);
        let fraction_us = fraction * unit_us as f64;
        let mut part_us = fraction_us.trunc() as i64;
        let rest = fraction_us - fraction_us.trunc();
        if rest.abs() > 0.5 {
            part_us += rest.signum() as i64;
        }
        let sum = whole_us.and_then(|us| self.time_us.checked_add(us)).and_then(|us| us.checked_add(part_us));
        self.time_us = sum.ok_or(DatetimeError::FieldOutOfRange)?;
        Ok(())
    }

    /// The interval into the other direction.
    pub fn negated(self) -> Result<Self> {
        let negated = || {
            Some(IntervalSum {
                years: self.years.checked_neg()?,
                months: self.months.checked_neg()?,
                days: self.days.checked_neg()?,
                time_us: self.time_us.checked_neg()?,
            })
        };
        negated().ok_or(DatetimeError::FieldOutOfRange)
    }

    /// The interval, with years as months.
    pub fn interval(self) -> Result<Interval> {
        let months = i64::from(self.years) * MONTHS_PER_YEAR + i64::from(self.months);
        let months = i32::try_from(months).map_err(|_| DatetimeError::OutOfRange)?;
        Ok(Interval { months, days: self.days, time_us: self.time_us })
    }
}

fn add(field: &mut i32, number: i64, factor: i64) -> Result<()> {
    let sum = number.checked_mul(factor).and_then(|number| number.checked_add(i64::from(*field)));
    *field = sum.and_then(|sum| i32::try_from(sum).ok()).ok_or(DatetimeError::FieldOutOfRange)?;
    Ok(())
}
