//! EXPLAIN: the plan of a statement, and with ANALYZE what happened when it ran.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{Schema, SchemaRef};
use catalog::ObjectName;
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};
use pg::Type;
use pg::types::{JSON, TEXT};
use sqlparser::ast::SetExpr;
use storage::external::ScanBudget;
use storage::scan::report::{ScanReport, ScanReports};

use crate::error::Result;
use crate::explain::format::{Format, Shown, rows};
use crate::explain::{
    Actual, Expected, Explained, PlanBuilder, PlanNode, Property, Relationship, Told, Value, requests_expected,
};
use crate::parse::statement::{Explain, Insert, ModifyKind};
use crate::parse::{Parsed, Statement};
use crate::plan::PlanContext;
use crate::plan::relations::parts;
use crate::plan::statement_plans::StatementPlans;
use crate::session::{Prepared, Session, StatementGuard};
use crate::statement::{Outcome, RowStream, execute_once};

/// The column that EXPLAIN answers.
pub fn schema(format: Format) -> SchemaRef {
    let oid = match format {
        Format::Text | Format::Xml | Format::Yaml => TEXT,
        Format::Json => JSON,
    };
    Arc::new(Schema::new(vec![Type::of(oid).field("QUERY PLAN")]))
}

/// What a statement has been found to do.
#[derive(Default)]
struct Found {
    /// Where its rows come from; nothing for rows that need no plan.
    plan: Option<Arc<dyn ExecutionPlan>>,
    reports: Vec<Arc<ScanReports>>,
    /// How long its plan took to make, unless that was part of running it.
    planning_ms: Option<f64>,
    /// How long it ran, if it did.
    execution_ms: Option<f64>,
    /// Rows that it answered.
    answered: u64,
}

/// Plans the statement, runs it for ANALYZE, and answers the plan.
///
/// # Errors
/// The statement cannot be planned or, for ANALYZE, fails.
pub async fn execute(
    session: &mut Session,
    prepared: &Prepared,
    explain: &Explain,
    parameters: &[ScalarValue],
) -> Result<Outcome> {
    let guard = session.guard();
    let changes = !matches!(explain.statement.as_ref(), Statement::Query(_) | Statement::Declare(_));
    let found = match (changes && explain.analyze, prepared.planned.is_some()) {
        (true, _) => run_statement(session, prepared, explain, parameters).await?,
        (false, true) => plan(session, prepared, explain, parameters).await?,
        (false, false) => Found::default(),
    };
    let told = Told {
        reports: found.reports.iter().flat_map(|reports| reports.all()).collect(),
        verbose: explain.verbose,
        costs: explain.costs,
        buffers: explain.buffers,
        analyze: explain.analyze,
        timing: explain.timing,
    };
    let node = found.plan.as_ref().map(|plan| PlanBuilder::new(&told).plan(plan));
    let plan = match target(&explain.statement)? {
        Some(target) => target.above(node.unwrap_or_else(|| target.values()), &found, explain.analyze),
        None => node.unwrap_or_else(|| PlanNode::new("Result")),
    };
    let summary = summary(session, explain, &found, &told.reports);
    let shown = Shown { costs: explain.costs, timing: explain.timing };
    let mut lines = rows(&Explained { plan, summary }, explain.format, shown);
    if let (Some(plan), true, Format::Text) = (&found.plan, explain.engine, explain.format) {
        lines.push("Engine Plan:".to_owned());
        lines.extend(engine_plan(plan, explain).lines().map(|line| format!("  {line}")));
    }
    answer(schema(explain.format), lines, guard)
}

/// Plans a statement, and runs it if it is a query that is to be measured.
async fn plan(
    session: &mut Session,
    prepared: &Prepared,
    explain: &Explain,
    parameters: &[ScalarValue],
) -> Result<Found> {
    let begun = Instant::now();
    let (planned, logical) = prepared.bound_plan(session, parameters).await?;
    let guard = session.guard();
    let context = PlanContext::new(session, planned.snapshot.clone()).with_scan_budget(budget(session, explain));
    let context = Arc::new(context);
    let plan = guard.run(session.server.engine.physical_plan(context.clone(), logical)).await??;
    let planning_ms = Some(milliseconds(begun));
    let begun = Instant::now();
    let mut execution_ms = None;
    if explain.analyze {
        let mut stream = session.server.engine.execute(plan.clone(), context.state())?;
        while let Some(batch) = guard.run(stream.next()).await? {
            batch?;
        }
        execution_ms = Some(milliseconds(begun));
    }
    let reports = vec![context.shared_reports()];
    Ok(Found { plan: Some(plan), reports, planning_ms, execution_ms, answered: 0 })
}

/// Runs a statement that changes something.
async fn run_statement(
    session: &mut Session,
    prepared: &Prepared,
    explain: &Explain,
    parameters: &[ScalarValue],
) -> Result<Found> {
    let parsed = Parsed { statement: explain.statement.as_ref().clone(), text: prepared.text().into() };
    let explained = Prepared::new(Some(parsed.clone()), prepared.planned.clone(), prepared.parameter_types.clone());
    let plans = Arc::new(StatementPlans::keeping_all());
    session.explained = Some(plans.clone());
    let begun = Instant::now();
    let outcome = Box::pin(execute_once(session, &explained, &parsed, parameters)).await;
    session.explained = None;
    let mut answered = 0;
    if let Outcome::Rows(mut rows) = outcome? {
        while rows.next(usize::MAX).await?.is_some() {}
        answered = rows.sent;
    }
    let execution_ms = Some(milliseconds(begun));
    Ok(Found { plan: plans.whole(), reports: plans.reports(), planning_ms: None, execution_ms, answered })
}

