//! Values in the protocol's binary format, as PostgreSQL's receive functions read them.

use datafusion::common::ScalarValue;
use pg::datetime::{
    DATE_INFINITY, DATE_MINUS_INFINITY, DAY_MAX, DAY_MIN, DAY_US, EPOCH_2000_DAYS, EPOCH_2000_US, Interval,
    TIMESTAMP_INFINITY, TIMESTAMP_MIN_US, TIMESTAMP_MINUS_INFINITY,
};
use pg::error::Result;
use pg::function::value::{canonical_f32, canonical_f64};
use pg::function::{Date, Oid, ResultBuilder, ResultValue, Time, TimeTz, Timestamp, Uuid};
use pg::input::{array, scalars};
use pg::numeric::{NumericError, binary_to_text};
use pg::sqlstate::SqlState;
use pg::types::*;
use pg::user_types::{base_type, is_composite, is_domain};
use pg::{PgError, SessionValues, Type};

use super::from_text;
use crate::plan::carried;

/// The first byte of a jsonb or jsonpath value: the version of its format.
const JSON_VERSION: u8 = 1;
/// The length that stands for NULL.
const NULL_LENGTH: i32 = -1;
/// Seconds from UTC that a zone is less than.
const OFFSET_END_S: i32 = 16 * 3600;

/// The value of this type that the bytes are.
pub(super) fn value(ty: &Type, bytes: &[u8], session: &SessionValues) -> Result<ScalarValue> {
    match ty.oid {
        BOOL => single(ty, fixed::<1>(ty, bytes)? != [0]),
        INT2 => single(ty, i16::from_be_bytes(fixed(ty, bytes)?)),
        INT4 => single(ty, i32::from_be_bytes(fixed(ty, bytes)?)),
        INT8 => single(ty, i64::from_be_bytes(fixed(ty, bytes)?)),
        FLOAT4 => single(ty, canonical_f32(f32::from_be_bytes(fixed(ty, bytes)?))),
        FLOAT8 => single(ty, canonical_f64(f64::from_be_bytes(fixed(ty, bytes)?))),
        NUMERIC => from_text(ty, &numeric_text(bytes)?, session),
        BYTEA => single(ty, bytes),
        DATE => single(ty, Date(date(i32::from_be_bytes(fixed(ty, bytes)?))?)),
        TIME => single(ty, Time(time(i64::from_be_bytes(fixed(ty, bytes)?))?)),
        TIMETZ => single(ty, time_with_zone(ty, bytes)?),
        TIMESTAMP | TIMESTAMPTZ => single(ty, Timestamp(timestamp(i64::from_be_bytes(fixed(ty, bytes)?))?)),
        INTERVAL => single(ty, interval(ty, bytes)?),
        UUID => single(ty, Uuid(fixed(ty, bytes)?)),
        CHAR => single(ty, scalars::char_text(u8::from_be_bytes(fixed(ty, bytes)?))),
        JSONB | JSONPATH => match bytes.split_first() {
            Some((&JSON_VERSION, text)) => from_text(ty, &session.client_encoding.decode(text)?, session),
            _ => Err(invalid(ty)),
        },
        oid if is_object_number(oid) => single(ty, Oid(u32::from_be_bytes(fixed(ty, bytes)?))),
        oid => match element_type(oid) {
            Some(element) => elements(&Type::of(element), ty, bytes, session),
            None if is_composite(oid) => {
                Err(PgError::not_supported(format!("a binary parameter of composite type {}", ty.name())))
            }
            None if is_domain(oid) => value(&base_type(ty), bytes, session),
            None => from_text(ty, &session.client_encoding.decode(bytes)?, session),
        },
    }
}

fn invalid(ty: &Type) -> PgError {
    let message = format!("incorrect binary data format for type {}", ty.name());
    PgError::new(SqlState::INVALID_BINARY_REPRESENTATION, message)
}

fn fixed<const N: usize>(ty: &Type, bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| invalid(ty))
}

fn single<R: ResultValue>(ty: &Type, value: R) -> Result<ScalarValue> {
    let mut builder = R::Builder::new(ty, 1)?;
    value.append(&mut builder)?;
    Ok(ScalarValue::try_from_array(&builder.finish()?, 0)?)
}

fn out_of_range(type_name: &str) -> PgError {
    PgError::new(SqlState::DATETIME_FIELD_OVERFLOW, format!("{type_name} out of range"))
}

/// Infinities are the extreme values on both sides. No other value may become one.
pub(super) fn date(days: i32) -> Result<i32> {
    if matches!(days, DATE_INFINITY | DATE_MINUS_INFINITY) {
        return Ok(days);
    }
    let day = days.checked_add(EPOCH_2000_DAYS);
    day.filter(|day| (DAY_MIN..=DAY_MAX).contains(&i64::from(*day))).ok_or_else(|| out_of_range("date"))
}

