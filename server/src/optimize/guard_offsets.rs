//! Keeps the engine from sorting rows before those are left out that OFFSET says, where they were to be sorted afterwards.
//!
//! `SELECT … FROM (SELECT a, b FROM t ORDER BY a OFFSET 2) q ORDER BY b`: the engine moves the outer order below OFFSET, since
//! OFFSET keeps the order of its input, and leaves out other rows. And of LIMIT 3 OFFSET 1 it takes the 3 for the number of rows
//! that are read when it moves an order that is only finer. While it puts sorts in their places, there is a node above OFFSET
//! below which it moves none. And a sort that nobody seems to need it takes away: so there is another above the sort.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{OrderingRequirements, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::limit::GlobalLimitExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, SendableRecordBatchStream,
    replace_children_if_necessary,
};
use pg::PgError;

/// Guards each OFFSET, or takes the guards away again.
#[derive(Debug)]
pub enum GuardOffsets {
    /// Before sorts are put in their places.
    Begin,
    /// After that.
    End,
}

impl PhysicalOptimizerRule for GuardOffsets {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let is_offset = node.downcast_ref::<GlobalLimitExec>().is_some_and(|limit| limit.skip() > 0);
            Ok(match (self, node.downcast_ref::<GuardExec>()) {
                (GuardOffsets::Begin, None) if is_offset => Transformed::yes(guarded(&with_guarded_sort(node)?)),
                (GuardOffsets::End, Some(guard)) => Transformed::yes(guard.input.clone()),
                _ => Transformed::no(node),
            })
        })
        .data()
    }

    fn name(&self) -> &str {
        "GuardOffsets"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn guarded(node: &Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    Arc::new(GuardExec::new(node.clone()))
}

/// The node with a guard above the sort that orders its rows: what they are ordered by may be left out in between, and then
/// nothing says that the order is needed.
fn with_guarded_sort(node: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    if node.is::<SortExec>() || node.is::<SortPreservingMergeExec>() {
        return Ok(guarded(&node));
    }
    let keeps_order = matches!(node.maintains_input_order().as_slice(), [true]);
    match node.children().as_slice() {
        [input] if keeps_order => {
            let input = with_guarded_sort((*input).clone())?;
            replace_children_if_necessary(node, vec![input])
        }
        _ => Ok(node),
    }
}

/// Its input in the order that that has, which it wants, and does not say to keep: so that no other order is wanted of the input.
#[derive(Debug)]
struct GuardExec {
    input: Arc<dyn ExecutionPlan>,
    ordering: Option<OrderingRequirements>,
}

impl GuardExec {
    fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        let ordering = input.output_ordering().cloned().map(OrderingRequirements::from);
        GuardExec { input, ordering }
    }
}

impl DisplayAs for GuardExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GuardExec")
    }
}

impl ExecutionPlan for GuardExec {
    fn name(&self) -> &'static str {
        "GuardExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        vec![self.ordering.clone()]
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
        let input = input.ok_or_else(|| DataFusionError::from(PgError::internal("a guard has an input")))?;
        Ok(Arc::new(GuardExec { input, ordering: self.ordering.clone() }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }
}
