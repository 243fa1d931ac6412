//! Comparisons with what is constant once the columns of an outer query have values.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{BinaryExpr, Expr, Volatility};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;

/// The expression with its comparisons' constant sides computed, saying no more of their types than Arrow does.
///
/// Of `length('a') <> b AND 1 = b` the engine makes `b = 1`: two constants that are not written alike it takes for different
/// ones, and what it has computed itself says what type of PostgreSQL's it has.
///
/// # Errors
/// None but bugs.
pub(super) fn with_plain_constants(expr: Expr) -> Result<Transformed<Expr>> {
    expr.transform_up(|node| match node {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if op.swap().is_some() => {
            let (left, right) = (Box::new(plain_constant(*left)?), Box::new(plain_constant(*right)?));
            Ok(Transformed::yes(Expr::BinaryExpr(BinaryExpr { left, op, right })))
        }
        other => Ok(Transformed::no(other)),
    })
}

fn plain_constant(side: Expr) -> Result<Expr> {
    if let Expr::Literal(value, _) = side {
        return Ok(Expr::Literal(value, None));
    }
    if side.exists(|node| Ok(!is_same_everywhere(node)))? {
        return Ok(side);
    }
    let simplifier = ExprSimplifier::new(SimplifyContext::builder().with_schema(Arc::new(DFSchema::empty())).build());
    // What fails, if it does, fails where it is evaluated.
    match simplifier.simplify(side.clone()) {
        Ok(Expr::Literal(value, _)) => Ok(Expr::Literal(value, None)),
        _ => Ok(side),
    }
}

/// Whether a node has one value for all rows, and in all sessions, as far as it depends on itself.
fn is_same_everywhere(node: &Expr) -> bool {
    match node {
        Expr::ScalarFunction(call) => call.func.signature().volatility == Volatility::Immutable,
        Expr::Column(_)
        | Expr::OuterReferenceColumn(..)
        | Expr::Placeholder(_)
        | Expr::ScalarVariable(..)
        | Expr::ScalarSubquery(_)
        | Expr::Exists(_)
        | Expr::InSubquery(_)
        | Expr::SetComparison(_)
        | Expr::AggregateFunction(_)
        | Expr::WindowFunction(_) => false,
        _ => true,
    }
}