pub(super) fn time(time_us: i64) -> Result<i64> {
    if (0..=DAY_US).contains(&time_us) { Ok(time_us) } else { Err(out_of_range("time")) }
}

/// The zone is sent as seconds west of UTC.
fn time_with_zone(ty: &Type, bytes: &[u8]) -> Result<TimeTz> {
    let (time_us, west_s) = bytes.split_first_chunk().ok_or_else(|| invalid(ty))?;
    let west_s = i32::from_be_bytes(fixed(ty, west_s)?);
    if !(-OFFSET_END_S + 1..OFFSET_END_S).contains(&west_s) {
        let message = "time zone displacement out of range";
        return Err(PgError::new(SqlState::INVALID_TIME_ZONE_DISPLACEMENT_VALUE, message));
    }
    Ok(TimeTz { time_us: time(i64::from_be_bytes(*time_us))?, offset_s: -west_s })
}

/// As for dates.
pub(super) fn timestamp(since_2000_us: i64) -> Result<i64> {
    if matches!(since_2000_us, TIMESTAMP_INFINITY | TIMESTAMP_MINUS_INFINITY) {
        return Ok(since_2000_us);
    }
    let timestamp_us = since_2000_us.checked_add(EPOCH_2000_US);
    let in_range = |timestamp_us: &i64| (TIMESTAMP_MIN_US..TIMESTAMP_INFINITY).contains(timestamp_us);
    timestamp_us.filter(in_range).ok_or_else(|| out_of_range("timestamp"))
}

fn interval(ty: &Type, bytes: &[u8]) -> Result<Interval> {
    let (time_us, rest) = bytes.split_first_chunk().ok_or_else(|| invalid(ty))?;
    let (days, months) = rest.split_first_chunk().ok_or_else(|| invalid(ty))?;
    let months = i32::from_be_bytes(fixed(ty, months)?);
    Ok(Interval { months, days: i32::from_be_bytes(*days), time_us: i64::from_be_bytes(*time_us) })
}

pub(super) fn numeric_text(bytes: &[u8]) -> Result<String> {
    binary_to_text(bytes).map_err(|error| match error {
        NumericError::Special(_) => PgError::not_supported("NaN or infinity as a value of type numeric"),
        NumericError::Syntax => invalid(&Type::of(NUMERIC)),
    })
}

/// What is left to be read of an array.
struct Reader<'a> {
    ty: &'a Type,
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn number(&mut self) -> Result<i32> {
        let (number, rest) = self.bytes.split_first_chunk().ok_or_else(|| invalid(self.ty))?;
        self.bytes = rest;
        Ok(i32::from_be_bytes(*number))
    }

    fn element(&mut self) -> Result<Option<&'a [u8]>> {
        let length = self.number()?;
        if length == NULL_LENGTH {
            return Ok(None);
        }
        let length = usize::try_from(length).map_err(|_| invalid(self.ty))?;
        let (bytes, rest) = self.bytes.split_at_checked(length).ok_or_else(|| invalid(self.ty))?;
        self.bytes = rest;
        Ok(Some(bytes))
    }
}

/// An array: dimensions, whether there are NULLs, the element type, length and lower bound of each dimension, then the
/// elements, each after its length.
fn elements(element: &Type, ty: &Type, bytes: &[u8], session: &SessionValues) -> Result<ScalarValue> {
    let mut reader = Reader { ty, bytes };
    let dimensions = usize::try_from(reader.number()?).ok().filter(|count| *count <= array::DIMENSIONS_MAX);
    let dimensions = dimensions.ok_or_else(|| invalid(ty))?;
    reader.number()?;
    if reader.number()?.cast_unsigned() != element.oid {
        return Err(PgError::new(SqlState::DATATYPE_MISMATCH, "wrong element type"));
    }
    let mut lengths = Vec::with_capacity(dimensions);
    for _ in 0..dimensions {
        lengths.push(usize::try_from(reader.number()?).map_err(|_| invalid(ty))?);
        if reader.number()? != 1 {
            return Err(PgError::not_supported("an array whose lower bound is not 1"));
        }
    }
    let count = lengths.iter().try_fold(usize::from(dimensions > 0), |count, length| count.checked_mul(*length));
    // Each element has at least its length.
    let count = count.filter(|count| *count <= reader.bytes.len() / 4).ok_or_else(|| invalid(ty))?;
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        values.push(match reader.element()? {
            Some(bytes) => carried(&value(element, bytes, session)?, element)?,
            None => ScalarValue::try_from(&element.arrow)?,
        });
    }
    if !reader.bytes.is_empty() {
        return Err(invalid(ty));
    }
    if values.is_empty() {
        let empty = arrow::array::new_empty_array(&element.arrow);
        return Ok(ScalarValue::try_from_array(&array::nested(empty, &[0])?, 0)?);
    }
    Ok(ScalarValue::try_from_array(&array::nested(ScalarValue::iter_to_array(values)?, &lengths)?, 0)?)
}
