//! Refuses statements whose tree would be too deep, before there is a tree.
//!
//! `1+1+1…` parses in a loop but makes a tree as deep as it is long, and cloning, planning or dropping that tree recurses.
//! The depth of a chain is at most the number of its operators, which the tokens tell.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, Result};

/// Operators above each other. The planner's time grows with the square of their number.
const OPERATORS_MAX: usize = 1_000;
/// Joins or set operations in one query, for the same reason.
const RELATIONS_MAX: usize = 500;

/// What has been counted at one level of parentheses.
#[derive(Default)]
struct Level {
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
    fn depth(&self) -> usize {
        self.before.max(self.operators + self.below)
    }

    /// A comma: another expression begins, the ones before it stay part of what encloses them.
    fn next_expression(&mut self) {
        *self = Level { before: self.depth(), relations: self.relations, ..Level::default() };
    }
}

/// # Errors
/// 54001 when a chain of operators, joins or set operations is too long.
pub fn check(tokens: &[TokenWithSpan]) -> Result<()> {
    // One for each open parenthesis, the outermost is never taken away: a chain goes on behind the parenthesised part.
    let mut levels = vec![Level::default()];
    for token in tokens {
        let depth = levels.len();
        let level = &mut levels[depth - 1];
        match &token.token {
            Token::LParen | Token::LBracket => {
                level.operators += 1;
                levels.push(Level::default());
            }
            Token::RParen | Token::RBracket if depth > 1 => {
                let closed = level.depth();
                levels.pop();
                let parent = &mut levels[depth - 2];
                parent.below = parent.below.max(closed);
            }
            Token::SemiColon => *level = Level::default(),
            Token::Comma => level.next_expression(),
            other if adds_relation(other) => level.relations += 1,
            other if chains_on(other) => level.operators += 1,
            _ => {}
        }
        let level = &levels[levels.len() - 1];
        if level.depth() > OPERATORS_MAX || level.relations > RELATIONS_MAX {
            return Err(Error::TooComplex);
        }
    }
    Ok(())
}

fn adds_relation(token: &Token) -> bool {
    let Token::Word(word) = token else { return false };
    matches!(word.keyword, Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::JOIN)
}

/// Whether a token may make the tree one level deeper. Words that are not among these separate or name things.
fn chains_on(token: &Token) -> bool {
    match token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::AND
                | Keyword::OR
                | Keyword::NOT
                | Keyword::IS
                | Keyword::LIKE
                | Keyword::ILIKE
                | Keyword::IN
                | Keyword::COLLATE
                | Keyword::AT
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
