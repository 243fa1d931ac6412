//! Which cursors go backward when nobody has said whether they are to.

use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan};
use sqlparser::ast::{Query, SetExpr};

use crate::apply::Apply;
use crate::computed_limit::ComputedLimit;
use crate::set_returning::ProjectSet;
use crate::spool::Spool;

/// Whether PostgreSQL would execute the plan of this query backward (its `ExecSupportsBackwardScan`), as far as a plan here
/// tells: scans, what computes row by row above them, and whatever is sorted; not joins, groups and the like, nor one row of
/// constants.
pub fn goes_backward(query: &Query, plan: &LogicalPlan) -> bool {
    let reads = matches!(query.body.as_ref(), SetExpr::Select(select) if !select.from.is_empty());
    plan_goes_backward(plan, reads)
}

/// `reads`: whether the query has a FROM, so that functions over nothing are in it.
fn plan_goes_backward(plan: &LogicalPlan, reads: bool) -> bool {
    let goes = |input: &LogicalPlan| plan_goes_backward(input, reads);
    match plan {
        LogicalPlan::TableScan(_) | LogicalPlan::Sort(_) => true,
        LogicalPlan::Values(values) => values.values.len() > 1,
        LogicalPlan::Filter(filter) => {
            !split_conjunction(&filter.predicate).into_iter().any(becomes_join) && goes(&filter.input)
        }
        LogicalPlan::Projection(projection) => goes(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => goes(&alias.input),
        LogicalPlan::Limit(limit) => goes(&limit.input),
        LogicalPlan::Union(union) => union.inputs.iter().all(|input| goes(input)),
        LogicalPlan::Extension(extension) => {
            let (node, inputs) = (extension.node.as_any(), extension.node.inputs());
            let passes_rows = node.is::<ComputedLimit>() || node.is::<Apply>();
            node.is::<Spool>()
                || node.is::<ProjectSet>() && reads && matches!(inputs.as_slice(), [LogicalPlan::EmptyRelation(_)])
                || passes_rows && inputs.first().is_some_and(|input| goes(input))
        }
        _ => false,
    }
}

/// IN and EXISTS of a subquery, which PostgreSQL makes joins of; NOT IN it does not.
fn becomes_join(condition: &Expr) -> bool {
    match condition {
        Expr::InSubquery(subquery) => !subquery.negated,
        Expr::Exists(_) => true,
        Expr::Not(condition) => matches!(condition.as_ref(), Expr::Exists(_)),
        _ => false,
    }
}
