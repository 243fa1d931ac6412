//! Reads a regular expression as PostgreSQL does (`regcomp.c`, `regc_lex.c`).

use std::sync::Arc;

use super::class::{self, Class};
use super::{Flags, invalid, too_complex};
use crate::error::{PgError, Result};

/// How deep groups may nest: reading them is recursive.
const DEPTH_MAX: u32 = 200;
/// The highest number of repetitions that may be asked for (`RE_DUP_MAX`).
const REPETITIONS_MAX: u32 = 255;

/// Whether a match shall be long or short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preference {
    Long,
    Short,
}

/// What must hold between two characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Assertion {
    TextStart,
    TextEnd,
    LineStart,
    LineEnd,
    WordStart,
    WordEnd,
    WordBoundary,
    NoWordBoundary,
}

/// A regular expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Re {
    Empty,
    Class(Arc<Class>),
    Assertion(Assertion),
    Concat(Vec<Re>),
    /// At least two.
    Alternatives(Vec<Re>),
    /// In parentheses; with the number of what it remembers, if it does.
    Group(Option<usize>, Box<Re>),
    Repeat {
        body: Box<Re>,
        min: u32,
        max: Option<u32>,
        /// None for `{m}`, which leaves it to the body.
        preference: Option<Preference>,
    },
}

/// An expression, and the number of its groups that are remembered.
pub(super) struct Parsed {
    pub re: Re,
    pub groups: usize,
}

/// Reads an expression.
pub(super) fn parse(pattern: &str, flags: Flags) -> Result<Parsed> {
    let mut parser = Parser { characters: pattern.chars().collect(), at: 0, flags, groups: 0, open: 0 };
    if !flags.quoted && !flags.extended {
        parser.read_prefixes()?;
    }
    let re = match parser.flags.quoted {
        true => parser.literal(),
        false => parser.alternatives()?,
    };
    Ok(Parsed { re, groups: parser.groups })
}

struct Parser {
    characters: Vec<char>,
    at: usize,
    flags: Flags,
    groups: usize,
    /// Groups that are open.
    open: u32,
}

/// What an escape means.
enum Escape {
    Character(char),
    Class(Arc<Class>),
    Assertion(Assertion),
    BackReference,
}

/// One element of a bracket expression.
enum Element {
    Character(char),
    Class(Arc<Class>),
    /// A minus sign that is between others.
    Range,
}

fn bad_repetition() -> PgError {
    invalid("quantifier operand invalid")
}

fn bad_escape() -> PgError {
    invalid("invalid escape \\ sequence")
}

fn unbalanced_parentheses() -> PgError {
    invalid("parentheses () not balanced")
}

fn unbalanced_brackets() -> PgError {
    invalid("brackets [] not balanced")
}

