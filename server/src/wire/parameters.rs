//! The values that clients bind to parameters, in text and in binary.

use arrow::datatypes::{DataType, IntervalMonthDayNano};
use catalog::{Column, SqlType};
use datafusion::common::ScalarValue;

use crate::wire::rows::Format;
use pg::datetime::parse_interval::Interval;
use pg::datetime::{
    DATE_INFINITY, DATE_MINUS_INFINITY, DAY_MAX, DAY_MIN, DAY_US, EPOCH_2000_DAYS, EPOCH_2000_US, TIMESTAMP_INFINITY,
    TIMESTAMP_MIN_US, TIMESTAMP_MINUS_INFINITY,
};
use pg::input::{ColumnBuilder, InputError, scalars};
use pg::numeric::{NumericError, binary_to_text};
use pg::sqlstate::SqlState;
use pg::types;

/// The first byte of a jsonb value: the version of its format.
const JSONB_VERSION: u8 = 1;
/// Bytes of a uuid.
const UUID_BYTES: usize = 16;

/// Why a parameter's value cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ParameterError {
    /// Its text is no value of its type.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Its text is not UTF-8.
    #[error("invalid byte sequence for encoding \"UTF8\"")]
    InvalidEncoding,
    /// Its bytes are no value of its type.
    #[error("incorrect binary data format for type {type_name}")]
    InvalidBinary {
        /// The type.
        type_name: String,
    },
    /// Its type is one that parameters cannot have.
    #[error("parameters of type {type_name} are not supported")]
    TypeNotSupported {
        /// The type.
        type_name: String,
    },
    /// It is a date, time or interval beyond what the engine holds.
    #[error("{type_name} out of range")]
    OutOfRange {
        /// The type.
        type_name: &'static str,
    },
    /// It is a number that is none.
    #[error("NaN and infinity are not supported for type numeric")]
    SpecialNumber,
}

impl ParameterError {
    /// Its code.
    pub fn sqlstate(&self) -> SqlState {
        match self {
            ParameterError::Input(error) => error.sqlstate(),
            ParameterError::InvalidEncoding => SqlState::CHARACTER_NOT_IN_REPERTOIRE,
            ParameterError::InvalidBinary { .. } => SqlState::INVALID_BINARY_REPRESENTATION,
            ParameterError::OutOfRange { .. } => SqlState::DATETIME_FIELD_OVERFLOW,
            ParameterError::TypeNotSupported { .. } | ParameterError::SpecialNumber => SqlState::FEATURE_NOT_SUPPORTED,
        }
    }
}

/// The value of a parameter of the type with this OID; no bytes are NULL.
///
/// # Errors
/// The bytes are no value of the type.
pub fn decode(oid: u32, format: Format, value: Option<&[u8]>) -> Result<ScalarValue, ParameterError> {
    if oid == types::INTERVAL {
        return interval(format, value);
    }
    let sql_type =
        sql_type(oid).ok_or_else(|| ParameterError::TypeNotSupported { type_name: types::type_name(oid) })?;
    let Some(bytes) = value else { return Ok(null(sql_type)) };
    match format {
        Format::Text => from_text(sql_type, utf8(bytes)?),
        Format::Binary => from_binary(oid, sql_type, bytes),
    }
}

/// The type as which values of the type with this OID are read; those that have no type of their own here are text.
fn sql_type(oid: u32) -> Option<SqlType> {
    Some(match oid {
        types::BOOL => SqlType::Boolean,
        types::BYTEA => SqlType::Bytea,
        types::INT2 => SqlType::SmallInt,
        types::INT4 => SqlType::Integer,
        types::INT8 | types::OID => SqlType::BigInt,
        types::FLOAT4 => SqlType::Real,
        types::FLOAT8 => SqlType::Double,
        types::NUMERIC => SqlType::Numeric(None),
        types::DATE => SqlType::Date,
        types::TIME => SqlType::Time,
        types::TIMESTAMP => SqlType::Timestamp,
        types::TIMESTAMPTZ => SqlType::TimestampTz,
        types::TEXT | types::VARCHAR | types::BPCHAR | types::NAME | types::UNKNOWN => SqlType::Text,
        types::JSON | types::JSONB | types::UUID => SqlType::Text,
        _ => return None,
    })
}

