//! INSERT … ON CONFLICT: rows whose key is there already are left out, or what is there is updated.
//!
//! The keys are locked before they are looked for, and looked for in what is committed by then: nobody else can add one of
//! them before the statement's transaction is over.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array, UInt64Array};
use arrow::compute::{concat, concat_batches, take_record_batch};
use arrow::datatypes::Schema;
use catalog::{CatalogSnapshot, HotTable, RowAddresses, UnitId};
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::logical_expr::LogicalPlan;
use futures::StreamExt;
use pg::PgError;
use pg::sqlstate::SqlState;
use storage::hot::TableWriter;
use storage::hot::keys::KeyHash;
use storage::hot::scan::addresses;

use crate::analyze::on_conflict::pair_schema;
use crate::error::{Error, Result};
use crate::parse::statement::Insert;
use crate::plan::conflict::Arbiter;
use crate::plan::given_rows::with_given_rows;
use crate::plan::{PlanContext, Planned};
use crate::session::{Prepared, Session};
use crate::statement::Outcome;
use crate::statement::assignment::expected_domains;
use crate::statement::modify::ATTEMPTS_MAX;
use crate::statement::returning::Returned;
use crate::statement::row_rules::RowRules;
use crate::statement::write::{Write, commit_rows, find_keys, lock_keys, lock_rows};

/// Runs the query, and inserts or updates its rows. A statement whose rows others have changed meanwhile begins again.
///
/// # Errors
/// The query fails, a row does not fit, or one row would be updated twice.
pub async fn execute(
    session: &mut Session,
    prepared: &Prepared,
    insert: &Insert,
    parameters: &[ScalarValue],
) -> Result<Outcome> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        if attempts > 1 {
            session.look_again();
        }
        let (planned, plan) = prepared.bound_plan(session, parameters).await?;
        let Some(target) = &planned.on_conflict else { return Err(Error::not_supported("ON CONFLICT")) };
        let (table, updates) = (target.table.clone(), target.update.is_some());
        let rules = RowRules::new(session, &planned.snapshot, &table)?;
        let proposed = Proposed::read(session, &planned, plan).await?;
        // A row that breaks a rule is an error even where it would not be inserted.
        rules.checked(proposed.rows.columns()[..table.columns.len()].to_vec(), proposed.rows.num_rows())?;
        let mut met = Met::new(table.clone(), proposed.rows.num_rows(), updates);
        for arbiter in target.arbiters.iter() {
            met.look_for(session, &planned.snapshot, &proposed, arbiter).await?;
        }
        let updated = match &target.update {
            Some(update) => {
                if !lock_rows(session, &table, &met.addresses()).await? {
                    match session.sees_one_snapshot() {
                        true => return Err(not_serializable(&table)),
                        false => continue,
                    }
                }
                let pairs = met.pairs(session, &proposed).await?;
                updated_rows(session, &planned.snapshot, planned.bound(update, parameters)?, &pairs).await?
            }
            None => Vec::new(),
        };
        let changed = Changed { proposed: &proposed, met: &met, updated: &updated, width: table.columns.len() };
        let engine = &session.server.engine;
        let mut writer = TableWriter::new(table.clone(), session.server.segments.clone(), engine.reserve("insert"))?;
        let mut deleted = RowAddresses::default();
        for rows in changed.rows(&rules)? {
            writer.append(rows)?;
        }
        for batch in &updated {
            for (unit, row) in addresses(batch)? {
                deleted.insert(unit, row);
            }
        }
        let mut written = writer.finish()?;
        let count = written.rows;
        written.changes.delete = deleted;
        let beside = expected_domains(&planned.snapshot, &table);
        match commit_rows(session, &table, written, beside).await? {
            Write::Done if insert.returning.is_empty() => return Ok(Outcome::command(format!("INSERT 0 {count}"))),
            Write::Done => {
                let mut returned = Returned::new(session, planned.schema.clone());
                returned.add(&changed.returned(&planned)?, 0)?;
                return Ok(returned.into_outcome(session, "INSERT"));
            }
            Write::RowsChanged if attempts < ATTEMPTS_MAX => {}
            Write::RowsChanged => return Err(not_serializable(&table)),
        }
    }
}

/// The rows that are to be inserted: the values of all columns of the table, then those of RETURNING.
struct Proposed {
    rows: RecordBatch,
    _held: MemoryReservation,
}

