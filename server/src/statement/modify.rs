//! UPDATE, DELETE, MERGE: a query finds the rows and what they become; then they are changed all together.

use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use catalog::{CatalogSnapshot, Column, ColumnDefault, HotTable, RowAddresses};
use datafusion::common::ScalarValue;
use datafusion::datasource::provider_as_source;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use futures::StreamExt;
use pg::Type;
use sqlparser::ast;
use storage::hot::scan::addresses;
use storage::hot::table_writer::WrittenRows;
use storage::hot::{HotTableProvider, TableWriter};

use crate::analyze::modify::Target;
use crate::error::{Error, Result};
use crate::lazy::physical_may_fail;
use crate::parse::Parsed;
use crate::parse::statement::{Assignment, Modify, ModifyKind};
use crate::plan::logical::plan_modify;
use crate::plan::relations::{NameScope, parts};
use crate::plan::{PlanContext, Planned};
use crate::session::{Action, Object, Prepared, Session, authorize};
use crate::statement::Outcome;
use crate::statement::assignment::{expected_domains, target_relation, writable};
use crate::statement::merge;
use crate::statement::returning::Returned;
use crate::statement::row_rules::RowRules;
use crate::statement::write::{Write, commit_rows};

/// Times that a statement is run again because others have changed its rows in between.
pub const ATTEMPTS_MAX: usize = 1000;

/// Plans the query of an UPDATE, DELETE or MERGE.
///
/// # Errors
/// A column or a clause is wrong.
pub fn plan(
    context: &PlanContext,
    parsed: &Parsed,
    modify: &Modify,
    table: Arc<HotTable>,
    parameters: Vec<Option<Type>>,
) -> Result<Planned> {
    let (rows, segments) = (context.snapshot().rows(table.oid), context.segments().clone());
    let source = provider_as_source(Arc::new(HotTableProvider::with_addresses(
        table.clone(),
        rows,
        segments,
        physical_may_fail,
    )));
    plan_modify(context, modify, &Target { table, source }, &parsed.text, parameters)
}

/// The table that an UPDATE, DELETE or MERGE changes.
///
/// # Errors
/// It is not there, or has no rows of its own.
pub fn target(session: &Session, snapshot: &CatalogSnapshot, modify: &Modify, text: &str) -> Result<Arc<HotTable>> {
    let relation = target_relation(&NameScope::of(session), snapshot, &modify.target.name, text)?;
    let actions = match &modify.kind {
        ModifyKind::Delete => vec![Action::Delete],
        ModifyKind::Update(_) => vec![Action::Update],
        ModifyKind::Merge(merge) => merge::actions(merge),
    };
    for action in actions {
        authorize(&session.identity, action, Object::Relation(relation))?;
    }
    match modify.kind {
        ModifyKind::Delete => writable(relation, "delete from"),
        ModifyKind::Update(_) => writable(relation, "update"),
        ModifyKind::Merge(_) => merge::target(relation),
    }
}

/// Runs the query and changes its rows. Outside of a transaction block, a statement whose rows others have changed
/// meanwhile begins again with what they have left.
///
/// # Errors
/// The query fails, or a row does not fit the table any more; then nothing is changed.
pub async fn execute(
    session: &mut Session,
    prepared: &Prepared,
    modify: &Modify,
    parameters: &[ScalarValue],
) -> Result<Outcome> {
    for attempt in 1.. {
        let (planned, plan) = prepared.bound_plan(session, parameters).await?;
        let table = target(session, &planned.snapshot, modify, prepared.text())?;
        let found = find(session, &planned, plan, modify, &table).await?;
        let count = found.count;
        let beside = expected_domains(&planned.snapshot, &table);
        match commit_rows(session, &table, found.written, beside).await? {
            Write::Done if modify.returning.is_empty() => {
                return Ok(Outcome::command(format!("{} {count}", modify.verb())));
            }
            Write::Done => return Ok(found.returned.into_outcome(session, modify.verb())),
            Write::RowsChanged if attempt < ATTEMPTS_MAX => session.look_again(),
            Write::RowsChanged => {
                return Err(catalog::Error::RowChangedConcurrently { table: table.oid }.into());
            }
        }
    }
    Err(Error::Catalog(catalog::Error::ShuttingDown))
}

/// What the query has found.
struct Found {
    written: WrittenRows,
    /// How many rows of the table change.
    count: u64,
    returned: Returned,
}

