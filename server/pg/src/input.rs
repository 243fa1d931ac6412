//! Values that a client wrote, as columns.
//!
//! [`ColumnBuilder`] reads text as PostgreSQL's input functions do (COPY, INSERT … VALUES of constants) into an Arrow
//! column of exactly the in-flight type of the table's column, in which every value has been checked against the declared
//! length, precision and range. Nothing is rounded, cut or replaced unless PostgreSQL would.

pub mod array;
pub mod column;
pub mod json;
pub mod object_name;
pub mod record;
pub mod scalars;
pub mod type_name;
mod value;

use std::sync::Arc;

use arrow::array::*;
use arrow::error::ArrowError;
use catalog::types::{NUMERIC_PRECISION_MAX, NUMERIC_UNCONSTRAINED_SCALE, NumericSize};
use catalog::{Column, SqlType};

use crate::error::PgError;
use crate::expression_type::Type;
use crate::output::OutputError;
use crate::session::SessionValues;
use crate::sqlstate::SqlState;

pub use value::value;

/// Why a value cannot be stored in a column.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The text is not a value of the type.
    #[error("invalid input syntax for type {type_name}: \"{value}\"")]
    InvalidSyntax {
        /// The type.
        type_name: &'static str,
        /// The text.
        value: String,
    },
    /// The text is not a date or time.
    #[error("invalid input syntax for type {type_name}: \"{value}\"")]
    InvalidDatetime {
        /// The type.
        type_name: &'static str,
        /// The text.
        value: String,
    },
    /// The text is not a `bytea` in escape format.
    #[error("invalid input syntax for type bytea")]
    InvalidBytea,
    /// A `bytea` in hexadecimal has something else in it.
    #[error("invalid hexadecimal digit: \"{digit}\"")]
    InvalidHexDigit {
        /// What it has.
        digit: char,
    },
    /// A `bytea` in hexadecimal ends within a byte.
    #[error("invalid hexadecimal data: odd number of digits")]
    OddHexDigits,
    /// The text is an integer that the type cannot hold.
    #[error("value \"{value}\" is out of range for type {type_name}")]
    IntegerOutOfRange {
        /// The type.
        type_name: &'static str,
        /// The text.
        value: String,
    },
    /// The text is a floating point number that the type cannot hold.
    #[error("\"{value}\" is out of range for type {type_name}")]
    FloatOutOfRange {
        /// The type.
        type_name: &'static str,
        /// The text.
        value: String,
    },
    /// A computed number is beyond the type of the column.
    #[error("{type_name} out of range")]
    OutOfRange {
        /// The type of the column.
        type_name: &'static str,
    },
    /// A computed number is too large for a narrower floating point type.
    #[error("value out of range: overflow")]
    FloatOverflow,
    /// A computed number is too small for a narrower floating point type.
    #[error("value out of range: underflow")]
    FloatUnderflow,
    /// A number has more digits before the point than the column.
    #[error("numeric field overflow")]
    NumericFieldOverflow {
        /// What the column was declared with.
        size: NumericSize,
    },
    /// A number does not fit exactly into a `numeric` without precision.
    #[error("value \"{value}\" is out of range for type numeric")]
    NumericTooWide {
        /// The number.
        value: String,
    },
    /// NaN or an infinity, which the engine's decimals do not have.
    #[error("{value} is not supported for type numeric")]
    NumericSpecial {
        /// The value.
        value: &'static str,
    },
    /// A string is longer than its column.
    #[error("value too long for type {column_type}")]
    ValueTooLong {
        /// The type of the column.
        column_type: SqlType,
    },
    /// A string has the one character that PostgreSQL's strings cannot have.
    #[error("invalid byte sequence for encoding \"UTF8\": 0x00")]
    NulCharacter,
    /// A date or time has a field that cannot have this value: the 30th of February.
    #[error("date/time field value out of range: \"{value}\"")]
    DatetimeFieldOutOfRange {
        /// The text.
        value: String,
    },
    /// A date has a month or day that there is not, perhaps because they are in another order: month 13.
    #[error("date/time field value out of range: \"{value}\"")]
    MonthOrDayOutOfRange {
        /// The text.
        value: String,
    },
    /// An interval has more months than it can have.
    #[error("interval out of range")]
    IntervalTooLong,
    /// An interval has a field that is too large.
    #[error("interval field value out of range: \"{value}\"")]
    IntervalOutOfRange {
        /// The text.
        value: String,
    },
    /// An offset from UTC is too large.
    #[error("time zone displacement out of range: \"{value}\"")]
    ZoneOutOfRange {
        /// The text.
        value: String,
    },
    /// A date or timestamp is beyond the first or last one of its type.
    #[error("{kind} out of range: \"{value}\"")]
    DatetimeOutOfRange {
        /// `date` or `timestamp`.
        kind: &'static str,
        /// The text.
        value: String,
    },
    /// A computed date is no timestamp any more.
    #[error("date out of range for timestamp")]
    DateOutOfRangeForTimestamp,
    /// A zone was given by a name that none has.
    #[error("time zone \"{zone}\" not recognized")]
    UnknownZone {
        /// The name.
        zone: String,
    },
    /// A date or time was given by a word whose value depends on the clock, where there is none.
    #[error("date/time value \"{word}\" is not supported")]
    WordNotSupported {
        /// The word.
        word: String,
    },
    /// A text is not a value of one of the rarer types.
    #[error(transparent)]
    Value(#[from] PgError),
    /// A computed value cannot be printed, so it cannot become a string.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// Arrow could not take a column apart.
    #[error("could not convert a column: {0}")]
    Arrow(#[from] ArrowError),
}

impl InputError {
    /// The code for the client. No wildcard arm: a new variant must choose its code before it compiles.
    pub fn sqlstate(&self) -> SqlState {
        match self {
            InputError::InvalidSyntax { .. } | InputError::InvalidBytea => SqlState::INVALID_TEXT_REPRESENTATION,
            InputError::InvalidDatetime { .. } => SqlState::INVALID_DATETIME_FORMAT,
            InputError::InvalidHexDigit { .. } | InputError::OddHexDigits | InputError::UnknownZone { .. } => {
                SqlState::INVALID_PARAMETER_VALUE
            }
            InputError::IntegerOutOfRange { .. }
            | InputError::FloatOutOfRange { .. }
            | InputError::OutOfRange { .. }
            | InputError::FloatOverflow
            | InputError::FloatUnderflow
            | InputError::NumericFieldOverflow { .. }
            | InputError::NumericTooWide { .. } => SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
            InputError::ValueTooLong { .. } => SqlState::STRING_DATA_RIGHT_TRUNCATION,
            InputError::NulCharacter => SqlState::CHARACTER_NOT_IN_REPERTOIRE,
            InputError::DatetimeFieldOutOfRange { .. }
            | InputError::MonthOrDayOutOfRange { .. }
            | InputError::IntervalTooLong
            | InputError::DatetimeOutOfRange { .. }
            | InputError::DateOutOfRangeForTimestamp => SqlState::DATETIME_FIELD_OVERFLOW,
            InputError::IntervalOutOfRange { .. } => SqlState::INTERVAL_FIELD_OVERFLOW,
            InputError::ZoneOutOfRange { .. } => SqlState::INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
            InputError::NumericSpecial { .. } | InputError::WordNotSupported { .. } => SqlState::FEATURE_NOT_SUPPORTED,
            InputError::Value(error) => error.sqlstate,
            InputError::Output(error) => error.sqlstate(),
            InputError::Arrow(_) => SqlState::INTERNAL_ERROR,
        }
    }

    /// What is to be said besides, as a whole sentence.
    pub fn detail(&self) -> Option<String> {
        match self {
            InputError::NumericFieldOverflow { size } => {
                let digits = i32::from(size.precision) - i32::from(size.scale);
                let limit = if digits == 0 { "1".to_owned() } else { format!("10^{digits}") };
                Some(format!(
                    "A field with precision {}, scale {} must round to an absolute value less than {limit}.",
                    size.precision, size.scale
                ))
            }
            InputError::NumericTooWide { .. } => {
                let scale = NUMERIC_UNCONSTRAINED_SCALE.unsigned_abs();
                Some(format!(
                    "A field without precision holds {} digits before the decimal point and {scale} after it.",
                    NUMERIC_PRECISION_MAX - scale
                ))
            }
            InputError::Value(error) => error.detail.clone(),
            _ => None,
        }
    }

    /// What the client can do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            InputError::MonthOrDayOutOfRange { .. } => Some("Perhaps you need a different \"datestyle\" setting."),
            InputError::Value(error) => error.hint.as_deref(),
            _ => None,
        }
    }
}

