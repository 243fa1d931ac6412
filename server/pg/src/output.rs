//! Values of Arrow columns as PostgreSQL 15 prints them.
//!
//! [`text_writer`] looks at the type of a column once and gives back a function that appends the text of one row, so
//! that printing a row does not ask again. Whether a value is NULL is for the caller to see: see
//! [`Array::logical_nulls`].
//!
//! Decisions where PostgreSQL has no answer: nanoseconds are cut to microseconds; a duration is an interval of whole days
//! and the rest, as a difference of timestamps is; a map is a JSON object.

mod containers;
mod float;
pub mod short;

use arrow::array::{Array, AsArray, StructArray};
use arrow::datatypes::*;
use bytes::{BufMut, BytesMut};
use catalog::types::NUMERIC_UNCONSTRAINED_SCALE;

use crate::column_readers::*;
use crate::datetime::zone::Zone;
use crate::datetime::{self, date_style, interval_style};
use crate::expression_type::Type;
use crate::library::text::quoted_identifier;
use crate::names::{self, Names, PG_CATALOG};
use crate::numeric;
use crate::recorded;
use crate::session::SessionValues;
use crate::sqlstate::SqlState;
use crate::styles::{ByteaOutput, Styles};
use crate::types;
use crate::user_types::{self, EnumLabels};

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
    /// A number that carries no label of its enum.
    #[error("invalid internal value for enum: {number}")]
    NoLabel {
        /// The number.
        number: i64,
        /// The enum.
        oid: u32,
    },
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
            OutputError::NoLabel { .. } => SqlState::INVALID_BINARY_REPRESENTATION,
            OutputError::NoTextFormat { .. } => SqlState::FEATURE_NOT_SUPPORTED,
        }
    }
}

/// What the text of a value depends on besides the value.
#[derive(Debug, Clone, Copy)]
struct Style<'s> {
    /// The zone that timestamps with time zone are printed in.
    zone: &'s Zone,
    /// How values are written.
    styles: Styles,
}

impl Style<'static> {
    const DEFAULT: Style<'static> = Style { zone: &Zone::UTC, styles: Styles::DEFAULT };
}

/// The function that prints the values of a column, which [`types::describe`] has described with this type, in UTC and with
/// default settings.
pub fn text_writer<'a>(array: &'a dyn Array, oid: u32, typmod: i32) -> Result<TextWriter<'a>, OutputError> {
    styled_writer(array, oid, typmod, Style::DEFAULT)
}

/// The function that prints the values of a column as a session sees them: in its time zone and styles.
pub fn text_writer_in<'a>(
    array: &'a dyn Array,
    oid: u32,
    typmod: i32,
    session: &SessionValues,
) -> Result<TextWriter<'a>, OutputError> {
    styled_writer(array, oid, typmod, Style { zone: &session.time_zone, styles: session.styles })
}

fn styled_writer<'a>(
    array: &'a dyn Array,
    oid: u32,
    typmod: i32,
    style: Style<'_>,
) -> Result<TextWriter<'a>, OutputError> {
    use DataType::*;
    if names::is_user_number(oid) && array.data_type() != &Null {
        let base = user_types::base_type(&Type { oid, typmod, arrow: array.data_type().clone() });
        if base.oid != oid {
            return styled_writer(array, base.oid, base.typmod, style);
        }
        if !array.data_type().is_nested() {
            return enum_writer(array, oid);
        }
    }
    Ok(match array.data_type() {
        // Every value is NULL, so there is nothing to print.
        Null => Box::new(|_, _| Ok(())),
        Boolean => {
            let values = array.as_boolean();
            plain(move |row, out| out.put_u8(if values.value(row) { b't' } else { b'f' }))
        }
        it if it.is_integer() && oid != types::OID && types::is_object_number(oid) => object_writer(array, oid),
        it if it.is_integer() => integer_writer(array),
        Float16 | Float32 | Float64 => float_writer(array, style.styles.float_digits),
        Decimal32(_, _) | Decimal64(_, _) | Decimal128(_, _) | Decimal256(_, _) => decimal_writer(array, oid, typmod),
        Utf8 | LargeUtf8 | Utf8View => string_writer(array, oid, typmod),
        Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => bytes_writer(array, oid, style.styles.bytes),
        Date32 | Date64 | Time32(_) | Time64(_) | Timestamp(_, _) => datetime_writer(array, oid, style),
        Interval(_) | Duration(_) => {
            let (value, intervals) = (interval_reader(array), style.styles.intervals);
            Box::new(move |row, out| {
                let (months, days, time_us) = value(row).ok_or(OutputError::IntervalOutOfRange)?;
                interval_style::write(months, days, time_us, intervals, out);
                Ok(())
            })
        }
        Dictionary(_, _) => {
            let (keys, values) = dictionary_parts(array);
            let write = styled_writer(values, oid, typmod, style)?;
            Box::new(move |row, out| write(keys[row], out))
        }
        RunEndEncoded(_, _) => {
            let (position, values) = run_parts(array);
            let write = styled_writer(values, oid, typmod, style)?;
            Box::new(move |row, out| write(position(row), out))
        }
        List(_) | LargeList(_) | ListView(_) | LargeListView(_) | FixedSizeList(_, _) => {
            containers::array_writer(array, oid, typmod, style)?
        }
        Struct(_) if oid == types::TIMETZ => time_with_zone_writer(array.as_struct())?,
        Struct(_) => containers::record_writer(array.as_struct(), style)?,
        Map(_, _) => containers::map_writer(array.as_map(), style)?,
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

fn float_writer(array: &dyn Array, extra_digits: i32) -> TextWriter<'_> {
    match array.data_type() {
        DataType::Float16 => {
            let values = array.as_primitive::<Float16Type>();
            plain(move |row, out| float::write_f32_with(values.value(row).to_f32(), extra_digits, out))
        }
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>();
            plain(move |row, out| float::write_f32_with(values.value(row), extra_digits, out))
        }
        _ => {
            let values = array.as_primitive::<Float64Type>();
            plain(move |row, out| float::write_f64_with(values.value(row), extra_digits, out))
        }
    }
}

