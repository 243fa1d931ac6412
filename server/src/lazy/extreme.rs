//! GREATEST and LEAST: the first of the values that none of the others beats, NULLs left out.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::compute::cast;
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::FieldRef;
use datafusion::common::Result;
use datafusion::logical_expr::expr::{HigherOrderFunction, Lambda};
use datafusion::logical_expr::{
    ColumnarValue, Expr, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature, HigherOrderUDF,
    HigherOrderUDFImpl, LambdaParametersProgress, ValueOrLambda, Volatility,
};
use pg::{PgError, Type};

use super::named_value::of_known_type;
use super::variable;
use crate::analyze::Typed;

/// What the candidate and the best value so far are called in the comparison.
const NAMES: [&str; 2] = ["#candidate", "#best"];

/// The best of values of one type. `beats` compares a candidate with the best value so far; neither is NULL where its
/// answer counts.
///
/// # Errors
/// Those of `beats`.
pub fn extreme<E>(
    name: &'static str,
    values: Vec<Typed>,
    beats: impl FnOnce(Typed, Typed) -> Result<Typed, E>,
) -> Result<Typed, E> {
    let Some(ty) = values.first().map(|value| value.ty.clone()) else { return Ok(Typed::null()) };
    let [candidate, best] = NAMES.map(|name| variable(name, &ty));
    let comparison = beats(candidate, best)?.expr;
    let mut arguments: Vec<_> = values.into_iter().map(|value| value.expr).collect();
    arguments.push(Expr::Lambda(Lambda::new(NAMES.map(str::to_owned).to_vec(), comparison)));
    let function = Arc::new(HigherOrderUDF::new_from_impl(Extreme::new(name, ty.clone())));
    Ok(of_known_type(Expr::HigherOrderFunction(HigherOrderFunction::new(function, arguments)), ty))
}

/// Values, and the comparison of two.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Extreme {
    name: &'static str,
    ty: Type,
    signature: HigherOrderSignature,
}

impl Extreme {
    fn new(name: &'static str, ty: Type) -> Self {
        Extreme { name, ty, signature: HigherOrderSignature::variadic_any(Volatility::Immutable) }
    }
}

impl HigherOrderUDFImpl for Extreme {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn lambda_parameters(
        &self,
        _step: usize,
        _fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        let value = Arc::new(self.ty.field(""));
        Ok(LambdaParametersProgress::Complete(vec![vec![value.clone(), value]]))
    }

    fn return_field_from_args(&self, _arguments: HigherOrderReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(self.ty.field(self.name)))
    }

    fn clear_null_values(&self) -> bool {
        false
    }

    fn invoke_with_args(&self, arguments: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let mut parts = arguments.args;
        let Some(ValueOrLambda::Lambda(beats)) = parts.pop() else { return Err(incomplete()) };
        let mut best: Option<ArrayRef> = None;
        for part in parts {
            let ValueOrLambda::Value(value) = part else { return Err(incomplete()) };
            let value = cast(&value.into_array(rows)?, &self.ty.arrow)?;
            let Some(before) = best else {
                best = Some(value);
                continue;
            };
            let beaten =
                beats.evaluate(&[&|| Ok(value.clone()), &|| Ok(before.clone())], |columns| Ok(columns.to_vec()))?;
            let beaten = beaten.into_array(rows)?;
            let beaten = beaten.as_any().downcast_ref::<BooleanArray>().ok_or_else(incomplete)?;
            let (value_nulls, before_nulls) = (value.logical_nulls(), before.logical_nulls());
            let is_null =
                |nulls: &Option<arrow::buffer::NullBuffer>, row| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
            let taken: BooleanArray = (0..rows)
                .map(|row| {
                    let better = is_null(&before_nulls, row) || beaten.is_valid(row) && beaten.value(row);
                    Some(better && !is_null(&value_nulls, row))
                })
                .collect();
            best = Some(zip(&taken, &value, &before)?);
        }
        Ok(ColumnarValue::Array(best.ok_or_else(incomplete)?))
    }
}

fn incomplete() -> datafusion::error::DataFusionError {
    PgError::internal("GREATEST and LEAST need values of one type and a comparison").into()
}