fn null(sql_type: SqlType) -> ScalarValue {
    match sql_type {
        SqlType::Text => ScalarValue::Utf8(None),
        other => ScalarValue::try_from(&other.in_flight()).unwrap_or(ScalarValue::Null),
    }
}

fn from_text(sql_type: SqlType, text: &str) -> Result<ScalarValue, ParameterError> {
    let column = Column { attribute_number: 1, name: String::new(), sql_type, not_null: false };
    let mut builder = ColumnBuilder::new(&column, 1);
    builder.push_text(text)?;
    let value = ScalarValue::try_from_array(&builder.finish(), 0);
    let value = value.and_then(|value| match sql_type {
        // The engine's own constants are of this type.
        SqlType::Text => value.cast_to(&DataType::Utf8),
        _ => Ok(value),
    });
    value.map_err(|_| ParameterError::InvalidBinary { type_name: sql_type.to_string() })
}

fn from_binary(oid: u32, sql_type: SqlType, bytes: &[u8]) -> Result<ScalarValue, ParameterError> {
    let invalid = || ParameterError::InvalidBinary { type_name: types::type_name(oid) };
    Ok(match sql_type {
        SqlType::Boolean => ScalarValue::Boolean(Some(fixed::<1>(bytes).ok_or_else(invalid)? != [0])),
        SqlType::SmallInt => ScalarValue::Int16(Some(i16::from_be_bytes(fixed(bytes).ok_or_else(invalid)?))),
        SqlType::Integer => ScalarValue::Int32(Some(i32::from_be_bytes(fixed(bytes).ok_or_else(invalid)?))),
        SqlType::BigInt if oid == types::OID => {
            ScalarValue::Int64(Some(u32::from_be_bytes(fixed(bytes).ok_or_else(invalid)?).into()))
        }
        SqlType::BigInt => ScalarValue::Int64(Some(int8(bytes).ok_or_else(invalid)?)),
        SqlType::Real => ScalarValue::Float32(Some(f32::from_be_bytes(fixed(bytes).ok_or_else(invalid)?))),
        SqlType::Double => ScalarValue::Float64(Some(f64::from_be_bytes(fixed(bytes).ok_or_else(invalid)?))),
        SqlType::Bytea => ScalarValue::BinaryView(Some(bytes.to_vec())),
        SqlType::Date => ScalarValue::Date32(Some(date(i32::from_be_bytes(fixed(bytes).ok_or_else(invalid)?))?)),
        SqlType::Time => ScalarValue::Time64Microsecond(Some(time(int8(bytes).ok_or_else(invalid)?)?)),
        SqlType::Timestamp => {
            ScalarValue::TimestampMicrosecond(Some(timestamp(int8(bytes).ok_or_else(invalid)?)?), None)
        }
        SqlType::TimestampTz => {
            let value = timestamp(int8(bytes).ok_or_else(invalid)?)?;
            ScalarValue::TimestampMicrosecond(Some(value), Some("UTC".into()))
        }
        SqlType::Numeric(_) => from_text(sql_type, &numeric_text(bytes)?)?,
        SqlType::Text if oid == types::UUID => ScalarValue::Utf8(Some(uuid(bytes).ok_or_else(invalid)?)),
        SqlType::Text if oid == types::JSONB => match bytes.split_first() {
            Some((&JSONB_VERSION, text)) => from_text(SqlType::Text, utf8(text)?)?,
            _ => return Err(invalid()),
        },
        SqlType::Text | SqlType::Varchar(_) | SqlType::Char(_) => from_text(SqlType::Text, utf8(bytes)?)?,
        // `sql_type` has no parameters of these types.
        SqlType::TimeTz
        | SqlType::Interval
        | SqlType::Uuid
        | SqlType::Json
        | SqlType::Jsonb
        | SqlType::Oid
        | SqlType::Name
        | SqlType::SingleByte
        | SqlType::Array(_) => return Err(ParameterError::TypeNotSupported { type_name: types::type_name(oid) }),
    })
}

