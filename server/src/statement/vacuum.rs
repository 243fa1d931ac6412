//! VACUUM: compaction on demand.

use catalog::Relation;
use storage::hot::compaction::{Thoroughness, compact};

use crate::error::{Error, Result};
use crate::parse::statement::Vacuum;
use crate::session::{Session, TransactionStatus};
use crate::statement::Outcome;
use crate::statement::analyze::{Maintained, Maintenance, analyze_table, maintained};

/// Rewrites what is not a segment without deleted rows; without a table, of all tables.
///
/// # Errors
/// 25001 in a transaction block; the table is not there, or has no rows of its own.
pub async fn execute(session: &mut Session, vacuum: &Vacuum) -> Result<Outcome> {
    if session.transaction_status() != TransactionStatus::Idle {
        let message = "VACUUM cannot run inside a transaction block".to_owned();
        return Err(Error::InvalidStatementHere { message });
    }
    for table in maintained(session, &vacuum.tables, Maintenance::Vacuum)? {
        vacuum_table(session, &table, vacuum.verbose).await?;
        if vacuum.analyze {
            analyze_table(session, &table, vacuum.verbose).await?;
        }
    }
    Ok(Outcome::command("VACUUM"))
}

async fn vacuum_table(session: &mut Session, table: &Maintained, verbose: bool) -> Result<()> {
    let snapshot = session.snapshot()?;
    let Some(relation @ Relation::Hot(definition)) = snapshot.relation_by_oid(table.oid) else { return Ok(()) };
    if verbose {
        session.inform(format!("vacuuming \"{}.{}\"", definition.name.schema, definition.name.name));
    }
    if definition.name.is_temporary() {
        return session.compact_temporary(relation, Thoroughness::Complete).await;
    }
    let server = &session.server;
    // A compaction that is given up on the way leaves the table as it was, or has been committed.
    let compacted = compact(&server.catalog, &server.segments, table.oid, Thoroughness::Complete);
    session.guard().run(compacted).await??;
    Ok(())
}
