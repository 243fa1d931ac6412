//! What `CREATE EXTERNAL TABLE` says of its files' format, in Redshift's and Hive's words: ROW FORMAT, STORED AS and the
//! table properties that belong to them.

use catalog::{Compression, Delimited, FileFormat, PartitionLayout, TextEncoding, WidthRule};
use sqlparser::ast::Ident;
use sqlparser::tokenizer::Token;

use super::bad_data::{cleanses_data, is_about_bad_data};
use crate::error::{Error, Result};
use crate::parse::StatementReader;
use crate::plan::relations::identifier;

/// Between fields where nothing is said of it, as in Hive: Ctrl-A.
const HIVE_DELIMITER: u8 = 1;
/// What stands for NULL in Hive's text files.
const HIVE_NULL: &str = "\\N";

/// The files' format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesFormat {
    /// The format.
    pub format: FileFormat,
    /// What the files are packed with, when that was said.
    pub compression: Option<Compression>,
    /// The encoding of text in them.
    pub encoding: TextEncoding,
}

/// What ROW FORMAT says.
#[derive(Debug, Default)]
pub(super) struct RowFormat {
    serde: Option<Serde>,
    delimiter: Option<u8>,
    escape: Option<u8>,
    null: Option<String>,
    properties: Vec<(String, String)>,
}

/// The programs that read rows for Hive, by what they read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Serde {
    Delimited,
    Csv,
    Json,
    Parquet,
    Avro,
    Arrow,
}

/// What STORED AS says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StoredAs {
    Parquet,
    Text,
    Csv,
    Json,
    Avro,
    Arrow,
}

impl StoredAs {
    /// The format, if its files say which columns they have.
    pub(super) fn of_itself(self) -> Option<FileFormat> {
        match self {
            StoredAs::Parquet => Some(FileFormat::Parquet),
            StoredAs::Json => Some(FileFormat::Json),
            StoredAs::Avro => Some(FileFormat::Avro),
            StoredAs::Arrow => Some(FileFormat::Arrow),
            StoredAs::Text | StoredAs::Csv => None,
        }
    }
}

