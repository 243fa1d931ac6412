//! The number of a type from its name, as `regtype` reads it: the names and aliases of PostgreSQL's built-in types, with
//! modifiers (which are ignored), arrays, and numbers.

use crate::error::{PgError, Result};
use crate::sqlstate::SqlState;
use crate::types;

/// Names beside those that `format_type` prints: the names in `pg_type`, and the ones that only the grammar knows.
const ALIASES: &[(&str, u32)] = &[
    ("bool", types::BOOL),
    ("int8", types::INT8),
    ("int2", types::INT2),
    ("int4", types::INT4),
    ("int", types::INT4),
    ("float4", types::FLOAT4),
    ("float8", types::FLOAT8),
    ("float", types::FLOAT8),
    ("decimal", types::NUMERIC),
    ("dec", types::NUMERIC),
    ("varchar", types::VARCHAR),
    ("char varying", types::VARCHAR),
    ("bpchar", types::BPCHAR),
    ("char", types::BPCHAR),
    ("nchar", types::BPCHAR),
    ("time", types::TIME),
    ("timetz", types::TIMETZ),
    ("timestamp", types::TIMESTAMP),
    ("timestamptz", types::TIMESTAMPTZ),
];

/// The number of the type with this name; 0 for `-`.
///
/// # Errors
/// 42704 when there is no such type, 42601 when it is no name.
pub fn type_number(text: &str) -> Result<u32> {
    if text == "-" {
        return Ok(0);
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return super::scalars::oid(text).map_err(PgError::from);
    }
    let name = text.trim_matches([' ', '\t', '\n', '\r']);
    if name.is_empty() {
        return Err(PgError::new(SqlState::SYNTAX_ERROR, format!("invalid type name \"{text}\"")));
    }
    let (name, is_array) = match name.strip_suffix(']').and_then(|array| array.trim_end().split_once('[')) {
        Some((element, length)) if length.trim().bytes().all(|byte| byte.is_ascii_digit()) => (element, true),
        _ => (name, false),
    };
    let number = named(name.trim_end()).or_else(|| of_user(name.trim_end()));
    let number = if is_array { number.and_then(types::array_type) } else { number };
    number.ok_or_else(|| PgError::new(SqlState::UNDEFINED_OBJECT, format!("type \"{text}\" does not exist")))
}

/// The number of a type that a user has made, or of the rows of a table.
fn of_user(written: &str) -> Option<u32> {
    let parts = super::object_name::parts(written).ok()?;
    crate::names::current()?.type_named(&parts)
}

fn named(written: &str) -> Option<u32> {
    let lower = written.to_ascii_lowercase();
    let qualified = lower.strip_prefix("pg_catalog.");
    if written.contains('"') {
        let parts = super::object_name::parts(written).ok()?;
        let name = match parts.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [name] | ["pg_catalog", name] => (*name).to_owned(),
            _ => return None,
        };
        return if name == "char" { Some(types::CHAR) } else { catalog_name(&name) };
    }
    let words: Vec<_> =
        without_modifier(qualified.unwrap_or(&lower)).split_ascii_whitespace().map(str::to_owned).collect();
    let name = words.join(" ");
    // With its schema, `char` is the type of one byte.
    match (qualified, name.as_str()) {
        (Some(_), "char") => Some(types::CHAR),
        _ => catalog_name(&name),
    }
}

fn catalog_name(name: &str) -> Option<u32> {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, number)| *number);
    let number = alias.or_else(|| types::number_of_name(name));
    number.or_else(|| catalog_name(name.strip_prefix('_')?).and_then(types::array_type))
}

/// `timestamp(3) with time zone` as `timestamp with time zone`.
fn without_modifier(name: &str) -> String {
    match (name.find('('), name.rfind(')')) {
        (Some(open), Some(close)) if open < close => format!("{}{}", &name[..open], &name[close + 1..]),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_aliases_arrays_and_numbers_are_found() {
        for (name, expected) in [
            ("int4", types::INT4),
            ("INT", types::INT4),
            ("integer", types::INT4),
            ("double  precision", types::FLOAT8),
            ("text[]", types::TEXT_ARRAY),
            ("_int4", types::INT4_ARRAY),
            ("pg_catalog.int4", types::INT4),
            ("23", types::INT4),
            ("-", 0),
            ("varchar(3)", types::VARCHAR),
            ("\"char\"", types::CHAR),
            ("char", types::BPCHAR),
            ("pg_catalog.char", types::CHAR),
            ("numeric(3,2)[]", types::NUMERIC_ARRAY),
            ("timestamp(3) with time zone", types::TIMESTAMPTZ),
            ("void", types::VOID),
        ] {
            assert_eq!(type_number(name), Ok(expected), "{name}");
        }
        let missing = PgError::new(SqlState::UNDEFINED_OBJECT, "type \"nosuch\" does not exist");
        assert_eq!(type_number("nosuch"), Err(missing));
        assert_eq!(type_number("").map_err(|error| error.sqlstate), Err(SqlState::SYNTAX_ERROR));
    }
}
