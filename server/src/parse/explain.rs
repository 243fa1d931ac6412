//! `EXPLAIN [(options)] statement`, and `EXPLAIN [ANALYZE] [VERBOSE] statement`.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, Result};
use crate::explain::format::Format;
use crate::parse::StatementReader;
use crate::parse::statement::{Explain, Statement};
use pg::PgError;
use pg::sqlstate::SqlState;

/// What begins a query in parentheses, and no option.
const BEGINS_QUERY: [Keyword; 4] = [Keyword::SELECT, Keyword::WITH, Keyword::VALUES, Keyword::TABLE];

/// The options as they were given.
#[derive(Default)]
struct Given {
    analyze: bool,
    verbose: bool,
    costs: Option<bool>,
    buffers: Option<bool>,
    wal: bool,
    settings: bool,
    timing: Option<bool>,
    summary: Option<bool>,
    engine: bool,
    format: Format,
}

impl StatementReader<'_> {
    /// An EXPLAIN, if one is next.
    pub(super) fn explain_statement(&mut self) -> Result<Option<Statement>> {
        if !self.words(&["EXPLAIN"]) {
            return Ok(None);
        }
        let mut given = Given::default();
        if self.has_explain_options() {
            self.expect(&Token::LParen)?;
            loop {
                self.explain_option(&mut given)?;
                if !self.parser.consume_token(&Token::Comma) {
                    break;
                }
            }
            self.expect(&Token::RParen)?;
        } else {
            given.analyze = self.words(&["ANALYZE"]) || self.words(&["ANALYSE"]);
            given.verbose = self.words(&["VERBOSE"]);
        }
        let start = self.parser.peek_token();
        // One in the other would be read however deep it goes.
        if self.words(&["EXPLAIN"]) {
            return Err(self.unexpected(&start));
        }
        let statement = self.statement()?;
        check_explainable(&statement).map_err(|refusal| match refusal {
            Some(what) => Error::not_supported(format!("EXPLAIN {what}")),
            None => self.unexpected(&start),
        })?;
        given.explain(statement).map(|explain| Some(Statement::Explain(explain)))
    }

    fn has_explain_options(&self) -> bool {
        if self.parser.peek_token_ref().token != Token::LParen {
            return false;
        }
        match &self.parser.peek_nth_token_ref(1).token {
            Token::Word(word) => !BEGINS_QUERY.contains(&word.keyword),
            _ => false,
        }
    }

    fn explain_option(&mut self, given: &mut Given) -> Result<()> {
        let start = self.parser.peek_token();
        let name = self.identifier()?.value.to_ascii_lowercase();
        let name = if name == "analyse" { "analyze".to_owned() } else { name };
        let value = self.parser.peek_token();
        let has_value = !matches!(value.token, Token::Comma | Token::RParen | Token::EOF);
        if has_value {
            self.parser.next_token();
        }
        let value = has_value.then_some(value);
        if name == "format" {
            given.format = self.explain_format(value)?;
            return Ok(());
        }
        let on = || boolean(&name, value.as_ref());
        match name.as_str() {
            "analyze" => given.analyze = on()?,
            "verbose" => given.verbose = on()?,
            "costs" => given.costs = Some(on()?),
            "buffers" => given.buffers = Some(on()?),
            "wal" => given.wal = on()?,
            "settings" => given.settings = on()?,
            "timing" => given.timing = Some(on()?),
            "summary" => given.summary = Some(on()?),
            "engine" => given.engine = on()?,
            _ => {
                let error = PgError::new(SqlState::SYNTAX_ERROR, format!("unrecognized EXPLAIN option \"{name}\""));
                return Err(self.at_token(error, &start));
            }
        }
        Ok(())
    }

    fn explain_format(&self, value: Option<TokenWithSpan>) -> Result<Format> {
        let Some(value) = value else {
            return Err(PgError::new(SqlState::SYNTAX_ERROR, "format requires a parameter").into());
        };
        let text = word_of(&value.token);
        Ok(match text.to_ascii_lowercase().as_str() {
            "text" => Format::Text,
            "json" => Format::Json,
            "xml" => Format::Xml,
            "yaml" => Format::Yaml,
            _ => {
                let message = format!("unrecognized value for EXPLAIN option \"format\": \"{text}\"");
                return Err(self.at_token(PgError::invalid_parameter(message), &value));
            }
        })
    }
}

impl Given {
    /// What is explained by them, and how.
    fn explain(self, statement: Statement) -> Result<Explain> {
        let needs_analyze = [("WAL", self.wal), ("TIMING", self.timing == Some(true))];
        if let Some((name, _)) = needs_analyze.iter().find(|(_, on)| *on && !self.analyze) {
            return Err(PgError::invalid_parameter(format!("EXPLAIN option {name} requires ANALYZE")).into());
        }
        Ok(Explain {
            analyze: self.analyze,
            verbose: self.verbose,
            costs: self.costs.unwrap_or(true),
            buffers: self.buffers.unwrap_or(self.analyze),
            settings: self.settings,
            timing: self.timing.unwrap_or(self.analyze),
            summary: self.summary.unwrap_or(self.analyze),
            engine: self.engine,
            format: self.format,
            statement: Box::new(statement),
        })
    }
}

/// # Errors
/// The name of what cannot be explained yet; nothing for what never can.
fn check_explainable(statement: &Statement) -> std::result::Result<(), Option<&'static str>> {
    match statement {
        Statement::Query(_)
        | Statement::Insert(_)
        | Statement::Modify(_)
        | Statement::CreateTableAs(_)
        | Statement::Declare(_)
        | Statement::Execute(_) => Ok(()),
        Statement::CreateExternalTableAs(_) => Err(Some("CREATE EXTERNAL TABLE AS")),
        _ => Err(None),
    }
}

/// What an option is given that is on or off; nothing is on.
fn boolean(name: &str, value: Option<&TokenWithSpan>) -> Result<bool> {
    let Some(value) = value else { return Ok(true) };
    match word_of(&value.token).to_ascii_lowercase().as_str() {
        "true" | "on" | "1" => Ok(true),
        "false" | "off" | "0" => Ok(false),
        _ => Err(PgError::new(SqlState::SYNTAX_ERROR, format!("{name} requires a Boolean value")).into()),
    }
}

fn word_of(token: &Token) -> String {
    match token {
        Token::Word(word) => word.value.clone(),
        Token::SingleQuotedString(text) => text.clone(),
        other => other.to_string(),
    }
}
