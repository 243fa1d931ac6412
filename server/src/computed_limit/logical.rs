//! The node of a logical plan.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use datafusion::common::{DFSchemaRef, Result};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};
use pg::PgError;

/// The column that says how many rows are left out.
pub const SKIP: &str = "skip";
/// The column that says how many rows are wanted.
pub const FETCH: &str = "fetch";

/// Some of the rows of a plan, as many as another plan says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ComputedLimit {
    rows: Arc<LogicalPlan>,
    /// One row with two numbers, [`SKIP`] and [`FETCH`]; NULL says nothing.
    counts: Arc<LogicalPlan>,
}

impl ComputedLimit {
    /// The rows that `counts` says.
    pub fn plan(rows: LogicalPlan, counts: LogicalPlan) -> LogicalPlan {
        let node = ComputedLimit { rows: Arc::new(rows), counts: Arc::new(counts) };
        LogicalPlan::Extension(Extension { node: Arc::new(node) })
    }
}

impl PartialOrd for ComputedLimit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for ComputedLimit {
    fn name(&self) -> &str {
        "ComputedLimit"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.rows, &self.counts]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.rows.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ComputedLimit")
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let [rows, counts]: [LogicalPlan; 2] = inputs
            .try_into()
            .map_err(|_| DataFusionError::from(PgError::internal("a ComputedLimit has two inputs")))?;
        Ok(ComputedLimit { rows: Arc::new(rows), counts: Arc::new(counts) })
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let counts = (0..self.counts.schema().fields().len()).collect();
        Some(vec![output_columns.to_vec(), counts])
    }
}
