//! `~` and the functions that look for a regular expression.
//!
//! What they have in common: the search begins at the character `start`, counted from one; of several matches the one with
//! number `n` counts; `flags` are letters; `subexpr` is the group that is asked for, zero being the whole match.

use std::rc::Rc;

use arrow::array::ArrayRef;

use super::measure::padded_length;
use super::regex::{Flags, Pattern, Span, compiled};
use super::similar::to_regex;
use super::{as_integer, by_row, character_offset};
use crate::error::{PgError, Result};
use crate::function::{Argument, Call, Function, function};
use crate::types::*;

pub(super) static OPERATORS: &[Function] = &[
    function("~", &[TEXT, TEXT], BOOL, |call| matches(call, "", true)),
    function("~", &[NAME, TEXT], BOOL, |call| matches(call, "", true)),
    function("~", &[BPCHAR, TEXT], BOOL, |call| matches(call, "", true)),
    function("!~", &[TEXT, TEXT], BOOL, |call| matches(call, "", false)),
    function("!~", &[NAME, TEXT], BOOL, |call| matches(call, "", false)),
    function("!~", &[BPCHAR, TEXT], BOOL, |call| matches(call, "", false)),
    function("~*", &[TEXT, TEXT], BOOL, |call| matches(call, "i", true)),
    function("~*", &[NAME, TEXT], BOOL, |call| matches(call, "i", true)),
    function("~*", &[BPCHAR, TEXT], BOOL, |call| matches(call, "i", true)),
    function("!~*", &[TEXT, TEXT], BOOL, |call| matches(call, "i", false)),
    function("!~*", &[NAME, TEXT], BOOL, |call| matches(call, "i", false)),
    function("!~*", &[BPCHAR, TEXT], BOOL, |call| matches(call, "i", false)),
];

pub(super) static FUNCTIONS: &[Function] = &[
    function("substring", &[TEXT, TEXT], TEXT, |call| {
        call.map2(|text: &str, pattern: &str| first_part(text, pattern).map(|part| part.map(str::to_owned)))
    }),
    function("substring", &[TEXT, TEXT, TEXT], TEXT, |call| {
        call.map3(|text: &str, pattern: &str, escape: &str| -> Result<Option<String>> {
            Ok(first_part(text, &to_regex(pattern, escape)?)?.map(str::to_owned))
        })
    }),
    function("regexp_like", &[TEXT, TEXT], BOOL, regexp_like),
    function("regexp_like", &[TEXT, TEXT, TEXT], BOOL, regexp_like),
    function("regexp_count", &[TEXT, TEXT], INT4, regexp_count),
    function("regexp_count", &[TEXT, TEXT, INT4], INT4, regexp_count),
    function("regexp_count", &[TEXT, TEXT, INT4, TEXT], INT4, regexp_count),
    function("regexp_instr", &[TEXT, TEXT], INT4, regexp_instr),
    function("regexp_instr", &[TEXT, TEXT, INT4], INT4, regexp_instr),
    function("regexp_instr", &[TEXT, TEXT, INT4, INT4], INT4, regexp_instr),
    function("regexp_instr", &[TEXT, TEXT, INT4, INT4, INT4], INT4, regexp_instr),
    function("regexp_instr", &[TEXT, TEXT, INT4, INT4, INT4, TEXT], INT4, regexp_instr),
    function("regexp_instr", &[TEXT, TEXT, INT4, INT4, INT4, TEXT, INT4], INT4, regexp_instr),
    function("regexp_substr", &[TEXT, TEXT], TEXT, regexp_substr),
    function("regexp_substr", &[TEXT, TEXT, INT4], TEXT, regexp_substr),
    function("regexp_substr", &[TEXT, TEXT, INT4, INT4], TEXT, regexp_substr),
    function("regexp_substr", &[TEXT, TEXT, INT4, INT4, TEXT], TEXT, regexp_substr),
    function("regexp_substr", &[TEXT, TEXT, INT4, INT4, TEXT, INT4], TEXT, regexp_substr),
    function("regexp_match", &[TEXT, TEXT], TEXT_ARRAY, regexp_match),
    function("regexp_match", &[TEXT, TEXT, TEXT], TEXT_ARRAY, regexp_match),
    function("regexp_split_to_array", &[TEXT, TEXT], TEXT_ARRAY, regexp_split_to_array),
    function("regexp_split_to_array", &[TEXT, TEXT, TEXT], TEXT_ARRAY, regexp_split_to_array),
];

