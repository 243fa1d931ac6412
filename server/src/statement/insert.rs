//! INSERT INTO … VALUES, INSERT INTO … SELECT.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::compute::{CastOptions, cast_with_options};
use catalog::{CatalogSnapshot, Column, ExternalTable, HotTable, Oid, Relation};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::LogicalPlan;
use futures::StreamExt;
use pg::session::Sequences;
use pg::user_types::type_of_column;
use pg::{PgError, Type};
use sqlparser::ast;
use storage::hot::TableWriter;

use crate::analyze::location::Located;
use crate::analyze::set_operation::written_column;
use crate::error::{Error, Result};
use crate::parse::statement::Insert;
use crate::parse::{Parsed, position};
use crate::plan::conflict::plan_on_conflict;
use crate::plan::relations::{NameScope, identifier};
use crate::plan::{PlanContext, Planned, plan_insert};
use crate::session::{Action, Object, Prepared, Session, authorize};
use crate::statement::assignment::{expected_domains, target_columns, target_relation, writable};
use crate::statement::literal_rows::{LiteralRows, Parameters, literal_rows};
use crate::statement::returning::Returned;
use crate::statement::row_rules::{RowRules, plain_batch};
use crate::statement::write::commit_rows;
use crate::statement::{Outcome, insert_external, on_conflict};

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
    if insert.on_conflict.is_some() {
        return on_conflict::execute(session, prepared, insert, parameters).await;
    }
    let snapshot = session.snapshot()?;
    let text = prepared.parsed.as_ref().map_or("", |parsed| parsed.text.as_ref());
    let Target { table, columns, external } = target(session, &snapshot, insert, text)?;
    if let Some(external) = &external {
        return insert_external::execute(session, prepared, external, parameters).await;
    }
    let server = &session.server;
    let mut writer = TableWriter::new(table.clone(), server.segments.clone(), server.engine.reserve("insert"))?;
    let mut returned = None;
    let mut expected = None;
    let types = prepared.planned.as_ref().map_or(&[][..], |planned| planned.parameters.as_slice());
    match literal(insert, &table, &columns, Parameters { types, values: parameters }) {
        Some(rows) => {
            let mut values = {
                let names = session.names()?;
                let _entered = names.enter();
                rows.columns(&table, checked_targets(&columns, insert, rows.width(), text)?, text)?
            };
            for (place, sequence) in rows.sequences() {
                let column = &table.columns[place];
                values[place] = sequence_values(session, &snapshot, sequence, column, rows.height()).await?;
            }
            let batch = match plain_batch(&table, &values, rows.height())? {
                Some(batch) => batch,
                None => RowRules::new(session, &snapshot, &table)?.checked(values, rows.height())?,
            };
            writer.append(batch)?;
        }
        None => {
            let (planned, plan) = prepared.bound_plan(session, parameters).await?;
            expected = expected_domains(&planned.snapshot, &table);
            let rules = RowRules::new(session, &planned.snapshot, &table)?;
            let returned = returned.insert(Returned::new(session, planned.schema.clone()));
            let width = table.columns.len();
            let write = |batch: &RecordBatch| {
                writer.append(rules.checked(batch.columns()[..width].to_vec(), batch.num_rows())?)?;
                if insert.returning.is_empty() { Ok(()) } else { returned.add(batch, width) }
            };
            // Values of sequences are given to rows in their order.
            let ordered = insert.source.as_ref().is_some_and(|query| query.order_by.is_some());
            for_each_batch(session, &planned, plan, ordered, write).await?;
        }
    }
    let written = writer.finish()?;
    let count = written.rows;
    // It deletes nothing, so there are no rows that others could change.
    commit_rows(session, &table, written, expected).await?;
    Ok(match returned {
        Some(returned) if !insert.returning.is_empty() => returned.into_outcome(session, "INSERT"),
        _ => Outcome::command(format!("INSERT 0 {count}")),
    })
}

