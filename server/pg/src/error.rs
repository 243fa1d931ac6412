//! An error in PostgreSQL's words: what an operator, a function or a cast answers instead of a value.

use std::fmt;

use datafusion_common::DataFusionError;

use crate::input::InputError;
use crate::output::OutputError;
use crate::sqlstate::SqlState;

/// An error in PostgreSQL's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PgError {
    /// The code that programs decide by.
    pub sqlstate: SqlState,
    /// One sentence without a full stop, beginning in lower case.
    pub message: String,
    /// More about it, in whole sentences.
    pub detail: Option<String>,
    /// What the user can do, in whole sentences.
    pub hint: Option<String>,
    /// What it is about, by name.
    pub subject: Option<Box<Subject>>,
}

/// The objects that an error is about, for programs that would otherwise look for their names in the message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subject {
    /// The schema of the table.
    pub schema: Option<String>,
    /// The table.
    pub table: Option<String>,
    /// Its column.
    pub column: Option<String>,
    /// The constraint.
    pub constraint: Option<String>,
    /// The function of PostgreSQL's that raises the error, if that is what drivers know it by.
    pub routine: Option<&'static str>,
}

/// A value or [`PgError`].
pub type Result<T, E = PgError> = std::result::Result<T, E>;

impl PgError {
    /// An error with this code and message.
    pub fn new(sqlstate: SqlState, message: impl Into<String>) -> Self {
        PgError { sqlstate, message: message.into(), detail: None, hint: None, subject: None }
    }

    /// The same with a detail.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        PgError { detail: Some(detail.into()), ..self }
    }

    /// The same with a hint.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        PgError { hint: Some(hint.into()), ..self }
    }

    /// The same with what it is about.
    #[must_use]
    pub fn about(self, subject: Subject) -> Self {
        PgError { subject: Some(Box::new(subject)), ..self }
    }

    /// `integer out of range` and its kind (22003).
    pub fn out_of_range(type_name: &str) -> Self {
        PgError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("{type_name} out of range"))
    }

    /// `division by zero` (22012).
    pub fn division_by_zero() -> Self {
        PgError::new(SqlState::DIVISION_BY_ZERO, "division by zero")
    }

    /// What we understand and do not do (0A000).
    pub fn not_supported(what: impl fmt::Display) -> Self {
        PgError::new(SqlState::FEATURE_NOT_SUPPORTED, format!("{what} is not supported"))
    }

    /// A value that an argument cannot have (22023).
    pub fn invalid_parameter(message: impl Into<String>) -> Self {
        PgError::new(SqlState::INVALID_PARAMETER_VALUE, message)
    }

    /// A state that cannot be reached unless the server itself is wrong (XX000).
    pub fn internal(message: impl Into<String>) -> Self {
        PgError::new(SqlState::INTERNAL_ERROR, message)
    }
}

impl fmt::Display for PgError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PgError {}

impl From<PgError> for DataFusionError {
    fn from(error: PgError) -> Self {
        DataFusionError::External(Box::new(error))
    }
}

impl From<InputError> for PgError {
    fn from(error: InputError) -> Self {
        if let InputError::Value(error) = error {
            return error;
        }
        PgError {
            sqlstate: error.sqlstate(),
            message: error.to_string(),
            detail: error.detail(),
            hint: error.hint().map(str::to_owned),
            subject: None,
        }
    }
}

impl From<OutputError> for PgError {
    fn from(error: OutputError) -> Self {
        PgError::new(error.sqlstate(), error.to_string())
    }
}

impl From<arrow::error::ArrowError> for PgError {
    fn from(error: arrow::error::ArrowError) -> Self {
        PgError::internal(error.to_string())
    }
}
