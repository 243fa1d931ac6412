//! What is in files of JSON objects: their keys, and the types of their values.
//!
//! All of it is found in a sample: whole numbers are `bigint` (or `numeric`, when one is larger), numbers with a point or an
//! exponent `double precision`, strings `text`, arrays and objects what they are made of. What is a string in one line and a
//! number or an object in another, arrays of arrays and objects without keys are `jsonb`, which keeps values as they are; and so
//! is an object with very many keys, which are somebody's data and no columns.

use catalog::{Compression, SqlType};
use jiter::{Jiter, JiterError, Peek};

use super::sample::{SAMPLE_ROWS_MAX, samples};
use crate::error::{Error, Result};
use crate::external::describe::{FoundType, place};
use crate::external::pinned_file::PinnedFile;

/// Keys of an object in a column. One with more is taken for a value.
const KEYS_MAX: usize = 500;
/// Objects and arrays inside each other. What is deeper is taken for a value.
const DEPTH_MAX: usize = 16;

/// What a query says of files of JSON objects.
#[derive(Debug, Clone, Default)]
pub struct JsonRequest {
    /// What the files are packed with, when their names do not tell.
    pub compression: Option<Compression>,
}

/// The columns of the files.
///
/// # Errors
/// The files cannot be read, or a line of the sample is no object.
pub(in crate::external) async fn sniffed(
    files: Vec<PinnedFile>,
    request: &JsonRequest,
) -> Result<Vec<(String, SqlType)>> {
    let samples = samples(files, request.compression).await?;
    let mut fields = Vec::new();
    let mut rows = 0;
    for sample in &samples {
        let mut lines: Vec<&[u8]> = sample.text.split_inclusive(|byte| *byte == b'\n').collect();
        if !sample.is_whole {
            lines.pop();
        }
        for (line, text) in (1..).zip(lines) {
            if rows == SAMPLE_ROWS_MAX {
                break;
            }
            if text.trim_ascii().is_empty() {
                continue;
            }
            add_line(&mut fields, text).map_err(|error| Error::LineInvalid {
                path: sample.path.clone(),
                line,
                reason: error.error_type.to_string(),
            })?;
            rows += 1;
        }
    }
    Ok(fields.into_iter().map(|(name, found)| (name, settled(found).sql_type())).collect())
}

fn add_line(fields: &mut Vec<(String, FoundType)>, line: &[u8]) -> Result<(), JiterError> {
    let mut json = Jiter::new(line);
    let first = json.next_object()?.map(str::to_owned);
    add_object(fields, &mut json, first, 0)?;
    json.finish()
}

/// Adds the values of an object, whose first key this is.
fn add_object(
    fields: &mut Vec<(String, FoundType)>,
    json: &mut Jiter<'_>,
    first: Option<String>,
    depth: usize,
) -> Result<(), JiterError> {
    let (mut key, mut number) = (first, 0);
    while let Some(name) = key {
        let peek = json.peek()?;
        let found = value_type(json, peek, depth + 1)?;
        // Most objects have the same keys in the same order.
        let is_next = fields.get(number).is_some_and(|(known, _)| *known == name);
        let known = if is_next { Some(number) } else { place(fields.iter().map(|(known, _)| known.as_str()), &name) };
        match known {
            Some(known) => {
                let before = std::mem::replace(&mut fields[known].1, FoundType::Unknown);
                fields[known].1 = merged(before, found);
            }
            None => fields.push((name, found)),
        }
        number += 1;
        key = json.next_key()?.map(str::to_owned);
    }
    Ok(())
}

fn value_type(json: &mut Jiter<'_>, peek: Peek, depth: usize) -> Result<FoundType, JiterError> {
    let begin = json.current_index();
    if peek == Peek::Array && depth < DEPTH_MAX {
        let mut element = FoundType::Unknown;
        let mut next = json.known_array()?;
        while let Some(peek) = next {
            element = merged(element, value_type(json, peek, depth + 1)?);
            next = json.array_step()?;
        }
        // PostgreSQL's arrays of arrays have to be rectangular, and nobody has said that these are.
        return Ok(if matches!(element, FoundType::List(_)) { jsonb() } else { FoundType::List(Box::new(element)) });
    }
    if peek == Peek::Object && depth < DEPTH_MAX {
        let mut fields = Vec::new();
        let first = json.known_object()?.map(str::to_owned);
        add_object(&mut fields, json, first, depth)?;
        return Ok(if fields.len() > KEYS_MAX { jsonb() } else { FoundType::Struct(fields) });
    }
    json.known_skip(peek)?;
    Ok(match peek {
        Peek::Null => FoundType::Unknown,
        Peek::True | Peek::False => FoundType::Single(SqlType::Boolean),
        Peek::String => FoundType::Single(SqlType::Text),
        Peek::Array | Peek::Object => jsonb(),
        _ => FoundType::Single(number_type(json.slice_to_current(begin))),
    })
}

