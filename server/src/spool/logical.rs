//! The node of a logical plan.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchemaRef, Result, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};
use pg::PgError;

use crate::apply::outer_columns;

/// The rows of a plan that is executed once for all nodes of one name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Spool {
    name: String,
    /// The values of outer queries that the plan was given: for others it has other rows.
    bound: Vec<(Column, ScalarValue)>,
    input: Arc<LogicalPlan>,
}

impl Spool {
    /// The rows of `input`, under a name that no other table of the statement has.
    pub fn plan(name: String, input: LogicalPlan) -> LogicalPlan {
        let node = Spool { name, bound: Vec::new(), input: Arc::new(input) };
        LogicalPlan::Extension(Extension { node: Arc::new(node) })
    }

    /// What its rows are kept under.
    pub fn key(&self) -> (String, Vec<(Column, ScalarValue)>) {
        (self.name.clone(), self.bound.clone())
    }
}

impl PartialOrd for Spool {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for Spool {
    fn name(&self) -> &str {
        "Spool"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spool: {}", self.name)
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let input = inputs.into_iter().next();
        let input = input.ok_or_else(|| DataFusionError::from(PgError::internal("a Spool has an input")))?;
        Ok(Spool { input: Arc::new(input), ..self.clone() })
    }
}

/// The plan whose spools know which of these values of an outer query they are about to be given.
///
/// # Errors
/// None of its own.
pub fn bound_spools(plan: LogicalPlan, values: &[(Column, ScalarValue)]) -> Result<LogicalPlan> {
    let rewritten = plan.transform_down_with_subqueries(|node| {
        let LogicalPlan::Extension(extension) = &node else { return Ok(Transformed::no(node)) };
        let Some(spool) = extension.node.as_any().downcast_ref::<Spool>() else { return Ok(Transformed::no(node)) };
        let read = outer_columns(&spool.input)?;
        let given: Vec<_> = values.iter().filter(|(column, _)| read.contains(column)).cloned().collect();
        if given.is_empty() {
            return Ok(Transformed::no(node));
        }
        let mut spool = spool.clone();
        spool.bound.extend(given);
        Ok(Transformed::yes(LogicalPlan::Extension(Extension { node: Arc::new(spool) })))
    })?;
    Ok(rewritten.data)
}
