//! `LIKE` and `ILIKE`.
//!
//! A backslash takes the next character's meaning; one at the end is an error, but as in PostgreSQL only for a value whose
//! comparison comes that far. `LIKE … ESCAPE` is `like_escape` of the pattern.

use arrow::array::ArrayRef;

use super::case::lower;
use super::measure::padded_length;
use crate::error::{PgError, Result};
use crate::function::{Call, Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;

pub(super) static OPERATORS: &[Function] = &[
    function("~~", &[TEXT, TEXT], BOOL, |call| like(call, Match::LIKE)),
    function("~~", &[NAME, TEXT], BOOL, |call| like(call, Match::LIKE)),
    function("~~", &[BPCHAR, TEXT], BOOL, |call| like(call, Match::LIKE)),
    function("~~", &[BYTEA, BYTEA], BOOL, |call| like_bytes(call, true)),
    function("!~~", &[TEXT, TEXT], BOOL, |call| like(call, Match::NOT_LIKE)),
    function("!~~", &[NAME, TEXT], BOOL, |call| like(call, Match::NOT_LIKE)),
    function("!~~", &[BPCHAR, TEXT], BOOL, |call| like(call, Match::NOT_LIKE)),
    function("!~~", &[BYTEA, BYTEA], BOOL, |call| like_bytes(call, false)),
    function("~~*", &[TEXT, TEXT], BOOL, |call| like(call, Match::ILIKE)),
    function("~~*", &[NAME, TEXT], BOOL, |call| like(call, Match::ILIKE)),
    function("~~*", &[BPCHAR, TEXT], BOOL, |call| like(call, Match::ILIKE)),
    function("!~~*", &[TEXT, TEXT], BOOL, |call| like(call, Match::NOT_ILIKE)),
    function("!~~*", &[NAME, TEXT], BOOL, |call| like(call, Match::NOT_ILIKE)),
    function("!~~*", &[BPCHAR, TEXT], BOOL, |call| like(call, Match::NOT_ILIKE)),
];

pub(super) static FUNCTIONS: &[Function] = &[
    function("like", &[TEXT, TEXT], BOOL, |call| like(call, Match::LIKE)),
    function("like", &[NAME, TEXT], BOOL, |call| like(call, Match::LIKE)),
    function("like", &[BYTEA, BYTEA], BOOL, |call| like_bytes(call, true)),
    function("notlike", &[TEXT, TEXT], BOOL, |call| like(call, Match::NOT_LIKE)),
    function("notlike", &[NAME, TEXT], BOOL, |call| like(call, Match::NOT_LIKE)),
    function("notlike", &[BYTEA, BYTEA], BOOL, |call| like_bytes(call, false)),
    function("like_escape", &[TEXT, TEXT], TEXT, |call| call.map2(with_backslashes)),
    function("like_escape", &[BYTEA, BYTEA], BYTEA, |call| call.map2(bytes_with_backslashes)),
];

/// Which of the four operators it is.
#[derive(Clone, Copy)]
struct Match {
    wanted: bool,
    ignore_case: bool,
}

impl Match {
    const LIKE: Match = Match { wanted: true, ignore_case: false };
    const NOT_LIKE: Match = Match { wanted: false, ignore_case: false };
    const ILIKE: Match = Match { wanted: true, ignore_case: true };
    const NOT_ILIKE: Match = Match { wanted: false, ignore_case: true };
}

/// What one part of a pattern between percent signs asks for.
#[derive(Debug, PartialEq)]
enum Token {
    Text(String),
    /// `_`
    AnyCharacter,
}

/// A pattern, taken apart at its percent signs.
#[derive(Debug)]
struct Pattern {
    /// One more than there are runs of percent signs.
    parts: Vec<Vec<Token>>,
    /// A backslash with nothing behind it.
    unfinished: bool,
}

impl Pattern {
    fn new(pattern: &str) -> Self {
        let mut parts = vec![Vec::new()];
        let mut unfinished = false;
        let mut characters = pattern.chars();
        while let Some(c) = characters.next() {
            let literal = match c {
                '%' => {
                    parts.push(Vec::new());
                    continue;
                }
                '_' => None,
                '\\' => match characters.next() {
                    Some(c) => Some(c),
                    None => {
                        unfinished = true;
                        continue;
                    }
                },
                c => Some(c),
            };
            let Some(part) = parts.last_mut() else { continue };
            match (literal, part.last_mut()) {
                (None, _) => part.push(Token::AnyCharacter),
                (Some(c), Some(Token::Text(text))) => text.push(c),
                (Some(c), _) => part.push(Token::Text(c.into())),
            }
        }
        Pattern { parts, unfinished }
    }

    fn matches(&self, s: &str) -> Result<bool> {
        let Some((first, others)) = self.parts.split_first() else { return Ok(s.is_empty()) };
        let Some(mut rest) = after_start(first, s) else { return Ok(false) };
        let Some((last, middle)) = others.split_last() else {
            return match self.unfinished && !rest.is_empty() {
                true => Err(ends_with_escape()),
                false => Ok(rest.is_empty() && !self.unfinished),
            };
        };
        for part in middle {
            match find(part, rest) {
                Some(after) => rest = after,
                None => return Ok(false),
            }
        }
        if self.unfinished {
            return match find(last, rest) {
                Some(after) if !after.is_empty() => Err(ends_with_escape()),
                _ => Ok(false),
            };
        }
        Ok(ends(last, rest))
    }
}

fn ends_with_escape() -> PgError {
    PgError::new(SqlState::INVALID_ESCAPE_SEQUENCE, "LIKE pattern must not end with escape character")
}

/// What follows the part when the string begins with it.
fn after_start<'a>(part: &[Token], s: &'a str) -> Option<&'a str> {
    let mut rest = s;
    for token in part {
        rest = match token {
            Token::Text(text) => rest.strip_prefix(text.as_str())?,
            Token::AnyCharacter => {
                let c = rest.chars().next()?;
                &rest[c.len_utf8()..]
            }
        };
    }
    Some(rest)
}