/// Collects the values of a column from their text.
pub enum ColumnBuilder {
    /// `boolean`
    Boolean(BooleanBuilder),
    /// `smallint`
    SmallInt(Int16Builder),
    /// `integer`
    Integer(Int32Builder),
    /// `bigint`
    BigInt(Int64Builder),
    /// `real`
    Real(Float32Builder),
    /// `double precision`
    Double(Float64Builder),
    /// `numeric`, with the digits that were declared
    Numeric(Decimal128Builder, Option<NumericSize>),
    /// `text`, `character varying` and `character`, with the type that was declared
    String(StringViewBuilder, SqlType),
    /// `bytea`
    Bytea(BinaryViewBuilder),
    /// `date`
    Date(Date32Builder),
    /// `time without time zone`
    Time(Time64MicrosecondBuilder),
    /// `timestamp without time zone`
    Timestamp(TimestampMicrosecondBuilder),
    /// `timestamp with time zone`
    TimestampTz(TimestampMicrosecondBuilder),
    /// The types whose values are built one by one
    Values(ValuesBuilder),
}

/// Collects values of a type that has no builder of its own.
pub struct ValuesBuilder {
    ty: Type,
    values: Vec<ArrayRef>,
}

impl ValuesBuilder {
    fn new(sql_type: &SqlType, capacity: usize) -> Self {
        let ty = Type::of_column(sql_type);
        ValuesBuilder { ty, values: Vec::with_capacity(capacity) }
    }