fn decimal_writer(array: &dyn Array, oid: u32, typmod: i32) -> TextWriter<'_> {
    let trim = oid == types::NUMERIC && is_unconstrained(array.data_type(), typmod);
    let decimal = decimal_reader(array);
    plain(move |row, out| {
        decimal(row, &mut |negative, digits, scale| {
            let (digits, scale) = if trim { trim_zeros(digits, scale) } else { (digits, scale) };
            numeric::write_text(negative, digits, scale, out);
        });
    })
}

/// Whether values are carried as those of a column declared `numeric` without precision, or as sums or products of such.
/// They have room for eighteen digits after the point, or twice as many, but do not mean them: zeros at the end are not
/// printed. Any other decimal has the scale that its expression has.
pub fn is_unconstrained(data_type: &DataType, typmod: i32) -> bool {
    match data_type {
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => {
            typmod < 0 && *scale > 0 && scale % NUMERIC_UNCONSTRAINED_SCALE == 0
        }
        _ => false,
    }
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

fn bytes_writer(array: &dyn Array, oid: u32, style: ByteaOutput) -> TextWriter<'_> {
    let bytes = bytes_reader(array);
    if oid == types::UUID {
        return plain(move |row, out| write_uuid(bytes(row), out));
    }
    match style {
        ByteaOutput::Hex => plain(move |row, out| {
            out.put_slice(b"\\x");
            write_hex(bytes(row), out);
        }),
        ByteaOutput::Escape => plain(move |row, out| write_escaped(bytes(row), out)),
    }
}

/// Characters of ASCII as they are, other bytes in octal.
fn write_escaped(bytes: &[u8], out: &mut BytesMut) {
    for byte in bytes {
        match byte {
            b'\\' => out.put_slice(b"\\\\"),
            b' '..=b'~' => out.put_u8(*byte),
            _ => {
                let digits = [byte >> 6, byte >> 3 & 7, byte & 7];
                out.put_u8(b'\\');
                out.put_slice(&digits.map(|digit| b'0' + digit));
            }
        }
    }
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

/// A time with its zone, which are the two fields of a struct.
fn time_with_zone_writer(array: &StructArray) -> Result<TextWriter<'_>, OutputError> {
    let no_text = || OutputError::NoTextFormat { data_type: array.data_type().to_string() };
    let times = array.columns().first().and_then(|it| it.as_primitive_opt::<Time64MicrosecondType>());
    let offsets = array.columns().get(1).and_then(|it| it.as_primitive_opt::<Int32Type>());
    let (times, offsets) = (times.ok_or_else(no_text)?, offsets.ok_or_else(no_text)?);
    Ok(plain(move |row, out| datetime::write_time_with_zone(times.value(row), offsets.value(row), out)))
}