impl Proposed {
    async fn read(session: &mut Session, planned: &Planned, plan: LogicalPlan) -> Result<Self> {
        let held = session.server.engine.reserve("insert");
        let context = PlanContext::new(session, planned.snapshot.clone());
        let batches = run(session, context, plan).await?;
        for batch in &batches.1 {
            held.try_grow(batch.get_array_memory_size())?;
        }
        let rows = concat_batches(&batches.0, &batches.1).map_err(DataFusionError::from)?;
        Ok(Proposed { rows, _held: held })
    }

    fn taken(&self, rows: &[u32]) -> Result<RecordBatch> {
        let rows = UInt32Array::from(rows.to_vec());
        Ok(take_record_batch(&self.rows, &rows).map_err(DataFusionError::from)?)
    }
}

/// A row that is there, with the key of one that was proposed.
#[derive(Debug, Clone, Copy)]
struct Conflict {
    proposed: u32,
    unit: UnitId,
    row: u32,
}

/// What became of a proposed row.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// Its key is new.
    Free,
    /// Another row of the statement has its key.
    Repeated,
    /// A row that is there has its key.
    Meets(UnitId, u32),
}

/// What the proposed rows have met.
struct Met {
    table: Arc<HotTable>,
    fates: Vec<Fate>,
    /// Whether the rows that are there are updated.
    updates: bool,
}

impl Met {
    fn new(table: Arc<HotTable>, rows: usize, updates: bool) -> Self {
        Met { table, fates: vec![Fate::Free; rows], updates }
    }

    /// Looks for the rows whose keys are there.
    async fn look_for(
        &mut self,
        session: &mut Session,
        snapshot: &CatalogSnapshot,
        proposed: &Proposed,
        arbiter: &Arbiter,
    ) -> Result<()> {
        let columns = arbiter.key.places().iter().map(|place| proposed.rows.column(*place).clone());
        let hashes = arbiter.key.hasher().hashes(&columns.collect::<Vec<_>>()).map_err(DataFusionError::from)?;
        let mut first: HashMap<KeyHash, usize> = HashMap::new();
        for (row, hash) in hashes.into_iter().enumerate() {
            let (Some(hash), Fate::Free) = (hash, self.fates[row]) else { continue };
            match first.entry(hash) {
                Entry::Vacant(entry) => drop(entry.insert(row)),
                Entry::Occupied(_) if self.updates => return Err(twice()),
                // The first of them stands in the way of the others.
                Entry::Occupied(_) => self.fates[row] = Fate::Repeated,
            }
        }
        let (keys, rows): (Vec<KeyHash>, Vec<usize>) = first.into_iter().unzip();
        lock_keys(session, arbiter.constraint, &keys).await?;
        let there = find_keys(session, self.table.oid, &arbiter.key, &keys, &RowAddresses::default()).await?;
        let seen = snapshot.rows(self.table.oid);
        for found in there.found {
            if session.sees_one_snapshot() && !seen.has_row(found.unit, found.row) {
                return Err(not_serializable(&self.table));
            }
            self.fates[rows[found.key]] = Fate::Meets(found.unit, found.row);
        }
        Ok(())
    }

    /// The proposed rows whose key is new.
    fn free(&self) -> Vec<u32> {
        (0..).zip(&self.fates).filter(|(_, fate)| matches!(fate, Fate::Free)).map(|(row, _)| row).collect()
    }

    /// The rows that are there with the key of a proposed one.
    fn conflicts(&self) -> impl Iterator<Item = Conflict> + '_ {
        (0..).zip(&self.fates).filter_map(|(proposed, fate)| match *fate {
            Fate::Meets(unit, row) => Some(Conflict { proposed, unit, row }),
            Fate::Free | Fate::Repeated => None,
        })
    }

    fn addresses(&self) -> RowAddresses {
        let mut addresses = RowAddresses::default();
        for conflict in self.conflicts() {
            addresses.insert(conflict.unit, conflict.row);
        }
        addresses
    }

    /// The rows that are there beside those that were proposed.
    async fn pairs(&self, session: &mut Session, proposed: &Proposed) -> Result<RecordBatch> {
        let schema = pair_schema(&self.table);
        let conflicts: Vec<Conflict> = self.conflicts().collect();
        if conflicts.is_empty() {
            return Ok(RecordBatch::new_empty(schema));
        }
        let (guard, index) = (session.guard(), session.server.keys.clone());
        let rows = session.newest()?.rows(self.table.oid);
        let mut present: Vec<Vec<ArrayRef>> = Vec::with_capacity(conflicts.len());
        for conflict in &conflicts {
            let values = index.values(self.table.columns.iter(), &rows, conflict.unit, conflict.row);
            present.push(guard.run(values).await?.map_err(Error::Storage)?);
        }
        let width = self.table.columns.len();
        let column = |place: usize| {
            let values: Vec<&dyn Array> = present.iter().map(|row| row[place].as_ref()).collect();
            concat(&values)
        };
        let mut columns = (0..width).map(column).collect::<Result<Vec<_>, _>>().map_err(DataFusionError::from)?;
        let of_conflicts: Vec<u32> = conflicts.iter().map(|conflict| conflict.proposed).collect();
        columns.extend(proposed.taken(&of_conflicts)?.columns()[..width].iter().cloned());
        columns.push(Arc::new(UInt64Array::from_iter_values(conflicts.iter().map(|conflict| conflict.unit.0))));
        columns.push(Arc::new(UInt32Array::from_iter_values(conflicts.iter().map(|conflict| conflict.row))));
        Ok(RecordBatch::try_new(schema, columns).map_err(DataFusionError::from)?)
    }
}