    fn append_text(&mut self, text: &str) -> Result<(), InputError> {
        self.values.push(column::column(&self.ty, &[Some(text)], &SessionValues::default())?);
        Ok(())
    }

    fn append_null(&mut self) {
        self.values.push(new_null_array(&self.ty.arrow, 1));
    }

    fn len(&self) -> usize {
        self.values.len()
    }

    fn finish(&mut self) -> ArrayRef {
        let values = std::mem::take(&mut self.values);
        let parts: Vec<&dyn Array> = values.iter().map(AsRef::as_ref).collect();
        if parts.is_empty() {
            return new_empty_array(&self.ty.arrow);
        }
        arrow::compute::concat(&parts).expect("the values have one type")
    }
}

/// Does the same with the Arrow builder of every variant.
macro_rules! with_builder {
    ($column:expr, $builder:ident => $body:expr) => {
        match $column {
            ColumnBuilder::Boolean($builder) => $body,
            ColumnBuilder::SmallInt($builder) => $body,
            ColumnBuilder::Integer($builder) => $body,
            ColumnBuilder::BigInt($builder) => $body,
            ColumnBuilder::Real($builder) => $body,
            ColumnBuilder::Double($builder) => $body,
            ColumnBuilder::Numeric($builder, _) => $body,
            ColumnBuilder::String($builder, _) => $body,
            ColumnBuilder::Bytea($builder) => $body,
            ColumnBuilder::Date($builder) => $body,
            ColumnBuilder::Time($builder) => $body,
            ColumnBuilder::Timestamp($builder) => $body,
            ColumnBuilder::TimestampTz($builder) => $body,
            ColumnBuilder::Values($builder) => $body,
        }
    };
}

