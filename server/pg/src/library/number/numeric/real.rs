//! Roots, powers, exponentials and logarithms to any number of digits: real numbers as integers of any size over a power
//! of two.
//!
//! Each computation carries [`GUARD_BITS`] more than its result needs, far more than its steps lose together.

use std::sync::LazyLock;

use arrow::datatypes::i256;
use num_bigint::{BigInt, Sign};

use super::rows::{big, big_divide_rounding, big_power_of_ten, overflow, small};
use super::shape::DIGITS_MAX;
use crate::error::Result;
use crate::function::Numeric;

/// Bits beyond those of the result.
const GUARD_BITS: u32 = 64;
/// Bits with which constants are known: more than any computation here asks for.
const CONSTANT_BITS: u32 = 1536;
/// The logarithm of 2, with [`CONSTANT_BITS`] after the point: twice the area tangent of a third.
static LN_2: LazyLock<BigInt> = LazyLock::new(|| {
    let third = (BigInt::from(1) << CONSTANT_BITS) / 3;
    area_tangent(&third, CONSTANT_BITS) * 2
});
/// Halvings of the argument of an exponential before its series, so that few terms are enough.
const EXP_HALVINGS: u32 = 8;
/// A power that has no more bits is computed as an integer, exactly.
const EXACT_POWER_BITS: u64 = 8192;

/// Bits that hold so many decimal digits.
fn bits_of_digits(digits: i32) -> u32 {
    digits.max(0) as u32 * 10 / 3 + 1
}

/// The logarithm, roughly. The number is above zero.
pub fn logarithm_estimate(number: Numeric) -> f64 {
    to_f64(&logarithm(number, GUARD_BITS), GUARD_BITS)
}

/// A number with so many bits after the point as floating point; what is too large for it becomes infinite.
fn to_f64(value: &BigInt, bits: u32) -> f64 {
    let excess = value.bits().saturating_sub(96);
    let leading = i128::try_from(value >> excess).unwrap_or_default();
    leading as f64 * 2f64.powi(excess.min(1 << 20) as i32 - bits as i32)
}

/// A number as floating point.
pub fn approximate(number: Numeric) -> f64 {
    to_f64(&big(number.unscaled), 0) / 10f64.powi(number.scale.into())
}

/// A number with so many bits after the point, times two to a power, at a decimal scale.
fn at_scale(value: &BigInt, bits: u32, exponent: i64, scale: i8) -> Result<i256> {
    let scaled = value * big_power_of_ten(scale.into());
    let shift = i64::from(bits) - exponent;
    let rounded = match u64::try_from(shift) {
        Ok(shift) => big_divide_rounding(&scaled, &(BigInt::from(1) << shift)),
        Err(_) => scaled << shift.unsigned_abs(),
    };
    small(&rounded).ok_or_else(overflow)
}

/// z + z³/3 + z⁵/5 + …
fn area_tangent(z: &BigInt, bits: u32) -> BigInt {
    let square = (z * z) >> bits;
    let (mut power, mut sum, mut divisor) = (z.clone(), z.clone(), 3u32);
    loop {
        power = (power * &square) >> bits;
        let term = &power / divisor;
        // A shift rounds down, so that negative terms end at -1.
        if term.bits() <= 1 {
            return sum;
        }
        sum += term;
        divisor += 2;
    }
}

/// The natural logarithm of a number above zero, with so many bits after the point.
fn logarithm(number: Numeric, bits: u32) -> BigInt {
    let (mut over, mut under) = (big(number.unscaled.wrapping_abs()), big_power_of_ten(number.scale.into()));
    // The number is a fraction between 0.7 and 1.4, times two to a power.
    let mut exponent = over.bits() as i64 - under.bits() as i64;
    match exponent >= 0 {
        true => under <<= exponent.unsigned_abs(),
        false => over <<= exponent.unsigned_abs(),
    }
    if &over * 5u32 > &under * 7u32 {
        under <<= 1u32;
        exponent += 1;
    } else if &over * 10u32 < &under * 7u32 {
        over <<= 1u32;
        exponent -= 1;
    }
    let z = ((&over - &under) << bits) / (over + under);
    area_tangent(&z, bits) * 2 + ln_2(bits) * exponent
}

fn ln_2(bits: u32) -> BigInt {
    &*LN_2 >> CONSTANT_BITS.saturating_sub(bits)
}

/// The power of e to a number with so many bits after the point: as a number with as many, times two to a power.
fn exponential(number: &BigInt, bits: u32) -> (BigInt, i64) {
    let ln_2 = ln_2(bits);
    let mut exponent = number / &ln_2;
    if number.sign() == Sign::Minus {
        exponent -= 1;
    }
    let inner_bits = bits + 2 * EXP_HALVINGS;
    let rest = ((number - &exponent * ln_2) << (2 * EXP_HALVINGS)) >> EXP_HALVINGS;
    let one = BigInt::from(1) << inner_bits;
    let (mut sum, mut term, mut divisor) = (&one + &rest, rest.clone(), 2u32);
    while term.bits() > 1 {
        term = ((term * &rest) >> inner_bits) / divisor;
        sum += &term;
        divisor += 1;
    }
    for _ in 0..EXP_HALVINGS {
        sum = (&sum * &sum) >> inner_bits;
    }
    (sum >> (2 * EXP_HALVINGS), i64::try_from(exponent).unwrap_or(i64::MAX))
}