impl StatementReader<'_> {
    /// Behind `ROW FORMAT`.
    pub(super) fn row_format(&mut self) -> Result<RowFormat> {
        if self.words(&["SERDE"]) {
            return self.serde();
        }
        self.expect_word("DELIMITED")?;
        let mut format = RowFormat { serde: Some(Serde::Delimited), ..RowFormat::default() };
        loop {
            if self.words(&["FIELDS", "TERMINATED", "BY"]) {
                format.delimiter = Some(self.byte("FIELDS TERMINATED BY")?);
            } else if self.words(&["ESCAPED", "BY"]) {
                format.escape = Some(self.byte("ESCAPED BY")?);
            } else if self.words(&["LINES", "TERMINATED", "BY"]) {
                let end = self.byte("LINES TERMINATED BY")?;
                if end != b'\n' {
                    return Err(Error::not_supported("LINES TERMINATED BY another character than a newline"));
                }
            } else if self.words(&["NULL", "DEFINED", "AS"]) {
                format.null = Some(self.string()?);
            } else if self.words(&["COLLECTION"]) || self.words(&["MAP"]) {
                return Err(Error::not_supported("collections in ROW FORMAT DELIMITED"));
            } else {
                return Ok(format);
            }
        }
    }

    fn serde(&mut self) -> Result<RowFormat> {
        let name = self.string()?;
        let lower = name.to_ascii_lowercase();
        let serde = match lower.as_str() {
            _ if lower.ends_with("opencsvserde") || lower.ends_with("csvserde") => Serde::Csv,
            _ if lower.ends_with("jsonserde") => Serde::Json,
            _ if lower.ends_with("lazysimpleserde") => Serde::Delimited,
            _ if lower.ends_with("parquethiveserde") => Serde::Parquet,
            _ if lower.ends_with("avroserde") => Serde::Avro,
            _ => return Err(Error::not_supported(format!("ROW FORMAT SERDE '{name}'"))),
        };
        let properties = if self.words(&["WITH", "SERDEPROPERTIES"]) { self.properties()? } else { Vec::new() };
        Ok(RowFormat { serde: Some(serde), properties, ..RowFormat::default() })
    }

    /// Behind `STORED AS`.
    pub(super) fn stored_as(&mut self) -> Result<StoredAs> {
        if self.words(&["INPUTFORMAT"]) {
            let input = self.string()?;
            self.expect_word("OUTPUTFORMAT")?;
            self.string()?;
            return match input.to_ascii_lowercase().as_str() {
                lower if lower.ends_with("textinputformat") => Ok(StoredAs::Text),
                lower if lower.ends_with("parquetinputformat") => Ok(StoredAs::Parquet),
                lower if lower.ends_with("avrocontainerinputformat") => Ok(StoredAs::Avro),
                _ => Err(Error::not_supported(format!("STORED AS INPUTFORMAT '{input}'"))),
            };
        }
        let format = self.identifier()?;
        match format.value.to_ascii_uppercase().as_str() {
            "PARQUET" => Ok(StoredAs::Parquet),
            "TEXTFILE" => Ok(StoredAs::Text),
            "CSV" => Ok(StoredAs::Csv),
            "JSON" => Ok(StoredAs::Json),
            "AVRO" => Ok(StoredAs::Avro),
            "ARROW" => Ok(StoredAs::Arrow),
            other => Err(Error::not_supported(format!("STORED AS {other}"))),
        }
    }

    /// One byte in quotes, perhaps behind a backslash: `','`, `'\t'`, `'\001'`.
    fn byte(&mut self, clause: &'static str) -> Result<u8> {
        let text = self.string()?;
        byte_of(&text).ok_or_else(|| invalid(&format!("{clause} takes one character of ASCII, not '{text}'")))
    }

    pub(super) fn properties(&mut self) -> Result<Vec<(String, String)>> {
        self.parenthesised(|reader| {
            let key = reader.string()?;
            reader.expect(&Token::Eq)?;
            Ok((key, reader.string()?))
        })
    }
}

impl FilesFormat {
    /// What the clauses say together; of the properties those that say something of the format.
    ///
    /// # Errors
    /// They contradict each other, or a property has a value that it cannot have.
    pub(super) fn new(row: RowFormat, stored_as: StoredAs, properties: &[(String, String)]) -> Result<Self> {
        let serde = match (stored_as, row.serde) {
            (StoredAs::Parquet, None | Some(Serde::Parquet)) => Serde::Parquet,
            (StoredAs::Avro, None | Some(Serde::Avro)) => Serde::Avro,
            (StoredAs::Arrow, None) => Serde::Arrow,
            (StoredAs::Csv, None) => Serde::Csv,
            (StoredAs::Json, None) => Serde::Json,
            (StoredAs::Text, None) => Serde::Delimited,
            (StoredAs::Text, Some(serde)) if !matches!(serde, Serde::Parquet | Serde::Avro) => serde,
            (StoredAs::Csv, Some(Serde::Delimited | Serde::Csv)) => Serde::Csv,
            (StoredAs::Json, Some(Serde::Json)) => Serde::Json,
            _ => return Err(invalid("ROW FORMAT does not fit STORED AS")),
        };
        let mut format = match serde {
            Serde::Parquet => FileFormat::Parquet,
            Serde::Json => FileFormat::Json,
            Serde::Avro => FileFormat::Avro,
            Serde::Arrow => FileFormat::Arrow,
            Serde::Csv => FileFormat::Delimited(csv(&row)?),
            Serde::Delimited => FileFormat::Delimited(delimited(&row)?),
        };
        let mut compression = None;
        for (name, value) in properties {
            match (name.to_ascii_lowercase().as_str(), &mut format) {
                ("compression_type" | "compression", FileFormat::Delimited(_) | FileFormat::Json) => {
                    let known = compression_named(value);
                    compression = Some(known.ok_or_else(|| wrong_value(name, value))?);
                }
                ("compression_type" | "compression", FileFormat::Parquet) => {
                    let known = compression_named(value).filter(|it| *it != Compression::Bzip2);
                    compression = Some(known.ok_or_else(|| wrong_value(name, value))?);
                }
                ("skip.header.line.count", FileFormat::Delimited(format)) => {
                    format.header_lines = value.parse().map_err(|_| wrong_value(name, value))?;
                }
                ("serialization.null.format", FileFormat::Delimited(format)) => format.null.clone_from(value),
                ("column_count_mismatch_handling", FileFormat::Delimited(format)) => {
                    let width = match value.to_ascii_lowercase().as_str() {
                        "disabled" | "set_to_null" => WidthRule::SetToNull,
                        "drop_row" => WidthRule::DropRow,
                        "fail" => WidthRule::Fail,
                        _ => return Err(wrong_value(name, value)),
                    };
                    if cleanses_data(properties)? {
                        format.width = width;
                    }
                }
                // See partition_layout().
                ("partition_discovery" | "storage.location.template", _) => {}
                // See storage::external::budget.
                ("require_partition_filter", _) => match value.to_ascii_lowercase().as_str() {
                    "true" | "false" => {}
                    _ => return Err(wrong_value(name, value)),
                },
                // See statement::write_files. Files are written in the order of the rows in any case.
                ("write.maxfilesize.mb" | "write.parallel", _) => {}
                // See bad_data_rules().
                (lower, _) if is_about_bad_data(lower) => {}
                (lower, _) if is_without_effect(lower) => {}
                _ => return Err(Error::not_supported(format!("table property '{name}' of this format"))),
            }
        }
        Ok(FilesFormat { format, compression, encoding: TextEncoding::default() })
    }
}