/// What the letters of `flags` say.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Options {
    /// How the expression is read.
    pub flags: Flags,
    /// `g`
    pub global: bool,
}

impl Options {
    /// Reads the letters.
    pub(super) fn parse(letters: &str) -> Result<Self> {
        let mut options = Options::default();
        for letter in letters.chars() {
            if letter == 'g' {
                options.global = true;
            } else if !options.flags.set(letter)? {
                let message = format!("invalid regular expression option: \"{letter}\"");
                return Err(PgError::invalid_parameter(message));
            }
        }
        Ok(options)
    }

    /// The letters of a function that takes no `g`.
    pub(super) fn not_global(letters: &str, function: &str) -> Result<Flags> {
        let options = Options::parse(letters)?;
        if options.global {
            let message = format!("{function}() does not support the \"global\" option");
            return Err(PgError::invalid_parameter(message));
        }
        Ok(options.flags)
    }
}

/// An argument's value in a row, or what it is when the call has no such argument.
pub(super) fn optional<'a, A: Argument<'a> + Copy + 'a>(
    call: &'a Call,
    argument: usize,
    default: A,
) -> Result<impl Fn(usize) -> Option<A> + 'a> {
    let column = if argument < call.width() { Some(call.column::<A>(argument)?) } else { None };
    Ok(move |row| match &column {
        Some(column) => column.get(row),
        None => Some(default),
    })
}

/// The number when it is at least so much.
pub(super) fn at_least(least: i32, value: i32, parameter: &str) -> Result<usize> {
    usize::try_from(value)
        .ok()
        .filter(|_| value >= least)
        .ok_or_else(|| PgError::invalid_parameter(format!("invalid value for parameter \"{parameter}\": {value}")))
}

/// The byte at which a search begins; `None` when that is beyond the string.
pub(super) fn start_offset(text: &str, start: usize) -> Option<usize> {
    let offset = character_offset(text, start - 1);
    (offset < text.len() || text.chars().count() >= start - 1).then_some(offset)
}

fn matches(call: &Call, letters: &str, wanted: bool) -> Result<ArrayRef> {
    let flags = Options::parse(letters)?.flags;
    let padded = match call.types.first() {
        Some(ty) if ty.oid == BPCHAR => padded_length(call, 0),
        _ => 0,
    };
    call.map2(|text: &str, pattern: &str| -> Result<bool> {
        let pattern = compiled(pattern, flags)?;
        let found = match padded {
            0 => pattern.is_match(text),
            padded => pattern.is_match(&format!("{text:padded$}")),
        };
        Ok(found == wanted)
    })
}

/// The first group of the first match, or all of it when there are no groups.
fn first_part<'a>(text: &'a str, pattern: &str) -> Result<Option<&'a str>> {
    let pattern = compiled(pattern, Flags::default())?;
    let span = match pattern.groups() {
        0 => pattern.find_at(text, 0),
        _ => pattern.captures_at(text, 0).and_then(|groups| groups.get(1).copied().flatten()),
    };
    Ok(span.map(|(start, end)| &text[start..end]))
}

fn regexp_like(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns) = (call.column::<&str>(0)?, call.column::<&str>(1)?);
    let letters = optional(call, 2, "")?;
    by_row(call, |row| {
        let (Some(text), Some(pattern), Some(letters)) = (texts.get(row), patterns.get(row), letters(row)) else {
            return Ok(None);
        };
        Ok(Some(compiled(pattern, Options::not_global(letters, "regexp_like")?)?.is_match(text)))
    })
}

fn regexp_count(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns) = (call.column::<&str>(0)?, call.column::<&str>(1)?);
    let (starts, letters) = (optional(call, 2, 1)?, optional(call, 3, "")?);
    by_row(call, |row| {
        let (Some(text), Some(pattern), Some(start), Some(letters)) =
            (texts.get(row), patterns.get(row), starts(row), letters(row))
        else {
            return Ok(None);
        };
        let start = at_least(1, start, "start")?;
        let pattern = compiled(pattern, Options::not_global(letters, "regexp_count")?)?;
        let count = start_offset(text, start).map_or(0, |start| pattern.matches(text, start).count());
        Ok(Some(as_integer(count)))
    })
}

/// Which match and which group of it.
struct Wanted {
    start: i32,
    number: i32,
    group: i32,
}

