//! Functions whose value is the session's: `current_user`, `current_database()`, `version()` …

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::server::SERVER_VERSION;
use crate::session::Identity;

/// What the functions say of a session.
#[derive(Debug, Clone)]
pub struct SessionFacts {
    identity: Arc<Identity>,
    schema: Option<String>,
}

impl SessionFacts {
    /// Of a session whose new relations go into `schema`.
    pub fn new(identity: Arc<Identity>, schema: Option<String>) -> Self {
        SessionFacts { identity, schema }
    }

    /// The function of this name, if it is one of the session's.
    pub fn function(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        let text = |value: &str| ScalarValue::Utf8(Some(value.to_owned()));
        let value = match name {
            "current_user" | "session_user" | "user" | "current_role" => text(&self.identity.user),
            "current_database" | "current_catalog" => text(&self.identity.database),
            "current_schema" => ScalarValue::Utf8(self.schema.clone()),
            "pg_backend_pid" => ScalarValue::Int32(Some(self.identity.process_id)),
            "version" => text(&format!(
                "PostgreSQL {SERVER_VERSION} (Thermocline {}) on {}-{}",
                env!("CARGO_PKG_VERSION"),
                std::env::consts::ARCH,
                std::env::consts::OS
            )),
            _ => return None,
        };
        Some(Arc::new(ScalarUDF::from(SessionConstant::new(name, value))))
    }
}

/// A function without arguments that has one value as long as the statement runs.
#[derive(Debug)]
struct SessionConstant {
    name: String,
    value: ScalarValue,
    signature: Signature,
}

impl SessionConstant {
    fn new(name: &str, value: ScalarValue) -> Self {
        SessionConstant { name: name.to_owned(), value, signature: Signature::nullary(Volatility::Stable) }
    }
}

impl PartialEq for SessionConstant {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.value == other.value
    }
}

impl Eq for SessionConstant {}

impl Hash for SessionConstant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.value.hash(state);
    }
}

impl ScalarUDFImpl for SessionConstant {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.value.data_type())
    }

    fn invoke_with_args(&self, _arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(self.value.clone()))
    }
}
