//! Rows that can be read again.

use arrow::array::RecordBatch;
use datafusion::common::Result;

use crate::spool::Batches;

/// Rows by their number, from 0.
#[derive(Debug)]
pub struct KeptRows {
    batches: Batches,
    /// Of each batch, the number of the row behind its last.
    ends: Vec<u64>,
    /// The batch that was read last: rows are read in small pieces.
    recent: Option<(usize, RecordBatch)>,
}

impl KeptRows {
    /// No rows yet.
    pub fn new(batches: Batches) -> Self {
        KeptRows { batches, ends: Vec::new(), recent: None }
    }

    /// How many rows there are.
    pub fn len(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Adds the rows of a batch.
    ///
    /// # Errors
    /// They cannot be written to disk.
    pub fn keep(&mut self, batch: RecordBatch) -> Result<()> {
        if batch.num_rows() > 0 {
            let end = self.len() + batch.num_rows() as u64;
            self.batches.keep(batch)?;
            self.ends.push(end);
        }
        Ok(())
    }

    /// Some rows from this one on, `rows_max` at most; none when it is not there.
    ///
    /// # Errors
    /// They cannot be read from disk.
    pub async fn from(&mut self, first: u64, rows_max: u64) -> Result<Option<RecordBatch>> {
        let Some((batch, begin)) = self.batch_of(first).await? else { return Ok(None) };
        let offset = (first - begin) as usize;
        let rows = (batch.num_rows() - offset).min(usize::try_from(rows_max).unwrap_or(usize::MAX));
        Ok(Some(batch.slice(offset, rows)))
    }

    /// Some rows up to this one, `rows_max` at most, in their order; none when it is not there.
    ///
    /// # Errors
    /// They cannot be read from disk.
    pub async fn up_to(&mut self, last: u64, rows_max: u64) -> Result<Option<RecordBatch>> {
        let Some((batch, begin)) = self.batch_of(last).await? else { return Ok(None) };
        let end = (last - begin) as usize + 1;
        let rows = end.min(usize::try_from(rows_max).unwrap_or(usize::MAX));
        Ok(Some(batch.slice(end - rows, rows)))
    }

    /// The batch that has this row, and the number of its first row.
    async fn batch_of(&mut self, row: u64) -> Result<Option<(RecordBatch, u64)>> {
        let place = self.ends.partition_point(|end| *end <= row);
        let begin = if place == 0 { 0 } else { self.ends[place - 1] };
        if let Some((recent, batch)) = &self.recent
            && *recent == place
        {
            return Ok(Some((batch.clone(), begin)));
        }
        let Some(batch) = self.batches.get(place).await? else { return Ok(None) };
        self.recent = Some((place, batch.clone()));
        Ok(Some((batch, begin)))
    }
}
