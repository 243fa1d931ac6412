//! `SIMILAR TO`: SQL's regular expressions as PostgreSQL's.

use super::like::invalid_escape;
use crate::error::{PgError, Result};
use crate::function::{Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;

pub(super) static FUNCTIONS: &[Function] = &[
    function("similar_to_escape", &[TEXT], TEXT, |call| call.map1(|pattern: &str| to_regex(pattern, "\\"))),
    function("similar_to_escape", &[TEXT, TEXT], TEXT, |call| call.map2(to_regex)),
    function("similar_escape", &[TEXT, TEXT], TEXT, |call| {
        call.map2(|pattern: Option<&str>, escape: Option<&str>| -> Result<Option<String>> {
            pattern.map(|pattern| to_regex(pattern, escape.unwrap_or("\\"))).transpose()
        })
    }),
];

/// How far a bracket expression has been read: a `]` ends it only when it is not its first character.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum InBrackets {
    Start,
    Negated,
    Inside,
}

/// The regular expression that matches what the SQL pattern matches. Its parts between two escaped quotation marks are
/// what `substring` answers, as short before and as long within as can be.
pub(super) fn to_regex(pattern: &str, escape: &str) -> Result<String> {
    let mut characters = escape.chars();
    let escape = match (characters.next(), characters.next()) {
        (None, _) => None,
        (Some(c), None) => Some(c),
        _ => return Err(invalid_escape()),
    };
    let mut result = String::from("^(?:");
    let mut quotes = 0;
    let mut escaped = false;
    let mut depth = 0_usize;
    let mut place = InBrackets::Start;
    for c in pattern.chars() {
        if escaped {
            escaped = false;
            if c == '"' && depth == 0 {
                result.push_str(separator(quotes)?);
                quotes += 1;
            } else {
                result.push('\\');
                result.push(c);
                place = InBrackets::Inside;
            }
        } else if Some(c) == escape {
            escaped = true;
        } else if depth > 0 {
            if c == '\\' {
                result.push('\\');
            }
            result.push(c);
            match (c, place) {
                (']', InBrackets::Inside) => depth -= 1,
                ('[', _) => {
                    depth += 1;
                    place = InBrackets::Inside;
                }
                ('^', InBrackets::Start) => place = InBrackets::Negated,
                _ => place = InBrackets::Inside,
            }
        } else {
            match c {
                '[' => {
                    result.push(c);
                    depth = 1;
                    place = InBrackets::Start;
                }
                '%' => result.push_str(".*"),
                '_' => result.push('.'),
                '(' => result.push_str("(?:"),
                '\\' | '.' | '^' | '$' => {
                    result.push('\\');
                    result.push(c);
                }
                c => result.push(c),
            }
        }
    }
    result.push_str(")$");
    Ok(result)
}

fn separator(quotes: i32) -> Result<&'static str> {
    match quotes {
        0 => Ok("){1,1}?("),
        1 => Ok("){1,1}(?:"),
        _ => {
            let message = "SQL regular expression may not contain more than two escape-double-quote separators";
            Err(PgError::new(SqlState::INVALID_USE_OF_ESCAPE_CHARACTER, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, escape: &str, expected: &str) {
        let found = to_regex(pattern, escape).unwrap_or_else(|error| error.message);
        assert_eq!(found, expected, "{pattern} {escape}");
    }

    #[test]
    fn sql_patterns_become_regular_expressions() {
        check("a%_b|c*(d)[x%]\\%", "\\", "^(?:a.*.b|c*(?:d)[x%]\\%)$");
        check("[^a%_](a|b)[[:alpha:]%]_[]a]_", "#", "^(?:[^a%_](?:a|b)[[:alpha:]%].[]a].)$");
        check("a.b^c$d\\e+f?{2}", "\\", "^(?:a\\.b\\^c\\$d\\e+f?{2})$");
        check("a#\"b#\"c", "#", "^(?:a){1,1}?(b){1,1}(?:c)$");
        check("a[^]b]c\\d\"", "\\", "^(?:a[^]b]c\\d\")$");
        check("[[=a=]]_[[.-.]]%[a[b]_", "\\", "^(?:[[=a=]].[[.-.]].*[a[b]_)$");
        check("\\a\\.[\\a]", "", "^(?:\\\\a\\\\\\.[\\\\a])$");
        check("#\"a#\"#b", "#", "^(?:){1,1}?(a){1,1}(?:\\b)$");
        check("a#", "#", "^(?:a)$");
        check("a", "ab", "invalid escape string");
        check("#\"#\"#\"", "#", "SQL regular expression may not contain more than two escape-double-quote separators");
    }
}
