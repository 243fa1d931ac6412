//! Takes rows for a hot table and makes changes of them: few rows are kept in memory and go into the commit itself, many
//! are written to segments.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use catalog::rows::{RowSet, Segment};
use catalog::{HotTable, RowChanges};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryReservation;
use tokio::runtime::{Handle, RuntimeFlavor};

use super::keys::NewKeys;
use super::rows;
use super::segments::{NewSegment, Segments};
use super::sort_key::{in_order, order, sort_key};
use crate::error::Error;

/// Rows in a batch. A block of deleted rows covers as many, and a batch of them decodes and scans well.
const BATCH_ROWS_MAX: usize = catalog::rows::BLOCK_ROWS as usize;
/// Bytes of rows that go into a commit; more than these are a segment.
const INLINE_BYTES_MAX: usize = 4 << 20;
/// Bytes after which a segment is ended and another begun.
const SEGMENT_BYTES_MAX: u64 = 256 << 20;
/// Bytes of rows at rest that are sorted at once, if the memory is there; each time they are a segment.
const SORTED_BYTES_MAX: usize = 256 << 20;

/// Collects rows. Nothing is visible until the changes that [`finish`](Self::finish) returns are committed; what has been
/// written to segments by then is removed when they are not.
pub struct TableWriter {
    table: Arc<HotTable>,
    segments: Arc<Segments>,
    sort_key: Vec<usize>,
    pending: Vec<RecordBatch>,
    pending_rows: usize,
    /// Rows at rest that may still go into the commit.
    stored: Vec<RecordBatch>,
    stored_bytes: usize,
    current: Option<NewSegment>,
    finished: Vec<Arc<Segment>>,
    rows: u64,
    keys: Vec<NewKeys>,
    reservation: MemoryReservation,
}

/// What a statement has written.
#[derive(Debug)]
pub struct WrittenRows {
    /// What makes the rows visible once it is committed.
    pub changes: RowChanges,
    /// How many rows there are.
    pub rows: u64,
    /// Their keys, by constraint: no two rows have the same, but whether other rows of the table have one of them is to be
    /// seen.
    pub keys: Vec<NewKeys>,
}

impl TableWriter {
    /// A writer whose memory counts in `reservation`.
    ///
    /// # Errors
    /// A key over columns that cannot be one: a bug.
    pub fn new(table: Arc<HotTable>, segments: Arc<Segments>, reservation: MemoryReservation) -> Result<Self> {
        let keys = table.constraints.iter().filter_map(|constraint| NewKeys::new(&table, constraint));
        let keys = keys.collect::<Result<_, _>>()?;
        Ok(TableWriter {
            sort_key: sort_key(&table),
            keys,
            table,
            segments,
            pending: Vec::new(),
            pending_rows: 0,
            stored: Vec::new(),
            stored_bytes: 0,
            current: None,
            finished: Vec::new(),
            rows: 0,
            reservation,
        })
    }

    /// Leaves keys out whose values the rows have had before: none of the columns, by attribute number, has changed.
    pub fn changing_only(mut self, columns: &[i16]) -> Self {
        self.keys.retain(|keys| keys.key.columns().any(|column| columns.contains(&column.attribute_number)));
        self
    }

    /// Adds rows whose columns are those of the table, in flight.
    ///
    /// # Errors
    /// The memory is not there, or a segment cannot be written.
    pub fn append(&mut self, batch: RecordBatch) -> Result<()> {
        self.reservation.try_grow(batch.get_array_memory_size())?;
        self.rows += batch.num_rows() as u64;
        for keys in &mut self.keys {
            if let Some(duplicate) = keys.add(&batch)? {
                return Err(DataFusionError::External(Box::new(Error::DuplicateKey(Box::new(duplicate)))));
            }
        }
        let mut rest = batch;
        while self.pending_rows + rest.num_rows() >= BATCH_ROWS_MAX {
            let fits = BATCH_ROWS_MAX - self.pending_rows;
            self.pending.push(rest.slice(0, fits));
            self.pending_rows += fits;
            rest = rest.slice(fits, rest.num_rows() - fits);
            self.store_pending()?;
        }
        if rest.num_rows() > 0 {
            self.pending_rows += rest.num_rows();
            self.pending.push(rest);
        }
        Ok(())
    }

