//! Columns of lines that are JSON objects.
//!
//! A column has the value of the key of its name, in whatever case; a key that no column has is ignored, a column whose key
//! is not there is NULL. Numbers are read by their digits. A string, JSON or JSONB column takes any value: a string as its
//! characters, anything else as it is written. A load may have paths to its values instead.

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use catalog::BadDataRules;
use jiter::{Jiter, Peek};

use super::super::tolerance::{BadRow, Fate, Tolerance};
use super::json_builder::{Changed, JsonBuilder, PushError};
use super::json_path::JsonPath;
use super::lines::LineReader;
use super::row_marks::RowMarks;
use super::{BATCH_BYTES, BATCH_ROWS, RowError, RowReader, Wanted, kind_of, replaced};
use crate::error::{Error, Result, Source};
use crate::scan::faults::FaultKind;

/// The rows of a file.
pub(super) struct Rows {
    lines: LineReader,
    targets: Vec<Target>,
    schema: SchemaRef,
    tolerance: Arc<Tolerance>,
    path: String,
    /// Where keys with escapes are put together.
    tape: Vec<u8>,
    /// Values of the line that rules have put in the place of others, with their columns.
    changed: Vec<(usize, Changed)>,
    /// Values are found by paths, not by their keys.
    has_paths: bool,
    has_ended: bool,
}

/// A column that is wanted.
struct Target {
    name: String,
    not_null: bool,
    path: Option<JsonPath>,
    builder: JsonBuilder,
}

/// What is wrong with a line, and in which column.
enum Wrong {
    Value(usize, PushError),
    Null(usize),
    Line(String),
}

/// What a line gives.
enum Line {
    Row,
    Empty,
    Bad(Fate),
    End,
}

impl Rows {
    pub(super) fn new(wanted: &Wanted<'_>, input: Box<dyn Read + Send>) -> Self {
        let target = |place: &usize| {
            let column = &wanted.table.columns[*place];
            let builder = JsonBuilder::new(column, wanted.builders, BATCH_ROWS);
            let path = wanted.json_paths.and_then(|paths| paths.get(*place)).cloned();
            Target { name: column.name.clone(), not_null: column.not_null, path, builder }
        };
        Rows {
            lines: LineReader::new(input),
            targets: wanted.columns.iter().map(target).collect(),
            schema: wanted.schema.clone(),
            tolerance: wanted.tolerance.clone(),
            path: wanted.path.clone(),
            tape: Vec::new(),
            changed: Vec::new(),
            has_paths: wanted.json_paths.is_some(),
            has_ended: false,
        }
    }

    /// Reads a line, and adds its values to the columns, which hold `rows` of them.
    fn next_line(&mut self, rows: usize, bytes: &mut usize) -> Result<Line> {
        match self.lines.next() {
            Ok(true) => {}
            Ok(false) => return Ok(Line::End),
            Err(error) => {
                self.tolerance.file(&self.path, error.of_file(&self.path))?;
                return Ok(Line::End);
            }
        }
        let line = self.lines.bytes();
        if line.trim_ascii().is_empty() {
            return Ok(Line::Empty);
        }
        *bytes += line.len();
        let text = text(line, self.tolerance.rules());
        let Some(text) = text else {
            let error = RowError::bad(self.lines.number(), "it is no UTF-8").of_file(&self.path);
            return self.tolerance.row(self.bad_row(error, FaultKind::NotText)).map(Line::Bad);
        };
        let is_altered = matches!(text, Cow::Owned(_));
        let mut object = Jiter::with_tape(text.as_bytes(), std::mem::take(&mut self.tape));
        let pushed = match self.has_paths {
            true => push_by_paths(&text, &mut self.targets, &mut self.changed),
            false => push(&mut object, &mut self.targets, rows, &mut self.changed),
        };
        self.tape = object.into_tape();
        if is_altered {
            let altered = text.into_owned();
            let error = RowError::bad(self.lines.number(), "it is no UTF-8").of_file(&self.path);
            self.tolerance.changed(self.bad_row(error, FaultKind::NotText), Some(altered))?;
        }
        for (column, changed) in std::mem::take(&mut self.changed) {
            let bad = self.bad_value(column, kind_of(changed.of), "it does not fit".into());
            self.tolerance.changed(BadRow { raw_value: Some(changed.from), ..bad }, changed.to)?;
        }
        match pushed {
            Ok(()) => Ok(Line::Row),
            Err(wrong) => self.tolerance.row(self.wrong(wrong)).map(Line::Bad),
        }
    }

    fn wrong(&self, wrong: Wrong) -> BadRow {
        let (path, line) = (self.path.clone(), self.lines.number());
        match wrong {
            Wrong::Value(column, PushError::Value(error)) => self.bad_value(column, kind_of(error.kind), error.source),
            Wrong::Value(_, PushError::Json(reason)) | Wrong::Line(reason) => {
                self.bad_row(Error::LineInvalid { path, line, reason }, FaultKind::Line)
            }
            Wrong::Null(column) => {
                let column = self.targets[column].name.clone();
                let error = Error::NullNotAllowed { column: column.clone(), path, line };
                BadRow { column: Some(column), ..self.bad_row(error, FaultKind::Null) }
            }
        }
    }

