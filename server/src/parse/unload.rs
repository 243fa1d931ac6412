//! `UNLOAD ('query') TO 's3://…'`: Redshift's options, in any order.

use std::sync::Arc;

use catalog::{Compression, Delimited, WidthRule};
use pg::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast::{Ident, Query};
use sqlparser::tokenizer::Token;

use crate::error::{Error, Result};
use crate::parse::secrets::AccessKeys;
use crate::parse::statement::Statement;
use crate::parse::{StatementReader, parse};

/// Megabytes that a file may have, as in Redshift; fewer are of use to tests only.
const FILE_MEGABYTES_MAX: f64 = 6_200.0;

/// `UNLOAD`
#[derive(Debug, Clone)]
pub struct Unload {
    /// The query.
    pub query: Box<Query>,
    /// Its text, to which positions of errors refer.
    pub text: Arc<str>,
    /// What the URLs of the files begin with.
    pub location: String,
    /// How they are written.
    pub format: UnloadFormat,
    /// What they are packed with.
    pub compression: Compression,
    /// The columns by whose values files are put into folders.
    pub partition_by: Vec<Ident>,
    /// Whether these columns are in the files, too.
    pub includes_partition_columns: bool,
    /// The file that lists the files.
    pub manifest: UnloadManifest,
    /// What becomes of files that are there.
    pub existing: ExistingFiles,
    /// Whether files are called as those of one slice are (`PARALLEL OFF`).
    pub is_serial: bool,
    /// Bytes of a file after which another is begun.
    pub file_bytes_max: Option<u64>,
    /// What the files' names end with, when that was said.
    pub extension: Option<String>,
    /// What the files are written with.
    pub keys: AccessKeys,
}

/// How files are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnloadFormat {
    /// Parquet
    Parquet,
    /// An object a line
    Json,
    /// Fields with a delimiter between them
    Delimited {
        /// How they are written.
        format: Delimited,
        /// Whether the first line has the names of the columns.
        has_header: bool,
        /// Whether every field stands in quotes.
        quotes_all: bool,
    },
}

/// The file that lists the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnloadManifest {
    /// None
    #[default]
    None,
    /// With their URLs
    Plain,
    /// With columns and counts, too
    Verbose,
}

/// What becomes of files that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExistingFiles {
    /// There must be none.
    #[default]
    Refused,
    /// Those with the names of new ones are overwritten.
    Overwritten,
    /// They are removed.
    Removed,
}

/// What the options say.
#[derive(Debug, Default)]
struct Given {
    kind: Option<Kind>,
    compression: Option<Compression>,
    delimiter: Option<u8>,
    null: Option<String>,
    has_header: bool,
    adds_quotes: bool,
    escapes: bool,
    partition_by: Vec<Ident>,
    includes: bool,
    manifest: UnloadManifest,
    existing: ExistingFiles,
    is_serial: bool,
    file_bytes_max: Option<u64>,
    extension: Option<String>,
    keys: AccessKeys,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Csv,
    Json,
    Parquet,
}

impl StatementReader<'_> {
    /// Behind `UNLOAD`.
    pub(super) fn unload(&mut self) -> Result<Statement> {
        self.expect(&Token::LParen)?;
        let text: Arc<str> = self.string()?.into();
        self.expect(&Token::RParen)?;
        let query = unloaded_query(&text)?;
        self.expect_word("TO")?;
        let location = self.string()?;
        let mut given = Given::default();
        while self.unload_option(&mut given)? {}
        let (format, compression) = given.format()?;
        if !given.partition_by.is_empty() && given.is_serial {
            return Err(invalid("PARALLEL OFF cannot be used with PARTITION BY"));
        }
        Ok(Statement::Unload(Unload {
            query,
            text,
            location,
            format,
            compression,
            partition_by: given.partition_by,
            includes_partition_columns: given.includes,
            manifest: given.manifest,
            existing: given.existing,
            is_serial: given.is_serial,
            file_bytes_max: given.file_bytes_max,
            extension: given.extension,
            keys: given.keys,
        }))
    }

    /// Reads an option, if there is one.
    fn unload_option(&mut self, given: &mut Given) -> Result<bool> {
        if self.access_option(&mut given.keys)? {
        } else if self.words(&["FORMAT"]) {
            self.words(&["AS"]);
            let kind = self.unload_kind();
            let kind = kind.ok_or_else(|| self.unexpected(self.parser.peek_token_ref()))?;
            given.set_kind(kind)?;
        } else if let Some(kind) = self.unload_kind() {
            given.set_kind(kind)?;
        } else if self.words(&["PARTITION", "BY"]) {
            given.partition_by = self.parenthesised(Self::identifier)?;
            given.includes = self.words(&["INCLUDE"]);
        } else if self.words(&["MANIFEST"]) {
            let is_verbose = self.words(&["VERBOSE"]);
            given.manifest = if is_verbose { UnloadManifest::Verbose } else { UnloadManifest::Plain };
        } else if self.words(&["DELIMITER"]) {
            given.delimiter = Some(self.load_byte("DELIMITER")?);
        } else if self.words(&["NULL"]) {
            self.words(&["AS"]);
            given.null = Some(self.string()?);
        } else if self.words(&["PARALLEL"]) {
            given.is_serial = self.words(&["OFF"]) || self.words(&["FALSE"]);
            let _ = !given.is_serial && (self.words(&["ON"]) || self.words(&["TRUE"]));
        } else if self.words(&["MAXFILESIZE"]) {
            given.file_bytes_max = Some(self.unload_size("MAXFILESIZE")?);
        } else if self.words(&["ROWGROUPSIZE"]) {
            // Row groups have the size that reads best; any says the same.
            self.unload_size("ROWGROUPSIZE")?;
        } else if self.words(&["EXTENSION"]) {
            let extension = self.string()?;
            if extension.contains('/') {
                return Err(invalid("EXTENSION must not have a slash in it"));
            }
            given.extension = Some(extension);
        } else if let Some(compression) = self.compression() {
            given.compression = Some(compression);
        } else {
            return self.unload_flag(given);
        }
        Ok(true)
    }

    /// An option that is a word.
    fn unload_flag(&mut self, given: &mut Given) -> Result<bool> {
        if self.words(&["HEADER"]) {
            given.has_header = true;
        } else if self.words(&["ADDQUOTES"]) {
            given.adds_quotes = true;
        } else if self.words(&["ESCAPE"]) {
            given.escapes = true;
        } else if self.words(&["ALLOWOVERWRITE"]) {
            given.set_existing(ExistingFiles::Overwritten)?;
        } else if self.words(&["CLEANPATH"]) {
            given.set_existing(ExistingFiles::Removed)?;
        } else {
            let token = self.parser.peek_token();
            return match &token.token {
                Token::EOF | Token::SemiColon => Ok(false),
                Token::Word(word) if is_unsupported(&word.value) => {
                    Err(Error::not_supported(format!("UNLOAD with {}", word.value.to_ascii_uppercase())))
                }
                _ => Err(self.unexpected(&token)),
            };
        }
        Ok(true)
    }

    fn unload_kind(&mut self) -> Option<Kind> {
        let words = [("CSV", Kind::Csv), ("PARQUET", Kind::Parquet), ("JSON", Kind::Json), ("TEXT", Kind::Text)];
        words.into_iter().find(|(word, _)| self.words(&[word])).map(|(_, kind)| kind)
    }

    /// `[AS] 5 [MB | GB]`, in bytes.
    fn unload_size(&mut self, option: &'static str) -> Result<u64> {
        self.words(&["AS"]);
        let token = self.parser.next_token();
        let number = match &token.token {
            Token::Number(digits, _) => digits.parse::<f64>().ok(),
            _ => None,
        };
        let number = number.ok_or_else(|| self.unexpected(&token))?;
        let megabytes = if self.words(&["GB"]) { number * 1024.0 } else { number };
        self.words(&["MB"]);
        if !(megabytes > 0.0 && megabytes <= FILE_MEGABYTES_MAX) {
            return Err(invalid(&format!("{option} is at most 6.2 GB")));
        }
        Ok(((megabytes * f64::from(1 << 20)) as u64).max(1))
    }
}

