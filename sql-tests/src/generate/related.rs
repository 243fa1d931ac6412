//! The tables of queries of queries: few values, so that joins find something, many NULLs, and a table without rows.

use super::scope::Kind;

/// A table.
#[derive(Clone, Debug)]
pub struct RelatedTable {
    /// Its name.
    pub name: &'static str,
    /// Its columns.
    pub columns: Vec<(String, Kind)>,
}

/// Name, definition and rows of each table.
const TABLES: [(&str, &str, &[&str]); 5] = [
    (
        "r1",
        "a integer, b integer, s text",
        &["1, 2, 'a'", "2, NULL, 'b'", "NULL, 1, NULL", "0, 0, ''", "3, 4, 'a'", "1, 2, 'ab'", "4, NULL, NULL"],
    ),
    (
        "r2",
        "a integer, d integer, s text",
        &["1, 1, 'b'", "1, NULL, 'a'", "2, 3, NULL", "NULL, 0, 'a'", "NULL, NULL, 'ab'", "5, 1, ''"],
    ),
    (
        "r3",
        "b bigint, d integer NOT NULL, e boolean",
        &["2, 1, true", "NULL, 3, false", "0, 0, NULL", "2, 1, true", "4, 2, NULL"],
    ),
    ("r4", "a integer, e boolean, s text", &[]),
    (
        "r5",
        "k integer PRIMARY KEY, a integer, s text NOT NULL",
        &["0, 1, 'a'", "1, NULL, 'b'", "2, 2, 'a'", "3, 1, ''", "4, 0, 'ab'"],
    ),
];

/// The tables.
pub fn related_tables() -> Vec<RelatedTable> {
    let table = |(name, definition, _): &(&'static str, &str, _)| {
        let columns = definition.split(", ").filter_map(|column| {
            let (column, type_name) = column.split_once(' ')?;
            let kind = match type_name.split(' ').next()? {
                "text" => Kind::Text,
                "boolean" => Kind::Boolean,
                _ => Kind::Number,
            };
            Some((column.to_owned(), kind))
        });
        RelatedTable { name, columns: columns.collect() }
    };
    TABLES.iter().map(table).collect()
}

/// The statements that make them.
pub fn related_statements() -> Vec<String> {
    let mut statements = Vec::new();
    for (name, definition, rows) in TABLES {
        statements.push(format!("CREATE TABLE {name} ({definition})"));
        if !rows.is_empty() {
            statements.push(format!("INSERT INTO {name} VALUES ({})", rows.join("), (")));
        }
    }
    statements
}
