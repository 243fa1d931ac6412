//! PostgreSQL's regular expressions ("advanced", after Henry Spencer), in linear time.
//!
//! [`parse`] reads an expression. Where a match begins is found by the `regex` crate, from the expression as [`emit`]
//! writes it in that crate's syntax. Where it ends is another question: PostgreSQL takes the longest match or the
//! shortest, as the whole expression prefers, while the crate takes the first alternative that fits; [`automaton`] answers
//! it. What the groups hold follows from each part's preference, see [`dissect`].
//!
//! Back-references and look-around are not supported: they cannot be had in linear time.

mod automaton;
mod class;
mod dissect;
mod emit;
mod parse;

use std::cell::RefCell;
use std::rc::Rc;

use crate::error::{PgError, Result};
use crate::sqlstate::SqlState;
use automaton::{Automaton, Direction};
use dissect::Node;

/// Compiled expressions that a thread keeps, as many as PostgreSQL does.
const KEPT_MAX: usize = 32;
/// Bytes that the search may need for one expression.
const SEARCH_BYTES_MAX: usize = 16 << 20;
/// How deep the syntax that is handed to the search may nest; our own limit is lower.
const NEST_MAX: u32 = 2000;

/// How an expression is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Flags {
    /// `i`
    pub ignore_case: bool,
    /// `.` and `[^…]` do not match a line feed: `n`, `p`.
    pub stop_at_newline: bool,
    /// `^` and `$` match at lines' ends: `n`, `w`.
    pub anchor_at_newline: bool,
    /// White space and comments do not count: `x`.
    pub expanded: bool,
    /// The expression is the string itself: `q`.
    pub quoted: bool,
    /// Backslashes make no classes or constraints: `e`.
    pub extended: bool,
}

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Pattern {
    search: ::regex::Regex,
    automaton: Automaton,
    tree: Node,
    groups: usize,
    /// Whether all matches that begin in one place are equally long, or the search prefers as the expression does.
    search_finds_end: bool,
}

/// Where a part of a match begins and ends, in bytes.
pub(super) type Span = (usize, usize);

impl Pattern {
    fn compile(pattern: &str, flags: Flags) -> Result<Self> {
        let parsed = parse::parse(pattern, flags)?;
        let syntax = emit::regex_syntax(&parsed.re);
        let search = ::regex::RegexBuilder::new(&syntax)
            .size_limit(SEARCH_BYTES_MAX)
            .nest_limit(NEST_MAX)
            .build()
            .map_err(|_| too_complex())?;
        let automaton = Automaton::new(&parsed.re, Direction::Forward)?;
        let tree = dissect::tree(&parsed.re)?;
        let search_finds_end = dissect::has_one_length(&parsed.re);
        Ok(Pattern { search, automaton, tree, groups: parsed.groups, search_finds_end })
    }

    /// Number of groups that are remembered.
    pub(super) fn groups(&self) -> usize {
        self.groups
    }

    /// Whether it matches anywhere.
    pub(super) fn is_match(&self, text: &str) -> bool {
        self.search.is_match(text)
    }

    /// The first match that begins there or later.
    pub(super) fn find_at(&self, text: &str, start: usize) -> Option<Span> {
        let found = self.search.find_at(text, start)?;
        if self.search_finds_end {
            return Some((found.start(), found.end()));
        }
        let end = match self.tree.prefers_short() {
            true => self.automaton.shortest(text, found.start()),
            false => self.automaton.longest(text, found.start()),
        };
        Some((found.start(), end.unwrap_or(found.end())))
    }

    /// The first match that begins there or later, and what its groups hold: the whole is the first.
    pub(super) fn captures_at(&self, text: &str, start: usize) -> Option<Vec<Option<Span>>> {
        let (start, end) = self.find_at(text, start)?;
        let mut groups = vec![None; self.groups + 1];
        self.tree.dissect(text, (start, end), &mut groups);
        groups[0] = Some((start, end));
        Some(groups)
    }

    /// The matches from there on, from left to right; after an empty one the search goes on a character further.
    pub(super) fn matches<'a>(&'a self, text: &'a str, start: usize) -> impl Iterator<Item = Span> + 'a {
        let mut next = Some(start);
        std::iter::from_fn(move || {
            let found = self.find_at(text, next?)?;
            next = after(text, found);
            Some(found)
        })
    }
}

/// Where the search for the match after this one begins, if there can be one.
pub(super) fn after(text: &str, (start, end): Span) -> Option<usize> {
    if end > start {
        return Some(end);
    }
    text.get(end..)?.chars().next().map(|c| end + c.len_utf8())
}

/// Compiled expressions, the one that was used last in front.
type Kept = Vec<(String, Flags, Rc<Pattern>)>;

thread_local! {
    static KEPT: RefCell<Kept> = const { RefCell::new(Vec::new()) };
}

/// The compiled expression, kept for the next time.
pub(super) fn compiled(pattern: &str, flags: Flags) -> Result<Rc<Pattern>> {
    let known = KEPT.with_borrow_mut(|kept| {
        let place = kept.iter().position(|(text, other, _)| text == pattern && *other == flags)?;
        kept[..=place].rotate_right(1);
        kept.first().map(|(_, _, compiled)| compiled.clone())
    });
    if let Some(known) = known {
        return Ok(known);
    }
    let compiled = Rc::new(Pattern::compile(pattern, flags)?);
    KEPT.with_borrow_mut(|kept| {
        kept.truncate(KEPT_MAX - 1);
        kept.insert(0, (pattern.to_owned(), flags, compiled.clone()));
    });
    Ok(compiled)
}

/// `invalid regular expression: …` (2201B)
fn invalid(what: &str) -> PgError {
    PgError::new(SqlState::INVALID_REGULAR_EXPRESSION, format!("invalid regular expression: {what}"))
}

fn too_complex() -> PgError {
    invalid("regular expression is too complex")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
