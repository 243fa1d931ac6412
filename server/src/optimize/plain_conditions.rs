//! Conditions compare with constants in one form: these stand on the right, and say nothing of their type but what Arrow
//! does.
//!
//! The engine takes two conditions `a = 1` of a filter for a contradiction when they are not written alike: `1 = a`, which it
//! infers of a join's condition, or makes of `1 = coalesce(a, b)` where `a` is not NULL, or a constant with its type of
//! PostgreSQL's, as the value of an outer query's column has it.
//!
//! A column that equals what is computed of it is said to be not distinct from that, and not NULL. Where a filter says that
//! they are equal the engine puts the one for the other in orders that it needs, again and again for `a = a + 1`, and does
//! not find its way back.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::utils::split_conjunction_owned;
use datafusion::logical_expr::{BinaryExpr, Expr, Filter, LogicalPlan, Operator, binary_expr};

/// Brings the comparisons with constants in a filter, and in filters right below it, into one form.
///
/// # Errors
/// None but bugs.
pub(super) fn with_plain_conditions(filter: Filter) -> Result<Transformed<LogicalPlan>> {
    let Filter { predicate, input, .. } = filter;
    let input = match input.as_ref() {
        LogicalPlan::Filter(below) => with_plain_conditions(below.clone())?.update_data(Arc::new),
        _ => Transformed::no(input),
    };
    let predicate = predicate.transform_up(plain)?.transform_data(|plain| {
        let conditions = split_conjunction_owned(plain).into_iter();
        conditions.map(not_in_terms_of_itself).reduce(and).map_or_else(|| internal_err!("no condition"), Ok)
    })?;
    let is_changed = input.transformed || predicate.transformed;
    let filter = LogicalPlan::Filter(Filter::try_new(predicate.data, input.data)?);
    Ok(if is_changed { Transformed::yes(filter) } else { Transformed::no(filter) })
}

fn and(left: Transformed<Expr>, right: Transformed<Expr>) -> Transformed<Expr> {
    let is_changed = left.transformed || right.transformed;
    Transformed::new_transformed(left.data.and(right.data), is_changed)
}

fn not_in_terms_of_itself(condition: Expr) -> Transformed<Expr> {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if computed_of(&left, &right) => {
            Transformed::yes(same(*left, *right))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if computed_of(&right, &left) => {
            Transformed::yes(same(*right, *left))
        }
        other => Transformed::no(other),
    }
}

/// Whether `expr` is computed of the column that `column` is.
fn computed_of(column: &Expr, expr: &Expr) -> bool {
    match column {
        Expr::Column(name) => column != expr && expr.column_refs().contains(name),
        _ => false,
    }
}

fn same(column: Expr, expr: Expr) -> Expr {
    binary_expr(column.clone(), Operator::IsNotDistinctFrom, expr).and(column.is_not_null())
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
