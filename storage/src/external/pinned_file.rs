//! A file as it was when it was listed.
//!
//! Every request carries the file's ETag, or when it was written if its store tells no ETag, so a file that is replaced while a statement reads it is
//! [`Error::FileChanged`] and never a mixture of two files; one that is deleted is [`Error::FileDeleted`].

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use datafusion::execution::object_store::ObjectStoreUrl;
use futures::stream::{self, StreamExt, TryStreamExt};
use object_store::{GetOptions, ObjectMeta, ObjectStore};

use super::manifests::Manifest;
use super::read_ranges::read_ranges;
use crate::chunk_bytes::ChunkBytes;
use crate::error::{Error, Result};
use crate::object_stores::object_url;
use crate::page_cache::PageCache;
use crate::scan::report::ReadCounter;

/// Bytes read in one request. Larger ranges are read in parts, so that each is done well within the request timeout on a
/// slow line, and several at once make a fast line busy.
pub(super) const REQUEST_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Parts of one range read at the same time.
const PARTS_PARALLEL: usize = 4;

/// The longest file that is looked for as a whole where a part of it is wanted. Longer ones are not read at once.
const WHOLE_BYTES_MAX: u64 = 1 << 20;
/// Attempts to read an answer to its end that cannot be gone on with.
const UNTAGGED_ATTEMPTS_MAX: u32 = 3;

/// How coarse the clock of a file system may be. A file that was written in place since may look as it did before.
const LOCAL_CLOCK_GRAIN_US: i64 = 2_000_000;

/// Reads one file.
#[derive(Debug)]
pub(super) struct PinnedFile {
    store: Arc<dyn ObjectStore>,
    object: ObjectMeta,
    url: String,
    version: Arc<str>,
    /// The end of the file, once it has been read.
    tail: OnceLock<ChunkBytes>,
    /// How many of the last bytes hold what has been asked for to describe the file.
    described_by: AtomicU64,
    /// Where its end may be kept.
    manifest: Option<Arc<Manifest>>,
    /// Where all of it may be kept.
    pages: Option<Arc<PageCache>>,
    /// Whether its version is told from the next one.
    is_settled: bool,
    read: Arc<ReadCounter>,
}

impl PinnedFile {
    /// The file that was listed as `object` in a store. What is read of it is counted.
    pub(super) fn new(
        store: Arc<dyn ObjectStore>,
        store_url: &ObjectStoreUrl,
        object: ObjectMeta,
        read: Arc<ReadCounter>,
    ) -> Self {
        let url = object_url(store_url, &object.location);
        let version = version(store_url, &object);
        let is_told = url.starts_with("file:") || has_strong_tag(&object);
        let file = PinnedFile {
            store,
            object,
            url,
            version,
            tail: OnceLock::new(),
            described_by: AtomicU64::new(0),
            manifest: None,
            pages: None,
            is_settled: true,
            read,
        };
        if is_told { file } else { file.unsettled() }
    }

    /// The file at this time, in microseconds since 1970. A local one that was written a moment ago may be written again without
    /// its file system's clock telling; then nobody else knows its version.
    pub(super) fn at(self, now_us: i64) -> Self {
        let age_us = now_us.saturating_sub(self.object.last_modified.timestamp_micros());
        if self.url.starts_with("file:") && age_us <= LOCAL_CLOCK_GRAIN_US { self.unsettled() } else { self }
    }

    /// The file, of whose version nobody else is told: it has a name that is not used again.
    fn unsettled(mut self) -> Self {
        static UNSETTLED: AtomicU64 = AtomicU64::new(0);
        self.is_settled = false;
        self.version = format!("{}\0{}", self.version, UNSETTLED.fetch_add(1, Ordering::Relaxed)).into();
        self
    }

    /// The file, whose end may be kept in a manifest.
    pub(super) fn known_by(self, manifest: Arc<Manifest>) -> Self {
        PinnedFile { manifest: Some(manifest), ..self }
    }

    /// The file, whose bytes may be kept. Those of local files are kept by the operating system; those of a file without an ETag,
    /// or with a weak one, cannot be told from others that were written in the same second.
    pub(super) fn kept_in(mut self, pages: Option<Arc<PageCache>>) -> Self {
        self.pages = pages.filter(|_| has_strong_tag(&self.object) && !self.url.starts_with("file:"));
        self
    }

