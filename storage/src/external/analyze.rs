//! ANALYZE of an external table: a part of its files is looked at, all columns at the same time.
//!
//! Files cost requests and money, so that no more is read than a number of bytes, spread over the table: some partitions, of
//! them some files, of those some row groups. What is found out is told of the whole table.

use std::sync::Arc;

use arrow::array::RecordBatch;
use catalog::{Column, TableStatistics};
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::StreamExt;

use super::provider::{ExternalTableProvider, Spread};
use super::sample::{SomeFiles, bytes_of, spread};
use crate::scan::report::ReadCounter;
use crate::statistics::{OrderKey, Survey};

/// Partitions of which files are looked at.
const PARTITIONS_ANALYZED: usize = 64;
/// Of a table that is larger than what may be read, so many files are looked at, …
const FILES_MIN: usize = 4;
/// … and so many at most.
const FILES_MAX: usize = 256;
/// Times the bytes that may be read: nothing is read beyond. Row groups may be larger than they should be.
const READ_TIMES_MAX: u64 = 2;
/// The same of bytes in memory, since files are packed.
const DECODED_TIMES_MAX: u64 = 16;
/// Bytes of the samples of all columns together.
const SAMPLES_BYTES: usize = 64 << 20;
/// Bytes of the sample of a column at least.
const SAMPLE_BYTES_MIN: usize = 256 << 10;

/// What ANALYZE of an external table looks at.
#[derive(Debug, Clone)]
pub struct AnalyzeRequest {
    /// The columns, by their places in the table.
    pub places: Vec<usize>,
    /// Bytes of files that are read, about.
    pub bytes_max: u64,
}

/// The files that are looked at.
struct Chosen {
    files: Vec<SomeFiles>,
    bytes: u64,
    /// Of so many row groups one is looked at.
    groups_one_in: usize,
}

/// What has been read so far.
struct Looking<'a> {
    surveys: Vec<Survey<'a>>,
    rows: usize,
    decoded_bytes: u64,
    /// Rows after which half of them have come.
    half_rows: Option<f64>,
    read: Arc<ReadCounter>,
    bytes_max: u64,
}

impl ExternalTableProvider {
    /// What the values of some columns are like, from a part of the files.
    ///
    /// # Errors
    /// Files cannot be listed or read, or there is not enough memory.
    pub async fn analyze(
        &self,
        request: AnalyzeRequest,
        order_key: Arc<OrderKey>,
        session: &dyn Session,
        context: Arc<TaskContext>,
    ) -> Result<TableStatistics> {
        let looked_at_bytes = self.look_afresh(session).await?;
        let (listed, bytes_all) = self.files_to_analyze(session).await?;
        let can_skip = self.reads_columns(session);
        let chosen = chosen(listed, request.bytes_max, can_skip);
        let is_complete = chosen.bytes == bytes_all && chosen.groups_one_in == 1;
        let expected = self.rows_expected(chosen.bytes) / chosen.groups_one_in as f64;
        let columns = self.table().all_columns();
        let columns: Vec<&Column> = request.places.iter().map(|place| &columns[*place]).collect();
        let sample_bytes = (SAMPLES_BYTES / columns.len().max(1)).max(SAMPLE_BYTES_MIN);
        let mut surveys = Vec::with_capacity(columns.len());
        for column in &columns {
            let reservation = MemoryConsumer::new("ANALYZE").register(context.memory_pool());
            surveys.push(Survey::new(column, order_key.as_ref(), reservation, sample_bytes)?);
        }
        let spread = Spread { projection: request.places.clone(), groups_one_in: chosen.groups_one_in };
        let (plans, read) = self.scan_spread(session, chosen.files, &spread)?;
        let half_rows = Some(expected / 2.0);
        let mut looking = Looking { surveys, rows: 0, decoded_bytes: 0, half_rows, read, bytes_max: request.bytes_max };
        let is_cut = !looking.look_at(&plans, &context).await?;
        let rows = looking.rows;
        let rows_all = match (is_complete, can_skip || is_cut) {
            (true, _) if !is_cut => rows as f64,
            (_, true) => self.rows_expected(bytes_all),
            (_, false) => rows as f64 * bytes_all as f64 / chosen.bytes.max(1) as f64,
        };
        let rows_all = (rows_all as usize).max(rows);
        tracing::debug!(table = %self.table().name, rows, rows_all, is_cut, "files looked at");
        let mut statistics = TableStatistics::of_files(rows_all as u64, bytes_all, looked_at_bytes);
        for ((survey, column), place) in looking.surveys.into_iter().zip(columns).zip(request.places) {
            let mut known = survey.finish(rows_all, false)?;
            if let Some(distinct) = self.partition_values_of(place) {
                known.distinct = distinct as f32;
            }
            statistics.columns.insert(column.attribute_number, Arc::new(known));
        }
        Ok(statistics)
    }

