//! ANALYZE in the background: one table after the other, when enough of its rows have changed.

use std::sync::{Arc, Weak};
use std::time::Duration;

use catalog::{CatalogChange, CatalogSnapshot, HotTable, Relation};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::error::{Error, Result};
use crate::server::Server;
use crate::statement::analyze::found_out;

/// Pause between looks at all tables.
const PAUSE: Duration = Duration::from_secs(5);
/// As many times as long as a table has taken, nothing is done: the background takes a tenth of a thread at most, however
/// much is written.
const REST: u32 = 9;
/// A table is looked at when more than this many rows have changed (PostgreSQL's `autovacuum_analyze_threshold`) …
const CHANGED_ROWS_MIN: u64 = 50;
/// … and one in so many of those that there were (the inverse of `autovacuum_analyze_scale_factor`).
const CHANGED_ONE_IN: u64 = 10;

/// Looks after the tables of a server until it stops.
pub async fn run(server: Weak<Server>, stopping: CancellationToken) {
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
        let Some(server) = server.upgrade() else { return };
        tokio::select! {
            () = stopping.cancelled() => return,
            () = look_after_tables(&server) => {}
        }
    }
}

async fn look_after_tables(server: &Server) {
    let tables: Vec<_> = server.catalog.snapshot().hot_tables().map(|table| table.oid).collect();
    for oid in tables {
        let snapshot = server.catalog.snapshot();
        let Some(Relation::Hot(table)) = snapshot.relation_by_oid(oid) else { continue };
        if !has_changed(&snapshot, table) {
            continue;
        }
        let begun = Instant::now();
        match analyze(server, &snapshot, table).await {
            Ok(()) => info!(table = oid.0, "table analyzed"),
            // It was dropped meanwhile.
            Err(Error::Catalog(catalog::Error::ChangedConcurrently { .. })) => debug!(table = oid.0, "table is gone"),
            Err(error) => warn!(table = oid.0, %error, "a table could not be analyzed"),
        }
        // Nobody's files are kept meanwhile.
        drop(snapshot);
        tokio::time::sleep(begun.elapsed() * REST).await;
    }
}

/// Whether what is known of a table is out of date. Of a table that was never looked at, every row is new.
fn has_changed(snapshot: &CatalogSnapshot, table: &HotTable) -> bool {
    let rows = snapshot.rows(table.oid);
    let (known, changed) = match snapshot.statistics(table.oid) {
        Some(known) => (known.rows, known.changed_since(&rows)),
        None => (0, rows.rows()),
    };
    changed > CHANGED_ROWS_MIN + known / CHANGED_ONE_IN
}

async fn analyze(server: &Server, snapshot: &Arc<CatalogSnapshot>, table: &Arc<HotTable>) -> Result<()> {
    let all = (0..table.columns.len()).collect();
    let statistics = Arc::new(found_out(server, snapshot, table, all).await?);
    server.catalog.commit(vec![CatalogChange::SetStatistics { table: table.oid, statistics }]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int32Array, RecordBatch};
    use catalog::{Column, ObjectName, Oid, RowAddresses, RowChanges, SqlType, TableStatistics};

    const TABLE: Oid = Oid(20_000);

    fn changed(changes: RowChanges) -> CatalogChange {
        CatalogChange::ChangeRows { table: TABLE, changes }
    }

    fn added(rows: usize) -> CatalogChange {
        let values: ArrayRef = Arc::new(Int32Array::from_value(1, rows));
        let rows = RecordBatch::try_from_iter_with_nullable([("c1", values, true)]).unwrap();
        changed(RowChanges::append(vec![rows]))
    }

    fn analyzed(snapshot: &CatalogSnapshot) -> CatalogSnapshot {
        let statistics = Arc::new(TableStatistics::of(&snapshot.rows(TABLE)));
        snapshot.after(&[CatalogChange::SetStatistics { table: TABLE, statistics }]).unwrap()
    }

    #[test]
    fn a_table_is_looked_at_when_fifty_rows_and_a_tenth_have_changed() {
        let column = Column::new(1, "id", SqlType::Integer);
        let table = HotTable::new(TABLE, ObjectName::new("public", "t"), vec![column]);
        let is_due = |snapshot: &CatalogSnapshot| has_changed(snapshot, &table);
        let snapshot = CatalogSnapshot::initial();
        let snapshot = snapshot.after(&[CatalogChange::CreateHotTable(table.clone()), added(50)]).unwrap();
        assert!(!is_due(&snapshot));
        let snapshot = snapshot.after(&[added(950)]).unwrap();
        assert!(is_due(&snapshot));
        let snapshot = analyzed(&snapshot).after(&[added(100)]).unwrap();
        assert!(!is_due(&snapshot));
        let unit = snapshot.rows(TABLE).inline_units().next().unwrap().unit;
        let delete = RowAddresses::from_unit(unit, (0..51).collect());
        let snapshot = snapshot.after(&[changed(RowChanges { delete, ..RowChanges::default() })]).unwrap();
        assert!(is_due(&snapshot));
        let snapshot = analyzed(&snapshot);
        assert!(!is_due(&snapshot));
        let truncated = snapshot.after(&[CatalogChange::Truncate { table: TABLE, seen: None }]).unwrap();
        assert!(is_due(&truncated) && !is_due(&analyzed(&truncated)));
    }
}
