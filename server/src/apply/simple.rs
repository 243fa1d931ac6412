//! Which correlated subqueries the engine makes a join of.
//!
//! The engine's rules know more forms than these, and refuse some of them only half-way. Here is what they do reliably:
//! conditions of the outer query in one WHERE, below nothing but a projection or, for a scalar subquery, one aggregate over
//! all rows whose conditions are equalities.

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator};

use super::outer_columns;

/// Whether the engine makes a join of `EXISTS` or `IN` with this subquery in a WHERE over rows with these columns.
///
/// # Errors
/// None of its own.
pub fn decorrelates_filter(subquery: &LogicalPlan, outer: &LogicalPlan) -> Result<bool> {
    if !reads_only(subquery, outer)? {
        return Ok(false);
    }
    let mut node = subquery;
    loop {
        match node {
            LogicalPlan::Projection(projection) if !any_outer(&projection.expr) => node = &projection.input,
            LogicalPlan::Filter(filter) => {
                for condition in split_conjunction(&filter.predicate) {
                    if !is_plain_condition(condition, &filter.input)? {
                        return Ok(false);
                    }
                }
                return Ok(outer_columns(&filter.input)?.is_empty());
            }
            other => return Ok(outer_columns(other)?.is_empty()),
        }
    }
}

/// Whether the engine makes a join of this scalar subquery.
///
/// # Errors
/// None of its own.
pub fn decorrelates_scalar(subquery: &LogicalPlan, outer: &LogicalPlan) -> Result<bool> {
    if !reads_only(subquery, outer)? {
        return Ok(false);
    }
    let mut node = subquery;
    let mut aggregated = false;
    loop {
        match node {
            LogicalPlan::Projection(projection) if !any_outer(&projection.expr) => node = &projection.input,
            LogicalPlan::Aggregate(aggregate) if !aggregated && aggregate.group_expr.is_empty() => {
                if any_outer(&aggregate.aggr_expr) {
                    return Ok(false);
                }
                aggregated = true;
                node = &aggregate.input;
            }
            LogicalPlan::Filter(filter) if aggregated => {
                let sound = split_conjunction(&filter.predicate).into_iter().all(is_equality);
                return Ok(sound && outer_columns(&filter.input)?.is_empty());
            }
            _ => return Ok(false),
        }
    }
}

/// Whether a subquery reads no other outer columns than these rows have.
fn reads_only(subquery: &LogicalPlan, outer: &LogicalPlan) -> Result<bool> {
    Ok(outer_columns(subquery)?.iter().all(|column| outer.schema().has_column(column)))
}

fn any_outer(exprs: &[Expr]) -> bool {
    exprs.iter().any(has_outer)
}

pub(super) fn has_outer(expr: &Expr) -> bool {
    let found = expr.exists(|node| {
        Ok(matches!(
            node,
            Expr::OuterReferenceColumn(..) | Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_)
        ))
    });
    found.unwrap_or(true)
}

/// A condition of `rows` without a subquery in it, or whose subqueries read nothing but these rows: those are the engine's to
/// plan, where the condition ends up too.
fn is_plain_condition(condition: &Expr, rows: &LogicalPlan) -> Result<bool> {
    let (mut nested, mut reads_outside) = (false, false);
    condition.apply(|node| {
        let subquery = match node {
            Expr::ScalarSubquery(subquery) => subquery,
            Expr::Exists(exists) => &exists.subquery,
            Expr::InSubquery(found) => &found.subquery,
            Expr::OuterReferenceColumn(..) => {
                reads_outside = true;
                return Ok(TreeNodeRecursion::Continue);
            }
            _ => return Ok(TreeNodeRecursion::Continue),
        };
        nested = true;
        reads_outside |= !reads_only(&subquery.subquery, rows)?;
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(!nested || !reads_outside)
}

/// A condition that reads nothing from outside, or says that something of the outer query equals something of the inner.
fn is_equality(condition: &Expr) -> bool {
    if !has_outer(condition) {
        return true;
    }
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
            let column = |expr: &Expr| matches!(expr, Expr::Column(_));
            let outer = |expr: &Expr| matches!(expr, Expr::OuterReferenceColumn(..));
            column(left) && outer(right) || outer(left) && column(right)
        }
        _ => false,
    }
}
