//! `U&'d\0061t'` and `U&"d!0061t" UESCAPE '!'` as the strings and names that they stand for.

use std::collections::HashMap;

use sqlparser::tokenizer::{Token, TokenWithSpan, Whitespace};

/// The tokens with plain strings and names. One that has a wrong escape becomes a token that no statement has.
pub fn decoded(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut replaced: HashMap<usize, Token> = HashMap::new();
    for place in 0..tokens.len().saturating_sub(2) {
        let (prefix, sign) = (&tokens[place].token, &tokens[place + 1].token);
        let is_prefix =
            matches!(prefix, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("u"));
        if !is_prefix || *sign != Token::Ampersand {
            continue;
        }
        let (text, is_name) = match &tokens[place + 2].token {
            Token::SingleQuotedString(text) => (text, false),
            Token::Word(word) if word.quote_style == Some('"') => (&word.value, true),
            _ => continue,
        };
        let (escape, end) = match escape_clause(&tokens, place + 3) {
            Some((escape, end)) => (escape, end),
            None => (Some('\\'), place + 2),
        };
        let token = match escape.and_then(|escape| unescaped(text, escape)) {
            Some(text) if is_name => Token::make_word(&text, Some('"')),
            Some(text) => Token::SingleQuotedString(text),
            None => Token::Char('\\'),
        };
        replaced.insert(place, token);
        (place + 1..=end).for_each(|place| {
            replaced.insert(place, Token::Whitespace(Whitespace::Space));
        });
    }
    if replaced.is_empty() {
        return tokens;
    }
    let token = |(place, TokenWithSpan { token, span }): (usize, TokenWithSpan)| TokenWithSpan {
        token: replaced.remove(&place).unwrap_or(token),
        span,
    };
    tokens.into_iter().enumerate().map(token).collect()
}

/// `UESCAPE '!'` from here on: the character, none if it cannot be one, and the last place.
fn escape_clause(tokens: &[TokenWithSpan], from: usize) -> Option<(Option<char>, usize)> {
    let mut solid = (from..tokens.len()).filter(|place| !matches!(tokens[*place].token, Token::Whitespace(_)));
    let is_keyword = |token: &Token| matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("uescape"));
    solid.next().filter(|place| is_keyword(&tokens[*place].token))?;
    let place = solid.next()?;
    let Token::SingleQuotedString(text) = &tokens[place].token else { return None };
    let mut characters = text.chars();
    let escape = match (characters.next(), characters.next()) {
        (Some(escape), None) => Some(escape),
        _ => None,
    };
    let refused =
        |escape: &char| escape.is_ascii_hexdigit() || escape.is_ascii_whitespace() || "+'\"".contains(*escape);
    Some((escape.filter(|escape| !refused(escape)), place))
}

/// The text without its escapes; nothing if one is wrong.
fn unescaped(text: &str, escape: char) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(found) = rest.find(escape) {
        plain.push_str(&rest[..found]);
        rest = &rest[found + escape.len_utf8()..];
        if let Some(doubled) = rest.strip_prefix(escape) {
            plain.push(escape);
            rest = doubled;
            continue;
        }
        let (mut code, after) = code_point(rest)?;
        rest = after;
        if (0xD800..0xDC00).contains(&code) {
            let (low, after) = code_point(rest.strip_prefix(escape)?)?;
            if !(0xDC00..0xE000).contains(&low) {
                return None;
            }
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            rest = after;
        }
        plain.push(char::from_u32(code).filter(|character| *character != '\0')?);
    }
    plain.push_str(rest);
    Some(plain)
}

/// `XXXX` or `+XXXXXX` at the beginning, and what comes after.
fn code_point(text: &str) -> Option<(u32, &str)> {
    let (digits, count) = text.strip_prefix('+').map_or((text, 4), |digits| (digits, 6));
    let code = digits.get(..count).filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    Some((u32::from_str_radix(code, 16).ok()?, &digits[count..]))
}

#[cfg(test)]
mod tests {
    use super::unescaped;

    #[test]
    fn escapes_are_postgresqls() {
        for (text, escape, plain) in [
            ("d\\0061t\\+000061", '\\', Some("data")),
            ("d!0061t!!\\", '!', Some("dat!\\")),
            ("\\D83D\\DE00", '\\', Some("\u{1F600}")),
            ("\\D83D", '\\', None),
            ("\\DE00", '\\', None),
            ("\\006", '\\', None),
            ("\\0000", '\\', None),
            ("\\+110000", '\\', None),
        ] {
            assert_eq!(unescaped(text, escape).as_deref(), plain, "{text}");
        }
    }
}
