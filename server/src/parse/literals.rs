//! String constants as PostgreSQL's scanner reads them: constants that go on behind a line break are one, others that follow
//! each other are a mistake; and escapes in `E'…'` that sqlparser does not know: surrogate pairs, and bytes of characters.

use std::borrow::Cow;

use pg::PgError;
use pg::sqlstate::SqlState;
use sqlparser::parser::ParserError;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, TokenizerError, Whitespace};

use crate::error::{Error, Result};
use crate::parse::{WarehouseDialect, near, position, syntax_error};

/// The tokens of a text.
///
/// # Errors
/// 42601 for what is no token, 22025 and 22021 for escapes that mean nothing.
pub fn tokens(text: &str) -> Result<Vec<TokenWithSpan>> {
    let mut readable = Cow::Borrowed(text);
    loop {
        match Tokenizer::new(&WarehouseDialect, &readable).tokenize_with_location() {
            Ok(tokens) => return joined(tokens, &readable),
            Err(error) => match with_plain_characters(&readable, &error)? {
                Some(text) => readable = Cow::Owned(text),
                None => return Err(syntax_error(text, ParserError::from(error))),
            },
        }
    }
}

/// The text with characters for the escapes in the constant that the tokenizer has stopped at; nothing if that is not
/// what is wrong with it. All that follows stays where it is.
fn with_plain_characters(text: &str, error: &TokenizerError) -> Result<Option<String>> {
    let Some(start) = position::byte_offset(text, error.location) else { return Ok(None) };
    let Some((before, constant)) = text.split_at_checked(start) else { return Ok(None) };
    let Some(body) = constant.strip_prefix("E'").or_else(|| constant.strip_prefix("e'")) else { return Ok(None) };
    let place = |offset: usize| Some(before.chars().count() + 3 + body.get(..offset)?.chars().count());
    let mut escapes = Escapes { body, place: 0, plain: String::new(), bytes: Vec::new(), shorter: 0 };
    match escapes.read() {
        Err((error, offset)) => Err(Error::Sql { error: Box::new(error), position: offset.and_then(place) }),
        Ok(None) => Ok(None),
        Ok(Some(length)) if escapes.plain == body[..length] => Ok(None),
        Ok(Some(length)) => {
            let rest = body.get(length..).unwrap_or_default();
            let blanks = " ".repeat(escapes.shorter);
            Ok(Some(format!("{before}E'{}'{blanks}{}", escapes.plain, rest.strip_prefix('\'').unwrap_or(rest))))
        }
    }
}

/// Reads the inside of a constant.
struct Escapes<'a> {
    body: &'a str,
    place: usize,
    /// The same constant without escapes of numbers.
    plain: String,
    /// The bytes that it stands for.
    bytes: Vec<u8>,
    /// Characters that the last line of it has lost.
    shorter: usize,
}

/// What is wrong, and where.
type Fault = (PgError, Option<usize>);

