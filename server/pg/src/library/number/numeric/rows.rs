//! Columns of numbers that are computed row by row, with 256 bits for each.

use arrow::array::{ArrayRef, Decimal128Builder, Decimal256Builder};
use arrow::datatypes::{DataType, i256};
use num_bigint::{BigInt, Sign};
use std::sync::Arc;

use super::shape::without_negative_scale;
use crate::error::{PgError, Result};
use crate::function::{Argument, Call, Numeric, power_of_ten};
use crate::sqlstate::SqlState;

/// A number that has more digits than there are.
pub fn overflow() -> PgError {
    PgError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format")
}

/// The scale of the result's type.
pub fn result_scale(call: &Call) -> Result<i8> {
    decimal(&call.result.arrow).map(|(_, scale)| scale)
}

/// Precision and scale.
pub fn decimal(data_type: &DataType) -> Result<(u8, i8)> {
    match data_type {
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => Ok((*precision, *scale)),
        other => Err(PgError::internal(format!("{other} is not a numeric"))),
    }
}

enum Builder {
    Narrow(Decimal128Builder),
    Wide(Decimal256Builder),
}

/// The column of what a function of a row's number gives: the result at the scale of the result's type, or NULL.
pub fn collect(call: &Call, mut compute: impl FnMut(usize) -> Result<Option<i256>>) -> Result<ArrayRef> {
    let (precision, _) = decimal(&call.result.arrow)?;
    let limit = power_of_ten(u32::from(precision)).ok_or_else(overflow)?;
    let rows = call.rows();
    let ty = call.result.arrow.clone();
    let mut builder = match ty {
        DataType::Decimal128(..) => Builder::Narrow(Decimal128Builder::with_capacity(rows).with_data_type(ty)),
        _ => Builder::Wide(Decimal256Builder::with_capacity(rows).with_data_type(ty)),
    };
    for row in 0..rows {
        let value = compute(row)?;
        if value.is_some_and(|value| value >= limit || value <= limit.wrapping_neg()) {
            return Err(overflow());
        }
        match &mut builder {
            Builder::Narrow(builder) => builder.append_option(value.and_then(i256::to_i128)),
            Builder::Wide(builder) => builder.append_option(value),
        }
    }
    Ok(match builder {
        Builder::Narrow(mut builder) => Arc::new(builder.finish()),
        Builder::Wide(mut builder) => Arc::new(builder.finish()),
    })
}

/// A function of one number, whose results have the scale of the result's type.
pub fn rows1(call: &Call, compute: impl Fn(Numeric) -> Result<i256>) -> Result<ArrayRef> {
    let numbers = call.column::<Numeric>(0)?;
    collect(call, |row| match numbers.get(row) {
        Some(number) => compute(without_negative_scale(number).ok_or_else(overflow)?).map(Some),
        None => Ok(None),
    })
}

/// A function of a number and another value, whose results have the scale of the result's type.
pub fn rows2<'a, B: Argument<'a>>(call: &'a Call, compute: impl Fn(Numeric, B) -> Result<i256>) -> Result<ArrayRef> {
    let (left, right) = (call.column::<Numeric>(0)?, call.column::<B>(1)?);
    collect(call, |row| match (left.get(row), right.get(row)) {
        (Some(left), Some(right)) => compute(without_negative_scale(left).ok_or_else(overflow)?, right).map(Some),
        _ => Ok(None),
    })
}

/// A function of two numbers, whose results have the scale of the result's type.
pub fn rows_of_pairs(call: &Call, compute: impl Fn(Numeric, Numeric) -> Result<i256>) -> Result<ArrayRef> {
    rows2(call, |left, right: Numeric| compute(left, without_negative_scale(right).ok_or_else(overflow)?))
}

/// The number as an integer of any size.
pub fn big(value: i256) -> BigInt {
    BigInt::from_signed_bytes_le(&value.to_le_bytes())
}

/// The integer in 256 bits, if it fits.
pub fn small(value: &BigInt) -> Option<i256> {
    let bytes = value.to_signed_bytes_le();
    let fill = if value.sign() == Sign::Minus { 0xff } else { 0 };
    let mut wide = [fill; 32];
    wide.get_mut(..bytes.len())?.copy_from_slice(&bytes);
    Some(i256::from_le_bytes(wide))
}

/// Ten to this power.
pub fn big_power_of_ten(exponent: i32) -> BigInt {
    BigInt::from(10).pow(exponent.max(0) as u32)
}

/// The quotient, rounded half away from zero. The divisor is not zero.
pub fn big_divide_rounding(dividend: &BigInt, divisor: &BigInt) -> BigInt {
    let (size, by) = (dividend.magnitude(), divisor.magnitude());
    let rounded = (size * 2u32 + by) / (by * 2u32);
    let negative = (dividend.sign() == Sign::Minus) != (divisor.sign() == Sign::Minus);
    BigInt::from_biguint(if negative { Sign::Minus } else { Sign::Plus }, rounded)
}
