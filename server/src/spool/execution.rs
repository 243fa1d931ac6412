//! The node of a physical plan.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
    SendableRecordBatchStream,
};
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use pg::PgError;

use super::kept::{Spooled, Spools};
use super::logical::Spool;

/// Plans [`Spool`].
#[derive(Debug)]
pub struct SpoolPlanner;

#[async_trait]
impl ExtensionPlanner for SpoolPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        _planning_ctx: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(node) = node.as_any().downcast_ref::<Spool>() else { return Ok(None) };
        let [input] = physical_inputs else { return Ok(None) };
        let spools = session.config().get_extension::<Spools>();
        let spools = spools.ok_or_else(|| PgError::internal("a Spool is planned in a session of the engine"))?;
        Ok(Some(Arc::new(SpoolExec::new(input.clone(), spools.of(node.key())))))
    }
}

/// Reads the rows that are made once.
#[derive(Debug, Clone)]
struct SpoolExec {
    input: Arc<dyn ExecutionPlan>,
    spooled: Arc<Spooled>,
    properties: Arc<PlanProperties>,
}

impl SpoolExec {
    fn new(input: Arc<dyn ExecutionPlan>, spooled: Arc<Spooled>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            Partitioning::UnknownPartitioning(1),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        SpoolExec { input, spooled, properties: Arc::new(properties) }
    }
}

impl DisplayAs for SpoolExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SpoolExec")
    }
}

impl ExecutionPlan for SpoolExec {
    fn name(&self) -> &'static str {
        "SpoolExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.into_iter().next();
        let input = input.ok_or_else(|| DataFusionError::from(PgError::internal("a Spool has an input")))?;
        Ok(Arc::new(SpoolExec::new(input, self.spooled.clone())))
    }

    fn execute(&self, _partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.spooled.read(&self.input, &context)
    }
}