fn fixed<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

fn int8(bytes: &[u8]) -> Option<i64> {
    fixed(bytes).map(i64::from_be_bytes)
}

/// Infinities are the extreme values on both sides. No other value may become one.
fn date(days: i32) -> Result<i32, ParameterError> {
    if matches!(days, DATE_INFINITY | DATE_MINUS_INFINITY) {
        return Ok(days);
    }
    days.checked_add(EPOCH_2000_DAYS)
        .filter(|day| (DAY_MIN..=DAY_MAX).contains(&i64::from(*day)))
        .ok_or(ParameterError::OutOfRange { type_name: "date" })
}

fn time(microseconds: i64) -> Result<i64, ParameterError> {
    let valid = (0..=DAY_US).contains(&microseconds);
    valid.then_some(microseconds).ok_or(ParameterError::OutOfRange { type_name: "time" })
}

/// As for dates.
fn timestamp(microseconds: i64) -> Result<i64, ParameterError> {
    if matches!(microseconds, TIMESTAMP_INFINITY | TIMESTAMP_MINUS_INFINITY) {
        return Ok(microseconds);
    }
    microseconds
        .checked_add(EPOCH_2000_US)
        .filter(|timestamp_us| (TIMESTAMP_MIN_US..TIMESTAMP_INFINITY).contains(timestamp_us))
        .ok_or(ParameterError::OutOfRange { type_name: "timestamp" })
}

/// An interval, which no column can have but an expression can.
fn interval(format: Format, value: Option<&[u8]>) -> Result<ScalarValue, ParameterError> {
    let Some(bytes) = value else { return Ok(ScalarValue::IntervalMonthDayNano(None)) };
    let interval = match format {
        Format::Text => scalars::interval(utf8(bytes)?)?,
        Format::Binary => binary_interval(bytes)
            .ok_or_else(|| ParameterError::InvalidBinary { type_name: types::type_name(types::INTERVAL) })?,
    };
    // The engine counts nanoseconds, so its intervals end earlier than PostgreSQL's.
    let nanoseconds = interval.time_us.checked_mul(1000).ok_or(ParameterError::OutOfRange { type_name: "interval" })?;
    let value = IntervalMonthDayNano::new(interval.months, interval.days, nanoseconds);
    Ok(ScalarValue::IntervalMonthDayNano(Some(value)))
}

fn binary_interval(bytes: &[u8]) -> Option<Interval> {
    let (time, rest) = bytes.split_first_chunk()?;
    let (days, months) = rest.split_first_chunk()?;
    Some(Interval {
        months: i32::from_be_bytes(fixed(months)?),
        days: i32::from_be_bytes(*days),
        time_us: i64::from_be_bytes(*time),
    })
}

fn numeric_text(bytes: &[u8]) -> Result<String, ParameterError> {
    binary_to_text(bytes).map_err(|error| match error {
        NumericError::Special(_) => ParameterError::SpecialNumber,
        NumericError::Syntax => ParameterError::InvalidBinary { type_name: "numeric".into() },
    })
}

