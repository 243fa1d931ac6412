//! ANALYZE of a hot table: all rows are looked at, column by column, so that no more than the sample of one is in memory.

use std::sync::Arc;

use catalog::{ColumnStatistics, HotTable, TableRows, TableStatistics};
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::physical_plan::ExecutionPlan;
use futures::StreamExt;

use super::scan::HotScanExec;
use super::segments::Segments;
use crate::statistics::{OrderKey, Survey};

/// Bytes of the sample of a column.
const SAMPLE_BYTES_MAX: usize = 64 << 20;

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
    for place in places {
        let column = Column { table: &table, place, order_key: order_key.as_ref() };
        let known = column.analyze(&rows, &segments, &context).await?;
        statistics.columns.insert(table.columns[place].attribute_number, Arc::new(known));
    }
    Ok(statistics)
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
        context: &Arc<TaskContext>,
    ) -> Result<ColumnStatistics> {
        let rows_all = rows.rows() as usize;
        let (table, rows) = (self.table.clone(), rows.clone());
        // One partition, so that rows come in the order in which they lie.
        let scan = HotScanExec::new(table, rows, segments.clone(), &[self.place], None, 1, |_| true)?.once();
        let reservation = MemoryConsumer::new("ANALYZE").register(context.memory_pool());
        let definition = &self.table.columns[self.place];
        let mut survey = Survey::new(definition, self.order_key, reservation, SAMPLE_BYTES_MAX)?;
        let mut batches = scan.execute(0, context.clone())?;
        while let Some(batch) = batches.next().await {
            survey.add(batch?.column(0))?;
            // Rows in memory never make anybody wait, and whoever ends the statement needs a moment to do so.
            tokio::task::yield_now().await;
        }
        survey.finish(rows_all, self.is_unique())
    }

    /// Whether the column is a key alone.
    fn is_unique(&self) -> bool {
        let number = self.table.columns[self.place].attribute_number;
        self.table.keys().any(|(_, key)| key.columns == [number])
    }
}
