//! Where a cursor stands, and how it moves.

use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};
use pg::PgError;
use pg::names::Names;
use pg::sqlstate::SqlState;
use tokio::sync::OwnedMutexGuard;

use super::kept::KeptRows;
use crate::error::{Error, Result};
use crate::parse::statement::Direction;
use crate::spool::Batches;
use crate::statement::RowStream;

/// The rows of a cursor, and where it stands among them.
pub struct CursorRows {
    /// The columns, as the client sees them.
    pub schema: SchemaRef,
    /// What the numbers of types and objects in the rows stand for.
    pub names: Option<Arc<Names>>,
    /// The rows that have not been asked for; nothing when there are none left.
    source: Option<SendableRecordBatchStream>,
    /// Rows that came with ones that were asked for, of a cursor that keeps none.
    ahead: Option<RecordBatch>,
    kept: Option<KeptRows>,
    /// The number of rows before the first that is kept.
    kept_from: u64,
    scrolls: bool,
    /// The number of the row where it is; 0 before the first.
    position: u64,
    /// Whether it is behind the last row, whose number is one less.
    is_behind: bool,
    /// Whether a statement moves it. One that did not come to its end has left it somewhere.
    moving: bool,
}

/// What is read from where a cursor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    backward: bool,
    /// How many rows; all of them when it is not said.
    rows_max: Option<u64>,
}

impl Reading {
    fn forward(rows: u64) -> Self {
        Reading { backward: false, rows_max: Some(rows) }
    }
}

impl std::fmt::Debug for CursorRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CursorRows").field("position", &self.position).finish_non_exhaustive()
    }
}

impl CursorRows {
    /// A cursor before the first row of a query; with `batches` for what was fetched it goes backward, too.
    pub fn new(rows: RowStream, batches: Option<Batches>) -> Self {
        let position = rows.sent;
        let (schema, names, source, ahead) = rows.into_parts();
        CursorRows {
            schema,
            names,
            source: Some(source),
            ahead,
            scrolls: batches.is_some(),
            kept: batches.map(KeptRows::new),
            kept_from: 0,
            position,
            is_behind: false,
            moving: false,
        }
    }

