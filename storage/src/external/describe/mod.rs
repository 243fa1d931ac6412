//! What is in files that nobody has described: their columns and types.
//!
//! Files of Parquet, Avro and Arrow say it themselves ([`of_themselves`]); of several files' types [`found_type`] makes one; of lines
//! [`rows`](super::rows) reads a sample. A description is made
//! once, while a statement is planned; what reads the files then is the same that reads the files of an external table, and it
//! lists them anew and finds the columns in each by name. So a file that comes or changes in between is read by what was
//! described, or is an error, and never shifts a column.

mod columns;
mod found_type;
mod of_themselves;

use std::sync::Arc;

use catalog::{
    BadDataRules, Column, Compression, ExternalTable, FileFormat, FileWrites, NamedFiles, ObjectName, Oid, SqlType,
    TextEncoding,
};
use object_store::ObjectMeta;

use super::file_columns::FILE_COLUMNS;
use super::folder_values;
use super::listing::{FILES_MAX, data_files};
use super::pattern::matching_files;
use super::pinned_file::PinnedFile;
use super::rows::{self, DelimitedRequest, JsonRequest, ValueBuilders};
use crate::error::{Error, Result};
use crate::object_stores::{Location, ObjectStores, object_url};
use crate::scan::report::ReadCounter;
pub(super) use columns::COLUMNS_MAX;
use columns::folded;

/// Files that a query names, and what it says of them.
#[derive(Debug, Clone)]
pub struct FilesRequest {
    /// What names them: the function with its arguments.
    pub call: String,
    /// What messages and reports call them: the function.
    pub name: String,
    /// URLs of files and folders, and patterns of such URLs.
    pub patterns: Vec<String>,
    /// Whether these are URLs of files and folders alone, in which no character stands for others.
    pub are_locations: bool,
    /// Their format.
    pub format: FilesRequestFormat,
    /// The columns, when the query defines them.
    pub columns: Option<Vec<Column>>,
    /// Whether their folders have values of columns in their names; when nothing is said, they have if those of all files do.
    pub hive_partitioning: Option<bool>,
}

/// The format of files that a query names.
#[derive(Debug, Clone)]
pub enum FilesRequestFormat {
    /// Apache Parquet
    Parquet {
        /// Whether the columns are those of all files, not those of the first.
        union_by_name: bool,
    },
    /// Avro
    Avro {
        /// Whether the columns are those of all files, not those of the first.
        union_by_name: bool,
    },
    /// Arrow's streams and files
    Arrow {
        /// Whether the columns are those of all files, not those of the first.
        union_by_name: bool,
    },
    /// Lines of fields with a delimiter between them.
    Delimited(DelimitedRequest),
    /// Lines that are JSON objects.
    Json(JsonRequest),
}

/// A file that is looked at.
struct ListedFile {
    location: Location,
    object: ObjectMeta,
}

/// Describes files.
///
/// # Errors
/// There are none, they cannot be read, or their types do not fit together.
pub async fn describe(
    stores: Arc<ObjectStores>,
    request: Arc<FilesRequest>,
    builders: Arc<dyn ValueBuilders>,
    writes: &FileWrites,
) -> Result<NamedFiles> {
    let files = listed(&stores, &request, writes).await?;
    let mut of_folders = columns_of_folders(&files, request.hive_partitioning)?;
    let Found { format, compression, mut columns, are_all_in_lines } = found(&files, &request, builders).await?;
    if columns.len() > COLUMNS_MAX {
        let reason = format!("there are more than {COLUMNS_MAX}");
        return Err(Error::ColumnsUnknown { path: files[0].url(), reason });
    }
    if let Some(column) = columns.iter().find(|column| FILE_COLUMNS.contains(&column.name.as_str())) {
        let reason = format!("one is called \"{}\", as one of all files is", column.name);
        return Err(Error::ColumnsUnknown { path: files[0].url(), reason });
    }
    // What the folders say is in the files too, now and then. The query may have said of which type it is.
    for (name, sql_type) in &mut of_folders {
        if let Some(defined) = request.columns.iter().flatten().find(|column| column.name == *name) {
            *sql_type = defined.sql_type.clone();
        }
    }
    // Where columns are found by their places in a line, none can be left out.
    match are_all_in_lines {
        true => of_folders.retain(|(name, _)| columns.iter().all(|column| *name != column.name)),
        false => columns.retain(|column| of_folders.iter().all(|(name, _)| *name != column.name)),
    }
    let partition_columns = numbered(of_folders, columns.len());
    Ok(NamedFiles {
        call: request.call.clone(),
        patterns: request.patterns.clone(),
        table: ExternalTable {
            oid: Oid(0),
            name: ObjectName::new("pg_catalog", request.name.as_str()),
            columns,
            partition_columns,
            format,
            compression,
            bad_data: BadDataRules::default(),
            encoding: TextEncoding::default(),
            layout: None,
            location: request.patterns.join(", "),
            properties: Vec::new(),
        },
    })
}

