//! Segments: rows of hot tables in Parquet files of the data directory.
//!
//! A file is written, flushed, and its name made durable before the commit that refers to it; so after a crash there are
//! at worst files that nothing refers to, which the next start removes. Columns are named by attribute number and are
//! verified by checksums of ours, since neither the format nor its writer protects them.

mod copy;
pub mod details;
mod new_segment;
pub mod reader;
#[cfg(test)]
mod tests;
pub mod writer;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use catalog::rows::{Segment, SegmentFile};
use catalog::vfs::{OpenMode, Vfs};
use catalog::{Column, HotTable, Oid};
use datafusion::error::DataFusionError;
use quick_cache::sync::Cache;
use tracing::{info, warn};

use self::details::SegmentDetails;
pub use self::new_segment::NewSegment;
use self::reader::SegmentReader;
use self::writer::Written;
use super::{keys, representation};
use crate::column_cache::{CachedColumn, ChunkKey, ColumnCache};
use crate::error::{Error, Result};

/// Segments whose footers are kept in memory.
const OPEN_SEGMENTS_MAX: usize = 4096;
/// Segments of which is kept in memory what the commit store knows of them, decoded.
const KNOWN_SEGMENTS_MAX: usize = 1 << 16;
/// Their directory in the data directory.
pub const SEGMENTS_DIRECTORY: &str = "segments";
const FILE_SUFFIX: &str = ".parquet";
/// The number that no table has: what stands for the table of segments of temporary tables.
const OF_TEMPORARY_TABLES: Oid = Oid(0);

/// What is called when nobody knows what is durable of what was written. A server ends itself there; where the call
/// returns, the statement fails.
pub type FlushFailureHook = fn(&std::io::Error);

/// Whether what is read is likely to be wanted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// The column cache keeps it.
    Again,
    /// It is in nobody's way.
    Once,
}

/// The files of segments, and what is kept of them in memory.
#[derive(Debug)]
pub struct Segments {
    vfs: Arc<dyn Vfs>,
    directory: PathBuf,
    garbage: Sender<SegmentFile>,
    /// Directories whose names are durable. Whoever flushes names holds it, see [`Segments::flush_names`].
    flushed: Mutex<BTreeSet<PathBuf>>,
    on_flush_failed: FlushFailureHook,
    open: Cache<Arc<str>, Arc<SegmentReader>>,
    known: Cache<Arc<str>, Arc<SegmentDetails>>,
    columns: Arc<ColumnCache>,
    /// By segment, the suffixes of the files that were made of it and go with it.
    derived: Mutex<HashMap<String, BTreeSet<String>>>,
}

/// The files that are in a directory of segments, of each table.
#[derive(Debug, Default)]
pub struct FileList(Vec<(Oid, Vec<String>)>);

impl FileList {
    /// The files that are there now.
    ///
    /// # Errors
    /// A directory cannot be read.
    pub fn read(vfs: &dyn Vfs, directory: &Path) -> std::io::Result<Self> {
        if !vfs.exists(directory)? {
            return Ok(FileList::default());
        }
        let tables = vfs.list(directory)?.into_iter().filter_map(|name| Some((Oid(name.parse().ok()?), name)));
        let files = tables.map(|(table, name)| Ok((table, vfs.list(&directory.join(name))?)));
        files.collect::<std::io::Result<_>>().map(FileList)
    }
}

impl Segments {
    /// The segments below `directory`, which is made when the first is written.
    pub fn new(
        vfs: Arc<dyn Vfs>,
        directory: PathBuf,
        garbage: Sender<SegmentFile>,
        columns: Arc<ColumnCache>,
        on_flush_failed: FlushFailureHook,
    ) -> Self {
        let (open, known) = (Cache::new(OPEN_SEGMENTS_MAX), Cache::new(KNOWN_SEGMENTS_MAX));
        Segments {
            vfs,
            directory,
            garbage,
            flushed: Mutex::default(),
            on_flush_failed,
            open,
            known,
            columns,
            derived: Mutex::default(),
        }
    }

    /// What is kept of them decoded.
    pub fn column_cache(&self) -> &Arc<ColumnCache> {
        &self.columns
    }

    fn table_directory(&self, table: Oid) -> PathBuf {
        self.directory.join(table.0.to_string())
    }

