//! Files that a query names itself, `read_parquet('s3://bucket/*.parquet')`, as a table that is nowhere else.

use serde::{Deserialize, Serialize};

use crate::external_table::ExternalTable;

/// Files that a query names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedFiles {
    /// What names them, so that the text of a view finds them again: the function with its arguments.
    pub call: String,
    /// URLs of files and folders, and patterns of such URLs.
    pub patterns: Vec<String>,
    /// What is in them. The table has no number, and its location is for messages.
    pub table: ExternalTable,
}
