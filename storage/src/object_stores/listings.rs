//! What was below locations a moment ago. Nobody is told when others write there, so a listing is good for as long as
//! whoever asks says, and no longer; what this server writes itself it knows of.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::TryStreamExt;
use object_store::ObjectMeta;
use object_store::path::Path;
use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Weighter};

use super::Location;
use crate::column_cache::{CacheUse, CountEvictions};
use crate::error::{Error, Result};

/// Objects that a location may have. Each takes some 200 bytes.
const OBJECTS_MAX: usize = 500_000;
/// Bytes that an object takes beside its name.
const OBJECT_BYTES: usize = size_of::<ObjectMeta>() + 64;
/// Bytes that a listing is taken to have, for the first size of the cache's table.
const LISTING_BYTES_ESTIMATED: u64 = 2048;

/// The listings of locations, as many as fit.
#[derive(Debug)]
pub struct Listings {
    entries: Cache<ListingKey, Arc<Listing>, ListingWeighter, DefaultHashBuilder, CountEvictions>,
    /// Counts how often everything was forgotten: a listing that was under way meanwhile is not kept.
    forgotten: AtomicU64,
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: Arc<AtomicU64>,
}

/// How old a listing may be.
#[derive(Debug, Clone, Copy)]
pub struct ListingAge {
    /// Microseconds; a listing is only kept when they are more than none.
    pub age_max_us: i64,
    /// The time, in microseconds since 1970.
    pub now_us: fn() -> i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ListingKey {
    store: String,
    path: Path,
    /// Whether everything below is listed, or the folders alone.
    is_deep: bool,
}

/// What is listed.
#[derive(Debug, Clone, Copy)]
enum Depth {
    /// The folders right below.
    Folders,
    /// Everything below, unless it is more than so many objects.
    All(usize),
}

#[derive(Debug)]
struct Listing {
    listed_us: i64,
    objects: Vec<ObjectMeta>,
    folders: Vec<Path>,
}

#[derive(Debug, Clone)]
struct ListingWeighter;

impl Weighter<ListingKey, Arc<Listing>> for ListingWeighter {
    fn weight(&self, key: &ListingKey, listing: &Arc<Listing>) -> u64 {
        let object = |object: &ObjectMeta| object.location.as_ref().len() + OBJECT_BYTES;
        let objects: usize = listing.objects.iter().map(object).sum();
        let folders: usize = listing.folders.iter().map(|folder| folder.as_ref().len() + size_of::<Path>()).sum();
        (objects + folders + key.path.as_ref().len() + size_of::<Listing>()) as u64
    }
}

impl Default for ListingAge {
    /// Locations are listed anew.
    fn default() -> Self {
        ListingAge { age_max_us: 0, now_us: || 0 }
    }
}

impl Listings {
    /// An empty cache of `bytes_max` bytes.
    pub fn new(bytes_max: u64) -> Self {
        let estimated = (bytes_max / LISTING_BYTES_ESTIMATED).max(16) as usize;
        let lifecycle = CountEvictions::default();
        let evictions = lifecycle.0.clone();
        let entries = Cache::with(estimated, bytes_max, ListingWeighter, DefaultHashBuilder::default(), lifecycle);
        let (forgotten, hits, misses) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Listings { entries, forgotten, hits, misses, evictions }
    }

    /// Everything below a location.
    ///
    /// # Errors
    /// It cannot be listed, or has too much.
    pub(crate) async fn objects(&self, location: &Location, age: &ListingAge) -> Result<Vec<ObjectMeta>> {
        let listing = self.listing(location, &location.path, Depth::All(OBJECTS_MAX), age).await?;
        let listing =
            listing.ok_or_else(|| Error::TooManyFiles { location: location.url.clone(), files_max: OBJECTS_MAX })?;
        Ok(listing.objects.clone())
    }

    /// Everything below a folder of a location's store, unless that is more than so many objects.
    ///
    /// # Errors
    /// It cannot be listed.
    pub(crate) async fn few_objects(
        &self,
        location: &Location,
        folder: &Path,
        objects_max: usize,
        age: &ListingAge,
    ) -> Result<Option<Vec<ObjectMeta>>> {
        let listing = self.listing(location, folder, Depth::All(objects_max), age).await?;
        Ok(listing.map(|listing| listing.objects.clone()))
    }

    /// The folders in a folder of a location's store.
    ///
    /// # Errors
    /// It cannot be listed.
    pub(crate) async fn folders(&self, location: &Location, folder: &Path, age: &ListingAge) -> Result<Vec<Path>> {
        let listing = self.listing(location, folder, Depth::Folders, age).await?;
        Ok(listing.map_or_else(Vec::new, |listing| listing.folders.clone()))
    }

    /// A listing; `None` if there is more than was asked for.
    async fn listing(
        &self,
        location: &Location,
        path: &Path,
        depth: Depth,
        age: &ListingAge,
    ) -> Result<Option<Arc<Listing>>> {
        let listed_us = (age.now_us)();
        let is_deep = matches!(depth, Depth::All(_));
        let key = ListingKey { store: location.store_url.to_string(), path: path.clone(), is_deep };
        if age.age_max_us > 0
            && let Some(listing) = self.entries.get(&key)
            && (0..=age.age_max_us).contains(&(listed_us - listing.listed_us))
        {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(Some(listing));
        }
        let forgotten = self.forgotten.load(Ordering::Acquire);
        let failed = |error| Error::from_object_store(&location.url, error);
        let (mut objects, mut folders) = (Vec::new(), Vec::new());
        if let Depth::All(objects_max) = depth {
            let mut listed = location.store.list(Some(path));
            while let Some(object) = listed.try_next().await.map_err(failed)? {
                if objects.len() >= objects_max {
                    return Ok(None);
                }
                objects.push(object);
            }
        } else {
            folders = location.store.list_with_delimiter(Some(path)).await.map_err(failed)?.common_prefixes;
        }
        let listing = Arc::new(Listing { listed_us, objects, folders });
        if age.age_max_us > 0 {
            self.misses.fetch_add(1, Ordering::Relaxed);
            self.entries.insert(key.clone(), listing.clone());
            if self.forgotten.load(Ordering::Acquire) != forgotten {
                self.entries.remove(&key);
            }
        }
        Ok(Some(listing))
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

    /// Forgets everything: something has been written or removed.
    pub fn clear(&self) {
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        self.entries.clear();
    }
}
