//! Casts among numbers.
//!
//! Floating point numbers are rounded to integers half to even, numerics half away from zero. On its way to `numeric` a
//! `double precision` keeps 15 digits and a `real` 6, as in PostgreSQL (`DBL_DIG`, `FLT_DIG`); where the result has no
//! declared scale, it has eighteen digits after the point and is rounded to them.

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::compute::kernels::arity::try_unary;
use arrow::datatypes::*;
use bytes::BytesMut;

use super::modifier;
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::CastContext::{Assignment, Implicit};
use crate::function::{ArgumentShape, Call, Cast, Numeric, ResultValue, cast, native_cast};
use crate::input::{InputError, scalars};
use crate::numeric::write_text;
use crate::types::*;

/// Digits that `numeric` takes from a `double precision`.
const DOUBLE_DIGITS: usize = 15;
/// Digits that `numeric` takes from a `real`.
const REAL_DIGITS: usize = 6;
/// The largest integer below which all are exact in floating point: 53 bits.
const EXACT_INTEGER_MAX: u128 = 1 << 53;
/// Powers of ten that are exact in floating point.
const EXACT_POWER_MAX: i8 = 22;

/// The casts of this module.
pub static CASTS: &[Cast] = &[
    native_cast(&[INT2], INT4, Implicit),
    native_cast(&[INT2], INT8, Implicit),
    native_cast(&[INT2], FLOAT4, Implicit),
    native_cast(&[INT2], FLOAT8, Implicit),
    with_shape(native_cast(&[INT2], NUMERIC, Implicit)),
    cast(&[INT4], INT2, Assignment, int4_to_int2),
    native_cast(&[INT4], INT8, Implicit),
    native_cast(&[INT4], FLOAT4, Implicit),
    native_cast(&[INT4], FLOAT8, Implicit),
    with_shape(native_cast(&[INT4], NUMERIC, Implicit)),
    cast(&[INT8], INT2, Assignment, int8_to_int2),
    cast(&[INT8], INT4, Assignment, int8_to_int4),
    native_cast(&[INT8], FLOAT4, Implicit),
    native_cast(&[INT8], FLOAT8, Implicit),
    with_shape(native_cast(&[INT8], NUMERIC, Implicit)),
    cast(&[FLOAT4], INT2, Assignment, float4_to_integer::<i16>),
    cast(&[FLOAT4], INT4, Assignment, float4_to_integer::<i32>),
    cast(&[FLOAT4], INT8, Assignment, float4_to_integer::<i64>),
    native_cast(&[FLOAT4], FLOAT8, Implicit),
    cast(&[FLOAT4], NUMERIC, Assignment, float4_to_numeric),
    cast(&[FLOAT8], INT2, Assignment, float8_to_integer::<i16>),
    cast(&[FLOAT8], INT4, Assignment, float8_to_integer::<i32>),
    cast(&[FLOAT8], INT8, Assignment, float8_to_integer::<i64>),
    cast(&[FLOAT8], FLOAT4, Assignment, float8_to_float4),
    cast(&[FLOAT8], NUMERIC, Assignment, float8_to_numeric),
    cast(&[NUMERIC], INT2, Assignment, numeric_to_integer::<i16>),
    cast(&[NUMERIC], INT4, Assignment, numeric_to_integer::<i32>),
    cast(&[NUMERIC], INT8, Assignment, numeric_to_integer::<i64>),
    cast(&[NUMERIC], FLOAT4, Implicit, numeric_to_float4),
    cast(&[NUMERIC], FLOAT8, Implicit, numeric_to_float8),
    with_shape(cast(&[NUMERIC], NUMERIC, Implicit, numeric_to_numeric)),
];

/// The numeric that holds every value of the source.
const fn with_shape(cast: Cast) -> Cast {
    Cast { function: cast.function.shaped(same_digits), context: cast.context }
}

fn same_digits(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let digits = arguments.first().and_then(|argument| argument.ty.digits());
    let (precision, scale) = digits.ok_or_else(|| PgError::internal("a number without digits"))?;
    Ok(Type::numeric(precision, scale))
}

fn int4_to_int2(call: &Call) -> Result<ArrayRef> {
    call.map1(|number: i32| i16::try_from(number).map_err(|_| out_of_range(&call.result)))
}

fn int8_to_int2(call: &Call) -> Result<ArrayRef> {
    call.map1(|number: i64| i16::try_from(number).map_err(|_| out_of_range(&call.result)))
}

fn int8_to_int4(call: &Call) -> Result<ArrayRef> {
    call.map1(|number: i64| i32::try_from(number).map_err(|_| out_of_range(&call.result)))
}

fn out_of_range(ty: &Type) -> PgError {
    PgError::out_of_range(&ty.name())
}

