//! Arrays, records and maps in text. What is in them is printed as elsewhere, then quoted where the reader needs it.

use std::ops::Range;

use arrow::array::{Array, MapArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field};
use bytes::{BufMut, BytesMut};

use super::{OutputError, Style, TextWriter, styled_writer};

use crate::column_readers::{ListParts, list_parts};
use crate::error::PgError;
use crate::expression_type::Type;
use crate::library::json::convert::{JsonWriter, Target};
use crate::session::SessionValues;
use crate::types;

/// Prints the values inside a container; NULL is seen here, since the container has to print something for it.
struct ElementWriter<'a> {
    nulls: Option<NullBuffer>,
    write: TextWriter<'a>,
}

impl<'a> ElementWriter<'a> {
    fn new(values: &'a dyn Array, oid: u32, typmod: i32, style: Style<'_>) -> Result<Self, OutputError> {
        Ok(ElementWriter { nulls: values.logical_nulls(), write: styled_writer(values, oid, typmod, style)? })
    }

    fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }
}

/// The writer of a list column: `{1,NULL,"a b"}`, or `1 2` for the vectors of the system catalogs.
pub(super) fn array_writer<'a>(
    array: &'a dyn Array,
    oid: u32,
    typmod: i32,
    style: Style<'_>,
) -> Result<TextWriter<'a>, OutputError> {
    let ListParts { values, element, range } = list_parts(array);
    let nested = element.data_type().is_list();
    let described = types::describe(element);
    let element_oid = if nested { oid } else { types::element_type(oid).unwrap_or(described.oid) };
    // The modifier is the array's; an element has one of its own where its field says so.
    let declared = element.metadata().contains_key(catalog::types::METADATA_TYPMOD);
    let typmod = if declared { described.typmod } else { typmod };
    let elements = ElementWriter::new(values, element_oid, typmod, style)?;
    if matches!(oid, types::INT2VECTOR | types::OIDVECTOR) {
        return Ok(Box::new(move |row, out| write_vector(&elements, range(row), out)));
    }
    Ok(Box::new(move |row, out| {
        out.put_u8(b'{');
        for (position, row) in range(row).enumerate() {
            if position > 0 {
                out.put_u8(b',');
            }
            if elements.is_null(row) {
                out.put_slice(b"NULL");
                continue;
            }
            let start = out.len();
            (elements.write)(row, out)?;
            if !nested && array_element_needs_quotes(&out[start..]) {
                quote(start, b"\\", out);
            }
        }
        out.put_u8(b'}');
        Ok(())
    }))
}

fn write_vector(elements: &ElementWriter<'_>, range: Range<usize>, out: &mut BytesMut) -> Result<(), OutputError> {
    for (position, row) in range.enumerate() {
        if position > 0 {
            out.put_u8(b' ');
        }
        (elements.write)(row, out)?;
    }
    Ok(())
}

/// The writer of a struct column: `(1,"a b",)`, where NULL is nothing.
pub(super) fn record_writer<'a>(array: &'a StructArray, style: Style<'_>) -> Result<TextWriter<'a>, OutputError> {
    let mut columns = Vec::with_capacity(array.num_columns());
    for (column, field) in array.columns().iter().zip(array.fields()) {
        let described = types::describe(field);
        columns.push(ElementWriter::new(column, described.oid, described.typmod, style)?);
    }
    Ok(Box::new(move |row, out| {
        out.put_u8(b'(');
        for (position, column) in columns.iter().enumerate() {
            if position > 0 {
                out.put_u8(b',');
            }
            if column.is_null(row) {
                continue;
            }
            let start = out.len();
            (column.write)(row, out)?;
            if record_field_needs_quotes(&out[start..]) {
                quote(start, b"\"", out);
            }
        }
        out.put_u8(b')');
        Ok(())
    }))
}

/// The writer of a map column: a JSON object. Numbers and booleans stand bare, arrays, records and maps are what
/// `to_json` makes of them, every other value is a JSON string of its text.
pub(super) fn map_writer<'a>(array: &'a MapArray, style: Style<'_>) -> Result<TextWriter<'a>, OutputError> {
    let (key_field, value_field) = array.entries_fields();
    let keys = described_writer(array.keys(), key_field, style)?;
    let (values, style) = json_writer(array.values(), value_field, style)?;
    let offsets = array.value_offsets();
    Ok(Box::new(move |row, out| {
        out.put_u8(b'{');
        for (position, entry) in (offsets[row] as usize..offsets[row + 1] as usize).enumerate() {
            if position > 0 {
                out.put_slice(b", ");
            }
            write_json(&keys, entry, JsonStyle::String, out)?;
            out.put_slice(b": ");
            write_json(&values, entry, style, out)?;
        }
        out.put_u8(b'}');
        Ok(())
    }))
}

