//! The conditions that a scan evaluates itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::compute::{and, prep_null_mask_filter};
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::common::cast::as_boolean_array;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::DataFusionError;
use datafusion::physical_expr::expressions::{Column, LambdaExpr};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{HigherOrderFunctionExpr, PhysicalExpr};

/// A condition is evaluated for the rows alone that are left when there is at most one of so many.
const FEW_ONE_IN: usize = 5;
/// Rows after which it is asked whether a condition that need not be evaluated is worth it.
const TRIAL_ROWS: u64 = 1 << 15;
/// A condition that need not be evaluated is worth it when it excludes at least one of so many rows.
const WORTH_ONE_IN: u64 = 8;

/// A condition for rows.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    /// On the columns that the scan knows.
    pub expr: Arc<dyn PhysicalExpr>,
    /// Whether somebody else evaluates it too: what joins and sorts know of the rows they need. It changes while the query
    /// runs.
    pub is_hint: bool,
    /// It, on the columns that it has alone.
    narrow: Arc<dyn PhysicalExpr>,
    /// Those columns, by position.
    pub columns: Vec<usize>,
    schema: SchemaRef,
}

impl Condition {
    /// The condition on columns of `full`.
    pub fn new(expr: Arc<dyn PhysicalExpr>, is_hint: bool, full: &Schema) -> Result<Self> {
        let columns: BTreeSet<usize> = collect_columns(&expr).iter().map(Column::index).collect();
        let columns: Vec<usize> = columns.into_iter().collect();
        // A row that is deleted may have a NULL where the table would take none any more.
        let fields = columns.iter().map(|column| full.field(*column).clone().with_nullable(true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let narrow = with_columns(expr.clone(), |index| columns.binary_search(&index).ok(), &schema)?;
        Ok(Condition { expr, is_hint, narrow, columns, schema })
    }

    /// The columns of a batch that [`evaluate`](Self::evaluate) wants.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// For which of the rows in `left` it holds; `None` is all rows.
    pub fn evaluate(&self, batch: &RecordBatch, left: Option<BooleanArray>) -> Result<BooleanArray> {
        let few = left.as_ref().filter(|left| left.true_count() * FEW_ONE_IN <= left.len());
        let held = match few {
            Some(left) => self.narrow.evaluate_selection(batch, left)?,
            None => self.narrow.evaluate(batch)?,
        };
        let held = held.into_array(batch.num_rows())?;
        let held = as_boolean_array(&held)?;
        let held = if held.null_count() > 0 { prep_null_mask_filter(held) } else { held.clone() };
        match left {
            Some(left) => Ok(and(&held, &left)?),
            None => Ok(held),
        }
    }
}

/// How much a hint has excluded, to one partition of a scan.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Usefulness {
    looked_at: u64,
    kept: u64,
}

impl Usefulness {
    /// Whether rows should be compared with it.
    pub fn is_useful(&self) -> bool {
        self.looked_at < TRIAL_ROWS || (self.looked_at - self.kept) * WORTH_ONE_IN >= self.looked_at
    }

    /// Notes how many rows were left.
    pub fn note(&mut self, looked_at: usize, kept: usize) {
        self.looked_at += looked_at as u64;
        self.kept += kept as u64;
    }
}

/// Whether evaluating an expression can be an error. A scan evaluates its conditions for rows that other conditions
/// exclude, so it takes those alone that answer whatever the values are.
pub type MayFail = fn(&Arc<dyn PhysicalExpr>) -> bool;

/// Whether a scan can evaluate a filter. A lambda counts the columns of the rows that it is evaluated on, and those of a
/// condition are moved.
pub(crate) fn can_evaluate(filter: &Arc<dyn PhysicalExpr>, may_fail: MayFail) -> bool {
    let has_lambda = filter.exists(|node| Ok(node.is::<LambdaExpr>() || node.is::<HigherOrderFunctionExpr>()));
    !may_fail(filter) && !has_lambda.unwrap_or(true)
}

/// An expression on other columns: those at the positions that `place` answers, called as in `schema`.
pub(crate) fn with_columns(
    expr: Arc<dyn PhysicalExpr>,
    place: impl Fn(usize) -> Option<usize>,
    schema: &Schema,
) -> Result<Arc<dyn PhysicalExpr>> {
    let moved = |node: Arc<dyn PhysicalExpr>| {
        let Some(column) = node.downcast_ref::<Column>() else { return Ok(Transformed::no(node)) };
        let place = place(column.index())
            .ok_or_else(|| DataFusionError::Internal(format!("{column} is no column of the scan")))?;
        Ok(Transformed::yes(Arc::new(Column::new(schema.field(place).name(), place)) as Arc<dyn PhysicalExpr>))
    };
    expr.transform_down(moved).data()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_that_excludes_little_is_given_up() {
        let mut usefulness = Usefulness::default();
        assert!(usefulness.is_useful());
        usefulness.note(40_000, 39_000);
        assert!(!usefulness.is_useful());
        usefulness.note(40_000, 10_000);
        assert!(usefulness.is_useful());
    }
}
