//! `width_bucket`: the number of the bucket that a value falls into.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DynComparator, Int32Builder, ListArray, make_comparator, new_null_array};
use arrow::compute::SortOptions;
use arrow::datatypes::DataType;

use super::numeric::bucket;
use crate::error::{PgError, Result};
use crate::expression_type::{NUMERIC_PRECISION_IN_FLIGHT_MAX, decimal_type};
use crate::function::{Call, Function, Numeric, function};
use crate::sqlstate::SqlState;
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("width_bucket", &[FLOAT8, FLOAT8, FLOAT8, INT4], INT4, |call| call.map4(of_floats)),
    function("width_bucket", &[NUMERIC, NUMERIC, NUMERIC, INT4], INT4, |call| call.map4(of_numerics)),
    function("width_bucket", &[ANYCOMPATIBLE, ANYCOMPATIBLEARRAY], INT4, of_thresholds),
];

fn invalid(message: &str) -> PgError {
    PgError::new(SqlState::INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, message)
}

/// The bucket above all.
fn above(count: i32) -> Result<i32> {
    count.checked_add(1).ok_or_else(|| PgError::out_of_range("integer"))
}

fn check(count: i32, bounds: Option<Ordering>) -> Result<()> {
    if count <= 0 {
        return Err(invalid("count must be greater than zero"));
    }
    if bounds == Some(Ordering::Equal) {
        return Err(invalid("lower bound cannot equal upper bound"));
    }
    Ok(())
}

fn of_floats(operand: f64, low: f64, high: f64, count: i32) -> Result<i32> {
    check(count, None)?;
    if operand.is_nan() || low.is_nan() || high.is_nan() {
        return Err(invalid("operand, lower bound, and upper bound cannot be NaN"));
    }
    if low.is_infinite() || high.is_infinite() {
        return Err(invalid("lower and upper bounds must be finite"));
    }
    check(count, low.partial_cmp(&high))?;
    let (below_all, above_all) = match low < high {
        true => (operand < low, operand >= high),
        false => (operand > low, operand <= high),
    };
    if below_all {
        return Ok(0);
    }
    if above_all {
        return above(count);
    }
    let count = f64::from(count);
    let part = count * (operand - low) / (high - low);
    // Of bounds so far apart that the width is infinite, half.
    let part = match part.is_finite() {
        true => part,
        false => count * ((operand / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0)),
    };
    // One is added before the fraction is cut off, so that rounding can reach the next bucket; as in PostgreSQL.
    Ok((part + 1.0) as i32)
}

fn of_numerics(operand: Numeric, low: Numeric, high: Numeric, count: i32) -> Result<i32> {
    let operands = bucket::of(operand, low, high);
    check(count, Some(operands.bounds()))?;
    match operands.inside(count) {
        bucket::Place::Below => Ok(0),
        bucket::Place::Above => above(count),
        bucket::Place::Inside(bucket) => Ok(bucket),
    }
}

/// With the thresholds between the buckets given: how many are not above the operand. They are taken to be sorted.
fn of_thresholds(call: &Call) -> Result<ArrayRef> {
    let (operands, lists) = (call.compact_array(0), call.compact_array(1));
    if operands.data_type() == &DataType::Null || lists.data_type() == &DataType::Null {
        return Ok(new_null_array(&call.result.arrow, call.rows()));
    }
    let lists = lists.as_list_opt::<i32>().ok_or_else(|| PgError::internal("thresholds are an array"))?;
    let compare = comparator(call, operands, lists)?;
    let mut results = Int32Builder::with_capacity(call.rows());
    for row in 0..call.rows() {
        let operand = if call.is_constant(0) { 0 } else { row };
        let list = if call.is_constant(1) { 0 } else { row };
        if operands.is_null(operand) || lists.is_null(list) {
            results.append_null();
            continue;
        }
        results.append_value(thresholds_passed(lists, list, |threshold| compare(operand, threshold))?);
    }
    Ok(Arc::new(results.finish()))
}

fn thresholds_passed(lists: &ListArray, list: usize, compare: impl Fn(usize) -> Ordering) -> Result<i32> {
    let thresholds = lists.value(list);
    if thresholds.data_type().is_nested() {
        return Err(PgError::new(SqlState::ARRAY_SUBSCRIPT_ERROR, "thresholds must be one-dimensional array"));
    }
    if thresholds.null_count() > 0 {
        return Err(PgError::new(SqlState::NULL_VALUE_NOT_ALLOWED, "thresholds array must not contain NULLs"));
    }
    let start = lists.value_offsets().get(list).map_or(0, |offset| *offset as usize);
    let (mut low, mut high) = (0, thresholds.len());
    while low < high {
        let middle = low + (high - low) / 2;
        match compare(start + middle) {
            Ordering::Less => high = middle,
            _ => low = middle + 1,
        }
    }
    i32::try_from(low).map_err(|_| PgError::out_of_range("integer"))
}

