//! JSON as PostgreSQL's parser (`jsonapi.c`) accepts it, and as `jsonb` prints it.
//!
//! Both walk the text with a stack of their own, so that no depth of nesting can exhaust the thread's.

use std::cmp::Ordering;
use std::fmt::Write;

use crate::error::{PgError, Result};
use crate::sqlstate::SqlState;

/// Digits before the point of the longest `numeric`.
const NUMERIC_DIGITS_MAX: i64 = 131_072;
/// Digits after the point of the longest `numeric`.
const NUMERIC_SCALE_MAX: i64 = 16_383;

/// Whether a text is a value of type `json`.
///
/// # Errors
/// 22P02 with PostgreSQL's detail.
pub fn check_json(text: &str) -> Result<()> {
    Parser::new(text, false).walk(&mut Nothing)
}

/// A text of type `jsonb` as it is kept and printed: keys without duplicates, ordered by length and then by bytes, numbers
/// as `numeric` prints them, one space after each colon and comma.
///
/// # Errors
/// 22P02 with PostgreSQL's detail; 22P05 for `\u0000`; 22003 for a number that `numeric` cannot hold.
pub fn normalize_jsonb(text: &str) -> Result<String> {
    let mut normal = Normal { out: String::with_capacity(text.len()), objects: Vec::new() };
    Parser::new(text, true).walk(&mut normal)?;
    Ok(normal.out)
}

