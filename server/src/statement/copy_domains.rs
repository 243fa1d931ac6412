//! What the types of a table's columns demand of the rows of a COPY beyond their text: domains check values, and have
//! defaults for columns that the data does not have.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::Schema;
use catalog::{Column, ColumnDefault, HotTable};
use datafusion::common::DFSchema;
use datafusion::error::DataFusionError;
use datafusion::physical_expr::PhysicalExpr;
use pg::PgError;
use pg::names::Names;

use crate::analyze::Analyzer;
use crate::analyze::domain::constraints::Constraints;
use crate::analyze::domain::{column_constraints, has_domain};
use crate::error::Result;
use crate::plan::PlanContext;

/// What the types of a table's columns demand.
pub struct Domains {
    names: Arc<Names>,
    /// For each column.
    constraints: Vec<Option<Constraints>>,
    /// Of the columns that the data does not have: what they get.
    defaults: Vec<(usize, Arc<dyn PhysicalExpr>)>,
}

impl Domains {
    /// Of a table whose data has the columns `targets`.
    ///
    /// # Errors
    /// A condition or a default cannot be read any more.
    pub fn new(context: &PlanContext, table: &HotTable, targets: &[usize]) -> Result<Self> {
        let names = context.names().clone();
        let _entered = names.enter();
        let constraints = table.columns.iter().map(|column| column_constraints(context, &column.sql_type));
        let constraints = constraints.collect::<Result<_>>()?;
        let default = |column: usize| {
            let expr = Analyzer::new(context, "", Vec::new()).default_of(&table.columns[column])?.expr;
            Ok((column, context.state().create_physical_expr(expr, &DFSchema::empty())?))
        };
        let left = table.columns.iter().enumerate().filter(|(place, _)| !targets.contains(place));
        let left = left.filter(|(_, column)| has_domain(&column.sql_type) || has_default(column));
        let defaults = left.map(|(place, _)| default(place)).collect::<Result<_>>()?;
        Ok(Domains { names, constraints, defaults })
    }

    /// What the names of types mean to the statement.
    pub fn names(&self) -> &Arc<Names> {
        &self.names
    }

    /// Whether the values of a column are what its type demands; if not, the first row that is none, and why.
    ///
    /// # Errors
    /// 23514 or 23502, or what goes wrong in a condition.
    pub fn check(&self, column: usize, values: &ArrayRef) -> Result<(), (usize, PgError)> {
        let Some(constraints) = &self.constraints[column] else { return Ok(()) };
        match constraints.violation(values) {
            Ok(None) => Ok(()),
            Ok(Some(violation)) => Err(violation),
            Err(error) => Err((0, error)),
        }
    }

    /// The columns that the data does not have, for so many rows.
    ///
    /// # Errors
    /// A default is no value of its domain.
    pub fn defaults(&self, rows: usize) -> Result<Vec<(usize, ArrayRef)>> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options);
        let batch = batch.map_err(DataFusionError::from)?;
        let value =
            |(column, expr): &(usize, Arc<dyn PhysicalExpr>)| Ok((*column, expr.evaluate(&batch)?.into_array(rows)?));
        self.defaults.iter().map(value).collect()
    }
}

fn has_default(column: &Column) -> bool {
    matches!(column.default, Some(ColumnDefault::Expression(_) | ColumnDefault::Identity { .. }))
}