/// Whether the string ends with the part.
fn ends(part: &[Token], s: &str) -> bool {
    let mut rest = s;
    for token in part.iter().rev() {
        let before = match token {
            Token::Text(text) => rest.strip_suffix(text.as_str()),
            Token::AnyCharacter => rest.chars().next_back().map(|c| &rest[..rest.len() - c.len_utf8()]),
        };
        match before {
            Some(before) => rest = before,
            None => return false,
        }
    }
    true
}

/// What follows the first place where the part stands. No later place could be better: what comes next is looked for in
/// all that follows.
fn find<'a>(part: &[Token], s: &'a str) -> Option<&'a str> {
    match part {
        [] => Some(s),
        [Token::Text(text), others @ ..] => {
            let mut rest = s;
            loop {
                let start = rest.find(text.as_str())?;
                let after = &rest[start + text.len()..];
                if let Some(end) = after_start(others, after) {
                    return Some(end);
                }
                let step = rest[start..].chars().next()?.len_utf8();
                rest = &rest[start + step..];
            }
        }
        part => {
            let starts = s.char_indices().map(|(start, _)| start);
            starts.map(|start| &s[start..]).find_map(|rest| after_start(part, rest))
        }
    }
}

/// The results for a column, with the last pattern kept: mostly it is the only one.
fn like(call: &Call, how: Match) -> Result<ArrayRef> {
    let mut known: Option<(String, Pattern)> = None;
    let padded = match call.types.first() {
        Some(ty) if ty.oid == BPCHAR => padded_length(call, 0),
        _ => 0,
    };
    call.map2(|s: &str, pattern: &str| -> Result<bool> {
        let pattern = match &mut known {
            Some((text, compiled)) if text == pattern => &*compiled,
            slot => {
                let compiled = match how.ignore_case {
                    true => Pattern::new(&lower(pattern)),
                    false => Pattern::new(pattern),
                };
                &slot.insert((pattern.to_owned(), compiled)).1
            }
        };
        let found = match (padded, how.ignore_case) {
            (0, false) => pattern.matches(s)?,
            (0, true) => pattern.matches(&lower(s))?,
            (padded, false) => pattern.matches(&format!("{s:padded$}"))?,
            (padded, true) => pattern.matches(&format!("{:padded$}", lower(s)))?,
        };
        Ok(found == how.wanted)
    })
}