/// Appends a string with quotes and the escapes that `jsonb` prints.
pub fn write_json_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", control as u32);
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// What is told of the parts of a value, in the order in which they stand.
trait Visitor {
    fn begin(&mut self, container: Container);
    /// Before the elements of an array and the keys of an object, except the first.
    fn comma(&mut self);
    fn key(&mut self, key: &str);
    fn string(&mut self, text: &str);
    /// A number, or `true`, `false` and `null`.
    fn word(&mut self, text: &str) -> Result<()>;
    fn end(&mut self, container: Container);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Container {
    Array,
    Object,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Punctuation(u8),
    String,
    Number,
    Literal,
    End,
}

struct Parser<'a> {
    text: &'a str,
    /// Where the token begins.
    start: usize,
    /// Where what follows it begins.
    position: usize,
    token: Token,
    /// Whether the contents of strings are wanted, and so must be characters that a text can have.
    unescape: bool,
    string: String,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, unescape: bool) -> Self {
        Parser { text, start: 0, position: 0, token: Token::End, unescape, string: String::new() }
    }

    fn walk(&mut self, visitor: &mut impl Visitor) -> Result<()> {
        let mut open: Vec<Container> = Vec::new();
        self.advance()?;
        loop {
            // A value is expected here.
            match self.token {
                Token::Punctuation(b'{') => {
                    visitor.begin(Container::Object);
                    self.advance()?;
                    if self.token != Token::Punctuation(b'}') {
                        self.key("string or \"}\"", visitor)?;
                        open.push(Container::Object);
                        continue;
                    }
                    visitor.end(Container::Object);
                }
                Token::Punctuation(b'[') => {
                    visitor.begin(Container::Array);
                    self.advance()?;
                    if self.token != Token::Punctuation(b']') {
                        open.push(Container::Array);
                        continue;
                    }
                    visitor.end(Container::Array);
                }
                Token::String => visitor.string(&self.string),
                Token::Number | Token::Literal => visitor.word(self.token_text())?,
                _ => return Err(self.expected("JSON value")),
            }
            self.advance()?;
            if !self.after_value(&mut open, visitor)? {
                return Ok(());
            }
        }
    }

    /// What follows a value, up to the next one; false at the end of the text.
    fn after_value(&mut self, open: &mut Vec<Container>, visitor: &mut impl Visitor) -> Result<bool> {
        loop {
            let Some(container) = open.last().copied() else {
                return if self.token == Token::End { Ok(false) } else { Err(self.expected("end of input")) };
            };
            match (container, self.token) {
                (Container::Array, Token::Punctuation(b',')) => {
                    visitor.comma();
                    self.advance()?;
                    return Ok(true);
                }
                (Container::Object, Token::Punctuation(b',')) => {
                    visitor.comma();
                    self.advance()?;
                    self.key("string", visitor)?;
                    return Ok(true);
                }
                (Container::Array, Token::Punctuation(b']')) | (Container::Object, Token::Punctuation(b'}')) => {
                    open.pop();
                    visitor.end(container);
                    self.advance()?;
                }
                (Container::Array, _) => return Err(self.expected("\",\" or \"]\"")),
                (Container::Object, _) => return Err(self.expected("\",\" or \"}\"")),
            }
        }
    }

    fn key(&mut self, expected: &str, visitor: &mut impl Visitor) -> Result<()> {
        if self.token != Token::String {
            return Err(self.expected(expected));
        }
        visitor.key(&self.string);
        self.advance()?;
        if self.token != Token::Punctuation(b':') {
            return Err(self.expected("\":\""));
        }
        self.advance()
    }

    fn token_text(&self) -> &'a str {
        self.text.get(self.start..self.position).unwrap_or_default()
    }

    fn expected(&self, what: &str) -> PgError {
        if self.token == Token::End {
            return invalid("The input string ended unexpectedly.");
        }
        // Quotes inside the token are not doubled, as in PostgreSQL.
        invalid(format!("Expected {what}, but found \"{}\".", self.token_text()))
    }

    /// Reads the next token.
    fn advance(&mut self) -> Result<()> {
        let bytes = self.text.as_bytes();
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        self.start = self.position + bytes[self.position..].iter().take_while(|byte| blank(byte)).count();
        self.position = self.start;
        let Some(first) = bytes.get(self.start) else {
            self.token = Token::End;
            return Ok(());
        };
        self.token = match first {
            b'{' | b'}' | b'[' | b']' | b',' | b':' => {
                self.position += 1;
                Token::Punctuation(*first)
            }
            b'"' => return self.read_string(),
            b'-' | b'0'..=b'9' => return self.read_number(),
            _ => return self.read_word(),
        };
        Ok(())
    }

    fn read_word(&mut self) -> Result<()> {
        self.position += word_length(&self.text.as_bytes()[self.start..]);
        self.token = Token::Literal;
        match self.token_text() {
            "true" | "false" | "null" => Ok(()),
            "" => {
                self.position = self.start + 1;
                Err(self.invalid_token())
            }
            _ => Err(self.invalid_token()),
        }
    }

    fn read_number(&mut self) -> Result<()> {
        let bytes = &self.text.as_bytes()[self.start..];
        let (mut length, valid) = number_length(bytes);
        let garbage = word_length(&bytes[length..]);
        length += garbage;
        self.position = self.start + length;
        self.token = Token::Number;
        if valid && garbage == 0 { Ok(()) } else { Err(self.invalid_token()) }
    }

    fn invalid_token(&self) -> PgError {
        invalid(format!("Token \"{}\" is invalid.", self.token_text()))
    }

    fn read_string(&mut self) -> Result<()> {
        self.string.clear();
        self.token = Token::String;
        let mut high = None;
        let mut rest = self.text.get(self.start + 1..).unwrap_or_default().chars();
        loop {
            let character = rest.next();
            self.position = self.text.len() - rest.as_str().len();
            match character {
                None => return Err(self.invalid_token()),
                Some('"') => {
                    no_high_surrogate(high)?;
                    return Ok(());
                }
                Some('\\') => match self.read_escape(&mut rest)? {
                    Escape::Character(character) => {
                        no_high_surrogate(high)?;
                        self.string.push(character);
                    }
                    Escape::Unit(_) if !self.unescape => {}
                    Escape::Unit(unit) => high = self.push_unit(unit, high)?,
                },
                Some(control) if control < ' ' => {
                    return Err(invalid(format!("Character with value 0x{:02x} must be escaped.", control as u32)));
                }
                Some(other) => {
                    no_high_surrogate(high)?;
                    self.string.push(other);
                }
            }
        }
    }

    /// What a backslash and what follows it stand for.
    fn read_escape(&mut self, rest: &mut std::str::Chars<'a>) -> Result<Escape> {
        let escaped = rest.next();
        self.position = self.text.len() - rest.as_str().len();
        Ok(Escape::Character(match escaped {
            None => return Err(self.invalid_token()),
            Some('u') => {
                let mut unit = 0;
                for _ in 0..4 {
                    let digit = rest.next();
                    self.position = self.text.len() - rest.as_str().len();
                    let Some(digit) = digit else { return Err(self.invalid_token()) };
                    let value = digit.to_digit(16);
                    let value = value.ok_or_else(|| invalid("\"\\u\" must be followed by four hexadecimal digits."))?;
                    unit = unit << 4 | value;
                }
                return Ok(Escape::Unit(unit));
            }
            Some(same @ ('"' | '\\' | '/')) => same,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some(other) => return Err(invalid(format!("Escape sequence \"\\{other}\" is invalid."))),
        }))
    }

    /// Adds a unit of UTF-16, of which two may make a character.
    fn push_unit(&mut self, unit: u32, high: Option<u32>) -> Result<Option<u32>> {
        match (unit, high) {
            (0xd800..=0xdbff, None) => return Ok(Some(unit)),
            (0xd800..=0xdbff, Some(_)) => {
                return Err(invalid("Unicode high surrogate must not follow a high surrogate."));
            }
            (0xdc00..=0xdfff, Some(high)) => {
                let combined = 0x10000 + ((high & 0x3ff) << 10) + (unit & 0x3ff);
                self.string.extend(char::from_u32(combined));
            }
            (0xdc00..=0xdfff, None) | (_, Some(_)) => return Err(lone_surrogate()),
            (0, None) => {
                let error = PgError::new(SqlState::UNTRANSLATABLE_CHARACTER, "unsupported Unicode escape sequence");
                return Err(error.with_detail("\\u0000 cannot be converted to text."));
            }
            (_, None) => self.string.extend(char::from_u32(unit)),
        }
        Ok(None)
    }
}

