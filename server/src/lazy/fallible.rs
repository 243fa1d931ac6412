//! Which expressions can fail: those with a call that is not known to answer for all values.

use std::any::Any;
use std::sync::Arc;

use arrow::datatypes::{DataType, i256};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, ExprSchemable, Operator, ScalarUDF};
use datafusion::physical_expr::expressions::{
    BinaryExpr, CaseExpr, CastExpr, Column, DynamicFilterPhysicalExpr, InListExpr, IsNotNullExpr, IsNullExpr,
    LambdaExpr, LambdaVariable, LikeExpr, Literal, NotExpr,
};
use datafusion::physical_expr::{HigherOrderFunctionExpr, PhysicalExpr, ScalarFunctionExpr};
use pg::function::BoundFunction;
use pg::library::infallible::{has_room, never_fails};

use super::named_value::is_same;

/// Functions of the engine's that answer for all values.
const ENGINE_FUNCTIONS: &[&str] = &["coalesce", "get_field", "named_struct", "struct", "nullif"];

/// Whether evaluating the expression can be an error. What a subquery in it does is not asked.
pub fn may_fail(expr: &Expr) -> bool {
    may_fail_as(expr, |_| None)
}

/// As [`may_fail`], of an expression on the columns of a plan: their types tell more.
pub fn may_fail_on(expr: &Expr, schema: &DFSchema) -> bool {
    may_fail_as(expr, |node| node.get_type(schema).ok())
}

fn may_fail_as(expr: &Expr, type_of: impl Fn(&Expr) -> Option<DataType>) -> bool {
    let mut found = false;
    let walked = expr.apply(|node| {
        found |= match node {
            Expr::ScalarFunction(ScalarFunction { func, args }) => {
                let constant = |argument| match args.get(argument) {
                    Some(Expr::Literal(value, _)) => Some(value),
                    _ => None,
                };
                call_may_fail(func, constant, || type_of(node))
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
        let constant = |argument: usize| Some(arguments.get(argument)?.downcast_ref::<Literal>()?.value());
        return call_may_fail(call.fun(), constant, || Some(call.return_type().clone()));
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

fn call_may_fail<'a>(
    function: &ScalarUDF,
    constant: impl Fn(usize) -> Option<&'a ScalarValue>,
    result: impl Fn() -> Option<DataType>,
) -> bool {
    let implementation: &dyn Any = function.inner().as_ref();
    let Some(bound) = implementation.downcast_ref::<BoundFunction>() else {
        return !ENGINE_FUNCTIONS.contains(&function.name());
    };
    let function = bound.function();
    let answers = is_same(function)
        || never_fails(function, |argument| constant(argument).is_some())
        || has_room(function, |divisor| constant(divisor).is_some_and(is_not_zero), result);
    !answers
}

fn is_not_zero(value: &ScalarValue) -> bool {
    match value {
        ScalarValue::Decimal128(Some(value), ..) => *value != 0,
        ScalarValue::Decimal256(Some(value), ..) => *value != i256::ZERO,
        _ => false,
    }
}
