//! Columns that are read when it is known which rows are left: `SELECT * … ORDER BY a LIMIT 10`.

use std::sync::Arc;

use arrow::datatypes::{Field, SchemaRef};
use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;

use crate::external;

/// A scan that gives the columns that are `kept`, by their places and in this order, and what it takes to read the others of
/// some of its rows; `None` if the node is no scan that can do so.
///
/// # Errors
/// None but bugs.
pub fn split(node: &Arc<dyn ExecutionPlan>, kept: &[usize]) -> Result<Option<(Arc<dyn ExecutionPlan>, LateColumns)>> {
    let split = external::split_columns(node.as_ref(), kept)?;
    Ok(split.map(|(scan, columns)| (scan, LateColumns { columns, schema: node.schema() })))
}

/// What reads the other columns.
#[derive(Debug)]
pub struct LateColumns {
    columns: external::LateColumns,
    /// All columns.
    schema: SchemaRef,
}

impl LateColumns {
    /// The rows of a plan over the scan, with all columns of the scan as it was.
    #[must_use]
    pub fn of(self, rows: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        Arc::new(external::LateColumnsExec::new(rows, self.columns, self.schema))
    }
}

/// What a node does that reads columns late.
#[derive(Debug, Clone)]
pub struct LateRead {
    /// What the query calls the table.
    pub name: String,
    /// For each column that comes out its place in what goes in; none if it is read by the node.
    pub places: Vec<Option<usize>>,
}

impl LateRead {
    /// What the node does, if it is what [`LateColumns::of`] has made.
    #[must_use]
    pub fn of(node: &dyn ExecutionPlan) -> Option<Self> {
        node.downcast_ref::<external::LateColumnsExec>().map(external::LateColumnsExec::read)
    }
}

/// Whether a column of a plan over the scan tells where a row is, and is nothing of the query's.
#[must_use]
pub fn is_address(column: &Field) -> bool {
    external::is_address(column)
}