/// The query that a string holds.
fn unloaded_query(text: &str) -> Result<Box<Query>> {
    let mut statements = parse(text).map_err(Error::without_position)?.into_iter().map(|parsed| parsed.statement);
    match (statements.next(), statements.next()) {
        (Some(Statement::Query(query)), None) => Ok(query),
        _ => Err(invalid("UNLOAD takes one query")),
    }
}

fn is_unsupported(word: &str) -> bool {
    let words = ["FIXEDWIDTH", "ENCRYPTED", "KMS_KEY_ID", "MASTER_SYMMETRIC_KEY"];
    words.iter().any(|known| word.eq_ignore_ascii_case(known))
}

impl Given {
    fn set_kind(&mut self, kind: Kind) -> Result<()> {
        match self.kind.replace(kind) {
            Some(_) => Err(invalid("UNLOAD takes one format")),
            None => Ok(()),
        }
    }

    fn set_existing(&mut self, existing: ExistingFiles) -> Result<()> {
        match std::mem::replace(&mut self.existing, existing) {
            ExistingFiles::Refused => Ok(()),
            _ => Err(invalid("ALLOWOVERWRITE and CLEANPATH exclude each other")),
        }
    }

    /// The format, and what the files are packed with.
    fn format(&self) -> Result<(UnloadFormat, Compression)> {
        let kind = self.kind.unwrap_or(Kind::Text);
        let is_text = matches!(kind, Kind::Text | Kind::Csv);
        let says_fields = self.delimiter.is_some() || self.null.is_some() || self.adds_quotes || self.escapes;
        if !is_text && (says_fields || self.has_header) {
            return Err(invalid("DELIMITER, NULL, HEADER, ADDQUOTES and ESCAPE are about CSV and text"));
        }
        if kind == Kind::Csv && (self.adds_quotes || self.escapes) {
            return Err(invalid("ADDQUOTES and ESCAPE cannot be used with CSV"));
        }
        let format = match kind {
            Kind::Parquet if self.compression.is_some() => {
                return Err(invalid("Parquet is packed with Snappy, GZIP, BZIP2 and ZSTD are for text"));
            }
            Kind::Parquet => return Ok((UnloadFormat::Parquet, Compression::Snappy)),
            Kind::Json => UnloadFormat::Json,
            Kind::Csv | Kind::Text => UnloadFormat::Delimited {
                format: Delimited {
                    delimiter: self.delimiter.unwrap_or(if kind == Kind::Csv { b',' } else { b'|' }),
                    quote: (kind == Kind::Csv || self.adds_quotes).then_some(b'"'),
                    escape: self.escapes.then_some(b'\\'),
                    null: self.null.clone().unwrap_or_default(),
                    empty_is_null: false,
                    header_lines: 0,
                    skips_blank_lines: false,
                    named_by_header: false,
                    width: WidthRule::Fail,
                },
                has_header: self.has_header,
                quotes_all: self.adds_quotes,
            },
        };
        Ok((format, self.compression.unwrap_or(Compression::None)))
    }
}

fn invalid(message: &str) -> Error {
    PgError::new(SqlState::INVALID_PARAMETER_VALUE, message).into()
}
