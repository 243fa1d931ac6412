//! Parts of a JSON text, found without reading the rest of it: `->`, `->>`, `#>`, `#>>` and the functions that say the
//! same.
//!
//! A part of a `json` is what was written, with its blanks; a part of a `jsonb` is as normalised as the whole.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use arrow::datatypes::DataType;

use super::lexer::{self, Lexer, Token};
use crate::error::{PgError, Result};
use crate::function::{Call, Elements, Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;

pub(super) static OPERATORS: &[Function] = &[
    function("->", &[JSON, TEXT], JSON, field),
    function("->>", &[JSON, TEXT], TEXT, field_text),
    function("->", &[JSON, INT4], JSON, element),
    function("->>", &[JSON, INT4], TEXT, element_text),
    function("#>", &[JSON, TEXT_ARRAY], JSON, path),
    function("#>>", &[JSON, TEXT_ARRAY], TEXT, path_text),
    function("->", &[JSONB, TEXT], JSONB, field),
    function("->>", &[JSONB, TEXT], TEXT, field_text),
    function("->", &[JSONB, INT4], JSONB, element),
    function("->>", &[JSONB, INT4], TEXT, element_text),
    function("#>", &[JSONB, TEXT_ARRAY], JSONB, path),
    function("#>>", &[JSONB, TEXT_ARRAY], TEXT, path_text),
];

pub(super) static FUNCTIONS: &[Function] = &[
    function("json_object_field", &[JSON, TEXT], JSON, field),
    function("json_object_field_text", &[JSON, TEXT], TEXT, field_text),
    function("json_array_element", &[JSON, INT4], JSON, element),
    function("json_array_element_text", &[JSON, INT4], TEXT, element_text),
    function("jsonb_object_field", &[JSONB, TEXT], JSONB, field),
    function("jsonb_object_field_text", &[JSONB, TEXT], TEXT, field_text),
    function("jsonb_array_element", &[JSONB, INT4], JSONB, element),
    function("jsonb_array_element_text", &[JSONB, INT4], TEXT, element_text),
    function("json_extract_path", &[JSON, TEXT], JSON, path).variadic(),
    function("json_extract_path_text", &[JSON, TEXT], TEXT, path_text).variadic(),
    function("jsonb_extract_path", &[JSONB, TEXT], JSONB, path).variadic(),
    function("jsonb_extract_path_text", &[JSONB, TEXT], TEXT, path_text).variadic(),
    function("json_typeof", &[JSON], TEXT, type_of),
    function("jsonb_typeof", &[JSONB], TEXT, type_of),
    function("json_array_length", &[JSON], INT4, array_length),
    function("jsonb_array_length", &[JSONB], INT4, array_length),
];

/// What is at a key of an object; nothing if the text is not an object. Of equal keys the last one counts.
pub fn member<'a>(text: &'a str, wanted: &str) -> Result<Option<&'a str>> {
    let mut found = None;
    for pair in Pairs::new(text)? {
        let (key, value) = pair?;
        if is_key(key, wanted)? {
            found = Some(value);
        }
    }
    Ok(found)
}

/// As [`member`] of a `jsonb`, which has each key once.
fn member_of_jsonb<'a>(text: &'a str, wanted: &str) -> Result<Option<&'a str>> {
    for pair in Pairs::new(text)? {
        let (key, value) = pair?;
        if is_key(key, wanted)? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// How the members of the first argument are found.
fn member_finder(call: &Call) -> for<'a> fn(&'a str, &str) -> Result<Option<&'a str>> {
    if call.types.first().is_some_and(|ty| ty.oid == JSONB) { member_of_jsonb } else { member }
}

/// Whether a key with its quotes stands for a text.
fn is_key(quoted: &str, wanted: &str) -> Result<bool> {
    if quoted.contains('\\') {
        return Ok(lexer::unescape(quoted)? == wanted);
    }
    Ok(quoted.get(1..quoted.len().saturating_sub(1)) == Some(wanted))
}

