//! The rows of one partition of a scan: conditions first, and of what they leave the other columns.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array, UInt64Array};
use arrow::compute::{BatchCoalescer, filter};
use arrow::datatypes::SchemaRef;
use catalog::rows::RowSet;
use catalog::{HotTable, TableRows, TableStatistics};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::physical_expr::{DynamicFilterTracking, PhysicalExpr};
use datafusion::physical_plan::metrics::{BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder};

use super::conditions::{Condition, Usefulness};
use super::pieces::{Piece, Place, Queue};
use super::zone_maps::ZoneMaps;
use crate::column_cache::{BATCH_ROWS, CachedColumn};
use crate::hot::rows;
use crate::hot::segments::{Reading, Segments};

/// What all partitions of a scan have in common.
#[derive(Debug, Clone)]
pub(super) struct Scanned {
    pub table: Arc<HotTable>,
    pub rows: Arc<TableRows>,
    pub segments: Arc<Segments>,
    /// The columns of the table, and of the address.
    pub full_schema: SchemaRef,
    /// What is asked for, by position in the full schema.
    pub columns: Vec<usize>,
    pub schema: SchemaRef,
    pub conditions: Vec<Condition>,
    /// What ANALYZE has found out about the table.
    pub known: Option<Arc<TableStatistics>>,
    pub reading: Reading,
    /// Rows that a partition answers at most.
    pub fetch: Option<usize>,
}

/// What a scan tells about itself.
struct Metrics {
    baseline: BaselineMetrics,
    /// Row groups that were not read since no row in them can be wanted.
    groups_pruned: Count,
    /// Row groups of which something was read.
    groups_read: Count,
    /// Rows that the conditions have excluded one by one.
    rows_excluded: Count,
}

impl Metrics {
    fn new(set: &ExecutionPlanMetricsSet, partition: usize) -> Self {
        let counter = |name| MetricBuilder::new(set).counter(name, partition);
        Metrics {
            baseline: BaselineMetrics::new(set, partition),
            groups_pruned: counter("row_groups_pruned_late"),
            groups_read: counter("row_groups_read"),
            rows_excluded: counter("rows_excluded"),
        }
    }
}

/// The batches of one partition, one after the other.
pub(super) struct PartitionScan {
    scanned: Arc<Scanned>,
    queue: Arc<Queue>,
    pieces: Arc<[Piece]>,
    hints: Hints,
    usefulness: Vec<Usefulness>,
    current: Option<OpenPiece>,
    output: BatchCoalescer,
    rows_left: usize,
    metrics: Metrics,
}

/// A piece, and those of its columns that have been needed.
struct OpenPiece {
    piece: Piece,
    columns: BTreeMap<usize, Values>,
    next_row: usize,
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

impl PartitionScan {
    pub fn new(
        scanned: Arc<Scanned>,
        queue: Arc<Queue>,
        pieces: Arc<[Piece]>,
        partition: usize,
        batch_rows: usize,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Self {
        // Batches that are large already are not copied.
        let output = BatchCoalescer::new(scanned.schema.clone(), batch_rows);
        let output = output.with_biggest_coalesce_batch_size(Some(batch_rows / 2));
        PartitionScan {
            hints: Hints::new(&scanned.conditions),
            usefulness: vec![Usefulness::default(); scanned.conditions.len()],
            current: None,
            output,
            rows_left: scanned.fetch.unwrap_or(usize::MAX),
            metrics: Metrics::new(metrics, partition),
            scanned,
            queue,
            pieces,
        }
    }

    /// The next rows.
    pub async fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        while self.rows_left > 0 {
            if let Some(batch) = self.output.next_completed_batch() {
                return Ok(Some(self.answered(batch)));
            }
            if let Some(open) = self.current.take_if(|open| open.next_row < open.piece.rows) {
                // Columns in memory are never waited for, and a condition may leave nothing for long.
                tokio::task::coop::consume_budget().await;
                let (open, batch) = self.advance(open).await?;
                self.current = Some(open);
                // The engine's coalescer cannot count rows without columns.
                match batch {
                    Some(batch) if batch.num_columns() == 0 => return Ok(Some(self.answered(batch))),
                    Some(batch) => self.output.push_batch(batch)?,
                    None => {}
                }
                if self.output.get_buffered_rows() >= self.rows_left {
                    self.output.finish_buffered_batch()?;
                }
                continue;
            }
            match self.next_piece() {
                Some(piece) => self.current = Some(OpenPiece { piece, columns: BTreeMap::new(), next_row: 0 }),
                None if self.output.is_empty() => return Ok(None),
                None => self.output.finish_buffered_batch()?,
            }
        }
        Ok(None)
    }

