//! COPY … FROM STDIN.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};
use catalog::{Column, ColumnDefault, HotTable};
use datafusion::execution::memory_pool::MemoryReservation;
use storage::hot::TableWriter;

use crate::error::{Error, Result};
use crate::parse::statement::CopyFrom;
use crate::plan::PlanContext;
use crate::plan::relations::NameScope;
use crate::session::{Action, Object, Session, StatementGuard, authorize};
use crate::statement::Outcome;
use crate::statement::assignment::{COPY, expected_domains, target_columns, writable};
use crate::statement::copy_domains::Domains;
use crate::statement::row_rules::RowRules;
use crate::statement::write::{commit_rows, named_duplicate};
use pg::copy_format::{CopyError, CopyFormat, RowParser};
use pg::input::ColumnBuilder;
use pg::sqlstate::SqlState;
use pg::{PgError, SessionValues};

/// Rows that are converted before they go to the writer as a batch.
const BATCH_ROWS: usize = 8192;
/// Bytes of text after which a batch goes to the writer, and into its reservation, however few its rows are.
const BATCH_BYTES: usize = 8 << 20;
/// Characters of a value that an error shows, as in PostgreSQL (`MAX_COPY_DATA_DISPLAY`).
const SHOWN_CHARACTERS_MAX: usize = 100;

/// Begins: the rows come in the messages that follow.
///
/// # Errors
/// The table or a column is not there.
pub async fn execute(session: &mut Session, copy: &CopyFrom) -> Result<Outcome> {
    let snapshot = session.snapshot()?;
    let relation = NameScope::of(session).must_relation(&snapshot, &copy.table)?;
    authorize(&session.identity, Action::Insert, Object::Relation(relation))?;
    let table = writable(relation, COPY)?;
    let targets = copied_columns(&table, &copy.columns)?;
    let context = PlanContext::new(session, snapshot);
    let domains = Domains::new(&context, &table, &targets)?;
    let rules = RowRules::planned(&context, &table)?;
    Ok(Outcome::CopyIn(Box::new(CopyIn::new(session, table, targets, domains, rules, copy)?)))
}

/// The columns that the data has: those that are named, or all that are not computed of others.
fn copied_columns(table: &HotTable, named: &[sqlparser::ast::Ident]) -> Result<Vec<usize>> {
    let targets = target_columns(table, named)?;
    let is_generated = |target: &usize| matches!(table.columns[*target].default, Some(ColumnDefault::Generated(_)));
    if let (Some(target), false) = (targets.iter().find(|target| is_generated(target)), named.is_empty()) {
        let message = format!("column \"{}\" is a generated column", table.columns[*target].name);
        let error = PgError::new(SqlState::INVALID_COLUMN_REFERENCE, message);
        return Err(error.with_detail("Generated columns cannot be used in COPY.").into());
    }
    Ok(targets.into_iter().filter(|target| !is_generated(target)).collect())
}

