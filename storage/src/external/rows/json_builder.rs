//! A column's values from JSON, structs, lists and maps included.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, MapArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, FieldRef, Fields};
use arrow::error::ArrowError;
use catalog::{Column, SqlType};
use jiter::{Jiter, JiterError, Peek};

use super::json::is_named;
use super::values::{Added, Unfit, ValueBuilder, ValueBuilders, ValueError};

/// Why a value cannot be added.
pub(super) enum PushError {
    /// It is no JSON, or none of the shape that the type has.
    Json(String),
    /// It is no value of the type.
    Value(ValueError),
}

impl From<JiterError> for PushError {
    fn from(error: JiterError) -> Self {
        PushError::Json(error.error_type.to_string())
    }
}

impl From<ValueError> for PushError {
    fn from(error: ValueError) -> Self {
        PushError::Value(error)
    }
}

/// A value that a rule has put in the place of another.
pub(super) struct Changed {
    /// What was wrong with that.
    pub(super) of: Unfit,
    pub(super) from: String,
    /// None for NULL.
    pub(super) to: Option<String>,
}

/// Collects the values of a column.
pub(super) enum JsonBuilder {
    /// Of a type whose values are texts.
    Value {
        builder: Box<dyn ValueBuilder>,
        is_json: bool,
    },
    Struct {
        names: Vec<String>,
        builders: Vec<JsonBuilder>,
        fields: Fields,
        validity: Vec<bool>,
    },
    List {
        element: Box<JsonBuilder>,
        field: FieldRef,
        ends: Vec<i32>,
        validity: Vec<bool>,
    },
    Map {
        entry: Box<MapBuilder>,
        field: FieldRef,
        ends: Vec<i32>,
        validity: Vec<bool>,
    },
}

/// Collects the entries of maps: an object's keys and values.
pub(super) struct MapBuilder {
    keys: Box<dyn ValueBuilder>,
    values: JsonBuilder,
    fields: Fields,
}

impl JsonBuilder {
    /// An empty builder for a column.
    pub(super) fn new(column: &Column, builders: &dyn ValueBuilders, capacity: usize) -> Self {
        let of = |name: &str, sql_type: SqlType| {
            JsonBuilder::new(&Column::new(0, name.to_owned(), sql_type), builders, capacity)
        };
        let list = |element: SqlType, in_flight: DataType| match in_flight {
            DataType::List(field) => {
                let element = Box::new(of("element", element));
                Some(JsonBuilder::List { element, field, ends: Vec::new(), validity: Vec::new() })
            }
            _ => None,
        };
        let in_flight = column.sql_type.in_flight();
        let nested = match (&column.sql_type, in_flight) {
            (SqlType::Array(element), in_flight) => list(element.sql_type(), in_flight),
            (SqlType::List(element), in_flight) => list(element.as_ref().clone(), in_flight),
            (SqlType::Struct(parts), DataType::Struct(fields)) => Some(JsonBuilder::Struct {
                names: parts.iter().map(|part| part.name.clone()).collect(),
                builders: parts.iter().map(|part| of(&part.name, part.sql_type.clone())).collect(),
                fields,
                validity: Vec::new(),
            }),
            (SqlType::Map(entry), DataType::Map(field, _)) => match field.data_type() {
                DataType::Struct(fields) => {
                    let key = Column::new(0, "key".to_owned(), entry.key.clone());
                    let (keys, values) = (builders.builder(&key, capacity), of("value", entry.value.clone()));
                    let entry = Box::new(MapBuilder { keys, values, fields: fields.clone() });
                    Some(JsonBuilder::Map { entry, field, ends: Vec::new(), validity: Vec::new() })
                }
                _ => None,
            },
            _ => None,
        };
        nested.unwrap_or_else(|| JsonBuilder::Value {
            builder: builders.builder(column, capacity),
            is_json: matches!(column.sql_type, SqlType::Json | SqlType::Jsonb),
        })
    }

    /// Values that have been added.
    pub(super) fn len(&self) -> usize {
        match self {
            JsonBuilder::Value { builder, .. } => builder.len(),
            JsonBuilder::Struct { validity, .. }
            | JsonBuilder::List { validity, .. }
            | JsonBuilder::Map { validity, .. } => validity.len(),
        }
    }

    /// Adds a NULL.
    pub(super) fn push_null(&mut self) {
        match self {
            JsonBuilder::Value { builder, .. } => builder.push_null(),
            JsonBuilder::Struct { builders, validity, .. } => {
                builders.iter_mut().for_each(JsonBuilder::push_null);
                validity.push(false);
            }
            JsonBuilder::List { element, ends, validity, .. } => {
                ends.push(end(element.len()));
                validity.push(false);
            }
            JsonBuilder::Map { entry, ends, validity, .. } => {
                ends.push(end(entry.values.len()));
                validity.push(false);
            }
        }
    }

    /// Adds the value that comes next.
    ///
    /// # Errors
    /// It is none of the type. The builder has a part of it then, which [`JsonBuilder::settle`] makes a NULL of.
    pub(super) fn push(
        &mut self,
        json: &mut Jiter<'_>,
        peek: Peek,
        changed: &mut Vec<Changed>,
    ) -> Result<(), PushError> {
        if peek == Peek::Null {
            json.known_null()?;
            self.push_null();
            return Ok(());
        }
        match self {
            JsonBuilder::Value { builder, is_json } => push_value(builder.as_mut(), *is_json, json, peek, changed),
            JsonBuilder::Struct { names, builders, validity, .. } => {
                push_struct(names, builders, validity.len(), json, changed)?;
                validity.push(true);
                Ok(())
            }
            JsonBuilder::List { element, ends, validity, .. } => {
                let mut next = json.next_array()?;
                while let Some(peek) = next {
                    element.push(json, peek, changed)?;
                    next = json.array_step()?;
                }
                ends.push(end(element.len()));
                validity.push(true);
                Ok(())
            }
            JsonBuilder::Map { entry, ends, validity, .. } => {
                entry.push(json, changed)?;
                ends.push(end(entry.values.len()));
                validity.push(true);
                Ok(())
            }
        }
    }

