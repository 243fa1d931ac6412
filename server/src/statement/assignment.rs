//! Computed values → the columns of a table: types, lengths, NOT NULL.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use catalog::{CatalogChange, CatalogSnapshot, HotTable};
use datafusion::error::DataFusionError;
use sqlparser::ast;

use crate::analyze::domain::has_domain;
use crate::error::{Error, Result};
use crate::plan::relations::identifier;

/// The columns of a table that a statement gives values, by position.
///
/// # Errors
/// 42703 for a column that is not there, 42701 for one that is named twice.
pub fn target_columns(table: &HotTable, named: &[ast::Ident]) -> Result<Vec<usize>> {
    if named.is_empty() {
        return Ok((0..table.columns.len()).collect());
    }
    let mut targets = Vec::with_capacity(named.len());
    for name in named.iter().map(identifier) {
        let found = table.columns.iter().position(|column| column.name == name);
        let found =
            found.ok_or_else(|| Error::UndefinedColumn { column: name.clone(), relation: table.name.name.clone() })?;
        if targets.contains(&found) {
            return Err(Error::DuplicateColumn { column: name });
        }
        targets.push(found);
    }
    Ok(targets)
}

/// The columns without a value whose type has a say in what they have instead: domains have defaults, and may refuse NULL.
pub fn domain_columns_left(table: &HotTable, targets: &[usize]) -> Vec<usize> {
    let left = table.columns.iter().enumerate().filter(|(place, _)| !targets.contains(place));
    left.filter(|(_, column)| has_domain(&column.sql_type)).map(|(place, _)| place).collect()
}

/// That the rows of a table are committed only if the domains that have checked them are still what they were.
pub fn expected_domains(snapshot: &CatalogSnapshot, table: &HotTable) -> Option<CatalogChange> {
    let demanding = table.columns.iter().map(|column| column.sql_type.clone()).filter(has_domain);
    let types = snapshot.types_within(demanding);
    (!types.is_empty()).then_some(CatalogChange::ExpectTypes(types))
}

/// Rows for a table: `batch` has a column for each of `targets`, cast to its type; the others become NULL.
///
/// # Errors
/// A NULL where there may be none.
pub fn table_rows(table: &HotTable, targets: &[usize], batch: &RecordBatch) -> Result<RecordBatch> {
    let mut columns: Vec<Option<ArrayRef>> = vec![None; table.columns.len()];
    for (array, target) in batch.columns().iter().zip(targets) {
        columns[*target] = Some(array.clone());
    }
    let columns =
        table.columns.iter().zip(columns).map(|(column, array)| {
            array.unwrap_or_else(|| new_null_array(&column.sql_type.in_flight(), batch.num_rows()))
        });
    complete_rows(table, columns.collect(), batch.num_rows())
}

/// A batch of columns that have the table's types, checked for NULLs where they may not be.
///
/// # Errors
/// 23502
pub fn complete_rows(table: &HotTable, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    for (column, array) in table.columns.iter().zip(&columns) {
        if column.not_null && array.null_count() > 0 {
            let relation = table.name.name.clone();
            return Err(Error::NotNullViolation { column: column.name.clone(), relation });
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(table.arrow_schema(), columns, &options);
    Ok(batch.map_err(DataFusionError::from)?)
}

/// The hot table that a statement writes to.
///
/// # Errors
/// 42809 when the relation is of another kind.
pub fn writable(relation: &catalog::Relation, action: &'static str) -> Result<Arc<HotTable>> {
    match relation {
        catalog::Relation::Hot(table) => Ok(table.clone()),
        // Writing to external tables is something a table of theirs could do; to a view, not.
        catalog::Relation::External(_) => Err(Error::not_supported(format!("{action} an external table"))),
        catalog::Relation::View(view) => {
            Err(Error::CannotChange { action, kind: "view", name: view.name.name.clone() })
        }
        catalog::Relation::Sequence(sequence) => {
            Err(Error::CannotChange { action, kind: "sequence", name: sequence.name.name.clone() })
        }
    }
}
