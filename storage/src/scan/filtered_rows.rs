//! The rows of one partition of a scan: conditions first, and of what they leave the other columns.

use std::collections::VecDeque;
use std::ops::Range;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::{BatchCoalescer, and};
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::physical_plan::metrics::{BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder};

use super::conditions::{Condition, Usefulness};
use crate::column_cache::{BATCH_ROWS, CodedText};

/// Joins speak once, and sorts time and again.
const HEARD_OFTEN: usize = 2;
/// When at most one of so many rows is left, those are few.
const FEW_ONE_IN: usize = 16;

/// Rows that are together, such as those of a row group. Their columns are loaded when they are needed.
pub(crate) trait Piece: Send {
    /// How many, with those that are not there any more.
    fn rows(&self) -> usize;

    /// Which of some rows are there; `None` is all.
    fn present(&self, range: &Range<usize>) -> Option<BooleanArray>;

    /// Gets the values of columns, of the rows at least that are `wanted`; `None` is all.
    fn load(&mut self, columns: &[usize], wanted: Option<&Wanted<'_>>) -> impl Future<Output = Result<()>> + Send;

    /// A column that has been loaded as numbers of its texts, by [`BATCH_ROWS`], if it is there so.
    fn coded(&self, column: usize) -> Option<&CodedText>;

    /// The values of a column that has been loaded, of those rows of a range that are `left`; `None` is all.
    fn values(&self, column: usize, range: &Range<usize>, left: Option<&BooleanArray>) -> Result<ArrayRef>;
}

/// The pieces that a partition takes, one after the other.
pub(crate) trait Pieces: Send {
    type Piece: Piece;

    /// The next piece that may have rows that are wanted, and whether hints have been heard since the one before.
    fn next(&mut self) -> impl Future<Output = Result<Option<(Self::Piece, bool)>>> + Send;
}

/// Rows of a piece, and which of them are left.
pub(crate) type Decided = (Range<usize>, Option<BooleanArray>);

/// The rows of a whole piece that conditions have left.
pub(crate) struct Wanted<'a>(&'a VecDeque<Decided>);

impl<'a> Wanted<'a> {
    /// Of rows by [`BATCH_ROWS`].
    pub fn new(rows: &'a VecDeque<Decided>) -> Self {
        Wanted(rows)
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.iter().map(|(range, left)| left.as_ref().map_or(range.len(), BooleanArray::true_count)).sum()
    }

    /// Where they are, by [`BATCH_ROWS`].
    pub fn batches(&self) -> impl Iterator<Item = (&Range<usize>, Option<&BooleanArray>)> {
        self.0.iter().map(|(range, left)| (range, left.as_ref()))
    }
}

/// What a partition of a scan answers.
pub(crate) struct Asked<'a> {
    /// The columns, as the pieces number them.
    pub columns: &'a [usize],
    pub schema: &'a SchemaRef,
    pub conditions: &'a [Condition],
    /// Rows at most.
    pub fetch: Option<usize>,
}

/// What a scan tells about itself.
struct Metrics {
    baseline: BaselineMetrics,
    /// Rows that the conditions have excluded one by one.
    rows_excluded: Count,
}

/// The batches of one partition, one after the other.
pub(crate) struct FilteredRows<P: Pieces> {
    pieces: P,
    usefulness: Vec<Usefulness>,
    /// Of what conditions say of single columns.
    of_columns: Vec<Usefulness>,
    /// How often hints have said something new.
    heard: usize,
    current: Option<Open<P::Piece>>,
    output: BatchCoalescer,
    rows_left: usize,
    metrics: Metrics,
}

/// A piece that is being read.
struct Open<P> {
    piece: P,
    decided: VecDeque<Decided>,
    next_row: usize,
}

