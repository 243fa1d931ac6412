//! PostgreSQL's assignment casts: what INSERT does to a computed value whose type is not the column's.

use std::sync::Arc;

use arrow::array::*;
use arrow::compute::{cast, take};
use arrow::datatypes::*;
use bytes::BytesMut;
use catalog::types::NumericSize;
use catalog::{Column, SqlType};

use super::{ColumnBuilder, InputError, scalars};
use crate::column_readers::*;
use crate::datetime::{
    DATE_INFINITY, DATE_MINUS_INFINITY, DAY_US, TIMESTAMP_INFINITY, TIMESTAMP_MIN_US, TIMESTAMP_MINUS_INFINITY,
};
use crate::numeric::WrittenNumber;
use crate::output::{OutputError, text_writer};
use crate::types;

/// Digits that PostgreSQL takes from a `double precision` on its way to `numeric` (`DBL_DIG`).
const DOUBLE_DIGITS: usize = 15;
/// Digits that PostgreSQL takes from a `real` on its way to `numeric` (`FLT_DIG`).
const REAL_DIGITS: usize = 6;
/// The first value beyond `bigint`; exact in floating point, which its predecessor is not.
const BIGINT_END: f64 = 9_223_372_036_854_775_808.0;

/// Where strings came from, which decides whether they may become something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StringSource {
    /// Literals without a type: they are read as values of the column.
    UntypedLiteral,
    /// An expression of a string type: PostgreSQL wants a cast.
    TypedExpression,
}

/// Converts computed values to the type of a column.
pub fn assign(array: &ArrayRef, column: &Column, strings: StringSource) -> Result<ArrayRef, InputError> {
    let array = &unpacked(array)?;
    let (from, to) = (array.data_type(), column.sql_type);
    match from {
        DataType::Null => Ok(new_null_array(&to.in_flight(), array.len())),
        _ if to.is_string() => to_string(array, to),
        _ if from.is_string() && strings == StringSource::UntypedLiteral => parse_all(array, column),
        // What these types are carried as can be any text.
        _ if from.is_string() && matches!(to, SqlType::Json | SqlType::Jsonb | SqlType::Name | SqlType::SingleByte) => {
            parse_all(array, column)
        }
        _ if *from == to.in_flight() => Ok(Arc::clone(array)),
        _ if is_number(from) && to.is_number() => to_number(array, to),
        DataType::Binary | DataType::LargeBinary | DataType::FixedSizeBinary(_) if to == SqlType::Bytea => {
            Ok(cast(array, &DataType::BinaryView)?)
        }
        _ if from.is_temporal() => to_datetime(array, to).unwrap_or_else(|| Err(cannot_assign(from, column))),
        _ => Err(cannot_assign(from, column)),
    }
}

fn cannot_assign(from: &DataType, column: &Column) -> InputError {
    let described = types::describe(&Field::new("", from.clone(), true));
    InputError::CannotAssign {
        column: column.name.clone(),
        column_type: column.sql_type.base_name(),
        expression_type: types::type_name(described.oid),
    }
}

/// A dictionary or run-end encoded column as its values, anything else as it is.
fn unpacked(array: &ArrayRef) -> Result<ArrayRef, InputError> {
    match array.data_type() {
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            unpacked(&take(dictionary.values(), dictionary.keys(), None)?)
        }
        DataType::RunEndEncoded(_, values) => unpacked(&cast(array, values.data_type())?),
        _ => Ok(Arc::clone(array)),
    }
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_integer() || data_type.is_floating() || data_type.is_decimal()
}

fn parse_all(array: &ArrayRef, column: &Column) -> Result<ArrayRef, InputError> {
    let mut builder = ColumnBuilder::new(column, array.len());
    let string = string_reader(array);
    for row in 0..array.len() {
        if array.is_null(row) {
            builder.push_null();
        } else {
            builder.push_text(string(row))?;
        }
    }
    Ok(builder.finish())
}

