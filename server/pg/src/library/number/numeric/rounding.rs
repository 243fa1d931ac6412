//! Rounding, the sign, and the scale itself.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Decimal128Type, i256};

use super::rows::{overflow, result_scale, rows1, rows2};
use super::shape::{Digits, argument, constant, digits, numeric, same, without_negative_scale};
use crate::error::Result;
use crate::expression_type::Type;
use crate::function::{ArgumentShape, Call, Function, Numeric, divide_rounding, function, power_of_ten};
use crate::library::number::columns::unary;
use crate::output::is_unconstrained;
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("round", &[NUMERIC], NUMERIC, |call| to_integer(call, Mode::HalfAway)).shaped(integer_type),
    function("round", &[NUMERIC, INT4], NUMERIC, |call| to_scale(call, Mode::HalfAway)).shaped(scaled_type),
    function("trunc", &[NUMERIC], NUMERIC, |call| to_integer(call, Mode::TowardsZero)).shaped(integer_type),
    function("trunc", &[NUMERIC, INT4], NUMERIC, |call| to_scale(call, Mode::TowardsZero)).shaped(scaled_type),
    function("ceil", &[NUMERIC], NUMERIC, |call| to_integer(call, Mode::Up)).shaped(integer_type),
    function("ceiling", &[NUMERIC], NUMERIC, |call| to_integer(call, Mode::Up)).shaped(integer_type),
    function("floor", &[NUMERIC], NUMERIC, |call| to_integer(call, Mode::Down)).shaped(integer_type),
    function("sign", &[NUMERIC], NUMERIC, |call| rows1(call, |it| Ok(it.unscaled.signum()))).shaped(sign_type),
    function("scale", &[NUMERIC], INT4, scale),
    function("min_scale", &[NUMERIC], INT4, |call| call.map1(min_scale)),
    function("trim_scale", &[NUMERIC], NUMERIC, trim_scale).shaped(trimmed_type),
];

/// More places than these make no difference.
const PLACES_MAX: i32 = 1000;

/// Where a number goes that is between two others.
#[derive(Debug, Clone, Copy)]
enum Mode {
    HalfAway,
    TowardsZero,
    Up,
    Down,
}

impl Mode {
    /// The quotient. The divisor is above zero.
    fn divide(self, dividend: i256, divisor: i256) -> i256 {
        let quotient = dividend.wrapping_div(divisor);
        let rest = dividend.wrapping_sub(quotient.wrapping_mul(divisor));
        match self {
            Mode::HalfAway => divide_rounding(dividend, divisor),
            Mode::Up if rest > i256::ZERO => quotient.wrapping_add(i256::ONE),
            Mode::Down if rest < i256::ZERO => quotient.wrapping_sub(i256::ONE),
            Mode::TowardsZero | Mode::Up | Mode::Down => quotient,
        }
    }

    /// As [`Mode::divide`].
    fn divide_narrow(self, dividend: i128, divisor: i128) -> i128 {
        let quotient = dividend.wrapping_div(divisor);
        let rest = dividend.wrapping_sub(quotient.wrapping_mul(divisor));
        match self {
            Mode::HalfAway if rest >= divisor - rest.wrapping_abs() => quotient.wrapping_add(1),
            Mode::HalfAway if rest <= rest.wrapping_abs() - divisor => quotient.wrapping_sub(1),
            Mode::Up if rest > 0 => quotient.wrapping_add(1),
            Mode::Down if rest < 0 => quotient.wrapping_sub(1),
            _ => quotient,
        }
    }
}

fn integer_type(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    Ok(numeric(digits(arguments, 0)?.integer() + 1, 0))
}

