//! Takes away parentheses that say nothing: `((((x))))` is `((x))`.
//!
//! Parsers recurse into each parenthesis. Two stay, as `f((x, y))` and `IN ((x, y))` mean something else with one.

use sqlparser::tokenizer::{Token, TokenWithSpan};

/// Parentheses inside each other that are left as they are written.
const NESTING_PLAIN: usize = 50;

/// The tokens without parentheses that stand directly inside two others. Places of all tokens stay as they are.
pub fn without_superfluous(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    if nesting(&tokens) <= NESTING_PLAIN {
        return tokens;
    }
    let solid: Vec<usize> =
        (0..tokens.len()).filter(|place| !matches!(tokens[*place].token, Token::Whitespace(_))).collect();
    // For each parenthesis, by its number among the solid tokens, where it closes.
    let mut closing = vec![None; solid.len()];
    let mut open = Vec::new();
    for (number, place) in solid.iter().enumerate() {
        match tokens[*place].token {
            Token::LParen => open.push(number),
            Token::RParen => {
                if let Some(opening) = open.pop() {
                    closing[opening] = Some(number);
                }
            }
            _ => {}
        }
    }
    let is_direct = |inner: usize, outer: usize| match (closing[inner], closing[outer]) {
        (Some(inner), Some(outer)) => inner + 1 == outer,
        _ => false,
    };
    let mut dropped = vec![false; tokens.len()];
    for inner in 2..solid.len() {
        if let (Some(end), true) = (closing[inner], is_direct(inner, inner - 1) && is_direct(inner - 1, inner - 2)) {
            dropped[solid[inner]] = true;
            dropped[solid[end]] = true;
        }
    }
    tokens.into_iter().zip(dropped).filter(|(_, dropped)| !dropped).map(|(token, _)| token).collect()
}

fn nesting(tokens: &[TokenWithSpan]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for token in tokens {
        match token.token {
            Token::LParen => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
