//! JSON written anew: without its nulls, or with a line for everything.

use arrow::array::ArrayRef;

use super::access::{ElementSpans, Pairs};
use super::lexer::{self, Lexer, Token};
use super::value::{Json, capped};
use crate::error::Result;
use crate::function::{Call, Function, function};
use crate::types::*;

pub(super) static FUNCTIONS: &[Function] = &[
    function("json_strip_nulls", &[JSON], JSON, strip_json),
    function("jsonb_strip_nulls", &[JSONB], JSONB, strip_jsonb),
    function("jsonb_pretty", &[JSONB], TEXT, pretty),
];

fn strip_json(call: &Call) -> Result<ArrayRef> {
    call.map1(|text: &str| -> Result<String> {
        lexer::check_json(text)?;
        let mut out = String::with_capacity(text.len());
        write_without_nulls(text, &mut out)?;
        Ok(out)
    })
}

/// Fields that are null are left out, elements that are null stay. The depth is limited by whoever read the value.
fn write_without_nulls(text: &str, out: &mut String) -> Result<()> {
    match Lexer::new(text).token()? {
        Token::ObjectStart => {
            out.push('{');
            let start = out.len();
            for pair in Pairs::new(text)? {
                let (key, value) = pair?;
                if value == "null" {
                    continue;
                }
                if out.len() > start {
                    out.push(',');
                }
                lexer::quote(&lexer::unescape(key)?, out);
                out.push(':');
                write_without_nulls(value, out)?;
            }
            out.push('}');
        }
        Token::ArrayStart => {
            out.push('[');
            for (position, element) in ElementSpans::new(text)?.enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_without_nulls(element?, out)?;
            }
            out.push(']');
        }
        Token::String(quoted) => lexer::quote(&lexer::unescape(quoted)?, out),
        _ => out.push_str(Lexer::new(text).value()?),
    }
    Ok(())
}

fn strip_jsonb(call: &Call) -> Result<ArrayRef> {
    call.map1(|text: &str| -> Result<String> { Ok(without_nulls(Json::parse(text)?).text()) })
}

fn without_nulls(json: Json<'_>) -> Json<'_> {
    match json {
        Json::Array(elements) => Json::Array(elements.into_iter().map(without_nulls).collect()),
        Json::Object(pairs) => {
            let kept = pairs.into_iter().filter(|(_, value)| !matches!(value, Json::Null));
            Json::Object(kept.map(|(key, value)| (key, without_nulls(value))).collect())
        }
        scalar => scalar,
    }
}

fn pretty(call: &Call) -> Result<ArrayRef> {
    call.map1(|text: &str| -> Result<String> {
        let mut out = String::new();
        write_pretty(&Json::parse(text)?, 0, &mut out);
        capped(out)
    })
}

fn new_line(depth: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n("    ", depth));
}

fn write_pretty(json: &Json<'_>, depth: usize, out: &mut String) {
    match json {
        Json::Array(elements) => {
            out.push('[');
            for (position, element) in elements.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                new_line(depth + 1, out);
                write_pretty(element, depth + 1, out);
            }
            new_line(depth, out);
            out.push(']');
        }
        Json::Object(pairs) => {
            out.push('{');
            for (position, (key, value)) in pairs.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                new_line(depth + 1, out);
                lexer::quote(key, out);
                out.push_str(": ");
                write_pretty(value, depth + 1, out);
            }
            new_line(depth, out);
            out.push('}');
        }
        scalar => scalar.write(out),
    }
}

/// The text without the blanks between its tokens.
pub(super) fn compact(text: &str) -> Result<String> {
    let mut lexer = Lexer::new(text);
    let mut out = String::with_capacity(text.len());
    while lexer.token()? != Token::End {
        out.push_str(lexer.since(lexer.token_start()));
    }
    Ok(out)
}
