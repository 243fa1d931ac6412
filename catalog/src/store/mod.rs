//! The commit store: where a commit becomes durable.
//!
//! A store keeps records, bytes under a key, and replaces some of them at once. It does not know what they mean.

mod backend;
mod export;
pub(crate) mod load;
mod log;
pub mod logged_store;
pub mod record;
pub mod redb_store;
mod tally;
pub(crate) mod touched;

pub use export::visit_records;
pub use logged_store::{LOG_BYTES, LoggedStore};
pub use record::RecordKey;
pub use redb_store::RedbStore;
pub(crate) use touched::{StoredRows, Touched};

use bytes::Bytes;

use crate::error::{Error, Result};

/// What happens to a record, or to several.
#[derive(Debug, Clone)]
pub enum RecordWrite {
    /// The record has these bytes from now on.
    Put {
        /// Which record.
        key: Vec<u8>,
        /// Its bytes.
        value: Bytes,
    },
    /// The record goes, if it is there.
    Remove {
        /// Which record.
        key: Vec<u8>,
    },
    /// All records go whose keys begin so.
    RemoveAll {
        /// The beginning of the keys.
        prefix: Vec<u8>,
    },
}

impl RecordWrite {
    /// Bytes that it writes, the key aside.
    pub(crate) fn value_bytes(&self) -> u64 {
        match self {
            RecordWrite::Put { value, .. } => value.len() as u64,
            RecordWrite::Remove { .. } | RecordWrite::RemoveAll { .. } => 0,
        }
    }

    /// Whether it makes room.
    fn removes(&self) -> bool {
        matches!(self, RecordWrite::Remove { .. } | RecordWrite::RemoveAll { .. })
    }
}

/// What is called with the key and the value of each record.
pub type RecordVisitor<'a> = dyn FnMut(&[u8], &[u8]) -> Result<()> + 'a;

/// Why a commit is not known to be durable.
#[derive(Debug)]
pub enum CommitFailure {
    /// Nothing of it is there or ever will be, and the store goes on.
    Refused(Error),
    /// It is unknown whether it will be there when the store is opened again: the caller must not go on as if either were
    /// the case.
    InDoubt(Error),
}

impl From<CommitFailure> for Error {
    fn from(failure: CommitFailure) -> Self {
        match failure {
            CommitFailure::Refused(error) | CommitFailure::InDoubt(error) => error,
        }
    }
}

/// Keeps records durably.
pub trait CommitStore: Send {
    /// Calls `visit` with every record, in the order of their keys.
    ///
    /// # Errors
    /// The store cannot be read or is not complete, or what `visit` answers. What was visited before an error counts for
    /// nothing.
    fn load(&self, visit: &mut RecordVisitor<'_>) -> Result<()>;

    /// Writes all of `writes` or none, and returns when they are durable.
    ///
    /// # Errors
    /// The commit was refused, or is in doubt.
    fn commit(&mut self, writes: &[RecordWrite]) -> Result<(), CommitFailure>;
}
