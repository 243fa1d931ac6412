//! `unnest` and `generate_subscripts`: the rows that an array is made of.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, StructArray};
use arrow::compute::{is_null, nullif};
use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;

use super::generate_series::{CHUNK_ROWS, no_rows};
use super::leaves::Leaves;
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{ArgumentShape, SetCall, SetChunk, SetColumns, SetFunction, SetRows};
use crate::types::*;
use crate::user_types::is_record;

/// The functions. `unnest_map` is `unnest` of a map, whose type PostgreSQL does not have.
pub static UNNEST: &[SetFunction] = &[
    SetFunction { name: "unnest", arguments: &[ANYARRAY], variadic: false, columns: element_columns, rows: elements },
    SetFunction { name: "unnest_map", arguments: &[MAP], variadic: false, columns: entry_columns, rows: entries },
    SetFunction {
        name: "_pg_expandarray",
        arguments: &[ANYARRAY],
        variadic: false,
        columns: numbered_columns,
        rows: numbered_elements,
    },
    SetFunction {
        name: "generate_subscripts",
        arguments: &[ANYARRAY, INT4],
        variadic: false,
        columns: subscript_column,
        rows: subscripts,
    },
    SetFunction {
        name: "generate_subscripts",
        arguments: &[ANYARRAY, INT4, BOOL],
        variadic: false,
        columns: subscript_column,
        rows: subscripts,
    },
];

/// The sets of a whole column of arguments: how many rows each of them has, and all their rows.
pub type Expansion = (Vec<usize>, SetChunk);

/// Whether the rows of this function can be had for a whole column of arguments at once.
pub fn expands_columns(function: &SetFunction) -> bool {
    UNNEST.iter().take(2).any(|it| std::ptr::eq(it, function))
}

/// The rows of a function that [`expands_columns`], for each row of its argument's column.
pub fn expand(function: &SetFunction, argument: &ArrayRef, columns: &[Type]) -> Result<Expansion> {
    match function.name {
        "unnest_map" => map_entries(argument),
        _ => array_elements(argument, columns),
    }
}