/// With a constant number of digits, these; else those of the argument, some of which are then zeros.
fn scaled_type(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let number = digits(arguments, 0)?;
    let integer = number.integer() + 1;
    Ok(match constant(argument(arguments, 1)?) {
        Some(wanted) => {
            let wanted = wanted.unscaled.to_i128().and_then(|it| i32::try_from(it).ok()).unwrap_or(0).max(0);
            // Beyond the digits there are, nothing but zeros would follow.
            let room = super::shape::DIGITS_MAX - integer;
            numeric(integer, wanted.min(room.max(number.scale)))
        }
        None => numeric(integer, number.scale),
    })
}

fn sign_type(_: &[ArgumentShape<'_>]) -> Result<Type> {
    Ok(numeric(1, 0))
}

/// The numbers that a column's rounding to a scale needs, when 128 bits are enough: the unit's size in the operand's last
/// digits, and in the result's.
fn narrow_units(call: &Call, wanted: i32) -> Option<(i128, i128)> {
    let types = (call.compact_array(0).data_type(), &call.result.arrow);
    let (DataType::Decimal128(_, from), DataType::Decimal128(_, to)) = types else { return None };
    let unit = |exponent: i32| power_of_ten(u32::try_from(exponent).ok()?).and_then(i256::to_i128);
    let unit_or_one = |exponent: i32| unit(exponent.max(0));
    let (from, to) = (i32::from(*from), i32::from(*to));
    if from < 0 || to < wanted.min(from) {
        return None;
    }
    unit_or_one(from - wanted).zip(unit_or_one(to - wanted.min(from)))
}

fn to_integer(call: &Call, mode: Mode) -> Result<ArrayRef> {
    rounded(call, 0, mode)
}

fn rounded(call: &Call, wanted: i32, mode: Mode) -> Result<ArrayRef> {
    let wanted = wanted.clamp(-PLACES_MAX, PLACES_MAX);
    if let Some((unit, factor)) = narrow_units(call, wanted) {
        let compute = |value: i128| Some(mode.divide_narrow(value, unit).wrapping_mul(factor));
        return unary::<Decimal128Type, Decimal128Type>(call, compute, |_| overflow());
    }
    let scale = result_scale(call)?;
    rows1(call, |number| round_to(number, wanted, scale, mode))
}

fn to_scale(call: &Call, mode: Mode) -> Result<ArrayRef> {
    if call.is_constant(1)
        && let Some(wanted) = call.column::<i32>(1)?.get(0)
    {
        return rounded(call, wanted, mode);
    }
    let scale = result_scale(call)?;
    rows2(call, |number, wanted: i32| round_to(number, wanted, scale, mode))
}

/// The number with no digits after the wanted one other than zero, at a scale.
fn round_to(number: Numeric, wanted: i32, scale: i8, mode: Mode) -> Result<i256> {
    let excess = i32::from(number.scale).saturating_sub(wanted).max(0);
    let units = match power_of_ten(excess as u32) {
        Some(unit) => mode.divide(number.unscaled, unit),
        None => i256::ZERO,
    };
    if units == i256::ZERO {
        return Ok(units);
    }
    // Back to the result's last digit; there may be fewer of them than were asked for, and then they are zeros.
    let factor = i32::from(scale) - (i32::from(number.scale) - excess);
    let result = match factor >= 0 {
        true => power_of_ten(factor as u32).and_then(|factor| units.checked_mul(factor)),
        false => power_of_ten(factor.unsigned_abs()).map(|divisor| divide_rounding(units, divisor)),
    };
    result.ok_or_else(overflow)
}

/// Digits after the point up to the last that is not zero.
/// Digits after the point as they are printed: those of a column without a scale are not all meant.
fn scale(call: &Call) -> Result<ArrayRef> {
    match call.types.first() {
        Some(ty) if is_unconstrained(&ty.arrow, ty.typmod) => call.map1(min_scale),
        _ => call.map1(|it: Numeric| i32::from(it.scale.max(0))),
    }
}

fn min_scale(number: Numeric) -> i32 {
    let number = without_negative_scale(number).unwrap_or(Numeric::from_i128(0));
    let (mut unscaled, mut scale) = (number.unscaled, i32::from(number.scale));
    let ten = i256::from_i128(10);
    while scale > 0 && unscaled.wrapping_rem(ten) == i256::ZERO {
        unscaled = unscaled.wrapping_div(ten);
        scale -= 1;
    }
    scale
}

/// A constant without its trailing zeros. A column has one scale for all values, and keeps it.
fn trimmed_type(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let number = argument(arguments, 0)?;
    match constant(number) {
        Some(value) => Ok(numeric(Digits::of(number)?.integer(), min_scale(value))),
        None => same(arguments),
    }
}

fn trim_scale(call: &Call) -> Result<ArrayRef> {
    let scale = result_scale(call)?;
    rows1(call, |number| number.at_scale(scale).map(|number| number.unscaled).ok_or_else(overflow))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::library::number::numeric::testing::check_values;
    use crate::testing::{Value, call};
    use crate::types::*;

    fn check(name: &str, number: &str, places: Option<&str>, expected: &str) {
        let mut arguments: Vec<Value<'_>> = vec![(NUMERIC, Some(number))];
        arguments.extend(places.map(|places| (INT4, Some(places))));
        check_values(name, &arguments, expected);
    }

    #[test]
    fn numbers_are_rounded_to_constant_places() {
        for (name, number, places, expected) in [
            ("round", "2.5", None, "3"),
            ("round", "-2.5", None, "-3"),
            ("round", "-0.4", None, "0"),
            ("round", "1.2345", Some("2"), "1.23"),
            ("round", "5.015", Some("2"), "5.02"),
            ("round", "99.99", Some("1"), "100.0"),
            ("round", "1.5", Some("4"), "1.5000"),
            ("round", "155.5", Some("-1"), "160"),
            ("round", "155.5", Some("-2"), "200"),
            ("round", "999", Some("-3"), "1000"),
            ("round", "55", Some("-3"), "0"),
            ("round", "55", Some("-2147483648"), "0"),
            ("round", "1.5", Some("0"), "2"),
            ("trunc", "1.999", Some("2"), "1.99"),
            ("trunc", "-1.999", None, "-1"),
            ("trunc", "1999", Some("-3"), "1000"),
            ("trunc", "1.5", Some("3"), "1.500"),
            ("ceil", "1.1", None, "2"),
            ("ceil", "-1.1", None, "-1"),
            ("ceiling", "-0.5", None, "0"),
            ("floor", "-1.1", None, "-2"),
            ("floor", "1.0", None, "1"),
            ("sign", "-1.50", None, "-1"),
            ("sign", "0.00", None, "0"),
            ("abs", "-1.50", None, "1.50"),
            ("trim_scale", "1.500", None, "1.5"),
            ("trim_scale", "100.00", None, "100"),
        ] {
            check(name, number, places, expected);
        }
        assert_eq!(call("round", &[(NUMERIC, Some("1.5")), (INT4, None)]), Ok(None));
        let extreme = [(NUMERIC, Some("55.5")), (INT4, Some("2147483647"))];
        assert_eq!(call("trunc", &extreme), Ok(Some("55.5".to_owned())));
        assert_eq!(call("scale", &[(NUMERIC, Some("1.500"))]), Ok(Some("3".to_owned())));
        assert_eq!(call("min_scale", &[(NUMERIC, Some("1.500"))]), Ok(Some("1".to_owned())));
        assert_eq!(call("min_scale", &[(NUMERIC, Some("0.000"))]), Ok(Some("0".to_owned())));
    }

    #[test]
    fn wide_numbers_are_rounded_alike() {
        let nines = "99999999999999999999999999999999999.95";
        check("round", nines, None, "100000000000000000000000000000000000");
        check("floor", nines, None, "99999999999999999999999999999999999");
        check("round", nines, Some("1"), "100000000000000000000000000000000000.0");
    }
}
