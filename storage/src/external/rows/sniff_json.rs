//! What is in files of JSON objects: their keys, and the types of their values.
//!
//! All of it is found in a sample: whole numbers are `bigint` (or `numeric`, when one is larger), numbers with a point or an
//! exponent `double precision`, strings `text`, arrays and objects what they are made of. What is a string in one line and a
//! number or an object in another, arrays of arrays and objects without keys are `jsonb`, which keeps values as they are; and so
//! is an object with very many keys, which are somebody's data and no columns.

use std::collections::HashMap;

use catalog::types::StructField;
use catalog::{Compression, SqlType};
use jiter::{Jiter, JiterError, Peek};

use super::sample::{SAMPLE_ROWS_MAX, first_line_too_long, samples};
use crate::error::{Error, Result};
use crate::external::describe::COLUMNS_MAX;
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

/// What values have been seen in a place.
enum Seen {
    /// None but NULL.
    Nothing,
    Single(SqlType),
    List(Box<Seen>),
    Object(Keys),
}

/// The keys of objects, in the order in which they were seen, and where each is by its name in lower case. No key is added
/// behind the one that is one too many, and none is looked for: a line can have very many.
struct Keys {
    seen: Vec<(String, Seen)>,
    places: HashMap<String, usize>,
    keys_max: usize,
}

/// The columns of the files.
///
/// # Errors
/// The files cannot be read, or a line of the sample is no object or none that ends in it.
pub(in crate::external) async fn sniffed(
    files: Vec<PinnedFile>,
    request: &JsonRequest,
) -> Result<Vec<(String, SqlType)>> {
    let samples = samples(files, request.compression).await?;
    let mut columns = Keys::new(COLUMNS_MAX);
    let mut rows = 0;
    for sample in &samples {
        let mut lines: Vec<&[u8]> = sample.text.split_inclusive(|byte| *byte == b'\n').collect();
        if !sample.is_whole {
            lines.pop();
        }
        for (line, text) in (1..).zip(lines) {
            if rows == SAMPLE_ROWS_MAX || columns.are_too_many() {
                break;
            }
            if text.trim_ascii().is_empty() {
                continue;
            }
            columns.add_line(text).map_err(|error| Error::LineInvalid {
                path: sample.path.clone(),
                line,
                reason: error.error_type.to_string(),
            })?;
            rows += 1;
        }
    }
    match first_line_too_long(&samples) {
        Some(error) if rows == 0 => Err(error),
        _ => Ok(columns.seen.into_iter().map(|(name, seen)| (name, seen.sql_type())).collect()),
    }
}

impl Keys {
    fn new(keys_max: usize) -> Self {
        Keys { seen: Vec::new(), places: HashMap::new(), keys_max }
    }

    fn are_too_many(&self) -> bool {
        self.seen.len() > self.keys_max
    }

    fn add_line(&mut self, line: &[u8]) -> Result<(), JiterError> {
        let mut json = Jiter::new(line);
        let first = json.next_object()?.map(str::to_owned);
        self.add_object(&mut json, first, 0)?;
        json.finish()
    }

    /// Adds the values of an object, whose first key this is.
    fn add_object(&mut self, json: &mut Jiter<'_>, first: Option<String>, depth: usize) -> Result<(), JiterError> {
        let (mut key, mut number) = (first, 0);
        while let Some(name) = key {
            let peek = json.peek()?;
            match self.are_too_many() {
                true => json.known_skip(peek)?,
                false => self.add(number, name, value_type(json, peek, depth + 1)?),
            }
            number += 1;
            key = json.next_key()?.map(str::to_owned);
        }
        Ok(())
    }

    /// Adds what was seen under the key that stands there in its object.
    fn add(&mut self, number: usize, name: String, value: Seen) {
        if self.are_too_many() {
            return;
        }
        // Most objects have the same keys in the same order.
        if let Some((known, seen)) = self.seen.get_mut(number)
            && *known == name
        {
            return seen.add(value);
        }
        let next = self.seen.len();
        match *self.places.entry(name.to_lowercase()).or_insert(next) {
            known if known < next => self.seen[known].1.add(value),
            _ => self.seen.push((name, value)),
        }
    }
}

