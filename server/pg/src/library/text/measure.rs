//! Lengths of strings, and where one stands in another.

use super::as_integer;
use super::blanks::trimmed;
use crate::error::Result;
use crate::function::{Call, Function, function};
use crate::types::*;
use arrow::array::ArrayRef;

pub(super) static FUNCTIONS: &[Function] = &[
    function("length", &[TEXT], INT4, characters),
    function("length", &[BPCHAR], INT4, characters_without_blanks),
    function("char_length", &[TEXT], INT4, characters),
    function("char_length", &[BPCHAR], INT4, characters_without_blanks),
    function("character_length", &[TEXT], INT4, characters),
    function("character_length", &[BPCHAR], INT4, characters_without_blanks),
    // Redshift's.
    function("len", &[TEXT], INT4, characters),
    function("len", &[BPCHAR], INT4, characters_without_blanks),
    function("textlen", &[TEXT], INT4, characters),
    function("octet_length", &[TEXT], INT4, |call| call.map1(|s: &str| as_integer(s.len()))),
    function("octet_length", &[BPCHAR], INT4, padded_octets),
    function("bit_length", &[TEXT], INT4, |call| call.map1(|s: &str| as_integer(s.len().saturating_mul(8)))),
    function("strpos", &[TEXT, TEXT], INT4, |call| call.map2(position)),
    // As the parser gives it: the string first.
    function("position", &[TEXT, TEXT], INT4, |call| call.map2(position)),
    // Redshift's, with the string last.
    function("charindex", &[TEXT, TEXT], INT4, |call| call.map2(|part: &str, s: &str| position(s, part))),
    function("starts_with", &[TEXT, TEXT], BOOL, starts_with),
    function("ascii", &[TEXT], INT4, |call| call.map1(|s: &str| s.chars().next().map_or(0, |c| u32::from(c) as i32))),
];

pub(super) static OPERATORS: &[Function] = &[function("^@", &[TEXT, TEXT], BOOL, starts_with)];

fn characters(call: &Call) -> Result<ArrayRef> {
    call.map1(|s: &str| as_integer(s.chars().count()))
}

fn characters_without_blanks(call: &Call) -> Result<ArrayRef> {
    call.map1(|s: &str| as_integer(trimmed(s).chars().count()))
}

/// A `char(n)` has n characters, those that are not stored being blanks of one byte.
fn padded_octets(call: &Call) -> Result<ArrayRef> {
    let length = padded_length(call, 0);
    call.map1(|s: &str| {
        let missing = length.saturating_sub(s.chars().count());
        as_integer(s.len().saturating_add(missing))
    })
}

/// The number of characters that values of a `char(n)` argument are padded to.
pub(super) fn padded_length(call: &Call, argument: usize) -> usize {
    let typmod = call.types.get(argument).map_or(-1, |ty| ty.typmod);
    usize::try_from(typmod.saturating_sub(4)).unwrap_or(0)
}

fn starts_with(call: &Call) -> Result<ArrayRef> {
    call.map2(|s: &str, prefix: &str| s.starts_with(prefix))
}

/// Where the part begins, counted from one; zero when it does not occur.
fn position(s: &str, part: &str) -> i32 {
    s.find(part).map_or(0, |offset| as_integer(s[..offset].chars().count().saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use crate::testing::{call, operator};
    use crate::types::*;

    fn check(name: &str, arguments: &[&str], expected: &str) {
        let arguments: Vec<_> = arguments.iter().map(|it| (TEXT, Some(*it))).collect();
        assert_eq!(call(name, &arguments), Ok(Some(expected.to_owned())), "{name} {arguments:?}");
    }

    #[test]
    fn lengths_count_characters_or_bytes() {
        check("length", &["äb"], "2");
        check("octet_length", &["äb"], "3");
        check("bit_length", &["äb"], "24");
        check("len", &["abc"], "3");
        check("ascii", &["ä"], "228");
        check("ascii", &[""], "0");
    }

    #[test]
    fn a_position_counts_characters_from_one() {
        check("strpos", &["äbc", "c"], "3");
        check("strpos", &["abc", ""], "1");
        check("strpos", &["", "a"], "0");
        check("charindex", &["c", "äbc"], "3");
        assert_eq!(operator("^@", &[(TEXT, Some("abc")), (TEXT, Some("ab"))]), Ok(Some("t".to_owned())));
        assert_eq!(call("length", &[(TEXT, None)]), Ok(None));
    }
}