impl ColumnBuilder {
    /// An empty builder for a column, with room for `capacity` values.
    pub fn new(column: &Column, capacity: usize) -> Self {
        let in_flight = column.sql_type.in_flight();
        match &column.sql_type {
            SqlType::Boolean => ColumnBuilder::Boolean(BooleanBuilder::with_capacity(capacity)),
            SqlType::SmallInt => ColumnBuilder::SmallInt(Int16Builder::with_capacity(capacity)),
            SqlType::Integer => ColumnBuilder::Integer(Int32Builder::with_capacity(capacity)),
            SqlType::BigInt => ColumnBuilder::BigInt(Int64Builder::with_capacity(capacity)),
            SqlType::Real => ColumnBuilder::Real(Float32Builder::with_capacity(capacity)),
            SqlType::Double => ColumnBuilder::Double(Float64Builder::with_capacity(capacity)),
            SqlType::Numeric(size) => {
                ColumnBuilder::Numeric(Decimal128Builder::with_capacity(capacity).with_data_type(in_flight), *size)
            }
            SqlType::Text | SqlType::Varchar(_) | SqlType::Char(_) => {
                ColumnBuilder::String(StringViewBuilder::with_capacity(capacity), column.sql_type.clone())
            }
            SqlType::Bytea => ColumnBuilder::Bytea(BinaryViewBuilder::with_capacity(capacity)),
            SqlType::Date => ColumnBuilder::Date(Date32Builder::with_capacity(capacity)),
            SqlType::Time => ColumnBuilder::Time(Time64MicrosecondBuilder::with_capacity(capacity)),
            SqlType::Timestamp => ColumnBuilder::Timestamp(TimestampMicrosecondBuilder::with_capacity(capacity)),
            SqlType::TimestampTz => ColumnBuilder::TimestampTz(
                TimestampMicrosecondBuilder::with_capacity(capacity).with_data_type(in_flight),
            ),
            SqlType::TimeTz
            | SqlType::Interval
            | SqlType::Uuid
            | SqlType::Json
            | SqlType::Jsonb
            | SqlType::HllSketch
            | SqlType::Oid
            | SqlType::Name
            | SqlType::SingleByte
            | SqlType::Modified(_)
            | SqlType::Array(_)
            | SqlType::List(_)
            | SqlType::Struct(_)
            | SqlType::Map(_)
            | SqlType::User(_) => ColumnBuilder::Values(ValuesBuilder::new(&column.sql_type, capacity)),
        }
    }

    /// Adds a value given as text. After an error the builder is as it was before.
    pub fn push_text(&mut self, text: &str) -> Result<(), InputError> {
        match self {
            ColumnBuilder::Boolean(builder) => builder.append_value(scalars::boolean(text)?),
            ColumnBuilder::SmallInt(builder) => builder.append_value(scalars::integer(text, "smallint")?),
            ColumnBuilder::Integer(builder) => builder.append_value(scalars::integer(text, "integer")?),
            ColumnBuilder::BigInt(builder) => builder.append_value(scalars::integer(text, "bigint")?),
            ColumnBuilder::Real(builder) => builder.append_value(scalars::real(text)?),
            ColumnBuilder::Double(builder) => builder.append_value(scalars::double(text)?),
            ColumnBuilder::Numeric(builder, size) => builder.append_value(scalars::numeric(text, *size)?),
            ColumnBuilder::String(builder, sql_type) => builder.append_value(scalars::string(text, sql_type)?),
            ColumnBuilder::Bytea(builder) => builder.append_value(scalars::bytea(text)?),
            ColumnBuilder::Date(builder) => builder.append_value(scalars::date(text)?),
            ColumnBuilder::Time(builder) => builder.append_value(scalars::time(text)?),
            ColumnBuilder::Timestamp(builder) => builder.append_value(scalars::timestamp(text)?),
            ColumnBuilder::TimestampTz(builder) => builder.append_value(scalars::timestamp_with_zone(text)?),
            ColumnBuilder::Values(builder) => builder.append_text(text)?,
        }
        Ok(())
    }

    /// Adds a NULL.
    pub fn push_null(&mut self) {
        with_builder!(self, builder => builder.append_null());
    }

    /// Values added since the last [`ColumnBuilder::finish`].
    pub fn len(&self) -> usize {
        with_builder!(self, builder => builder.len())
    }

