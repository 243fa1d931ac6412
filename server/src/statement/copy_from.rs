//! COPY … FROM STDIN.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use catalog::HotTable;
use datafusion::execution::memory_pool::MemoryReservation;
use sqlparser::ast;
use storage::hot::TableWriter;

use crate::error::{Error, Result};
use crate::parse::statement::CopyFrom;
use crate::plan::PlanContext;
use crate::plan::relations::{NameScope, identifier};
use crate::session::{Action, Object, Session, StatementGuard, authorize};
use crate::statement::Outcome;
use crate::statement::assignment::{COPY, expected_domains, target_columns, writable};
use crate::statement::copy_domains::Domains;
use crate::statement::copy_input::{CopyInput, Target};
use crate::statement::copy_to::{copied_columns, not_copied};
use crate::statement::copy_where::CopyWhere;
use crate::statement::row_rules::{RowRules, Violation};
use crate::statement::write::{commit_rows, named_duplicate};
use pg::SessionValues;
use pg::copy_format::CopyFormat;
use pg::user_types::type_of_column;

/// Begins: the rows come in the messages that follow.
///
/// # Errors
/// The table or a column is not there.
pub async fn execute(session: &mut Session, copy: &CopyFrom, text: &str) -> Result<Outcome> {
    let snapshot = session.snapshot()?;
    let relation = NameScope::of(session).must_relation(&snapshot, &copy.table)?;
    authorize(&session.identity, Action::Insert, Object::Relation(relation))?;
    let table = writable(relation, COPY)?;
    let places = copied_columns(&table, &copy.columns)?;
    let targets = targets(&table, &places, copy)?;
    let context = PlanContext::new(session, snapshot);
    let domains = Domains::new(&context, &table, &places)?;
    let rules = RowRules::planned(&context, &table)?;
    let condition = copy.condition.as_ref().map(|condition| CopyWhere::planned(&context, &table, condition, text));
    let rules = Rules { domains, condition: condition.transpose()?, rows: rules };
    Ok(Outcome::CopyIn(Box::new(CopyIn::new(session, table, targets, rules, copy)?)))
}

/// The columns that the data has, with what the options say of them.
fn targets(table: &HotTable, places: &[usize], copy: &CopyFrom) -> Result<Vec<Target>> {
    let forced = |option, named: &[ast::Ident]| {
        let forced = if named.is_empty() { Vec::new() } else { target_columns(table, named)? };
        match forced.iter().zip(named).find(|(place, _)| !places.contains(place)) {
            Some((_, name)) => Err(not_copied(option, &identifier(name))),
            None => Ok(forced),
        }
    };
    let not_null = forced("FORCE_NOT_NULL", &copy.force_not_null)?;
    let null = forced("FORCE_NULL", &copy.force_null)?;
    let target = |place: &usize| Target {
        place: *place,
        oid: type_of_column(&table.columns[*place].sql_type).oid,
        force_not_null: not_null.contains(place),
        force_null: null.contains(place),
    };
    Ok(places.iter().map(target).collect())
}

/// What rows must be.
struct Rules {
    /// What the columns' types demand beyond their text.
    domains: Domains,
    /// Which rows the statement keeps.
    condition: Option<CopyWhere>,
    /// What the table demands of rows.
    rows: RowRules,
}

/// A COPY that takes data.
pub struct CopyIn {
    table: Arc<HotTable>,
    rules: Rules,
    format: CopyFormat,
    input: CopyInput,
    writer: TableWriter,
    /// How the session prints values.
    values: SessionValues,
    /// What the parser holds of a row that has not ended.
    pending: MemoryReservation,
    guard: StatementGuard,
}

impl CopyIn {
    fn new(
        session: &Session,
        table: Arc<HotTable>,
        targets: Vec<Target>,
        rules: Rules,
        copy: &CopyFrom,
    ) -> Result<Self> {
        let engine = &session.server.engine;
        let values = session.values(Vec::new());
        Ok(CopyIn {
            writer: TableWriter::new(table.clone(), session.server.segments.clone(), engine.reserve("copy"))?,
            pending: engine.reserve("copy input"),
            guard: session.guard(),
            format: copy.options.format,
            input: CopyInput::new(table.clone(), targets, copy.options.clone(), values.clone()),
            values,
            table,
            rules,
        })
    }

