//! Unicode's normal forms, and its characters written as escapes.

use unicode_normalization::UnicodeNormalization;

use crate::error::{PgError, Result};
use crate::function::{Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;

pub(super) static FUNCTIONS: &[Function] = &[
    function("normalize", &[TEXT], TEXT, |call| call.map1(|s: &str| normalised(s, "NFC"))),
    function("normalize", &[TEXT, TEXT], TEXT, |call| call.map2(normalised)),
    function("is_normalized", &[TEXT], BOOL, |call| call.map1(|s: &str| is_normalised(s, "NFC"))),
    function("is_normalized", &[TEXT, TEXT], BOOL, |call| call.map2(is_normalised)),
    function("unistr", &[TEXT], TEXT, |call| call.map1(unescaped)),
];

fn normalised(s: &str, form: &str) -> Result<String> {
    Ok(match form.to_ascii_uppercase().as_str() {
        "NFC" => s.nfc().collect(),
        "NFD" => s.nfd().collect(),
        "NFKC" => s.nfkc().collect(),
        "NFKD" => s.nfkd().collect(),
        _ => return Err(PgError::invalid_parameter(format!("invalid normalization form: {form}"))),
    })
}

fn is_normalised(s: &str, form: &str) -> Result<bool> {
    Ok(normalised(s, form)? == s)
}

/// The string with `\XXXX`, `\+XXXXXX`, `\uXXXX` and `\UXXXXXXXX` replaced by the characters they name.
fn unescaped(s: &str) -> Result<String> {
    let mut result = String::with_capacity(s.len());
    let mut high: Option<u32> = None;
    let mut rest = s;
    while let Some(c) = rest.chars().next() {
        let Some(escape) = rest.strip_prefix('\\') else {
            no_surrogate(high)?;
            result.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        if let Some(after) = escape.strip_prefix('\\') {
            no_surrogate(high)?;
            result.push('\\');
            rest = after;
            continue;
        }
        let (code, after) = escaped_code(escape)?;
        rest = after;
        match (high.take(), code) {
            (None, 0xd800..=0xdbff) => high = Some(code),
            (Some(first), 0xdc00..=0xdfff) => {
                result.push(character(0x1_0000 + ((first & 0x3ff) << 10) + (code & 0x3ff))?);
            }
            (None, code) => result.push(character(code)?),
            (Some(_), _) => return Err(invalid_pair()),
        }
    }
    no_surrogate(high)?;
    Ok(result)
}

fn invalid_pair() -> PgError {
    PgError::new(SqlState::SYNTAX_ERROR, "invalid Unicode surrogate pair")
}

fn no_surrogate(high: Option<u32>) -> Result<()> {
    high.map_or(Ok(()), |_| Err(invalid_pair()))
}

fn character(code: u32) -> Result<char> {
    match char::from_u32(code) {
        Some(c) if code != 0 => Ok(c),
        _ if (0xdc00..=0xdfff).contains(&code) => Err(invalid_pair()),
        _ => Err(PgError::invalid_parameter(format!("invalid Unicode code point: {code:04X}"))),
    }
}

/// The number that follows a backslash, and what follows that.
fn escaped_code(escape: &str) -> Result<(u32, &str)> {
    let (prefix, digits) = match escape.bytes().next() {
        Some(b'+') => (1, 6),
        Some(b'u') => (1, 4),
        Some(b'U') => (1, 8),
        _ => (0, 4),
    };
    let number = escape.get(prefix..prefix + digits).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
    let code = number.and_then(|text| u32::from_str_radix(text, 16).ok());
    match code {
        Some(code) => Ok((code, &escape[prefix + digits..])),
        None => Err(PgError::new(SqlState::SYNTAX_ERROR, "invalid Unicode escape")
            .with_hint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.")),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::call;
    use crate::types::*;

    fn check(name: &str, arguments: &[&str], expected: &str) {
        let arguments: Vec<_> = arguments.iter().map(|it| (TEXT, Some(*it))).collect();
        let found = call(name, &arguments);
        let found = found.map_or_else(|error| error.message, Option::unwrap_or_default);
        assert_eq!(found, expected, "{name} {arguments:?}");
    }

    #[test]
    fn forms_compose_and_decompose() {
        check("normalize", &["a\u{308}"], "ä");
        check("normalize", &["ä", "NFD"], "a\u{308}");
        check("normalize", &["ﬁ", "NFKC"], "fi");
        check("is_normalized", &["ä", "NFC"], "t");
        check("is_normalized", &["ä", "NFD"], "f");
        check("normalize", &["a", "NFX"], "invalid normalization form: NFX");
    }

    #[test]
    fn escapes_name_characters() {
        check("unistr", &["d\\0061t\\+000061\\u0061\\U00000061\\\\"], "dataaa\\");
        check("unistr", &["\\D83D\\DE00"], "😀");
        check("unistr", &["\\D83Dx"], "invalid Unicode surrogate pair");
        check("unistr", &["\\00"], "invalid Unicode escape");
        check("unistr", &["\\+110000"], "invalid Unicode code point: 110000");
        check("unistr", &["\\0000"], "invalid Unicode code point: 0000");
    }
}
