//! How a file's structs, lists and maps become values of the declared type.
//!
//! Fields of a struct are found by name, as columns are: in any order, in any case; one that the file lacks is NULL, one
//! that is not declared is not looked at. The names that writers give to a list's elements and to a map's entries do not
//! count. What is in them is read by the rules of [`coercion`](super::coercion).

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, new_null_array};
use arrow::compute::{cast, is_null, nullif};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use catalog::SqlType;
use catalog::types::StructField;

use super::coercion::{self, Coercion, Misfit};

/// How values that are made of others are read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Nested {
    /// For each declared field where it is in the file and how it is read; one that the file lacks is NULL.
    Struct(Vec<Option<(usize, Coercion)>>),
    /// How the elements are read; none of them has a value when the file says nothing of their type.
    List(Option<Coercion>),
    /// An array of arrays, which has to be rectangular, as PostgreSQL's are.
    Rectangular(Coercion),
    /// How keys and values are read.
    Map(Coercion, Option<Coercion>),
}

/// Why a file's column cannot be read as it was declared: the path to what does not fit, from the column on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// Names of fields behind the column's.
    pub path: Vec<String>,
    /// What is wrong there.
    pub reason: Reason,
}

/// What is wrong with a field.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// The file's type is read as no such type.
    Mismatch {
        /// The type in the file.
        file: DataType,
        /// The declared type.
        declared: SqlType,
    },
    /// The file has several fields of this name, in different case.
    Ambiguous {
        /// Their names.
        candidates: Vec<String>,
    },
}

impl Unreadable {
    fn under(mut self, name: &str) -> Self {
        self.path.insert(0, name.to_owned());
        self
    }
}

/// How a file's type is read as a declared one.
///
/// # Errors
/// It is not, or it cannot be told which field is meant.
pub(super) fn reading(file: &DataType, declared: &SqlType) -> Result<Coercion, Unreadable> {
    let mismatch =
        || Unreadable { path: Vec::new(), reason: Reason::Mismatch { file: file.clone(), declared: declared.clone() } };
    let nested = match (declared, file) {
        (SqlType::Struct(fields), DataType::Struct(in_file)) => Nested::Struct(field_readings(in_file, fields)?),
        (SqlType::Array(element), file) => {
            Nested::List(element_reading(file, &element.sql_type()).ok_or_else(mismatch)??)
        }
        (SqlType::List(element), file) => {
            let reading = element_reading(file, element).ok_or_else(mismatch)??;
            match reading {
                Some(reading) if matches!(**element, SqlType::Array(_) | SqlType::List(_)) => {
                    Nested::Rectangular(reading)
                }
                reading => Nested::List(reading),
            }
        }
        (SqlType::Map(entry), DataType::Map(entries, _)) => {
            let DataType::Struct(fields) = entries.data_type() else { return Err(mismatch()) };
            let [key, value] = fields.as_ref() else { return Err(mismatch()) };
            let key = known_reading(key.data_type(), &entry.key).map_err(|error| error.under("key"))?;
            let value = known_reading(value.data_type(), &entry.value).map_err(|error| error.under("value"))?;
            Nested::Map(key.ok_or_else(mismatch)?, value)
        }
        (SqlType::Struct(_) | SqlType::Map(_), _) => return Err(mismatch()),
        (declared, file) => return coercion::coercion(file, declared).ok_or_else(mismatch),
    };
    Ok(Coercion::Nested(Arc::new(nested)))
}

/// As [`reading`]; none for a type that has no values but NULL.
fn known_reading(file: &DataType, declared: &SqlType) -> Result<Option<Coercion>, Unreadable> {
    if file.is_null() { Ok(None) } else { reading(file, declared).map(Some) }
}

fn element_reading(file: &DataType, declared: &SqlType) -> Option<Result<Option<Coercion>, Unreadable>> {
    match file {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            Some(known_reading(item.data_type(), declared).map_err(|error| error.under("element")))
        }
        _ => None,
    }
}

