//! The node of a physical plan, and the stream of its rows.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::equivalence::ProjectionMapping;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::coop::make_cooperative;
use datafusion::physical_plan::execution_plan::SchedulingType;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, SendableRecordBatchStream,
};
use futures::TryStreamExt;
use pg::function::SetFunction;
use pg::{PgError, SessionValues, Type};

use super::rows::RowByRow;
use super::whole_columns::WholeColumns;

/// A call of a function that returns a set, over the columns of a physical plan.
#[derive(Debug, Clone)]
pub(super) struct PhysicalCall {
    pub function: &'static SetFunction,
    pub arguments: Vec<Arc<dyn PhysicalExpr>>,
    /// The types of the arguments.
    pub types: Vec<Type>,
    /// The types of its columns.
    pub columns: Vec<Type>,
}

impl PhysicalCall {
    /// The arguments for all rows of a batch.
    fn evaluate(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
        let value = |argument: &Arc<dyn PhysicalExpr>| argument.evaluate(batch)?.into_array(batch.num_rows());
        self.arguments.iter().map(value).collect()
    }
}

/// What all rows are made by.
#[derive(Debug)]
pub(super) struct Calls {
    pub calls: Vec<PhysicalCall>,
    /// Whether a number of the row within its input row comes last.
    pub ordinality: bool,
    /// Whether an input row without rows is kept.
    pub outer: bool,
}

/// Some rows of the functions.
pub(super) struct SetRows {
    /// The input row that each of them belongs to.
    pub input_rows: Vec<u32>,
    /// The functions' columns and the ordinality.
    pub columns: Vec<ArrayRef>,
}

/// Makes the rows of a [`super::ProjectSet`].
#[derive(Debug, Clone)]
pub(super) struct ProjectSetExec {
    input: Arc<dyn ExecutionPlan>,
    calls: Arc<Calls>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl ProjectSetExec {
    pub fn try_new(
        input: Arc<dyn ExecutionPlan>,
        calls: Vec<PhysicalCall>,
        ordinality: bool,
        outer: bool,
        schema: SchemaRef,
    ) -> Result<Self> {
        let calls = Calls { calls, ordinality, outer };
        ProjectSetExec::over(input, Arc::new(calls), schema)
    }

    fn over(input: Arc<dyn ExecutionPlan>, calls: Arc<Calls>, schema: SchemaRef) -> Result<Self> {
        let properties = Arc::new(properties(&input, &schema)?);
        Ok(ProjectSetExec { input, calls, schema, properties, metrics: ExecutionPlanMetricsSet::new() })
    }
}

/// The input's columns keep their places and their order; a row may come several times.
fn properties(input: &Arc<dyn ExecutionPlan>, schema: &SchemaRef) -> Result<PlanProperties> {
    let input_schema = input.schema();
    let kept = input_schema.fields().iter().enumerate().map(|(place, field)| {
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), place));
        let output: Arc<dyn PhysicalExpr> = Arc::new(Column::new(schema.field(place).name(), place));
        (column, vec![(output, place)].into())
    });
    let mapping: ProjectionMapping = kept.collect();
    let equivalences = input.equivalence_properties().project(&mapping, schema.clone());
    let equivalences = equivalences.with_constraints(Default::default());
    let partitioning = input.output_partitioning().project(&mapping, &equivalences);
    let properties = PlanProperties::new(equivalences, partitioning, input.pipeline_behavior(), input.boundedness());
    Ok(properties.with_scheduling_type(SchedulingType::Cooperative))
}

impl DisplayAs for ProjectSetExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProjectSetExec: functions=[")?;
        for (position, call) in self.calls.calls.iter().enumerate() {
            let arguments: Vec<_> = call.arguments.iter().map(ToString::to_string).collect();
            let comma = if position > 0 { ", " } else { "" };
            write!(f, "{comma}{}({})", call.function.name, arguments.join(", "))?;
        }
        write!(f, "]")?;
        if self.calls.ordinality {
            write!(f, ", ordinality")?;
        }
        if self.calls.outer {
            write!(f, ", outer")?;
        }
        Ok(())
    }
}

impl ExecutionPlan for ProjectSetExec {
    fn name(&self) -> &'static str {
        "ProjectSetExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for argument in self.calls.calls.iter().flat_map(|call| &call.arguments) {
            if visit(argument)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.pop();
        let input = input.ok_or_else(|| DataFusionError::from(PgError::internal("a ProjectSetExec has an input")))?;
        Ok(Arc::new(ProjectSetExec::over(input, self.calls.clone(), self.schema.clone())?))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let session = context.session_config().options().extensions.get::<SessionValues>();
        let sets = Sets {
            input: self.input.execute(partition, context.clone())?,
            calls: self.calls.clone(),
            session: Arc::new(session.cloned().unwrap_or_default()),
            batch_rows: context.session_config().batch_size(),
            schema: self.schema.clone(),
            metrics: BaselineMetrics::new(&self.metrics, partition),
            current: None,
        };
        let rows = futures::stream::try_unfold(sets, |mut sets| async move {
            let batch = sets.next_batch().await?;
            Ok::<_, DataFusionError>(batch.map(|batch| (batch, sets)))
        });
        Ok(make_cooperative(Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), rows))))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// The rows of one partition, as they are asked for.
struct Sets {
    input: SendableRecordBatchStream,
    calls: Arc<Calls>,
    session: Arc<SessionValues>,
    batch_rows: usize,
    schema: SchemaRef,
    metrics: BaselineMetrics,
    /// The input's batch whose rows are not finished.
    current: Option<(RecordBatch, Work)>,
}

/// How the rows for a batch of the input are made.
enum Work {
    WholeColumns(WholeColumns),
    RowByRow(RowByRow),
}

impl Sets {
    async fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.resume()? {
                self.metrics.record_output(batch.num_rows());
                return Ok(Some(batch));
            }
            let Some(batch) = self.input.try_next().await? else { return Ok(None) };
            let timer = self.metrics.elapsed_compute().clone();
            let _timing = timer.timer();
            self.current = Some(self.begin(batch)?);
        }
    }

    fn begin(&self, batch: RecordBatch) -> Result<(RecordBatch, Work)> {
        let arguments: Vec<_> = self.calls.calls.iter().map(|call| call.evaluate(&batch)).collect::<Result<_>>()?;
        let whole = self.calls.calls.iter().all(|call| pg::library::array::expands_columns(call.function));
        let work = match whole {
            true => Work::WholeColumns(WholeColumns::new(self.calls.clone(), &arguments)?),
            false => {
                let rows = batch.num_rows();
                Work::RowByRow(RowByRow::new(self.calls.clone(), self.session.clone(), arguments, rows))
            }
        };
        Ok((batch, work))
    }

    /// More rows for the batch of the input that is under way; `None` when there are no more.
    fn resume(&mut self) -> Result<Option<RecordBatch>> {
        let Some((batch, work)) = &mut self.current else { return Ok(None) };
        let timer = self.metrics.elapsed_compute().clone();
        let _timing = timer.timer();
        let rows = match work {
            Work::WholeColumns(work) => work.next(self.batch_rows)?,
            Work::RowByRow(work) => work.next(self.batch_rows)?,
        };
        if rows.input_rows.is_empty() {
            self.current = None;
            return Ok(None);
        }
        let count = rows.input_rows.len();
        let input_rows = UInt32Array::from(rows.input_rows);
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        for column in batch.columns() {
            columns.push(take(column, &input_rows, None)?);
        }
        columns.extend(rows.columns);
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        Ok(Some(RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?))
    }
}
