//! From a location's URL to the object store that holds it.
//!
//! What SQL can reach is decided here and nowhere else: `file://` only below the roots that the configuration names,
//! `s3://` with the configuration's endpoint and credentials. The engine's own registry would hand out the whole local
//! file system; [`ObjectStores`] takes its place in the runtime environment, so a plan that names anything else fails.
//! Nothing is read from the process environment, and the instance metadata service is never asked for credentials.

pub mod listings;
mod rooted_files;
mod s3;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion::execution::object_store::{ObjectStoreRegistry, ObjectStoreUrl};
use futures::FutureExt;
use futures::stream::{self, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use url::Url;

use crate::error::{Error, Result};
use listings::Listings;
use rooted_files::RootedFiles;
use s3::Buckets;

/// Longest location. S3's keys end at 1,024 bytes; what is far longer cannot even be made into a request.
const LOCATION_BYTES_MAX: usize = 4096;

/// Locations that are looked at at the same time.
const CHECKS_PARALLEL: usize = 16;

/// What can be reached, and how.
#[derive(Debug, Clone, Default)]
pub struct ObjectStoresConfig {
    /// Folders below which `file://` locations may be read and written. None means that `file://` is closed.
    pub external_roots: Vec<PathBuf>,
    /// How `s3://` locations are reached.
    pub s3: S3Config,
    /// Bytes of memory for what is known to be below locations.
    pub listing_cache_bytes: u64,
}

/// How `s3://` locations are reached.
#[derive(Debug, Clone, Default)]
pub struct S3Config {
    /// URL of the service; that of AWS when absent.
    pub endpoint: Option<String>,
    /// The region, `us-east-1` when absent.
    pub region: Option<String>,
    /// Name of the access key. Without one requests are not signed, which is enough for public buckets.
    pub access_key_id: Option<String>,
    /// The access key.
    pub secret_access_key: Option<Secret>,
}

/// A text that is never printed.
#[derive(Clone)]
pub struct Secret(String);

/// Every object store that a statement may use.
#[derive(Debug)]
pub struct ObjectStores {
    files: Arc<RootedFiles>,
    buckets: Buckets,
    listings: Listings,
}

/// Where a location is.
#[derive(Debug, Clone)]
pub struct Location {
    /// Its URL, normalised, as messages show it.
    pub url: String,
    /// The store that holds it.
    pub store: Arc<dyn ObjectStore>,
    /// What the engine calls that store.
    pub store_url: ObjectStoreUrl,
    /// The folder or file within the store.
    pub path: Path,
}

impl Secret {
    /// Keeps a text from being printed.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl ObjectStores {
    /// The stores that a configuration opens.
    ///
    /// # Errors
    /// A root that is not a folder, an endpoint that is not a URL, half a key.
    pub fn new(config: ObjectStoresConfig) -> Result<Self> {
        let files = Arc::new(RootedFiles::new(&config.external_roots)?);
        let buckets = Buckets::new(config.s3)?;
        Ok(ObjectStores { files, buckets, listings: Listings::new(config.listing_cache_bytes) })
    }

    /// What was below locations a moment ago.
    pub fn listings(&self) -> &Listings {
        &self.listings
    }

    /// Where a location is. Looks at the local file system's folders, not at their files; asks no object store.
    ///
    /// # Errors
    /// What is not a URL, not a kind of URL that can be read, or not allowed.
    pub fn resolve(&self, location: &str) -> Result<Location> {
        check_text(location)?;
        let Some((scheme, rest)) = location.split_once("://") else {
            return Err(invalid(location, "it is not a URL like s3://bucket/folder/ or file:///folder/"));
        };
        match scheme.to_ascii_lowercase().as_str() {
            "file" => self.resolve_file(location),
            "s3" => self.resolve_s3(location, rest),
            _ => Err(Error::SchemeNotSupported { scheme: scheme.to_owned() }),
        }
    }

    /// Whether a statement could read what is there: lists at most one object.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve), and everything that keeps the location from being listed. A folder of an object
    /// store exists as soon as it is named, so an empty one is no error; a local folder has to be there.
    pub async fn check_readable(&self, location: &str) -> Result<()> {
        self.resolve(location)?.first_object().await?;
        Ok(())
    }

    /// The same for several locations, some of them at the same time.
    ///
    /// # Errors
    /// As [`check_readable`](Self::check_readable), for the first of them that is not.
    pub async fn check_all_readable(&self, locations: Vec<String>) -> Result<()> {
        let check = |location: String| async move { self.check_readable(&location).await }.boxed();
        stream::iter(locations).map(check).buffered(CHECKS_PARALLEL).try_collect().await
    }

    /// Where an object is, by what [`object_url`] has made of it. Such a URL is not percent-encoded.
    pub(crate) fn locate_object(&self, url: &str) -> Result<Location> {
        let Some(path) = url.strip_prefix("file:///") else { return self.resolve(url) };
        let path = Path::parse(path).map_err(|error| invalid(url, &error.to_string()))?;
        let store_url = ObjectStoreUrl::local_filesystem();
        Ok(Location { url: url.to_owned(), store: self.files.clone(), store_url, path })
    }

    /// Whether there is anything at a location; a folder that is not there has nothing.
    ///
    /// # Errors
    /// As [`check_readable`](Self::check_readable).
    pub async fn has_files(&self, location: &str) -> Result<bool> {
        match self.resolve(location)?.first_object().await {
            Ok(object) => Ok(object.is_some()),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// `file:` URLs are percent-encoded paths: the parser takes `.` and `..` away, in every spelling.
    fn resolve_file(&self, location: &str) -> Result<Location> {
        let url = Url::parse(location).map_err(|error| invalid(location, &error.to_string()))?;
        if url.host().is_some() {
            return Err(invalid(location, "a file has no host, write file:///folder/"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid(location, "write ? as %3F and # as %23"));
        }
        let path = url.to_file_path().map_err(|()| invalid(location, "it is not a path"))?;
        let not_allowed = || Error::LocationNotAllowed { location: location.to_owned() };
        let path = self.files.locate(&path).ok_or_else(not_allowed)?;
        let url = Url::from_file_path(&path).map_err(|()| not_allowed())?;
        let path = Path::from_url_path(url.path()).map_err(|error| invalid(location, &error.to_string()))?;
        let store_url = ObjectStoreUrl::local_filesystem();
        Ok(Location { url: url.into(), store: self.files.clone(), store_url, path })
    }

    /// `s3:` locations are no real URLs: a key is taken as it is written, as all tools for S3 do. `dt=10%3A00` is a
    /// key that holds a percent sign.
    fn resolve_s3(&self, location: &str, rest: &str) -> Result<Location> {
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        // A secret may have a slash in it.
        if bucket.contains('@') || bucket.contains(':') && rest.contains('@') {
            let shown = format!("s3://***@{}", rest.rsplit_once('@').map_or("", |(_, rest)| rest));
            return Err(invalid(&shown, "credentials do not belong into a location"));
        }
        if !s3::is_bucket_name(bucket) {
            return Err(invalid(location, "it does not name a bucket"));
        }
        let path = Path::parse(key).map_err(|error| invalid(location, &error.to_string()))?;
        let store = self.buckets.store(bucket)?;
        let store_url = ObjectStoreUrl::parse(format!("s3://{bucket}"))
            .map_err(|_| invalid(location, "it does not name a bucket"))?;
        Ok(Location { url: format!("s3://{bucket}/{key}"), store, store_url, path })
    }
}

impl Location {
    /// The object below this location that a listing gives first, or the one that it names.
    async fn first_object(&self) -> Result<Option<ObjectMeta>> {
        let failed = |error| Error::from_object_store(&self.url, error);
        match self.store.list(Some(&self.path)).try_next().await.map_err(failed)? {
            Some(object) => Ok(Some(object)),
            None => self.object().await,
        }
    }

    /// A file of this folder.
    ///
    /// # Errors
    /// The name is none.
    pub fn file(&self, name: &str) -> Result<Location> {
        let key = format!("{}/{name}", self.path);
        let path = Path::parse(&key).map_err(|error| invalid(&self.url, &error.to_string()))?;
        Ok(Location { url: object_url(&self.store_url, &path), path, ..self.clone() })
    }

    /// The object that the location names, when it names one and not a folder.
    pub(crate) async fn object(&self) -> Result<Option<ObjectMeta>> {
        if self.path.is_root() {
            return Ok(None);
        }
        match self.store.head(&self.path).await.map_err(|error| Error::from_object_store(&self.url, error)) {
            Ok(object) => Ok(Some(object)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The URL of an object, as messages show it: the key is not percent-encoded, as it is not in a location.
pub(crate) fn object_url(store: &ObjectStoreUrl, path: &Path) -> String {
    format!("{store}{path}")
}

/// Gives the engine what a location has been resolved to, and nothing else.
impl ObjectStoreRegistry for ObjectStores {
    /// What can be reached is not changed by a statement.
    fn register_store(&self, url: &Url, _store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        tracing::warn!(url = %url, "an object store was to be registered, it was not");
        None
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>, DataFusionError> {
        match (url.scheme(), url.host_str()) {
            ("file", None) => Ok(self.files.clone()),
            // A bucket whose store had to make room for others gets a new one.
            ("s3", Some(bucket)) if s3::is_bucket_name(bucket) => Ok(self.buckets.store(bucket)?),
            _ => Err(Error::LocationNotAllowed { location: url.to_string() }.into()),
        }
    }
}

fn check_text(location: &str) -> Result<()> {
    if location.len() > LOCATION_BYTES_MAX {
        let start: String = location.chars().take(60).collect();
        return Err(invalid(&format!("{start}…"), "it is too long"));
    }
    if location.chars().any(char::is_control) {
        return Err(invalid(&location.escape_debug().to_string(), "it holds a control character"));
    }
    Ok(())
}

pub(crate) fn invalid(location: &str, reason: &str) -> Error {
    Error::LocationInvalid { location: location.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
