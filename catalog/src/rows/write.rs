//! What a statement or a transaction does to the rows of a table.

use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::error::ArrowError;

use crate::hot_table::HotTable;
use crate::rows::table_rows::{Misfit, TableRows};
use crate::rows::{InlineUnit, RowAddresses, RowSet, Segment, UnitId};

/// What one commit does to the rows of a table: some go, others come.
#[derive(Debug, Clone, Default)]
pub struct RowChanges {
    /// The rows to delete; each must be there still.
    pub delete: RowAddresses,
    /// Rows to add, as they are at rest: named by attribute number.
    pub append: Vec<RecordBatch>,
    /// Files of rows to add, each with rows in it that are not to be seen.
    pub segments: Vec<(Arc<Segment>, RowSet)>,
    /// The definition that the rows were made for, which must still hold.
    pub made_for: Option<Arc<HotTable>>,
}

impl RowChanges {
    /// Only rows to add.
    pub fn append(rows: Vec<RecordBatch>) -> Self {
        RowChanges { append: rows, ..RowChanges::default() }
    }

    /// Whether nothing happens.
    pub fn is_empty(&self) -> bool {
        self.delete.is_empty() && self.append.is_empty() && self.segments.is_empty()
    }
}

/// What a transaction has done to the rows of a table and not committed.
#[derive(Debug, Clone, Default)]
pub(crate) struct TableDraft {
    /// Committed rows that it has deleted.
    deleted: RowAddresses,
    /// Its own rows, in units with draft numbers.
    own: TableRows,
    drafts: u64,
}

impl TableDraft {
    /// Adds changes to those that are there. What they delete is what [`over`](Self::over) shows.
    pub(crate) fn add(&mut self, changes: RowChanges) -> Result<(), Misfit> {
        let mut of_own = RowAddresses::default();
        for (unit, rows) in changes.delete.iter() {
            if unit.is_draft() {
                of_own.insert_all(unit, rows);
            } else if self.deleted.of(unit).is_some_and(|deleted| deleted.intersects(rows)) {
                return Err(Misfit::ChangedConcurrently);
            } else {
                self.deleted.insert_all(unit, rows);
            }
        }
        self.own.delete(&of_own)?;
        for rows in changes.append {
            let unit = self.next_unit();
            self.own.append(rows, unit)?;
        }
        for (segment, hidden) in changes.segments {
            let unit = self.next_unit();
            self.own.add_segment(unit, segment);
            self.own.delete(&RowAddresses::from_unit(unit, hidden))?;
        }
        Ok(())
    }

    fn next_unit(&mut self) -> UnitId {
        self.drafts += 1;
        UnitId::draft(self.drafts)
    }

    /// The committed rows with the draft on top.
    pub(crate) fn over(&self, committed: &TableRows) -> Result<TableRows, Misfit> {
        committed.overlaid(&self.own, &self.deleted)
    }

    /// Whether committed rows are deleted, so that their addresses are needed until the commit.
    pub(crate) fn deletes_committed(&self) -> bool {
        !self.deleted.is_empty()
    }

    /// The draft as one change: own rows that were deleted again are left out.
    pub(crate) fn into_changes(self) -> Result<RowChanges, ArrowError> {
        let mut append = Vec::new();
        for unit in self.own.inline_units() {
            let deleted = self.own.deleted(unit.unit);
            append.extend(kept(unit, deleted)?.into_iter().filter(|batch| batch.num_rows() > 0));
        }
        let hidden = |unit| self.own.deleted(unit).cloned().unwrap_or_default();
        let segments = self.own.segments().map(|(unit, segment)| (segment.clone(), hidden(unit)));
        let segments = segments.collect();
        Ok(RowChanges { delete: self.deleted, append, segments, made_for: None })
    }
}

/// The rows of a unit that are not deleted.
fn kept(unit: &InlineUnit, deleted: Option<&RowSet>) -> Result<Vec<RecordBatch>, ArrowError> {
    let batches = unit.batches().map(|(first, batch)| match deleted {
        Some(deleted) if deleted.count_in(first, batch.num_rows() as u32) > 0 => {
            let kept: BooleanArray =
                (first..first + batch.num_rows() as u32).map(|row| Some(!deleted.contains(row))).collect();
            filter_record_batch(batch, &kept)
        }
        _ => Ok(batch.clone()),
    });
    batches.collect()
}
