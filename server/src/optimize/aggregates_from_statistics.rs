//! Aggregates that are known without reading anything, but for DISTINCT.
//!
//! The engine counts NULL among the distinct values of a column of constants, and takes `count(DISTINCT …)` of what it
//! knows of the column.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNode;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::aggregate_statistics::AggregateStatistics;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;

/// The engine's rule, for plans without aggregates of distinct values.
#[derive(Debug, Default)]
pub struct AggregatesFromStatistics(AggregateStatistics);

impl PhysicalOptimizerRule for AggregatesFromStatistics {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        match plan.exists(|node| Ok(has_distinct(node.as_ref())))? {
            true => Ok(plan),
            false => self.0.optimize(plan, config),
        }
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        self.0.schema_check()
    }
}

fn has_distinct(node: &dyn ExecutionPlan) -> bool {
    let aggregate = node.downcast_ref::<AggregateExec>();
    aggregate.is_some_and(|aggregate| aggregate.aggr_expr().iter().any(|it| it.is_distinct()))
}