/// The bytes as characters with their numbers, of which a pattern asks what it asks of bytes.
fn characters_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn like_bytes(call: &Call, wanted: bool) -> Result<ArrayRef> {
    let mut known: Option<(Vec<u8>, Pattern)> = None;
    call.map2(|s: &[u8], pattern: &[u8]| -> Result<bool> {
        let pattern = match &mut known {
            Some((text, compiled)) if text == pattern => &*compiled,
            slot => &slot.insert((pattern.to_vec(), Pattern::new(&characters_of(pattern)))).1,
        };
        Ok(pattern.matches(&characters_of(s))? == wanted)
    })
}

/// The pattern with backslashes in place of another escape character.
fn with_backslashes(pattern: &str, escape: &str) -> Result<String> {
    let mut characters = escape.chars();
    let escape = match (characters.next(), characters.next()) {
        (None, _) => None,
        (Some(c), None) => Some(c),
        _ => return Err(invalid_escape()),
    };
    if escape == Some('\\') {
        return Ok(pattern.to_owned());
    }
    let mut result = String::with_capacity(pattern.len());
    let mut escaped = false;
    for c in pattern.chars() {
        if Some(c) == escape && !escaped {
            result.push('\\');
            escaped = true;
            continue;
        }
        if c == '\\' && !escaped {
            result.push('\\');
        }
        result.push(c);
        escaped = false;
    }
    Ok(result)
}

/// `invalid escape string` (22025)
pub(super) fn invalid_escape() -> PgError {
    PgError::new(SqlState::INVALID_ESCAPE_SEQUENCE, "invalid escape string")
        .with_hint("Escape string must be empty or one character.")
}

fn bytes_with_backslashes(pattern: &[u8], escape: &[u8]) -> Result<Vec<u8>> {
    let result = with_backslashes(&characters_of(pattern), &characters_of(escape))?;
    Ok(result.chars().map(|c| u32::from(c) as u8).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, operator};

    fn check(s: &str, symbol: &str, pattern: &str, expected: &str) {
        let found = operator(symbol, &[(TEXT, Some(s)), (TEXT, Some(pattern))]);
        let found = found.map_or_else(|error| error.message, Option::unwrap_or_default);
        assert_eq!(found, expected, "{s} {symbol} {pattern}");
    }

    #[test]
    fn percent_and_underscore_stand_for_others() {
        check("abc", "~~", "abc", "t");
        check("abc", "~~", "a%", "t");
        check("abc", "~~", "%c", "t");
        check("abc", "~~", "%b%", "t");
        check("äbc", "~~", "_bc", "t");
        check("abc", "~~", "_", "f");
        check("", "~~", "%", "t");
        check("", "~~", "", "t");
        check("", "~~", "_%", "f");
        check("aXbXc", "~~", "a%X%c", "t");
        check("abab", "~~", "%a_b%", "f");
        check("abcabd", "~~", "%ab_bd", "f");
        check("abcabd", "~~", "%a_d", "t");
        check("aaab", "~~", "%_ab", "t");
        check("ab", "~~", "ab%ab", "f");
        check("a\nb", "~~", "a%b", "t");
        check("abc", "!~~", "a%", "f");
        check("ÄBC", "~~*", "äb_", "t");
        check("ÄBC", "!~~*", "äb_", "f");
    }

    #[test]
    fn a_backslash_takes_the_meaning() {
        check("a%b", "~~", "a\\%b", "t");
        check("axb", "~~", "a\\%b", "f");
        check("a\\b", "~~", "a\\\\b", "t");
        check("a", "~~", "a\\", "f");
        check("b", "~~", "a\\", "f");
        check("ab", "~~", "a\\", "LIKE pattern must not end with escape character");
        check("a", "~~", "%\\", "LIKE pattern must not end with escape character");
    }

    #[test]
    fn bytes_and_other_escapes() {
        let like = |s, pattern| operator("~~", &[(BYTEA, Some(s)), (BYTEA, Some(pattern))]);
        assert_eq!(like("\\x00ff61", "\\x255f61"), Ok(Some("t".to_owned())));
        let escape = |pattern, escape| call("like_escape", &[(TEXT, Some(pattern)), (TEXT, Some(escape))]);
        assert_eq!(escape("a#%b\\", "#"), Ok(Some("a\\%b\\\\".to_owned())));
        assert_eq!(escape("a\\b%", ""), Ok(Some("a\\\\b%".to_owned())));
        assert_eq!(escape("a", "ab").map_err(|error| error.message), Err("invalid escape string".to_owned()));
    }
}