/// Runs the plan of the rows that are updated, over pairs of rows.
async fn updated_rows(
    session: &mut Session,
    snapshot: &Arc<CatalogSnapshot>,
    update: LogicalPlan,
    pairs: &RecordBatch,
) -> Result<Vec<RecordBatch>> {
    let plan = with_given_rows(update, pairs)?;
    // It finds nothing but what another plan has found, which is the one to be shown.
    let context = PlanContext::new(session, snapshot.clone()).unnoted();
    Ok(run(session, context, plan).await?.1)
}

/// What the statement changes, and answers.
struct Changed<'a> {
    proposed: &'a Proposed,
    met: &'a Met,
    updated: &'a [RecordBatch],
    /// Columns of the table.
    width: usize,
}

impl Changed<'_> {
    /// The rows to be written.
    fn rows(&self, rules: &RowRules) -> Result<Vec<RecordBatch>> {
        let inserted = self.proposed.taken(&self.met.free())?;
        let of_table = |rows: &RecordBatch| Ok(rules.checked(rows.columns()[..self.width].to_vec(), rows.num_rows())?);
        std::iter::once(&inserted).chain(self.updated).filter(|rows| rows.num_rows() > 0).map(of_table).collect()
    }

    /// The rows of RETURNING, in the order in which they were proposed.
    fn returned(&self, planned: &Planned) -> Result<RecordBatch> {
        let wanted = self.width..self.width + planned.schema.fields().len();
        let part = |rows: &RecordBatch| {
            let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
            let columns = rows.columns()[wanted.clone()].to_vec();
            RecordBatch::try_new_with_options(planned.schema.clone(), columns, &options)
        };
        let mut places = self.met.free();
        let mut parts = vec![part(&self.proposed.taken(&self.met.free())?).map_err(DataFusionError::from)?];
        let proposed: HashMap<(UnitId, u32), u32> =
            self.met.conflicts().map(|conflict| ((conflict.unit, conflict.row), conflict.proposed)).collect();
        for batch in self.updated {
            places.extend(addresses(batch)?.iter().filter_map(|address| proposed.get(address)));
            parts.push(part(batch).map_err(DataFusionError::from)?);
        }
        let all = concat_batches(&planned.schema, &parts).map_err(DataFusionError::from)?;
        let mut order: Vec<u32> = (0..places.len() as u32).collect();
        order.sort_by_key(|place| places[*place as usize]);
        Ok(take_record_batch(&all, &UInt32Array::from(order)).map_err(DataFusionError::from)?)
    }
}

/// All rows of a plan.
async fn run(
    session: &mut Session,
    context: PlanContext,
    plan: LogicalPlan,
) -> Result<(Arc<Schema>, Vec<RecordBatch>)> {
    let (guard, context) = (session.guard(), Arc::new(context));
    let plan = guard.run(session.server.engine.physical_plan(context.clone(), plan)).await??;
    let mut rows = session.server.engine.execute(plan, context.state())?;
    let mut batches = Vec::new();
    while let Some(batch) = guard.run(rows.next()).await? {
        batches.push(batch?);
    }
    Ok((rows.schema(), batches))
}

fn not_serializable(table: &HotTable) -> Error {
    catalog::Error::RowChangedConcurrently { table: table.oid }.into()
}

fn twice() -> Error {
    let error =
        PgError::new(SqlState::CARDINALITY_VIOLATION, "ON CONFLICT DO UPDATE command cannot affect row a second time");
    let hint = "Ensure that no rows proposed for insertion within the same command have duplicate constrained values.";
    error.with_hint(hint).into()
}
