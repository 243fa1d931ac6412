//! The numbers of relations, schemas and roles from their names, as `regclass` and its kin read them (`regproc.c`).

use catalog::name::{IDENTIFIER_BYTES_MAX, fold_identifier};

use super::scalars;
use super::type_name::type_number;
use crate::error::{PgError, Result};
use crate::names::{self, Names, PG_CATALOG};
use crate::recorded;
use crate::sqlstate::SqlState;

/// The number that a text is, if it is one; 0 for `-`.
fn written_number(text: &str) -> Option<Result<u32>> {
    if text == "-" {
        return Some(Ok(0));
    }
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| scalars::oid(text).map_err(PgError::from))
}

/// The parts of a qualified name (`SplitIdentifierString`): what stands between dots, in lower case unless it is quoted.
pub(super) fn parts(text: &str) -> Result<Vec<String>> {
    split(text).ok_or_else(|| PgError::new(SqlState::INVALID_NAME, "invalid name syntax"))
}

fn split(text: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    loop {
        let (part, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_part(quoted)?,
            None => {
                let end = rest.find(|c: char| c == '.' || is_space(c)).unwrap_or(rest.len());
                (Some(fold_identifier(&rest[..end])).filter(|part| !part.is_empty())?, &rest[end..])
            }
        };
        parts.push(cut(part));
        rest = after.trim_start_matches(is_space);
        match rest.strip_prefix('.') {
            Some(next) => rest = next.trim_start_matches(is_space),
            None => return rest.is_empty().then_some(parts),
        }
    }
}

/// What stands up to the closing quote, and what follows it; a quote within is doubled.
fn quoted_part(quoted: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = quoted;
    loop {
        let (before, after) = rest.split_once('"')?;
        part.push_str(before);
        match after.strip_prefix('"') {
            Some(after) => {
                part.push('"');
                rest = after;
            }
            None => return Some((part, after)),
        }
    }
}

fn cut(mut part: String) -> String {
    let mut end = part.len().min(IDENTIFIER_BYTES_MAX);
    while !part.is_char_boundary(end) {
        end -= 1;
    }
    part.truncate(end);
    part
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t'..='\r')
}

fn known<T>(find: impl FnOnce(&Names) -> Option<T>) -> Option<T> {
    names::current().and_then(|names| find(&names))
}

/// The number of a relation.
///
/// # Errors
/// 42P01 when there is none of this name, 42602 when it is no name.
pub fn relation_number(text: &str) -> Result<u32> {
    if let Some(number) = written_number(text) {
        return number;
    }
    must_named_relation(text)
}

/// The number of a relation by its name only.
///
/// # Errors
/// 42P01 when there is none of this name, 3F000 when its schema is not there, 42602 when it is no name.
pub fn must_named_relation(text: &str) -> Result<u32> {
    if let Some(number) = named_relation(text)? {
        return Ok(number);
    }
    let parts = parts(text)?;
    if let Some(schema) = known(|names| names.missing_schema(&parts).map(str::to_owned)) {
        return Err(PgError::new(SqlState::INVALID_SCHEMA_NAME, format!("schema \"{schema}\" does not exist")));
    }
    let message = format!("relation \"{}\" does not exist", parts.join("."));
    Err(PgError::new(SqlState::UNDEFINED_TABLE, message))
}

