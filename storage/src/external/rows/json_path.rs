//! Paths to values in JSON, as Redshift's COPY takes them: `$.name`, `$['name']`, `$.items[0]['sku']`.

use jiter::{Jiter, JiterError, Peek};
use serde::Deserialize;

use crate::error::{Error, Result};

/// A path to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// To the value of this key, in this very case.
    Key(String),
    /// To the element behind so many.
    Element(usize),
}

#[derive(Deserialize)]
struct PathsFile {
    jsonpaths: Vec<String>,
}

/// The paths that a file lists, `{"jsonpaths": ["$.id", …]}`, one for each column.
///
/// # Errors
/// It is none such.
pub(in crate::external) fn paths_in(file: &[u8], url: &str) -> Result<Vec<JsonPath>> {
    let invalid = |reason| Error::JsonPathsInvalid { path: url.to_owned(), reason };
    let file: PathsFile = serde_json::from_slice(file).map_err(|error| invalid(error.to_string()))?;
    let path = |text: &String| JsonPath::parse(text).ok_or_else(|| invalid(format!("\"{text}\" is no path")));
    file.jsonpaths.iter().map(path).collect()
}

impl JsonPath {
    fn parse(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix('$')?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, behind) = step(rest)?;
            steps.push(step);
            rest = behind;
        }
        Some(JsonPath(steps))
    }

    /// Goes to the value and looks at it; `None` when it is not there. What follows it has not been looked at.
    pub(super) fn find(&self, json: &mut Jiter<'_>) -> Result<Option<Peek>, JiterError> {
        let mut peek = json.peek()?;
        for step in &self.0 {
            let found = match step {
                Step::Key(name) if peek == Peek::Object => value_of(json, name)?,
                Step::Element(number) if peek == Peek::Array => element(json, *number)?,
                Step::Key(_) | Step::Element(_) => None,
            };
            match found {
                Some(found) => peek = found,
                None => return Ok(None),
            }
        }
        Ok(Some(peek))
    }
}

/// The step that a text begins with, and what follows it.
fn step(text: &str) -> Option<(Step, &str)> {
    if let Some(name) = text.strip_prefix('.') {
        let end = name.find(['.', '[']).unwrap_or(name.len());
        // `*` means all values in other dialects, and would be a key here.
        return (end > 0 && &name[..end] != "*").then(|| (Step::Key(name[..end].to_owned()), &name[end..]));
    }
    let inside = text.strip_prefix('[')?;
    for quote in ['\'', '"'] {
        if let Some(name) = inside.strip_prefix(quote) {
            let (name, behind) = name.split_once(quote)?;
            return Some((Step::Key(name.to_owned()), behind.strip_prefix(']')?));
        }
    }
    let (number, behind) = inside.split_once(']')?;
    Some((Step::Element(number.parse().ok()?), behind))
}

fn value_of(json: &mut Jiter<'_>, name: &str) -> Result<Option<Peek>, JiterError> {
    let mut is_it = json.known_object()?.map(|key| key == name);
    while let Some(found) = is_it {
        if found {
            return json.peek().map(Some);
        }
        json.next_skip()?;
        is_it = json.next_key()?.map(|key| key == name);
    }
    Ok(None)
}

fn element(json: &mut Jiter<'_>, number: usize) -> Result<Option<Peek>, JiterError> {
    let mut next = json.known_array()?;
    for _ in 0..number {
        let Some(peek) = next else { return Ok(None) };
        json.known_skip(peek)?;
        next = json.array_step()?;
    }
    Ok(next)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check(path: &str, expected: Option<&str>) {
        let json = br#"{"a": {"b": [1, {"c d": "x"}]}, "A": null, "e": true}"#;
        let mut reader = Jiter::new(json);
        let found = JsonPath::parse(path).unwrap().find(&mut reader).unwrap();
        let start = reader.current_index();
        let value = found.map(|peek| {
            reader.known_skip(peek).unwrap();
            String::from_utf8_lossy(reader.slice_to_current(start)).trim().to_owned()
        });
        assert_eq!(value.as_deref(), expected, "{path}");
    }

    #[test]
    fn paths_lead_to_values() {
        check("$.a.b[0]", Some("1"));
        check("$['a']['b'][1]['c d']", Some("\"x\""));
        check("$[\"e\"]", Some("true"));
        check("$.A", Some("null"));
        for nowhere in ["$.E", "$.a.b[2]", "$.a[0]", "$.e.f", "$[0]"] {
            check(nowhere, None);
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", "a", "$a", "$.", "$..a", "$[a]", "$['a", "$['a'", "$[-1]", "$.*"] {
            assert_eq!(JsonPath::parse(text), None, "{text}");
        }
        assert!(paths_in(b"{\"jsonpaths\": [\"$.a\", \"b\"]}", "u").is_err() && paths_in(b"[]", "u").is_err());
        assert_eq!(paths_in(b"{\"jsonpaths\": [\"$.a\"]}", "u").unwrap().len(), 1);
    }
}
