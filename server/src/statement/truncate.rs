//! TRUNCATE.

use catalog::CatalogChange;

use crate::error::Result;
use crate::parse::statement::Truncate;
use crate::plan::relations::NameScope;
use crate::session::{Action, Object, Session, TransactionStatus, authorize};
use crate::statement::Outcome;
use crate::statement::assignment::writable;

/// # Errors
/// A table is not there, or has no rows of its own.
pub async fn execute(session: &mut Session, truncate: &Truncate) -> Result<Outcome> {
    let snapshot = session.snapshot()?;
    let scope = NameScope::of(session);
    let in_block = session.transaction_status() != TransactionStatus::Idle;
    let mut changes = Vec::with_capacity(truncate.tables.len());
    for name in &truncate.tables {
        let relation = scope.must_relation(&snapshot, name)?;
        authorize(&session.identity, Action::Truncate, Object::Relation(relation))?;
        let table = writable(relation, "truncate")?;
        // Alone, the statement empties the table at the moment of its commit. In a block, others may have added rows by then.
        let seen = in_block.then(|| snapshot.rows(table.oid).added());
        changes.push(CatalogChange::Truncate { table: table.oid, seen });
    }
    session.commit(changes).await?;
    Ok(Outcome::command("TRUNCATE TABLE"))
}
