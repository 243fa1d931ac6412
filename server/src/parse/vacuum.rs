//! VACUUM and ANALYZE, in PostgreSQL's forms and in Redshift's.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, Result};
use crate::parse::StatementReader;
use crate::parse::guard::is_reserved;
use crate::parse::statement::{Analyze, Statement, TableColumns, Vacuum};
use crate::plan::relations::identifier;
use pg::PgError;
use pg::sqlstate::SqlState;

/// Options of VACUUM that change nothing here: it always does everything, there are no transaction numbers to freeze, and it
/// waits for no lock.
const VACUUM_WITHOUT_EFFECT: &[&str] = &["full", "freeze", "skip_locked"];
/// Options of VACUUM that say how, and not what.
const VACUUM_REFUSED: &[&str] = &["disable_page_skipping", "index_cleanup", "process_toast", "truncate", "parallel"];
/// Options of ANALYZE that change nothing here: it waits for no lock.
const ANALYZE_WITHOUT_EFFECT: &[&str] = &["skip_locked"];

/// Words that may stand before the names of tables, and are none.
const BEFORE_NAMES: &[&str] = &["full", "freeze", "verbose"];

/// An option that is on or off.
struct GivenOption {
    name: String,
    is_on: bool,
    token: TokenWithSpan,
}

