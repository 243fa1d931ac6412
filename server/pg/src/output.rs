//! Values of Arrow columns as PostgreSQL 15 prints them with default settings.
//!
//! [`text_writer`] looks at the type of a column once and gives back a function that appends the text of one row, so
//! that printing a row does not ask again. Whether a value is NULL is for the caller to see: see
//! [`Array::logical_nulls`].
//!
//! Decisions where PostgreSQL has no answer: nanoseconds are cut to microseconds; a duration is an interval of whole days
//! and the rest, as a difference of timestamps is; a map is a JSON object.

mod containers;
mod float;

use arrow::array::{Array, AsArray};
use arrow::datatypes::*;
use bytes::{BufMut, BytesMut};

use crate::column_readers::*;
use crate::datetime::{self, ZoneSuffix};
use crate::numeric;
use crate::sqlstate::SqlState;
use crate::types;

pub use float::{write_f32, write_f64};

/// Appends the text of the value in a row, which must not be NULL.
pub type TextWriter<'a> = Box<dyn Fn(usize, &mut BytesMut) -> Result<(), OutputError> + 'a>;

/// Bytes of a `uuid`.
const UUID_BYTES: usize = 16;
/// Digits in hexadecimal.
const HEX: &[u8; 16] = b"0123456789abcdef";

/// Why a value cannot be printed.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// A timestamp is beyond what PostgreSQL or 64 bits of microseconds hold.
    #[error("timestamp out of range")]
    TimestampOutOfRange,
    /// A date is beyond 32 bits of days.
    #[error("date out of range")]
    DateOutOfRange,
    /// An interval is beyond 64 bits of microseconds.
    #[error("interval out of range")]
    IntervalOutOfRange,
    /// The Arrow type has no counterpart.
    #[error("values of Arrow type {data_type} are not supported")]
    NoTextFormat {
        /// The Arrow type.
        data_type: String,
    },
}

impl OutputError {
    /// The code for the client.
    pub fn sqlstate(&self) -> SqlState {
        match self {
            OutputError::TimestampOutOfRange | OutputError::DateOutOfRange => SqlState::DATETIME_FIELD_OVERFLOW,
            OutputError::IntervalOutOfRange => SqlState::INTERVAL_FIELD_OVERFLOW,
            OutputError::NoTextFormat { .. } => SqlState::FEATURE_NOT_SUPPORTED,
        }
    }
}

/// The function that prints the values of a column, which [`types::describe`] has described with this type.
pub fn text_writer<'a>(array: &'a dyn Array, oid: u32, typmod: i32) -> Result<TextWriter<'a>, OutputError> {
    use DataType::*;
    Ok(match array.data_type() {
        // Every value is NULL, so there is nothing to print.
        Null => Box::new(|_, _| Ok(())),
        Boolean => {
            let values = array.as_boolean();
            plain(move |row, out| out.put_u8(if values.value(row) { b't' } else { b'f' }))
        }
        it if it.is_integer() => integer_writer(array),
        Float16 | Float32 | Float64 => float_writer(array),
        Decimal32(_, _) | Decimal64(_, _) | Decimal128(_, _) | Decimal256(_, _) => decimal_writer(array, oid, typmod),
        Utf8 | LargeUtf8 | Utf8View => string_writer(array, oid, typmod),
        Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => bytes_writer(array, oid),
        Date32 | Date64 | Time32(_) | Time64(_) | Timestamp(_, _) => datetime_writer(array, oid),
        Interval(_) | Duration(_) => {
            let value = interval_reader(array);
            Box::new(move |row, out| {
                let (months, days, time_us) = value(row).ok_or(OutputError::IntervalOutOfRange)?;
                datetime::write_interval(months, days, time_us, out);
                Ok(())
            })
        }
        Dictionary(_, _) => {
            let (keys, values) = dictionary_parts(array);
            let write = text_writer(values, oid, typmod)?;
            Box::new(move |row, out| write(keys[row], out))
        }
        RunEndEncoded(_, _) => {
            let (position, values) = run_parts(array);
            let write = text_writer(values, oid, typmod)?;
            Box::new(move |row, out| write(position(row), out))
        }
        List(_) | LargeList(_) | ListView(_) | LargeListView(_) | FixedSizeList(_, _) => {
            containers::array_writer(array, oid)?
        }
        Struct(_) => containers::record_writer(array.as_struct())?,
        Map(_, _) => containers::map_writer(array.as_map())?,
        other => return Err(OutputError::NoTextFormat { data_type: other.to_string() }),
    })
}

fn plain<'a>(write: impl Fn(usize, &mut BytesMut) + 'a) -> TextWriter<'a> {
    Box::new(move |row, out| {
        write(row, out);
        Ok(())
    })
}