/// A COPY that takes data.
pub struct CopyIn {
    table: Arc<HotTable>,
    /// The columns that the data has, by position.
    targets: Vec<usize>,
    /// What the columns' types demand beyond their text.
    domains: Domains,
    /// What the table demands of rows.
    rules: RowRules,
    format: CopyFormat,
    parser: RowParser,
    builders: Vec<ColumnBuilder>,
    /// The line of the first row in the builders.
    batch_line: u64,
    /// Bytes of text in the builders.
    converted_bytes: usize,
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
        targets: Vec<usize>,
        domains: Domains,
        rules: RowRules,
        copy: &CopyFrom,
    ) -> Result<Self> {
        let engine = &session.server.engine;
        let builders = targets.iter().map(|target| ColumnBuilder::new(&table.columns[*target], BATCH_ROWS)).collect();
        Ok(CopyIn {
            writer: TableWriter::new(table.clone(), session.server.segments.clone(), engine.reserve("copy"))?,
            values: session.values(Vec::new()),
            pending: engine.reserve("copy input"),
            guard: session.guard(),
            parser: RowParser::new(copy.options.clone()),
            format: copy.options.format,
            table,
            targets,
            domains,
            rules,
            builders,
            batch_line: 1,
            converted_bytes: 0,
        })
    }

    /// How many columns the data has.
    pub fn columns(&self) -> usize {
        self.targets.len()
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
        self.pending.try_resize(self.parser.buffered_bytes() + data.len())?;
        self.parser.feed(data);
        self.convert()
    }

    /// The end of the data: makes the rows visible.
    ///
    /// # Errors
    /// The last row is wrong, or the commit does not fit.
    pub async fn finish(mut self, session: &mut Session) -> Result<String> {
        self.parser.finish();
        self.convert()?;
        self.write_batch()?;
        let written = self.writer.finish()?;
        let rows = written.rows;
        let beside = expected_domains(self.domains.names().snapshot(), &self.table);
        // It deletes nothing, so there are no rows that others could change.
        let committed = commit_rows(session, &self.table, written, beside).await;
        session.end_statement();
        committed?;
        Ok(format!("COPY {rows}"))
    }

    fn convert(&mut self) -> Result<()> {
        let names = self.domains.names().clone();
        let _entered = names.enter();
        loop {
            match self.convert_row() {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => return Err(self.first_error(error)),
            }
            let rows = self.builders.first().map_or(BATCH_ROWS, ColumnBuilder::len);
            if rows >= BATCH_ROWS || self.converted_bytes >= BATCH_BYTES {
                self.write_batch()?;
            }
        }
    }

    /// A row cannot be converted: one before it, which was, may break a rule.
    fn first_error(&mut self, error: Error) -> Error {
        let whole = self.builders.iter().map(ColumnBuilder::len).min().unwrap_or(0);
        let columns: Vec<_> = self.builders.iter_mut().map(|builder| builder.finish().slice(0, whole)).collect();
        match self.rows_of(columns, whole) {
            Ok(_) => error,
            Err(earlier) => earlier,
        }
    }

    /// Converts the next row, if there is one.
    fn convert_row(&mut self) -> Result<bool> {
        let line = self.parser.line();
        let table = &self.table;
        let row = self.parser.next_row().map_err(|source| data_error(table, source, line))?;
        let Some(row) = row else { return Ok(false) };
        self.converted_bytes += row.bytes();
        let line = row.line();
        if self.builders.first().is_none_or(ColumnBuilder::is_empty) {
            self.batch_line = line;
        }
        if row.width() > self.targets.len() {
            return Err(data_error(table, CopyError::ExtraData, line));
        }
        for (number, (builder, target)) in self.builders.iter_mut().zip(&self.targets).enumerate() {
            let column = &table.columns[*target];
            if number >= row.width() {
                let missing = CopyError::MissingData { column: column.name.clone() };
                return Err(data_error(table, missing, line));
            }
            convert_value(table, column, builder, row.field(number), line)?;
        }
        Ok(true)
    }

    fn write_batch(&mut self) -> Result<()> {
        let names = self.domains.names().clone();
        let _entered = names.enter();
        let rows = self.builders.first().map_or(0, ColumnBuilder::len);
        self.converted_bytes = 0;
        if rows == 0 {
            return Ok(());
        }
        let values = self.builders.iter_mut().map(ColumnBuilder::finish).collect();
        let batch = self.rows_of(values, rows)?;
        self.writer.append(batch).map_err(|error| named_duplicate(&self.values, error.into()))?;
        Ok(())
    }

    /// Rows of the table, of values of the columns that the data has.
    fn rows_of(&self, values: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
        let mut columns: Vec<Option<ArrayRef>> = vec![None; self.table.columns.len()];
        for (values, target) in values.into_iter().zip(&self.targets) {
            self.domains.check(*target, &values).map_err(|(row, error)| {
                let line = self.batch_line + row as u64;
                let context =
                    format!("COPY {}, line {line}, column {}", self.table.name.name, self.table.columns[*target].name);
                Error::CopyValue { source: Box::new(error.into()), context }
            })?;
            columns[*target] = Some(values);
        }
        for (column, values) in self.domains.defaults(rows)? {
            columns[column] = Some(values);
        }
        let columns = self
            .table
            .columns
            .iter()
            .zip(columns)
            .map(|(column, array)| array.unwrap_or_else(|| new_null_array(&column.sql_type.in_flight(), rows)));
        self.rules.completed(columns.collect(), rows).map_err(|violation| {
            let line = self.batch_line + violation.row as u64;
            let context = format!("COPY {}, line {line}", self.table.name.name);
            Error::CopyValue { source: Box::new(violation.error), context }
        })
    }
}

impl std::fmt::Debug for CopyIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CopyIn").field("table", &self.table.name).finish_non_exhaustive()
    }
}

fn convert_value(
    table: &HotTable,
    column: &Column,
    builder: &mut ColumnBuilder,
    value: Option<&str>,
    line: u64,
) -> Result<()> {
    let context = |shown: String| format!("COPY {}, line {line}, column {}: {shown}", table.name.name, column.name);
    let Some(text) = value else {
        builder.push_null();
        return Ok(());
    };
    builder.push_text(text).map_err(|error| {
        let shown: String = text.chars().take(SHOWN_CHARACTERS_MAX).collect();
        Error::CopyValue { source: Box::new(error.into()), context: context(format!("\"{shown}\"")) }
    })
}

fn data_error(table: &HotTable, source: CopyError, line: u64) -> Error {
    Error::CopyData { source, context: format!("COPY {}, line {line}", table.name.name) }
}
