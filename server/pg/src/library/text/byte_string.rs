//! Strings of bytes: their lengths, parts, bytes and bits.

use super::substring::{negative_length, positions};
use super::{as_integer, check_length};
use crate::error::{PgError, Result};
use crate::function::{Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;

pub(super) static FUNCTIONS: &[Function] = &[
    function("length", &[BYTEA], INT4, |call| call.map1(|s: &[u8]| as_integer(s.len()))),
    function("octet_length", &[BYTEA], INT4, |call| call.map1(|s: &[u8]| as_integer(s.len()))),
    function("bit_length", &[BYTEA], INT4, |call| call.map1(|s: &[u8]| as_integer(s.len().saturating_mul(8)))),
    function("bit_count", &[BYTEA], INT8, |call| {
        call.map1(|s: &[u8]| s.iter().map(|byte| i64::from(byte.count_ones())).sum::<i64>())
    }),
    function("substring", &[BYTEA, INT4], BYTEA, |call| call.map2(|s, start: i32| part(s, start, None))),
    function("substring", &[BYTEA, INT4, INT4], BYTEA, |call| {
        call.map3(|s, start: i32, length: i32| part(s, start, Some(length)))
    }),
    function("substr", &[BYTEA, INT4], BYTEA, |call| call.map2(|s, start: i32| part(s, start, None))),
    function("substr", &[BYTEA, INT4, INT4], BYTEA, |call| {
        call.map3(|s, start: i32, length: i32| part(s, start, Some(length)))
    }),
    function("position", &[BYTEA, BYTEA], INT4, |call| call.map2(position)),
    function("overlay", &[BYTEA, BYTEA, INT4], BYTEA, |call| {
        call.map3(|s: &[u8], new: &[u8], start: i32| overlay(s, new, start, as_integer(new.len())))
    }),
    function("overlay", &[BYTEA, BYTEA, INT4, INT4], BYTEA, |call| call.map4(overlay)),
    function("btrim", &[BYTEA, BYTEA], BYTEA, |call| call.map2(|s, set: &[u8]| trim_right(trim_left(s, set), set))),
    function("ltrim", &[BYTEA, BYTEA], BYTEA, |call| call.map2(trim_left)),
    function("rtrim", &[BYTEA, BYTEA], BYTEA, |call| call.map2(trim_right)),
    function("get_byte", &[BYTEA, INT4], INT4, |call| call.map2(get_byte)),
    function("set_byte", &[BYTEA, INT4, INT4], BYTEA, |call| call.map3(set_byte)),
    function("get_bit", &[BYTEA, INT8], INT4, |call| call.map2(get_bit)),
    function("set_bit", &[BYTEA, INT8, INT4], BYTEA, |call| call.map3(set_bit)),
];

fn part(s: &[u8], start: i32, length: Option<i32>) -> Result<&[u8]> {
    let (first, end) = positions(start, length)?;
    let end = end.unwrap_or(s.len()).min(s.len());
    Ok(s.get(first..end).unwrap_or(&[]))
}

fn position(s: &[u8], part: &[u8]) -> i32 {
    if part.is_empty() {
        return 1;
    }
    s.windows(part.len()).position(|window| window == part).map_or(0, |index| as_integer(index.saturating_add(1)))
}

fn overlay(s: &[u8], new: &[u8], start: i32, length: i32) -> Result<Vec<u8>> {
    if start <= 0 {
        return Err(negative_length());
    }
    let after = start.checked_add(length).ok_or_else(|| PgError::out_of_range("integer"))?;
    let (head, tail) = (part(s, 1, Some(start - 1))?, part(s, after, None)?);
    check_length(head.len().saturating_add(new.len()).saturating_add(tail.len()))?;
    Ok([head, new, tail].concat())
}

fn trim_left<'a>(s: &'a [u8], set: &[u8]) -> &'a [u8] {
    let start = s.iter().position(|byte| !set.contains(byte)).unwrap_or(s.len());
    &s[start..]
}

