//! Where PostgreSQL has an object in the binary form of a `jsonb`: the number by which `.keyvalue()` tells it.
//!
//! A container has a word, a word for each key and value, then the keys, then the values; numbers and containers begin at
//! multiples of four bytes.

use crate::library::json::value::Json;

/// What is added for an object among the variables.
pub const ID_OF_VARIABLES: i64 = 10_000_000_000;
/// The number of an object that a method has made.
pub const ID_OF_GENERATED: i64 = 2 * ID_OF_VARIABLES;

/// Bytes of a word, and what numbers and containers are aligned to.
const WORD: i64 = 4;
/// Digits in one of the digits of a `numeric`.
const GROUP_DIGITS: usize = 4;
/// Digits after the point, and groups on either side of it, that the short form of a `numeric` can say.
const SHORT_SCALE_MAX: usize = 63;

/// How far from the beginning a part is.
pub fn offset_of(whole: &Json<'_>, part: &Json<'_>) -> Option<i64> {
    let mut search = Search { part, found: None };
    search.place(whole, 0);
    search.found
}

struct Search<'s, 'j> {
    part: &'s Json<'j>,
    found: Option<i64>,
}

fn aligned(position: i64) -> i64 {
    (position + WORD - 1) / WORD * WORD
}

impl Search<'_, '_> {
    /// Where a value ends that begins here at the earliest.
    fn place(&mut self, value: &Json<'_>, position: i64) -> i64 {
        let is_part = std::ptr::addr_eq(value, self.part);
        match value {
            Json::Null | Json::Bool(_) => position,
            Json::String(text) => position + text.len() as i64,
            Json::Number(digits) => aligned(position) + numeric_bytes(digits),
            Json::Array(elements) => {
                let start = aligned(position);
                self.found = self.found.or(is_part.then_some(start));
                let end = start + WORD * (1 + elements.len() as i64);
                elements.iter().fold(end, |end, element| self.place(element, end))
            }
            Json::Object(pairs) => {
                let start = aligned(position);
                self.found = self.found.or(is_part.then_some(start));
                let end = start + WORD * (1 + 2 * pairs.len() as i64);
                let end = end + pairs.iter().map(|(key, _)| key.len() as i64).sum::<i64>();
                pairs.iter().fold(end, |end, (_, value)| self.place(value, end))
            }
        }
    }
}

/// Bytes of a `numeric` with its length.
fn numeric_bytes(digits: &str) -> i64 {
    let unsigned = digits.strip_prefix('-').unwrap_or(digits);
    let (integer, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let integer = integer.trim_start_matches('0');
    let integer_groups = integer.len().div_ceil(GROUP_DIGITS);
    let padded = format!(
        "{integer:0>integer_width$}{fraction:0<fraction_width$}",
        integer_width = integer_groups * GROUP_DIGITS,
        fraction_width = fraction.len().div_ceil(GROUP_DIGITS) * GROUP_DIGITS
    );
    let groups: Vec<&[u8]> = padded.as_bytes().chunks(GROUP_DIGITS).collect();
    let is_zero = |group: &&[u8]| group.iter().all(|digit| *digit == b'0');
    let Some(first) = groups.iter().position(|group| !is_zero(group)) else { return WORD + 2 };
    let last = groups.iter().rposition(|group| !is_zero(group)).unwrap_or(first);
    let weight = integer_groups as i64 - 1 - first as i64;
    let short = fraction.len() <= SHORT_SCALE_MAX && (-64..64).contains(&weight);
    WORD + if short { 2 } else { 4 } + 2 * (last + 1 - first) as i64
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_where_postgresql_has_it() {
        let whole = Json::parse(r#"[{"b": 1}, {"a": [{"c": 1}]}]"#).unwrap();
        let Json::Array(elements) = &whole else { panic!("not an array") };
        assert_eq!(offset_of(&whole, &whole), Some(0));
        assert_eq!(offset_of(&whole, &elements[0]), Some(12));
        assert_eq!(offset_of(&whole, &elements[1]), Some(36));
        assert_eq!(offset_of(&elements[0], &elements[1]), None);
        for (digits, bytes) in
            [("0", 6), ("1", 8), ("10000", 8), ("10001", 10), ("0.5", 8), ("1.50", 10), ("0.00001", 8)]
        {
            assert_eq!(numeric_bytes(digits), bytes, "{digits}");
        }
    }
}
