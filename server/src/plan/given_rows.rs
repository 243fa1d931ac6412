//! A table in a plan whose rows are given when the plan is executed.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::{LogicalPlan, TableScan};

use crate::plan::in_memory::{InMemory, RowSource};

/// A table whose rows are given later.
#[derive(Debug)]
pub struct GivenRows {
    schema: SchemaRef,
    rows: Vec<RecordBatch>,
}

impl GivenRows {
    /// A table with these columns.
    pub fn table(schema: SchemaRef) -> InMemory<Self> {
        InMemory(GivenRows { schema, rows: Vec::new() })
    }
}

impl RowSource for GivenRows {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn rows(&self) -> Result<Vec<RecordBatch>> {
        Ok(self.rows.clone())
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
        let Some(table) = provider.downcast_ref::<InMemory<GivenRows>>() else { return Ok(Transformed::no(node)) };
        let given = InMemory(GivenRows { schema: table.0.schema.clone(), rows: vec![rows.clone()] });
        let source = provider_as_source(Arc::new(given));
        Ok(Transformed::yes(LogicalPlan::TableScan(TableScan { source, ..scan.clone() })))
    })?;
    Ok(rewritten.data)
}
