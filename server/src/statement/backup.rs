//! BACKUP: a copy of all hot tables, and of all definitions, as they are at one moment.

use std::time::Duration;

use pg::PgError;
use pg::sqlstate::SqlState;
use storage::backup::{MEMORY_BYTES, back_up};

use crate::error::{Error, Result};
use crate::session::{Action, Object, Session, TransactionStatus, authorize};
use crate::statement::Outcome;
use crate::statement::role::asker;

/// How long a backup that was given up may take to remove what it had written. A store that does not answer must not
/// keep the session; what is left is no backup.
const GIVE_UP_PATIENCE: Duration = Duration::from_secs(5);

/// Copies what is committed when it begins. Writers go on: the snapshot does not change, and its files stay.
///
/// # Errors
/// 25001 in a transaction block; 42501 when the role is no superuser; 58P02 when something is at the location; a location that is not open or cannot be
/// written; a damaged segment.
pub async fn execute(session: &mut Session, location: &str) -> Result<Outcome> {
    if session.transaction_status() != TransactionStatus::Idle {
        let message = "BACKUP cannot run inside a transaction block".to_owned();
        return Err(Error::InvalidStatementHere { message });
    }
    authorize(&session.identity, Action::Backup, Object::Location(location))?;
    // There is in it what is kept of passwords.
    if !asker(session)?.superuser {
        let message = "must be superuser to make a backup";
        return Err(PgError::new(SqlState::INSUFFICIENT_PRIVILEGE, message).into());
    }
    let (server, guard) = (session.server.clone(), session.guard());
    let place = session.stores()?.backup_place(location)?;
    let reservation = server.engine.reserve("backup");
    reservation.try_grow(MEMORY_BYTES)?;
    guard.run(place.check_free()).await??;
    // Not guarded: a claim that was interrupted might be ours, and nobody could tell.
    place.claim().await?;
    let copied = guard.run(back_up(server.catalog.snapshot(), &server.segments, &place)).await;
    match copied.and_then(|copied| Ok(copied?)) {
        Ok(_) => Ok(Outcome::command("BACKUP")),
        Err(error) => {
            if tokio::time::timeout(GIVE_UP_PATIENCE, place.give_up()).await.is_err() {
                tracing::warn!(location, "what a backup had written that was given up is still there");
            }
            Err(error)
        }
    }
}
