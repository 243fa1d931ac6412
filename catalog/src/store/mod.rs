//! The commit store: where a commit becomes durable.
//!
//! A store keeps records, bytes under a key, and replaces some of them at once. It does not know what they mean.

pub mod record;
pub mod redb_store;

pub use record::RecordKey;
pub use redb_store::RedbStore;

use bytes::Bytes;

use crate::error::Result;

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

/// Keeps records durably.
pub trait CommitStore: Send {
    /// Calls `visit` with every record, in the order of their keys.
    ///
    /// # Errors
    /// The store cannot be read, or what `visit` answers.
    fn load(&self, visit: &mut RecordVisitor<'_>) -> Result<()>;

    /// Writes all of `writes` or none, and returns when they are durable.
    ///
    /// # Errors
    /// After an error it is unknown whether the writes will be there when the store is opened again: the caller must not
    /// go on as if either were the case.
    fn commit(&mut self, writes: &[RecordWrite]) -> Result<()>;
}
