//! The tokens of a `jsonpath`, as PostgreSQL's `jsonpath_scan.l` finds them.

use crate::error::{PgError, Result};
use crate::sqlstate::SqlState;

/// A word or sign of a path.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// A name without quotes; a keyword too.
    Word(String),
    /// `"text"`
    String(String),
    /// A number as it was written.
    Number(String),
    /// `$name`
    Variable(String),
    /// An operator or bracket.
    Sign(&'static str),
    /// Nothing is left.
    End,
}

/// Signs, the longest first.
const SIGNS: &[&str] = &[
    "&&", "||", "**", "==", "<>", "!=", "<=", ">=", "<", ">", "!", "?", "%", "$", ".", "[", "]", "{", "}", "(", ")",
    "|", "&", "=", "@", "#", ",", "*", ":", "-", "+", "/",
];

/// Reads tokens.
#[derive(Debug)]
pub struct Lexer<'a> {
    text: &'a str,
    position: usize,
    /// What an error shows of the last token.
    shown: String,
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 12)
}

/// Whether a character can be in a name without being escaped.
fn is_other(byte: u8) -> bool {
    !is_blank(byte) && !b"?%$.[]{}()|&!=<>@#,*:-+/\\\"".contains(&byte)
}

impl<'a> Lexer<'a> {
    /// At the beginning of a text.
    pub fn new(text: &'a str) -> Self {
        Lexer { text, position: 0, shown: String::new() }
    }

    /// An error that shows the last token.
    pub fn error(&self, message: &str) -> PgError {
        let message = match self.shown.as_str() {
            "" => format!("{message} at end of jsonpath input"),
            shown => format!("{message} at or near \"{shown}\" of jsonpath input"),
        };
        PgError::new(SqlState::SYNTAX_ERROR, message)
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    /// Reads a token.
    pub fn token(&mut self) -> Result<Token> {
        self.skip_blanks()?;
        let rest = self.rest();
        let Some(first) = rest.bytes().next() else {
            self.shown.clear();
            return Ok(Token::End);
        };
        let after_sign = rest.as_bytes().get(1).copied().unwrap_or(b' ');
        match first {
            b'$' if after_sign == b'"' => {
                self.position += 1;
                self.string().map(Token::Variable)
            }
            b'$' if is_other(after_sign) => {
                let length = 1 + rest.bytes().skip(1).take_while(|byte| is_other(*byte)).count();
                self.take(length);
                Ok(Token::Variable(rest[1..length].to_owned()))
            }
            b'"' => self.string().map(Token::String),
            b'0'..=b'9' => self.number(),
            b'.' if after_sign.is_ascii_digit() => self.number(),
            _ => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                Some(sign) => {
                    self.take(sign.len());
                    Ok(Token::Sign(sign))
                }
                None => self.word(),
            },
        }
    }

    fn take(&mut self, length: usize) {
        self.shown = self.rest().get(..length).unwrap_or_default().to_owned();
        self.position += length;
    }

    fn skip_blanks(&mut self) -> Result<()> {
        loop {
            let rest = self.rest();
            if rest.bytes().next().is_some_and(is_blank) {
                self.position += 1;
            } else if let Some(comment) = rest.strip_prefix("/*") {
                let Some(end) = comment.find("*/") else {
                    self.shown.clear();
                    return Err(self.error("unexpected end of comment"));
                };
                self.position += end + 4;
            } else {
                return Ok(());
            }
        }
    }

