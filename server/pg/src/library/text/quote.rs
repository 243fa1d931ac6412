//! Values as they are written in SQL.

use arrow::array::ArrayRef;
pub use catalog::name::quote_identifier as identifier;

use super::by_row;
use super::concat::Texts;
use crate::error::Result;
use crate::function::{Call, Function, function};
use crate::types::*;

pub(super) static FUNCTIONS: &[Function] = &[
    function("quote_ident", &[TEXT], TEXT, |call| call.map1(|name: &str| identifier(name))),
    function("quote_literal", &[TEXT], TEXT, |call| call.map1(literal)),
    function("quote_literal", &[ANYELEMENT], TEXT, |call| any_literal(call, None)).stable(),
    function("quote_nullable", &[TEXT], TEXT, |call| call.map1(nullable)),
    function("quote_nullable", &[ANYELEMENT], TEXT, |call| any_literal(call, Some("NULL"))).stable(),
];

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
