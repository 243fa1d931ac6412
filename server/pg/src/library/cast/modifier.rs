//! What a type's modifier does to a string or a number: its length, its digits. What it does to dates and times is in
//! [`crate::datetime::modifier`].

use arrow::datatypes::i256;
use catalog::types::NumericSize;

use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{CastContext, Numeric, power_of_ten};
use crate::input::InputError;
use crate::numeric::WrittenNumber;
use crate::sqlstate::SqlState;
use crate::types::{self, BPCHAR};

/// What PostgreSQL adds to a length or precision in a type modifier (`VARHDRSZ`).
const TYPMOD_HEADER: i32 = 4;
/// A string of `character varying(n)` or `character(n)`: what is longer is cut where the cast was written, or where only
/// spaces are lost. `character` loses the spaces at its end, which are padding.
pub fn string<'a>(text: &'a str, ty: &Type, explicit: bool) -> Result<&'a str> {
    // Without a length, the spaces are carried.
    let Some(length) = types::length_of(ty.typmod) else { return Ok(text) };
    let padded = ty.oid == BPCHAR;
    let text = if padded { text.trim_end_matches(' ') } else { text };
    // A character has at least one byte.
    if text.len() <= length {
        return Ok(text);
    }
    let Some((end, _)) = text.char_indices().nth(length) else { return Ok(text) };
    let (kept, excess) = text.split_at(end);
    if !explicit && excess.bytes().any(|byte| byte != b' ') {
        let message = format!("value too long for type {}({length})", ty.name());
        return Err(PgError::new(SqlState::STRING_DATA_RIGHT_TRUNCATION, message));
    }
    Ok(if padded { kept.trim_end_matches(' ') } else { kept })
}

/// Whether a cast may cut silently.
pub fn is_explicit(context: CastContext) -> bool {
    context == CastContext::Explicit
}

/// Precision and scale of `numeric(p, s)`; the scale may be negative.
pub fn numeric_size(typmod: i32) -> Option<(i32, i32)> {
    let packed = typmod.checked_sub(TYPMOD_HEADER).filter(|packed| *packed >= 0)?;
    Some((packed >> 16, ((packed & 0x7ff) ^ 1024) - 1024))
}

/// A number rounded to the scale of `numeric(p, s)` and checked against its precision.
pub fn numeric(number: Numeric, typmod: i32) -> Result<Numeric> {
    let Some((precision, scale)) = numeric_size(typmod) else { return Ok(number) };
    let overflow = || field_overflow(precision, scale);
    let rounded = if scale < 0 {
        // The digits before the point that are rounded away stay as zeros.
        let zeros = scale.unsigned_abs();
        let cut = Numeric::new(number.unscaled, number.scale.saturating_add(zeros.min(100) as i8));
        let cut = cut.at_scale(0).ok_or_else(overflow)?;
        let power = power_of_ten(zeros).ok_or_else(overflow)?;
        Numeric::new(cut.unscaled.checked_mul(power).ok_or_else(overflow)?, 0)
    } else {
        let scale = i8::try_from(scale).map_err(|_| overflow())?;
        number.at_scale(scale).ok_or_else(overflow)?
    };
    // Below ten to the power of the digits before the point; both sides times ten to the power of the scale.
    let digits = if scale < 0 { precision - scale } else { precision };
    match u32::try_from(digits).ok().and_then(power_of_ten) {
        Some(limit) if rounded.unscaled.wrapping_abs() >= limit => Err(overflow()),
        _ => Ok(rounded),
    }
}

/// A number that was written, rounded once.
pub fn written_numeric(number: &WrittenNumber<'_>, typmod: i32) -> Result<Numeric> {
    let Some((precision, scale)) = numeric_size(typmod) else {
        return Err(PgError::internal("a numeric without precision"));
    };
    let overflow = || field_overflow(precision, scale);
    let (unscaled, _) = number.wide_at_scale(i64::from(scale)).ok_or_else(overflow)?;
    if u32::try_from(precision).ok().and_then(power_of_ten).is_some_and(|limit| unscaled.wrapping_abs() >= limit) {
        return Err(overflow());
    }
    match i8::try_from(scale) {
        Ok(scale) if scale >= 0 => Ok(Numeric::new(unscaled, scale)),
        _ => {
            let power = power_of_ten(scale.unsigned_abs()).and_then(|power| unscaled.checked_mul(power));
            Ok(Numeric::new(power.ok_or_else(overflow)?, 0))
        }
    }
}

fn field_overflow(precision: i32, scale: i32) -> PgError {
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(precision), Ok(scale)) => {
            InputError::NumericFieldOverflow { size: NumericSize { precision, scale } }.into()
        }
        _ => PgError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "numeric field overflow"),
    }
}

/// Whether a number has no more digits than a type's decimals.
pub fn fits(number: Numeric, ty: &Type) -> bool {
    let limit = ty.digits().and_then(|(precision, _)| power_of_ten(u32::from(precision)));
    limit.is_some_and(|limit| number.unscaled.wrapping_abs() < limit && number.unscaled != i256::MIN)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::types::VARCHAR;

    fn typmod(precision: i32, scale: i32) -> i32 {
        (precision << 16 | scale & 0x7ff) + TYPMOD_HEADER
    }

    #[test]
    fn strings_are_cut_where_it_was_asked_for() {
        assert_eq!(string("a  ", &Type::of(BPCHAR), true), Ok("a  "));
        let varying = Type::with_typmod(VARCHAR, 6);
        let padded = Type::with_typmod(BPCHAR, 6);
        assert_eq!(string("éab", &varying, true), Ok("éa"));
        assert_eq!(string("ab  ", &varying, false), Ok("ab"));
        assert_eq!(string("a   ", &varying, false), Ok("a "));
        assert_eq!(string("a   ", &padded, false), Ok("a"));
        assert_eq!(string("a bc", &padded, true), Ok("a"));
        assert_eq!(string("abc", &varying, false).unwrap_err().message, "value too long for type character varying(2)");
        assert_eq!(string("abc", &padded, false).unwrap_err().message, "value too long for type character(2)");
    }

    #[test]
    fn numbers_are_rounded_and_then_checked() {
        let number = |unscaled: i128, scale| Numeric::new(i256::from_i128(unscaled), scale);
        assert_eq!(numeric(number(2555, 3), typmod(5, 2)), Ok(number(256, 2)));
        assert_eq!(numeric(number(12345, 0), typmod(3, -2)), Ok(number(12300, 0)));
        assert_eq!(numeric(number(999, 5), typmod(3, 5)), Ok(number(999, 5)));
        for (value, precision, scale, limit) in [
            (number(999_995, 3), 5, 2, "10^3"),
            (number(1, 0), 2, 2, "1"),
            (number(1, 2), 3, 5, "10^-2"),
            (number(99_999, 0), 3, -2, "10^5"),
        ] {
            let error = numeric(value, typmod(precision, scale)).unwrap_err();
            let detail = format!(
                "A field with precision {precision}, scale {scale} must round to an absolute value less than {limit}."
            );
            assert_eq!((error.message.as_str(), error.detail), ("numeric field overflow", Some(detail)));
        }
    }
}
