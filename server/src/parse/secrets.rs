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

/// What COPY and UNLOAD say of who reads and writes, as the options of a secret.
#[derive(Clone, Default)]
pub struct AccessKeys(pub BTreeMap<String, String>);

/// What Redshift calls the options of a secret: as options of their own, and within CREDENTIALS.
const ACCESS_OPTIONS: [(&str, &str, &str); 3] = [
    ("ACCESS_KEY_ID", "aws_access_key_id", "key_id"),
    ("SECRET_ACCESS_KEY", "aws_secret_access_key", "secret"),
    ("SESSION_TOKEN", "token", "session_token"),
];

impl fmt::Debug for AccessKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for CreateSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateSecret").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl AccessKeys {
    fn add(&mut self, option: &str, value: String) -> Result<()> {
        match self.0.insert(option.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(PgError::invalid_parameter("credentials are given twice").into()),
        }
    }

    /// `aws_access_key_id=…;aws_secret_access_key=…`, or a role.
    fn read_credentials(&mut self, text: &str) -> Result<()> {
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match ACCESS_OPTIONS.iter().find(|(_, in_text, _)| *in_text == name.trim()) {
                Some((_, _, option)) => self.add(option, value.trim().to_owned())?,
                None if name.trim() == "aws_iam_role" => {}
                None => return Err(Error::not_supported("CREDENTIALS with other parts than keys, token and role")),
            }
        }
        Ok(())
    }

    /// Whether there is a key among them. A region alone is that of the secret or of the configuration.
    pub fn has_key(&self) -> bool {
        ["key_id", "secret", "session_token"].iter().any(|option| self.0.contains_key(*option))
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

    /// What says who may read the files, if it is next. Roles mean nothing here: who may do what without a key is for secrets and
    /// the configuration to say.
    pub(super) fn access_option(&mut self, keys: &mut AccessKeys) -> Result<bool> {
        if self.words(&["IAM_ROLE"]) {
            if !self.words(&["DEFAULT"]) {
                self.string()?;
            }
            return Ok(true);
        }
        if self.words(&["WITH", "CREDENTIALS"]) || self.words(&["CREDENTIALS"]) {
            self.words(&["AS"]);
            return keys.read_credentials(&self.string()?).map(|()| true);
        }
        let options = ACCESS_OPTIONS.iter().map(|(word, _, option)| (*word, *option)).chain([("REGION", "region")]);
        for (word, option) in options {
            if self.words(&["WITH", word]) || self.words(&[word]) {
                self.words(&["AS"]);
                let value = self.string()?;
                return keys.add(option, value).map(|()| true);
            }
        }
        Ok(false)
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
