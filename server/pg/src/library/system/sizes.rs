//! Sizes in bytes, for people.

use arrow::array::ArrayRef;
use arrow::datatypes::i256;
use bytes::BytesMut;

use crate::error::{PgError, Result};
use crate::function::{Call, Function, Numeric, divide_rounding, function, power_of_ten};
use crate::numeric::WrittenNumber;
use crate::types::*;

/// Bytes from which on a size is shown in a larger unit.
const BYTES_END: i128 = 10 * 1024;
/// Halves of a unit from which on the next unit is shown.
const HALVES_END: i128 = 20 * 1024 - 1;
const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
/// Digits after the point that a size is read with: more than the largest unit has bytes.
const READ_SCALE: u32 = 18;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("pg_size_pretty", &[INT8], TEXT, pg_size_pretty_int8),
    function("pg_size_pretty", &[NUMERIC], TEXT, pg_size_pretty_numeric),
    function("pg_size_bytes", &[TEXT], INT8, pg_size_bytes),
];

fn pg_size_pretty_int8(call: &Call) -> Result<ArrayRef> {
    call.map1(|size: i64| match i128::from(size) {
        size if size.abs() < BYTES_END => format!("{size} bytes"),
        size => in_units(size),
    })
}

fn pg_size_pretty_numeric(call: &Call) -> Result<ArrayRef> {
    call.map1(|size: Numeric| {
        let whole = size.unscaled.wrapping_div(power_of_ten(size.scale as u32).unwrap_or(i256::ONE));
        match whole.to_i128() {
            Some(whole) if whole.abs() < BYTES_END => format!("{} bytes", numeric_text(size)),
            Some(whole) => in_units(whole),
            // No number of so many digits is shorter in the largest unit.
            None => format!("{whole} bytes"),
        }
    })
}

/// The size in the smallest unit that has few digits of it. Halves are kept on the way, to be rounded in the end.
fn in_units(bytes: i128) -> String {
    let mut halves = bytes / 512;
    let mut units = UNITS.iter().peekable();
    while let Some(unit) = units.next() {
        if halves.abs() < HALVES_END || units.peek().is_none() {
            return format!("{} {unit}", (halves + halves.signum()) / 2);
        }
        halves /= 1024;
    }
    String::new()
}

fn numeric_text(value: Numeric) -> String {
    let digits = value.unscaled.wrapping_abs().to_string();
    let (digits, scale) = crate::output::trim_zeros(digits.as_bytes(), value.scale);
    let mut out = BytesMut::new();
    crate::numeric::write_text(value.is_negative(), digits, scale, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn pg_size_bytes(call: &Call) -> Result<ArrayRef> {
    call.map1(|text: &str| bytes_of(text))
}

/// A number, and perhaps a unit.
fn bytes_of(text: &str) -> Result<i64> {
    let trimmed = text.trim_matches(is_space);
    let invalid = || PgError::invalid_parameter(format!("invalid size: \"{text}\""));
    let length = number_length(trimmed.as_bytes());
    let (number, unit) = trimmed.split_at_checked(length).ok_or_else(invalid)?;
    let number = WrittenNumber::parse(number).map_err(|_| invalid())?;
    let unit = unit.trim_start_matches(is_space);
    let shift = match UNITS.iter().position(|known| known.eq_ignore_ascii_case(unit)) {
        Some(position) => 10 * (position as u32 + 1),
        None if unit.is_empty() || unit.eq_ignore_ascii_case("bytes") => 0,
        None => {
            let hint = "Valid units are \"bytes\", \"kB\", \"MB\", \"GB\", \"TB\", and \"PB\".";
            return Err(invalid().with_detail(format!("Invalid size unit: \"{unit}\".")).with_hint(hint));
        }
    };
    let out_of_range = || PgError::out_of_range("bigint");
    let scaled = number.at_scale(i64::from(READ_SCALE)).ok_or_else(out_of_range)?;
    let bytes = i256::from_i128(scaled.unscaled).wrapping_mul(i256::from_i128(1 << shift));
    let bytes = divide_rounding(bytes, power_of_ten(READ_SCALE).unwrap_or(i256::ONE));
    bytes.to_i128().and_then(|bytes| i64::try_from(bytes).ok()).ok_or_else(out_of_range)
}

/// Bytes that the number at the beginning takes; an `e` without digits is not part of it.
fn number_length(text: &[u8]) -> usize {
    let digits_from = |start: usize| {
        let rest = text.get(start..).unwrap_or_default();
        start + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let sign_at = |start: usize| usize::from(matches!(text.get(start), Some(b'+' | b'-')));
    let mut end = digits_from(sign_at(0));
    if text.get(end) == Some(&b'.') {
        end = digits_from(end + 1);
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let exponent = end + 1 + sign_at(end + 1);
        if digits_from(exponent) > exponent {
            end = digits_from(exponent);
        }
    }
    end
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t'..='\r')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::call;

    #[test]
    fn sizes_are_rounded_to_units() {
        for (size, expected) in [
            ("1", "1 bytes"),
            ("10239", "10239 bytes"),
            ("10240", "10 kB"),
            ("-10240", "-10 kB"),
            ("10485247", "10239 kB"),
            ("10485248", "10 MB"),
            ("9223372036854775807", "8192 PB"),
        ] {
            assert_eq!(call("pg_size_pretty", &[(INT8, Some(size))]).unwrap().unwrap(), expected);
        }
        assert_eq!(call("pg_size_pretty", &[(NUMERIC, Some("12345678.9"))]).unwrap().unwrap(), "12 MB");
    }

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, expected) in [
            ("1", "1"),
            (" 1.5 MB ", "1572864"),
            ("-2GB", "-2147483648"),
            ("1e3", "1000"),
            (".5kb", "512"),
            ("1.", "1"),
            ("-.5 GB", "-536870912"),
            ("1.5", "2"),
            ("1e-3 MB", "1049"),
            ("2tB", "2199023255552"),
        ] {
            assert_eq!(call("pg_size_bytes", &[(TEXT, Some(text))]).unwrap().unwrap(), expected, "{text}");
        }
        for (text, message) in [
            ("", "invalid size: \"\""),
            ("-.", "invalid size: \"-.\""),
            ("1 kB x", "invalid size: \"1 kB x\""),
            ("1e", "invalid size: \"1e\""),
            ("nan", "invalid size: \"nan\""),
            ("9223372036854775807.9", "bigint out of range"),
            ("1e100", "bigint out of range"),
        ] {
            assert_eq!(call("pg_size_bytes", &[(TEXT, Some(text))]).unwrap_err().message, message, "{text}");
        }
    }
}
