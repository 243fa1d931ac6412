//! `#name`: what Redshift calls a temporary table. To PostgreSQL `#` is an operator, so that only what cannot stand before an
//! operator makes a name of what follows.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Span, Token, TokenWithSpan, Word};

/// Words behind which no operator stands, but names of tables and columns do.
const BEFORE_NAMES: &[Keyword] = &[
    Keyword::AND,
    Keyword::BY,
    Keyword::CASE,
    Keyword::COPY,
    Keyword::DISTINCT,
    Keyword::ELSE,
    Keyword::EXISTS,
    Keyword::FROM,
    Keyword::HAVING,
    Keyword::INTO,
    Keyword::JOIN,
    Keyword::LIKE,
    Keyword::NOT,
    Keyword::ON,
    Keyword::ONLY,
    Keyword::OR,
    Keyword::REFERENCES,
    Keyword::RETURNING,
    Keyword::SELECT,
    Keyword::SET,
    Keyword::TABLE,
    Keyword::THEN,
    Keyword::TRUNCATE,
    Keyword::UPDATE,
    Keyword::USING,
    Keyword::VACUUM,
    Keyword::VIEW,
    Keyword::WHEN,
    Keyword::WHERE,
];

/// The tokens with `#` as a part of the names that it begins.
pub fn joined(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    if !tokens.iter().any(|token| token.token == Token::Sharp) {
        return tokens;
    }
    let mut joined: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let begun = joined.last().is_some_and(|last| last.token == Token::Sharp) && begins_name(&joined);
        match (&token.token, begun) {
            (Token::Word(word), true) if word.quote_style.is_none() => {
                let start = joined.pop().map_or(token.span.start, |sharp| sharp.span.start);
                let value = format!("#{}", word.value);
                let word = Word { value, quote_style: None, keyword: Keyword::NoKeyword };
                joined.push(TokenWithSpan { token: Token::Word(word), span: Span::new(start, token.span.end) });
            }
            _ => joined.push(token),
        }
    }
    joined
}

/// Whether `#` stands last where no operator can.
fn begins_name(tokens: &[TokenWithSpan]) -> bool {
    let mut before = tokens.iter().rev().skip(1).map(|token| &token.token);
    match before.find(|token| !matches!(token, Token::Whitespace(_))) {
        None => false,
        Some(Token::Word(word)) => word.quote_style.is_none() && BEFORE_NAMES.contains(&word.keyword),
        Some(Token::Comma | Token::LParen | Token::Period | Token::Eq | Token::Neq | Token::Lt | Token::Gt) => true,
        Some(Token::LtEq | Token::GtEq | Token::Plus | Token::Minus | Token::Mul | Token::Div | Token::Mod) => true,
        Some(Token::StringConcat) => true,
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::WarehouseDialect;
    use sqlparser::tokenizer::{Tokenizer, Whitespace};

    fn check(text: &str, expected: &[&str]) {
        let tokens = Tokenizer::new(&WarehouseDialect, text).tokenize_with_location().unwrap();
        let is_space = |token: &TokenWithSpan| matches!(token.token, Token::Whitespace(Whitespace::Space));
        let joined = joined(tokens);
        let shown: Vec<_> = joined.iter().filter(|it| !is_space(it)).map(|it| it.token.to_string()).collect();
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn only_where_no_operator_can_stand_a_name_begins() {
        check("create table #t", &["create", "table", "#t"]);
        check("from a, #t", &["from", "a", ",", "#t"]);
        check("a.#t.b", &["a", ".", "#t", ".", "b"]);
        check("where #t.a = #t.b", &["where", "#t", ".", "a", "=", "#t", ".", "b"]);
        check("select a #b", &["select", "a", "#", "b"]);
        check("select 5 #b, (a)#b", &["select", "5", "#", "b", ",", "(", "a", ")", "#", "b"]);
        check("select date #b", &["select", "date", "#", "b"]);
        check("from # t", &["from", "#", "t"]);
        check("select a #> b", &["select", "a", "#>", "b"]);
    }
}
