//! Parts of a string by position.

use super::{character_offset, check_length};
use crate::error::{PgError, Result};
use crate::function::{Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;

pub(super) static FUNCTIONS: &[Function] = &[
    function("substring", &[TEXT, INT4], TEXT, |call| call.map2(from)),
    function("substring", &[TEXT, INT4, INT4], TEXT, |call| call.map3(from_for)),
    function("substr", &[TEXT, INT4], TEXT, |call| call.map2(from)),
    function("substr", &[TEXT, INT4, INT4], TEXT, |call| call.map3(from_for)),
    function("left", &[TEXT, INT4], TEXT, |call| call.map2(left)),
    function("right", &[TEXT, INT4], TEXT, |call| call.map2(right)),
    // Redshift's.
    function("strtol", &[TEXT, INT4], INT8, |call| call.map2(number_in_base)),
    function("overlay", &[TEXT, TEXT, INT4], TEXT, |call| {
        call.map3(|s: &str, part: &str, start: i32| overlay(s, part, start, super::as_integer(part.chars().count())))
    }),
    function("overlay", &[TEXT, TEXT, INT4, INT4], TEXT, |call| call.map4(overlay)),
    function("split_part", &[TEXT, TEXT, INT4], TEXT, |call| call.map3(split_part)),
];

/// The range of positions, counted from zero, of a substring of that many from a start counted from one.
pub(super) fn positions(start: i32, length: Option<i32>) -> Result<(usize, Option<usize>)> {
    let first = i64::from(start) - 1;
    let end = match length {
        Some(length) if length < 0 => return Err(negative_length()),
        Some(length) => Some(usize::try_from(first + i64::from(length)).unwrap_or(0)),
        None => None,
    };
    Ok((usize::try_from(first).unwrap_or(0), end))
}

/// `negative substring length not allowed` (22011)
pub(super) fn negative_length() -> PgError {
    PgError::new(SqlState::SUBSTRING_ERROR, "negative substring length not allowed")
}

fn from(s: &str, start: i32) -> &str {
    let first = usize::try_from(i64::from(start) - 1).unwrap_or(0);
    &s[character_offset(s, first)..]
}

fn from_for(s: &str, start: i32, length: i32) -> Result<&str> {
    let (first, end) = positions(start, Some(length))?;
    let rest = &s[character_offset(s, first)..];
    let count = end.unwrap_or(0).saturating_sub(first);
    Ok(&rest[..character_offset(rest, count)])
}

/// The first characters; with a negative number, all but so many of the last.
fn left(s: &str, count: i32) -> &str {
    let magnitude = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    let end = if count >= 0 { character_offset(s, magnitude) } else { offset_from_end(s, magnitude) };
    &s[..end]
}

/// The last characters; with a negative number, all but so many of the first.
fn right(s: &str, count: i32) -> &str {
    // The lowest number has no opposite; PostgreSQL leaves out nothing then.
    if count == i32::MIN {
        return s;
    }
    let magnitude = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    let start = if count < 0 { character_offset(s, magnitude) } else { offset_from_end(s, magnitude) };
    &s[start..]
}

/// The byte before so many characters at the end.
fn offset_from_end(s: &str, count: usize) -> usize {
    character_offset(s, s.chars().count().saturating_sub(count))
}

/// The string with a range of it replaced.
fn overlay(s: &str, part: &str, start: i32, length: i32) -> Result<String> {
    if start <= 0 {
        return Err(negative_length());
    }
    let after = start.checked_add(length).ok_or_else(|| PgError::out_of_range("integer"))?;
    let head = from_for(s, 1, start - 1)?;
    let tail = from(s, after);
    check_length(head.len().saturating_add(part.len()).saturating_add(tail.len()))?;
    Ok([head, part, tail].concat())
}

/// The field with this number, counted from one, or from the end below zero.
fn split_part<'a>(s: &'a str, separator: &str, field: i32) -> Result<&'a str> {
    if field == 0 {
        return Err(PgError::invalid_parameter("field position must not be zero"));
    }
    if separator.is_empty() {
        return Ok(if field.abs_diff(0) == 1 { s } else { "" });
    }
    let index = usize::try_from(field.unsigned_abs()).unwrap_or(usize::MAX) - 1;
    if field > 0 {
        return Ok(s.split(separator).nth(index).unwrap_or(""));
    }
    // Counted over the fields as they are found from the left: separators may overlap.
    let fields = s.split(separator).count();
    match fields.checked_sub(index + 1) {
        Some(index) => Ok(s.split(separator).nth(index).unwrap_or("")),
        None => Ok(""),
    }
}

