//! Decoded columns in memory, so that what is scanned again is not read and decoded again.
//!
//! An entry is a column of a row group of an exact version of a file, so it never becomes wrong; entries that are not used
//! go when the memory is needed. Segments of hot tables and external files share the cache.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayRef};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// Which column of which row group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChunkKey {
    /// The file, in a version that never changes.
    pub file: Arc<str>,
    /// The row group, from 0.
    pub row_group: u32,
    /// The column.
    pub column: Arc<str>,
}

/// Decoded columns, as many as fit.
#[derive(Debug)]
pub struct ColumnCache {
    entries: Cache<ChunkKey, ArrayRef, MemoryWeighter>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// How the cache does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheUse {
    /// Columns in it.
    pub entries: u64,
    /// Bytes of memory that they take.
    pub bytes: u64,
    /// Bytes that they may take.
    pub bytes_max: u64,
    /// Look-ups that found their column.
    pub hits: u64,
    /// Look-ups that did not.
    pub misses: u64,
}

#[derive(Debug, Clone)]
struct MemoryWeighter;

/// Bytes that an entry takes beside its column.
const ENTRY_BYTES: u64 = 200;
/// Bytes that a column of a row group is taken to have, for the first size of the cache's table.
const COLUMN_BYTES_ESTIMATED: u64 = 256 * 1024;

impl Weighter<ChunkKey, ArrayRef> for MemoryWeighter {
    fn weight(&self, _key: &ChunkKey, array: &ArrayRef) -> u64 {
        array.get_array_memory_size() as u64 + ENTRY_BYTES
    }
}

impl ColumnCache {
    /// An empty cache of `bytes_max` bytes.
    pub fn new(bytes_max: u64) -> Self {
        let estimated = (bytes_max / COLUMN_BYTES_ESTIMATED).max(16) as usize;
        let entries = Cache::with_weighter(estimated, bytes_max, MemoryWeighter);
        ColumnCache { entries, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// The column, which `read` reads when it is not there. Several who want the same wait for one of them.
    ///
    /// # Errors
    /// What `read` answers.
    pub async fn get_or_read<E>(
        &self,
        key: &ChunkKey,
        read: impl Future<Output = Result<ArrayRef, E>>,
    ) -> Result<ArrayRef, E> {
        let read = async {
            self.misses.fetch_add(1, Ordering::Relaxed);
            read.await
        };
        let misses_before = self.misses.load(Ordering::Relaxed);
        let found = self.entries.get_or_insert_async(key, read).await?;
        if self.misses.load(Ordering::Relaxed) == misses_before {
            self.hits.fetch_add(1, Ordering::Relaxed);
        }
        Ok(found)
    }

    /// How the cache does.
    pub fn usage(&self) -> CacheUse {
        CacheUse {
            entries: self.entries.len() as u64,
            bytes: self.entries.weight(),
            bytes_max: self.entries.capacity(),
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
        }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Int64Array;

    fn key(row_group: u32) -> ChunkKey {
        ChunkKey { file: "a".into(), row_group, column: "c1".into() }
    }

    async fn read(cache: &ColumnCache, row_group: u32) -> ArrayRef {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
        cache.get_or_read(&key(row_group), async { Ok::<_, ()>(column) }).await.unwrap()
    }

    #[tokio::test]
    async fn a_column_is_read_once_and_memory_is_bounded() {
        let cache = ColumnCache::new(100_000);
        for row_group in [0, 1, 0, 1] {
            assert_eq!(read(&cache, row_group).await.len(), 1000);
        }
        assert_eq!((cache.usage().hits, cache.usage().misses), (2, 2));
        for row_group in 0..100 {
            read(&cache, row_group).await;
        }
        let usage = cache.usage();
        assert!(usage.bytes <= usage.bytes_max && usage.entries > 0, "{usage:?}");
        cache.clear();
        assert_eq!(cache.usage().bytes, 0);
    }

    #[tokio::test]
    async fn what_could_not_be_read_is_tried_again() {
        let cache = ColumnCache::new(100_000);
        assert_eq!(cache.get_or_read(&key(0), async { Err("broken") }).await.unwrap_err(), "broken");
        assert_eq!(read(&cache, 0).await.len(), 1000);
    }
}
