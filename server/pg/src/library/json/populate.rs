//! Values of a type from JSON, member by member (PostgreSQL's `populate_record` and `populate_record_field`), and the
//! functions that make values of a composite type so.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray, new_empty_array};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Fields};
use datafusion_common::ScalarValue;

use super::access::{ElementSpans, Pairs, plain_text};
use super::lexer::{kind, unescape};
use super::sets::text_argument;
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{ArgumentShape, Call, Function, SetCall, SetColumns, SetFunction, SetRows, function};
use crate::session::SessionValues;
use crate::sqlstate::SqlState;
use crate::types::*;
use crate::user_types::is_composite;

/// Rows that are made at a time.
const CHUNK_ROWS: usize = 1024;

/// The functions that make one value.
pub(super) static FUNCTIONS: &[Function] = &[
    function("json_populate_record", &[ANYELEMENT, JSON], ANYELEMENT, populate_records).stable(),
    function("jsonb_populate_record", &[ANYELEMENT, JSONB], ANYELEMENT, populate_records).stable(),
];

/// Those that make a row of each element.
pub(super) static SETS: &[SetFunction] = &[
    SetFunction {
        name: "json_populate_recordset",
        arguments: &[ANYELEMENT, JSON],
        variadic: false,
        columns: composite_columns,
        rows: |call| populate_set(&call, "json_populate_recordset"),
    },
    SetFunction {
        name: "jsonb_populate_recordset",
        arguments: &[ANYELEMENT, JSONB],
        variadic: false,
        columns: composite_columns,
        rows: |call| populate_set(&call, "jsonb_populate_recordset"),
    },
];

/// The columns of the composite type that the first argument has.
fn composite_columns(arguments: &[ArgumentShape<'_>]) -> Result<SetColumns> {
    let base = arguments.first().ok_or_else(|| PgError::internal("a record is made of something"))?;
    let fields = composite_fields(base.ty, "json_populate_recordset")?;
    Ok(fields.iter().map(|field| (field.name().clone(), Type::of_field(field))).collect())
}

fn composite_fields<'t>(ty: &'t Type, function: &str) -> Result<&'t Fields> {
    match &ty.arrow {
        DataType::Struct(fields) if is_composite(ty.oid) => Ok(fields),
        _ if ty.oid == RECORD => {
            let message = format!("could not determine row type for result of {function}");
            Err(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message).with_hint(
                "Provide a non-null record argument, or call the function in the FROM clause using a column definition list.",
            ))
        }
        _ => {
            let message = format!("first argument of {function} must be a row type");
            Err(PgError::new(SqlState::DATATYPE_MISMATCH, message))
        }
    }
}

fn populate_records(call: &Call) -> Result<ArrayRef> {
    let _names = call.session().enter();
    let fields = composite_fields(&call.result, "json_populate_record")?;
    let (bases, json) = (call.array(0)?, call.column::<&str>(1)?);
    let mut rows = Vec::with_capacity(call.rows());
    for row in 0..call.rows() {
        let base = base_fields(&bases, row, fields.len());
        rows.push(match (json.get(row), base) {
            (None, base) => base,
            (Some(json), base) => {
                if kind(json)? != "object" {
                    let what = if kind(json)? == "array" { "an array" } else { "a scalar" };
                    let message = format!("cannot call populate_composite on {what}");
                    return Err(PgError::invalid_parameter(message));
                }
                Some(populated(json, fields, base, call.session())?)
            }
        });
    }
    struct_of(fields, rows)
}

/// The fields of a record; none if it is NULL.
fn base_fields(bases: &ArrayRef, row: usize, width: usize) -> Option<Vec<ScalarValue>> {
    let bases = bases.as_struct_opt().filter(|bases| bases.is_valid(row) && bases.num_columns() == width)?;
    bases.columns().iter().map(|column| ScalarValue::try_from_array(column, row).ok()).collect()
}

/// The records with these fields as a column.
fn struct_of(fields: &Fields, rows: Vec<Option<Vec<ScalarValue>>>) -> Result<ArrayRef> {
    let valid: NullBuffer = rows.iter().map(Option::is_some).collect();
    let mut columns = Vec::with_capacity(fields.len());
    for (place, field) in fields.iter().enumerate() {
        let null = ScalarValue::try_from(field.data_type())?;
        let values = rows.iter().map(|row| row.as_ref().and_then(|row| row.get(place)).unwrap_or(&null).clone());
        columns.push(match rows.is_empty() {
            true => new_empty_array(field.data_type()),
            // The fields of nested values may be called otherwise.
            false => cast(&ScalarValue::iter_to_array(values)?, field.data_type())?,
        });
    }
    Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, Some(valid), rows.len())?))
}

