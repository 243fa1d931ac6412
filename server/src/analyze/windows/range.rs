//! Frames of RANGE with an offset: what rows are ordered by, and what the offset reaches to, in a form that is added and
//! compared exactly as PostgreSQL's `in_range` functions do.

use datafusion::common::ScalarValue;
use pg::error::{PgError, Result};
use pg::function::{CastContext, Function};
use pg::library::aggregate::{
    OFFSET_INTERVAL, RANGE_BOUND_FLOAT, RANGE_BOUND_NUMERIC, TIME_OF_INTERVAL, TIMETZ_OF_INTERVAL,
};
use pg::sqlstate::SqlState;
use pg::types::*;
use pg::{Type, library};

use crate::analyze::Analyzer;
use crate::analyze::call::bound_call;
use crate::analyze::coerce::{can_coerce, native};
use crate::analyze::typed::Typed;

/// Digits that a `Decimal128` has.
const NARROW_DIGITS: u8 = 38;
/// Digits that a `Decimal256` has.
const WIDE_DIGITS: u8 = 76;

/// In which direction a bound is, and which one it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    /// Whether it is at lesser values.
    pub subtract: bool,
    /// Whether the frame ends there.
    pub is_end: bool,
    /// Whether the rows are in descending order.
    pub descending: bool,
}

/// Whole numbers, with room for an offset beyond the largest of them.
fn whole() -> Type {
    Type::numeric(NARROW_DIGITS, 0)
}

impl Analyzer<'_> {
    /// The value that rows are ordered by, in a type that offsets of these types are added to.
    pub(super) fn range_key(&mut self, value: Typed, offsets: &[&Type]) -> Result<Typed> {
        let wanted = match value.ty.oid {
            INT2 | INT4 | INT8 => return Ok(native(value, whole())),
            FLOAT4 => Type::of(FLOAT8),
            DATE => Type::of(TIMESTAMP),
            NUMERIC => {
                let wanted = wide(&value.ty, offsets);
                return Ok(native(value, wanted));
            }
            // The microseconds of a day, which the offset may leave.
            TIME => return Ok(native(native(value, Type::of(INT8)), whole())),
            INTERVAL => return self.place_in_order("interval_order", value),
            TIMETZ => return self.place_in_order("timetz_order", value),
            FLOAT8 | TIMESTAMP | TIMESTAMPTZ => return Ok(value),
            _ => return Err(no_range(&value.ty)),
        };
        self.coerce(value, &wanted, CastContext::Implicit)
    }

    fn place_in_order(&mut self, name: &str, value: Typed) -> Result<Typed> {
        let order = library::functions(name).first().copied();
        let order = order.ok_or_else(|| PgError::internal(format!("there is no {name}")))?;
        self.call(order, order.arguments.to_vec(), vec![value])
    }

    /// What a bound of the frame reaches to, for rows that are ordered by a value of this type and have this key.
    pub(super) fn range_bound(&mut self, order: &Type, key: &Typed, offset: Typed, reach: Reach) -> Result<Typed> {
        let is_end = Typed::boolean(reach.is_end);
        let bound = |function: &'static Function, arguments: Vec<Typed>, result: Type, analyzer: &Self| {
            bound_call(function, arguments, result, CastContext::Implicit, &analyzer.session)
        };
        let offset = match order.oid {
            DATE | TIMESTAMP | TIMESTAMPTZ => {
                let offset = bound(&OFFSET_INTERVAL, vec![offset, is_end], Type::of(INTERVAL), self)?;
                let symbol = if reach.subtract { "-" } else { "+" };
                return self.operator(symbol, vec![key.clone(), offset]);
            }
            FLOAT4 | FLOAT8 => {
                let less = Typed::boolean(reach.is_end != reach.descending);
                let arguments = vec![key.clone(), offset, Typed::boolean(reach.subtract), less, is_end];
                return bound(&RANGE_BOUND_FLOAT, arguments, Type::of(FLOAT8), self);
            }
            TIME => bound(&TIME_OF_INTERVAL, vec![offset], whole(), self)?,
            TIMETZ => bound(&TIMETZ_OF_INTERVAL, vec![offset], whole(), self)?,
            INTERVAL => self.place_in_order("interval_order", offset)?,
            _ => offset,
        };
        let arguments = vec![key.clone(), native(offset, key.ty.clone()), Typed::boolean(reach.subtract), is_end];
        bound(&RANGE_BOUND_NUMERIC, arguments, key.ty.clone(), self)
    }
}

fn no_range(ty: &Type) -> PgError {
    let message = format!("RANGE with offset PRECEDING/FOLLOWING is not supported for column type {}", ty.name());
    PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message)
}

/// A numeric with the digits of this one and of these, and room for more.
fn wide(ty: &Type, others: &[&Type]) -> Type {
    let digits = |ty: &Type| ty.digits().unwrap_or((NARROW_DIGITS, 18));
    let all: Vec<_> = others.iter().map(|ty| digits(ty)).chain([digits(ty)]).collect();
    let scale = all.iter().map(|(_, scale)| *scale).max().unwrap_or_default();
    let before = all.iter().map(|(precision, scale)| i16::from(*precision) - i16::from(*scale)).max();
    let precision = before.unwrap_or_default() + i16::from(scale);
    Type::numeric(if precision <= i16::from(NARROW_DIGITS) { NARROW_DIGITS } else { WIDE_DIGITS }, scale)
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
        DATE | TIME | TIMETZ | TIMESTAMP | TIMESTAMPTZ | INTERVAL => INTERVAL,
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
    Ok(Type::of(wanted))
}

/// The offset as the engine adds it to the key; nothing where it cannot.
///
/// # Errors
/// 22013 for a negative one.
pub(super) fn engine_offset(order: &Type, offset: &Typed) -> Option<Result<ScalarValue>> {
    let negative = || {
        let message = "invalid preceding or following size in window function";
        Err(PgError::new(SqlState::INVALID_PRECEDING_OR_FOLLOWING_SIZE, message))
    };
    match (order.oid, offset.value()?) {
        (INT2 | INT4 | INT8, ScalarValue::Int64(Some(number))) => Some(match *number < 0 {
            true => negative(),
            false => Ok(ScalarValue::Decimal128(Some(i128::from(*number)), NARROW_DIGITS, 0)),
        }),
        (FLOAT4 | FLOAT8, value @ ScalarValue::Float64(Some(number))) if number.is_finite() => {
            Some(if *number < 0.0 { negative() } else { Ok(value.clone()) })
        }
        (NUMERIC, value) => {
            let wanted = wide(order, &[]);
            if wide(order, &[&offset.ty]) != wanted {
                return None;
            }
            let value = match value.cast_to(&wanted.arrow) {
                Ok(value) => value,
                Err(error) => return Some(Err(error.into())),
            };
            match ScalarValue::new_zero(&value.data_type()) {
                Ok(zero) if value < zero => Some(negative()),
                Ok(_) => Some(Ok(value)),
                Err(error) => Some(Err(error.into())),
            }
        }
        _ => None,
    }
}
