//! Decimal numbers: fewer digits, and to and from binary fractions.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Float32Array, Float64Array};
use arrow::compute::kernels::cmp;
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, Float64Type};

use super::{Misfit, strict_cast};

/// Largest integer up to which a double holds every integer.
const DOUBLE_INTEGERS_MAX: u128 = 1 << 53;
/// Largest power of ten that a double holds exactly.
const DOUBLE_POWER_MAX: usize = 22;

/// Most digits, and digits after the point, of numbers of this type; none if it is neither integer nor decimal.
pub(super) fn digits_and_scale(data_type: &DataType) -> Option<(i16, i16)> {
    use DataType::*;
    Some(match data_type {
        Int8 | UInt8 => (3, 0),
        Int16 | UInt16 => (5, 0),
        Int32 | UInt32 => (10, 0),
        Int64 => (19, 0),
        UInt64 => (20, 0),
        Decimal32(digits, scale) | Decimal64(digits, scale) | Decimal128(digits, scale) | Decimal256(digits, scale) => {
            (i16::from(*digits), i16::from(*scale))
        }
        _ => return None,
    })
}

/// Fewer digits after the point. The engine rounds half away from zero, as PostgreSQL does.
pub(super) fn rescale(array: &ArrayRef, declared: &DataType, is_exact: bool) -> Result<ArrayRef, Misfit> {
    let rescaled = strict_cast(array, declared)?;
    if is_exact {
        let back = strict_cast(&rescaled, array.data_type())?;
        let differs = cmp::neq(&back, array).map_err(|_| Misfit::OutOfRange)?;
        if differs.has_true() {
            return Err(Misfit::OutOfRange);
        }
    }
    Ok(rescaled)
}

/// Significant digits of a binary fraction; more would be digits that nobody has written.
pub(super) fn from_float(array: &ArrayRef, declared: &DataType, digits: u8) -> Result<ArrayRef, Misfit> {
    let DataType::Decimal128(precision, scale) = *declared else {
        return Err(Misfit::OutOfRange);
    };
    let doubles = strict_cast(array, &DataType::Float64)?;
    let round = |value: f64| round_significant(value, digits, precision, scale).ok_or(Misfit::OutOfRange);
    let decimals = doubles.as_primitive::<Float64Type>().try_unary::<_, Decimal128Type, _>(round)?;
    let decimals = decimals.with_precision_and_scale(precision, scale).map_err(|_| Misfit::OutOfRange)?;
    Ok(Arc::new(decimals))
}

fn round_significant(value: f64, digits: u8, precision: u8, scale: i8) -> Option<i128> {
    if !value.is_finite() {
        return None;
    }
    // "-1.23450e-7": the digits as a whole number, and the power of ten that belongs to the last one.
    let text = format!("{value:.*e}", usize::from(digits) - 1);
    let (mantissa, exponent) = text.split_once('e')?;
    let whole: i128 = mantissa.replace('.', "").parse().ok()?;
    let power = exponent.parse::<i32>().ok()? - i32::from(digits) + 1 + i32::from(scale);
    let scaled = if power >= 0 {
        if whole == 0 { 0 } else { whole.checked_mul(power_of_ten(power)?)? }
    } else {
        power_of_ten(-power).map_or(0, |divisor| divide_rounding(whole, divisor))
    };
    (scaled.unsigned_abs() < power_of_ten(precision.into())?.unsigned_abs()).then_some(scaled)
}

fn power_of_ten(power: i32) -> Option<i128> {
    10_i128.checked_pow(power.try_into().ok()?)
}

/// Half away from zero.
fn divide_rounding(value: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (value / divisor, value % divisor);
    if rest.unsigned_abs() >= divisor.unsigned_abs().div_ceil(2) { quotient + value.signum() } else { quotient }
}

/// The nearest binary fraction.
pub(super) fn to_float(array: &ArrayRef, declared: &DataType) -> Result<ArrayRef, Misfit> {
    let (_, scale) = digits_and_scale(array.data_type()).ok_or(Misfit::OutOfRange)?;
    let scale = scale.clamp(0, i16::from(DECIMAL128_MAX_PRECISION)) as i8;
    let decimals = strict_cast(array, &DataType::Decimal128(DECIMAL128_MAX_PRECISION, scale))?;
    let decimals: &Decimal128Array = decimals.as_primitive();
    let scale = scale as usize;
    Ok(match declared {
        DataType::Float32 => {
            Arc::new(decimals.iter().map(|it| it.map(|it| parsed(it, scale))).collect::<Float32Array>())
        }
        _ => Arc::new(decimals.iter().map(|it| it.map(|it| nearest_double(it, scale))).collect::<Float64Array>()),
    })
}

fn nearest_double(value: i128, scale: usize) -> f64 {
    if value.unsigned_abs() <= DOUBLE_INTEGERS_MAX && scale <= DOUBLE_POWER_MAX {
        // Both are exact, so their quotient is the nearest there is.
        return value as f64 / 10_f64.powi(scale as i32);
    }
    parsed(value, scale)
}

/// Reading a number's text gives the nearest value by definition.
fn parsed<T: std::str::FromStr + Default>(value: i128, scale: usize) -> T {
    format!("{value}e-{scale}").parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_double_has_fifteen_digits_and_a_real_six() {
        assert_eq!(round_significant(0.1, 15, 38, 18), Some(100_000_000_000_000_000));
        assert_eq!(round_significant(123.456, 15, 38, 18), Some(123_456_000_000_000_000_000));
        assert_eq!(round_significant(f64::from(0.1_f32), 6, 10, 2), Some(10));
        assert_eq!(round_significant(0.0, 15, 5, 2), Some(0));
        assert_eq!(round_significant(-0.0, 15, 5, 2), Some(0));
    }

    #[test]
    fn half_is_rounded_away_from_zero() {
        assert_eq!(round_significant(2.345, 15, 5, 2), Some(235));
        assert_eq!(round_significant(-2.345, 15, 5, 2), Some(-235));
        assert_eq!(round_significant(2.344, 15, 5, 2), Some(234));
        assert_eq!(round_significant(1e-300, 15, 5, 2), Some(0));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(round_significant(999.995, 15, 5, 2), None);
        assert_eq!(round_significant(1e300, 15, 38, 0), None);
        assert_eq!(round_significant(f64::NAN, 15, 38, 0), None);
        assert_eq!(round_significant(f64::INFINITY, 15, 38, 0), None);
    }

    #[test]
    fn the_nearest_double_is_taken() {
        assert_eq!(nearest_double(1, 1), 0.1);
        assert_eq!(nearest_double(123_456_789_012_345_678_901_234_567_890, 20), 1_234_567_890.123_456_8);
        assert_eq!(parsed::<f32>(16_777_217, 0), 16_777_216.0);
    }
}
