//! Series of timestamps, whose steps are intervals.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{IntervalMonthDayNano, TimestampMicrosecondType};
use datafusion_common::ScalarValue;
use datafusion_common::config::ConfigOptions;
use datafusion_expr::ColumnarValue;

use super::{CHUNK_ROWS, column, has_zone, no_rows, passed, zero_step};
use crate::datetime::zone::Zone;
use crate::datetime::{DAY_US, TIMESTAMP_INFINITY, TIMESTAMP_MIN_US};
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{Call, Kernel, Method, SetCall, SetRows, Timestamp};
use crate::library;
use crate::session::SessionValues;
use crate::sqlstate::SqlState;
use crate::types::*;

/// The step from one value to the next.
enum Step {
    /// So many microseconds, whatever the day.
    Fixed(i64),
    /// By the calendar, as the operator `+` does it.
    Calendar(Box<Calendar>),
}

struct Calendar {
    kernel: Kernel,
    types: Vec<Type>,
    interval: ScalarValue,
    options: Arc<ConfigOptions>,
}

impl Step {
    fn new(call: &SetCall, interval: IntervalMonthDayNano) -> Result<Self> {
        let ty = call.types.first().ok_or_else(|| PgError::internal("a series has a start"))?;
        let days_are_equal = !has_zone(ty) || call.session.time_zone == Zone::UTC;
        if interval.months == 0 && (interval.days == 0 || days_are_equal) {
            let step = i64::from(interval.days).checked_mul(DAY_US);
            let step = step.and_then(|days| days.checked_add(interval.nanoseconds / 1000));
            return Ok(Step::Fixed(step.ok_or_else(out_of_range)?));
        }
        let kernel = addition(ty.oid)?;
        let options = Arc::new(options(&call.session));
        let interval = ScalarValue::IntervalMonthDayNano(Some(interval));
        let types = vec![ty.clone(), Type::of(INTERVAL)];
        Ok(Step::Calendar(Box::new(Calendar { kernel, types, interval, options })))
    }

    fn after(&self, timestamp: i64) -> Result<i64> {
        match self {
            Step::Fixed(_) if matches!(timestamp, i64::MIN | i64::MAX) => Ok(timestamp),
            Step::Fixed(step) => {
                let next = timestamp.checked_add(*step);
                let in_range = |next: &i64| (TIMESTAMP_MIN_US..TIMESTAMP_INFINITY).contains(next);
                next.filter(in_range).ok_or_else(out_of_range)
            }
            Step::Calendar(calendar) => calendar.after(timestamp),
        }
    }
}

impl Calendar {
    fn after(&self, timestamp: i64) -> Result<i64> {
        let ty = self.types[0].clone();
        let zone = has_zone(&ty).then(|| "UTC".into());
        let timestamp = ScalarValue::TimestampMicrosecond(Some(timestamp), zone);
        let arguments = [ColumnarValue::Scalar(timestamp), ColumnarValue::Scalar(self.interval.clone())];
        let call = Call::new(self.types.clone(), ty, &arguments, 1, Some(self.options.clone()))?;
        let sum = (self.kernel)(&call)?;
        match sum.as_primitive_opt::<TimestampMicrosecondType>() {
            Some(sum) if sum.len() == 1 && sum.is_valid(0) => Ok(sum.value(0)),
            _ => Err(PgError::internal("a timestamp plus an interval is a timestamp")),
        }
    }
}

/// The operator that adds an interval to a timestamp of this type.
fn addition(oid: u32) -> Result<Kernel> {
    let found = library::operators("+").iter().find(|it| it.arguments == [oid, INTERVAL]);
    match found.map(|it| it.method) {
        Some(Method::Kernel(kernel)) => Ok(kernel),
        _ => Err(PgError::not_supported("adding months to a timestamp")),
    }
}

fn options(session: &SessionValues) -> ConfigOptions {
    let mut options = ConfigOptions::default();
    options.extensions.insert(session.clone());
    options
}

fn out_of_range() -> PgError {
    PgError::new(SqlState::DATETIME_FIELD_OVERFLOW, "timestamp out of range")
}

/// Which way an interval leads; months and days count as everywhere where intervals are compared.
fn direction(interval: IntervalMonthDayNano) -> i128 {
    let days = i128::from(interval.months) * 30 + i128::from(interval.days);
    (days * i128::from(DAY_US) + i128::from(interval.nanoseconds / 1000)).signum()
}

/// The rows of a series of timestamps.
pub(super) fn rows(call: SetCall) -> Result<SetRows> {
    let (start, stop, interval) = match call.arguments.as_slice() {
        [
            ScalarValue::TimestampMicrosecond(Some(start), _),
            ScalarValue::TimestampMicrosecond(Some(stop), _),
            ScalarValue::IntervalMonthDayNano(Some(interval)),
        ] => (*start, *stop, *interval),
        _ => return Ok(no_rows()),
    };
    let direction = direction(interval);
    if direction == 0 {
        return Err(zero_step());
    }
    let descending = direction < 0;
    if passed(&start, &stop, descending) {
        return Ok(no_rows());
    }
    let step = Step::new(&call, interval)?;
    let result = call.columns.first().cloned().unwrap_or(Type::of(TIMESTAMP));
    let mut next = Some(Ok(start));
    Ok(Box::new(std::iter::from_fn(move || {
        let mut values = Vec::new();
        while values.len() < CHUNK_ROWS {
            match next.take() {
                Some(Ok(value)) if !passed(&value, &stop, descending) => {
                    values.push(Timestamp(value));
                    next = Some(step.after(value));
                }
                // The rows before the error are given first.
                Some(Err(error)) if !values.is_empty() => {
                    next = Some(Err(error));
                    break;
                }
                Some(Err(error)) => return Some(Err(error)),
                _ => break,
            }
        }
        (!values.is_empty()).then(|| Ok(vec![column(values, &result)?]))
    })))
}
