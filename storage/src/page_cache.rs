//! Bytes of files in object stores, kept in memory and on the local disk.
//!
//! What is decoded from them is in the [column cache](crate::column_cache), as long as it fits. This cache is for what does
//! not: a working set beyond memory, files of lines, and a server that has just started. An entry is a range of an exact
//! version of a file, so it never becomes wrong. Nothing depends on it: a disk that fails or is full costs time only.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use foyer::{
    BlockEngineConfig, Code, DeviceBuilder, Event, EventListener, FsDeviceBuilder, HybridCache, HybridCacheBuilder,
    HybridCachePolicy, LruConfig, RecoverMode, Source,
};
use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::{OnceCell, watch};

use crate::column_cache::CacheUse;

/// The longest entry. Longer ranges are kept in several.
const PIECE_BYTES: u64 = 1 << 20;
/// Pieces of a range that are looked for at the same time.
const PIECES_PARALLEL: usize = 16;
/// Bytes of the files on the disk; entries go as many at a time as are in one of them.
const BLOCK_BYTES: usize = 32 << 20;
/// Bytes that wait to be written. What comes faster than the disk takes it is kept in memory only.
const WRITE_BUFFER_BYTES: usize = 8 << 20;
/// Parts of the memory that are locked each on their own.
const SHARDS: usize = 4;
/// Bytes that an entry takes beside its own.
const ENTRY_BYTES: usize = 200;
/// Less space on the disk is not worth the files.
const DISK_BYTES_MIN: u64 = 4 * BLOCK_BYTES as u64;

/// How large a [`PageCache`] may be, and where it is.
#[derive(Debug, Clone)]
pub struct PageCacheConfig {
    /// Where its files are. Nobody else may have files there.
    pub directory: PathBuf,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// Bytes of the disk. Less than a few blocks means none.
    pub disk_bytes: u64,
}

/// Bytes of files in object stores. It is opened when it is needed first.
#[derive(Debug)]
pub struct PageCache {
    config: PageCacheConfig,
    /// None when it cannot be opened.
    kept: OnceCell<Option<Kept>>,
    /// What is being read at the moment; who wants the same waits.
    reading: Mutex<HashMap<PageKey, watch::Receiver<()>>>,
    memory: Counters,
    disk: Counters,
}

type Kept = HybridCache<PageKey, Bytes>;

#[derive(Debug, Default)]
struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: Arc<AtomicU64>,
}

/// A range of a version of a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct PageKey {
    file: Arc<str>,
    start: u64,
    end: u64,
}

/// The right to read a range, while others who want it wait.
pub(crate) struct Claim<'a> {
    cache: &'a PageCache,
    key: PageKey,
    /// Its end is the end of the waiting.
    _reading: watch::Sender<()>,
}

/// Who reads a range.
pub(crate) enum Claimed<'a> {
    /// Whoever asked.
    Mine(Claim<'a>),
    /// Another one, who is through when this ends.
    Others(watch::Receiver<()>),
}

/// Counts what goes from memory.
struct CountEvictions(Arc<AtomicU64>);

impl EventListener for CountEvictions {
    type Key = PageKey;
    type Value = Bytes;

