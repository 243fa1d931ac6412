//! Set-returning functions as part of a plan.

use std::sync::Arc;

use datafusion::logical_expr::{Extension, LogicalPlan};
use pg::Type;
use pg::types::INT8;

use crate::error::Result;
use crate::set_returning::{ProjectSet, QualifiedField, SetReturning};

/// A column that a set-returning function fills.
pub(super) fn set_field(name: &str, ty: &Type) -> QualifiedField {
    (None, Arc::new(ty.field(name)))
}

/// The rows of a plan, each as often as the functions return rows for it.
pub(super) fn project_set(
    input: LogicalPlan,
    calls: Vec<SetReturning>,
    ordinality: Option<String>,
    outer: bool,
) -> Result<LogicalPlan> {
    let ordinality = ordinality.map(|name| set_field(&name, &Type::of(INT8)));
    let node = ProjectSet::try_new(input, calls, ordinality, outer)?;
    Ok(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
}
