//! Arithmetic on numbers given by their digits, with as many digits after the point as `numeric` would give.

use arrow::datatypes::i256;

use super::tree::Arithmetic;
use crate::error::{PgError, Result};
use crate::function::{Numeric, divide_rounding, power_of_ten};
use crate::library::json::number;

/// Digits that a quotient has at least (`NUMERIC_MIN_SIG_DIGITS`).
const QUOTIENT_DIGITS_MIN: i64 = 16;
/// Decimal digits in one of the digits that PostgreSQL computes with.
const GROUP_DIGITS: i64 = 4;

/// The number, if its digits fit into 256 bits.
pub fn read(digits: &str) -> Result<Numeric> {
    let (negative, unsigned) = match digits.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, digits),
    };
    let (integer, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let scale = i8::try_from(fraction.len()).map_err(|_| number::overflow())?;
    let mut value = i256::ZERO;
    for digit in integer.bytes().chain(fraction.bytes()) {
        let digit = i256::from_i128(i128::from(digit.saturating_sub(b'0')));
        value = value
            .checked_mul(i256::from_i128(10))
            .and_then(|value| value.checked_add(digit))
            .ok_or_else(number::overflow)?;
    }
    Ok(Numeric::new(if negative { value.wrapping_neg() } else { value }, scale))
}

/// The digits of a number.
pub fn write(value: Numeric) -> String {
    let digits = value.unscaled.to_string();
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits.as_str()),
    };
    let scale = usize::from(value.scale.unsigned_abs());
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (integer, fraction) = padded.split_at(padded.len() - scale);
    if scale == 0 { format!("{sign}{integer}") } else { format!("{sign}{integer}.{fraction}") }
}

fn at_scale(value: Numeric, scale: i8) -> Result<i256> {
    value.at_scale(scale).map(|value| value.unscaled).ok_or_else(number::overflow)
}

/// The result of an operator.
pub fn compute(operator: Arithmetic, left: &str, right: &str) -> Result<String> {
    let (left, right) = (read(left)?, read(right)?);
    let scale = left.scale.max(right.scale);
    let both = || Ok::<_, PgError>((at_scale(left, scale)?, at_scale(right, scale)?));
    let (value, scale) = match operator {
        Arithmetic::Add => {
            let (left, right) = both()?;
            (left.checked_add(right), scale)
        }
        Arithmetic::Subtract => {
            let (left, right) = both()?;
            (left.checked_sub(right), scale)
        }
        Arithmetic::Multiply => {
            let scale = left.scale.checked_add(right.scale).ok_or_else(number::overflow)?;
            (left.unscaled.checked_mul(right.unscaled), scale)
        }
        Arithmetic::Divide => return divide(left, right).map(write),
        Arithmetic::Modulo => {
            if right.unscaled == i256::ZERO {
                return Err(PgError::division_by_zero());
            }
            let (left, right) = both()?;
            (left.checked_rem(right), scale)
        }
    };
    Ok(write(Numeric::new(value.ok_or_else(number::overflow)?, scale)))
}

fn divide(left: Numeric, right: Numeric) -> Result<Numeric> {
    if right.unscaled == i256::ZERO {
        return Err(PgError::division_by_zero());
    }
    let scale = quotient_scale(left, right);
    let scale = i8::try_from(scale).map_err(|_| number::overflow())?;
    // (l / 10^ls) / (r / 10^rs) * 10^scale
    let shift = i32::from(scale) - i32::from(left.scale) + i32::from(right.scale);
    let power = power_of_ten(shift.unsigned_abs()).ok_or_else(number::overflow)?;
    let (dividend, divisor) = match shift >= 0 {
        true => (left.unscaled.checked_mul(power), Some(right.unscaled)),
        false => (Some(left.unscaled), right.unscaled.checked_mul(power)),
    };
    let (dividend, divisor) = dividend.zip(divisor).ok_or_else(number::overflow)?;
    let (dividend, divisor) = match divisor < i256::ZERO {
        true => (dividend.wrapping_neg(), divisor.wrapping_neg()),
        false => (dividend, divisor),
    };
    Ok(Numeric::new(divide_rounding(dividend, divisor), scale))
}