    /// Where its bytes may be kept.
    pub(super) fn pages(&self) -> Option<&PageCache> {
        self.pages.as_deref()
    }

    /// Whether its version is told from the next one.
    pub(super) fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// Takes the file's end from where it is kept.
    pub(super) async fn take_known_tail(&self) {
        let Some(manifest) = self.manifest.clone().filter(|_| self.tail.get().is_none()) else { return };
        let version = self.version.clone();
        let known = tokio::task::spawn_blocking(move || manifest.end(&version)).await;
        if let Ok(Some((start, bytes))) = known {
            self.tail.get_or_init(|| ChunkBytes::new(start, bytes));
        }
    }

    /// What no other file, and no other version of this one, is called.
    pub(super) fn version(&self) -> &Arc<str> {
        &self.version
    }

    /// Its URL, as messages show it.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Its bytes.
    pub(super) fn size(&self) -> u64 {
        self.object.size
    }

    /// That the ranges are within the file.
    ///
    /// # Errors
    /// One is not.
    pub(super) fn check(&self, ranges: &[Range<u64>]) -> Result<()> {
        let is_inside = |range: &Range<u64>| range.start <= range.end && range.end <= self.object.size;
        if ranges.iter().all(is_inside) {
            return Ok(());
        }
        let reason = "its footer names bytes that it does not have".to_owned();
        Err(Error::Corrupted { path: self.url.clone(), reason })
    }

    /// The bytes of a range.
    ///
    /// # Errors
    /// It is not within the file, or the store does not give it.
    pub(super) async fn read(&self, range: Range<u64>) -> Result<Bytes> {
        Ok(read_ranges(self, &[range]).await?.into_iter().next().unwrap_or_default())
    }

    /// The bytes of a range, if they need not be fetched.
    pub(super) async fn kept(&self, range: &Range<u64>) -> Option<Bytes> {
        if range.is_empty() {
            return Some(Bytes::new());
        }
        if let Some(bytes) = self.tail.get().and_then(|tail| tail.range(range)) {
            return Some(bytes);
        }
        let pages = self.pages()?;
        if let Some(bytes) = pages.get(&self.version, range).await {
            return Some(bytes);
        }
        // A small file's end is all of it.
        let is_small = self.size() <= WHOLE_BYTES_MAX && range.end <= self.size();
        let whole = if is_small { pages.get(&self.version, &(0..self.size())).await } else { None };
        whole.map(|bytes| bytes.slice(range.start as usize..range.end as usize))
    }

    /// The bytes of a range, as the store has them.
    ///
    /// # Errors
    /// The store does not give them.
    pub(super) async fn fetch(&self, range: Range<u64>) -> Result<Bytes> {
        if range.end - range.start <= REQUEST_BYTES_MAX {
            return self.request(range).await;
        }
        // As long as it says it is, once that much has come.
        let capacity = (range.end - range.start).min(2 * REQUEST_BYTES_MAX);
        let mut whole = BytesMut::with_capacity(capacity as usize);
        let parts = (range.start..range.end).step_by(REQUEST_BYTES_MAX as usize);
        let parts = parts.map(|start| self.request(start..range.end.min(start + REQUEST_BYTES_MAX)));
        let mut parts = stream::iter(parts).buffered(PARTS_PARALLEL);
        while let Some(part) = parts.try_next().await? {
            whole.extend_from_slice(&part);
        }
        Ok(whole.freeze())
    }

    /// Reads the last `length` bytes, and keeps them: what is asked for next is often among them.
    ///
    /// # Errors
    /// The store does not give them.
    pub(super) async fn read_tail(&self, length: u64) -> Result<()> {
        if self.tail.get().is_some() {
            return Ok(());
        }
        let start = self.size().saturating_sub(length);
        let bytes = self.read(start..self.size()).await?;
        self.tail.get_or_init(|| ChunkBytes::new(start, bytes));
        Ok(())
    }

