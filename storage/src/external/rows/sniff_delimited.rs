//! What is in files of delimited text: what stands between the fields, whether the first line names them, and their types.
//!
//! All of it is found in a sample, by rules that give the same for the same bytes:
//!
//! * Fields are divided by the one of `,`, tab, `;` and `|` that divides all of the first lines into the same number of
//!   fields, and into the most; by `,` when none does.
//! * A column's type is the first of `boolean`, `bigint`, `double precision`, `numeric`, `date`, `timestamp` and `timestamp with
//!   time zone` that all of its values are written as ([`FieldType`]), or else `text`; so is one without values. Numbers
//!   with leading zeros or a plus are texts: they are somebody's names for things.
//! * The first line names the columns when a field of it is no value of its column's type. If all columns are texts it does
//!   too, unless a field of it is a number, a date or the like.

use std::collections::HashSet;
use std::io::Cursor;
use std::sync::Arc;

use catalog::{Column, Compression, Delimited, SqlType, WidthRule};

use super::field_type::{FieldType, FieldTypes};
use super::fields::FieldReader;
use super::json::is_named;
use super::sample::{SAMPLE_ROWS_MAX, Sample, first, first_line_too_long, samples};
use super::{RowError, ValueBuilders};
use crate::error::{Error, Result};
use crate::external::describe::COLUMNS_MAX;
use crate::external::pinned_file::PinnedFile;

/// What may stand between fields.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];
/// Lines by which it is found.
const DELIMITER_LINES: usize = 100;

/// What a query says of files of delimited text; what it does not say is found out.
#[derive(Debug, Clone, Default)]
pub struct DelimitedRequest {
    /// What stands between fields.
    pub delimiter: Option<u8>,
    /// What stands around a field that has delimiters in it.
    pub quote: Option<u8>,
    /// What stands before a character that means nothing but itself.
    pub escape: Option<u8>,
    /// The field without quotes that stands for NULL.
    pub null: String,
    /// Whether the first line names the columns.
    pub header: Option<bool>,
    /// Whether all columns are texts.
    pub all_text: bool,
    /// What the files are packed with, when their names do not tell.
    pub compression: Option<Compression>,
    /// Whether the columns are known, and only the form of the lines is looked for.
    pub has_columns: bool,
}

/// A sample as rows.
struct SampleRows {
    path: String,
    rows: Vec<Vec<Option<String>>>,
}

/// The format of the files, and their columns as far as they are not known.
///
/// # Errors
/// The files cannot be read, or differ in their columns.
pub(in crate::external) async fn sniffed(
    files: Vec<PinnedFile>,
    request: &DelimitedRequest,
    builders: Arc<dyn ValueBuilders>,
) -> Result<(Delimited, Vec<(String, SqlType)>)> {
    let samples = samples(files, request.compression).await?;
    let mut format = Delimited {
        skips_blank_lines: false,
        delimiter: b',',
        quote: request.quote,
        escape: request.escape,
        null: request.null.clone(),
        empty_is_null: false,
        header_lines: 0,
        width: WidthRule::Fail,
        named_by_header: false,
    };
    format.delimiter = match request.delimiter {
        Some(delimiter) => delimiter,
        None => delimiter(first(&samples)?, &format),
    };
    let mut rows = Vec::with_capacity(samples.len());
    let mut rows_left = SAMPLE_ROWS_MAX;
    for sample in &samples {
        let read = sample_rows(sample, &format, rows_left).map_err(|error| error.of_file(&sample.path))?;
        rows_left -= read.len().min(rows_left);
        rows.push(SampleRows { path: sample.path.clone(), rows: read });
    }
    if let Some(error) = first_line_too_long(&samples).filter(|_| rows.iter().all(|sample| sample.rows.is_empty())) {
        return Err(error);
    }
    let columns = SniffedColumns::new(&rows, request.header, builders.as_ref())?;
    if columns.has_header {
        format.header_lines = 1;
        format.named_by_header = !request.has_columns;
    }
    Ok((format, columns.named(request.all_text)?))
}

/// What divides all of the first lines into as many fields, and into the most.
fn delimiter(sample: &Sample, format: &Delimited) -> u8 {
    let width = |delimiter: u8| {
        let format = Delimited { delimiter, ..format.clone() };
        let rows = sample_rows(sample, &format, DELIMITER_LINES).unwrap_or_default();
        let width = rows.first().map_or(0, Vec::len);
        if rows.iter().all(|row| row.len() == width) { width } else { 0 }
    };
    let is_free = |delimiter: &u8| format.quote != Some(*delimiter) && format.escape != Some(*delimiter);
    let mut free = DELIMITERS.into_iter().filter(is_free);
    let found = free.clone().map(|delimiter| (width(delimiter), delimiter)).rev().max_by_key(|(width, _)| *width);
    let found = found.filter(|(width, _)| *width > 1).map(|(_, delimiter)| delimiter);
    found.or_else(|| free.next()).unwrap_or(b',')
}

/// A field of a line that is UTF-8.
fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(field).into_owned()
}

