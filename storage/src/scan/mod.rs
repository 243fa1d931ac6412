//! How a statement's scans decide what to read, what they do with it, and what they tell about it.

pub mod bounds;
pub mod conditions;
pub mod faults;
pub(crate) mod filtered_rows;
pub mod fragment;
pub(crate) mod hints;
pub mod knowledge;
pub mod late_columns;
pub mod prune_partitions;
pub mod report;
pub(crate) mod runs;
