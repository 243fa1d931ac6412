//! Keeps the engine from taking the key of a subquery in FROM for one of what it is joined to.
//!
//! The rows of `SELECT d FROM t GROUP BY d` are told apart by `d`. The engine concludes of each aggregate over a join with
//! them, and of DISTINCT, that its rows are told apart by `d` alone, and leaves other columns out of a GROUP BY or an ORDER BY
//! around that. A [`Keyless`] node is its input, of which no key is known. Nothing is left of it in the physical plan.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{DFSchemaRef, FunctionalDependencies, Result};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use pg::PgError;

/// Rows of which no key is known.
#[derive(Debug, Clone)]
pub struct Keyless {
    input: Arc<LogicalPlan>,
    schema: DFSchemaRef,
}

impl Keyless {
    /// The plan without the keys that it has, or is going to have.
    ///
    /// # Errors
    /// None of its own.
    pub fn plan(input: LogicalPlan) -> Result<LogicalPlan> {
        let groups = |node: &LogicalPlan| Ok(matches!(node, LogicalPlan::Aggregate(_) | LogicalPlan::Distinct(_)));
        if !input.exists(groups)? {
            return Ok(input);
        }
        let node = Keyless::over(input)?;
        Ok(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
    }

    fn over(input: LogicalPlan) -> Result<Self> {
        let schema = input.schema().as_ref().clone();
        let schema = schema.with_functional_dependencies(FunctionalDependencies::empty())?;
        Ok(Keyless { input: Arc::new(input), schema: Arc::new(schema) })
    }
}

impl PartialEq for Keyless {
    fn eq(&self, other: &Self) -> bool {
        self.input == other.input
    }
}

impl Eq for Keyless {}

impl Hash for Keyless {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.input.hash(state);
    }
}

impl PartialOrd for Keyless {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for Keyless {
    fn name(&self) -> &str {
        "Keyless"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        HashSet::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyless")
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let input = inputs.into_iter().next();
        Keyless::over(input.ok_or_else(|| DataFusionError::from(PgError::internal("a Keyless has an input")))?)
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![output_columns.to_vec()])
    }

    fn supports_limit_pushdown(&self) -> bool {
        true
    }
}

/// Plans [`Keyless`]: as its input.
#[derive(Debug)]
pub struct KeylessPlanner;

#[async_trait]
impl ExtensionPlanner for KeylessPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _planning_ctx: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let is_keyless = node.as_any().downcast_ref::<Keyless>().is_some();
        Ok(physical_inputs.first().filter(|_| is_keyless).cloned())
    }
}
