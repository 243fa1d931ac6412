//! ANALYZE in the background: one table after the other, when enough of its rows have changed. Of external tables, those that
//! queries have asked for.

use std::sync::{Arc, Weak};
use std::time::Duration;

use catalog::{CatalogChange, CatalogSnapshot, HotTable, Oid, Relation, TableStatistics};
use storage::external::AnalyzeRequest;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::error::{Error, Result};
use crate::server::Server;
use crate::statement::analyze::{found_in_files, found_out};

/// Pause between looks at all tables.
const PAUSE: Duration = Duration::from_secs(5);
/// As many times as long as a table has taken, nothing is done: the background takes a tenth of a thread at most, however
/// much is written.
const REST: u32 = 9;
/// The longest rest: what waits for an object store has not computed.
const REST_MAX: Duration = Duration::from_secs(60);
/// How long an external table may take.
const EXTERNAL_TIME_MAX: Duration = Duration::from_secs(600);
/// A table is looked at when more than this many rows have changed (PostgreSQL's `autovacuum_analyze_threshold`) …
const CHANGED_ROWS_MIN: u64 = 50;
/// … and one in so many of those that there were (the inverse of `autovacuum_analyze_scale_factor`).
const CHANGED_ONE_IN: u64 = 10;
/// An external table is looked at again when its files have become more or fewer by one in so many of their bytes: how many
/// there are is an estimate, which may change a little for nothing.
const EXTERNAL_CHANGED_ONE_IN: u64 = 4;

/// Tables that are looked after by themselves: those of one kind do not wait for those of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tables {
    /// Hot tables.
    Hot,
    /// The external tables that queries have asked for.
    External,
}

/// Looks after the tables of a server until it stops.
pub async fn run(tables: Tables, server: Weak<Server>, stopping: CancellationToken) {
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
        let Some(server) = server.upgrade() else { return };
        tokio::select! {
            () = stopping.cancelled() => return,
            () = look_after(tables, &server) => {}
        }
    }
}

async fn look_after(tables: Tables, server: &Server) {
    match tables {
        Tables::Hot => look_after_hot_tables(server).await,
        Tables::External => look_after_external_tables(server).await,
    }
}

async fn look_after_hot_tables(server: &Server) {
    let hot: Vec<_> = server.catalog.snapshot().hot_tables().map(|table| table.oid).collect();
    for oid in hot {
        let snapshot = server.catalog.snapshot();
        let Some(Relation::Hot(table)) = snapshot.relation_by_oid(oid) else { continue };
        if has_changed(&snapshot, table) {
            let places = (0..table.columns.len()).collect();
            look_at(server, oid, found_out(server, &snapshot, table, places)).await;
        }
    }
}

async fn look_after_external_tables(server: &Server) {
    if server.config.external_sample_bytes == 0 {
        return;
    }
    for (oid, bytes_now) in server.engine.reading().samples.take_asked_for() {
        let snapshot = server.catalog.snapshot();
        let Some(Relation::External(table)) = snapshot.relation_by_oid(oid) else { continue };
        if !is_other(snapshot.statistics(oid).map(AsRef::as_ref), bytes_now) {
            continue;
        }
        let places = (0..table.columns.len() + table.partition_columns.len()).collect();
        let request = AnalyzeRequest { places, bytes_max: server.config.external_sample_bytes as u64 };
        let state = server.engine.looking(&snapshot);
        let found = found_in_files(server, &snapshot, table, request, state);
        let found = async { timeout(EXTERNAL_TIME_MAX, found).await.unwrap_or(Err(Error::StatementTimeout)) };
        look_at(server, oid, found).await;
    }
}

/// Looks at a table, and rests.
async fn look_at(server: &Server, oid: Oid, found: impl Future<Output = Result<TableStatistics>>) {
    let begun = Instant::now();
    let analyzed = async {
        let statistics = Arc::new(found.await?);
        server.catalog.commit(vec![CatalogChange::SetStatistics { table: oid, statistics }]).await?;
        Ok(())
    };
    match analyzed.await {
        Ok(()) => info!(table = oid.0, "table analyzed"),
        // It was dropped meanwhile.
        Err(Error::Catalog(catalog::Error::ChangedConcurrently { .. })) => debug!(table = oid.0, "table is gone"),
        Err(error) => warn!(table = oid.0, %error, "a table could not be analyzed"),
    }
    tokio::time::sleep((begun.elapsed() * REST).min(REST_MAX)).await;
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

/// Whether what is known of an external table was found out of one of another size.
fn is_other(known: Option<&TableStatistics>, bytes_now: u64) -> bool {
    known
        .is_none_or(|known| known.looked_at_bytes.abs_diff(bytes_now) > known.looked_at_bytes / EXTERNAL_CHANGED_ONE_IN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int32Array, RecordBatch};
    use catalog::{Column, ObjectName, RowAddresses, RowChanges, SqlType, TableStatistics};

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
    fn an_external_table_is_looked_at_when_its_files_are_others() {
        let known = |looked_at_bytes| TableStatistics::of_files(7, 1, looked_at_bytes);
        assert!(is_other(None, 0));
        assert!(!is_other(Some(&known(0)), 0) && is_other(Some(&known(0)), 1));
        assert!(
            !is_other(Some(&known(100)), 120) && is_other(Some(&known(100)), 126) && is_other(Some(&known(100)), 74)
        );
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
