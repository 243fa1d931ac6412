//! The options of functions that read files: `read_csv('s3://bucket/*.csv', delim => ';', header => true)`.
//!
//! They are called as in DuckDB, where they mean the same. What is not said is found out.

use catalog::Compression;
use datafusion::common::ScalarValue;
use pg::Type;
use pg::copy_format::check_different;
use pg::error::PgError;
use pg::function::CastContext;
use pg::sqlstate::SqlState;
use pg::types::{BOOL, TEXT};
use storage::external::{DelimitedRequest, FilesRequestFormat, JsonRequest};

use super::files::{FilesCall, FilesFunction};
use crate::analyze::Analyzer;
use crate::error::Result;
use crate::parse::external_format::{byte_of, compression_named};

impl FilesFunction {
    /// The options that the function has.
    pub(super) fn options(self) -> &'static [&'static str] {
        match self {
            FilesFunction::Parquet | FilesFunction::Avro | FilesFunction::Arrow => {
                &["hive_partitioning", "union_by_name"]
            }
            FilesFunction::Csv => &[
                "all_varchar",
                "compression",
                "delim",
                "escape",
                "header",
                "hive_partitioning",
                "nullstr",
                "quote",
                "sep",
            ],
            FilesFunction::Json => &["compression", "hive_partitioning"],
        }
    }
}

impl Analyzer<'_> {
    /// The format of the files; of delimited text, when the query defines the columns, only the form is looked for.
    pub(super) fn files_format(
        &mut self,
        function: FilesFunction,
        call: &FilesCall<'_>,
        has_columns: bool,
    ) -> Result<FilesRequestFormat> {
        Ok(match function {
            FilesFunction::Parquet => FilesRequestFormat::Parquet { union_by_name: self.union_by_name(call)? },
            FilesFunction::Avro => FilesRequestFormat::Avro { union_by_name: self.union_by_name(call)? },
            FilesFunction::Arrow => FilesRequestFormat::Arrow { union_by_name: self.union_by_name(call)? },
            FilesFunction::Json => FilesRequestFormat::Json(JsonRequest { compression: self.compression(call)? }),
            FilesFunction::Csv => {
                let (delimiter, separator) = (self.character(call, "delim")?, self.character(call, "sep")?);
                if delimiter.is_some() && separator.is_some() {
                    return Err(PgError::new(SqlState::SYNTAX_ERROR, "conflicting or redundant options").into());
                }
                let delimiter = delimiter.or(separator).flatten();
                let quote = self.character(call, "quote")?.unwrap_or(Some(b'"'));
                // Two quotes are one in any case.
                let escape = self.character(call, "escape")?.flatten().filter(|escape| Some(*escape) != quote);
                if let Some(delimiter) = delimiter {
                    check_different(delimiter, quote, "quote")?;
                    check_different(delimiter, escape, "escape")?;
                }
                FilesRequestFormat::Delimited(DelimitedRequest {
                    delimiter,
                    quote,
                    escape,
                    null: self.text_option(call, "nullstr")?.unwrap_or_default(),
                    header: self.switch(call, "header")?,
                    all_text: self.switch(call, "all_varchar")?.unwrap_or(false),
                    compression: self.compression(call)?,
                    has_columns,
                })
            }
        })
    }

    fn union_by_name(&mut self, call: &FilesCall<'_>) -> Result<bool> {
        Ok(self.switch(call, "union_by_name")?.unwrap_or(true))
    }

    /// An option that is on or off.
    pub(super) fn switch(&mut self, call: &FilesCall<'_>, option: &str) -> Result<Option<bool>> {
        match self.option(call, option, BOOL)? {
            Some(ScalarValue::Boolean(value)) => Ok(value),
            _ => Ok(None),
        }
    }

    /// An option that is one character of ASCII, or none when it is empty.
    fn character(&mut self, call: &FilesCall<'_>, option: &str) -> Result<Option<Option<u8>>> {
        let Some(text) = self.text_option(call, option)? else { return Ok(None) };
        match byte_of(&text) {
            _ if text.is_empty() => Ok(Some(None)),
            Some(byte) if !matches!(byte, b'\n' | b'\r') => Ok(Some(Some(byte))),
            _ => {
                let message = format!("option \"{option}\" must be one character of ASCII, not \"{text}\"");
                Err(PgError::new(SqlState::INVALID_PARAMETER_VALUE, message).into())
            }
        }
    }

    /// What the files are packed with; none when their names tell.
    fn compression(&mut self, call: &FilesCall<'_>) -> Result<Option<Compression>> {
        match self.text_option(call, "compression")?.as_deref() {
            None | Some("auto") => Ok(None),
            Some(name) => match compression_named(name) {
                Some(compression) => Ok(Some(compression)),
                None => {
                    Err(PgError::invalid_parameter(format!("invalid value '{name}' for option \"compression\"")).into())
                }
            },
        }
    }

    fn text_option(&mut self, call: &FilesCall<'_>, option: &str) -> Result<Option<String>> {
        Ok(match self.option(call, option, TEXT)? {
            Some(ScalarValue::Utf8View(text) | ScalarValue::Utf8(text)) => text,
            _ => None,
        })
    }

    /// The constant that an option is given; none for NULL.
    fn option(&mut self, call: &FilesCall<'_>, option: &str, oid: u32) -> Result<Option<ScalarValue>> {
        let Some((_, written)) = call.options.iter().find(|(known, _)| known == option) else { return Ok(None) };
        let value = self.expression(written)?;
        let value = self.coerce(value, &Type::of(oid), CastContext::Implicit);
        let value = value.map_err(|error| self.at(error, *written))?;
        match value.value() {
            Some(value) => Ok(Some(value.clone()).filter(|value| !value.is_null())),
            None => {
                Err(self.at(PgError::not_supported(format!("option \"{option}\" that is not a constant")), *written))
            }
        }
    }
}