/// Every type can be assigned to a string, through its text.
fn to_string(array: &ArrayRef, to: SqlType) -> Result<ArrayRef, InputError> {
    if to == SqlType::Text && *array.data_type() == DataType::Utf8View {
        return Ok(Arc::clone(array));
    }
    let mut builder = StringViewBuilder::with_capacity(array.len());
    let write = string_writer(array)?;
    let mut text = BytesMut::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            builder.append_null();
            continue;
        }
        text.clear();
        write(row, &mut text)?;
        let text = std::str::from_utf8(&text).expect("the text of a value is UTF-8");
        builder.append_value(scalars::fit_string(text, to)?);
    }
    Ok(Arc::new(builder.finish()))
}

fn string_writer(array: &ArrayRef) -> Result<crate::output::TextWriter<'_>, OutputError> {
    // The cast of a boolean prints the word, unlike its output function.
    if let Some(values) = array.as_boolean_opt() {
        return Ok(Box::new(move |row, out| {
            out.extend_from_slice(if values.value(row) { b"true" } else { b"false" });
            Ok(())
        }));
    }
    let described = types::describe(&Field::new("", array.data_type().clone(), true));
    text_writer(array, described.oid, described.typmod)
}

/// Converts row by row; NULL stays NULL.
fn convert<T: ArrowPrimitiveType>(
    array: &dyn Array,
    value: impl Fn(usize) -> Result<T::Native, InputError>,
) -> Result<PrimitiveArray<T>, InputError> {
    let mut builder = PrimitiveBuilder::<T>::with_capacity(array.len());
    for row in 0..array.len() {
        if array.is_null(row) {
            builder.append_null();
        } else {
            builder.append_value(value(row)?);
        }
    }
    Ok(builder.finish())
}

fn to_number(array: &ArrayRef, to: SqlType) -> Result<ArrayRef, InputError> {
    match to {
        SqlType::SmallInt => to_integer::<Int16Type>(array, to),
        SqlType::Integer => to_integer::<Int32Type>(array, to),
        SqlType::BigInt => to_integer::<Int64Type>(array, to),
        SqlType::Real => to_real(array),
        SqlType::Numeric(size) => to_numeric(array, size, to),
        _ => to_double(array),
    }
}

fn to_integer<T>(array: &ArrayRef, to: SqlType) -> Result<ArrayRef, InputError>
where
    T: ArrowPrimitiveType,
    T::Native: TryFrom<i64>,
{
    let value = rounded_reader(array);
    let type_name = to.base_name();
    let converted = convert::<T>(array, |row| {
        let value = value(row).and_then(|value| T::Native::try_from(value).ok());
        value.ok_or(InputError::OutOfRange { type_name })
    })?;
    Ok(Arc::new(converted))
}

/// The function that reads a row's number as an integer. Floating point is rounded half to even, decimals half away from
/// zero; that is how PostgreSQL's casts differ.
fn rounded_reader<'a>(array: &'a dyn Array) -> Box<dyn Fn(usize) -> Option<i64> + 'a> {
    if array.data_type().is_floating() {
        let float = float_reader(array);
        return Box::new(move |row| {
            let rounded = float(row).round_ties_even();
            (-BIGINT_END..BIGINT_END).contains(&rounded).then_some(rounded as i64)
        });
    }
    if array.data_type().is_decimal() {
        let decimal = decimal_reader(array);
        return Box::new(move |row| {
            let mut value = None;
            decimal(row, &mut |negative, digits, scale| {
                let scaled = WrittenNumber::from_digits(negative, digits, scale).at_scale(0);
                value = scaled.and_then(|scaled| i64::try_from(scaled.unscaled).ok());
            });
            value
        });
    }
    integer_reader(array)
}

