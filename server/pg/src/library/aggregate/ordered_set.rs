//! Percentiles, the median and the mode (`orderedsetaggs.c`).
//!
//! The rows come in the order that was asked for. The fraction is an argument like the others here, and the first row's
//! counts: it must be the same in all rows of a group.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, ListArray};
use arrow::datatypes::{DataType, Float64Type};
use datafusion_common::ScalarValue;
use datafusion_expr::expr::Sort;
use datafusion_expr::{Expr, lit};

use super::bound::{Finish, Shape, collected};
use super::interval::between;
use super::order::{keys_of, typed_keys};
use crate::datetime::Interval;
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{
    Aggregate, AggregateCall, Argument, ArgumentShape, ResultBuilder, ResultValue, Timestamp, aggregate,
};
use crate::sqlstate::SqlState;
use crate::types::*;

/// The ordered-set aggregates.
pub(super) static ENTRIES: &[Aggregate] = &[
    aggregate("percentile_cont", &[FLOAT8], FLOAT8, |call| named("percentile_cont", continuous::<f64>, call))
        .ordered_set(&[FLOAT8]),
    aggregate("percentile_cont", &[INTERVAL], INTERVAL, |call| named("percentile_cont", continuous::<Interval>, call))
        .ordered_set(&[FLOAT8]),
    aggregate("percentile_cont", &[FLOAT8], FLOAT8_ARRAY, |call| named("percentile_cont", continuous_all::<f64>, call))
        .ordered_set(&[FLOAT8_ARRAY])
        .shaped(like_fractions),
    aggregate("percentile_cont", &[INTERVAL], INTERVAL_ARRAY, |call| {
        named("percentile_cont", continuous_all::<Interval>, call)
    })
    .ordered_set(&[FLOAT8_ARRAY])
    .shaped(like_fractions),
    aggregate("percentile_disc", &[ANYELEMENT], ANYELEMENT, |call| named("percentile_disc", discrete, call))
        .ordered_set(&[FLOAT8])
        .shaped(value_type),
    aggregate("percentile_disc", &[ANYELEMENT], ANYARRAY, |call| named("percentile_disc", discrete_all, call))
        .ordered_set(&[FLOAT8_ARRAY])
        .shaped(like_fractions),
    aggregate("mode", &[ANYELEMENT], ANYELEMENT, |call| named("mode", mode, call)).ordered_set(&[]).shaped(value_type),
];

/// Redshift's: the fraction one half, and no `WITHIN GROUP`.
pub(super) static MEDIANS: &[Aggregate] = &[
    aggregate("median", &[FLOAT8], FLOAT8, |call| median(continuous::<f64>, call)),
    aggregate("median", &[INTERVAL], INTERVAL, |call| median(unordered_intervals, call)),
    aggregate("median", &[TIMESTAMP], TIMESTAMP, |call| median(continuous::<Timestamp>, call)),
    aggregate("median", &[TIMESTAMPTZ], TIMESTAMPTZ, |call| median(continuous::<Timestamp>, call)),
];

fn named(name: &str, finish: Finish, call: AggregateCall) -> Result<Expr> {
    collected(name, finish, AggregateCall { distinct: false, ..call })
}

fn median(finish: Finish, mut call: AggregateCall) -> Result<Expr> {
    let value = call.arguments.first().ok_or_else(|| PgError::internal("an aggregate lacks its argument"))?.clone();
    call.arguments.insert(0, lit(0.5_f64));
    call.types.insert(0, Type::of(FLOAT8));
    // The engine's order of intervals is not theirs: they are put in order afterwards.
    let ordered = call.types.last().is_none_or(|ty| ty.oid != INTERVAL);
    call.order_by = if ordered { vec![Sort::new(value, true, false)] } else { Vec::new() };
    named("median", finish, call)
}

fn unordered_intervals(shape: &Shape, columns: &[ArrayRef]) -> Result<ScalarValue> {
    let [_, values] = columns else { return Err(lacking()) };
    let keys = keys_of(std::slice::from_ref(values))?;
    let mut positions: Vec<u32> = (0..u32::try_from(values.len()).unwrap_or(u32::MAX)).collect();
    positions.sort_by(|a, b| keys.row(*a as usize).cmp(&keys.row(*b as usize)));
    let sorted = arrow::compute::take(values, &arrow::array::UInt32Array::from(positions), None)?;
    continuous::<Interval>(shape, &[columns[0].clone(), sorted])
}

