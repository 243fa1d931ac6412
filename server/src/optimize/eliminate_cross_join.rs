//! The engine's rule that puts the conditions of inner joins where they join tables, without losing one.
//!
//! It takes neighbouring inner joins apart into their inputs and the pairs of keys by which these were joined, and joins them
//! anew, each input by the pairs that it and those before it have. A pair of which one side reads several inputs, as in
//! `a JOIN (b JOIN c ON …) ON a.x = b.y + c.z`, is never found again, and lost. For all pairs it takes what the topmost join
//! says of NULL: whether NULL joins NULL (IS NOT DISTINCT FROM) or not (=).

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchemaRef, JoinType, NullEquality, Result};
use datafusion::logical_expr::{Expr, Join, LogicalPlan, Projection};
use datafusion::optimizer::eliminate_cross_join::EliminateCrossJoin;
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// [`EliminateCrossJoin`], over joins that it does not take apart where it would lose a condition.
#[derive(Debug, Default)]
pub struct SafeEliminateCrossJoin(EliminateCrossJoin);

impl OptimizerRule for SafeEliminateCrossJoin {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let safe = plan.transform_down_with_subqueries(kept_apart)?;
        safe.transform_data(|plan| self.0.rewrite(plan, config))
    }
}

/// The node, with what must stay as it is behind a projection, which the rule does not look behind.
fn kept_apart(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    match plan {
        LogicalPlan::Filter(mut filter) => match filter.input.as_ref() {
            // The conditions of a filter are pairs, too.
            LogicalPlan::Join(join) if is_inner(join) && joins_null(join) => {
                filter.input = projected(&filter.input);
                Ok(Transformed::yes(LogicalPlan::Filter(filter)))
            }
            _ => Ok(Transformed::no(LogicalPlan::Filter(filter))),
        },
        LogicalPlan::Join(mut join) if is_inner(&join) => {
            let keeps_left = is_kept(&join, &join.left, |(left, _)| left);
            let keeps_right = is_kept(&join, &join.right, |(_, right)| right);
            if keeps_left {
                join.left = projected(&join.left);
            }
            if keeps_right {
                join.right = projected(&join.right);
            }
            let join = LogicalPlan::Join(join);
            Ok(if keeps_left || keeps_right { Transformed::yes(join) } else { Transformed::no(join) })
        }
        other => Ok(Transformed::no(other)),
    }
}

fn is_inner(join: &Join) -> bool {
    join.join_type == JoinType::Inner
}

fn joins_null(join: &Join) -> bool {
    join.null_equality == NullEquality::NullEqualsNull
}

/// Whether an input of an inner join, itself an inner join, must not be taken apart.
fn is_kept(join: &Join, input: &LogicalPlan, side: fn(&(Expr, Expr)) -> &Expr) -> bool {
    let LogicalPlan::Join(below) = input else { return false };
    if !is_inner(below) {
        return false;
    }
    let mut inputs = Vec::new();
    add_inputs(input, &mut inputs);
    let reads_several = |key: &Expr| {
        let columns = key.column_refs();
        !inputs.iter().any(|schema| columns.iter().all(|column| schema.has_column(column)))
    };
    joins_null(join) != joins_null(below) || join.on.iter().map(side).any(reads_several)
}

/// The schemas of what inner joins join.
fn add_inputs<'a>(plan: &'a LogicalPlan, inputs: &mut Vec<&'a DFSchemaRef>) {
    match plan {
        LogicalPlan::Join(join) if is_inner(join) => {
            add_inputs(&join.left, inputs);
            add_inputs(&join.right, inputs);
        }
        other => inputs.push(other.schema()),
    }
}

/// All columns of a plan.
fn projected(plan: &Arc<LogicalPlan>) -> Arc<LogicalPlan> {
    let schema = plan.schema().clone();
    Arc::new(LogicalPlan::Projection(Projection::new_from_schema(plan.clone(), schema)))
}
