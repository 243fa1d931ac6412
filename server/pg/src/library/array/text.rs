//! Arrays to strings and strings to arrays, with a delimiter.

use arrow::array::{Array, ArrayRef};
use bytes::{BufMut, BytesMut};

use super::leaves::Leaves;
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{Call, Function, function};
use crate::output;
use crate::sqlstate::SqlState;
use crate::types::*;

/// Bytes of a string that a function makes.
const STRING_BYTES_MAX: usize = 64 << 20;

/// The functions.
pub static TEXTS: &[Function] = &[
    function("array_to_string", &[ANYARRAY, TEXT], TEXT, array_to_string).stable(),
    function("array_to_string", &[ANYARRAY, TEXT, TEXT], TEXT, array_to_string).stable(),
    function("string_to_array", &[TEXT, TEXT], TEXT_ARRAY, |call| call.map2(|text: &str, it| split(text, it, None))),
    function("string_to_array", &[TEXT, TEXT, TEXT], TEXT_ARRAY, |call| call.map3(split)),
    // Redshift's name; the delimiter is a comma when it is left out.
    function("split_to_array", &[TEXT], TEXT_ARRAY, |call| call.map1(|text: &str| split(text, Some(","), None))),
    function("split_to_array", &[TEXT, TEXT], TEXT_ARRAY, |call| {
        call.map2(|text: &str, delimiter: &str| split(text, Some(delimiter), None))
    }),
];

/// Elements that are NULL are left out unless there is a string for them.
fn array_to_string(call: &Call) -> Result<ArrayRef> {
    let leaves = Leaves::new(&call.array(0)?)?;
    let element = call.types.first().and_then(Type::element);
    let element = element.ok_or_else(|| PgError::internal("only an array has elements"))?;
    let nulls = leaves.values.logical_nulls();
    let write = output::text_writer_in(&leaves.values, element.oid, element.typmod, call.session())?;
    let delimiters = call.column::<&str>(1)?;
    let null_strings = if call.width() > 2 { Some(call.column::<&str>(2)?) } else { None };
    let mut row = 0..call.rows();
    let mut out = BytesMut::new();
    call.map0(|| -> Result<Option<String>> {
        let Some(row) = row.next().filter(|row| !leaves.is_null(*row)) else { return Ok(None) };
        let Some(delimiter) = delimiters.get(row) else { return Ok(None) };
        let null_string = null_strings.as_ref().and_then(|strings| strings.get(row));
        out.clear();
        let mut first = true;
        for position in leaves.range(row) {
            let is_null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(position));
            if is_null && null_string.is_none() {
                continue;
            }
            if !std::mem::take(&mut first) {
                out.put_slice(delimiter.as_bytes());
            }
            match null_string.filter(|_| is_null) {
                Some(string) => out.put_slice(string.as_bytes()),
                None => write(position, &mut out)?,
            }
            if out.len() > STRING_BYTES_MAX {
                return Err(PgError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "requested length too large"));
            }
        }
        Ok(Some(String::from_utf8_lossy(&out).into_owned()))
    })
}

/// Between delimiters; without one, the characters. An empty string has no parts.
fn split<'a>(text: &'a str, delimiter: Option<&str>, null_string: Option<&str>) -> Vec<Option<&'a str>> {
    let part = |part: &'a str| Some(part).filter(|part| null_string != Some(*part));
    match delimiter {
        _ if text.is_empty() => Vec::new(),
        Some("") => vec![part(text)],
        Some(delimiter) => text.split(delimiter).map(part).collect(),
        None => text.char_indices().map(|(start, it)| part(&text[start..start + it.len_utf8()])).collect(),
    }
}
