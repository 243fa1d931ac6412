//! DECLARE CURSOR, FETCH, MOVE, CLOSE.

use pg::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast::Query;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use super::statement::{Declare, Direction, Fetch};
use super::{Statement, StatementReader, create_table_as};
use crate::error::{Error, Result};

/// What a query begins with, besides a parenthesis.
const QUERY: &[Keyword] = &[Keyword::SELECT, Keyword::VALUES, Keyword::WITH];

impl StatementReader<'_> {
    /// A statement about cursors, if one begins here.
    pub(super) fn cursor_statement(&mut self) -> Result<Option<Statement>> {
        let statement = if self.words(&["DECLARE"]) {
            Statement::Declare(self.declare()?)
        } else if self.words(&["FETCH"]) {
            Statement::Fetch(self.fetch(false)?)
        } else if self.words(&["MOVE"]) {
            Statement::Fetch(self.fetch(true)?)
        } else if self.words(&["CLOSE"]) {
            Statement::Close { name: if self.words(&["ALL"]) { None } else { Some(self.identifier()?) } }
        } else {
            return Ok(None);
        };
        Ok(Some(statement))
    }

    fn declare(&mut self) -> Result<Declare> {
        let name = self.identifier()?;
        let mut binary = false;
        let (mut scroll, mut no_scroll, mut sensitive, mut insensitive) = (false, false, false, false);
        loop {
            if self.words(&["NO", "SCROLL"]) {
                no_scroll = true;
            } else if self.words(&["SCROLL"]) {
                scroll = true;
            } else if self.words(&["BINARY"]) {
                binary = true;
            } else if self.words(&["ASENSITIVE"]) {
                sensitive = true;
            } else if self.words(&["INSENSITIVE"]) {
                insensitive = true;
            } else {
                break;
            }
        }
        self.expect_word("CURSOR")?;
        let hold = self.words(&["WITH", "HOLD"]);
        let _ = !hold && self.words(&["WITHOUT", "HOLD"]);
        self.expect_word("FOR")?;
        let query = self.cursor_query()?;
        if scroll && no_scroll {
            return Err(contradictory("SCROLL", "NO SCROLL"));
        }
        if sensitive && insensitive {
            return Err(contradictory("ASENSITIVE", "INSENSITIVE"));
        }
        let scroll = (scroll || no_scroll).then_some(scroll);
        Ok(Declare { name, binary, scroll, hold, query })
    }

    fn cursor_query(&mut self) -> Result<Box<Query>> {
        let begin = self.parser.peek_token();
        let is_query = match &begin.token {
            Token::LParen => true,
            Token::Word(word) => word.quote_style.is_none() && QUERY.contains(&word.keyword),
            _ => false,
        };
        if !is_query {
            return Err(self.unexpected(&begin));
        }
        let query = self.parser.parse_query().map_err(|error| self.syntax(error))?;
        match create_table_as::query(query)? {
            Statement::Query(query) => Ok(query),
            _ => Err(PgError::new(SqlState::SYNTAX_ERROR, "SELECT ... INTO is not allowed here").into()),
        }
    }

    fn fetch(&mut self, moves: bool) -> Result<Fetch> {
        let direction = self.direction()?;
        let _ = self.words(&["FROM"]) || self.words(&["IN"]);
        Ok(Fetch { direction, cursor: self.identifier()?, moves })
    }

    fn direction(&mut self) -> Result<Direction> {
        if matches!(self.parser.peek_token_ref().token, Token::Number(..) | Token::Plus | Token::Minus) {
            return Ok(forward(self.signed_number()?));
        }
        // The words are names, too.
        let plain = [
            ("NEXT", Direction::Forward(1)),
            ("PRIOR", Direction::Backward(1)),
            ("FIRST", Direction::Absolute(1)),
            ("LAST", Direction::Absolute(-1)),
            ("ALL", Direction::ForwardAll),
        ];
        for (word, direction) in plain {
            if self.is_word_before_name(word) && self.words(&[word]) {
                return Ok(direction);
            }
        }
        if self.is_word_before_name("ABSOLUTE") && self.words(&["ABSOLUTE"]) {
            return Ok(Direction::Absolute(self.signed_number()?));
        }
        if self.is_word_before_name("RELATIVE") && self.words(&["RELATIVE"]) {
            return Ok(Direction::Relative(self.signed_number()?));
        }
        if self.is_word_before_name("FORWARD") && self.words(&["FORWARD"]) {
            return Ok(match self.row_count()? {
                Some(Some(rows)) => forward(rows),
                Some(None) => Direction::ForwardAll,
                None => Direction::Forward(1),
            });
        }
        if self.is_word_before_name("BACKWARD") && self.words(&["BACKWARD"]) {
            return Ok(match self.row_count()? {
                Some(Some(rows)) => forward(-rows),
                Some(None) => Direction::BackwardAll,
                None => Direction::Backward(1),
            });
        }
        Ok(Direction::Forward(1))
    }

    /// How many rows, or ALL, behind FORWARD or BACKWARD.
    fn row_count(&mut self) -> Result<Option<Option<i64>>> {
        if matches!(self.parser.peek_token_ref().token, Token::Number(..) | Token::Plus | Token::Minus) {
            return Ok(Some(Some(self.signed_number()?)));
        }
        Ok(if self.is_word_before_name("ALL") && self.words(&["ALL"]) { Some(None) } else { None })
    }

    /// An integer, which may have a sign.
    fn signed_number(&mut self) -> Result<i64> {
        let negative = self.parser.consume_token(&Token::Minus);
        let _ = !negative && self.parser.consume_token(&Token::Plus);
        let token = self.parser.next_token();
        let number = match &token.token {
            Token::Number(digits, false) => digits.parse::<i32>().ok().map(i64::from),
            _ => None,
        };
        let number = number.ok_or_else(|| self.unexpected(&token))?;
        Ok(if negative { -number } else { number })
    }
}

/// So many rows forward: a negative number of them backward.
fn forward(rows: i64) -> Direction {
    match u64::try_from(rows) {
        Ok(rows) => Direction::Forward(rows),
        Err(_) => Direction::Backward(rows.unsigned_abs()),
    }
}

fn contradictory(one: &str, other: &str) -> Error {
    let message = format!("cannot specify both {one} and {other}");
    PgError::new(SqlState::INVALID_CURSOR_DEFINITION, message).into()
}