enum Escape {
    Character(char),
    /// `\u` and four digits
    Unit(u32),
}

fn no_high_surrogate(high: Option<u32>) -> Result<()> {
    if high.is_some() { Err(lone_surrogate()) } else { Ok(()) }
}

fn lone_surrogate() -> PgError {
    invalid("Unicode low surrogate must follow a high surrogate.")
}

fn invalid(detail: impl Into<String>) -> PgError {
    PgError::new(SqlState::INVALID_TEXT_REPRESENTATION, "invalid input syntax for type json").with_detail(detail)
}

fn word_length(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_' || !byte.is_ascii()).count()
}

/// Bytes of the number at the beginning, and whether it is one.
fn number_length(bytes: &[u8]) -> (usize, bool) {
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut length = usize::from(bytes.first() == Some(&b'-'));
    match bytes.get(length) {
        Some(b'0') => length += 1,
        Some(b'1'..=b'9') => length += digits(length),
        _ => return (length, false),
    }
    if bytes.get(length) == Some(&b'.') {
        let fraction = digits(length + 1);
        length += 1 + fraction;
        if fraction == 0 {
            return (length, false);
        }
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        length += 1;
        length += usize::from(matches!(bytes.get(length), Some(b'+' | b'-')));
        let exponent = digits(length);
        length += exponent;
        return (length, exponent > 0);
    }
    (length, true)
}

/// A visitor that does not look.
struct Nothing;

impl Visitor for Nothing {
    fn begin(&mut self, _: Container) {}
    fn comma(&mut self) {}
    fn key(&mut self, _: &str) {}
    fn string(&mut self, _: &str) {}
    fn word(&mut self, _: &str) -> Result<()> {
        Ok(())
    }
    fn end(&mut self, _: Container) {}
}

/// Writes the parts as they come; the entries of an object are put into order at its end.
struct Normal {
    out: String,
    objects: Vec<Vec<Entry>>,
}

/// An entry of an object, and where it begins in what has been written.
struct Entry {
    key: String,
    start: usize,
}

impl Visitor for Normal {
    fn begin(&mut self, container: Container) {
        match container {
            Container::Array => self.out.push('['),
            Container::Object => {
                self.out.push('{');
                self.objects.push(Vec::new());
            }
        }
    }

    fn comma(&mut self) {
        self.out.push_str(", ");
    }

    fn key(&mut self, key: &str) {
        let start = self.out.len();
        if let Some(entries) = self.objects.last_mut() {
            entries.push(Entry { key: key.to_owned(), start });
        }
        write_json_string(key, &mut self.out);
        self.out.push_str(": ");
    }

