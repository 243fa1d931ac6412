//! The keys of hot tables: which row has these values in the columns of a PRIMARY KEY or UNIQUE constraint.
//!
//! Everything here is derived from the rows, so it may be lost or thrown away at any time. Of a segment there is a file
//! beside it with the hashes of its keys in their order ([`run`]), made when it is first wanted; of an inline unit there
//! is a table in memory that follows its rows ([`inline`]). Both tell candidates; whether a candidate has the key is
//! decided by its values, and whether it is there by the snapshot.

mod collected;
mod hash;
mod inline;
mod run;
#[cfg(test)]
mod tests;

pub use collected::{DuplicateKey, NewKeys};
pub use hash::{KeyHash, KeyHasher, can_be_key};

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::concat;
use arrow::error::ArrowError;
use catalog::constraint::Key;
use catalog::rows::{InlineUnit, Segment};
use catalog::vfs::{OpenMode, VfsFile};
use catalog::{Column, HotTable, Oid, TableRows, UnitId};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tracing::{debug, warn};

use self::inline::InlineKeys;
use self::run::{Run, RunBuilder};
use super::representation;
use super::rows::missing_in_flight;
use super::segments::{Reading, Segments};
use crate::error::{Error, Result};

/// Bytes of memory for the parts of runs that are kept open.
const RUN_BYTES_MAX: u64 = 64 << 20;
/// Runs that are expected to be open.
const RUNS_EXPECTED: usize = 1024;
/// Keys of which the inline rows are kept in memory.
const INLINE_KEYS_MAX: usize = 4096;

/// What files of keys end with.
const FILE_SUFFIX: &str = ".key";

/// A key of a table: the number of its index tells it from others.
#[derive(Debug, Clone)]
pub struct TableKey {
    table: Arc<HotTable>,
    index: Oid,
    /// The positions of its columns in the table.
    places: Vec<usize>,
    hasher: Arc<KeyHasher>,
}

impl TableKey {
    /// The key of a table.
    ///
    /// # Errors
    /// A column that cannot be one of a key: the constraint should have been refused.
    pub fn new(table: Arc<HotTable>, key: &Key) -> Result<Self, ArrowError> {
        let place = |number: &i16| table.columns.iter().position(|column| column.attribute_number == *number);
        let places: Option<Vec<usize>> = key.columns.iter().map(place).collect();
        let places = places.ok_or_else(|| ArrowError::SchemaError("a key has a column that is gone".to_owned()))?;
        let types = places.iter().map(|place| table.columns[*place].sql_type.in_flight());
        let hasher = Arc::new(KeyHasher::new(types, key.nulls_not_distinct)?);
        Ok(TableKey { index: key.index, places, hasher, table })
    }

    /// The positions of its columns in the table.
    pub fn places(&self) -> &[usize] {
        &self.places
    }

    /// What makes hashes of its values.
    pub fn hasher(&self) -> &KeyHasher {
        &self.hasher
    }

    /// Its columns, in their order.
    pub fn columns(&self) -> impl Iterator<Item = &Column> {
        self.places.iter().map(|place| &self.table.columns[*place])
    }
}

/// A row that has one of the keys that were looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundRow {
    /// Which of the keys, by position.
    pub key: usize,
    /// The row's unit.
    pub unit: UnitId,
    /// Its position there.
    pub row: u32,
}

/// Finds rows by their keys.
#[derive(Debug)]
pub struct KeyIndex {
    segments: Arc<Segments>,
    runs: Cache<(Arc<str>, Oid), Arc<Run>, RunWeighter>,
    inline: Cache<(Oid, UnitId), Arc<Mutex<InlineKeys>>>,
}

#[derive(Debug, Clone)]
struct RunWeighter;

impl Weighter<(Arc<str>, Oid), Arc<Run>> for RunWeighter {
    fn weight(&self, _: &(Arc<str>, Oid), run: &Arc<Run>) -> u64 {
        run.memory_bytes()
    }
}

impl KeyIndex {
    /// An index over the rows of all tables.
    pub fn new(segments: Arc<Segments>) -> Self {
        let runs = Cache::with_weighter(RUNS_EXPECTED, RUN_BYTES_MAX, RunWeighter);
        KeyIndex { segments, runs, inline: Cache::new(INLINE_KEYS_MAX) }
    }

    /// The rows among `rows` that have one of the keys.
    ///
    /// # Errors
    /// A segment cannot be read, or is damaged.
    pub async fn find(&self, key: &TableKey, rows: &TableRows, wanted: &[KeyHash]) -> Result<Vec<FoundRow>> {
        let wanted = Wanted::new(wanted);
        let mut found = Vec::new();
        for (unit, segment) in rows.segments() {
            let candidates = self.in_segment(key, segment, &wanted).await?;
            self.check(key, rows, unit, candidates, &wanted, &mut found).await?;
        }
        for unit in rows.inline_units() {
            let candidates = self.in_inline_unit(key, unit, &wanted)?;
            self.check(key, rows, unit.unit, candidates, &wanted, &mut found).await?;
        }
        found.sort_by_key(|found| (found.key, found.unit, found.row));
        Ok(found)
    }

