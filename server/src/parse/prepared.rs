//! PREPARE, EXECUTE, DEALLOCATE.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use super::statement::{Execute, Prepare};
use super::{Statement, StatementReader};
use crate::error::Result;

/// What a statement begins with that can be prepared (PostgreSQL's `PreparableStmt`).
const PREPARABLE: &[Keyword] = &[
    Keyword::SELECT,
    Keyword::VALUES,
    Keyword::WITH,
    Keyword::INSERT,
    Keyword::UPDATE,
    Keyword::DELETE,
    Keyword::MERGE,
];

impl StatementReader<'_> {
    /// A statement about prepared statements, if one begins here.
    pub(super) fn prepared_statement(&mut self) -> Result<Option<Statement>> {
        if self.words(&["PREPARE"]) {
            return self.prepare().map(Some);
        }
        if self.words(&["EXECUTE"]) {
            return Ok(Some(Statement::Execute(self.execute()?)));
        }
        if !self.words(&["DEALLOCATE"]) {
            return Ok(None);
        }
        let is_prepare = self.is_word_before_name("PREPARE");
        let _ = is_prepare && self.words(&["PREPARE"]);
        let name = if self.words(&["ALL"]) { None } else { Some(self.identifier()?) };
        Ok(Some(Statement::Deallocate { name }))
    }

    fn prepare(&mut self) -> Result<Statement> {
        let name = self.identifier()?;
        let types = match self.parser.peek_token_ref().token {
            Token::LParen => self.parenthesised(|it| it.parser.parse_data_type().map_err(|error| it.syntax(error)))?,
            _ => Vec::new(),
        };
        self.expect_word("AS")?;
        let begin = self.parser.peek_token();
        let is_preparable = match &begin.token {
            Token::LParen => true,
            Token::Word(word) => word.quote_style.is_none() && PREPARABLE.contains(&word.keyword),
            _ => false,
        };
        if !is_preparable {
            return Err(self.unexpected(&begin));
        }
        let statement = Box::new(self.statement()?);
        Ok(Statement::Prepare(Prepare { name, types, statement }))
    }

    /// `name [(parameters)]`, behind EXECUTE.
    pub(super) fn execute(&mut self) -> Result<Execute> {
        let name = self.identifier()?;
        let parameters = match self.parser.peek_token_ref().token {
            Token::LParen => self.parenthesised(|it| it.parser.parse_expr().map_err(|error| it.syntax(error)))?,
            _ => Vec::new(),
        };
        Ok(Execute { name, parameters })
    }

    /// Whether this word is next, and a name behind it: then it is none itself.
    pub(super) fn is_word_before_name(&self, word: &str) -> bool {
        let is_word = matches!(&self.parser.peek_token_ref().token,
            Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word));
        is_word && !matches!(self.parser.peek_nth_token_ref(1).token, Token::SemiColon | Token::EOF)
    }
}
