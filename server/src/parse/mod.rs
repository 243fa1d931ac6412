//! SQL text → [`Statement`].
//!
//! sqlparser does the work; the warehouse's own statements, and those that sqlparser reads otherwise than PostgreSQL, have
//! a small recursive-descent front on its `Parser`. What comes out is our own enum with one variant per verb: sqlparser's
//! nodes appear only inside its query and expression fields. Nothing that was written is dropped on the way: what we
//! do not implement is refused here, by name.

mod absent_objects;
mod alter_table;
mod bad_data;
mod comment;
mod constraints;
pub mod convert;
pub mod copy;
mod create_table;
mod create_table_as;
mod cursors;
pub mod definition;
pub mod depth;
pub mod dialect;
mod explain;
pub mod external;
pub mod external_format;
pub mod forms;
pub mod guard;
pub mod indexes;
pub mod length;
mod literals;
pub mod load;
mod lock_table;
pub mod merge;
pub mod modify;
mod nested_type;
mod notifications;
pub mod numbers;
mod overriding;
pub mod parentheses;
pub mod position;
mod prepared;
pub mod roles;
pub mod secrets;
mod sequences;
mod settings;
mod show_objects;
pub mod statement;
mod subquery;
mod transaction;
pub mod unload;
mod unsupported;
mod user_types;
mod vacuum;

pub use dialect::WarehouseDialect;
pub use statement::Statement;
use statement::{AlterSchema, AlterSchemaAction, CacheName};

use std::sync::Arc;

use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan};

use crate::error::{Error, Result};

/// Nested parentheses, subqueries and the like that are parsed. Each costs the parser, the planner and the optimiser a
/// stretch of stack; the server's threads have room for many times this.
const NESTING_MAX: usize = 1_000;

/// A statement, with what is needed to speak about its text.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The statement.
    pub statement: Statement,
    /// The text of the whole query string it came in: positions of errors count from its start.
    pub text: Arc<str>,
}

/// The statements in a query string, in order; none when it is empty.
///
/// # Errors
/// 42601 with a position for what cannot be parsed, 0A000 for what is not supported, 54001 for what is too complex.
pub fn parse(text: &str) -> Result<Vec<Parsed>> {
    length::check(text)?;
    let dialect = WarehouseDialect;
    let tokens = literals::tokens(text)?;
    numbers::check(&tokens, text)?;
    let tokens = parentheses::without_superfluous(tokens);
    depth::check(&tokens)?;
    if let Some(clause) = forms::clauses::unsupported(&tokens) {
        return Err(Error::not_supported(clause));
    }
    let tokens = forms::readable(tokens);
    let tokens = dialect::with_frame_parentheses(dialect::without_approximate(tokens));
    let tokens = dialect::with_marked_symmetry(tokens);

    let text: Arc<str> = text.into();
    let parser = Parser::new(&dialect).with_recursion_limit(NESTING_MAX).with_tokens_with_locations(tokens.clone());
    let mut reader = StatementReader { parser, tokens, text: text.clone() };
    let mut statements = Vec::new();
    loop {
        while reader.parser.consume_token(&Token::SemiColon) {}
        if reader.parser.peek_token_ref().token == Token::EOF {
            return Ok(statements);
        }
        let statement = reader.statement()?;
        guard::check(&statement, &text)?;
        statements.push(Parsed { statement, text: text.clone() });
        let next = reader.parser.peek_token();
        if !matches!(next.token, Token::SemiColon | Token::EOF) {
            return Err(reader.unexpected(&next));
        }
    }
}

/// The query in a text that we have written ourselves.
///
/// # Errors
/// It is none.
pub fn query(text: &str) -> Result<Box<sqlparser::ast::Query>> {
    match parse(text)?.into_iter().next().map(|parsed| parsed.statement) {
        Some(Statement::Query(query)) => Ok(query),
        _ => Err(Error::not_supported("something else than a query")),
    }
}

/// Reads one statement after the other from the tokens of a query string.
pub(crate) struct StatementReader<'a> {
    pub(crate) parser: Parser<'a>,
    tokens: Vec<TokenWithSpan>,
    text: Arc<str>,
}