    /// A number, unless the same characters go on as a name: PostgreSQL takes whatever is longer.
    fn number(&mut self) -> Result<Token> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
        let mut length = if bytes.first() == Some(&b'0') { 1 } else { digits(0) };
        if bytes.get(length) == Some(&b'.') {
            length += 1 + digits(length + 1);
        }
        if matches!(bytes.get(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
            let exponent = digits(length + 1 + sign);
            if exponent > 0 {
                length += 1 + sign + exponent;
            }
        }
        let junk = rest
            .get(length..)
            .and_then(|rest| rest.chars().next())
            .filter(|it| is_other(*it as u32 as u8) || !it.is_ascii());
        let with_junk = length + junk.map_or(0, char::len_utf8);
        let name = bytes.iter().take_while(|byte| is_other(**byte)).count();
        if name > with_junk {
            return self.word();
        }
        self.take(with_junk);
        match junk {
            Some(_) => Err(self.error("trailing junk after numeric literal")),
            None => Ok(Token::Number(rest[..length].to_owned())),
        }
    }

    /// A name. An error about it shows what ended it.
    fn word(&mut self) -> Result<Token> {
        let mut word = String::new();
        loop {
            let rest = self.rest();
            let length = rest.bytes().take_while(|byte| is_other(*byte)).count();
            word.push_str(&rest[..length]);
            self.position += length;
            if !self.rest().starts_with('\\') {
                break;
            }
            word.push(self.escape()?);
        }
        self.shown.clear();
        if let Some(blank) = self.rest().chars().next().filter(|it| it.is_ascii() && is_blank(*it as u8)) {
            self.shown.push(blank);
        }
        Ok(Token::Word(word))
    }

    fn string(&mut self) -> Result<String> {
        self.position += 1;
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let Some(end) = rest.find(['"', '\\']) else {
                self.shown.clear();
                return Err(self.error("unexpected end of quoted string"));
            };
            text.push_str(&rest[..end]);
            self.position += end;
            if rest[end..].starts_with('"') {
                self.take(1);
                return Ok(text);
            }
            text.push(self.escape()?);
        }
    }

    /// A backslash and what it escapes.
    fn escape(&mut self) -> Result<char> {
        self.position += 1;
        let rest = self.rest();
        let Some(kind) = rest.chars().next() else {
            self.shown = "\\".to_owned();
            return Err(self.error("unexpected end after backslash"));
        };
        self.position += kind.len_utf8();
        Ok(match kind {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => {
                let code = self.hexadecimal(2).ok_or_else(|| self.error("invalid hexadecimal character sequence"))?;
                character(code)?
            }
            'u' => self.unicode()?,
            other => other,
        })
    }

    fn hexadecimal(&mut self, digits: usize) -> Option<u32> {
        let written = self.rest().get(..digits).filter(|it| it.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        self.shown = written.to_owned();
        self.position += digits;
        u32::from_str_radix(written, 16).ok()
    }

    fn code_unit(&mut self) -> Result<u32> {
        let invalid = |lexer: &Self| lexer.error("invalid Unicode escape sequence");
        if let Some(braced) = self.rest().strip_prefix('{') {
            let end = braced.find('}').filter(|end| (1..=6).contains(end)).ok_or_else(|| invalid(self))?;
            self.position += 1;
            let code = self.hexadecimal(end).ok_or_else(|| invalid(self))?;
            self.position += 1;
            return Ok(code);
        }
        self.hexadecimal(4).ok_or_else(|| invalid(self))
    }

    fn unicode(&mut self) -> Result<char> {
        let first = self.code_unit()?;
        if !(0xd800..0xdc00).contains(&first) {
            return character(first);
        }
        if !self.rest().starts_with("\\u") {
            return character(first);
        }
        self.position += 2;
        let second = self.code_unit()?;
        match second {
            0xdc00..=0xdfff => character(0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff)),
            _ => character(first),
        }
    }
}

fn character(code: u32) -> Result<char> {
    if code == 0 {
        return Err(PgError::new(SqlState::UNTRANSLATABLE_CHARACTER, "unsupported Unicode escape sequence")
            .with_detail("\\u0000 cannot be converted to text."));
    }
    char::from_u32(code).ok_or_else(|| {
        PgError::new(SqlState::INVALID_TEXT_REPRESENTATION, "invalid input syntax for type jsonpath")
            .with_detail("Unicode low surrogate must follow a high surrogate.")
    })
}
