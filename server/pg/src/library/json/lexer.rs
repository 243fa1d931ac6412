//! The tokens of a JSON text, and the bounds of the values in it.
//!
//! What is accepted and how it is refused follows PostgreSQL's `jsonapi.c`. Nothing here recurses, so that a text cannot
//! exhaust the stack.

use std::borrow::Cow;

use crate::error::{PgError, Result};
use crate::sqlstate::SqlState;

/// How deep arrays and objects may be nested. What walks through a tree calls itself once a level, and a thread of the
/// engine has two megabytes of stack.
pub const DEPTH_MAX: usize = 1000;

/// A word or sign of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// `{`
    ObjectStart,
    /// `}`
    ObjectEnd,
    /// `[`
    ArrayStart,
    /// `]`
    ArrayEnd,
    /// `,`
    Comma,
    /// `:`
    Colon,
    /// A string with its quotes, as it was written.
    String(&'a str),
    /// A number as it was written.
    Number(&'a str),
    /// `true` or `false`
    Bool(bool),
    /// `null`
    Null,
    /// Nothing is left.
    End,
}

/// Reads tokens, and values as wholes.
#[derive(Debug, Clone)]
pub struct Lexer<'a> {
    text: &'a str,
    position: usize,
    /// Where the last token began.
    start: usize,
    /// Whether escapes must stand for characters, and not only be well formed.
    characters: bool,
}

/// `invalid input syntax for type json`, and why.
fn invalid(detail: impl Into<String>) -> PgError {
    PgError::new(SqlState::INVALID_TEXT_REPRESENTATION, "invalid input syntax for type json").with_detail(detail)
}

