//! What writes the cells of a column, chosen once per batch by its type: a loop over the values themselves where they are
//! short, else one that calls the type's general output function.

use std::ops::Range;

use arrow::array::{Array, AsArray, StringViewArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::*;
use pg::SessionValues;
use pg::encoding::Encoding;
use pg::output::short::Short;
use pg::output::{self, is_unconstrained};
use pg::styles::DateFormat;
use pg::types::{self, TypeDescription};

use super::binary::{binary_writer, date_since_2000, has_text_format, timestamp_since_2000};
use super::cells::Cells;
use super::{EncodeError, Format};
use crate::wire::encoding::in_encoding;

/// Adds the cells of rows, from the first on; answers how many there is room for.
pub(super) type ColumnWriter<'a> = Box<dyn Fn(Range<usize>, &mut Cells) -> Result<usize, EncodeError> + 'a>;

/// Bytes that a string view holds itself.
const INLINE_BYTES: u32 = 12;

/// The function that writes the cells of a column.
pub(super) fn column_writer<'a>(
    array: &'a dyn Array,
    described: TypeDescription,
    format: Format,
    session: &SessionValues,
) -> Result<ColumnWriter<'a>, EncodeError> {
    let quick = match format {
        Format::Text => text_column(array, described, session),
        Format::Binary => binary_column(array, described, session.client_encoding),
    };
    match quick {
        Some(writer) => Ok(writer),
        None => general_column(array, described, format, session),
    }
}

fn general_column<'a>(
    array: &'a dyn Array,
    described: TypeDescription,
    format: Format,
    session: &SessionValues,
) -> Result<ColumnWriter<'a>, EncodeError> {
    let TypeDescription { oid, typmod, .. } = described;
    let encoding = session.client_encoding;
    Ok(match format {
        Format::Text => {
            let write = output::text_writer_in(array, oid, typmod, session)?;
            column(array, move |row, cells| cells.pieces(|out| in_encoding(encoding, out, |out| Ok(write(row, out)?))))
        }
        Format::Binary => {
            let write = binary_writer(array, oid, typmod, encoding)?;
            column(array, move |row, cells| cells.pieces(|out| write(row, out)))
        }
    })
}

/// A loop over rows, made for one function.
fn column<'a>(
    array: &dyn Array,
    write: impl Fn(usize, &mut Cells) -> Result<(), EncodeError> + 'a,
) -> ColumnWriter<'a> {
    let nulls: Option<NullBuffer> = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
    Box::new(move |rows, cells| {
        let count = rows.len();
        for (done, row) in rows.enumerate() {
            if cells.is_full() {
                return Ok(done);
            }
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                cells.null();
            } else {
                write(row, cells)?;
            }
        }
        Ok(count)
    })
}

/// The same for values that are all short.
fn short_column<'a>(array: &dyn Array, value: impl Fn(usize) -> Short + 'a) -> ColumnWriter<'a> {
    column(array, move |row, cells| {
        cells.short(&value(row));
        Ok(())
    })
}

/// Values that have a short form, and those that have not.
fn mostly_short<'a>(
    array: &'a dyn Array,
    value: impl Fn(usize) -> Option<Short> + 'a,
    otherwise: impl Fn(usize, &mut Cells) -> Result<(), EncodeError> + 'a,
) -> ColumnWriter<'a> {
    column(array, move |row, cells| match value(row) {
        Some(value) => {
            cells.short(&value);
            Ok(())
        }
        None => otherwise(row, cells),
    })
}

fn text_column<'a>(
    array: &'a dyn Array,
    described: TypeDescription,
    session: &SessionValues,
) -> Option<ColumnWriter<'a>> {
    let TypeDescription { oid, typmod, .. } = described;
    let is_iso = session.styles.dates.format == DateFormat::Iso;
    let otherwise = move || {
        let write = output::text_writer_in(array, oid, typmod, session).ok()?;
        Some(move |row: usize, cells: &mut Cells| Ok(cells.pieces(|out| write(row, out))?))
    };
    Some(match (oid, array.data_type()) {
        (types::INT2, DataType::Int16) => {
            let values = array.as_primitive::<Int16Type>();
            short_column(array, |row| Short::integer(i64::from(values.value(row))))
        }
        (types::INT4, DataType::Int32) => {
            let values = array.as_primitive::<Int32Type>();
            short_column(array, |row| Short::integer(i64::from(values.value(row))))
        }
        (types::INT8, DataType::Int64) => {
            let values = array.as_primitive::<Int64Type>();
            short_column(array, |row| Short::integer(values.value(row)))
        }
        (types::NUMERIC, _) => decimal_column(array, typmod, Short::decimal, otherwise()?)?,
        (types::DATE, DataType::Date32) if is_iso => {
            let days = array.as_primitive::<Date32Type>();
            mostly_short(array, |row| Short::date(days.value(row)), otherwise()?)
        }
        (types::TIMESTAMP, DataType::Timestamp(TimeUnit::Microsecond, _)) if is_iso => {
            let timestamps = array.as_primitive::<TimestampMicrosecondType>();
            mostly_short(array, |row| Short::timestamp(timestamps.value(row)), otherwise()?)
        }
        (types::BOOL, DataType::Boolean) => {
            let values = array.as_boolean();
            short_column(array, |row| Short::of([if values.value(row) { b't' } else { b'f' }]))
        }
        _ => string_column(array, oid, typmod, session.client_encoding)?,
    })
}

