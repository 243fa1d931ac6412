//! `/`, `%`, `div` and `mod`.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Decimal128Type, i256};
use num_bigint::BigInt;

use super::rows::{
    big, big_divide_rounding, big_power_of_ten, collect, decimal, overflow, result_scale, rows_of_pairs, small,
};
use super::scale::quotient_scale;
use super::shape::{Digits, SCALE_MIN, argument, constant, digits, numeric, without_negative_scale};
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{ArgumentShape, Call, Function, Numeric, divide_rounding, function, power_of_ten};
use crate::library::number::columns::binary;
use crate::types::NUMERIC;

/// The operators.
pub static OPERATORS: &[Function] = &[
    function("/", &[NUMERIC, NUMERIC], NUMERIC, divide).shaped(quotient_type),
    function("%", &[NUMERIC, NUMERIC], NUMERIC, modulo).shaped(remainder_type),
];

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("div", &[NUMERIC, NUMERIC], NUMERIC, whole_quotient).shaped(whole_quotient_type),
    function("mod", &[NUMERIC, NUMERIC], NUMERIC, modulo).shaped(remainder_type),
];

fn quotient_type(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let scale = match (constant(argument(arguments, 0)?), constant(argument(arguments, 1)?)) {
        (Some(dividend), Some(divisor)) => quotient_scale(dividend, divisor),
        _ => digits(arguments, 0)?.scale.max(digits(arguments, 1)?.scale).max(SCALE_MIN),
    };
    Ok(numeric(integer_digits(arguments)?, scale))
}

fn whole_quotient_type(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    Ok(numeric(integer_digits(arguments)?, 0))
}

