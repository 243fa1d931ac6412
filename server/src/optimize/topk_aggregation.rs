//! The engine's rule that keeps only the groups that a LIMIT wants, without groups by floating point numbers: it takes one
//! NaN for another group than the next, and panics when it wants to forget one.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNode;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::topk_aggregation::TopKAggregation;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;

/// [`TopKAggregation`], where it does no harm.
#[derive(Debug, Default)]
pub struct SafeTopKAggregation(TopKAggregation);

impl PhysicalOptimizerRule for SafeTopKAggregation {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        if plan.exists(groups_by_float)? { Ok(plan) } else { self.0.optimize(plan, config) }
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn groups_by_float(node: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    let Some(aggregate) = node.downcast_ref::<AggregateExec>() else { return Ok(false) };
    let input = aggregate.input().schema();
    for (key, _) in aggregate.group_expr().expr() {
        if key.data_type(&input)?.is_floating() {
            return Ok(true);
        }
    }
    Ok(false)
}
