//! ANALYZE: what the values of a hot table's columns are like.
//!
//! One column is looked at after the other, so that no more than the sample of one is in memory. NULLs, widths and distinct
//! values are counted over all rows, the latter by a sketch: reading a column is cheap, and a sample says little of how many
//! values there are that it has not met. What else there is to know (common values, a histogram, how far rows are in order)
//! is told from a sample of rows, as PostgreSQL does it.

mod distinct;
mod estimate;
mod survey;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::Field;
use catalog::{ColumnStatistics, HotTable, TableRows, TableStatistics};
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::physical_plan::ExecutionPlan;
use futures::StreamExt;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::index;

use self::survey::Survey;
use super::scan::HotScanExec;
use super::segments::Segments;

/// How many most common values, and how many parts of a histogram, are kept of a column (PostgreSQL's
/// `default_statistics_target`).
const TARGET: usize = 100;
/// Rows of a sample. PostgreSQL takes 300 for each part of a histogram: then the parts differ by less than a half from one
/// another with 99 % certainty, in tables of any size.
const SAMPLE_ROWS: usize = 300 * TARGET;

/// Values of a column by which Arrow orders and compares it as its type is; `None` when the type has no order.
pub type OrderKey = dyn Fn(&Field, &ArrayRef) -> Result<Option<ArrayRef>> + Send + Sync;

/// Looks at the columns of a table at these places. Which rows a sample has depends on nothing but how many there are.
///
/// # Errors
/// A segment cannot be read, or there is not enough memory.
pub async fn analyze(
    table: Arc<HotTable>,
    rows: Arc<TableRows>,
    segments: Arc<Segments>,
    places: Vec<usize>,
    order_key: Arc<OrderKey>,
    context: Arc<TaskContext>,
) -> Result<TableStatistics> {
    let mut statistics = TableStatistics::of(&rows);
    if statistics.rows == 0 {
        return Ok(statistics);
    }
    let positions = positions(statistics.rows as usize);
    for place in places {
        let column = Column { table: &table, place, order_key: order_key.as_ref() };
        let known = column.analyze(&rows, &segments, &positions, &context).await?;
        statistics.columns.insert(table.columns[place].attribute_number, Arc::new(known));
    }
    Ok(statistics)
}

/// The places of the rows of a sample among so many, in order.
fn positions(rows: usize) -> Vec<usize> {
    if rows <= SAMPLE_ROWS {
        return (0..rows).collect();
    }
    let mut random = StdRng::seed_from_u64(rows as u64);
    let mut chosen = index::sample(&mut random, rows, SAMPLE_ROWS).into_vec();
    chosen.sort_unstable();
    chosen
}

/// A column that is looked at.
struct Column<'a> {
    table: &'a Arc<HotTable>,
    place: usize,
    order_key: &'a OrderKey,
}

impl Column<'_> {
    async fn analyze(
        &self,
        rows: &Arc<TableRows>,
        segments: &Arc<Segments>,
        positions: &[usize],
        context: &Arc<TaskContext>,
    ) -> Result<ColumnStatistics> {
        let (table, rows) = (self.table.clone(), rows.clone());
        // One partition, so that rows come in the order in which they lie.
        let scan = HotScanExec::new(table, rows, segments.clone(), &[self.place], None, 1, |_| true)?.once();
        let reservation = MemoryConsumer::new("ANALYZE").register(context.memory_pool());
        let definition = &self.table.columns[self.place];
        let mut survey = Survey::new(definition, positions, self.order_key, reservation)?;
        let mut batches = scan.execute(0, context.clone())?;
        while let Some(batch) = batches.next().await {
            survey.add(batch?.column(0))?;
            // Rows in memory never make anybody wait, and whoever ends the statement needs a moment to do so.
            tokio::task::yield_now().await;
        }
        survey.finish(self.is_unique())
    }

    /// Whether the column is a key alone.
    fn is_unique(&self) -> bool {
        let number = self.table.columns[self.place].attribute_number;
        self.table.keys().any(|(_, key)| key.columns == [number])
    }
}