async fn find(
    session: &mut Session,
    planned: &Planned,
    plan: LogicalPlan,
    modify: &Modify,
    table: &Arc<HotTable>,
) -> Result<Found> {
    let guard = session.guard();
    let engine = &session.server.engine;
    let context = Arc::new(PlanContext::new(session, planned.snapshot.clone()));
    let plan = guard.run(engine.physical_plan(context.clone(), plan)).await??;
    let mut rows = engine.execute(plan, context.state())?;
    let rules = RowRules::planned(&context, table)?;
    let writer = TableWriter::new(table.clone(), session.server.segments.clone(), engine.reserve("update"))?;
    let mut collected = Collected {
        rules,
        table: table.clone(),
        fates: match &modify.kind {
            ModifyKind::Delete => Fates::Each { updated: false },
            ModifyKind::Update(_) => Fates::Each { updated: true },
            ModifyKind::Merge(merge) => Fates::Merged(merge::Fates::of(merge)),
        },
        count: 0,
        delete: RowAddresses::default(),
        writer: writer.changing_only(&changed_columns(table, modify)),
        returned: Returned::new(session, planned.schema.clone()),
    };
    while let Some(batch) = guard.run(rows.next()).await? {
        collected.add(&batch?)?;
    }
    let mut written = collected.writer.finish()?;
    written.changes.delete = collected.delete;
    Ok(Found { written, count: collected.count, returned: collected.returned })
}

/// The numbers of the columns that get values.
fn changed_columns(table: &HotTable, modify: &Modify) -> Vec<i16> {
    let (assignments, adds): (Vec<&Assignment>, bool) = match &modify.kind {
        ModifyKind::Delete => return Vec::new(),
        ModifyKind::Update(assignments) => (assignments.iter().collect(), false),
        ModifyKind::Merge(merge) => (merge.assignments().collect(), merge.adds_rows()),
    };
    let named = |name: &str| {
        let is_named =
            |column: &ast::ObjectName| parts(column).is_ok_and(|path| path.first().is_some_and(|it| it == name));
        adds || assignments.iter().any(|assignment| is_named(&assignment.column))
    };
    // What is computed of others changes with them.
    let computed = |column: &Column| matches!(column.default, Some(ColumnDefault::Generated(_)));
    let changed = table.columns.iter().filter(|column| named(&column.name) || computed(column));
    changed.map(|column| column.attribute_number).collect()
}

/// What becomes of the rows that a statement finds.
enum Fates {
    /// All of them go, and come back as what they become if they are updated.
    Each { updated: bool },
    /// MERGE says it of each.
    Merged(merge::Fates),
}

/// The rows that a statement changes, as they are found.
struct Collected {
    table: Arc<HotTable>,
    rules: RowRules,
    fates: Fates,
    count: u64,
    delete: RowAddresses,
    writer: TableWriter,
    returned: Returned,
}

impl Collected {
    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        match &mut self.fates {
            Fates::Each { updated } => {
                let updated = *updated;
                self.change_each(batch, updated)
            }
            Fates::Merged(fates) => {
                let taken = fates.take(batch, &mut self.delete)?;
                self.count += taken.count;
                if fates.any_writes() {
                    self.write(&filter_record_batch(batch, &taken.writes).map_err(DataFusionError::from)?)?;
                }
                if taken.ends_with_repeated { Err(merge::affected_twice()) } else { Ok(()) }
            }
        }
    }

    fn change_each(&mut self, batch: &RecordBatch, updated: bool) -> Result<()> {
        let places = addresses(batch)?;
        // A row that joins several others is changed once.
        let first: Vec<bool> = places.iter().map(|(unit, row)| self.delete.insert(*unit, *row)).collect();
        let batch = match first.iter().all(|first| *first) {
            true => batch.clone(),
            false => filter_record_batch(batch, &BooleanArray::from(first)).map_err(DataFusionError::from)?,
        };
        self.count += batch.num_rows() as u64;
        if updated {
            self.write(&batch)?;
        }
        self.returned.add(&batch, if updated { self.table.columns.len() } else { 0 })
    }

    /// Writes the rows whose values a batch begins with.
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let values = batch.columns()[..self.table.columns.len()].to_vec();
        Ok(self.writer.append(self.rules.checked(values, batch.num_rows())?)?)
    }
}
