//! INSERT INTO … VALUES, INSERT INTO … SELECT.

use std::sync::Arc;

use arrow::array::RecordBatch;
use catalog::{CatalogChange, CatalogSnapshot, HotTable};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::LogicalPlan;
use futures::StreamExt;
use pg::Type;
use storage::hot::TableWriter;

use crate::error::{Error, Result};
use crate::parse::statement::Insert;
use crate::parse::{Parsed, position};
use crate::plan::logical::plan_insert_returning;
use crate::plan::relations::NameScope;
use crate::plan::{PlanContext, Planned, plan_source};
use crate::session::{Action, Object, Prepared, Session, authorize};
use crate::statement::Outcome;
use crate::statement::assignment::{
    complete_rows, domain_columns_left, expected_domains, table_rows, target_columns, writable,
};
use crate::statement::literal_rows::{LiteralRows, literal_rows};
use crate::statement::returning::Returned;

/// Runs the query, converts its rows, and commits them.
///
/// # Errors
/// The query fails, or a row does not fit the table; then no row is added.
pub async fn execute(
    session: &mut Session,
    prepared: &Prepared,
    insert: &Insert,
    parameters: &[ScalarValue],
) -> Result<Outcome> {
    let snapshot = session.snapshot()?;
    let text = prepared.parsed.as_ref().map_or("", |parsed| parsed.text.as_ref());
    let Target { table, columns } = target(session, &snapshot, insert, text)?;
    let server = &session.server;
    let mut writer = TableWriter::new(table.clone(), server.segments.clone(), server.engine.reserve("insert"));
    let mut returned = None;
    let mut expected = None;
    match literal(insert, &table, &columns) {
        Some(rows) => {
            let names = session.names()?;
            let _entered = names.enter();
            let targets = checked_targets(&columns, insert, rows.width())?;
            writer.append(rows.table_rows(&table, targets, text)?)?;
        }
        None => {
            let (planned, plan) = prepared.bound_plan(session, parameters).await?;
            expected = expected_domains(&planned.snapshot, &table);
            if insert.returning.is_empty() {
                let targets = planned_targets(&table, &columns, insert, planned.schema.fields().len())?;
                let write = |batch: &RecordBatch| Ok(writer.append(table_rows(&table, &targets, batch)?)?);
                for_each_batch(session, &planned, plan, write).await?;
            } else {
                let returned = returned.insert(Returned::new(session, planned.schema.clone()));
                let width = table.columns.len();
                let write = |batch: &RecordBatch| {
                    writer.append(complete_rows(&table, batch.columns()[..width].to_vec(), batch.num_rows())?)?;
                    returned.add(batch, width)
                };
                for_each_batch(session, &planned, plan, write).await?;
            }
        }
    }
    let (changes, count) = writer.finish()?;
    if !changes.is_empty() {
        let mut changes = vec![CatalogChange::ChangeRows { table: table.oid, changes }];
        changes.extend(expected);
        session.commit(changes).await?;
    }
    Ok(match returned {
        Some(returned) => returned.into_outcome(session, "INSERT"),
        None => Outcome::command(format!("INSERT 0 {count}")),
    })
}

/// The rows of a statement that needs no plan.
fn literal(insert: &Insert, table: &HotTable, columns: &[usize]) -> Option<LiteralRows> {
    literal_rows(&insert.source, table, columns).filter(|_| insert.returning.is_empty())
}

async fn for_each_batch(
    session: &mut Session,
    planned: &Planned,
    plan: LogicalPlan,
    mut write: impl FnMut(&RecordBatch) -> Result<()>,
) -> Result<()> {
    let guard = session.guard();
    let context = Arc::new(PlanContext::new(session, planned.snapshot.clone()));
    let plan = guard.run(session.server.engine.physical_plan(context.clone(), plan)).await??;
    let mut rows = session.server.engine.execute(plan, context.state())?;
    while let Some(batch) = guard.run(rows.next()).await? {
        write(&batch?)?;
    }
    Ok(())
}

/// The table and its columns, by position, that a statement gives values.
pub struct Target {
    table: Arc<HotTable>,
    columns: Vec<usize>,
}

fn target(session: &Session, snapshot: &CatalogSnapshot, insert: &Insert, text: &str) -> Result<Target> {
    let relation = NameScope::of(session).must_relation(snapshot, &insert.table);
    let relation = relation.map_err(|error| match error {
        Error::UndefinedTable { name, position: None } => {
            let place = insert.table.0.first().and_then(|part| part.as_ident()).map(|part| part.span.start);
            let position = place.and_then(|place| position::character(text, place));
            Error::UndefinedTable { name, position }
        }
        other => other,
    })?;
    authorize(&session.identity, Action::Insert, Object::Relation(relation))?;
    let table = writable(relation, "insert into")?;
    let columns = target_columns(&table, &insert.columns)?;
    Ok(Target { table, columns })
}

/// The columns that get values. Without a column list, a row may have fewer values than the table has columns.
fn checked_targets<'a>(columns: &'a [usize], insert: &Insert, values: usize) -> Result<&'a [usize]> {
    if values > columns.len() {
        return Err(Error::InsertArity { more_expressions: true });
    }
    if values < columns.len() && !insert.columns.is_empty() {
        return Err(Error::InsertArity { more_expressions: false });
    }
    Ok(&columns[..values])
}

/// The columns that a plan of so many columns gives values: those of the query, then those that have them of their domains.
fn planned_targets(table: &HotTable, columns: &[usize], insert: &Insert, width: usize) -> Result<Vec<usize>> {
    let fits = |values: &usize| values + domain_columns_left(table, &columns[..*values]).len() == width;
    let values = (0..=columns.len()).rev().find(fits).unwrap_or(width);
    let mut targets = checked_targets(columns, insert, values)?.to_vec();
    targets.extend(domain_columns_left(table, &targets));
    Ok(targets)
}

/// What the query of an INSERT fills; `None` when it has no query to plan.
///
/// # Errors
/// The table or a column is wrong.
pub fn targets(
    session: &Session,
    snapshot: &CatalogSnapshot,
    parsed: &Parsed,
    insert: &Insert,
) -> Result<Option<Target>> {
    let target = target(session, snapshot, insert, &parsed.text)?;
    if literal(insert, &target.table, &target.columns).is_some() {
        return Ok(None);
    }
    Ok(Some(target))
}

/// Plans the query of an INSERT.
///
/// # Errors
/// The query is wrong, or its columns cannot be assigned.
pub fn plan(
    context: &PlanContext,
    parsed: &Parsed,
    insert: &Insert,
    target: &Target,
    parameters: Vec<Option<Type>>,
) -> Result<Planned> {
    let Target { table, columns } = target;
    let targets: Vec<_> = columns.iter().map(|column| &table.columns[*column]).collect();
    let left = |values: usize| domain_columns_left(table, &columns[..values]);
    if !insert.returning.is_empty() {
        return plan_insert_returning(context, insert, &parsed.text, parameters, table, columns, left);
    }
    plan_source(context, &insert.source, &parsed.text, parameters, &targets, left, table)
}