    fn on_leave(&self, reason: Event, _key: &PageKey, _value: &Bytes) {
        if reason == Event::Evict {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Code for PageKey {
    fn encode(&self, writer: &mut impl std::io::Write) -> foyer::Result<()> {
        self.start.encode(writer)?;
        self.end.encode(writer)?;
        self.file.len().encode(writer)?;
        writer.write_all(self.file.as_bytes()).map_err(foyer::Error::io_error)
    }

    fn decode(reader: &mut impl std::io::Read) -> foyer::Result<Self> {
        let (start, end) = (u64::decode(reader)?, u64::decode(reader)?);
        Ok(PageKey { file: String::decode(reader)?.into(), start, end })
    }

    fn estimated_size(&self) -> usize {
        3 * size_of::<u64>() + self.file.len()
    }
}

impl PageCache {
    /// A cache with what it kept when it was closed, as far as that is still there.
    pub fn new(config: PageCacheConfig) -> Self {
        PageCache {
            config,
            kept: OnceCell::new(),
            reading: Mutex::default(),
            memory: Counters::default(),
            disk: Counters::default(),
        }
    }

    /// The bytes of a range of this version of a file, if all of them are there.
    pub(crate) async fn get(&self, file: &Arc<str>, range: &Range<u64>) -> Option<Bytes> {
        let kept = self.kept().await?;
        // Ends with the first that is not there: a file may say of itself that it is longer than any is.
        let looked_for = stream::iter(pieces(file, range)).map(|key| self.piece(kept, key)).buffered(PIECES_PARALLEL);
        let mut pieces: Vec<_> = looked_for.map(|piece| piece.ok_or(())).try_collect().await.ok()?;
        if pieces.len() == 1 {
            return pieces.pop();
        }
        let mut whole = BytesMut::with_capacity((range.end - range.start) as usize);
        pieces.iter().for_each(|piece| whole.extend_from_slice(piece));
        Some(whole.freeze())
    }

    async fn piece(&self, kept: &Kept, key: PageKey) -> Option<Bytes> {
        let found = kept.get(&key).await.unwrap_or_else(|error| {
            tracing::debug!(%error, "a page could not be read from the disk");
            None
        });
        let found = found.filter(|entry| entry.len() as u64 == key.end - key.start);
        let (memory, disk) = (&self.memory, &self.disk);
        let from_memory = found.as_ref().is_some_and(|entry| entry.source() != Source::Disk);
        let counted: &[&AtomicU64] = match (&found, from_memory) {
            (Some(_), true) => &[&memory.hits],
            (Some(_), false) => &[&memory.misses, &disk.hits],
            (None, _) => &[&memory.misses, &disk.misses],
        };
        for count in counted {
            count.fetch_add(1, Ordering::Relaxed);
        }
        found.map(|entry| entry.value().clone())
    }

    /// Keeps the bytes of a range.
    pub(crate) async fn insert(&self, file: &Arc<str>, range: &Range<u64>, bytes: &Bytes) {
        let Some(kept) = self.kept().await else { return };
        for key in pieces(file, range) {
            let (start, end) = ((key.start - range.start) as usize, (key.end - range.start) as usize);
            // A copy: the bytes may be a part of many more, that would be kept with them.
            kept.insert(key, Bytes::copy_from_slice(&bytes[start..end]));
        }
    }

    /// Who reads a range that is not here.
    pub(crate) fn claim(&self, file: &Arc<str>, range: &Range<u64>) -> Claimed<'_> {
        let key = PageKey { file: file.clone(), start: range.start, end: range.end };
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(others) = reading.get(&key) {
            return Claimed::Others(others.clone());
        }
        let (sender, receiver) = watch::channel(());
        reading.insert(key.clone(), receiver);
        Claimed::Mine(Claim { cache: self, key, _reading: sender })
    }

    /// Forgets everything.
    pub async fn clear(&self) {
        // One that nobody has needed yet may have something on the disk.
        if let Some(kept) = self.kept().await
            && let Err(error) = kept.clear().await
        {
            tracing::warn!(%error, "the page cache could not be cleared on the disk");
        }
    }

    /// Waits until what is to be on the disk is there.
    pub async fn close(&self) {
        if let Some(Some(kept)) = self.kept.get()
            && let Err(error) = kept.close().await
        {
            tracing::warn!(%error, "the page cache could not be written to the disk");
        }
    }

    /// How it does in memory.
    pub fn memory_usage(&self) -> CacheUse {
        let memory = self.kept.get().and_then(Option::as_ref).map(|kept| kept.memory());
        CacheUse {
            entries: memory.map_or(0, |memory| memory.entries() as u64),
            bytes: memory.map_or(0, |memory| memory.usage() as u64),
            bytes_max: self.config.memory_bytes,
            hits: self.memory.hits.load(Ordering::Relaxed),
            misses: self.memory.misses.load(Ordering::Relaxed),
            evictions: self.memory.evictions.load(Ordering::Relaxed),
        }
    }

    /// How it does on the disk. What is on it is not counted one by one, and goes by whole files.
    pub fn disk_usage(&self) -> CacheUse {
        CacheUse {
            entries: 0,
            bytes: disk_bytes(&self.config.directory),
            bytes_max: self.disk_bytes_max(),
            hits: self.disk.hits.load(Ordering::Relaxed),
            misses: self.disk.misses.load(Ordering::Relaxed),
            evictions: 0,
        }
    }

    fn disk_bytes_max(&self) -> u64 {
        if self.config.disk_bytes < DISK_BYTES_MIN { 0 } else { self.config.disk_bytes }
    }

    async fn kept(&self) -> Option<&Kept> {
        let open = async {
            let opened = self.open().await;
            opened.inspect_err(|error| tracing::warn!(%error, "there is no page cache: it could not be opened")).ok()
        };
        self.kept.get_or_init(|| open).await.as_ref()
    }

    async fn open(&self) -> foyer::Result<Kept> {
        let memory = HybridCacheBuilder::new()
            .with_name("pages")
            .with_policy(HybridCachePolicy::WriteOnInsertion)
            .with_event_listener(Arc::new(CountEvictions(self.memory.evictions.clone())))
            .memory(usize::try_from(self.config.memory_bytes).unwrap_or(usize::MAX))
            .with_shards(SHARDS)
            .with_eviction_config(LruConfig::default())
            .with_weighter(|key: &PageKey, value: &Bytes| key.file.len() + value.len() + ENTRY_BYTES);
        let bytes = self.disk_bytes_max();
        if bytes == 0 {
            return memory.storage().build().await;
        }
        let capacity = usize::try_from(bytes).unwrap_or(usize::MAX);
        // The library ends the process where it cannot be made.
        std::fs::create_dir_all(&self.config.directory).map_err(foyer::Error::io_error)?;
        let device = FsDeviceBuilder::new(&self.config.directory).with_capacity(capacity).build()?;
        let disk = BlockEngineConfig::new(device)
            .with_block_size(BLOCK_BYTES)
            .with_buffer_pool_size(WRITE_BUFFER_BYTES)
            .with_submit_queue_size_threshold(2 * WRITE_BUFFER_BYTES);
        memory.storage().with_engine_config(disk).with_recover_mode(RecoverMode::Quiet).build().await
    }
}

/// The keys under which a range is kept.
fn pieces(file: &Arc<str>, range: &Range<u64>) -> impl Iterator<Item = PageKey> {
    let (file, end) = (file.clone(), range.end);
    let piece = move |start| PageKey { file: file.clone(), start, end: end.min(start + PIECE_BYTES) };
    (range.start..range.end).step_by(PIECE_BYTES as usize).map(piece)
}

/// Bytes of the disk that the files of a directory take; less than their lengths while they have holes.
fn disk_bytes(directory: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(files) = std::fs::read_dir(directory) else { return 0 };
    let metadata = files.flatten().filter_map(|file| file.metadata().ok());
    metadata.filter(std::fs::Metadata::is_file).map(|file| file.blocks() * 512).sum()
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.cache.reading.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn cache(directory: &Path, disk_bytes: u64) -> PageCache {
        let directory = directory.to_owned();
        PageCache::new(PageCacheConfig { directory, memory_bytes: 16 * MIB, disk_bytes })
    }

    fn bytes(length: u64) -> Bytes {
        (0..length).map(|place| (place * 7 % 251) as u8).collect()
    }

    #[tokio::test]
    async fn what_was_kept_is_found_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let (file, range) = (Arc::from("s3://bucket/file\0tag"), 10..10 + 2 * MIB + 5);
        let first = cache(directory.path(), DISK_BYTES_MIN);
        assert_eq!(first.get(&file, &range).await, None);
        first.insert(&file, &range, &bytes(2 * MIB + 5)).await;
        assert_eq!(first.get(&file, &range).await, Some(bytes(2 * MIB + 5)));
        assert_eq!(first.get(&file, &(11..20)).await, None);
        first.close().await;
        drop(first);

        let second = cache(directory.path(), DISK_BYTES_MIN);
        assert_eq!(second.get(&Arc::from("s3://bucket/file\0other"), &range).await, None);
        assert_eq!(second.get(&file, &range).await, Some(bytes(2 * MIB + 5)));
        assert_eq!(second.disk_usage().hits, 3);
        second.clear().await;
        assert_eq!(second.get(&file, &range).await, None);
    }

    #[tokio::test]
    async fn a_disk_that_fails_costs_time_only() {
        let directory = tempfile::tempdir().unwrap();
        let file_in_the_way = directory.path().join("pages");
        std::fs::write(&file_in_the_way, "no folder").unwrap();
        let cache = cache(&file_in_the_way.join("below"), DISK_BYTES_MIN);
        let file = Arc::from("s3://bucket/file\0tag");
        cache.insert(&file, &(0..3), &bytes(3)).await;
        assert_eq!(cache.get(&file, &(0..3)).await, None);
    }

    #[tokio::test]
    async fn a_range_longer_than_any_file_is_not_looked_for_piece_by_piece() {
        let directory = tempfile::tempdir().unwrap();
        let cache = cache(directory.path(), 0);
        let file = Arc::from("s3://bucket/file\0tag");
        cache.insert(&file, &(0..MIB), &bytes(MIB)).await;
        assert_eq!(cache.get(&file, &(0..u64::MAX / 2)).await, None);
    }

    #[tokio::test]
    async fn without_a_disk_it_is_in_memory() {
        let directory = tempfile::tempdir().unwrap();
        let cache = cache(directory.path(), 0);
        let file = Arc::from("s3://bucket/file\0tag");
        cache.insert(&file, &(0..3), &bytes(3)).await;
        assert_eq!(cache.get(&file, &(0..3)).await, Some(bytes(3)));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn one_reads_and_others_wait() {
        let directory = tempfile::tempdir().unwrap();
        let cache = cache(directory.path(), 0);
        let file = Arc::from("s3://bucket/file\0tag");
        let Claimed::Mine(claim) = cache.claim(&file, &(0..3)) else { panic!("nobody reads") };
        let Claimed::Others(mut others) = cache.claim(&file, &(0..3)) else { panic!("somebody reads") };
        drop(claim);
        assert!(others.changed().await.is_err());
        assert!(matches!(cache.claim(&file, &(0..3)), Claimed::Mine(_)));
    }
}
