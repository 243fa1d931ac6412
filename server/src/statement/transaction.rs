//! BEGIN, SET TRANSACTION, COMMIT, ROLLBACK, SAVEPOINT.

use catalog::Isolation;
use sqlparser::ast::{Ident, TransactionAccessMode, TransactionIsolationLevel, TransactionMode};

use crate::error::{Error, Result};
use crate::plan::relations::identifier;
use crate::session::Session;
use crate::statement::Outcome;

/// # Errors
/// An isolation level or access mode that is not there.
pub fn begin(session: &mut Session, modes: &[TransactionMode]) -> Result<Outcome> {
    let isolation = isolation(modes)?;
    session.begin(isolation.unwrap_or(Isolation::ReadCommitted))?;
    Ok(Outcome::command("BEGIN"))
}

/// # Errors
/// An isolation level or access mode that is not there, or the transaction has begun to read.
pub fn set_transaction(session: &mut Session, modes: &[TransactionMode]) -> Result<Outcome> {
    if let Some(isolation) = isolation(modes)? {
        session.set_isolation(isolation)?;
    }
    Ok(Outcome::command("SET"))
}

/// # Errors
/// The changes do not fit what others have committed.
pub async fn commit(session: &mut Session) -> Result<Outcome> {
    let committed = session.commit_transaction().await?;
    Ok(Outcome::command(if committed { "COMMIT" } else { "ROLLBACK" }))
}

/// # Errors
/// None.
pub fn rollback(session: &mut Session) -> Result<Outcome> {
    session.rollback();
    Ok(Outcome::command("ROLLBACK"))
}

/// # Errors
/// There is no transaction block.
pub fn savepoint(session: &mut Session, name: &Ident) -> Result<Outcome> {
    session.set_savepoint(identifier(name))?;
    Ok(Outcome::command("SAVEPOINT"))
}

/// # Errors
/// There is no transaction block, or no such savepoint.
pub fn release(session: &mut Session, name: &Ident) -> Result<Outcome> {
    session.release_savepoint(&identifier(name))?;
    Ok(Outcome::command("RELEASE"))
}

/// # Errors
/// There is no transaction block, or no such savepoint.
pub fn rollback_to(session: &mut Session, name: &Ident) -> Result<Outcome> {
    session.roll_back_to_savepoint(&identifier(name))?;
    Ok(Outcome::command("ROLLBACK"))
}

/// The isolation level that is asked for; what it cannot be is refused, never weakened.
fn isolation(modes: &[TransactionMode]) -> Result<Option<Isolation>> {
    let mut isolation = None;
    for mode in modes {
        match mode {
            TransactionMode::AccessMode(TransactionAccessMode::ReadWrite) => {}
            TransactionMode::AccessMode(TransactionAccessMode::ReadOnly) => {
                return Err(Error::not_supported("READ ONLY"));
            }
            // As in PostgreSQL, where READ UNCOMMITTED is READ COMMITTED: it promises no less.
            TransactionMode::IsolationLevel(
                TransactionIsolationLevel::ReadCommitted | TransactionIsolationLevel::ReadUncommitted,
            ) => isolation = Some(Isolation::ReadCommitted),
            TransactionMode::IsolationLevel(
                TransactionIsolationLevel::RepeatableRead | TransactionIsolationLevel::Snapshot,
            ) => isolation = Some(Isolation::RepeatableRead),
            TransactionMode::IsolationLevel(TransactionIsolationLevel::Serializable) => {
                return Err(Error::not_supported("ISOLATION LEVEL SERIALIZABLE"));
            }
        }
    }
    Ok(isolation)
}
