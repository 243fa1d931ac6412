//! Evaluates conditions that can fail for the rows alone that the other conditions of the filter let through.
//!
//! The engine splits conditions, moves them to where they can be evaluated first and joins them anew, in an order of its
//! own. That is well as long as none of them can fail. `x <> 0 AND 10 / x > 2` becomes two filters here, whatever became
//! of it on the way.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_expr::{PhysicalExpr, conjunction, split_conjunction};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};

use crate::lazy::{connected_physical, physical_may_fail};

/// Puts conditions that can fail above those that cannot.
#[derive(Debug, Default)]
pub struct GuardFilters;

impl PhysicalOptimizerRule for GuardFilters {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let guarded = plan.transform_up(|node| {
            let Some(filter) = node.downcast_ref::<FilterExec>() else { return Ok(Transformed::no(node)) };
            match guarded(filter, config)? {
                Some(guarded) => Ok(Transformed::yes(guarded)),
                None => Ok(Transformed::no(node)),
            }
        });
        guarded.map(|transformed| transformed.data)
    }

    fn name(&self) -> &str {
        "GuardFilters"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn guarded(filter: &FilterExec, config: &ConfigOptions) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let conditions = split_conjunction(filter.predicate()).into_iter().cloned();
    let (fallible, safe): (Vec<Arc<dyn PhysicalExpr>>, Vec<_>) = conditions.partition(physical_may_fail);
    if fallible.is_empty() || fallible.len() + safe.len() < 2 {
        return Ok(None);
    }
    let mut input = filter.input().clone();
    let predicate = connected_physical(fallible, &input.schema(), config)?;
    if !safe.is_empty() {
        input = Arc::new(FilterExecBuilder::new(conjunction(safe), input).build()?);
    }
    Ok(Some(Arc::new(FilterExecBuilder::from(filter).with_input(input).with_predicate(predicate).build()?)))
}
