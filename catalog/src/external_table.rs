//! External tables: files elsewhere that answer queries as a table does.

use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};

use crate::bad_data::BadDataRules;
use crate::hot_table::{Column, arrow_schema};
use crate::name::{ObjectName, Oid};

/// The format of an external table's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileFormat {
    /// Apache Parquet
    Parquet,
    /// Lines of fields with a delimiter between them: CSV and its kin.
    Delimited(Delimited),
    /// Lines that are JSON objects.
    Json,
    /// Avro's object container files
    Avro,
    /// Arrow's streams and files, Feather among them
    Arrow,
}

/// How the lines of a text file are made of fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delimited {
    /// Between fields.
    pub delimiter: u8,
    /// Around a field that has delimiters or line ends in it.
    pub quote: Option<u8>,
    /// Before a character that means nothing but itself.
    pub escape: Option<u8>,
    /// The field that stands for NULL, when it is not in quotes.
    pub null: String,
    /// Whether an empty field without quotes stands for NULL too.
    pub empty_is_null: bool,
    /// Whether lines without anything in them are no rows.
    pub skips_blank_lines: bool,
    /// Lines at a file's beginning that are no data.
    pub header_lines: u32,
    /// Whether the last of them names the fields: columns are found by it, wherever they stand.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub named_by_header: bool,
    /// What becomes of a line with more or fewer fields than there are columns.
    pub width: WidthRule,
}

/// What becomes of a line with more or fewer fields than there are columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WidthRule {
    /// Columns without a field are NULL, fields without a column are ignored.
    SetToNull,
    /// Columns without a field are NULL, fields without a column are an error.
    FillMissing,
    /// The line is left out.
    DropRow,
    /// The statement fails.
    Fail,
}

/// What a file is packed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compression {
    /// Nothing
    None,
    /// gzip, RFC 1952
    Gzip,
    /// Zstandard, RFC 8878
    Zstd,
    /// bzip2
    Bzip2,
    /// Snappy, in frames or in Hadoop's blocks
    Snappy,
}

/// The encoding of text in files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TextEncoding {
    /// UTF-8
    #[default]
    Utf8,
    /// UTF-16 in the order that a mark at the beginning tells
    Utf16,
    /// UTF-16, the lower byte first
    Utf16Le,
    /// UTF-16, the higher byte first
    Utf16Be,
    /// ISO 8859-1
    Latin1,
}

/// How the folders of partitions are called that are found without having been registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartitionLayout {
    /// `year=2024/month=7`, a folder for each partition column, in their order.
    Hive,
    /// Names below the location, with `${column}` where a value stands.
    Template(String),
}

impl FileFormat {
    /// As people write it.
    pub fn name(&self) -> &'static str {
        match self {
            FileFormat::Parquet => "Parquet",
            FileFormat::Delimited(format) if format.quote.is_some() => "CSV",
            FileFormat::Delimited(_) => "text",
            FileFormat::Json => "JSON",
            FileFormat::Avro => "Avro",
            FileFormat::Arrow => "Arrow",
        }
    }
}

impl Compression {
    /// What the ending of a file's name says.
    pub fn of_name(name: &str) -> Compression {
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        match ending.to_ascii_lowercase().as_str() {
            "gz" | "gzip" => Compression::Gzip,
            "zst" | "zstd" => Compression::Zstd,
            "bz2" => Compression::Bzip2,
            "snappy" | "sz" => Compression::Snappy,
            _ => Compression::None,
        }
    }
}

/// The definition of an external table. Its registered partitions are in the snapshot beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalTable {
    /// Its number.
    pub oid: Oid,
    /// Its name.
    pub name: ObjectName,
    /// The columns that are in the files.
    pub columns: Vec<Column>,
    /// The columns whose values are those of the partition; they follow `columns` in `SELECT *`.
    pub partition_columns: Vec<Column>,
    /// The format of the files.
    pub format: FileFormat,
    /// What the files are packed with, when their names do not tell. Parquet packs its pages itself.
    pub compression: Option<Compression>,
    /// The encoding of text.
    pub encoding: TextEncoding,
    /// How partitions are found by their folders' names, beside those that are registered.
    pub layout: Option<PartitionLayout>,
    /// URL of the folder (or the one file) that holds the data; a partition may be anywhere else.
    pub location: String,
    /// What becomes of data that cannot be read.
    pub bad_data: BadDataRules,
    /// `TABLE PROPERTIES`, as they were written.
    pub properties: Vec<(String, String)>,
}

impl ExternalTable {
    /// All columns, in the order of `SELECT *`.
    pub fn all_columns(&self) -> Vec<Column> {
        self.columns.iter().chain(&self.partition_columns).cloned().collect()
    }

    /// The Arrow schema of a scan.
    pub fn arrow_schema(&self) -> SchemaRef {
        arrow_schema(&self.all_columns())
    }

    /// The Arrow schema of what is read from the files.
    pub fn file_schema(&self) -> SchemaRef {
        arrow_schema(&self.columns)
    }
}
