//! A table in a plan whose rows are given when the plan is executed.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::memory::MemorySourceConfig;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan, TableType};
use datafusion::physical_plan::ExecutionPlan;

/// A table whose rows are given later.
#[derive(Debug)]
pub struct GivenRows {
    schema: SchemaRef,
    rows: Vec<RecordBatch>,
}

impl GivenRows {
    /// A table with these columns.
    pub fn new(schema: SchemaRef) -> Self {
        GivenRows { schema, rows: Vec::new() }
    }
}

#[async_trait]
impl TableProvider for GivenRows {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
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
        Ok(MemorySourceConfig::try_new_exec(
            std::slice::from_ref(&self.rows),
            self.schema.clone(),
            projection.cloned(),
        )?)
    }
}

/// The plan with rows in the place of those that were to be given.
///
/// # Errors
/// None of its own.
pub fn with_given_rows(plan: LogicalPlan, rows: &RecordBatch) -> Result<LogicalPlan> {
    let rewritten = plan.transform_up(|node| {
        let LogicalPlan::TableScan(scan) = &node else { return Ok(Transformed::no(node)) };
        let provider = source_as_provider(&scan.source)?;
        let Some(table) = provider.downcast_ref::<GivenRows>() else { return Ok(Transformed::no(node)) };
        let given = GivenRows { schema: table.schema.clone(), rows: vec![rows.clone()] };
        let source = provider_as_source(Arc::new(given));
        Ok(Transformed::yes(LogicalPlan::TableScan(TableScan { source, ..scan.clone() })))
    })?;
    Ok(rewritten.data)
}
