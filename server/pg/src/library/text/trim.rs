//! Characters taken off the ends of a string, and put there.

use super::{character_offset, check_length};
use crate::error::Result;
use crate::function::{Function, function};
use crate::types::*;

pub(super) static FUNCTIONS: &[Function] = &[
    function("btrim", &[TEXT], TEXT, |call| call.map1(|s| trim_both(s, " "))),
    function("btrim", &[TEXT, TEXT], TEXT, |call| call.map2(trim_both)),
    function("ltrim", &[TEXT], TEXT, |call| call.map1(|s| trim_left(s, " "))),
    function("ltrim", &[TEXT, TEXT], TEXT, |call| call.map2(trim_left)),
    function("rtrim", &[TEXT], TEXT, |call| call.map1(|s| trim_right(s, " "))),
    function("rtrim", &[TEXT, TEXT], TEXT, |call| call.map2(trim_right)),
    function("lpad", &[TEXT, INT4], TEXT, |call| call.map2(|s: &str, length: i32| pad_left(s, length, " "))),
    function("lpad", &[TEXT, INT4, TEXT], TEXT, |call| call.map3(pad_left)),
    function("rpad", &[TEXT, INT4], TEXT, |call| call.map2(|s: &str, length: i32| pad_right(s, length, " "))),
    function("rpad", &[TEXT, INT4, TEXT], TEXT, |call| call.map3(pad_right)),
    function("repeat", &[TEXT, INT4], TEXT, |call| call.map2(repeat)),
    // Redshift's name for it.
    function("replicate", &[TEXT, INT4], TEXT, |call| call.map2(repeat)),
];

fn trim_left<'a>(s: &'a str, characters: &str) -> &'a str {
    s.trim_start_matches(|c| characters.contains(c))
}

fn trim_right<'a>(s: &'a str, characters: &str) -> &'a str {
    s.trim_end_matches(|c| characters.contains(c))
}

fn trim_both<'a>(s: &'a str, characters: &str) -> &'a str {
    trim_right(trim_left(s, characters), characters)
}

/// The string cut to the length, and the characters that it lacks.
fn fitted<'a>(s: &'a str, length: i32, fill: &str) -> Result<(&'a str, String)> {
    let length = usize::try_from(length).unwrap_or(0);
    let cut = &s[..character_offset(s, length)];
    let missing = length.saturating_sub(cut.chars().count());
    if fill.is_empty() || missing == 0 {
        return Ok((cut, String::new()));
    }
    // PostgreSQL reserves four bytes for each character too.
    check_length(length)?;
    let padding: String = fill.chars().cycle().take(missing).collect();
    check_length(cut.len().saturating_add(padding.len()))?;
    Ok((cut, padding))
}

fn pad_left(s: &str, length: i32, fill: &str) -> Result<String> {
    let (cut, padding) = fitted(s, length, fill)?;
    Ok(padding + cut)
}

fn pad_right(s: &str, length: i32, fill: &str) -> Result<String> {
    let (cut, padding) = fitted(s, length, fill)?;
    Ok(cut.to_owned() + &padding)
}

fn repeat(s: &str, count: i32) -> Result<String> {
    let count = usize::try_from(count).unwrap_or(0);
    check_length(s.len().saturating_mul(count))?;
    Ok(s.repeat(count))
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
    fn trimming_takes_a_set_of_characters() {
        check("btrim", &[(TEXT, Some("  a b\t "))], "a b\t");
        check("btrim", &[(TEXT, Some("xyätyx")), (TEXT, Some("xyä"))], "t");
        check("ltrim", &[(TEXT, Some("zzzytest")), (TEXT, Some("xyz"))], "test");
        check("rtrim", &[(TEXT, Some("testxxzx")), (TEXT, Some("xyz"))], "test");
        check("rtrim", &[(TEXT, Some("abc")), (TEXT, Some(""))], "abc");
    }

    #[test]
    fn padding_cuts_what_is_too_long() {
        check("lpad", &[(TEXT, Some("hi")), (INT4, Some("5")), (TEXT, Some("xy"))], "xyxhi");
        check("lpad", &[(TEXT, Some("hello")), (INT4, Some("2"))], "he");
        check("rpad", &[(TEXT, Some("hä")), (INT4, Some("5")), (TEXT, Some("xy"))], "häxyx");
        check("rpad", &[(TEXT, Some("hi")), (INT4, Some("-1"))], "");
        check("rpad", &[(TEXT, Some("hi")), (INT4, Some("9")), (TEXT, Some(""))], "hi");
        check("lpad", &[(TEXT, Some("a")), (INT4, Some("2147483647"))], "requested length too large");
        check("repeat", &[(TEXT, Some("ab")), (INT4, Some("3"))], "ababab");
        check("repeat", &[(TEXT, Some("ab")), (INT4, Some("-3"))], "");
        check("repeat", &[(TEXT, Some("ab")), (INT4, Some("1000000000"))], "requested length too large");
    }
}
