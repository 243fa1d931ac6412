//! `generate_series`: values that follow one another at equal steps.

mod timestamps;

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{DataType, i256};
use datafusion_common::ScalarValue;

use crate::error::{PgError, Result};
use crate::expression_type::{NUMERIC_PRECISION_IN_FLIGHT_MAX, Type};
use crate::function::{ArgumentShape, Numeric, ResultBuilder, ResultValue, SetCall, SetColumns, SetFunction, SetRows};
use crate::types::*;

/// Rows that are made at once.
pub(super) const CHUNK_ROWS: usize = 8192;

/// The functions.
pub static GENERATE_SERIES: &[SetFunction] = &[
    series(&[INT4, INT4], |_| single(Type::of(INT4)), integers),
    series(&[INT4, INT4, INT4], |_| single(Type::of(INT4)), integers),
    series(&[INT8, INT8], |_| single(Type::of(INT8)), integers),
    series(&[INT8, INT8, INT8], |_| single(Type::of(INT8)), integers),
    series(&[NUMERIC, NUMERIC], numeric_column, numerics),
    series(&[NUMERIC, NUMERIC, NUMERIC], numeric_column, numerics),
    series(&[TIMESTAMP, TIMESTAMP, INTERVAL], |_| single(Type::of(TIMESTAMP)), timestamps::rows),
    series(&[TIMESTAMPTZ, TIMESTAMPTZ, INTERVAL], |_| single(Type::of(TIMESTAMPTZ)), timestamps::rows),
];

type Columns = fn(&[ArgumentShape<'_>]) -> Result<SetColumns>;

const fn series(arguments: &'static [u32], columns: Columns, rows: fn(SetCall) -> Result<SetRows>) -> SetFunction {
    SetFunction { name: "generate_series", arguments, variadic: false, columns, rows }
}

fn single(ty: Type) -> Result<SetColumns> {
    Ok(vec![("generate_series".to_owned(), ty)])
}

/// The error of a step that leads nowhere.
pub(super) fn zero_step() -> PgError {
    PgError::invalid_parameter("step size cannot equal zero")
}

/// The rows of a set that has none.
pub(super) fn no_rows() -> SetRows {
    Box::new(std::iter::empty())
}

fn integer(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::Int32(value) => value.map(i64::from),
        ScalarValue::Int64(value) => *value,
        _ => None,
    }
}

/// Whether a series that goes this way has passed its end.
fn passed<T: Ord>(value: &T, stop: &T, descending: bool) -> bool {
    if descending { value < stop } else { value > stop }
}

fn integers(call: SetCall) -> Result<SetRows> {
    let narrow = matches!(call.arguments.first(), Some(ScalarValue::Int32(_)));
    let arguments: Option<Vec<i64>> = call.arguments.iter().map(integer).collect();
    let Some(arguments) = arguments else { return Ok(no_rows()) };
    let [start, stop, ref step @ ..] = arguments[..] else { return Ok(no_rows()) };
    let step = step.first().copied().unwrap_or(1);
    if step == 0 {
        return Err(zero_step());
    }
    let mut next = Some(start);
    Ok(Box::new(std::iter::from_fn(move || {
        let mut values = Vec::new();
        while values.len() < CHUNK_ROWS {
            let Some(value) = next.filter(|value| !passed(value, &stop, step < 0)) else { break };
            values.push(value);
            next = value.checked_add(step);
        }
        if values.is_empty() {
            return None;
        }
        let column: ArrayRef = if narrow {
            // Each value lies between start and stop, which have 32 bits.
            Arc::new(Int32Array::new(values.iter().map(|value| *value as i32).collect(), None))
        } else {
            Arc::new(Int64Array::new(ScalarBuffer::from(values), None))
        };
        Some(Ok(vec![column]))
    })))
}

/// Values lie between start and stop, and have the decimal places of start and step.
fn numeric_column(arguments: &[ArgumentShape<'_>]) -> Result<SetColumns> {
    let digits = |position: usize| arguments.get(position).and_then(|it| it.ty.digits());
    let (start, stop) = (digits(0).unwrap_or((38, 18)), digits(1).unwrap_or((38, 18)));
    let step = digits(2).unwrap_or((1, 0));
    let scale = start.1.max(step.1);
    let whole = |(precision, scale): (u8, i8)| i16::from(precision) - i16::from(scale);
    let precision = whole(start).max(whole(stop)) + i16::from(scale);
    single(Type::numeric(precision.clamp(1, i16::from(NUMERIC_PRECISION_IN_FLIGHT_MAX)) as u8, scale))
}

fn numeric(value: &ScalarValue) -> Option<Numeric> {
    match value {
        ScalarValue::Decimal128(Some(value), _, scale) => Some(Numeric::new(i256::from_i128(*value), *scale)),
        ScalarValue::Decimal256(Some(value), _, scale) => Some(Numeric::new(*value, *scale)),
        other => integer(other).map(|value| Numeric::from_i128(i128::from(value))),
    }
}

fn numerics(call: SetCall) -> Result<SetRows> {
    let arguments: Option<Vec<Numeric>> = call.arguments.iter().map(numeric).collect();
    let Some(arguments) = arguments else { return Ok(no_rows()) };
    let [start, stop, ref step @ ..] = arguments[..] else { return Ok(no_rows()) };
    let step = step.first().copied().unwrap_or(Numeric::from_i128(1));
    if step.unscaled == i256::ZERO {
        return Err(zero_step());
    }
    let result = call.columns.first().cloned().unwrap_or(Type::of(NUMERIC));
    let scale = start.scale.max(step.scale).max(stop.scale);
    let at_scale = |number: Numeric| number.at_scale(scale).ok_or_else(|| PgError::out_of_range("numeric"));
    let (start, stop, step) = (at_scale(start)?.unscaled, at_scale(stop)?.unscaled, at_scale(step)?.unscaled);
    let mut next = Some(start);
    Ok(Box::new(std::iter::from_fn(move || {
        let mut values = Vec::new();
        while values.len() < CHUNK_ROWS {
            let Some(value) = next.filter(|value| !passed(value, &stop, step < i256::ZERO)) else { break };
            values.push(Numeric::new(value, scale));
            next = value.checked_add(step);
        }
        (!values.is_empty()).then(|| Ok(vec![column(values, &result)?]))
    })))
}

/// The values as a column.
fn column<R: ResultValue>(values: Vec<R>, result: &Type) -> Result<ArrayRef> {
    let mut builder = R::Builder::new(result, values.len())?;
    for value in values {
        value.append(&mut builder)?;
    }
    builder.finish()
}

/// Whether a column holds timestamps with a zone.
fn has_zone(ty: &Type) -> bool {
    matches!(&ty.arrow, DataType::Timestamp(_, Some(_)))
}
