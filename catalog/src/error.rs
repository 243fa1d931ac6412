//! What can go wrong in the catalog.

use std::path::Path;

use crate::name::{ObjectName, Oid};

/// The result of a catalog operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a change was refused or the commit store could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A schema of this name is there already.
    #[error("schema \"{0}\" already exists")]
    SchemaExists(String),
    /// No schema has this name.
    #[error("schema \"{0}\" does not exist")]
    SchemaNotFound(String),
    /// A schema that still holds relations was to be dropped.
    #[error("cannot drop schema {schema} because other objects depend on it")]
    SchemaNotEmpty {
        /// The schema.
        schema: String,
        /// The relations in it, sorted.
        relations: Vec<String>,
    },
    /// A relation of this name is there already; tables and views share one name space.
    #[error("relation \"{}\" already exists", .0.name)]
    RelationExists(ObjectName),
    /// A type of this name is there already, or a table, whose rows are of a type of its name.
    #[error("type \"{}\" already exists", .0.name)]
    TypeExists(ObjectName),
    /// A type that others use was to be dropped.
    #[error("cannot drop {ty} because other objects depend on it")]
    TypeInUse {
        /// The type, as a message names it: `type public.mood`.
        ty: String,
        /// What depends on it, as messages name it.
        dependents: Vec<String>,
    },
    /// No relation has this name.
    #[error("relation \"{0}\" does not exist")]
    RelationNotFound(String),
    /// A relation that others use was to be dropped.
    #[error("cannot drop {relation} because other objects depend on it")]
    RelationInUse {
        /// The relation, as a message names it: `table public.t`.
        relation: String,
        /// What depends on it, as messages name it: `view public.v`.
        dependents: Vec<String>,
    },
    /// An object that a transaction used was dropped or replaced before the transaction committed.
    #[error("could not serialize access due to concurrent update")]
    ChangedConcurrently {
        /// The object that is gone.
        oid: Oid,
    },
    /// A role of this name is there already.
    #[error("role \"{0}\" already exists")]
    RoleExists(String),
    /// A secret of this name is there already.
    #[error("secret \"{0}\" already exists")]
    SecretExists(String),
    /// A row was deleted, or its unit rewritten, before the change of it was committed.
    #[error("could not serialize access due to concurrent update")]
    RowChangedConcurrently {
        /// The table.
        table: Oid,
    },
    /// A write of files was to end that has ended.
    #[error("write {number} of files has ended")]
    FileWriteEnded {
        /// Its number.
        number: u64,
    },
    /// Rows cannot be added to a table.
    #[error("could not add rows to table {}: {reason}", .table.0)]
    Rows {
        /// The table.
        table: Oid,
        /// What is wrong with them.
        reason: String,
    },
    /// The partition is registered already.
    #[error("partition ({values}) of table \"{table}\" already exists")]
    PartitionExists {
        /// The table.
        table: String,
        /// `key=value` pairs.
        values: String,
    },
    /// No such partition is registered.
    #[error("partition ({values}) of table \"{table}\" does not exist")]
    PartitionNotFound {
        /// The table.
        table: String,
        /// `key=value` pairs.
        values: String,
    },
    /// The data directory was written by a version that stores things differently.
    #[error("data directory has format {found}, this version of Thermocline reads format {supported}")]
    UnknownFormat {
        /// The format found.
        found: u32,
        /// The format this version reads and writes.
        supported: u32,
    },
    /// A record does not match its checksum or cannot be read.
    #[error("record {key} of the commit store is corrupted: {reason}")]
    Corrupted {
        /// The record.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file of the commit store is damaged.
    #[error("commit store \"{path}\" is damaged: {reason}")]
    DamagedStore {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file of the commit store cannot grow. Nothing was written, and commits go on once there is space.
    #[error("could not extend file \"{path}\": No space left on device")]
    DiskFull {
        /// The file.
        path: String,
    },
    /// The data directory is in use.
    #[error("data directory \"{directory}\" is in use by another server{}", owner(*.pid))]
    DirectoryInUse {
        /// The directory.
        directory: String,
        /// The process that holds it, when it can be told.
        pid: Option<u32>,
    },
    /// A data directory was to be restored into a directory that holds something.
    #[error("directory \"{directory}\" is not empty")]
    DirectoryNotEmpty {
        /// The directory.
        directory: String,
    },
    /// What was restored into the data directory is not complete.
    #[error("data directory \"{directory}\" holds a restore that did not finish")]
    RestoreUnfinished {
        /// The directory.
        directory: String,
    },
    /// The commit store could not be opened, read or written.
    #[error("commit store failed: {0}")]
    Store(#[from] Box<redb::Error>),
    /// A file operation of the data directory failed.
    #[error("could not {action} \"{path}\": {source}")]
    File {
        /// What was tried: `create`, `lock` …
        action: &'static str,
        /// The file or directory.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The server is shutting down, nothing more can be committed.
    #[error("the server is shutting down")]
    ShuttingDown,
}

/// A failed file operation.
pub(crate) fn file_error(action: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::File { action, path: path.display().to_string(), source }
}

fn owner(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}