impl<P: Pieces> FilteredRows<P> {
    pub fn new(
        pieces: P,
        asked: &Asked<'_>,
        partition: usize,
        batch_rows: usize,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Self {
        // Batches that are large already are not copied.
        let output = BatchCoalescer::new(asked.schema.clone(), batch_rows);
        let output = output.with_biggest_coalesce_batch_size(Some(batch_rows / 2));
        FilteredRows {
            pieces,
            usefulness: vec![Usefulness::default(); asked.conditions.len()],
            of_columns: vec![Usefulness::default(); asked.conditions.len()],
            heard: 0,
            current: None,
            output,
            rows_left: asked.fetch.unwrap_or(usize::MAX),
            metrics: Metrics {
                baseline: BaselineMetrics::new(metrics, partition),
                rows_excluded: MetricBuilder::new(metrics).counter("rows_excluded", partition),
            },
        }
    }

    /// The next rows.
    pub async fn next_batch(&mut self, asked: &Asked<'_>) -> Result<Option<RecordBatch>> {
        while self.rows_left > 0 {
            if let Some(batch) = self.output.next_completed_batch() {
                return Ok(Some(self.answered(batch)));
            }
            if let Some(open) = self.current.take_if(|open| !open.is_done()) {
                // Columns in memory are never waited for, and a condition may leave nothing for long.
                tokio::task::coop::consume_budget().await;
                let (open, batch) = self.advance(asked, open).await?;
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
            // A sort that has more to say the more it has seen is not kept waiting for a full batch.
            if self.heard >= HEARD_OFTEN && !self.output.is_empty() {
                self.output.finish_buffered_batch()?;
                continue;
            }
            // What the piece holds is given back before the next one is taken.
            self.current = None;
            match self.pieces.next().await? {
                Some((piece, has_heard)) => {
                    if has_heard {
                        self.heard += 1;
                        // A hint may be worth more than it was.
                        self.usefulness.fill(Usefulness::default());
                        self.of_columns.fill(Usefulness::default());
                    }
                    self.current = Some(Open { piece, decided: VecDeque::new(), next_row: 0 });
                }
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

    /// The next rows of a piece, without those that are not there or excluded; `None` when none of them is left.
    async fn advance(
        &mut self,
        asked: &Asked<'_>,
        mut open: Open<P::Piece>,
    ) -> Result<(Open<P::Piece>, Option<RecordBatch>)> {
        if open.decided.is_empty() {
            self.decide(asked, &mut open).await?;
        }
        let Some((range, left)) = open.decided.pop_front() else { return Ok((open, None)) };
        if left.as_ref().is_some_and(|left| left.true_count() == 0) {
            return Ok((open, None));
        }
        let _timing = self.metrics.baseline.elapsed_compute().timer();
        let batch = batch(&open.piece, asked.columns, asked.schema, &range, left.as_ref())?;
        Ok((open, Some(batch)))
    }

    /// Finds the rows that the conditions leave, and loads what is asked for of them: of the whole piece, so that the other
    /// columns are read for them alone; or of a few rows at a time, when few are asked for.
    async fn decide(&mut self, asked: &Asked<'_>, open: &mut Open<P::Piece>) -> Result<()> {
        let rows = open.piece.rows();
        let is_whole = asked.fetch.is_none();
        let end = if is_whole { rows } else { rows.min(open.next_row + BATCH_ROWS) };
        for start in (open.next_row..end).step_by(BATCH_ROWS) {
            let range = start..end.min(start + BATCH_ROWS);
            let left = open.piece.present(&range);
            open.decided.push_back((range, left));
        }
        open.next_row = end;
        for (place, condition) in asked.conditions.iter().enumerate() {
            if condition.is_hint && !self.usefulness[place].is_useful() {
                continue;
            }
            let before = open.left();
            if self.of_columns[place].is_useful() {
                for condition in condition.of_single_columns()? {
                    open.apply(&condition, &mut self.of_columns[place], &self.metrics).await?;
                }
            }
            // For the few that are left the others had better not be loaded.
            let is_enough = open.left() < before && open.left() * FEW_ONE_IN <= before;
            if !is_enough {
                open.apply(condition, &mut self.usefulness[place], &self.metrics).await?;
            }
        }
        if open.has_rows() {
            let wanted = Wanted(&open.decided);
            open.piece.load(asked.columns, is_whole.then_some(&wanted)).await?;
        }
        Ok(())
    }
}

impl<P: Piece> Open<P> {
    /// Rows that are left.
    fn left(&self) -> usize {
        Wanted(&self.decided).count()
    }

    fn is_done(&self) -> bool {
        self.decided.is_empty() && self.next_row >= self.piece.rows()
    }

    /// Excludes the rows for which a condition does not hold.
    async fn apply(&mut self, condition: &Condition, usefulness: &mut Usefulness, metrics: &Metrics) -> Result<()> {
        if !self.has_rows() {
            return Ok(());
        }
        self.piece.load(&condition.columns, None).await?;
        let coded = match condition.columns[..] {
            [column] => self.piece.coded(column).filter(|coded| coded.texts().len() <= self.left()),
            _ => None,
        };
        let of_texts = coded.map(|coded| condition.evaluate_values(coded.texts())).transpose()?;
        let coded = coded.zip(of_texts.as_deref());
        for (range, left) in &mut self.decided {
            let before = left.as_ref().map_or(range.len(), BooleanArray::true_count);
            if before == 0 || condition.is_hint && !usefulness.is_useful() {
                continue;
            }
            tokio::task::coop::consume_budget().await;
            let _timing = metrics.baseline.elapsed_compute().timer();
            let place = range.start / BATCH_ROWS;
            let held = match coded.and_then(|(coded, wanted)| coded.rows_of(place, wanted)) {
                Some(held) => match left.take() {
                    Some(left) => and(&held, &left)?,
                    None => held,
                },
                None => {
                    let batch = batch(&self.piece, &condition.columns, condition.schema(), range, None)?;
                    condition.evaluate(&batch, left.take())?
                }
            };
            let after = held.true_count();
            usefulness.note(before, after);
            metrics.rows_excluded.add(before - after);
            *left = (after < range.len()).then_some(held);
        }
        Ok(())
    }

    fn has_rows(&self) -> bool {
        self.decided.iter().any(|(_, left)| left.as_ref().is_none_or(|left| left.true_count() > 0))
    }
}

/// Columns of a piece, all of which have been loaded, of the rows that are left. A deleted row may be one that the table
/// would not take any more: it is gone before the columns are looked at.
fn batch(
    piece: &impl Piece,
    columns: &[usize],
    schema: &SchemaRef,
    range: &Range<usize>,
    left: Option<&BooleanArray>,
) -> Result<RecordBatch> {
    let count = left.map_or(range.len(), BooleanArray::true_count);
    let options = RecordBatchOptions::new().with_row_count(Some(count));
    let columns = columns.iter().map(|column| piece.values(*column, range, left)).collect::<Result<_>>()?;
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
}
