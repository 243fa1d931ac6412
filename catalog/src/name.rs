//! Names and numbers of objects.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::keywords::KEYWORDS;

/// Longest identifier in bytes (`NAMEDATALEN - 1`); PostgreSQL cuts longer ones.
pub const IDENTIFIER_BYTES_MAX: usize = 63;

/// The number by which PostgreSQL's catalogs refer to an object; it never changes and is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Oid(pub u32);

/// First OID given to an object that a user creates, as in PostgreSQL (`FirstNormalObjectId`).
pub const FIRST_NORMAL_OID: Oid = Oid(16_384);

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the names of the schemas begin with that sessions have their temporary objects in. Nobody can make a schema of such
/// a name.
pub const TEMPORARY_SCHEMA_PREFIX: &str = "pg_temp_";

/// The full name of a relation: already folded, no quotes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectName {
    /// The schema it lives in.
    pub schema: String,
    /// Its own name, unique among the relations of the schema.
    pub name: String,
}

impl ObjectName {
    /// The name of `name` in `schema`.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        ObjectName { schema: schema.into(), name: name.into() }
    }

    /// Whether it is the name of a temporary object, which only one session sees.
    pub fn is_temporary(&self) -> bool {
        self.schema.starts_with(TEMPORARY_SCHEMA_PREFIX)
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", quote_identifier(&self.schema), quote_identifier(&self.name))
    }
}

/// Folds an identifier that was written without quotes, as PostgreSQL does: ASCII letters to lower case.
pub fn fold_identifier(identifier: &str) -> String {
    identifier.to_ascii_lowercase()
}

/// An identifier as it has to be written in SQL: quoted only where it would be another one, or a keyword (`quote_identifier`
/// in PostgreSQL's `ruleutils.c`).
pub fn quote_identifier(identifier: &str) -> String {
    let mut characters = identifier.chars();
    let plain = characters.next().is_some_and(|c| c == '_' || c.is_ascii_lowercase())
        && characters.all(|c| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit())
        && KEYWORDS.binary_search(&identifier).is_err();
    if plain { identifier.to_owned() } else { format!("\"{}\"", identifier.replace('"', "\"\"")) }
}

/// A string constant as it has to be written in SQL.
pub fn quote_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_in_order() {
        assert!(KEYWORDS.is_sorted());
    }

    #[test]
    fn identifiers_are_quoted_only_where_folding_would_change_them() {
        for (identifier, written) in [
            ("sales", "sales"),
            ("_a1", "_a1"),
            ("a$1", "\"a$1\""),
            ("order", "\"order\""),
            ("sort", "sort"),
            ("Sales", "\"Sales\""),
            ("1st", "\"1st\""),
            ("a\"b", "\"a\"\"b\""),
            ("", "\"\""),
        ] {
            assert_eq!(quote_identifier(identifier), written);
        }
    }
}
