//! What a scan is going to read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use catalog::ObjectName;
use datafusion::physical_expr::PhysicalExpr;

use super::faults::Faults;

/// What one scan of an external table is going to read, and how much of it has been read.
#[derive(Debug, Clone)]
pub struct ScanReport {
    /// The table.
    pub table: ObjectName,
    /// Where it is, as a URL.
    pub location: String,
    /// The files' format.
    pub format: &'static str,
    /// Registered partitions; none when the table is not partitioned.
    pub partitions_total: usize,
    /// The partitions whose values the filters let through: only these were listed.
    pub partitions_read: usize,
    /// Files in them.
    pub files: usize,
    /// Bytes in these files.
    pub bytes: u64,
    /// Bytes that are read of them, about: of files that tell where their columns are, those of the columns that are wanted.
    pub bytes_expected: u64,
    /// The conditions by which partitions and files were chosen, on the columns of the table, where somebody wants to know.
    pub file_filter: Option<Arc<dyn PhysicalExpr>>,
    /// The partition columns that no filter is about.
    pub partition_columns_free: Vec<String>,
    /// What has been read so far.
    pub read: Arc<ReadCounter>,
    /// How it was narrowed down so far, where files tell what is in them.
    pub steps: Arc<Waterfall>,
    /// What could not be read so far.
    pub faults: Arc<Faults>,
    /// The files of a load.
    pub loaded: Option<Arc<LoadedFiles>>,
}

/// The files of a load, and how far they have been read.
#[derive(Debug, Default)]
pub struct LoadedFiles(Mutex<Vec<LoadedFile>>);

/// A file of a load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedFile {
    /// Its URL.
    pub url: String,
    /// Its bytes.
    pub bytes: u64,
    /// Its lines, once it has been read; files of columns have none.
    pub lines: Option<u64>,
}

/// Files of a load of which one is told; the others are loaded all the same.
const FILES_TOLD_MAX: usize = 1000;

impl LoadedFiles {
    /// These files, of which nothing has been read.
    pub fn new(files: impl Iterator<Item = (String, u64)>) -> Self {
        let file = |(url, bytes)| LoadedFile { url, bytes, lines: None };
        LoadedFiles(Mutex::new(files.take(FILES_TOLD_MAX).map(file).collect()))
    }

    /// A file has been read.
    pub fn read(&self, url: &str, lines: u64) {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.iter_mut().find(|file| file.url == url) {
            file.lines = Some(lines);
        }
    }

    /// The files.
    pub fn all(&self) -> Vec<LoadedFile> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Bytes that they take, about.
    pub fn bytes(&self) -> usize {
        self.all().iter().map(|file| size_of::<LoadedFile>() + file.url.len()).sum()
    }
}

/// Counts what is read of files.
#[derive(Debug, Default)]
pub struct ReadCounter {
    bytes: AtomicU64,
    requests: AtomicU64,
}

impl ReadCounter {
    /// So many bytes come by one request.
    pub fn count(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Requests to the store.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

/// A step by which a scan of files narrows down what it reads, or a count of what it has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Files that were opened or would have been.
    Files,
    /// Files that what joins and sorts have learned excludes.
    FilesExcluded,
    /// Row groups in the files that were opened.
    RowGroups,
    /// Row groups that cannot have wanted rows by the bounds of their columns.
    RowGroupsExcludedByStatistics,
    /// The same by bloom filters.
    RowGroupsExcludedByBloomFilters,
    /// The same by the bounds of pages.
    RowGroupsExcludedByPages,
    /// Row groups that were to be read until joins or sorts had learned more.
    RowGroupsExcludedLate,
    /// Rows in the row groups that were left.
    Rows,
    /// Rows of them whose pages cannot have wanted rows.
    RowsExcludedByPages,
    /// Columns of row groups that were in the column cache.
    ColumnsCached,
    /// Columns of row groups that were read and decoded.
    ColumnsDecoded,
}

impl Step {
    /// All, in their order, with their names.
    pub const ALL: [(Step, &'static str); 11] = [
        (Step::Files, "files"),
        (Step::FilesExcluded, "files_excluded"),
        (Step::RowGroups, "row_groups"),
        (Step::RowGroupsExcludedByStatistics, "row_groups_excluded_by_statistics"),
        (Step::RowGroupsExcludedByBloomFilters, "row_groups_excluded_by_bloom_filters"),
        (Step::RowGroupsExcludedByPages, "row_groups_excluded_by_pages"),
        (Step::RowGroupsExcludedLate, "row_groups_excluded_late"),
        (Step::Rows, "rows"),
        (Step::RowsExcludedByPages, "rows_excluded_by_pages"),
        (Step::ColumnsCached, "columns_cached"),
        (Step::ColumnsDecoded, "columns_decoded"),
    ];
}

/// How a scan of files of columns has narrowed down what it reads, step by step.
#[derive(Debug, Default)]
pub struct Waterfall([AtomicU64; Step::ALL.len()]);

impl Waterfall {
    /// Counts.
    pub fn add(&self, step: Step, count: usize) {
        self.0[step as usize].fetch_add(count as u64, Ordering::Relaxed);
    }

    /// The count so far.
    pub fn get(&self, step: Step) -> u64 {
        self.0[step as usize].load(Ordering::Relaxed)
    }
}

/// The reports of a statement's scans, in the order in which they were planned. The server puts one into the session
/// configuration of a statement (`SessionConfig::with_extension`) whose reports it wants to see; a scan that finds none
/// reports nothing.
#[derive(Debug, Default)]
pub struct ScanReports(Mutex<Vec<ScanReport>>);

impl ScanReports {
    /// Adds a report, if `check` allows all of them.
    ///
    /// # Errors
    /// Those of `check`. The report is not added.
    pub fn push_checked<E>(
        &self,
        report: ScanReport,
        check: impl FnOnce(&[ScanReport]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut reports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reports.push(report);
        check(&reports).inspect_err(|_| drop(reports.pop()))
    }

    /// The reports so far.
    pub fn all(&self) -> Vec<ScanReport> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
