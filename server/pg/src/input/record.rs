//! Records from text: `(1,"a b",)`. The rules are those of `record_in` (`rowtypes.c`).

use crate::error::{PgError, Result};
use crate::sqlstate::SqlState;

/// Takes a record of so many fields apart; an empty field is NULL.
///
/// # Errors
/// 22P02 with PostgreSQL's detail.
pub fn parse(text: &str, width: usize) -> Result<Vec<Option<String>>> {
    let malformed = |detail: &str| {
        let message = format!("malformed record literal: \"{text}\"");
        PgError::new(SqlState::INVALID_TEXT_REPRESENTATION, message).with_detail(detail)
    };
    let trimmed = text.trim_start_matches(is_space);
    let mut rest = trimmed.strip_prefix('(').ok_or_else(|| malformed("Missing left parenthesis."))?;
    let mut fields = Vec::with_capacity(width);
    loop {
        let field;
        (field, rest) = field_of(rest).ok_or_else(|| malformed("Unexpected end of input."))?;
        fields.push(field);
        match rest.strip_prefix(',') {
            Some(_) if fields.len() == width => return Err(malformed("Too many columns.")),
            Some(after) => rest = after,
            None => break,
        }
    }
    if fields.len() < width {
        return Err(malformed("Too few columns."));
    }
    match rest.strip_prefix(')').unwrap_or(rest).trim_start_matches(is_space) {
        "" => Ok(fields),
        _ => Err(malformed("Junk after right parenthesis.")),
    }
}

/// A field up to the comma or parenthesis behind it, and the rest from there; `None` when the text ends within it.
fn field_of(text: &str) -> Option<(Option<String>, &str)> {
    if text.starts_with([',', ')']) {
        return Some((None, text));
    }
    let mut field = String::new();
    let mut quoted = false;
    let mut rest = text;
    loop {
        let mut characters = rest.chars();
        match characters.next()? {
            ',' | ')' if !quoted => return Some((Some(field), rest)),
            '\\' => field.push(characters.next()?),
            '"' if !quoted => quoted = true,
            // A quote within quotes is doubled.
            '"' if characters.as_str().starts_with('"') => field.extend(characters.next()),
            '"' => quoted = false,
            other => field.push(other),
        }
        rest = characters.as_str();
    }
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t'..='\r')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_unquoted_but_not_trimmed() {
        for (text, expected) in [
            ("(1,a,2.555)", ["1", "a", "2.555"].map(Some)),
            ("(1,,)", [Some("1"), None, None]),
            (" ( 1 , a b , 3 ) ", [" 1 ", " a b ", " 3 "].map(Some)),
            ("(1,\"a\"\"b\\\"c\",2)", ["1", "a\"b\"c", "2"].map(Some)),
            ("(\"1\"5,a\\,b,\"\")", ["15", "a,b", ""].map(Some)),
        ] {
            let fields = parse(text, 3).unwrap();
            assert_eq!(fields.iter().map(Option::as_deref).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn an_error_says_what_is_wrong() {
        for (text, detail) in [
            ("(1,a)", "Too few columns."),
            ("(1,a,2,3)", "Too many columns."),
            ("1,a,2", "Missing left parenthesis."),
            ("(1,a,2", "Unexpected end of input."),
            ("(1,a,2) x", "Junk after right parenthesis."),
            ("", "Missing left parenthesis."),
        ] {
            assert_eq!(parse(text, 3).unwrap_err().detail.as_deref(), Some(detail), "{text}");
        }
    }
}
