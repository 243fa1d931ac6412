//! COPY's formats: text and CSV as PostgreSQL reads and writes them, and its binary one.

mod binary;
mod field_writer;
mod row_parser;

pub use binary::{BINARY_HEADER, BINARY_TRAILER, BinaryParser, BinaryRow};
pub use field_writer::FieldWriter;
pub use row_parser::{Row, RowParser};

use crate::PgError;
use crate::encoding::Encoding;
use crate::sqlstate::SqlState;

/// Consumed bytes that may stand before the unread ones until these are moved to the front.
const CONSUMED_BYTES_MAX: usize = 64 * 1024;
/// Longest row, as in PostgreSQL (`MaxAllocSize`).
const ROW_BYTES_MAX: usize = 0x3fff_ffff;
/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyFormat {
    /// Backslash escapes, tabs between fields.
    Text,
    /// Quotes, commas between fields.
    Csv,
    /// Each value after its length.
    Binary,
}

/// Whether the first line names the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// It is data.
    No,
    /// It is skipped, or written.
    Yes,
    /// It must have the names of the columns.
    Match,
}

/// How the data is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyOptions {
    /// The format.
    pub format: CopyFormat,
    /// Between fields.
    pub delimiter: u8,
    /// What stands for NULL.
    pub null: String,
    /// The first line.
    pub header: Header,
    /// Around a CSV field.
    pub quote: u8,
    /// Before a quote inside a CSV field.
    pub escape: u8,
    /// What the text is in; as the client's strings when it was not said.
    pub encoding: Option<Encoding>,
}

/// That a delimiter does not stand for the end of a line.
///
/// # Errors
/// 22023: it does.
pub fn check_delimiter(delimiter: u8) -> Result<(), PgError> {
    match delimiter {
        b'\n' | b'\r' => Err(PgError::invalid_parameter("COPY delimiter cannot be newline or carriage return")),
        _ => Ok(()),
    }
}

/// That a delimiter is another character than the one that is the `quote`, or the `escape`.
///
/// # Errors
/// 22023: it is not.
pub fn check_different(delimiter: u8, other: Option<u8>, what: &str) -> Result<(), PgError> {
    match other {
        Some(other) if other == delimiter => {
            Err(PgError::invalid_parameter(format!("COPY delimiter and {what} must be different")))
        }
        _ => Ok(()),
    }
}

impl CopyOptions {
    /// A format with its defaults.
    pub fn new(format: CopyFormat) -> Self {
        let (delimiter, null) = match format {
            CopyFormat::Text | CopyFormat::Binary => (b'\t', "\\N"),
            CopyFormat::Csv => (b',', ""),
        };
        CopyOptions {
            format,
            delimiter,
            null: null.to_owned(),
            header: Header::No,
            quote: b'"',
            escape: b'"',
            encoding: None,
        }
    }
}

/// What is wrong with the data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CopyError {
    /// A row has too few fields.
    #[error("missing data for column \"{column}\"")]
    MissingData {
        /// The first column without one.
        column: String,
    },
    /// A row has too many fields.
    #[error("extra data after last expected column")]
    ExtraData,
    /// The data ends inside quotes.
    #[error("unterminated CSV quoted field")]
    UnterminatedQuote,
    /// A line ends otherwise than the first one.
    #[error("{} {character} found in data", bare(*.format))]
    MixedLineEnds {
        /// The format of the data.
        format: CopyFormat,
        /// `newline` or `carriage return`
        character: &'static str,
    },
    /// The end marker is followed by something else than a line end.
    #[error("end-of-copy marker corrupt")]
    MarkerCorrupt,
    /// The line of the end marker ends otherwise than the lines before.
    #[error("end-of-copy marker does not match previous newline style")]
    MarkerLineEnd,
    /// A row is not UTF-8, or has the character that strings cannot have.
    #[error("invalid byte sequence for encoding \"UTF8\": {bytes}")]
    InvalidEncoding {
        /// The bytes that cannot be read: `0xc3 0x0a`.
        bytes: String,
    },
    /// The header has more or fewer names than there are columns.
    #[error("wrong number of fields in header line: got {found}, expected {expected}")]
    HeaderWidth {
        /// How many it has.
        found: usize,
        /// How many there are.
        expected: usize,
    },
    /// The header has another name than the column.
    #[error("column name mismatch in header line field {number}: got {found}, expected \"{expected}\"")]
    HeaderName {
        /// Which, from 1.
        number: usize,
        /// What it has, as the message shows it.
        found: String,
        /// The name of the column.
        expected: String,
    },
    /// Binary data does not begin as it should.
    #[error("COPY file signature not recognized")]
    Signature,
    /// Its header is cut off, or has what nobody knows.
    #[error("{problem}")]
    BinaryHeader {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// There is something behind its end.
    #[error("received copy data after EOF marker")]
    AfterMarker,
    /// A row has more or fewer values than there are columns.
    #[error("row field count is {found}, expected {expected}")]
    FieldCount {
        /// How many it has.
        found: i16,
        /// How many there are.
        expected: usize,
    },
    /// A row is cut off.
    #[error("unexpected EOF in COPY data")]
    UnexpectedEnd {
        /// The column at which it is.
        column: usize,
    },
    /// A value has a length that none can have.
    #[error("invalid field size")]
    FieldSize {
        /// Its column.
        column: usize,
    },
    /// A row is too long.
    #[error("a row is longer than {ROW_BYTES_MAX} bytes")]
    RowTooLong,
}

impl CopyError {
    /// Its code.
    pub fn sqlstate(&self) -> SqlState {
        match self {
            CopyError::MissingData { .. }
            | CopyError::ExtraData
            | CopyError::UnterminatedQuote
            | CopyError::MixedLineEnds { .. }
            | CopyError::MarkerCorrupt
            | CopyError::MarkerLineEnd
            | CopyError::HeaderWidth { .. }
            | CopyError::HeaderName { .. }
            | CopyError::Signature
            | CopyError::BinaryHeader { .. }
            | CopyError::AfterMarker
            | CopyError::FieldCount { .. }
            | CopyError::UnexpectedEnd { .. }
            | CopyError::FieldSize { .. } => SqlState::BAD_COPY_FILE_FORMAT,
            CopyError::InvalidEncoding { .. } => SqlState::CHARACTER_NOT_IN_REPERTOIRE,
            CopyError::RowTooLong => SqlState::PROGRAM_LIMIT_EXCEEDED,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            CopyError::MixedLineEnds { format: CopyFormat::Csv, character } => {
                Some(format!("Use quoted CSV field to represent {character}."))
            }
            CopyError::MixedLineEnds { character, .. } => {
                let escape = if *character == "newline" { "\\n" } else { "\\r" };
                Some(format!("Use \"{escape}\" to represent {character}."))
            }
            _ => None,
        }
    }

    /// Whether PostgreSQL shows the line that the error is in: it had been read whole.
    pub fn shows_line(&self) -> bool {
        matches!(
            self,
            CopyError::MissingData { .. }
                | CopyError::ExtraData
                | CopyError::UnterminatedQuote
                | CopyError::HeaderWidth { .. }
                | CopyError::HeaderName { .. }
        )
    }
}

/// A character that the format has another way to write.
fn bare(format: CopyFormat) -> &'static str {
    match format {
        CopyFormat::Csv => "unquoted",
        _ => "literal",
    }
}
