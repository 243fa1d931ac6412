//! Rows of small commits: kept inside the commit records, and in memory ready to be scanned.
//!
//! An inline unit grows at its end. Its rows are numbered from 0 in commit order, so an address stays good however the
//! batches below are merged. Merging is geometric: a batch is merged with the one before it while that one has at most
//! twice its rows. So a row is copied a number of times that grows with the logarithm of its unit, and the unit has
//! few batches: many single-row commits scan like one large one.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use crate::rows::{BLOCK_ROWS, UnitId};

/// Rows after which a unit is full, and the next commit begins another.
pub const INLINE_UNIT_ROWS_MAX: u32 = 16 * BLOCK_ROWS;
/// Rows of a batch that is not merged any more.
const MERGED_ROWS_MAX: usize = BLOCK_ROWS as usize;
/// How many times more rows the batch before may have to be merged with its successor.
const MERGE_RATIO: usize = 2;

/// Rows that commits have added to a table, in commit order.
#[derive(Debug, Clone)]
pub struct InlineUnit {
    /// Its number.
    pub unit: UnitId,
    rows: u32,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    sealed: bool,
}

impl InlineUnit {
    /// A unit without rows, whose columns are those of `schema`.
    pub(crate) fn new(unit: UnitId, schema: SchemaRef) -> Self {
        InlineUnit { unit, rows: 0, schema, batches: Vec::new(), sealed: false }
    }

    /// Whether it can take these rows behind its own.
    pub(crate) fn takes(&self, rows: &RecordBatch) -> bool {
        let fits = rows.num_rows() <= INLINE_UNIT_ROWS_MAX.saturating_sub(self.rows) as usize;
        !self.sealed && fits && *self.schema == *rows.schema()
    }

    /// No row is added any more.
    pub(crate) fn sealed(mut self) -> Self {
        self.sealed = true;
        self
    }

    /// Adds rows that it [takes](Self::takes).
    ///
    /// # Errors
    /// The merged batch would be too large for Arrow.
    pub(crate) fn append(&mut self, rows: RecordBatch) -> Result<(), ArrowError> {
        self.rows += rows.num_rows() as u32;
        self.batches.push(rows);
        let mut first = self.batches.len() - 1;
        let mut merged = self.batches[first].num_rows();
        while first > 0 {
            let before = self.batches[first - 1].num_rows();
            if before > merged * MERGE_RATIO || before + merged > MERGED_ROWS_MAX {
                break;
            }
            merged += before;
            first -= 1;
        }
        if first + 1 < self.batches.len() {
            let batch = concat_batches(&self.schema, &self.batches[first..])?;
            self.batches.truncate(first);
            self.batches.push(batch);
        }
        Ok(())
    }

    /// How many rows it has, deleted ones too.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// Its columns: named by attribute number, in flight.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Its batches, each with the position of its first row.
    pub fn batches(&self) -> impl Iterator<Item = (u32, &RecordBatch)> {
        self.batches.iter().scan(0_u32, |next, batch| {
            let first = *next;
            *next += batch.num_rows() as u32;
            Some((first, batch))
        })
    }

    /// Bytes of memory that its rows take.
    pub fn memory_bytes(&self) -> usize {
        self.batches.iter().map(RecordBatch::get_array_memory_size).sum()
    }
}

/// The inline units of a table, oldest first; only the last one takes rows.
pub(crate) type InlineUnits = Vec<Arc<InlineUnit>>;

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, AsArray, Int32Array};
    use arrow::datatypes::Int32Type;

    fn rows(values: impl IntoIterator<Item = i32>) -> RecordBatch {
        let values: ArrayRef = Arc::new(Int32Array::from_iter_values(values));
        RecordBatch::try_from_iter([("c1", values)]).unwrap()
    }

    #[test]
    fn single_rows_are_merged_and_keep_their_positions() {
        let mut unit = InlineUnit::new(UnitId(1), rows([]).schema());
        for value in 0..10_000 {
            unit.append(rows([value])).unwrap();
        }
        assert_eq!(unit.rows(), 10_000);
        assert!(unit.batches().count() < 20, "{}", unit.batches().count());
        for (first, batch) in unit.batches() {
            let values = batch.column(0).as_primitive::<Int32Type>().values();
            assert!(values.iter().enumerate().all(|(at, value)| *value as usize == first as usize + at));
        }
    }

    #[test]
    fn a_unit_takes_rows_of_its_own_columns_until_it_is_full_or_sealed() {
        let mut unit = InlineUnit::new(UnitId(1), rows([]).schema());
        assert!(unit.takes(&rows([1])));
        let other: ArrayRef = Arc::new(Int32Array::from_iter_values([1]));
        assert!(!unit.takes(&RecordBatch::try_from_iter([("c2", other)]).unwrap()));
        unit.append(rows(0..INLINE_UNIT_ROWS_MAX as i32 - 1)).unwrap();
        assert!(unit.takes(&rows([1])) && !unit.takes(&rows([1, 2])));
        assert!(!unit.sealed().takes(&rows([1])));
    }
}