/// The first rows of a sample. What is wrong with a line behind them, and with one that is cut off, is seen when it is read.
fn sample_rows(sample: &Sample, format: &Delimited, rows_max: usize) -> Result<Vec<Vec<Option<String>>>, RowError> {
    let mut reader = FieldReader::new(format.clone(), Box::new(Cursor::new(sample.text.clone())));
    let mut rows = Vec::new();
    while rows.len() <= rows_max {
        match reader.next() {
            Ok(true) if !reader.is_text() && !sample.is_whole => return Ok(rows),
            Ok(true) if !reader.is_text() => return Err(RowError::bad(reader.line(), "it is no UTF-8")),
            Ok(true) if reader.width() > COLUMNS_MAX => {
                return Err(RowError::bad(reader.line(), format!("it has more than {COLUMNS_MAX} fields")));
            }
            Ok(true) => rows.push((0..reader.width()).map(|place| reader.field(place).map(text)).collect()),
            Ok(false) => break,
            Err(_) if !sample.is_whole => return Ok(rows),
            Err(error) => return Err(error),
        }
    }
    if !sample.is_whole && rows.len() <= rows_max {
        rows.pop();
    }
    rows.truncate(rows_max);
    Ok(rows)
}

/// The columns of samples.
struct SniffedColumns {
    path: String,
    has_header: bool,
    /// The fields of the first line.
    names: Vec<Option<String>>,
    types: Vec<FieldTypes>,
}

impl SniffedColumns {
    fn new(samples: &[SampleRows], header: Option<bool>, builders: &dyn ValueBuilders) -> Result<Self> {
        let Some((sample, names)) = samples.iter().find_map(|it| Some((it, it.rows.first()?.clone()))) else {
            let path = samples.first().map(|sample| sample.path.clone()).unwrap_or_default();
            return Err(Error::ColumnsUnknown { path, reason: "there is no line in it".to_owned() });
        };
        let mut types: Vec<_> = names.iter().map(|_| FieldTypes::new(builders)).collect();
        let mut columns = SniffedColumns { path: sample.path.clone(), has_header: false, names, types: Vec::new() };
        for row in &sample.rows[1..] {
            add(&mut types, row);
        }
        columns.types = types;
        columns.has_header = header.unwrap_or_else(|| columns.names_itself(builders));
        if !columns.has_header {
            add(&mut columns.types, &columns.names);
        }
        for other in samples.iter().filter(|other| other.path != sample.path) {
            columns.add_file(&other.rows);
        }
        Ok(columns)
    }

    /// Whether the first line says what the columns are called.
    fn names_itself(&self, builders: &dyn ValueBuilders) -> bool {
        let fields = || self.names.iter().zip(&self.types);
        let own_type = |field: &Option<String>| {
            let mut types = FieldTypes::new(builders);
            types.add(field.as_deref());
            types.found()
        };
        let is_value = |field: &Option<String>, types: &FieldTypes| {
            let mut types = types.clone_kept(builders);
            types.add(field.as_deref());
            types.found() != FieldType::Text
        };
        if fields().any(|(_, types)| types.found() != FieldType::Text) {
            return fields().any(|(field, types)| types.found() != FieldType::Text && !is_value(field, types));
        }
        self.names.iter().any(Option::is_some) && self.names.iter().all(|field| own_type(field) == FieldType::Text)
    }

    /// Adds the rows of another file, whose columns may stand in another order when they are named.
    fn add_file(&mut self, rows: &[Vec<Option<String>>]) {
        let Some((first, rest)) = rows.split_first() else { return };
        if !self.has_header {
            rows.iter().for_each(|row| add(&mut self.types, row));
            return;
        }
        let place = |name: &Option<String>| {
            let name = name.as_deref().unwrap_or_default().trim();
            first.iter().position(|field| is_named(field.as_deref().unwrap_or_default().trim(), name))
        };
        let places: Vec<_> = self.names.iter().map(place).collect();
        for row in rest {
            for (types, place) in self.types.iter_mut().zip(&places) {
                types.add(place.and_then(|place| row.get(place)?.as_deref()));
            }
        }
    }

    /// Their names and types.
    fn named(&self, all_text: bool) -> Result<Vec<(String, SqlType)>> {
        let names = match self.has_header {
            true => header_names(self.names.iter().map(Option::as_deref)),
            false => (1..=self.names.len()).map(|place| format!("column{place}")).collect(),
        };
        let folded: Vec<_> = names.iter().map(|name| name.to_lowercase()).collect();
        if let Some(name) = twice(folded.iter().map(String::as_str)) {
            let reason = format!("two are called \"{name}\"");
            return Err(Error::ColumnsUnknown { path: self.path.clone(), reason });
        }
        let sql_type = |types: &FieldTypes| if all_text { SqlType::Text } else { types.found().sql_type() };
        Ok(folded.into_iter().zip(self.types.iter().map(sql_type)).collect())
    }
}

/// A name that is there more than once.
fn twice<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut known = HashSet::new();
    names.find(|name| !known.insert(*name))
}

/// The names that a header gives to columns: one that it does not name is called by its place.
pub(super) fn header_names<'a>(fields: impl Iterator<Item = Option<&'a str>>) -> Vec<String> {
    let name = |(place, field): (usize, Option<&str>)| match field.map(str::trim) {
        None | Some("") => format!("column{}", place + 1),
        Some(name) => name.to_owned(),
    };
    fields.enumerate().map(name).collect()
}

fn add(types: &mut [FieldTypes], row: &[Option<String>]) {
    for (types, field) in types.iter_mut().zip(row) {
        types.add(field.as_deref());
    }
}

/// The place of a column that is found by its name in a header.
pub(super) fn place_in(names: &[String], column: &Column) -> Option<usize> {
    names.iter().position(|name| is_named(&column.name, name))
}
