//! Relations whose rows are in memory by the time they are scanned.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use catalog::hot_table::arrow_schema;
use catalog::{Column, SqlType};
use datafusion::catalog::memory::MemorySourceConfig;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::{Expr, TableSource, TableType};
use datafusion::physical_plan::ExecutionPlan;

/// A column of a relation that holds what was so when the statement was planned: its name and type, and its values.
pub type Shown = (&'static str, SqlType, ArrayRef);

/// A relation with these columns.
///
/// # Errors
/// They have not the same number of values, or values of other types: a bug.
pub fn system_relation(columns: Vec<Shown>) -> Result<Arc<dyn TableSource>> {
    let definitions = (1..).zip(&columns).map(|(number, (name, ty, _))| Column::new(number, *name, ty.clone()));
    let schema = arrow_schema(&definitions.collect::<Vec<_>>());
    let values = columns.iter().zip(schema.fields());
    let values = values.map(|((_, _, values), field)| cast(values, field.data_type())).collect::<Result<_, _>>()?;
    let rows = RecordBatch::try_new(schema.clone(), values)?;
    Ok(provider_as_source(Arc::new(MemTable::try_new(schema, vec![vec![rows]])?)))
}

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