impl StatementReader<'_> {
    /// A statement that looks after tables, if one begins here.
    pub(super) fn maintenance_statement(&mut self) -> Result<Option<Statement>> {
        if self.words(&["VACUUM"]) {
            return self.vacuum().map(Some);
        }
        if self.words(&["ANALYZE"]) || self.words(&["ANALYSE"]) {
            return self.analyze().map(Some);
        }
        Ok(None)
    }

    fn vacuum(&mut self) -> Result<Statement> {
        let (mut analyze, mut verbose) = (false, false);
        if self.parser.peek_token_ref().token == Token::LParen {
            for option in self.options()? {
                match option.name.as_str() {
                    "analyze" | "analyse" => analyze = option.is_on,
                    "verbose" => verbose = option.is_on,
                    name if VACUUM_WITHOUT_EFFECT.contains(&name) => {}
                    name if VACUUM_REFUSED.contains(&name) => {
                        return Err(Error::not_supported(format!("VACUUM option {}", name.to_uppercase())));
                    }
                    _ => return Err(self.unrecognized("VACUUM", &option)),
                }
            }
        } else {
            self.refuse_redshift_vacuum()?;
            if !self.words(&["DELETE", "ONLY"]) {
                self.words(&["FULL"]);
                self.words(&["FREEZE"]);
                verbose = self.words(&["VERBOSE"]);
                analyze = self.words(&["ANALYZE"]) || self.words(&["ANALYSE"]);
            }
        }
        let tables = self.maintained_tables()?;
        if self.words(&["TO"]) {
            return Err(Error::not_supported("VACUUM … TO … PERCENT"));
        }
        if self.words(&["BOOST"]) {
            return Err(Error::not_supported("VACUUM BOOST"));
        }
        if !analyze && tables.iter().any(|table| !table.columns.is_empty()) {
            let message = "ANALYZE option must be specified when a column list is provided";
            return Err(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message).into());
        }
        Ok(Statement::Vacuum(Vacuum { tables, analyze, verbose }))
    }

    /// Forms of Redshift's, which begin with words that are tables to PostgreSQL when they stand alone.
    fn refuse_redshift_vacuum(&mut self) -> Result<()> {
        if self.words(&["SORT", "ONLY"]) {
            return Err(Error::not_supported("VACUUM SORT ONLY"));
        }
        for word in ["REINDEX", "RECLUSTER"] {
            let begins_name = matches!(self.parser.peek_nth_token_ref(1).token, Token::Word(_));
            if begins_name && self.words(&[word]) {
                return Err(Error::not_supported(format!("VACUUM {word}")));
            }
        }
        Ok(())
    }

    fn analyze(&mut self) -> Result<Statement> {
        let mut verbose = false;
        if self.parser.peek_token_ref().token == Token::LParen {
            for option in self.options()? {
                match option.name.as_str() {
                    "verbose" => verbose = option.is_on,
                    name if ANALYZE_WITHOUT_EFFECT.contains(&name) => {}
                    _ => return Err(self.unrecognized("ANALYZE", &option)),
                }
            }
        } else {
            verbose = self.words(&["VERBOSE"]);
        }
        // A table can have the name.
        let names_table = matches!(self.parser.peek_nth_token_ref(1).token, Token::Word(_));
        if names_table && self.words(&["COMPRESSION"]) {
            return Err(Error::not_supported("ANALYZE COMPRESSION"));
        }
        // Which columns conditions are about is not recorded, so that all are looked at in either case.
        if self.which_columns() {
            return Ok(Statement::Analyze(Analyze { tables: Vec::new(), verbose }));
        }
        let tables = self.maintained_tables()?;
        if !tables.is_empty() {
            self.which_columns();
        }
        Ok(Statement::Analyze(Analyze { tables, verbose }))
    }

    /// Redshift's `PREDICATE COLUMNS` or `ALL COLUMNS`.
    fn which_columns(&mut self) -> bool {
        self.words(&["PREDICATE", "COLUMNS"]) || self.words(&["ALL", "COLUMNS"])
    }

    /// `[table [(column, …)], …]`
    fn maintained_tables(&mut self) -> Result<Vec<TableColumns>> {
        let mut tables = Vec::new();
        if matches!(self.parser.peek_token_ref().token, Token::SemiColon | Token::EOF) || self.at_word("TO") {
            return Ok(tables);
        }
        loop {
            let first = self.parser.peek_token();
            let is_no_name = |word: &str| {
                let before_names = BEFORE_NAMES.iter().any(|option| option.eq_ignore_ascii_case(word));
                before_names || is_reserved(word)
            };
            if matches!(&first.token, Token::Word(word) if word.quote_style.is_none() && is_no_name(&word.value)) {
                return Err(self.unexpected(&first));
            }
            let table = self.object_name()?;
            let mut columns = Vec::new();
            if self.parser.consume_token(&Token::LParen) {
                columns = self.copy_column_list()?;
                self.expect(&Token::RParen)?;
            }
            tables.push(TableColumns { table, columns });
            if !self.parser.consume_token(&Token::Comma) {
                return Ok(tables);
            }
        }
    }

    fn at_word(&self, wanted: &str) -> bool {
        matches!(&self.parser.peek_token_ref().token,
            Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted))
    }

    /// `(option [boolean], …)`
    fn options(&mut self) -> Result<Vec<GivenOption>> {
        self.expect(&Token::LParen)?;
        let mut options = Vec::new();
        loop {
            let token = self.parser.peek_token();
            if !matches!(token.token, Token::Word(_)) {
                return Err(self.unexpected(&token));
            }
            let name = identifier(&self.identifier()?);
            let is_on = self.boolean_option(&name)?;
            options.push(GivenOption { name, is_on, token });
            if !self.parser.consume_token(&Token::Comma) {
                self.expect(&Token::RParen)?;
                return Ok(options);
            }
        }
    }

    fn boolean_option(&mut self, name: &str) -> Result<bool> {
        let token = self.parser.peek_token();
        let value = match &token.token {
            Token::Comma | Token::RParen => return Ok(true),
            Token::Word(word) => word.value.clone(),
            Token::Number(digits, _) => digits.clone(),
            Token::SingleQuotedString(text) => text.clone(),
            _ => return Err(self.unexpected(&token)),
        };
        self.parser.advance_token();
        match value.to_ascii_lowercase().as_str() {
            "true" | "on" | "1" => Ok(true),
            "false" | "off" | "0" => Ok(false),
            // It says how, and is refused by its name.
            _ if VACUUM_REFUSED.contains(&name) => Ok(true),
            _ => {
                let message = format!("{name} requires a Boolean value");
                Err(PgError::new(SqlState::SYNTAX_ERROR, message).into())
            }
        }
    }

    fn unrecognized(&self, verb: &str, option: &GivenOption) -> Error {
        let message = format!("unrecognized {verb} option \"{}\"", option.name);
        self.at_token(PgError::new(SqlState::SYNTAX_ERROR, message), &option.token)
    }
}
