//! What a scan is going to read.

use std::sync::{Mutex, PoisonError};

/// What one scan of an external table is going to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanReport {
    /// The table, with its schema.
    pub table: String,
    /// Registered partitions; none when the table is not partitioned.
    pub partitions_total: usize,
    /// The partitions whose values the filters let through: only these were listed.
    pub partitions_read: usize,
    /// Files in them.
    pub files: usize,
    /// Bytes in these files.
    pub bytes: u64,
}

/// The reports of a statement's scans, in the order in which they were planned. The server puts one into the session
/// configuration of a statement (`SessionConfig::with_extension`) whose reports it wants to see; a scan that finds none
/// reports nothing.
#[derive(Debug, Default)]
pub struct ScanReports(Mutex<Vec<ScanReport>>);

impl ScanReports {
    /// Adds a report.
    pub fn push(&self, report: ScanReport) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(report);
    }

    /// Takes the reports out.
    pub fn take(&self) -> Vec<ScanReport> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
