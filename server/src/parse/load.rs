//! `COPY table FROM 's3://…'`: Redshift's options for files in object storage, in any order, and PostgreSQL's in parentheses.

use catalog::{BadDataRules, Compression, Delimited, FileFormat, TextEncoding, ValueRule, WidthRule};
use sqlparser::ast;
use sqlparser::tokenizer::Token;

use super::external_format::{FilesFormat, byte_of};
use super::secrets::AccessKeys;
use crate::error::{Error, Result};
use crate::parse::StatementReader;
use crate::parse::statement::Statement;
use crate::plan::file_values::Conversions;
use pg::PgError;
use pg::copy_format::{CopyFormat, CopyOptions, Header, check_delimiter, check_different};
use pg::datetime::date_format::DateFormat;
use pg::sqlstate::SqlState;

/// Rows that a load may leave out, as many as in Redshift.
const ERRORS_MAX: u32 = 100_000;

/// `COPY … FROM` a location.
#[derive(Debug, Clone)]
pub struct Load {
    /// The table.
    pub table: ast::ObjectName,
    /// The columns that the files have; empty for all.
    pub columns: Vec<ast::Ident>,
    /// Where they are.
    pub location: String,
    /// The file with the paths to values in JSON: `JSON 's3://…'`.
    pub json_paths: Option<String>,
    /// Whether that names a list of them: `MANIFEST`.
    pub is_manifest: bool,
    /// How they are written.
    pub format: FilesFormat,
    /// What becomes of values that do not fit.
    pub bad_data: BadDataRules,
    /// What is made of texts before they are read.
    pub conversions: Conversions,
    /// Rows that may be left out because they cannot be loaded: `MAXERROR`.
    pub errors_max: u32,
    /// Whether files are loaded that have been loaded before: `FORCE`.
    pub is_forced: bool,
    /// Whether the rows are only looked at: `NOLOAD`.
    pub is_trial: bool,
    /// What the files are read with.
    pub keys: AccessKeys,
}

/// What the options say together.
#[derive(Debug, Default)]
struct Given {
    /// Those that have been read, by their names; several names of one thing are one.
    said: Vec<&'static str>,
    kind: Option<Kind>,
    compression: Option<Compression>,
    delimiter: Option<u8>,
    quote: Option<u8>,
    null: Option<String>,
    header_lines: u32,
    has_escape: bool,
    fills_records: bool,
    empty_is_null: bool,
    skips_blank_lines: bool,
    json_paths: Option<String>,
    is_manifest: bool,
    bad_data: BadDataRules,
    conversions: Conversions,
    errors_max: u32,
    encoding: TextEncoding,
    is_forced: bool,
    is_trial: bool,
    keys: AccessKeys,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Csv,
    Json,
    Parquet,
}

/// Whether what stands behind `FROM` is a location, not a file of the server.
pub(super) fn is_location(text: &str) -> bool {
    text.contains("://")
}