impl Escapes<'_> {
    /// Bytes up to the quote at the end; nothing if there is none.
    fn read(&mut self) -> std::result::Result<Option<usize>, Fault> {
        while let Some(next) = self.next() {
            match next {
                '\'' if self.rest().starts_with('\'') => {
                    self.place += 1;
                    self.plain.push_str("''");
                    self.bytes.push(b'\'');
                }
                '\'' => {
                    check_encoding(&self.bytes)?;
                    return Ok(Some(self.place - 1));
                }
                '\\' => {
                    let start = self.place - 1;
                    let written = self.plain.len();
                    match self.next() {
                        None => return Ok(None),
                        Some('u') => self.unicode(start, 4)?,
                        Some('U') => self.unicode(start, 8)?,
                        Some('x') if self.rest().starts_with(|c: char| c.is_ascii_hexdigit()) => {
                            self.run_of_bytes(start)?
                        }
                        Some('0'..='7') => self.run_of_bytes(start)?,
                        Some(other) => {
                            self.plain.extend(['\\', other]);
                            self.push(match other {
                                'b' => '\u{8}',
                                'f' => '\u{c}',
                                'n' => '\n',
                                'r' => '\r',
                                't' => '\t',
                                other => other,
                            });
                        }
                    }
                    let before = self.body[start..self.place].chars().count();
                    self.shorter += before.saturating_sub(self.plain[written..].chars().count());
                }
                other => {
                    if other == '\n' {
                        self.shorter = 0;
                    }
                    self.plain.push(other);
                    self.push(other);
                }
            }
        }
        Ok(None)
    }

    fn rest(&self) -> &str {
        self.body.get(self.place..).unwrap_or_default()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest().chars().next()?;
        self.place += next.len_utf8();
        Some(next)
    }

    fn push(&mut self, character: char) {
        self.bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// A character that an escape stands for.
    fn character(&mut self, character: char) {
        match character {
            '\'' => self.plain.push_str("''"),
            '\\' => self.plain.push_str("\\\\"),
            '\n' => self.plain.push_str("\\n"),
            other => self.plain.push(other),
        }
        self.push(character);
    }

    /// `\uXXXX` and `\UXXXXXXXX`, behind the letter.
    fn unicode(&mut self, start: usize, digits: usize) -> std::result::Result<(), Fault> {
        let mut code = self.code(start, digits)?;
        if (0xD800..0xDC00).contains(&code) {
            let pair = || (syntax("invalid Unicode surrogate pair", self.rest()), Some(self.place));
            let digits = match self.rest().as_bytes() {
                [b'\\', b'u', ..] => 4,
                [b'\\', b'U', ..] => 8,
                _ => return Err(pair()),
            };
            let second = self.place;
            self.place += 2;
            let low = self.code(second, digits)?;
            if !(0xDC00..0xE000).contains(&low) {
                return Err((syntax("invalid Unicode surrogate pair", &self.body[second..]), Some(second)));
            }
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        let written = &self.body[start..self.place];
        match char::from_u32(code) {
            Some('\0') => Err((near_text("invalid Unicode escape value", written), Some(start))),
            Some(character) => {
                self.character(character);
                Ok(())
            }
            None if (0xDC00..0xE000).contains(&code) => {
                Err((near_text("invalid Unicode surrogate pair", written), Some(start)))
            }
            None => Err((near_text("invalid Unicode escape value", written), Some(start))),
        }
    }

    fn code(&mut self, start: usize, digits: usize) -> std::result::Result<u32, Fault> {
        let written = self.rest().get(..digits).filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let code = written.and_then(|code| u32::from_str_radix(code, 16).ok());
        let code = code.ok_or_else(|| {
            let error = PgError::new(SqlState::INVALID_ESCAPE_SEQUENCE, "invalid Unicode escape")
                .with_hint("Unicode escapes must be \\uXXXX or \\UXXXXXXXX.");
            (error, Some(start))
        })?;
        self.place += digits;
        Ok(code)
    }

    /// `\xHH` and `\OOO`, as many as follow each other: together they are characters.
    fn run_of_bytes(&mut self, start: usize) -> std::result::Result<(), Fault> {
        self.place = start;
        let mut run = Vec::new();
        loop {
            let rest = self.rest().as_bytes();
            let (skipped, radix, longest) = match rest {
                [b'\\', b'x', digit, ..] if digit.is_ascii_hexdigit() => (2, 16, 2),
                [b'\\', b'0'..=b'7', ..] => (1, 8, 3),
                _ => break,
            };
            let digits = rest[skipped..].iter().take(longest).take_while(|digit| char::from(**digit).is_digit(radix));
            let end = skipped + digits.count();
            let number = u32::from_str_radix(&self.rest()[skipped..end], radix).unwrap_or_default();
            run.push((number & 0xFF) as u8);
            self.place += end;
        }
        let mut all = self.bytes.clone();
        all.extend_from_slice(&run);
        match std::str::from_utf8(&run) {
            Ok(text) if !text.contains('\0') => {
                text.chars().for_each(|character| self.character(character));
                Ok(())
            }
            _ => {
                // What follows may be shown as a part of the wrong character.
                all.extend_from_slice(self.rest().as_bytes());
                check_encoding(&all)
            }
        }
    }
}

/// That the bytes are characters.
fn check_encoding(bytes: &[u8]) -> std::result::Result<(), Fault> {
    let wrong = match std::str::from_utf8(bytes) {
        Ok(text) => text.find('\0'),
        Err(error) => {
            let valid = &bytes[..error.valid_up_to()];
            Some(valid.iter().position(|byte| *byte == 0).unwrap_or(error.valid_up_to()))
        }
    };
    let Some(wrong) = wrong else { return Ok(()) };
    let length = match bytes[wrong] {
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF7 => 4,
        _ => 1,
    };
    let shown: Vec<_> = bytes[wrong..].iter().take(length).map(|byte| format!("0x{byte:02x}")).collect();
    let message = format!("invalid byte sequence for encoding \"UTF8\": {}", shown.join(" "));
    Err((PgError::new(SqlState::CHARACTER_NOT_IN_REPERTOIRE, message), None))
}

/// A syntax error at the first character of this text.
fn syntax(message: &str, rest: &str) -> PgError {
    near_text(message, rest.get(..rest.chars().next().map_or(0, char::len_utf8)).unwrap_or_default())
}

fn near_text(message: &str, near: &str) -> PgError {
    PgError::new(SqlState::SYNTAX_ERROR, format!("{message} at or near \"{near}\""))
}

/// The tokens, constants that go on behind a line break joined.
fn joined(tokens: Vec<TokenWithSpan>, text: &str) -> Result<Vec<TokenWithSpan>> {
    let mut joined: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_constant =
            |token: &Token| matches!(token, Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_));
        joined.push(token);
        while joined.last().is_some_and(|last| is_constant(&last.token)) {
            let mut gap = Vec::new();
            while let Some(blank) = tokens.next_if(|next| matches!(next.token, Token::Whitespace(_))) {
                gap.push(blank);
            }
            let Some(more) = tokens.next_if(|next| matches!(next.token, Token::SingleQuotedString(_))) else {
                joined.extend(gap);
                break;
            };
            if !goes_on(&gap) {
                return Err(near(text, &more.token, more.span.start));
            }
            if let Some(last) = joined.last_mut() {
                append(last, &more, text)?;
            }
        }
    }
    Ok(joined)
}

