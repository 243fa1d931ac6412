//! Columns of delimited text.

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use catalog::{Column, Delimited, SqlType, ValueRule, WidthRule};

use super::super::tolerance::{BadRow, Fate, Tolerance};
use super::fields::FieldReader;
use super::row_marks::RowMarks;
use super::sniff_delimited::{header_names, place_in};
use super::values::{Added, ValueBuilder};
use super::{BATCH_BYTES, BATCH_ROWS, RowError, RowReader, Wanted, kind_of, replaced};
use crate::error::{Error, Result};
use crate::scan::faults::FaultKind;

/// The rows of a file.
pub(super) struct Rows {
    reader: FieldReader,
    targets: Vec<Target>,
    schema: SchemaRef,
    width: WidthRule,
    skips_blank_lines: bool,
    /// How many columns the files have.
    declared: usize,
    /// Whether the columns have still to be found by the names in the first line.
    is_header_next: bool,
    tolerance: Arc<Tolerance>,
    path: String,
    has_ended: bool,
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

/// What a line gives.
enum Line {
    Row,
    Empty,
    Bad(Fate),
    End,
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
            skips_blank_lines: format.skips_blank_lines,
            declared: wanted.table.columns.len(),
            is_header_next: format.named_by_header,
            tolerance: wanted.tolerance.clone(),
            path: wanted.path.clone(),
            reader: FieldReader::new(without_named_header(format), input),
            has_ended: false,
        }
    }

    /// Finds the columns by the names in the first line.
    fn find_columns(&mut self) -> Result<()> {
        self.is_header_next = false;
        if !self.reader.next().map_err(|error| error.of_file(&self.path))? {
            return Ok(());
        }
        self.declared = self.reader.width();
        let text = |place| self.reader.field(place).and_then(|field| std::str::from_utf8(field).ok());
        let names = header_names((0..self.declared).map(text));
        for target in &mut self.targets {
            target.place = place_in(&names, &target.column).ok_or_else(|| {
                let reason = format!("it names no column \"{}\"", target.column.name);
                Error::LineInvalid { path: self.path.clone(), line: self.reader.line(), reason }
            })?;
        }
        Ok(())
    }

    /// Reads a line, and adds its values.
    fn next_line(&mut self, bytes: &mut usize) -> Result<Line> {
        let fate = match self.reader.next() {
            Ok(false) => return Ok(Line::End),
            Ok(true) if self.skips_blank_lines && self.reader.raw().iter().all(|byte| b"\r\n".contains(byte)) => {
                return Ok(Line::Empty);
            }
            Ok(true) => match self.check().and_then(|()| self.push(bytes)) {
                Ok(()) => return Ok(Line::Row),
                Err(Wrong::Width(bad)) => self.tolerance.dropped(*bad)?,
                Err(Wrong::Row(bad)) => self.tolerance.row(*bad)?,
                Err(Wrong::Fault(error)) => return Err(error),
            },
            Err(error @ RowError::Bad { .. }) => {
                let bad = self.bad_row(error.of_file(&self.path), FaultKind::Line);
                self.tolerance.row(bad)?
            }
            Err(error) => {
                self.tolerance.file(&self.path, error.of_file(&self.path))?;
                return Ok(Line::End);
            }
        };
        Ok(Line::Bad(fate))
    }

    /// Whether the line that was read can be a row of the table.
    fn check(&self) -> Result<(), Wrong> {
        let line = self.reader.line();
        let invalid_char = &self.tolerance.rules().invalid_char;
        let keeps_text =
            matches!(invalid_char, ValueRule::SetToNull | ValueRule::Replace(_) | ValueRule::ReplaceBytes(_));
        if !self.reader.is_text() && !keeps_text {
            let error = RowError::bad(line, "it is no UTF-8").of_file(&self.path);
            return Err(Wrong::Row(Box::new(self.bad_row(error, FaultKind::NotText))));
        }
        let (found, expected) = (self.reader.width(), self.declared);
        let fits = match self.width {
            WidthRule::SetToNull => true,
            WidthRule::FillMissing => found <= expected,
            WidthRule::DropRow | WidthRule::Fail => found == expected,
        };
        if fits {
            return Ok(());
        }
        let error = Error::FieldCount { path: self.path.clone(), line, found, expected };
        let kind = if found > expected { FaultKind::MoreFields } else { FaultKind::FewerFields };
        let bad = Box::new(self.bad_row(error, kind));
        Err(if self.width == WidthRule::DropRow { Wrong::Width(bad) } else { Wrong::Row(bad) })
    }

    fn push(&mut self, bytes: &mut usize) -> Result<(), Wrong> {
        for index in 0..self.targets.len() {
            let Rows { reader, targets, tolerance, .. } = self;
            let target = &mut targets[index];
            let field = reader.field(target.place);
            *bytes += field.map_or(0, <[u8]>::len);
            let text = field.and_then(|field| text(field, tolerance));
            let is_altered = field.is_some() && !matches!(text, Some(Cow::Borrowed(_)));
            let altered = is_altered.then(|| text.as_ref().map(|text| text.to_string()));
            let added = match text {
                Some(text) if target.is_string || !text.is_empty() => target.builder.push_text(&text),
                _ => {
                    target.builder.push_null();
                    Ok(Added::Null)
                }
            };
            let is_null = matches!(added, Ok(Added::Null | Added::Instead { value: None, .. }));
            if is_null && target.column.not_null {
                return Err(Wrong::Row(Box::new(self.null(index))));
            }
            if let Some(by) = altered {
                let bad = self.bad_value(index, FaultKind::NotText, "it is no UTF-8".into());
                self.tolerance.changed(bad, by).map_err(Wrong::Fault)?;
            }
            match added {
                Ok(Added::Value | Added::Null) => {}
                Ok(Added::Instead { of, value }) => {
                    let bad = self.bad_value(index, kind_of(of), "it does not fit".into());
                    self.tolerance.changed(bad, value).map_err(Wrong::Fault)?;
                }
                Err(error) => {
                    let bad = self.bad_value(index, kind_of(error.kind), error.source);
                    return Err(Wrong::Row(Box::new(bad)));
                }
            }
        }
        Ok(())
    }

    fn bad_row(&self, error: Error, kind: FaultKind) -> BadRow {
        let raw_line = String::from_utf8_lossy(self.reader.raw()).trim_end_matches(['\r', '\n']).to_owned();
        let (path, line) = (self.path.clone(), Some(self.reader.line()));
        BadRow { error, kind, path, line, column: None, raw_line, raw_value: None }
    }

    fn null(&self, index: usize) -> BadRow {
        let (path, line) = (self.path.clone(), self.reader.line());
        let column = self.targets[index].column.name.clone();
        let bad = self.bad_row(Error::NullNotAllowed { column: column.clone(), path, line }, FaultKind::Null);
        BadRow { column: Some(column), ..bad }
    }

    fn bad_value(&self, index: usize, kind: FaultKind, source: crate::error::Source) -> BadRow {
        let (path, line) = (self.path.clone(), self.reader.line());
        let target = &self.targets[index];
        let column = target.column.name.clone();
        let raw_value = self.reader.field(target.place).map(|field| String::from_utf8_lossy(field).into_owned());
        let error = Error::ValueInvalid { column: column.clone(), path, line, source };
        BadRow { column: Some(column), raw_value, ..self.bad_row(error, kind) }
    }
}

