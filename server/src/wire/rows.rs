//! Rows as the protocol's DataRow messages, written straight from Arrow columns.
//!
//! [`RowEncoder`] is made once per portal from the schema of its rows and the formats that the client asked for. For each
//! slice of a batch every column is written by itself ([`columns`]), then its cells are put together to rows ([`cells`]):
//! a column is a loop over values of one type, and a row is copies of known lengths. What a column is sent as is
//! decided by [`types::describe_for_client`] alone, the same that fills the row description; a value that does not fit the
//! described type is an error and not a different number of bytes.

mod binary;
mod cells;
mod columns;

use std::ops::Range;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use bytes::BytesMut;

use cells::Cells;
use columns::ColumnWriter;
use pg::output::OutputError;
use pg::sqlstate::SqlState;
use pg::types::{self, TypeDescription};
use pg::{PgError, SessionValues};

/// The type byte of a DataRow message.
const DATA_ROW: u8 = b'D';
/// The type byte of a CopyData message.
pub const COPY_DATA: u8 = b'd';
/// Bytes of the length of a message, which counts itself.
const LENGTH_BYTES: usize = 4;
/// Bytes of a row beside its cells: the length of the message and the number of columns.
const ROW_HEADER_BYTES: usize = LENGTH_BYTES + size_of::<i16>();
/// The length that stands for NULL.
const NULL_LENGTH: i32 = -1;
/// Longest row, one byte short of 1 GiB: PostgreSQL's limit for what is built in memory (`MaxAllocSize`). Drivers
/// allocate what a length field says, and some refuse more.
const ROW_BYTES_MAX: usize = 0x3fff_ffff;

/// How the values of a column are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// As PostgreSQL prints them.
    Text,
    /// As the type's send function writes them.
    Binary,
}

/// Why a row cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The client asked for binary values of a type that has none here.
    #[error("no binary output function available for type {type_name}")]
    NoBinaryFormat {
        /// The type.
        type_name: String,
    },
    /// A value is beyond the type that the column was described with.
    #[error("{type_name} out of range")]
    OutOfRange {
        /// The type.
        type_name: String,
    },
    /// A row is longer than a message may be.
    #[error("a row of {bytes} bytes exceeds the maximum of {ROW_BYTES_MAX} bytes")]
    RowTooLong {
        /// The length of the row, as far as it was written.
        bytes: usize,
    },
    /// A row has more columns than a message can count.
    #[error("a row of {columns} columns exceeds the maximum of {}", i16::MAX)]
    TooManyColumns {
        /// The number of columns.
        columns: usize,
    },
    /// A value cannot be printed.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A character has no equivalent in the client's encoding.
    #[error("{0}")]
    Encoding(PgError),
}

impl EncodeError {
    /// The code for the client. No wildcard arm: a new variant must choose its code before it compiles.
    pub fn sqlstate(&self) -> SqlState {
        match self {
            EncodeError::NoBinaryFormat { .. } => SqlState::FEATURE_NOT_SUPPORTED,
            EncodeError::OutOfRange { .. } => SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
            EncodeError::RowTooLong { .. } => SqlState::PROGRAM_LIMIT_EXCEEDED,
            EncodeError::TooManyColumns { .. } => SqlState::TOO_MANY_COLUMNS,
            EncodeError::Output(error) => error.sqlstate(),
            EncodeError::Encoding(error) => error.sqlstate,
        }
    }
}

impl From<PgError> for EncodeError {
    fn from(error: PgError) -> Self {
        EncodeError::Encoding(error)
    }
}

/// Writes rows of one schema.
#[derive(Debug, Clone)]
pub struct RowEncoder {
    columns: Vec<(TypeDescription, Format)>,
    session: SessionValues,
    message: u8,
    /// What the first message begins with.
    preface: &'static [u8],
    cells: Vec<Cells>,
}

impl RowEncoder {
    /// An encoder for rows of this schema; `formats` has one entry per column, and columns without one are sent as text.
    pub fn new(schema: &Schema, formats: &[Format]) -> Self {
        let formats = formats.iter().copied().chain(std::iter::repeat(Format::Text));
        let columns: Vec<_> =
            schema.fields().iter().map(|field| types::describe_for_client(field)).zip(formats).collect();
        let cells = vec![Cells::default(); columns.len()];
        RowEncoder { columns, session: SessionValues::default(), message: DATA_ROW, preface: &[], cells }
    }

    /// An encoder for rows of a binary COPY, which are those of DataRow messages; the first message begins with its header.
    pub fn of_copy(schema: &Schema, header: &'static [u8]) -> Self {
        let formats = vec![Format::Binary; schema.fields().len()];
        RowEncoder { message: COPY_DATA, preface: header, ..RowEncoder::new(schema, &formats) }
    }

    /// The same for a session with a time zone of its own.
    #[must_use]
    pub fn in_session(self, session: SessionValues) -> Self {
        RowEncoder { session, ..self }
    }

    /// Appends the messages of some rows of a batch. After an error `out` has only whole rows.
    pub fn encode(&mut self, batch: &RecordBatch, rows: Range<usize>, out: &mut BytesMut) -> Result<(), EncodeError> {
        let _entered = self.session.enter();
        i16::try_from(self.columns.len()).map_err(|_| EncodeError::TooManyColumns { columns: self.columns.len() })?;
        let columns = batch.columns().iter().zip(&self.columns);
        let writers: Vec<ColumnWriter<'_>> = columns
            .map(|(array, (described, format))| columns::column_writer(array, *described, *format, &self.session))
            .collect::<Result<_, _>>()?;
        let mut rest = rows;
        while !rest.is_empty() {
            rest.start = self.encode_slice(&writers, rest.clone(), out)?;
        }
        Ok(())
    }

    /// Appends as many rows as a slice has, one at least; answers with which row the next slice begins.
    fn encode_slice(
        &mut self,
        writers: &[ColumnWriter<'_>],
        rows: Range<usize>,
        out: &mut BytesMut,
    ) -> Result<usize, EncodeError> {
        let mut count = rows.len();
        for (write, cells) in writers.iter().zip(&mut self.cells) {
            cells.clear();
            // Those before have a few cells too many then.
            count = write(rows.start..rows.start + count, cells)?;
        }
        check_rows(&mut self.cells, count)?;
        cells::put_rows(&mut self.cells, count, self.message, std::mem::take(&mut self.preface), out);
        Ok(rows.start + count)
    }
}

/// Whether each row is short enough to be sent.
fn check_rows(cells: &mut [Cells], rows: usize) -> Result<(), EncodeError> {
    let all: usize = cells.iter().map(Cells::written).sum();
    if all + ROW_HEADER_BYTES <= ROW_BYTES_MAX {
        return Ok(());
    }
    for _ in 0..rows {
        check_length(ROW_HEADER_BYTES + cells.iter_mut().map(Cells::skip_next).sum::<usize>())?;
    }
    cells.iter_mut().for_each(Cells::rewind);
    Ok(())
}

/// # Errors
/// 54000 for more than a message may have.
pub(super) fn check_length(bytes: usize) -> Result<(), EncodeError> {
    if bytes > ROW_BYTES_MAX { Err(EncodeError::RowTooLong { bytes }) } else { Ok(()) }
}

/// Fills in a length that was not known when its place was reserved; rows are too short for it to overflow.
pub(super) fn set_length(position: usize, length: usize, out: &mut BytesMut) {
    out[position..position + 4].copy_from_slice(&(length as i32).to_be_bytes());
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
