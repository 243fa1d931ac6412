//! DISCARD: what a session has made for itself is forgotten.

use pg::PgError;
use pg::session::AdvisoryLocks;
use pg::sqlstate::SqlState;

use crate::error::Result;
use crate::parse::statement::Discard;
use crate::session::{Session, TransactionStatus};
use crate::statement::Outcome;
use crate::statement::drop::drop_temporary;

/// # Errors
/// 25001 for DISCARD ALL in a transaction block.
pub async fn execute(session: &mut Session, discard: Discard) -> Result<Outcome> {
    match discard {
        Discard::All => {
            if session.in_transaction_block() {
                let message = "DISCARD ALL cannot run inside a transaction block";
                return Err(PgError::new(SqlState::ACTIVE_SQL_TRANSACTION, message).into());
            }
            session.portals.clear();
            session.statements.clear();
            session.notifications.unlisten(None);
            session.advisory_locks.unlock_all();
            session.settings.reset_all();
            session.sequences.discard();
            drop_temporary(session).await?;
        }
        // Plans are made anew when what they were made for has changed.
        Discard::Plans => {}
        Discard::Sequences => session.sequences.discard(),
        Discard::Temporary => drop_temporary(session).await?,
    }
    Ok(Outcome::command(discard.tag()))
}

impl Session {
    fn in_transaction_block(&self) -> bool {
        let is_implicit = matches!(&self.transaction, crate::session::TransactionState::Open(open) if open.implicit);
        self.transaction_status() != TransactionStatus::Idle && !is_implicit
    }
}