/// The power of e to a number with so many bits after the point, at a decimal scale.
fn exponential_at_scale(number: &BigInt, bits: u32, scale: i8) -> Result<i256> {
    let ln_10 = std::f64::consts::LN_10;
    let estimate = to_f64(number, bits);
    if estimate > f64::from(DIGITS_MAX + 1) * ln_10 {
        return Err(overflow());
    }
    if estimate < f64::from(-i32::from(scale) - 2) * ln_10 {
        return Ok(i256::ZERO);
    }
    let (value, exponent) = exponential(number, bits);
    at_scale(&value, bits, exponent, scale)
}

/// The power of e to a number.
pub fn exp(number: Numeric, scale: i8) -> Result<i256> {
    // The digits before the point of the result are as many as bits of precision are lost.
    let bits = GUARD_BITS + bits_of_digits(DIGITS_MAX);
    let exact = (big(number.unscaled) << bits) / big_power_of_ten(number.scale.into());
    exponential_at_scale(&exact, bits, scale)
}

/// The natural logarithm of a number above zero.
pub fn ln(number: Numeric, scale: i8) -> Result<i256> {
    let bits = GUARD_BITS + bits_of_digits(scale.into());
    at_scale(&logarithm(number, bits), bits, 0, scale)
}

/// The logarithm of a number above zero to a base above zero; `None` when the base is one.
pub fn log(base: Numeric, number: Numeric, scale: i8) -> Option<Result<i256>> {
    // The logarithm of a base near one has leading zeros, and dividing by it costs as many digits again.
    let bits = GUARD_BITS + bits_of_digits(i32::from(scale) + 2 * i32::from(base.scale));
    let divisor = logarithm(base, bits);
    if divisor.sign() == Sign::NoSign {
        return None;
    }
    let dividend = logarithm(number, bits) * big_power_of_ten(scale.into());
    Some(small(&big_divide_rounding(&dividend, &divisor)).ok_or_else(overflow))
}

/// The square root of a number that is not negative.
pub fn sqrt(number: Numeric, scale: i8) -> Result<i256> {
    // No result has fewer digits after the point than its argument.
    let square = big(number.unscaled) * big_power_of_ten(2 * i32::from(scale) - i32::from(number.scale));
    let root = square.sqrt();
    let rest = square - &root * &root;
    let rounded = if rest > root { root + 1 } else { root };
    small(&rounded).ok_or_else(overflow)
}

/// The integer that the number is, if it is one.
pub fn integer(number: Numeric) -> Option<BigInt> {
    let unit = big_power_of_ten(number.scale.into());
    let value = big(number.unscaled);
    ((&value % &unit).sign() == Sign::NoSign).then(|| value / unit)
}

/// About the decimal logarithm of a power. The base is above zero.
pub fn power_estimate(base: Numeric, exponent: Numeric) -> f64 {
    let bits = GUARD_BITS + bits_of_digits(DIGITS_MAX);
    let product = logarithm(base, bits) * big(exponent.unscaled) / big_power_of_ten(exponent.scale.into());
    to_f64(&product, bits) / std::f64::consts::LN_10
}

/// The power. The base is not zero, and above it unless the exponent is an integer.
pub fn power(base: Numeric, exponent: Numeric, scale: i8) -> Result<i256> {
    let whole = integer(exponent);
    if let Some(exponent) = &whole
        && let Some(power) = exact_power(base, exponent, scale)
    {
        return power;
    }
    let digits = DIGITS_MAX + super::shape::count(exponent);
    let bits = GUARD_BITS + bits_of_digits(digits);
    let product = logarithm(base, bits) * big(exponent.unscaled) / big_power_of_ten(exponent.scale.into());
    let power = exponential_at_scale(&product, bits, scale)?;
    let negative = base.is_negative() && whole.is_some_and(|exponent| exponent.bit(0));
    Ok(if negative { power.wrapping_neg() } else { power })
}

/// The power with an integer as exponent, if its digits are few enough to be computed all.
fn exact_power(base: Numeric, exponent: &BigInt, scale: i8) -> Option<Result<i256>> {
    let (value, unit) = (big(base.unscaled), big_power_of_ten(base.scale.into()));
    let times = u32::try_from(exponent.magnitude()).ok()?;
    let bits = value.bits().max(unit.bits()).checked_mul(times.into())?;
    if bits > EXACT_POWER_BITS {
        return None;
    }
    let (value, unit) = (value.pow(times), unit.pow(times));
    let (over, under) = if exponent.sign() == Sign::Minus { (unit, value) } else { (value, unit) };
    Some(small(&big_divide_rounding(&(over * big_power_of_ten(scale.into())), &under)).ok_or_else(overflow))
}
