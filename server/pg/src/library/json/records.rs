//! Rows with the columns of a column definition list: `json_to_record(…) AS x(a integer, b text)`.
//!
//! Analysis calls these functions with the names of the columns as a second argument and gives them the columns' types. A
//! value is what the type's input function makes of it, as in PostgreSQL's `populate_record_field`.

use datafusion_common::ScalarValue;

use super::access::{ElementSpans, Pairs, plain_text};
use super::lexer::{kind, unescape};
use super::sets::text_argument;
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{ArgumentShape, SetCall, SetColumns, SetFunction, SetRows};
use crate::sqlstate::SqlState;
use crate::types::*;

/// Rows that are made at a time.
const CHUNK_ROWS: usize = 1024;

macro_rules! records {
    ($($name:literal($argument:ident): $rows:ident;)*) => {
        &[$(SetFunction {
            name: $name,
            arguments: &[$argument, TEXT_ARRAY],
            variadic: false,
            columns: no_definitions,
            rows: |call| $rows(call, $name),
        }),*]
    };
}

pub(super) static RECORDS: &[SetFunction] = records! {
    "json_to_record"(JSON): record;
    "jsonb_to_record"(JSONB): record;
    "json_to_recordset"(JSON): records;
    "jsonb_to_recordset"(JSONB): records;
};

fn no_definitions(_arguments: &[ArgumentShape<'_>]) -> Result<SetColumns> {
    let message = "a column definition list is required for functions returning \"record\"";
    Err(PgError::new(SqlState::SYNTAX_ERROR, message))
}

fn record(call: SetCall, _name: &'static str) -> Result<SetRows> {
    let reader = Reader::new(&call)?;
    let row = match text_argument(&call, 0) {
        None => reader.row(None)?,
        Some(json) => match kind(&json)? {
            "object" => reader.row(Some(&json))?,
            other => {
                let what = if other == "array" { "an array" } else { "a scalar" };
                return Err(PgError::invalid_parameter(format!("cannot call populate_composite on {what}")));
            }
        },
    };
    Ok(Box::new(std::iter::once(columns_of(vec![row]))))
}

fn records(call: SetCall, name: &'static str) -> Result<SetRows> {
    let reader = Reader::new(&call)?;
    let Some(json) = text_argument(&call, 0) else { return Ok(Box::new(std::iter::empty())) };
    let what = match (kind(&json)?, name.starts_with("jsonb")) {
        ("array", _) => None,
        (_, true) => Some("a non-array"),
        ("object", false) => Some("an object"),
        (_, false) => Some("a scalar"),
    };
    if let Some(what) = what {
        return Err(PgError::invalid_parameter(format!("cannot call {name} on {what}")));
    }
    let mut chunks = Vec::new();
    let mut rows = Vec::new();
    for element in ElementSpans::new(&json)? {
        let element = element?;
        if kind(element)? != "object" {
            return Err(PgError::invalid_parameter(format!("argument of {name} must be an array of objects")));
        }
        rows.push(reader.row(Some(element))?);
        if rows.len() == CHUNK_ROWS {
            chunks.push(columns_of(std::mem::take(&mut rows)));
        }
    }
    if !rows.is_empty() {
        chunks.push(columns_of(rows));
    }
    Ok(Box::new(chunks.into_iter()))
}

/// The rows as columns.
fn columns_of(rows: Vec<Vec<ScalarValue>>) -> Result<Vec<arrow::array::ArrayRef>> {
    let width = rows.first().map_or(0, Vec::len);
    let column = |place: usize| {
        let values = rows.iter().filter_map(|row| row.get(place).cloned());
        Ok(ScalarValue::iter_to_array(values)?)
    };
    (0..width).map(column).collect()
}

/// Reads objects as rows.
struct Reader<'a> {
    call: &'a SetCall,
    names: Vec<String>,
}

impl<'a> Reader<'a> {
    fn new(call: &'a SetCall) -> Result<Self> {
        let Some(ScalarValue::List(list)) = call.arguments.get(1) else {
            return Err(PgError::internal("a record has names for its columns"));
        };
        let names = list.value(0);
        let mut texts = Vec::with_capacity(names.len());
        for place in 0..names.len() {
            let name = ScalarValue::try_from_array(&names, place)?;
            texts.push(name.try_as_str().flatten().unwrap_or_default().to_owned());
        }
        Ok(Reader { call, names: texts })
    }

    /// The values of an object's members; of equal keys the last one counts.
    fn row(&self, object: Option<&str>) -> Result<Vec<ScalarValue>> {
        let mut members: Vec<Option<&str>> = vec![None; self.names.len()];
        if let Some(object) = object {
            for pair in Pairs::new(object)? {
                let (key, value) = pair?;
                let key = unescape(key)?;
                if let Some(place) = self.names.iter().position(|name| *name == *key) {
                    members[place] = Some(value);
                }
            }
        }
        let columns = members.into_iter().zip(&self.names).zip(&self.call.columns);
        columns.map(|((member, name), ty)| self.value(member, name, ty)).collect()
    }

    fn value(&self, member: Option<&str>, name: &str, ty: &Type) -> Result<ScalarValue> {
        let null = || Ok(ScalarValue::try_from(&ty.arrow)?);
        let Some(json) = member else { return null() };
        let found = kind(json)?;
        if found == "null" {
            return null();
        }
        let text = match ty.oid {
            JSON | JSONB => json.to_owned(),
            oid if element_type(oid).is_some() => match found {
                "array" => array_text(json, matches!(element_type(oid), Some(JSON | JSONB)))?,
                "string" => plain_text(json)?.unwrap_or_default().into_owned(),
                _ => {
                    return Err(PgError::new(SqlState::INVALID_TEXT_REPRESENTATION, "expected JSON array")
                        .with_hint(format!("See the value of key \"{name}\".")));
                }
            },
            _ => plain_text(json)?.unwrap_or_default().into_owned(),
        };
        let (read, value) = crate::input::value(ty, &text, &self.call.session)?;
        if read.arrow == ty.arrow {
            return Ok(value);
        }
        if read.arrow.is_nested()
            && read.arrow.to_string().matches("List").count() != ty.arrow.to_string().matches("List").count()
        {
            return Err(PgError::not_supported("an array of several dimensions in a column of a definition list"));
        }
        value.cast_to(&ty.arrow).map_err(|_| PgError::out_of_range(&ty.name()))
    }
}

/// An array's text as the input functions of array types read it.
fn array_text(json: &str, of_json: bool) -> Result<String> {
    let mut text = String::from("{");
    for (number, element) in ElementSpans::new(json)?.enumerate() {
        let element = element?;
        if number > 0 {
            text.push(',');
        }
        match kind(element)? {
            "null" => text.push_str("NULL"),
            "array" if !of_json => text.push_str(&array_text(element, of_json)?),
            _ => {
                let plain = if of_json { element.into() } else { plain_text(element)?.unwrap_or_default() };
                text.push('"');
                for character in plain.chars() {
                    if matches!(character, '"' | '\\') {
                        text.push('\\');
                    }
                    text.push(character);
                }
                text.push('"');
            }
        }
    }
    text.push('}');
    Ok(text)
}