fn element_columns(arguments: &[ArgumentShape<'_>]) -> Result<SetColumns> {
    let element = arguments.first().and_then(|it| it.ty.element());
    let element = element.ok_or_else(|| PgError::internal("unnest is given an array"))?;
    match &element.arrow {
        DataType::Struct(fields) if is_record(element.oid) => {
            Ok(fields.iter().map(|field| (field.name().clone(), Type::of_field(field))).collect())
        }
        _ => Ok(vec![("unnest".to_owned(), element)]),
    }
}

fn entry_columns(arguments: &[ArgumentShape<'_>]) -> Result<SetColumns> {
    let fields = arguments.first().and_then(|it| super::map::entry_types(&it.ty.arrow));
    let (key, value) = fields.ok_or_else(|| PgError::internal("unnest_map is given a map"))?;
    Ok(vec![("key".to_owned(), key), ("value".to_owned(), value)])
}

fn numbered_columns(arguments: &[ArgumentShape<'_>]) -> Result<SetColumns> {
    let element = arguments.first().and_then(|it| it.ty.element());
    let element = element.ok_or_else(|| PgError::internal("_pg_expandarray is given an array"))?;
    Ok(vec![("x".to_owned(), element), ("n".to_owned(), Type::of(INT4))])
}

fn subscript_column(_arguments: &[ArgumentShape<'_>]) -> Result<SetColumns> {
    Ok(vec![("generate_subscripts".to_owned(), Type::of(INT4))])
}

fn array_elements(argument: &ArrayRef, columns: &[Type]) -> Result<Expansion> {
    let leaves = Leaves::new(argument)?;
    let ranges = (0..leaves.rows()).map(|row| leaves.range(row));
    let lengths: Vec<usize> = ranges.map(|range| range.len()).collect();
    let start = if leaves.rows() == 0 { 0 } else { leaves.range(0).start };
    let values = leaves.values.slice(start, lengths.iter().sum());
    let is_record = matches!(columns, [column] if column.arrow == *values.data_type());
    match values.as_struct_opt() {
        Some(records) if !is_record => Ok((lengths, fields_of(records)?)),
        _ => Ok((lengths, vec![values])),
    }
}

/// The fields of records; those of a record that is NULL are NULL.
fn fields_of(records: &StructArray) -> Result<SetChunk> {
    if records.nulls().is_none() {
        return Ok(records.columns().to_vec());
    }
    let absent = is_null(records)?;
    records.columns().iter().map(|column| Ok(nullif(column, &absent)?)).collect()
}

fn map_entries(argument: &ArrayRef) -> Result<Expansion> {
    let lists = super::map::entry_lists(argument)?;
    let leaves = Leaves::new(&lists)?;
    let lengths: Vec<usize> = (0..leaves.rows()).map(|row| leaves.range(row).len()).collect();
    let start = if leaves.rows() == 0 { 0 } else { leaves.range(0).start };
    let entries = leaves.values.slice(start, lengths.iter().sum());
    Ok((lengths, fields_of(entries.as_struct())?))
}

fn elements(call: SetCall) -> Result<SetRows> {
    in_chunks(&call, |argument, columns| Ok(array_elements(argument, columns)?.1))
}

/// The elements and their places, from 1.
fn numbered_elements(call: SetCall) -> Result<SetRows> {
    in_chunks(&call, |argument, columns| {
        let mut elements = array_elements(argument, &columns[..1])?.1;
        let count = elements.first().map_or(0, |column| column.len());
        elements.push(Arc::new(Int32Array::from_iter_values((1..).take(count))));
        Ok(elements)
    })
}

fn entries(call: SetCall) -> Result<SetRows> {
    in_chunks(&call, |argument, _columns| Ok(map_entries(argument)?.1))
}

/// The rows of the only argument, a few thousand at a time.
fn in_chunks(call: &SetCall, expand: fn(&ArrayRef, &[Type]) -> Result<SetChunk>) -> Result<SetRows> {
    let Some(argument) = call.arguments.first().filter(|argument| !argument.is_null()) else { return Ok(no_rows()) };
    let columns = expand(&argument.to_array()?, &call.columns)?;
    let rows = columns.first().map_or(0, |column| column.len());
    let chunks = (0..rows).step_by(CHUNK_ROWS);
    Ok(Box::new(chunks.map(move |start| {
        let length = CHUNK_ROWS.min(rows - start);
        Ok(columns.iter().map(|column| column.slice(start, length)).collect())
    })))
}

fn subscripts(call: SetCall) -> Result<SetRows> {
    let (array, dimension) = match call.arguments.as_slice() {
        [array, ScalarValue::Int32(Some(dimension)), ..] if !array.is_null() => (array, *dimension),
        _ => return Ok(no_rows()),
    };
    let reverse = match call.arguments.get(2) {
        Some(ScalarValue::Boolean(Some(reverse))) => *reverse,
        Some(_) => return Ok(no_rows()),
        None => false,
    };
    let leaves = Leaves::new(&array.to_array()?)?;
    let position = usize::try_from(dimension).ok().and_then(|dimension| dimension.checked_sub(1));
    let length = position.and_then(|position| leaves.dimensions(0).get(position).copied()).unwrap_or_default();
    let first = super::dimensions::lower_bound(call.types.first());
    let last = first + i32::try_from(length).map_err(|_| super::picks::too_many_elements())? - 1;
    let subscripts: Vec<i32> = if reverse { (first..=last).rev().collect() } else { (first..=last).collect() };
    let column: ArrayRef = Arc::new(Int32Array::from(subscripts));
    let chunks = (0..length).step_by(CHUNK_ROWS);
    Ok(Box::new(chunks.map(move |start| Ok(vec![column.slice(start, CHUNK_ROWS.min(length - start))]))))
}