/// A whole number written in a base from 2 to 36.
fn number_in_base(s: &str, base: i32) -> Result<i64> {
    let digits = s.trim();
    let radix = u32::try_from(base).ok().filter(|base| (2..=36).contains(base));
    let radix = radix.ok_or_else(|| PgError::invalid_parameter("base must be between 2 and 36"))?;
    let digits = match radix {
        16 => digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")).unwrap_or(digits),
        _ => digits,
    };
    i64::from_str_radix(digits, radix).map_err(|_| {
        let message = format!("the input {s} is not valid to be converted to base {base}");
        PgError::new(SqlState::INVALID_TEXT_REPRESENTATION, message)
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::call;
    use crate::types::*;

    fn check(name: &str, s: &str, numbers: &[i32], expected: &str) {
        let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
        let mut arguments = vec![(TEXT, Some(s))];
        arguments.extend(numbers.iter().map(|it| (INT4, Some(it.as_str()))));
        let found = call(name, &arguments);
        let found = found.map_or_else(|error| error.message, Option::unwrap_or_default);
        assert_eq!(found, expected, "{name} {arguments:?}");
    }

    #[test]
    fn a_range_may_begin_before_the_string_and_end_after_it() {
        check("substring", "äbcd", &[2], "bcd");
        check("substring", "äbcd", &[-1, 4], "äb");
        check("substring", "äbcd", &[2, 2], "bc");
        check("substring", "abcd", &[3, i32::MAX], "cd");
        check("substring", "abcd", &[i32::MIN], "abcd");
        check("substring", "abcd", &[i32::MIN, 10], "");
        check("substring", "abcd", &[1, -1], "negative substring length not allowed");
    }

    #[test]
    fn left_and_right_leave_out_what_a_negative_number_counts() {
        check("left", "äbcd", &[2], "äb");
        check("left", "äbcd", &[-1], "äbc");
        check("left", "äbcd", &[i32::MIN], "");
        check("left", "äbcd", &[0], "");
        check("right", "äbcd", &[3], "bcd");
        check("right", "äbcd", &[-1], "bcd");
        check("right", "äbcd", &[0], "");
        check("right", "abcd", &[i32::MIN], "abcd");
        check("right", "abcd", &[9], "abcd");
    }

    #[test]
    fn fields_count_from_either_end() {
        let check = |s, separator, field: &str, expected: &str| {
            let found = call("split_part", &[(TEXT, Some(s)), (TEXT, Some(separator)), (INT4, Some(field))]);
            assert_eq!(found, Ok(Some(expected.to_owned())), "{s} {field}");
        };
        check("a,b,c", ",", "2", "b");
        check("a,b,c", ",", "-1", "c");
        check("a,b,c", ",", "4", "");
        check("a,b,c", ",", "-4", "");
        check("abc", "", "-1", "abc");
        check("abc", "", "2", "");
        check("aXXXb", "XX", "-1", "Xb");
        check("", ",", "1", "");
    }

    #[test]
    fn an_overlay_replaces_a_range() {
        let check = |part, numbers: &[&'static str], expected: &str| {
            let mut arguments = vec![(TEXT, Some("abcdef")), (TEXT, Some(part))];
            arguments.extend(numbers.iter().map(|it| (INT4, Some(*it))));
            let found = call("overlay", &arguments);
            let found = found.map_or_else(|error| error.message, Option::unwrap_or_default);
            assert_eq!(found, expected, "{part} {numbers:?}");
        };
        check("XY", &["3"], "abXYef");
        check("XY", &["3", "0"], "abXYcdef");
        check("XY", &["9"], "abcdefXY");
        check("XY", &["2", "-1"], "aXYabcdef");
        check("XY", &["0"], "negative substring length not allowed");
        check("XY", &["2", "2147483647"], "integer out of range");
    }
}
