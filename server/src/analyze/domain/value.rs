//! The call in a plan that checks the values of a domain.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use pg::error::PgError;
use pg::{SessionValues, Type};

use super::constraints::Constraints;
use crate::analyze::typed::Typed;

/// Answers its argument once that has been checked.
#[derive(Debug)]
struct DomainValue {
    ty: Type,
    constraints: Constraints,
    signature: Signature,
}

/// The value as one of a type, of which this has to be true.
pub fn domain_value(value: Typed, ty: Type, constraints: Constraints) -> Typed {
    // A condition may ask for the time or for other types.
    let signature = Signature::any(1, Volatility::Stable);
    let call = DomainValue { ty: ty.clone(), constraints, signature };
    Typed::new(ScalarUDF::new_from_impl(call).call(vec![value.expr]), ty)
}

/// Within a statement a type has one definition.
impl PartialEq for DomainValue {
    fn eq(&self, other: &Self) -> bool {
        self.ty == other.ty
    }
}

impl Eq for DomainValue {}

impl Hash for DomainValue {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.ty.hash(state);
    }
}

impl ScalarUDFImpl for DomainValue {
    fn name(&self) -> &str {
        "domain_value"
    }

    fn schema_name(&self, arguments: &[datafusion::logical_expr::Expr]) -> Result<String> {
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        Ok(format!("domain_value({}, {})", arguments.join(", "), self.ty.oid))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.ty.arrow.clone())
    }

    fn return_field_from_args(&self, _arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(self.ty.field("domain_value")))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let session = arguments.config_options.extensions.get::<SessionValues>();
        let _entered = session.and_then(SessionValues::enter);
        let value = arguments.args.into_iter().next();
        let value = value.ok_or_else(|| PgError::internal("a domain lacks its value"))?;
        match &value {
            ColumnarValue::Array(array) => self.constraints.check(array)?,
            ColumnarValue::Scalar(scalar) => self.constraints.check(&ScalarValue::to_array(scalar)?)?,
        }
        Ok(value)
    }
}