/// Nested deeper than [`DEPTH_MAX`].
pub fn too_deep() -> PgError {
    PgError::new(SqlState::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded")
}

/// Why a string that has one half of a surrogate pair is not one.
const LONE_SURROGATE: &str = "Unicode low surrogate must follow a high surrogate.";

/// Whether a code that follows the first half of a surrogate pair, or does not, is such a half itself.
fn check_code_unit(code: u32, half: bool) -> Result<bool> {
    match (code, half) {
        (0, _) => Err(PgError::new(SqlState::UNTRANSLATABLE_CHARACTER, "unsupported Unicode escape sequence")
            .with_detail("\\u0000 cannot be converted to text.")),
        (0xd800..=0xdbff, true) => Err(invalid("Unicode high surrogate must not follow a high surrogate.")),
        (0xd800..=0xdbff, false) => Ok(true),
        (0xdc00..=0xdfff, true) => Ok(false),
        (0xdc00..=0xdfff, false) | (_, true) => Err(invalid(LONE_SURROGATE)),
        _ => Ok(false),
    }
}

/// Whether a byte belongs to the word that an error shows.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

impl<'a> Lexer<'a> {
    /// At the beginning of a text whose strings are wanted.
    pub fn new(text: &'a str) -> Self {
        Lexer { text, position: 0, start: 0, characters: true }
    }

    /// At the beginning of a text of which only the structure is wanted.
    pub fn of_structure(text: &'a str) -> Self {
        Lexer { characters: false, ..Lexer::new(text) }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    /// The text from a position to the end of the last token.
    pub fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.position).unwrap_or_default()
    }

    /// Where the last token began.
    pub fn token_start(&self) -> usize {
        self.start
    }

    /// Reads a token.
    pub fn token(&mut self) -> Result<Token<'a>> {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.position += 1;
        }
        self.start = self.position;
        let Some(byte) = self.peek() else { return Ok(Token::End) };
        let sign = match byte {
            b'{' => Token::ObjectStart,
            b'}' => Token::ObjectEnd,
            b'[' => Token::ArrayStart,
            b']' => Token::ArrayEnd,
            b',' => Token::Comma,
            b':' => Token::Colon,
            b'"' => return self.string(),
            b'-' | b'0'..=b'9' => return self.number(),
            _ => return self.word(),
        };
        self.position += 1;
        Ok(sign)
    }

    fn word(&mut self) -> Result<Token<'a>> {
        while self.peek().is_some_and(is_word) {
            self.position += 1;
        }
        match self.since(self.start) {
            "true" => Ok(Token::Bool(true)),
            "false" => Ok(Token::Bool(false)),
            "null" => Ok(Token::Null),
            "" => {
                let length = self.text[self.start..].chars().next().map_or(0, char::len_utf8);
                self.position += length;
                Err(self.invalid_token())
            }
            _ => Err(self.invalid_token()),
        }
    }

    fn invalid_token(&self) -> PgError {
        invalid(format!("Token \"{}\" is invalid.", self.since(self.start)))
    }

    fn digits(&mut self) -> bool {
        let start = self.position;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.position += 1;
        }
        self.position > start
    }

    fn number(&mut self) -> Result<Token<'a>> {
        if self.peek() == Some(b'-') {
            self.position += 1;
        }
        let mut valid = match self.peek() {
            Some(b'0') => {
                self.position += 1;
                true
            }
            _ => self.digits(),
        };
        if self.peek() == Some(b'.') {
            self.position += 1;
            valid &= self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.position += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.position += 1;
            }
            valid &= self.digits();
        }
        let end = self.position;
        while self.peek().is_some_and(is_word) {
            self.position += 1;
        }
        if !valid || self.position > end {
            return Err(self.invalid_token());
        }
        Ok(Token::Number(self.since(self.start)))
    }

    fn string(&mut self) -> Result<Token<'a>> {
        self.position += 1;
        // Whether the first half of a surrogate pair has been read.
        let mut half = false;
        loop {
            let Some(byte) = self.peek() else { return Err(self.invalid_token()) };
            let is_code = byte == b'\\' && self.text.as_bytes().get(self.position + 1) == Some(&b'u');
            let well_formed = byte > 0x1f && (byte != b'\\' || self.position + 1 < self.text.len());
            if half && !is_code && well_formed {
                return Err(invalid(LONE_SURROGATE));
            }
            match byte {
                b'"' => {
                    self.position += 1;
                    return Ok(Token::String(self.since(self.start)));
                }
                b'\\' if is_code => {
                    let code = self.code_unit()?;
                    if self.characters {
                        half = check_code_unit(code, half)?;
                    }
                }
                b'\\' => self.escape()?,
                0..=0x1f => {
                    return Err(invalid(format!("Character with value 0x{byte:02x} must be escaped.")));
                }
                _ => self.position += 1,
            }
        }
    }

    /// A backslash and the four digits of a code.
    fn code_unit(&mut self) -> Result<u32> {
        self.position += 2;
        let mut code = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek() else { return Err(self.invalid_token()) };
            let Some(digit) = char::from(digit).to_digit(16) else {
                return Err(invalid("\"\\u\" must be followed by four hexadecimal digits."));
            };
            code = code * 16 + digit;
            self.position += 1;
        }
        Ok(code)
    }

    /// A backslash and the character after it.
    fn escape(&mut self) -> Result<()> {
        self.position += 1;
        match self.peek() {
            None => Err(self.invalid_token()),
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.position += 1;
                Ok(())
            }
            Some(_) => {
                let escaped = self.text.get(self.position..).and_then(|rest| rest.chars().next()).unwrap_or(' ');
                Err(invalid(format!("Escape sequence \"\\{escaped}\" is invalid.")))
            }
        }
    }

    /// What was found in place of what was expected.
    pub fn unexpected(&self, token: Token<'_>, expected: &str) -> PgError {
        match token {
            Token::End => invalid("The input string ended unexpectedly."),
            _ => invalid(format!("Expected {expected}, but found \"{}\".", self.since(self.start))),
        }
    }

    /// Nothing may follow.
    pub fn end(&mut self) -> Result<()> {
        match self.token()? {
            Token::End => Ok(()),
            other => Err(self.unexpected(other, "end of input")),
        }
    }

    /// Reads a whole value, as it was written.
    pub fn value(&mut self) -> Result<&'a str> {
        let first = self.token()?;
        self.rest_of_value(first)
    }

    /// The whole value whose first token has been read, as it was written.
    pub fn rest_of_value(&mut self, first: Token<'a>) -> Result<&'a str> {
        let start = self.start;
        // For each open container, whether it is an object.
        let mut open: Vec<bool> = Vec::new();
        let mut token = first;
        loop {
            // Here a value begins with the token.
            match token {
                Token::ObjectStart | Token::ArrayStart if open.len() >= DEPTH_MAX => return Err(too_deep()),
                Token::ObjectStart => match self.token()? {
                    Token::ObjectEnd => {}
                    key => {
                        self.key(key, "string or \"}\"")?;
                        open.push(true);
                        token = self.token()?;
                        continue;
                    }
                },
                Token::ArrayStart => match self.token()? {
                    Token::ArrayEnd => {}
                    element => {
                        open.push(false);
                        token = element;
                        continue;
                    }
                },
                Token::String(_) | Token::Number(_) | Token::Bool(_) | Token::Null => {}
                other => return Err(self.unexpected(other, "JSON value")),
            }
            // Here a value has ended.
            loop {
                let Some(object) = open.last().copied() else { return Ok(self.since(start)) };
                match (self.token()?, object) {
                    (Token::ObjectEnd, true) | (Token::ArrayEnd, false) => {
                        open.pop();
                    }
                    (Token::Comma, true) => {
                        let key = self.token()?;
                        self.key(key, "string")?;
                        token = self.token()?;
                        break;
                    }
                    (Token::Comma, false) => {
                        token = self.token()?;
                        break;
                    }
                    (other, true) => return Err(self.unexpected(other, "\",\" or \"}\"")),
                    (other, false) => return Err(self.unexpected(other, "\",\" or \"]\"")),
                }
            }
        }
    }

    /// The key that a token is, once the colon after it has been read.
    pub fn key(&mut self, token: Token<'a>, expected: &str) -> Result<&'a str> {
        let Token::String(key) = token else { return Err(self.unexpected(token, expected)) };
        match self.token()? {
            Token::Colon => Ok(key),
            other => Err(self.unexpected(other, "\":\"")),
        }
    }
}

/// Checks that a text is JSON.
pub fn check_json(text: &str) -> Result<()> {
    let mut lexer = Lexer::of_structure(text);
    lexer.value()?;
    lexer.end()
}

/// The characters that a string with its quotes stands for.
pub fn unescape(quoted: &str) -> Result<Cow<'_, str>> {
    let escaped = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    if !escaped.contains('\\') {
        return Ok(Cow::Borrowed(escaped));
    }
    let mut plain = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        let mut characters = rest[at + 1..].chars();
        let Some(kind) = characters.next() else { break };
        rest = characters.as_str();
        match kind {
            'b' => plain.push('\u{8}'),
            'f' => plain.push('\u{c}'),
            'n' => plain.push('\n'),
            'r' => plain.push('\r'),
            't' => plain.push('\t'),
            'u' => {
                let (character, after) = unicode_escape(rest)?;
                plain.push(character);
                rest = after;
            }
            other => plain.push(other),
        }
    }
    plain.push_str(rest);
    Ok(Cow::Owned(plain))
}

