//! `x < ALL ((SELECT 1) UNION (SELECT 2))` and `x = ANY (VALUES (1))`: one more pair of parentheses, by which sqlparser takes
//! what is in them for a value, as which the dialect reads a query.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// The tokens with parentheses around what follows ANY, SOME or ALL and an operator, if it begins with a parenthesis or VALUES.
pub fn parenthesised(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let solid: Vec<usize> =
        (0..tokens.len()).filter(|place| !matches!(tokens[*place].token, Token::Whitespace(_))).collect();
    let token = |number: usize| solid.get(number).map(|place| &tokens[*place].token);
    let mut doubled = Vec::new();
    for number in 1..solid.len() {
        let is_quantifier = matches!(keyword(token(number)), Some(Keyword::ANY | Keyword::SOME | Keyword::ALL));
        let is_compared = keyword(token(number - 1)).is_none();
        let is_open = token(number + 1) == Some(&Token::LParen);
        let inner = token(number + 2);
        let is_query =
            inner == Some(&Token::LParen) || matches!(keyword(inner), Some(Keyword::VALUES | Keyword::TABLE));
        if is_quantifier && is_compared && is_open && is_query {
            let end = closing((number + 1..solid.len()).map(|number| (number, token(number))));
            doubled.extend(end.map(|end| [solid[number + 1], solid[end]]).into_iter().flatten());
        }
    }
    if doubled.is_empty() {
        return tokens;
    }
    let mut written = Vec::with_capacity(tokens.len() + doubled.len());
    for (place, token) in tokens.into_iter().enumerate() {
        if doubled.contains(&place) {
            written.push(token.clone());
        }
        written.push(token);
    }
    written
}

/// Where the parenthesis closes that comes first.
fn closing<'t>(tokens: impl Iterator<Item = (usize, Option<&'t Token>)>) -> Option<usize> {
    let mut depth = 0_usize;
    for (number, token) in tokens {
        match token {
            Some(Token::LParen) => depth += 1,
            Some(Token::RParen) => {
                depth -= 1;
                if depth == 0 {
                    return Some(number);
                }
            }
            _ => {}
        }
    }
    None
}

fn keyword(token: Option<&Token>) -> Option<Keyword> {
    match token {
        Some(Token::Word(word)) => Some(if word.quote_style.is_none() { word.keyword } else { Keyword::NoKeyword }),
        _ => None,
    }
}
