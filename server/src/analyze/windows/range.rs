//! Frames of RANGE with an offset: what rows are ordered by, and the offset, in a form that the engine adds and compares
//! exactly as PostgreSQL's `in_range` functions do.

use datafusion::common::ScalarValue;
use pg::error::{PgError, Result};
use pg::function::CastContext;
use pg::sqlstate::SqlState;
use pg::types::*;
use pg::{Type, library};

use crate::analyze::Analyzer;
use crate::analyze::coerce::{can_coerce, native};
use crate::analyze::typed::Typed;

const DAY_US: i128 = 86_400_000_000;
const DAYS_OF_MONTH: i128 = 30;

/// Whole numbers, with room for an offset beyond the largest of them.
fn whole() -> Type {
    Type::numeric(38, 0)
}

impl Analyzer<'_> {
    /// The value that rows are ordered by, in a type that the engine adds offsets to.
    pub(super) fn range_key(&mut self, value: Typed) -> Result<Typed> {
        let wanted = match value.ty.oid {
            INT2 | INT4 | INT8 => return Ok(native(value, whole())),
            FLOAT4 => Type::of(FLOAT8),
            DATE => Type::of(TIMESTAMP),
            NUMERIC => return Ok(native(value.clone(), wide(&value.ty))),
            // The microseconds of a day, which the offset may leave.
            TIME => return Ok(native(native(value, Type::of(INT8)), whole())),
            INTERVAL => {
                let order = library::functions("interval_order").first().copied();
                let order = order.ok_or_else(|| PgError::internal("there is no interval_order"))?;
                return self.call(order, order.arguments.to_vec(), vec![value]);
            }
            FLOAT8 | TIMESTAMP | TIMESTAMPTZ => return Ok(value),
            _ => return Err(no_range(&value.ty)),
        };
        self.coerce(value, &wanted, CastContext::Implicit)
    }
}

fn no_range(ty: &Type) -> PgError {
    let message = format!("RANGE with offset PRECEDING/FOLLOWING is not supported for column type {}", ty.name());
    PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message)
}

/// A numeric with the digits of this one and room for more.
fn wide(ty: &Type) -> Type {
    let (precision, scale) = ty.digits().unwrap_or((38, 18));
    Type::numeric(if precision <= 38 { 38 } else { 76 }, scale)
}

/// The type that an offset has for rows that are ordered by this one.
///
/// # Errors
/// 0A000 when there is no such offset for it.
pub(super) fn offset_type(order: &Type, offset: &Typed) -> Result<Type> {
    let wanted = match order.oid {
        INT2 | INT4 | INT8 => INT8,
        FLOAT4 | FLOAT8 => FLOAT8,
        NUMERIC => NUMERIC,
        DATE | TIME | TIMESTAMP | TIMESTAMPTZ | INTERVAL => INTERVAL,
        _ => return Err(no_range(order)),
    };
    if !offset.is_unknown() && !can_coerce(offset.ty.oid, wanted, CastContext::Implicit) {
        let message = format!(
            "RANGE with offset PRECEDING/FOLLOWING is not supported for column type {} and offset type {}",
            order.name(),
            offset.ty.name()
        );
        return Err(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message)
            .with_hint("Cast the offset value to an appropriate type."));
    }
    Ok(if wanted == NUMERIC { wide(order) } else { Type::of(wanted) })
}

/// The offset as it is added to the key.
///
/// # Errors
/// 22013 for a negative one, 0A000 for an infinite one.
pub(super) fn offset(order: &Type, value: &ScalarValue) -> Result<ScalarValue> {
    let negative = || {
        let message = "invalid preceding or following size in window function";
        PgError::new(SqlState::INVALID_PRECEDING_OR_FOLLOWING_SIZE, message)
    };
    let whole_number = |number: i128| match number < 0 {
        true => Err(negative()),
        false => Ok(ScalarValue::Decimal128(Some(number), 38, 0)),
    };
    match (order.oid, value) {
        (TIME, ScalarValue::IntervalMonthDayNano(Some(interval))) => {
            whole_number(i128::from(interval.nanoseconds / 1_000))
        }
        (INTERVAL, ScalarValue::IntervalMonthDayNano(Some(interval))) => whole_number(span_us(interval)),
        (_, ScalarValue::IntervalMonthDayNano(Some(interval))) => match span_us(interval) < 0 {
            true => Err(negative()),
            false => Ok(value.clone()),
        },
        (_, ScalarValue::Int64(Some(number))) => whole_number(i128::from(*number)),
        (_, ScalarValue::Float64(Some(number))) if number.is_infinite() && *number > 0.0 => {
            Err(PgError::not_supported("an infinite frame offset"))
        }
        (_, ScalarValue::Float64(Some(number))) if number.is_nan() || *number < 0.0 => Err(negative()),
        (NUMERIC, value) => {
            let value = value.cast_to(&wide(order).arrow)?;
            let zero = ScalarValue::new_zero(&value.data_type())?;
            if value < zero { Err(negative()) } else { Ok(value) }
        }
        _ => Ok(value.clone()),
    }
}

/// How long an interval is by the measure that intervals are ordered by.
fn span_us(interval: &arrow::datatypes::IntervalMonthDayNano) -> i128 {
    let days = i128::from(interval.months) * DAYS_OF_MONTH + i128::from(interval.days);
    days * DAY_US + i128::from(interval.nanoseconds / 1_000)
}
