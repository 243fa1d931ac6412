//! The files of a load: all that begin with a name, or those that a manifest lists; and the paths into them.
//!
//! A location that ends with a slash is a folder. Any other is the beginning of names, as in Redshift: `s3://b/data/part-`
//! means `data/part-1`, and `s3://b/data` means what is in the folder `data`, in `data2`, and `data.csv`.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use catalog::{FileVersion, FileWrites};
use futures::stream::{self, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};
use serde::Deserialize;

use super::listing::{FILES_MAX, data_files, is_hidden_name};
use super::provider::LISTINGS_PARALLEL;
use super::rows::{JsonPath, paths_in};
use crate::error::{Error, Result};
use crate::object_stores::{Location, ObjectStores, object_url};

/// Longest manifest, some 100,000 entries, or list of paths.
const LIST_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// A file to be loaded, as it was when it was looked for.
#[derive(Debug, Clone)]
pub struct LoadFile {
    pub(super) location: Location,
    pub(super) object: ObjectMeta,
}

/// A file that a manifest lists.
#[derive(Debug, Clone, Deserialize)]
pub struct ManifestEntry {
    /// Its URL.
    pub url: String,
    /// Whether the load fails when it is not there.
    #[serde(default)]
    pub mandatory: bool,
    /// What else is known of it.
    #[serde(default)]
    meta: ManifestMeta,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct ManifestMeta {
    content_length: Option<u64>,
}

#[derive(Deserialize)]
struct Manifest {
    entries: Vec<ManifestEntry>,
}

impl LoadFile {
    /// Its URL.
    pub fn url(&self) -> String {
        object_url(&self.location.store_url, &self.object.location)
    }

    /// What tells it from what was under its name before.
    pub fn version(&self) -> FileVersion {
        FileVersion {
            e_tag: self.object.e_tag.clone(),
            size: self.object.size,
            modified_us: self.object.last_modified.timestamp_micros(),
        }
    }
}

/// The files whose names begin as the location does, in the order of their names.
///
/// # Errors
/// The location is not allowed, or cannot be listed; there are too many.
pub async fn files_beginning(stores: &ObjectStores, location: &str, writes: &FileWrites) -> Result<Vec<LoadFile>> {
    // The URL of a resolved location may have lost the slash.
    let is_folder = location.ends_with('/');
    let location = stores.resolve(location)?;
    let name = location.path.filename().filter(|_| !is_folder).map(str::to_owned);
    let objects = match name {
        None => data_files(&location, writes).await?,
        Some(name) => objects_beginning(&location, &name, writes).await?,
    };
    Ok(objects.into_iter().map(|object| LoadFile { location: location.clone(), object }).collect())
}

async fn objects_beginning(location: &Location, name: &str, writes: &FileWrites) -> Result<Vec<ObjectMeta>> {
    let mut above: Vec<_> = location.path.parts().collect();
    above.pop();
    let above = Path::from_iter(above);
    let listed = match location.store.list_with_delimiter(Some(&above)).await {
        Ok(listed) => listed,
        Err(error) => match Error::from_object_store(&location.url, error) {
            // A folder that is as far up as one may look.
            Error::LocationNotAllowed { .. } => return data_files(location, writes).await,
            error => return Err(error),
        },
    };
    let begins = |path: &Path| {
        let last = path.filename().unwrap_or_default();
        last.starts_with(name) && (!is_hidden_name(last) || is_hidden_name(name))
    };
    let is_shown = |path: &Path| writes.shows(&location.service, &object_url(&location.store_url, path));
    let is_wanted = |it: &ObjectMeta| it.size > 0 && begins(&it.location) && is_shown(&it.location);
    let mut files: Vec<_> = listed.objects.into_iter().filter(is_wanted).collect();
    for folder in listed.common_prefixes.into_iter().filter(begins) {
        let url = format!("{}/", object_url(&location.store_url, &folder));
        files.extend(data_files(&Location { url, path: folder, ..location.clone() }, writes).await?);
        if files.len() > FILES_MAX {
            return Err(Error::TooManyFiles { location: location.url.clone(), files_max: FILES_MAX });
        }
    }
    files.sort_by(|a, b| a.location.cmp(&b.location));
    Ok(files)
}

/// The entries of a manifest: `{"entries": [{"url": "s3://b/a.csv", "mandatory": true}, …]}`.
///
/// # Errors
/// It is not there, or is none.
pub async fn manifest_entries(stores: &ObjectStores, location: &str) -> Result<Vec<ManifestEntry>> {
    let location = stores.resolve(location)?;
    let invalid = |reason: String| Error::ManifestInvalid { path: location.url.clone(), reason };
    let bytes = whole(&location).await?;
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| invalid(error.to_string()))?;
    let mut urls = HashSet::new();
    if let Some(twice) = manifest.entries.iter().find(|entry| !urls.insert(entry.url.as_str())) {
        return Err(invalid(named_twice(&twice.url)));
    }
    if manifest.entries.len() > FILES_MAX {
        return Err(Error::TooManyFiles { location: location.url.clone(), files_max: FILES_MAX });
    }
    Ok(manifest.entries)
}