    /// Begins a segment of a table, with columns at rest. Those of temporary tables are together, and are not flushed:
    /// nobody needs them after a crash.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create_for(&self, table: &HotTable, schema: SchemaRef) -> Result<NewSegment, DataFusionError> {
        let number = if table.name.is_temporary() { OF_TEMPORARY_TABLES } else { table.oid };
        self.create(number, schema)
    }

    /// Begins a segment of the table with this number, with columns at rest.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(&self, table: Oid, schema: SchemaRef) -> Result<NewSegment, DataFusionError> {
        let directory = self.table_directory(table);
        for directory in [self.directory.as_path(), &directory] {
            self.make_directory(directory)?;
        }
        NewSegment::new(self, table, schema)
    }

    /// Makes a directory whose name is durable. One that is there may have been made by somebody who was killed before
    /// the name was flushed, so that each process does that once.
    fn make_directory(&self, directory: &Path) -> Result<(), DataFusionError> {
        let mut flushed = self.flushed();
        if flushed.contains(directory) {
            return Ok(());
        }
        match self.vfs.create_dir(directory) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error.into()),
            _ => {}
        }
        if let Some(parent) = directory.parent() {
            self.flush_names(parent, &flushed)?;
        }
        flushed.insert(directory.to_path_buf());
        Ok(())
    }

    fn flushed(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.flushed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Flushes the names in a directory. One at a time: the system reports a failure once, and it concerns the names of
    /// all who write into the directory; nobody may take them for durable before the process has ended.
    fn flush_names(
        &self,
        directory: &Path,
        _flushing: &MutexGuard<'_, BTreeSet<PathBuf>>,
    ) -> Result<(), DataFusionError> {
        Ok(self.vfs.sync_dir(directory).inspect_err(|error| (self.on_flush_failed)(error))?)
    }

    /// Ends a segment: when this returns, the file and its name are durable, unless it is one of a temporary table.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(&self, mut segment: NewSegment) -> Result<Arc<Segment>, DataFusionError> {
        let is_durable = segment.is_durable();
        let flushed = is_durable.then_some(self.on_flush_failed);
        let Written { rows, bytes, details } = segment.encoded()?.finish(flushed)?;
        if is_durable {
            self.flush_names(&segment.directory, &self.flushed())?;
        }
        let details = details.encode()?;
        let (table, name) = segment.kept();
        let file = SegmentFile { table, name, rows, bytes, details };
        Ok(Arc::new(Segment::new(file, Some(self.garbage.clone()))))
    }

    /// Removes a file that nothing refers to.
    pub fn remove(&self, file: &SegmentFile) {
        let path = self.table_directory(file.table).join(&file.name);
        self.open.remove(file.name.as_str());
        self.known.remove(file.name.as_str());
        self.columns.forget(&file.name);
        let derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner).remove(stem(&file.name));
        for suffix in derived.into_iter().flatten() {
            self.remove_derived(file, &suffix);
        }
        match self.vfs.remove_file(&path) {
            Ok(()) => info!(table = file.table.0, file = file.name, "segment removed"),
            Err(error) => warn!(%error, path = %path.display(), "a segment that is not needed could not be removed"),
        }
    }

    /// Removes files of a list that are not among `needed`, and those of keys that are not among `indexes`: what a crash has
    /// left behind, or a transaction that made a key and was rolled back, whose number may be that of another key next time.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn remove_orphans(
        &self,
        files: FileList,
        needed: &BTreeSet<(Oid, String)>,
        indexes: &BTreeSet<Oid>,
    ) -> std::io::Result<()> {
        let is_needed = |suffix: &str| keys::index_of(suffix).is_some_and(|index| indexes.contains(&index));
        for (table, names) in files.0 {
            for name in names {
                let segment = format!("{}{FILE_SUFFIX}", stem(&name));
                let derived = name.split_once('.').map(|(_, suffix)| suffix).filter(|_| name != segment);
                if !needed.contains(&(table, segment.clone())) || derived.is_some_and(|suffix| !is_needed(suffix)) {
                    let path = self.table_directory(table).join(&name);
                    info!(path = %path.display(), "removing a file that nothing refers to");
                    self.vfs.remove_file(&path)?;
                } else if let Some(suffix) = derived {
                    self.note_derived(&segment, suffix.to_owned());
                }
            }
        }
        Ok(())
    }

    /// What the commit store knows of a segment.
    ///
    /// # Errors
    /// The bytes are something else.
    pub fn details(&self, file: &SegmentFile) -> Result<Arc<SegmentDetails>> {
        let name: Arc<str> = file.name.as_str().into();
        self.known.get_or_insert_with(&name, || {
            let details = SegmentDetails::decode(file.details.clone());
            details.map(Arc::new).map_err(|error| damaged(file, error.to_string()))
        })
    }

    /// The file system that they are in.
    pub(super) fn vfs(&self) -> &dyn Vfs {
        self.vfs.as_ref()
    }

    /// Where a file is that was made of a segment.
    pub(super) fn derived_path(&self, file: &SegmentFile, suffix: &str) -> PathBuf {
        self.table_directory(file.table).join(format!("{}.{suffix}", stem(&file.name)))
    }

    /// A file was made of a segment: it goes with it.
    pub(super) fn note_derived(&self, name: &str, suffix: String) {
        let mut derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        derived.entry(stem(name).to_owned()).or_default().insert(suffix);
    }

    /// Removes a file that was made of a segment.
    pub(super) fn remove_derived(&self, file: &SegmentFile, suffix: &str) {
        let path = self.derived_path(file, suffix);
        if let Err(error) = self.vfs.remove_file(&path) {
            warn!(%error, path = %path.display(), "a file that is not needed could not be removed");
        }
    }

    /// The segment, opened.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn reader(&self, file: &SegmentFile) -> Result<Arc<SegmentReader>> {
        let name: Arc<str> = file.name.as_str().into();
        self.open.get_or_insert_with(&name, || {
            let path = self.table_directory(file.table).join(&file.name);
            let opened = self.vfs.open(&path, OpenMode::Existing);
            let opened = opened.map_err(|source| Error::SegmentUnreadable { name: file.name.clone(), source })?;
            SegmentReader::open(&file.name, opened, self.details(file)?).map(Arc::new)
        })
    }

    /// A column of a row group in flight, from memory or from the file; `None` when it was added after the segment: that is
    /// not kept in memory, since another column may get the number when the transaction that adds this one is rolled back.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub async fn column(
        self: &Arc<Self>,
        file: &SegmentFile,
        row_group: usize,
        column: &Column,
        reading: Reading,
    ) -> Result<Option<Arc<CachedColumn>>> {
        let stored = column.stored_name();
        if !self.details(file)?.columns.contains_key(&stored) {
            return Ok(None);
        }
        let key = ChunkKey {
            table: file.table.0,
            file: file.name.as_str().into(),
            row_group: row_group as u32,
            column: stored.as_str().into(),
        };
        let in_flight = column.sql_type.in_flight();
        let (segments, file, target) = (self.clone(), file.clone(), in_flight.clone());
        let read = async move {
            let name = file.name.clone();
            let read = move || {
                let batches = segments.reader(&file)?.column(row_group, &stored)?.unwrap_or_default();
                converted(&batches, &target).map_err(|error| damaged(&file, error.to_string()))
            };
            let ended = |_| Error::DamagedSegment { name, reason: "reading it has failed".to_owned() };
            tokio::task::spawn_blocking(read).await.map_err(ended)?
        };
        let cached = match (reading, self.columns.peek(&key)) {
            (Reading::Again, _) => self.columns.get_or_read(&key, read).await?,
            (Reading::Once, Some(cached)) => cached,
            (Reading::Once, None) => Arc::new(read.await?),
        };
        // The type may have changed in a way that leaves the rows as they are.
        if cached.data_type().is_none_or(|data_type| *data_type == in_flight) {
            return Ok(Some(cached));
        }
        let failed = |reason: String| Error::DamagedSegment { name: key.file.to_string(), reason };
        let batches = cached.batches().map_err(|error| failed(error.to_string()))?;
        let converted = converted(&batches, &in_flight).map_err(|error| failed(error.to_string()))?;
        Ok(Some(Arc::new(converted)))
    }
}

fn converted(batches: &[ArrayRef], target: &DataType) -> Result<CachedColumn, ArrowError> {
    let batches = batches.iter().map(|batch| representation::convert(batch, target));
    Ok(CachedColumn::new(batches.collect::<Result<_, _>>()?))
}

fn damaged(file: &SegmentFile, reason: String) -> Error {
    Error::DamagedSegment { name: file.name.clone(), reason }
}

/// The part of a file's name that a segment and what was made of it share.
fn stem(name: &str) -> &str {
    name.split_once('.').map_or(name, |(stem, _)| stem)
}
