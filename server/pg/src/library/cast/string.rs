//! Casts among the types that are carried as strings. A `character(n)` is carried without its padding, so it is a text as
//! it is; of a `character` without a length, the planner takes the blanks away (see [`blanks`]).

use arrow::array::ArrayRef;

use super::modifier;
use crate::error::{PgError, Result};
use crate::function::CastContext::{Assignment, Explicit, Implicit};
use crate::function::{Call, Cast, cast, native_cast};
use crate::input::scalars;
use crate::library::text::blanks;
use crate::types::*;

/// The casts of this module.
pub static CASTS: &[Cast] = &[
    cast(&[INT4], CHAR, Explicit, int4_to_char),
    cast(&[CHAR], INT4, Explicit, char_to_int4),
    native_cast(&[CHAR], TEXT, Implicit),
    cast(&[CHAR], VARCHAR, Assignment, fitted),
    cast(&[CHAR], BPCHAR, Assignment, fitted),
    native_cast(&[NAME], TEXT, Implicit),
    cast(&[NAME], VARCHAR, Assignment, fitted),
    cast(&[NAME], BPCHAR, Assignment, fitted),
    cast(&[TEXT], CHAR, Assignment, to_char),
    cast(&[TEXT], NAME, Implicit, to_name),
    cast(&[TEXT], BPCHAR, Implicit, fitted),
    native_cast(&[TEXT], VARCHAR, Implicit),
    cast(&[VARCHAR], CHAR, Assignment, to_char),
    cast(&[VARCHAR], NAME, Implicit, to_name),
    native_cast(&[VARCHAR], TEXT, Implicit),
    cast(&[VARCHAR], BPCHAR, Implicit, fitted),
    cast(&[VARCHAR], VARCHAR, Implicit, fitted),
    cast(&[BPCHAR], CHAR, Assignment, to_char),
    cast(&[BPCHAR], NAME, Implicit, character_to_name),
    native_cast(&[BPCHAR], TEXT, Implicit),
    cast(&[BPCHAR], VARCHAR, Implicit, fitted),
    cast(&[BPCHAR], BPCHAR, Implicit, fitted),
];

/// The string, no longer than the result's type has it.
fn fitted(call: &Call) -> Result<ArrayRef> {
    let from_character = call.types.first().is_some_and(|ty| ty.oid == BPCHAR);
    if call.result.oid != BPCHAR && length_of(call.result.typmod).is_none() {
        return if from_character { call.map1(blanks::trimmed) } else { call.array(0) };
    }
    if from_character && call.result.oid != BPCHAR {
        let explicit = modifier::is_explicit(call.context);
        return call.map1(|text: &str| modifier::string(blanks::trimmed(text), &call.result, explicit));
    }
    let explicit = modifier::is_explicit(call.context);
    call.map1(|text: &str| modifier::string(text, &call.result, explicit))
}

fn to_name(call: &Call) -> Result<ArrayRef> {
    call.map1(scalars::name)
}

fn character_to_name(call: &Call) -> Result<ArrayRef> {
    call.map1(|text: &str| scalars::name(blanks::trimmed(text)))
}

fn to_char(call: &Call) -> Result<ArrayRef> {
    call.map1(scalars::char)
}

/// The number of a byte, which has a sign.
fn char_to_int4(call: &Call) -> Result<ArrayRef> {
    call.map1(|text: &str| i32::from(scalars::char_byte(text).cast_signed()))
}

fn int4_to_char(call: &Call) -> Result<ArrayRef> {
    call.map1(|number: i32| {
        let byte = i8::try_from(number).map_err(|_| PgError::out_of_range("\"char\""))?;
        Ok::<_, PgError>(scalars::char_text(byte.cast_unsigned()))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing;

    fn check(source: u32, text: &str, target: u32, typmod: i32, expected: &str) {
        let answer = testing::cast((source, Some(text)), target, typmod);
        assert_eq!(answer.unwrap().as_deref(), Some(expected), "{text}");
    }

    #[test]
    fn strings_become_other_strings() {
        check(TEXT, "ab ", BPCHAR, 9, "ab   ");
        check(TEXT, &"é".repeat(40), NAME, -1, &"é".repeat(31));
        check(TEXT, "abc", CHAR, -1, "a");
        check(VARCHAR, "é", CHAR, -1, "\\303");
        check(CHAR, "é", INT4, -1, "-61");
        check(CHAR, "", INT4, -1, "0");
        check(INT4, "-1", CHAR, -1, "\\377");
        check(CHAR, "a", BPCHAR, 7, "a  ");
        let too_large = testing::cast((INT4, Some("200")), CHAR, -1).unwrap_err();
        assert_eq!(too_large.message, "\"char\" out of range");
        let too_long = testing::cast((VARCHAR, Some("abc")), VARCHAR, 6).unwrap_err();
        assert_eq!(too_long.message, "value too long for type character varying(2)");
    }
}
