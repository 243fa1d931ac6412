//! A value of any type from its text: what PostgreSQL's input functions do with a constant.

use arrow::datatypes::*;
use datafusion_common::ScalarValue;

use super::scalars;
use crate::error::{PgError, Result};
use crate::expression_type::Type;

use crate::session::SessionValues;
use crate::types::*;

/// Reads a value. Its type is the wanted one; of a numeric without modifier, with as many digits as were written.
///
/// # Errors
/// The text is not a value of the type, or not one that the modifier allows.
pub fn value(wanted: &Type, text: &str, session: &SessionValues) -> Result<(Type, ScalarValue)> {
    let _ = session;
    let scalar = match wanted.oid {
        BOOL => ScalarValue::Boolean(Some(scalars::boolean(text)?)),
        INT2 => ScalarValue::Int16(Some(scalars::integer(text, "smallint")?)),
        INT4 => ScalarValue::Int32(Some(scalars::integer(text, "integer")?)),
        INT8 => ScalarValue::Int64(Some(scalars::integer(text, "bigint")?)),
        OID => ScalarValue::UInt32(Some(scalars::integer(text, "oid")?)),
        FLOAT4 => ScalarValue::Float32(Some(scalars::real(text)?)),
        FLOAT8 => ScalarValue::Float64(Some(scalars::double(text)?)),
        NUMERIC => return numeric(text),
        BYTEA => ScalarValue::BinaryView(Some(scalars::bytea(text)?)),
        DATE => ScalarValue::Date32(Some(scalars::date(text)?)),
        TIME => ScalarValue::Time64Microsecond(Some(scalars::time(text)?)),
        TIMESTAMP => ScalarValue::TimestampMicrosecond(Some(scalars::timestamp(text)?), None),
        TIMESTAMPTZ => ScalarValue::TimestampMicrosecond(Some(scalars::timestamp_with_zone(text)?), Some("UTC".into())),
        INTERVAL => ScalarValue::IntervalMonthDayNano(Some(crate::function::interval_value(scalars::interval(text)?)?)),
        TEXT | VARCHAR | BPCHAR | NAME | CHAR | UNKNOWN | JSON | JSONB => ScalarValue::Utf8View(Some(text.to_owned())),
        _ => return Err(PgError::not_supported(format!("a constant of type {}", wanted.name()))),
    };
    Ok((wanted.clone(), scalar))
}

/// A number with its own scale.
fn numeric(text: &str) -> Result<(Type, ScalarValue)> {
    let number = scalars::written_number(text)?;
    let too_wide = || PgError::out_of_range("numeric");
    let scale = i8::try_from(number.scale()).ok().filter(|scale| *scale <= 38).ok_or_else(too_wide)?;
    let unscaled = number.at_scale(i64::from(scale)).ok_or_else(too_wide)?.unscaled;
    let digits = unscaled.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1) as u8;
    let ty = Type::numeric(digits.max(scale.unsigned_abs()).max(1), scale);
    let value = match ty.arrow {
        DataType::Decimal128(precision, scale) => ScalarValue::Decimal128(Some(unscaled), precision, scale),
        _ => return Err(too_wide()),
    };
    Ok((ty, value))
}
