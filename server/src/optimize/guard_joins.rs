//! Evaluates conditions of joins that can fail for the pairs of rows alone that the other conditions let through.
//!
//! What [`super::GuardFilters`] is for filters; of a plan that has been optimised, because the engine moves what it can from
//! a join's condition to its inputs first.

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::logical_expr::utils::split_conjunction_owned;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator};

use crate::lazy::{connected, may_fail};

/// The plan with its joins' conditions in an order in which none fails needlessly.
///
/// # Errors
/// The plan cannot be rebuilt.
pub fn guard_joins(plan: LogicalPlan) -> Result<LogicalPlan> {
    let guarded = plan.transform_up_with_subqueries(|node| {
        let LogicalPlan::Join(mut join) = node else { return Ok(Transformed::no(node)) };
        let Some(filter) = join.filter.take() else { return Ok(Transformed::no(LogicalPlan::Join(join))) };
        let needs_guard = may_fail(&filter);
        join.filter = Some(if needs_guard { guarded(filter) } else { filter });
        Ok(Transformed::new_transformed(LogicalPlan::Join(join), needs_guard))
    });
    guarded.data()
}

fn guarded(condition: Expr) -> Expr {
    let (fallible, mut conditions): (Vec<_>, Vec<_>) =
        split_conjunction_owned(condition).into_iter().partition(may_fail);
    conditions.extend(fallible);
    connected(conditions, Operator::And)
}
