//! Strings with other characters or in another order.

use super::check_length;
use crate::error::{PgError, Result};
use crate::function::{Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;

pub(super) static FUNCTIONS: &[Function] = &[
    function("replace", &[TEXT, TEXT, TEXT], TEXT, |call| call.map3(replace)),
    function("reverse", &[TEXT], TEXT, |call| call.map1(|s: &str| s.chars().rev().collect::<String>())),
    function("translate", &[TEXT, TEXT, TEXT], TEXT, |call| call.map3(translate)),
    function("chr", &[INT4], TEXT, |call| call.map1(character)),
];

fn replace(s: &str, from: &str, to: &str) -> Result<String> {
    if from.is_empty() {
        return Ok(s.to_owned());
    }
    let growth = to.len().saturating_sub(from.len());
    if s.len().saturating_mul(growth) > super::VALUE_BYTES_MAX {
        check_length(s.matches(from).count().saturating_mul(growth).saturating_add(s.len()))?;
    }
    Ok(s.replace(from, to))
}

/// Each character that stands in `from` becomes the one in the same place of `to`, or goes when there is none.
fn translate(s: &str, from: &str, to: &str) -> String {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    s.chars()
        .filter_map(|c| match from.iter().position(|other| *other == c) {
            Some(place) => to.get(place).copied(),
            None => Some(c),
        })
        .collect()
}

/// The character with this number.
fn character(number: i32) -> Result<String> {
    let code = u32::try_from(number).map_err(|_| PgError::invalid_parameter("character number must be positive"))?;
    let limit = |message: String| PgError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message);
    if code == 0 {
        return Err(limit("null character not permitted".to_owned()));
    }
    if code > u32::from(char::MAX) {
        return Err(limit(format!("requested character too large for encoding: {number}")));
    }
    let c = char::from_u32(code);
    c.map(String::from).ok_or_else(|| limit(format!("requested character not valid for encoding: {number}")))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Value, call};
    use crate::types::*;

    fn check(name: &str, arguments: &[Value<'_>], expected: &str) {
        let found = call(name, arguments);
        let found = found.map_or_else(|error| error.message, Option::unwrap_or_default);
        assert_eq!(found, expected, "{name} {arguments:?}");
    }

    #[test]
    fn characters_are_exchanged() {
        check("replace", &[(TEXT, Some("abcabc")), (TEXT, Some("b")), (TEXT, Some("XY"))], "aXYcaXYc");
        check("replace", &[(TEXT, Some("abc")), (TEXT, Some("")), (TEXT, Some("X"))], "abc");
        check("translate", &[(TEXT, Some("12345")), (TEXT, Some("143")), (TEXT, Some("ax"))], "a2x5");
        check("translate", &[(TEXT, Some("aä")), (TEXT, Some("aa")), (TEXT, Some("xy"))], "xä");
        check("reverse", &[(TEXT, Some("aäb"))], "bäa");
    }

    #[test]
    fn a_number_names_a_character() {
        check("chr", &[(INT4, Some("65"))], "A");
        check("chr", &[(INT4, Some("8364"))], "€");
        check("chr", &[(INT4, Some("0"))], "null character not permitted");
        check("chr", &[(INT4, Some("-1"))], "character number must be positive");
        check("chr", &[(INT4, Some("55296"))], "requested character not valid for encoding: 55296");
        check("chr", &[(INT4, Some("1114112"))], "requested character too large for encoding: 1114112");
    }
}
