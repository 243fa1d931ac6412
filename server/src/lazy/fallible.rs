//! Which expressions can fail: those with a call that is not known to answer for all values.

use std::any::Any;
use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, Operator, ScalarUDF};
use datafusion::physical_expr::expressions::{
    BinaryExpr, CaseExpr, CastExpr, Column, DynamicFilterPhysicalExpr, InListExpr, IsNotNullExpr, IsNullExpr,
    LambdaExpr, LambdaVariable, LikeExpr, Literal, NotExpr,
};
use datafusion::physical_expr::{HigherOrderFunctionExpr, PhysicalExpr, ScalarFunctionExpr};
use pg::function::BoundFunction;
use pg::library::infallible::never_fails;

use super::named_value::is_same;

/// Functions of the engine's that answer for all values.
const ENGINE_FUNCTIONS: &[&str] = &["coalesce", "get_field", "named_struct", "struct", "nullif"];

/// Whether evaluating the expression can be an error. What a subquery in it does is not asked.
pub fn may_fail(expr: &Expr) -> bool {
    let mut found = false;
    let walked = expr.apply(|node| {
        found |= match node {
            Expr::ScalarFunction(ScalarFunction { func, args }) => {
                call_may_fail(func, |argument| matches!(args.get(argument), Some(Expr::Literal(..))))
            }
            Expr::BinaryExpr(binary) => !always_answers(binary.op),
            Expr::Negative(_) => true,
            _ => false,
        };
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    found || walked.is_err()
}

/// As [`may_fail`], of an expression that has been planned.
pub fn physical_may_fail(expr: &Arc<dyn PhysicalExpr>) -> bool {
    let mut found = false;
    let walked = expr.apply(|node| {
        found |= node_may_fail(node);
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    found || walked.is_err()
}

fn node_may_fail(node: &Arc<dyn PhysicalExpr>) -> bool {
    if let Some(call) = node.downcast_ref::<ScalarFunctionExpr>() {
        let arguments = call.args();
        return call_may_fail(call.fun(), |argument| {
            arguments.get(argument).is_some_and(|argument| argument.is::<Literal>())
        });
    }
    if let Some(binary) = node.downcast_ref::<BinaryExpr>() {
        return !always_answers(*binary.op());
    }
    let known = node.is::<Column>()
        || node.is::<Literal>()
        || node.is::<LambdaVariable>()
        || node.is::<LambdaExpr>()
        || node.is::<HigherOrderFunctionExpr>()
        || node.is::<NotExpr>()
        || node.is::<IsNullExpr>()
        || node.is::<IsNotNullExpr>()
        || node.is::<InListExpr>()
        || node.is::<LikeExpr>()
        || node.is::<CaseExpr>()
        || node.is::<CastExpr>()
        || node.is::<DynamicFilterPhysicalExpr>();
    !known
}

/// Whether it is a comparison, or connects conditions.
fn always_answers(operator: Operator) -> bool {
    use Operator::*;
    matches!(operator, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom | And | Or)
}

fn call_may_fail(function: &ScalarUDF, constant: impl Fn(usize) -> bool) -> bool {
    let implementation: &dyn Any = function.inner().as_ref();
    match implementation.downcast_ref::<BoundFunction>() {
        Some(bound) => !(is_same(bound.function()) || never_fails(bound.function(), constant)),
        None => !ENGINE_FUNCTIONS.contains(&function.name()),
    }
}
