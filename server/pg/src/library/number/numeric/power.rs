//! Roots, powers, exponentials and logarithms.

use arrow::array::ArrayRef;
use arrow::datatypes::i256;

use super::real;
use super::rows::{result_scale, rows_of_pairs, rows1};
use super::scale::{integer_power_scale, logarithm_scale, logarithm_to_base_scale, power_scale, root_scale};
use super::shape::{DIGITS_MAX, Digits, SCALE_MIN, argument, constant, digits, numeric};
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{ArgumentShape, Call, Function, Numeric, function, power_of_ten};
use crate::library::number::float::{
    logarithm_of_negative, logarithm_of_zero, negative_to_fraction, root_of_negative, zero_to_negative,
};
use crate::types::NUMERIC;

/// The operator.
pub static OPERATORS: &[Function] = &[function("^", &[NUMERIC, NUMERIC], NUMERIC, power).shaped(power_type)];

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("power", &[NUMERIC, NUMERIC], NUMERIC, power).shaped(power_type),
    function("pow", &[NUMERIC, NUMERIC], NUMERIC, power).shaped(power_type),
    function("sqrt", &[NUMERIC], NUMERIC, sqrt).shaped(root_type),
    function("exp", &[NUMERIC], NUMERIC, exp).shaped(exponential_type),
    function("ln", &[NUMERIC], NUMERIC, ln).shaped(logarithm_type),
    function("log", &[NUMERIC], NUMERIC, log10).shaped(decimal_logarithm_type),
    function("log10", &[NUMERIC], NUMERIC, log10).shaped(decimal_logarithm_type),
    function("log", &[NUMERIC, NUMERIC], NUMERIC, log).shaped(logarithm_to_base_type),
];

/// Digits before the point of a natural logarithm of any number with 76 digits.
const LOGARITHM_DIGITS: i32 = 3;

fn ten() -> Numeric {
    Numeric::from_i128(10)
}

fn root_type(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let operand = digits(arguments, 0)?;
    let scale = match constant(argument(arguments, 0)?) {
        Some(number) => root_scale(number),
        None => operand.scale.max(SCALE_MIN),
    };
    // Rounding up may add a digit.
    Ok(numeric(operand.integer() / 2 + 2, scale))
}

fn sqrt(call: &Call) -> Result<ArrayRef> {
    let scale = result_scale(call)?;
    rows1(call, |number| match number.is_negative() {
        true => Err(root_of_negative()),
        false => real::sqrt(number, scale),
    })
}

/// The type of a power of which the decimal logarithm is known about. Of a large one fewer digits are kept after the point
/// than PostgreSQL shows, so that those before it fit.
fn known_power_type(decimal_logarithm: f64, scale: i32) -> Type {
    let integer = (decimal_logarithm.clamp(0.0, f64::from(DIGITS_MAX)) as i32) + 2;
    numeric(integer, scale.min((DIGITS_MAX - integer).max(0)))
}

fn exponential_type(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    Ok(match constant(argument(arguments, 0)?) {
        Some(number) => {
            let decimal_logarithm = real::approximate(number) / std::f64::consts::LN_10;
            known_power_type(decimal_logarithm, power_scale(decimal_logarithm, &[number]))
        }
        None => numeric(DIGITS_MAX, digits(arguments, 0)?.scale.max(SCALE_MIN)),
    })
}

fn exp(call: &Call) -> Result<ArrayRef> {
    let scale = result_scale(call)?;
    rows1(call, |number| real::exp(number, scale))
}

