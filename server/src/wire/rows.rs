//! Rows as the protocol's DataRow messages, written straight from Arrow columns.
//!
//! [`RowEncoder`] is made once per portal from the schema of its rows and the formats that the client asked for. For each
//! batch every column's type is looked at once, then rows are written one after another. What a column is sent as is
//! decided by [`types::describe_for_client`] alone, the same that fills the row description; a value that does not fit the
//! described type is an error and not a different number of bytes.

mod binary;

use std::ops::Range;

use arrow::array::Array;
use arrow::buffer::NullBuffer;
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use bytes::{BufMut, BytesMut};

use binary::BinaryWriter;
use pg::SessionValues;
use pg::output::{self, OutputError, TextWriter};
use pg::sqlstate::SqlState;
use pg::types::{self, TypeDescription};

/// The type byte of a DataRow message.
const DATA_ROW: u8 = b'D';
/// The type byte of a CopyData message.
pub const COPY_DATA: u8 = b'd';
/// Bytes of the length of a message, which counts itself.
const LENGTH_BYTES: usize = 4;
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
        }
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
}

impl RowEncoder {
    /// An encoder for rows of this schema; `formats` has one entry per column, and columns without one are sent as text.
    pub fn new(schema: &Schema, formats: &[Format]) -> Self {
        let formats = formats.iter().copied().chain(std::iter::repeat(Format::Text));
        let columns = schema.fields().iter().map(|field| types::describe_for_client(field)).zip(formats).collect();
        RowEncoder { columns, session: SessionValues::default(), message: DATA_ROW, preface: &[] }
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

    /// Appends the messages of some rows of a batch. After an error `out` ends with the last whole row.
    pub fn encode(&mut self, batch: &RecordBatch, rows: Range<usize>, out: &mut BytesMut) -> Result<(), EncodeError> {
        let _entered = self.session.enter();
        let count = i16::try_from(self.columns.len())
            .map_err(|_| EncodeError::TooManyColumns { columns: self.columns.len() })?;
        let columns = batch.columns().iter().zip(&self.columns);
        let cells: Vec<CellWriter<'_>> = columns
            .map(|(array, (described, format))| CellWriter::new(array, *described, *format, &self.session))
            .collect::<Result<_, _>>()?;
        for row in rows {
            let start = out.len();
            out.put_u8(self.message);
            out.put_i32(0);
            out.put_slice(std::mem::take(&mut self.preface));
            if let Err(error) = write_row(&cells, count, row, out) {
                out.truncate(start);
                return Err(error);
            }
            set_length(start + 1, out.len() - start - 1, out);
        }
        Ok(())
    }
}

fn write_row(cells: &[CellWriter<'_>], count: i16, row: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
    let start = out.len();
    out.put_i16(count);
    for cell in cells {
        cell.write(row, out)?;
        check_length(out.len() - start + LENGTH_BYTES)?;
    }
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

/// Writes the values of one column of one batch.
struct CellWriter<'a> {
    nulls: Option<NullBuffer>,
    value: ValueWriter<'a>,
}

enum ValueWriter<'a> {
    Text(TextWriter<'a>),
    Binary(BinaryWriter<'a>),
}

impl<'a> CellWriter<'a> {
    fn new(
        array: &'a dyn Array,
        described: TypeDescription,
        format: Format,
        session: &SessionValues,
    ) -> Result<Self, EncodeError> {
        let TypeDescription { oid, typmod, .. } = described;
        let value = match format {
            Format::Text => ValueWriter::Text(output::text_writer_in(array, oid, typmod, session)?),
            Format::Binary => ValueWriter::Binary(binary::binary_writer(array, oid, typmod)?),
        };
        Ok(CellWriter { nulls: array.logical_nulls(), value })
    }

    /// Appends the length and the value of a row.
    fn write(&self, row: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            out.put_i32(NULL_LENGTH);
            return Ok(());
        }
        let start = out.len();
        out.put_i32(0);
        match &self.value {
            ValueWriter::Text(write) => write(row, out)?,
            ValueWriter::Binary(write) => write(row, out)?,
        }
        set_length(start, out.len() - start - 4, out);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
