//! Conditions compare with constants in one form: these stand on the right, and say nothing of their type but what Arrow
//! does.
//!
//! The engine takes two conditions `a = 1` for a contradiction when they are not written alike: `1 = a`, which it infers of
//! a join's condition, or a constant with its type of PostgreSQL's, as the value of an outer query's column has it.

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// Brings comparisons with constants in filters and joins into one form.
#[derive(Debug, Default)]
pub struct PlainConditions;

impl OptimizerRule for PlainConditions {
    fn name(&self) -> &str {
        "plain_conditions"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match &plan {
            LogicalPlan::Filter(_) | LogicalPlan::Join(_) => plan.map_expressions(|expr| expr.transform_up(plain)),
            _ => Ok(Transformed::no(plan)),
        }
    }
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
