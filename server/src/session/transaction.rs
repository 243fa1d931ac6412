//! The state of a session's transaction.

use std::sync::Arc;

use catalog::{CatalogChange, CatalogSnapshot, Isolation, Sequence, SequenceState, Transaction};

use crate::error::{Error, Result};
use crate::file_writes::FileWrite;
use crate::locks::TransactionLocks;
use crate::locks::advisory::Taken;
use crate::parse::statement::TransactionModes;
use crate::sequences::OwnSequences;
use crate::session::notifications::Noted;
use crate::session::{Session, SessionSettings, now_us};
use pg::PgError;
use pg::sqlstate::SqlState;
use tokio::sync::OwnedMutexGuard;

/// The state of a session's transaction.
#[derive(Debug)]
pub enum TransactionState {
    /// None is open: each statement is its own.
    Idle,
    /// One is open.
    Open(Box<OpenTransaction>),
    /// One has failed, and waits for ROLLBACK; ROLLBACK TO takes back a part of what it had changed.
    Failed(Box<OpenTransaction>),
}

/// A transaction of a session.
#[derive(Debug)]
pub struct OpenTransaction {
    /// What it has changed.
    pub transaction: Transaction,
    /// Whether it was opened for the statements of one query string, and ends with them.
    pub implicit: bool,
    /// Of one that was opened so: whether by a query string of several statements.
    pub is_of_query_string: bool,
    /// Whether it may change nothing.
    pub read_only: bool,
    /// The session's settings as they were when it began.
    settings: SessionSettings,
    /// The points that it can come back to, oldest first.
    savepoints: Vec<Savepoint>,
    /// Files that are a part of it.
    file_writes: Vec<FileWrite>,
}

/// A point that a transaction can come back to.
#[derive(Debug)]
struct Savepoint {
    name: String,
    changes: catalog::transaction::Savepoint,
    sequences: OwnSequences,
    settings: SessionSettings,
    read_only: bool,
    /// How many portals had been made.
    portals: u64,
    notifications: Noted,
    advisory_locks: Taken,
}