impl Wanted {
    /// Where it is, if there is one.
    fn find(&self, text: &str, pattern: &Rc<Pattern>) -> Result<Option<Span>> {
        let start = at_least(1, self.start, "start")?;
        let number = at_least(1, self.number, "n")?;
        let group = at_least(0, self.group, "subexpr")?;
        // Without groups the whole match counts as the first.
        if group > pattern.groups().max(1) {
            return Ok(None);
        }
        let Some(start) = start_offset(text, start) else { return Ok(None) };
        let Some(span) = pattern.matches(text, start).nth(number - 1) else { return Ok(None) };
        if group == 0 || pattern.groups() == 0 {
            return Ok(Some(span));
        }
        Ok(pattern.captures_at(text, span.0).and_then(|groups| groups.get(group).copied().flatten()))
    }

    fn check(&self) -> Result<()> {
        at_least(1, self.start, "start")?;
        at_least(1, self.number, "n")?;
        Ok(())
    }
}

fn regexp_instr(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns) = (call.column::<&str>(0)?, call.column::<&str>(1)?);
    let (starts, numbers, ends) = (optional(call, 2, 1)?, optional(call, 3, 1)?, optional(call, 4, 0)?);
    let (letters, groups) = (optional(call, 5, "")?, optional(call, 6, 0)?);
    by_row(call, |row| {
        let (Some(text), Some(pattern)) = (texts.get(row), patterns.get(row)) else { return Ok(None) };
        let (Some(start), Some(number), Some(at_end)) = (starts(row), numbers(row), ends(row)) else { return Ok(None) };
        let (Some(letters), Some(group)) = (letters(row), groups(row)) else { return Ok(None) };
        let wanted = Wanted { start, number, group };
        wanted.check()?;
        if !matches!(at_end, 0 | 1) {
            let message = format!("invalid value for parameter \"endoption\": {at_end}");
            return Err(PgError::invalid_parameter(message));
        }
        at_least(0, group, "subexpr")?;
        let pattern = compiled(pattern, Options::not_global(letters, "regexp_instr")?)?;
        let place = wanted.find(text, &pattern)?.map(|(start, end)| if at_end == 1 { end } else { start });
        let before = place.and_then(|place| text.get(..place));
        Ok(Some(before.map_or(0, |before| as_integer(before.chars().count() + 1))))
    })
}

fn regexp_substr(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns) = (call.column::<&str>(0)?, call.column::<&str>(1)?);
    let (starts, numbers) = (optional(call, 2, 1)?, optional(call, 3, 1)?);
    let (letters, groups) = (optional(call, 4, "")?, optional(call, 5, 0)?);
    by_row(call, |row| {
        let (Some(text), Some(pattern)) = (texts.get(row), patterns.get(row)) else { return Ok(None) };
        let (Some(start), Some(number)) = (starts(row), numbers(row)) else { return Ok(None) };
        let (Some(letters), Some(group)) = (letters(row), groups(row)) else { return Ok(None) };
        let wanted = Wanted { start, number, group };
        wanted.check()?;
        at_least(0, group, "subexpr")?;
        let pattern = compiled(pattern, Options::not_global(letters, "regexp_substr")?)?;
        Ok(wanted.find(text, &pattern)?.and_then(|(start, end)| text.get(start..end)))
    })
}

/// The texts of a match's groups, or of the match when there are none.
pub(super) fn group_texts(text: &str, groups: &[Option<Span>]) -> Vec<Option<String>> {
    let wanted = if groups.len() > 1 { &groups[1..] } else { groups };
    wanted.iter().map(|span| span.and_then(|(start, end)| text.get(start..end)).map(str::to_owned)).collect()
}

fn regexp_match(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns) = (call.column::<&str>(0)?, call.column::<&str>(1)?);
    let letters = optional(call, 2, "")?;
    by_row(call, |row| {
        let (Some(text), Some(pattern), Some(letters)) = (texts.get(row), patterns.get(row), letters(row)) else {
            return Ok(None);
        };
        let options = Options::parse(letters)?;
        if options.global {
            let refused = Options::not_global(letters, "regexp_match");
            refused.map_err(|error| error.with_hint("Use the regexp_matches function instead."))?;
        }
        let groups = compiled(pattern, options.flags)?.captures_at(text, 0);
        Ok(groups.map(|groups| group_texts(text, &groups)))
    })
}

