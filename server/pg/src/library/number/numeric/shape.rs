//! The types of results.

use datafusion_common::ScalarValue;

use crate::error::{PgError, Result};
use crate::expression_type::{NUMERIC_PRECISION_IN_FLIGHT_MAX, Type};
use crate::function::{ArgumentShape, Numeric};

/// Digits of the widest result.
pub const DIGITS_MAX: i32 = NUMERIC_PRECISION_IN_FLIGHT_MAX as i32;

/// Digits after the point of a quotient, a root or a logarithm, at least. PostgreSQL has as many where the result is
/// between 0.0001 and 1, and fewer where it is larger.
pub const SCALE_MIN: i32 = 20;

/// How many digits the values of an argument have at most.
#[derive(Debug, Clone, Copy)]
pub struct Digits {
    /// In all.
    pub precision: i32,
    /// After the point.
    pub scale: i32,
}

impl Digits {
    /// Those of an argument: of a constant, its own.
    pub fn of(argument: &ArgumentShape<'_>) -> Result<Self> {
        if let Some(constant) = constant(argument) {
            return Ok(Digits { precision: count(constant), scale: i32::from(constant.scale) });
        }
        let (precision, scale) = argument.ty.digits().unwrap_or((1, 0));
        let (precision, scale) = (i32::from(precision), i32::from(scale));
        // A column of numeric(5, -2) holds multiples of a hundred.
        Ok(match scale < 0 {
            true => Digits { precision: precision.saturating_sub(scale), scale: 0 },
            false => Digits { precision, scale },
        })
    }

    /// Those before the point; below zero when there are zeros behind it.
    pub fn before_point(self) -> i32 {
        self.precision - self.scale
    }

    /// Those before the point, if any.
    pub fn integer(self) -> i32 {
        self.before_point().max(0)
    }
}

/// The argument's value, if it is a constant and not NULL. It has no negative scale.
pub fn constant(argument: &ArgumentShape<'_>) -> Option<Numeric> {
    use arrow::datatypes::i256;
    let number = match argument.constant? {
        ScalarValue::Decimal128(Some(value), _, scale) => Numeric::new(i256::from_i128(*value), *scale),
        ScalarValue::Decimal256(Some(value), _, scale) => Numeric::new(*value, *scale),
        ScalarValue::Int16(Some(value)) => Numeric::from_i128(i128::from(*value)),
        ScalarValue::Int32(Some(value)) => Numeric::from_i128(i128::from(*value)),
        ScalarValue::Int64(Some(value)) => Numeric::from_i128(i128::from(*value)),
        _ => return None,
    };
    without_negative_scale(number)
}

/// The same number with a scale that is not negative.
pub fn without_negative_scale(number: Numeric) -> Option<Numeric> {
    if number.scale < 0 { number.at_scale(0) } else { Some(number) }
}

/// Digits of the number without its point, at least one.
pub fn count(number: Numeric) -> i32 {
    number.unscaled.wrapping_abs().checked_ilog10().map_or(1, |log| log as i32 + 1)
}

/// The type of numbers with so many digits before and after the point, cut to what there is.
pub fn numeric(integer: i32, scale: i32) -> Type {
    let scale = scale.clamp(0, DIGITS_MAX);
    let precision = integer.max(0).saturating_add(scale).clamp(scale.max(1), DIGITS_MAX);
    Type::numeric(precision as u8, scale as i8)
}

/// The argument of this number.
pub fn argument<'a, 'b>(arguments: &'a [ArgumentShape<'b>], number: usize) -> Result<&'a ArgumentShape<'b>> {
    arguments.get(number).ok_or_else(|| PgError::internal("a function lacks an argument"))
}

/// The digits of the argument of this number.
pub fn digits(arguments: &[ArgumentShape<'_>], number: usize) -> Result<Digits> {
    Digits::of(argument(arguments, number)?)
}

/// The type of the argument.
pub fn same(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let (precision, scale) = argument(arguments, 0)?.ty.digits().unwrap_or((1, 0));
    let (precision, scale) = (i32::from(precision), i32::from(scale));
    Ok(numeric(precision - scale, scale))
}
