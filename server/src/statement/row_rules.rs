//! What the definition of a table demands of rows: generated columns, NOT NULL, CHECK.
//!
//! In PostgreSQL's order: of the first row that breaks a rule, NOT NULL by columns, then conditions by their names.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::Schema;
use catalog::constraint::ConstraintKind;
use catalog::{CatalogSnapshot, ColumnDefault, HotTable};
use datafusion::common::DFSchema;
use datafusion::error::DataFusionError;
use datafusion::physical_expr::PhysicalExpr;
use pg::error::Subject;
use pg::names::Names;
use pg::sqlstate::SqlState;
use pg::{PgError, SessionValues};

use crate::analyze::Analyzer;
use crate::analyze::kept::{KeptAs, row_namespace};
use crate::error::{Error, Result};
use crate::plan::PlanContext;
use crate::session::Session;
use crate::statement::row_text::row_text;

/// Bytes of a value that a message shows, as in PostgreSQL (`maxfieldlen`).
const SHOWN_BYTES_MAX: usize = 64;

/// What the definition of a table demands of rows.
pub struct RowRules {
    table: Arc<HotTable>,
    values: SessionValues,
    names: Option<Arc<Names>>,
    generated: Vec<(usize, Arc<dyn PhysicalExpr>)>,
    checks: Vec<(String, Arc<dyn PhysicalExpr>)>,
}

/// The first row that breaks a rule, and which.
pub struct Violation {
    /// Its place among the rows.
    pub row: usize,
    /// What is wrong with it.
    pub error: Error,
}

impl RowRules {
    /// The rules of a table, in a statement that sees `snapshot`.
    ///
    /// # Errors
    /// A condition cannot be read any more.
    pub fn new(session: &mut Session, snapshot: &Arc<CatalogSnapshot>, table: &Arc<HotTable>) -> Result<Self> {
        if !has_conditions(table) && !has_generated(table) {
            let values = session.named_values()?;
            let (names, generated, checks) = (values.names.clone(), Vec::new(), Vec::new());
            return Ok(RowRules { table: table.clone(), values, names, generated, checks });
        }
        Self::planned(&PlanContext::new(session, snapshot.clone()), table)
    }

    /// As [`RowRules::new`], where a statement is planned anyway.
    ///
    /// # Errors
    /// A condition cannot be read any more.
    pub fn planned(context: &PlanContext, table: &Arc<HotTable>) -> Result<Self> {
        let _entered = context.names().enter();
        let schema = DFSchema::try_from(table.arrow_schema().as_ref().clone())?;
        let physical = |expr| Ok::<_, Error>(context.state().create_physical_expr(expr, &schema)?);
        let mut analyzer = Analyzer::new(context, "", Vec::new());
        let mut generated = Vec::new();
        for (place, column) in table.columns.iter().enumerate() {
            if let Some(ColumnDefault::Generated(written)) = &column.default {
                let value = analyzer.generation_expression(written, row_namespace(table))?;
                generated.push((place, physical(analyzer.as_column(value, column)?.expr)?));
            }
        }
        let mut checks = Vec::new();
        for constraint in &table.constraints {
            if let ConstraintKind::Check(check) = &constraint.kind {
                let condition = analyzer.written_expression(&check.condition, row_namespace(table), KeptAs::Check)?;
                checks.push((constraint.name.clone(), physical(condition.expr)?));
            }
        }
        checks.sort_by(|left, right| left.0.cmp(&right.0));
        let (values, names) = (context.session_values().clone(), Some(context.names().clone()));
        Ok(RowRules { table: table.clone(), values, names, generated, checks })
    }