fn trim_right<'a>(s: &'a [u8], set: &[u8]) -> &'a [u8] {
    let end = s.iter().rposition(|byte| !set.contains(byte)).map_or(0, |last| last + 1);
    &s[..end]
}

/// The index when there is such an element.
fn checked_index(index: i64, length: usize) -> Result<usize> {
    usize::try_from(index).ok().filter(|index| *index < length).ok_or_else(|| {
        let last = i64::try_from(length).unwrap_or(i64::MAX) - 1;
        let message = format!("index {index} out of valid range, 0..{last}");
        PgError::new(SqlState::ARRAY_SUBSCRIPT_ERROR, message)
    })
}

fn get_byte(s: &[u8], index: i32) -> Result<i32> {
    Ok(i32::from(s[checked_index(i64::from(index), s.len())?]))
}

/// The lowest eight bits count.
fn set_byte(s: &[u8], index: i32, value: i32) -> Result<Vec<u8>> {
    let index = checked_index(i64::from(index), s.len())?;
    let mut result = s.to_vec();
    result[index] = value as u8;
    Ok(result)
}

/// Bits are counted from the lowest of each byte.
fn get_bit(s: &[u8], index: i64) -> Result<i32> {
    let index = checked_index(index, s.len().saturating_mul(8))?;
    Ok(i32::from(s[index / 8] >> (index % 8) & 1))
}

fn set_bit(s: &[u8], index: i64, value: i32) -> Result<Vec<u8>> {
    let index = checked_index(index, s.len().saturating_mul(8))?;
    let mask = 1_u8 << (index % 8);
    let mut result = s.to_vec();
    match value {
        0 => result[index / 8] &= !mask,
        1 => result[index / 8] |= mask,
        _ => return Err(PgError::invalid_parameter("new bit must be 0 or 1")),
    }
    Ok(result)
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
    fn parts_are_by_position() {
        let three = (BYTEA, Some("\\x010203"));
        check("substring", &[three, (INT4, Some("2"))], "\\x0203");
        check("substr", &[three, (INT4, Some("-1")), (INT4, Some("3"))], "\\x01");
        check("substr", &[three, (INT4, Some("9")), (INT4, Some("3"))], "\\x");
        check("substring", &[three, (INT4, Some("1")), (INT4, Some("-1"))], "negative substring length not allowed");
        check("position", &[three, (BYTEA, Some("\\x02"))], "2");
        check("position", &[three, (BYTEA, Some("\\x"))], "1");
        check("overlay", &[three, (BYTEA, Some("\\xff")), (INT4, Some("2")), (INT4, Some("1"))], "\\x01ff03");
        check("btrim", &[(BYTEA, Some("\\x010201")), (BYTEA, Some("\\x01"))], "\\x02");
        check("length", &[three], "3");
        check("bit_count", &[(BYTEA, Some("\\xff01"))], "9");
    }

    #[test]
    fn bytes_and_bits_are_read_and_set() {
        let two = (BYTEA, Some("\\x0180"));
        check("get_bit", &[two, (INT8, Some("8"))], "0");
        check("get_bit", &[two, (INT8, Some("0"))], "1");
        check("get_byte", &[two, (INT4, Some("1"))], "128");
        check("get_byte", &[two, (INT4, Some("2"))], "index 2 out of valid range, 0..1");
        check("get_byte", &[(BYTEA, Some("\\x")), (INT4, Some("0"))], "index 0 out of valid range, 0..-1");
        check("set_bit", &[two, (INT8, Some("3")), (INT4, Some("1"))], "\\x0980");
        check("set_bit", &[two, (INT8, Some("3")), (INT4, Some("2"))], "new bit must be 0 or 1");
        check("set_byte", &[two, (INT4, Some("1")), (INT4, Some("300"))], "\\x012c");
    }
}