    /// What was written.
    ///
    /// # Errors
    /// The memory is not there, or a segment cannot be written.
    pub fn finish(mut self) -> Result<WrittenRows> {
        if self.pending_rows > 0 {
            self.store_pending()?;
        }
        if !self.sort_key.is_empty() && (!self.finished.is_empty() || self.stored_bytes > INLINE_BYTES_MAX) {
            self.write_sorted()?;
        }
        self.end_segment()?;
        let segments = std::mem::take(&mut self.finished).into_iter().map(|segment| (segment, RowSet::default()));
        let changes =
            RowChanges { segments: segments.collect(), ..RowChanges::append(std::mem::take(&mut self.stored)) };
        let changes = RowChanges { made_for: Some(self.table.clone()), ..changes };
        Ok(WrittenRows { changes, rows: self.rows, keys: self.keys })
    }

    fn store_pending(&mut self) -> Result<()> {
        let batch = concat_batches(&self.table.arrow_schema(), &self.pending)?;
        let stored = rows::at_rest(&self.table, &batch)?;
        self.pending.clear();
        self.pending_rows = 0;
        self.stored_bytes += stored.get_array_memory_size();
        self.stored.push(stored);
        if !self.sort_key.is_empty() {
            return self.reserve_sorted();
        }
        if self.current.is_some() || self.stored_bytes > INLINE_BYTES_MAX {
            self.write_stored()?;
        }
        // The rows are gone, what is stored of them stays.
        let open = self.current.as_ref().map_or(0, NewSegment::memory_bytes);
        self.reservation.try_resize(self.stored_bytes + open + self.keys_bytes())
    }

    fn keys_bytes(&self) -> usize {
        self.keys.iter().map(NewKeys::memory_bytes).sum()
    }

    /// Rows that are to be sorted wait for as many others as there is memory for.
    fn reserve_sorted(&mut self) -> Result<()> {
        let held = self.stored_bytes + self.keys_bytes();
        if self.stored_bytes < SORTED_BYTES_MAX && self.reservation.try_resize(held).is_ok() {
            return Ok(());
        }
        self.write_sorted()?;
        self.reservation.try_resize(self.keys_bytes())
    }

    /// Makes a segment of the rows that wait.
    fn write_sorted(&mut self) -> Result<()> {
        let stored = std::mem::take(&mut self.stored);
        self.stored_bytes = 0;
        let order = order(&stored, &self.sort_key)?;
        for rows in order.chunks(BATCH_ROWS_MAX) {
            let rows = in_order(&stored, rows)?;
            blocking(|| self.open_segment()?.write(&rows))?;
        }
        self.end_segment()
    }

    fn open_segment(&mut self) -> Result<&mut NewSegment> {
        let segment = match self.current.take() {
            Some(segment) => segment,
            None => self.segments.create_for(&self.table, rows::stored_schema(&self.table))?,
        };
        Ok(self.current.insert(segment))
    }

    fn write_stored(&mut self) -> Result<()> {
        let stored = std::mem::take(&mut self.stored);
        self.stored_bytes = 0;
        blocking(|| {
            let segment = self.open_segment()?;
            stored.iter().try_for_each(|rows| segment.write(rows))
        })?;
        if self.current.as_ref().is_some_and(|segment| segment.bytes() >= SEGMENT_BYTES_MAX) {
            self.end_segment()?;
        }
        Ok(())
    }

    fn end_segment(&mut self) -> Result<()> {
        if let Some(segment) = self.current.take() {
            self.finished.push(blocking(|| self.segments.finish(segment))?);
        }
        Ok(())
    }
}

impl std::fmt::Debug for TableWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableWriter").field("table", &self.table.name).field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// Writes files, while other tasks of the thread go on elsewhere.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current() {
        Ok(handle) if handle.runtime_flavor() == RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}
