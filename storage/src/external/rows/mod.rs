//! Files that are rows from their beginning to their end: delimited text and JSON, compressed or not.
//!
//! For each file [`bytes`] fetches what it holds, [`unpacked`] undoes its compression, and [`delimited`] or [`json`] make
//! columns of its lines; what a text means as a value of a type [`values`] asks another room. All this is done on a thread
//! that may wait, one for each file that is being read; [`source`] is what the engine sees.

mod bytes;
mod delimited;
mod fields;
mod json;
mod json_builder;
mod lines;
mod source;
mod unpacked;
mod values;

use std::io::{self, Read};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use catalog::{ExternalTable, FileFormat};

use crate::error::{self, Error, Result};

pub(super) use source::RowSource;
pub use values::{ValueBuilder, ValueBuilders, ValueError};

/// Rows in a batch.
const BATCH_ROWS: usize = 8192;
/// Bytes of text after which a batch is full, however few its rows are.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Reads a file's rows.
trait RowReader {
    /// The next rows; none at the end.
    ///
    /// # Errors
    /// The file cannot be read, or a row or a value is wrong.
    fn next_batch(&mut self) -> Result<Option<RecordBatch>>;
}

/// What a reader has to make of a file.
struct Wanted<'a> {
    table: &'a ExternalTable,
    /// The places of the columns among those of the files.
    columns: &'a [usize],
    /// Of these columns.
    schema: SchemaRef,
    builders: &'a dyn ValueBuilders,
    /// The file, as messages show it.
    path: String,
}

/// The rows of a file, whose format is one of rows.
fn reader(wanted: Wanted<'_>, input: Box<dyn Read + Send>) -> Result<Box<dyn RowReader>> {
    match &wanted.table.format {
        FileFormat::Delimited(format) => Ok(Box::new(delimited::Rows::new(format.clone(), &wanted, input))),
        FileFormat::Json => Ok(Box::new(json::Rows::new(&wanted, input))),
        FileFormat::Parquet => {
            Err(Error::Corrupted { path: wanted.path, reason: "Parquet is not read row by row".to_owned() })
        }
    }
}

/// A batch of columns, or of rows without any.
fn batch(
    schema: &SchemaRef,
    columns: Result<Vec<ArrayRef>, ArrowError>,
    rows: usize,
    path: &str,
) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    columns
        .and_then(|columns| RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options))
        .map_err(|error| Error::Corrupted { path: path.to_owned(), reason: error.to_string() })
}

/// Why a row cannot be read.
#[derive(Debug)]
enum RowError {
    /// The file cannot be read on.
    Read(io::Error),
    /// A line is too long to go on behind it.
    TooLong { line: u64, bytes_max: usize },
    /// A line is wrong.
    Bad { line: u64, reason: String },
}

impl RowError {
    fn bad(line: u64, reason: impl Into<String>) -> Self {
        RowError::Bad { line, reason: reason.into() }
    }

    fn of_file(self, path: &str) -> Error {
        let path = path.to_owned();
        match self {
            RowError::Read(error) => not_read(path, error),
            RowError::TooLong { line, bytes_max } => {
                Error::LineInvalid { path, line, reason: format!("it is longer than {bytes_max} bytes") }
            }
            RowError::Bad { line, reason } => Error::LineInvalid { path, line, reason },
        }
    }
}

/// What the store says of a file, or else what its compression does.
fn not_read(path: String, error: io::Error) -> Error {
    if error::find(&error).is_none() {
        return Error::Corrupted { path, reason: error.to_string() };
    }
    match error.into_inner().map(|inner| inner.downcast::<Error>()) {
        Some(Ok(ours)) => *ours,
        _ => Error::Corrupted { path, reason: "it cannot be read".to_owned() },
    }
}
