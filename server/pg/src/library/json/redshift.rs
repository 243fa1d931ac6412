//! Redshift's functions for JSON in text.
//!
//! The ones that PostgreSQL has for `json` too mean the same here for a text that is JSON: a missing path is NULL. So a
//! literal of unknown type, which is resolved as text, gets PostgreSQL's answer.

use std::borrow::Cow;

use arrow::array::ArrayRef;

use super::access::{self, element_at, follow, plain_text};
use super::lexer::{check_json, kind};
use super::print::compact;
use crate::error::Result;
use crate::function::{Call, Function, function};
use crate::types::*;

pub(super) static FUNCTIONS: &[Function] = &[
    function("json_parse", &[TEXT], JSON, parse),
    function("json_serialize", &[JSON], TEXT, serialize),
    function("can_json_parse", &[TEXT], BOOL, can_parse),
    function("is_valid_json", &[TEXT], BOOL, is_object),
    function("is_valid_json_array", &[TEXT], BOOL, is_array),
    function("json_array_length", &[TEXT], INT4, array_length),
    function("json_array_length", &[TEXT, BOOL], INT4, array_length),
    function("json_extract_array_element_text", &[TEXT, INT4], TEXT, element_text),
    function("json_extract_array_element_text", &[TEXT, INT4, BOOL], TEXT, element_text),
    function("json_extract_path_text", &[TEXT, TEXT], TEXT, path_text).variadic(),
    function("json_extract_path_text", &[TEXT, TEXT, BOOL], TEXT, path_text_or_null),
    function("json_extract_path_text", &[TEXT, TEXT, TEXT, BOOL], TEXT, path_text_or_null),
    function("json_extract_path_text", &[TEXT, TEXT, TEXT, TEXT, BOOL], TEXT, path_text_or_null),
    function("json_extract_path_text", &[TEXT, TEXT, TEXT, TEXT, TEXT, BOOL], TEXT, path_text_or_null),
    function("json_extract_path_text", &[TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, BOOL], TEXT, path_text_or_null),
];

fn parse(call: &Call) -> Result<ArrayRef> {
    call.map1(|text: &str| check_json(text).map(|()| text.to_owned()))
}

fn serialize(call: &Call) -> Result<ArrayRef> {
    call.map1(|text: &str| compact(text))
}

fn can_parse(call: &Call) -> Result<ArrayRef> {
    call.map1(|text: &str| check_json(text).is_ok())
}

fn is_kind(text: &str, wanted: &str) -> bool {
    check_json(text).is_ok() && kind(text).is_ok_and(|found| found == wanted)
}

fn is_object(call: &Call) -> Result<ArrayRef> {
    call.map1(|text: &str| is_kind(text, "object"))
}

fn is_array(call: &Call) -> Result<ArrayRef> {
    call.map1(|text: &str| is_kind(text, "array"))
}

/// Whether the last argument asks for NULL in place of an error.
fn null_if_invalid(call: &Call, row: usize, argument: usize) -> Result<bool> {
    if argument >= call.width() {
        return Ok(false);
    }
    Ok(call.column::<bool>(argument)?.get(row).unwrap_or(false))
}

fn array_length(call: &Call) -> Result<ArrayRef> {
    let mut next = 0;
    call.map1(|text: Option<&str>| -> Result<Option<i32>> {
        let row = next;
        next += 1;
        let Some(text) = text else { return Ok(None) };
        let length = check_json(text).and_then(|()| access::length(text));
        if length.is_err() && null_if_invalid(call, row, 1)? {
            return Ok(None);
        }
        length.map(Some)
    })
}

fn element_text(call: &Call) -> Result<ArrayRef> {
    let mut next = 0;
    call.map2(|text: Option<&str>, position: Option<i32>| -> Result<Option<String>> {
        let row = next;
        next += 1;
        let (Some(text), Some(position)) = (text, position) else { return Ok(None) };
        if let Err(error) = check_json(text) {
            return if null_if_invalid(call, row, 2)? { Ok(None) } else { Err(error) };
        }
        // Unlike PostgreSQL's operator, a negative position does not count from the end.
        let element = if position < 0 { None } else { element_at(text, i64::from(position))? };
        let Some(element) = element else { return Ok(None) };
        Ok(plain_text(element)?.map(Cow::into_owned))
    })
}

fn path_text(call: &Call) -> Result<ArrayRef> {
    let steps = call.width();
    with_steps(call, steps)
}

fn path_text_or_null(call: &Call) -> Result<ArrayRef> {
    let steps = call.width().saturating_sub(1);
    with_steps(call, steps)
}

/// The arguments up to this number are the steps of the path; one after them says what happens to an invalid text.
fn with_steps(call: &Call, end: usize) -> Result<ArrayRef> {
    let steps: Vec<_> = (1..end).map(|argument| call.column::<&str>(argument)).collect::<Result<_>>()?;
    let mut next = 0;
    call.map1(|text: Option<&str>| -> Result<Option<String>> {
        let row = next;
        next += 1;
        let known: Option<Vec<&str>> = steps.iter().map(|step| step.get(row)).collect();
        let (Some(text), Some(steps)) = (text, known) else { return Ok(None) };
        if let Err(error) = check_json(text) {
            return if null_if_invalid(call, row, end)? { Ok(None) } else { Err(error) };
        }
        let Some(value) = follow(text, &steps)? else { return Ok(None) };
        Ok(plain_text(value)?.map(Cow::into_owned))
    })
}
