//! EXPLAIN: the plan as text, and with ANALYZE what happened when it ran.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::common::ScalarValue;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};
use storage::external::ScanBudget;
use storage::scan::report::{ScanReport, Step};

use crate::error::Result;
use crate::parse::statement::Explain;
use crate::plan::PlanContext;
use crate::session::{Prepared, Session, StatementGuard};
use crate::statement::prepare::text_column;
use crate::statement::{Outcome, RowStream};

/// Plans the query, runs it for ANALYZE, and answers the plan, one line a row.
///
/// # Errors
/// The query cannot be planned or, for ANALYZE, fails.
pub async fn execute(
    session: &mut Session,
    prepared: &Prepared,
    explain: &Explain,
    parameters: &[ScalarValue],
) -> Result<Outcome> {
    let (planned, logical) = prepared.bound_plan(session, parameters).await?;
    let guard = session.guard();
    let context = PlanContext::new(session, planned.snapshot.clone()).with_scan_budget(budget(session, explain));
    let context = Arc::new(context);
    let plan = guard.run(session.server.engine.physical_plan(context.clone(), logical.clone())).await??;

    let mut lines = Vec::new();
    if explain.verbose {
        push_tree(&mut lines, "Logical Plan", &logical.display_indent().to_string());
    }
    let tree = if explain.analyze {
        let mut stream = session.server.engine.execute(plan.clone(), context.state())?;
        let mut rows = 0;
        while let Some(batch) = guard.run(stream.next()).await? {
            rows += batch?.num_rows();
        }
        lines.push(format!("Rows: {rows}"));
        DisplayableExecutionPlan::with_metrics(plan.as_ref()).indent(explain.verbose).to_string()
    } else {
        DisplayableExecutionPlan::new(plan.as_ref()).indent(explain.verbose).to_string()
    };
    push_tree(&mut lines, "Plan", &tree);
    for report in context.reports().all() {
        lines.push(scan_line(&report));
        if explain.analyze {
            lines.extend(waterfall(&report));
        }
    }
    answer(lines, guard)
}

/// Who asks for a plan wants to know how much the query would read, and may know it of one that would read too much.
fn budget(session: &Session, explain: &Explain) -> ScanBudget {
    let of_session = session.settings.scan_budget();
    ScanBudget { estimates: true, bytes_max: of_session.bytes_max.filter(|_| explain.analyze) }
}

fn push_tree(lines: &mut Vec<String>, title: &str, tree: &str) {
    lines.push(format!("{title}:"));
    lines.extend(tree.lines().map(|line| format!("  {line}")));
}

/// What a scan of an external table reads, and what it need not.
fn scan_line(report: &ScanReport) -> String {
    let partitions = match report.partitions_total {
        0 => String::new(),
        total => format!("partitions={} of {total}, ", report.partitions_read),
    };
    let (files, bytes, expected) = (report.files, report.bytes, report.bytes_expected);
    format!(
        "External scan of {}: {partitions}files={files}, bytes={bytes}, bytes expected to be read={expected}",
        report.table
    )
}

/// What was excluded on the way, step by step, and what was read of the rest.
fn waterfall(report: &ScanReport) -> Vec<String> {
    let count = |step| report.steps.get(step);
    let line = |name: &str, of: Step, excluded: &[(&str, Step)]| {
        let excluded = excluded.iter().filter(|(_, step)| count(*step) > 0);
        let excluded = excluded.map(|(by, step)| format!(", {} excluded by {by}", count(*step)));
        format!("  {name}: {}{}", count(of), excluded.collect::<String>())
    };
    let mut lines = Vec::new();
    if count(Step::Files) > 0 {
        lines.push(line("Files", Step::Files, &[("joins and sorts", Step::FilesExcluded)]));
        let row_groups = [
            ("statistics", Step::RowGroupsExcludedByStatistics),
            ("bloom filters", Step::RowGroupsExcludedByBloomFilters),
            ("pages", Step::RowGroupsExcludedByPages),
            ("joins and sorts", Step::RowGroupsExcludedLate),
        ];
        lines.push(line("Row groups", Step::RowGroups, &row_groups));
        lines.push(line("Rows", Step::Rows, &[("pages", Step::RowsExcludedByPages)]));
        let (cached, decoded) = (count(Step::ColumnsCached), count(Step::ColumnsDecoded));
        lines.push(format!("  Columns of row groups: {cached} from the cache, {decoded} decoded"));
    }
    lines.push(format!("  Read: {} bytes in {} requests", report.read.bytes(), report.read.requests()));
    lines
}

fn answer(lines: Vec<String>, guard: StatementGuard) -> Result<Outcome> {
    let schema = text_column("QUERY PLAN");
    let column: ArrayRef = Arc::new(StringArray::from(lines));
    let batch = RecordBatch::try_new(schema.clone(), vec![column]).map_err(datafusion::error::DataFusionError::from)?;
    let stream = RecordBatchStreamAdapter::new(schema.clone(), stream::iter([Ok(batch)]));
    Ok(Outcome::Rows(RowStream::new(schema, "EXPLAIN", Box::pin(stream), guard)))
}