impl StatementReader<'_> {
    /// Behind the location.
    pub(super) fn load(
        &mut self,
        table: ast::ObjectName,
        columns: Vec<ast::Ident>,
        location: String,
    ) -> Result<Statement> {
        let mut given = Given::default();
        while self.load_option(&mut given)? {}
        let (bad_data, mut conversions) = (given.bad_data.clone(), given.conversions.clone());
        // Lines of fields tell an empty field from an empty string in quotes, JSON has strings only.
        conversions.empty_is_null = given.empty_is_null && given.kind == Some(Kind::Json);
        let (json_paths, keys) = (given.json_paths.clone(), given.keys.clone());
        let Given { is_manifest, is_forced, is_trial, errors_max, .. } = given;
        let format = given.complete()?;
        Ok(Statement::Load(Load {
            table,
            columns,
            location,
            json_paths,
            is_manifest,
            format,
            bad_data,
            conversions,
            errors_max,
            is_forced,
            is_trial,
            keys,
        }))
    }

    /// Reads an option, if there is one.
    fn load_option(&mut self, given: &mut Given) -> Result<bool> {
        if self.access_option(&mut given.keys)?
            || self.words(&["COMPUPDATE"]) && self.switch()
            || self.words(&["STATUPDATE"]) && self.switch()
        {
            // Columns are encoded and counted in any case.
        } else if self.words(&["COMPROWS"]) {
            self.count()?;
        } else if self.words(&["FORMAT"]) {
            self.words(&["AS"]);
            let kind = self.load_format(given)?;
            given.set_kind(kind)?;
        } else if self.words(&["CSV"]) {
            given.set_kind(Kind::Csv)?;
        } else if self.words(&["JSON"]) {
            let kind = self.json_format(given)?;
            given.set_kind(kind)?;
        } else if self.words(&["PARQUET"]) {
            given.set_kind(Kind::Parquet)?;
        } else if self.said(given, "DELIMITER")? {
            given.delimiter = Some(self.load_byte("DELIMITER")?);
        } else if self.said(given, "QUOTE")? {
            given.quote = Some(self.load_byte("QUOTE")?);
        } else if self.said(given, "NULL")? {
            self.words(&["AS"]);
            given.null = Some(self.string()?);
        } else if self.said(given, "IGNOREHEADER")? {
            self.words(&["AS"]);
            given.header_lines = self.count()?;
        } else if self.said(given, "MAXERROR")? {
            self.words(&["AS"]);
            given.errors_max = self.errors_max()?;
        } else if let Some(compression) = self.compression() {
            given.once("GZIP")?;
            given.compression = Some(compression);
        } else {
            return self.load_flag(given);
        }
        Ok(true)
    }

    /// Reads the word of an option that may be said once, if it is there.
    fn said(&mut self, given: &mut Given, word: &'static str) -> Result<bool> {
        if self.words(&[word]) { given.once(word).map(|()| true) } else { Ok(false) }
    }

    /// An option that is a word.
    fn load_flag(&mut self, given: &mut Given) -> Result<bool> {
        if self.said(given, "ESCAPE")? {
            given.has_escape = true;
        } else if self.said(given, "FILLRECORD")? {
            given.fills_records = true;
        } else if self.said(given, "EMPTYASNULL")? {
            given.empty_is_null = true;
        } else if self.said(given, "NOLOAD")? {
            given.is_trial = true;
        } else if self.words(&["HEADER"]) {
            given.once("IGNOREHEADER")?;
            given.header_lines = 1;
        } else if self.said(given, "MANIFEST")? {
            given.is_manifest = true;
        } else if self.said(given, "FORCE")? {
            given.is_forced = true;
        } else if self.said(given, "IGNOREBLANKLINES")? {
            given.skips_blank_lines = true;
        } else if self.words(&["ROUNDEC"]) {
            // Numbers are rounded in any case, as PostgreSQL does.
        } else if self.said(given, "ENCODING")? {
            self.words(&["AS"]);
            given.encoding = self.text_encoding()?;
        } else if self.load_conversion(given)? {
        } else {
            let token = self.parser.peek_token();
            return match &token.token {
                Token::EOF | Token::SemiColon => Ok(false),
                Token::LParen => self.load_options_in_parentheses(given).map(|()| true),
                Token::Word(word) if word.value.eq_ignore_ascii_case("WITH") => self.said(given, "WITH"),
                Token::Word(word) if is_unsupported(&word.value) => {
                    Err(Error::not_supported(format!("COPY with {}", word.value.to_ascii_uppercase())))
                }
                _ => Err(self.unexpected(&token)),
            };
        }
        Ok(true)
    }

    /// An option that says what becomes of values.
    fn load_conversion(&mut self, given: &mut Given) -> Result<bool> {
        if self.said(given, "TRIMBLANKS")? {
            given.conversions.trims_blanks = true;
        } else if self.said(given, "BLANKSASNULL")? {
            given.conversions.blank_is_null = true;
        } else if self.said(given, "ACCEPTANYDATE")? {
            given.conversions.accepts_any_date = true;
        } else if self.said(given, "TRUNCATECOLUMNS")? {
            given.bad_data.surplus_char = ValueRule::Truncate;
        } else if self.said(given, "ACCEPTINVCHARS")? {
            let is_given =
                self.words(&["AS"]) || matches!(self.parser.peek_token().token, Token::SingleQuotedString(_));
            let character = if is_given { self.load_byte("ACCEPTINVCHARS")? } else { b'?' };
            given.bad_data.invalid_char = ValueRule::ReplaceBytes(char::from(character));
        } else if self.said(given, "DATEFORMAT")? {
            self.words(&["AS"]);
            given.conversions.date_format = DateFormat::named(&self.string()?, false)?;
        } else if self.said(given, "TIMEFORMAT")? {
            self.words(&["AS"]);
            given.conversions.time_format = DateFormat::named(&self.string()?, true)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn errors_max(&mut self) -> Result<u32> {
        let errors_max = self.count()?;
        if errors_max <= ERRORS_MAX {
            return Ok(errors_max);
        }
        let message = format!("MAXERROR must be between 0 and {ERRORS_MAX}");
        Err(PgError::new(SqlState::INVALID_PARAMETER_VALUE, message).into())
    }

    fn text_encoding(&mut self) -> Result<TextEncoding> {
        let name = match self.parser.peek_token().token {
            Token::Word(_) => self.identifier()?.value,
            _ => self.string()?,
        };
        match name.to_ascii_lowercase().as_str() {
            "utf8" | "utf-8" => Ok(TextEncoding::Utf8),
            "utf16" => Ok(TextEncoding::Utf16),
            "utf16le" => Ok(TextEncoding::Utf16Le),
            "utf16be" => Ok(TextEncoding::Utf16Be),
            "iso88591" => Ok(TextEncoding::Latin1),
            _ => Err(Error::not_supported(format!("COPY with ENCODING {name}"))),
        }
    }

    /// PostgreSQL's options.
    fn load_options_in_parentheses(&mut self, given: &mut Given) -> Result<()> {
        let options = self.copy_from_options()?;
        let CopyOptions { format: CopyFormat::Csv, delimiter, null, header, quote, escape, encoding } = options else {
            return Err(Error::not_supported("COPY of files in another of PostgreSQL's formats than CSV"));
        };
        if escape != quote || header == Header::Match || encoding.is_some() {
            return Err(Error::not_supported("COPY of files with ESCAPE, HEADER MATCH or ENCODING"));
        }
        given.set_kind(Kind::Csv)?;
        for option in ["DELIMITER", "QUOTE", "NULL"] {
            given.once(option)?;
        }
        if header == Header::Yes {
            given.once("IGNOREHEADER")?;
            given.header_lines = 1;
        }
        given.delimiter = Some(delimiter);
        given.quote = Some(quote);
        given.null = Some(null);
        Ok(())
    }

    /// Behind what can be on or off; nothing is on.
    fn switch(&mut self) -> bool {
        for word in ["ON", "OFF", "TRUE", "FALSE", "PRESET"] {
            if self.words(&[word]) {
                break;
            }
        }
        true
    }

    fn load_format(&mut self, given: &mut Given) -> Result<Kind> {
        if self.words(&["CSV"]) {
            Ok(Kind::Csv)
        } else if self.words(&["PARQUET"]) {
            Ok(Kind::Parquet)
        } else if self.words(&["JSON"]) {
            self.json_format(given)
        } else {
            let format = self.parser.peek_token().to_string();
            Err(Error::not_supported(format!("COPY with FORMAT {}", format.to_ascii_uppercase())))
        }
    }

    /// Behind `JSON`.
    fn json_format(&mut self, given: &mut Given) -> Result<Kind> {
        self.words(&["AS"]);
        if let Token::SingleQuotedString(paths) = self.parser.peek_token().token {
            self.string()?;
            if is_location(&paths) {
                given.json_paths = Some(paths);
            } else if !["auto", "auto ignorecase"].contains(&paths.to_ascii_lowercase().as_str()) {
                return Err(Error::not_supported(format!("COPY with JSON '{paths}'")));
            }
        }
        Ok(Kind::Json)
    }

    pub(super) fn compression(&mut self) -> Option<Compression> {
        let words = [("GZIP", Compression::Gzip), ("BZIP2", Compression::Bzip2), ("ZSTD", Compression::Zstd)];
        words.into_iter().find(|(word, _)| self.words(&[word])).map(|(_, compression)| compression)
    }

    pub(super) fn load_byte(&mut self, option: &'static str) -> Result<u8> {
        self.words(&["AS"]);
        let text = self.string()?;
        let error =
            || PgError::new(SqlState::INVALID_PARAMETER_VALUE, format!("COPY {option} must be one character of ASCII"));
        byte_of(&text).ok_or_else(|| error().into())
    }

    fn count(&mut self) -> Result<u32> {
        let token = self.parser.next_token();
        match &token.token {
            Token::Number(digits, _) => digits.parse().map_err(|_| self.unexpected(&token)),
            _ => Err(self.unexpected(&token)),
        }
    }
}

impl Given {
    /// Takes note of an option.
    fn once(&mut self, option: &'static str) -> Result<()> {
        if self.said.contains(&option) {
            return Err(redundant());
        }
        self.said.push(option);
        Ok(())
    }

    fn set_kind(&mut self, kind: Kind) -> Result<()> {
        self.kind.replace(kind).map_or(Ok(()), |_| Err(redundant()))
    }

    fn complete(self) -> Result<FilesFormat> {
        let is_csv = self.kind == Some(Kind::Csv);
        let says_fields = self.delimiter.is_some()
            || self.quote.is_some()
            || self.null.is_some()
            || self.has_escape
            || self.fills_records
            || self.skips_blank_lines
            || self.header_lines > 0;
        let says_values = self.bad_data != BadDataRules::default() || self.conversions != Conversions::default();
        if self.kind == Some(Kind::Parquet) && matches!(self.bad_data.invalid_char, ValueRule::ReplaceBytes(_)) {
            return Err(Error::not_supported("COPY of Parquet with ACCEPTINVCHARS"));
        }
        if matches!(self.kind, Some(Kind::Json | Kind::Parquet)) && says_fields
            || self.quote.is_some() && !is_csv
            || self.has_escape && is_csv
            || self.kind == Some(Kind::Parquet)
                && (self.compression.is_some()
                    || says_values
                    || self.empty_is_null
                    || self.encoding != TextEncoding::Utf8)
        {
            return Err(PgError::new(SqlState::SYNTAX_ERROR, "an option of COPY does not fit the format").into());
        }
        let (compression, encoding) = (self.compression, self.encoding);
        let format = match self.kind {
            Some(Kind::Parquet) => FileFormat::Parquet,
            Some(Kind::Json) => FileFormat::Json,
            Some(Kind::Csv) | None => FileFormat::Delimited(self.delimited(is_csv)?),
        };
        Ok(FilesFormat { format, compression, encoding })
    }

    fn delimited(self, is_csv: bool) -> Result<Delimited> {
        let delimiter = self.delimiter.unwrap_or(if is_csv { b',' } else { b'|' });
        let quote = is_csv.then(|| self.quote.unwrap_or(b'"'));
        let escape = self.has_escape.then_some(b'\\');
        check_delimiter(delimiter)?;
        check_different(delimiter, quote, "quote")?;
        check_different(delimiter, escape, "escape")?;
        Ok(Delimited {
            delimiter,
            quote,
            escape,
            null: self.null.unwrap_or_else(|| "\\N".to_owned()),
            empty_is_null: self.empty_is_null,
            skips_blank_lines: self.skips_blank_lines,
            header_lines: self.header_lines,
            named_by_header: false,
            width: if self.fills_records { WidthRule::FillMissing } else { WidthRule::Fail },
        })
    }
}

fn redundant() -> Error {
    PgError::new(SqlState::SYNTAX_ERROR, "conflicting or redundant options").into()
}

/// Options that Redshift has and we do not.
fn is_unsupported(word: &str) -> bool {
    const WORDS: [&str; 13] = [
        "AVRO",
        "ENCRYPTED",
        "EXPLICIT_IDS",
        "FIXEDWIDTH",
        "IGNOREALLERRORS",
        "JOB",
        "LZOP",
        "MASTER_SYMMETRIC_KEY",
        "ORC",
        "READRATIO",
        "REMOVEQUOTES",
        "SHAPEFILE",
        "SSH",
    ];
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}
