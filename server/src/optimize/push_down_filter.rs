//! The engine's rule that moves filters towards the scans, without moving a condition that reads no column below what has rows
//! whatever it says: an aggregate that has a row of no rows, and a common table that is computed once for all that read it.
//!
//! `SELECT count(*) FROM t HAVING false`: the engine takes a condition that reads no column for one on what is grouped by, and
//! asks it of the rows of `t`. Where it does not hold, an aggregate of all rows, or one with an empty grouping set, then has a
//! row all the same. A condition that is known to be constant while the plan is made does not come here, but there are those
//! that read a column at first, as `coalesce(1, max(a)) = 2` does, or one of an outer query, whose value is put in its place.
//!
//! Comparisons with constants are brought into one form before, without which the engine finds contradictions that are none.
//!
//! A condition that is another each time stays above what makes one row of several.

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Filter, LogicalPlan};
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::plain_conditions::with_plain_conditions;
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
        let plan = match plan {
            LogicalPlan::Filter(filter) => with_plain_conditions(filter)?,
            other => Transformed::no(other),
        };
        plan.transform_data(|plan| self.push_down(plan, config))
    }
}

impl SafePushDownFilter {
    fn push_down(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let Some((kept, others, input)) = kept_conditions(&plan) else { return self.0.rewrite(plan, config) };
        let below = match conjunction(others) {
            Some(others) => self.0.rewrite(filtered(others, input)?, config)?,
            None => Transformed::no(input),
        };
        match conjunction(kept) {
            Some(condition) => below.map_data(|below| filtered(condition, below)),
            None => Ok(below),
        }
    }
}

fn filtered(condition: Expr, plan: LogicalPlan) -> Result<LogicalPlan> {
    Ok(LogicalPlan::Filter(Filter::try_new(condition, plan.into())?))
}

/// The conditions of filters over a node, those first that must not go below it, and the node; if there are such conditions.
fn kept_conditions(plan: &LogicalPlan) -> Option<(Vec<Expr>, Vec<Expr>, LogicalPlan)> {
    let mut conditions = Vec::new();
    let mut node = plan;
    while let LogicalPlan::Filter(filter) = node {
        conditions.extend(split_conjunction_owned(filter.predicate.clone()));
        node = &filter.input;
    }
    // Whether it has rows whatever is asked of them, and whether it makes one row of several.
    let (has_rows, is_grouped) = match node {
        LogicalPlan::Aggregate(it) => {
            (it.group_expr.is_empty() || matches!(it.group_expr.as_slice(), [Expr::GroupingSet(_)]), true)
        }
        LogicalPlan::Distinct(_) => (false, true),
        LogicalPlan::Extension(extension) => (extension.node.as_any().is::<Spool>(), false),
        _ => (false, false),
    };
    let (kept, others): (Vec<_>, Vec<_>) = conditions
        .into_iter()
        .partition(|condition| has_rows && condition.column_refs().is_empty() || is_grouped && condition.is_volatile());
    (!kept.is_empty()).then(|| (kept, others, node.clone()))
}