fn bad_range() -> PgError {
    invalid("invalid character range")
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn peek_at(&self, offset: usize) -> Option<char> {
        self.characters.get(self.at + offset).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn sees(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(offset, c)| self.peek_at(offset) == Some(c))
    }

    fn eat(&mut self, text: &str) -> bool {
        let seen = self.sees(text);
        if seen {
            self.at += text.chars().count();
        }
        seen
    }

    /// `***=`, `***:` and `(?letters)` before everything else.
    fn read_prefixes(&mut self) -> Result<()> {
        if self.eat("***=") {
            self.flags.quoted = true;
            return Ok(());
        }
        if self.sees("***") && !self.eat("***:") {
            return Err(bad_repetition());
        }
        if !self.sees("(?") || !self.peek_at(2).is_some_and(char::is_alphabetic) {
            return Ok(());
        }
        self.at += 2;
        loop {
            match self.next() {
                Some(')') => return Ok(()),
                Some(c) if self.flags.set(c)? => {}
                _ => return Err(invalid("invalid embedded option")),
            }
        }
    }

    /// The characters themselves.
    fn literal(&mut self) -> Re {
        let mut parts = Vec::new();
        while let Some(c) = self.next() {
            parts.push(self.character(c));
        }
        concat(parts)
    }

    fn character(&self, c: char) -> Re {
        self.class(Class::one(c))
    }

    fn class(&self, class: Class) -> Re {
        Re::Class(Arc::new(if self.flags.ignore_case { class.with_both_cases() } else { class }))
    }

    /// Passes over comments, and white space where it does not count.
    fn skip(&mut self) -> Result<()> {
        loop {
            if self.flags.expanded && self.peek().is_some_and(char::is_whitespace) {
                self.at += 1;
            } else if self.flags.expanded && self.peek() == Some('#') {
                while self.peek().is_some_and(|c| c != '\n') {
                    self.at += 1;
                }
            } else if self.sees("(?#") && !self.flags.extended {
                while self.peek().is_some_and(|c| c != ')') {
                    self.at += 1;
                }
                self.at += 1;
            } else {
                return Ok(());
            }
        }
    }

    fn alternatives(&mut self) -> Result<Re> {
        let mut branches = vec![self.branch()?];
        while self.eat("|") {
            branches.push(self.branch()?);
        }
        match self.peek() {
            Some(')') if self.open == 0 => return Err(unbalanced_parentheses()),
            None if self.open > 0 => return Err(unbalanced_parentheses()),
            _ => {}
        }
        Ok(match branches.pop() {
            Some(only) if branches.is_empty() => only,
            Some(last) => {
                branches.push(last);
                Re::Alternatives(branches)
            }
            None => Re::Empty,
        })
    }

    fn branch(&mut self) -> Result<Re> {
        let mut parts = Vec::new();
        loop {
            self.skip()?;
            match self.peek() {
                None | Some('|' | ')') => return Ok(concat(parts)),
                Some(_) => {
                    let atom = self.atom()?;
                    self.skip()?;
                    // Nothing may repeat a constraint; the quantifier is refused as the next atom.
                    let part = if matches!(atom, Re::Assertion(_)) { atom } else { self.quantified(atom)? };
                    parts.push(part);
                }
            }
        }
    }

    fn atom(&mut self) -> Result<Re> {
        let Some(c) = self.next() else { return Ok(Re::Empty) };
        Ok(match c {
            '(' => return self.group(),
            '[' if self.eat("[:<:]]") => Re::Assertion(Assertion::WordStart),
            '[' if self.eat("[:>:]]") => Re::Assertion(Assertion::WordEnd),
            '[' => return self.brackets(),
            '.' if self.flags.stop_at_newline => Re::Class(Arc::new(Class::any().without('\n'))),
            '.' => Re::Class(Arc::new(Class::any())),
            '^' if self.flags.anchor_at_newline => Re::Assertion(Assertion::LineStart),
            '^' => Re::Assertion(Assertion::TextStart),
            '$' if self.flags.anchor_at_newline => Re::Assertion(Assertion::LineEnd),
            '$' => Re::Assertion(Assertion::TextEnd),
            '*' | '+' | '?' => return Err(bad_repetition()),
            '{' if self.peek().is_some_and(|c| c.is_ascii_digit()) => return Err(bad_repetition()),
            '\\' => match self.escape()? {
                Escape::Character(c) => self.character(c),
                Escape::Class(class) => self.class(class.as_ref().clone()),
                Escape::Assertion(assertion) => Re::Assertion(assertion),
                Escape::BackReference => {
                    return Err(PgError::not_supported("a back-reference in a regular expression"));
                }
            },
            c => self.character(c),
        })
    }

    fn group(&mut self) -> Result<Re> {
        if self.open >= DEPTH_MAX {
            return Err(too_complex());
        }
        let mut number = None;
        if self.peek() == Some('?') && !self.flags.extended {
            self.at += 1;
            match self.next() {
                Some(':') => {}
                Some('=' | '!') => {
                    return Err(PgError::not_supported("look-ahead in a regular expression"));
                }
                Some('<') if matches!(self.peek(), Some('=' | '!')) => {
                    return Err(PgError::not_supported("look-behind in a regular expression"));
                }
                _ => return Err(bad_repetition()),
            }
        } else {
            self.groups += 1;
            number = Some(self.groups);
        }
        self.open += 1;
        let body = self.alternatives()?;
        self.open -= 1;
        if !self.eat(")") {
            return Err(unbalanced_parentheses());
        }
        Ok(Re::Group(number, Box::new(body)))
    }

    fn quantified(&mut self, atom: Re) -> Result<Re> {
        let (min, max, exact) = match self.peek() {
            Some('*') => (0, None, false),
            Some('+') => (1, None, false),
            Some('?') => (0, Some(1), false),
            Some('{') if self.peek_at(1).is_some_and(|c| c.is_ascii_digit()) => self.bounds()?,
            _ => return Ok(atom),
        };
        self.at += 1;
        let short = !self.flags.extended && self.eat("?");
        self.skip()?;
        let preference = match short {
            _ if exact => None,
            true => Some(Preference::Short),
            false => Some(Preference::Long),
        };
        Ok(Re::Repeat { body: Box::new(atom), min, max, preference })
    }

    /// `{m}`, `{m,}` or `{m,n}`, up to the brace at its end; whether it is the first of them.
    fn bounds(&mut self) -> Result<(u32, Option<u32>, bool)> {
        self.at += 1;
        let min = self.bound()?;
        let (max, exact) = match self.peek() {
            Some(',') => {
                self.at += 1;
                let given = self.peek().is_some_and(|c| c.is_ascii_digit());
                (if given { Some(self.bound()?) } else { None }, false)
            }
            _ => (Some(min), true),
        };
        match self.peek() {
            Some('}') if max.is_none_or(|max| min <= max) => Ok((min, max, exact)),
            None => Err(invalid("braces {} not balanced")),
            _ => Err(bad_bounds()),
        }
    }

    fn bound(&mut self) -> Result<u32> {
        let mut number = 0_u32;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            self.at += 1;
            number = number * 10 + digit;
            if number > REPETITIONS_MAX {
                return Err(bad_bounds());
            }
        }
        Ok(number)
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Result<Escape> {
        let c = self.next().ok_or_else(bad_escape)?;
        if self.flags.extended || !c.is_alphanumeric() {
            return Ok(Escape::Character(c));
        }
        let named = |name: &str| class::named(name).unwrap_or_default();
        let outside = |name: &str| Escape::Class(Arc::new(named(name).negated()));
        Ok(match c {
            'a' => Escape::Character('\x07'),
            'b' => Escape::Character('\x08'),
            'B' => Escape::Character('\\'),
            'c' => {
                let control = self.next().ok_or_else(bad_escape)?;
                self.numbered(u32::from(control) & 0o37)?
            }
            'e' => Escape::Character('\x1b'),
            'f' => Escape::Character('\x0c'),
            'n' => Escape::Character('\n'),
            'r' => Escape::Character('\r'),
            't' => Escape::Character('\t'),
            'v' => Escape::Character('\x0b'),
            'A' => Escape::Assertion(Assertion::TextStart),
            'Z' => Escape::Assertion(Assertion::TextEnd),
            'm' => Escape::Assertion(Assertion::WordStart),
            'M' => Escape::Assertion(Assertion::WordEnd),
            'y' => Escape::Assertion(Assertion::WordBoundary),
            'Y' => Escape::Assertion(Assertion::NoWordBoundary),
            'd' => Escape::Class(named("digit")),
            's' => Escape::Class(named("space")),
            'w' => Escape::Class(named("word")),
            'D' => outside("digit"),
            'S' => outside("space"),
            'W' => outside("word"),
            'u' => self.digits(16, 4, 4)?,
            'U' => self.digits(16, 8, 8)?,
            'x' => self.digits(16, 1, 255)?,
            '0' => Escape::Character('\0'),
            '1'..='9' => return self.back_reference_or_octal(),
            _ => return Err(bad_escape()),
        })
    }

    /// A group's number, unless there are several digits and no such group: those are octal.
    fn back_reference_or_octal(&mut self) -> Result<Escape> {
        self.at -= 1;
        let first = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        let number: String = self.characters[first..self.at].iter().collect();
        let number = number.parse::<usize>().unwrap_or(usize::MAX);
        if self.at == first + 1 || number <= self.groups {
            return match number <= self.groups {
                true => Ok(Escape::BackReference),
                false => Err(invalid("invalid backreference number")),
            };
        }
        self.at = first;
        self.digits(8, 1, 3)
    }

    /// The character with this number, of so many digits.
    fn digits(&mut self, base: u32, least: usize, most: usize) -> Result<Escape> {
        let mut number = 0_u32;
        let mut count = 0;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(base)).filter(|_| count < most) {
            number = number.saturating_mul(base).saturating_add(digit);
            self.at += 1;
            count += 1;
        }
        if count < least {
            return Err(bad_escape());
        }
        self.numbered(number)
    }

    fn numbered(&self, number: u32) -> Result<Escape> {
        char::from_u32(number).map(Escape::Character).ok_or_else(bad_escape)
    }

    /// A bracket expression, after its opening bracket.
    fn brackets(&mut self) -> Result<Re> {
        let negated = self.eat("^");
        let mut class = Class::default();
        let first = self.at;
        loop {
            let is_first = self.at == first;
            if !is_first && self.eat("]") {
                break;
            }
            let low = match self.element(is_first)? {
                Element::Class(members) => {
                    if self.range_follows() {
                        return Err(bad_range());
                    }
                    class = class.with(&members);
                    continue;
                }
                Element::Range => return Err(bad_range()),
                Element::Character(c) => c,
            };
            let mut high = low;
            if self.range_follows() {
                self.at += 1;
                high = match self.element(false)? {
                    Element::Character(c) => c,
                    // `[a--]` ends at the minus sign.
                    Element::Range => '-',
                    Element::Class(_) => return Err(bad_range()),
                };
                if high < low {
                    return Err(bad_range());
                }
            }
            class = class.with(&Class::of(vec![(u32::from(low), u32::from(high))]));
        }
        if self.flags.ignore_case {
            class = class.with_both_cases();
        }
        if negated {
            class = class.negated();
            if self.flags.stop_at_newline {
                class = class.without('\n');
            }
        }
        Ok(Re::Class(Arc::new(class)))
    }

    /// Whether a minus sign comes next that does not end the brackets.
    fn range_follows(&self) -> bool {
        self.peek() == Some('-') && self.peek_at(1) != Some(']')
    }

    fn element(&mut self, is_first: bool) -> Result<Element> {
        let c = self.next().ok_or_else(unbalanced_brackets)?;
        Ok(match c {
            '[' => match self.peek() {
                Some(kind @ ('.' | '=' | ':')) => return self.named_element(kind),
                _ => Element::Character('['),
            },
            '\\' if !self.flags.extended => match self.escape()? {
                Escape::Character(c) => Element::Character(c),
                Escape::Class(class) => Element::Class(class),
                Escape::Assertion(_) | Escape::BackReference => return Err(bad_escape()),
            },
            '-' if !is_first && self.peek() != Some(']') => Element::Range,
            c => Element::Character(c),
        })
    }

    /// `[.x.]`, `[=x=]` or `[:name:]`, after the first bracket.
    fn named_element(&mut self, kind: char) -> Result<Element> {
        self.at += 1;
        let first = self.at;
        while !(self.peek() == Some(kind) && self.peek_at(1) == Some(']')) {
            self.next().ok_or_else(unbalanced_brackets)?;
        }
        let name: String = self.characters[first..self.at].iter().collect();
        self.at += 2;
        if kind == ':' {
            let class = class::named(&name).ok_or_else(|| invalid("invalid character class"))?;
            return Ok(Element::Class(class));
        }
        let c = class::collating_element(&name).ok_or_else(|| invalid("invalid collating element"))?;
        Ok(match kind {
            '.' => Element::Character(c),
            // No two characters are equivalent; but such a class is no end of a range.
            _ => Element::Class(Arc::new(Class::one(c))),
        })
    }
}

fn bad_bounds() -> PgError {
    invalid("invalid repetition count(s)")
}

fn concat(mut parts: Vec<Re>) -> Re {
    match parts.pop() {
        None => Re::Empty,
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            Re::Concat(parts)
        }
    }
}

impl Flags {
    /// Applies an option's letter, of which the last counts; whether there is such an option.
    pub(in super::super) fn set(&mut self, option: char) -> Result<bool> {
        match option {
            'b' => return Err(PgError::not_supported("a basic regular expression")),
            'c' => self.ignore_case = false,
            'e' => (self.extended, self.quoted) = (true, false),
            'i' => self.ignore_case = true,
            'm' | 'n' => (self.stop_at_newline, self.anchor_at_newline) = (true, true),
            'p' => (self.stop_at_newline, self.anchor_at_newline) = (true, false),
            'q' => (self.quoted, self.extended) = (true, false),
            's' => (self.stop_at_newline, self.anchor_at_newline) = (false, false),
            't' => self.expanded = false,
            'w' => (self.stop_at_newline, self.anchor_at_newline) = (false, true),
            'x' => self.expanded = true,
            _ => return Ok(false),
        }
        Ok(true)
    }
}