    /// A statement begins to move it. It cannot when one before has failed.
    pub fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.moving, true)
    }

    /// Goes to where the rows begin that are wanted.
    ///
    /// # Errors
    /// 55000 for a way back that it cannot go; the query fails.
    pub async fn go(&mut self, direction: Direction) -> Result<Reading> {
        Ok(match direction {
            Direction::Forward(0) | Direction::Relative(0) => {
                if !self.is_on_row() {
                    return Ok(Reading::forward(0));
                }
                self.check_scrolls()?;
                self.position -= 1;
                Reading::forward(1)
            }
            Direction::Forward(rows) => Reading::forward(rows),
            Direction::ForwardAll => Reading { backward: false, rows_max: None },
            Direction::Backward(rows) => self.backward(Some(rows))?,
            Direction::BackwardAll => self.backward(None)?,
            Direction::Absolute(0) => {
                self.go_to(0).await?;
                Reading::forward(0)
            }
            Direction::Absolute(row) if row > 0 => {
                self.go_to(row.unsigned_abs() - 1).await?;
                Reading::forward(1)
            }
            Direction::Absolute(row) => {
                self.go_to(u64::MAX).await?;
                let reading = self.backward(Some(1))?;
                self.go_back(row.unsigned_abs() - 1);
                reading
            }
            Direction::Relative(rows) if rows > 0 => {
                self.go_to(self.place().saturating_add(rows.unsigned_abs() - 1)).await?;
                Reading::forward(1)
            }
            Direction::Relative(rows) => {
                let reading = self.backward(Some(1))?;
                self.go_back(rows.unsigned_abs() - 1);
                reading
            }
        })
    }

    /// Goes over what would be read, and says how many rows that were.
    ///
    /// # Errors
    /// The query fails.
    pub async fn pass(&mut self, reading: Reading) -> Result<u64> {
        let before = self.position;
        if reading.backward {
            let from = self.place();
            self.go_back(reading.rows_max.unwrap_or(from));
            return Ok(from.saturating_sub(1).min(from - self.position));
        }
        self.go_to(self.place().saturating_add(reading.rows_max.unwrap_or(u64::MAX))).await?;
        Ok(self.position - before)
    }

    /// The next rows of a reading, which is less by them; none when it is at its end.
    ///
    /// # Errors
    /// The query fails.
    pub async fn read(&mut self, reading: &mut Reading) -> Result<Option<RecordBatch>> {
        let rows_max = reading.rows_max.unwrap_or(u64::MAX);
        if rows_max == 0 {
            return Ok(None);
        }
        let batch = if reading.backward { self.previous(rows_max).await? } else { self.next(rows_max).await? };
        if let (Some(left), Some(batch)) = (&mut reading.rows_max, &batch) {
            *left -= batch.num_rows() as u64;
        }
        Ok(batch)
    }

    /// The statement that moved it has come to its end.
    pub fn end(&mut self) {
        self.moving = false;
    }

    /// Whether it is before the first row.
    pub fn is_before_first(&self) -> bool {
        self.place() == 0
    }

    /// Whether it is neither before the first row nor behind the last.
    pub fn is_on_row(&self) -> bool {
        self.position > 0 && !self.is_behind
    }

    /// Keeps the rows that are left: the cursor is to live longer than what its query reads.
    ///
    /// # Errors
    /// The query fails, or the rows cannot be written to disk.
    pub async fn hold(&mut self, batches: impl FnOnce(SchemaRef) -> Batches) -> Result<()> {
        if self.kept.is_none() {
            self.kept_from = self.position;
            let mut kept = KeptRows::new(batches(self.schema.clone()));
            if let Some(ahead) = self.ahead.take() {
                kept.keep(ahead)?;
            }
            self.kept = Some(kept);
        }
        while self.keep_more().await? {}
        Ok(())
    }

    /// Its place among the rows and the ends: that of the row, and one more behind the last.
    fn place(&self) -> u64 {
        self.position + u64::from(self.is_behind)
    }

    fn check_scrolls(&self) -> Result<()> {
        if self.scrolls {
            return Ok(());
        }
        let error = PgError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, "cursor can only scan forward");
        Err(error.with_hint("Declare it with SCROLL option to enable backward scan.").into())
    }

    fn backward(&self, rows_max: Option<u64>) -> Result<Reading> {
        self.check_scrolls()?;
        Ok(Reading { backward: true, rows_max })
    }

    fn go_back(&mut self, rows: u64) {
        if rows > 0 {
            self.position = self.place().saturating_sub(rows);
            self.is_behind = false;
        }
    }

    /// Goes to this place, or behind the last row.
    async fn go_to(&mut self, place: u64) -> Result<()> {
        if place < self.place() {
            self.check_scrolls()?;
            self.position = place;
            self.is_behind = false;
            return Ok(());
        }
        while self.place() < place && !self.is_behind {
            if !self.scrolls {
                self.next(place - self.position).await?;
                continue;
            }
            let known = self.kept.as_ref().map_or(0, KeptRows::len);
            if place <= known {
                self.position = place;
            } else if !self.keep_more().await? {
                self.position = known;
                self.is_behind = true;
            }
        }
        Ok(())
    }

    /// The next rows; none behind the last, where it is then.
    async fn next(&mut self, rows_max: u64) -> Result<Option<RecordBatch>> {
        let batch = match &self.kept {
            Some(_) => self.next_kept(rows_max).await?,
            None => self.next_of_source(rows_max).await?,
        };
        match &batch {
            Some(batch) => self.position += batch.num_rows() as u64,
            None => self.is_behind = true,
        }
        Ok(batch)
    }

    async fn next_kept(&mut self, rows_max: u64) -> Result<Option<RecordBatch>> {
        loop {
            let number = self.position - self.kept_from;
            let Some(kept) = &mut self.kept else { return Ok(None) };
            if let Some(batch) = kept.from(number, rows_max).await? {
                return Ok(Some(batch));
            }
            if !self.keep_more().await? {
                return Ok(None);
            }
        }
    }

    async fn next_of_source(&mut self, rows_max: u64) -> Result<Option<RecordBatch>> {
        let batch = match self.ahead.take() {
            Some(batch) => batch,
            None => match self.more().await? {
                Some(batch) => batch,
                None => return Ok(None),
            },
        };
        let rows = batch.num_rows().min(usize::try_from(rows_max).unwrap_or(usize::MAX));
        if rows < batch.num_rows() {
            self.ahead = Some(batch.slice(rows, batch.num_rows() - rows));
        }
        Ok(Some(batch.slice(0, rows)))
    }

    /// The rows before, the nearest first; none before the first, where it is then.
    async fn previous(&mut self, rows_max: u64) -> Result<Option<RecordBatch>> {
        let last = self.place().saturating_sub(1);
        self.is_behind = false;
        self.position = 0;
        let (Some(number), Some(kept)) = (last.checked_sub(1), &mut self.kept) else { return Ok(None) };
        let Some(batch) = kept.up_to(number, rows_max).await? else { return Ok(None) };
        self.position = last + 1 - batch.num_rows() as u64;
        let reversed = UInt32Array::from_iter_values((0..batch.num_rows() as u32).rev());
        Ok(Some(take_record_batch(&batch, &reversed).map_err(DataFusionError::from)?))
    }

    /// Keeps the next rows of the query. Whether there were any.
    async fn keep_more(&mut self) -> Result<bool> {
        let batch = self.more().await?;
        match (batch, &mut self.kept) {
            (Some(batch), Some(kept)) => {
                kept.keep(batch)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// The next rows of the query.
    async fn more(&mut self) -> Result<Option<RecordBatch>> {
        let Some(source) = &mut self.source else { return Ok(None) };
        while let Some(batch) = source.next().await {
            let batch = batch?;
            if batch.num_rows() > 0 {
                return Ok(Some(batch));
            }
        }
        // What the query has held is given back.
        self.source = None;
        Ok(None)
    }
}

/// The rows of a reading as they are asked for. Nobody else moves the cursor until they are at their end.
pub fn fetched(rows: OwnedMutexGuard<CursorRows>, reading: Reading) -> SendableRecordBatchStream {
    let schema = rows.schema.clone();
    let batches = stream::try_unfold((rows, reading), |(mut rows, mut reading)| async move {
        let batch = rows.read(&mut reading).await.map_err(into_engine_error)?;
        if batch.is_none() || reading.rows_max == Some(0) {
            rows.end();
        }
        Ok(batch.map(|batch| (batch, (rows, reading))))
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, batches.boxed()))
}

/// A stream of the engine carries the engine's errors.
fn into_engine_error(error: Error) -> DataFusionError {
    match error {
        Error::Engine { source, .. } => *source,
        other => DataFusionError::External(Box::new(other)),
    }
}