/// What stands between the matches. Empty matches at the ends of the string or right after another match do not count.
pub(super) fn split<'a>(text: &'a str, pattern: &Pattern) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let (mut part, mut previous) = (0, 0);
    for (start, end) in pattern.matches(text, 0) {
        if start < text.len() && end > previous {
            parts.push(&text[part..start]);
            part = end;
        }
        previous = end;
    }
    parts.push(&text[part..]);
    parts
}

fn regexp_split_to_array(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns) = (call.column::<&str>(0)?, call.column::<&str>(1)?);
    let letters = optional(call, 2, "")?;
    by_row(call, |row| {
        let (Some(text), Some(pattern), Some(letters)) = (texts.get(row), patterns.get(row), letters(row)) else {
            return Ok(None);
        };
        let pattern = compiled(pattern, Options::not_global(letters, "regexp_split_to_array")?)?;
        Ok(Some(split(text, &pattern).into_iter().map(Some).collect::<Vec<_>>()))
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{Value, call, operator};
    use crate::types::*;

    /// Arguments that are numbers are integers, the others text.
    fn check(name: &str, arguments: &[&str], expected: &str) {
        let arguments: Vec<Value<'_>> = arguments
            .iter()
            .enumerate()
            .map(|(position, it)| (if position > 1 && it.parse::<i32>().is_ok() { INT4 } else { TEXT }, Some(*it)))
            .collect();
        let found = call(name, &arguments);
        let found = found.map_or_else(|error| error.message, |found| found.unwrap_or_else(|| "NULL".to_owned()));
        assert_eq!(found, expected, "{name} {arguments:?}");
    }

    #[test]
    fn operators_match_anywhere() {
        let check = |s, symbol: &str, pattern, expected: &str| {
            let found = operator(symbol, &[(TEXT, Some(s)), (TEXT, Some(pattern))]);
            assert_eq!(found, Ok(Some(expected.to_owned())), "{s} {symbol} {pattern}");
        };
        check("abc", "~", "b", "t");
        check("abc", "!~", "b", "f");
        check("ABC", "~*", "b", "t");
        check("ABC", "!~*", "b", "f");
    }

    #[test]
    fn parts_are_found() {
        check("substring", &["foobar", "o(.)b"], "o");
        check("substring", &["foobar", "o.b"], "oob");
        check("substring", &["foobar", "x"], "NULL");
        check("substring", &["foobar", "f#\"o_b#\"%", "#"], "oob");
        check("regexp_count", &["aaa", "a*"], "2");
        check("regexp_count", &["abc", "", "4"], "1");
        check("regexp_count", &["abc", "", "5"], "0");
        check("regexp_count", &["abc", "b", "0"], "invalid value for parameter \"start\": 0");
        check("regexp_instr", &["abcabc", "b", "1", "2"], "5");
        check("regexp_instr", &["abcabc", "(b)(c)", "1", "2", "1", "", "2"], "7");
        check("regexp_instr", &["abc", "(b)", "1", "1", "0", "", "3"], "0");
        check("regexp_instr", &["abc", "b", "1", "1", "2"], "invalid value for parameter \"endoption\": 2");
        check("regexp_substr", &["abcabc", "(b)(c)", "1", "2", "", "2"], "c");
        check("regexp_substr", &["abc", "x"], "NULL");
        check("regexp_substr", &["abc", "b", "1", "1", "", "1"], "b");
        check("regexp_like", &["abc", "B", "i"], "t");
        check("regexp_like", &["abc", "b", "g"], "regexp_like() does not support the \"global\" option");
        check("regexp_like", &["abc", "b", "z"], "invalid regular expression option: \"z\"");
    }

    #[test]
    fn matches_and_what_is_between_them() {
        check("regexp_match", &["foobarbequebaz", "(bar)(beque)"], "{bar,beque}");
        check("regexp_match", &["abc", "(a)|(x)"], "{a,NULL}");
        check("regexp_match", &["abc", "x"], "NULL");
        check("regexp_split_to_array", &["abc", ""], "{a,b,c}");
        check("regexp_split_to_array", &["", ""], "{\"\"}");
        check("regexp_split_to_array", &["a b  c", "\\s"], "{a,b,\"\",c}");
        check("regexp_split_to_array", &[" a ", " *"], "{\"\",a,\"\"}");
        check("regexp_split_to_array", &["abc", "x*"], "{a,b,c}");
    }
}
