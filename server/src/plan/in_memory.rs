//! Relations whose rows are in memory by the time they are scanned.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::memory::MemorySourceConfig;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

/// Where the rows come from.
pub trait RowSource: Debug + Send + Sync + 'static {
    /// Their columns.
    fn schema(&self) -> SchemaRef;

    /// The rows as they are when the relation is scanned.
    ///
    /// # Errors
    /// They cannot be told.
    fn rows(&self) -> Result<Vec<RecordBatch>>;
}

/// A relation with the rows of a source.
#[derive(Debug)]
pub struct InMemory<S>(pub S);

#[async_trait]
impl<S: RowSource> TableProvider for InMemory<S> {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(MemorySourceConfig::try_new_exec(&[self.0.rows()?], self.0.schema(), projection.cloned())?)
    }
}
