//! What a session does for its temporary objects when a transaction is over.

use catalog::Relation;
use storage::hot::compaction::{Thoroughness, rewritten};
use tracing::warn;

use crate::error::Result;
use crate::session::Session;

impl Session {
    /// A commit is done: the session counts the values of its temporary sequences, and rows of temporary tables that have
    /// become many go from memory to files. Nobody else does that for it.
    pub(super) async fn settle_temporary(&mut self) {
        let relations = self.catalog.temporary_relations();
        self.sequences.settle_temporary(&relations);
        for relation in relations {
            // What was committed stands.
            if let Err(error) = self.compact_temporary(&relation, Thoroughness::Worthwhile).await {
                warn!(table = relation.oid().0, %error, "a temporary table could not be compacted");
            }
        }
    }

    /// Compacts a temporary table. No transaction may be open: it would know old addresses.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub async fn compact_temporary(&mut self, relation: &Relation, thoroughness: Thoroughness) -> Result<()> {
        let Relation::Hot(table) = relation else { return Ok(()) };
        let rows = self.catalog.temporary_rows(table.oid);
        let change = rewritten(table.clone(), &rows, &self.server.segments, thoroughness).await?;
        if let Some(change) = change {
            self.catalog.commit(vec![change]).await?;
        }
        Ok(())
    }
}
