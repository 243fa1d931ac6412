//! Small commits: rows kept inside the commit record itself.

use std::sync::{Arc, OnceLock};

use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The number of a set of rows (an inline chunk, later also a segment). Together with the row's position in it, it is the
/// row's address; one sequence numbers the units of all tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnitId(pub u64);

/// Rows that one commit added to a table.
///
/// The bytes are opaque here: the storage crate makes and reads them. They are kept beside the decoded rows because
/// decoding shares their memory; only what has another form at rest is copied.
#[derive(Debug, Clone)]
pub struct InlineChunk {
    /// Its number.
    pub unit: UnitId,
    /// How many rows it has.
    pub rows: u32,
    bytes: Bytes,
    decoded: Arc<OnceLock<RecordBatch>>,
}

impl InlineChunk {
    /// A chunk of `rows` rows encoded in `bytes`.
    pub fn new(unit: UnitId, rows: u32, bytes: Bytes) -> Self {
        InlineChunk { unit, rows, bytes, decoded: Arc::default() }
    }

    /// The encoded rows.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The decoded rows; `decode` runs once, when somebody asks first.
    pub fn batch<E>(&self, decode: impl FnOnce(&Bytes) -> Result<RecordBatch, E>) -> Result<RecordBatch, E> {
        if let Some(batch) = self.decoded.get() {
            return Ok(batch.clone());
        }
        let batch = decode(&self.bytes)?;
        Ok(self.decoded.get_or_init(|| batch).clone())
    }
}
