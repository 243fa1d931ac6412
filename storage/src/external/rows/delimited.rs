//! Columns of delimited text.

use std::io::Read;

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use catalog::{Column, Delimited, SqlType, WidthRule};

use super::fields::FieldReader;
use super::values::ValueBuilder;
use super::{BATCH_BYTES, BATCH_ROWS, RowReader, ValueError, Wanted, batch};
use crate::error::{Error, Result};

/// The rows of a file.
pub(super) struct Rows {
    reader: FieldReader,
    targets: Vec<Target>,
    schema: SchemaRef,
    width: WidthRule,
    /// How many columns the files have.
    declared: usize,
    path: String,
}

/// A column that is wanted.
struct Target {
    /// Its place in a line.
    place: usize,
    column: Column,
    /// An empty field is a value of it.
    is_string: bool,
    builder: Box<dyn ValueBuilder>,
}

impl Rows {
    pub(super) fn new(format: Delimited, wanted: &Wanted<'_>, input: Box<dyn Read + Send>) -> Self {
        let target = |place: &usize| {
            let column = wanted.table.columns[*place].clone();
            let builder = wanted.builders.builder(&column, BATCH_ROWS);
            let is_string = matches!(column.sql_type, SqlType::Text | SqlType::Varchar(_) | SqlType::Char(_));
            Target { place: *place, column, is_string, builder }
        };
        Rows {
            targets: wanted.columns.iter().map(target).collect(),
            schema: wanted.schema.clone(),
            width: format.width,
            declared: wanted.table.columns.len(),
            path: wanted.path.clone(),
            reader: FieldReader::new(format, input),
        }
    }

    /// Whether the line that was read has a row of the table.
    fn is_row(&self) -> Result<bool> {
        let found = self.reader.width();
        let fits = match self.width {
            WidthRule::SetToNull => true,
            WidthRule::FillMissing => found <= self.declared,
            WidthRule::DropRow | WidthRule::Fail => found == self.declared,
        };
        if fits {
            return Ok(true);
        }
        if self.width == WidthRule::DropRow {
            return Ok(false);
        }
        let reason = format!("it has {found} fields, and the table {} columns", self.declared);
        Err(Error::LineInvalid { path: self.path.clone(), line: self.reader.line(), reason })
    }
}

impl RowReader for Rows {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let (mut rows, mut bytes) = (0, 0);
        while rows < BATCH_ROWS && bytes < BATCH_BYTES {
            if !self.reader.next().map_err(|error| error.of_file(&self.path))? {
                break;
            }
            if !self.is_row()? {
                continue;
            }
            for target in &mut self.targets {
                let text = self.reader.field(target.place);
                bytes += text.map_or(0, str::len);
                push(target, text).map_err(|source| Error::ValueInvalid {
                    column: target.column.name.clone(),
                    path: self.path.clone(),
                    line: self.reader.line(),
                    source,
                })?;
            }
            rows += 1;
        }
        if rows == 0 {
            return Ok(None);
        }
        let columns: Vec<ArrayRef> = self.targets.iter_mut().map(|target| target.builder.finish()).collect();
        batch(&self.schema, Ok(columns), rows, &self.path).map(Some)
    }
}

fn push(target: &mut Target, text: Option<&str>) -> Result<(), ValueError> {
    match text {
        Some(text) if target.is_string || !text.is_empty() => target.builder.push_text(text)?,
        _ => target.builder.push_null(),
    }
    Ok(())
}
