//! Refuses texts that are too long, before they are read.
//!
//! A token takes some hundred times the memory of its characters, so what counts is the text without the contents of its
//! string constants. Rows in such numbers are for COPY.

use crate::error::{Error, Result};

/// Bytes of a query string outside of its string constants.
const CODE_BYTES_MAX: usize = 16 << 20;
/// Bytes of a query string in all.
const TEXT_BYTES_MAX: usize = 160 << 20;

/// # Errors
/// 54000 when a text is too long.
pub fn check(text: &str) -> Result<()> {
    let is_short = text.len() <= CODE_BYTES_MAX;
    if is_short || (text.len() <= TEXT_BYTES_MAX && code_bytes(text.as_bytes()) <= CODE_BYTES_MAX) {
        return Ok(());
    }
    Err(Error::TextTooLong)
}

/// Bytes outside of constants in single quotes. Where one ends is decided as the tokenizer does it.
fn code_bytes(text: &[u8]) -> usize {
    let mut count = 0;
    let mut place = 0;
    while let Some(byte) = text.get(place) {
        let end = match byte {
            b'\'' => {
                let end = end_of_string(text, place + 1, has_escapes(text, place));
                place = end;
                count += 1;
                continue;
            }
            b'"' => end_of_string(text, place + 1, false),
            b'-' if text.get(place + 1) == Some(&b'-') => {
                text[place..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |length| place + length)
            }
            b'/' if text.get(place + 1) == Some(&b'*') => end_of_comment(text, place),
            b'$' => end_of_dollar_string(text, place),
            _ => place + 1,
        };
        count += end - place;
        place = end;
    }
    count
}

/// Whether the constant that begins here is written as `E'…'` or in another form with backslashes.
fn has_escapes(text: &[u8], quote: usize) -> bool {
    let Some(before) = quote.checked_sub(1) else { return false };
    matches!(text[before], b'e' | b'E') && !before.checked_sub(1).is_some_and(|earlier| is_word(text[earlier]))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// Behind the quote that ends what begins here. A doubled quote ends one constant and begins another, which is the same
/// to who counts.
fn end_of_string(text: &[u8], start: usize, escapes: bool) -> usize {
    let quote = text[start - 1];
    let mut place = start;
    while let Some(byte) = text.get(place) {
        match byte {
            b'\\' if escapes => place += 2,
            byte if *byte == quote && escapes && text.get(place + 1) == Some(&quote) => place += 2,
            byte if *byte == quote => return place + 1,
            _ => place += 1,
        }
    }
    text.len()
}

fn end_of_comment(text: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut place = start;
    while place < text.len() {
        match (text[place], text.get(place + 1)) {
            (b'/', Some(b'*')) => {
                depth += 1;
                place += 2;
            }
            (b'*', Some(b'/')) => {
                depth -= 1;
                place += 2;
                if depth == 0 {
                    return place;
                }
            }
            _ => place += 1,
        }
    }
    text.len()
}

/// Behind a constant as `$tag$…$tag$`, whose contents count: few write such long ones.
fn end_of_dollar_string(text: &[u8], start: usize) -> usize {
    if start.checked_sub(1).is_some_and(|before| is_word(text[before])) {
        return start + 1;
    }
    let length = text[start + 1..].iter().position(|byte| !is_word(*byte) || *byte == b'$');
    let Some(length) = length.filter(|length| text[start + 1 + length] == b'$') else { return start + 1 };
    let tag = &text[start..start + length + 2];
    let body = start + tag.len();
    text[body..].windows(tag.len()).position(|window| window == tag).map_or(text.len(), |end| body + end + tag.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_constants_are_read_and_long_code_is_not() {
        assert!(check(&format!("select '{}'", "x".repeat(64 << 20))).is_ok());
        assert!(check(&format!("select {}", "1,".repeat(9 << 20))).is_err());
        assert!(check(&format!("select '{}'", "x".repeat(161 << 20))).is_err());
    }
}