fn to_numeric(array: &ArrayRef, size: Option<NumericSize>, to: SqlType) -> Result<ArrayRef, InputError> {
    let converted = if array.data_type().is_floating() {
        let text = float_text_reader(array);
        convert::<Decimal128Type>(array, |row| scalars::numeric(&text(row), size))?
    } else {
        let decimal = decimal_reader(array);
        convert::<Decimal128Type>(array, |row| {
            let mut value = Ok(0);
            decimal(row, &mut |negative, digits, scale| {
                let number = WrittenNumber::from_digits(negative, digits, scale);
                value = scalars::fit_numeric(&number, size, || decimal_text(negative, digits, scale));
            });
            value
        })?
    };
    Ok(Arc::new(converted.with_data_type(to.in_flight())))
}

fn decimal_text(negative: bool, digits: &[u8], scale: i8) -> String {
    let mut text = BytesMut::new();
    crate::numeric::write_text(negative, digits, scale, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// The function that reads a row's floating point number with the digits that PostgreSQL takes to `numeric`.
fn float_text_reader<'a>(array: &'a dyn Array) -> Box<dyn Fn(usize) -> String + 'a> {
    let digits = if *array.data_type() == DataType::Float64 { DOUBLE_DIGITS } else { REAL_DIGITS };
    let float = float_reader(array);
    Box::new(move |row| {
        let value = float(row);
        if value.is_finite() { format!("{value:.*e}", digits - 1) } else { value.to_string() }
    })
}

fn to_double(array: &ArrayRef) -> Result<ArrayRef, InputError> {
    let converted = if array.data_type().is_floating() {
        let float = float_reader(array);
        convert::<Float64Type>(array, |row| Ok(float(row)))?
    } else {
        let text = exact_text_reader(array);
        convert::<Float64Type>(array, |row| scalars::double(&text(row)))?
    };
    Ok(Arc::new(converted))
}

fn to_real(array: &ArrayRef) -> Result<ArrayRef, InputError> {
    let converted = if array.data_type().is_floating() {
        let float = float_reader(array);
        convert::<Float32Type>(array, |row| narrowed(float(row)))?
    } else {
        let text = exact_text_reader(array);
        convert::<Float32Type>(array, |row| scalars::real(&text(row)))?
    };
    Ok(Arc::new(converted))
}

fn narrowed(value: f64) -> Result<f32, InputError> {
    let narrow = value as f32;
    if narrow.is_infinite() && value.is_finite() {
        Err(InputError::FloatOverflow)
    } else if narrow == 0.0 && value != 0.0 {
        Err(InputError::FloatUnderflow)
    } else {
        Ok(narrow)
    }
}

/// The function that reads a row's integer or decimal as text: through it, the nearest floating point number is found
/// with one rounding.
fn exact_text_reader<'a>(array: &'a dyn Array) -> Box<dyn Fn(usize) -> String + 'a> {
    let decimal = decimal_reader(array);
    Box::new(move |row| {
        let mut text = String::new();
        decimal(row, &mut |negative, digits, scale| text = decimal_text(negative, digits, scale));
        text
    })
}

/// `None` when PostgreSQL does not convert between the two types.
fn to_datetime(array: &ArrayRef, to: SqlType) -> Option<Result<ArrayRef, InputError>> {
    use DataType::{Date32, Date64, Time32, Time64, Timestamp};
    match (array.data_type(), to) {
        (Date32 | Date64, SqlType::Date) => Some(date_to_date(array)),
        (Timestamp(_, _), SqlType::Date) => Some(timestamp_to_date(array)),
        (Date32 | Date64, SqlType::Timestamp | SqlType::TimestampTz) => Some(date_to_timestamp(array, to)),
        (Timestamp(_, _), SqlType::Timestamp | SqlType::TimestampTz) => Some(timestamp_to_timestamp(array, to)),
        (Time32(_) | Time64(_), SqlType::Time) => Some(time_to_time(array)),
        (Timestamp(_, _), SqlType::Time) => Some(timestamp_to_time(array)),
        _ => None,
    }
}

fn date_to_date(array: &ArrayRef) -> Result<ArrayRef, InputError> {
    let date = date_reader(array);
    let value = |row| date(row).ok_or(InputError::Output(OutputError::DateOutOfRange));
    Ok(Arc::new(convert::<Date32Type>(array, value)?))
}