fn uuid(bytes: &[u8]) -> Option<String> {
    let bytes: [u8; UUID_BYTES] = fixed(bytes)?;
    let mut text = String::with_capacity(36);
    for (number, byte) in bytes.iter().enumerate() {
        if matches!(number, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text += &format!("{byte:02x}");
    }
    Some(text)
}

fn utf8(bytes: &[u8]) -> Result<&str, ParameterError> {
    std::str::from_utf8(bytes).map_err(|_| ParameterError::InvalidEncoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(oid: u32, format: Format, bytes: &[u8], expected: &str) {
        let printed = match decode(oid, format, Some(bytes)) {
            Ok(value) => format!("{value:?}"),
            Err(error) => error.sqlstate().code().to_owned(),
        };
        assert_eq!(printed, expected, "{bytes:?} as {oid}");
    }

    #[test]
    fn text_and_binary_mean_the_same() {
        check(types::INT4, Format::Text, b" 42 ", "Int32(42)");
        check(types::INT4, Format::Binary, &[0, 0, 0, 42], "Int32(42)");
        check(types::BOOL, Format::Text, b"yes", "Boolean(true)");
        check(types::BOOL, Format::Binary, &[1], "Boolean(true)");
        check(types::DATE, Format::Text, b"2000-01-02", "Date32(\"2000-01-02\")");
        check(types::DATE, Format::Binary, &[0, 0, 0, 1], "Date32(\"2000-01-02\")");
        check(types::TEXT, Format::Binary, "blå".as_bytes(), "Utf8(\"blå\")");
        check(types::UUID, Format::Binary, &[0xab; 16], "Utf8(\"abababab-abab-abab-abab-abababababab\")");
        check(types::JSONB, Format::Binary, b"\x01{}", "Utf8(\"{}\")");
    }

    #[test]
    fn what_is_no_value_of_the_type_is_refused() {
        check(types::INT4, Format::Text, b"x", "22P02");
        check(types::INT4, Format::Text, b"99999999999", "22003");
        check(types::INT4, Format::Binary, &[0, 0, 0, 0, 42], "22P03");
        check(types::TEXT, Format::Text, b"\xff", "22021");
        check(types::NUMERIC, Format::Binary, &[0, 0, 0, 0, 0xc0, 0, 0, 0], "0A000");
        check(types::JSONB, Format::Binary, b"{}", "22P03");
        check(types::JSONB, Format::Binary, b"\x01a\0", "22021");
        check(600, Format::Text, b"(1,2)", "0A000");
        check(types::INTERVAL, Format::Text, b"soon", "22007");
        check(types::INTERVAL, Format::Binary, &[0; 15], "22P03");
    }

    #[test]
    fn a_date_or_time_out_of_range_does_not_become_infinite() {
        check(types::DATE, Format::Binary, &(i32::MAX - 1).to_be_bytes(), "22008");
        check(types::DATE, Format::Binary, &(i32::MIN + 1).to_be_bytes(), "22008");
        check(types::TIMESTAMP, Format::Binary, &(i64::MAX - 1).to_be_bytes(), "22008");
        check(types::TIMESTAMPTZ, Format::Binary, &(i64::MIN + 1).to_be_bytes(), "22008");
        check(types::TIME, Format::Binary, &(-1i64).to_be_bytes(), "22008");
        let infinity = ScalarValue::Date32(Some(DATE_INFINITY));
        assert_eq!(decode(types::DATE, Format::Binary, Some(&i32::MAX.to_be_bytes())).ok(), Some(infinity));
    }

    #[test]
    fn intervals_are_read_in_both_formats() {
        let value = IntervalMonthDayNano::new(14, -3, 3_723_004_000_000);
        let expected = Some(ScalarValue::IntervalMonthDayNano(Some(value)));
        let text = b"1 year 2 mons -3 days 01:02:03.004";
        assert_eq!(decode(types::INTERVAL, Format::Text, Some(text)).ok(), expected);
        let mut bytes = 3_723_004_000i64.to_be_bytes().to_vec();
        bytes.extend((-3i32).to_be_bytes());
        bytes.extend(14i32.to_be_bytes());
        assert_eq!(decode(types::INTERVAL, Format::Binary, Some(&bytes)).ok(), expected);
    }

    #[test]
    fn no_bytes_are_null() {
        assert_eq!(decode(types::INT8, Format::Binary, None).ok(), Some(ScalarValue::Int64(None)));
    }
}
