//! Registered partitions of external tables.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One value for each partition column, in their order, as canonical text of the column's type; `None` is NULL.
pub type PartitionValues = Vec<Option<String>>;

/// The registered partitions of a table, by their values.
pub type Partitions = BTreeMap<PartitionValues, Partition>;

/// One registered partition: the values of the partition columns, and where its files are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// The values of the partition columns.
    pub values: PartitionValues,
    /// URL of the folder (or the one file) with the partition's data: anywhere, not only below the table's location.
    pub location: String,
}
