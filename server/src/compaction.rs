//! Compaction in the background: one table after the other, as they need it.

use std::sync::Weak;
use std::time::Duration;

use catalog::Relation;
use storage::hot::compaction::{Thoroughness, compact};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::server::Server;

/// Pause between looks at all tables.
const PAUSE: Duration = Duration::from_secs(5);

/// Looks after the tables of a server until it stops.
pub async fn run(server: Weak<Server>, stopping: CancellationToken) {
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
        let Some(server) = server.upgrade() else { return };
        look_after_tables(&server, &stopping).await;
    }
}

async fn look_after_tables(server: &Server, stopping: &CancellationToken) {
    let snapshot = server.catalog.snapshot();
    let relations = snapshot.schemas().flat_map(|schema| snapshot.relations_in(&schema.name));
    let tables: Vec<_> = relations.filter(|it| matches!(it, Relation::Hot(_))).map(Relation::oid).collect();
    for table in tables {
        if stopping.is_cancelled() {
            return;
        }
        if let Err(error) = compact(&server.catalog, &server.segments, table, Thoroughness::Worthwhile).await {
            warn!(table = table.0, %error, "a table could not be compacted");
        }
    }
}