    /// Whether nothing has been added since the last [`ColumnBuilder::finish`].
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values as a column of the in-flight type; the builder is empty again.
    pub fn finish(&mut self) -> ArrayRef {
        if let ColumnBuilder::Values(builder) = self {
            return builder.finish();
        }
        with_builder!(self, builder => Arc::new(builder.finish()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::{output, types};

    fn column(sql_type: SqlType) -> Column {
        Column::new(1, "c".to_owned(), sql_type)
    }

    fn numeric(precision: u8, scale: i8) -> SqlType {
        SqlType::Numeric(Some(NumericSize { precision, scale }))
    }

    /// What a column prints of one value that was read from text.
    fn read_and_print(sql_type: SqlType, text: &str) -> Result<String, InputError> {
        let mut builder = ColumnBuilder::new(&column(sql_type.clone()), 1);
        builder.push_text(text)?;
        let array = builder.finish();
        assert_eq!(*array.data_type(), sql_type.in_flight());
        let described = types::describe(&sql_type.field("c", true));
        let mut out = BytesMut::new();
        output::text_writer(&array, described.oid, described.typmod)?(0, &mut out)?;
        Ok(String::from_utf8(out.to_vec()).unwrap())
    }

    fn check(sql_type: SqlType, values: &[(&str, &str)]) {
        for (text, expected) in values {
            assert_eq!(read_and_print(sql_type.clone(), text).unwrap(), *expected, "{sql_type} '{text}'");
        }
    }

    fn check_error(sql_type: SqlType, text: &str, sqlstate: SqlState, message: &str) {
        let error = read_and_print(sql_type.clone(), text).unwrap_err();
        assert_eq!((error.sqlstate(), error.to_string().as_str()), (sqlstate, message), "{sql_type} '{text}'");
    }

    #[test]
    fn booleans_are_unique_prefixes_of_their_words() {
        check(SqlType::Boolean, &[("t", "t"), (" TRUE ", "t"), ("ye", "t"), ("on", "t"), ("1", "t")]);
        check(SqlType::Boolean, &[("F", "f"), ("fals", "f"), ("n", "f"), ("of", "f"), ("0", "f")]);
        for text in ["o", "", "2", "truee", "10"] {
            let message = format!("invalid input syntax for type boolean: \"{text}\"");
            check_error(SqlType::Boolean, text, SqlState::INVALID_TEXT_REPRESENTATION, &message);
        }
    }

    #[test]
    fn integers_are_checked_for_syntax_and_range() {
        check(SqlType::SmallInt, &[("-32768", "-32768"), ("+7", "7")]);
        check(SqlType::Integer, &[(" \t12\n", "12"), ("-0", "0"), ("007", "7"), ("-2147483648", "-2147483648")]);
        check(SqlType::BigInt, &[("9223372036854775807", "9223372036854775807")]);
        for text in ["abc", "", " ", "1.5", "1 2", "+-1", "0x10", "1_000"] {
            let message = format!("invalid input syntax for type integer: \"{text}\"");
            check_error(SqlType::Integer, text, SqlState::INVALID_TEXT_REPRESENTATION, &message);
        }
        let out_of_range = SqlState::NUMERIC_VALUE_OUT_OF_RANGE;
        check_error(SqlType::SmallInt, "32768", out_of_range, "value \"32768\" is out of range for type smallint");
        let message = "value \"99999999999999999999\" is out of range for type bigint";
        check_error(SqlType::BigInt, "99999999999999999999", out_of_range, message);
    }

    #[test]
    fn floating_point_numbers_are_checked_for_syntax_and_range() {
        check(
            SqlType::Double,
            &[("1e3", "1000"), (".5", "0.5"), ("-INF", "-Infinity"), (" nan ", "NaN"), ("-0", "-0")],
        );
        check(SqlType::Real, &[("0.1", "0.1"), ("infinity", "Infinity"), ("1e-45", "1e-45")]);
        let syntax = SqlState::INVALID_TEXT_REPRESENTATION;
        check_error(SqlType::Double, " abc ", syntax, "invalid input syntax for type double precision: \" abc \"");
        let out_of_range = SqlState::NUMERIC_VALUE_OUT_OF_RANGE;
        check_error(SqlType::Double, "1e400", out_of_range, "\"1e400\" is out of range for type double precision");
        check_error(SqlType::Real, "1e-60", out_of_range, "\"1e-60\" is out of range for type real");
    }

    #[test]
    fn numerics_are_rounded_to_their_scale_and_checked() {
        check(numeric(5, 2), &[("1.005", "1.01"), ("-1.005", "-1.01"), ("999.994", "999.99"), (" 1e2 ", "100.00")]);
        check(numeric(2, 2), &[("0.99", "0.99"), ("-0.001", "0.00")]);
        check(
            SqlType::Numeric(None),
            &[("1.50", "1.5"), ("100", "100"), ("0", "0"), ("1e-18", "0.000000000000000001")],
        );
        let out_of_range = SqlState::NUMERIC_VALUE_OUT_OF_RANGE;
        check_error(numeric(5, 2), "999.995", out_of_range, "numeric field overflow");
        check_error(SqlType::Numeric(None), "1e20", out_of_range, "value \"1e20\" is out of range for type numeric");
        check_error(SqlType::Numeric(None), "1e-19", out_of_range, "value \"1e-19\" is out of range for type numeric");
        check_error(numeric(5, 2), "NaN", SqlState::FEATURE_NOT_SUPPORTED, "NaN is not supported for type numeric");
        let syntax = SqlState::INVALID_TEXT_REPRESENTATION;
        check_error(numeric(5, 2), "1,5", syntax, "invalid input syntax for type numeric: \"1,5\"");
    }

    #[test]
    fn an_overflow_names_the_limit() {
        let detail = |sql_type, text| read_and_print(sql_type, text).unwrap_err().detail().unwrap();
        let prefix = "A field with precision";
        let suffix = "must round to an absolute value less than";
        assert_eq!(detail(numeric(5, 2), "1234"), format!("{prefix} 5, scale 2 {suffix} 10^3."));
        assert_eq!(detail(numeric(2, 2), "1"), format!("{prefix} 2, scale 2 {suffix} 1."));
        let limits = "A field without precision holds 20 digits before the decimal point and 18 after it.";
        assert_eq!(detail(SqlType::Numeric(None), "1e30"), limits);
    }

    #[test]
    fn strings_are_cut_only_when_the_excess_is_spaces() {
        check(SqlType::Text, &[(" a ", " a "), ("", "")]);
        check(SqlType::Varchar(Some(3)), &[("abc", "abc"), ("äöü", "äöü"), ("a   ", "a  "), ("äöü  ", "äöü")]);
        check(SqlType::Char(3), &[("a", "a  "), ("abc  ", "abc"), ("", "   ")]);
        let too_long = SqlState::STRING_DATA_RIGHT_TRUNCATION;
        let varying = SqlType::Varchar(Some(3));
        check_error(varying.clone(), "abcd", too_long, "value too long for type character varying(3)");
        check_error(varying, "abc d", too_long, "value too long for type character varying(3)");
        check_error(SqlType::Char(3), "abcd", too_long, "value too long for type character(3)");
        let not_in_repertoire = SqlState::CHARACTER_NOT_IN_REPERTOIRE;
        check_error(SqlType::Text, "a\0", not_in_repertoire, "invalid byte sequence for encoding \"UTF8\": 0x00");
    }

    #[test]
    fn bytes_are_read_in_both_formats() {
        check(SqlType::Bytea, &[("\\xDEad", "\\xdead"), ("\\x de ad\n", "\\xdead"), ("\\x", "\\x"), ("", "\\x")]);
        check(SqlType::Bytea, &[("abc", "\\x616263"), ("\\\\\\001a", "\\x5c0161"), ("ä", "\\xc3a4")]);
        let parameter = SqlState::INVALID_PARAMETER_VALUE;
        check_error(SqlType::Bytea, "\\xabc", parameter, "invalid hexadecimal data: odd number of digits");
        check_error(SqlType::Bytea, "\\xzz", parameter, "invalid hexadecimal digit: \"z\"");
        for text in ["\\99", "\\", "a\\4000", "\\400"] {
            let syntax = SqlState::INVALID_TEXT_REPRESENTATION;
            check_error(SqlType::Bytea, text, syntax, "invalid input syntax for type bytea");
        }
    }

    #[test]
    fn dates_and_times_are_refused_with_their_own_codes() {
        check(SqlType::Date, &[("20240105", "2024-01-05")]);
        check(SqlType::Time, &[("10:11 pm", "22:11:00")]);
        check(SqlType::Timestamp, &[("2024-01-05 10:11:12+02", "2024-01-05 10:11:12")]);
        check(
            SqlType::TimestampTz,
            &[("2024-01-05 10:11:12+02", "2024-01-05 08:11:12+00"), ("-infinity", "-infinity")],
        );
        let format = SqlState::INVALID_DATETIME_FORMAT;
        check_error(SqlType::Date, "x", format, "invalid input syntax for type date: \"x\"");
        let message = "invalid input syntax for type timestamp with time zone: \"\"";
        check_error(SqlType::TimestampTz, "", format, message);
        let overflow = SqlState::DATETIME_FIELD_OVERFLOW;
        check_error(SqlType::Date, "2024-13-01", overflow, "date/time field value out of range: \"2024-13-01\"");
        check_error(SqlType::Timestamp, "294277-01-01", overflow, "timestamp out of range: \"294277-01-01\"");
        let parameter = SqlState::INVALID_PARAMETER_VALUE;
        let nowhere = "time zone \"europe/nowhere\" not recognized";
        check_error(SqlType::TimestampTz, "2024-01-05 10:00 Europe/Nowhere", parameter, nowhere);
        let unsupported = SqlState::FEATURE_NOT_SUPPORTED;
        check_error(SqlType::Date, "today", unsupported, "date/time value \"today\" is not supported");
    }

    #[test]
    fn a_refused_value_leaves_the_builder_as_it_was() {
        let mut builder = ColumnBuilder::new(&column(SqlType::Integer), 0);
        builder.push_text("1").unwrap();
        builder.push_text("x").unwrap_err();
        builder.push_null();
        assert_eq!((builder.len(), builder.is_empty()), (2, false));
        assert_eq!(builder.finish().null_count(), 1);
        assert!(builder.is_empty());
    }

    #[test]
    fn values_of_the_rarer_types_are_read() {
        let integers = SqlType::array_of(SqlType::Integer);
        let amounts = SqlType::array_of(numeric(5, 2));
        for (sql_type, text, expected) in [
            (SqlType::Uuid, "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
            (SqlType::Interval, "1 mon 2 days 3:00", "1 mon 2 days 03:00:00"),
            (SqlType::TimeTz, "10:00+02", "10:00:00+02"),
            (SqlType::Json, "[1,  2]", "[1,  2]"),
            (SqlType::Jsonb, "[1,  2]", "[1, 2]"),
            (SqlType::Oid, "-1", "4294967295"),
            (SqlType::Name, "x", "x"),
            (SqlType::SingleByte, "xy", "x"),
            (integers.clone(), "{1,NULL,3}", "{1,NULL,3}"),
            (integers, "{}", "{}"),
            (amounts, "{1.555,2}", "{1.56,2.00}"),
        ] {
            let mut builder = ColumnBuilder::new(&column(sql_type.clone()), 2);
            builder.push_text(text).unwrap();
            builder.push_null();
            assert_eq!(builder.len(), 2);
            let array = builder.finish();
            assert_eq!(*array.data_type(), sql_type.in_flight(), "{sql_type}");
            assert!(array.is_null(1), "{sql_type}");
            let described = types::describe(&sql_type.field("c", true));
            assert_eq!((described.oid, described.typmod), (sql_type.oid().0, sql_type.typmod()), "{sql_type}");
            let mut out = BytesMut::new();
            output::text_writer(&array, described.oid, described.typmod).unwrap()(0, &mut out).unwrap();
            assert_eq!(&out[..], expected.as_bytes(), "{sql_type}");
        }
        let mut builder = ColumnBuilder::new(&column(SqlType::Json), 1);
        let error = builder.push_text("[1,").unwrap_err();
        assert_eq!(error.detail().as_deref(), Some("The input string ended unexpectedly."));
        assert!(builder.is_empty());
    }
}
