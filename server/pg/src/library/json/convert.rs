//! Values of every type as JSON (`to_json`): numbers and booleans bare, times in ISO format, `json` as it is, arrays and
//! records as what they are made of, and everything else as a string of its text.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use bytes::{BufMut, BytesMut};

use super::{lexer, number, value};
use crate::column_readers::{ListParts, list_parts};
use crate::datetime::zone::Zone;
use crate::datetime::{self, SECOND_US, ZoneSuffix};
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::output::{self, TextWriter};
use crate::session::SessionValues;
use crate::types::*;
use crate::user_types::{base_type, is_record};

/// Which of the two types values become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// `json`: as it is written.
    Json,
    /// `jsonb`: normalised.
    Jsonb,
}

/// Whether records and arrays stand on a line each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// All on one line.
    Compact,
    /// The members of the outermost array or record on lines of their own.
    Lines,
}

/// Writes the values of a column as JSON.
pub struct JsonWriter<'a> {
    nulls: Option<NullBuffer>,
    kind: Kind<'a>,
    target: Target,
}

enum Kind<'a> {
    Null,
    Bool(TextWriter<'a>),
    Number(TextWriter<'a>),
    /// A date or a timestamp, and its zone where it has one.
    Time(TextWriter<'a>),
    Zoned(Box<dyn Fn(usize) -> Option<i64> + 'a>, Zone),
    Json(TextWriter<'a>),
    Array(Box<JsonWriter<'a>>, Box<dyn Fn(usize) -> std::ops::Range<usize> + 'a>),
    Record(Vec<(String, JsonWriter<'a>)>),
    Text(TextWriter<'a>),
}

impl<'a> JsonWriter<'a> {
    /// For a column of this type.
    pub fn new(array: &'a dyn Array, ty: &Type, target: Target, session: &SessionValues) -> Result<Self> {
        // A domain's values are those of what it narrows.
        let ty = &base_type(ty);
        let text = || output::text_writer_in(array, ty.oid, ty.typmod, session);
        // JSON has times in ISO format, whatever the session's is.
        let iso = || output::text_writer(array, ty.oid, ty.typmod);
        let kind = match (ty.oid, array.data_type()) {
            (_, DataType::Null) => Kind::Null,
            (BOOL, _) => Kind::Bool(text()?),
            (INT2 | INT4 | INT8 | FLOAT4 | FLOAT8 | NUMERIC, _) => Kind::Number(text()?),
            (DATE | TIMESTAMP, _) => Kind::Time(iso()?),
            (TIMESTAMPTZ, _) => Kind::Zoned(crate::column_readers::timestamp_reader(array), session.time_zone.clone()),
            (JSON | JSONB | MAP, _) => Kind::Json(text()?),
            (_, it) if it.is_list() => {
                let ListParts { values, element, range } = list_parts(array);
                let ty = match element.data_type().is_list() {
                    true => Type { arrow: element.data_type().clone(), ..ty.clone() },
                    false => element_type_of(ty, element),
                };
                Kind::Array(Box::new(JsonWriter::new(values, &ty, target, session)?), range)
            }
            (_, DataType::Struct(fields)) if is_record(ty.oid) => {
                let columns = array.as_struct().columns().iter().zip(fields);
                let writers = columns.map(|(column, field)| {
                    let writer = JsonWriter::new(column, &Type::of_field(field), target, session)?;
                    Ok((field.name().clone(), writer))
                });
                Kind::Record(writers.collect::<Result<_>>()?)
            }
            _ => Kind::Text(text()?),
        };
        Ok(JsonWriter { nulls: array.logical_nulls(), kind, target })
    }

    /// Whether the values are arrays or records: aggregates put those on lines of their own.
    pub fn is_nested(&self) -> bool {
        matches!(self.kind, Kind::Array(..) | Kind::Record(_))
    }

    /// Whether the value in a row is NULL.
    pub fn is_null(&self, row: usize) -> bool {
        matches!(self.kind, Kind::Null) || self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Appends the value in a row; NULL is `null`.
    pub fn write(&self, row: usize, out: &mut String) -> Result<()> {
        let start = out.len();
        self.write_as_json(row, Layout::Compact, out)?;
        if self.target == Target::Jsonb && matches!(self.kind, Kind::Json(_) | Kind::Array(..) | Kind::Record(_)) {
            let normal = value::normalize_jsonb(&out[start..])?;
            out.truncate(start);
            out.push_str(&normal);
        }
        Ok(())
    }

    /// As [`JsonWriter::write`], but only numbers are normalised for `jsonb`.
    pub fn write_as_json(&self, row: usize, layout: Layout, out: &mut String) -> Result<()> {
        if self.is_null(row) {
            out.push_str("null");
            return Ok(());
        }
        let break_line = |out: &mut String| {
            out.push(',');
            if layout == Layout::Lines {
                out.push_str("\n ");
            }
        };
        match &self.kind {
            Kind::Null => out.push_str("null"),
            Kind::Bool(write) => out.push_str(if text_of(write, row)? == "t" { "true" } else { "false" }),
            Kind::Number(write) => self.write_number(&text_of(write, row)?, out)?,
            Kind::Json(write) => out.push_str(&text_of(write, row)?),
            Kind::Time(_) | Kind::Zoned(..) | Kind::Text(_) => lexer::quote(&self.text(row)?, out),
            Kind::Array(elements, range) => {
                out.push('[');
                for (position, element) in range(row).enumerate() {
                    if position > 0 {
                        break_line(out);
                    }
                    elements.write_as_json(element, Layout::Compact, out)?;
                }
                out.push(']');
            }
            Kind::Record(fields) => {
                out.push('{');
                for (position, (name, field)) in fields.iter().enumerate() {
                    if position > 0 {
                        break_line(out);
                    }
                    lexer::quote(name, out);
                    out.push(':');
                    field.write_as_json(row, Layout::Compact, out)?;
                }
                out.push('}');
            }
        }
        Ok(())
    }

    /// What JSON has no number for is a string.
    fn write_number(&self, text: &str, out: &mut String) -> Result<()> {
        let finite = text.ends_with(|last: char| last.is_ascii_digit());
        match (finite, self.target) {
            (false, _) => lexer::quote(text, out),
            (true, Target::Json) => out.push_str(text),
            (true, Target::Jsonb) => out.push_str(&number::normalize(text)?),
        }
        Ok(())
    }

    /// The value in a row, which is not NULL, as the key of an object.
    pub fn key(&self, row: usize) -> Result<String> {
        match &self.kind {
            Kind::Bool(write) => Ok(if text_of(write, row)? == "t" { "true" } else { "false" }.to_owned()),
            Kind::Json(_) | Kind::Array(..) | Kind::Record(_) => {
                Err(PgError::invalid_parameter("key value must be scalar, not array, composite, or json"))
            }
            _ => self.text(row),
        }
    }

    /// The text that a string has in it.
    fn text(&self, row: usize) -> Result<String> {
        match &self.kind {
            Kind::Time(write) => {
                let text = text_of(write, row)?;
                // A date has no blank but the one before its era.
                Ok(if text.contains(':') { text.replacen(' ', "T", 1) } else { text })
            }
            Kind::Zoned(value, zone) => {
                let value = value(row).ok_or(output::OutputError::TimestampOutOfRange)?;
                Ok(zoned_text(value, zone))
            }
            Kind::Number(write) | Kind::Text(write) => text_of(write, row),
            _ => Err(PgError::internal("a value has no text")),
        }
    }
}

/// The type of an array's elements, with what the field knows of it.
fn element_type_of(array: &Type, element: &arrow::datatypes::Field) -> Type {
    let described = Type::of_field(element);
    match array.element() {
        Some(element) if !is_record(element.oid) => Type { arrow: described.arrow, ..element },
        _ => described,
    }
}

fn text_of(write: &TextWriter<'_>, row: usize) -> Result<String> {
    let mut out = BytesMut::new();
    write(row, &mut out)?;
    String::from_utf8(out.to_vec()).map_err(|error| PgError::internal(error.to_string()))
}

/// A timestamp in a zone: `2020-01-01T00:00:00+05:30`.
fn zoned_text(timestamp_us: i64, zone: &Zone) -> String {
    let mut out = BytesMut::new();
    if matches!(timestamp_us, datetime::TIMESTAMP_INFINITY | datetime::TIMESTAMP_MINUS_INFINITY) {
        datetime::write_timestamp(timestamp_us, ZoneSuffix::None, &mut out);
        return String::from_utf8_lossy(&out).into_owned();
    }
    let offset = zone.offset_at(timestamp_us);
    let local = timestamp_us.saturating_add(i64::from(offset) * SECOND_US);
    datetime::write_timestamp(local, ZoneSuffix::None, &mut out);
    let era = out.ends_with(b" BC");
    if era {
        out.truncate(out.len() - 3);
    }
    let magnitude = offset.unsigned_abs();
    let sign = if offset < 0 { '-' } else { '+' };
    out.put_slice(format!("{sign}{:02}:{:02}", magnitude / 3600, magnitude / 60 % 60).as_bytes());
    if !magnitude.is_multiple_of(60) {
        out.put_slice(format!(":{:02}", magnitude % 60).as_bytes());
    }
    if era {
        out.put_slice(b" BC");
    }
    String::from_utf8_lossy(&out).replacen(' ', "T", 1)
}

/// Each value of a column as JSON; NULL stays NULL.
pub fn to_json(array: &ArrayRef, ty: &Type, target: Target, session: &SessionValues) -> Result<Vec<Option<String>>> {
    let writer = JsonWriter::new(array.as_ref(), ty, target, session)?;
    let rows = (0..array.len()).map(|row| {
        if writer.is_null(row) {
            return Ok(None);
        }
        let mut text = String::new();
        writer.write(row, &mut text)?;
        Ok(Some(text))
    });
    rows.collect()
}
