//! The way from the logical node to the physical one.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExecBuilder;
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};

use super::execution::{PhysicalCall, ProjectSetExec};
use super::logical::{ProjectSet, column_types};

/// Plans [`ProjectSet`].
#[derive(Debug)]
pub struct SetPlanner;

#[async_trait]
impl ExtensionPlanner for SetPlanner {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        planning_ctx: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(node) = node.as_any().downcast_ref::<ProjectSet>() else { return Ok(None) };
        let ([logical_input], [input]) = (logical_inputs, physical_inputs) else { return Ok(None) };
        let mut calls = Vec::with_capacity(node.calls().len());
        for call in node.calls() {
            let expression =
                |argument| planner.create_physical_expr(argument, logical_input.schema(), session, planning_ctx);
            let arguments = call.arguments.iter().map(expression).collect::<Result<_>>()?;
            let (types, columns) = (call.types.clone(), column_types(call));
            calls.push(PhysicalCall { function: call.function, arguments, types, columns });
        }
        let schema = UserDefinedLogicalNodeCore::schema(node).inner().clone();
        let plan = ProjectSetExec::try_new(input.clone(), calls, node.has_ordinality(), node.is_outer(), schema)?;
        let Some(condition) = conjunction(node.conditions().iter().cloned()) else { return Ok(Some(Arc::new(plan))) };
        let condition = planner.create_physical_expr(
            &condition,
            UserDefinedLogicalNodeCore::schema(node),
            session,
            planning_ctx,
        )?;
        let filter = FilterExecBuilder::new(condition, Arc::new(plan)).with_batch_size(session.config().batch_size());
        Ok(Some(Arc::new(filter.build()?)))
    }
}