/// The argument, if it is a constant that has a logarithm.
fn positive_constant(arguments: &[ArgumentShape<'_>], number: usize) -> Result<Option<Numeric>> {
    let constant = constant(argument(arguments, number)?);
    Ok(constant.filter(|value| value.unscaled > i256::ZERO))
}

fn logarithm_type(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let scale = match positive_constant(arguments, 0)? {
        Some(number) => logarithm_scale(number),
        None => digits(arguments, 0)?.scale.max(SCALE_MIN),
    };
    Ok(numeric(LOGARITHM_DIGITS, scale))
}

fn decimal_logarithm_type(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let scale = match positive_constant(arguments, 0)? {
        Some(number) => logarithm_to_base_scale(ten(), number),
        None => digits(arguments, 0)?.scale.max(SCALE_MIN),
    };
    Ok(numeric(LOGARITHM_DIGITS, scale))
}

fn logarithm_to_base_type(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let (base, number) = (digits(arguments, 0)?, digits(arguments, 1)?);
    let scale = match (positive_constant(arguments, 0)?, positive_constant(arguments, 1)?) {
        (Some(base), Some(number)) => logarithm_to_base_scale(base, number),
        _ => base.scale.max(number.scale).max(SCALE_MIN),
    };
    // The logarithm of the base has at most as many zeros after the point as the base has digits there.
    Ok(numeric(LOGARITHM_DIGITS + base.scale + 1, scale))
}

/// An error unless the number is above zero.
fn has_logarithm(number: Numeric) -> Result<()> {
    if number.is_negative() {
        return Err(logarithm_of_negative());
    }
    if number.unscaled == i256::ZERO {
        return Err(logarithm_of_zero());
    }
    Ok(())
}

fn ln(call: &Call) -> Result<ArrayRef> {
    let scale = result_scale(call)?;
    rows1(call, |number| {
        has_logarithm(number)?;
        real::ln(number, scale)
    })
}

fn log10(call: &Call) -> Result<ArrayRef> {
    let scale = result_scale(call)?;
    rows1(call, |number| logarithm(ten(), number, scale))
}

fn log(call: &Call) -> Result<ArrayRef> {
    let scale = result_scale(call)?;
    rows_of_pairs(call, |base, number| logarithm(base, number, scale))
}

fn logarithm(base: Numeric, number: Numeric, scale: i8) -> Result<i256> {
    has_logarithm(base)?;
    has_logarithm(number)?;
    real::log(base, number, scale).unwrap_or_else(|| Err(PgError::division_by_zero()))
}

fn power_type(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let (base, exponent) = (constant(argument(arguments, 0)?), constant(argument(arguments, 1)?));
    let (base_digits, exponent_digits) = (digits(arguments, 0)?, digits(arguments, 1)?);
    let integer = exponent.and_then(real::integer).and_then(|exponent| i32::try_from(exponent).ok());
    let scale = match (base, exponent) {
        _ if integer.is_some() || exponent.is_none() && exponent_digits.scale == 0 => {
            integer_power_scale(base_digits.scale)
        }
        (Some(base), Some(_)) if base.unscaled == i256::ZERO => integer_power_scale(0),
        (Some(base), Some(exponent)) => power_scale(real::power_estimate(base, exponent), &[base, exponent]),
        _ => base_digits.scale.max(exponent_digits.scale).max(SCALE_MIN),
    };
    Ok(match (base, exponent, integer) {
        (Some(base), Some(_), _) if base.unscaled == i256::ZERO => known_power_type(0.0, scale),
        (Some(base), Some(exponent), _) => known_power_type(real::power_estimate(base, exponent), scale),
        (None, _, Some(times)) => known_power_type(integer_power_digits(base_digits, times), scale),
        _ => numeric(DIGITS_MAX, scale),
    })
}

/// Digits before the point of a power with this exponent, at most.
fn integer_power_digits(base: Digits, times: i32) -> f64 {
    // The smallest number has its only digit at the end, and its reciprocal has as many zeros before the point.
    let digits = if times < 0 { base.scale } else { base.integer() };
    f64::from(digits) * f64::from(times).abs()
}

fn power(call: &Call) -> Result<ArrayRef> {
    let scale = result_scale(call)?;
    rows_of_pairs(call, |base, exponent| {
        if exponent.unscaled == i256::ZERO {
            return power_of_ten(scale as u32).ok_or_else(super::rows::overflow);
        }
        if base.unscaled == i256::ZERO {
            return if exponent.is_negative() { Err(zero_to_negative()) } else { Ok(i256::ZERO) };
        }
        if base.is_negative() && real::integer(exponent).is_none() {
            return Err(negative_to_fraction());
        }
        real::power(base, exponent, scale)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::library::number::numeric::testing::check;

    #[test]
    fn integer_powers() {
        for (base, exponent, expected) in [
            ("2", "3", "8.0000000000000000"),
            ("2", "-10", "0.0009765625000000"),
            ("1.5", "2", "2.2500000000000000"),
            ("1.23456789012345678901", "2", "1.52415787532388367504"),
            ("0", "0", "1.0000000000000000"),
            ("10", "20", "100000000000000000000.0000000000000000"),
            ("0.1", "10", "0.0000000001000000"),
            ("7", "-1", "0.1428571428571429"),
            ("2", "100", "1267650600228229401496703205376.0000000000000000"),
            ("1.0000000001", "1000000", "1.0001000050001617"),
            ("0.001", "-3", "1000000000.0000000000000000"),
            ("-2", "3", "-8.0000000000000000"),
            ("-2", "-3", "-0.1250000000000000"),
            ("3.0", "2.0", "9.0000000000000000"),
            ("1.5", "2.000000000000000000000000", "2.2500000000000000"),
            ("0.5", "100", "0.0000000000000000"),
            ("0.0", "5", "0.0000000000000000"),
            ("0", "-1", "2201F zero raised to a negative power is undefined"),
            ("10", "74", "100000000000000000000000000000000000000000000000000000000000000000000000000"),
            ("10", "140000", "22003 value overflows numeric format"),
        ] {
            check("power", &[base, exponent], expected);
        }
    }

    #[test]
    fn other_powers() {
        for (base, exponent, expected) in [
            ("2", "0.5", "1.4142135623730950"),
            ("0.001", "0.5", "0.03162277660168379"),
            ("123456.789", "0.333", "49.599178953295638"),
            ("10", "-5.5", "0.000003162277660168379"),
            ("2", "50.5", "1592262918131443.1"),
            ("0", "1.5", "0.0000000000000000"),
            ("0.00", "2.5", "0.0000000000000000"),
            ("1", "0.5", "1.0000000000000000"),
            ("1.1", "0.00001", "1.0000009531022522"),
            ("0.00000001", "0.5", "0.00010000000000000000"),
            ("-2", "0.5", "2201F a negative number raised to a non-integer power yields a complex result"),
        ] {
            check("pow", &[base, exponent], expected);
        }
    }

    #[test]
    fn square_roots() {
        for (number, expected) in [
            ("2", "1.414213562373095"),
            ("10000", "100.0000000000000"),
            ("0.01", "0.10000000000000000"),
            ("0.00000001", "0.0001000000000000000"),
            ("99999999", "9999.9999499999999"),
            ("100000000", "10000.00000000000"),
            ("0", "0.000000000000000"),
            ("2.25", "1.500000000000000"),
            ("123456789012345678901234567890.0", "351364182882014.4"),
            ("1.23456789012345678901", "1.11111110611111109936"),
            ("0.0000000000005", "0.00000070710678118654752"),
            ("-1", "2201F cannot take square root of a negative number"),
        ] {
            check("sqrt", &[number], expected);
        }
    }

    #[test]
    fn exponentials() {
        for (number, expected) in [
            ("0", "1.0000000000000000"),
            ("1", "2.7182818284590452"),
            ("10.5", "36315.502674246638"),
            ("-10.0", "0.00004539992976248485"),
            ("-50.123", "0.0000000000000000000001705523404724200"),
            ("100.0", "26881171418161354484126255515800135873611118.8"),
            ("0.00001", "1.0000100000500002"),
            ("2.30258509299404568402", "10.00000000000000000002"),
            ("-2.4", "0.09071795328941250"),
            ("43.0", "4727839468229346561.5"),
            ("400000.0", "22003 value overflows numeric format"),
        ] {
            check("exp", &[number], expected);
        }
    }

    #[test]
    fn logarithms() {
        for (number, expected) in [
            ("1", "0.0000000000000000"),
            ("2.0", "0.6931471805599453"),
            ("1.000000001", "0.0000000009999999995000000"),
            ("0.99", "-0.010050335853501441"),
            ("0.999999", "-0.0000010000005000003333"),
            ("100000000000000000000", "46.051701859880914"),
            ("0.0000001", "-16.118095650958320"),
            ("1.1", "0.09531017980432486"),
            ("0.9", "-0.10536051565782630"),
            ("1.11", "0.1043600153242428"),
            ("25000.0", "10.126631103850338"),
            ("0.36788", "-0.9999984809476402"),
            ("0", "2201E cannot take logarithm of zero"),
            ("-1", "2201E cannot take logarithm of a negative number"),
        ] {
            check("ln", &[number], expected);
        }
        check("log", &["100"], "2.0000000000000000");
        check("log", &["0.001"], "-3.0000000000000000");
        check("log10", &["2"], "0.3010299956639812");
        check("log", &["1000000000000000000000000000000"], "30.000000000000000");
        check("log", &["2.0", "64.0"], "6.0000000000000000");
        check("log", &["1.0001", "2"], "6931.818373413795");
        check("log", &["10", "1.0001"], "0.00004342727686266964");
        check("log", &["0.99", "0.5"], "68.96756393652849");
        check("log", &["1", "2"], "22012 division by zero");
        check("log", &["0", "2"], "2201E cannot take logarithm of zero");
    }

    #[test]
    fn columns_have_a_scale_for_all() {
        let ty = Type::numeric(15, 2);
        let column = ArgumentShape { ty: &ty, constant: None };
        assert_eq!(root_type(std::slice::from_ref(&column)).unwrap().digits(), Some((28, 20)));
        assert_eq!(logarithm_type(std::slice::from_ref(&column)).unwrap().digits(), Some((23, 20)));
        assert_eq!(exponential_type(std::slice::from_ref(&column)).unwrap().digits(), Some((76, 20)));
        let (ty, two) = (Type::numeric(1, 0), datafusion_common::ScalarValue::Decimal128(Some(2), 1, 0));
        let square = [column, ArgumentShape { ty: &ty, constant: Some(&two) }];
        assert_eq!(power_type(&square).unwrap().digits(), Some((44, 16)));
    }
}
