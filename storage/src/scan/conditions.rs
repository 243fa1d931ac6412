//! The conditions that a scan evaluates itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow::compute::{and, prep_null_mask_filter};
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::common::cast::as_boolean_array;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, LambdaExpr};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{HigherOrderFunctionExpr, PhysicalExpr};
use datafusion::physical_expr_common::physical_expr::snapshot_physical_expr;

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

    /// What the condition says now of single columns, if it is one of several that need not be evaluated: `a > 1 OR a = 1 AND b > 2`
    /// says that `a >= 1`. `ORDER BY a, b LIMIT 10` makes such conditions, and few rows are left for which `b` is wanted.
    ///
    /// # Errors
    /// None but bugs.
    pub fn of_single_columns(&self) -> Result<Vec<Condition>> {
        if !self.is_hint || self.columns.len() < 2 {
            return Ok(Vec::new());
        }
        let now = snapshot_physical_expr(self.narrow.clone())?;
        let of_column = |(place, column): (usize, &usize)| {
            let condition = Condition::new(of_column(&now, place)?, true, &self.schema);
            Some(condition.map(|condition| Condition { columns: vec![*column], ..condition }))
        };
        self.columns.iter().enumerate().filter_map(of_column).collect()
    }

    /// The columns of a batch that [`evaluate`](Self::evaluate) wants.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// For which values it holds of the only column that it is about.
    ///
    /// # Errors
    /// It cannot be evaluated.
    pub fn evaluate_values(&self, values: &ArrayRef) -> Result<Vec<bool>> {
        let batch = RecordBatch::try_new(self.schema.clone(), vec![values.clone()])?;
        Ok(self.evaluate(&batch, None)?.values().iter().collect())
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

/// What a condition says of a column alone; `None` if that is nothing.
fn of_column(condition: &Arc<dyn PhysicalExpr>, column: usize) -> Option<Arc<dyn PhysicalExpr>> {
    let columns = collect_columns(condition);
    if columns.iter().all(|it| it.index() == column) {
        return (!columns.is_empty()).then(|| condition.clone());
    }
    let binary = condition.downcast_ref::<BinaryExpr>()?;
    let (left, right) = (of_column(binary.left(), column), of_column(binary.right(), column));
    match (binary.op(), left, right) {
        (Operator::And | Operator::Or, Some(left), Some(right)) => {
            Some(Arc::new(BinaryExpr::new(left, *binary.op(), right)))
        }
        (Operator::And, left, right) => left.or(right),
        _ => None,
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
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::{DataType, Field};
    use datafusion::physical_expr::expressions::{binary, col, lit};

    use super::*;

    #[test]
    fn a_condition_on_several_columns_says_something_of_the_first_one() {
        let schema = Schema::new(["a", "b"].map(|name| Field::new(name, DataType::Int32, true)).to_vec());
        let compare =
            |column: &str, operator, value: i32| binary(col(column, &schema).unwrap(), operator, lit(value), &schema);
        let connect = |left, operator, right| binary(left, operator, right, &schema).unwrap();
        let (more, equal) = (compare("a", Operator::Gt, 1).unwrap(), compare("a", Operator::Eq, 1).unwrap());
        let tie = connect(equal.clone(), Operator::And, compare("b", Operator::Gt, 2).unwrap());
        let order = connect(more.clone(), Operator::Or, tie.clone());
        let said = |condition: &Arc<dyn PhysicalExpr>, is_hint| {
            let condition = Condition::new(condition.clone(), is_hint, &schema).unwrap();
            let said = condition.of_single_columns().unwrap();
            said.iter().map(|it| (it.columns.clone(), it.narrow.to_string())).collect::<Vec<_>>()
        };
        assert_eq!(said(&order, true), [(vec![0], "a@0 > 1 OR a@0 = 1".to_owned())]);
        assert_eq!(said(&tie, true), [(vec![0], "a@0 = 1".to_owned()), (vec![1], "b@0 > 2".to_owned())]);
        assert_eq!((said(&order, false).len(), said(&more, true).len()), (0, 0));
    }

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