/// Compares an operand with a threshold, both by their places in their columns.
fn comparator(call: &Call, operands: &ArrayRef, lists: &ListArray) -> Result<DynComparator> {
    let oid = call.types.first().map_or(ANY, |ty| ty.oid);
    // Their order is not that of the values that carry them.
    if matches!(oid, INTERVAL | TIMETZ | JSONB | RECORD) {
        return Err(PgError::not_supported(format!("width_bucket with thresholds of type {}", type_name(oid))));
    }
    let (operands, thresholds) = match lists.values().data_type().is_nested() {
        true => (operands.clone(), operands.slice(0, 0)),
        false => same_scale(operands, lists.values())?,
    };
    Ok(make_comparator(&operands, &thresholds, SortOptions::default())?)
}

/// Two columns of decimals with one scale; other columns as they are.
fn same_scale(left: &ArrayRef, right: &ArrayRef) -> Result<(ArrayRef, ArrayRef)> {
    use DataType::{Decimal128, Decimal256};
    let (Decimal128(_, a) | Decimal256(_, a), Decimal128(_, b) | Decimal256(_, b)) =
        (left.data_type(), right.data_type())
    else {
        return Ok((left.clone(), right.clone()));
    };
    let common = decimal_type(NUMERIC_PRECISION_IN_FLIGHT_MAX, *a.max(b));
    Ok((arrow::compute::cast(left, &common)?, arrow::compute::cast(right, &common)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::array::{Float64Array, Int32Array};
    use arrow::datatypes::Int32Type;
    use datafusion_expr::ColumnarValue;

    use super::*;
    use crate::Type;
    use crate::testing::{Value, call};

    fn check_bucket(oid: u32, arguments: [&str; 4], expected: &str) {
        let [operand, low, high, count] = arguments;
        let values: [Value<'_>; 4] = [(oid, Some(operand)), (oid, Some(low)), (oid, Some(high)), (INT4, Some(count))];
        let answer = match call("width_bucket", &values) {
            Ok(value) => value.unwrap(),
            Err(error) => format!("{} {}", error.sqlstate.code(), error.message),
        };
        assert_eq!(answer, expected, "{arguments:?}");
    }

    const COUNT: &str = "2201G count must be greater than zero";
    const EQUAL: &str = "2201G lower bound cannot equal upper bound";

    #[test]
    fn buckets_of_equal_width() {
        for (arguments, expected) in [
            (["5.35", "0.024", "10.06", "5"], "3"),
            (["5", "10", "0", "5"], "3"),
            (["10", "0", "10", "5"], "6"),
            (["-1", "0", "10", "5"], "0"),
            (["0", "0", "10", "5"], "1"),
            (["0", "10", "0", "5"], "6"),
            (["10", "10", "0", "5"], "1"),
            (["11", "10", "0", "5"], "0"),
            (["1", "0", "10", "0"], COUNT),
            (["1", "5", "5", "3"], EQUAL),
            (["20.0", "0", "10", "2147483647"], "22003 integer out of range"),
        ] {
            check_bucket(NUMERIC, arguments, expected);
            check_bucket(FLOAT8, arguments, expected);
        }
        check_bucket(FLOAT8, ["inf", "0", "10", "4"], "5");
        check_bucket(FLOAT8, ["nan", "0", "1", "2"], "2201G operand, lower bound, and upper bound cannot be NaN");
        check_bucket(FLOAT8, ["1", "-inf", "1", "2"], "2201G lower and upper bounds must be finite");
    }

    fn thresholds(operands: ArrayRef, lists: ListArray) -> Result<ArrayRef> {
        let rows = operands.len();
        let ty = Type { oid: INT4, typmod: -1, arrow: operands.data_type().clone() };
        let types = vec![ty.clone(), Type::array_of(&ty).unwrap()];
        let arguments = [ColumnarValue::Array(operands), ColumnarValue::Array(Arc::new(lists))];
        of_thresholds(&Call::new(types, Type::of(INT4), &arguments, rows, None).unwrap())
    }

    #[test]
    fn buckets_between_thresholds() {
        let list = |values: &[i32]| Some(values.iter().copied().map(Some).collect::<Vec<_>>());
        let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([
            list(&[1, 3, 5, 7]),
            list(&[1, 3]),
            list(&[1, 3]),
            list(&[]),
            list(&[3, 3, 3]),
            None,
        ]);
        let operands = Int32Array::from(vec![5, 0, 9, 1, 3, 1]);
        let answer = thresholds(Arc::new(operands), lists).unwrap();
        let expected = Int32Array::from(vec![Some(3), Some(0), Some(2), Some(0), Some(3), None]);
        assert_eq!(answer.as_primitive::<Int32Type>(), &expected);

        let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None])]);
        let error = thresholds(Arc::new(Int32Array::from(vec![1])), lists).unwrap_err();
        assert_eq!(error.message, "thresholds array must not contain NULLs");

        let floats =
            ListArray::from_iter_primitive::<arrow::datatypes::Float64Type, _, _>([Some(vec![Some(1.0), Some(2.0)])]);
        let answer = thresholds(Arc::new(Float64Array::from(vec![f64::NAN])), floats).unwrap();
        assert_eq!(answer.as_primitive::<Int32Type>().value(0), 2);
    }
}