/// The next values of a sequence, for a column that has them by default.
async fn sequence_values(
    session: &mut Session,
    snapshot: &CatalogSnapshot,
    sequence: Oid,
    column: &Column,
    count: usize,
) -> Result<ArrayRef> {
    let Some(Relation::Sequence(sequence)) = snapshot.relation_by_oid(sequence) else {
        return Err(catalog::Error::ChangedConcurrently { oid: sequence }.into());
    };
    let sequences = session.sequences.clone();
    let values = match sequences.values_at_hand(sequence, count)? {
        Some(values) => values,
        None => {
            let sequence = sequence.clone();
            let engine = &session.server.engine;
            engine.analyze(move || Ok(sequences.next_values(&sequence, count)?)).await?
        }
    };
    let values: ArrayRef = Arc::new(Int64Array::from(values));
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let values = cast_with_options(&values, &column.sql_type.in_flight(), &options);
    values.map_err(|_| PgError::out_of_range(&type_of_column(&column.sql_type).name()).into())
}

/// The rows of a statement that needs no plan.
fn literal(insert: &Insert, table: &HotTable, columns: &[usize], parameters: Parameters<'_>) -> Option<LiteralRows> {
    let plain = insert.with.is_none()
        && insert.returning.is_empty()
        && insert.overriding.is_none()
        && insert.on_conflict.is_none();
    literal_rows(insert.source.as_ref().filter(|_| plain)?, table, columns, parameters)
}

/// Runs a plan and hands over its rows.
///
/// # Errors
/// The query fails, or `write` does.
pub async fn for_each_batch(
    session: &mut Session,
    planned: &Planned,
    plan: LogicalPlan,
    ordered: bool,
    mut write: impl FnMut(&RecordBatch) -> Result<()>,
) -> Result<()> {
    let guard = session.guard();
    let context = PlanContext::new(session, planned.snapshot.clone());
    let context = Arc::new(if ordered { context.in_order() } else { context });
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
    /// The table, when it is an external one, of which `table` has the columns.
    external: Option<Arc<ExternalTable>>,
}

fn target(session: &Session, snapshot: &CatalogSnapshot, insert: &Insert, text: &str) -> Result<Target> {
    let relation = target_relation(&NameScope::of(session), snapshot, &insert.table, text)?;
    authorize(&session.identity, Action::Insert, Object::Relation(relation))?;
    let (table, external) = match relation {
        Relation::External(external) => {
            check_external(insert)?;
            (Arc::new(insert_external::as_target(external)), Some(external.clone()))
        }
        _ => (writable(relation, "insert into")?, None),
    };
    let columns = target_columns(&table, &insert.columns);
    let columns = columns.map_err(|error| at_column(error, &insert.columns, text))?;
    Ok(Target { table, columns, external })
}

/// What cannot be done with files.
fn check_external(insert: &Insert) -> Result<()> {
    let what = if insert.on_conflict.is_some() {
        "ON CONFLICT"
    } else if !insert.returning.is_empty() {
        "RETURNING"
    } else {
        return Ok(());
    };
    Err(Error::not_supported(format!("INSERT into an external table with {what}")))
}

/// The error about a column of the list, at its last place there: the first is fine where there are two.
fn at_column(error: Error, columns: &[ast::Ident], text: &str) -> Error {
    let (Error::UndefinedColumn { column: wrong, .. } | Error::DuplicateColumn { column: wrong }) = &error else {
        return error;
    };
    let column = columns.iter().rfind(|column| identifier(column) == *wrong);
    let position = column.and_then(|column| position::character(text, column.start()));
    let sqlstate = error.report().sqlstate;
    Error::Sql { error: Box::new(PgError::new(sqlstate, error.to_string())), position }
}

/// The columns that get values. Without a column list, a row may have fewer values than the table has columns.
fn checked_targets<'a>(columns: &'a [usize], insert: &Insert, values: usize, text: &str) -> Result<&'a [usize]> {
    if values > columns.len() {
        let extra = insert.source.as_ref().and_then(|query| written_column(&query.body, columns.len()));
        let position = extra.and_then(|extra| position::character(text, extra.start()));
        return Err(Error::InsertArity { more_expressions: true, position });
    }
    if values < columns.len() && !insert.columns.is_empty() {
        let position = insert.columns.get(values).and_then(|extra| position::character(text, extra.start()));
        return Err(Error::InsertArity { more_expressions: false, position });
    }
    Ok(&columns[..values])
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
    let is_literal = || literal(insert, &target.table, &target.columns, Parameters::default()).is_some();
    if target.external.is_none() && is_literal() {
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
    let planned = plan_insert(context, insert, &parsed.text, parameters, &target.table, &target.columns)?;
    match &insert.on_conflict {
        Some(on_conflict) => plan_on_conflict(context, insert, on_conflict, &parsed.text, planned, &target.table),
        None => Ok(planned),
    }
}
