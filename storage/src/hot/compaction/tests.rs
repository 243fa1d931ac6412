//! Compaction is in nobody's way, and whoever overtakes it has the last word.

use std::path::PathBuf;
use std::sync::mpsc;

use arrow::array::Int32Array;
use catalog::store::{CommitFailure, CommitStore, RecordVisitor, RecordWrite};
use catalog::vfs::SimulatedVfs;
use catalog::{Column, ObjectName, RowChanges, SqlType};

use super::*;
use crate::column_cache::ColumnCache;

const TABLE: Oid = Oid(20_000);

/// A store in memory that makes so many commits as it is told to.
struct Held(mpsc::Receiver<()>);

impl CommitStore for Held {
    fn load(&self, _visit: &mut RecordVisitor<'_>) -> catalog::Result<()> {
        Ok(())
    }

    fn commit(&mut self, _writes: &[RecordWrite]) -> Result<(), CommitFailure> {
        self.0.recv().map_err(|_| CommitFailure::Refused(catalog::Error::ShuttingDown))
    }
}

#[tokio::test]
async fn a_table_that_is_dropped_while_it_is_to_be_compacted_is_no_error() {
    let (commits, held) = mpsc::channel();
    // The first one makes a new store.
    (0..2).for_each(|_| commits.send(()).unwrap());
    let catalog = Catalog::with_store(Box::new(Held(held)), Box::new(|_| ())).unwrap();
    let table = HotTable::new(TABLE, ObjectName::new("public", "t"), vec![Column::new(1, "id", SqlType::Integer)]);
    let ids: ArrayRef = Arc::new(Int32Array::from_iter_values(0..10));
    let rows = RecordBatch::try_from_iter_with_nullable([("c1", ids, true)]).unwrap();
    let append = CatalogChange::ChangeRows { table: TABLE, changes: RowChanges::append(vec![rows]) };
    catalog.commit(vec![CatalogChange::CreateHotTable(table), append]).await.unwrap();

    let columns = Arc::new(ColumnCache::new(1 << 20));
    let vfs = Arc::new(SimulatedVfs::new());
    let segments = Segments::new(vfs, PathBuf::from("/segments"), catalog.garbage(), columns, |_| ());
    let segments = Arc::new(segments);
    let (dropped, compacted, ()) = tokio::join!(
        biased;
        catalog.commit(vec![CatalogChange::DropRelation { oid: TABLE }]),
        compact(&catalog, &segments, TABLE, Thoroughness::Complete),
        // By now compaction has seen the table, which is about to go.
        async { (0..2).for_each(|_| commits.send(()).unwrap()) },
    );
    dropped.unwrap();
    assert!(!compacted.unwrap());
}
