//! Type modifiers of times, timestamps and intervals: digits of the seconds, and the fields an interval has.

use super::EPOCH_2000_US;
use super::arithmetic::{finite_timestamp, is_infinite};
use super::interval_arithmetic::interval_out_of_range;
use super::parse_interval::{
    Interval, RANGE_DAY, RANGE_FULL, RANGE_HOUR, RANGE_MINUTE, RANGE_MONTH, RANGE_SECOND, RANGE_YEAR,
};
use crate::error::{PgError, Result};

/// Digits of the seconds of a value.
const PRECISION_MAX: u32 = 6;
/// The precision of an interval's modifier that does not say one.
const FULL_PRECISION: i32 = 0xffff;
const MINUTE_US: i64 = 60_000_000;
const HOUR_US: i64 = 60 * MINUTE_US;

/// A timestamp of either kind, rounded to the digits of its modifier; half a digit goes away from 2000-01-01.
pub fn round_timestamp(timestamp_us: i64, typmod: i32) -> Result<i64> {
    match unit_us(typmod) {
        Some(unit_us) if !is_infinite(timestamp_us) => {
            finite_timestamp(round(timestamp_us - EPOCH_2000_US, unit_us).and_then(|us| us.checked_add(EPOCH_2000_US)))
        }
        _ => Ok(timestamp_us),
    }
}

/// A time of day, rounded to the digits of its modifier.
pub fn round_time(time_us: i64, typmod: i32) -> i64 {
    unit_us(typmod).and_then(|unit_us| round(time_us, unit_us)).unwrap_or(time_us)
}

/// What remains of an interval in a type with this modifier: fields below its last one are dropped, and the seconds are
/// rounded.
pub fn apply_interval_typmod(interval: Interval, typmod: i32) -> Result<Interval> {
    if typmod < 0 {
        return Ok(interval);
    }
    let Interval { months, days, time_us } = interval;
    const YEAR_TO_MONTH: i32 = RANGE_YEAR | RANGE_MONTH;
    let range = (typmod >> 16) & RANGE_FULL;
    let kept = match range {
        RANGE_YEAR => Interval { months: months / 12 * 12, days: 0, time_us: 0 },
        RANGE_MONTH | YEAR_TO_MONTH => Interval { months, days: 0, time_us: 0 },
        RANGE_DAY => Interval { time_us: 0, ..interval },
        _ if range == RANGE_FULL || range & RANGE_SECOND != 0 => interval,
        _ if range & RANGE_MINUTE != 0 => Interval { months, days, time_us: time_us / MINUTE_US * MINUTE_US },
        _ if range & RANGE_HOUR != 0 => Interval { months, days, time_us: time_us / HOUR_US * HOUR_US },
        _ => return Err(PgError::internal(format!("unrecognized interval typmod: {typmod}"))),
    };
    let precision = typmod & FULL_PRECISION;
    match unit_us(if precision == FULL_PRECISION { -1 } else { precision }) {
        Some(unit_us) => {
            let time_us = round(kept.time_us, unit_us).ok_or_else(interval_out_of_range)?;
            Ok(Interval { time_us, ..kept })
        }
        None => Ok(kept),
    }
}

/// Microseconds of the last digit, where that is more than one.
fn unit_us(precision: i32) -> Option<i64> {
    let precision = u32::try_from(precision).ok().filter(|precision| *precision < PRECISION_MAX)?;
    Some(10i64.pow(PRECISION_MAX - precision))
}

/// The multiple of a unit that is nearest, half of one away from zero.
fn round(value: i64, unit: i64) -> Option<i64> {
    let away = if value < 0 { -unit / 2 } else { unit / 2 };
    Some(value.checked_add(away)? / unit * unit)
}
