//! `regexp_replace`.

use arrow::array::ArrayRef;

use super::regex::{Pattern, Span, compiled};
use super::regex_functions::{Options, at_least, optional, start_offset};
use super::{by_row, check_length};
use crate::error::Result;
use crate::function::{Call, Function, function};
use crate::types::*;

pub(super) static FUNCTIONS: &[Function] = &[
    // Redshift's: matches go.
    function("regexp_replace", &[TEXT, TEXT], TEXT, without_matches),
    function("regexp_replace", &[TEXT, TEXT, TEXT], TEXT, replace_with_flags),
    function("regexp_replace", &[TEXT, TEXT, TEXT, TEXT], TEXT, replace_with_flags),
    function("regexp_replace", &[TEXT, TEXT, TEXT, INT4], TEXT, replace_from),
    function("regexp_replace", &[TEXT, TEXT, TEXT, INT4, INT4], TEXT, replace_from),
    function("regexp_replace", &[TEXT, TEXT, TEXT, INT4, INT4, TEXT], TEXT, replace_from),
];

/// A piece of what a match is replaced by.
enum Piece {
    Text(String),
    /// The text of a group; zero is the whole match.
    Group(usize),
}

/// The replacement taken apart: `\1` to `\9` and `\&` stand for parts of the match, `\\` for a backslash. A backslash
/// before anything else is itself.
fn pieces(replacement: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut characters = replacement.chars();
    while let Some(c) = characters.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        let group = match characters.next() {
            Some(digit @ '1'..='9') => digit.to_digit(10).unwrap_or(0) as usize,
            Some('&') => 0,
            Some('\\') => {
                text.push('\\');
                continue;
            }
            other => {
                text.push('\\');
                text.extend(other);
                continue;
            }
        };
        pieces.push(Piece::Text(std::mem::take(&mut text)));
        pieces.push(Piece::Group(group));
    }
    pieces.push(Piece::Text(text));
    pieces
}

/// The text with the match that has this number replaced, or with all of them for zero.
fn replaced(text: &str, pattern: &Pattern, pieces: &[Piece], start: usize, number: usize) -> Result<String> {
    let has_groups = pieces.iter().any(|piece| matches!(piece, Piece::Group(1..)));
    let mut result = String::new();
    let mut copied = 0;
    for (index, span) in pattern.matches(text, start).enumerate() {
        if number > 0 && index + 1 != number {
            continue;
        }
        let groups = match has_groups {
            true => pattern.captures_at(text, span.0).unwrap_or_default(),
            false => vec![Some(span)],
        };
        result.push_str(&text[copied..span.0]);
        push_replacement(&mut result, text, pieces, &groups);
        check_length(result.len())?;
        copied = span.1;
        if number > 0 {
            break;
        }
    }
    result.push_str(&text[copied..]);
    Ok(result)
}

fn push_replacement(result: &mut String, text: &str, pieces: &[Piece], groups: &[Option<Span>]) {
    for piece in pieces {
        match piece {
            Piece::Text(piece) => result.push_str(piece),
            Piece::Group(group) => {
                let span = groups.get(*group).copied().flatten();
                result.push_str(span.and_then(|(start, end)| text.get(start..end)).unwrap_or(""));
            }
        }
    }
}

/// `regexp_replace(text, pattern)`: the text without what matches, everywhere.
fn without_matches(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns) = (call.column::<&str>(0)?, call.column::<&str>(1)?);
    by_row(call, |row| {
        let (Some(text), Some(pattern)) = (texts.get(row), patterns.get(row)) else { return Ok(None) };
        let pattern = compiled(pattern, Options::parse("")?.flags)?;
        replaced(text, &pattern, &[], 0, 0).map(Some)
    })
}

/// `regexp_replace(text, pattern, replacement [, flags])`: the first match, or all with `g`.
fn replace_with_flags(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns, replacements) = (call.column::<&str>(0)?, call.column::<&str>(1)?, call.column::<&str>(2)?);
    let letters = optional(call, 3, "")?;
    by_row(call, |row| {
        let (Some(text), Some(pattern)) = (texts.get(row), patterns.get(row)) else { return Ok(None) };
        let (Some(replacement), Some(letters)) = (replacements.get(row), letters(row)) else { return Ok(None) };
        let options =
            Options::parse(letters).map_err(|error| match letters.starts_with(|c: char| c.is_ascii_digit()) {
                true => error.with_hint(
                    "If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer \
                 explicitly.",
                ),
                false => error,
            })?;
        let pattern = compiled(pattern, options.flags)?;
        let number = usize::from(!options.global);
        replaced(text, &pattern, &pieces(replacement), 0, number).map(Some)
    })
}

/// `regexp_replace(text, pattern, replacement, start [, n [, flags]])`: the match with number n, or all for zero. `g`
/// counts only when no number is given.
fn replace_from(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns, replacements) = (call.column::<&str>(0)?, call.column::<&str>(1)?, call.column::<&str>(2)?);
    let (starts, numbers) = (optional(call, 3, 1)?, optional(call, 4, 1)?);
    let letters = optional(call, 5, "")?;
    by_row(call, |row| {
        let (Some(text), Some(pattern)) = (texts.get(row), patterns.get(row)) else { return Ok(None) };
        let (Some(replacement), Some(start)) = (replacements.get(row), starts(row)) else { return Ok(None) };
        let (Some(number), Some(letters)) = (numbers(row), letters(row)) else { return Ok(None) };
        let start = at_least(1, start, "start")?;
        let number = at_least(0, number, "n")?;
        let pattern = compiled(pattern, Options::parse(letters)?.flags)?;
        let Some(start) = start_offset(text, start) else { return Ok(Some(text.to_owned())) };
        replaced(text, &pattern, &pieces(replacement), start, number).map(Some)
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{Value, call};
    use crate::types::*;

    fn check(arguments: &[&str], expected: &str) {
        let integer = |position: usize, it: &str| position > 2 && it.parse::<i32>().is_ok();
        let arguments: Vec<Value<'_>> = arguments
            .iter()
            .enumerate()
            .map(|(position, it)| (if integer(position, it) { INT4 } else { TEXT }, Some(*it)))
            .collect();
        let found = call("regexp_replace", &arguments);
        let found = found.map_or_else(|error| error.message, Option::unwrap_or_default);
        assert_eq!(found, expected, "{arguments:?}");
    }

    #[test]
    fn matches_are_replaced() {
        check(&["abcabc", "b", "X"], "aXcabc");
        check(&["abcabc", "b", "X", "g"], "aXcaXc");
        check(&["abc", "", "x", "g"], "xaxbxcx");
        check(&["abc", "b*", "x", "g"], "xaxxcx");
        check(&["aab", "a", "[\\&\\0\\1\\\\]", "g"], "[a\\0\\][a\\0\\]b");
        check(&["ab", "(a)(b)", "\\2\\1\\3\\x\\"], "ba\\x\\");
        check(&["abcabc", "b", "X", "1", "2"], "abcaXc");
        check(&["abcabc", "B", "X", "1", "0", "i"], "aXcaXc");
        check(&["abc", "b", "X", "10"], "abc");
        check(&["abc", "b", "X", "0"], "invalid value for parameter \"start\": 0");
        check(&["abc", "b", "X", "1", "-1"], "invalid value for parameter \"n\": -1");
    }
}
