//! The state of a session's transaction.

use std::sync::Arc;

use catalog::transaction::Savepoint;
use catalog::{CatalogChange, CatalogSnapshot, Isolation, Sequence, SequenceState, Transaction};

use crate::error::{Error, Result};
use crate::locks::TransactionLocks;
use crate::session::{Session, now_us};
use pg::sqlstate::SqlState;

/// The state of a session's transaction.
#[derive(Debug)]
pub enum TransactionState {
    /// None is open: each statement is its own.
    Idle,
    /// One is open.
    Open {
        /// What it has changed.
        transaction: Transaction,
        /// Whether it was opened for the statements of one query string, and ends with them.
        implicit: bool,
        /// The points that it can come back to, oldest first.
        savepoints: Vec<(String, Savepoint)>,
    },
    /// One has failed, and waits for ROLLBACK.
    Failed {
        /// What it had changed: ROLLBACK TO takes back a part of it.
        transaction: Transaction,
        /// The points that it can come back to, oldest first.
        savepoints: Vec<(String, Savepoint)>,
    },
}

/// What ReadyForQuery says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionStatus {
    /// `I`
    Idle,
    /// `T`
    Open,
    /// `E`
    Failed,
}

impl Session {
    /// The locks of the transaction that is open, or of the statement that is one of its own.
    pub fn locks(&mut self) -> &TransactionLocks {
        let (locks, process_id) = (&self.server.locks, self.identity.process_id);
        self.locks.get_or_insert_with(|| locks.transaction(process_id))
    }

    /// A statement is over: when no transaction is open, so is what it was in.
    pub fn end_statement(&mut self) {
        if matches!(self.transaction, TransactionState::Idle) {
            self.locks = None;
        }
    }

    /// Whether all statements of the transaction see one snapshot.
    pub fn sees_one_snapshot(&self) -> bool {
        match &self.transaction {
            TransactionState::Open { transaction, .. } => transaction.isolation() != Isolation::ReadCommitted,
            TransactionState::Idle | TransactionState::Failed { .. } => false,
        }
    }

    /// What is committed by now, and what the transaction has changed, whatever its statements see of it.
    ///
    /// # Errors
    /// A concurrent commit has taken away what the transaction builds on.
    pub fn newest(&self) -> Result<Arc<CatalogSnapshot>> {
        match &self.transaction {
            TransactionState::Open { transaction, .. } => Ok(transaction.newest(&self.server.catalog)?),
            TransactionState::Idle | TransactionState::Failed { .. } => Ok(self.server.catalog.snapshot()),
        }
    }

    /// What ReadyForQuery says.
    pub fn transaction_status(&self) -> TransactionStatus {
        match self.transaction {
            TransactionState::Idle => TransactionStatus::Idle,
            TransactionState::Open { .. } => TransactionStatus::Open,
            TransactionState::Failed { .. } => TransactionStatus::Failed,
        }
    }

    /// Opens a transaction for the statements of one query string, unless one is open.
    pub fn begin_implicit(&mut self) {
        if matches!(self.transaction, TransactionState::Idle) {
            let transaction = Transaction::new(Isolation::ReadCommitted);
            self.transaction = TransactionState::Open { transaction, implicit: true, savepoints: Vec::new() };
            self.transaction_start_us = Some(now_us());
        }
    }

    /// `BEGIN`
    ///
    /// # Errors
    /// 25001 when statements before it in the same string have run under another isolation level.
    pub fn begin(&mut self, isolation: Isolation) -> Result<()> {
        match &mut self.transaction {
            // BEGIN in a string of several statements: what came before it is part of the transaction.
            TransactionState::Open { transaction, implicit: implicit @ true, .. } => {
                if transaction.has_started() && transaction.isolation() != isolation {
                    return Err(Error::TransactionStarted);
                }
                *implicit = false;
                if !transaction.has_started() {
                    *transaction = Transaction::new(isolation);
                }
            }
            TransactionState::Open { .. } | TransactionState::Failed { .. } => {
                self.warn(SqlState::ACTIVE_SQL_TRANSACTION, "there is already a transaction in progress");
            }
            TransactionState::Idle => {
                let transaction = Transaction::new(isolation);
                self.transaction = TransactionState::Open { transaction, implicit: false, savepoints: Vec::new() };
                self.transaction_start_us = Some(now_us());
            }
        }
        Ok(())
    }

    /// `SET TRANSACTION ISOLATION LEVEL`
    ///
    /// # Errors
    /// 25001 when the transaction has begun to read.
    pub fn set_isolation(&mut self, isolation: Isolation) -> Result<()> {
        match &mut self.transaction {
            TransactionState::Open { transaction, .. } => {
                if transaction.has_started() && transaction.isolation() != isolation {
                    return Err(Error::TransactionStarted);
                }
                if !transaction.has_started() {
                    *transaction = Transaction::new(isolation);
                }
            }
            TransactionState::Idle | TransactionState::Failed { .. } => {
                self.warn(
                    SqlState::NO_ACTIVE_SQL_TRANSACTION,
                    "SET TRANSACTION can only be used in transaction blocks",
                );
            }
        }
        Ok(())
    }