/// The paths that a file lists, one for each column that a load of JSON fills.
///
/// # Errors
/// It is not there, or is none.
pub async fn json_paths(stores: &ObjectStores, location: &str) -> Result<Vec<JsonPath>> {
    let location = stores.resolve(location)?;
    paths_in(&whole(&location).await?, &location.url)
}

/// A file that says what to do with others.
async fn whole(location: &Location) -> Result<Bytes> {
    let object = location.object().await?.ok_or_else(|| Error::NotFound { location: location.url.clone() })?;
    if object.size > LIST_BYTES_MAX {
        let reason = format!("it is longer than {LIST_BYTES_MAX} bytes");
        return Err(Error::Corrupted { path: location.url.clone(), reason });
    }
    // Asked for by its length, it is not longer when it comes.
    let bytes = location.store.get_range(&location.path, 0..object.size).await;
    let bytes = bytes.map_err(|error| Error::from_object_store(&location.url, error))?;
    match bytes.len() as u64 == object.size {
        true => Ok(bytes),
        false => Err(Error::FileChanged { path: location.url.clone() }),
    }
}

/// The files of the manifest at a location, in its order. Those that are not there and need not be are left out.
///
/// # Errors
/// A file is not there that must be, is not as long as the manifest says, or is named twice, spelled in two ways.
pub async fn listed_files(
    stores: Arc<ObjectStores>,
    manifest: &str,
    entries: Vec<ManifestEntry>,
) -> Result<Vec<LoadFile>> {
    let look = move |entry: ManifestEntry| {
        let stores = stores.clone();
        async move { listed_file(&stores, &entry).await }
    };
    let found: Vec<Option<LoadFile>> =
        stream::iter(entries).map(look).buffered(LISTINGS_PARALLEL).try_collect().await?;
    let files: Vec<_> = found.into_iter().flatten().collect();
    let mut urls = HashSet::new();
    match files.iter().map(LoadFile::url).find(|url| !urls.insert(url.clone())) {
        Some(twice) => Err(Error::ManifestInvalid { path: manifest.to_owned(), reason: named_twice(&twice) }),
        None => Ok(files),
    }
}

fn named_twice(url: &str) -> String {
    format!("it names \"{url}\" more than once")
}

/// The file of an entry, unless it is empty, or is not there and need not be.
async fn listed_file(stores: &ObjectStores, entry: &ManifestEntry) -> Result<Option<LoadFile>> {
    let location = stores.resolve(&entry.url)?;
    let Some(object) = location.object().await? else {
        return if entry.mandatory { Err(Error::NotFound { location: location.url }) } else { Ok(None) };
    };
    if let Some(expected) = entry.meta.content_length.filter(|expected| *expected != object.size) {
        let reason = format!("it has {} bytes, and the manifest says {expected}", object.size);
        return Err(Error::Corrupted { path: location.url, reason });
    }
    Ok((object.size > 0).then_some(LoadFile { location, object }))
}