/// How partitions are found by their folders' names, if a property says that they are.
///
/// # Errors
/// The property does not fit the location or the partition columns.
pub(super) fn partition_layout(
    properties: &[(String, String)],
    location: &str,
    columns: &[&Ident],
) -> Result<Option<PartitionLayout>> {
    let mut layout = None;
    for (name, value) in properties {
        let found = match name.to_ascii_lowercase().as_str() {
            "partition_discovery" => match value.to_ascii_lowercase().as_str() {
                "none" => continue,
                "hive" => PartitionLayout::Hive,
                _ => return Err(wrong_value(name, value)),
            },
            "storage.location.template" => PartitionLayout::Template(template(value, location, columns)?),
            _ => continue,
        };
        if columns.is_empty() {
            return Err(invalid(&format!("property '{name}' needs PARTITIONED BY")));
        }
        if layout.replace(found).is_some() {
            return Err(invalid("partition_discovery and storage.location.template exclude each other"));
        }
    }
    Ok(layout)
}

/// What a template says of the folders below the location; it must say where each partition column's value stands.
fn template(template: &str, location: &str, columns: &[&Ident]) -> Result<String> {
    let property = "storage.location.template";
    let below = template.strip_prefix(location.trim_end_matches('/')).map(|below| below.trim_matches('/'));
    let Some(below) = below.filter(|below| !below.is_empty()) else {
        return Err(invalid(&format!("{property} must be a path below the LOCATION")));
    };
    let mut names: Vec<String> = Vec::new();
    for part in below.split("${").skip(1) {
        let name = part.split_once('}').map(|(name, _)| name.to_ascii_lowercase());
        names.push(name.filter(|name| !name.contains('/')).ok_or_else(|| wrong_value(property, template))?);
    }
    let mut wanted: Vec<String> = columns.iter().map(|column| identifier(column).to_ascii_lowercase()).collect();
    names.sort_unstable();
    wanted.sort_unstable();
    if names != wanted {
        return Err(invalid(&format!("{property} must name each partition column once, as ${{column}}")));
    }
    if below.split('/').any(str::is_empty) || below.contains("}${") {
        return Err(wrong_value(property, template));
    }
    Ok(below.to_owned())
}