fn populate_set(call: &SetCall, name: &'static str) -> Result<SetRows> {
    let _names = call.session.enter();
    let base_type = call.types.first().ok_or_else(|| PgError::internal("a record is made of something"))?;
    let fields = composite_fields(base_type, name)?;
    let base = match call.arguments.first() {
        Some(base) => base_fields(&base.to_array()?, 0, fields.len()),
        None => None,
    };
    let Some(json) = text_argument(call, 1) else { return Ok(Box::new(std::iter::empty())) };
    let mut rows = Vec::new();
    for element in elements(&json, name)? {
        rows.push(populated(element, fields, base.clone(), &call.session)?);
    }
    let chunks: Vec<_> = rows.chunks(CHUNK_ROWS).map(columns_of).collect();
    Ok(Box::new(chunks.into_iter()))
}

/// The objects in an array.
///
/// # Errors
/// 22023 when it is none, or something else is in it.
pub(super) fn elements<'j>(json: &'j str, name: &str) -> Result<Vec<&'j str>> {
    let what = match (kind(json)?, name.starts_with("jsonb")) {
        ("array", _) => None,
        (_, true) => Some("a non-array"),
        ("object", false) => Some("an object"),
        (_, false) => Some("a scalar"),
    };
    if let Some(what) = what {
        return Err(PgError::invalid_parameter(format!("cannot call {name} on {what}")));
    }
    let mut elements = Vec::new();
    for element in ElementSpans::new(json)? {
        let element = element?;
        if kind(element)? != "object" {
            return Err(PgError::invalid_parameter(format!("argument of {name} must be an array of objects")));
        }
        elements.push(element);
    }
    Ok(elements)
}

/// Rows as columns.
pub(super) fn columns_of(rows: &[Vec<ScalarValue>]) -> Result<Vec<ArrayRef>> {
    let width = rows.first().map_or(0, Vec::len);
    let column = |place: usize| {
        let values = rows.iter().filter_map(|row| row.get(place).cloned());
        Ok(ScalarValue::iter_to_array(values)?)
    };
    (0..width).map(column).collect()
}

/// The fields of a record, from an object; those that it does not have are those of another record.
fn populated(
    object: &str,
    fields: &Fields,
    base: Option<Vec<ScalarValue>>,
    session: &SessionValues,
) -> Result<Vec<ScalarValue>> {
    let names: Vec<_> = fields.iter().map(|field| field.name().as_str()).collect();
    let members = members(object, &names)?;
    let mut base = base.map(Vec::into_iter);
    let mut values = Vec::with_capacity(fields.len());
    for (member, field) in members.into_iter().zip(fields) {
        let kept = base.as_mut().and_then(Iterator::next);
        values.push(match (member, kept) {
            (None, Some(kept)) => kept,
            (member, _) => value(member, field.name(), &Type::of_field(field), session)?,
        });
    }
    Ok(values)
}

/// The members of these names; of equal keys the last one counts.
pub(super) fn members<'j>(object: &'j str, names: &[&str]) -> Result<Vec<Option<&'j str>>> {
    let mut members: Vec<Option<&str>> = vec![None; names.len()];
    for pair in Pairs::new(object)? {
        let (key, value) = pair?;
        let key = unescape(key)?;
        if let Some(place) = names.iter().position(|name| **name == *key) {
            members[place] = Some(value);
        }
    }
    Ok(members)
}

/// The value of a member, which is called so, as one of a type.
pub(super) fn value(member: Option<&str>, name: &str, ty: &Type, session: &SessionValues) -> Result<ScalarValue> {
    let null = || Ok(ScalarValue::try_from(&ty.arrow)?);
    let Some(json) = member else { return null() };
    let found = kind(json)?;
    if found == "null" {
        return null();
    }
    if is_composite(ty.oid) && found != "string" {
        return record(json, found, ty, session);
    }
    let element = ty.element();
    if let (Some(element), "array") = (element.as_ref(), found)
        && is_composite(element.oid)
    {
        let values = ElementSpans::new(json)?.map(|json| value(Some(json?), name, element, session));
        let values = values.collect::<Result<Vec<_>>>()?;
        return Ok(ScalarValue::List(ScalarValue::new_list(&values, &element.arrow, true)).cast_to(&ty.arrow)?);
    }
    let text = match (ty.oid, element) {
        (JSON | JSONB, _) => json.to_owned(),
        (_, Some(element)) => match found {
            "array" => array_text(json, matches!(element.oid, JSON | JSONB))?,
            "string" => plain_text(json)?.unwrap_or_default().into_owned(),
            _ => {
                return Err(PgError::new(SqlState::INVALID_TEXT_REPRESENTATION, "expected JSON array")
                    .with_hint(format!("See the value of key \"{name}\".")));
            }
        },
        _ => plain_text(json)?.unwrap_or_default().into_owned(),
    };
    let (read, value) = crate::input::value(ty, &text, session)?;
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

fn record(json: &str, found: &str, ty: &Type, session: &SessionValues) -> Result<ScalarValue> {
    let DataType::Struct(fields) = &ty.arrow else {
        return Err(PgError::internal("a composite type is carried as something else"));
    };
    if found != "object" {
        let what = if found == "array" { "an array" } else { "a scalar" };
        return Err(PgError::invalid_parameter(format!("cannot call populate_composite on {what}")));
    }
    let values = populated(json, fields, None, session)?;
    Ok(ScalarValue::try_from_array(&struct_of(fields, vec![Some(values)])?, 0)?)
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
