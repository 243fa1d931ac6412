//! Conditions compare with constants in one form: these stand on the right, and say nothing of their type but what Arrow
//! does.
//!
//! The engine takes two conditions `a = 1` of a filter for a contradiction when they are not written alike: `1 = a`, which it
//! infers of a join's condition, or makes of `1 = coalesce(a, b)` where `a` is not NULL, or a constant with its type of
//! PostgreSQL's, as the value of an outer query's column has it.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{BinaryExpr, Expr, Filter, LogicalPlan};

/// Brings the comparisons with constants in a filter, and in filters right below it, into one form.
///
/// # Errors
/// None but bugs.
pub(super) fn with_plain_conditions(filter: Filter) -> Result<Filter> {
    let Filter { predicate, mut input, .. } = filter;
    if let LogicalPlan::Filter(below) = input.as_ref() {
        input = Arc::new(LogicalPlan::Filter(with_plain_conditions(below.clone())?));
    }
    Filter::try_new(predicate.transform_up(plain)?.data, input)
}

fn plain(expr: Expr) -> Result<Transformed<Expr>> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = expr else { return Ok(Transformed::no(expr)) };
    let (left, op, right, is_changed) = match (*left, op.swap(), *right) {
        (Expr::Literal(value, _), Some(swapped), right @ Expr::Column(_)) => {
            (right, swapped, Expr::Literal(value, None), true)
        }
        (left, _, Expr::Literal(value, Some(_))) if op.swap().is_some() => (left, op, Expr::Literal(value, None), true),
        (left, _, right) => (left, op, right, false),
    };
    let expr = Expr::BinaryExpr(BinaryExpr { left: Box::new(left), op, right: Box::new(right) });
    Ok(if is_changed { Transformed::yes(expr) } else { Transformed::no(expr) })
}
