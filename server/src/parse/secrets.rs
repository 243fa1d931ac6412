//! CREATE and DROP SECRET, as DuckDB writes them.

use std::collections::BTreeMap;
use std::fmt;

use catalog::SecretKind;
use pg::PgError;
use sqlparser::tokenizer::Token;

use super::{Statement, StatementReader};
use crate::error::{Error, Result};
use crate::plan::relations::identifier;

/// `CREATE SECRET`
#[derive(Clone)]
pub struct CreateSecret {
    /// Its name.
    pub name: String,
    /// Whether it may take the place of another.
    pub or_replace: bool,
    /// Whether it may be there already.
    pub if_not_exists: bool,
    /// Which stores it is for.
    pub kind: SecretKind,
    /// The URL below which it is used; empty for all locations of its kind.
    pub scope: String,
    /// The other options, by their names in lower case.
    pub options: BTreeMap<String, String>,
}

/// `DROP SECRET`
#[derive(Debug, Clone)]
pub struct DropSecret {
    /// Which.
    pub name: String,
    /// Whether it may be absent.
    pub if_exists: bool,
}

impl fmt::Debug for CreateSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateSecret").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl StatementReader<'_> {
    /// A statement about secrets, if one begins here.
    pub(super) fn secret_statement(&mut self) -> Result<Option<Statement>> {
        for temporary in ["TEMPORARY", "TEMP"] {
            let is_created = self.words(&["CREATE", temporary, "SECRET"])
                || self.words(&["CREATE", "OR", "REPLACE", temporary, "SECRET"]);
            if is_created || self.words(&["DROP", temporary, "SECRET"]) {
                return Err(Error::not_supported("TEMPORARY SECRET"));
            }
        }
        if self.words(&["CREATE", "SECRET"]) || self.words(&["CREATE", "PERSISTENT", "SECRET"]) {
            return self.create_secret(false).map(Some);
        }
        if self.words(&["CREATE", "OR", "REPLACE", "SECRET"])
            || self.words(&["CREATE", "OR", "REPLACE", "PERSISTENT", "SECRET"])
        {
            return self.create_secret(true).map(Some);
        }
        if self.words(&["DROP", "SECRET"]) || self.words(&["DROP", "PERSISTENT", "SECRET"]) {
            let if_exists = self.words(&["IF", "EXISTS"]);
            let name = identifier(&self.identifier()?);
            return Ok(Some(Statement::DropSecret(DropSecret { name, if_exists })));
        }
        Ok(None)
    }

    fn create_secret(&mut self, or_replace: bool) -> Result<Statement> {
        let token = self.parser.peek_token();
        let if_not_exists = self.words(&["IF", "NOT", "EXISTS"]);
        if or_replace && if_not_exists {
            return Err(self.unexpected(&token));
        }
        let name = identifier(&self.identifier()?);
        let mut options = self.secret_options()?;
        let kind = options.remove("type").ok_or_else(|| PgError::invalid_parameter("a secret needs a TYPE"))?;
        let kind = SecretKind::named(&kind).ok_or_else(|| Error::not_supported("secrets of this TYPE"))?;
        if options.remove("provider").is_some_and(|provider| !provider.eq_ignore_ascii_case("config")) {
            return Err(Error::not_supported("secrets of another PROVIDER than config"));
        }
        let scope = options.remove("scope").unwrap_or_default();
        Ok(Statement::CreateSecret(CreateSecret { name, or_replace, if_not_exists, kind, scope, options }))
    }

    /// `(option value, …)`
    fn secret_options(&mut self) -> Result<BTreeMap<String, String>> {
        let mut options = BTreeMap::new();
        self.expect_of_secret(&Token::LParen)?;
        loop {
            let name = self.identifier()?.value.to_ascii_lowercase();
            let value = match self.parser.peek_token_ref().token {
                Token::Word(_) => self.identifier()?.value,
                _ => self.string()?,
            };
            if options.insert(name.clone(), value).is_some() {
                return Err(PgError::invalid_parameter(format!("option {} is given twice", name.to_uppercase())).into());
            }
            if !self.parser.consume_token(&Token::Comma) {
                break;
            }
        }
        self.expect_of_secret(&Token::RParen)?;
        Ok(options)
    }

    fn expect_of_secret(&mut self, expected: &Token) -> Result<()> {
        let token = self.parser.peek_token();
        if self.parser.consume_token(expected) { Ok(()) } else { Err(self.unexpected(&token)) }
    }
}