/// Who asks for a plan wants to know how much the query would read, and may know it of one that would read too much.
fn budget(session: &Session, explain: &Explain) -> ScanBudget {
    let of_session = session.settings.scan_budget();
    ScanBudget { estimates: true, bytes_max: of_session.bytes_max.filter(|_| explain.analyze) }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// What a statement does to the rows that it finds.
struct Target {
    operation: &'static str,
    table: ObjectName,
    /// Rows that stand in the statement.
    values: usize,
}

impl Target {
    /// The node of the change above that of the rows.
    fn above(&self, rows: PlanNode, found: &Found, analyze: bool) -> PlanNode {
        let mut node = PlanNode::new("ModifyTable");
        node.title = format!("{} on {}", self.operation, self.table.name);
        node.attributes = vec![
            Property::text("Operation", self.operation),
            Property::text("Relation Name", self.table.name.clone()),
            Property::text("Alias", self.table.name.clone()),
        ];
        node.expected = Expected { rows: 0.0, width: 0, ..rows.expected };
        node.actual = found.execution_ms.filter(|_| analyze).map(|total_ms| Actual {
            startup_ms: total_ms,
            total_ms,
            rows: found.answered,
            loops: 1,
        });
        node.plans = vec![rows.related(Relationship::Outer)];
        node
    }

    /// Rows that need no plan.
    fn values(&self) -> PlanNode {
        let is_one = self.values <= 1;
        let mut node = PlanNode::new(if is_one { "Result" } else { "Values Scan" });
        if !is_one {
            node.title = "Values Scan on \"*VALUES*\"".to_owned();
            node.attributes = vec![Property::text("Alias", "*VALUES*")];
        }
        node.expected = Expected { rows: self.values.max(1) as f64, ..Expected::default() };
        node
    }
}

/// The change that a statement is.
fn target(statement: &Statement) -> Result<Option<Target>> {
    let (operation, table, values) = match statement {
        Statement::Insert(insert) => ("Insert", &insert.table, values_of(insert)),
        Statement::Modify(modify) => {
            let operation = match &modify.kind {
                ModifyKind::Delete => "Delete",
                ModifyKind::Update(_) => "Update",
                ModifyKind::Merge(_) => "Merge",
            };
            (operation, &modify.target.name, 0)
        }
        _ => return Ok(None),
    };
    let mut names: Vec<String> = parts(table)?;
    let name = names.pop().unwrap_or_default();
    Ok(Some(Target { operation, table: ObjectName::new(names.pop().unwrap_or_default(), name), values }))
}

fn values_of(insert: &Insert) -> usize {
    match insert.source.as_ref().map(|source| source.body.as_ref()) {
        Some(SetExpr::Values(values)) => values.rows.len(),
        _ => 1,
    }
}

/// What is told behind the plan.
fn summary(session: &Session, explain: &Explain, found: &Found, reports: &[ScanReport]) -> Vec<Property> {
    let mut all = Vec::new();
    if explain.settings {
        let changed = session.settings.changed_for_plans();
        let value = Value::Group(changed);
        all.extend((value != Value::Group(Vec::new())).then_some(Property { name: "Settings", value }));
    }
    if !reports.is_empty() && explain.costs {
        let bytes: u64 = reports.iter().map(|report| report.bytes_expected).sum();
        all.push(Property::integer("External Bytes Expected", bytes));
        let price = session.settings.scan_price();
        let requests: f64 = reports.iter().map(requests_expected).sum();
        all.extend(price.map(|price| Property::number("Price Expected", price.of(bytes, requests))));
    }
    if let (true, Some(planning_ms)) = (explain.summary, found.planning_ms) {
        all.push(Property::number("Planning Time", planning_ms));
    }
    if let (true, Some(execution_ms)) = (explain.summary, found.execution_ms) {
        all.push(Property::number("Execution Time", execution_ms));
    }
    all
}

/// The plan as the engine's developers know it.
fn engine_plan(plan: &Arc<dyn ExecutionPlan>, explain: &Explain) -> String {
    match explain.analyze {
        true => DisplayableExecutionPlan::with_metrics(plan.as_ref()).indent(explain.verbose).to_string(),
        false => DisplayableExecutionPlan::new(plan.as_ref()).indent(explain.verbose).to_string(),
    }
}

fn answer(schema: SchemaRef, lines: Vec<String>, guard: StatementGuard) -> Result<Outcome> {
    let column: ArrayRef = Arc::new(StringArray::from(lines));
    let column = arrow::compute::cast(&column, schema.field(0).data_type()).map_err(DataFusionError::from)?;
    let batch = RecordBatch::try_new(schema.clone(), vec![column]).map_err(DataFusionError::from)?;
    let stream = RecordBatchStreamAdapter::new(schema.clone(), stream::iter([Ok(batch)]));
    Ok(Outcome::Rows(RowStream::new(schema, "EXPLAIN", Box::pin(stream), guard)))
}
