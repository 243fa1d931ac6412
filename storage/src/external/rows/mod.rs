//! Files that are read from their beginning to their end: delimited text and JSON, compressed or not, Avro and Arrow. And
//! Parquet, of tables that tolerate bad data: [`parquet`].
//!
//! For each file [`bytes`] fetches what it holds, [`unpacked`] undoes its compression, [`encoded`] another encoding, and
//! [`delimited`] or [`json`] make columns of its lines, or [`columnar`] of its batches ([`avro`], [`arrow_ipc`]); what a text
//! means as a value of a type [`values`] asks another room. All this is done on a thread that may wait, one for each file that
//! is being read; [`source`] is what the engine sees. Of files that nobody has described [`sample`] reads the beginnings, in
//! which [`sniff_delimited`] and [`sniff_json`] find columns.

mod arrow_ipc;
mod avro;
mod avro_shape;
mod bytes;
mod columnar;
mod delimited;
mod encoded;
mod field_type;
mod fields;
mod json;
mod json_builder;
mod json_path;
mod lines;
mod parquet;
mod row_marks;
mod sample;
mod sniff_delimited;
mod sniff_json;
mod source;
mod unpacked;
mod values;

use std::io::{self, Read};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use catalog::{ExternalTable, FileFormat, ValueRule};

use super::tolerance::Tolerance;
use crate::error::{self, Error, Result};
use crate::scan::faults::FaultKind;

pub(super) use columnar::columns_of;
pub use json_path::JsonPath;
pub(super) use json_path::paths_in;
pub use sniff_delimited::DelimitedRequest;
pub(super) use sniff_delimited::sniffed as sniffed_delimited;
pub use sniff_json::JsonRequest;
pub(super) use sniff_json::sniffed as sniffed_json;
pub(crate) use source::fragment;
pub(super) use source::{RowSource, Watched};
pub use values::{Added, Unfit, ValueBuilder, ValueBuilders, ValueError};

/// Rows in a batch.
const BATCH_ROWS: usize = 8192;
/// Bytes of text after which a batch is full, however few its rows are.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Reads a file's rows.
trait RowReader {
    /// The next rows; none at the end.
    ///
    /// # Errors
    /// The file cannot be read, or a row or a value is wrong, and that is not tolerated.
    fn next_batch(&mut self) -> Result<Option<RecordBatch>>;

    /// Bytes that are kept between two batches, beyond some that are the same for all files.
    fn held_bytes(&self) -> usize {
        0
    }
    /// Lines that have been read.
    fn lines(&self) -> u64;
}

/// What a reader has to make of a file.
struct Wanted<'a> {
    table: &'a ExternalTable,
    /// The places of the columns among those of the files.
    columns: &'a [usize],
    /// Of these columns.
    schema: SchemaRef,
    builders: &'a dyn ValueBuilders,
    tolerance: Arc<Tolerance>,
    /// Where the values of the table's columns are in JSON, when not under their names.
    json_paths: Option<&'a [JsonPath]>,
    /// The file, as messages show it.
    path: String,
}

/// The rows of a file, whose format is one of rows.
fn reader(wanted: Wanted<'_>, input: Box<dyn Read + Send>) -> Result<Box<dyn RowReader>> {
    match &wanted.table.format {
        FileFormat::Delimited(format) => Ok(Box::new(delimited::Rows::new(format.clone(), &wanted, input))),
        FileFormat::Json => Ok(Box::new(json::Rows::new(&wanted, input))),
        FileFormat::Avro | FileFormat::Arrow => Ok(Box::new(columnar::Rows::new(&wanted, input)?)),
        FileFormat::Parquet => {
            Err(Error::Corrupted { path: wanted.path, reason: "Parquet is not read row by row".to_owned() })
        }
    }
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
        Some(Ok(ours)) => match *ours {
            Error::FileNotSupported { what, .. } => Error::FileNotSupported { path, what },
            ours => ours,
        },
        _ => Error::Corrupted { path, reason: "it cannot be read".to_owned() },
    }
}

/// What is wrong with a value.
fn kind_of(unfit: Unfit) -> FaultKind {
    match unfit {
        Unfit::OutOfRange => FaultKind::OutOfRange,
        Unfit::TooLong => FaultKind::TooLong,
        Unfit::Invalid => FaultKind::Invalid,
    }
}

/// Bytes that are not UTF-8 as text, if the rule says what is put in the place of those that are none.
fn replaced(bytes: &[u8], rule: &ValueRule) -> Option<String> {
    let (character, each_byte) = match rule {
        ValueRule::Replace(character) => (*character, false),
        ValueRule::ReplaceBytes(character) => (*character, true),
        _ => return None,
    };
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let invalid = chunk.invalid().len();
        let times = if each_byte { invalid } else { invalid.min(1) };
        text.extend(std::iter::repeat_n(character, times));
    }
    Some(text)
}