    /// Notes that what stands at this place tells something about the file.
    pub(super) fn is_described_at(&self, start: u64) {
        self.described_by.fetch_max(self.size().saturating_sub(start), Ordering::Relaxed);
    }

    /// How many of the last bytes hold all of what tells something about the file and has been asked for.
    pub(super) fn described_by(&self) -> u64 {
        self.described_by.load(Ordering::Relaxed)
    }

    async fn request(&self, range: Range<u64>) -> Result<Bytes> {
        self.read.count(range.end - range.start);
        let mut options = GetOptions { range: Some(range.clone().into()), ..GetOptions::default() };
        match &self.object.e_tag {
            Some(e_tag) => options.if_match = Some(e_tag.clone()),
            None => options.if_unmodified_since = Some(self.object.last_modified),
        }
        self.requested(range, options).await.map_err(|error| match Error::from_object_store(&self.url, error) {
            // It was there when it was listed.
            Error::NotFound { location } => Error::FileDeleted { path: location },
            error => error,
        })
    }
}

impl PinnedFile {
    /// What a store answers. An answer that breaks off is gone on with where it did, as long as the store says by an ETag that
    /// it goes on with the same file; without one, all of it is asked for again.
    async fn requested(&self, range: Range<u64>, options: GetOptions) -> object_store::Result<Bytes> {
        let mut attempts = 1;
        loop {
            let answer = self.store.get_opts(&self.object.location, options.clone()).await?;
            let size = answer.meta.size;
            match answer.bytes().await {
                Err(_) if !has_strong_tag(&self.object) && attempts < UNTAGGED_ATTEMPTS_MAX => attempts += 1,
                Ok(bytes) if size != self.object.size || bytes.len() as u64 != range.end - range.start => {
                    return Err(self.changed());
                }
                bytes => return bytes,
            }
        }
    }

    fn changed(&self) -> object_store::Error {
        let source = "it has another length than it had when it was listed".into();
        object_store::Error::Precondition { path: self.object.location.to_string(), source }
    }
}

/// Whether the file's store tells by an ETag which bytes are in it. A weak one tells what they mean.
fn has_strong_tag(object: &ObjectMeta) -> bool {
    object.e_tag.as_ref().is_some_and(|tag| !tag.starts_with("W/"))
}

/// What no other version of a file is called, as far as its store can tell.
fn version(store_url: &ObjectStoreUrl, object: &ObjectMeta) -> Arc<str> {
    let tag = match &object.e_tag {
        Some(tag) => tag.clone(),
        None => object.last_modified.timestamp_micros().to_string(),
    };
    // What is called the same is another file where another secret leads to another service.
    format!("{store_url}{}\0{tag}\0{}", object.location, object.size).into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;
    use object_store::path::Path;

    use super::*;

    async fn file(e_tag: Option<&str>) -> PinnedFile {
        let (store, path) = (Arc::new(InMemory::new()), Path::from("a"));
        store.put(&path, "bytes".into()).await.unwrap();
        let object = store.head(&path).await.unwrap();
        let object = ObjectMeta { e_tag: e_tag.map(str::to_owned), ..object };
        let store_url = ObjectStoreUrl::parse("https://host").unwrap();
        PinnedFile::new(store, &store_url, object, Arc::default())
    }

    #[tokio::test]
    async fn a_version_has_a_name_where_its_bytes_are_told_from_others() {
        for (e_tag, is_told) in [(Some("\"1\""), true), (Some("W/\"1\""), false), (None, false)] {
            let [first, second] = [file(e_tag).await, file(e_tag).await];
            assert_eq!(first.is_settled(), is_told, "{e_tag:?}");
            let first_version = first.version().rsplit_once('\0').map(|(_, last)| last.to_owned());
            let second_version = second.version().rsplit_once('\0').map(|(_, last)| last.to_owned());
            assert_eq!(first_version == second_version, is_told, "{e_tag:?}");
        }
    }

    #[tokio::test]
    async fn a_file_of_another_length_is_another_file() {
        let mut listed = file(None).await;
        listed.object.size = 9;
        let read = listed.read(0..5).await;
        assert!(matches!(read, Err(Error::FileChanged { .. })), "{read:?}");
    }
}