fn lacking() -> PgError {
    PgError::internal("an ordered-set aggregate lacks an argument")
}

fn value_type(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let ty = arguments.last().map(|argument| argument.ty.of_result());
    ty.ok_or_else(lacking)
}

/// An array of the shape of the fractions', of values.
fn like_fractions(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let [fractions, value] = arguments else { return Err(lacking()) };
    let oid = crate::types::array_type(value.ty.oid).ok_or_else(lacking)?;
    Ok(Type { oid, typmod: value.ty.of_result().typmod, arrow: with_leaves(&fractions.ty.arrow, &value.ty.arrow) })
}

fn with_leaves(lists: &DataType, leaf: &DataType) -> DataType {
    match lists {
        DataType::List(field) => crate::expression_type::list_of(with_leaves(field.data_type(), leaf)),
        _ => leaf.clone(),
    }
}

/// A fraction that is one.
fn checked(fraction: f64) -> Result<f64> {
    if (0.0..=1.0).contains(&fraction) {
        return Ok(fraction);
    }
    let message = format!("percentile value {} is not between 0 and 1", general(fraction));
    Err(PgError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message))
}

/// As C's `%g` writes it.
fn general(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN".into()
        } else if value > 0.0 {
            "Infinity".into()
        } else {
            "-Infinity".into()
        };
    }
    let scientific = format!("{value:.5e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trimmed(digits), exponent.unsigned_abs());
    }
    let decimals = usize::try_from(5 - exponent).unwrap_or(0);
    trimmed(&format!("{value:.decimals$}"))
}

/// The fraction; `None` when it is NULL or there are no rows.
fn fraction(columns: &[ArrayRef]) -> Result<Option<f64>> {
    let fractions = columns.first().and_then(|column| column.as_primitive_opt::<Float64Type>()).ok_or_else(lacking)?;
    match fractions.is_empty() || fractions.is_null(0) {
        true => Ok(None),
        false => checked(fractions.value(0)).map(Some),
    }
}

/// The fractions; `None` when they are NULL or there are no rows.
fn fractions(columns: &[ArrayRef]) -> Result<Option<ListArray>> {
    let fractions = columns.first().and_then(|column| column.as_list_opt::<i32>()).ok_or_else(lacking)?;
    Ok((!fractions.is_empty() && fractions.is_valid(0)).then(|| fractions.slice(0, 1)))
}

/// The rows that are not NULL, which are together.
fn present(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let values = columns.last().ok_or_else(lacking)?;
    let Some(nulls) = values.logical_nulls().filter(|nulls| nulls.null_count() > 0) else {
        return Ok(values.clone());
    };
    let count = values.len() - nulls.null_count();
    let start = if nulls.is_null(0) { nulls.null_count() } else { 0 };
    Ok(values.slice(start, count))
}

/// A value between two.
trait Interpolated: for<'a> Argument<'a> + ResultValue + Copy + 'static {
    /// So far from the first to the second.
    fn between(low: Self, high: Self, fraction: f64) -> Result<Self>;
}

impl Interpolated for f64 {
    fn between(low: f64, high: f64, fraction: f64) -> Result<f64> {
        Ok(low + fraction * (high - low))
    }
}

impl Interpolated for Interval {
    fn between(low: Interval, high: Interval, fraction: f64) -> Result<Interval> {
        between(low, high, fraction)
    }
}

impl Interpolated for Timestamp {
    fn between(low: Timestamp, high: Timestamp, fraction: f64) -> Result<Timestamp> {
        let way = i128::from(high.0) - i128::from(low.0);
        let way = (way as f64 * fraction).round_ties_even() as i128;
        let place = i64::try_from(i128::from(low.0) + way);
        place.map(Timestamp).map_err(|_| PgError::new(SqlState::DATETIME_FIELD_OVERFLOW, "timestamp out of range"))
    }
}

/// The value at a fraction of the way through the rows.
fn interpolate<A: Interpolated>(values: &ArrayRef, fraction: f64) -> Result<A> {
    let rows = A::values(values)?;
    let place = fraction * (values.len() - 1) as f64;
    let (before, after) = (place.floor(), place.ceil());
    let low = A::read(&rows, before as usize);
    if before == after {
        return Ok(low);
    }
    A::between(low, A::read(&rows, after as usize), place - before)
}

