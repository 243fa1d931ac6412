//! The pieces that one partition of a scan reads.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, BooleanBufferBuilder, UInt32Array, UInt64Array};
use arrow::compute::filter;
use arrow::datatypes::SchemaRef;
use catalog::rows::RowSet;
use catalog::{HotTable, TableRows};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder};

use super::pieces::{Piece, Place, Queue};
use super::zone_maps::ZoneMaps;
use crate::column_cache::{BATCH_ROWS, CachedColumn, CodedText};
use crate::hot::rows;
use crate::hot::segments::{Reading, Segments};
use crate::scan::conditions::Condition;
use crate::scan::filtered_rows::{self, Asked, Wanted};
use crate::scan::hints::Hints;
use crate::scan::knowledge::Knowledge;

/// What all partitions of a scan have in common.
#[derive(Debug, Clone)]
pub(super) struct Scanned {
    pub table: Arc<HotTable>,
    /// What the query calls the table, where that is something else.
    pub alias: Option<Arc<str>>,
    pub rows: Arc<TableRows>,
    pub segments: Arc<Segments>,
    /// The columns of the table, and of the address.
    pub full_schema: SchemaRef,
    /// What is asked for, by position in the full schema.
    pub columns: Vec<usize>,
    pub schema: SchemaRef,
    pub conditions: Vec<Condition>,
    /// What ANALYZE has found out about the table.
    pub known: Option<Knowledge>,
    pub reading: Reading,
    /// Rows that a partition answers at most.
    pub fetch: Option<usize>,
}

impl Scanned {
    /// What each partition answers.
    pub fn asked(&self) -> Asked<'_> {
        Asked { columns: &self.columns, schema: &self.schema, conditions: &self.conditions, fetch: self.fetch }
    }
}

/// The pieces of one partition: each takes the next that nobody has taken.
pub(super) struct SharedPieces {
    scanned: Arc<Scanned>,
    queue: Arc<Queue>,
    hints: Hints,
    /// Which pieces the hints have not excluded; `None` before there was one.
    may_hold: Option<Vec<bool>>,
    /// Row groups that were not read since no row in them can be wanted.
    groups_pruned: Count,
    /// Row groups of which something was read.
    groups_read: Count,
}

impl SharedPieces {
    pub fn new(scanned: Arc<Scanned>, queue: Arc<Queue>, partition: usize, metrics: &ExecutionPlanMetricsSet) -> Self {
        let counter = |name| MetricBuilder::new(metrics).counter(name, partition);
        SharedPieces {
            hints: Hints::new(&scanned.conditions),
            may_hold: None,
            groups_pruned: counter("row_groups_pruned_late"),
            groups_read: counter("row_groups_read"),
            scanned,
            queue,
        }
    }

    /// Compares the zone maps with what the hints say.
    fn exclude(&mut self, hint: &Arc<dyn PhysicalExpr>) {
        let maps = ZoneMaps { table: &self.scanned.table, pieces: self.queue.pieces() };
        let held = maps.may_hold(hint, &self.scanned.full_schema);
        match &mut self.may_hold {
            Some(all) => all.iter_mut().zip(held).for_each(|(all, held)| *all &= held),
            None => self.may_hold = Some(held),
        }
    }
}

impl filtered_rows::Pieces for SharedPieces {
    type Piece = OpenPiece;

    async fn next(&mut self) -> Result<Option<(OpenPiece, bool)>> {
        let changed = self.hints.changed();
        changed.iter().for_each(|hint| self.exclude(hint));
        while let Some((place, piece)) = self.queue.take() {
            let in_file = usize::from(matches!(piece.place, Place::RowGroup { .. }));
            let may_hold = self.may_hold.as_ref().is_none_or(|pieces| pieces.get(place).copied().unwrap_or(true));
            if may_hold {
                self.groups_read.add(in_file);
                let open = OpenPiece { scanned: self.scanned.clone(), piece, columns: BTreeMap::new() };
                return Ok(Some((open, !changed.is_empty())));
            }
            self.groups_pruned.add(in_file);
        }
        Ok(None)
    }
}