    fn string(&mut self, text: &str) {
        write_json_string(text, &mut self.out);
    }

    fn word(&mut self, text: &str) -> Result<()> {
        if text.as_bytes()[0].is_ascii_alphabetic() {
            self.out.push_str(text);
            return Ok(());
        }
        write_number(text, &mut self.out)
    }

    fn end(&mut self, container: Container) {
        if container == Container::Object {
            let entries = self.objects.pop().unwrap_or_default();
            order_entries(&entries, &mut self.out);
        }
        self.out.push(match container {
            Container::Array => ']',
            Container::Object => '}',
        });
    }
}

fn key_order(left: &str, right: &str) -> Ordering {
    left.len().cmp(&right.len()).then_with(|| left.as_bytes().cmp(right.as_bytes()))
}

/// Puts the entries at the end of `out` into order; of several with one key, the last remains.
fn order_entries(entries: &[Entry], out: &mut String) {
    if entries.is_sorted_by(|a, b| key_order(&a.key, &b.key) == Ordering::Less) {
        return;
    }
    let Some(first) = entries.first().map(|entry| entry.start) else { return };
    let ends = entries.iter().skip(1).map(|next| next.start - ", ".len()).chain([out.len()]);
    let mut ordered: Vec<(&str, &str)> =
        entries.iter().zip(ends).map(|(entry, end)| (entry.key.as_str(), &out[entry.start..end])).collect();
    ordered.reverse();
    // The order is stable: the last entry of a key comes first, and the others go.
    ordered.sort_by(|a, b| key_order(a.0, b.0));
    ordered.dedup_by(|later, kept| later.0 == kept.0);
    let texts: Vec<&str> = ordered.into_iter().map(|(_, text)| text).collect();
    let joined = texts.join(", ");
    out.truncate(first);
    out.push_str(&joined);
}

