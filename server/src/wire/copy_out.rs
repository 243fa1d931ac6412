//! COPY TO STDOUT: the messages between CopyOutResponse and CopyDone, written straight from Arrow columns.

use std::ops::Range;

use arrow::array::Array;
use arrow::buffer::NullBuffer;
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use bytes::{BufMut, Bytes, BytesMut};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::copy::{CopyData, CopyDone, CopyOutResponse};

use crate::statement::CopyOut;
use crate::wire::Failure;
use crate::wire::connection::Connection;
use crate::wire::copy_in::wire_format;
use crate::wire::encoding::in_encoding;
use crate::wire::rows::{COPY_DATA, EncodeError, RowEncoder, check_length, set_length};
use crate::wire::simple_query::ENCODE_ROWS_MAX;
use pg::SessionValues;
use pg::copy_format::{BINARY_HEADER, BINARY_TRAILER, CopyFormat, FieldWriter, Header};
use pg::output::{self, TextWriter};
use pg::types::{self, TypeDescription};

impl Connection {
    /// Sends the rows, and answers the command tag.
    pub(super) async fn copy_out(&mut self, mut copy: CopyOut) -> Result<String, Failure> {
        let (format, width) = (copy.options.format, copy.quoted.len());
        let columns = i16::try_from(width).unwrap_or(i16::MAX);
        let formats = vec![i16::from(wire_format(format)); width];
        let response = CopyOutResponse::new(wire_format(format), columns, formats);
        self.message(PgWireBackendMessage::CopyOutResponse(response))?;
        let mut values = self.session.values(Vec::new());
        values.names.clone_from(&copy.rows.names);
        // The option is for text; values in binary are as those of rows.
        if format != CopyFormat::Binary {
            values.client_encoding = copy.options.encoding.unwrap_or(values.client_encoding);
        }
        let mut encoder = match format {
            CopyFormat::Binary => {
                let encoder = RowEncoder::of_copy(&copy.rows.schema, BINARY_HEADER).in_session(values);
                CopyEncoder::Binary(encoder)
            }
            _ => CopyEncoder::Text(LineEncoder::new(&copy, values)),
        };
        if copy.options.header == Header::Yes
            && let CopyEncoder::Text(lines) = &mut encoder
        {
            self.output.write(|buffer| lines.header(&copy.rows.schema, buffer))?;
        }
        while let Some(batch) = copy.rows.next(usize::MAX).await? {
            for start in (0..batch.num_rows()).step_by(ENCODE_ROWS_MAX) {
                let end = (start + ENCODE_ROWS_MAX).min(batch.num_rows());
                self.output.write(|buffer| encoder.encode(&batch, start..end, buffer))?;
                self.output.flush_if_full().await.map_err(Failure::Disconnected)?;
            }
        }
        if format == CopyFormat::Binary {
            let header = if copy.rows.sent == 0 { BINARY_HEADER } else { &[] };
            let trailer = CopyData::new(Bytes::from([header, BINARY_TRAILER].concat()));
            self.message(PgWireBackendMessage::CopyData(trailer))?;
        }
        self.message(PgWireBackendMessage::CopyDone(CopyDone::new()))?;
        Ok(format!("COPY {}", copy.rows.sent))
    }
}

/// Writes rows as CopyData messages, one a row.
enum CopyEncoder {
    Text(LineEncoder),
    Binary(RowEncoder),
}

impl CopyEncoder {
    fn encode(&mut self, batch: &RecordBatch, rows: Range<usize>, out: &mut BytesMut) -> Result<(), EncodeError> {
        match self {
            CopyEncoder::Text(lines) => lines.encode(batch, rows, out),
            CopyEncoder::Binary(encoder) => encoder.encode(batch, rows, out),
        }
    }
}

/// Writes rows as lines of text or CSV.
struct LineEncoder {
    writer: FieldWriter,
    columns: Vec<(TypeDescription, bool)>,
    session: SessionValues,
    /// A value before it is escaped.
    value: BytesMut,
}

/// The values of one column of one batch.
struct Cells<'a> {
    nulls: Option<NullBuffer>,
    write: TextWriter<'a>,
    quoted: bool,
}

impl LineEncoder {
    fn new(copy: &CopyOut, session: SessionValues) -> Self {
        let described = copy.rows.schema.fields().iter().map(|field| types::describe_for_client(field));
        let columns: Vec<_> = described.zip(copy.quoted.iter().copied()).collect();
        let writer = FieldWriter::new(copy.options.clone(), columns.len());
        LineEncoder { writer, columns, session, value: BytesMut::new() }
    }

    /// Appends the line with the names of the columns.
    fn header(&mut self, schema: &Schema, out: &mut BytesMut) -> Result<(), EncodeError> {
        let start = begin_message(out);
        in_encoding(self.session.client_encoding, out, |out| {
            for (number, field) in schema.fields().iter().enumerate() {
                if number > 0 {
                    self.writer.delimiter(out);
                }
                self.writer.value(field.name().as_bytes(), false, out);
            }
            self.writer.line_end(out);
            Ok::<_, EncodeError>(())
        })?;
        end_message(start, out)
    }

    /// Appends the messages of some rows of a batch.
    fn encode(&mut self, batch: &RecordBatch, rows: Range<usize>, out: &mut BytesMut) -> Result<(), EncodeError> {
        let _entered = self.session.enter();
        let columns = batch.columns().iter().zip(&self.columns);
        let cells: Vec<Cells<'_>> = columns
            .map(|(array, (described, quoted))| {
                let write = output::text_writer_in(array, described.oid, described.typmod, &self.session)?;
                Ok(Cells { nulls: array.logical_nulls(), write, quoted: *quoted })
            })
            .collect::<Result<_, EncodeError>>()?;
        for row in rows {
            let start = begin_message(out);
            in_encoding(self.session.client_encoding, out, |out| self.line(&cells, row, out))?;
            end_message(start, out)?;
        }
        Ok(())
    }

    /// Appends a row.
    fn line(&mut self, cells: &[Cells<'_>], row: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        let start = out.len();
        for (number, cell) in cells.iter().enumerate() {
            if number > 0 {
                self.writer.delimiter(out);
            }
            if cell.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                self.writer.null(out);
                continue;
            }
            self.value.clear();
            (cell.write)(row, &mut self.value)?;
            self.writer.value(&self.value, cell.quoted, out);
            check_length(out.len() - start)?;
        }
        self.writer.line_end(out);
        Ok(())
    }
}

/// Where the length of the message stands that begins here.
fn begin_message(out: &mut BytesMut) -> usize {
    out.put_u8(COPY_DATA);
    let start = out.len();
    out.put_i32(0);
    start
}

fn end_message(start: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
    let length = out.len() - start;
    check_length(length)?;
    set_length(start, length, out);
    Ok(())
}
