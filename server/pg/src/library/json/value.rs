//! A `jsonb` value as a tree: how it is normalised, written, ordered and searched.
//!
//! A `jsonb` is carried as its text. Keys of an object are unique and ordered by length, then by bytes; numbers keep the
//! digits that `numeric` prints.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::lexer::{self, DEPTH_MAX, Lexer, Token};
use super::number;
use crate::error::{PgError, Result};
use crate::sqlstate::SqlState;

/// The most bytes a result can have.
pub const RESULT_BYTES_MAX: usize = 64 << 20;

/// A `jsonb` value.
#[derive(Debug, Clone)]
pub enum Json<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number without exponent.
    Number(Cow<'a, str>),
    /// A string's characters.
    String(Cow<'a, str>),
    /// An array's elements.
    Array(Vec<Json<'a>>),
    /// An object's keys and values, in the order of [`compare_keys`].
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// How the keys of an object are ordered: short ones first.
pub fn compare_keys(left: &str, right: &str) -> Ordering {
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// Orders an object's keys; of equal ones the last stays.
pub fn normalize_object<'a>(mut pairs: Vec<(Cow<'a, str>, Json<'a>)>) -> Json<'a> {
    if !pairs.is_sorted_by(|a, b| compare_keys(&a.0, &b.0) == Ordering::Less) {
        // A stable sort of what stood last first, so that the first of equal keys is the one that stays.
        pairs.reverse();
        pairs.sort_by(|a, b| compare_keys(&a.0, &b.0));
        pairs.dedup_by(|later, earlier| later.0 == earlier.0);
    }
    Json::Object(pairs)
}

impl<'a> Json<'a> {
    /// Reads a value.
    pub fn parse(text: &'a str) -> Result<Self> {
        let mut lexer = Lexer::new(text);
        let first = lexer.token()?;
        let value = read(&mut lexer, first)?;
        lexer.end()?;
        Ok(value)
    }

    /// Whether it is neither an array nor an object.
    pub fn is_scalar(&self) -> bool {
        !matches!(self, Json::Array(_) | Json::Object(_))
    }

    /// As `jsonb_typeof` names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "boolean",
            Json::Number(_) => "number",
            Json::String(_) => "string",
            Json::Array(_) => "array",
            Json::Object(_) => "object",
        }
    }

    /// The value of a key.
    pub fn member(&self, key: &str) -> Option<&Self> {
        let Json::Object(pairs) = self else { return None };
        let found = pairs.binary_search_by(|pair| compare_keys(&pair.0, key)).ok()?;
        pairs.get(found).map(|pair| &pair.1)
    }

    /// Appends the text that carries it.
    pub fn write(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Json::Number(digits) => out.push_str(digits),
            Json::String(text) => lexer::quote(text, out),
            Json::Array(elements) => {
                out.push('[');
                for (position, element) in elements.iter().enumerate() {
                    if position > 0 {
                        out.push_str(", ");
                    }
                    element.write(out);
                }
                out.push(']');
            }
            Json::Object(pairs) => {
                out.push('{');
                for (position, (key, value)) in pairs.iter().enumerate() {
                    if position > 0 {
                        out.push_str(", ");
                    }
                    lexer::quote(key, out);
                    out.push_str(": ");
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// The text that carries it.
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// As [`Json::text`], when it is not longer than a result may be.
    pub fn result(&self) -> Result<String> {
        capped(self.text())
    }

    /// As `->>` gives it: a string without quotes, nothing for `null`.
    pub fn plain_text(&self) -> Option<String> {
        match self {
            Json::Null => None,
            Json::String(text) => Some(text.clone().into_owned()),
            other => Some(other.text()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Json::Null => 1,
            Json::String(_) => 2,
            Json::Number(_) => 3,
            Json::Bool(_) => 4,
            Json::Array(_) => 5,
            Json::Object(_) => 6,
        }
    }

    /// Appends bytes that order as `jsonb` values do: by kind, then arrays and objects by their sizes.
    fn write_order_of_part(&self, out: &mut Vec<u8>) {
        out.push(self.rank());
        match self {
            Json::Null => {}
            Json::Bool(value) => out.push(u8::from(*value)),
            Json::Number(digits) => number::write_order(digits, out),
            Json::String(text) => write_text_order(text, out),
            Json::Array(elements) => {
                out.extend_from_slice(&(elements.len() as u32).to_be_bytes());
                elements.iter().for_each(|element| element.write_order_of_part(out));
            }
            Json::Object(pairs) => {
                out.extend_from_slice(&(pairs.len() as u32).to_be_bytes());
                for (key, value) in pairs {
                    write_text_order(key, out);
                    value.write_order_of_part(out);
                }
            }
        }
    }

    /// The bytes by which `jsonb` values are ordered. An empty array comes before everything, but only as a whole value: in
    /// PostgreSQL a scalar is kept as an array of one element, which is longer.
    pub fn order(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Json::Array(elements) if elements.is_empty() => out.push(0),
            _ => self.write_order_of_part(&mut out),
        }
        out
    }

    /// Whether scalars are the same; a number may be written differently.
    pub fn same_scalar(&self, other: &Json<'_>) -> bool {
        match (self, other) {
            (Json::Null, Json::Null) => true,
            (Json::Bool(left), Json::Bool(right)) => left == right,
            (Json::Number(left), Json::Number(right)) => number::compare(left, right) == Ordering::Equal,
            (Json::String(left), Json::String(right)) => left == right,
            _ => false,
        }
    }

    /// Whether this has all that the other has (`@>`).
    pub fn contains(&self, other: &Json<'_>) -> bool {
        match (self, other) {
            (Json::Array(elements), wanted) if wanted.is_scalar() => elements.iter().any(|it| it.same_scalar(wanted)),
            _ => self.contains_part(other),
        }
    }

    fn contains_part(&self, other: &Json<'_>) -> bool {
        match (self, other) {
            (Json::Object(_), Json::Object(pairs)) => {
                pairs.iter().all(|(key, wanted)| self.member(key).is_some_and(|value| value.contains_part(wanted)))
            }
            (Json::Array(elements), Json::Array(wanted)) => {
                wanted.iter().all(|wanted| elements.iter().any(|element| element.contains_part(wanted)))
            }
            _ => self.same_scalar(other),
        }
    }

    /// Whether it has a key, or as an array a string among its elements (`?`).
    pub fn has(&self, key: &str) -> bool {
        match self {
            Json::Object(_) => self.member(key).is_some(),
            Json::Array(elements) => elements.iter().any(|it| matches!(it, Json::String(text) if text == key)),
            Json::String(text) => text == key,
            _ => false,
        }
    }
}

/// No text has the byte zero, so it can end one.
fn write_text_order(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(text.as_bytes());
    out.push(0);
}

/// A container that is being read.
enum Open<'a> {
    Array(Vec<Json<'a>>),
    /// The members, and the key whose value comes next.
    Object(Vec<(Cow<'a, str>, Json<'a>)>, Cow<'a, str>),
}

/// A container with one more value.
enum Added<'a> {
    Open(Open<'a>),
    Ended(Json<'a>),
}

/// The value whose first token has been read. It does not call itself: the text may be nested as deep as it likes.
fn read<'a>(lexer: &mut Lexer<'a>, first: Token<'a>) -> Result<Json<'a>> {
    let mut open: Vec<Open<'a>> = Vec::new();
    let mut token = first;
    loop {
        let mut value = match token {
            Token::Null => Json::Null,
            Token::Bool(value) => Json::Bool(value),
            Token::Number(written) => Json::Number(number::normalize(written)?),
            Token::String(quoted) => Json::String(lexer::unescape(quoted)?),
            Token::ArrayStart | Token::ObjectStart if open.len() >= DEPTH_MAX => return Err(lexer::too_deep()),
            Token::ArrayStart => match lexer.token()? {
                Token::ArrayEnd => Json::Array(Vec::new()),
                element => {
                    open.push(Open::Array(Vec::new()));
                    token = element;
                    continue;
                }
            },
            Token::ObjectStart => match lexer.token()? {
                Token::ObjectEnd => Json::Object(Vec::new()),
                key => {
                    let key = lexer::unescape(lexer.key(key, "string or \"}\"")?)?;
                    open.push(Open::Object(Vec::new(), key));
                    token = lexer.token()?;
                    continue;
                }
            },
            other => return Err(lexer.unexpected(other, "JSON value")),
        };
        loop {
            let Some(container) = open.pop() else { return Ok(value) };
            match add(lexer, container, value)? {
                Added::Ended(whole) => value = whole,
                Added::Open(container) => {
                    open.push(container);
                    token = lexer.token()?;
                    break;
                }
            }
        }
    }
}

/// Adds a value to a container, which either goes on or ends with it.
fn add<'a>(lexer: &mut Lexer<'a>, container: Open<'a>, value: Json<'a>) -> Result<Added<'a>> {
    match container {
        Open::Array(mut elements) => {
            elements.push(value);
            match lexer.token()? {
                Token::ArrayEnd => Ok(Added::Ended(Json::Array(elements))),
                Token::Comma => Ok(Added::Open(Open::Array(elements))),
                other => Err(lexer.unexpected(other, "\",\" or \"]\"")),
            }
        }
        Open::Object(mut pairs, key) => {
            pairs.push((key, value));
            match lexer.token()? {
                Token::ObjectEnd => Ok(Added::Ended(normalize_object(pairs))),
                Token::Comma => {
                    let key = lexer.token()?;
                    let key = lexer::unescape(lexer.key(key, "string")?)?;
                    Ok(Added::Open(Open::Object(pairs, key)))
                }
                other => Err(lexer.unexpected(other, "\",\" or \"}\"")),
            }
        }
    }
}

/// The text that carries a `jsonb` written so.
pub fn normalize_jsonb(text: &str) -> Result<String> {
    Ok(Json::parse(text)?.text())
}

/// The result, when it is not longer than a result may be.
pub fn capped(text: String) -> Result<String> {
    if text.len() > RESULT_BYTES_MAX {
        return Err(PgError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "requested length too large"));
    }
    Ok(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(normalize_jsonb(text).unwrap(), expected, "{text}");
    }

    #[test]
    fn a_jsonb_is_normalised() {
        check(" {\"bb\" : 1, \"a\":[1 ,2.50,1e2], \"a\" : null, \"b\":{}} ", r#"{"a": null, "b": {}, "bb": 1}"#);
        check(r#""\u00e9\/\b\u007f\ud83d\ude00""#, "\"é/\\b\u{7f}😀\"");
        check("[]", "[]");
        check("-0.0", "0.0");
    }

    fn check_error(text: &str, code: &str, detail: &str) {
        let error = Json::parse(text).unwrap_err();
        assert_eq!((error.sqlstate.code(), error.detail.as_deref()), (code, Some(detail)), "{text}");
    }

    #[test]
    fn what_is_not_json_is_refused_as_postgresql_does() {
        let ended = "The input string ended unexpectedly.";
        for (text, detail) in [
            ("{a", "Token \"a\" is invalid."),
            ("", ended),
            ("  ", ended),
            ("{\"a\":1,}", "Expected string, but found \"}\"."),
            ("[1,]", "Expected JSON value, but found \"]\"."),
            ("[1 2]", "Expected \",\" or \"]\", but found \"2\"."),
            ("{\"a\" 1}", "Expected \":\", but found \"1\"."),
            ("{\"a\":1 \"b\"}", "Expected \",\" or \"}\", but found \"\"b\"\"."),
            ("{1:2}", "Expected string or \"}\", but found \"1\"."),
            ("\"abc", "Token \"\"abc\" is invalid."),
            ("\"a\\x\"", "Escape sequence \"\\x\" is invalid."),
            ("\"\\u12g4\"", "\"\\u\" must be followed by four hexadecimal digits."),
            ("\"\\ud800\"", "Unicode low surrogate must follow a high surrogate."),
            ("\"\\ud800\\ud800\"", "Unicode high surrogate must not follow a high surrogate."),
            ("01", "Token \"01\" is invalid."),
            ("1.", "Token \"1.\" is invalid."),
            ("-", "Token \"-\" is invalid."),
            ("1.5abc", "Token \"1.5abc\" is invalid."),
            ("tru", "Token \"tru\" is invalid."),
            ("1 2", "Expected end of input, but found \"2\"."),
            (".5", "Token \".\" is invalid."),
            ("\"\\u00", "Token \"\"\\u00\" is invalid."),
            ("\"a\nb\"", "Character with value 0x0a must be escaped."),
            ("]", "Expected JSON value, but found \"]\"."),
            ("{\"a\":1]", "Expected \",\" or \"}\", but found \"]\"."),
            ("{\"a\":", ended),
        ] {
            check_error(text, "22P02", detail);
        }
        check_error("\"\\u0000\"", "22P05", "\\u0000 cannot be converted to text.");
        assert!(lexer::check_json("\"\\u0000\\ud800\"").is_ok());
        let deep = "[".repeat(100_000);
        assert_eq!(lexer::check_json(&deep).unwrap_err().sqlstate.code(), "54001");
        assert_eq!(Json::parse(&deep).unwrap_err().sqlstate.code(), "54001");
    }

    #[test]
    fn values_are_ordered_as_postgresql_does() {
        let ordered = [
            "[]",
            "null",
            "\"\"",
            "\"B\"",
            "\"a\"",
            "\"ab\"",
            "\"é\"",
            "-5",
            "1",
            "1.5",
            "false",
            "true",
            "[null]",
            "[\"a\"]",
            "[1]",
            "[3]",
            "[[]]",
            "[{}]",
            "[1, 2]",
            "{}",
            "{\"a\": \"x\"}",
            "{\"a\": 1}",
            "{\"a\": []}",
            "{\"aa\": 0}",
            "{\"b\": 0}",
            "{\"a\": 1, \"b\": 2}",
            "{\"a\": 1, \"c\": 0}",
        ];
        let keys: Vec<_> = ordered.iter().map(|text| Json::parse(text).unwrap().order()).collect();
        for (position, pair) in keys.windows(2).enumerate() {
            assert!(pair[0] < pair[1], "{} {}", ordered[position], ordered[position + 1]);
        }
        assert_eq!(Json::parse("[1.0]").unwrap().order(), Json::parse("[1]").unwrap().order());
    }
}
