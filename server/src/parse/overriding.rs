//! `OVERRIDING … VALUE` of an INSERT, which sqlparser does not read.

use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::statement::Overriding;
use super::{NESTING_MAX, StatementReader, WarehouseDialect};

/// Where the rows of an INSERT begin: the words do not stand behind them.
const ROWS: &[Keyword] = &[Keyword::VALUES, Keyword::SELECT, Keyword::WITH, Keyword::DEFAULT, Keyword::TABLE];

impl StatementReader<'_> {
    /// Takes the words out of the INSERT that comes next.
    pub(super) fn take_overriding(&mut self) -> Option<Overriding> {
        let begin = self.parser.index();
        let tokens = self.tokens.get(begin..)?;
        let solid = tokens.iter().enumerate().filter(|(_, token)| !matches!(token.token, Token::Whitespace(_)));
        let mut before_rows = solid.take_while(|(_, token)| !begins_rows(token)).map(|(place, _)| place);
        let first = before_rows.find(|place| is_word(&tokens[*place], "overriding"))?;
        let (which, last) = (before_rows.next()?, before_rows.next()?);
        let overriding = match &tokens[which] {
            token if is_word(token, "system") => Overriding::System,
            token if is_word(token, "user") => Overriding::User,
            _ => return None,
        };
        if !is_word(&tokens[last], "value") {
            return None;
        }
        let mut rest = tokens.to_vec();
        rest.drain(first..=last);
        self.tokens = rest.clone();
        let parser = Parser::new(&WarehouseDialect).with_recursion_limit(NESTING_MAX);
        self.parser = parser.with_tokens_with_locations(rest);
        Some(overriding)
    }
}

fn begins_rows(token: &TokenWithSpan) -> bool {
    match &token.token {
        Token::SemiColon | Token::EOF => true,
        Token::Word(word) => word.quote_style.is_none() && ROWS.contains(&word.keyword),
        _ => false,
    }
}

fn is_word(token: &TokenWithSpan, wanted: &str) -> bool {
    matches!(&token.token,
        Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted))
}