fn value_type(json: &mut Jiter<'_>, peek: Peek, depth: usize) -> Result<Seen, JiterError> {
    let begin = json.current_index();
    if peek == Peek::Array && depth < DEPTH_MAX {
        let mut element = Seen::Nothing;
        let mut next = json.known_array()?;
        while let Some(peek) = next {
            element.add(value_type(json, peek, depth + 1)?);
            next = json.array_step()?;
        }
        // PostgreSQL's arrays of arrays have to be rectangular, and nobody has said that these are.
        return Ok(if matches!(element, Seen::List(_)) { Seen::jsonb() } else { Seen::List(Box::new(element)) });
    }
    if peek == Peek::Object && depth < DEPTH_MAX {
        let mut keys = Keys::new(KEYS_MAX);
        let first = json.known_object()?.map(str::to_owned);
        keys.add_object(json, first, depth)?;
        return Ok(if keys.are_too_many() { Seen::jsonb() } else { Seen::Object(keys) });
    }
    json.known_skip(peek)?;
    Ok(match peek {
        Peek::Null => Seen::Nothing,
        Peek::True | Peek::False => Seen::Single(SqlType::Boolean),
        Peek::String => Seen::Single(SqlType::Text),
        Peek::Array | Peek::Object => Seen::jsonb(),
        _ => Seen::Single(number_type(json.slice_to_current(begin))),
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

impl Seen {
    fn jsonb() -> Self {
        Seen::Single(SqlType::Jsonb)
    }

    /// Becomes what takes the place of both; `jsonb` takes the place of all.
    fn add(&mut self, other: Seen) {
        *self = match (std::mem::replace(self, Seen::Nothing), other) {
            (Seen::Nothing, known) | (known, Seen::Nothing) => known,
            (Seen::Single(first), Seen::Single(other)) => Seen::Single(wider(first, other)),
            (Seen::List(mut element), Seen::List(other)) => {
                element.add(*other);
                if matches!(*element, Seen::List(_)) { Seen::jsonb() } else { Seen::List(element) }
            }
            (Seen::Object(mut keys), Seen::Object(others)) => {
                for (number, (name, seen)) in others.seen.into_iter().enumerate() {
                    keys.add(number, name, seen);
                }
                if keys.are_too_many() { Seen::jsonb() } else { Seen::Object(keys) }
            }
            _ => Seen::jsonb(),
        };
    }

    /// The type of the column; `text` when nothing is known. An object that never had a key is no struct.
    fn sql_type(self) -> SqlType {
        match self {
            Seen::Nothing => SqlType::Text,
            Seen::Single(sql_type) => sql_type,
            Seen::List(element) => SqlType::array_of(element.sql_type()),
            Seen::Object(keys) if keys.seen.is_empty() => SqlType::Jsonb,
            Seen::Object(keys) => {
                let field = |(name, seen): (String, Seen)| StructField { name, sql_type: seen.sql_type() };
                SqlType::Struct(keys.seen.into_iter().map(field).collect())
            }
        }
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn keys(lines: &[&str]) -> Keys {
        let mut keys = Keys::new(COLUMNS_MAX);
        for line in lines {
            keys.add_line(line.as_bytes()).unwrap();
        }
        keys
    }

    fn check(lines: &[&str], expected: &str) {
        let shown = |(name, seen): (String, Seen)| format!("{name} {}", seen.sql_type());
        assert_eq!(keys(lines).seen.into_iter().map(shown).collect::<Vec<_>>().join(", "), expected);
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
        assert!(self::keys(&[&deep]).seen.remove(0).1.sql_type().to_string().contains("jsonb"));
    }

    /// Each of these takes minutes when every key is compared with all others.
    #[test]
    fn very_many_keys_are_not_compared_with_each_other() {
        let object = |keys: std::ops::Range<usize>| {
            let keys: Vec<_> = keys.map(|key| format!("\"É{key}\": 1")).collect();
            format!("{{{}}}", keys.join(", "))
        };
        assert_eq!(keys(&[&object(0..500_000)]).seen.len(), COLUMNS_MAX + 1);
        check(&[&format!("{{\"a\": {}}}", object(0..500_000))], "a jsonb");
        let backwards: Vec<_> = (0..500).rev().map(|key| object(key..key + 1).to_lowercase()).collect();
        let many = format!("{{\"a\": [{}, {}]}}", object(0..500), vec![backwards.join(", "); 500].join(", "));
        let Seen::List(element) = keys(&[&many]).seen.remove(0).1 else { panic!() };
        assert!(matches!(*element, Seen::Object(keys) if keys.seen.len() == 500));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for line in ["[1]", "1", "{\"a\": }", "{\"a\": 1} x", "{"] {
            assert!(Keys::new(COLUMNS_MAX).add_line(line.as_bytes()).is_err(), "{line}");
        }
    }
}