/// What writes a map's values, and how they stand in JSON.
fn json_writer<'a>(
    values: &'a dyn Array,
    field: &Field,
    style: Style<'_>,
) -> Result<(ElementWriter<'a>, JsonStyle), OutputError> {
    let ty = Type::of_field(field);
    if !field.data_type().is_nested() || ty.oid == types::TIMETZ {
        return Ok((described_writer(values, field, style)?, JsonStyle::of(field.data_type())));
    }
    let no_text = |error: PgError| OutputError::NoTextFormat { data_type: error.message };
    let session = SessionValues { time_zone: style.zone.clone(), styles: style.styles, ..SessionValues::default() };
    let writer = JsonWriter::new(values, &ty, Target::Json, &session).map_err(no_text)?;
    let write: TextWriter<'a> = Box::new(move |row, out| {
        let mut text = String::new();
        writer.write(row, &mut text).map_err(no_text)?;
        out.put_slice(text.as_bytes());
        Ok(())
    });
    Ok((ElementWriter { nulls: values.logical_nulls(), write }, JsonStyle::Json))
}

fn described_writer<'a>(
    values: &'a dyn Array,
    field: &Field,
    style: Style<'_>,
) -> Result<ElementWriter<'a>, OutputError> {
    let described = types::describe(field);
    ElementWriter::new(values, described.oid, described.typmod, style)
}

/// How a value stands in JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
enum JsonStyle {
    Number,
    Boolean,
    Json,
    String,
}

impl JsonStyle {
    fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean => JsonStyle::Boolean,
            it if it.is_integer() || it.is_floating() || it.is_decimal() => JsonStyle::Number,
            _ => JsonStyle::String,
        }
    }
}

fn write_json(values: &ElementWriter<'_>, row: usize, style: JsonStyle, out: &mut BytesMut) -> Result<(), OutputError> {
    if values.is_null(row) {
        out.put_slice(b"null");
        return Ok(());
    }
    let start = out.len();
    (values.write)(row, out)?;
    match style {
        // JSON has no NaN and no infinities, whose texts end in a letter.
        JsonStyle::Number if out.last().is_some_and(u8::is_ascii_digit) => {}
        JsonStyle::Json => {}
        JsonStyle::Boolean => {
            let value = out[start] == b't';
            out.truncate(start);
            out.put_slice(if value { b"true" } else { b"false" });
        }
        _ => quote_json(start, out),
    }
    Ok(())
}

fn array_element_needs_quotes(text: &[u8]) -> bool {
    text.is_empty()
        || text.eq_ignore_ascii_case(b"NULL")
        || text.iter().any(|b| matches!(b, b'"' | b'\\' | b'{' | b'}' | b',') || is_space(*b))
}

fn record_field_needs_quotes(text: &[u8]) -> bool {
    text.is_empty() || text.iter().any(|b| matches!(b, b'"' | b'\\' | b'(' | b')' | b',') || is_space(*b))
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Puts what follows `start` into quotes. A quote in it is preceded by `escape`, a backslash by a backslash.
fn quote(start: usize, escape: &[u8], out: &mut BytesMut) {
    let text = out[start..].to_vec();
    out.truncate(start);
    out.put_u8(b'"');
    for byte in text {
        match byte {
            b'"' => out.put_slice(escape),
            b'\\' => out.put_u8(b'\\'),
            _ => {}
        }
        out.put_u8(byte);
    }
    out.put_u8(b'"');
}

fn quote_json(start: usize, out: &mut BytesMut) {
    let text = out[start..].to_vec();
    out.truncate(start);
    out.put_u8(b'"');
    for byte in text {
        match byte {
            b'"' | b'\\' => out.put_slice(&[b'\\', byte]),
            b'\n' => out.put_slice(b"\\n"),
            b'\r' => out.put_slice(b"\\r"),
            b'\t' => out.put_slice(b"\\t"),
            0..=0x1f => out.put_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.put_u8(byte),
        }
    }
    out.put_u8(b'"');
}
