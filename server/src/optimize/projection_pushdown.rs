//! The engine's rule that moves projections towards the scans, without moving what can fail below a filter.
//!
//! `SELECT x, 10 / x FROM t WHERE x <> 0`: a projection that narrows its rows would be evaluated before the filter, for rows
//! that are not asked for. Nor does it move a projection with a lambda in it: the lambda counts the columns of the projection's
//! input, and would take one of another input's for its parameter. Nor does it make a column of one side of a join of a lambda in
//! the join's condition.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::LambdaExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::projection_pushdown::ProjectionPushdown;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::NestedLoopJoinExec;
use datafusion::physical_plan::projection::{ProjectionExec, remove_unnecessary_projections, try_embed_projection};

use crate::lazy::physical_may_fail;

/// [`ProjectionPushdown`], where it does no harm.
#[derive(Debug, Default)]
pub struct SafeProjectionPushdown(ProjectionPushdown);

impl PhysicalOptimizerRule for SafeProjectionPushdown {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        if !plan.exists(|node| Ok(is_at_risk(node)))? {
            return self.0.optimize(plan, config);
        }
        // Parts of a nested loop's condition that read one side stay where they are: with the conditions before them.
        plan.transform_down(pushed_down).data()
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn pushed_down(node: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    if has_lambda(&node) {
        return Ok(Transformed::no(node));
    }
    let Some((projection, filter)) = fallible_over_filter(&node) else { return remove_unnecessary_projections(node) };
    // What the engine makes of it may have lost what the fields say of their types.
    let embedded = try_embed_projection(projection, filter)?.filter(|embedded| embedded.schema() == node.schema());
    Ok(embedded.map_or_else(|| Transformed::no(node.clone()), Transformed::yes))
}

fn is_at_risk(node: &Arc<dyn ExecutionPlan>) -> bool {
    let join_filter = node.downcast_ref::<NestedLoopJoinExec>().and_then(NestedLoopJoinExec::filter);
    has_lambda(node)
        || fallible_over_filter(node).is_some()
        || join_filter
            .is_some_and(|filter| physical_may_fail(filter.expression()) || contains_lambda(filter.expression()))
}

/// Whether it is a projection with a lambda in it.
fn has_lambda(node: &Arc<dyn ExecutionPlan>) -> bool {
    let projection = node.downcast_ref::<ProjectionExec>();
    projection.is_some_and(|it| it.expr().iter().any(|column| contains_lambda(&column.expr)))
}

fn contains_lambda(expr: &Arc<dyn PhysicalExpr>) -> bool {
    expr.exists(|part| Ok(part.is::<LambdaExpr>())).unwrap_or(true)
}

/// A projection that can fail, right above a filter.
fn fallible_over_filter(node: &Arc<dyn ExecutionPlan>) -> Option<(&ProjectionExec, &FilterExec)> {
    let projection = node.downcast_ref::<ProjectionExec>()?;
    let filter = projection.input().downcast_ref::<FilterExec>()?;
    projection.expr().iter().any(|column| physical_may_fail(&column.expr)).then_some((projection, filter))
}
