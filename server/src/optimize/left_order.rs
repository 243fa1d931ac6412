//! What is joined to rows of the system catalogs leaves them in their order, as PostgreSQL's plans mostly do: tools show columns
//! and keys as they come, and many ask for no order. The engine keeps the order of the right side of a join, and puts
//! rows of the left one that have no partner last.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{JoinType, Result};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec, PartitionMode};

/// Puts the left side of joins where its order is kept, in queries whose joins the engine must not turn around itself.
#[derive(Debug, Default)]
pub struct KeepLeftOrder;

impl PhysicalOptimizerRule for KeepLeftOrder {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        if config.optimizer.join_reordering || config.execution.target_partitions != 1 {
            return Ok(plan);
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
        "KeepLeftOrder"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Whether the rows of such a join are those of its left side, in PostgreSQL's plans in their order.
fn keeps_left(join_type: JoinType) -> bool {
    matches!(join_type, JoinType::Inner | JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark)
}