/// The element of an array at a position, which counts from the end if it is negative.
pub fn element_at(text: &str, position: i64) -> Result<Option<&str>> {
    let Ok(position) = usize::try_from(position) else {
        let count = ElementSpans::new(text)?.count() as i64;
        return match usize::try_from(count + position) {
            Ok(position) => ElementSpans::new(text)?.nth(position).transpose(),
            Err(_) => Ok(None),
        };
    };
    ElementSpans::new(text)?.nth(position).transpose()
}

/// The elements of an array as they were written; none if the text is not an array.
pub struct ElementSpans<'a> {
    lexer: Lexer<'a>,
    /// The first token of the next element.
    first: Option<Token<'a>>,
}

impl<'a> ElementSpans<'a> {
    /// Of this text.
    pub fn new(text: &'a str) -> Result<Self> {
        ElementSpans::read_by(Lexer::new(text))
    }

    fn read_by(mut lexer: Lexer<'a>) -> Result<Self> {
        let first = match lexer.token()? {
            Token::ArrayStart => Some(lexer.token()?).filter(|token| *token != Token::ArrayEnd),
            _ => None,
        };
        Ok(ElementSpans { lexer, first })
    }

    fn read(&mut self, first: Token<'a>) -> Result<&'a str> {
        let value = self.lexer.rest_of_value(first)?;
        match self.lexer.token()? {
            Token::ArrayEnd => {}
            Token::Comma => self.first = Some(self.lexer.token()?),
            other => return Err(self.lexer.unexpected(other, "\",\" or \"]\"")),
        }
        Ok(value)
    }
}

impl<'a> Iterator for ElementSpans<'a> {
    type Item = Result<&'a str>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.first.take()?;
        Some(self.read(first))
    }
}

/// The keys, with their quotes, and values of an object as they were written; none if the text is not an object.
pub struct Pairs<'a> {
    lexer: Lexer<'a>,
    /// The token of the next key.
    key: Option<Token<'a>>,
}

impl<'a> Pairs<'a> {
    /// Of this text.
    pub fn new(text: &'a str) -> Result<Self> {
        let mut lexer = Lexer::new(text);
        let key = match lexer.token()? {
            Token::ObjectStart => Some(lexer.token()?).filter(|token| *token != Token::ObjectEnd),
            _ => None,
        };
        Ok(Pairs { lexer, key })
    }

    fn read(&mut self, key: Token<'a>) -> Result<(&'a str, &'a str)> {
        let key = self.lexer.key(key, "string")?;
        let value = self.lexer.value()?;
        match self.lexer.token()? {
            Token::ObjectEnd => {}
            Token::Comma => self.key = Some(self.lexer.token()?),
            other => return Err(self.lexer.unexpected(other, "\",\" or \"}\"")),
        }
        Ok((key, value))
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Result<(&'a str, &'a str)>;

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.key.take()?;
        Some(self.read(key))
    }
}

/// A value as text: a string without quotes, nothing for `null`.
pub fn plain_text(value: &str) -> Result<Option<Cow<'_, str>>> {
    match Lexer::new(value).token()? {
        Token::Null => Ok(None),
        Token::String(quoted) => Ok(Some(lexer::unescape(quoted)?)),
        _ => Ok(Some(Cow::Borrowed(value))),
    }
}

/// The text of an array position as C's `strtol` reads it.
pub fn position(step: &str) -> Option<i32> {
    let trimmed = step.trim_start_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
    trimmed.parse().ok()
}

/// What a path leads to. A step is a key in an object, and a position in an array.
pub fn follow<'a>(text: &'a str, steps: &[&str]) -> Result<Option<&'a str>> {
    let mut current = whole(text)?;
    for step in steps {
        let next = match Lexer::new(current).token()? {
            Token::ObjectStart => member(current, step)?,
            Token::ArrayStart => match position(step) {
                Some(position) => element_at(current, i64::from(position))?,
                None => None,
            },
            _ => None,
        };
        let Some(next) = next else { return Ok(None) };
        current = next;
    }
    Ok(Some(current))
}

/// The value without the blanks around it.
fn whole(text: &str) -> Result<&str> {
    Lexer::new(text).value()
}

