//! How much the scans of a statement may read. A statement that would read more is refused before it has begun to.

use catalog::ExternalTable;

use super::sample::Sample;
use crate::error::Error;
use crate::scan::report::ScanReport;

/// The property of a table whose scans must say which partitions they want.
const REQUIRES_FILTER: &str = "require_partition_filter";

/// How much the scans of external tables of a statement may read. The server puts it into the session configuration of a
/// statement (`SessionConfig::with_extension`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScanBudget {
    /// Bytes, of all scans together.
    pub bytes_max: Option<u64>,
    /// Whether it is worth a look at files to tell how much is read. A limit is always.
    pub estimates: bool,
}

impl ScanBudget {
    /// Whether one should know how many bytes are read.
    pub(super) fn wants_to_know(&self) -> bool {
        self.estimates || self.bytes_max.is_some()
    }

    /// Compares the scans that a statement has planned so far with what it may read.
    ///
    /// # Errors
    /// They read more. The error names the table of which most would be read.
    pub(super) fn check(&self, scans: &[ScanReport]) -> Result<(), Error> {
        let Some(bytes_max) = self.bytes_max else { return Ok(()) };
        let counted = || scans.iter().filter(|scan| scan.loaded.is_none());
        let bytes = counted().map(|scan| scan.bytes_expected).sum();
        let largest = counted().max_by_key(|scan| scan.bytes_expected);
        match largest {
            Some(largest) if bytes > bytes_max => Err(Error::ScanTooLarge {
                table: largest.table.to_string(),
                bytes,
                bytes_max,
                partition_columns: largest.partition_columns_free.clone(),
            }),
            _ => Ok(()),
        }
    }
}

/// Refuses a scan of all partitions of a table that does not allow it.
///
/// # Errors
/// The table requires a condition on a partition column, and there is none.
pub(super) fn check_partition_filter(table: &ExternalTable, free: &[String]) -> Result<(), Error> {
    let columns = table.partition_columns.len();
    let has_filter = free.len() < columns;
    if columns == 0 || has_filter || !requires_filter(table) {
        return Ok(());
    }
    Err(Error::PartitionFilterMissing { table: table.name.to_string(), partition_columns: free.to_vec() })
}

fn requires_filter(table: &ExternalTable) -> bool {
    let property = table.properties.iter().find(|(name, _)| name.eq_ignore_ascii_case(REQUIRES_FILTER));
    property.is_some_and(|(_, value)| value.eq_ignore_ascii_case("true"))
}

/// The bytes that are read of files of so many, when only some of the columns are wanted.
pub(super) fn bytes_expected(sample: Option<&Sample>, bytes: u64, projection: Option<&Vec<usize>>) -> u64 {
    let parts = sample.and_then(|sample| sample.column_parts.as_ref()).zip(projection);
    let Some((parts, projection)) = parts else { return bytes };
    let part: f64 = projection.iter().filter_map(|column| parts.get(*column)).sum();
    (bytes as f64 * part.min(1.0)) as u64
}
