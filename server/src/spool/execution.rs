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
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
    SendableRecordBatchStream,
};
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use pg::PgError;

use crate::plan::measured::measured;

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
        let key = node.key();
        let name = key.0.as_str().into();
        Ok(Some(Arc::new(SpoolExec::new(input.clone(), name, spools.of(key)))))
    }
}

/// Reads the rows that are made once.
#[derive(Debug, Clone)]
pub struct SpoolExec {
    input: Arc<dyn ExecutionPlan>,
    /// What the query calls the rows.
    name: Arc<str>,
    spooled: Arc<Spooled>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl SpoolExec {
    fn new(input: Arc<dyn ExecutionPlan>, name: Arc<str>, spooled: Arc<Spooled>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            Partitioning::UnknownPartitioning(1),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        SpoolExec { input, name, spooled, properties: Arc::new(properties), metrics: ExecutionPlanMetricsSet::new() }
    }

    /// Where the rows come from.
    pub fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    /// What the query calls the rows; nothing if it does not know of them.
    pub fn name(&self) -> Option<&str> {
        // Behind the mark is what tells tables of the same name apart.
        let name = self.name.rsplit_once('#').map_or(self.name.as_ref(), |(name, _)| name);
        (!name.starts_with('\0')).then_some(name)
    }

    /// Whether both read the same rows.
    pub fn is_same(&self, other: &SpoolExec) -> bool {
        Arc::ptr_eq(&self.spooled, &other.spooled)
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
        Ok(Arc::new(SpoolExec::new(input, self.name.clone(), self.spooled.clone())))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        Ok(measured(self.spooled.read(&self.input, &context)?, &self.metrics, partition))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
