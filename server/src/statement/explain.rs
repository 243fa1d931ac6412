//! EXPLAIN: the plan as text, and with ANALYZE what happened when it ran.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::common::ScalarValue;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};
use storage::scan::report::ScanReport;

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
    let context = Arc::new(PlanContext::new(session, planned.snapshot.clone()));
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
    lines.extend(context.reports().all().iter().map(scan_line));
    answer(lines, guard)
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
    format!("External scan of {}: {partitions}files={}, bytes={}", report.table, report.files, report.bytes)
}

fn answer(lines: Vec<String>, guard: StatementGuard) -> Result<Outcome> {
    let schema = text_column("QUERY PLAN");
    let column: ArrayRef = Arc::new(StringArray::from(lines));
    let batch = RecordBatch::try_new(schema.clone(), vec![column]).map_err(datafusion::error::DataFusionError::from)?;
    let stream = RecordBatchStreamAdapter::new(schema.clone(), stream::iter([Ok(batch)]));
    Ok(Outcome::Rows(RowStream::new(schema, "EXPLAIN", Box::pin(stream), guard)))
}