fn field_readings(file: &Fields, declared: &[StructField]) -> Result<Vec<Option<(usize, Coercion)>>, Unreadable> {
    let reading_of = |field: &StructField| {
        let Some(index) =
            named(file, &field.name).map_err(|reason| Unreadable { path: vec![field.name.clone()], reason })?
        else {
            return Ok(None);
        };
        let reading = known_reading(file[index].data_type(), &field.sql_type);
        Ok(reading.map_err(|error| error.under(&field.name))?.map(|reading| (index, reading)))
    };
    declared.iter().map(reading_of).collect()
}

/// Where a name is among others: spelled so, or otherwise in another case. Which case writers use depends on the writer,
/// and on the day.
pub(super) fn named(fields: &Fields, name: &str) -> Result<Option<usize>, Reason> {
    let spelled = |is_same: fn(&str, &str) -> bool| -> Vec<usize> {
        let fields = fields.iter().enumerate();
        fields.filter(|(_, field)| is_same(field.name(), name)).map(|(index, _)| index).collect()
    };
    let exact = spelled(|a, b| a == b);
    let candidates = if exact.is_empty() { spelled(|a, b| a.to_lowercase() == b.to_lowercase()) } else { exact };
    match candidates[..] {
        [] => Ok(None),
        [index] => Ok(Some(index)),
        _ => {
            let candidates = candidates.iter().map(|index| format!("\"{}\"", fields[*index].name())).collect();
            Err(Reason::Ambiguous { candidates })
        }
    }
}

/// The file's type without the fields that a rule does not read: the engine reads no others when it is asked for this
/// type. A struct of which nothing is read stays whole, since only its fields tell where it is NULL.
pub(super) fn needed(file: &DataType, rule: &Coercion) -> DataType {
    let Coercion::Nested(nested) = rule else { return file.clone() };
    let with_item = |item: &FieldRef, rule: &Coercion| {
        Arc::new(item.as_ref().clone().with_data_type(needed(item.data_type(), rule)))
    };
    match (nested.as_ref(), file) {
        (Nested::Struct(readings), DataType::Struct(fields)) => {
            let reading_of = |index: usize| readings.iter().flatten().find(|reading| reading.0 == index);
            let kept =
                fields.iter().enumerate().filter_map(|(index, field)| Some(with_item(field, &reading_of(index)?.1)));
            let kept: Fields = kept.collect();
            if kept.is_empty() { file.clone() } else { DataType::Struct(kept) }
        }
        (Nested::List(Some(rule)) | Nested::Rectangular(rule), DataType::List(item)) => {
            DataType::List(with_item(item, rule))
        }
        (Nested::List(Some(rule)) | Nested::Rectangular(rule), DataType::LargeList(item)) => {
            DataType::LargeList(with_item(item, rule))
        }
        _ => file.clone(),
    }
}

impl Nested {
    /// Reads values as the declared type, whose Arrow type this is.
    pub(super) fn apply(&self, array: &ArrayRef, declared: &DataType) -> Result<ArrayRef, Misfit> {
        match (self, declared) {
            (Nested::Struct(readings), DataType::Struct(fields)) => read_struct(array, readings, fields),
            (Nested::List(reading), DataType::List(item)) => {
                let list = as_list(array)?;
                let values = read_values(list.values(), reading.as_ref(), item.data_type())?;
                Ok(Arc::new(rebuilt(&list, item, values)?))
            }
            (Nested::Rectangular(reading), DataType::List(item)) => {
                let list = as_list(array)?;
                let values = reading.apply(list.values(), item.data_type())?;
                let list = rebuilt(&list, item, values)?;
                if is_rectangular(&list) { Ok(Arc::new(list)) } else { Err(Misfit::NotRectangular) }
            }
            (Nested::Map(key, value), DataType::Map(entries, _)) => read_map(array, key, value.as_ref(), entries),
            // `reading` chose the rule for this type.
            _ => Err(Misfit::OutOfRange),
        }
    }
}

fn read_values(array: &ArrayRef, reading: Option<&Coercion>, declared: &DataType) -> Result<ArrayRef, Misfit> {
    match reading {
        Some(reading) => reading.apply(array, declared),
        None => Ok(new_null_array(declared, array.len())),
    }
}

