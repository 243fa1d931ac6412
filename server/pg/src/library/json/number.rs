//! Numbers in JSON: digits as `numeric` prints them, without a limit on their count.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::error::{PgError, Result};
use crate::sqlstate::SqlState;

/// Digits before the point that a `numeric` can have in PostgreSQL.
const INTEGER_DIGITS_MAX: i64 = 131_072;
/// Digits after the point that a `numeric` can have in PostgreSQL.
const FRACTION_DIGITS_MAX: i64 = 16_383;

/// The parts of a number without exponent.
#[derive(Debug, Clone, Copy)]
struct Parts<'a> {
    negative: bool,
    /// Without zeros in front.
    integer: &'a str,
    /// Without zeros at the end.
    fraction: &'a str,
}

fn parts(number: &str) -> Parts<'_> {
    let (negative, unsigned) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let (integer, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let (integer, fraction) = (integer.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let zero = integer.is_empty() && fraction.is_empty();
    Parts { negative: negative && !zero, integer, fraction }
}

impl Parts<'_> {
    fn is_zero(&self) -> bool {
        self.integer.is_empty() && self.fraction.is_empty()
    }

    fn compare_magnitude(&self, other: &Parts<'_>) -> Ordering {
        let length = self.integer.len().cmp(&other.integer.len());
        length.then_with(|| self.integer.cmp(other.integer)).then_with(|| self.fraction.cmp(other.fraction))
    }
}

/// Compares two numbers without exponents.
pub fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (parts(left), parts(right));
    match (left.negative, right.negative) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, false) => left.compare_magnitude(&right),
        (true, true) => right.compare_magnitude(&left),
    }
}

/// The number as `numeric` prints it: without an exponent, zero without a sign.
pub fn normalize(number: &str) -> Result<Cow<'_, str>> {
    let simple = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if simple && number.len() < 1000 {
        return Ok(Cow::Borrowed(number));
    }
    let (negative, unsigned) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)),
        None => (unsigned, 0),
    };
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [integer, fraction].concat();
    let first = digits.len() - digits.trim_start_matches('0').len();
    let zero = first == digits.len();
    let point = integer.len() as i64 + exponent;
    let scale = (fraction.len() as i64 - exponent).max(0);
    if scale > FRACTION_DIGITS_MAX || !zero && point - first as i64 > INTEGER_DIGITS_MAX {
        return Err(overflow());
    }
    Ok(Cow::Owned(place_point(negative && !zero, if zero { "" } else { &digits }, point, scale as usize)))
}

/// A number of more digits than a `numeric` has.
pub fn overflow() -> PgError {
    PgError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format")
}

fn read_exponent(text: &str) -> i64 {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let magnitude = digits.bytes().fold(0i64, |value, digit| (value * 10 + i64::from(digit & 15)).min(1_000_000_000));
    if negative { -magnitude } else { magnitude }
}

/// The digits with a point after so many of them, and so many after the point.
fn place_point(negative: bool, digits: &str, point: i64, scale: usize) -> String {
    let digit = |position: i64| {
        let found = usize::try_from(position).ok().and_then(|position| digits.as_bytes().get(position));
        char::from(found.copied().unwrap_or(b'0'))
    };
    let mut text = String::new();
    if negative {
        text.push('-');
    }
    let start = text.len();
    let last = if digits.is_empty() { 0 } else { point };
    for position in 0..last.max(0) {
        let next = digit(position);
        if next != '0' || text.len() > start {
            text.push(next);
        }
    }
    if text.len() == start {
        text.push('0');
    }
    if scale > 0 {
        text.push('.');
        text.extend((0..scale as i64).map(|position| digit(point + position)));
    }
    text
}

/// Appends bytes that order as the numbers do.
pub fn write_order(number: &str, out: &mut Vec<u8>) {
    let parts = parts(number);
    if parts.is_zero() {
        return out.push(1);
    }
    let start = out.len();
    out.push(2);
    let leading = parts.fraction.len() - parts.fraction.trim_start_matches('0').len();
    let exponent = if parts.integer.is_empty() { -(leading as i64) } else { parts.integer.len() as i64 };
    out.extend_from_slice(&((exponent + (1 << 31)) as u32).to_be_bytes());
    let digits = [parts.integer, parts.fraction].concat();
    // A digit is never the byte zero, which ends the number; zeros at either end say nothing.
    out.extend(digits.trim_start_matches('0').trim_end_matches('0').bytes());
    out.push(0);
    if parts.negative {
        out[start..].iter_mut().for_each(|byte| *byte = !*byte);
        out[start] = 0;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_as_numeric_prints_it() {
        for (written, expected) in [
            ("-0", "0"),
            ("-0.00", "0.00"),
            ("1e5", "100000"),
            ("1.50e1", "15.0"),
            ("1E-3", "0.001"),
            ("0e10", "0"),
            ("1.0e-2", "0.010"),
            ("12300e-2", "123.00"),
            ("-12.5e0", "-12.5"),
            ("0.001e3", "1"),
            ("0.0012e3", "1.2"),
        ] {
            assert_eq!(normalize(written).unwrap(), expected, "{written}");
        }
        assert!(normalize("1e131072").is_err());
        assert!(normalize("1e-16384").is_err());
        assert_eq!(normalize("1e131071").unwrap().len(), 131_072);
    }

    #[test]
    fn order_bytes_order_as_numbers() {
        let ordered = [
            "-1000", "-100.5", "-100", "-2", "-1.5", "-1", "-0.01", "0", "0.001", "0.01", "0.012", "1", "1.5", "9",
            "10", "12", "100",
        ];
        let keys: Vec<Vec<u8>> = ordered
            .iter()
            .map(|number| {
                let mut key = Vec::new();
                write_order(number, &mut key);
                key
            })
            .collect();
        assert!(keys.is_sorted_by(|a, b| a < b));
        for pair in ordered.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
        assert_eq!(compare("1.0", "1"), Ordering::Equal);
    }
}
