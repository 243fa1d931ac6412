//! Refuses statements whose tree would be too deep, before there is a tree.
//!
//! `1+1+1…` parses in a loop but makes a tree as deep as it is long, and cloning, planning or dropping that tree recurses.
//! The depth of a chain is at most the number of its operators, which the tokens tell. AND and OR do not count, as
//! [`super::dialect`] reads a chain of them as a tree of little depth.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, Result};

/// Operators above each other. The planner's time grows with the square of their number.
const OPERATORS_MAX: usize = 1_000;
/// Joins or set operations in one query, for the same reason.
const RELATIONS_MAX: usize = 500;

/// What has been counted at one level of parentheses.
#[derive(Clone, Copy, Default)]
struct Level {
    /// In the expressions around this level, up to where it stands.
    above: usize,
    /// Whether it is a CASE, which ends with END.
    is_case: bool,
    /// BETWEEN that still wait for their AND.
    betweens: usize,
    /// In the current expression: a comma begins another.
    operators: usize,
    /// Of the deepest parenthesised part of the current expression, which may stand below all of its operators.
    below: usize,
    /// Of the deepest expression before the current one.
    before: usize,
    /// In the current statement.
    relations: usize,
}

impl Level {
    fn within(&self, is_case: bool) -> Level {
        Level { above: self.above + self.operators, is_case, ..Level::default() }
    }

    fn depth(&self) -> usize {
        self.before.max(self.operators + self.below)
    }

    /// A comma or the like: another expression begins, the ones before it stay part of what encloses them.
    fn next_expression(&mut self) {
        *self = Level { before: self.depth(), operators: 0, below: 0, betweens: 0, ..*self };
    }
}

/// # Errors
/// 54001 when a chain of operators, joins or set operations is too long.
pub fn check(tokens: &[TokenWithSpan]) -> Result<()> {
    // One for each open parenthesis or CASE, the outermost is never taken away: a chain goes on behind the closed part.
    let mut levels = vec![Level::default()];
    for token in tokens {
        let depth = levels.len();
        let level = &mut levels[depth - 1];
        match &token.token {
            Token::LParen | Token::LBracket => {
                level.operators += 1;
                let within = level.within(false);
                levels.push(within);
            }
            Token::RParen | Token::RBracket if depth > 1 => close(&mut levels),
            Token::SemiColon => *level = Level { above: level.above, ..Level::default() },
            Token::Comma => level.next_expression(),
            Token::Word(word) => match word.keyword {
                Keyword::CASE => {
                    level.operators += 1;
                    let within = level.within(true);
                    levels.push(within);
                }
                Keyword::WHEN | Keyword::THEN | Keyword::ELSE if level.is_case => level.next_expression(),
                Keyword::END if level.is_case => close(&mut levels),
                Keyword::AND if level.betweens > 0 => level.betweens -= 1,
                Keyword::AND | Keyword::OR => level.next_expression(),
                Keyword::BETWEEN => {
                    level.betweens += 1;
                    level.operators += 1;
                }
                _ if adds_relation(word.keyword) => level.relations += 1,
                _ if chains_on(&token.token) => level.operators += 1,
                _ => {}
            },
            other if chains_on(other) => level.operators += 1,
            _ => {}
        }
        let level = &levels[levels.len() - 1];
        if level.above + level.depth() > OPERATORS_MAX || level.relations > RELATIONS_MAX {
            return Err(Error::TooComplex);
        }
    }
    Ok(())
}

/// The innermost level ends: it stands below the operators of the one around it.
fn close(levels: &mut Vec<Level>) {
    let Some(closed) = levels.pop() else { return };
    if let Some(parent) = levels.last_mut() {
        parent.below = parent.below.max(closed.depth());
    }
}

fn adds_relation(keyword: Keyword) -> bool {
    matches!(keyword, Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::JOIN)
}

/// Whether a token may make the tree one level deeper. Words that are not among these separate or name things.
fn chains_on(token: &Token) -> bool {
    match token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::NOT | Keyword::IS | Keyword::LIKE | Keyword::ILIKE | Keyword::IN | Keyword::COLLATE | Keyword::AT
        ),
        Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::Whitespace(_)
        | Token::Period
        | Token::EOF
        | Token::Placeholder(_)
        | Token::DollarQuotedString(_)
        | Token::RParen
        | Token::RBracket => false,
        _ => true,
    }
}