    fn bad_row(&self, error: Error, kind: FaultKind) -> BadRow {
        let raw_line = String::from_utf8_lossy(self.lines.bytes()).trim_end().to_owned();
        let (path, line) = (self.path.clone(), Some(self.lines.number()));
        BadRow { error, kind, path, line, column: None, raw_line, raw_value: None }
    }

    fn bad_value(&self, column: usize, kind: FaultKind, source: Source) -> BadRow {
        let (path, line) = (self.path.clone(), self.lines.number());
        let column = self.targets[column].name.clone();
        let error = Error::ValueInvalid { column: column.clone(), path, line, source };
        BadRow { column: Some(column), ..self.bad_row(error, kind) }
    }
}

impl RowReader for Rows {
    fn lines(&self) -> u64 {
        // The last that was asked for is none.
        self.lines.number().saturating_sub(u64::from(self.has_ended))
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let (mut marks, mut bytes) = (RowMarks::default(), 0);
        while !self.has_ended && marks.rows() < BATCH_ROWS && bytes < BATCH_BYTES {
            match self.next_line(marks.rows(), &mut bytes)? {
                Line::Row => marks.add(),
                Line::Empty => {}
                Line::Bad(fate) => {
                    let length = marks.rows() + 1;
                    self.targets.iter_mut().for_each(|target| target.builder.settle(length));
                    marks.add_bad(fate);
                    self.has_ended = fate == Fate::SkipFile;
                }
                Line::End => self.has_ended = true,
            }
        }
        if marks.rows() == 0 {
            return Ok(None);
        }
        let columns = self.targets.iter_mut().map(|target| target.builder.finish());
        let columns: Result<Vec<ArrayRef>, ArrowError> = columns.collect();
        marks.batch(&self.schema, columns, &self.path).map(Some)
    }
}

/// A line as text; none when it is none, and no rule says what its bytes become.
fn text<'a>(line: &'a [u8], rules: &BadDataRules) -> Option<Cow<'a, str>> {
    match std::str::from_utf8(line) {
        Ok(text) => Some(Cow::Borrowed(text)),
        Err(_) => replaced(line, &rules.invalid_char).map(Cow::Owned),
    }
}

/// Adds an object to the columns, which hold `rows` values.
fn push(
    object: &mut Jiter<'_>,
    targets: &mut [Target],
    rows: usize,
    changed: &mut Vec<(usize, Changed)>,
) -> Result<(), Wrong> {
    let json = |error: jiter::JiterError| Wrong::Line(error.error_type.to_string());
    let mut found = object.next_object().map_err(json)?.map(|key| place(targets, key));
    let mut of_column = Vec::new();
    while let Some(place) = found {
        let peek = object.peek().map_err(json)?;
        match place {
            Some(column) => {
                let target = &mut targets[column];
                if target.builder.len() > rows {
                    return Err(Wrong::Line(format!("key \"{}\" is there more than once", target.name)));
                }
                if peek == Peek::Null && target.not_null {
                    return Err(Wrong::Null(column));
                }
                target.builder.push(object, peek, &mut of_column).map_err(|error| Wrong::Value(column, error))?;
                changed.extend(of_column.drain(..).map(|changed| (column, changed)));
            }
            None => object.known_skip(peek).map_err(json)?,
        }
        found = object.next_key().map_err(json)?.map(|key| self::place(targets, key));
    }
    object.finish().map_err(json)?;
    for (column, target) in targets.iter_mut().enumerate().filter(|(_, target)| target.builder.len() == rows) {
        if target.not_null {
            return Err(Wrong::Null(column));
        }
        target.builder.push_null();
    }
    Ok(())
}

/// Adds the values that the columns' paths lead to. The line is read once for each, and once to know that it is JSON.
fn push_by_paths(line: &str, targets: &mut [Target], changed: &mut Vec<(usize, Changed)>) -> Result<(), Wrong> {
    let json = |error: jiter::JiterError| Wrong::Line(error.error_type.to_string());
    let mut whole = Jiter::new(line.as_bytes());
    whole.next_skip().and_then(|()| whole.finish()).map_err(json)?;
    let mut of_column = Vec::new();
    for (column, target) in targets.iter_mut().enumerate() {
        let mut value = Jiter::new(line.as_bytes());
        let found = match &target.path {
            Some(path) => path.find(&mut value).map_err(json)?,
            None => None,
        };
        match found {
            None | Some(Peek::Null) if target.not_null => return Err(Wrong::Null(column)),
            None => target.builder.push_null(),
            Some(peek) => {
                let pushed = target.builder.push(&mut value, peek, &mut of_column);
                pushed.map_err(|error| Wrong::Value(column, error))?;
                changed.extend(of_column.drain(..).map(|changed| (column, changed)));
            }
        }
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