    /// Rows of columns of the table's types, once they fulfil the rules; generated columns are what the plan has made them.
    ///
    /// # Errors
    /// 23502, 23514, or what goes wrong in a condition.
    pub fn checked(&self, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, Violation> {
        let _entered = self.names.as_ref().map(|names| names.enter());
        let batch = self.batch(columns, rows, true)?;
        let null = self.first_null(&batch);
        // A row before the one with the NULL may break another rule.
        let before = null.map_or(rows, |(row, _)| row);
        if let Some(violation) = self.first_unfulfilled(&batch.slice(0, before))? {
            return Err(violation);
        }
        match null {
            Some((row, column)) => Err(Violation { row, error: self.null_violation(&batch, row, column) }),
            None => self.batch(batch.columns().to_vec(), rows, false),
        }
    }

    /// As [`RowRules::checked`], for rows that no plan has made: generated columns are computed.
    ///
    /// # Errors
    /// As [`RowRules::checked`].
    pub fn completed(&self, mut columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, Violation> {
        let _entered = self.names.as_ref().map(|names| names.enter());
        let given = self.batch(columns.clone(), rows, true)?;
        for (place, expr) in &self.generated {
            let value = expr.evaluate(&given).and_then(|value| value.into_array(rows));
            columns[*place] = value.map_err(|error| Violation { row: 0, error: error.into() })?;
        }
        self.checked(columns, rows)
    }

    fn batch(&self, columns: Vec<ArrayRef>, rows: usize, nullable: bool) -> Result<RecordBatch, Violation> {
        let mut schema = self.table.arrow_schema();
        if nullable {
            let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
            schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(schema, columns, &options);
        batch.map_err(|error| Violation { row: 0, error: DataFusionError::from(error).into() })
    }

    /// The first row with a NULL that may not be, and the first such column of it.
    fn first_null(&self, batch: &RecordBatch) -> Option<(usize, usize)> {
        let mut first: Option<(usize, usize)> = None;
        for (place, (column, array)) in self.table.columns.iter().zip(batch.columns()).enumerate() {
            if !column.not_null || array.null_count() == 0 {
                continue;
            }
            let row = (0..array.len()).find(|row| array.is_null(*row));
            if let Some(row) = row
                && first.is_none_or(|(known, _)| row < known)
            {
                first = Some((row, place));
            }
        }
        first
    }

    fn null_violation(&self, batch: &RecordBatch, row: usize, column: usize) -> Error {
        let (column, relation) = (&self.table.columns[column].name, &self.table.name.name);
        let message =
            format!("null value in column \"{column}\" of relation \"{relation}\" violates not-null constraint");
        let mut error = PgError::new(SqlState::NOT_NULL_VIOLATION, message);
        error.detail = self.failing_row(batch, row);
        error.about(Subject { column: Some(column.clone()), ..self.subject() }).into()
    }

    /// What errors of rows are about.
    fn subject(&self) -> Subject {
        let name = &self.table.name;
        Subject { schema: Some(name.schema.clone()), table: Some(name.name.clone()), ..Subject::default() }
    }

    fn first_unfulfilled(&self, batch: &RecordBatch) -> Result<Option<Violation>, Violation> {
        if batch.num_rows() == 0 {
            return Ok(None);
        }
        let mut first: Option<(usize, &str)> = None;
        let mut failed: Option<DataFusionError> = None;
        for (name, condition) in &self.checks {
            let fulfilled = match condition.evaluate(batch).and_then(|value| value.into_array(batch.num_rows())) {
                Ok(fulfilled) => fulfilled,
                Err(error) => {
                    failed.get_or_insert(error);
                    continue;
                }
            };
            let fulfilled = fulfilled
                .as_boolean_opt()
                .ok_or_else(|| Violation { row: 0, error: PgError::internal("a condition is no boolean").into() })?;
            // NULL is no violation.
            let row = (0..fulfilled.len()).find(|row| fulfilled.is_valid(*row) && !fulfilled.value(*row));
            if let Some(row) = row
                && first.is_none_or(|(known, _)| row < known)
            {
                first = Some((row, name));
            }
        }
        if let Some(error) = failed {
            return Err(self.first_failure(batch, error));
        }
        Ok(first.map(|(row, name)| {
            let relation = &self.table.name.name;
            let message = format!("new row for relation \"{relation}\" violates check constraint \"{name}\"");
            let mut error = PgError::new(SqlState::CHECK_VIOLATION, message);
            error.detail = self.failing_row(batch, row);
            let error = error.about(Subject { constraint: Some(name.to_owned()), ..self.subject() });
            Violation { row, error: error.into() }
        }))
    }

    /// A condition cannot be computed for some row: the rows before it may break a rule first.
    fn first_failure(&self, batch: &RecordBatch, error: DataFusionError) -> Violation {
        if batch.num_rows() == 1 {
            return self.first_of_row(batch).unwrap_or(Violation { row: 0, error: error.into() });
        }
        for row in 0..batch.num_rows() {
            let alone = batch.slice(row, 1);
            if let Some(violation) = self.first_of_row(&alone) {
                return Violation { row, ..violation };
            }
        }
        Violation { row: 0, error: error.into() }
    }

    /// What is wrong with a single row, condition by condition.
    fn first_of_row(&self, row: &RecordBatch) -> Option<Violation> {
        self.checks.iter().find_map(|check| {
            let alone = RowRules {
                table: self.table.clone(),
                values: self.values.clone(),
                names: self.names.clone(),
                generated: Vec::new(),
                checks: Vec::new(),
            };
            let value = check.1.evaluate(row).and_then(|value| value.into_array(1));
            match value {
                Err(error) => Some(Violation { row: 0, error: error.into() }),
                Ok(_) => RowRules { checks: vec![check.clone()], ..alone }.first_unfulfilled(row).ok().flatten(),
            }
        })
    }

    /// `Failing row contains (…).`
    fn failing_row(&self, batch: &RecordBatch, row: usize) -> Option<String> {
        let shown: Vec<String> = row_text(&self.values, batch, row)?.iter().map(|text| shortened(text)).collect();
        Some(format!("Failing row contains ({}).", shown.join(", ")))
    }
}

fn shortened(text: &str) -> String {
    if text.len() <= SHOWN_BYTES_MAX {
        return text.to_owned();
    }
    let mut end = SHOWN_BYTES_MAX;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", &text[..end])
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        violation.error
    }
}

/// The rows of a table that demands nothing but NOT NULL, if they fulfil that.
///
/// # Errors
/// The columns are not the table's.
pub fn plain_batch(table: &HotTable, columns: &[ArrayRef], rows: usize) -> Result<Option<RecordBatch>> {
    let null = |(column, array): (&catalog::Column, &ArrayRef)| column.not_null && array.null_count() > 0;
    if has_conditions(table) || has_generated(table) || table.columns.iter().zip(columns).any(null) {
        return Ok(None);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(table.arrow_schema(), columns.to_vec(), &options);
    Ok(Some(batch.map_err(DataFusionError::from)?))
}

fn has_conditions(table: &HotTable) -> bool {
    table.constraints.iter().any(|constraint| matches!(constraint.kind, ConstraintKind::Check(_)))
}

/// Whether a column is computed of others.
pub fn has_generated(table: &HotTable) -> bool {
    table.columns.iter().any(|column| matches!(column.default, Some(ColumnDefault::Generated(_))))
}