fn datetime_writer<'a>(array: &'a dyn Array, oid: u32, style: Style<'_>) -> TextWriter<'a> {
    let dates = style.styles.dates;
    match array.data_type() {
        DataType::Date32 | DataType::Date64 => {
            let day = date_reader(array);
            Box::new(move |row, out| {
                date_style::date(day(row).ok_or(OutputError::DateOutOfRange)?, dates, out);
                Ok(())
            })
        }
        DataType::Time32(_) | DataType::Time64(_) => {
            let time = time_reader(array);
            plain(move |row, out| datetime::write_time(time(row), out))
        }
        _ => {
            let zone = (oid == types::TIMESTAMPTZ).then(|| style.zone.clone());
            let timestamp = timestamp_reader(array);
            Box::new(move |row, out| {
                let timestamp_us = timestamp(row).ok_or(OutputError::TimestampOutOfRange)?;
                match &zone {
                    Some(zone) => date_style::timestamp_in(timestamp_us, zone, dates, out),
                    None => date_style::timestamp(timestamp_us, dates, out),
                }
                Ok(())
            })
        }
    }
}

/// The labels of an enum.
fn enum_writer(array: &dyn Array, oid: u32) -> Result<TextWriter<'_>, OutputError> {
    let unknown = || OutputError::NoTextFormat { data_type: format!("{} of type {oid}", array.data_type()) };
    let labels = EnumLabels::of(oid).filter(|_| array.data_type().is_integer()).ok_or_else(unknown)?.by_number();
    let number = integer_reader(array);
    Ok(Box::new(move |row, out| {
        let number = number(row).unwrap_or_default();
        let label = labels.get(&number).ok_or(OutputError::NoLabel { number, oid })?;
        out.put_slice(label.as_bytes());
        Ok(())
    }))
}

/// The names of what the numbers of a `regclass` or its kin stand for; a number that nothing has is printed as one.
fn object_writer(array: &dyn Array, oid: u32) -> TextWriter<'_> {
    let names = names::current();
    let number = integer_reader(array);
    plain(move |row, out| {
        let number = number(row).unwrap_or(0);
        let name = u32::try_from(number).ok().and_then(|number| object_name(names.as_deref(), oid, number));
        match name {
            Some(name) => out.put_slice(name.as_bytes()),
            None => write_integer(number, out),
        }
    })
}

fn object_name(names: Option<&Names>, oid: u32, number: u32) -> Option<String> {
    if matches!(oid, types::XID | types::CID) {
        return None;
    }
    if number == 0 {
        return Some("-".to_owned());
    }
    match oid {
        types::REGTYPE => Some(types::type_name(number)).filter(|name| name != "???"),
        types::REGPROC => written_function(number),
        types::REGPROCEDURE => written_signature(number),
        types::REGCLASS => names?.relation_name(number),
        types::REGNAMESPACE => names?.schema_name(number),
        types::REGROLE => names?.role_name(number),
        _ => None,
    }
}

/// The name of a function, with its schema where others are called so too (`regprocout`).
fn written_function(number: u32) -> Option<String> {
    let name = recorded::function_name(number)?;
    let is_found = recorded::functions_named(name).len() == 1;
    Some(if is_found { quoted_identifier(name) } else { format!("{PG_CATALOG}.{}", quoted_identifier(name)) })
}

/// The name of a function and the types of its arguments (`regprocedureout`).
fn written_signature(number: u32) -> Option<String> {
    let arguments: Vec<_> = recorded::function_arguments(number)?.iter().map(|ty| types::type_name(*ty)).collect();
    Some(format!("{}({})", quoted_identifier(recorded::function_name(number)?), arguments.join(",")))
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, TimestampMicrosecondArray};

    use super::*;

    #[test]
    fn timestamps_with_time_zone_are_printed_in_the_zone_of_the_session() {
        let values = TimestampMicrosecondArray::from(vec![0, 1_720_000_000_000_000, -5_364_662_400_000_000, i64::MAX]);
        let array: ArrayRef = Arc::new(values.with_timezone("UTC"));
        let session = SessionValues { time_zone: chrono_tz::Tz::Europe__Berlin.into(), ..SessionValues::default() };
        let write = text_writer_in(&array, types::TIMESTAMPTZ, -1, &session).unwrap();
        for (row, expected) in
            ["1970-01-01 01:00:00+01", "2024-07-03 11:46:40+02", "1800-01-01 00:53:28+00:53:28", "infinity"]
                .iter()
                .enumerate()
        {
            let mut out = BytesMut::new();
            write(row, &mut out).unwrap();
            assert_eq!(std::str::from_utf8(&out).unwrap(), *expected);
        }
    }
}
