//! The node of a physical plan: a nested loop.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array};
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::cast::as_boolean_array;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, SendableRecordBatchStream,
    collect,
};
use futures::StreamExt;
use pg::PgError;
use pg::sqlstate::SqlState;

use super::keyed::{KeyedPlan, KeyedRows, cost_ns, reads_work_table};
use super::logical::{ApplyKind, with_values};
use crate::plan::measured::measured;

/// Answers that are kept for outer values that come again.
const ANSWERS_MAX: usize = 10_000;
/// Time that is spent on finding answers one by one before it is looked whether they can all be found at once.
const LOOKS_AFTER: Duration = Duration::from_millis(5);
/// What finding all at once is taken to cost where nobody knows how many rows there are.
const UNKNOWN_COST: Duration = Duration::from_secs(2);

/// Runs a subquery for each distinct combination of outer values.
#[derive(Debug, Clone)]
pub struct ApplyExec {
    input: Arc<dyn ExecutionPlan>,
    subquery: Arc<LogicalPlan>,
    bindings: Vec<(Column, Arc<dyn PhysicalExpr>)>,
    guard: Option<Arc<dyn PhysicalExpr>>,
    kind: ApplyKind,
    schema: SchemaRef,
    state: SessionState,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl ApplyExec {
    pub(super) fn new(
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
        let metrics = ExecutionPlanMetricsSet::new();
        ApplyExec { input, subquery, bindings, guard, kind, schema, state, properties: Arc::new(properties), metrics }
    }

    /// The rows for each of which there may be a subquery.
    pub fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    /// The values that the subquery reads, on the input's columns.
    pub fn outer_values(&self) -> impl Iterator<Item = &Arc<dyn PhysicalExpr>> {
        self.bindings.iter().map(|(_, value)| value)
    }

    /// The relations that the subquery reads.
    pub fn relations(&self) -> Vec<String> {
        let mut names = Vec::new();
        // Nothing in it fails.
        let _ = self.subquery.apply_with_subqueries(|node| {
            if let LogicalPlan::TableScan(scan) = node {
                names.push(scan.table_name.to_string());
            }
            Ok(TreeNodeRecursion::Continue)
        });
        names
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
        let runner = Runner::new(self.clone());
        let rows = futures::stream::try_unfold((input, runner), |(mut input, mut runner)| async move {
            match input.next().await.transpose()? {
                Some(batch) => {
                    let rows = runner.rows_of(&batch).await?;
                    Ok(Some((rows, (input, runner))))
                }
                None => Ok::<_, DataFusionError>(None),
            }
        });
        let rows = Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), rows.boxed()));
        Ok(measured(rows, &self.metrics, partition))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// What a stream remembers.
struct Runner {
    exec: ApplyExec,
    answers: HashMap<Vec<ScalarValue>, Answer>,
    /// How long it has taken to find answers one by one.
    spent: Duration,
    at_once: AtOnce,
}

/// What is known of reading all rows of the subquery at once.
enum AtOnce {
    /// It has not been looked whether that is possible.
    Unknown,
    /// It is not.
    Never,
    /// It can be done by this plan, and is worth it when so much time has been spent otherwise.
    Worth(Arc<dyn ExecutionPlan>, Duration),
    /// It has been done.
    Done(KeyedRows),
}

/// The rows of the subquery for an outer row; they may have no columns.
#[derive(Clone)]
struct Answer {
    rows: usize,
    columns: Vec<ArrayRef>,
}

/// What becomes of some outer rows: which of them, as often as they have rows, and these.
#[derive(Default)]
struct Joined {
    outer_rows: Vec<u32>,
    parts: Vec<Vec<ArrayRef>>,
}

