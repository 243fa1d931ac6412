//! Decoded columns in memory, so that what is scanned again is not read and decoded again.
//!
//! An entry is a column of a row group of an exact version of a file, so it never becomes wrong; entries that are not used
//! go when the memory is needed. Segments of hot tables and external files share the cache.

mod coded_text;

use std::collections::{BTreeMap, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayData, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::Buffer;
use arrow::compute::filter;
use arrow::datatypes::DataType;
use datafusion::common::Result as EngineResult;
use datafusion::error::DataFusionError;
use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Lifecycle, Weighter};

pub(crate) use coded_text::CodedText;

/// Rows of a batch of a cached column: those that the engine computes with at once. A batch has memory of its own, so that
/// an operator that keeps it is not taken to keep a whole row group.
pub const BATCH_ROWS: usize = 8192;

/// Which column of which row group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChunkKey {
    /// The number of the table.
    pub table: u32,
    /// The file, in a version that never changes.
    pub file: Arc<str>,
    /// The row group, from 0.
    pub row_group: u32,
    /// The column.
    pub column: Arc<str>,
}

/// A column of a row group, decoded.
#[derive(Debug)]
pub struct CachedColumn {
    values: Values,
    bytes: u64,
}

#[derive(Debug)]
enum Values {
    Batches(Vec<ArrayRef>),
    Coded(CodedText),
}

impl CachedColumn {
    /// The column in batches of [`BATCH_ROWS`], but for the last.
    pub fn new(batches: Vec<ArrayRef>) -> Self {
        let values = match CodedText::of(&batches) {
            Some(coded) => Values::Coded(coded),
            None => Values::Batches(batches.into_iter().map(without_unused_text).collect()),
        };
        let mut seen = HashSet::new();
        let mut held = |array: &dyn Array| held_bytes(&array.to_data(), &mut seen);
        let bytes = match &values {
            Values::Batches(batches) => batches.iter().map(|batch| held(batch)).sum(),
            Values::Coded(coded) => coded.arrays().map(held).sum(),
        };
        CachedColumn { values, bytes }
    }

    /// The same, for who does not keep it.
    pub fn for_once(batches: Vec<ArrayRef>) -> Self {
        CachedColumn { values: Values::Batches(batches), bytes: 0 }
    }

    /// Those rows of a batch of it that are `left`; `None` is all.
    ///
    /// # Errors
    /// There is none: the file has fewer rows than the commit store says.
    pub fn batch(&self, place: usize, left: Option<&BooleanArray>) -> EngineResult<ArrayRef> {
        match (&self.values, left) {
            (Values::Coded(coded), left) => coded.batch(place, left)?.ok_or_else(missing),
            (Values::Batches(batches), None) => batches.get(place).cloned().ok_or_else(missing),
            (Values::Batches(batches), Some(left)) => Ok(filter(batches.get(place).ok_or_else(missing)?, left)?),
        }
    }

    /// The value of a row, alone.
    ///
    /// # Errors
    /// There is none, as above.
    pub fn value(&self, row: usize) -> EngineResult<ArrayRef> {
        let (place, row) = (row / BATCH_ROWS, row % BATCH_ROWS);
        let value = match &self.values {
            Values::Coded(coded) => coded.text(place, row),
            Values::Batches(batches) => {
                batches.get(place).filter(|batch| row < batch.len()).map(|batch| batch.slice(row, 1))
            }
        };
        value.ok_or_else(missing)
    }

    /// The column as numbers of its texts, where it is kept so.
    pub fn coded(&self) -> Option<&CodedText> {
        match &self.values {
            Values::Coded(coded) => Some(coded),
            Values::Batches(_) => None,
        }
    }

    /// Its type; `None` if it has no batch.
    pub fn data_type(&self) -> Option<&DataType> {
        match &self.values {
            Values::Coded(coded) => Some(coded.texts().data_type()),
            Values::Batches(batches) => batches.first().map(|batch| batch.data_type()),
        }
    }

    /// Its batches.
    ///
    /// # Errors
    /// None but bugs.
    pub fn batches(&self) -> EngineResult<Vec<ArrayRef>> {
        match &self.values {
            Values::Coded(coded) => (0..coded.batches()).map(|place| self.batch(place, None)).collect(),
            Values::Batches(batches) => Ok(batches.clone()),
        }
    }