/// Properties that catalogs and crawlers write down, and that change no result.
fn is_without_effect(property: &str) -> bool {
    matches!(property, "numrows" | "classification" | "comment" | "typeofdata" | "external" | "averagerecordsize")
}

/// As `LazySimpleSerDe` reads lines.
fn delimited(row: &RowFormat) -> Result<Delimited> {
    let mut format = Delimited {
        delimiter: row.delimiter.unwrap_or(HIVE_DELIMITER),
        quote: None,
        escape: row.escape,
        null: row.null.clone().unwrap_or_else(|| HIVE_NULL.to_owned()),
        empty_is_null: false,
        skips_blank_lines: false,
        header_lines: 0,
        named_by_header: false,
        width: WidthRule::SetToNull,
    };
    for (name, value) in &row.properties {
        let byte = || byte_of(value).ok_or_else(|| wrong_value(name, value));
        match name.to_ascii_lowercase().as_str() {
            "field.delim" | "serialization.format" => format.delimiter = byte()?,
            "escape.delim" => format.escape = Some(byte()?),
            "serialization.null.format" => format.null.clone_from(value),
            _ => return Err(Error::not_supported(format!("property '{name}' of ROW FORMAT SERDE"))),
        }
    }
    Ok(format)
}

/// As `OpenCSVSerde` reads lines, but that an empty field without quotes is NULL, as in PostgreSQL.
fn csv(row: &RowFormat) -> Result<Delimited> {
    let mut format = Delimited {
        delimiter: row.delimiter.unwrap_or(b','),
        quote: Some(b'"'),
        escape: row.escape,
        null: row.null.clone().unwrap_or_default(),
        empty_is_null: false,
        skips_blank_lines: false,
        header_lines: 0,
        named_by_header: false,
        width: WidthRule::SetToNull,
    };
    if row.serde == Some(Serde::Csv) {
        format.escape = Some(b'\\');
    }
    for (name, value) in &row.properties {
        let byte = || byte_of(value).ok_or_else(|| wrong_value(name, value));
        match name.to_ascii_lowercase().as_str() {
            "separatorchar" | "field.delim" => format.delimiter = byte()?,
            "quotechar" => format.quote = Some(byte()?),
            "escapechar" if value.is_empty() => format.escape = None,
            "escapechar" => format.escape = Some(byte()?),
            "serialization.null.format" => format.null.clone_from(value),
            _ => return Err(Error::not_supported(format!("property '{name}' of ROW FORMAT SERDE"))),
        }
    }
    Ok(format)
}

/// What files are packed with, by its name.
pub fn compression_named(name: &str) -> Option<Compression> {
    match name.to_ascii_lowercase().as_str() {
        "none" => Some(Compression::None),
        "gzip" | "gz" => Some(Compression::Gzip),
        "zstd" | "zstandard" => Some(Compression::Zstd),
        "bzip2" | "bz2" => Some(Compression::Bzip2),
        "snappy" => Some(Compression::Snappy),
        _ => None,
    }
}

/// The byte of ASCII that a text stands for, perhaps behind a backslash.
pub fn byte_of(text: &str) -> Option<u8> {
    let byte = match text.strip_prefix('\\') {
        Some("t") => b'\t',
        Some("n") => b'\n',
        Some("r") => b'\r',
        Some("\\" | "") => b'\\',
        Some(digits) if (3..=4).contains(&digits.len()) => u8::from_str_radix(digits, 8).ok()?,
        Some(one) if one.len() == 1 => one.as_bytes()[0],
        None if text.len() == 1 => text.as_bytes()[0],
        _ => return None,
    };
    byte.is_ascii().then_some(byte)
}

pub(super) fn wrong_value(property: &str, value: &str) -> Error {
    invalid(&format!("invalid value '{value}' for property '{property}'"))
}

pub(super) fn invalid(message: &str) -> Error {
    Error::InvalidDefinition { message: message.to_owned() }
}
