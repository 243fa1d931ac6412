//! How the system catalogs say what the files of an external table are: as Hive does, by the class that reads their rows and
//! its properties.

use catalog::{Delimited, FileFormat};
use serde_json::{Map, Value};

/// The options of a foreign table that say what its files are.
pub(super) fn options(format: &FileFormat) -> Vec<(&'static str, String)> {
    match format {
        FileFormat::Parquet => vec![("format", "parquet".to_owned())],
        FileFormat::Avro => vec![("format", "avro".to_owned())],
        FileFormat::Arrow => vec![("format", "arrow".to_owned())],
        FileFormat::Json => row_options("org.openx.data.jsonserde.JsonSerDe", Map::new()),
        FileFormat::Delimited(format) => match format.quote {
            Some(quote) => row_options("org.apache.hadoop.hive.serde2.OpenCSVSerde", quoted(format, quote)),
            None => row_options("org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe", plain(format)),
        },
    }
}

fn row_options(class: &str, properties: Map<String, Value>) -> Vec<(&'static str, String)> {
    let properties = Value::Object(properties).to_string();
    vec![("format", "textfile".to_owned()), ("serde", class.to_owned()), ("serdeproperties", properties)]
}

fn quoted(format: &Delimited, quote: u8) -> Map<String, Value> {
    let mut properties = Map::new();
    properties.insert("separatorChar".to_owned(), shown(format.delimiter).into());
    properties.insert("quoteChar".to_owned(), shown(quote).into());
    properties.insert("escapeChar".to_owned(), format.escape.map(shown).unwrap_or_default().into());
    properties.insert("serialization.null.format".to_owned(), format.null.as_str().into());
    properties
}

fn plain(format: &Delimited) -> Map<String, Value> {
    let mut properties = Map::new();
    properties.insert("field.delim".to_owned(), shown(format.delimiter).into());
    if let Some(escape) = format.escape {
        properties.insert("escape.delim".to_owned(), shown(escape).into());
    }
    properties.insert("serialization.null.format".to_owned(), format.null.as_str().into());
    properties
}

/// A character as ROW FORMAT reads it.
fn shown(byte: u8) -> String {
    match byte {
        b'\\' => "\\\\".to_owned(),
        b'\t' => "\\t".to_owned(),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\{byte:03o}"),
    }
}
