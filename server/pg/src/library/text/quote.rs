//! Values as they are written in SQL.

use arrow::array::ArrayRef;

use super::by_row;
use super::concat::Texts;
use crate::error::Result;
use crate::function::{Call, Function, function};
use crate::types::*;

pub(super) static FUNCTIONS: &[Function] = &[
    function("quote_ident", &[TEXT], TEXT, |call| call.map1(identifier)),
    function("quote_literal", &[TEXT], TEXT, |call| call.map1(literal)),
    function("quote_literal", &[ANYELEMENT], TEXT, |call| any_literal(call, None)).stable(),
    function("quote_nullable", &[TEXT], TEXT, |call| call.map1(nullable)),
    function("quote_nullable", &[ANYELEMENT], TEXT, |call| any_literal(call, Some("NULL"))).stable(),
];

/// Words of the grammar that are no names on their own (`pg_get_keywords()` but for category U), in their order.
const KEYWORDS: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

/// A name, in quotation marks when it needs them.
pub fn identifier(name: &str) -> String {
    let mut characters = name.bytes();
    let starts = characters.next().is_some_and(|c| c.is_ascii_lowercase() || c == b'_');
    let plain = starts && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_');
    if plain && KEYWORDS.binary_search(&name).is_err() {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A string constant; one with a backslash is an escape string, so that it is right whatever
/// `standard_conforming_strings` says.
pub(super) fn literal(value: &str) -> String {
    let doubled = value.replace('\'', "''");
    if doubled.contains('\\') {
        return format!("E'{}'", doubled.replace('\\', "\\\\"));
    }
    format!("'{doubled}'")
}

fn nullable(value: Option<&str>) -> String {
    value.map_or_else(|| "NULL".to_owned(), literal)
}

/// The constant for a value of any type.
fn any_literal(call: &Call, of_null: Option<&str>) -> Result<ArrayRef> {
    let mut texts = Texts::cast(call, 0)?;
    by_row(call, |row| Ok(texts.get(row)?.map(literal).or_else(|| of_null.map(str::to_owned))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::call;

    fn check(name: &str, argument: (u32, Option<&str>), expected: Option<&str>) {
        assert_eq!(call(name, &[argument]), Ok(expected.map(str::to_owned)), "{name} {argument:?}");
    }

    #[test]
    fn keywords_are_in_order() {
        assert!(KEYWORDS.is_sorted());
    }

    #[test]
    fn what_needs_no_quotes_gets_none() {
        for (name, expected) in [
            ("select", "\"select\""),
            ("abc", "abc"),
            ("Abc", "\"Abc\""),
            ("a\"b", "\"a\"\"b\""),
            ("1a", "\"1a\""),
            ("", "\"\""),
            ("a1$", "\"a1$\""),
            ("name", "name"),
            ("é", "\"é\""),
        ] {
            check("quote_ident", (TEXT, Some(name)), Some(expected));
        }
    }

    #[test]
    fn literals_double_quotes_and_backslashes() {
        check("quote_literal", (TEXT, Some("a\\b'c")), Some("E'a\\\\b''c'"));
        check("quote_literal", (TEXT, None), None);
        check("quote_literal", (BOOL, Some("t")), Some("'true'"));
        check("quote_nullable", (TEXT, None), Some("NULL"));
        check("quote_nullable", (INT4, None), Some("NULL"));
        check("quote_nullable", (INT4, Some("42")), Some("'42'"));
    }
}
