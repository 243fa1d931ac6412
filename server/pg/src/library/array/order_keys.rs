//! Keys of arrays and records: bytes that are ordered as PostgreSQL orders the values, and equal where these are.
//!
//! The engine sorts, groups and joins by them, since it has no order of its own for most arrays. Keys of two columns can be
//! compared when both have one Arrow type.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryViewArray, Int32Array, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field};
use arrow::row::{RowConverter, SortField};

use super::leaves::Leaves;
use super::order::{Purpose, check_comparable, order_key};
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{Call, Function, function};
use crate::types::*;

/// The functions. They have no names in PostgreSQL: the planner sorts and groups by them.
pub static ORDER_KEYS: &[Function] = &[
    function("array_order", &[ANYARRAY], BYTEA, array_order),
    function("record_order", &[RECORD], BYTEA, |call| record_keys(&call.array(0)?)),
];

/// By the elements, then by their number, then by the dimensions.
fn array_order(call: &Call) -> Result<ArrayRef> {
    let leaves = Leaves::new(&call.array(0)?)?;
    let element = call.types.first().and_then(Type::element).map_or(UNKNOWN, |element| element.oid);
    check_comparable(element, Purpose::Order)?;
    let dimensions: Vec<Vec<usize>> = (0..leaves.rows()).map(|row| leaves.dimensions(row)).collect();
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let ndims = Int32Array::from_iter_values(dimensions.iter().map(|it| count(it.len())));
    let lengths: Int32Array = dimensions.iter().flatten().map(|length| Some(count(*length))).collect();
    let lengths = list(Arc::new(lengths), dimensions.iter().map(Vec::len))?;

    let ranges: Vec<_> = (0..leaves.rows()).map(|row| leaves.range(row)).collect();
    let start = ranges.first().map_or(0, |range| range.start);
    let values = leaves.values.slice(start, ranges.iter().map(|range| range.len()).sum());
    let elements = list(order_key(element, values)?, ranges.into_iter().map(|range| range.len()))?;
    keys(&[elements, Arc::new(ndims), lengths], leaves.rows(), leaves.lists.nulls())
}

fn list(values: ArrayRef, lengths: impl Iterator<Item = usize>) -> Result<ArrayRef> {
    let field = Arc::new(Field::new("item", values.data_type().clone(), true));
    Ok(Arc::new(ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), values, None)?))
}

/// The keys of records, by their fields in order.
pub fn record_keys(records: &ArrayRef) -> Result<ArrayRef> {
    if records.data_type() == &DataType::Null {
        return Ok(arrow::array::new_null_array(&DataType::BinaryView, records.len()));
    }
    let record = records.as_struct_opt();
    let record = record.ok_or_else(|| PgError::internal(format!("{} is not a record", records.data_type())))?;
    let mut columns = Vec::with_capacity(record.num_columns());
    for (field, column) in record.fields().iter().zip(record.columns()) {
        let oid = Type::of_field(field).oid;
        check_comparable(oid, Purpose::Order)?;
        columns.push(order_key(oid, column.clone())?);
    }
    keys(&columns, record.len(), record.nulls())
}

/// NULL comes last, in arrays and in records.
fn keys(columns: &[ArrayRef], rows: usize, nulls: Option<&NullBuffer>) -> Result<ArrayRef> {
    let is_valid = |row: usize| nulls.is_none_or(|nulls| nulls.is_valid(row));
    if columns.is_empty() {
        let empty: BinaryViewArray = (0..rows).map(|row| is_valid(row).then_some(b"")).collect();
        return Ok(Arc::new(empty));
    }

    let options = SortOptions { descending: false, nulls_first: false };
    let field = |column: &ArrayRef| SortField::new_with_options(column.data_type().clone(), options);
    let converter = RowConverter::new(columns.iter().map(field).collect());
    let encoded = converter.and_then(|converter| converter.convert_columns(columns));
    let encoded = encoded.map_err(|_| PgError::not_supported("ordering values of this type"))?;
    let key = |row: usize| is_valid(row).then(|| encoded.row(row).data().to_vec());
    Ok(Arc::new((0..rows).map(key).collect::<BinaryViewArray>()))
}