    fn answered(&mut self, batch: RecordBatch) -> RecordBatch {
        let batch = if batch.num_rows() > self.rows_left { batch.slice(0, self.rows_left) } else { batch };
        self.rows_left -= batch.num_rows();
        self.metrics.baseline.record_output(batch.num_rows());
        batch
    }

    /// The next piece that may have rows that are wanted.
    fn next_piece(&mut self) -> Option<Piece> {
        if self.hints.look(&self.scanned, &self.pieces) {
            // It may be worth more than it was.
            self.usefulness.fill(Usefulness::default());
        }
        while let Some((place, piece)) = self.queue.take() {
            let in_file = usize::from(matches!(piece.place, Place::RowGroup { .. }));
            if self.hints.may_hold(place) {
                self.metrics.groups_read.add(in_file);
                return Some(piece);
            }
            self.metrics.groups_pruned.add(in_file);
        }
        None
    }

    /// The next rows of a piece, without those that are deleted or excluded; `None` when none of them is left.
    async fn advance(&mut self, mut open: OpenPiece) -> Result<(OpenPiece, Option<RecordBatch>)> {
        let scanned = self.scanned.clone();
        let range = SliceOf { first: open.next_row, count: BATCH_ROWS.min(open.piece.rows - open.next_row) };
        open.next_row += range.count;
        let first_row = open.piece.first_row + range.first as u32;
        let mut left = kept(scanned.rows.deleted(open.piece.unit), first_row, range.count as u32);
        for (place, condition) in scanned.conditions.iter().enumerate() {
            if condition.is_hint && !self.usefulness[place].is_useful() {
                continue;
            }
            let before = left.as_ref().map_or(range.count, BooleanArray::true_count);
            if before == 0 {
                break;
            }
            open.load(&scanned, &condition.columns).await?;
            let timer = self.metrics.baseline.elapsed_compute().timer();
            let batch = open.batch(&scanned, &condition.columns, condition.schema(), range, None)?;
            let held = condition.evaluate(&batch, left)?;
            timer.done();
            let after = held.true_count();
            self.usefulness[place].note(before, after);
            self.metrics.rows_excluded.add(before - after);
            left = (after < range.count).then_some(held);
        }
        if left.as_ref().is_some_and(|left| left.true_count() == 0) {
            return Ok((open, None));
        }
        open.load(&scanned, &scanned.columns).await?;
        let _timing = self.metrics.baseline.elapsed_compute().timer();
        let batch = open.batch(&scanned, &scanned.columns, &scanned.schema, range, left.as_ref())?;
        Ok((open, Some(batch)))
    }
}

/// Rows of a piece.
#[derive(Clone, Copy)]
struct SliceOf {
    first: usize,
    count: usize,
}

impl OpenPiece {
    /// Gets the values of columns that have not been needed before.
    async fn load(&mut self, scanned: &Scanned, columns: &[usize]) -> Result<()> {
        for place in columns {
            let Some(column) = scanned.table.columns.get(*place) else { continue };
            if self.columns.contains_key(place) {
                continue;
            }
            let values = match &self.piece.place {
                Place::Inline(rows) => {
                    rows.column_by_name(&column.stored_name()).cloned().map_or(Values::Missing, Values::Stored)
                }
                Place::RowGroup { segment, group, .. } => {
                    let read = scanned.segments.column(&segment.file, *group, column, scanned.reading).await;
                    let read = read.map_err(|error| DataFusionError::External(Box::new(error)))?;
                    read.map_or(Values::Missing, Values::Cached)
                }
            };
            self.columns.insert(*place, values);
        }
        Ok(())
    }