/// The elements of an array of texts.
pub fn texts(elements: &Elements) -> Result<StringViewArray> {
    if elements.0.data_type().is_nested() {
        return Err(PgError::new(SqlState::ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts"));
    }
    let array = arrow::compute::cast(&elements.0, &DataType::Utf8View)?;
    Ok(array.as_string_view().clone())
}

fn follow_elements<'a>(text: &'a str, steps: &Elements) -> Result<Option<&'a str>> {
    if steps.0.data_type().is_nested() {
        // PostgreSQL takes the elements of all dimensions.
        let flat = super::build::flatten(&steps.0)?;
        return follow_elements(text, &Elements(flat));
    }
    let steps = texts(steps)?;
    let known: Option<Vec<&str>> = steps.iter().collect();
    match known {
        Some(steps) => follow(text, &steps),
        None => Ok(None),
    }
}

/// Calls a function with a JSON value and the steps after it, which are an array or arguments of their own.
fn with_path(call: &Call, mut f: impl for<'a> FnMut(&'a str) -> Result<Option<Cow<'a, str>>>) -> Result<ArrayRef> {
    if call.types.get(1).is_some_and(|ty| ty.oid == TEXT_ARRAY) {
        return call.map2(|text: &str, steps: Elements| -> Result<Option<String>> {
            let Some(value) = follow_elements(text, &steps)? else { return Ok(None) };
            Ok(f(value)?.map(Cow::into_owned))
        });
    }
    let steps: Vec<_> = (1..call.width()).map(|argument| call.column::<&str>(argument)).collect::<Result<_>>()?;
    let mut row = 0;
    call.map1(|text: Option<&str>| -> Result<Option<String>> {
        let known: Option<Vec<&str>> = steps.iter().map(|step| step.get(row)).collect();
        row += 1;
        let (Some(text), Some(steps)) = (text, known) else { return Ok(None) };
        let Some(value) = follow(text, &steps)? else { return Ok(None) };
        Ok(f(value)?.map(Cow::into_owned))
    })
}

fn path(call: &Call) -> Result<ArrayRef> {
    with_path(call, |value| Ok(Some(Cow::Borrowed(value))))
}

pub(super) fn path_text(call: &Call) -> Result<ArrayRef> {
    with_path(call, plain_text)
}

fn field(call: &Call) -> Result<ArrayRef> {
    call.map2::<&str, &str, Result<Option<&str>>>(member_finder(call))
}

fn field_text(call: &Call) -> Result<ArrayRef> {
    let member = member_finder(call);
    call.map2::<&str, &str, Result<Option<Cow<'_, str>>>>(|text, key| match member(text, key)? {
        Some(value) => plain_text(value),
        None => Ok(None),
    })
}

/// A `jsonb` that is a scalar counts as an array of one element here, as it does in PostgreSQL.
fn indexed<'a>(call: &Call, text: &'a str, position: i32) -> Result<Option<&'a str>> {
    let scalar = !matches!(Lexer::new(text).token()?, Token::ArrayStart | Token::ObjectStart);
    if scalar && call.types.first().is_some_and(|ty| ty.oid == JSONB) {
        return Ok(Some(text).filter(|_| matches!(position, 0 | -1)));
    }
    element_at(text, i64::from(position))
}

fn element(call: &Call) -> Result<ArrayRef> {
    call.map2(|text: &str, position: i32| indexed(call, text, position).map(|found| found.map(str::to_owned)))
}

fn element_text(call: &Call) -> Result<ArrayRef> {
    call.map2(|text: &str, position: i32| -> Result<Option<String>> {
        let Some(value) = indexed(call, text, position)? else { return Ok(None) };
        Ok(plain_text(value)?.map(Cow::into_owned))
    })
}

fn type_of(call: &Call) -> Result<ArrayRef> {
    call.map1(lexer::kind)
}

pub(super) fn array_length(call: &Call) -> Result<ArrayRef> {
    call.map1(length)
}

pub(super) fn length(text: &str) -> Result<i32> {
    let error = |what: &str| PgError::invalid_parameter(format!("cannot get array length of a {what}"));
    match lexer::kind(text)? {
        "array" => {
            let mut count = 0i32;
            for element in ElementSpans::read_by(Lexer::of_structure(text))? {
                element?;
                count = count.saturating_add(1);
            }
            Ok(count)
        }
        "object" => Err(error("non-array")),
        _ => Err(error("scalar")),
    }
}