    /// Bytes of memory that it takes; what batches share is counted once.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

fn missing() -> DataFusionError {
    DataFusionError::Internal("a row group has fewer rows than it should have".to_owned())
}

/// Short texts are in the views themselves; the pages they were read from need not be kept for them.
fn without_unused_text(batch: ArrayRef) -> ArrayRef {
    match batch.data_type() {
        DataType::Utf8View => {
            let texts = batch.as_string_view();
            if texts.data_buffers().is_empty() || texts.total_buffer_bytes_used() > 0 {
                return batch;
            }
            Arc::new(texts.gc())
        }
        _ => batch,
    }
}

fn held_bytes(array: &ArrayData, seen: &mut HashSet<usize>) -> u64 {
    let mut buffer_bytes = |buffer: &Buffer| match seen.insert(buffer.data_ptr().as_ptr().addr()) {
        true => buffer.capacity() as u64,
        false => 0,
    };
    let own: u64 = array.buffers().iter().map(&mut buffer_bytes).sum();
    let nulls = array.nulls().map_or(0, |nulls| buffer_bytes(nulls.buffer()));
    let children: u64 = array.child_data().iter().map(|child| held_bytes(child, seen)).sum();
    own + nulls + children + size_of::<ArrayData>() as u64
}

/// Decoded columns, as many as fit. A column that is read once goes before one that has been used again, so a scan of a
/// large table leaves what others use.
#[derive(Debug)]
pub struct ColumnCache {
    entries: Cache<ChunkKey, Arc<CachedColumn>, MemoryWeighter, DefaultHashBuilder, CountEvictions>,
    /// Columns of which somebody has needed few values of late.
    needed: Cache<ChunkKey, ()>,
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: Arc<AtomicU64>,
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
    /// Columns that made room for others.
    pub evictions: u64,
}

#[derive(Debug, Clone)]
struct MemoryWeighter;

/// Bytes that an entry takes beside its column.
const ENTRY_BYTES: u64 = 200;
/// Columns that the cache remembers although they are not in it. Each takes some 100 bytes.
const NEEDED_MAX: usize = 50_000;
/// Bytes that a column of a row group is taken to have, for the first size of the cache's table.
const COLUMN_BYTES_ESTIMATED: u64 = 256 * 1024;

impl Weighter<ChunkKey, Arc<CachedColumn>> for MemoryWeighter {
    fn weight(&self, _key: &ChunkKey, column: &Arc<CachedColumn>) -> u64 {
        column.bytes() + ENTRY_BYTES
    }
}

/// Counts what makes room for others.
#[derive(Debug, Clone, Default)]
pub(crate) struct CountEvictions(pub Arc<AtomicU64>);

impl<K, V> Lifecycle<K, V> for CountEvictions {
    /// What is dropped once the cache is unlocked.
    type RequestState = Vec<V>;

    fn on_evict(&self, dropped: &mut Self::RequestState, _key: K, value: V) {
        self.0.fetch_add(1, Ordering::Relaxed);
        dropped.push(value);
    }
}

impl ColumnCache {
    /// An empty cache of `bytes_max` bytes.
    pub fn new(bytes_max: u64) -> Self {
        let estimated = (bytes_max / COLUMN_BYTES_ESTIMATED).max(16) as usize;
        let evictions = Arc::new(AtomicU64::new(0));
        let lifecycle = CountEvictions(evictions.clone());
        let entries = Cache::with(estimated, bytes_max, MemoryWeighter, DefaultHashBuilder::default(), lifecycle);
        let needed = Cache::new(NEEDED_MAX);
        ColumnCache { entries, needed, hits: AtomicU64::new(0), misses: AtomicU64::new(0), evictions }
    }

    /// The column, which `read` reads when it is not there. Several who want the same wait for one of them.
    ///
    /// # Errors
    /// What `read` answers.
    pub async fn get_or_read<E>(
        &self,
        key: &ChunkKey,
        read: impl Future<Output = Result<CachedColumn, E>>,
    ) -> Result<Arc<CachedColumn>, E> {
        let mut is_read = false;
        let read = async {
            is_read = true;
            self.misses.fetch_add(1, Ordering::Relaxed);
            read.await.map(Arc::new)
        };
        let found = self.entries.get_or_insert_async(key, read).await?;
        if !is_read {
            self.hits.fetch_add(1, Ordering::Relaxed);
        }
        Ok(found)
    }

    /// The column, if it is there.
    pub fn get(&self, key: &ChunkKey) -> Option<Arc<CachedColumn>> {
        let found = self.entries.get(key);
        if found.is_some() {
            self.hits.fetch_add(1, Ordering::Relaxed);
        }
        found
    }

