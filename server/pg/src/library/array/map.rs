//! Maps, which come from Parquet files. PostgreSQL has none: the planner knows one by its Arrow type, and calls these.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, UInt64Array};
use arrow::datatypes::{DataType, Field};

use super::order::{Comparator, Purpose};
use super::unify::argument;
use crate::error::{PgError, Result};
use crate::expression_type::{Type, list_of};
use crate::function::{ArgumentShape, Call, Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;

/// The functions. The result of `map_get` is NULL when the map does not have the key.
pub static MAPS: &[Function] = &[
    function("map_get", &[MAP, ANY], ANYELEMENT, get).shaped(|arguments| Ok(must_entry_types(arguments)?.1)),
    function("map_keys", &[MAP], ANYARRAY, keys).shaped(|arguments| array_of(must_entry_types(arguments)?.0)),
    function("map_values", &[MAP], ANYARRAY, values).shaped(|arguments| array_of(must_entry_types(arguments)?.1)),
];

/// The types of a map's keys and values.
pub fn entry_types(data_type: &DataType) -> Option<(Type, Type)> {
    let DataType::Map(entries, _) = data_type else { return None };
    match entries.data_type() {
        DataType::Struct(fields) => match fields.as_ref() {
            [key, value] => Some((Type::of_field(key), Type::of_field(value))),
            _ => None,
        },
        _ => None,
    }
}

fn must_entry_types(arguments: &[ArgumentShape<'_>]) -> Result<(Type, Type)> {
    let map = argument(arguments, 0)?;
    entry_types(&map.arrow)
        .ok_or_else(|| PgError::new(SqlState::DATATYPE_MISMATCH, format!("type {} is not a map", map.name())))
}

/// Arrays of values that may themselves be arrays or maps.
fn array_of(element: Type) -> Result<Type> {
    Ok(Type { oid: super::unify::array_type(&element)?, typmod: element.typmod, arrow: list_of(element.arrow) })
}

fn map_of(array: &ArrayRef) -> Result<&MapArray> {
    array.as_map_opt().ok_or_else(|| PgError::internal(format!("{} is not a map", array.data_type())))
}

/// The column of maps as one of arrays of records.
pub fn entry_lists(array: &ArrayRef) -> Result<ArrayRef> {
    if array.data_type() == &DataType::Null {
        return Ok(array.clone());
    }
    let map = map_of(array)?;
    let entries: ArrayRef = Arc::new(map.entries().clone());
    lists(map, entries, "item")
}

fn lists(map: &MapArray, values: ArrayRef, name: &str) -> Result<ArrayRef> {
    let field = Arc::new(Field::new(name, values.data_type().clone(), true));
    Ok(Arc::new(ListArray::try_new(field, map.offsets().clone(), values, map.nulls().cloned())?))
}

fn keys(call: &Call) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let map = map_of(&array)?;
    lists(map, map.keys().clone(), "item")
}

fn values(call: &Call) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let map = map_of(&array)?;
    lists(map, map.values().clone(), "item")
}

fn get(call: &Call) -> Result<ArrayRef> {
    let (array, wanted) = (call.array(0)?, call.array(1)?);
    let map = map_of(&array)?;
    let (key, _) = entry_types(array.data_type()).ok_or_else(|| PgError::internal("a map has keys"))?;
    let comparator = Comparator::new(key.oid, map.keys(), &wanted, Purpose::Equality)?;
    let offsets = map.value_offsets();
    let position = |row: usize| {
        if map.is_null(row) || wanted.is_null(row) {
            return None;
        }
        let mut entries = offsets[row] as usize..offsets[row + 1] as usize;
        // As in the file formats that have maps: of a key that comes twice, the last counts.
        entries.rfind(|entry| comparator.equal(*entry, row)).map(|entry| entry as u64)
    };
    let positions: UInt64Array = (0..map.len()).map(position).collect();
    Ok(arrow::compute::take(map.values(), &positions, None)?)
}
