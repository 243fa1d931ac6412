//! The functions that give a row for each member of an object or element of an array.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringViewArray};

use super::access::{ElementSpans, Pairs, plain_text};
use super::lexer::{kind, unescape};
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{SetCall, SetFunction, SetRows};
use crate::types::*;

/// Rows that are made at a time.
const CHUNK_ROWS: usize = 4096;

macro_rules! sets {
    ($($name:literal($argument:ident): $columns:expr, $rows:ident;)*) => {
        &[$(SetFunction {
            name: $name,
            arguments: &[$argument],
            variadic: false,
            columns: |_| Ok($columns),
            rows: |call| $rows(&call, $name),
        }),*]
    };
}

pub(super) static SETS: &[SetFunction] = sets! {
    "json_each"(JSON): key_and_value(JSON), each;
    "json_each_text"(JSON): key_and_value(TEXT), each;
    "jsonb_each"(JSONB): key_and_value(JSONB), each;
    "jsonb_each_text"(JSONB): key_and_value(TEXT), each;
    "json_array_elements"(JSON): single("value", JSON), elements;
    "json_array_elements_text"(JSON): single("value", TEXT), elements;
    "jsonb_array_elements"(JSONB): single("value", JSONB), elements;
    "jsonb_array_elements_text"(JSONB): single("value", TEXT), elements;
    "json_object_keys"(JSON): single("json_object_keys", TEXT), keys;
    "jsonb_object_keys"(JSONB): single("jsonb_object_keys", TEXT), keys;
};

fn key_and_value(value: u32) -> Vec<(String, Type)> {
    vec![("key".to_owned(), Type::of(TEXT)), ("value".to_owned(), Type::of(value))]
}

pub(super) fn single(name: &str, ty: u32) -> Vec<(String, Type)> {
    vec![(name.to_owned(), Type::of(ty))]
}

/// A row of texts, NULL where there is none.
type Row = Vec<Option<String>>;

/// The rows, a chunk at a time.
pub(super) fn chunks(width: usize, rows: impl Iterator<Item = Result<Row>> + Send + 'static) -> SetRows {
    let mut rows = rows.peekable();
    Box::new(std::iter::from_fn(move || {
        rows.peek()?;
        let chunk: Result<Vec<Row>> = rows.by_ref().take(CHUNK_ROWS).collect();
        Some(chunk.map(|chunk| {
            let column = |position: usize| chunk.iter().map(move |row| row.get(position).cloned().flatten());
            (0..width).map(|position| Arc::new(column(position).collect::<StringViewArray>()) as ArrayRef).collect()
        }))
    }))
}

/// A text argument; nothing if it is NULL, of which these functions make no rows.
pub(super) fn text_argument(call: &SetCall, position: usize) -> Option<String> {
    call.arguments.get(position)?.try_as_str().flatten().map(str::to_owned)
}

fn is_text(name: &str) -> bool {
    name.ends_with("_text")
}

fn each(call: &SetCall, name: &'static str) -> Result<SetRows> {
    let Some(json) = text_argument(call, 0) else { return Ok(chunks(2, std::iter::empty())) };
    let kind = kind(&json)?;
    if kind != "object" {
        return Err(PgError::invalid_parameter(match (name.starts_with("jsonb"), kind) {
            (true, _) => format!("cannot call {name} on a non-object"),
            (false, "array") => "cannot deconstruct an array as an object".to_owned(),
            (false, _) => "cannot deconstruct a scalar".to_owned(),
        }));
    }
    let mut rows = Vec::new();
    for pair in Pairs::new(&json)? {
        let (key, value) = pair?;
        rows.push(Ok(vec![Some(unescape(key)?.into_owned()), shown(value, is_text(name))?]));
    }
    Ok(chunks(2, rows.into_iter()))
}

