//! BEGIN, COMMIT, ROLLBACK, SET TRANSACTION, DISCARD.

use catalog::Isolation;
use sqlparser::tokenizer::Token;

use super::statement::{Discard, TransactionModes};
use super::{Statement, StatementReader};
use crate::error::{Error, Result};

impl StatementReader<'_> {
    /// A statement about transactions, if one begins here.
    pub(super) fn transaction_statement(&mut self) -> Result<Option<Statement>> {
        let statement = if self.words(&["START", "TRANSACTION"]) {
            Statement::Begin { modes: self.transaction_modes()?, tag: "START TRANSACTION" }
        } else if self.words(&["BEGIN"]) {
            self.transaction_word();
            Statement::Begin { modes: self.transaction_modes()?, tag: "BEGIN" }
        } else if self.words(&["COMMIT", "PREPARED"]) || self.words(&["ROLLBACK", "PREPARED"]) {
            return Err(Error::not_supported("a prepared transaction"));
        } else if self.words(&["PREPARE", "TRANSACTION"]) {
            return Err(Error::not_supported("PREPARE TRANSACTION"));
        } else if self.words(&["COMMIT"]) || self.words(&["END"]) {
            self.transaction_word();
            Statement::Commit { chain: self.chain()? }
        } else if self.words(&["ROLLBACK"]) {
            self.transaction_word();
            match self.words(&["TO"]) {
                true => {
                    self.words(&["SAVEPOINT"]);
                    Statement::RollbackTo(self.identifier()?)
                }
                false => Statement::Rollback { chain: self.chain()? },
            }
        } else if self.words(&["ABORT"]) {
            self.transaction_word();
            Statement::Rollback { chain: self.chain()? }
        } else if self.words(&["SET", "SESSION", "CHARACTERISTICS", "AS", "TRANSACTION"]) {
            Statement::SetCharacteristics(self.some_transaction_modes()?)
        } else if self.words(&["SET", "TRANSACTION", "SNAPSHOT"]) {
            return Err(Error::not_supported("SET TRANSACTION SNAPSHOT"));
        } else if self.words(&["SET", "TRANSACTION"]) || self.words(&["SET", "LOCAL", "TRANSACTION"]) {
            Statement::SetTransaction(self.some_transaction_modes()?)
        } else if self.words(&["DISCARD"]) {
            Statement::Discard(self.discarded()?)
        } else {
            return Ok(None);
        };
        Ok(Some(statement))
    }

    fn transaction_word(&mut self) {
        let _ = self.words(&["WORK"]) || self.words(&["TRANSACTION"]);
    }

    /// `[AND [NO] CHAIN]`
    fn chain(&mut self) -> Result<bool> {
        if !self.words(&["AND"]) {
            return Ok(false);
        }
        let chain = !self.words(&["NO"]);
        self.expect_word("CHAIN")?;
        Ok(chain)
    }

    fn some_transaction_modes(&mut self) -> Result<TransactionModes> {
        let begin = self.parser.index();
        let modes = self.transaction_modes()?;
        match self.parser.index() == begin {
            true => Err(self.unexpected(self.parser.peek_token_ref())),
            false => Ok(modes),
        }
    }

    /// Modes with or without commas between them.
    fn transaction_modes(&mut self) -> Result<TransactionModes> {
        let mut modes = TransactionModes::default();
        while self.transaction_mode(&mut modes)? {
            if self.parser.consume_token(&Token::Comma) && !self.transaction_mode(&mut modes)? {
                return Err(self.unexpected(self.parser.peek_token_ref()));
            }
        }
        Ok(modes)
    }

    fn transaction_mode(&mut self, modes: &mut TransactionModes) -> Result<bool> {
        if self.words(&["ISOLATION", "LEVEL"]) {
            modes.isolation = Some(self.isolation_level()?);
        } else if self.words(&["READ", "ONLY"]) {
            modes.read_only = Some(true);
        } else if self.words(&["READ", "WRITE"]) {
            modes.read_only = Some(false);
        } else {
            // It is about SERIALIZABLE transactions alone.
            return Ok(self.words(&["NOT", "DEFERRABLE"]) || self.words(&["DEFERRABLE"]));
        }
        Ok(true)
    }

    /// What a level cannot be is refused, never weakened.
    fn isolation_level(&mut self) -> Result<Isolation> {
        if self.words(&["SERIALIZABLE"]) {
            return Err(Error::no_serializable_transactions());
        }
        if self.words(&["REPEATABLE", "READ"]) {
            return Ok(Isolation::RepeatableRead);
        }
        // As in PostgreSQL, where READ UNCOMMITTED is READ COMMITTED: it promises no less.
        match self.words(&["READ", "COMMITTED"]) || self.words(&["READ", "UNCOMMITTED"]) {
            true => Ok(Isolation::ReadCommitted),
            false => Err(self.unexpected(self.parser.peek_token_ref())),
        }
    }

    fn discarded(&mut self) -> Result<Discard> {
        let kinds = [
            ("ALL", Discard::All),
            ("PLANS", Discard::Plans),
            ("SEQUENCES", Discard::Sequences),
            ("TEMPORARY", Discard::Temporary),
            ("TEMP", Discard::Temporary),
        ];
        match kinds.iter().find(|(word, _)| self.words(&[word])) {
            Some((_, kind)) => Ok(*kind),
            None => Err(self.unexpected(self.parser.peek_token_ref())),
        }
    }
}
