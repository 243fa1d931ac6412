//! A value that is evaluated once and stands in several places of an expression.

use std::sync::Arc;

use arrow::compute::cast;
use arrow::datatypes::FieldRef;
use datafusion::common::Result;
use datafusion::logical_expr::expr::{HigherOrderFunction, Lambda, LambdaVariable};
use datafusion::logical_expr::{
    ColumnarValue, Expr, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature, HigherOrderUDF,
    HigherOrderUDFImpl, LambdaParametersProgress, ValueOrLambda, Volatility,
};
use pg::function::{CastContext, Function, bind, function};
use pg::types::ANY;
use pg::{PgError, Type};

use crate::analyze::Typed;

/// An expression in which `value` of type `ty` stands several times: `body` is given what stands for it. A column or a
/// constant stands for itself; anything else is evaluated once, under a name. Bodies that name values themselves hide the
/// names around them, so the name may be the same everywhere, and equal expressions stay equal.
///
/// # Errors
/// Those of `body`.
pub fn bound_once<E>(value: Typed, name: &str, body: impl FnOnce(Typed) -> Result<Typed, E>) -> Result<Typed, E> {
    if is_trivial(&value.expr) {
        return body(value);
    }
    let of = value.ty;
    let Typed { expr: body, ty } = body(variable(name, &of))?;
    let named = Arc::new(HigherOrderUDF::new_from_impl(NamedValue::new(of)));
    let body = Expr::Lambda(Lambda::new(vec![name.to_owned()], body));
    let call = Expr::HigherOrderFunction(HigherOrderFunction::new(named, vec![value.expr, body]));
    Ok(of_known_type(call, ty))
}

/// Its argument.
static SAME: Function = function("value", &[ANY], ANY, |call| call.array(0));

/// A call with lambdas, behind a function without any: the engine wants to know of what type the operands of a comparison
/// are that it orders by, and cannot say it of a call with lambdas.
pub(super) fn of_known_type(call: Expr, ty: Type) -> Typed {
    let same = bind(&SAME, vec![ty.clone()], ty.clone(), CastContext::Implicit);
    Typed::new(same.call(vec![call]), ty)
}

/// Whether it is the function that answers its argument.
pub(super) fn is_same(function: &Function) -> bool {
    std::ptr::eq(function, &SAME)
}

/// What stands for a value of this type in the body that names it.
pub fn variable(name: &str, ty: &Type) -> Typed {
    let field = Some(Arc::new(ty.field(name)));
    Typed::new(Expr::LambdaVariable(LambdaVariable::new(name.to_owned(), field)), ty.clone())
}

fn is_trivial(value: &Expr) -> bool {
    matches!(
        value,
        Expr::Column(_)
            | Expr::Literal(..)
            | Expr::OuterReferenceColumn(..)
            | Expr::Placeholder(_)
            | Expr::LambdaVariable(_)
    )
}

/// A value and the body that reads it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct NamedValue {
    ty: Type,
    signature: HigherOrderSignature,
}

impl NamedValue {
    fn new(ty: Type) -> Self {
        NamedValue { ty, signature: HigherOrderSignature::variadic_any(Volatility::Immutable) }
    }
}

impl HigherOrderUDFImpl for NamedValue {
    fn name(&self) -> &str {
        "with_value"
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn lambda_parameters(
        &self,
        _step: usize,
        _fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        Ok(LambdaParametersProgress::Complete(vec![vec![Arc::new(self.ty.field(""))]]))
    }

    fn return_field_from_args(&self, arguments: HigherOrderReturnFieldArgs<'_>) -> Result<FieldRef> {
        match arguments.arg_fields.get(1) {
            Some(ValueOrLambda::Lambda(body)) => Ok(body.clone()),
            _ => Err(PgError::internal("a named value lacks its body").into()),
        }
    }

    fn clear_null_values(&self) -> bool {
        false
    }

    fn short_circuits(&self) -> bool {
        true
    }

    fn conditional_arguments<'a>(&self, arguments: &'a [Expr]) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        let (value, body) = arguments.split_at(arguments.len().min(1));
        Some((value.iter().collect(), body.iter().collect()))
    }

    fn invoke_with_args(&self, arguments: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let mut parts = arguments.args.into_iter();
        let (Some(ValueOrLambda::Value(value)), Some(ValueOrLambda::Lambda(body))) = (parts.next(), parts.next())
        else {
            return Err(PgError::internal("a named value needs a value and a body").into());
        };
        // Whatever an optimiser or a file made of the value, the body was planned for the type's own array.
        let value = cast(&value.into_array(rows)?, &self.ty.arrow)?;
        body.evaluate(&[&|| Ok(value.clone())], |columns| Ok(columns.to_vec()))
    }
}
