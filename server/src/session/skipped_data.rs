//! What a client is told of data that was left out because it cannot be read: one warning for a statement.

use std::sync::Arc;

use storage::scan::faults::{Fault, Skipped};
use storage::scan::report::ScanReports;

/// What was left out.
pub struct SkippedData {
    /// How much.
    pub message: String,
    /// An example.
    pub detail: Option<String>,
}

impl SkippedData {
    /// Of these scans, since it was told last; `None` when it was nothing.
    pub fn of(scans: &[Arc<ScanReports>]) -> Option<Self> {
        let mut skipped = Skipped::default();
        let mut example: Option<Fault> = None;
        for scan in scans.iter().flat_map(|reports| reports.all()) {
            let (new, fault) = scan.faults.announce();
            if new == Skipped::default() {
                continue;
            }
            skipped.rows += new.rows;
            skipped.files += new.files;
            example = example.or(fault);
        }
        if skipped == Skipped::default() {
            return None;
        }
        let rows = counted(skipped.rows, "row").into_iter();
        let files = counted(skipped.files, "file").map(|files| format!("the rest of {files}"));
        let message = format!("skipped what cannot be read: {}", rows.chain(files).collect::<Vec<_>>().join(", "));
        Some(SkippedData { message, detail: example.as_ref().map(shown) })
    }
}

fn counted(number: u64, thing: &str) -> Option<String> {
    match number {
        0 => None,
        1 => Some(format!("1 {thing}")),
        number => Some(format!("{number} {thing}s")),
    }
}

fn shown(fault: &Fault) -> String {
    let column = fault.column.as_ref().map_or_else(String::new, |column| format!("column \"{column}\" in "));
    let place = match fault.line {
        Some(line) => format!("{column}line {line} of file \"{}\"", fault.path),
        None => format!("{column}file \"{}\"", fault.path),
    };
    format!("For example, {place}: {}.", fault.reason)
}