/// The columns whose values the files' folders tell.
fn columns_of_folders(files: &[ListedFile], asked: Option<bool>) -> Result<Vec<(String, SqlType)>> {
    if asked == Some(false) {
        return Ok(Vec::new());
    }
    match folder_values::columns(files.iter().map(|file| &file.object.location)) {
        Some(found) => Ok(found),
        None if asked.is_none() => Ok(Vec::new()),
        None => {
            let reason = "its folders are not called column=value as those of the other files".to_owned();
            Err(Error::ColumnsUnknown { path: files[0].url(), reason })
        }
    }
}

/// What files are, all but the values that their folders tell.
struct Found {
    format: FileFormat,
    compression: Option<Compression>,
    columns: Vec<Column>,
    /// Whether the files are lines of as many fields, which do not tell their names.
    are_all_in_lines: bool,
}

async fn found(files: &[ListedFile], request: &FilesRequest, builders: Arc<dyn ValueBuilders>) -> Result<Found> {
    let known = request.columns.clone();
    let pinned = || files.iter().map(ListedFile::pinned).collect();
    Ok(match &request.format {
        FilesRequestFormat::Parquet { union_by_name }
        | FilesRequestFormat::Avro { union_by_name }
        | FilesRequestFormat::Arrow { union_by_name } => {
            let format = match &request.format {
                FilesRequestFormat::Avro { .. } => FileFormat::Avro,
                FilesRequestFormat::Arrow { .. } => FileFormat::Arrow,
                _ => FileFormat::Parquet,
            };
            let columns = match known {
                Some(columns) => columns,
                None => of_themselves::columns(files, &format, *union_by_name).await?,
            };
            Found { format, compression: None, columns, are_all_in_lines: false }
        }
        FilesRequestFormat::Delimited(lines) => {
            let (format, sniffed) = rows::sniffed_delimited(pinned(), lines, builders).await?;
            let fields = sniffed.len();
            let columns = known.unwrap_or_else(|| numbered(sniffed, 0));
            let are_all_in_lines = !format.named_by_header && columns.len() == fields;
            Found { format: FileFormat::Delimited(format), compression: lines.compression, columns, are_all_in_lines }
        }
        FilesRequestFormat::Json(lines) => {
            let columns = match known {
                Some(columns) => columns,
                None => numbered(folded(rows::sniffed_json(pinned(), lines).await?), 0),
            };
            Found { format: FileFormat::Json, compression: lines.compression, columns, are_all_in_lines: false }
        }
    })
}

/// The files, in the order of the patterns and their paths.
async fn listed(stores: &ObjectStores, request: &FilesRequest, writes: &FileWrites) -> Result<Vec<ListedFile>> {
    let mut files = Vec::new();
    for pattern in &request.patterns {
        let (location, objects) = match request.are_locations {
            true => files_at(stores, pattern, writes).await?,
            false => matching_files(stores, pattern, writes).await?,
        };
        if files.len() + objects.len() > FILES_MAX {
            return Err(Error::TooManyFiles { location: pattern.clone(), files_max: FILES_MAX });
        }
        files.extend(objects.into_iter().map(|object| ListedFile { location: location.clone(), object }));
    }
    Ok(files)
}

async fn files_at(stores: &ObjectStores, location: &str, writes: &FileWrites) -> Result<(Location, Vec<ObjectMeta>)> {
    let located = stores.resolve(location)?;
    let files = data_files(&located, writes).await?;
    if files.is_empty() { Err(Error::NoFiles { pattern: location.to_owned() }) } else { Ok((located, files)) }
}

/// Columns behind so many others.
fn numbered(columns: Vec<(String, SqlType)>, before: usize) -> Vec<Column> {
    let column = |(place, (name, sql_type)): (usize, (String, SqlType))| {
        Column::new(i16::try_from(before + place + 1).unwrap_or(i16::MAX), name, sql_type)
    };
    columns.into_iter().enumerate().map(column).collect()
}

impl ListedFile {
    fn pinned(&self) -> PinnedFile {
        let (location, read) = (&self.location, Arc::<ReadCounter>::default());
        PinnedFile::new(location.store.clone(), &location.store_url, self.object.clone(), read)
    }

    fn url(&self) -> String {
        object_url(&self.location.store_url, &self.object.location)
    }
}
