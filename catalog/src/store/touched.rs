//! In what a snapshot differs from the one that is stored.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;

use crate::error::{Error, Result};
use crate::name::Oid;
use crate::rows::{BLOCK_ROWS, Segment, TableRows, UnitId};
use crate::snapshot::CatalogSnapshot;
use crate::store::RecordKey;

/// Rows that were added to an inline unit.
#[derive(Debug, Clone)]
pub(crate) struct StoredRows {
    /// The table.
    pub(crate) table: Oid,
    /// The unit.
    pub(crate) unit: UnitId,
    /// The position of the first row.
    pub(crate) first_row: u32,
    /// The rows.
    pub(crate) rows: RecordBatch,
}

/// What a list of changes has touched.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// Records whose content is in the snapshot, or that are not there any more.
    pub(crate) records: Vec<RecordKey>,
    /// Rows that were added to inline units.
    pub(crate) rows: Vec<StoredRows>,
    added_segments: Vec<Arc<Segment>>,
    removed_segments: Vec<Arc<Segment>>,
}

/// How much there was at some time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    rows: usize,
    added_segments: usize,
    removed_segments: usize,
}

impl Touched {
    /// To come back to this state when the changes after it fail. What records were named stays: they are written as the
    /// snapshot has them, unchanged.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            rows: self.rows.len(),
            added_segments: self.added_segments.len(),
            removed_segments: self.removed_segments.len(),
        }
    }

    /// Comes back to the state of the mark.
    pub(crate) fn reset(&mut self, mark: Mark) {
        self.rows.truncate(mark.rows);
        self.added_segments.truncate(mark.added_segments);
        self.removed_segments.truncate(mark.removed_segments);
    }

    /// A segment was added.
    pub(crate) fn add_segment(&mut self, table: Oid, unit: UnitId, segment: Arc<Segment>) {
        self.records.push(RecordKey::Segment(table, unit));
        self.added_segments.push(segment);
    }

    /// A segment is not there any more.
    pub(crate) fn remove_segment(&mut self, table: Oid, unit: UnitId, segment: Arc<Segment>) {
        self.records.push(RecordKey::Segment(table, unit));
        self.removed_segments.push(segment);
    }

    /// A table's deleted rows are not there any more.
    pub(crate) fn remove_deleted_of(&mut self, table: Oid, rows: &TableRows) {
        for (unit, deleted) in rows.all_deleted() {
            self.records.extend(deleted.blocks().map(|block| RecordKey::Deleted(table, unit, block)));
        }
    }

    /// The changes are durable: the files of added segments are needed now, those of removed ones are not.
    pub(crate) fn committed(&self) {
        self.added_segments.iter().for_each(|segment| segment.set_needed(true));
        self.removed_segments.iter().for_each(|segment| segment.set_needed(false));
    }

    /// The added rows of the units that are there in `snapshot`; what several commits of a group have added to a unit is
    /// one piece.
    ///
    /// # Errors
    /// The rows of a group do not fit into one batch.
    pub(crate) fn merged_rows(&self, snapshot: &CatalogSnapshot) -> Result<Vec<StoredRows>> {
        let there = |rows: &&StoredRows| snapshot.rows(rows.table).inline_unit(rows.unit).is_some();
        let mut pieces: Vec<&StoredRows> = self.rows.iter().filter(there).collect();
        pieces.sort_by_key(|rows| (rows.table, rows.unit, rows.first_row));
        let mut merged = Vec::new();
        while let Some(first) = pieces.first() {
            let mut count = 0;
            let mut together = 0;
            for piece in &pieces {
                together += piece.rows.num_rows();
                if (piece.table, piece.unit) != (first.table, first.unit) || count > 0 && together > BLOCK_ROWS as usize
                {
                    break;
                }
                count += 1;
            }
            let batches = pieces[..count].iter().map(|piece| &piece.rows);
            let rows = concat_batches(first.rows.schema_ref(), batches)
                .map_err(|error| Error::Rows { table: first.table, reason: error.to_string() })?;
            merged.push(StoredRows { rows, ..(*first).clone() });
            pieces.drain(..count);
        }
        Ok(merged)
    }
}