impl Runner {
    fn new(exec: ApplyExec) -> Self {
        Runner { exec, answers: HashMap::new(), spent: Duration::ZERO, at_once: AtOnce::Unknown }
    }

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
        let is_needed = |row: usize| guard.is_none_or(|guard| guard.is_valid(row) && guard.value(row));
        let width = self.exec.schema.fields().len() - batch.num_columns();
        let mut joined = Joined { outer_rows: Vec::with_capacity(batch.num_rows()), parts: vec![Vec::new(); width] };
        for row in 0..batch.num_rows() {
            self.read_if_worth_it().await?;
            if let AtOnce::Done(rows) = &self.at_once {
                let values: Vec<_> = values.iter().map(|column| column.slice(row, batch.num_rows() - row)).collect();
                self.add_found(&mut joined, rows, &values, row, is_needed)?;
                break;
            }
            let key: Vec<_> =
                values.iter().map(|column| ScalarValue::try_from_array(column, row)).collect::<Result<_>>()?;
            let answer = if is_needed(row) { self.answer(key).await? } else { self.answer_of(&[])? };
            joined.outer_rows.extend(std::iter::repeat_n(row as u32, answer.rows));
            for (part, column) in joined.parts.iter_mut().zip(answer.columns) {
                part.push(column);
            }
        }
        self.joined(batch, joined)
    }

    /// Adds what the outer rows with these values have, the first of which is that at `begin`.
    fn add_found(
        &self,
        joined: &mut Joined,
        rows: &KeyedRows,
        values: &[ArrayRef],
        begin: usize,
        is_needed: impl Fn(usize) -> bool,
    ) -> Result<()> {
        let (pad, scalar) = self.exec.kind.shape();
        let (counts, columns) = rows.of(values, |row| is_needed(begin + row), pad)?;
        if scalar && counts.iter().any(|count| *count > 1) {
            return Err(more_than_one_row());
        }
        let columns = match &self.exec.kind {
            ApplyKind::Exists { negated, .. } => {
                let found = counts.iter().map(|count| Some((*count > 0) != *negated));
                vec![Arc::new(found.collect::<BooleanArray>()) as ArrayRef]
            }
            _ => columns,
        };
        for (row, count) in counts.into_iter().enumerate() {
            let count = if pad { count.max(1) } else { count };
            joined.outer_rows.extend(std::iter::repeat_n((begin + row) as u32, count));
        }
        let own = &self.exec.schema.fields()[self.exec.schema.fields().len() - joined.parts.len()..];
        for ((part, column), field) in joined.parts.iter_mut().zip(columns).zip(own) {
            part.push(as_type(column, field.data_type())?);
        }
        Ok(())
    }

    /// Reads all rows of the subquery once as much time has been spent on finding some of them as that takes: whatever comes,
    /// it is then at most twice what would have been best.
    async fn read_if_worth_it(&mut self) -> Result<()> {
        if matches!(self.at_once, AtOnce::Unknown) && self.spent >= LOOKS_AFTER {
            // What cannot be planned so is asked as before.
            self.at_once = self.reading_at_once().await.unwrap_or(AtOnce::Never);
        }
        let AtOnce::Worth(plan, cost) = &self.at_once else { return Ok(()) };
        if self.spent >= *cost {
            let read = KeyedRows::read(plan.clone(), self.exec.bindings.len(), self.exec.state.task_ctx()).await?;
            self.at_once = read.map_or(AtOnce::Never, AtOnce::Done);
            self.answers.clear();
        }
        Ok(())
    }

    async fn reading_at_once(&self) -> Result<AtOnce> {
        let outer: Vec<_> = self.exec.bindings.iter().map(|(column, _)| column.clone()).collect();
        let Some(plan) = KeyedPlan::of(&self.exec.subquery, &outer, &self.exec.kind)? else {
            return Ok(AtOnce::Never);
        };
        let plan = self.exec.state.create_physical_plan(plan.plan()).await?;
        let cost = cost_ns(&plan)?.map_or(UNKNOWN_COST, Duration::from_nanos);
        Ok(AtOnce::Worth(plan, cost))
    }

    fn joined(&self, batch: &RecordBatch, joined: Joined) -> Result<RecordBatch> {
        let rows = joined.outer_rows.len();
        let picks = UInt32Array::from(joined.outer_rows);
        let mut columns = Vec::with_capacity(self.exec.schema.fields().len());
        for column in batch.columns() {
            columns.push(take(column, &picks, None)?);
        }
        for (part, field) in joined.parts.iter().zip(&self.exec.schema.fields()[batch.num_columns()..]) {
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
    async fn answer(&mut self, key: Vec<ScalarValue>) -> Result<Answer> {
        if let Some(known) = self.answers.get(&key) {
            return Ok(known.clone());
        }
        if !self.answers.is_empty() && reads_work_table(&self.exec.subquery)? {
            // Whoever reads the rows of the last round takes them.
            let what = "a recursive table in a subquery that is run for several rows";
            return Err(PgError::not_supported(what).into());
        }
        let begin = Instant::now();
        let columns = self.exec.bindings.iter().map(|(column, _)| column.clone());
        let values: Vec<_> = columns.zip(key.iter().cloned()).collect();
        let mut plan = with_values(self.exec.subquery.as_ref().clone(), &values)?;
        if matches!(self.exec.kind, ApplyKind::Exists { .. }) {
            plan = LogicalPlanBuilder::from(plan).limit(0, Some(1))?.build()?;
        }
        let plan = self.exec.state.create_physical_plan(&plan).await?;
        let batches = collect(plan, self.exec.state.task_ctx()).await?;
        let answer = self.answer_of(&batches)?;
        if self.answers.len() < ANSWERS_MAX {
            self.answers.insert(key, answer.clone());
        }
        self.spent += begin.elapsed();
        Ok(answer)
    }

    fn answer_of(&self, batches: &[RecordBatch]) -> Result<Answer> {
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        if let ApplyKind::Exists { negated, .. } = self.exec.kind {
            return Ok(Answer { rows: 1, columns: vec![Arc::new(BooleanArray::from(vec![(rows > 0) != negated]))] });
        }
        let width = match &self.exec.kind {
            ApplyKind::Lateral { .. } => self.exec.subquery.schema().fields().len(),
            ApplyKind::Scalar(_) | ApplyKind::Exists { .. } => 1,
        };
        let own = &self.exec.schema.fields()[self.exec.schema.fields().len() - width..];
        let (pad, scalar) = self.exec.kind.shape();
        if scalar && rows > 1 {
            return Err(more_than_one_row());
        }
        if rows == 0 {
            let rows = usize::from(pad);
            let columns = own.iter().map(|field| new_null_array(field.data_type(), rows)).collect();
            return Ok(Answer { rows, columns });
        }
        let mut columns = Vec::with_capacity(width);
        for (position, field) in own.iter().enumerate() {
            let slices: Vec<_> = batches.iter().map(|batch| batch.column(position).as_ref()).collect();
            columns.push(as_type(concat(&slices)?, field.data_type())?);
        }
        Ok(Answer { rows, columns })
    }
}

fn as_type(column: ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    Ok(match column.data_type() == data_type {
        true => column,
        false => arrow::compute::cast(&column, data_type)?,
    })
}

fn more_than_one_row() -> DataFusionError {
    let message = "more than one row returned by a subquery used as an expression";
    PgError::new(SqlState::CARDINALITY_VIOLATION, message).into()
}
