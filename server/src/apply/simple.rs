//! Which correlated subqueries the engine makes a join of.
//!
//! The engine's rules know more forms than these, and refuse some of them only half-way. Here is what they do reliably:
//! conditions of the outer query in one WHERE, below nothing but a projection or, for a scalar subquery, one aggregate over
//! all rows whose conditions are equalities.

use datafusion::common::Result;
use datafusion::common::tree_node::TreeNode;
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
                let sound = split_conjunction(&filter.predicate).into_iter().all(is_plain_condition);
                return Ok(sound && outer_columns(&filter.input)?.is_empty());
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

fn has_outer(expr: &Expr) -> bool {
    let found = expr.exists(|node| {
        Ok(matches!(
            node,
            Expr::OuterReferenceColumn(..) | Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_)
        ))
    });
    found.unwrap_or(true)
}

/// A condition without a subquery in it.
fn is_plain_condition(condition: &Expr) -> bool {
    let nested = condition
        .exists(|node| Ok(matches!(node, Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_))))
        .unwrap_or(true);
    // Subqueries of its own that read nothing from outside are the engine's to plan.
    !nested || !has_any_outer_reference(condition)
}

fn has_any_outer_reference(expr: &Expr) -> bool {
    let found = expr.exists(|node| {
        Ok(match node {
            Expr::OuterReferenceColumn(..) => true,
            Expr::ScalarSubquery(subquery) => !subquery.outer_ref_columns.is_empty(),
            Expr::Exists(exists) => !exists.subquery.outer_ref_columns.is_empty(),
            Expr::InSubquery(found) => !found.subquery.outer_ref_columns.is_empty(),
            _ => false,
        })
    });
    found.unwrap_or(true)
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