fn float4_to_integer<T: TryFrom<i64> + ResultValue>(call: &Call) -> Result<ArrayRef> {
    call.map1(|number: f32| rounded_float::<T>(f64::from(number), &call.result))
}

fn float8_to_integer<T: TryFrom<i64> + ResultValue>(call: &Call) -> Result<ArrayRef> {
    call.map1(|number: f64| rounded_float::<T>(number, &call.result))
}

fn rounded_float<T: TryFrom<i64>>(number: f64, ty: &Type) -> Result<T> {
    let rounded = number.round_ties_even();
    // The first number beyond `bigint` is exact in floating point, the last one of it is not. NaN is in no range.
    let limit = -(i64::MIN as f64);
    let within = (-limit..limit).contains(&rounded);
    let integer = within.then_some(rounded as i64).and_then(|integer| T::try_from(integer).ok());
    integer.ok_or_else(|| out_of_range(ty))
}

/// A numeric as an integer of a width.
pub fn rounded<T: TryFrom<i128>>(number: Numeric, ty: &Type) -> Result<T> {
    let integer = number.at_scale(0).and_then(|number| number.unscaled.to_i128());
    integer.and_then(|integer| T::try_from(integer).ok()).ok_or_else(|| out_of_range(ty))
}

fn numeric_to_integer<T: TryFrom<i128> + ResultValue>(call: &Call) -> Result<ArrayRef> {
    call.map1(|number: Numeric| rounded::<T>(number, &call.result))
}

fn float8_to_float4(call: &Call) -> Result<ArrayRef> {
    call.map1(|number: f64| {
        let narrow = number as f32;
        if narrow.is_infinite() && number.is_finite() {
            return Err(PgError::from(InputError::FloatOverflow));
        }
        if narrow == 0.0 && number != 0.0 {
            return Err(InputError::FloatUnderflow.into());
        }
        Ok(narrow)
    })
}

fn float4_to_numeric(call: &Call) -> Result<ArrayRef> {
    call.map1(|number: f32| float_to_numeric(f64::from(number), REAL_DIGITS, &call.result))
}

fn float8_to_numeric(call: &Call) -> Result<ArrayRef> {
    call.map1(|number: f64| float_to_numeric(number, DOUBLE_DIGITS, &call.result))
}

fn float_to_numeric(number: f64, digits: usize, ty: &Type) -> Result<Numeric> {
    let text = match number {
        nan if nan.is_nan() => "NaN".to_owned(),
        infinite if infinite.is_infinite() => if infinite > 0.0 { "Infinity" } else { "-Infinity" }.to_owned(),
        finite => format!("{finite:.*e}", digits - 1),
    };
    written(&text, ty)
}

/// A number that was written, as a value of this type. Without a modifier, it is rounded to the digits that the type has
/// after the point, and refused when it has too many before it.
pub fn written(text: &str, ty: &Type) -> Result<Numeric> {
    let number = scalars::written_number(text)?;
    if ty.typmod >= 0 {
        return modifier::written_numeric(&number, ty.typmod);
    }
    let scale = ty.digits().map_or(0, |(_, scale)| scale);
    let fitting = number.wide_at_scale(i64::from(scale)).map(|(unscaled, _)| Numeric::new(unscaled, scale));
    let fitting = fitting.filter(|number| modifier::fits(*number, ty));
    fitting.ok_or_else(|| InputError::NumericTooWide { value: text.to_owned() }.into())
}