/// What an implicit transaction extends over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The statements of a query string.
    QueryString,
    /// What the extended protocol asks for up to the next Sync.
    Batch,
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

    /// The transaction is over, or nothing that it has done can be kept.
    fn release_locks(&mut self) {
        self.locks = None;
        self.advisory_locks.end_transaction();
        self.transaction_number.forget();
    }

    /// Files that a statement has written last as long as its transaction does, and longer when that commits.
    pub fn keep_file_write(&mut self, write: FileWrite) {
        if let TransactionState::Open(open) = &mut self.transaction {
            open.file_writes.push(write);
        }
    }

    /// Whether all statements of the transaction see one snapshot.
    pub fn sees_one_snapshot(&self) -> bool {
        match &self.transaction {
            TransactionState::Open(open) => open.transaction.isolation() != Isolation::ReadCommitted,
            TransactionState::Idle => self.settings.default_isolation() != Isolation::ReadCommitted,
            TransactionState::Failed(_) => false,
        }
    }

    /// What is committed by now, and what the transaction has changed, whatever its statements see of it.
    ///
    /// # Errors
    /// A concurrent commit has taken away what the transaction builds on.
    pub fn newest(&self) -> Result<Arc<CatalogSnapshot>> {
        match &self.transaction {
            TransactionState::Open(open) => Ok(open.transaction.newest(&self.catalog)?),
            TransactionState::Idle | TransactionState::Failed(_) => Ok(self.catalog.snapshot()),
        }
    }

    /// What ReadyForQuery says.
    pub fn transaction_status(&self) -> TransactionStatus {
        match self.transaction {
            TransactionState::Idle => TransactionStatus::Idle,
            TransactionState::Open(_) => TransactionStatus::Open,
            TransactionState::Failed(_) => TransactionStatus::Failed,
        }
    }

    /// How a transaction is that nothing is said about.
    fn new_transaction(&self, modes: TransactionModes, implicit: bool) -> TransactionState {
        let isolation = modes.isolation.unwrap_or_else(|| self.settings.default_isolation());
        TransactionState::Open(Box::new(OpenTransaction {
            transaction: Transaction::new(isolation),
            implicit,
            is_of_query_string: false,
            read_only: modes.read_only.unwrap_or_else(|| self.settings.default_read_only()),
            settings: self.settings.clone(),
            savepoints: Vec::new(),
            file_writes: Vec::new(),
        }))
    }

    /// Opens a transaction for several statements, unless one is open.
    pub fn begin_implicit(&mut self, extent: Extent) {
        if matches!(self.transaction, TransactionState::Idle) {
            self.transaction = self.new_transaction(TransactionModes::default(), true);
            if let TransactionState::Open(open) = &mut self.transaction {
                open.is_of_query_string = extent == Extent::QueryString;
            }
            self.transaction_start_us = Some(now_us());
        }
    }

    /// `BEGIN`
    ///
    /// # Errors
    /// 25001 when statements before it have run under another isolation level.
    pub fn begin(&mut self, modes: TransactionModes) -> Result<()> {
        match &mut self.transaction {
            // BEGIN in a string of several statements: what came before it is part of the transaction.
            TransactionState::Open(open) if open.implicit => {
                self.set_transaction(modes)?;
                if let TransactionState::Open(open) = &mut self.transaction {
                    open.implicit = false;
                }
            }
            // What it says of the transaction counts all the same.
            TransactionState::Open(_) => {
                self.warn(SqlState::ACTIVE_SQL_TRANSACTION, "there is already a transaction in progress");
                self.set_transaction(modes)?;
            }
            TransactionState::Failed(_) => return Err(Error::InFailedTransaction),
            TransactionState::Idle => {
                self.transaction = self.new_transaction(modes, false);
                self.transaction_start_us = Some(now_us());
            }
        }
        Ok(())
    }

    /// `SET TRANSACTION`
    ///
    /// # Errors
    /// 25001 when the transaction has begun to read.
    pub fn set_transaction(&mut self, modes: TransactionModes) -> Result<()> {
        let TransactionState::Open(open) = &mut self.transaction else {
            self.warn(SqlState::NO_ACTIVE_SQL_TRANSACTION, "SET TRANSACTION can only be used in transaction blocks");
            return Ok(());
        };
        let has_started = open.transaction.has_started();
        if let Some(isolation) = modes.isolation {
            match has_started {
                true if open.transaction.isolation() != isolation => return Err(Error::TransactionStarted),
                true => {}
                false => open.transaction = Transaction::new(isolation),
            }
        }
        if let Some(read_only) = modes.read_only {
            if open.read_only && !read_only && has_started {
                let message = "transaction read-write mode must be set before any query";
                return Err(PgError::new(SqlState::ACTIVE_SQL_TRANSACTION, message).into());
            }
            open.read_only = read_only;
        }
        Ok(())
    }

    /// The isolation level of the next statement.
    pub fn isolation(&self) -> Isolation {
        match &self.transaction {
            TransactionState::Open(open) | TransactionState::Failed(open) => open.transaction.isolation(),
            TransactionState::Idle => self.settings.default_isolation(),
        }
    }

    /// Whether the next statement may change nothing.
    pub fn is_read_only(&self) -> bool {
        match &self.transaction {
            TransactionState::Open(open) | TransactionState::Failed(open) => open.read_only,
            TransactionState::Idle => self.settings.default_read_only(),
        }
    }

    /// The modes of the transaction block, for the one that AND CHAIN begins.
    ///
    /// # Errors
    /// 25P01 outside of a transaction block.
    pub fn chained_modes(&self, statement: &'static str) -> Result<TransactionModes> {
        match &self.transaction {
            TransactionState::Open(open) if !open.implicit => {
                Ok(TransactionModes { isolation: Some(open.transaction.isolation()), read_only: Some(open.read_only) })
            }
            // What was set for one that has failed is taken back already.
            TransactionState::Failed(_) => Ok(TransactionModes::default()),
            _ => Err(Error::OutsideTransaction { statement }),
        }
    }

    /// `COMMIT`. Whether there was something that could be committed: a failed transaction is rolled back.
    ///
    /// # Errors
    /// The changes do not fit what others have committed; the transaction is over all the same.
    pub async fn commit_transaction(&mut self) -> Result<bool> {
        if matches!(self.transaction, TransactionState::Open(_))
            && let Err(error) = self.hold_cursors().await
        {
            self.rollback();
            return Err(error);
        }
        self.transaction_start_us = None;
        match std::mem::replace(&mut self.transaction, TransactionState::Idle) {
            TransactionState::Idle => {
                self.portals.commit();
                self.warn(SqlState::NO_ACTIVE_SQL_TRANSACTION, "there is no transaction in progress");
                Ok(true)
            }
            TransactionState::Failed(open) => {
                self.portals.roll_back();
                self.notifications.roll_back();
                self.settings.roll_back_to(open.settings);
                self.sequences.forget_own();
                self.release_locks();
                Ok(false)
            }
            TransactionState::Open(open) => {
                // Files go when they are not a part of what is committed.
                let OpenTransaction { transaction, settings, file_writes: _file_writes, .. } = *open;
                // Others get the locks when they can see what was committed.
                let _held = self.locks.take();
                let committed = self.commit_in_order(transaction).await;
                self.advisory_locks.end_transaction();
                self.transaction_number.forget();
                match committed {
                    Ok(_in_order) => {
                        self.notifications.commit();
                        self.portals.commit();
                        self.settings.end_local();
                        self.settle_temporary().await;
                        Ok(true)
                    }
                    Err(error) => {
                        self.notifications.roll_back();
                        self.portals.roll_back();
                        self.sequences.forget_own();
                        self.settings.roll_back_to(settings);
                        Err(error)
                    }
                }
            }
        }
    }

    /// Commits the changes. What it answers is held until what the transaction has sent is delivered.
    async fn commit_in_order(&mut self, mut transaction: Transaction) -> Result<Option<OwnedMutexGuard<()>>> {
        self.add_own_sequences(&mut transaction)?;
        let in_order = self.notifications.begin_commit().await?;
        transaction.commit(&self.catalog).await?;
        Ok(in_order)
    }

    /// A statement that is a transaction of its own has sent its answer: what it has noted is done, what it has locked is
    /// unlocked.
    pub fn end_autocommit(&mut self) {
        if matches!(self.transaction, TransactionState::Idle) {
            self.notifications.commit();
            self.release_locks();
        }
    }

    /// How far the sequences are that a transaction has made or restarted is a part of it.
    fn add_own_sequences(&self, transaction: &mut Transaction) -> Result<()> {
        let snapshot = transaction.snapshot(&self.catalog)?;
        let own = self.sequences.take_own(&snapshot).into_iter();
        let changes: Vec<_> =
            own.map(|(sequence, state)| CatalogChange::SetSequence { sequence, state, expected: None }).collect();
        if !changes.is_empty() {
            transaction.add(&self.catalog, changes)?;
        }
        Ok(())
    }

    /// A sequence was restarted: as long as a transaction is open, only it knows; of a temporary one, only the session.
    pub fn restarted(&self, sequence: &Arc<Sequence>, state: SequenceState) {
        match self.transaction {
            TransactionState::Open(_) => self.sequences.begin(sequence, state),
            _ if sequence.name.is_temporary() => self.sequences.begin_temporary(sequence, state),
            _ => {}
        }
    }

    /// Commits what the statements of one query string, or of one extended-protocol batch, have changed.
    ///
    /// # Errors
    /// As for [`commit_transaction`](Self::commit_transaction).
    pub async fn commit_implicit(&mut self) -> Result<()> {
        if matches!(&self.transaction, TransactionState::Open(open) if open.implicit) {
            self.commit_transaction().await?;
        }
        Ok(())
    }

    /// `ROLLBACK`
    pub fn rollback(&mut self) {
        self.portals.roll_back();
        match std::mem::replace(&mut self.transaction, TransactionState::Idle) {
            TransactionState::Idle => {
                self.warn(SqlState::NO_ACTIVE_SQL_TRANSACTION, "there is no transaction in progress");
            }
            TransactionState::Open(open) | TransactionState::Failed(open) => self.settings.roll_back_to(open.settings),
        }
        self.sequences.forget_own();
        self.notifications.roll_back();
        self.transaction_start_us = None;
        self.release_locks();
    }

    /// `SAVEPOINT`
    ///
    /// # Errors
    /// 25P01 outside of a transaction block.
    pub fn set_savepoint(&mut self, name: String) -> Result<()> {
        match &mut self.transaction {
            TransactionState::Open(open) if !open.implicit => {
                let (changes, settings) = (open.transaction.savepoint(), self.settings.clone());
                let (sequences, read_only) = (self.sequences.savepoint(), open.read_only);
                let (portals, notifications) = (self.portals.made(), self.notifications.noted());
                open.savepoints.push(Savepoint {
                    name,
                    changes,
                    sequences,
                    settings,
                    read_only,
                    portals,
                    notifications,
                    advisory_locks: self.advisory_locks.taken(),
                });
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
            TransactionState::Open(open) if !open.implicit => {
                open.savepoints.truncate(position(&open.savepoints, name)?);
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
        let mut open = match std::mem::replace(&mut self.transaction, TransactionState::Idle) {
            TransactionState::Open(open) | TransactionState::Failed(open) if !open.implicit => open,
            other => {
                self.transaction = other;
                return Err(Error::OutsideTransaction { statement: "ROLLBACK TO SAVEPOINT" });
            }
        };
        let found = position(&open.savepoints, name);
        if let Ok(found) = found {
            open.savepoints.truncate(found + 1);
            let savepoint = &open.savepoints[found];
            open.transaction.roll_back_to(&savepoint.changes);
            open.read_only = savepoint.read_only;
            self.settings.roll_back_to(savepoint.settings.clone());
            self.portals.roll_back_to(savepoint.portals);
            self.notifications.roll_back_to(savepoint.notifications);
            self.advisory_locks.roll_back_to(savepoint.advisory_locks);
            let snapshot = open.transaction.snapshot(&self.catalog).ok();
            self.sequences.roll_back_to(&savepoint.sequences, snapshot.as_deref());
        }
        // An error fails the transaction, once more or for the first time.
        self.transaction = TransactionState::Open(open);
        found.map(drop)
    }

    /// After an error: an implicit transaction is over, an explicit one waits for ROLLBACK.
    pub fn fail(&mut self) {
        self.asked.take();
        self.transaction = match std::mem::replace(&mut self.transaction, TransactionState::Idle) {
            TransactionState::Open(open) if open.implicit => {
                self.settings.roll_back_to(open.settings);
                self.sequences.forget_own();
                self.portals.roll_back();
                TransactionState::Idle
            }
            TransactionState::Open(open) => TransactionState::Failed(open),
            other => other,
        };
        // ROLLBACK TO goes on from what was noted before a savepoint.
        if !matches!(self.transaction, TransactionState::Failed(_)) {
            self.notifications.roll_back();
        }
        // What was locked before a savepoint stays locked: ROLLBACK TO goes on from there.
        let newest = match &self.transaction {
            TransactionState::Failed(open) => open.savepoints.last(),
            _ => None,
        };
        match newest {
            Some(newest) => self.advisory_locks.roll_back_to(newest.advisory_locks),
            None => self.release_locks(),
        }
    }
}

/// The newest savepoint of this name.
fn position(savepoints: &[Savepoint], name: &str) -> Result<usize> {
    let found = savepoints.iter().rposition(|savepoint| savepoint.name == name);
    found.ok_or_else(|| Error::UndefinedSavepoint { name: name.to_owned() })
}
