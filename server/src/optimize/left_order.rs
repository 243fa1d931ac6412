//! What is joined to rows of the system catalogs leaves them in their order, as PostgreSQL's plans mostly do: tools show columns
//! and keys as they come, and many ask for no order. The engine keeps the order of the right side of a join, and puts
//! rows of the left one that have no partner last.

use std::fmt;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, JoinType, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec, PartitionMode};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, SendableRecordBatchStream,
    replace_children_if_necessary,
};
use pg::PgError;

/// Keeps the order of the left side of joins, in queries whose joins the engine must not turn around itself.
#[derive(Debug)]
pub enum KeepLeftOrder {
    /// Puts the left side where its order may be kept.
    Turn,
    /// Has it kept: an outer join looks whether there is one. Behind all rules that look for orders themselves.
    Mark,
}

impl PhysicalOptimizerRule for KeepLeftOrder {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        if config.optimizer.join_reordering || config.execution.target_partitions != 1 {
            return Ok(plan);
        }
        if matches!(self, KeepLeftOrder::Mark) {
            return marked(plan);
        }
        let changed = plan.transform_up(|node| {
            if let Some(join) = node.downcast_ref::<HashJoinExec>()
                && keeps_left(*join.join_type())
                && !join.null_aware
            {
                return Ok(Transformed::yes(join.swap_inputs(PartitionMode::CollectLeft)?));
            }
            if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>()
                && keeps_left(*join.join_type())
            {
                return Ok(Transformed::yes(join.swap_inputs()?));
            }
            Ok(Transformed::no(node))
        });
        changed.map(|transformed| transformed.data)
    }

    fn name(&self) -> &str {
        match self {
            KeepLeftOrder::Turn => "KeepLeftOrder: turn",
            KeepLeftOrder::Mark => "KeepLeftOrder: mark",
        }
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Whether the rows of such a join are those of its left side, in PostgreSQL's plans in their order.
fn keeps_left(join_type: JoinType) -> bool {
    matches!(join_type, JoinType::Inner | JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark)
}

/// The plan with outer joins that take their rows for ordered, and say nothing of it.
fn marked(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let changed = plan.transform_up(|node| {
        let Some(join) = node.downcast_ref::<HashJoinExec>() else { return Ok(Transformed::no(node)) };
        let (left, right) = (join.left().clone(), join.right().clone());
        if *join.join_type() != JoinType::Right || right.output_ordering().is_some() {
            return Ok(Transformed::no(node));
        }
        let right: Arc<dyn ExecutionPlan> = Arc::new(OrderExec::new(right, true));
        let join = replace_children_if_necessary(node, vec![left, right])?;
        Ok(Transformed::yes(Arc::new(OrderExec::new(join, false)) as Arc<dyn ExecutionPlan>))
    });
    changed.map(|transformed| transformed.data)
}

/// Rows of which it is said that they have an order, whatever it is, or that they have none. Neither is to be believed by
/// anything but a join that stands between two of these.
#[derive(Debug)]
struct OrderExec {
    input: Arc<dyn ExecutionPlan>,
    ordered: bool,
    properties: Arc<PlanProperties>,
}

impl OrderExec {
    fn new(input: Arc<dyn ExecutionPlan>, ordered: bool) -> Self {
        let (of_input, schema) = (input.properties(), input.schema());
        let first = schema.fields().first().map(|field| Column::new(field.name(), 0));
        let order = first.filter(|_| ordered).map(|column| vec![PhysicalSortExpr::new_default(Arc::new(column))]);
        let properties = PlanProperties::new(
            EquivalenceProperties::new_with_orderings(schema, order),
            of_input.partitioning.clone(),
            of_input.emission_type,
            of_input.boundedness,
        );
        OrderExec { input, ordered, properties: Arc::new(properties) }
    }
}

impl DisplayAs for OrderExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OrderExec: kept={}", self.ordered)
    }
}

impl ExecutionPlan for OrderExec {
    fn name(&self) -> &'static str {
        "OrderExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.into_iter().next();
        let input = input.ok_or_else(|| DataFusionError::from(PgError::internal("an order has an input")))?;
        Ok(Arc::new(OrderExec::new(input, self.ordered)))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }
}