/// The number of a relation by its name only; `None` when there is none.
///
/// # Errors
/// 42602 when it is no name, 0A000 for a name in another database.
pub fn named_relation(text: &str) -> Result<Option<u32>> {
    let parts = parts(text)?;
    if parts.len() > 3 {
        let message = format!("improper relation name (too many dotted names): {}", parts.join("."));
        return Err(PgError::new(SqlState::SYNTAX_ERROR, message));
    }
    if let [database, ..] = parts.as_slice()
        && parts.len() == 3
        && known(|names| Some(names.is_database(database))) == Some(false)
    {
        let message = format!("cross-database references are not implemented: \"{}\"", parts.join("."));
        return Err(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
    }
    Ok(known(|names| names.relation_number(&parts)))
}

/// The number of a function (`regprocin`).
///
/// # Errors
/// 42883 when there is none of this name, 42725 when there are several, 42602 when it is no name.
pub fn function_number(text: &str) -> Result<u32> {
    if let Some(number) = written_number(text) {
        return number;
    }
    let parts = parts(text)?;
    let found = match parts.as_slice() {
        [name] => recorded::functions_named(name),
        [schema, name] if schema == PG_CATALOG => recorded::functions_named(name),
        _ => &[],
    };
    match found {
        [number] => Ok(*number),
        [] => {
            let message = format!("function \"{text}\" does not exist");
            Err(PgError::new(SqlState::UNDEFINED_FUNCTION, message))
        }
        _ => {
            let message = format!("more than one function named \"{text}\"");
            Err(PgError::new(SqlState::AMBIGUOUS_FUNCTION, message))
        }
    }
}

/// The number of a function with these types of arguments (`regprocedurein`).
///
/// # Errors
/// 42883 when there is none, 42704 when a type is not there, 22P02 when it is not written so.
pub fn procedure_number(text: &str) -> Result<u32> {
    if let Some(number) = written_number(text) {
        return number;
    }
    let expected = |what: &str| PgError::new(SqlState::INVALID_TEXT_REPRESENTATION, format!("expected a {what}"));
    let open = outside_quotes(text, '(').next().ok_or_else(|| expected("left parenthesis"))?;
    let arguments = text[open + 1..].trim_end_matches(is_space);
    let arguments = arguments.strip_suffix(')').ok_or_else(|| expected("right parenthesis"))?;
    let types = types_in(arguments).ok_or_else(|| expected("type name"))?;
    let types = types.into_iter().map(type_number).collect::<Result<Vec<_>>>()?;
    let parts = parts(&text[..open])?;
    let named = match parts.as_slice() {
        [name] => recorded::functions_named(name),
        [schema, name] if schema == PG_CATALOG => recorded::functions_named(name),
        _ => &[],
    };
    let found = named.iter().find(|number| recorded::function_arguments(**number) == Some(types.as_slice()));
    let missing = || PgError::new(SqlState::UNDEFINED_FUNCTION, format!("function \"{text}\" does not exist"));
    found.copied().ok_or_else(missing)
}

/// Where a character stands outside of quotes.
fn outside_quotes(text: &str, wanted: char) -> impl Iterator<Item = usize> {
    let mut quoted = false;
    text.char_indices().filter_map(move |(place, c)| {
        quoted ^= c == '"';
        (c == wanted && !quoted).then_some(place)
    })
}

/// The types of a list. Commas between parentheses are those of a type's modifier.
fn types_in(list: &str) -> Option<Vec<&str>> {
    if list.trim_matches(is_space).is_empty() {
        return Some(Vec::new());
    }
    let (mut types, mut start) = (Vec::new(), 0);
    let is_inside = |place: usize| {
        let before = &list[..place];
        outside_quotes(before, '(').count() > outside_quotes(before, ')').count()
    };
    let commas: Vec<_> = outside_quotes(list, ',').filter(|place| !is_inside(*place)).collect();
    for end in commas.into_iter().chain([list.len()]) {
        types.push(list[start..end].trim_matches(is_space));
        start = end + 1;
    }
    types.iter().all(|ty| !ty.is_empty()).then_some(types)
}

/// The number of a schema.
///
/// # Errors
/// 3F000 when there is none of this name, 42602 when it is no name.
pub fn schema_number(text: &str) -> Result<u32> {
    if let Some(number) = written_number(text) {
        return number;
    }
    let name = single(text)?;
    named_schema(text)?
        .ok_or_else(|| PgError::new(SqlState::INVALID_SCHEMA_NAME, format!("schema \"{name}\" does not exist")))
}

/// The number of a schema by its name only.
///
/// # Errors
/// 42602 when it is no name.
pub fn named_schema(text: &str) -> Result<Option<u32>> {
    let name = single(text)?;
    Ok(known(|names| names.schema_number(&name)))
}

/// The number of a role.
///
/// # Errors
/// 42704 when there is none of this name, 42602 when it is no name.
pub fn role_number(text: &str) -> Result<u32> {
    if let Some(number) = written_number(text) {
        return number;
    }
    let name = single(text)?;
    named_role(text)?.ok_or_else(|| PgError::new(SqlState::UNDEFINED_OBJECT, format!("role \"{name}\" does not exist")))
}

/// The number of a role by its name only.
///
/// # Errors
/// 42602 when it is no name.
pub fn named_role(text: &str) -> Result<Option<u32>> {
    let name = single(text)?;
    Ok(known(|names| names.role_number(&name)))
}

/// A name that has no parts.
fn single(text: &str) -> Result<String> {
    match <[String; 1]>::try_from(parts(text)?) {
        Ok([name]) => Ok(name),
        Err(_) => Err(PgError::new(SqlState::INVALID_NAME, "invalid name syntax")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_qualified_name_is_taken_apart() {
        for (text, expected) in [
            ("t", Some(vec!["t"])),
            (" S . \"T x\" ", Some(vec!["s", "T x"])),
            ("\"a\"\"b\".c", Some(vec!["a\"b", "c"])),
            ("1", Some(vec!["1"])),
            ("a b", None),
            ("", None),
            ("a.", None),
            ("\"", None),
        ] {
            let found = split(text);
            assert_eq!(found.as_ref().map(|it| it.iter().map(String::as_str).collect()), expected, "{text}");
        }
    }
}
