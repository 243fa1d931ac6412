//! How a date, time or interval is split into fields before they are understood (PostgreSQL's `ParseDateTime`).

use std::borrow::Cow;

use super::parse::{DatetimeError, Result};
use super::words;

/// Fields of one value.
const FIELDS_MAX: usize = 25;

/// What a field looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Digits, perhaps with a point.
    Number,
    /// Digits with separators, or a word with some: `2024-01-05`, `jan-5-2024`, `america/new_york`.
    Date,
    /// Digits with colons.
    Time,
    /// A sign and digits: an offset from UTC, or a number of an interval.
    Signed,
    /// A word.
    Word,
    /// A sign and a word: `-infinity`.
    SignedWord,
}

/// A field.
#[derive(Debug, Clone)]
pub(super) struct Token<'a> {
    pub kind: Kind,
    pub text: Cow<'a, str>,
}

/// Splits a text, which is in lower case.
pub(super) fn split(lower: &str) -> Result<Vec<Token<'_>>> {
    let bytes = lower.as_bytes();
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(first) = bytes.get(start) {
        let (kind, end) = match first {
            b' ' | b'\t'..=b'\r' => {
                start += 1;
                continue;
            }
            b'0'..=b'9' => number(bytes, start),
            b'.' => (Kind::Number, skip(bytes, start + 1, |b| b.is_ascii_digit())),
            b'a'..=b'z' => word(bytes, start, lower),
            b'+' | b'-' => {
                let (token, end) = signed(lower, start)?;
                push(&mut tokens, token)?;
                start = end;
                continue;
            }
            it if it.is_ascii_punctuation() => {
                start += 1;
                continue;
            }
            _ => return Err(DatetimeError::Syntax),
        };
        push(&mut tokens, Token { kind, text: Cow::Borrowed(&lower[start..end]) })?;
        start = end;
    }
    Ok(tokens)
}

fn push<'a>(tokens: &mut Vec<Token<'a>>, token: Token<'a>) -> Result<()> {
    if tokens.len() == FIELDS_MAX {
        return Err(DatetimeError::Syntax);
    }
    tokens.push(token);
    Ok(())
}

fn skip(bytes: &[u8], start: usize, belongs: impl Fn(u8) -> bool) -> usize {
    bytes[start..].iter().position(|b| !belongs(*b)).map_or(bytes.len(), |length| start + length)
}

/// What begins with a digit: a time, a date with one kind of separator, or a number.
fn number(bytes: &[u8], start: usize) -> (Kind, usize) {
    let end = skip(bytes, start, |b| b.is_ascii_digit());
    match bytes.get(end).copied() {
        Some(b':') => (Kind::Time, skip(bytes, end, |b| b.is_ascii_digit() || matches!(b, b':' | b'.'))),
        Some(separator @ (b'-' | b'/' | b'.')) => {
            if !bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
                return (Kind::Date, skip(bytes, end + 1, |b| b.is_ascii_alphanumeric() || b == separator));
            }
            let end = skip(bytes, end + 1, |b| b.is_ascii_digit());
            if bytes.get(end) == Some(&separator) {
                return (Kind::Date, skip(bytes, end, |b| b.is_ascii_digit() || b == separator));
            }
            (if separator == b'.' { Kind::Number } else { Kind::Date }, end)
        }
        _ => (Kind::Number, end),
    }
}

/// What begins with a letter. A word that goes on with a separator, or with a digit or plus sign and is none of the words of
/// dates, is a date or the name of a zone.
fn word(bytes: &[u8], start: usize, lower: &str) -> (Kind, usize) {
    let end = skip(bytes, start, |b| b.is_ascii_lowercase());
    let goes_on = match bytes.get(end) {
        Some(b'-' | b'/' | b'.') => true,
        Some(b'+' | b'0'..=b'9') => words::date_word(&lower[start..end]).is_none(),
        _ => false,
    };
    if !goes_on {
        return (Kind::Word, end);
    }
    let belongs = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'/' | b'_' | b'.' | b':');
    (Kind::Date, skip(bytes, end, belongs))
}

/// What begins with a sign; blanks may follow it.
fn signed(lower: &str, start: usize) -> Result<(Token<'_>, usize)> {
    let bytes = lower.as_bytes();
    let body = skip(bytes, start + 1, |b| matches!(b, b' ' | b'\t'..=b'\r'));
    let (kind, end) = match bytes.get(body) {
        Some(b'0'..=b'9') => {
            (Kind::Signed, skip(bytes, body, |b| b.is_ascii_digit() || matches!(b, b':' | b'.' | b'-')))
        }
        Some(b'a'..=b'z') => (Kind::SignedWord, skip(bytes, body, |b| b.is_ascii_lowercase())),
        _ => return Err(DatetimeError::Syntax),
    };
    let text = match body == start + 1 {
        true => Cow::Borrowed(&lower[start..end]),
        false => Cow::Owned(format!("{}{}", &lower[start..=start], &lower[body..end])),
    };
    Ok((Token { kind, text }, end))
}
