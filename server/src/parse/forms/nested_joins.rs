//! `a JOIN b JOIN c ON … ON …`: with parentheses around the join within, `a JOIN (b JOIN c ON …) ON …`. A join that has no
//! condition yet takes what is joined before it as its right side.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{Edits, edited, keyword};

/// A join whose condition has not come yet.
struct Open {
    /// The place of the token behind JOIN.
    right: usize,
    /// Whether there is a join within.
    nests: bool,
}

/// The tokens with parentheses around joins within joins.
pub fn parenthesised(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let solid: Vec<usize> =
        (0..tokens.len()).filter(|place| !matches!(tokens[*place].token, Token::Whitespace(_))).collect();
    let word = |number: usize| solid.get(number).and_then(|place| keyword(&tokens[*place].token));
    let mut edits = Edits::default();
    // Of each pair of parentheses that is open, the joins within.
    let mut levels: Vec<Vec<Open>> = vec![Vec::new()];
    for (number, place) in solid.iter().enumerate() {
        match &tokens[*place].token {
            Token::LParen => levels.push(Vec::new()),
            Token::SemiColon => levels = vec![Vec::new()],
            Token::RParen if levels.len() > 1 => drop(levels.pop()),
            _ => {}
        }
        let Some(open) = levels.last_mut() else { continue };
        match word(number) {
            Some(Keyword::JOIN) => {
                if let Some(around) = open.last_mut() {
                    around.nests = true;
                }
                if !is_unconditional(&word, number)
                    && let Some(right) = solid.get(number + 1)
                {
                    open.push(Open { right: *right, nests: false });
                }
            }
            Some(Keyword::ON | Keyword::USING) => {
                if let Some(Open { right, nests: true }) = open.pop() {
                    edits.before.entry(right).or_default().push(Token::LParen);
                    edits.before.entry(*place).or_default().push(Token::RParen);
                }
            }
            _ => {}
        }
    }
    edited(tokens, edits)
}

/// Whether the word JOIN here belongs to `CROSS JOIN`, or to `NATURAL [INNER | LEFT [OUTER] …] JOIN`.
fn is_unconditional(word: &impl Fn(usize) -> Option<Keyword>, join: usize) -> bool {
    const KINDS: [Keyword; 5] = [Keyword::INNER, Keyword::LEFT, Keyword::RIGHT, Keyword::FULL, Keyword::OUTER];
    let mut before = (0..join).rev().map(word);
    let first = before.find(|word| !word.is_some_and(|word| KINDS.contains(&word))).flatten();
    matches!(first, Some(Keyword::CROSS | Keyword::NATURAL))
}
