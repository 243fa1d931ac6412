//! The engine's rule that moves filters towards the scans, without moving a condition that reads no column below what has rows
//! whatever it says: an aggregate that has a row of no rows, and a common table that is computed once for all that read it.
//!
//! `SELECT count(*) FROM t HAVING false`: the engine takes a condition that reads no column for one on what is grouped by, and
//! asks it of the rows of `t`. Where it does not hold, an aggregate of all rows, or one with an empty grouping set, then has a
//! row all the same. A condition that is known to be constant while the plan is made does not come here, but there are those
//! that read a column at first, as `coalesce(1, max(a)) = 2` does, or one of an outer query, whose value is put in its place.

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Filter, LogicalPlan};
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use crate::spool::Spool;

/// [`PushDownFilter`], where it does no harm.
#[derive(Debug, Default)]
pub struct SafePushDownFilter(PushDownFilter);

impl OptimizerRule for SafePushDownFilter {
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
        let Some((of_all_rows, others, input)) = conditions_of_all_rows(&plan) else {
            return self.0.rewrite(plan, config);
        };
        let below = match conjunction(others) {
            Some(others) => self.0.rewrite(filtered(others, input)?, config)?,
            None => Transformed::no(input),
        };
        match conjunction(of_all_rows) {
            Some(condition) => below.map_data(|below| filtered(condition, below)),
            None => Ok(below),
        }
    }
}

fn filtered(condition: Expr, plan: LogicalPlan) -> Result<LogicalPlan> {
    Ok(LogicalPlan::Filter(Filter::try_new(condition, plan.into())?))
}

/// The conditions of filters over a node whose rows do not depend on them, those that read no column first, and the node; if
/// there are such conditions.
fn conditions_of_all_rows(plan: &LogicalPlan) -> Option<(Vec<Expr>, Vec<Expr>, LogicalPlan)> {
    let mut conditions = Vec::new();
    let mut node = plan;
    while let LogicalPlan::Filter(filter) = node {
        conditions.extend(split_conjunction_owned(filter.predicate.clone()));
        node = &filter.input;
    }
    let has_rows = match node {
        LogicalPlan::Aggregate(it) => {
            it.group_expr.is_empty() || matches!(it.group_expr.as_slice(), [Expr::GroupingSet(_)])
        }
        LogicalPlan::Extension(extension) => extension.node.as_any().is::<Spool>(),
        _ => false,
    };
    let (of_all_rows, others): (Vec<_>, Vec<_>) =
        conditions.into_iter().partition(|condition| condition.column_refs().is_empty());
    (has_rows && !of_all_rows.is_empty()).then(|| (of_all_rows, others, node.clone()))
}
