//! COPY's data → columns, with what errors say of the line that they are in.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use catalog::HotTable;

use crate::error::{Error, Result};
use crate::statement::copy_encoding::LineConverter;
use crate::wire::parameters::column;
use pg::SessionValues;
use pg::copy_format::{BinaryParser, CopyError, CopyFormat, CopyOptions, Header, Row, RowParser};
use pg::input::ColumnBuilder;

/// Rows that are converted before they go to the writer as a batch.
const BATCH_ROWS: usize = 8192;
/// Bytes of text after which a batch goes to the writer, and into its reservation, however few its rows are.
const BATCH_BYTES: usize = 8 << 20;
/// Bytes of a line or value that an error shows, as in PostgreSQL (`MAX_COPY_DATA_DISPLAY`).
const SHOWN_BYTES_MAX: usize = 100;
/// Bytes of a line that are kept for errors: one character more than is shown, so that it is known whether there are more.
const KEPT_BYTES_MAX: usize = SHOWN_BYTES_MAX + 4;

/// A column that the data has.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its place in the table.
    pub place: usize,
    /// The number of its type.
    pub oid: u32,
    /// What stands for NULL is a string.
    pub force_not_null: bool,
    /// What stands for NULL is NULL even in quotes.
    pub force_null: bool,
}

/// Reads the data into columns.
pub struct CopyInput {
    table: Arc<HotTable>,
    targets: Vec<Target>,
    parser: Parser,
    /// For text that is not in UTF-8.
    converter: Option<LineConverter>,
    builders: Vec<ColumnBuilder>,
    lines: Lines,
    /// What stands for NULL.
    null: String,
    /// The first row has the names of the columns.
    header_pending: bool,
    /// Bytes of text in the builders.
    converted_bytes: usize,
    session: SessionValues,
}

enum Parser {
    Text(RowParser),
    Binary(BinaryParser),
}

impl CopyInput {
    /// Reads data of these columns of a table.
    pub fn new(table: Arc<HotTable>, targets: Vec<Target>, options: CopyOptions, session: SessionValues) -> Self {
        // The option is for text; values in binary are as parameters.
        let is_binary = options.format == CopyFormat::Binary;
        let encoding = options.encoding.unwrap_or(session.client_encoding);
        let builders = targets.iter().map(|target| ColumnBuilder::new(&table.columns[target.place], BATCH_ROWS));
        CopyInput {
            builders: builders.collect(),
            lines: Lines::default(),
            null: options.null.clone(),
            header_pending: options.header == Header::Match,
            converted_bytes: 0,
            parser: match options.format {
                CopyFormat::Binary => Parser::Binary(BinaryParser::new(targets.len())),
                CopyFormat::Text | CopyFormat::Csv => Parser::Text(RowParser::new(options)),
            },
            converter: LineConverter::of(encoding).filter(|_| !is_binary),
            table,
            targets,
            session,
        }
    }

    /// The columns that the data has.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Bytes that are held of what has not been converted.
    pub fn held_bytes(&self) -> usize {
        let buffered = match &self.parser {
            Parser::Text(parser) => parser.buffered_bytes(),
            Parser::Binary(parser) => parser.buffered_bytes(),
        };
        buffered + self.converter.as_ref().map_or(0, LineConverter::held_bytes)
    }

    /// Adds data.
    pub fn feed(&mut self, data: &[u8]) {
        match (&mut self.parser, &mut self.converter) {
            (Parser::Text(parser), Some(converter)) => parser.feed(converter.convert(data).as_bytes()),
            (Parser::Text(parser), None) => parser.feed(data),
            (Parser::Binary(parser), _) => parser.feed(data),
        }
    }

    /// There is no more data.
    pub fn end(&mut self) {
        if let (Parser::Text(parser), Some(converter)) = (&mut self.parser, &mut self.converter) {
            parser.feed(converter.finish().as_bytes());
        }
        match &mut self.parser {
            Parser::Text(parser) => parser.finish(),
            Parser::Binary(parser) => parser.finish(),
        }
    }

