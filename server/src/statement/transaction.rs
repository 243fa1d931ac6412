//! BEGIN, SET TRANSACTION, COMMIT, ROLLBACK, SAVEPOINT.

use sqlparser::ast::Ident;

use crate::error::Result;
use crate::parse::statement::TransactionModes;
use crate::plan::relations::identifier;
use crate::session::Session;
use crate::statement::Outcome;

/// # Errors
/// What came before it in the same string has run under another isolation level.
pub fn begin(session: &mut Session, modes: TransactionModes, tag: &'static str) -> Result<Outcome> {
    session.begin(modes)?;
    Ok(Outcome::command(tag))
}

/// # Errors
/// The transaction has begun to read.
pub fn set_transaction(session: &mut Session, modes: TransactionModes) -> Result<Outcome> {
    session.set_transaction(modes)?;
    Ok(Outcome::command("SET"))
}

/// `SET SESSION CHARACTERISTICS AS TRANSACTION`
///
/// # Errors
/// None.
pub fn set_characteristics(session: &mut Session, modes: TransactionModes) -> Result<Outcome> {
    session.settings.set_transaction_defaults(modes);
    Ok(Outcome::command("SET"))
}

/// # Errors
/// The changes do not fit what others have committed, or AND CHAIN stands outside of a transaction block.
pub async fn commit(session: &mut Session, chain: bool) -> Result<Outcome> {
    let chained = if chain { Some(session.chained_modes("COMMIT AND CHAIN")?) } else { None };
    let committed = session.commit_transaction().await?;
    if let Some(modes) = chained {
        session.begin(modes)?;
    }
    Ok(Outcome::command(if committed { "COMMIT" } else { "ROLLBACK" }))
}

/// # Errors
/// AND CHAIN stands outside of a transaction block.
pub fn rollback(session: &mut Session, chain: bool) -> Result<Outcome> {
    let chained = if chain { Some(session.chained_modes("ROLLBACK AND CHAIN")?) } else { None };
    session.rollback();
    if let Some(modes) = chained {
        session.begin(modes)?;
    }
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
