//! JSON made of other values: `to_json`, `json_build_object`, `json_object` and their kin.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};

use super::convert::{JsonWriter, Layout, Target, to_json};
use super::lexer;
use super::value::{capped, normalize_jsonb};
use crate::error::{PgError, Result};
use crate::function::{Call, Elements, Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;

use super::access::texts;

pub(super) static FUNCTIONS: &[Function] = &[
    function("to_json", &[ANYELEMENT], JSON, convert).stable(),
    function("to_jsonb", &[ANYELEMENT], JSONB, convert).stable(),
    function("row_to_json", &[RECORD], JSON, convert).stable(),
    function("row_to_json", &[RECORD, BOOL], JSON, convert_pretty).stable(),
    function("array_to_json", &[ANYARRAY], JSON, convert).stable(),
    function("array_to_json", &[ANYARRAY, BOOL], JSON, convert_pretty).stable(),
    function("json_build_array", &[], JSON, build_array).stable(),
    function("json_build_array", &[ANY], JSON, build_array).variadic().stable(),
    function("jsonb_build_array", &[], JSONB, build_array).stable(),
    function("jsonb_build_array", &[ANY], JSONB, build_array).variadic().stable(),
    function("json_build_object", &[], JSON, build_object).stable(),
    function("json_build_object", &[ANY], JSON, build_object).variadic().stable(),
    function("jsonb_build_object", &[], JSONB, build_object).stable(),
    function("jsonb_build_object", &[ANY], JSONB, build_object).variadic().stable(),
    function("json_object", &[TEXT_ARRAY], JSON, object_of_pairs),
    function("json_object", &[TEXT_ARRAY, TEXT_ARRAY], JSON, object_of_two),
    function("jsonb_object", &[TEXT_ARRAY], JSONB, object_of_pairs),
    function("jsonb_object", &[TEXT_ARRAY, TEXT_ARRAY], JSONB, object_of_two),
];

fn target(call: &Call) -> Target {
    if call.result.oid == JSONB { Target::Jsonb } else { Target::Json }
}

/// The column of results.
fn column(texts: impl Iterator<Item = Result<Option<String>>>) -> Result<ArrayRef> {
    Ok(Arc::new(texts.collect::<Result<StringViewArray>>()?))
}

fn convert(call: &Call) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let texts = to_json(&array, &call.types[0], target(call), call.session())?;
    column(texts.into_iter().map(Ok))
}

fn convert_pretty(call: &Call) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let writer = JsonWriter::new(array.as_ref(), &call.types[0], Target::Json, call.session())?;
    let pretty = call.column::<bool>(1)?;
    column((0..call.rows()).map(|row| {
        let Some(pretty) = pretty.get(row).filter(|_| !writer.is_null(row)) else { return Ok(None) };
        let mut text = String::new();
        let layout = if pretty { Layout::Lines } else { Layout::Compact };
        writer.write_as_json(row, layout, &mut text)?;
        Ok(Some(text))
    }))
}

/// The columns of all arguments.
fn arrays(call: &Call) -> Result<Vec<ArrayRef>> {
    (0..call.width()).map(|argument| call.array(argument)).collect()
}

fn writers<'a>(call: &Call, arrays: &'a [ArrayRef]) -> Result<Vec<JsonWriter<'a>>> {
    let (target, session) = (target(call), call.session());
    arrays.iter().zip(&call.types).map(|(array, ty)| JsonWriter::new(array.as_ref(), ty, target, session)).collect()
}

fn build_array(call: &Call) -> Result<ArrayRef> {
    let arrays = arrays(call)?;
    let writers = writers(call, &arrays)?;
    column((0..call.rows()).map(|row| {
        let mut text = "[".to_owned();
        for (position, writer) in writers.iter().enumerate() {
            if position > 0 {
                text.push_str(", ");
            }
            writer.write(row, &mut text)?;
        }
        text.push(']');
        capped(text).map(Some)
    }))
}

