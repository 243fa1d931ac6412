//! Statements of PostgreSQL's and Redshift's that there are not here: they are not supported, and no faults of syntax.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use super::StatementReader;
use crate::error::{Error, Result};
use crate::parse::statement::Statement;

/// Statements, by their first words.
const STATEMENTS: &[&[&str]] = &[
    &["ALTER", "DEFAULT", "PRIVILEGES"],
    &["ALTER", "SYSTEM"],
    &["CALL"],
    &["CANCEL"],
    &["CHECKPOINT"],
    &["CLUSTER"],
    &["DO"],
    &["DROP", "OWNED"],
    &["GRANT"],
    &["IMPORT", "FOREIGN", "SCHEMA"],
    &["LOAD"],
    &["REASSIGN", "OWNED"],
    &["REFRESH", "MATERIALIZED", "VIEW"],
    &["REVOKE"],
    &["SECURITY", "LABEL"],
];

/// What CREATE, ALTER and DROP know there.
const OBJECTS: &[&[&str]] = &[
    &["ACCESS", "METHOD"],
    &["AGGREGATE"],
    &["CAST"],
    &["COLLATION"],
    &["CONVERSION"],
    &["DATABASE"],
    &["DATASHARE"],
    &["EVENT", "TRIGGER"],
    &["EXTENSION"],
    &["EXTERNAL", "FUNCTION"],
    &["FOREIGN", "DATA", "WRAPPER"],
    &["FOREIGN", "TABLE"],
    &["FUNCTION"],
    &["LANGUAGE"],
    &["LARGE", "OBJECT"],
    &["LIBRARY"],
    &["MATERIALIZED", "VIEW"],
    &["MODEL"],
    &["OPERATOR"],
    &["POLICY"],
    &["PROCEDURE"],
    &["PUBLICATION"],
    &["ROUTINE"],
    &["RULE"],
    &["SERVER"],
    &["STATISTICS"],
    &["SUBSCRIPTION"],
    &["TABLESPACE"],
    &["TEXT", "SEARCH"],
    &["TRANSFORM"],
    &["TRIGGER"],
    // A user may be called so.
    &["USER", "MAPPING", "FOR"],
    &["USER", "MAPPING", "IF"],
];

impl StatementReader<'_> {
    /// # Errors
    /// 0A000 for a statement of which only the first words are known here.
    pub(super) fn unsupported_statement(&mut self) -> Result<Option<Statement>> {
        if let Some(statement) = self.drop_of_absent()? {
            return Ok(Some(statement));
        }
        if let Some(words) = STATEMENTS.iter().find(|words| self.words(words)) {
            return Err(Error::not_supported(words.join(" ")));
        }
        for verb in ["CREATE", "ALTER", "DROP"] {
            let is_there = |reader: &mut Self, begin: &[&str], object: &[&str]| reader.words(&[begin, object].concat());
            let prefixes: &[&[&str]] = match verb {
                "CREATE" => &[&["CREATE"], &["CREATE", "OR", "REPLACE"], &["CREATE", "TRUSTED"]],
                "ALTER" => &[&["ALTER"]],
                _ => &[&["DROP"]],
            };
            let found = OBJECTS.iter().find(|object| prefixes.iter().any(|begin| is_there(self, begin, object)));
            if let Some(object) = found {
                let object = object.join(" ");
                return Err(Error::not_supported(format!(
                    "{verb} {}",
                    object.trim_end_matches(" FOR").trim_end_matches(" IF")
                )));
            }
        }
        Ok(None)
    }

    /// The name of a clause that locks rows, if there is one: sqlparser does not read all of its forms everywhere.
    pub(super) fn locking_clause(&self) -> Option<&'static str> {
        let words: Vec<Keyword> = self
            .tokens
            .iter()
            .filter_map(|token| match &token.token {
                Token::Word(word) => Some(word.keyword),
                _ => None,
            })
            .collect();
        let is_there = |clause: &[Keyword]| words.windows(clause.len()).any(|found| found == clause);
        use Keyword::{FOR, KEY, NO, SHARE, UPDATE};
        let clauses = [
            (&[FOR, UPDATE][..], "FOR UPDATE"),
            (&[FOR, NO, KEY, UPDATE], "FOR NO KEY UPDATE"),
            (&[FOR, SHARE], "FOR SHARE"),
            (&[FOR, KEY, SHARE], "FOR KEY SHARE"),
        ];
        clauses.into_iter().find(|(clause, _)| is_there(clause)).map(|(_, name)| name)
    }
}
