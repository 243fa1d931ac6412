//! A function with the types it was resolved for, as the engine calls it.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::config::ConfigOptions;
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::interval_arithmetic::Interval;
use datafusion_expr::preimage::PreimageResult;
use datafusion_expr::simplify::SimplifyContext;
use datafusion_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature,
    Volatility,
};

use super::{ArgumentShape, Call, CastContext, Function, Kernel, Method};
use crate::error::PgError;
use crate::expression_type::Type;
use crate::session::SessionValues;

/// A function with the types it was resolved for.
#[derive(Debug)]
pub struct BoundFunction {
    function: &'static Function,
    types: Vec<Type>,
    result: Type,
    context: CastContext,
    signature: Signature,
}

/// The function, computed by its kernel, for arguments of these types. The result must have the type that was found when
/// the call was resolved.
pub fn bind(function: &'static Function, types: Vec<Type>, result: Type, context: CastContext) -> ScalarUDF {
    let arity = if types.is_empty() { TypeSignature::Nullary } else { TypeSignature::Any(types.len()) };
    let signature = Signature::new(arity, function.volatility);
    ScalarUDF::new_from_impl(BoundFunction { function, types, result, context, signature })
}

impl BoundFunction {
    /// The entry it was made of.
    pub fn function(&self) -> &'static Function {
        self.function
    }

    /// The types of its arguments.
    pub fn types(&self) -> &[Type] {
        &self.types
    }

    /// The type of its results.
    pub fn result(&self) -> &Type {
        &self.result
    }

    fn kernel(&self) -> Result<Kernel, PgError> {
        match self.function.method {
            Method::Kernel(kernel) => Ok(kernel),
            _ => Err(PgError::internal(format!("{} has no kernel", self.function.name))),
        }
    }

    fn is_operator(&self) -> bool {
        !self.function.name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    }
}

/// What a call may know of the session.
fn session_of(options: &ConfigOptions) -> Option<&SessionValues> {
    options.extensions.get::<SessionValues>()
}

fn shape<'a>(ty: &'a Type, argument: &'a Expr) -> ArgumentShape<'a> {
    let constant = match argument {
        Expr::Literal(value, _) => Some(value),
        _ => None,
    };
    ArgumentShape { ty, constant }
}

impl PartialEq for BoundFunction {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.function, other.function)
            && self.types == other.types
            && self.result == other.result
            && self.context == other.context
    }
}

impl Eq for BoundFunction {}

impl Hash for BoundFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
        self.types.hash(state);
        self.result.hash(state);
    }
}

impl ScalarUDFImpl for BoundFunction {
    fn name(&self) -> &str {
        self.function.name
    }

    fn display_name(&self, arguments: &[Expr]) -> Result<String> {
        self.schema_name(arguments)
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        let name = self.function.name;
        Ok(match (arguments, self.is_operator()) {
            ([left, right], true) => format!("({left} {name} {right})"),
            ([operand], true) => format!("({name} {operand})"),
            ([operand], false) if name == "cast" => format!("{operand}::{}", self.result.name()),
            _ => {
                let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
                format!("{name}({})", arguments.join(", "))
            }
        })
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.result.arrow.clone())
    }

    fn return_field_from_args(&self, _arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(self.result.field(self.function.name)))
    }

    /// A cast that was written is left alone: its errors are asked for.
    fn preimage(&self, arguments: &[Expr], constant: &Expr, _info: &SimplifyContext) -> Result<PreimageResult> {
        let (Some(preimage), CastContext::Implicit) = (self.function.preimage, self.context) else {
            return Ok(PreimageResult::None);
        };
        let (Some(expr), Expr::Literal(constant, _)) = (arguments.last(), constant) else {
            return Ok(PreimageResult::None);
        };
        let shapes: Vec<_> = self.types.iter().zip(arguments).map(|(ty, argument)| shape(ty, argument)).collect();
        Ok(match preimage(&shapes, constant) {
            Some((first, end)) => {
                PreimageResult::Range { expr: expr.clone(), interval: Box::new(Interval::try_new(first, end)?) }
            }
            None => PreimageResult::None,
        })
    }

    /// Any value of the type. Without it, the engine does not know in which order comparisons of results are.
    fn evaluate_bounds(&self, _arguments: &[&Interval]) -> Result<Interval> {
        Interval::make_unbounded(&self.result.arrow)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = self.function.volatility != Volatility::Volatile
            && arguments.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { arguments.number_rows };
        let session = session_of(&arguments.config_options);
        session.map_or(Ok(()), |session| session.interrupt.check())?;
        let _entered = session.and_then(SessionValues::enter);
        let options = Some(arguments.config_options.clone());
        let mut call = Call::new(self.types.clone(), self.result.clone(), &arguments.args, rows, options)?;
        call.context = self.context;
        let results = self.kernel()?(&call)?;
        debug_assert_eq!(results.len(), rows, "{}", self.function.name);
        if results.data_type() != &self.result.arrow {
            let message =
                format!("{} gave {} in place of {}", self.function.name, results.data_type(), self.result.arrow);
            return Err(PgError::internal(message).into());
        }
        Ok(match constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&results, 0)?),
            false => ColumnarValue::Array(results),
        })
    }
}
