//! VACUUM: compaction on demand.

use catalog::Relation;
use sqlparser::ast;
use storage::hot::compaction::{Thoroughness, compact};

use crate::error::{Error, Result};
use crate::plan::relations::NameScope;
use crate::session::{Action, Object, Session, TransactionStatus, authorize};
use crate::statement::Outcome;
use crate::statement::assignment::writable;

/// Rewrites what is not a segment without deleted rows; without a table, of all tables.
///
/// # Errors
/// 25001 in a transaction block; the table is not there, or has no rows of its own.
pub async fn execute(session: &mut Session, table: Option<&ast::ObjectName>) -> Result<Outcome> {
    if session.transaction_status() != TransactionStatus::Idle {
        let message = "VACUUM cannot run inside a transaction block".to_owned();
        return Err(Error::InvalidStatementHere { message });
    }
    let snapshot = session.snapshot()?;
    let scope = NameScope::of(session);
    let relations: Vec<&Relation> = match table {
        Some(name) => vec![scope.must_relation(&snapshot, name)?],
        None => {
            let all = snapshot.schemas().flat_map(|schema| snapshot.relations_in(&schema.name));
            all.filter(|relation| matches!(relation, Relation::Hot(_))).collect()
        }
    };
    let guard = session.guard();
    for relation in relations {
        authorize(&session.identity, Action::Alter, Object::Relation(relation))?;
        let table = writable(relation, "vacuum")?;
        if table.name.is_temporary() {
            session.compact_temporary(relation, Thoroughness::Complete).await?;
            continue;
        }
        let oid = table.oid;
        let server = &session.server;
        // A compaction that is given up on the way leaves the table as it was, or has been committed.
        guard.run(compact(&server.catalog, &server.segments, oid, Thoroughness::Complete)).await??;
    }
    Ok(Outcome::command("VACUUM"))
}
