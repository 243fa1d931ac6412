//! The data files below a location.

use catalog::FileWrites;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::ObjectMeta;
use object_store::path::Path;

use crate::error::{Error, Result};
use crate::object_stores::listings::{ListingAge, Listings};
use crate::object_stores::{Location, object_url};

/// Files that one statement lists for one table. Each takes part of a kilobyte in the plan; a table beyond this should be
/// compacted, or the filter should name a partition.
pub(super) const FILES_MAX: usize = 200_000;

/// Which names that begin with `_` or `.` are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hidden {
    /// Those of files and folders.
    LeftOut,
    /// Those of folders.
    FoldersLeftOut,
}

/// The data files below a location, or the one that it names, in the order of their paths. What writers keep beside the
/// data is left out: names that begin with `_` or `.`, and empty files, which mark folders and finished jobs; and so is
/// what a statement has written that has not ended, or not for this one.
pub(super) async fn data_files(location: &Location, writes: &FileWrites) -> Result<Vec<ObjectMeta>> {
    data_files_but(location, Hidden::LeftOut, writes).await
}

/// The same, from a listing that may be as old as `age` says.
pub(super) async fn known_files(
    listings: &Listings,
    location: &Location,
    writes: &FileWrites,
    age: &ListingAge,
) -> Result<Vec<ObjectMeta>> {
    let objects = listings.objects(location, age).await?;
    files_among(location, writes, objects).await
}

/// The same, of what has been listed already.
pub(super) async fn files_among(
    location: &Location,
    writes: &FileWrites,
    objects: Vec<ObjectMeta>,
) -> Result<Vec<ObjectMeta>> {
    shown_files(location, Hidden::LeftOut, writes, stream::iter(objects.into_iter().map(Ok)).boxed()).await
}

/// The same, with or without files whose own names are hidden.
pub(super) async fn data_files_but(
    location: &Location,
    hidden: Hidden,
    writes: &FileWrites,
) -> Result<Vec<ObjectMeta>> {
    shown_files(location, hidden, writes, location.store.list(Some(&location.path))).await
}

/// Those of the objects below a location that are files of it.
async fn shown_files(
    location: &Location,
    hidden: Hidden,
    writes: &FileWrites,
    mut objects: BoxStream<'_, object_store::Result<ObjectMeta>>,
) -> Result<Vec<ObjectMeta>> {
    let mut files = Vec::new();
    let mut is_empty = true;
    while let Some(object) = objects.try_next().await.map_err(|error| Error::from_object_store(&location.url, error))? {
        is_empty = false;
        let is_shown = || writes.shows(&location.service, &object_url(&location.store_url, &object.location));
        if object.size == 0 || is_hidden(&object.location, &location.path, hidden) || !is_shown() {
            continue;
        }
        if files.len() >= FILES_MAX {
            return Err(Error::TooManyFiles { location: location.url.clone(), files_max: FILES_MAX });
        }
        files.push(object);
    }
    if is_empty {
        // Nothing is below a file; a location may name one.
        files.extend(location.object().await?.filter(|object| object.size > 0));
    }
    files.sort_by(|a, b| a.location.cmp(&b.location));
    Ok(files)
}

/// Whether a name on the way from the location to the file is hidden. The location itself may lie in a hidden folder.
fn is_hidden(file: &Path, location: &Path, hidden: Hidden) -> bool {
    let Some(names) = file.prefix_match(location) else {
        return false;
    };
    let names: Vec<_> = names.collect();
    let count = match hidden {
        Hidden::LeftOut => names.len(),
        Hidden::FoldersLeftOut => names.len().saturating_sub(1),
    };
    names[..count].iter().any(|name| is_hidden_name(name.as_ref()))
}

/// Whether a name is one of what writers keep beside the data.
pub(super) fn is_hidden_name(name: &str) -> bool {
    name.starts_with(['_', '.'])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::object_stores::{ObjectStores, ObjectStoresConfig};

    async fn list(folder: &TempDir, location: &str) -> Result<Vec<String>> {
        let external_roots = vec![folder.path().to_owned()];
        let stores = ObjectStores::new(ObjectStoresConfig { external_roots, ..Default::default() })?;
        let location = stores.resolve(&format!("file://{}/{location}", folder.path().display()))?;
        let files = data_files(&location, &FileWrites::default()).await?;
        Ok(files.iter().map(|file| file.location.filename().unwrap().to_owned()).collect())
    }

    fn folder() -> TempDir {
        let folder = TempDir::new().unwrap();
        let files =
            ["t/b", "t/a", "t/x/c", "t/_SUCCESS", "t/.a.crc", "t/_temporary/d", "t/x/.hidden/e", "_t/f", "t2/g"];
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        fs::write(folder.path().join("t/empty"), "").unwrap();
        folder
    }

    #[tokio::test]
    async fn hidden_and_empty_files_are_left_out() {
        let folder = folder();
        assert_eq!(list(&folder, "t/").await.unwrap(), ["a", "b", "c"]);
        assert_eq!(list(&folder, "t").await.unwrap(), ["a", "b", "c"]);
    }

    #[tokio::test]
    async fn a_location_may_be_hidden_or_a_file() {
        let folder = folder();
        assert_eq!(list(&folder, "_t").await.unwrap(), ["f"]);
        assert_eq!(list(&folder, "t/b").await.unwrap(), ["b"]);
        assert_eq!(list(&folder, "t/_SUCCESS").await.unwrap(), ["_SUCCESS"]);
    }

    #[tokio::test]
    async fn a_missing_folder_is_an_error() {
        let folder = folder();
        assert!(matches!(list(&folder, "t3").await, Err(Error::NotFound { .. })));
    }
}
