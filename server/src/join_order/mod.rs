//! In which order tables are joined.
//!
//! The engine joins them as the query writes them. Here the optimised plan is cut into regions of joins whose order does not
//! matter to the answer ([`region`]); of each, the size of every possible intermediate result is estimated
//! ([`cardinality`], by what is known of the tables: [`cost`](crate::cost)), and the order is searched that makes
//! the least of them ([`search`]). The order depends on the tables and conditions, not on how the query lists them.
//!
//! Inner joins commute and associate. An outer, semi or anti join is moved as a whole: it belongs to the tables that its condition reads, and may stand
//! anywhere above them, since each row of its left side meets it on its own.

mod cardinality;
mod region;
mod relations;
mod search;
mod tree;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::{OptimizerContext, OptimizerRule};

use cardinality::Cardinalities;
use region::Region;

/// Which joins are put into an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JoinOrdering {
    /// Joins of fewer rows than this stay as they are written: any order is quick. None means that all do.
    pub rows_min: Option<u64>,
}

impl Default for JoinOrdering {
    fn default() -> Self {
        JoinOrdering { rows_min: Some(10_000) }
    }
}

/// With two relations, the engine chooses the side that is built.
const RELATIONS_MIN: usize = 3;

/// The plan with its joins in a good order. What it reads of its inputs is pruned anew.
///
/// # Errors
/// The plan cannot be rebuilt.
pub fn order_joins(plan: LogicalPlan, which: JoinOrdering) -> Result<LogicalPlan> {
    let ordered = ordered(plan, which)?;
    if !ordered.transformed {
        return Ok(ordered.data);
    }
    Ok(OptimizeProjections::new().rewrite(ordered.data, &OptimizerContext::new())?.data)
}

fn ordered(plan: LogicalPlan, which: JoinOrdering) -> Result<Transformed<LogicalPlan>> {
    let below = |plan| ordered(plan, which);
    match Region::of(&plan).filter(|region| region.relations.len() >= RELATIONS_MIN) {
        Some(region) => ordered_region(plan, region, which),
        None => plan.map_subqueries(below)?.transform_sibling(|plan| plan.map_children(below)),
    }
}

fn ordered_region(plan: LogicalPlan, mut region: Region, which: JoinOrdering) -> Result<Transformed<LogicalPlan>> {
    let mut is_changed = false;
    for relation in &mut region.relations {
        let inner = ordered(relation.plan.clone(), which)?;
        is_changed |= inner.transformed;
        relation.plan = inner.data;
    }
    let cardinalities = Cardinalities::of(&region);
    let (found, written) = (search::best(&region, &cardinalities), &region.written);
    let is_worth_it = which.rows_min.is_some_and(|rows_min| cardinalities.largest() >= rows_min as f64);
    let is_better = found.as_ref().is_some_and(|found| {
        // Of orders that cost the same, the one that is written.
        search::cost(found, &region, &cardinalities) < search::cost(written, &region, &cardinalities) * 0.999
    });
    let chosen = match found {
        Some(found) if is_worth_it && is_better => found,
        _ if is_changed => written.clone(),
        _ => return Ok(Transformed::no(plan)),
    };
    // Names that a projection kept apart may meet where it is gone.
    Ok(tree::plan(&chosen, &region, &cardinalities).map_or_else(|_| Transformed::no(plan), Transformed::yes))
}
