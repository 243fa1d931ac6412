//! The way from the logical node to the physical one.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use pg::PgError;

use super::execution::ApplyExec;
use super::logical::Apply;

/// Plans [`Apply`].
#[derive(Debug)]
pub struct ApplyPlanner;

#[async_trait]
impl ExtensionPlanner for ApplyPlanner {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        planning_ctx: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(node) = node.as_any().downcast_ref::<Apply>() else { return Ok(None) };
        let ([logical_input], [input]) = (logical_inputs, physical_inputs) else { return Ok(None) };
        let state = session.as_any().downcast_ref::<SessionState>();
        let state = state.ok_or_else(|| PgError::internal("an Apply is planned in a session of the engine"))?;
        let mut bindings = Vec::with_capacity(node.bindings().len());
        for (column, value) in node.bindings() {
            let value = planner.create_physical_expr(value, logical_input.schema(), session, planning_ctx)?;
            bindings.push((column.clone(), value));
        }
        let guard = node
            .guard()
            .map(|guard| planner.create_physical_expr(guard, logical_input.schema(), session, planning_ctx));
        let schema = UserDefinedLogicalNodeCore::schema(node).inner().clone();
        let exec = ApplyExec::new(
            input.clone(),
            node.subquery().clone(),
            bindings,
            guard.transpose()?,
            node.kind().clone(),
            schema,
            state.clone(),
        );
        Ok(Some(Arc::new(exec)))
    }
}
