//! Takes rows for a hot table and makes commits of them.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use catalog::{CatalogChange, HotTable};
use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;

use crate::hot::chunk;

/// Rows in a chunk. A delete bitmap covers as many, and a batch of them decodes and scans well.
const CHUNK_ROWS_MAX: usize = 65_536;

/// Collects rows and encodes them into chunks. Nothing is visible, nor anywhere but in memory, until the changes that
/// [`finish`](Self::finish) returns are committed.
#[derive(Debug)]
pub struct TableWriter {
    table: Arc<HotTable>,
    pending: Vec<RecordBatch>,
    pending_rows: usize,
    changes: Vec<CatalogChange>,
    rows: u64,
    reservation: MemoryReservation,
}

impl TableWriter {
    /// A writer whose memory counts in `reservation`.
    pub fn new(table: Arc<HotTable>, reservation: MemoryReservation) -> Self {
        TableWriter { table, pending: Vec::new(), pending_rows: 0, changes: Vec::new(), rows: 0, reservation }
    }

    /// Adds rows whose columns are those of the table, in flight.
    ///
    /// # Errors
    /// The memory is not there.
    pub fn append(&mut self, batch: RecordBatch) -> Result<()> {
        self.reservation.try_grow(batch.get_array_memory_size())?;
        self.rows += batch.num_rows() as u64;
        let mut rest = batch;
        while self.pending_rows + rest.num_rows() >= CHUNK_ROWS_MAX {
            let fits = CHUNK_ROWS_MAX - self.pending_rows;
            self.pending.push(rest.slice(0, fits));
            self.pending_rows += fits;
            rest = rest.slice(fits, rest.num_rows() - fits);
            self.encode_pending()?;
        }
        if rest.num_rows() > 0 {
            self.pending_rows += rest.num_rows();
            self.pending.push(rest);
        }
        Ok(())
    }

    /// The changes that make the rows visible, and how many rows they are.
    ///
    /// # Errors
    /// The memory is not there.
    pub fn finish(mut self) -> Result<(Vec<CatalogChange>, u64)> {
        if self.pending_rows > 0 {
            self.encode_pending()?;
        }
        Ok((self.changes, self.rows))
    }

    fn encode_pending(&mut self) -> Result<()> {
        let batch = concat_batches(&self.table.arrow_schema(), &self.pending)?;
        let bytes = chunk::encode(&self.table, &batch)?;
        self.pending.clear();
        self.pending_rows = 0;
        // The rows are gone, their encoding stays: what earlier chunks hold, and this one.
        let encoded = self.changes.iter().map(encoded_bytes).sum::<usize>() + bytes.len();
        self.reservation.try_resize(encoded)?;
        let rows = batch.num_rows() as u32;
        self.changes.push(CatalogChange::AppendRows { table: self.table.oid, rows, bytes });
        Ok(())
    }
}

fn encoded_bytes(change: &CatalogChange) -> usize {
    match change {
        CatalogChange::AppendRows { bytes, .. } => bytes.len(),
        _ => 0,
    }
}
