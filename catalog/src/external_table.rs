//! External tables: files elsewhere that answer queries as a table does.

use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};

use crate::hot_table::{Column, arrow_schema};
use crate::name::{ObjectName, Oid};

/// The format of an external table's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileFormat {
    /// Apache Parquet
    Parquet,
}

impl FileFormat {
    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            FileFormat::Parquet => "Parquet",
        }
    }
}

/// The definition of an external table. Its registered partitions are in the snapshot beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalTable {
    /// Its number.
    pub oid: Oid,
    /// Its name.
    pub name: ObjectName,
    /// The columns that are in the files.
    pub columns: Vec<Column>,
    /// The columns whose values are those of the partition; they follow `columns` in `SELECT *`.
    pub partition_columns: Vec<Column>,
    /// The format of the files.
    pub format: FileFormat,
    /// URL of the folder (or the one file) that holds the data; a partition may be anywhere else.
    pub location: String,
    /// `TABLE PROPERTIES`, as they were written.
    pub properties: Vec<(String, String)>,
}

impl ExternalTable {
    /// All columns, in the order of `SELECT *`.
    pub fn all_columns(&self) -> Vec<Column> {
        self.columns.iter().chain(&self.partition_columns).cloned().collect()
    }

    /// The Arrow schema of a scan.
    pub fn arrow_schema(&self) -> SchemaRef {
        arrow_schema(&self.all_columns())
    }

    /// The Arrow schema of what is read from the files.
    pub fn file_schema(&self) -> SchemaRef {
        arrow_schema(&self.columns)
    }
}
