//! Comparing arrays, and comparing records (`array_cmp` and `record_cmp`).
//!
//! Arrays compare by their elements in order, then by their number, then by their dimensions. Inside both, NULL equals NULL
//! and comes last.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StructArray};

use super::leaves::Leaves;
use super::order::{Comparator, Purpose};
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{Call, Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;

const ARRAYS: &[u32] = &[ANYARRAY, ANYARRAY];
const RECORDS: &[u32] = &[RECORD, RECORD];

/// The operators on arrays.
pub static ARRAY_COMPARISONS: &[Function] = &[
    function("=", ARRAYS, BOOL, |call| arrays(call, Purpose::Equality, Ordering::is_eq)),
    function("<>", ARRAYS, BOOL, |call| arrays(call, Purpose::Equality, Ordering::is_ne)),
    function("<", ARRAYS, BOOL, |call| arrays(call, Purpose::Order, Ordering::is_lt)),
    function("<=", ARRAYS, BOOL, |call| arrays(call, Purpose::Order, Ordering::is_le)),
    function(">", ARRAYS, BOOL, |call| arrays(call, Purpose::Order, Ordering::is_gt)),
    function(">=", ARRAYS, BOOL, |call| arrays(call, Purpose::Order, Ordering::is_ge)),
];

/// The operators on records.
pub static RECORD_COMPARISONS: &[Function] = &[
    function("=", RECORDS, BOOL, |call| records(call, Purpose::Equality, Ordering::is_eq)),
    function("<>", RECORDS, BOOL, |call| records(call, Purpose::Equality, Ordering::is_ne)),
    function("<", RECORDS, BOOL, |call| records(call, Purpose::Order, Ordering::is_lt)),
    function("<=", RECORDS, BOOL, |call| records(call, Purpose::Order, Ordering::is_le)),
    function(">", RECORDS, BOOL, |call| records(call, Purpose::Order, Ordering::is_gt)),
    function(">=", RECORDS, BOOL, |call| records(call, Purpose::Order, Ordering::is_ge)),
];

fn arrays(call: &Call, purpose: Purpose, holds: fn(Ordering) -> bool) -> Result<ArrayRef> {
    let (left, right) = (Leaves::new(&call.array(0)?)?, Leaves::new(&call.array(1)?)?);
    let element = call.types.first().and_then(Type::element).map_or(UNKNOWN, |element| element.oid);
    let comparator = Comparator::new(element, &left.values, &right.values, purpose)?;
    let compare = |row: usize| {
        let (left_range, right_range) = (left.range(row), right.range(row));
        let lengths = left_range.len().cmp(&right_range.len());
        let mut elements = left_range.zip(right_range);
        let first = elements.find_map(|(left, right)| Some(comparator.compare(left, right)).filter(|it| it.is_ne()));
        let dimensions = || {
            let (left, right) = (left.dimensions(row), right.dimensions(row));
            left.len().cmp(&right.len()).then_with(|| left.cmp(&right))
        };
        first.unwrap_or_else(|| lengths.then_with(dimensions))
    };
    let answer = |row: usize| (!left.is_null(row) && !right.is_null(row)).then(|| holds(compare(row)));
    Ok(Arc::new((0..call.rows()).map(answer).collect::<BooleanArray>()))
}

fn records(call: &Call, purpose: Purpose, holds: fn(Ordering) -> bool) -> Result<ArrayRef> {
    let (left, right) = (call.array(0)?, call.array(1)?);
    let (left, right) = (record(&left)?, record(&right)?);
    let fields = fields(left, right, purpose);
    let mut answers = Vec::with_capacity(call.rows());
    for row in 0..call.rows() {
        if left.is_null(row) || right.is_null(row) {
            answers.push(None);
            continue;
        }
        let mut ordering = Ordering::Equal;
        for field in &fields {
            let comparator = field.as_ref().map_err(Clone::clone)?;
            ordering = comparator.compare(row, row);
            if ordering.is_ne() {
                break;
            }
        }
        if ordering.is_eq() && left.num_columns() != right.num_columns() {
            let message = "cannot compare record types with different numbers of columns";
            return Err(PgError::new(SqlState::DATATYPE_MISMATCH, message));
        }
        answers.push(Some(holds(ordering)));
    }
    Ok(Arc::new(BooleanArray::from(answers)))
}

fn record(array: &ArrayRef) -> Result<&StructArray> {
    array.as_struct_opt().ok_or_else(|| PgError::internal(format!("{} is not a record", array.data_type())))
}

/// The comparisons of the fields; a field that cannot be compared is an error only if it decides.
fn fields(left: &StructArray, right: &StructArray, purpose: Purpose) -> Vec<Result<Comparator>> {
    let types = |record: &StructArray| record.fields().iter().map(|field| Type::of_field(field)).collect::<Vec<_>>();
    let pairs = types(left).into_iter().zip(types(right)).zip(left.columns().iter().zip(right.columns()));
    let comparator = |(position, ((left_type, right_type), (left, right))): (usize, ((Type, Type), _))| {
        if left_type.oid != right_type.oid {
            let (left, right) = (left_type.name(), right_type.name());
            let place = position + 1;
            let message = format!("cannot compare dissimilar column types {left} and {right} at record column {place}");
            return Err(PgError::new(SqlState::DATATYPE_MISMATCH, message));
        }
        Comparator::new(left_type.oid, left, right, purpose)
    };
    pairs.enumerate().map(comparator).collect()
}