    /// How many columns the data has.
    pub fn columns(&self) -> usize {
        self.input.targets().len()
    }

    /// The format of the data.
    pub fn format(&self) -> CopyFormat {
        self.format
    }

    /// What ends the statement early.
    pub fn guard(&self) -> StatementGuard {
        self.guard.clone()
    }

    /// Takes some data; rows may end anywhere.
    ///
    /// # Errors
    /// The data is wrong, or the memory is not there.
    pub fn take(&mut self, data: &[u8]) -> Result<()> {
        self.pending.try_resize(self.input.held_bytes() + data.len())?;
        self.input.feed(data);
        self.convert()
    }

    /// The end of the data: makes the rows visible.
    ///
    /// # Errors
    /// The last row is wrong, or the commit does not fit.
    pub async fn finish(mut self, session: &mut Session) -> Result<String> {
        self.input.end();
        self.convert()?;
        self.write_batch()?;
        let written = self.writer.finish()?;
        let rows = written.rows;
        let beside = expected_domains(self.rules.domains.names().snapshot(), &self.table);
        // It deletes nothing, so there are no rows that others could change.
        let committed = commit_rows(session, &self.table, written, beside).await;
        session.end_statement();
        committed?;
        Ok(format!("COPY {rows}"))
    }

    fn convert(&mut self) -> Result<()> {
        let names = self.rules.domains.names().clone();
        let _entered = names.enter();
        loop {
            match self.input.convert_row() {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => return Err(self.first_error(error)),
            }
            if self.input.is_full() {
                self.write_batch()?;
            }
        }
    }

    /// A row cannot be converted: one before it, which was, may break a rule.
    fn first_error(&mut self, error: Error) -> Error {
        let (columns, whole) = self.input.taken();
        match self.rows_of(columns, whole) {
            Ok(_) => error,
            Err(earlier) => earlier,
        }
    }

    fn write_batch(&mut self) -> Result<()> {
        let names = self.rules.domains.names().clone();
        let _entered = names.enter();
        let (values, rows) = self.input.taken();
        if rows == 0 {
            return Ok(());
        }
        let batch = self.rows_of(values, rows)?;
        self.input.clear_lines();
        if batch.num_rows() > 0 {
            self.writer.append(batch).map_err(|error| named_duplicate(&self.values, error.into()))?;
        }
        Ok(())
    }

    /// Rows of the table, of values of the columns that the data has.
    fn rows_of(&self, values: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
        let mut columns: Vec<Option<ArrayRef>> = vec![None; self.table.columns.len()];
        for (values, target) in values.into_iter().zip(self.input.targets()) {
            self.rules.domains.check(target.place, &values).map_err(|(row, error)| {
                let context = self.input.column_context(row, target.place);
                Error::InContext { source: Box::new(error.into()), context }
            })?;
            columns[target.place] = Some(values);
        }
        for (column, values) in self.rules.domains.defaults(rows)? {
            columns[column] = Some(values);
        }
        let columns = self.table.columns.iter().zip(columns);
        let columns: Vec<ArrayRef> = columns
            .map(|(column, array)| array.unwrap_or_else(|| new_null_array(&column.sql_type.in_flight(), rows)))
            .collect();
        let Some(condition) = &self.rules.condition else {
            return self.rules.rows.completed(columns, rows).map_err(|violation| self.violated(violation));
        };
        let (kept, failed) = condition.kept(&columns, rows);
        let completed = self.rules.rows.completed(kept.filtered(&columns)?, kept.rows.len());
        let completed =
            completed.map_err(|violation| self.violated(Violation { row: kept.rows[violation.row], ..violation }));
        // The rows before the one that the condition fails for may break a rule.
        match (completed, failed) {
            (Ok(_), Some(failed)) => Err(self.violated(failed)),
            (completed, _) => completed,
        }
    }

    fn violated(&self, violation: Violation) -> Error {
        let context = self.input.row_context(violation.row);
        Error::InContext { source: Box::new(violation.error), context }
    }
}

impl std::fmt::Debug for CopyIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CopyIn").field("table", &self.table.name).finish_non_exhaustive()
    }
}