    async fn in_segment(&self, key: &TableKey, segment: &Arc<Segment>, wanted: &Wanted<'_>) -> Result<Vec<Candidate>> {
        for last_attempt in [false, true] {
            let run = self.run(key, segment).await?;
            match run.find(wanted.hashes()) {
                Ok(candidates) => return Ok(candidates),
                // What is wrong with a derived file is mended by making it again.
                Err(error) if !last_attempt => {
                    warn!(%error, segment = segment.file.name, "the keys of a segment cannot be read, making them again");
                    self.runs.remove(&(segment.file.name.as_str().into(), key.index));
                    self.segments.remove_derived(&segment.file, &suffix(key.index));
                }
                Err(source) => {
                    return Err(Error::SegmentUnreadable { name: segment.file.name.clone(), source });
                }
            }
        }
        Ok(Vec::new())
    }

    /// The run of a segment: from memory, from its file, or made of the segment's rows.
    async fn run(&self, key: &TableKey, segment: &Arc<Segment>) -> Result<Arc<Run>> {
        let name = (Arc::from(segment.file.name.as_str()), key.index);
        let make = async {
            let (segments, key, segment) = (self.segments.clone(), key.clone(), segment.clone());
            let name = segment.file.name.clone();
            let made = tokio::task::spawn_blocking(move || open_or_make(&segments, &key, &segment)).await;
            let ended = |_| Error::DamagedSegment { name, reason: "reading its keys has failed".to_owned() };
            made.map_err(ended)?.map(Arc::new)
        };
        self.runs.get_or_insert_async(&name, make).await
    }

    /// Of the candidates those that are there and whose values are the key's.
    async fn check(
        &self,
        key: &TableKey,
        rows: &TableRows,
        unit: UnitId,
        candidates: Vec<Candidate>,
        wanted: &Wanted<'_>,
        found: &mut Vec<FoundRow>,
    ) -> Result<()> {
        for Candidate { place, row } in candidates {
            if rows.deleted(unit).is_some_and(|deleted| deleted.contains(row)) {
                continue;
            }
            let values = self.values(key.columns(), rows, unit, row).await?;
            let hash = key.hasher.hashes(&values).map_err(not_readable)?;
            let number = wanted.order[place];
            if hash == [Some(wanted.keys[number])] {
                found.push(FoundRow { key: number, unit, row });
            }
        }
        Ok(())
    }

    /// The values of columns of the table in a row, in flight.
    ///
    /// # Errors
    /// A segment cannot be read, or is damaged.
    pub async fn values<'a>(
        &self,
        columns: impl Iterator<Item = &'a Column>,
        rows: &TableRows,
        unit: UnitId,
        row: u32,
    ) -> Result<Vec<ArrayRef>> {
        if let Some(segment) = rows.segment(unit) {
            let first_rows = self.segments.reader(&segment.file)?.details().first_rows();
            let group = first_rows.partition_point(|first| *first <= row).saturating_sub(1);
            let at = (row - first_rows[group]) as usize;
            let mut values = Vec::new();
            for column in columns {
                let cached = self.segments.column(&segment.file, group, column, Reading::Again).await?;
                values.push(match cached {
                    Some(cached) => cached.value(at).map_err(not_readable)?,
                    None => missing_in_flight(column, 1).map_err(not_readable)?,
                });
            }
            return Ok(values);
        }
        let batches = rows.inline_unit(unit).into_iter().flat_map(|unit| unit.batches());
        let batch = batches.into_iter().find(|(first, batch)| row < first + batch.num_rows() as u32);
        let (first, batch) = batch.ok_or_else(|| not_readable(gone()))?;
        inline_columns(columns, batch, (row - first) as usize, 1).map_err(not_readable)
    }

    fn in_inline_unit(&self, key: &TableKey, unit: &InlineUnit, wanted: &Wanted<'_>) -> Result<Vec<Candidate>> {
        // The numbers of drafts are those of other transactions' drafts too.
        let keys = match unit.unit.is_draft() {
            true => Arc::default(),
            false => {
                let made: Result<_, std::convert::Infallible> =
                    self.inline.get_or_insert_with(&(key.index, unit.unit), || Ok(Arc::default()));
                match made {
                    Ok(keys) => keys,
                    Err(never) => match never {},
                }
            }
        };
        let mut keys = keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.follow(key, unit).map_err(not_readable)?;
        Ok(keys.find(wanted.hashes(), unit.rows()))
    }
}