    /// `COMMIT`. Whether there was something that could be committed: a failed transaction is rolled back.
    ///
    /// # Errors
    /// The changes do not fit what others have committed; the transaction is over all the same.
    pub async fn commit_transaction(&mut self) -> Result<bool> {
        self.portals.clear();
        match std::mem::replace(&mut self.transaction, TransactionState::Idle) {
            TransactionState::Idle => {
                self.warn(SqlState::NO_ACTIVE_SQL_TRANSACTION, "there is no transaction in progress");
                Ok(true)
            }
            TransactionState::Failed { .. } => {
                self.sequences.forget_own(None);
                Ok(false)
            }
            TransactionState::Open { mut transaction, .. } => {
                self.add_own_sequences(&mut transaction)?;
                // Others get the locks when they can see what was committed.
                let _held = self.locks.take();
                transaction.commit(&self.server.catalog).await?;
                Ok(true)
            }
        }
    }

    /// How far the sequences are that a transaction has made or restarted is a part of it.
    fn add_own_sequences(&self, transaction: &mut Transaction) -> Result<()> {
        let snapshot = transaction.snapshot(&self.server.catalog)?;
        let own = self.sequences.take_own(&snapshot).into_iter();
        let changes: Vec<_> =
            own.map(|(sequence, state)| CatalogChange::SetSequence { sequence, state, expected: None }).collect();
        if !changes.is_empty() {
            transaction.add(&self.server.catalog, changes)?;
        }
        Ok(())
    }

    /// A sequence was restarted: as long as a transaction is open, only it knows.
    pub fn restarted(&self, sequence: &Arc<Sequence>, state: SequenceState) {
        if matches!(self.transaction, TransactionState::Open { .. }) {
            self.sequences.begin(sequence, state);
        }
    }

    /// Commits what the statements of one query string, or of one extended-protocol batch, have changed.
    ///
    /// # Errors
    /// As for [`commit_transaction`](Self::commit_transaction).
    pub async fn commit_implicit(&mut self) -> Result<()> {
        if matches!(self.transaction, TransactionState::Open { implicit: true, .. }) {
            self.commit_transaction().await?;
        }
        Ok(())
    }

    /// `ROLLBACK`
    pub fn rollback(&mut self) {
        self.portals.clear();
        if matches!(self.transaction, TransactionState::Idle) {
            self.warn(SqlState::NO_ACTIVE_SQL_TRANSACTION, "there is no transaction in progress");
        }
        self.transaction = TransactionState::Idle;
        self.sequences.forget_own(None);
        self.transaction_start_us = None;
        self.locks = None;
    }

    /// `SAVEPOINT`
    ///
    /// # Errors
    /// 25P01 outside of a transaction block.
    pub fn set_savepoint(&mut self, name: String) -> Result<()> {
        match &mut self.transaction {
            TransactionState::Open { transaction, implicit: false, savepoints } => {
                savepoints.push((name, transaction.savepoint()));
                Ok(())
            }
            _ => Err(Error::OutsideTransaction { statement: "SAVEPOINT" }),
        }
    }

    /// `RELEASE`: the savepoint and those after it are forgotten, what was changed since then stays.
    ///
    /// # Errors
    /// 25P01 outside of a transaction block, 3B001 when there is no such savepoint.
    pub fn release_savepoint(&mut self, name: &str) -> Result<()> {
        match &mut self.transaction {
            TransactionState::Open { implicit: false, savepoints, .. } => {
                savepoints.truncate(position(savepoints, name)?);
                Ok(())
            }
            _ => Err(Error::OutsideTransaction { statement: "RELEASE SAVEPOINT" }),
        }
    }

    /// `ROLLBACK TO`: what was changed since the savepoint is taken back; the savepoint stays, and a transaction that had
    /// failed goes on.
    ///
    /// # Errors
    /// As for [`release_savepoint`](Self::release_savepoint).
    pub fn roll_back_to_savepoint(&mut self, name: &str) -> Result<()> {
        let (mut transaction, mut savepoints) = match std::mem::replace(&mut self.transaction, TransactionState::Idle) {
            TransactionState::Open { transaction, implicit: false, savepoints }
            | TransactionState::Failed { transaction, savepoints } => (transaction, savepoints),
            other => {
                self.transaction = other;
                return Err(Error::OutsideTransaction { statement: "ROLLBACK TO SAVEPOINT" });
            }
        };
        let found = position(&savepoints, name);
        if let Ok(found) = found {
            transaction.roll_back_to(&savepoints[found].1);
            let snapshot = transaction.snapshot(&self.server.catalog).ok();
            self.sequences.forget_own(snapshot.as_deref());
            savepoints.truncate(found + 1);
        }
        // An error fails the transaction, once more or for the first time.
        self.transaction = TransactionState::Open { transaction, implicit: false, savepoints };
        found.map(drop)
    }

    /// After an error: an implicit transaction is over, an explicit one waits for ROLLBACK.
    pub fn fail(&mut self) {
        self.transaction = match std::mem::replace(&mut self.transaction, TransactionState::Idle) {
            TransactionState::Open { transaction, implicit: false, savepoints } => {
                TransactionState::Failed { transaction, savepoints }
            }
            TransactionState::Open { implicit: true, .. } => {
                self.sequences.forget_own(None);
                TransactionState::Idle
            }
            other => other,
        };
        // What was locked before a savepoint stays locked: ROLLBACK TO goes on from there.
        if !matches!(&self.transaction, TransactionState::Failed { savepoints, .. } if !savepoints.is_empty()) {
            self.locks = None;
        }
    }
}

/// The newest savepoint of this name.
fn position(savepoints: &[(String, Savepoint)], name: &str) -> Result<usize> {
    let found = savepoints.iter().rposition(|(known, _)| known == name);
    found.ok_or_else(|| Error::UndefinedSavepoint { name: name.to_owned() })
}