/// Appends a number as `numeric` prints it: without an exponent, with the digits after the point that it says.
fn write_number(text: &str, out: &mut String) -> Result<()> {
    let overflow = || PgError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format");
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().map_err(|_| overflow())?),
        None => (text, 0),
    };
    let (negative, unsigned) = match mantissa.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, mantissa),
    };
    let (integer, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = format!("{integer}{fraction}");
    let significant = digits.trim_start_matches('0');
    let zero = significant.is_empty();
    // The place of the point among the digits, from their beginning.
    let point = (integer.len() as i64).saturating_add(exponent);
    let scale = (digits.len() as i64).saturating_sub(point).max(0);
    let leading = (digits.len() - significant.len()) as i64;
    if scale > NUMERIC_SCALE_MAX || !zero && point.saturating_sub(leading) > NUMERIC_DIGITS_MAX {
        return Err(overflow());
    }
    if negative && !zero {
        out.push('-');
    }
    let scale = scale as usize;
    let trailing = if zero { 0 } else { usize::try_from(point - digits.len() as i64).unwrap_or(0) };
    let kept = significant.len() + trailing;
    if kept <= scale {
        out.push('0');
    }
    for (position, digit) in significant.bytes().chain(std::iter::repeat_n(b'0', trailing)).enumerate() {
        if kept - position == scale {
            out.push('.');
        }
        if position == 0 && kept < scale {
            out.push('.');
            out.extend(std::iter::repeat_n('0', scale - kept));
        }
        out.push(char::from(digit));
    }
    if zero && scale > 0 {
        out.push('.');
        out.extend(std::iter::repeat_n('0', scale));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check_detail(texts: &[(&str, &str)]) {
        for (text, detail) in texts {
            let error = check_json(text).unwrap_err();
            assert_eq!(error.sqlstate, SqlState::INVALID_TEXT_REPRESENTATION, "{text}");
            assert_eq!(error.detail.as_deref(), Some(*detail), "{text}");
            assert_eq!(normalize_jsonb(text).unwrap_err(), error, "{text}");
        }
    }

    fn check(text: &str, expected: &str) {
        assert_eq!(normalize_jsonb(text).as_deref(), Ok(expected), "{text}");
    }

    #[test]
    fn an_error_says_what_was_expected() {
        check_detail(&[
            ("{\"a\":}", "Expected JSON value, but found \"}\"."),
            ("", "The input string ended unexpectedly."),
            ("[1,", "The input string ended unexpectedly."),
            ("{\"a\":1,", "The input string ended unexpectedly."),
            ("[1 2]", "Expected \",\" or \"]\", but found \"2\"."),
            ("{1:2}", "Expected string or \"}\", but found \"1\"."),
            ("{\"a\" 1}", "Expected \":\", but found \"1\"."),
            ("{\"a\":1 \"b\"}", "Expected \",\" or \"}\", but found \"\"b\"\"."),
            ("{\"a\":1,}", "Expected string, but found \"}\"."),
            ("1 2", "Expected end of input, but found \"2\"."),
            ("[] x", "Token \"x\" is invalid."),
        ]);
    }

    #[test]
    fn an_error_names_the_token() {
        check_detail(&[
            ("nullx", "Token \"nullx\" is invalid."),
            ("01", "Token \"01\" is invalid."),
            ("1.", "Token \"1.\" is invalid."),
            (".1", "Token \".\" is invalid."),
            ("-x", "Token \"-x\" is invalid."),
            ("1e+", "Token \"1e+\" is invalid."),
            ("1.5.5", "Token \".\" is invalid."),
            ("a$b", "Token \"a\" is invalid."),
            ("aé b", "Token \"aé\" is invalid."),
            ("\"abc", "Token \"\"abc\" is invalid."),
            ("\"abc\\x\"", "Escape sequence \"\\x\" is invalid."),
            ("\"\\u12\"", "\"\\u\" must be followed by four hexadecimal digits."),
            ("\"a\tb\"", "Character with value 0x09 must be escaped."),
        ]);
    }

    #[test]
    fn surrogates_matter_only_to_jsonb() {
        for (text, detail) in [
            ("\"\\ud800\"", "Unicode low surrogate must follow a high surrogate."),
            ("\"\\ud800x\"", "Unicode low surrogate must follow a high surrogate."),
            ("\"\\udc00\"", "Unicode low surrogate must follow a high surrogate."),
            ("\"\\ud800\\ud800\"", "Unicode high surrogate must not follow a high surrogate."),
            ("\"\\u0000\"", "\\u0000 cannot be converted to text."),
        ] {
            check_json(text).unwrap();
            assert_eq!(normalize_jsonb(text).unwrap_err().detail.as_deref(), Some(detail), "{text}");
        }
        check("\"\\ud83d\\ude04\"", "\"😄\"");
    }

    #[test]
    fn keys_are_ordered_and_the_last_of_a_name_remains() {
        check(r#"{"a":1, "b":2, "a":3, "aa":4, "": 5, "A": 6}"#, r#"{"": 5, "A": 6, "a": 3, "b": 2, "aa": 4}"#);
        check(r#"{"a":{"b":1,"b":2},"a":{"c":1}}"#, r#"{"a": {"c": 1}}"#);
        check(
            r#" [ 1 , { "a" : [ true , false , null ] } , { } , [ ] ] "#,
            r#"[1, {"a": [true, false, null]}, {}, []]"#,
        );
        check(r#""a\u0041\n\t\b\f\r\"\\\/ é \u00e9\u001f""#, r#""aA\n\t\b\f\r\"\\/ é é\u001f""#);
    }

    #[test]
    fn numbers_are_printed_as_numeric() {
        check(
            "[1.50, 1e5, 1E-3, -0, -0.0, 1e-10, 100000000000000000000000000000.5, 1.0e2, 0.00e1, 0e5, -12.5e-1, 12.34e1]",
            "[1.50, 100000, 0.001, 0, 0.0, 0.0000000001, 100000000000000000000000000000.5, 100, 0.0, 0, -1.25, 123.4]",
        );
        for text in ["1e1000000", "1e200000", "1e-20000", "1e99999999999999999999"] {
            assert_eq!(normalize_jsonb(text).unwrap_err().message, "value overflows numeric format", "{text}");
        }
    }

    #[test]
    fn depth_does_not_exhaust_the_stack() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(normalize_jsonb(&deep).unwrap().len(), 200_000);
        let deep = "[".repeat(100_000);
        assert_eq!(check_json(&deep).unwrap_err().detail.unwrap(), "The input string ended unexpectedly.");
    }
}
