//! A catalog and its segments on a simulated file system, as a server has them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use catalog::rows::SegmentFile;
use catalog::vfs::{SimulatedVfs, Vfs};
use catalog::{Catalog, CatalogSnapshot, Oid, Relation, RowAddresses, UnitId};
use storage::column_cache::ColumnCache;
use storage::hot::{FileList, Segments};

/// The data directory in simulated file systems.
pub const DIRECTORY: &str = "/data";
/// Little, so that the log is full every few commits.
const LOG_BYTES: usize = 64 * 1024;
/// What the tables of segments are in.
const SEGMENTS: &str = "/data/segments";

/// The values of the rows of each table, sorted.
pub type Content = BTreeMap<Oid, Vec<i64>>;

thread_local! {
    /// Whether a flush of a segment has failed, at which a server ends itself.
    static FLUSH_FAILED: Cell<bool> = const { Cell::new(false) };
}

/// A process.
pub struct Node {
    pub catalog: Catalog,
    pub segments: Arc<Segments>,
    garbage: Receiver<SegmentFile>,
    ended: Arc<Mutex<bool>>,
}

impl Node {
    /// Starts on the file system, and removes what nothing refers to.
    pub fn start(vfs: &SimulatedVfs) -> Result<Node, String> {
        FLUSH_FAILED.set(false);
        let ended = Arc::new(Mutex::new(false));
        let on_store_failed = {
            let ended = ended.clone();
            Box::new(move |_: &catalog::Error| *ended.lock().unwrap() = true)
        };
        let vfs: Arc<dyn Vfs> = Arc::new(vfs.clone());
        let catalog = Catalog::open_on(vfs.clone(), Path::new(DIRECTORY), LOG_BYTES, on_store_failed);
        let catalog = catalog.map_err(|error| format!("{error:?}"))?;
        let columns = Arc::new(ColumnCache::new(1 << 20));
        let files = FileList::read(vfs.as_ref(), Path::new(SEGMENTS)).map_err(|error| error.to_string())?;
        let segments = Segments::new(vfs, SEGMENTS.into(), catalog.garbage(), columns, |_| FLUSH_FAILED.set(true));
        let segments = Arc::new(segments);
        segments
            .remove_orphans(files, &catalog.snapshot().segment_files(), &catalog.snapshot().key_indexes())
            .map_err(|error| error.to_string())?;
        let garbage = catalog.take_garbage().ok_or("somebody else removes files")?;
        Ok(Node { catalog, segments, garbage, ended })
    }

    /// Removes the files that nobody needs any more.
    pub fn remove_garbage(&self) {
        self.garbage.try_iter().for_each(|file| self.segments.remove(&file));
    }

    /// Whether the process would have ended itself.
    pub fn has_ended(&self) -> bool {
        FLUSH_FAILED.get() || *self.ended.lock().unwrap()
    }

    /// What the tables hold.
    pub fn content(&self) -> Result<Content, String> {
        let snapshot = self.catalog.snapshot();
        tables(&snapshot).map(|table| Ok((table, self.values(&snapshot, table)?))).collect()
    }

    fn values(&self, snapshot: &CatalogSnapshot, table: Oid) -> Result<Vec<i64>, String> {
        let mut values: Vec<i64> = self.rows(snapshot, table)?.into_iter().map(|(_, _, value)| value).collect();
        values.sort_unstable();
        Ok(values)
    }

    /// The rows of a table that are not deleted, with their addresses.
    fn rows(&self, snapshot: &CatalogSnapshot, table: Oid) -> Result<Vec<(UnitId, u32, i64)>, String> {
        let rows = snapshot.rows(table);
        let mut found = Vec::new();
        for unit in rows.inline_units() {
            for (first, batch) in unit.batches() {
                let values = batch.column(0).as_primitive::<Int64Type>().values();
                found.extend(values.iter().enumerate().map(|(at, value)| (unit.unit, first + at as u32, *value)));
            }
        }
        for (unit, segment) in rows.segments() {
            let reader = self.segments.reader(&segment.file).map_err(|error| format!("{error:?}"))?;
            for (group, first) in reader.details().first_rows().into_iter().enumerate() {
                let column = reader.column(group, "c1").map_err(|error| format!("{error:?}"))?.ok_or("no column")?;
                let values = column.iter().flat_map(|batch| batch.as_primitive::<Int64Type>().values().iter());
                found.extend(values.enumerate().map(|(at, value)| (unit, first + at as u32, *value)));
            }
        }
        found.retain(|(unit, row, _)| !rows.deleted(*unit).is_some_and(|deleted| deleted.contains(*row)));
        Ok(found)
    }

    /// The addresses of the rows whose values are chosen, and these values.
    pub fn find(&self, table: Oid, chosen: impl Fn(i64) -> bool) -> Result<(RowAddresses, Vec<i64>), String> {
        let (mut addresses, mut values) = (RowAddresses::default(), Vec::new());
        for (unit, row, value) in self.rows(&self.catalog.snapshot(), table)? {
            if chosen(value) {
                addresses.insert(unit, row);
                values.push(value);
            }
        }
        Ok((addresses, values))
    }
}

/// The hot tables.
pub fn tables(snapshot: &CatalogSnapshot) -> impl Iterator<Item = Oid> {
    snapshot.relations_in("public").filter(|it| matches!(it, Relation::Hot(_))).map(Relation::oid)
}

/// The files of segments that are there, and those that the catalog refers to.
pub fn segment_files(vfs: &SimulatedVfs, node: &Node) -> (usize, usize) {
    let directories = vfs.list(Path::new(SEGMENTS)).unwrap_or_default();
    let files = directories.iter().map(|it| vfs.list(&Path::new(SEGMENTS).join(it)).map_or(0, |names| names.len()));
    (files.sum(), node.catalog.snapshot().segment_files().len())
}