fn integer_writer(array: &dyn Array) -> TextWriter<'_> {
    macro_rules! writer {
        ($type:ty) => {{
            let values = array.as_primitive::<$type>();
            plain(move |row, out| write_integer(i64::from(values.value(row)), out))
        }};
    }
    match array.data_type() {
        DataType::Int8 => writer!(Int8Type),
        DataType::Int16 => writer!(Int16Type),
        DataType::Int32 => writer!(Int32Type),
        DataType::Int64 => writer!(Int64Type),
        DataType::UInt8 => writer!(UInt8Type),
        DataType::UInt16 => writer!(UInt16Type),
        DataType::UInt32 => writer!(UInt32Type),
        _ => {
            let values = array.as_primitive::<UInt64Type>();
            plain(move |row, out| write_unsigned(values.value(row), out))
        }
    }
}

fn float_writer(array: &dyn Array) -> TextWriter<'_> {
    match array.data_type() {
        DataType::Float16 => {
            let values = array.as_primitive::<Float16Type>();
            plain(move |row, out| write_f32(values.value(row).to_f32(), out))
        }
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>();
            plain(move |row, out| write_f32(values.value(row), out))
        }
        _ => {
            let values = array.as_primitive::<Float64Type>();
            plain(move |row, out| write_f64(values.value(row), out))
        }
    }
}

/// A column declared `numeric` without precision has room for eighteen digits after the point but does not mean them:
/// zeros at the end are not printed.
fn decimal_writer(array: &dyn Array, oid: u32, typmod: i32) -> TextWriter<'_> {
    let trim = oid == types::NUMERIC && typmod < 0;
    let decimal = decimal_reader(array);
    plain(move |row, out| {
        decimal(row, &mut |negative, digits, scale| {
            let (digits, scale) = if trim { trim_zeros(digits, scale) } else { (digits, scale) };
            numeric::write_text(negative, digits, scale, out);
        });
    })
}

/// Digits and scale without the zeros at the end of the fraction.
pub fn trim_zeros(digits: &[u8], scale: i8) -> (&[u8], i8) {
    let zeros = digits.iter().rev().take_while(|digit| **digit == b'0').count();
    if digits == b"0" {
        return (digits, scale.min(0));
    }
    let cut = zeros.min(usize::from(scale.max(0).unsigned_abs()));
    (&digits[..digits.len() - cut], scale - cut as i8)
}

fn string_writer(array: &dyn Array, oid: u32, typmod: i32) -> TextWriter<'_> {
    let string = string_reader(array);
    match types::length_of(typmod).filter(|_| oid == types::BPCHAR) {
        Some(length) => plain(move |row, out| write_padded(string(row), length, out)),
        None => plain(move |row, out| out.put_slice(string(row).as_bytes())),
    }
}

/// Appends a `character(n)`, which is stored without its padding.
pub fn write_padded(text: &str, length: usize, out: &mut BytesMut) {
    out.put_slice(text.as_bytes());
    out.put_bytes(b' ', length.saturating_sub(text.chars().count()));
}

fn bytes_writer(array: &dyn Array, oid: u32) -> TextWriter<'_> {
    let bytes = bytes_reader(array);
    if oid == types::UUID {
        return plain(move |row, out| write_uuid(bytes(row), out));
    }
    plain(move |row, out| {
        out.put_slice(b"\\x");
        write_hex(bytes(row), out);
    })
}

fn write_hex(bytes: &[u8], out: &mut BytesMut) {
    out.reserve(bytes.len() * 2);
    for byte in bytes {
        out.put_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

fn write_uuid(bytes: &[u8], out: &mut BytesMut) {
    if bytes.len() != UUID_BYTES {
        return write_hex(bytes, out);
    }
    for (position, part) in [&bytes[..4], &bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..]].iter().enumerate() {
        if position > 0 {
            out.put_u8(b'-');
        }
        write_hex(part, out);
    }
}

fn datetime_writer(array: &dyn Array, oid: u32) -> TextWriter<'_> {
    match array.data_type() {
        DataType::Date32 | DataType::Date64 => {
            let day = date_reader(array);
            Box::new(move |row, out| {
                datetime::write_date(day(row).ok_or(OutputError::DateOutOfRange)?, out);
                Ok(())
            })
        }
        DataType::Time32(_) | DataType::Time64(_) => {
            let time = time_reader(array);
            plain(move |row, out| datetime::write_time(time(row), out))
        }
        _ => {
            let suffix = if oid == types::TIMESTAMPTZ { ZoneSuffix::Utc } else { ZoneSuffix::None };
            let timestamp = timestamp_reader(array);
            Box::new(move |row, out| {
                datetime::write_timestamp(timestamp(row).ok_or(OutputError::TimestampOutOfRange)?, suffix, out);
                Ok(())
            })
        }
    }
}

/// Appends an integer.
pub fn write_integer(value: i64, out: &mut BytesMut) {
    if value < 0 {
        out.put_u8(b'-');
    }
    write_unsigned(value.unsigned_abs(), out);
}

fn write_unsigned(mut value: u64, out: &mut BytesMut) {
    let mut digits = [0u8; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.put_slice(&digits[start..]);
}
