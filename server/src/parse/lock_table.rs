//! LOCK TABLE.

use sqlparser::tokenizer::Token;

use super::statement::LockTable;
use super::{Statement, StatementReader};
use crate::error::Result;

/// The modes of locks.
const MODES: [&str; 8] = [
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE ROW EXCLUSIVE",
    "SHARE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
];

impl StatementReader<'_> {
    /// LOCK TABLE, if it begins here.
    pub(super) fn lock_table(&mut self) -> Result<Option<Statement>> {
        if !self.words(&["LOCK"]) {
            return Ok(None);
        }
        self.words(&["TABLE"]);
        let mut tables = Vec::new();
        loop {
            self.words(&["ONLY"]);
            tables.push(self.object_name()?);
            let _all_below = self.parser.consume_token(&Token::Mul);
            if !self.parser.consume_token(&Token::Comma) {
                break;
            }
        }
        let mut mode = "ACCESS EXCLUSIVE";
        if self.words(&["IN"]) {
            let written = MODES.iter().find(|mode| self.words(&mode.split(' ').collect::<Vec<_>>()));
            mode = written.copied().ok_or_else(|| self.unexpected(self.parser.peek_token_ref()))?;
            self.expect_word("MODE")?;
        }
        self.words(&["NOWAIT"]);
        Ok(Some(Statement::LockTable(LockTable { tables, mode })))
    }
}
