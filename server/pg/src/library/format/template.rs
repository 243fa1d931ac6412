//! What templates of dates and of numbers have in common.

use crate::error::{PgError, Result};
use crate::sqlstate::SqlState;

/// Bytes of the longest value that is made here; PostgreSQL's own limit is 1 GB.
const RESULT_BYTES_MAX: usize = 64 << 20;

/// A part of a template.
#[derive(Debug, Clone, Copy)]
pub enum Node<F> {
    /// A pattern, and what was written around it.
    Field(F),
    /// A character that stands for itself.
    Literal(char),
    /// A printable character other than a letter or digit. Reading a date, it matches any other such character.
    Separator(char),
    /// White space.
    Space(char),
}

impl<F> Node<F> {
    /// The character it is written as; `None` for a pattern.
    pub fn character(&self) -> Option<char> {
        match self {
            Node::Field(_) => None,
            Node::Literal(it) | Node::Separator(it) | Node::Space(it) => Some(*it),
        }
    }
}

/// Case of the `th` after a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ordinal {
    /// `TH`
    Upper,
    /// `th`
    Lower,
}

/// What a text says at the beginning of the rest of a template.
pub enum Step<F> {
    /// A pattern of so many bytes.
    Field(F, usize),
    /// No pattern; so many bytes are skipped before the next character stands for itself.
    Nothing(usize),
}

/// Splits a template: `step` says what it begins with, which is not asked within quotation marks. White space and
/// separators are told apart where `separators` is set.
pub fn split<F>(text: &str, separators: bool, mut step: impl FnMut(&str) -> Result<Step<F>>) -> Result<Vec<Node<F>>> {
    let mut nodes = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        match step(rest)? {
            Step::Field(field, length) => {
                nodes.push(Node::Field(field));
                rest = rest.get(length..).unwrap_or_default();
                continue;
            }
            Step::Nothing(skipped) => rest = rest.get(skipped..).unwrap_or_default(),
        }
        if let Some(quoted) = rest.strip_prefix('"') {
            rest = split_quoted(quoted, &mut nodes);
            continue;
        }
        // Outside quotation marks, a backslash means something only before one.
        if rest.starts_with("\\\"") {
            rest = &rest[1..];
        }
        let mut characters = rest.chars();
        let Some(character) = characters.next() else { break };
        nodes.push(match character {
            it if separators && is_separator(it) => Node::Separator(it),
            it if is_space(it) => Node::Space(it),
            it => Node::Literal(it),
        });
        rest = characters.as_str();
    }
    Ok(nodes)
}

/// Takes a quoted text; a backslash in it quotes the next character.
fn split_quoted<'a, F>(text: &'a str, nodes: &mut Vec<Node<F>>) -> &'a str {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => nodes.push(Node::Literal(characters.next().unwrap_or('\\'))),
            it => nodes.push(Node::Literal(it)),
        }
    }
    characters.as_str()
}

/// Whether a character separates fields of a date.
pub fn is_separator(character: char) -> bool {
    character.is_ascii_graphic() && !character.is_ascii_alphanumeric()
}

/// Whether C's `isspace` takes a character for white space.
pub fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t'..='\r')
}

/// The ending of an ordinal number; `number` is its digits.
pub fn ordinal_ending(number: &str, ordinal: Ordinal) -> Result<&'static str> {
    let mut digits = number.bytes().rev();
    let last = digits
        .next()
        .filter(u8::is_ascii_digit)
        .ok_or_else(|| PgError::new(SqlState::INVALID_TEXT_REPRESENTATION, format!("\"{number}\" is not a number")))?;
    // The teens: 11th, 12th, 13th.
    let last = if digits.next() == Some(b'1') { b'0' } else { last };
    Ok(match (last, ordinal) {
        (b'1', Ordinal::Upper) => "ST",
        (b'2', Ordinal::Upper) => "ND",
        (b'3', Ordinal::Upper) => "RD",
        (_, Ordinal::Upper) => "TH",
        (b'1', Ordinal::Lower) => "st",
        (b'2', Ordinal::Lower) => "nd",
        (b'3', Ordinal::Lower) => "rd",
        (_, Ordinal::Lower) => "th",
    })
}

/// A result that is not too long.
pub fn check_length(text: String) -> Result<String> {
    if text.len() > RESULT_BYTES_MAX {
        return Err(PgError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "requested length too large"));
    }
    Ok(text)
}

/// The last template that was read: nearly always the one of the next row too.
pub struct LastTemplate<T> {
    last: Option<(String, T)>,
}

impl<T> LastTemplate<T> {
    /// None has been read yet.
    pub fn new() -> Self {
        LastTemplate { last: None }
    }

    /// What the template says.
    pub fn get(&mut self, text: &str, read: impl FnOnce(&str) -> Result<T>) -> Result<&T> {
        let last = self.last.take().filter(|(known, _)| known == text);
        let last = match last {
            Some(last) => last,
            None => (text.to_owned(), read(text)?),
        };
        Ok(&self.last.insert(last).1)
    }
}