fn binary_column(array: &dyn Array, described: TypeDescription, encoding: Encoding) -> Option<ColumnWriter<'_>> {
    let TypeDescription { oid, typmod, .. } = described;
    let otherwise = move || {
        let write = binary_writer(array, oid, typmod, Encoding::UTF8).ok()?;
        Some(move |row: usize, cells: &mut Cells| cells.pieces(|out| write(row, out)))
    };
    Some(match (oid, array.data_type()) {
        (types::INT2, DataType::Int16) => {
            let values = array.as_primitive::<Int16Type>();
            short_column(array, |row| Short::of(values.value(row).to_be_bytes()))
        }
        (types::INT4, DataType::Int32) => {
            let values = array.as_primitive::<Int32Type>();
            short_column(array, |row| Short::of(values.value(row).to_be_bytes()))
        }
        (types::INT8, DataType::Int64) => {
            let values = array.as_primitive::<Int64Type>();
            short_column(array, |row| Short::of(values.value(row).to_be_bytes()))
        }
        (types::FLOAT4, DataType::Float32) => {
            let values = array.as_primitive::<Float32Type>();
            short_column(array, |row| Short::of(values.value(row).to_be_bytes()))
        }
        (types::FLOAT8, DataType::Float64) => {
            let values = array.as_primitive::<Float64Type>();
            short_column(array, |row| Short::of(values.value(row).to_be_bytes()))
        }
        (types::NUMERIC, _) => decimal_column(array, typmod, Short::numeric, otherwise()?)?,
        (types::DATE, DataType::Date32) => {
            let days = array.as_primitive::<Date32Type>();
            let date = |row| Some(Short::of(date_since_2000(days.value(row))?.to_be_bytes()));
            mostly_short(array, date, otherwise()?)
        }
        (types::TIMESTAMP | types::TIMESTAMPTZ, DataType::Timestamp(TimeUnit::Microsecond, _)) => {
            let timestamps = array.as_primitive::<TimestampMicrosecondType>();
            let timestamp = |row| Some(Short::of(timestamp_since_2000(timestamps.value(row))?.to_be_bytes()));
            mostly_short(array, timestamp, otherwise()?)
        }
        (types::BOOL, DataType::Boolean) => {
            let values = array.as_boolean();
            short_column(array, |row| Short::of([u8::from(values.value(row))]))
        }
        // The version of the format comes first.
        (types::JSONB, _) => return None,
        _ => string_column(array, oid, typmod, encoding)?,
    })
}

/// Decimals that 64 bits hold, and which have the scale that they were declared with.
fn decimal_column<'a>(
    array: &'a dyn Array,
    typmod: i32,
    short: impl Fn(i64, u8) -> Option<Short> + 'a,
    otherwise: impl Fn(usize, &mut Cells) -> Result<(), EncodeError> + 'a,
) -> Option<ColumnWriter<'a>> {
    if is_unconstrained(array.data_type(), typmod) {
        return None;
    }
    match array.data_type() {
        DataType::Decimal64(_, scale) => {
            let (values, scale) = (array.as_primitive::<Decimal64Type>(), u8::try_from(*scale).ok()?);
            Some(mostly_short(array, move |row| short(values.value(row), scale), otherwise))
        }
        DataType::Decimal128(_, scale) => {
            let (values, scale) = (array.as_primitive::<Decimal128Type>(), u8::try_from(*scale).ok()?);
            let value = move |row| short(i64::try_from(values.value(row)).ok()?, scale);
            Some(mostly_short(array, value, otherwise))
        }
        _ => None,
    }
}

/// Strings, which are the same in text and in binary unless they are padded.
fn string_column(array: &dyn Array, oid: u32, typmod: i32, encoding: Encoding) -> Option<ColumnWriter<'_>> {
    if !encoding.is_plain() {
        return None;
    }
    if !has_text_format(oid) || oid == types::CHAR || (oid == types::BPCHAR && types::length_of(typmod).is_some()) {
        return None;
    }
    match array.data_type() {
        DataType::Utf8View => Some(view_column(array.as_string_view())),
        DataType::Utf8 => {
            let values = array.as_string::<i32>();
            Some(column(array, |row, cells| {
                cells.bytes(values.value(row).as_bytes());
                Ok(())
            }))
        }
        _ => None,
    }
}

fn view_column(array: &StringViewArray) -> ColumnWriter<'_> {
    let views = array.views();
    column(array, |row, cells| {
        let length = views[row] as u32;
        if length <= INLINE_BYTES {
            cells.padded(&(views[row] >> u32::BITS).to_le_bytes(), length as usize);
        } else {
            cells.bytes(array.value(row).as_bytes());
        }
        Ok(())
    })
}
