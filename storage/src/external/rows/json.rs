//! Columns of lines that are JSON objects.
//!
//! A column has the value of the key of its name, in whatever case; a key that no column has is ignored, a column whose key
//! is not there is NULL. Numbers are read by their digits. A string, JSON or JSONB column takes any value: a string as its
//! characters, anything else as it is written.

use std::io::Read;

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use jiter::Jiter;

use super::json_builder::{JsonBuilder, PushError};
use super::lines::LineReader;
use super::{BATCH_BYTES, BATCH_ROWS, RowError, RowReader, Wanted, batch};
use crate::error::{Error, Result};

/// The rows of a file.
pub(super) struct Rows {
    lines: LineReader,
    targets: Vec<Target>,
    schema: SchemaRef,
    path: String,
    /// Where keys with escapes are put together.
    tape: Vec<u8>,
}

/// A column that is wanted.
struct Target {
    name: String,
    builder: JsonBuilder,
}

/// What is wrong with a line, and in which column.
struct Wrong {
    column: Option<usize>,
    error: PushError,
}

impl Rows {
    pub(super) fn new(wanted: &Wanted<'_>, input: Box<dyn Read + Send>) -> Self {
        let target = |place: &usize| {
            let column = &wanted.table.columns[*place];
            Target { name: column.name.clone(), builder: JsonBuilder::new(column, wanted.builders, BATCH_ROWS) }
        };
        Rows {
            lines: LineReader::new(input),
            targets: wanted.columns.iter().map(target).collect(),
            schema: wanted.schema.clone(),
            path: wanted.path.clone(),
            tape: Vec::new(),
        }
    }

    fn wrong(&self, wrong: Wrong) -> Error {
        let (path, line) = (self.path.clone(), self.lines.number());
        match (wrong.error, wrong.column) {
            (PushError::Value(source), Some(column)) => {
                Error::ValueInvalid { column: self.targets[column].name.clone(), path, line, source }
            }
            (PushError::Value(source), None) => Error::LineInvalid { path, line, reason: source.to_string() },
            (PushError::Json(reason), _) => Error::LineInvalid { path, line, reason },
        }
    }
}

impl RowReader for Rows {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let (mut rows, mut bytes) = (0, 0);
        while rows < BATCH_ROWS && bytes < BATCH_BYTES {
            if !self.lines.next().map_err(|error| error.of_file(&self.path))? {
                break;
            }
            let line = self.lines.bytes();
            if line.trim_ascii().is_empty() {
                continue;
            }
            bytes += line.len();
            if std::str::from_utf8(line).is_err() {
                return Err(RowError::bad(self.lines.number(), "it is no UTF-8").of_file(&self.path));
            }
            let mut object = Jiter::with_tape(line, std::mem::take(&mut self.tape));
            push(&mut object, &mut self.targets, rows).map_err(|wrong| self.wrong(wrong))?;
            self.tape = object.into_tape();
            rows += 1;
        }
        if rows == 0 {
            return Ok(None);
        }
        let columns = self.targets.iter_mut().map(|target| target.builder.finish());
        let columns: Result<Vec<ArrayRef>, ArrowError> = columns.collect();
        batch(&self.schema, columns, rows, &self.path).map(Some)
    }
}

/// Adds an object to the columns, which hold `rows` values.
fn push(object: &mut Jiter<'_>, targets: &mut [Target], rows: usize) -> Result<(), Wrong> {
    let json = |error: jiter::JiterError| Wrong { column: None, error: PushError::from(error) };
    let mut found = object.next_object().map_err(json)?.map(|key| place(targets, key));
    while let Some(place) = found {
        let peek = object.peek().map_err(json)?;
        match place {
            Some(column) => {
                let target = &mut targets[column];
                if target.builder.len() > rows {
                    let reason = format!("key \"{}\" is there more than once", target.name);
                    return Err(Wrong { column: None, error: PushError::Json(reason) });
                }
                target.builder.push(object, peek).map_err(|error| Wrong { column: Some(column), error })?;
            }
            None => object.known_skip(peek).map_err(json)?,
        }
        found = object.next_key().map_err(json)?.map(|key| self::place(targets, key));
    }
    object.finish().map_err(json)?;
    for target in targets.iter_mut().filter(|target| target.builder.len() == rows) {
        target.builder.push_null();
    }
    Ok(())
}

/// The column that a key means.
fn place(targets: &[Target], key: &str) -> Option<usize> {
    targets.iter().position(|target| is_named(&target.name, key))
}

/// Whether a key means a name.
pub(super) fn is_named(name: &str, key: &str) -> bool {
    name == key || (name.len() == key.len() || !key.is_ascii()) && name.to_lowercase() == key.to_lowercase()
}