/// Digits before the point of a quotient.
fn integer_digits(arguments: &[ArgumentShape<'_>]) -> Result<i32> {
    let (dividend, divisor) = (digits(arguments, 0)?, digits(arguments, 1)?);
    Ok(match constant(argument(arguments, 1)?) {
        // The divisor has all of its digits; rounding up may add one more.
        Some(_) => (dividend.before_point() - divisor.before_point() + 1).max(1),
        None => dividend.before_point() + divisor.scale,
    })
}

fn remainder_type(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let (dividend, divisor) = (digits(arguments, 0)?, digits(arguments, 1)?);
    Ok(numeric(dividend.integer().min(divisor.integer()), dividend.scale.max(divisor.scale)))
}

fn divide(call: &Call) -> Result<ArrayRef> {
    type D128 = Decimal128Type;
    let scale = result_scale(call)?;
    if let Some(exponent) = narrow_dividend_exponent(call)? {
        let factor = power_of_ten(exponent).and_then(i256::to_i128).ok_or_else(overflow)?;
        let compute = |a: i128, b: i128| narrow_quotient(a.wrapping_mul(factor), b);
        return binary::<D128, D128, D128>(call, compute, |_, _| PgError::division_by_zero());
    }
    let mut known = (0, Some(i256::ONE));
    let pairs = (call.column::<Numeric>(0)?, call.column::<Numeric>(1)?);
    collect(call, |row| {
        let (Some(a), Some(b)) = (pairs.0.get(row), pairs.1.get(row)) else { return Ok(None) };
        let (a, b) = without_negative_scale(a).zip(without_negative_scale(b)).ok_or_else(overflow)?;
        if b.unscaled == i256::ZERO {
            return Err(PgError::division_by_zero());
        }
        let exponent = i32::from(scale) - i32::from(a.scale) + i32::from(b.scale);
        if known.0 != exponent {
            known = (exponent, power_of_ten(exponent.max(0) as u32));
        }
        quotient(a, b, known).map(Some).ok_or_else(overflow)
    })
}

/// The power of ten by which the dividend is multiplied, if it then fits into 128 bits for certain.
fn narrow_dividend_exponent(call: &Call) -> Result<Option<u32>> {
    let types = (call.compact_array(0).data_type(), call.compact_array(1).data_type(), &call.result.arrow);
    let (DataType::Decimal128(precision, left), DataType::Decimal128(_, right), DataType::Decimal128(_, scale)) = types
    else {
        return Ok(None);
    };
    let exponent = i32::from(*scale) - i32::from(*left) + i32::from(*right);
    let fits = *left >= 0 && *right >= 0 && exponent >= 0 && i32::from(*precision) + exponent <= 38;
    Ok(fits.then_some(exponent as u32))
}

/// The quotient, rounded half away from zero.
#[inline]
fn narrow_quotient(dividend: i128, divisor: i128) -> Option<i128> {
    let quotient = dividend.checked_div(divisor)?;
    let rest = dividend.wrapping_sub(quotient.wrapping_mul(divisor)).unsigned_abs();
    let round = rest >= divisor.unsigned_abs() - rest;
    let step = if (dividend < 0) == (divisor < 0) { 1 } else { -1 };
    Some(if round { quotient.wrapping_add(step) } else { quotient })
}

/// The quotient; the dividend is multiplied by this power of ten, which comes with its value if that has 256 bits.
fn quotient(a: Numeric, b: Numeric, (exponent, power): (i32, Option<i256>)) -> Option<i256> {
    if let Some(dividend) = power.and_then(|power| a.unscaled.checked_mul(power))
        && exponent >= 0
    {
        if let (Some(dividend), Some(divisor)) = (dividend.to_i128(), b.unscaled.to_i128()) {
            return narrow_quotient(dividend, divisor).map(i256::from_i128);
        }
        let positive = divide_rounding(dividend, b.unscaled.wrapping_abs());
        return Some(if b.is_negative() { positive.wrapping_neg() } else { positive });
    }
    let dividend = big(a.unscaled) * big_power_of_ten(exponent);
    let divisor = big(b.unscaled) * big_power_of_ten(-exponent);
    small(&big_divide_rounding(&dividend, &divisor))
}

/// Both numbers as multiples of the same unit, if both fit into 38 digits for certain.
fn narrow_factors(call: &Call) -> Result<Option<(i128, i128)>> {
    let types = (call.compact_array(0).data_type(), call.compact_array(1).data_type());
    let (DataType::Decimal128(..), DataType::Decimal128(..)) = types else {
        return Ok(None);
    };
    let digits = |(precision, scale): (u8, i8)| Digits { precision: precision.into(), scale: scale.into() };
    let (left, right) = (digits(decimal(types.0)?), digits(decimal(types.1)?));
    let scale = left.scale.max(right.scale);
    let fits = |it: Digits| it.scale >= 0 && it.precision + scale - it.scale <= 38;
    if !fits(left) || !fits(right) || !matches!(call.result.arrow, DataType::Decimal128(..)) {
        return Ok(None);
    }
    let factor = |it: Digits| power_of_ten((scale - it.scale) as u32).and_then(i256::to_i128);
    Ok(factor(left).zip(factor(right)))
}

fn modulo(call: &Call) -> Result<ArrayRef> {
    type D128 = Decimal128Type;
    if let Some((left, right)) = narrow_factors(call)? {
        let compute = |a: i128, b: i128| a.wrapping_mul(left).checked_rem(b.wrapping_mul(right));
        return binary::<D128, D128, D128>(call, compute, |_, _| PgError::division_by_zero());
    }
    rows_of_pairs(call, |a, b| {
        let (a, b) = same_unit(a, b)?;
        small(&(a % b)).ok_or_else(overflow)
    })
}

fn whole_quotient(call: &Call) -> Result<ArrayRef> {
    rows_of_pairs(call, |a, b| {
        let (a, b) = same_unit(a, b)?;
        small(&(a / b)).ok_or_else(overflow)
    })
}

/// A dividend and a divisor as multiples of the same unit.
fn same_unit(a: Numeric, b: Numeric) -> Result<(BigInt, BigInt)> {
    if b.unscaled == i256::ZERO {
        return Err(PgError::division_by_zero());
    }
    let scale = i32::from(a.scale.max(b.scale));
    let multiple = |number: Numeric| big(number.unscaled) * big_power_of_ten(scale - i32::from(number.scale));
    Ok((multiple(a), multiple(b)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::library::number::numeric::testing;

    fn check(left: &str, symbol: &str, right: &str, expected: &str) {
        testing::check(symbol, &[left, right], expected);
    }

    #[test]
    fn a_quotient_of_constants_has_the_scale_that_postgresql_gives_it() {
        for (left, right, expected) in [
            ("1", "3.0", "0.33333333333333333333"),
            ("2", "3.0", "0.66666666666666666667"),
            ("-2", "3.0", "-0.66666666666666666667"),
            ("10", "3.0", "3.3333333333333333"),
            ("100000", "3.0", "33333.333333333333"),
            ("1", "30000.0", "0.000033333333333333333333"),
            ("1.00", "3", "0.33333333333333333333"),
            ("5.00", "2.00", "2.5000000000000000"),
            ("0", "3.0", "0.00000000000000000000"),
            ("1", "10000.0", "0.000100000000000000000000"),
            ("12345678.9", "0.0003", "41152263000.00000000"),
            ("0.00001", "30000", "0.0000000003333333333333333333"),
            ("1.0", "99999999999", "0.0000000000100000000001000000"),
            ("0.0000000001", "7", "0.0000000000142857142857142857"),
            ("1.0", "0", "22012 division by zero"),
        ] {
            check(left, "/", right, expected);
        }
    }

    #[test]
    fn the_remainder_has_the_sign_of_the_dividend() {
        check("5.5", "%", "2", "1.5");
        check("-5.5", "%", "2", "-1.5");
        check("5.5", "%", "-2.25", "1.00");
        check("7.5", "mod", "0.4", "0.3");
        check("7.5", "div", "2", "3");
        check("-7.5", "div", "2", "-3");
        check("7.5", "div", "-0.4", "-18");
        check("5.5", "%", "0", "22012 division by zero");
        check("5.5", "div", "0", "22012 division by zero");
        check("99999999999999999999999999999999999999", "%", "0.7", "0.3");
    }

    #[test]
    fn a_quotient_of_narrow_columns_is_narrow() {
        let (left, right) = (Type::numeric(15, 2), Type::numeric(15, 2));
        let arguments = [&left, &right].map(|ty| ArgumentShape { ty, constant: None });
        assert_eq!(quotient_type(&arguments).unwrap().digits(), Some((35, 20)));
        let (left, right) = (Type::numeric(38, 18), Type::numeric(38, 18));
        let arguments = [&left, &right].map(|ty| ArgumentShape { ty, constant: None });
        assert_eq!(quotient_type(&arguments).unwrap().digits(), Some((58, 20)));
    }
}
