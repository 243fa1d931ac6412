//! The commit store: where a commit becomes durable.
//!
//! A store keeps records, bytes under a key, and replaces some of them at once. It does not know what they mean.

mod backend;
pub mod record;
pub mod redb_store;
mod tally;

pub use record::RecordKey;
pub use redb_store::RedbStore;

use bytes::Bytes;

use crate::error::{Error, Result};

/// A record to be written, or to be removed when there is no value.
#[derive(Debug, Clone)]
pub struct RecordWrite {
    /// Which record.
    pub key: Vec<u8>,
    /// Its new bytes.
    pub value: Option<Bytes>,
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