fn read_struct(array: &ArrayRef, readings: &[Option<(usize, Coercion)>], fields: &Fields) -> Result<ArrayRef, Misfit> {
    let records = array.as_struct();
    let columns = readings.iter().zip(fields).map(|(reading, field)| match reading {
        Some((index, reading)) => reading.apply(records.column(*index), field.data_type()),
        None => Ok(new_null_array(field.data_type(), records.len())),
    });
    let mut columns = columns.collect::<Result<Vec<_>, _>>()?;
    if records.null_count() > 0 {
        // A field that its file says is never NULL has some value in a struct that is.
        let absent = is_null(records).map_err(|_| Misfit::OutOfRange)?;
        for column in &mut columns {
            *column = nullif(column, &absent).map_err(|_| Misfit::OutOfRange)?;
        }
    }
    let records = StructArray::try_new(fields.clone(), columns, records.nulls().cloned());
    Ok(Arc::new(records.map_err(|_| Misfit::OutOfRange)?))
}

fn read_map(
    array: &ArrayRef,
    key: &Coercion,
    value: Option<&Coercion>,
    entries: &FieldRef,
) -> Result<ArrayRef, Misfit> {
    let DataType::Struct(fields) = entries.data_type() else { return Err(Misfit::OutOfRange) };
    let [key_field, value_field] = fields.as_ref() else { return Err(Misfit::OutOfRange) };
    let map = array.as_map();
    let keys = key.apply(map.keys(), key_field.data_type())?;
    let values = read_values(map.values(), value, value_field.data_type())?;
    let pairs = StructArray::try_new(fields.clone(), vec![keys, values], None).map_err(|_| Misfit::OutOfRange)?;
    let map = MapArray::try_new(entries.clone(), map.offsets().clone(), pairs, map.nulls().cloned(), false);
    Ok(Arc::new(map.map_err(|_| Misfit::OutOfRange)?))
}

fn as_list(array: &ArrayRef) -> Result<ListArray, Misfit> {
    let list = match array.data_type() {
        DataType::List(_) => return Ok(array.as_list::<i32>().clone()),
        DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            cast(array, &DataType::List(item.clone())).map_err(|_| Misfit::OutOfRange)?
        }
        _ => return Err(Misfit::OutOfRange),
    };
    Ok(list.as_list::<i32>().clone())
}

/// The lists with other elements.
fn rebuilt(list: &ListArray, item: &Arc<Field>, values: ArrayRef) -> Result<ListArray, Misfit> {
    let rebuilt = ListArray::try_new(item.clone(), list.offsets().clone(), values, list.nulls().cloned());
    rebuilt.map_err(|_| Misfit::OutOfRange)
}

/// Whether the arrays in each array have the same dimensions. An array in an array cannot be NULL or empty.
fn is_rectangular(list: &ListArray) -> bool {
    let offsets = list.value_offsets();
    let mut dimensions = Vec::new();
    (0..list.len()).filter(|row| list.is_valid(*row)).all(|row| {
        let mut elements = offsets[row] as usize..offsets[row + 1] as usize;
        let first = elements.next();
        dimensions.clear();
        if let Some(first) = first {
            describe_dimensions(list.values(), first, &mut dimensions);
        }
        let has_null = first.into_iter().chain(elements.clone()).any(|element| list.values().is_null(element));
        let mut other = Vec::new();
        !has_null
            && !dimensions.contains(&0)
            && elements.all(|element| {
                other.clear();
                describe_dimensions(list.values(), element, &mut other);
                other == dimensions
            })
    })
}

/// The lengths of an array in each of its dimensions. That they are the same further in was looked at before.
fn describe_dimensions(values: &ArrayRef, row: usize, dimensions: &mut Vec<usize>) {
    let Some(list) = values.as_list_opt::<i32>() else { return };
    let start = list.value_offsets()[row] as usize;
    let length = list.value_length(row) as usize;
    dimensions.push(length);
    if length > 0 {
        describe_dimensions(list.values(), start, dimensions);
    }
}

#[cfg(test)]
mod tests;
