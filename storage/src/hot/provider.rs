//! A hot table, as the query engine sees it.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::BatchCoalescer;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use catalog::HotTable;
use catalog::snapshot::ChunkList;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

use crate::hot::chunk;

/// The rows of a hot table in one snapshot.
#[derive(Debug)]
pub struct HotTableProvider {
    table: Arc<HotTable>,
    chunks: Arc<ChunkList>,
    schema: SchemaRef,
}

impl HotTableProvider {
    /// The table with the rows of `chunks`.
    pub fn new(table: Arc<HotTable>, chunks: Arc<ChunkList>) -> Self {
        let schema = table.arrow_schema();
        HotTableProvider { table, chunks, schema }
    }

    /// All rows, in batches of about `batch_rows`: many small commits must not cost a batch each.
    fn batches(&self, batch_rows: usize) -> Result<Vec<RecordBatch>> {
        let mut coalescer = BatchCoalescer::new(self.schema.clone(), batch_rows);
        let mut batches = Vec::new();
        for chunk in self.chunks.iter() {
            let batch = chunk::decode(&self.table, &self.schema, chunk)
                .map_err(|error| DataFusionError::External(Box::new(error)))?;
            if batch.num_rows() >= batch_rows || self.schema.fields().is_empty() {
                batches.push(batch);
            } else {
                coalescer.push_batch(batch)?;
            }
            while let Some(batch) = coalescer.next_completed_batch() {
                batches.push(batch);
            }
        }
        coalescer.finish_buffered_batch()?;
        batches.extend(coalescer.next_completed_batch());
        Ok(batches)
    }
}

#[async_trait]
impl TableProvider for HotTableProvider {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let options = state.config_options();
        let batches = self.batches(options.execution.batch_size.get())?;
        let mut partitions = vec![Vec::new(); options.execution.target_partitions.min(batches.len()).max(1)];
        let count = partitions.len();
        for (number, batch) in batches.into_iter().enumerate() {
            partitions[number % count].push(batch);
        }
        Ok(MemorySourceConfig::try_new_exec(&partitions, self.schema.clone(), projection.cloned())?)
    }
}