/// Why a line is no row.
enum Wrong {
    /// A rule about the number of fields leaves it out.
    Width(Box<BadRow>),
    Row(Box<BadRow>),
    /// The statement fails.
    Fault(Error),
}

impl RowReader for Rows {
    fn lines(&self) -> u64 {
        self.reader.lines()
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        if self.is_header_next
            && let Err(error) = self.find_columns()
        {
            self.tolerance.file(&self.path, error)?;
            self.has_ended = true;
        }
        let (mut marks, mut bytes) = (RowMarks::default(), 0);
        while !self.has_ended && marks.rows() < BATCH_ROWS && bytes < BATCH_BYTES {
            match self.next_line(&mut bytes)? {
                Line::Row => marks.add(),
                Line::Empty => {}
                Line::Bad(fate) => {
                    let rows = marks.rows();
                    let unfilled = self.targets.iter_mut().filter(|target| target.builder.len() == rows);
                    unfilled.for_each(|target| target.builder.push_null());
                    marks.add_bad(fate);
                    self.has_ended = fate == Fate::SkipFile;
                }
                Line::End => self.has_ended = true,
            }
        }
        if marks.rows() == 0 {
            return Ok(None);
        }
        let columns: Vec<ArrayRef> = self.targets.iter_mut().map(|target| target.builder.finish()).collect();
        marks.batch(&self.schema, Ok(columns), &self.path).map(Some)
    }
}

/// The last header line is a line as any other when it names the columns.
fn without_named_header(format: Delimited) -> Delimited {
    let header_lines = format.header_lines.saturating_sub(u32::from(format.named_by_header));
    Delimited { header_lines, ..format }
}

/// A field as text; none when it is none, and a rule says that it is NULL then.
fn text<'a>(field: &'a [u8], tolerance: &Tolerance) -> Option<Cow<'a, str>> {
    match std::str::from_utf8(field) {
        Ok(text) => Some(Cow::Borrowed(text)),
        Err(_) => replaced(field, &tolerance.rules().invalid_char).map(Cow::Owned),
    }
}