    /// Whether the rows that have been converted should be taken.
    pub fn is_full(&self) -> bool {
        self.lines.numbers.len() >= BATCH_ROWS || self.converted_bytes >= BATCH_BYTES
    }

    /// The rows that have been converted, by columns, and how many they are. What is known of their lines stays.
    pub fn taken(&mut self) -> (Vec<ArrayRef>, usize) {
        self.converted_bytes = 0;
        let rows = self.lines.numbers.len();
        (self.builders.iter_mut().map(|builder| builder.finish().slice(0, rows)).collect(), rows)
    }

    /// Forgets the lines of the rows that were taken.
    pub fn clear_lines(&mut self) {
        self.lines.clear();
    }

    /// Where the row with this number among those taken was.
    pub fn row_context(&self, row: usize) -> String {
        let (line, raw) = self.lines.of(row);
        context(&self.table, line, raw)
    }

    /// The same for a value of the row.
    pub fn column_context(&self, row: usize, place: usize) -> String {
        let (line, _) = self.lines.of(row);
        format!("COPY {}, line {line}, column {}", self.table.name.name, self.table.columns[place].name)
    }

    /// Converts the next row, if there is one.
    ///
    /// # Errors
    /// It is wrong.
    pub fn convert_row(&mut self) -> Result<bool> {
        let (table, targets) = (&self.table, &self.targets);
        match &mut self.parser {
            Parser::Text(parser) => {
                if self.header_pending {
                    match has_header(parser, table, targets, &self.null) {
                        Ok(found) if !found => return Ok(false),
                        Ok(_) => self.header_pending = false,
                        Err(source) => return Err(line_error(table, parser, source)),
                    }
                }
                let row = match parser.next_row() {
                    Ok(Some(row)) => row,
                    Ok(None) => return not_converted(table, parser, &mut self.converter).map_or(Ok(false), Err),
                    Err(source) => return Err(line_error(table, parser, source)),
                };
                self.converted_bytes += row.bytes();
                convert_fields(&row, table, targets, &self.null, &mut self.builders)?;
                self.lines.push(row.line(), Some(row.raw()));
            }
            Parser::Binary(parser) => {
                let row = match parser.next_row() {
                    Ok(Some(row)) => row,
                    Ok(None) => return Ok(false),
                    Err(source) => return Err(binary_error(table, targets, parser.row(), source)),
                };
                self.converted_bytes += row.bytes();
                for (number, (builder, target)) in self.builders.iter_mut().zip(targets).enumerate() {
                    let Some(bytes) = row.field(number) else {
                        builder.push_null();
                        continue;
                    };
                    column::append(builder, target.oid, bytes, &self.session).map_err(|error| {
                        let context = binary_context(table, targets, row.number(), Some(number));
                        Error::InContext { source: Box::new(error.into()), context }
                    })?;
                }
                self.lines.push(row.number(), None);
            }
        }
        Ok(true)
    }
}

/// The lines that rows came from, as far as errors show them.
#[derive(Default)]
struct Lines {
    numbers: Vec<u64>,
    /// Where each line ends in `raw`; rows of binary data have no line to show.
    ends: Vec<usize>,
    raw: Vec<u8>,
}

impl Lines {
    fn push(&mut self, number: u64, raw: Option<&[u8]>) {
        self.numbers.push(number);
        if let Some(raw) = raw {
            self.raw.extend_from_slice(&raw[..raw.len().min(KEPT_BYTES_MAX)]);
            self.ends.push(self.raw.len());
        }
    }

    fn clear(&mut self) {
        self.numbers.clear();
        self.ends.clear();
        self.raw.clear();
    }

    fn of(&self, row: usize) -> (u64, Option<&[u8]>) {
        let begin = row.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        (self.numbers[row], self.ends.get(row).map(|end| &self.raw[begin..*end]))
    }
}

