//! The scales that PostgreSQL gives to results whose digits do not end: so many that at least 16 of them are significant
//! (`numeric.c`). They depend on the values, so they are used where these are known when the statement is planned.

use super::real::logarithm_estimate;
use super::shape::count;
use crate::function::Numeric;

/// `NUMERIC_MIN_SIG_DIGITS`
const SIGNIFICANT_DIGITS: i32 = 16;
/// PostgreSQL computes with groups of so many digits, and counts some things in groups.
const DIGITS_PER_GROUP: i32 = 4;

fn max_scale(scale: i32, arguments: &[Numeric]) -> i32 {
    arguments.iter().map(|argument| i32::from(argument.scale)).fold(scale.max(0), i32::max)
}

fn is_zero(number: Numeric) -> bool {
    number.unscaled == arrow::datatypes::i256::ZERO
}

/// The power of ten of the first digit.
fn exponent(number: Numeric) -> i32 {
    count(number) - 1 - i32::from(number.scale)
}

/// The power of 10,000 of the first group, and that group.
fn first_group(number: Numeric) -> (i32, i32) {
    if is_zero(number) {
        return (0, 0);
    }
    let weight = exponent(number).div_euclid(DIGITS_PER_GROUP);
    let digits = exponent(number).rem_euclid(DIGITS_PER_GROUP) + 1;
    let text = number.unscaled.wrapping_abs().to_string();
    let group = (0..digits).fold(0, |group, position| {
        let digit = text.as_bytes().get(position as usize).map_or(0, |digit| i32::from(digit - b'0'));
        group * 10 + digit
    });
    (weight, group)
}

/// Of a quotient (`select_div_scale`).
pub fn quotient_scale(dividend: Numeric, divisor: Numeric) -> i32 {
    let ((weight, first), (divisor_weight, divisor_first)) = (first_group(dividend), first_group(divisor));
    let weight = weight - divisor_weight - i32::from(first <= divisor_first);
    max_scale(SIGNIFICANT_DIGITS - weight * DIGITS_PER_GROUP, &[dividend, divisor])
}

/// Of a square root.
pub fn root_scale(number: Numeric) -> i32 {
    let (weight, _) = first_group(number);
    max_scale(SIGNIFICANT_DIGITS - 1 - weight * DIGITS_PER_GROUP / 2, &[number])
}

/// Of a power of e, or of another power whose decimal logarithm is known about.
pub fn power_scale(decimal_logarithm: f64, arguments: &[Numeric]) -> i32 {
    max_scale(SIGNIFICANT_DIGITS.saturating_sub(decimal_logarithm as i32), arguments)
}

/// Of a power with an integer as exponent, of a base with this scale.
pub fn integer_power_scale(base: i32) -> i32 {
    SIGNIFICANT_DIGITS.max(base)
}

/// Of a natural logarithm.
pub fn logarithm_scale(number: Numeric) -> i32 {
    max_scale(SIGNIFICANT_DIGITS - logarithm_exponent(number), &[number])
}

/// Of a logarithm to a base.
pub fn logarithm_to_base_scale(base: Numeric, number: Numeric) -> i32 {
    let exponent = logarithm_exponent(number) - logarithm_exponent(base);
    max_scale(SIGNIFICANT_DIGITS - exponent, &[base, number])
}

/// The power of ten of the first digit of a natural logarithm, as PostgreSQL estimates it (`estimate_ln_dweight`): near
/// one exactly, elsewhere cut towards zero.
fn logarithm_exponent(number: Numeric) -> i32 {
    let one = Numeric::from_i128(1).at_scale(number.scale);
    let from_one = one.and_then(|one| number.unscaled.checked_sub(one.unscaled));
    let logarithm = logarithm_estimate(number);
    // The logarithms of 0.9 and 1.1, both within.
    if let Some(distance) = from_one
        && logarithm > -0.105_360_515_657_826_4
        && logarithm < 0.095_310_179_804_324_9
    {
        let distance = Numeric::new(distance, number.scale);
        return if is_zero(distance) { 0 } else { exponent(distance) };
    }
    logarithm.abs().log10() as i32
}
