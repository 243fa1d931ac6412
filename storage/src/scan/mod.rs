//! How a statement's scans decide what to read, and what they tell about it.

pub mod faults;
pub mod prune_partitions;
pub mod report;