/// Whether a header has come; it has the names of the columns.
fn has_header(
    parser: &mut RowParser,
    table: &HotTable,
    targets: &[Target],
    null: &str,
) -> std::result::Result<bool, CopyError> {
    let Some(row) = parser.next_row()? else { return Ok(false) };
    if row.width() != targets.len() {
        return Err(CopyError::HeaderWidth { found: row.width(), expected: targets.len() });
    }
    for (number, target) in targets.iter().enumerate() {
        let expected = &table.columns[target.place].name;
        let found = match row.field(number) {
            Some(name) if name == expected => continue,
            Some(name) => format!("\"{name}\""),
            None => format!("null value (\"{null}\")"),
        };
        return Err(CopyError::HeaderName { number: number + 1, found, expected: expected.clone() });
    }
    Ok(true)
}

fn convert_fields(
    row: &Row<'_>,
    table: &HotTable,
    targets: &[Target],
    null: &str,
    builders: &mut [ColumnBuilder],
) -> Result<()> {
    let wrong = |source| Error::CopyData { source, context: Some(context(table, row.line(), Some(row.raw()))) };
    // A row of no columns is an empty line, which otherwise is one empty field.
    let width = if targets.is_empty() && row.raw().is_empty() { 0 } else { row.width() };
    if width > targets.len() {
        return Err(wrong(CopyError::ExtraData));
    }
    for (number, (builder, target)) in builders.iter_mut().zip(targets).enumerate() {
        let column = &table.columns[target.place];
        if number >= width {
            return Err(wrong(CopyError::MissingData { column: column.name.clone() }));
        }
        let text = match row.field(number) {
            None if target.force_not_null => null,
            Some(text) if !(target.force_null && text == null) => text,
            _ => {
                builder.push_null();
                continue;
            }
        };
        builder.push_text(text).map_err(|error| {
            let shown = shortened(text.as_bytes());
            let context = format!("COPY {}, line {}, column {}: \"{shown}\"", table.name.name, row.line(), column.name);
            Error::InContext { source: Box::new(error.into()), context }
        })?;
    }
    Ok(())
}

/// The error of a line that is no text in its encoding, when those before it have been read; behind the end of the data there
/// is none.
fn not_converted(table: &HotTable, parser: &RowParser, converter: &mut Option<LineConverter>) -> Option<Error> {
    let (line, error) = converter.as_mut()?.failed.take().filter(|_| !parser.has_read_marker())?;
    Some(Error::InContext { source: Box::new(error.into()), context: context(table, line, None) })
}

/// An error of the parser of lines.
fn line_error(table: &HotTable, parser: &RowParser, source: CopyError) -> Error {
    let raw = source.shows_line().then(|| parser.raw_line());
    let context = Some(context(table, parser.line(), raw));
    Error::CopyData { source, context }
}

/// An error of the parser of binary rows; there is nothing to say where it is before the first one.
fn binary_error(table: &HotTable, targets: &[Target], row: u64, source: CopyError) -> Error {
    let column = match source {
        CopyError::UnexpectedEnd { column } | CopyError::FieldSize { column } => Some(column),
        _ => None,
    };
    let context = (row > 0).then(|| binary_context(table, targets, row, column));
    Error::CopyData { source, context }
}

fn binary_context(table: &HotTable, targets: &[Target], row: u64, column: Option<usize>) -> String {
    let column = column.map(|number| format!(", column {}", table.columns[targets[number].place].name));
    format!("COPY {}, line {row}{}", table.name.name, column.unwrap_or_default())
}

/// `COPY t, line 3: "1,x"`; without the line where there is none.
fn context(table: &HotTable, line: u64, raw: Option<&[u8]>) -> String {
    let shown = raw.map(|raw| format!(": \"{}\"", shortened(raw)));
    format!("COPY {}, line {line}{}", table.name.name, shown.unwrap_or_default())
}

/// The beginning of a line or value.
fn shortened(text: &[u8]) -> String {
    if text.len() <= SHOWN_BYTES_MAX {
        return String::from_utf8_lossy(text).into_owned();
    }
    // A byte that goes on with a character is none to cut before.
    let end = (0..=SHOWN_BYTES_MAX).rev().find(|end| text[*end] & 0xc0 != 0x80).unwrap_or(0);
    format!("{}...", String::from_utf8_lossy(&text[..end]))
}