    /// Columns, all of which have been loaded, of the rows that are left. A deleted row may be one that the table would not
    /// take any more: it is gone before the columns are looked at.
    fn batch(
        &self,
        scanned: &Scanned,
        columns: &[usize],
        schema: &SchemaRef,
        range: SliceOf,
        left: Option<&BooleanArray>,
    ) -> Result<RecordBatch> {
        let count = left.map_or(range.count, BooleanArray::true_count);
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let column = |column: &usize| {
            let values = self.values(scanned, *column, range)?;
            Ok(match left {
                Some(left) => filter(&values, left)?,
                None => values,
            })
        };
        let columns = columns.iter().map(column).collect::<Result<_>>()?;
        Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
    }

    fn values(&self, scanned: &Scanned, column: usize, range: SliceOf) -> Result<ArrayRef> {
        let table = &scanned.table.columns;
        let Some(definition) = table.get(column) else {
            let first_row = self.piece.first_row + range.first as u32;
            return Ok(match column - table.len() {
                0 => Arc::new(UInt64Array::from_value(self.piece.unit.0, range.count)),
                _ => Arc::new(UInt32Array::from_iter_values(first_row..first_row + range.count as u32)),
            });
        };
        let in_flight = definition.sql_type.in_flight();
        Ok(match self.columns.get(&column) {
            Some(Values::Cached(cached)) => cached.batch(range.first / BATCH_ROWS)?,
            Some(Values::Stored(stored)) => rows::in_flight(&stored.slice(range.first, range.count), &in_flight)?,
            Some(Values::Missing) => rows::missing_in_flight(definition, range.count)?,
            None => return Err(DataFusionError::Internal("a column has not been loaded".to_owned())),
        })
    }
}

/// Which of `count` rows from `first_row` on are not deleted; `None` when all are there.
fn kept(deleted: Option<&RowSet>, first_row: u32, count: u32) -> Option<BooleanArray> {
    let deleted = deleted.filter(|deleted| deleted.count_in(first_row, count) > 0)?;
    Some((first_row..first_row + count).map(|row| Some(!deleted.contains(row))).collect())
}

/// Conditions that change while the query runs, and the pieces that they have excluded so far.
struct Hints {
    watched: Vec<Watched>,
    may_hold: Option<Vec<bool>>,
}

struct Watched {
    expr: Arc<dyn PhysicalExpr>,
    tracking: DynamicFilterTracking,
    has_been_compared: bool,
}

impl Hints {
    fn new(conditions: &[Condition]) -> Self {
        let hints = conditions.iter().filter(|condition| condition.is_hint);
        let watched = hints.map(|hint| Watched {
            expr: hint.expr.clone(),
            tracking: DynamicFilterTracking::classify(&hint.expr),
            has_been_compared: false,
        });
        Hints { watched: watched.collect(), may_hold: None }
    }

    /// Compares the zone maps with what has changed, and answers whether something has. A hint only ever becomes narrower,
    /// so what is excluded stays so.
    fn look(&mut self, scanned: &Scanned, pieces: &[Piece]) -> bool {
        let mut any_changed = false;
        for watched in &mut self.watched {
            let changed = watched.tracking.watcher().is_some_and(|watcher| watcher.changed());
            if watched.has_been_compared && !changed {
                continue;
            }
            watched.has_been_compared = true;
            any_changed = true;
            let maps = ZoneMaps { table: &scanned.table, pieces };
            let held = maps.may_hold(&watched.expr, &scanned.full_schema);
            match &mut self.may_hold {
                Some(all) => all.iter_mut().zip(held).for_each(|(all, held)| *all &= held),
                None => self.may_hold = Some(held),
            }
        }
        any_changed
    }

    fn may_hold(&self, piece: usize) -> bool {
        self.may_hold.as_ref().is_none_or(|pieces| pieces.get(piece).copied().unwrap_or(true))
    }
}