/// Digits after the point of a quotient: enough for sixteen significant ones, and at least those of the operands.
fn quotient_scale(left: Numeric, right: Numeric) -> i64 {
    let (left_weight, left_first) = first_group(left);
    let (right_weight, right_first) = first_group(right);
    let weight = left_weight - right_weight - i64::from(left_first <= right_first);
    let wanted = QUOTIENT_DIGITS_MIN - weight * GROUP_DIGITS;
    wanted.max(i64::from(left.scale)).max(i64::from(right.scale)).max(0)
}

/// The position of the first group of four digits that is not zero, counted from the point, and its value.
fn first_group(value: Numeric) -> (i64, i64) {
    let digits = value.unscaled.to_string();
    let digits = digits.trim_start_matches('-');
    if digits == "0" {
        return (0, 0);
    }
    let integer_digits = digits.len() as i64 - i64::from(value.scale);
    let weight = (integer_digits - 1).div_euclid(GROUP_DIGITS);
    let in_group = integer_digits - weight * GROUP_DIGITS;
    let digit = |position: i64| {
        let found = usize::try_from(position).ok().and_then(|position| digits.as_bytes().get(position));
        i64::from(found.map_or(0, |digit| digit - b'0'))
    };
    (weight, (0..in_group).fold(0, |value, position| value * 10 + digit(position)))
}

/// The greatest integer that is not above the number.
pub fn floor(digits: &str) -> Result<String> {
    let value = read(digits)?;
    let whole = truncated(value)?;
    let below = value.is_negative() && at_scale(whole, value.scale)? != value.unscaled;
    Ok(write(Numeric::new(whole.unscaled.wrapping_sub(if below { i256::ONE } else { i256::ZERO }), 0)))
}

/// The least integer that is not below the number.
pub fn ceiling(digits: &str) -> Result<String> {
    let value = read(digits)?;
    let whole = truncated(value)?;
    let above = !value.is_negative() && at_scale(whole, value.scale)? != value.unscaled;
    Ok(write(Numeric::new(whole.unscaled.wrapping_add(if above { i256::ONE } else { i256::ZERO }), 0)))
}

/// The number without its fraction.
pub fn truncated(value: Numeric) -> Result<Numeric> {
    let power = power_of_ten(u32::from(value.scale.unsigned_abs())).ok_or_else(number::overflow)?;
    Ok(Numeric::new(value.unscaled.wrapping_div(power), 0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_computed_as_numeric() {
        for (left, operator, right, expected) in [
            ("7", Arithmetic::Divide, "3", "2.3333333333333333"),
            ("10", Arithmetic::Divide, "4", "2.5000000000000000"),
            ("1", Arithmetic::Divide, "7000", "0.00014285714285714286"),
            ("100000", Arithmetic::Divide, "7", "14285.714285714286"),
            ("0.00001", Arithmetic::Divide, "7", "0.000001428571428571428571"),
            ("12345678", Arithmetic::Divide, "0.0007", "17636682857.14285714"),
            ("0", Arithmetic::Divide, "7", "0.00000000000000000000"),
            ("-7", Arithmetic::Modulo, "3", "-1"),
            ("7.5", Arithmetic::Modulo, "2", "1.5"),
            ("1.10", Arithmetic::Add, "2.205", "3.305"),
            ("1.00", Arithmetic::Multiply, "2.00", "2.0000"),
            ("0", Arithmetic::Subtract, "0.5", "-0.5"),
        ] {
            assert_eq!(compute(operator, left, right).unwrap(), expected, "{left} {operator:?} {right}");
        }
        assert_eq!((floor("-1.5").unwrap(), floor("2.5").unwrap()), ("-2".to_owned(), "2".to_owned()));
        assert_eq!((ceiling("-0.5").unwrap(), ceiling("2.50").unwrap()), ("0".to_owned(), "3".to_owned()));
    }
}
