//! Calls with VARIADIC: `concat(VARIADIC array)` (`func_get_detail` and `make_fn_arguments` for `func_variadic`).

use datafusion::logical_expr::Expr;
use pg::error::PgError;
use pg::function::{CastContext, Function};
use pg::sqlstate::SqlState;
use pg::types::*;
use pg::{Type, library};
use sqlparser::ast;

use crate::analyze::Analyzer;
use crate::analyze::call::{result_type, signature};
use crate::analyze::resolve::{Candidate, Choice, choose};
use crate::analyze::typed::Typed;
use crate::error::Result;

/// Forms of the grammar that look like functions.
const NO_FUNCTIONS: &[&str] =
    &["coalesce", "greatest", "least", "nullif", "nvl", "nvl2", "decode", "row", "grouping", "array"];

impl Analyzer<'_> {
    /// A call whose last argument is an array of the arguments that the function takes any number of.
    pub(super) fn variadic_call(&mut self, name: &str, arguments: Vec<Typed>, whole: &ast::Expr) -> Result<Typed> {
        if NO_FUNCTIONS.contains(&name) {
            let error = PgError::new(SqlState::SYNTAX_ERROR, "syntax error at or near \"VARIADIC\"");
            return Err(self.at(error, whole));
        }
        self.spread_call(name, arguments).map_err(|error| self.at(error, whole))
    }

    fn spread_call(&mut self, name: &str, mut arguments: Vec<Typed>) -> pg::error::Result<Typed> {
        let types: Vec<_> = arguments.iter().map(|argument| argument.ty.clone()).collect();
        let function = variadic_function(name, &types)?;
        let Some(last) = arguments.pop() else { return Err(PgError::internal("VARIADIC lacks its argument")) };
        let (element, fixed) =
            function.arguments.split_last().ok_or_else(|| PgError::internal("VARIADIC of nothing"))?;
        let array = match (*element, element_type(last.ty.oid)) {
            (ANY, Some(_)) => last,
            (ANY, None) => {
                let message = "VARIADIC argument must be an array";
                return Err(PgError::new(SqlState::DATATYPE_MISMATCH, message));
            }
            (element, _) => {
                let wanted = array_type(element).ok_or_else(|| PgError::internal("there is no such array"))?;
                self.coerce(last, &Type::of(wanted), CastContext::Implicit)?
            }
        };
        let (fixed, polymorphic) = self.cast_arguments(fixed, arguments)?;
        if function.shape.is_some() {
            return Err(PgError::not_supported(format!("VARIADIC in a call of {name}")));
        }
        let result = result_type(function.result, &polymorphic)?;
        let fixed_types = fixed.iter().map(|argument| argument.ty.clone()).collect();
        let udf = library::array::spread(function, fixed_types, array.ty.clone(), result.clone())?;
        let values: Vec<Expr> = fixed.into_iter().chain([array]).map(|argument| argument.expr).collect();
        Ok(Typed::new(udf.call(values), result))
    }
}

/// The variadic function of this name that takes such arguments, the last as an array.
fn variadic_function(name: &str, types: &[Type]) -> pg::error::Result<&'static Function> {
    let actual: Vec<_> = types.iter().map(|ty| ty.oid).collect();
    let mut candidates = Vec::new();
    for function in library::functions(name) {
        if !function.variadic || function.arguments.len() != actual.len() {
            continue;
        }
        let mut arguments = function.arguments.to_vec();
        if let Some(last) = arguments.last_mut()
            && *last != ANY
        {
            *last = array_type(*last).unwrap_or(ANYARRAY);
        }
        candidates.push(Candidate { entry: *function, arguments, variadic: false });
    }
    match choose(candidates, &actual) {
        Choice::One(found) => Ok(found.entry),
        Choice::Ambiguous => {
            let message = format!("function {} is not unique", signature(name, &types.iter().collect::<Vec<_>>()));
            Err(PgError::new(SqlState::AMBIGUOUS_FUNCTION, message))
        }
        Choice::None => {
            let message = format!("function {} does not exist", signature(name, &types.iter().collect::<Vec<_>>()));
            Err(PgError::new(SqlState::UNDEFINED_FUNCTION, message).with_hint(
                "No function matches the given name and argument types. You might need to add explicit type casts.",
            ))
        }
    }
}