impl StatementReader<'_> {
    fn statement(&mut self) -> Result<Statement> {
        let start = self.parser.peek_token();
        // What is no statement of one of them is left to the next.
        let readers = [
            Self::unsupported_statement,
            Self::explain_statement,
            Self::statement_by_words,
            Self::sequence_statement,
            Self::index_statement,
            Self::role_statement,
            Self::secret_statement,
            Self::type_statement,
            Self::transaction_statement,
            Self::notification_statement,
            Self::cursor_statement,
            Self::prepared_statement,
            Self::merge,
            Self::create_table_as,
            Self::maintenance_statement,
            Self::setting_statement,
            Self::lock_table,
        ];
        for read in readers {
            if let Some(statement) = read(self)? {
                return Ok(statement);
            }
        }
        let overriding = if self.is_keyword(Keyword::INSERT) { self.take_overriding() } else { None };
        let statement = self.parser.parse_statement().map_err(|error| self.syntax(error))?;
        let mut statement = convert::statement(statement, self, start.span.start)?;
        if let Statement::Insert(insert) = &mut statement {
            insert.overriding = overriding;
        }
        Ok(statement)
    }

    /// A statement that its first words tell.
    fn statement_by_words(&mut self) -> Result<Option<Statement>> {
        let statement = if self.words(&["CREATE", "EXTERNAL", "SCHEMA"]) {
            self.create_external_schema()?
        } else if self.words(&["CREATE", "EXTERNAL", "TABLE"]) {
            self.create_external_table()?
        } else if self.begins_table_definition() {
            self.create_table()?
        } else if self.words(&["ALTER", "TABLE"]) {
            self.alter_table()?
        } else if self.words(&["ALTER", "SCHEMA"]) {
            self.alter_schema()?
        } else if self.words(&["COMMENT", "ON"]) {
            self.comment()?
        } else if self.words(&["ALTER", "VIEW"]) {
            self.alter_view()?
        } else if self.words(&["CREATE", "UNLOGGED"]) {
            return Err(Error::not_supported("CREATE UNLOGGED TABLE"));
        } else if self.parser.parse_keyword(Keyword::COPY) {
            self.copy()?
        } else if self.words(&["UNLOAD"]) {
            self.unload()?
        } else if self.words(&["BACKUP", "TO"]) {
            self.backup()?
        } else if self.words(&["REFRESH", "EXTERNAL", "TABLE"]) {
            Statement::RefreshExternalTable(self.object_name()?)
        } else if self.words(&["CLEAR", "CACHE"]) {
            Statement::ClearCache(self.cache()?)
        } else {
            return Ok(None);
        };
        Ok(Some(statement))
    }

    /// `[ALL | COLUMNS | FOOTERS | LISTINGS]`
    fn cache(&mut self) -> Result<CacheName> {
        let names = [
            ("ALL", CacheName::All),
            ("COLUMNS", CacheName::Columns),
            ("FOOTERS", CacheName::Footers),
            ("LISTINGS", CacheName::Listings),
            ("PAGES", CacheName::Pages),
        ];
        match names.iter().find(|(word, _)| self.words(&[word])) {
            Some((_, name)) => Ok(*name),
            None if self.parser.peek_token_ref().token == Token::EOF => Ok(CacheName::All),
            None => Err(self.unexpected(self.parser.peek_token_ref())),
        }
    }

    fn alter_schema(&mut self) -> Result<Statement> {
        let name = self.object_name()?;
        let action = if self.words(&["RENAME", "TO"]) {
            AlterSchemaAction::Rename(self.identifier()?)
        } else if self.words(&["OWNER", "TO"]) {
            AlterSchemaAction::OwnerTo(self.identifier()?)
        } else {
            return Err(self.unexpected(self.parser.peek_token_ref()));
        };
        Ok(Statement::AlterSchema(AlterSchema { name, action }))
    }

    fn backup(&mut self) -> Result<Statement> {
        let location = self.parser.peek_token();
        match location.token {
            Token::SingleQuotedString(_) => Ok(Statement::Backup { location: self.string()? }),
            _ => Err(self.unexpected(&location)),
        }
    }

    /// Consumes these words if they all come next, in any case.
    pub(crate) fn words(&mut self, words: &[&str]) -> bool {
        let all = words.iter().enumerate().all(|(offset, word)| {
            matches!(&self.parser.peek_nth_token_ref(offset).token,
                Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
        });
        if all {
            words.iter().for_each(|_| self.parser.advance_token());
        }
        all
    }

    /// Consumes this word or says that it was expected.
    pub(crate) fn expect_word(&mut self, word: &str) -> Result<()> {
        if self.words(&[word]) { Ok(()) } else { Err(self.unexpected(&self.parser.peek_token())) }
    }

    /// Consumes this token or says that something else is there.
    pub(crate) fn expect(&mut self, token: &Token) -> Result<()> {
        if self.parser.consume_token(token) { Ok(()) } else { Err(self.unexpected(&self.parser.peek_token())) }
    }

    /// A string constant.
    pub(crate) fn string(&mut self) -> Result<String> {
        if let Token::DollarQuotedString(text) = self.parser.peek_token().token {
            self.parser.next_token();
            return Ok(text.value);
        }
        self.parser.parse_literal_string().map_err(|error| self.syntax(error))
    }

    pub(crate) fn syntax(&self, error: ParserError) -> Error {
        self.locking_clause().map_or_else(|| syntax_error(&self.text, error), Error::not_supported)
    }

    /// `syntax error at or near …`
    pub(crate) fn unexpected(&self, token: &TokenWithSpan) -> Error {
        self.locking_clause().map_or_else(|| near(&self.text, &token.token, token.span.start), Error::not_supported)
    }

    /// The text from the end of the first word `AS` outside parentheses after `start` up to where the parser is.
    pub(crate) fn text_after_as(&self, start: Location) -> Option<&str> {
        let mut depth = 0;
        let mut tokens = self.tokens.iter().skip_while(|token| token.span.start < start);
        let keyword = tokens.find(|token| {
            match &token.token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                _ => {}
            }
            depth == 0 && matches!(&token.token, Token::Word(word) if word.keyword == Keyword::AS)
        })?;
        let begin = position::byte_offset(&self.text, keyword.span.end)?;
        let next = self.parser.peek_token();
        let end = match next.token {
            Token::EOF => self.text.len(),
            _ => position::byte_offset(&self.text, next.span.start)?,
        };
        self.text.get(begin..end).map(str::trim)
    }
}

