//! `parse_ident`: a qualified name taken apart.

use crate::error::{PgError, Result};
use crate::function::{Function, function};
use crate::types::*;

pub(super) static FUNCTIONS: &[Function] = &[
    function("parse_ident", &[TEXT], TEXT_ARRAY, |call| call.map1(|s: &str| parts(s, true))),
    function("parse_ident", &[TEXT, BOOL], TEXT_ARRAY, |call| call.map2(parts)),
];

/// The parts of a name, those without quotes in lower case. What follows the last is an error when strict.
fn parts(qualified: &str, strict: bool) -> Result<Vec<Option<String>>> {
    let invalid = || PgError::invalid_parameter(format!("string is not a valid identifier: \"{qualified}\""));
    let mut parts = Vec::new();
    let mut rest = skip_space(qualified);
    loop {
        let (part, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let unclosed = || invalid().with_detail("String has unclosed double quotes.");
                quoted_part(quoted).ok_or_else(unclosed)?
            }
            None => plain_part(rest),
        };
        if part.is_empty() {
            return Err(if rest.starts_with('"') {
                invalid().with_detail("Quoted identifier must not be empty.")
            } else if !parts.is_empty() {
                invalid().with_detail("No valid identifier after \".\".")
            } else if rest.starts_with('.') {
                invalid().with_detail("No valid identifier before \".\".")
            } else {
                invalid()
            });
        }
        parts.push(Some(part));
        rest = skip_space(after);
        match rest.strip_prefix('.') {
            Some(next) => rest = skip_space(next),
            None if rest.is_empty() || !strict => return Ok(parts),
            None => return Err(invalid()),
        }
    }
}

fn skip_space(s: &str) -> &str {
    s.trim_start_matches([' ', '\t', '\n', '\r', '\x0c'])
}

/// What stands up to the closing quote, and what follows it.
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

/// The longest name without quotes, and what follows it.
fn plain_part(s: &str) -> (String, &str) {
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
    if !s.starts_with(starts) {
        return (String::new(), s);
    }
    let end = s.find(|c: char| !starts(c) && !c.is_ascii_digit() && c != '$').unwrap_or(s.len());
    (s[..end].to_ascii_lowercase(), &s[end..])
}

#[cfg(test)]
mod tests {
    use crate::testing::call;
    use crate::types::*;

    fn check(s: &str, strict: &str, expected: &str) {
        let found = call("parse_ident", &[(TEXT, Some(s)), (BOOL, Some(strict))]);
        let found = match found {
            Ok(found) => found.unwrap_or_default(),
            Err(error) => error.detail.unwrap_or(error.message),
        };
        assert_eq!(found, expected, "{s}");
    }

    #[test]
    fn a_name_is_taken_apart() {
        check("\"SomeSchema\".someTABLE", "t", "{SomeSchema,sometable}");
        check(" a . \"b\"\"c\" ", "t", "{a,\"b\\\"c\"}");
        check("foo.boo[]", "f", "{foo,boo}");
        check("foo.boo[]", "t", "string is not a valid identifier: \"foo.boo[]\"");
        check("a.", "t", "No valid identifier after \".\".");
        check(".a", "t", "No valid identifier before \".\".");
        check("\"a", "t", "String has unclosed double quotes.");
        check("\"\"", "t", "Quoted identifier must not be empty.");
        check("", "t", "string is not a valid identifier: \"\"");
    }
}