/// A value as JSON, or as plain text.
fn shown(value: &str, plain: bool) -> Result<Option<String>> {
    match plain {
        true => Ok(plain_text(value)?.map(Cow::into_owned)),
        false => Ok(Some(value.to_owned())),
    }
}

fn elements(call: &SetCall, name: &'static str) -> Result<SetRows> {
    let Some(json) = text_argument(call, 0) else { return Ok(chunks(1, std::iter::empty())) };
    let kind = kind(&json)?;
    if kind != "array" {
        return Err(PgError::invalid_parameter(match (name.starts_with("jsonb"), kind) {
            (true, "object") => "cannot extract elements from an object".to_owned(),
            (true, _) => "cannot extract elements from a scalar".to_owned(),
            (false, "object") => format!("cannot call {name} on a non-array"),
            (false, _) => format!("cannot call {name} on a scalar"),
        }));
    }
    let mut rows = Vec::new();
    for element in ElementSpans::new(&json)? {
        rows.push(Ok(vec![shown(element?, is_text(name))?]));
    }
    Ok(chunks(1, rows.into_iter()))
}

fn keys(call: &SetCall, name: &'static str) -> Result<SetRows> {
    let Some(json) = text_argument(call, 0) else { return Ok(chunks(1, std::iter::empty())) };
    let what = match kind(&json)? {
        "object" => None,
        "array" => Some("an array"),
        _ => Some("a scalar"),
    };
    if let Some(what) = what {
        return Err(PgError::invalid_parameter(format!("cannot call {name} on {what}")));
    }
    let mut rows = Vec::new();
    for pair in Pairs::new(&json)? {
        rows.push(Ok(vec![Some(unescape(pair?.0)?.into_owned())]));
    }
    Ok(chunks(1, rows.into_iter()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::array::{Array, AsArray};
    use datafusion_common::ScalarValue;

    use super::*;
    use crate::library;

    fn check(name: &str, ty: u32, json: &str, expected: &[&[Option<&str>]]) {
        let function = library::set_functions(name)[0];
        let columns = (function.columns)(&[]).unwrap().into_iter().map(|column| column.1).collect();
        let arguments = vec![ScalarValue::Utf8View(Some(json.to_owned()))];
        let call = SetCall { arguments, types: vec![Type::of(ty)], columns, session: Default::default() };
        let mut rows: Vec<Vec<Option<String>>> = Vec::new();
        for chunk in (function.rows)(call).unwrap() {
            let chunk = chunk.unwrap();
            for row in 0..chunk[0].len() {
                let text = |column: &ArrayRef| {
                    let column = column.as_string_view();
                    column.is_valid(row).then(|| column.value(row).to_owned())
                };
                rows.push(chunk.iter().map(text).collect());
            }
        }
        let expected: Vec<Vec<Option<String>>> =
            expected.iter().map(|row| row.iter().map(|it| it.map(str::to_owned)).collect()).collect();
        assert_eq!(rows, expected, "{name} {json}");
    }

    #[test]
    fn members_and_elements_become_rows() {
        let json = r#"{"a": [1, 2] ,"a":"x\n", "b":null}"#;
        let rows: &[&[_]] = &[&[Some("a"), Some("[1, 2]")], &[Some("a"), Some("\"x\\n\"")], &[Some("b"), Some("null")]];
        check("json_each", JSON, json, rows);
        let rows: &[&[_]] = &[&[Some("a"), Some("[1, 2]")], &[Some("a"), Some("x\n")], &[Some("b"), None]];
        check("json_each_text", JSON, json, rows);
        check("json_object_keys", JSON, json, &[&[Some("a")], &[Some("a")], &[Some("b")]]);
        let rows: &[&[_]] = &[&[Some("1")], &[None], &[Some("x")], &[Some("[1, 2]")]];
        check("jsonb_array_elements_text", JSONB, r#"[1, null, "x", [1, 2]]"#, rows);
        check("jsonb_array_elements", JSONB, "[]", &[]);
    }
}