fn timestamp_to_date(array: &ArrayRef) -> Result<ArrayRef, InputError> {
    let timestamp = timestamp_reader(array);
    let converted = convert::<Date32Type>(array, |row| match timestamp(row) {
        Some(TIMESTAMP_INFINITY) => Ok(DATE_INFINITY),
        Some(TIMESTAMP_MINUS_INFINITY) => Ok(DATE_MINUS_INFINITY),
        Some(timestamp_us) => Ok(timestamp_us.div_euclid(DAY_US) as i32),
        None => Err(InputError::Output(OutputError::TimestampOutOfRange)),
    })?;
    Ok(Arc::new(converted))
}

fn date_to_timestamp(array: &ArrayRef, to: SqlType) -> Result<ArrayRef, InputError> {
    let date = date_reader(array);
    let converted = convert::<TimestampMicrosecondType>(array, |row| match date(row) {
        Some(DATE_INFINITY) => Ok(TIMESTAMP_INFINITY),
        Some(DATE_MINUS_INFINITY) => Ok(TIMESTAMP_MINUS_INFINITY),
        day => day
            .and_then(|day| i64::from(day).checked_mul(DAY_US))
            .filter(|timestamp_us| *timestamp_us >= TIMESTAMP_MIN_US)
            .ok_or(InputError::DateOutOfRangeForTimestamp),
    })?;
    Ok(Arc::new(converted.with_data_type(to.in_flight())))
}

/// With and without zone are the same number, because the session is in UTC.
fn timestamp_to_timestamp(array: &ArrayRef, to: SqlType) -> Result<ArrayRef, InputError> {
    let timestamp = timestamp_reader(array);
    let value = |row| timestamp(row).ok_or(InputError::Output(OutputError::TimestampOutOfRange));
    let converted = convert::<TimestampMicrosecondType>(array, value)?;
    Ok(Arc::new(converted.with_data_type(to.in_flight())))
}

fn time_to_time(array: &ArrayRef) -> Result<ArrayRef, InputError> {
    let time = time_reader(array);
    Ok(Arc::new(convert::<Time64MicrosecondType>(array, |row| Ok(time(row)))?))
}

