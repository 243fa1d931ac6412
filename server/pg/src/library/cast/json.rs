//! Casts of `json` and `jsonb`. The text of a `jsonb` is normalised, so its first character tells what it is.

use std::str::FromStr;

use arrow::array::ArrayRef;
use arrow::datatypes::i256;

use super::number;
use crate::error::{PgError, Result};
use crate::function::CastContext::{Assignment, Explicit};
use crate::function::{Call, Cast, Numeric, cast, native_cast};
use crate::input::json;
use crate::input::scalars;
use crate::types::*;

/// The casts of this module.
pub static CASTS: &[Cast] = &[
    cast(&[JSON], JSONB, Assignment, |call| call.map1(json::normalize_jsonb)),
    native_cast(&[JSONB], JSON, Assignment),
    cast(&[JSONB], BOOL, Explicit, to_bool),
    cast(&[JSONB], INT2, Explicit, to_integer::<i16>),
    cast(&[JSONB], INT4, Explicit, to_integer::<i32>),
    cast(&[JSONB], INT8, Explicit, to_integer::<i64>),
    cast(&[JSONB], FLOAT4, Explicit, to_float4),
    cast(&[JSONB], FLOAT8, Explicit, to_float8),
    cast(&[JSONB], NUMERIC, Explicit, to_numeric),
];

fn kind(text: &str) -> &'static str {
    match text.as_bytes().first() {
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        Some(b'n') => "null",
        _ => "numeric",
    }
}

fn cannot_cast(text: &str, call: &Call) -> PgError {
    PgError::invalid_parameter(format!("cannot cast jsonb {} to type {}", kind(text), call.result.name()))
}

/// The text, if it is a number.
fn digits<'a>(text: &'a str, call: &Call) -> Result<&'a str> {
    if kind(text) == "numeric" { Ok(text) } else { Err(cannot_cast(text, call)) }
}

fn to_bool(call: &Call) -> Result<ArrayRef> {
    call.map1(|text: &str| if kind(text) == "boolean" { Ok(text == "true") } else { Err(cannot_cast(text, call)) })
}

fn to_integer<T>(call: &Call) -> Result<ArrayRef>
where
    T: FromStr + TryFrom<i128> + crate::function::ResultValue,
{
    call.map1(|text: &str| {
        let text = digits(text, call)?;
        match text.parse() {
            Ok(integer) => Ok::<T, PgError>(integer),
            Err(_) => number::rounded(whole(text).unwrap_or(TOO_LARGE), &call.result),
        }
    })
}

/// A number that is no integer of any width.
const TOO_LARGE: Numeric = Numeric { unscaled: i256::MAX, scale: 0 };

/// The number as an integer; `None` when it is too large for any width.
fn whole(text: &str) -> Option<Numeric> {
    let (unscaled, _) = scalars::written_number(text).ok()?.wide_at_scale(0)?;
    Some(Numeric::new(unscaled, 0))
}

fn to_float4(call: &Call) -> Result<ArrayRef> {
    call.map1(|text: &str| Ok::<_, PgError>(scalars::real(digits(text, call)?)?))
}

fn to_float8(call: &Call) -> Result<ArrayRef> {
    call.map1(|text: &str| Ok::<_, PgError>(scalars::double(digits(text, call)?)?))
}

fn to_numeric(call: &Call) -> Result<ArrayRef> {
    call.map1(|text: &str| number::written(digits(text, call)?, &call.result))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn scalars_become_what_they_are() {
        for (text, target, typmod, expected) in [
            ("true", BOOL, -1, "t"),
            ("2.5", INT4, -1, "3"),
            ("-2.5", INT2, -1, "-3"),
            ("1e2", INT8, -1, "100"),
            ("2.5", FLOAT8, -1, "2.5"),
            ("1.555", NUMERIC, (3 << 16 | 2) + 4, "1.56"),
        ] {
            let answer = testing::cast((JSONB, Some(text)), target, typmod);
            assert_eq!(answer.unwrap().as_deref(), Some(expected), "{text}");
        }
        let normal = testing::cast((JSON, Some("{\"b\":1,\"a\":2}")), JSONB, -1);
        assert_eq!(normal.unwrap().as_deref(), Some("{\"a\": 2, \"b\": 1}"));
    }

    #[test]
    fn other_values_are_refused_by_their_kind() {
        for (text, target, message) in [
            ("\"abc\"", INT4, "cannot cast jsonb string to type integer"),
            ("null", INT4, "cannot cast jsonb null to type integer"),
            ("[1]", FLOAT8, "cannot cast jsonb array to type double precision"),
            ("{}", BOOL, "cannot cast jsonb object to type boolean"),
            ("1", BOOL, "cannot cast jsonb numeric to type boolean"),
            ("true", INT8, "cannot cast jsonb boolean to type bigint"),
            ("1e10", INT4, "integer out of range"),
            ("1e100", INT8, "bigint out of range"),
            ("99999", INT2, "smallint out of range"),
        ] {
            assert_eq!(testing::cast((JSONB, Some(text)), target, -1).unwrap_err().message, message);
        }
    }
}
