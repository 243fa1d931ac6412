//! Rows as lines of files: delimited text and JSON, with the settings that a server begins with, whatever those of the
//! session are, so that the files read back as what was written.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::buffer::NullBuffer;
use bytes::{BufMut, Bytes, BytesMut};
use catalog::Delimited;
use pg::library::json::convert::{JsonWriter, Target};
use pg::library::json::lexer::quote;
use pg::output::{self, TextWriter};
use pg::sqlstate::SqlState;
use pg::types::{BOOL, describe_for_client};
use pg::{PgError, SessionValues, Type};
use storage::error::Source;
use storage::external::write::LineEncoder;

use arrow::datatypes::SchemaRef;

/// How a boolean is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Booleans {
    /// `true`, `false`, which Hive and all that follow it read.
    Words,
    /// `t`, `f`, which Redshift's UNLOAD writes.
    Letters,
}

/// Lines of fields.
#[derive(Debug)]
pub struct DelimitedLines {
    /// The columns.
    pub schema: SchemaRef,
    /// How they are read.
    pub format: Delimited,
    /// Whether the first line, or as many as the format says, has the names of the columns.
    pub has_header: bool,
    /// Whether every field stands in quotes.
    pub quotes_all: bool,
    /// Whether a value is refused that would be read back as another; Redshift's UNLOAD writes it all the same.
    pub is_strict: bool,
    /// How a boolean is written.
    pub booleans: Booleans,
}

/// The values of a column of a batch.
struct Cells<'a> {
    nulls: Option<NullBuffer>,
    write: TextWriter<'a>,
}

impl LineEncoder for DelimitedLines {
    fn header(&self) -> Bytes {
        let mut header = BytesMut::new();
        if self.has_header {
            for (number, field) in self.schema.fields().iter().enumerate() {
                if number > 0 {
                    header.put_u8(self.format.delimiter);
                }
                // A name that cannot be written is a line that nobody reads.
                drop(self.field(field.name().as_bytes(), field.name(), &mut header));
            }
            header.put_bytes(b'\n', self.format.header_lines.max(1) as usize);
        }
        header.freeze()
    }

    fn encode(&self, batch: &RecordBatch, out: &mut BytesMut) -> Result<(), Source> {
        let cells = self.schema.fields().iter().zip(batch.columns()).map(|(field, array)| {
            let described = describe_for_client(field);
            let write: TextWriter<'_> = match (described.oid, self.booleans) {
                (BOOL, Booleans::Words) if array.data_type() == &arrow::datatypes::DataType::Boolean => {
                    let values = array.as_boolean();
                    Box::new(move |row, out| {
                        out.put_slice(if values.value(row) { b"true" } else { b"false" });
                        Ok(())
                    })
                }
                _ => output::text_writer(array, described.oid, described.typmod)?,
            };
            Ok(Cells { nulls: array.logical_nulls(), write })
        });
        let cells: Vec<Cells<'_>> = cells.collect::<Result<_, Source>>()?;
        let mut value = BytesMut::new();
        for row in 0..batch.num_rows() {
            for (number, cell) in cells.iter().enumerate() {
                if number > 0 {
                    out.put_u8(self.format.delimiter);
                }
                if cell.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                    out.put_slice(self.format.null.as_bytes());
                    continue;
                }
                value.clear();
                (cell.write)(row, &mut value)?;
                self.field(&value, self.schema.field(number).name(), out)?;
            }
            out.put_u8(b'\n');
        }
        Ok(())
    }
}

impl DelimitedLines {
    fn field(&self, value: &[u8], column: &str, out: &mut BytesMut) -> Result<(), PgError> {
        let Delimited { delimiter, quote, escape, null, empty_is_null, .. } = &self.format;
        let is_special = |byte: &u8| {
            byte == delimiter || matches!(byte, b'\n' | b'\r') || Some(*byte) == *quote || Some(*byte) == *escape
        };
        let reads_as_null = value == null.as_bytes() || (*empty_is_null && value.is_empty());
        let is_plain = !value.iter().any(is_special);
        match (quote, escape) {
            _ if is_plain && !reads_as_null && !self.quotes_all => out.put_slice(value),
            (Some(quote), escape) => {
                out.put_u8(*quote);
                for byte in value {
                    if byte == quote || Some(*byte) == *escape {
                        out.put_u8(escape.unwrap_or(*quote));
                    }
                    out.put_u8(*byte);
                }
                out.put_u8(*quote);
            }
            (None, Some(escape)) if !value.is_empty() => {
                for (place, byte) in value.iter().enumerate() {
                    if is_special(byte) || (place == 0 && reads_as_null) {
                        out.put_u8(*escape);
                    }
                    out.put_u8(*byte);
                }
            }
            _ if self.is_strict => return Err(not_written(column, reads_as_null)),
            _ => out.put_slice(value),
        }
        Ok(())
    }
}

fn not_written(column: &str, reads_as_null: bool) -> PgError {
    let what = if reads_as_null { "what stands for NULL" } else { "a delimiter or a line end" };
    let message = format!("a value in column \"{column}\" has {what} in it, which the format of the files cannot say");
    PgError::new(SqlState::UNTRANSLATABLE_CHARACTER, message).with_hint("A format with quotes (CSV) or ESCAPED BY can.")
}

/// Objects, one a line.
#[derive(Debug)]
pub struct JsonLines {
    /// The columns.
    pub schema: SchemaRef,
    /// Settings that a server begins with.
    pub values: SessionValues,
}

impl LineEncoder for JsonLines {
    fn header(&self) -> Bytes {
        Bytes::new()
    }

    fn encode(&self, batch: &RecordBatch, out: &mut BytesMut) -> Result<(), Source> {
        let columns = self.schema.fields().iter().zip(batch.columns()).map(|(field, array)| {
            let mut key = String::new();
            quote(field.name(), &mut key);
            let writer = JsonWriter::new(array, &Type::of_field(field), Target::Json, &self.values)?;
            Ok((key, writer))
        });
        let columns: Vec<_> = columns.collect::<Result<_, PgError>>()?;
        let mut line = String::new();
        for row in 0..batch.num_rows() {
            line.clear();
            for (number, (key, writer)) in columns.iter().enumerate() {
                line.push(if number == 0 { '{' } else { ',' });
                line.push_str(key);
                line.push(':');
                let start = line.len();
                writer.write(row, &mut line)?;
                // A value of type json may have line ends, though none in its strings.
                if line[start..].contains(['\n', '\r']) {
                    let value = line[start..].replace(['\n', '\r'], " ");
                    line.truncate(start);
                    line.push_str(&value);
                }
            }
            line.push_str(if columns.is_empty() { "{}\n" } else { "}\n" });
            out.put_slice(line.as_bytes());
        }
        Ok(())
    }
}