fn build_object(call: &Call) -> Result<ArrayRef> {
    if !call.width().is_multiple_of(2) {
        let name = if call.result.oid == JSONB { "jsonb_build_object" } else { "json_build_object" };
        let error = PgError::invalid_parameter("argument list must have even number of elements");
        let hint = format!("The arguments of {name}() must consist of alternating keys and values.");
        return Err(error.with_hint(hint));
    }
    let arrays = arrays(call)?;
    let writers = writers(call, &arrays)?;
    let target = target(call);
    column((0..call.rows()).map(|row| {
        let mut object = ObjectText::new(target);
        for (position, pair) in writers.chunks_exact(2).enumerate() {
            if pair[0].is_null(row) {
                return Err(null_key(target, position * 2 + 1));
            }
            object.key(&pair[0].key(row)?);
            pair[1].write(row, &mut object.text)?;
        }
        object.finish("{", "}").map(Some)
    }))
}

fn null_key(target: Target, position: usize) -> PgError {
    match target {
        Target::Json => PgError::invalid_parameter(format!("argument {position} cannot be null"))
            .with_hint("Object keys should be text."),
        Target::Jsonb => PgError::invalid_parameter(format!("argument {position}: key must not be null")),
    }
}

/// An object as it is written.
pub(super) struct ObjectText {
    target: Target,
    pub(super) text: String,
}

impl ObjectText {
    pub(super) fn new(target: Target) -> Self {
        ObjectText { target, text: String::new() }
    }

    /// Begins the next member.
    pub(super) fn key(&mut self, key: &str) {
        if !self.text.is_empty() {
            self.text.push_str(", ");
        }
        lexer::quote(key, &mut self.text);
        self.text.push_str(" : ");
    }

    /// The object between these brackets; a `jsonb` has its own.
    pub(super) fn finish(self, open: &str, close: &str) -> Result<String> {
        match self.target {
            Target::Json => capped([open, &self.text, close].concat()),
            Target::Jsonb => capped(normalize_jsonb(&["{", &self.text, "}"].concat())?),
        }
    }
}

fn array_error(message: &str) -> PgError {
    PgError::new(SqlState::ARRAY_SUBSCRIPT_ERROR, message)
}

/// The elements of all dimensions.
pub(super) fn flatten(array: &ArrayRef) -> Result<ArrayRef> {
    let mut array = array.clone();
    while let Some(lists) = array.as_list_opt::<i32>() {
        let parts: Vec<ArrayRef> =
            (0..lists.len()).filter(|row| lists.is_valid(*row)).map(|row| lists.value(row)).collect();
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        array = match parts.as_slice() {
            [] => arrow::array::new_empty_array(&lists.value_type()),
            parts => arrow::compute::concat(parts)?,
        };
    }
    Ok(array)
}

fn object_of_pairs(call: &Call) -> Result<ArrayRef> {
    let target = target(call);
    call.map1(|pairs: Elements| -> Result<String> {
        let elements = match pairs.0.as_list_opt::<i32>() {
            None => {
                if !pairs.0.len().is_multiple_of(2) {
                    return Err(array_error("array must have even number of elements"));
                }
                pairs
            }
            Some(rows) if rows.value_type().is_nested() => return Err(array_error("wrong number of array subscripts")),
            Some(rows) => {
                if (0..rows.len()).any(|row| rows.value_length(row) != 2) {
                    return Err(array_error("array must have two columns"));
                }
                Elements(flatten(&pairs.0)?)
            }
        };
        let texts = texts(&elements)?;
        object_of(target, texts.iter().step_by(2).zip(texts.iter().skip(1).step_by(2)))
    })
}

fn object_of_two(call: &Call) -> Result<ArrayRef> {
    let target = target(call);
    call.map2(|keys: Elements, values: Elements| -> Result<String> {
        // An array without elements has no dimensions.
        let nested = keys.0.data_type().is_nested() || values.0.data_type().is_nested();
        if nested || keys.0.is_empty() != values.0.is_empty() {
            return Err(array_error("wrong number of array subscripts"));
        }
        let (keys, values) = (texts(&keys)?, texts(&values)?);
        if keys.len() != values.len() {
            return Err(array_error("mismatched array dimensions"));
        }
        object_of(target, keys.iter().zip(values.iter()))
    })
}

fn object_of<'a>(target: Target, pairs: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>) -> Result<String> {
    let mut object = ObjectText::new(target);
    for (key, value) in pairs {
        let null = || PgError::new(SqlState::NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key");
        object.key(key.ok_or_else(null)?);
        match value {
            Some(value) => lexer::quote(value, &mut object.text),
            None => object.text.push_str("null"),
        }
    }
    object.finish("{", "}")
}
