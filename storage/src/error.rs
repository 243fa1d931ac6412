//! What can go wrong where the bytes are.
//!
//! An error of this crate travels through the engine inside `DataFusionError::External` (or inside one of the engine's,
//! Parquet's and Arrow's own errors); [`find`] takes it out again. No message holds a credential: what an object store
//! answers to a refused request quotes the key's name, so that answer is dropped.

use std::error::Error as StdError;
use std::{fmt, io};

use datafusion::error::DataFusionError;
use object_store::client::{HttpError, HttpErrorKind};

use crate::hot::keys::DuplicateKey;

/// The result of a storage operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The cause of an [`Error::Unavailable`].
pub type Source = Box<dyn StdError + Send + Sync + 'static>;

/// Why data could not be found, read or stored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A location that is not a URL, or a URL with parts that have no meaning here.
    #[error("location \"{location}\" is not valid: {reason}")]
    LocationInvalid {
        /// The location.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A location of a kind that cannot be read.
    #[error("locations with scheme \"{scheme}\" are not supported")]
    SchemeNotSupported {
        /// The part before `://`.
        scheme: String,
    },
    /// A location that the server's configuration does not open. Says nothing about what is there.
    #[error("location \"{location}\" is not allowed")]
    LocationNotAllowed {
        /// The location.
        location: String,
    },
    /// A location, or what it leads to, is at an address that the server must not connect to.
    #[error("location \"{location}\" leads to an address that is not allowed")]
    AddressNotAllowed {
        /// The location.
        location: String,
    },
    /// What cannot be done with locations of a kind.
    #[error("{operation} is not supported at location \"{location}\"")]
    OperationNotSupported {
        /// What was to be done.
        operation: String,
        /// The location.
        location: String,
    },
    /// What is said of a secret does not go together.
    #[error("the secret is not valid: {reason}")]
    SecretInvalid {
        /// What is wrong with it.
        reason: String,
    },
    /// A secret cannot be encrypted or decrypted.
    #[error("secret \"{name}\" cannot be used: {reason}")]
    SecretUnreadable {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// A web server does not tell one version of a file from the next.
    #[error("could not read \"{location}\": the web server tells neither its ETag nor its Last-Modified")]
    FileVersionUnknown {
        /// The file.
        location: String,
    },
    /// There is no such bucket, folder or file.
    #[error("location \"{location}\" does not exist")]
    NotFound {
        /// The location.
        location: String,
    },
    /// No file is called as a query says.
    #[error("no file matches \"{pattern}\"")]
    NoFiles {
        /// What the query says.
        pattern: String,
    },
    /// A column of several files has types that no type can take the place of.
    #[error("{0}")]
    FilesDisagree(Box<FilesDisagreement>),
    /// A file's column has a type that no column can have.
    #[error("column \"{column}\" of file \"{path}\" has type {file_type}, which is not supported")]
    ColumnTypeUnknown {
        /// The column.
        column: String,
        /// The file.
        path: String,
        /// The file's type, in SQL's words.
        file_type: String,
    },
    /// Files have no columns, or more than a table can have.
    #[error("the columns of file \"{path}\" cannot be told: {reason}")]
    ColumnsUnknown {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// The object store or the operating system refused.
    #[error("access to \"{location}\" was denied")]
    AccessDenied {
        /// The location.
        location: String,
    },
    /// The object store did not answer, or answered with a failure of its own, after every attempt.
    #[error("could not read \"{location}\"")]
    Unavailable {
        /// The location.
        location: String,
        /// What it said.
        source: Source,
    },
    /// A location holds more files than one statement reads.
    #[error("location \"{location}\" holds more than {files_max} files")]
    TooManyFiles {
        /// The location.
        location: String,
        /// The limit.
        files_max: usize,
    },
    /// A statement would read more than it may.
    #[error(
        "scans of external tables would read {bytes} bytes, most of them of \"{table}\"; max_scan_bytes allows {bytes_max}"
    )]
    ScanTooLarge {
        /// The table of which most would be read.
        table: String,
        /// Of all tables, about.
        bytes: u64,
        /// What is allowed.
        bytes_max: u64,
        /// Its partition columns on which there is no condition.
        partition_columns: Vec<String>,
    },
    /// All partitions of a table would be read that does not allow it.
    #[error("external table \"{table}\" requires a condition on a partition column")]
    PartitionFilterMissing {
        /// The table.
        table: String,
        /// Its partition columns.
        partition_columns: Vec<String>,
    },
    /// A file was replaced after the statement had listed it. The statement may be repeated.
    #[error("file \"{path}\" was changed while it was being read")]
    FileChanged {
        /// The file.
        path: String,
    },
    /// A file was deleted after the statement had listed it. The statement may be repeated.
    #[error("file \"{path}\" was deleted while it was being read")]
    FileDeleted {
        /// The file.
        path: String,
    },
    /// A file that is not Parquet.
    #[error("file \"{path}\" is not a Parquet file: {reason}")]
    NotParquet {
        /// The file.
        path: String,
        /// How it shows.
        reason: String,
    },
    /// A file that is damaged.
    #[error("file \"{path}\" is corrupted: {reason}")]
    Corrupted {
        /// The file.
        path: String,
        /// How it shows.
        reason: String,
    },
    /// A file that is none of those of its format that are read.
    #[error("file \"{path}\" cannot be read: {what} is not supported")]
    FileNotSupported {
        /// The file.
        path: String,
        /// What it has.
        what: String,
    },
    /// A list of files is none.
    #[error("manifest \"{path}\" is not valid: {reason}")]
    ManifestInvalid {
        /// The manifest.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A list of paths into JSON is none.
    #[error("file \"{path}\" holds no paths into JSON: {reason}")]
    JsonPathsInvalid {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A line of a file is none of its format.
    #[error("line {line} of file \"{path}\" cannot be read: {reason}")]
    LineInvalid {
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A line of a file has more or fewer fields than there are columns.
    #[error("line {line} of file \"{path}\" cannot be read: it has {found} fields, and the table {expected} columns")]
    FieldCount {
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
        /// Its fields.
        found: usize,
        /// The columns that files have.
        expected: usize,
    },
    /// A value is missing in a file that its column must have.
    #[error("column \"{column}\" in line {line} of file \"{path}\": null value violates not-null constraint")]
    NullNotAllowed {
        /// The column.
        column: String,
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
    },
    /// A text in a file is no value of the declared type.
    #[error("column \"{column}\" in line {line} of file \"{path}\": {source}")]
    ValueInvalid {
        /// The column.
        column: String,
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        source: Source,
    },
    /// A file's column has a type that is not read as the declared one.
    #[error("column \"{column}\" is declared {declared_type} but is {file_type} in file \"{path}\"")]
    ColumnTypeMismatch {
        /// The column.
        column: String,
        /// The file.
        path: String,
        /// The file's type, in SQL's words.
        file_type: String,
        /// The declared type, in SQL's words.
        declared_type: String,
    },
    /// A file that is loaded is one of another table.
    #[error("file \"{path}\" has none of the columns that are loaded")]
    ColumnsMissing {
        /// The file.
        path: String,
    },
    /// Several of a file's columns differ only in case, and none is spelled as declared.
    #[error("column \"{column}\" is ambiguous in file \"{path}\": it could be {}", candidates.join(" or "))]
    ColumnAmbiguous {
        /// The column.
        column: String,
        /// The file.
        path: String,
        /// The file's columns that could be meant, quoted.
        candidates: Vec<String>,
    },
    /// A value in a file does not fit the declared type.
    #[error("a value in column \"{column}\" of file \"{path}\" is out of range for type {declared_type}")]
    ValueOutOfRange {
        /// The column.
        column: String,
        /// The file.
        path: String,
        /// The declared type, in SQL's words.
        declared_type: String,
    },
    /// A string in a file is longer than its column.
    #[error("a value in column \"{column}\" of file \"{path}\" is too long for type {declared_type}")]
    ValueTooLong {
        /// The column.
        column: String,
        /// The file.
        path: String,
        /// The declared type, in SQL's words.
        declared_type: String,
    },
    /// An array of arrays that PostgreSQL cannot have.
    #[error(
        "column \"{column}\" of file \"{path}\" holds an array of arrays that differ in length, or are empty or NULL"
    )]
    ArrayNotRectangular {
        /// The column.
        column: String,
        /// The file.
        path: String,
    },
    /// Two rows of a statement have the same key.
    #[error("duplicate key value violates unique constraint \"{}\"", .0.constraint)]
    DuplicateKey(Box<DuplicateKey>),
    /// What is derived of a segment to find its rows by their keys could not be written.
    #[error("could not write the keys of segment \"{name}\": {source}")]
    KeysNotWritten {
        /// The segment's file.
        name: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// Folders of partitions are called otherwise than the table says.
    #[error("folder \"{folder}\" is not called {expected}")]
    FolderMisnamed {
        /// The folder.
        folder: String,
        /// How folders there should be called.
        expected: String,
    },
    /// A partition value that is not a value of the column's type.
    #[error("invalid value \"{value}\" for partition column \"{column}\" of type {declared_type}")]
    PartitionValueInvalid {
        /// The partition column.
        column: String,
        /// The column's type, in SQL's words.
        declared_type: String,
        /// The value.
        value: String,
    },
    /// A setting with which the server cannot start.
    #[error("invalid value for \"{setting}\": {reason}")]
    ConfigurationInvalid {
        /// The setting.
        setting: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Something was to be written where something is.
    #[error("location \"{location}\" is not empty")]
    LocationNotEmpty {
        /// The location.
        location: String,
    },
    /// A folder was to be written into that is a file.
    #[error("location \"{location}\" is a file, not a folder")]
    LocationIsFile {
        /// The location.
        location: String,
    },
    /// A file cannot be written.
    #[error("could not write \"{location}\": {reason}")]
    NotWritten {
        /// The file.
        location: String,
        /// What went wrong, in our words or the operating system's: an object store's may quote keys.
        reason: String,
    },
    /// There is no space for a file.
    #[error("could not write \"{location}\": No space left on device")]
    NoSpace {
        /// The file.
        location: String,
    },
    /// There is no backup, or one that did not finish.
    #[error("location \"{location}\" holds no finished backup")]
    NoBackup {
        /// The location.
        location: String,
    },
    /// A file of a backup is not what was written, or is not there.
    #[error("file \"{path}\" of the backup is damaged: {reason}")]
    DamagedBackup {
        /// The file.
        path: String,
        /// How it shows.
        reason: String,
    },
    /// A backup of another version.
    #[error("backup \"{path}\" has format {found}, this version of Thermocline reads format {supported}")]
    BackupFormat {
        /// Its manifest.
        path: String,
        /// The format found.
        found: u32,
        /// The format that this version reads.
        supported: u32,
    },
    /// The catalog refused.
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
    /// What is known of a table's files cannot be written down.
    #[error("could not write what is known of the files of an external table: {source}")]
    ManifestNotWritten {
        /// What the operating system said.
        source: io::Error,
    },
    /// The file of a segment cannot be read.
    #[error("could not read segment \"{name}\": {source}")]
    SegmentUnreadable {
        /// The file.
        name: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file of a segment is not what was written.
    #[error("segment \"{name}\" is damaged: {reason}")]
    DamagedSegment {
        /// The file.
        name: String,
        /// How it shows.
        reason: String,
    },
}

/// Two types of a column that no type can take the place of.
#[derive(Debug)]
pub struct FilesDisagreement {
    /// The column.
    pub column: String,
    /// A file.
    pub first_path: String,
    /// The type there, or in the files before it, in SQL's words.
    pub first_type: String,
    /// Another file.
    pub other_path: String,
    /// The type there, in SQL's words.
    pub other_type: String,
}

impl fmt::Display for FilesDisagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FilesDisagreement { column, first_path, first_type, other_path, other_type } = self;
        write!(
            f,
            "column \"{column}\" is {first_type} in file \"{first_path}\" and {other_type} in file \"{other_path}\""
        )
    }
}

impl Error {
    /// What an object store's error means for a statement that reads `location`.
    pub fn from_object_store(location: &str, error: object_store::Error) -> Error {
        let location = location.to_owned();
        match failure(&error) {
            Failure::NotFound => Error::NotFound { location },
            Failure::Denied => Error::AccessDenied { location },
            Failure::NotAllowed => Error::LocationNotAllowed { location },
            Failure::AddressNotAllowed => Error::AddressNotAllowed { location },
            Failure::NotSupported(operation) => Error::OperationNotSupported { operation, location },
            Failure::VersionUnknown => Error::FileVersionUnknown { location },
            Failure::Changed => Error::FileChanged { path: location },
            Failure::InvalidPath(reason) => Error::LocationInvalid { location, reason },
            Failure::Other => Error::Unavailable { location, source: Box::new(error) },
        }
    }

    /// A copy of an error of a whole file or of a value in it; `None` for those that are about something else.
    pub(crate) fn copy_of_file(&self) -> Option<Error> {
        Some(match self {
            Error::FileDeleted { path } => Error::FileDeleted { path: path.clone() },
            Error::NotParquet { path, reason } => Error::NotParquet { path: path.clone(), reason: reason.clone() },
            Error::Corrupted { path, reason } => Error::Corrupted { path: path.clone(), reason: reason.clone() },
            Error::ColumnTypeMismatch { column, path, file_type, declared_type } => Error::ColumnTypeMismatch {
                column: column.clone(),
                path: path.clone(),
                file_type: file_type.clone(),
                declared_type: declared_type.clone(),
            },
            Error::ColumnAmbiguous { column, path, candidates } => {
                Error::ColumnAmbiguous { column: column.clone(), path: path.clone(), candidates: candidates.clone() }
            }
            Error::ValueOutOfRange { column, path, declared_type } => Error::ValueOutOfRange {
                column: column.clone(),
                path: path.clone(),
                declared_type: declared_type.clone(),
            },
            Error::ArrayNotRectangular { column, path } => {
                Error::ArrayNotRectangular { column: column.clone(), path: path.clone() }
            }
            _ => return None,
        })
    }

    /// What an object store's error means for who writes `location`.
    pub fn not_written(location: &str, error: object_store::Error) -> Error {
        let is_full = |cause: &(dyn StdError + 'static)| cause.downcast_ref().is_some_and(catalog::vfs::is_disk_full);
        if causes(&error).any(is_full) {
            return Error::NoSpace { location: location.to_owned() };
        }
        match Error::from_object_store(location, error) {
            Error::Unavailable { location, source } => {
                Error::NotWritten { location, reason: reason_of(source.as_ref()) }
            }
            other => other,
        }
    }
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        DataFusionError::External(Box::new(error))
    }
}

/// The error of this crate that is somewhere inside `error`, if there is one.
pub fn find<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Error> {
    causes(error).find_map(|cause| cause.downcast_ref::<Error>())
}

/// An error and what caused it, outermost first.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error))
}

fn cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    // An I/O error's source is that of the error it wraps, which would be skipped.
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// The failures of an object store that mean something to a statement.
enum Failure {
    NotFound,
    Denied,
    NotAllowed,
    AddressNotAllowed,
    NotSupported(String),
    VersionUnknown,
    Changed,
    InvalidPath(String),
    Other,
}

/// The first thing in the chain that tells. The outermost error often does not: a listing of a bucket that does not
/// exist and a precondition that fails when a broken download is resumed both arrive as [`object_store::Error::Generic`].
fn failure(error: &object_store::Error) -> Failure {
    causes(error).find_map(meaning).unwrap_or(Failure::Other)
}

fn meaning(cause: &(dyn StdError + 'static)) -> Option<Failure> {
    match cause.downcast_ref() {
        Some(Error::LocationNotAllowed { .. }) => return Some(Failure::NotAllowed),
        Some(Error::AddressNotAllowed { .. }) => return Some(Failure::AddressNotAllowed),
        Some(Error::FileVersionUnknown { .. }) => return Some(Failure::VersionUnknown),
        _ => {}
    }
    if let Some(error) = cause.downcast_ref::<object_store::Error>() {
        return match error {
            object_store::Error::NotFound { .. } => Some(Failure::NotFound),
            // A refusal of ours is inside.
            object_store::Error::PermissionDenied { source, .. } if find(source.as_ref()).is_some() => None,
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                Some(Failure::Denied)
            }
            object_store::Error::Precondition { .. } => Some(Failure::Changed),
            object_store::Error::NotImplemented { operation, .. } => Some(Failure::NotSupported(operation.clone())),
            // A web server has sent all of a file.
            object_store::Error::NotSupported { .. } => {
                Some(Failure::NotSupported("reading parts of files".to_owned()))
            }
            object_store::Error::InvalidPath { source } => Some(Failure::InvalidPath(source.to_string())),
            _ => None,
        };
    }
    if let Some(error) = cause.downcast_ref::<io::Error>() {
        return match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Some(Failure::NotFound),
            io::ErrorKind::PermissionDenied => Some(Failure::Denied),
            _ => None,
        };
    }
    status_code(&cause.to_string()).and_then(|status| match status {
        404 => Some(Failure::NotFound),
        401 | 403 => Some(Failure::Denied),
        412 => Some(Failure::Changed),
        _ => None,
    })
}

