//! Functions that are called with `OVER` only.

use datafusion_expr::WindowFunctionDefinition;

use super::ResultShape;
use crate::error::Result;
use crate::expression_type::Type;

/// A window function. Aggregates can be called as window functions too; these cannot be called as anything else.
#[derive(Debug)]
pub struct WindowFunction {
    /// Its name.
    pub name: &'static str,
    /// The types of its arguments.
    pub arguments: &'static [u32],
    /// The type of the result.
    pub result: u32,
    /// The exact type of the result, where the number does not tell it.
    pub shape: Option<ResultShape>,
    /// The engine's function for arguments of these types and a result of this type.
    pub build: fn(&[Type], &Type) -> Result<WindowFunctionDefinition>,
}
