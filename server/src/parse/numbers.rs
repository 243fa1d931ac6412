//! Numbers that something follows without a space: `1a` and `1_000` are mistakes, not a number and an alias. Redshift's driver
//! writes `-4WHEN`, as PostgreSQL read it up to version 14: a word that is no alias, nor begins one, is no mistake.

use sqlparser::tokenizer::{Location, Token, TokenWithSpan};

use crate::error::{Error, Result};
use crate::parse::guard::is_reserved;
use crate::parse::position;

/// # Errors
/// 42601 for a number or a parameter with letters behind it.
pub fn check(tokens: &[TokenWithSpan], text: &str) -> Result<()> {
    for (place, TokenWithSpan { token, span }) in tokens.iter().enumerate() {
        let next = tokens.get(place + 1).map(|next| &next.token);
        match token {
            Token::Number(_, true) => return Err(junk("numeric literal", text, span.start)),
            Token::Number(..) if begins_with_letter(next) => return Err(junk("numeric literal", text, span.start)),
            // `0x1F`, which sqlparser takes for the string of bits that `x'1F'` is.
            Token::HexStringLiteral(_) if written(text, span.start).starts_with('0') => {
                return Err(junk("numeric literal", text, span.start));
            }
            Token::Placeholder(name) if is_junk_after_parameter(name, next) => {
                return Err(junk("parameter", text, span.start));
            }
            _ => {}
        }
    }
    Ok(())
}

fn begins_with_letter(token: Option<&Token>) -> bool {
    let may_follow = |word: &str| is_reserved(word) && !word.eq_ignore_ascii_case("as");
    matches!(token, Some(Token::Word(word)) if word.quote_style.is_none() && !may_follow(&word.value))
}

fn is_junk_after_parameter(name: &str, next: Option<&Token>) -> bool {
    let Some(number) = name.strip_prefix('$').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) else {
        return false;
    };
    number.contains(|c: char| !c.is_ascii_digit()) || begins_with_letter(next)
}

/// The text from there on.
fn written(text: &str, place: Location) -> &str {
    position::byte_offset(text, place).and_then(|offset| text.get(offset..)).unwrap_or_default()
}

fn junk(after: &str, text: &str, place: Location) -> Error {
    let rest = written(text, place);
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.');
    let near = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
    let message = format!("trailing junk after {after} at or near \"{near}\"");
    Error::Syntax { message, detail: None, position: position::character(text, place) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::parse::parse;

    fn check(text: &str, expected: Option<&str>) {
        let message = parse(text).err().map(|error| error.report().message);
        assert_eq!(message.as_deref(), expected, "{text}");
    }

    #[test]
    fn numbers_end_before_letters() {
        check("select 1a", Some("trailing junk after numeric literal at or near \"1a\""));
        check("select 1_000", Some("trailing junk after numeric literal at or near \"1_000\""));
        check("select 1.5e", Some("trailing junk after numeric literal at or near \"1.5e\""));
        check("select 0x1F", Some("trailing junk after numeric literal at or near \"0x1F\""));
        check("select 10L", Some("trailing junk after numeric literal at or near \"10L\""));
        check("select $1a", Some("trailing junk after parameter at or near \"$1a\""));
        check("select case 1 when 1then -4when 2 then 3else 5 end, 1and true, 1from t", None);
        check("select 1 a, 1.5e3 b, 1\"c\", a1, x'1F', $1, 2::int, t.b2 from t limit 5", None);
    }
}
