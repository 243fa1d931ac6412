//! What exists in a Thermocline server, and the one place where it changes.
//!
//! A [`CatalogSnapshot`] is everything that exists at one version: schemas, tables, partitions, views, and the rows of
//! small commits. It never changes. A [`CatalogChange`] is one of a closed list of things that can happen;
//! [`Catalog::commit`] applies a list of them to a copy, makes the result durable, and swaps it in.
//!
//! This crate knows no query engine and never interprets SQL text: a view is kept as the text it was created with.
//! Whatever comes later must keep it so; editing the catalog must not mean rebuilding the engine.

pub mod bad_data;
pub mod change;
pub mod comment;
pub mod commit;
mod committer;
pub mod constraint;
mod directory;
pub mod error;
pub mod external_table;
pub mod file_writes;
pub mod hot_table;
pub mod index;
pub mod keywords;
pub mod load_ledger;
pub mod missing_value;
pub mod name;
pub mod named_files;
pub mod partition;
pub mod restore;
pub mod role;
pub mod rows;
pub mod schema;
pub mod secret;
pub mod sequence;
pub mod snapshot;
pub mod statistics;
pub mod store;
pub mod temporary;
pub mod transaction;
mod type_change;
pub mod types;
pub mod user_type;
pub mod vfs;
pub mod view;

pub use bad_data::{BadDataRules, OnBadData, ValueRule};
pub use change::CatalogChange;
pub use commit::{Catalog, EXIT_CODE_STORE_FAILED};
pub use constraint::{Constraint, ConstraintKind};
pub use directory::DataDirectory;
pub use error::{Error, Result};
pub use external_table::{Compression, Delimited, ExternalTable, FileFormat, PartitionLayout, TextEncoding, WidthRule};
pub use file_writes::{FileWrite, FileWrites, NamedFile, WriteNumber};
pub use hot_table::{Column, ColumnDefault, HotTable, OnCommit};
pub use index::{Index, IndexMethod, ShownIndex};
pub use load_ledger::{FileVersion, LoadLedger, LoadedFile};
pub use missing_value::MissingValue;
pub use name::{ObjectName, Oid};
pub use named_files::NamedFiles;
pub use partition::Partition;
pub use restore::Restore;
pub use role::Role;
pub use rows::{RowAddresses, RowChanges, RowCounts, RowSet, TableRows, UnitId};
pub use schema::{ExternalSource, Schema, SchemaKind};
pub use secret::{SecretKind, StoredSecret};
pub use sequence::{Sequence, SequenceState};
pub use snapshot::{CatalogSnapshot, Relation, SeenDefinitions};
pub use statistics::{ColumnStatistics, TableStatistics};
pub use temporary::SessionCatalog;
pub use transaction::{Isolation, Transaction};
pub use types::SqlType;
pub use user_type::{UserType, UserTypeKind};
pub use view::{SeenColumn, SeenRelation, View};
