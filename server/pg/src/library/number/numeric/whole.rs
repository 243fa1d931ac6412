//! Divisors, multiples and factorials.

use arrow::array::ArrayRef;
use arrow::datatypes::i256;

use super::rows::{collect, overflow, result_scale, rows_of_pairs};
use super::shape::{DIGITS_MAX, argument, constant, digits, numeric};
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{ArgumentShape, Call, Function, Numeric, function};
use crate::sqlstate::SqlState;
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("gcd", &[NUMERIC, NUMERIC], NUMERIC, gcd).shaped(divisor_type),
    function("lcm", &[NUMERIC, NUMERIC], NUMERIC, lcm).shaped(multiple_type),
    function("factorial", &[INT8], NUMERIC, factorial).shaped(factorial_type),
];

/// The largest number whose factorial has no more than 76 digits.
const FACTORIAL_MAX: i64 = 56;

fn divisor_type(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let (left, right) = (digits(arguments, 0)?, digits(arguments, 1)?);
    // The divisor of a number and zero is the number.
    Ok(numeric(left.integer().max(right.integer()), left.scale.max(right.scale)))
}

fn multiple_type(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let (left, right) = (digits(arguments, 0)?, digits(arguments, 1)?);
    let scale = left.scale.max(right.scale);
    // A multiple is at most the product of both as multiples of the last digit.
    Ok(numeric(left.integer() + right.integer() + scale, scale))
}

fn gcd(call: &Call) -> Result<ArrayRef> {
    let scale = result_scale(call)?;
    rows_of_pairs(call, |a, b| {
        let (a, b) = both_at_scale(a, b, scale)?;
        Ok(divisor(a, b))
    })
}

fn lcm(call: &Call) -> Result<ArrayRef> {
    let scale = result_scale(call)?;
    rows_of_pairs(call, |a, b| {
        let (a, b) = both_at_scale(a, b, scale)?;
        if a == i256::ZERO || b == i256::ZERO {
            return Ok(i256::ZERO);
        }
        let product = a.wrapping_div(divisor(a, b)).checked_mul(b);
        product.and_then(i256::checked_abs).ok_or_else(overflow)
    })
}

fn both_at_scale(a: Numeric, b: Numeric, scale: i8) -> Result<(i256, i256)> {
    let at_scale = |number: Numeric| number.at_scale(scale).map(|it| it.unscaled).ok_or_else(overflow);
    Ok((at_scale(a)?, at_scale(b)?))
}

fn divisor(a: i256, b: i256) -> i256 {
    let (mut a, mut b) = (a, b);
    while b != i256::ZERO {
        (a, b) = (b, a.wrapping_rem(b));
    }
    a.wrapping_abs()
}

fn factorial_type(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let number = constant(argument(arguments, 0)?).and_then(|number| number.unscaled.to_i128());
    let value = number.and_then(|number| factorial_of(i64::try_from(number).ok()?).ok());
    let digits = value.map(|value| super::shape::count(Numeric::new(value, 0)));
    Ok(numeric(digits.unwrap_or(DIGITS_MAX), 0))
}

fn factorial(call: &Call) -> Result<ArrayRef> {
    let numbers = call.column::<i64>(0)?;
    collect(call, |row| numbers.get(row).map(factorial_of).transpose())
}

fn factorial_of(number: i64) -> Result<i256> {
    if number < 0 {
        let message = "factorial of a negative number is undefined";
        return Err(PgError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message));
    }
    if number > FACTORIAL_MAX {
        return Err(overflow());
    }
    Ok((2..=number).fold(i256::ONE, |product, factor| product.wrapping_mul(i256::from(factor))))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::library::number::numeric::testing::{check, check_values};
    use crate::types::INT8;

    #[test]
    fn divisors_multiples_and_factorials() {
        for (name, left, right, expected) in [
            ("gcd", "12.5", "7.5", "2.5"),
            ("gcd", "1.25", "0.5", "0.25"),
            ("gcd", "-1.25", "0.5", "0.25"),
            ("gcd", "0", "2.50", "2.50"),
            ("gcd", "0.0", "0.00", "0.00"),
            ("lcm", "1.25", "0.5", "2.50"),
            ("lcm", "0.0", "2.50", "0.00"),
            ("lcm", "6", "4", "12"),
        ] {
            check(name, &[left, right], expected);
        }
        for (number, expected) in [
            ("0", "1"),
            ("5", "120"),
            ("25", "15511210043330985984000000"),
            ("56", "710998587804863451854045647463724949736497978881168458687447040000000000000"),
            ("57", "22003 value overflows numeric format"),
            ("-1", "22003 factorial of a negative number is undefined"),
        ] {
            check_values("factorial", &[(INT8, Some(number))], expected);
        }
    }
}
