//! The node of a physical plan: a nested loop.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array};
use arrow::compute::{concat, take};
use arrow::datatypes::SchemaRef;
use datafusion::common::cast::as_boolean_array;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, SendableRecordBatchStream,
    collect,
};
use futures::StreamExt;
use pg::PgError;
use pg::sqlstate::SqlState;

use super::logical::{ApplyKind, with_values};

/// Answers that are kept for outer values that come again.
const ANSWERS_MAX: usize = 10_000;

/// Runs a subquery for each distinct combination of outer values.
#[derive(Debug, Clone)]
pub(super) struct ApplyExec {
    input: Arc<dyn ExecutionPlan>,
    subquery: Arc<LogicalPlan>,
    bindings: Vec<(Column, Arc<dyn PhysicalExpr>)>,
    guard: Option<Arc<dyn PhysicalExpr>>,
    kind: ApplyKind,
    schema: SchemaRef,
    state: SessionState,
    properties: Arc<PlanProperties>,
}

impl ApplyExec {
    pub fn new(
        input: Arc<dyn ExecutionPlan>,
        subquery: Arc<LogicalPlan>,
        bindings: Vec<(Column, Arc<dyn PhysicalExpr>)>,
        guard: Option<Arc<dyn PhysicalExpr>>,
        kind: ApplyKind,
        schema: SchemaRef,
        state: SessionState,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema.clone()),
            datafusion::physical_plan::Partitioning::UnknownPartitioning(input.output_partitioning().partition_count()),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        ApplyExec { input, subquery, bindings, guard, kind, schema, state, properties: Arc::new(properties) }
    }
}

impl DisplayAs for ApplyExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<_> = self.bindings.iter().map(|(column, _)| column.to_string()).collect();
        write!(f, "ApplyExec: for each ({})", columns.join(", "))
    }
}

impl ExecutionPlan for ApplyExec {
    fn name(&self) -> &'static str {
        "ApplyExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for value in self.bindings.iter().map(|(_, value)| value).chain(&self.guard) {
            if visit(value)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.into_iter().next();
        let input = input.ok_or_else(|| DataFusionError::from(PgError::internal("an Apply has an input")))?;
        Ok(Arc::new(ApplyExec::new(
            input,
            self.subquery.clone(),
            self.bindings.clone(),
            self.guard.clone(),
            self.kind.clone(),
            self.schema.clone(),
            self.state.clone(),
        )))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let runner = Runner { exec: self.clone(), answers: HashMap::new() };
        let rows = futures::stream::try_unfold((input, runner), |(mut input, mut runner)| async move {
            match input.next().await.transpose()? {
                Some(batch) => {
                    let rows = runner.rows_of(&batch).await?;
                    Ok(Some((rows, (input, runner))))
                }
                None => Ok::<_, DataFusionError>(None),
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), rows.boxed())))
    }
}

/// What a stream remembers.
struct Runner {
    exec: ApplyExec,
    answers: HashMap<Vec<ScalarValue>, Vec<ArrayRef>>,
}

impl Runner {
    /// The rows for a batch of outer rows.
    async fn rows_of(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let mut values = Vec::with_capacity(self.exec.bindings.len());
        for (_, value) in &self.exec.bindings {
            values.push(value.evaluate(batch)?.into_array(batch.num_rows())?);
        }
        let guard = match &self.exec.guard {
            Some(guard) => Some(guard.evaluate(batch)?.into_array(batch.num_rows())?),
            None => None,
        };
        let guard = guard.as_deref().map(as_boolean_array).transpose()?;
        let mut outer_rows: Vec<u32> = Vec::with_capacity(batch.num_rows());
        let width = self.exec.schema.fields().len() - batch.num_columns();
        let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::with_capacity(batch.num_rows()); width];
        for row in 0..batch.num_rows() {
            let key: Vec<_> =
                values.iter().map(|column| ScalarValue::try_from_array(column, row)).collect::<Result<_>>()?;
            let needed = guard.is_none_or(|guard| guard.is_valid(row) && guard.value(row));
            let answer = if needed { self.answer(key).await? } else { self.answer_of(&[])? };
            let count = answer.first().map_or(0, |column| column.len());
            outer_rows.extend(std::iter::repeat_n(row as u32, count));
            for (part, column) in parts.iter_mut().zip(answer) {
                part.push(column);
            }
        }
        self.joined(batch, outer_rows, parts)
    }

    fn joined(&self, batch: &RecordBatch, outer_rows: Vec<u32>, parts: Vec<Vec<ArrayRef>>) -> Result<RecordBatch> {
        let rows = outer_rows.len();
        let picks = UInt32Array::from(outer_rows);
        let mut columns = Vec::with_capacity(self.exec.schema.fields().len());
        for column in batch.columns() {
            columns.push(take(column, &picks, None)?);
        }
        for (part, field) in parts.iter().zip(&self.exec.schema.fields()[batch.num_columns()..]) {
            let slices: Vec<_> = part.iter().map(AsRef::as_ref).collect();
            columns.push(match slices.is_empty() {
                true => new_null_array(field.data_type(), 0),
                false => concat(&slices)?,
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(self.exec.schema.clone(), columns, &options)?)
    }

    /// The subquery's rows for these outer values.
    async fn answer(&mut self, key: Vec<ScalarValue>) -> Result<Vec<ArrayRef>> {
        if let Some(known) = self.answers.get(&key) {
            return Ok(known.clone());
        }
        let columns = self.exec.bindings.iter().map(|(column, _)| column.clone());
        let values: Vec<_> = columns.zip(key.iter().cloned()).collect();
        let plan = with_values(self.exec.subquery.as_ref().clone(), &values)?;
        let plan = self.exec.state.create_physical_plan(&plan).await?;
        let batches = collect(plan, self.exec.state.task_ctx()).await?;
        let answer = self.answer_of(&batches)?;
        if self.answers.len() < ANSWERS_MAX {
            self.answers.insert(key, answer.clone());
        }
        Ok(answer)
    }

    fn answer_of(&self, batches: &[RecordBatch]) -> Result<Vec<ArrayRef>> {
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        let width = match &self.exec.kind {
            ApplyKind::Scalar(_) => 1,
            ApplyKind::Lateral { .. } => self.exec.subquery.schema().fields().len(),
        };
        let own = &self.exec.schema.fields()[self.exec.schema.fields().len() - width..];
        let (pad, scalar) = match self.exec.kind {
            ApplyKind::Scalar(_) => (true, true),
            ApplyKind::Lateral { outer } => (outer, false),
        };
        if scalar && rows > 1 {
            let message = "more than one row returned by a subquery used as an expression";
            return Err(PgError::new(SqlState::CARDINALITY_VIOLATION, message).into());
        }
        if rows == 0 {
            return Ok(own.iter().map(|field| new_null_array(field.data_type(), usize::from(pad))).collect());
        }
        let mut columns = Vec::with_capacity(width);
        for (position, field) in own.iter().enumerate() {
            let slices: Vec<_> = batches.iter().map(|batch| batch.column(position).as_ref()).collect();
            let column = concat(&slices)?;
            columns.push(match column.data_type() == field.data_type() {
                true => column,
                false => arrow::compute::cast(&column, field.data_type())?,
            });
        }
        Ok(columns)
    }
}