/// A row whose hash is that of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Candidate {
    /// Which of the hashes, in their order.
    place: usize,
    row: u32,
}

/// Keys in the order of their hashes.
struct Wanted<'a> {
    keys: &'a [KeyHash],
    /// Positions of the keys.
    order: Vec<usize>,
    sorted: Vec<u64>,
}

impl<'a> Wanted<'a> {
    fn new(keys: &'a [KeyHash]) -> Self {
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by_key(|place| keys[*place].short());
        let sorted = order.iter().map(|place| keys[*place].short()).collect();
        Wanted { keys, order, sorted }
    }

    fn hashes(&self) -> &[u64] {
        &self.sorted
    }
}

/// Columns in flight, of some rows of a batch at rest. A column that the rows do not have is what it was when it was added.
fn inline_columns<'a>(
    columns: impl Iterator<Item = &'a Column>,
    batch: &RecordBatch,
    offset: usize,
    count: usize,
) -> Result<Vec<ArrayRef>, ArrowError> {
    let column = |column: &Column| {
        let target = column.sql_type.in_flight();
        match batch.column_by_name(&column.stored_name()) {
            Some(values) => representation::convert(&values.slice(offset, count), &target),
            None => missing_in_flight(column, count),
        }
    };
    columns.map(column).collect()
}

/// The suffix of the file with the keys of a segment.
fn suffix(index: Oid) -> String {
    format!("{}{FILE_SUFFIX}", index.0)
}

/// The number of the index whose keys are in a file with this suffix.
pub(super) fn index_of(suffix: &str) -> Option<Oid> {
    suffix.strip_suffix(FILE_SUFFIX)?.parse().map(Oid).ok()
}

fn open_or_make(segments: &Segments, key: &TableKey, segment: &Segment) -> Result<Run> {
    let unreadable = |source| Error::SegmentUnreadable { name: segment.file.name.clone(), source };
    let path = segments.derived_path(&segment.file, &suffix(key.index));
    let vfs = segments.vfs();
    match vfs.open(&path, OpenMode::Existing) {
        Ok(file) => match Run::open(file, segment.file.rows) {
            Ok(run) => return Ok(run),
            Err(error) => debug!(%error, path = %path.display(), "the file of keys is made again"),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(unreadable(error)),
    }
    let builder = run_builder(segments, key, segment)?;
    // Nobody sees a file that is not finished; nothing need survive, so nothing is flushed.
    let unfinished = path.with_extension("unfinished");
    let write = || -> io::Result<Arc<dyn VfsFile>> {
        let file = vfs.open(&unfinished, OpenMode::Create)?;
        file.set_len(0)?;
        builder.write(file.as_ref())?;
        vfs.rename(&unfinished, &path)?;
        Ok(file)
    };
    let file = write().map_err(|source| Error::KeysNotWritten { name: segment.file.name.clone(), source })?;
    segments.note_derived(&segment.file.name, suffix(key.index));
    Run::open(file, segment.file.rows).map_err(unreadable)
}

fn run_builder(segments: &Segments, key: &TableKey, segment: &Segment) -> Result<RunBuilder> {
    let reader = segments.reader(&segment.file)?;
    let mut builder = RunBuilder::new(segment.file.rows);
    for (group, first_row) in reader.details().first_rows().into_iter().enumerate() {
        let rows = reader.details().rows.value(group) as usize;
        let column = |column: &Column| -> Result<ArrayRef> {
            let target = column.sql_type.in_flight();
            match reader.column(group, &column.stored_name())? {
                Some(batches) => {
                    let batches: Vec<&dyn Array> = batches.iter().map(AsRef::as_ref).collect();
                    let array = concat(&batches).and_then(|array| representation::convert(&array, &target));
                    array.map_err(|error| damaged(segment, &error))
                }
                None => missing_in_flight(column, rows).map_err(|error| damaged(segment, &error)),
            }
        };
        let columns = key.columns().map(column).collect::<Result<Vec<_>>>()?;
        let hashes = key.hasher.hashes(&columns).map_err(|error| damaged(segment, &error))?;
        let with_rows = (first_row..).zip(hashes);
        builder.extend(with_rows.filter_map(|(row, hash)| Some((hash?.short(), row))));
    }
    Ok(builder)
}

fn damaged(segment: &Segment, error: &ArrowError) -> Error {
    Error::DamagedSegment { name: segment.file.name.clone(), reason: error.to_string() }
}

fn not_readable(error: impl std::fmt::Display) -> Error {
    Error::DamagedSegment { name: "rows of the commit store".to_owned(), reason: error.to_string() }
}

fn gone() -> ArrowError {
    ArrowError::InvalidArgumentError("a row is not where it was found".to_owned())
}