/// What PostgreSQL says of the same mistake, as far as sqlparser's message tells it.
fn syntax_error(text: &str, error: ParserError) -> Error {
    match error {
        ParserError::RecursionLimitExceeded => Error::TooComplex,
        ParserError::ParserError(message) | ParserError::TokenizerError(message) => {
            let (message, location) = position::split_location(&message);
            let position = location.and_then(|location| position::character(text, location));
            let found = message.split_once(", found: ").map(|(expected, found)| (expected.to_owned(), found));
            match found {
                Some((_, "EOF")) => at_end(text),
                Some((expected, found)) => Error::Syntax {
                    message: format!("syntax error at or near \"{found}\""),
                    detail: Some(format!("{expected}.")),
                    position,
                },
                None => Error::Syntax { message: format!("syntax error: {message}"), detail: None, position },
            }
        }
    }
}

fn near(text: &str, token: &Token, location: Location) -> Error {
    match token {
        Token::EOF => at_end(text),
        other => {
            let message = format!("syntax error at or near \"{other}\"");
            Error::Syntax { message, detail: None, position: position::character(text, location) }
        }
    }
}

/// The end has no location of its own.
fn at_end(text: &str) -> Error {
    let position = Some(text.chars().count() + 1);
    Error::Syntax { message: "syntax error at end of input".into(), detail: None, position }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let printed = match parse(text) {
            Ok(statements) => statements.iter().map(|it| it.statement.verb()).collect::<Vec<_>>().join("; "),
            Err(error) => {
                let report = error.report();
                format!("{} {} @{}", report.sqlstate.code(), report.message, report.position.unwrap_or_default())
            }
        };
        assert_eq!(printed, expected, "{text}");
    }

    #[test]
    fn statements_are_told_apart() {
        check("", "");
        check(" ; ;", "");
        check("select 1; begin; commit", "SELECT; BEGIN; COMMIT");
        check("copy t (a, b) from stdin with (format csv, header true)", "COPY");
        check("COPY t FROM STDIN csv header", "COPY");
        check("create external schema lake", "CREATE SCHEMA");
        check(
            "create external table lake.t (a int) partitioned by (d date) stored as parquet location 's3://b/t'",
            "CREATE EXTERNAL TABLE",
        );
        check("alter table lake.t add if not exists partition (d='2024-01-01') location 's3://b/x'", "ALTER TABLE");
        check("merge into t using u on t.a = u.a when matched then do nothing", "MERGE");
        check("with u as (select 1 a) merge into only t x using u on true remove duplicates", "MERGE");
        check("with u (a) as (select 1), merge as (select 2) select * from merge", "SELECT");
        check("reset all", "RESET");
        check("backup to 's3://b/x'", "BACKUP");
    }

    #[test]
    fn mistakes_have_a_position() {
        check("selec 1", "42601 syntax error at or near \"selec\" @1");
        check("select 1 +", "42601 syntax error at end of input @11");
        check("select 1;\n  create external table t (", "42601 syntax error at end of input @38");
        check("backup to x", "42601 syntax error at or near \"x\" @11");
        check("select 1 select 2", "42601 syntax error at or near \"select\" @10");
        check("merge into t using u on true", "42601 syntax error at end of input @29");
        check(
            "merge into t using u on true when matched then insert values (1)",
            "42601 syntax error at or near \"insert\" @48",
        );
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        check("select * from (select 1) tablesample system (10)", "0A000 TABLESAMPLE is not supported @0");
        check("select * from t for update", "0A000 FOR UPDATE is not supported @0");
        check("create table t (a int unique deferrable)", "0A000 a constraint with DEFERRABLE is not supported @0");
    }

    #[test]
    fn a_statement_that_is_too_deep_is_refused() {
        check(&format!("select {}1", "1+".repeat(100_000)), "54001 statement is too complex @0");
        // Parentheses that only stand around others have no depth.
        check(&format!("select {}1{}", "(".repeat(5_000), ")".repeat(5_000)), "SELECT");
        // Neither parentheses nor commas make a tree of many shorter chains any less deep.
        let chain = "+1".repeat(300);
        check(
            &format!("select {}1{}", "(".repeat(10), format!("{chain})").repeat(10)),
            "54001 statement is too complex @0",
        );
        check(
            &format!("select {}1{}", "f(".repeat(10), format!("{chain},1)").repeat(10)),
            "54001 statement is too complex @0",
        );
        check(&format!("select null::int{}", "[]".repeat(300_000)), "54001 statement is too complex @0");
        check(&format!("select 1 in (0{}), 2", ",0+1".repeat(5_000)), "SELECT");
    }
}