fn continuous<A: Interpolated>(shape: &Shape, columns: &[ArrayRef]) -> Result<ScalarValue> {
    let (fraction, values) = (fraction(columns)?, present(columns)?);
    let result = match fraction {
        Some(fraction) if !values.is_empty() => Some(interpolate::<A>(&values, fraction)?),
        _ => None,
    };
    let mut builder = A::Builder::new(&shape.result, 1)?;
    result.append(&mut builder)?;
    Ok(ScalarValue::try_from_array(&builder.finish()?, 0)?)
}

/// One element of the result for each fraction.
fn for_each_fraction(
    shape: &Shape,
    columns: &[ArrayRef],
    each: &dyn Fn(&ArrayRef, &Float64Array) -> Result<ArrayRef>,
) -> Result<ScalarValue> {
    let (fractions, values) = (fractions(columns)?, present(columns)?);
    match fractions {
        Some(fractions) => {
            if values.is_empty() {
                return Ok(ScalarValue::try_from(&shape.result.arrow)?);
            }
            let result = map_leaves(&fractions, &|leaves| each(&values, leaves))?;
            Ok(ScalarValue::try_from_array(&result, 0)?)
        }
        None => Ok(ScalarValue::try_from(&shape.result.arrow)?),
    }
}

fn map_leaves(list: &ListArray, leaves: &dyn Fn(&Float64Array) -> Result<ArrayRef>) -> Result<ArrayRef> {
    let values: ArrayRef = match list.values().as_list_opt::<i32>() {
        Some(inner) => map_leaves(inner, leaves)?,
        None => leaves(list.values().as_primitive_opt::<Float64Type>().ok_or_else(lacking)?)?,
    };
    let DataType::List(field) = crate::expression_type::list_of(values.data_type().clone()) else {
        return Err(lacking());
    };
    Ok(Arc::new(ListArray::try_new(field, list.offsets().clone(), values, list.nulls().cloned())?))
}

fn continuous_all<A: Interpolated>(shape: &Shape, columns: &[ArrayRef]) -> Result<ScalarValue> {
    let element = shape.types.get(1).ok_or_else(lacking)?;
    for_each_fraction(shape, columns, &|values, fractions| {
        let mut builder = A::Builder::new(element, fractions.len())?;
        for fraction in fractions {
            let value = fraction.map(|fraction| interpolate::<A>(values, checked(fraction)?)).transpose()?;
            value.append(&mut builder)?;
        }
        builder.finish()
    })
}

/// The first row that so much of the rows are before or at.
fn discrete_row(rows: usize, fraction: f64) -> usize {
    let place = (fraction * rows as f64).ceil();
    (place.max(1.0) as usize - 1).min(rows.saturating_sub(1))
}

fn discrete(shape: &Shape, columns: &[ArrayRef]) -> Result<ScalarValue> {
    let (fraction, values) = (fraction(columns)?, present(columns)?);
    match fraction {
        Some(fraction) if !values.is_empty() => {
            Ok(ScalarValue::try_from_array(&values, discrete_row(values.len(), fraction))?)
        }
        _ => Ok(ScalarValue::try_from(&shape.result.arrow)?),
    }
}

fn discrete_all(shape: &Shape, columns: &[ArrayRef]) -> Result<ScalarValue> {
    for_each_fraction(shape, columns, &|values, fractions| {
        let rows = fractions.iter().map(|fraction| match fraction {
            Some(fraction) => {
                let row = discrete_row(values.len(), checked(fraction)?);
                u32::try_from(row).map(Some).map_err(|_| PgError::not_supported("a percentile of so many rows"))
            }
            None => Ok(None),
        });
        let rows = rows.collect::<Result<Vec<Option<u32>>>>()?;
        Ok(arrow::compute::take(values, &arrow::array::UInt32Array::from(rows), None)?)
    })
}

/// The most frequent value; of several, the first in order.
fn mode(shape: &Shape, columns: &[ArrayRef]) -> Result<ScalarValue> {
    let values = present(columns)?;
    let keys = typed_keys(std::slice::from_ref(&values), &shape.types)?;
    let (mut best, mut best_length, mut start) = (None, 0, 0);
    for row in 0..values.len() {
        if row > start && keys.row(row) != keys.row(start) {
            start = row;
        }
        if row + 1 - start > best_length {
            (best, best_length) = (Some(start), row + 1 - start);
        }
    }
    match best {
        Some(row) => Ok(ScalarValue::try_from_array(&values, row)?),
        None => Ok(ScalarValue::try_from(&shape.result.arrow)?),
    }
}