    /// After an error: what was begun becomes NULL, so that there are `length` values, one more than before that.
    pub(super) fn settle(&mut self, length: usize) {
        match self {
            JsonBuilder::Value { builder, .. } => {
                if builder.len() < length {
                    builder.push_null();
                }
            }
            JsonBuilder::Struct { builders, validity, .. } => {
                builders.iter_mut().for_each(|builder| builder.settle(length));
                validity.resize(length, false);
            }
            JsonBuilder::List { element, ends, validity, .. } => {
                element.settle(element.begun());
                ends.resize(length, end(element.len()));
                validity.resize(length, false);
            }
            JsonBuilder::Map { entry, ends, validity, .. } => {
                let entries = entry.keys.len();
                entry.values.settle(entries);
                ends.resize(length, end(entries));
                validity.resize(length, false);
            }
        }
    }

    /// Values that have been begun.
    fn begun(&self) -> usize {
        match self {
            JsonBuilder::Value { builder, .. } => builder.len(),
            JsonBuilder::Struct { builders, validity, .. } => {
                builders.iter().map(JsonBuilder::begun).fold(validity.len(), usize::max)
            }
            JsonBuilder::List { element, ends, .. } => ends.len() + usize::from(element.begun() > length(ends)),
            JsonBuilder::Map { entry, ends, .. } => ends.len() + usize::from(entry.keys.len() > length(ends)),
        }
    }

    /// The values as a column of the in-flight type; the builder is empty again.
    ///
    /// # Errors
    /// None but bugs.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            JsonBuilder::Value { builder, .. } => builder.finish(),
            JsonBuilder::Struct { builders, fields, validity, .. } => {
                let nulls = NullBuffer::from(std::mem::take(validity));
                let length = nulls.len();
                let columns = builders.iter_mut().map(JsonBuilder::finish).collect::<Result<_, _>>()?;
                Arc::new(StructArray::try_new_with_length(fields.clone(), columns, Some(nulls), length)?)
            }
            JsonBuilder::List { element, field, ends, validity } => {
                let nulls = NullBuffer::from(std::mem::take(validity));
                Arc::new(ListArray::try_new(field.clone(), offsets(ends), element.finish()?, Some(nulls))?)
            }
            JsonBuilder::Map { entry, field, ends, validity } => {
                let nulls = NullBuffer::from(std::mem::take(validity));
                let entries = vec![entry.keys.finish(), entry.values.finish()?];
                let entries = StructArray::try_new(entry.fields.clone(), entries, None)?;
                Arc::new(MapArray::try_new(field.clone(), offsets(ends), entries, Some(nulls), false)?)
            }
        })
    }
}

impl MapBuilder {
    fn push(&mut self, json: &mut Jiter<'_>, changed: &mut Vec<Changed>) -> Result<(), PushError> {
        let mut key = json.next_object()?;
        while let Some(name) = key {
            self.keys.push_text(name)?;
            let peek = json.peek()?;
            self.values.push(json, peek, changed)?;
            key = json.next_key()?;
        }
        Ok(())
    }
}

fn push_value(
    builder: &mut dyn ValueBuilder,
    is_json: bool,
    json: &mut Jiter<'_>,
    peek: Peek,
    changed: &mut Vec<Changed>,
) -> Result<(), PushError> {
    let text = if peek == Peek::String && !is_json {
        json.known_str()?
    } else {
        let start = json.current_index();
        json.known_skip(peek)?;
        std::str::from_utf8(json.slice_to_current(start)).unwrap_or_default()
    };
    if let Added::Instead { of, value } = builder.push_text(text)? {
        changed.push(Changed { of, from: text.to_owned(), to: value });
    }
    Ok(())
}

/// Adds an object to the builders of its fields, which hold `length` values.
fn push_struct(
    names: &[String],
    builders: &mut [JsonBuilder],
    length: usize,
    json: &mut Jiter<'_>,
    changed: &mut Vec<Changed>,
) -> Result<(), PushError> {
    let place = |key: &str| names.iter().position(|name| is_named(name, key));
    let mut found = json.next_object()?.map(place);
    while let Some(place_found) = found {
        let peek = json.peek()?;
        match place_found {
            Some(field) if builders[field].len() > length => {
                return Err(PushError::Json(format!("key \"{}\" is there more than once", names[field])));
            }
            Some(field) => builders[field].push(json, peek, changed)?,
            None => json.known_skip(peek)?,
        }
        found = json.next_key()?.map(place);
    }
    builders.iter_mut().filter(|builder| builder.len() == length).for_each(JsonBuilder::push_null);
    Ok(())
}

/// Where the elements of a list end: a batch has fewer than fit.
fn end(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

/// Elements of the lists that have ended.
fn length(ends: &[i32]) -> usize {
    ends.last().map_or(0, |end| *end as usize)
}

fn offsets(ends: &mut Vec<i32>) -> OffsetBuffer<i32> {
    let ends = std::mem::take(ends);
    OffsetBuffer::new(std::iter::once(0).chain(ends).collect())
}
