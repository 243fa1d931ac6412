//! LOCK TABLE.

use crate::error::{Error, Result};
use crate::parse::statement::LockTable;
use crate::plan::relations::NameScope;
use crate::session::{Session, TransactionStatus};
use crate::statement::Outcome;

/// The mode that keeps a table from being dropped or altered, which the snapshot of a transaction does.
const ACCESS_SHARE: &str = "ACCESS SHARE";

/// A transaction that sees one snapshot has its tables to the end, whatever others do to them, which is all that ACCESS SHARE
/// promises. There are no locks of other modes.
///
/// # Errors
/// 25P01 outside of a transaction block, 42P01 for a relation that is not there, 0A000 for other modes and in a transaction that
/// sees what others commit.
pub fn execute(session: &mut Session, lock: &LockTable) -> Result<Outcome> {
    if session.transaction_status() == TransactionStatus::Idle {
        return Err(Error::OutsideTransaction { statement: "LOCK TABLE" });
    }
    let snapshot = session.snapshot()?;
    for table in &lock.tables {
        NameScope::of(session).must_relation(&snapshot, table)?;
    }
    match lock.mode {
        ACCESS_SHARE if session.sees_one_snapshot() => Ok(Outcome::command("LOCK TABLE")),
        ACCESS_SHARE => Err(Error::not_supported("LOCK TABLE in a transaction at READ COMMITTED")),
        mode => Err(Error::not_supported(format!("LOCK TABLE … IN {mode} MODE"))),
    }
}
