//! `+`, `-`, `*` and the sign.
//!
//! Where operands and result have 128 bits the digits of the types leave no room for an overflow, and whole columns are
//! computed at once.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, i256};

use super::rows::{
    big, big_divide_rounding, big_power_of_ten, decimal, overflow, result_scale, rows_of_pairs, rows1, small,
};
use super::shape::{DIGITS_MAX, Digits, digits, numeric, same};
use crate::error::Result;
use crate::expression_type::Type;
use crate::function::{ArgumentShape, Call, Function, Numeric, divide_rounding, function, power_of_ten};
use crate::library::number::columns::{binary, unary};
use crate::types::NUMERIC;

/// The operators.
pub static OPERATORS: &[Function] = &[
    function("+", &[NUMERIC, NUMERIC], NUMERIC, add).shaped(sum_type),
    function("-", &[NUMERIC, NUMERIC], NUMERIC, subtract).shaped(sum_type),
    function("*", &[NUMERIC, NUMERIC], NUMERIC, multiply).shaped(product_type),
    function("+", &[NUMERIC], NUMERIC, plus).shaped(same),
    function("-", &[NUMERIC], NUMERIC, minus).shaped(same),
    function("@", &[NUMERIC], NUMERIC, absolute).shaped(same),
];

/// The functions.
pub static FUNCTIONS: &[Function] = &[function("abs", &[NUMERIC], NUMERIC, absolute).shaped(same)];

/// Digits after the point that a product keeps when there are too many in all. Columns without a declared scale have 18, so
/// that a product of four of them would have no room before the point, for zeros behind it.
const PRODUCT_SCALE_MIN: i32 = 38;

fn sum_type(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let (left, right) = (digits(arguments, 0)?, digits(arguments, 1)?);
    Ok(numeric(left.integer().max(right.integer()) + 1, left.scale.max(right.scale)))
}

fn product_type(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let (left, right) = (digits(arguments, 0)?, digits(arguments, 1)?);
    let scale = left.scale + right.scale;
    let integer = left.precision + right.precision - scale;
    let scale = match integer.max(0) + scale > DIGITS_MAX {
        true => scale.min((DIGITS_MAX - integer).max(PRODUCT_SCALE_MIN)),
        false => scale,
    };
    Ok(numeric(integer, scale))
}

/// The operands' digits and the scale of the result, when the operands have 128 bits.
struct NarrowOperands {
    left: Digits,
    right: Digits,
    scale: i32,
    narrow_result: bool,
}

impl NarrowOperands {
    fn of(call: &Call) -> Result<Option<Self>> {
        let types = (call.compact_array(0).data_type(), call.compact_array(1).data_type());
        let (DataType::Decimal128(left, left_scale), DataType::Decimal128(right, right_scale)) = types else {
            return Ok(None);
        };
        if *left_scale < 0 || *right_scale < 0 {
            return Ok(None);
        }
        let digits = |precision: u8, scale: i8| Digits { precision: precision.into(), scale: scale.into() };
        let narrow_result = matches!(call.result.arrow, DataType::Decimal128(..));
        let scale = result_scale(call)?.into();
        let (left, right) = (digits(*left, *left_scale), digits(*right, *right_scale));
        Ok(Some(NarrowOperands { left, right, scale, narrow_result }))
    }

    /// Whether the result's type holds all sums. One of 128 bits always does.
    fn holds_sums(&self) -> bool {
        self.narrow_result || self.left.integer().max(self.right.integer()) + 1 + self.scale <= DIGITS_MAX
    }

    /// Whether the result's type holds all products.
    fn holds_products(&self) -> bool {
        let exact = self.left.scale + self.right.scale == self.scale;
        exact && (self.narrow_result || self.left.precision + self.right.precision <= DIGITS_MAX)
    }
}

fn add(call: &Call) -> Result<ArrayRef> {
    sum(call, i128::wrapping_add, i256::wrapping_add, i256::checked_add)
}

fn subtract(call: &Call) -> Result<ArrayRef> {
    sum(call, i128::wrapping_sub, i256::wrapping_sub, i256::checked_sub)
}

fn sum(
    call: &Call,
    narrow: impl Fn(i128, i128) -> i128,
    wide: impl Fn(i256, i256) -> i256,
    checked: impl Fn(i256, i256) -> Option<i256>,
) -> Result<ArrayRef> {
    let (left, right) = (multiplier(call, 0)?, multiplier(call, 1)?);
    if let Some(operands) = NarrowOperands::of(call)?
        && operands.holds_sums()
    {
        return match operands.narrow_result {
            true => narrow_sum(call, left.to_i128(), right.to_i128(), narrow),
            false => binary::<Decimal128Type, Decimal128Type, Decimal256Type>(
                call,
                |a, b| {
                    let (a, b) = (i256::from_i128(a), i256::from_i128(b));
                    Some(wide(a.wrapping_mul(left), b.wrapping_mul(right)))
                },
                |_, _| overflow(),
            ),
        };
    }
    rows_of_pairs(call, |a, b| {
        let (a, b) = (a.unscaled.checked_mul(left), b.unscaled.checked_mul(right));
        a.zip(b).and_then(|(a, b)| checked(a, b)).ok_or_else(overflow)
    })
}