    /// The files of which some are looked at, and the bytes of all files, about.
    async fn files_to_analyze(&self, session: &dyn Session) -> Result<(Vec<SomeFiles>, u64)> {
        if !self.is_discovered() {
            return self.some_files(session, PARTITIONS_ANALYZED).await;
        }
        // Their folders tell the values of partition columns.
        let files: Vec<_> = self.all_files(session).await?.into_iter().map(SomeFiles::from).collect();
        let bytes = bytes_of(&files);
        Ok((files, bytes))
    }
}

impl Looking<'_> {
    /// Looks at the rows of scans, one after the other, until that is all, or enough; whether it was all.
    async fn look_at(&mut self, plans: &[Arc<dyn ExecutionPlan>], context: &Arc<TaskContext>) -> Result<bool> {
        for plan in plans {
            for partition in 0..plan.output_partitioning().partition_count() {
                let mut batches = plan.execute(partition, context.clone())?;
                while let Some(batch) = batches.next().await {
                    self.add(&batch?)?;
                    if self.has_enough() {
                        return Ok(false);
                    }
                    // Whoever ends the statement needs a moment to do so.
                    tokio::task::yield_now().await;
                }
            }
        }
        Ok(true)
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows();
        self.decoded_bytes += batch.get_array_memory_size() as u64;
        self.surveys.iter_mut().zip(batch.columns()).try_for_each(|(survey, values)| survey.add(values))?;
        if self.half_rows.take_if(|half| self.rows as f64 >= *half).is_some() {
            self.surveys.iter_mut().try_for_each(Survey::is_half)?;
        }
        Ok(())
    }

    fn has_enough(&self) -> bool {
        self.read.bytes() > self.bytes_max.saturating_mul(READ_TIMES_MAX)
            || self.decoded_bytes > self.bytes_max.saturating_mul(DECODED_TIMES_MAX)
    }
}

/// Files of no more than so many bytes, spread over those that are listed.
fn chosen(listed: Vec<SomeFiles>, bytes_max: u64, can_skip: bool) -> Chosen {
    let bytes = bytes_of(&listed);
    if bytes <= bytes_max {
        return Chosen { files: listed, bytes, groups_one_in: 1 };
    }
    let count: usize = listed.iter().map(|some| some.files.len()).sum();
    let wanted = (count as u64).saturating_mul(bytes_max) / bytes.max(1);
    let wanted = usize::try_from(wanted).unwrap_or(FILES_MAX).clamp(FILES_MIN, FILES_MAX);
    let mut places = spread(count, wanted).peekable();
    let mut place = 0;
    let files: Vec<_> = listed
        .into_iter()
        .map(|mut some| {
            some.files.retain(|_| {
                let is_wanted = places.next_if_eq(&place).is_some();
                place += 1;
                is_wanted
            });
            some
        })
        .collect();
    let bytes = bytes_of(&files);
    let groups_one_in = if can_skip { bytes.div_ceil(bytes_max.max(1)).max(1) as usize } else { 1 };
    Chosen { files, bytes, groups_one_in }
}
