//! COPY … FROM … WHERE: which rows are kept.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{Schema, SchemaRef};
use catalog::{ColumnDefault, HotTable};
use datafusion::common::DFSchema;
use datafusion::error::DataFusionError;
use datafusion::physical_expr::PhysicalExpr;
use sqlparser::ast;

use crate::analyze::Analyzer;
use crate::analyze::kept::{KeptAs, row_namespace};
use crate::error::{Error, Result};
use crate::plan::PlanContext;
use crate::statement::row_rules::Violation;
use pg::PgError;
use pg::sqlstate::SqlState;

/// A condition over the rows of a table, before generated columns are computed.
pub struct CopyWhere {
    condition: Arc<dyn PhysicalExpr>,
    schema: SchemaRef,
}

/// The rows that are kept.
pub struct Kept {
    /// Their places.
    pub rows: Vec<usize>,
}

impl Kept {
    /// These rows of columns.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn filtered(&self, columns: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
        if columns.first().is_some_and(|column| column.len() == self.rows.len()) {
            return Ok(columns.to_vec());
        }
        let places = UInt64Array::from_iter_values(self.rows.iter().map(|row| *row as u64));
        let filtered = columns.iter().map(|column| take(column, &places, None).map_err(DataFusionError::from));
        Ok(filtered.collect::<Result<_, _>>()?)
    }
}

impl CopyWhere {
    /// A condition as it was written in `text`.
    ///
    /// # Errors
    /// Whatever is wrong with it; 42P10 for a generated column, which has no value yet.
    pub fn planned(context: &PlanContext, table: &HotTable, condition: &ast::Expr, text: &str) -> Result<Self> {
        let _entered = context.names().enter();
        let mut analyzer = Analyzer::new(context, text, Vec::new());
        let analyzed = analyzer.kept_expression(condition, row_namespace(table), KeptAs::CopyWhere)?.expr;
        if !analyzer.into_parameters().is_empty() {
            return Err(Error::UndefinedParameter { number: 1 });
        }
        let used = analyzed.column_refs();
        let is_generated = |column: &&catalog::Column| matches!(column.default, Some(ColumnDefault::Generated(_)));
        let generated = table.columns.iter().filter(is_generated);
        if let Some(column) = generated.into_iter().find(|column| used.iter().any(|used| used.name == column.name)) {
            let message = "generated columns are not supported in COPY FROM WHERE conditions";
            let error = PgError::new(SqlState::INVALID_COLUMN_REFERENCE, message);
            return Err(error.with_detail(format!("Column \"{}\" is a generated column.", column.name)).into());
        }
        let fields = table.arrow_schema();
        let fields = fields.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
        let schema = Schema::new(fields.collect::<Vec<_>>());
        let condition = context.state().create_physical_expr(analyzed, &DFSchema::try_from(schema.clone())?)?;
        Ok(CopyWhere { condition, schema: Arc::new(schema) })
    }

    /// The rows that fulfil the condition, up to the first for which it cannot be computed, and that one.
    pub fn kept(&self, columns: &[ArrayRef], rows: usize) -> (Kept, Option<Violation>) {
        if let Ok(kept) = self.fulfilling(columns, rows) {
            return (Kept { rows: kept }, None);
        }
        let mut kept = Vec::new();
        for row in 0..rows {
            let alone: Vec<ArrayRef> = columns.iter().map(|column| column.slice(row, 1)).collect();
            match self.fulfilling(&alone, 1) {
                Ok(found) => kept.extend(found.iter().map(|_| row)),
                Err(error) => return (Kept { rows: kept }, Some(Violation { row, error })),
            }
        }
        (Kept { rows: kept }, None)
    }

    fn fulfilling(&self, columns: &[ArrayRef], rows: usize) -> Result<Vec<usize>> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns.to_vec(), &options);
        let value = self.condition.evaluate(&batch.map_err(DataFusionError::from)?)?.into_array(rows)?;
        let value = value.as_boolean_opt().ok_or_else(|| PgError::internal("a condition is no boolean"))?;
        Ok((0..rows).filter(|row| value.is_valid(*row) && value.value(*row)).collect())
    }
}
