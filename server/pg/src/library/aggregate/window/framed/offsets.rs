//! The offsets of frames: that they are no NULL and not negative, and what `RANGE` reaches to by them (PostgreSQL's
//! `in_range` functions). Whether they are the start's or the end's is the last argument.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Decimal256Array, PrimitiveArray};
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Float64Type, i256};

use crate::datetime::{DAY_US, Interval};
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{Argument, ArgumentShape, Call, Function, Numeric, function};
use crate::library::aggregate::order::interval_key;
use crate::sqlstate::SqlState;
use crate::types::*;

/// The offset of ROWS or GROUPS.
pub static OFFSET_ROWS: Function = function("frame_offset", &[INT8, BOOL], INT8, |call| {
    check(call, 0, 1, |offset: i64| offset < 0, negative_count)?;
    call.array(0)
});

/// The offset of RANGE over times and moments.
pub static OFFSET_INTERVAL: Function = function("frame_offset", &[INTERVAL, BOOL], INTERVAL, |call| {
    check(call, 0, 1, |offset: Interval| interval_key(offset) < 0, |_| negative_size())?;
    call.array(0)
});

/// The microseconds of an interval that are no days.
pub static TIME_OF_INTERVAL: Function = function("frame_offset", &[INTERVAL], NUMERIC, |call| {
    call.map1(|offset: Interval| Numeric::from_i128(i128::from(offset.time_us)))
})
.shaped(whole_number);

/// The same in the measure of `timetz_order`.
pub static TIMETZ_OF_INTERVAL: Function = function("frame_offset", &[INTERVAL], NUMERIC, |call| {
    call.map1(|offset: Interval| Numeric::from_i128(i128::from(offset.time_us) * i128::from(DAY_US)))
})
.shaped(whole_number);

/// The value that RANGE reaches to from this one by an offset of the same digits, which is subtracted if the third argument
/// says so.
pub static RANGE_BOUND_NUMERIC: Function =
    function("range_bound", &[NUMERIC, NUMERIC, BOOL, BOOL], NUMERIC, range_bound_numeric).shaped(first_type);

/// The same of floating point numbers. The fourth argument says whether lesser values are in the frame.
pub static RANGE_BOUND_FLOAT: Function =
    function("range_bound", &[FLOAT8, FLOAT8, BOOL, BOOL, BOOL], FLOAT8, range_bound_float);

fn whole_number(_arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    Ok(Type::numeric(38, 0))
}

fn first_type(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let first = arguments.first().ok_or_else(|| PgError::internal("a bound is one of something"))?;
    Ok(first.ty.clone())
}

/// That no row has an offset that is NULL or negative.
fn check<'a, A: Argument<'a>>(
    call: &'a Call,
    offset: usize,
    is_end: usize,
    is_negative: fn(A) -> bool,
    negative: fn(&str) -> PgError,
) -> Result<()> {
    let which = if call.column::<bool>(is_end)?.get(0) == Some(true) { "ending" } else { "starting" };
    let offsets = call.column::<A>(offset)?;
    let rows = if call.is_constant(offset) { call.rows().min(1) } else { call.rows() };
    for row in 0..rows {
        let Some(offset) = offsets.get(row) else {
            let message = format!("frame {which} offset must not be null");
            return Err(PgError::new(SqlState::NULL_VALUE_NOT_ALLOWED, message));
        };
        if is_negative(offset) {
            return Err(negative(which));
        }
    }
    Ok(())
}

fn negative_count(which: &str) -> PgError {
    let message = format!("frame {which} offset must not be negative");
    PgError::new(SqlState::INVALID_PRECEDING_OR_FOLLOWING_SIZE, message)
}

fn negative_size() -> PgError {
    let message = "invalid preceding or following size in window function";
    PgError::new(SqlState::INVALID_PRECEDING_OR_FOLLOWING_SIZE, message)
}

fn flag(call: &Call, argument: usize) -> Result<bool> {
    Ok(call.column::<bool>(argument)?.get(0) == Some(true))
}

/// What is beyond the greatest number is the greatest: it is only compared.
fn range_bound_numeric(call: &Call) -> Result<ArrayRef> {
    check(call, 1, 3, |offset: Numeric| offset.is_negative(), |_| negative_size())?;
    let subtract = flag(call, 2)?;
    let (keys, offsets) = (call.array(0)?, call.array(1)?);
    if keys.data_type() != offsets.data_type() {
        return Err(PgError::internal("a bound has the digits of what it is added to"));
    }
    Ok(match keys.data_type() {
        DataType::Decimal128(precision, scale) => {
            let add = |key: i128, offset: i128| match subtract {
                true => key.saturating_sub(offset),
                false => key.saturating_add(offset),
            };
            let (keys, offsets) = (keys.as_primitive::<Decimal128Type>(), offsets.as_primitive::<Decimal128Type>());
            let bounds: Decimal128Array = arrow::compute::binary(keys, offsets, add)?;
            Arc::new(bounds.with_precision_and_scale(*precision, *scale)?)
        }
        DataType::Decimal256(precision, scale) => {
            let add = |key: i256, offset: i256| match subtract {
                true => key.checked_sub(offset).unwrap_or(i256::MIN),
                false => key.checked_add(offset).unwrap_or(i256::MAX),
            };
            let (keys, offsets) = (keys.as_primitive::<Decimal256Type>(), offsets.as_primitive::<Decimal256Type>());
            let bounds: Decimal256Array = arrow::compute::binary(keys, offsets, add)?;
            Arc::new(bounds.with_precision_and_scale(*precision, *scale)?)
        }
        _ => return Err(PgError::internal("a bound is a number")),
    })
}

fn range_bound_float(call: &Call) -> Result<ArrayRef> {
    check(call, 1, 4, |offset: f64| offset.is_nan() || offset < 0.0, |_| negative_size())?;
    let (subtract, less) = (flag(call, 2)?, flag(call, 3)?);
    let bound = |key: f64, offset: f64| match if subtract { key - offset } else { key + offset } {
        // An infinity away from the other infinity is everything.
        bound if bound.is_nan() && !key.is_nan() => {
            if less {
                f64::INFINITY
            } else {
                f64::NEG_INFINITY
            }
        }
        bound => bound,
    };
    let (keys, offsets) = (call.array(0)?, call.array(1)?);
    let (keys, offsets) = (keys.as_primitive::<Float64Type>(), offsets.as_primitive::<Float64Type>());
    let bounds: PrimitiveArray<Float64Type> = arrow::compute::binary(keys, offsets, bound)?;
    Ok(Arc::new(bounds))
}