/// Why a request failed. Services repeat in their answers what they were sent, and some requests have keys in their URLs.
fn reason_of(error: &(dyn StdError + 'static)) -> String {
    causes(error).find_map(plain_reason).unwrap_or_else(|| "the object store failed".to_owned())
}

fn plain_reason(cause: &(dyn StdError + 'static)) -> Option<String> {
    if let Some(error) = cause.downcast_ref::<io::Error>().filter(|error| error.raw_os_error().is_some()) {
        return Some(error.to_string());
    }
    if let Some(error) = cause.downcast_ref::<HttpError>() {
        return Some(match error.kind() {
            HttpErrorKind::Connect => "the object store cannot be connected to".to_owned(),
            HttpErrorKind::Timeout => "the object store has not answered in time".to_owned(),
            kind => format!("the connection to the object store failed ({kind:?})"),
        });
    }
    status_code(&cause.to_string()).map(|status| format!("the object store answers with status {status}"))
}

/// The HTTP status in a failed request's message: `object_store` keeps the type that holds it to itself.
fn status_code(message: &str) -> Option<u16> {
    let (_, rest) = message.split_once("Server returned non-2xx status code: ")?;
    rest.get(..3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use arrow::error::ArrowError;
    use parquet::errors::ParquetError;

    use super::*;

    fn changed() -> Error {
        Error::FileChanged { path: "a".into() }
    }

    fn check_found(error: DataFusionError) {
        assert!(matches!(find(&error), Some(Error::FileChanged { path }) if path == "a"), "{error:?}");
    }

    #[test]
    fn an_error_is_found_inside_the_engines_errors() {
        check_found(changed().into());
        check_found(DataFusionError::Shared(Arc::new(changed().into())));
        check_found(DataFusionError::from(changed()).context("while reading"));
        check_found(ParquetError::External(Box::new(changed())).into());
        check_found(ArrowError::ExternalError(Box::new(changed())).into());
        check_found(ArrowError::ExternalError(Box::new(DataFusionError::from(changed()))).into());
        check_found(DataFusionError::IoError(io::Error::other(changed())));
        let source = Box::new(changed());
        check_found(object_store::Error::Generic { store: "s", source }.into());
    }

    #[test]
    fn other_errors_are_not_ours() {
        assert!(find(&DataFusionError::Plan("x".into())).is_none());
    }

    #[test]
    fn what_a_store_says_is_not_repeated_where_nothing_is_written() {
        let said = "Error performing POST https://a/?sig=hunter2 in 1s - Server returned non-2xx status code: \
                    400 Bad Request: <Code>ExpiredToken</Code><Token-0>hunter2</Token-0>";
        let error = Error::not_written("az://c/x", object_store::Error::Generic { store: "s", source: said.into() });
        assert_eq!(error.to_string(), "could not write \"az://c/x\": the object store answers with status 400");
        assert!(!format!("{error:?}").contains("hunter2"));
        let full = object_store::Error::Generic { store: "s", source: Box::new(io::Error::from_raw_os_error(5)) };
        assert!(Error::not_written("file:///x", full).to_string().contains("Input/output error"));
    }

    #[test]
    fn a_status_inside_a_generic_error_tells_what_happened() {
        let generic = |status: &str| object_store::Error::Generic {
            store: "S3",
            source: format!("Server returned non-2xx status code: {status}: <Error/>").into(),
        };
        let mapped = |status| Error::from_object_store("s3://b/k", generic(status));
        assert!(matches!(mapped("404 Not Found"), Error::NotFound { .. }));
        assert!(matches!(mapped("403 Forbidden"), Error::AccessDenied { .. }));
        assert!(matches!(mapped("412 Precondition Failed"), Error::FileChanged { .. }));
        assert!(matches!(mapped("503 Slow Down"), Error::Unavailable { .. }));
    }
}
