//! External tables: files that others wrote, read as tables.
//!
//! A scan goes through these files in order: [`provider`] decides which partitions are read, [`discovery`] finds those
//! that were not registered, [`listing`] finds their
//! files, [`pinned_file`] reads their bytes. Of Parquet files [`footers`] keeps what they say of themselves, [`parquet_scan`]
//! reads what is needed, [`by_name`] finds the declared columns in each file, and [`coercion`] says how a file's values become values of the declared type, [`nested`]
//! those made of others. Text and JSON are read from the beginning to the end, by [`rows`]. What cannot be read [`tolerance`]
//! decides on. Three promises hold: a partition
//! that the filters exclude is never listed; a file that changes while it is read is an error and never a mixture; a value
//! is read exactly, by a rule that is written down, or not at all.
//!
//! Files that a query names itself are found by [`pattern`] and described by [`describe`], and then read in the same way.

mod discovery;
mod file_columns;
mod provider;

mod folder_values;
mod footers;
mod listing;
mod load_files;
mod manifests;
mod partition_values;
mod pattern;
mod pinned_file;
mod pinned_reader;
mod read_ranges;
mod sample;

mod analyze;
mod parquet_scan;
mod refresh;

mod budget;
mod by_name;
mod coerced_column;
mod coercion;
mod field_access;
mod nested;

mod rows;
mod tolerance;

mod describe;

mod statistics;
#[cfg(test)]
mod test_tables;
pub mod write;

pub use analyze::AnalyzeRequest;
pub use budget::ScanBudget;
pub use describe::{FilesRequest, FilesRequestFormat, describe};
pub use file_columns::FILE_COLUMNS;
pub use footers::Footers;
pub use load_files::{LoadFile, ManifestEntry, files_beginning, json_paths, listed_files, manifest_entries};
pub use manifests::{Manifest, Manifests};
pub use parquet_scan::FileReading;
pub(crate) use parquet_scan::{
    LateColumns, LateColumnsExec, for_bounds, fragment as fragment_of_columns, is_address, split_columns,
};
pub use partition_values::canonical_partition_value;
pub use provider::ExternalTableProvider;
pub use refresh::Refreshed;
pub(crate) use rows::fragment as fragment_of_rows;
pub use rows::{Added, DelimitedRequest, JsonPath, JsonRequest, Unfit, ValueBuilder, ValueBuilders, ValueError};
pub use sample::Samples;
pub use tolerance::SessionTolerance;