fn text_of(number: Numeric) -> String {
    let digits = number.unscaled.to_string();
    let mut text = BytesMut::new();
    write_text(number.is_negative(), digits.trim_start_matches('-').as_bytes(), number.scale, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

fn numeric_to_float4(call: &Call) -> Result<ArrayRef> {
    call.map1(|number: Numeric| Ok::<_, PgError>(scalars::real(&text_of(number))?))
}

fn numeric_to_float8(call: &Call) -> Result<ArrayRef> {
    let array = call.compact_array(0);
    let Some(decimals) = array.as_primitive_opt::<Decimal128Type>().filter(|_| call.rows() == array.len()) else {
        return call.map1(|number: Numeric| nearest(number));
    };
    let scale = decimals.scale();
    let power = 10f64.powi(i32::from(scale.clamp(0, EXACT_POWER_MAX)));
    let floats: Float64Array = try_unary(decimals, |unscaled| {
        // Of two exact numbers, the quotient is the nearest.
        if unscaled.unsigned_abs() <= EXACT_INTEGER_MAX && (0..=EXACT_POWER_MAX).contains(&scale) {
            return Ok(unscaled as f64 / power);
        }
        let number = Numeric::new(i256::from_i128(unscaled), scale);
        nearest(number).map_err(|error| arrow::error::ArrowError::ExternalError(Box::new(error)))
    })?;
    Ok(std::sync::Arc::new(floats))
}

/// The nearest floating point number, with one rounding.
fn nearest(number: Numeric) -> Result<f64> {
    Ok(scalars::double(&text_of(number))?)
}

fn numeric_to_numeric(call: &Call) -> Result<ArrayRef> {
    let typmod = call.result.typmod;
    if typmod < 0 {
        let array = call.array(0)?;
        if *array.data_type() == call.result.arrow {
            return Ok(array);
        }
    }
    call.map1(|number: Numeric| modifier::numeric(number, typmod))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::sqlstate::SqlState;
    use crate::testing;

    fn check(source: u32, text: &str, target: u32, expected: &str) {
        let answer = testing::cast((source, Some(text)), target, -1);
        assert_eq!(answer.unwrap().as_deref(), Some(expected), "{text}");
    }

    fn check_error(source: u32, text: &str, target: u32, sqlstate: SqlState, message: &str) {
        let error = testing::cast((source, Some(text)), target, -1).unwrap_err();
        assert_eq!((error.sqlstate, error.message.as_str()), (sqlstate, message), "{text}");
    }

    #[test]
    fn halves_are_rounded_by_the_source() {
        check(FLOAT8, "2.5", INT4, "2");
        check(FLOAT8, "-2.5", INT8, "-2");
        check(FLOAT4, "3.5", INT2, "4");
        check(NUMERIC, "2.5", INT4, "3");
        check(NUMERIC, "-2.5", INT8, "-3");
        check(NUMERIC, "2.49999999999999999999999999999999999999", INT2, "2");
    }

    #[test]
    fn what_does_not_fit_is_out_of_range() {
        let range = SqlState::NUMERIC_VALUE_OUT_OF_RANGE;
        check_error(INT4, "40000", INT2, range, "smallint out of range");
        check_error(INT8, "2147483648", INT4, range, "integer out of range");
        for (text, target, message) in [
            ("3e9", INT4, "integer out of range"),
            ("NaN", INT4, "integer out of range"),
            ("Infinity", INT8, "bigint out of range"),
            ("9223372036854775807", INT8, "bigint out of range"),
            ("1e300", FLOAT4, "value out of range: overflow"),
            ("1e-300", FLOAT4, "value out of range: underflow"),
        ] {
            check_error(FLOAT8, text, target, range, message);
        }
        check_error(NUMERIC, "1e20", INT8, range, "bigint out of range");
        let message = "\"1000000000000000000000000000000000000000\" is out of range for type real";
        check_error(NUMERIC, "1e39", FLOAT4, range, message);
        check_error(FLOAT8, "NaN", NUMERIC, SqlState::FEATURE_NOT_SUPPORTED, "NaN is not supported for type numeric");
        check(FLOAT8, "-9223372036854775808", INT8, "-9223372036854775808");
        check(FLOAT8, "Infinity", FLOAT4, "Infinity");
    }

    #[test]
    fn floating_point_keeps_the_digits_it_is_sure_of() {
        check(FLOAT8, "0.1", NUMERIC, "0.1");
        check(FLOAT8, "1.23456789012345678", NUMERIC, "1.23456789012346");
        check(FLOAT8, "1e15", NUMERIC, "1000000000000000");
        check(FLOAT8, "1e-10", NUMERIC, "0.0000000001");
        check(FLOAT4, "123456789.123", NUMERIC, "123457000");
        check(FLOAT4, "0.1", NUMERIC, "0.1");
        let message = "value \"1.00000000000000e25\" is out of range for type numeric";
        check_error(FLOAT8, "1e25", NUMERIC, SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message);
    }

    #[test]
    fn numerics_become_the_nearest_floating_point_number() {
        check(NUMERIC, "0.1", FLOAT8, "0.1");
        check(NUMERIC, "123456789012345678901234567890.123", FLOAT8, "1.2345678901234568e+29");
        check(NUMERIC, "-0.30000000000000004441", FLOAT8, "-0.30000000000000004");
        check(NUMERIC, "16777217", FLOAT4, "1.6777216e+07");
    }

    #[test]
    fn the_modifier_rounds() {
        let typmod = (5 << 16 | 2) + 4;
        let rounded = |source, text: &str| testing::cast((source, Some(text)), NUMERIC, typmod);
        assert_eq!(rounded(NUMERIC, "2.555").unwrap().as_deref(), Some("2.56"));
        assert_eq!(rounded(FLOAT8, "2.5").unwrap().as_deref(), Some("2.50"));
        assert_eq!(rounded(NUMERIC, "999.995").unwrap_err().message, "numeric field overflow");
    }
}
