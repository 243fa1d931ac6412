//! `COPY`: read here because sqlparser wants the data behind the statement, where psql's files have it.

mod options;

use sqlparser::ast;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, Result};
use crate::parse::StatementReader;
use crate::parse::load::is_location;
use crate::parse::position;
use crate::parse::statement::{CopyFrom, CopySource, CopyTo, ModifyKind, Statement};
use options::{Direction, GivenOptions};
use pg::PgError;
use pg::copy_format::CopyOptions;
use pg::sqlstate::SqlState;

/// What PostgreSQL tells those who may not touch the server's files.
const FILE_HINT: &str =
    "Anyone can COPY to stdout or from stdin. psql's \\copy command reads and writes files of the client.";

impl StatementReader<'_> {
    /// Behind `COPY`.
    pub(super) fn copy(&mut self) -> Result<Statement> {
        if self.parser.consume_token(&Token::LParen) {
            return self.copy_query();
        }
        let binary = self.parser.peek_token();
        let binary = self.words(&["BINARY"]).then_some(binary);
        let table = self.object_name()?;
        let columns = self.copy_columns()?;
        let direction = if self.words(&["TO"]) {
            Direction::To
        } else {
            self.expect_word("FROM")?;
            Direction::From
        };
        if let (Direction::From, Token::SingleQuotedString(text)) = (direction, &self.parser.peek_token().token)
            && is_location(text)
        {
            let location = self.string()?;
            return self.load(table, columns, location);
        }
        let given = self.copy_behind(direction, binary)?;
        let start = self.parser.peek_token();
        let condition = match self.words(&["WHERE"]) {
            true if direction == Direction::To => {
                let error = PgError::new(SqlState::SYNTAX_ERROR, "WHERE clause not allowed with COPY TO");
                return Err(self.at_token(error, &start));
            }
            true => Some(Box::new(self.parser.parse_expr().map_err(|error| self.syntax(error))?)),
            false => None,
        };
        let options = given.complete(direction)?;
        Ok(match direction {
            Direction::To => Statement::CopyTo(CopyTo {
                source: CopySource::Table { table, columns },
                options,
                force_quote: given.force_quote.unwrap_or_default(),
            }),
            Direction::From => Statement::CopyFrom(CopyFrom {
                table,
                columns,
                options,
                force_not_null: given.force_not_null.unwrap_or_default(),
                force_null: given.force_null.unwrap_or_default(),
                condition,
            }),
        })
    }

    /// Behind `COPY (`.
    fn copy_query(&mut self) -> Result<Statement> {
        let start = self.parser.peek_token();
        let source = match self.statement()? {
            Statement::Query(query) => CopySource::Query(query),
            Statement::Insert(insert) if insert.returning.is_empty() => return Err(no_rows()),
            Statement::Modify(modify) if matches!(modify.kind, ModifyKind::Merge(_)) => {
                return Err(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, "MERGE not supported in COPY").into());
            }
            Statement::Modify(modify) if modify.returning.is_empty() => return Err(no_rows()),
            change @ (Statement::Insert(_) | Statement::Modify(_)) => CopySource::Change(Box::new(change)),
            Statement::CreateTableAs(_) if !start.token.to_string().eq_ignore_ascii_case("create") => {
                return Err(Error::not_supported("COPY (SELECT INTO)"));
            }
            _ => return Err(self.unexpected(&start)),
        };
        self.expect(&Token::RParen)?;
        self.expect_word("TO")?;
        let given = self.copy_behind(Direction::To, None)?;
        let options = given.complete(Direction::To)?;
        let force_quote = given.force_quote.unwrap_or_default();
        Ok(Statement::CopyTo(CopyTo { source, options, force_quote }))
    }

    /// The options of COPY … FROM in parentheses.
    pub(super) fn copy_from_options(&mut self) -> Result<CopyOptions> {
        let given = self.copy_options(Direction::From, None)?;
        if given.force_not_null.is_some() || given.force_null.is_some() {
            return Err(Error::not_supported("COPY of files with FORCE_NULL or FORCE_NOT_NULL"));
        }
        given.complete(Direction::From)
    }

    fn copy_columns(&mut self) -> Result<Vec<ast::Ident>> {
        if self.parser.consume_token(&Token::LParen) {
            let columns = self.copy_column_list()?;
            self.expect(&Token::RParen)?;
            return Ok(columns);
        }
        Ok(Vec::new())
    }

    /// Behind `TO` or `FROM`: the other end, and options.
    fn copy_behind(&mut self, direction: Direction, binary: Option<TokenWithSpan>) -> Result<GivenOptions> {
        let end = if self.words(&["PROGRAM"]) {
            self.string()?;
            Some("PROGRAM")
        } else if self.words(&["STDIN"]) || self.words(&["STDOUT"]) {
            None
        } else {
            self.string()?;
            Some("a file")
        };
        let given = self.copy_options(direction, binary)?;
        let Some(end) = end else { return Ok(given) };
        let verb = match direction {
            Direction::To => "TO",
            Direction::From => "FROM",
        };
        Err(PgError::not_supported(format!("COPY {verb} {end}")).with_hint(FILE_HINT).into())
    }

    /// An error about what stands at a token.
    pub(super) fn at_token(&self, error: PgError, token: &TokenWithSpan) -> Error {
        Error::Sql { error: Box::new(error), position: position::character(&self.text, token.span.start) }
    }
}

/// COPY of a statement that changes rows and answers none.
fn no_rows() -> Error {
    PgError::new(SqlState::FEATURE_NOT_SUPPORTED, "COPY query must have a RETURNING clause").into()
}