/// Whether there is a line break, and nothing else than blanks and comments up to the end of a line.
fn goes_on(gap: &[TokenWithSpan]) -> bool {
    let breaks = |blank: &TokenWithSpan| {
        matches!(blank.token, Token::Whitespace(Whitespace::Newline | Whitespace::SingleLineComment { .. }))
    };
    let comment = |blank: &TokenWithSpan| matches!(blank.token, Token::Whitespace(Whitespace::MultiLineComment(_)));
    gap.iter().any(breaks) && !gap.iter().any(comment)
}

/// Puts a constant at the end of another, whose escapes it has too.
fn append(constant: &mut TokenWithSpan, more: &TokenWithSpan, text: &str) -> Result<()> {
    match (&mut constant.token, &more.token) {
        (Token::SingleQuotedString(constant), Token::SingleQuotedString(more)) => constant.push_str(more),
        (Token::EscapedStringLiteral(constant), _) => {
            let written = position::byte_offset(text, more.span.start).zip(position::byte_offset(text, more.span.end));
            let written = written.and_then(|(start, end)| text.get(start..end)).unwrap_or_default();
            let read = tokens(&format!("E{written}")).map_err(|error| match error {
                Error::Sql { error, .. } => Error::Sql { error, position: position::character(text, more.span.start) },
                other => other,
            })?;
            if let Some(TokenWithSpan { token: Token::EscapedStringLiteral(more), .. }) = read.into_iter().next() {
                constant.push_str(&more);
            }
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The first constant in a text, or the code of the error.
    fn constant(text: &str) -> String {
        match tokens(text) {
            Ok(tokens) => tokens
                .into_iter()
                .find_map(|token| match token.token {
                    Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) => Some(text),
                    _ => None,
                })
                .unwrap(),
            Err(error) => {
                let report = error.report();
                format!("{} {} @{}", report.sqlstate.code(), report.message, report.position.unwrap_or_default())
            }
        }
    }

    #[test]
    fn constants_are_those_of_postgresql() {
        for (text, expected) in [
            ("SELECT E'\\ud83d\\ude00\\n', 1", "\u{1F600}\n"),
            ("SELECT E'\\xc3\\xa9\\''", "\u{e9}'"),
            ("SELECT E'\\303\\251' 'x'", "42601 syntax error at or near \"'x'\" @20"),
            ("SELECT E'\\u12'", "22025 invalid Unicode escape @10"),
            ("SELECT E'\\uD800'", "42601 invalid Unicode surrogate pair at or near \"'\" @16"),
            ("SELECT E'a\\u0000'", "42601 invalid Unicode escape value at or near \"\\u0000\" @11"),
            ("SELECT E'\\xff'", "22021 invalid byte sequence for encoding \"UTF8\": 0xff @0"),
            ("SELECT 'a'\n  'b' -- c\n 'd'", "abd"),
            ("SELECT E'a'\n'\\n'", "a\n"),
            ("SELECT 'a' /* x\n */ 'b'", "42601 syntax error at or near \"'b'\" @21"),
        ] {
            assert_eq!(constant(text), expected, "{text}");
        }
    }

    #[test]
    fn what_follows_stays_where_it_is() {
        let tokens = tokens("SELECT E'\\ud83d\\ude00', a").unwrap();
        let last = tokens.iter().find(|token| matches!(&token.token, Token::Word(word) if word.value == "a")).unwrap();
        assert_eq!(last.span.start.column, 25);
    }
}