/// An infinite timestamp has no time of day: PostgreSQL makes it NULL.
fn timestamp_to_time(array: &ArrayRef) -> Result<ArrayRef, InputError> {
    let timestamp = timestamp_reader(array);
    let mut builder = Time64MicrosecondBuilder::with_capacity(array.len());
    for row in 0..array.len() {
        let value = if array.is_null(row) { Some(TIMESTAMP_INFINITY) } else { timestamp(row) };
        match value {
            Some(TIMESTAMP_INFINITY | TIMESTAMP_MINUS_INFINITY) => builder.append_null(),
            Some(timestamp_us) => builder.append_value(timestamp_us.rem_euclid(DAY_US)),
            None => return Err(InputError::Output(OutputError::TimestampOutOfRange)),
        }
    }
    Ok(Arc::new(builder.finish()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::sqlstate::SqlState;

    fn column(sql_type: SqlType) -> Column {
        Column { attribute_number: 1, name: "c".to_owned(), sql_type, not_null: false }
    }

    fn numeric(precision: u8, scale: i8) -> SqlType {
        SqlType::Numeric(Some(NumericSize { precision, scale }))
    }

    /// What a column holds after the assignment, in its text.
    fn assigned(array: impl Array + 'static, sql_type: SqlType) -> Result<Vec<Option<String>>, InputError> {
        let array: ArrayRef = Arc::new(array);
        let assigned = assign(&array, &column(sql_type), StringSource::TypedExpression)?;
        assert_eq!(*assigned.data_type(), sql_type.in_flight());
        let described = types::describe(&sql_type.field("c", true));
        let write = text_writer(&assigned, described.oid, described.typmod)?;
        let text = |row| {
            let mut out = BytesMut::new();
            write(row, &mut out).unwrap();
            String::from_utf8(out.to_vec()).unwrap()
        };
        Ok((0..assigned.len()).map(|row| assigned.is_valid(row).then(|| text(row))).collect())
    }

    fn check(array: impl Array + 'static, sql_type: SqlType, expected: &[&str]) {
        let expected: Vec<_> = expected.iter().map(|it| (*it != "NULL").then(|| (*it).to_owned())).collect();
        assert_eq!(assigned(array, sql_type).unwrap(), expected, "{sql_type}");
    }

    fn check_error(array: impl Array + 'static, sql_type: SqlType, sqlstate: SqlState, message: &str) {
        let error = assigned(array, sql_type).unwrap_err();
        assert_eq!((error.sqlstate(), error.to_string().as_str()), (sqlstate, message));
    }

    fn decimals(values: &[i128], precision: u8, scale: i8) -> Decimal128Array {
        Decimal128Array::from(values.to_vec()).with_precision_and_scale(precision, scale).unwrap()
    }

    const OUT_OF_RANGE: SqlState = SqlState::NUMERIC_VALUE_OUT_OF_RANGE;

    #[test]
    fn integers_are_checked_and_numbers_are_rounded_to_them() {
        check(Int64Array::from(vec![Some(1), None]), SqlType::SmallInt, &["1", "NULL"]);
        check(Float64Array::from(vec![0.5, 1.5, -2.5, 2.6]), SqlType::Integer, &["0", "2", "-2", "3"]);
        check(decimals(&[5, 15, -25, 149], 10, 1), SqlType::Integer, &["1", "2", "-3", "15"]);
        check_error(Int32Array::from(vec![40_000]), SqlType::SmallInt, OUT_OF_RANGE, "smallint out of range");
        check_error(UInt64Array::from(vec![u64::MAX]), SqlType::BigInt, OUT_OF_RANGE, "bigint out of range");
        for value in [f64::NAN, f64::INFINITY, 1e10] {
            check_error(Float64Array::from(vec![value]), SqlType::Integer, OUT_OF_RANGE, "integer out of range");
        }
        check_error(Float64Array::from(vec![BIGINT_END]), SqlType::BigInt, OUT_OF_RANGE, "bigint out of range");
    }

    #[test]
    fn numbers_become_floating_point_with_one_rounding() {
        check(decimals(&[1, 9_007_199_254_740_993], 20, 1), SqlType::Double, &["0.1", "900719925474099.2"]);
        check(Int64Array::from(vec![16_777_217]), SqlType::Real, &["1.6777216e+07"]);
        check(Float32Array::from(vec![0.1]), SqlType::Double, &["0.10000000149011612"]);
        check(Float64Array::from(vec![f64::NAN, f64::INFINITY]), SqlType::Real, &["NaN", "Infinity"]);
        check_error(Float64Array::from(vec![1e300]), SqlType::Real, OUT_OF_RANGE, "value out of range: overflow");
        check_error(Float64Array::from(vec![1e-300]), SqlType::Real, OUT_OF_RANGE, "value out of range: underflow");
    }

    #[test]
    fn numerics_are_rescaled() {
        check(decimals(&[1005, -1005, 1004], 10, 3), numeric(5, 2), &["1.01", "-1.01", "1.00"]);
        check(Int32Array::from(vec![7]), numeric(5, 2), &["7.00"]);
        check(Float64Array::from(vec![12345678901.234_567]), SqlType::Numeric(None), &["12345678901.2346"]);
        check(Float32Array::from(vec![0.1]), SqlType::Numeric(None), &["0.1"]);
        check(decimals(&[1], 30, 18), SqlType::Numeric(None), &["0.000000000000000001"]);
        check_error(Int32Array::from(vec![1000]), numeric(5, 2), OUT_OF_RANGE, "numeric field overflow");
        let message = "value \"0.0000000000000000001\" is out of range for type numeric";
        check_error(decimals(&[1], 38, 19), SqlType::Numeric(None), OUT_OF_RANGE, message);
        let unsupported = SqlState::FEATURE_NOT_SUPPORTED;
        check_error(
            Float64Array::from(vec![f64::NAN]),
            numeric(5, 2),
            unsupported,
            "NaN is not supported for type numeric",
        );
    }

    #[test]
    fn everything_becomes_a_string_through_its_text() {
        let varying = SqlType::Varchar(Some(5));
        check(BooleanArray::from(vec![true, false]), varying, &["true", "false"]);
        check(Int32Array::from(vec![Some(-12), None]), SqlType::Text, &["-12", "NULL"]);
        check(StringArray::from(vec!["abc   ", "a"]), SqlType::Char(3), &["abc", "a  "]);
        check(LargeStringArray::from(vec!["abcde   "]), varying, &["abcde"]);
        check(Date32Array::from(vec![0]), SqlType::Text, &["1970-01-01"]);
        let message = "value too long for type character varying(5)";
        let too_long = SqlState::STRING_DATA_RIGHT_TRUNCATION;
        check_error(Int32Array::from(vec![123_456]), varying, too_long, message);
        let dictionary: DictionaryArray<Int32Type> = [Some("x"), None, Some("x")].into_iter().collect();
        check(dictionary, SqlType::Text, &["x", "NULL", "x"]);
    }

    #[test]
    fn dates_and_timestamps_convert_and_keep_their_infinities() {
        let dates = || Date32Array::from(vec![1, DATE_INFINITY, DATE_MINUS_INFINITY]);
        check(dates(), SqlType::Timestamp, &["1970-01-02 00:00:00", "infinity", "-infinity"]);
        check(dates(), SqlType::TimestampTz, &["1970-01-02 00:00:00+00", "infinity", "-infinity"]);
        let timestamps = || TimestampMicrosecondArray::from(vec![-1, i64::MAX, i64::MIN]);
        check(timestamps(), SqlType::Date, &["1969-12-31", "infinity", "-infinity"]);
        check(timestamps(), SqlType::Time, &["23:59:59.999999", "NULL", "NULL"]);
        check(timestamps(), SqlType::TimestampTz, &["1969-12-31 23:59:59.999999+00", "infinity", "-infinity"]);
        let zoned = TimestampNanosecondArray::from(vec![1_500]).with_timezone("Europe/Berlin");
        check(zoned, SqlType::Timestamp, &["1970-01-01 00:00:00.000001"]);
        let overflow = SqlState::DATETIME_FIELD_OVERFLOW;
        let message = "date out of range for timestamp";
        check_error(Date32Array::from(vec![2_145_042_905]), SqlType::Timestamp, overflow, message);
        check_error(TimestampSecondArray::from(vec![i64::MAX - 1]), SqlType::Date, overflow, "timestamp out of range");
    }

    #[test]
    fn what_needs_a_cast_is_refused() {
        for (sql_type, expected) in [
            (SqlType::Boolean, "column \"c\" is of type boolean but expression is of type integer"),
            (SqlType::Date, "column \"c\" is of type date but expression is of type integer"),
            (SqlType::Bytea, "column \"c\" is of type bytea but expression is of type integer"),
        ] {
            check_error(Int32Array::from(vec![1]), sql_type, SqlState::DATATYPE_MISMATCH, expected);
        }
        let message = "column \"c\" is of type integer but expression is of type text";
        check_error(StringArray::from(vec!["1"]), SqlType::Integer, SqlState::DATATYPE_MISMATCH, message);
        let message = "column \"c\" is of type date but expression is of type time without time zone";
        check_error(Time64MicrosecondArray::from(vec![1]), SqlType::Date, SqlState::DATATYPE_MISMATCH, message);
    }

    #[test]
    fn an_untyped_literal_is_read_as_the_column() {
        let literals: ArrayRef = Arc::new(StringArray::from(vec![Some(" 7 "), None]));
        let assigned = assign(&literals, &column(SqlType::Integer), StringSource::UntypedLiteral).unwrap();
        assert_eq!(assigned.as_primitive::<Int32Type>(), &Int32Array::from(vec![Some(7), None]));
    }
}