fn narrow_sum(
    call: &Call,
    left: Option<i128>,
    right: Option<i128>,
    compute: impl Fn(i128, i128) -> i128,
) -> Result<ArrayRef> {
    type D128 = Decimal128Type;
    let (Some(left), Some(right)) = (left, right) else { return Err(overflow()) };
    if left == 1 && right == 1 {
        return binary::<D128, D128, D128>(call, |a, b| Some(compute(a, b)), |_, _| overflow());
    }
    let compute = |a: i128, b: i128| Some(compute(a.wrapping_mul(left), b.wrapping_mul(right)));
    binary::<D128, D128, D128>(call, compute, |_, _| overflow())
}

/// What brings an operand to the scale of the result.
fn multiplier(call: &Call, operand: usize) -> Result<i256> {
    let operand = call.compact_array(operand).data_type();
    let from = if operand == &DataType::Null { 0 } else { decimal(operand)?.1.max(0) };
    let places = i32::from(result_scale(call)?) - i32::from(from);
    power_of_ten(places.max(0) as u32).ok_or_else(overflow)
}

fn multiply(call: &Call) -> Result<ArrayRef> {
    type D128 = Decimal128Type;
    if let Some(operands) = NarrowOperands::of(call)?
        && operands.holds_products()
    {
        if operands.narrow_result {
            return binary::<D128, D128, D128>(call, |a, b| Some(a.wrapping_mul(b)), |_, _| overflow());
        }
        let compute = |a, b| Some(i256::from_i128(a).wrapping_mul(i256::from_i128(b)));
        return binary::<D128, D128, Decimal256Type>(call, compute, |_, _| overflow());
    }
    let scale = result_scale(call)?;
    rows_of_pairs(call, |a, b| product(a, b, scale).ok_or_else(overflow))
}

fn product(a: Numeric, b: Numeric, scale: i8) -> Option<i256> {
    let excess = i32::from(a.scale) + i32::from(b.scale) - i32::from(scale);
    match a.unscaled.checked_mul(b.unscaled) {
        Some(product) if excess == 0 => Some(product),
        Some(product) if (1..=DIGITS_MAX).contains(&excess) => {
            power_of_ten(excess as u32).map(|unit| divide_rounding(product, unit))
        }
        _ => {
            let product = big(a.unscaled) * big(b.unscaled) * big_power_of_ten(-excess);
            small(&big_divide_rounding(&product, &big_power_of_ten(excess)))
        }
    }
}

/// A function that changes no more than the sign.
fn signed(call: &Call, narrow: impl Fn(i128) -> i128, wide: impl Fn(i256) -> i256) -> Result<ArrayRef> {
    let operand = call.compact_array(0).data_type();
    match (operand, &call.result.arrow) {
        (DataType::Decimal128(_, scale), DataType::Decimal128(_, wanted)) if scale == wanted => {
            unary::<Decimal128Type, Decimal128Type>(call, |a| Some(narrow(a)), |_| overflow())
        }
        (DataType::Decimal256(_, scale), DataType::Decimal256(_, wanted)) if scale == wanted => {
            unary::<Decimal256Type, Decimal256Type>(call, |a| Some(wide(a)), |_| overflow())
        }
        _ => {
            let scale = result_scale(call)?;
            rows1(call, |number| Ok(wide(number.at_scale(scale).ok_or_else(overflow)?.unscaled)))
        }
    }
}

fn plus(call: &Call) -> Result<ArrayRef> {
    signed(call, |a| a, |a| a)
}

fn minus(call: &Call) -> Result<ArrayRef> {
    signed(call, i128::wrapping_neg, i256::wrapping_neg)
}

fn absolute(call: &Call) -> Result<ArrayRef> {
    signed(call, i128::wrapping_abs, i256::wrapping_abs)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::library::number::numeric::testing;
    use crate::testing::operator;

    fn check(left: &str, symbol: &str, right: &str, expected: &str) {
        testing::check(symbol, &[left, right], expected);
    }

    #[test]
    fn sums_and_products_are_exact() {
        check("1.5", "+", "2.25", "3.75");
        check("1.50", "-", "2.5", "-1.00");
        check("99999999999999999999999999999999999999", "+", "1", "100000000000000000000000000000000000000");
        check("99999999999999999999", "+", "0.00000000000000000001", "99999999999999999999.00000000000000000001");
        check("1.5", "*", "-2.25", "-3.375");
        check("0.001", "*", "0.001", "0.000001");
        check(
            "12345678901234567890123",
            "*",
            "98765432109876543210987",
            "1219326311370217952261797134336296860222381401",
        );
        assert_eq!(operator("+", &[(NUMERIC, None), (NUMERIC, Some("1"))]), Ok(None));
        testing::check("-", &["1.50"], "-1.50");
        testing::check("@", &["-1.50"], "1.50");
    }

    fn check_type(shape: crate::function::ResultShape, left: (u8, i8), right: (u8, i8), expected: (u8, i8)) {
        let (left, right) = (Type::numeric(left.0, left.1), Type::numeric(right.0, right.1));
        let arguments = [&left, &right].map(|ty| ArgumentShape { ty, constant: None });
        assert_eq!(shape(&arguments).unwrap().digits(), Some(expected), "{left:?} {right:?}");
    }

    #[test]
    fn results_have_room_for_all_digits() {
        check_type(sum_type, (15, 2), (10, 0), (16, 2));
        check_type(sum_type, (38, 18), (38, 18), (39, 18));
        check_type(sum_type, (76, 0), (76, 76), (76, 76));
        check_type(product_type, (15, 2), (16, 2), (31, 4));
        check_type(product_type, (38, 18), (38, 18), (76, 36));
        check_type(product_type, (76, 36), (38, 18), (76, 38));
        check_type(product_type, (76, 54), (38, 38), (76, 54));
    }
}
