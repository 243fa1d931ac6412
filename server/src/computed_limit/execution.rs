//! The node of a physical plan.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, Int64Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_expr::{OrderingRequirements, PhysicalExpr};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
    SendableRecordBatchStream, execute_stream,
};
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use futures::{StreamExt, TryStreamExt};
use pg::PgError;
use pg::sqlstate::SqlState;

use super::logical::{ComputedLimit, FETCH, SKIP};

/// Plans [`ComputedLimit`].
#[derive(Debug)]
pub struct LimitPlanner;

#[async_trait]
impl ExtensionPlanner for LimitPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _planning_ctx: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if node.as_any().downcast_ref::<ComputedLimit>().is_none() {
            return Ok(None);
        }
        let [rows, counts] = physical_inputs else { return Ok(None) };
        let ordering = rows.output_ordering().cloned().map(OrderingRequirements::from);
        Ok(Some(Arc::new(ComputedLimitExec::new(rows.clone(), counts.clone(), ordering))))
    }
}

/// Asks for the numbers, then passes the rows on that are wanted.
#[derive(Debug, Clone)]
pub struct ComputedLimitExec {
    rows: Arc<dyn ExecutionPlan>,
    counts: Arc<dyn ExecutionPlan>,
    /// The order in which the rows are left out and counted: that of the query, which no order around it takes the place of.
    ordering: Option<OrderingRequirements>,
    properties: Arc<PlanProperties>,
}

impl ComputedLimitExec {
    fn new(
        rows: Arc<dyn ExecutionPlan>,
        counts: Arc<dyn ExecutionPlan>,
        ordering: Option<OrderingRequirements>,
    ) -> Self {
        let properties = PlanProperties::new(
            rows.equivalence_properties().clone(),
            Partitioning::UnknownPartitioning(1),
            rows.pipeline_behavior(),
            rows.boundedness(),
        );
        ComputedLimitExec { rows, counts, ordering, properties: Arc::new(properties) }
    }
}

impl DisplayAs for ComputedLimitExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ComputedLimitExec")
    }
}

impl ExecutionPlan for ComputedLimitExec {
    fn name(&self) -> &'static str {
        "ComputedLimitExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.rows, &self.counts]
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        vec![Distribution::SinglePartition, Distribution::SinglePartition]
    }

    // That it keeps the order is not said: another order would be moved below it.
    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        vec![self.ordering.clone(), None]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false, false]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let [rows, counts]: [Arc<dyn ExecutionPlan>; 2] = children
            .try_into()
            .map_err(|_| DataFusionError::from(PgError::internal("a ComputedLimit has two inputs")))?;
        Ok(Arc::new(ComputedLimitExec::new(rows, counts, self.ordering.clone())))
    }

    fn execute(&self, _partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (rows, counts) = (self.rows.clone(), self.counts.clone());
        let schema: SchemaRef = rows.schema();
        let wanted = async move {
            let counts: Vec<_> = execute_stream(counts, context.clone())?.try_collect().await?;
            let window = Window::read(&counts)?;
            if window.fetch == Some(0) {
                return Ok::<_, DataFusionError>(futures::stream::empty().boxed());
            }
            Ok(wanted_rows(execute_stream(rows, context)?, window).boxed())
        };
        let stream = futures::stream::once(wanted).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, stream.boxed())))
    }
}

/// Which rows are wanted.
#[derive(Debug, Clone, Copy)]
struct Window {
    skip: u64,
    fetch: Option<u64>,
}

impl Window {
    fn read(counts: &[RecordBatch]) -> Result<Self> {
        let skip = number(counts, SKIP)?;
        let fetch = number(counts, FETCH)?;
        let negative = |sqlstate, clause: &str| PgError::new(sqlstate, format!("{clause} must not be negative"));
        let skip = u64::try_from(skip.unwrap_or(0))
            .map_err(|_| negative(SqlState::INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE, "OFFSET"))?;
        let fetch = fetch.map(u64::try_from).transpose();
        let fetch = fetch.map_err(|_| negative(SqlState::INVALID_ROW_COUNT_IN_LIMIT_CLAUSE, "LIMIT"))?;
        Ok(Window { skip, fetch })
    }
}

fn number(counts: &[RecordBatch], name: &str) -> Result<Option<i64>> {
    let mut rows = counts.iter().filter(|batch| batch.num_rows() > 0);
    let column = rows.next().and_then(|batch| batch.column_by_name(name));
    let column = column.and_then(|column| column.as_any().downcast_ref::<Int64Array>());
    let column = column.ok_or_else(|| PgError::internal("a limit is a bigint"))?;
    Ok((!column.is_null(0)).then(|| column.value(0)))
}

/// The rows of the window. After the last one nothing more is asked for.
fn wanted_rows(
    rows: SendableRecordBatchStream,
    window: Window,
) -> impl futures::Stream<Item = Result<RecordBatch>> + Send {
    futures::stream::try_unfold((rows, window), |(mut rows, mut window)| async move {
        while window.fetch != Some(0) {
            let Some(batch) = rows.next().await.transpose()? else { return Ok(None) };
            let skipped = (batch.num_rows() as u64).min(window.skip) as usize;
            window.skip -= skipped as u64;
            let left = batch.num_rows() - skipped;
            let taken = window.fetch.map_or(left, |fetch| (left as u64).min(fetch) as usize);
            window.fetch = window.fetch.map(|fetch| fetch - taken as u64);
            if taken > 0 {
                return Ok(Some((batch.slice(skipped, taken), (rows, window))));
            }
        }
        Ok(None)
    })
}
