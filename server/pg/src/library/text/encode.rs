//! Bytes as text: `encode`, `decode`, `to_hex`.

use std::fmt::Write;

use super::check_length;
use crate::error::{PgError, Result};
use crate::function::{Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;

pub(super) static FUNCTIONS: &[Function] = &[
    function("encode", &[BYTEA, TEXT], TEXT, |call| call.map2(encode)),
    function("decode", &[TEXT, TEXT], BYTEA, |call| call.map2(decode)),
    function("to_hex", &[INT4], TEXT, |call| call.map1(|value: i32| format!("{value:x}"))),
    function("to_hex", &[INT8], TEXT, |call| call.map1(|value: i64| format!("{value:x}"))),
];

/// Characters of a line of base64 (RFC 2045).
const BASE64_LINE: usize = 76;
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn unrecognized(format: &str) -> PgError {
    PgError::invalid_parameter(format!("unrecognized encoding: \"{format}\""))
}

fn encode(bytes: &[u8], format: &str) -> Result<String> {
    check_length(bytes.len().saturating_mul(2))?;
    Ok(match format.to_ascii_lowercase().as_str() {
        "hex" => hex(bytes),
        "base64" => base64(bytes),
        "escape" => escaped(bytes),
        _ => return Err(unrecognized(format)),
    })
}

fn decode(text: &str, format: &str) -> Result<Vec<u8>> {
    match format.to_ascii_lowercase().as_str() {
        "hex" => from_hex(text),
        "base64" => from_base64(text),
        "escape" => from_escaped(text),
        _ => Err(unrecognized(format)),
    }
}

/// Two digits for a byte.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut result = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        let _ = write!(result, "{byte:02x}");
    }
    result
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\n' | '\t' | '\r')
}

fn from_hex(text: &str) -> Result<Vec<u8>> {
    let digit = |c: char| {
        let message = || PgError::invalid_parameter(format!("invalid hexadecimal digit: \"{c}\""));
        c.to_digit(16).map(|digit| digit as u8).ok_or_else(message)
    };
    let mut result = Vec::with_capacity(text.len() / 2);
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        // Space may stand between the bytes, not within one.
        if is_space(c) {
            continue;
        }
        let high = digit(c)?;
        let odd = || PgError::invalid_parameter("invalid hexadecimal data: odd number of digits");
        let low = digit(characters.next().ok_or_else(odd)?)?;
        result.push(high << 4 | low);
    }
    Ok(result)
}

fn base64(bytes: &[u8]) -> String {
    let mut result = String::with_capacity(bytes.len() / 3 * 4 + bytes.len() / BASE64_LINE + 4);
    let mut in_line = 0;
    for group in bytes.chunks(3) {
        let mut bits = 0_u32;
        for position in 0..3 {
            bits = bits << 8 | u32::from(group.get(position).copied().unwrap_or(0));
        }
        for position in 0..4 {
            if position > group.len() {
                result.push('=');
            } else {
                let digit = bits >> (18 - 6 * position) & 0x3f;
                result.push(char::from(BASE64[digit as usize]));
            }
        }
        in_line += 4;
        // A full line ends with a line feed even when it is the last, unless padding fills it.
        if in_line >= BASE64_LINE && group.len() == 3 {
            result.push('\n');
            in_line = 0;
        }
    }
    result
}

fn from_base64(text: &str) -> Result<Vec<u8>> {
    let mut result = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut digits, mut padding) = (0_u32, 0_u32, None);
    for c in text.chars().filter(|c| !is_space(*c)) {
        let digit = match c {
            '=' => {
                if padding.is_none() {
                    padding = Some(match digits {
                        2 => 1,
                        3 => 2,
                        _ => return Err(PgError::invalid_parameter("unexpected \"=\" while decoding base64 sequence")),
                    });
                }
                0
            }
            'A'..='Z' => u32::from(c) - u32::from('A'),
            'a'..='z' => u32::from(c) - u32::from('a') + 26,
            '0'..='9' => u32::from(c) - u32::from('0') + 52,
            '+' => 62,
            '/' => 63,
            c => {
                let message = format!("invalid symbol \"{c}\" found while decoding base64 sequence");
                return Err(PgError::invalid_parameter(message));
            }
        };
        bits = bits << 6 | digit;
        digits += 1;
        if digits == 4 {
            let [_, bytes @ ..] = bits.to_be_bytes();
            result.extend(&bytes[..padding.unwrap_or(3)]);
            (bits, digits) = (0, 0);
        }
    }
    if digits != 0 {
        return Err(PgError::invalid_parameter("invalid base64 end sequence")
            .with_hint("Input data is missing padding, is truncated, or is otherwise corrupted."));
    }
    Ok(result)
}

fn escaped(bytes: &[u8]) -> String {
    let mut result = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            0 | 0x80.. => {
                let _ = write!(result, "\\{byte:03o}");
            }
            b'\\' => result.push_str("\\\\"),
            byte => result.push(char::from(*byte)),
        }
    }
    result
}

fn from_escaped(text: &str) -> Result<Vec<u8>> {
    let mut result = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return Ok(result),
            [b'\\', b'\\', after @ ..] => {
                result.push(b'\\');
                after
            }
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] => {
                result.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                after
            }
            [b'\\', ..] => {
                let message = "invalid input syntax for type bytea";
                return Err(PgError::new(SqlState::INVALID_TEXT_REPRESENTATION, message));
            }
            [byte, after @ ..] => {
                result.push(*byte);
                after
            }
        };
    }
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
    fn bytes_become_text() {
        let encode = |bytes: &str, format: &str, expected: &str| {
            check("encode", &[(BYTEA, Some(bytes)), (TEXT, Some(format))], expected);
        };
        encode("\\x00ff5c41", "escape", "\\000\\377\\\\A");
        encode("\\x0102", "HEX", "0102");
        encode("\\x01", "base64", "AQ==");
        encode("\\x0102", "base64", "AQI=");
        let line = format!("\\x{}", "ab".repeat(57));
        let longer = format!("{line}ababab");
        encode(&line, "base64", &("q6ur".repeat(19) + "\n"));
        encode(&longer, "base64", &("q6ur".repeat(19) + "\nq6ur"));
        encode("\\x01", "foo", "unrecognized encoding: \"foo\"");
        check("to_hex", &[(INT4, Some("-1"))], "ffffffff");
        check("to_hex", &[(INT8, Some("255"))], "ff");
    }

    #[test]
    fn text_becomes_bytes() {
        let decode = |text: &str, format: &str, expected: &str| {
            check("decode", &[(TEXT, Some(text)), (TEXT, Some(format))], expected);
        };
        decode("01 ab", "hex", "\\x01ab");
        decode("0 1", "hex", "invalid hexadecimal digit: \" \"");
        decode("é", "hex", "invalid hexadecimal digit: \"é\"");
        decode("abc", "hex", "invalid hexadecimal data: odd number of digits");
        decode("YWJj ZA==", "base64", "\\x61626364");
        decode("YQ==YQ==", "base64", "\\x6161");
        decode("YQ= =", "base64", "\\x61");
        decode("=", "base64", "unexpected \"=\" while decoding base64 sequence");
        decode("YWJ", "base64", "invalid base64 end sequence");
        decode("YW!j", "base64", "invalid symbol \"!\" found while decoding base64 sequence");
        decode("a\\\\b\\101", "escape", "\\x615c6241");
        decode("\\400", "escape", "invalid input syntax for type bytea");
    }
}