/// A piece, and those of its columns that have been needed.
pub(super) struct OpenPiece {
    scanned: Arc<Scanned>,
    piece: Piece,
    columns: BTreeMap<usize, Values>,
}

/// The values of a column in a piece.
#[derive(Clone)]
enum Values {
    /// In flight, in batches.
    Cached(Arc<CachedColumn>),
    /// At rest.
    Stored(ArrayRef),
    /// The piece is older than the column.
    Missing,
}

impl filtered_rows::Piece for OpenPiece {
    fn rows(&self) -> usize {
        self.piece.rows
    }

    fn present(&self, range: &Range<usize>) -> Option<BooleanArray> {
        let first_row = self.piece.first_row + range.start as u32;
        kept(self.scanned.rows.deleted(self.piece.unit), first_row, range.len() as u32)
    }

    /// Whole columns are loaded: they stay in the cache.
    async fn load(&mut self, columns: &[usize], _wanted: Option<&Wanted<'_>>) -> Result<()> {
        for place in columns {
            let Some(column) = self.scanned.table.columns.get(*place) else { continue };
            if self.columns.contains_key(place) {
                continue;
            }
            let values = match &self.piece.place {
                Place::Inline(rows) => {
                    rows.column_by_name(&column.stored_name()).cloned().map_or(Values::Missing, Values::Stored)
                }
                Place::RowGroup { segment, group, .. } => {
                    let segments = &self.scanned.segments;
                    let read = segments.column(&segment.file, *group, column, self.scanned.reading).await;
                    let read = read.map_err(|error| DataFusionError::External(Box::new(error)))?;
                    read.map_or(Values::Missing, Values::Cached)
                }
            };
            self.columns.insert(*place, values);
        }
        Ok(())
    }

    fn coded(&self, column: usize) -> Option<&CodedText> {
        match self.columns.get(&column) {
            Some(Values::Cached(column)) => column.coded(),
            _ => None,
        }
    }

    fn values(&self, column: usize, range: &Range<usize>, left: Option<&BooleanArray>) -> Result<ArrayRef> {
        if let Some(Values::Cached(cached)) = self.columns.get(&column) {
            return cached.batch(range.start / BATCH_ROWS, left);
        }
        let values = self.all_values(column, range)?;
        Ok(match left {
            Some(left) => filter(&values, left)?,
            None => values,
        })
    }
}

impl OpenPiece {
    fn all_values(&self, column: usize, range: &Range<usize>) -> Result<ArrayRef> {
        let table = &self.scanned.table.columns;
        let Some(definition) = table.get(column) else {
            let first_row = self.piece.first_row + range.start as u32;
            return Ok(match column - table.len() {
                0 => Arc::new(UInt64Array::from_value(self.piece.unit.0, range.len())),
                _ => Arc::new(UInt32Array::from_iter_values(first_row..first_row + range.len() as u32)),
            });
        };
        let in_flight = definition.sql_type.in_flight();
        Ok(match self.columns.get(&column) {
            Some(Values::Cached(cached)) => cached.batch(range.start / BATCH_ROWS, None)?,
            Some(Values::Stored(stored)) => rows::in_flight(&stored.slice(range.start, range.len()), &in_flight)?,
            Some(Values::Missing) => rows::missing_in_flight(definition, range.len())?,
            None => return Err(DataFusionError::Internal("a column has not been loaded".to_owned())),
        })
    }
}

/// Which of `count` rows from `first_row` on are not deleted; `None` when all are there.
fn kept(deleted: Option<&RowSet>, first_row: u32, count: u32) -> Option<BooleanArray> {
    let deleted = deleted.filter(|deleted| deleted.count_in(first_row, count) > 0)?;
    let mut kept = BooleanBufferBuilder::new(count as usize);
    kept.append_n(count as usize, true);
    deleted.iter_in(first_row, count).for_each(|row| kept.set_bit((row - first_row) as usize, false));
    Some(BooleanArray::new(kept.finish(), None))
}