fn number_type(digits: &[u8]) -> SqlType {
    let text = std::str::from_utf8(digits).unwrap_or_default().trim_ascii();
    if text.contains(['.', 'e', 'E']) {
        SqlType::Double
    } else if text.parse::<i64>().is_ok() {
        SqlType::BigInt
    } else {
        SqlType::Numeric(None)
    }
}

/// The type that takes the place of both; `jsonb` takes the place of all.
fn merged(first: FoundType, other: FoundType) -> FoundType {
    use FoundType::{List, Single, Struct, Unknown};
    match (first, other) {
        (Unknown, known) | (known, Unknown) => known,
        (Single(first), Single(other)) => Single(wider(first, other)),
        (List(first), List(other)) => match merged(*first, *other) {
            List(_) => jsonb(),
            element => List(Box::new(element)),
        },
        (Struct(mut fields), Struct(others)) => {
            for (number, (name, found)) in others.into_iter().enumerate() {
                let is_next = fields.get(number).is_some_and(|(known, _)| *known == name);
                let known = if is_next { Some(number) } else { place(fields.iter().map(|it| it.0.as_str()), &name) };
                match known {
                    Some(known) => {
                        let before = std::mem::replace(&mut fields[known].1, Unknown);
                        fields[known].1 = merged(before, found);
                    }
                    None => fields.push((name, found)),
                }
            }
            if fields.len() > KEYS_MAX { jsonb() } else { Struct(fields) }
        }
        _ => jsonb(),
    }
}

fn wider(first: SqlType, other: SqlType) -> SqlType {
    let is_number = |it: &SqlType| matches!(it, SqlType::BigInt | SqlType::Double | SqlType::Numeric(_));
    match (first, other) {
        (first, other) if first == other => first,
        (first, other) if !is_number(&first) || !is_number(&other) => SqlType::Jsonb,
        (SqlType::Double, _) | (_, SqlType::Double) => SqlType::Double,
        _ => SqlType::Numeric(None),
    }
}

fn jsonb() -> FoundType {
    FoundType::Single(SqlType::Jsonb)
}

/// What is known in the end: an object that never had a key is no struct.
fn settled(found: FoundType) -> FoundType {
    match found {
        FoundType::Struct(fields) if fields.is_empty() => jsonb(),
        FoundType::Struct(fields) => {
            FoundType::Struct(fields.into_iter().map(|(name, found)| (name, settled(found))).collect())
        }
        FoundType::List(element) => FoundType::List(Box::new(settled(*element))),
        other => other,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check(lines: &[&str], expected: &str) {
        let mut fields = Vec::new();
        for line in lines {
            add_line(&mut fields, line.as_bytes()).unwrap();
        }
        let shown = |(name, found): (String, FoundType)| format!("{name} {}", settled(found).sql_type());
        assert_eq!(fields.into_iter().map(shown).collect::<Vec<_>>().join(", "), expected);
    }

    #[test]
    fn lines_tell_columns() {
        check(&[r#"{"a": 1, "b": "x"}"#, r#"{"B": null, "c": true, "a": 2}"#], "a bigint, b text, c boolean");
        check(&[r#"{"a": 1}"#, r#"{"a": 1.5}"#], "a double precision");
        check(&[r#"{"a": 1}"#, r#"{"a": 12345678901234567890}"#], "a numeric");
        check(&[r#"{"a": null}"#], "a text");
        check(&[r#"{"a": [1, null]}"#, r#"{"a": []}"#, r#"{"a": [2.5]}"#], "a double precision[]");
        check(
            &[r#"{"a": {"b": 1, "c": []}}"#, r#"{"a": {"c": ["x"], "d": {}}}"#],
            "a struct<b:bigint,c:text[],d:jsonb>",
        );
        check(&[r#"{"a": [{"b": 1}, {"b": "x", "c": 2}]}"#], "a struct<b:jsonb,c:bigint>[]");
    }

    #[test]
    fn what_differs_is_kept_as_it_is() {
        check(&[r#"{"a": 1}"#, r#"{"a": "x"}"#], "a jsonb");
        check(&[r#"{"a": {"b": 1}}"#, r#"{"a": [1]}"#], "a jsonb");
        check(&[r#"{"a": [[1], [2, 3]]}"#], "a jsonb");
        check(&[r#"{"a": []}"#, r#"{"a": [[1]]}"#], "a jsonb");
        let keys: Vec<_> = (0..=KEYS_MAX).map(|key| format!("\"{key}\": 1")).collect();
        check(&[&format!("{{\"a\": {{{}}}}}", keys.join(", "))], "a jsonb");
        let deep = format!("{{\"a\": {}1{}}}", "{\"b\": ".repeat(40), "}".repeat(40));
        let mut fields = Vec::new();
        add_line(&mut fields, deep.as_bytes()).unwrap();
        assert!(fields.remove(0).1.sql_type().to_string().contains("jsonb"));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for line in ["[1]", "1", "{\"a\": }", "{\"a\": 1} x", "{"] {
            assert!(add_line(&mut Vec::new(), line.as_bytes()).is_err(), "{line}");
        }
    }
}
