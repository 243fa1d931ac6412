//! Hot tables: local, durable, transactional.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};

use crate::name::{ObjectName, Oid};
use crate::types::SqlType;

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its number (`attnum`), from 1, never used again in this table. Stored data refers to columns by it, so that a
    /// dropped column's values cannot come back under a new column of the same name.
    pub attribute_number: i16,
    /// Its name.
    pub name: String,
    /// Its declared type.
    pub sql_type: SqlType,
    /// Whether NULL is refused.
    pub not_null: bool,
}

impl Column {
    /// The name of the column in stored data.
    pub fn stored_name(&self) -> String {
        format!("c{}", self.attribute_number)
    }
}

/// The definition of a hot table. Its rows are in the snapshot beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HotTable {
    /// Its number.
    pub oid: Oid,
    /// Its name.
    pub name: ObjectName,
    /// Its columns, in the order of `SELECT *`.
    pub columns: Vec<Column>,
    /// `DISTSTYLE`, `DISTKEY`, `SORTKEY`, `ENCODE` and the like as they were written, to be shown back: `(keyword, value)`.
    pub options: Vec<(String, String)>,
}

impl HotTable {
    /// The Arrow schema of a scan.
    pub fn arrow_schema(&self) -> SchemaRef {
        arrow_schema(&self.columns)
    }
}

/// The Arrow schema of rows with these columns, in flight.
pub fn arrow_schema(columns: &[Column]) -> SchemaRef {
    let fields: Vec<_> = columns.iter().map(|column| column.sql_type.field(&column.name, !column.not_null)).collect();
    Arc::new(arrow::datatypes::Schema::new(fields))
}