/// The character of the four digits after `\u`, with the second half of a pair where they are the first.
fn unicode_escape(text: &str) -> Result<(char, &str)> {
    let code = |text: &str| u32::from_str_radix(text.get(..4)?, 16).ok();
    let rest = text.get(4..).unwrap_or_default();
    let first = code(text).unwrap_or_default();
    let half = check_code_unit(first, false)?;
    if !half {
        return Ok((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), rest));
    }
    let second = rest.strip_prefix("\\u").and_then(code).ok_or_else(|| invalid(LONE_SURROGATE))?;
    check_code_unit(second, true)?;
    let pair = 0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff);
    Ok((char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER), rest.get(6..).unwrap_or_default()))
}

/// Appends a string with quotes and escapes.
pub fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut plain = 0;
    for (position, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            8 => "\\b",
            12 => "\\f",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => "\\u00",
            _ => continue,
        };
        out.push_str(&text[plain..position]);
        out.push_str(escape);
        if escape == "\\u00" {
            out.push_str(&format!("{byte:02x}"));
        }
        plain = position + 1;
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

/// What a JSON text is, by its first token.
pub fn kind(text: &str) -> Result<&'static str> {
    let mut lexer = Lexer::of_structure(text);
    Ok(match lexer.token()? {
        Token::ObjectStart => "object",
        Token::ArrayStart => "array",
        Token::String(_) => "string",
        Token::Number(_) => "number",
        Token::Bool(_) => "boolean",
        Token::Null => "null",
        other => return Err(lexer.unexpected(other, "JSON value")),
    })
}