    /// Whether somebody who needed few values of a column has asked this before. Who does so again had better read all of them
    /// into the cache.
    pub fn was_needed(&self, key: &ChunkKey) -> bool {
        let was_needed = self.needed.get(key).is_some();
        if !was_needed {
            self.needed.insert(key.clone(), ());
        }
        was_needed
    }

    /// The column, if it is there. The cache does not know that anybody has asked.
    pub fn peek(&self, key: &ChunkKey) -> Option<Arc<CachedColumn>> {
        self.entries.peek(key)
    }

    /// Whether it keeps anything.
    pub fn is_on(&self) -> bool {
        self.entries.capacity() > 0
    }

    /// How the cache does.
    pub fn usage(&self) -> CacheUse {
        CacheUse {
            entries: self.entries.len() as u64,
            bytes: self.entries.weight(),
            bytes_max: self.entries.capacity(),
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            evictions: self.evictions.load(Ordering::Relaxed),
        }
    }

    /// Of each table that has something in it: how many columns of row groups, and their bytes.
    pub fn tables(&self) -> BTreeMap<u32, (u64, u64)> {
        let mut tables = BTreeMap::new();
        for (key, column) in self.entries.iter() {
            let (columns, bytes) = tables.entry(key.table).or_insert((0, 0));
            *columns += 1;
            *bytes += column.bytes() + ENTRY_BYTES;
        }
        tables
    }

    /// Forgets a file that will not be read again.
    pub fn forget(&self, file: &str) {
        self.entries.retain(|key, _| key.file.as_ref() != file);
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.needed.clear();
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Int64Array;

    fn key(row_group: u32) -> ChunkKey {
        ChunkKey { table: 1, file: "a".into(), row_group, column: "c1".into() }
    }

    async fn read(cache: &ColumnCache, row_group: u32) -> usize {
        let column = CachedColumn::new(vec![Arc::new(Int64Array::from_iter_values(0..1000))]);
        let column = cache.get_or_read(&key(row_group), async { Ok::<_, ()>(column) }).await.unwrap();
        column.batch(0, None).unwrap().len()
    }

    #[tokio::test]
    async fn a_column_is_read_once_and_memory_is_bounded() {
        let cache = ColumnCache::new(100_000);
        for row_group in [0, 1, 0, 1] {
            assert_eq!(read(&cache, row_group).await, 1000);
        }
        assert_eq!((cache.usage().hits, cache.usage().misses), (2, 2));
        for row_group in 0..100 {
            read(&cache, row_group).await;
        }
        let usage = cache.usage();
        assert!(usage.bytes <= usage.bytes_max && usage.entries > 0 && usage.evictions > 0, "{usage:?}");
        assert_eq!(cache.tables().values().map(|(_, bytes)| bytes).sum::<u64>(), usage.bytes);
        cache.clear();
        assert_eq!(cache.usage().bytes, 0);
    }

    #[tokio::test]
    async fn what_could_not_be_read_is_tried_again() {
        let cache = ColumnCache::new(100_000);
        assert_eq!(cache.get_or_read(&key(0), async { Err("broken") }).await.unwrap_err(), "broken");
        assert_eq!(read(&cache, 0).await, 1000);
    }

    #[tokio::test]
    async fn a_large_scan_leaves_what_is_used_again() {
        let cache = ColumnCache::new(1_000_000);
        for _ in 0..3 {
            for row_group in 0..20 {
                read(&cache, row_group).await;
            }
        }
        for row_group in 1000..3000 {
            read(&cache, row_group).await;
        }
        let misses = cache.usage().misses;
        for row_group in 0..20 {
            read(&cache, row_group).await;
        }
        assert!(cache.usage().misses - misses < 10, "{:?}", cache.usage());
    }

    #[test]
    fn what_batches_share_is_counted_once() {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100_000));
        let whole = CachedColumn::new(vec![numbers.clone()]).bytes();
        let slices = (0..10).map(|part| numbers.slice(part * 10_000, 10_000)).collect();
        let slices = CachedColumn::new(slices).bytes();
        assert!(slices < whole + 10_000, "{slices} {whole}");
    }

    #[tokio::test]
    async fn a_file_that_is_gone_is_forgotten() {
        let cache = ColumnCache::new(1_000_000);
        read(&cache, 0).await;
        cache.forget("b");
        assert_eq!(cache.usage().entries, 1);
        cache.forget("a");
        assert_eq!(cache.usage().entries, 0);
    }
}
