//! Ends joins whose statement has been ended.
//!
//! A join that finds pairs by the billion, and whose condition refuses them all, has no rows to hand on and asks nobody for
//! more: it can compute for minutes on one batch of each input, and nothing that waits for it to give way can end it. Its
//! condition is asked for each few thousand pairs, and there it is told.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, Schema};
use arrow::record_batch::RecordBatch;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{
    HashJoinExec, HashJoinExecBuilder, NestedLoopJoinExec, NestedLoopJoinExecBuilder,
};
use pg::{Interrupt, SessionValues};

/// Lets the conditions of joins look whether their statement has been ended.
#[derive(Debug, Default)]
pub struct InterruptJoins;

impl PhysicalOptimizerRule for InterruptJoins {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(values) = config.extensions.get::<SessionValues>() else { return Ok(plan) };
        let interrupted = |filter: &JoinFilter| Some(interruptible(filter, &values.interrupt));
        let changed = plan.transform_up(|node| {
            if let Some(join) = node.downcast_ref::<HashJoinExec>()
                && let Some(filter) = join.filter()
            {
                let join = HashJoinExecBuilder::from(join).with_filter(interrupted(filter)).build()?;
                return Ok(Transformed::yes(Arc::new(join) as Arc<dyn ExecutionPlan>));
            }
            if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>()
                && let Some(filter) = join.filter()
            {
                let join = NestedLoopJoinExecBuilder::from(join).with_filter(interrupted(filter)).build()?;
                return Ok(Transformed::yes(Arc::new(join) as Arc<dyn ExecutionPlan>));
            }
            Ok(Transformed::no(node))
        });
        changed.map(|transformed| transformed.data)
    }

    fn name(&self) -> &str {
        "InterruptJoins"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn interruptible(filter: &JoinFilter, interrupt: &Interrupt) -> JoinFilter {
    let condition = InterruptibleExpr { expr: filter.expression().clone(), interrupt: interrupt.clone() };
    JoinFilter::new(Arc::new(condition), filter.column_indices().to_vec(), filter.schema().clone())
}

/// An expression that fails once its statement has been ended.
#[derive(Debug, Clone)]
struct InterruptibleExpr {
    expr: Arc<dyn PhysicalExpr>,
    interrupt: Interrupt,
}

impl Eq for InterruptibleExpr {}

impl PartialEq for InterruptibleExpr {
    fn eq(&self, other: &Self) -> bool {
        self.expr.eq(&other.expr)
    }
}

impl Hash for InterruptibleExpr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expr.hash(state);
    }
}

impl fmt::Display for InterruptibleExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)
    }
}

impl PhysicalExpr for InterruptibleExpr {
    fn data_type(&self, input: &Schema) -> Result<DataType> {
        self.expr.data_type(input)
    }

    fn nullable(&self, input: &Schema) -> Result<bool> {
        self.expr.nullable(input)
    }

    fn return_field(&self, input: &Schema) -> Result<FieldRef> {
        self.expr.return_field(input)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        self.interrupt.check().map_err(DataFusionError::from)?;
        self.expr.evaluate(batch)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.expr]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let expr = children.into_iter().next().unwrap_or_else(|| self.expr.clone());
        Ok(Arc::new(InterruptibleExpr { expr, interrupt: self.interrupt.clone() }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.fmt_sql(f)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::array::{ArrayRef, Int32Array};
    use datafusion::common::{JoinSide, JoinType, NullEquality};
    use datafusion::datasource::memory::MemorySourceConfig;
    use datafusion::execution::TaskContext;
    use datafusion::physical_expr::expressions::{col, lit};
    use datafusion::physical_plan::collect;
    use datafusion::physical_plan::joins::PartitionMode;
    use datafusion::physical_plan::joins::utils::ColumnIndex;

    use super::*;

    fn rows() -> Arc<dyn ExecutionPlan> {
        let values: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3]));
        let batch = RecordBatch::try_from_iter([("x", values)]).unwrap();
        MemorySourceConfig::try_new_exec(&[vec![batch.clone()]], batch.schema(), None).unwrap()
    }

    fn condition() -> JoinFilter {
        let columns = vec![ColumnIndex { index: 0, side: JoinSide::Left }];
        JoinFilter::new(lit(true), columns, rows().schema())
    }

    fn joins() -> [Arc<dyn ExecutionPlan>; 2] {
        let nested = NestedLoopJoinExec::try_new(rows(), rows(), Some(condition()), &JoinType::Inner, None);
        let x = || col("x", &rows().schema()).unwrap();
        let hashed = HashJoinExec::try_new(
            rows(),
            rows(),
            vec![(x(), x())],
            Some(condition()),
            &JoinType::Inner,
            None,
            PartitionMode::CollectLeft,
            NullEquality::NullEqualsNothing,
            false,
        );
        [Arc::new(nested.unwrap()), Arc::new(hashed.unwrap())]
    }

    #[tokio::test]
    async fn a_join_ends_with_its_statement() {
        for (join, rows) in joins().into_iter().zip([9, 3]) {
            let values = SessionValues::default();
            let interrupt = values.interrupt.clone();
            let mut config = ConfigOptions::default();
            config.extensions.insert(values);
            let join = InterruptJoins.optimize(join, &config).unwrap();
            let found = collect(join.clone(), Arc::new(TaskContext::default())).await.unwrap();
            assert_eq!(found.iter().map(RecordBatch::num_rows).sum::<usize>(), rows);
            interrupt.set();
            let ended = collect(join.reset_state().unwrap(), Arc::new(TaskContext::default())).await.unwrap_err();
            assert!(ended.to_string().contains("the statement has been ended"), "{ended}");
        }
    }
}
