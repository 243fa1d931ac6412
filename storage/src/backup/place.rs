//! Where a backup is: a directory, or a prefix of a bucket.
//!
//! A place is claimed by whoever makes a backup in it, in one step that one alone can take, and only when nothing is
//! there: no backup ever overwrites anything. What is in a directory is durable before the manifest says so; an object
//! store sees to that itself.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetResult, ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use tokio::task::spawn_blocking;
use tracing::warn;
use url::Url;

use crate::error::{Error, Result};
use crate::object_stores::{ObjectStores, invalid};

/// What claims the place. It stays there.
const CLAIM: &str = "backup";
const CLAIM_TEXT: &str = "A backup of Thermocline. It is complete when manifest.json is there.\n";

/// Where a backup is, or is to be.
#[derive(Debug)]
pub struct BackupPlace {
    url: String,
    store: Arc<dyn ObjectStore>,
    path: Path,
    directory: Option<Directory>,
}

/// The place, when it is a directory.
#[derive(Debug)]
struct Directory {
    path: PathBuf,
    /// The directories whose names of files and directories have to be made durable.
    changed: Mutex<BTreeSet<PathBuf>>,
}

impl ObjectStores {
    /// The place of a backup that a statement names: below a root, or in a bucket.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn backup_place(&self, location: &str) -> Result<BackupPlace> {
        self.check_writable(location)?;
        let found = self.resolve(location)?;
        match found.store_url.as_str().starts_with("file:") {
            true => BackupPlace::of_directory(&file_path(&found.url)?),
            false => Ok(BackupPlace { url: found.url, store: found.store, path: found.path, directory: None }),
        }
    }
}

fn file_path(url: &str) -> Result<PathBuf> {
    let path = Url::parse(url).ok().and_then(|url| url.to_file_path().ok());
    path.ok_or_else(|| invalid(url, "it is not a path"))
}

impl BackupPlace {
    /// A directory, wherever it is.
    ///
    /// # Errors
    /// It has no URL.
    pub fn of_directory(directory: &FilePath) -> Result<Self> {
        let shown = directory.display().to_string();
        let path = std::path::absolute(directory).map_err(|error| invalid(&shown, &error.to_string()))?;
        let url = Url::from_file_path(&path).map_err(|()| invalid(&shown, "it is not a path"))?;
        let in_store = Path::from_url_path(url.path()).map_err(|error| invalid(&shown, &error.to_string()))?;
        let store = Arc::new(LocalFileSystem::new());
        let directory = Directory { path, changed: Mutex::default() };
        Ok(BackupPlace { url: url.into(), store, path: in_store, directory: Some(directory) })
    }

    /// What somebody at the server's console names: a directory, or a location.
    ///
    /// # Errors
    /// It is neither.
    pub fn of_operator(stores: &ObjectStores, from: &str) -> Result<Self> {
        match from.split_once("://") {
            None => Self::of_directory(FilePath::new(from)),
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("file") => Self::of_directory(&file_path(from)?),
            Some(_) => stores.backup_place(from),
        }
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL of a file in it, as messages show it.
    pub fn url_of(&self, name: &str) -> String {
        format!("{}/{name}", self.url.trim_end_matches('/'))
    }

    /// The store that it is in.
    pub(super) fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// The name of a file in the store.
    pub(super) fn path_of(&self, name: &str) -> Path {
        name.split('/').fold(self.path.clone(), Path::join)
    }

    /// Refuses a place where something is.
    ///
    /// # Errors
    /// Something is there, or the place cannot be looked at.
    pub async fn check_free(&self) -> Result<()> {
        let taken = match &self.directory {
            Some(directory) => match std::fs::read_dir(&directory.path) {
                Ok(mut names) => names.next().is_some(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => false,
                Err(error) => return Err(Error::from_object_store(&self.url, local(error))),
            },
            None => {
                let first = self.store.list(Some(&self.path)).try_next().await;
                first.map_err(|error| Error::from_object_store(&self.url, error))?.is_some()
            }
        };
        if taken { Err(self.taken()) } else { Ok(()) }
    }

    fn taken(&self) -> Error {
        Error::LocationNotEmpty { location: self.url.clone() }
    }

    /// Makes it the place of one backup.
    ///
    /// # Errors
    /// Somebody else has claimed it, or it cannot be written.
    pub async fn claim(&self) -> Result<()> {
        if let Some(directory) = &self.directory {
            directory.make().map_err(|error| Error::not_written(&self.url, local(error)))?;
        }
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.store.put_opts(&self.path_of(CLAIM), CLAIM_TEXT.into(), options).await {
            Ok(_) => self.written(CLAIM).await,
            Err(object_store::Error::AlreadyExists { .. }) => Err(self.taken()),
            Err(error) => Err(Error::not_written(&self.url, error)),
        }
    }

    /// Writes a small file, durably.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<()> {
        let put = self.store.put(&self.path_of(name), Bytes::from(bytes).into()).await;
        put.map_err(|error| Error::not_written(&self.url_of(name), error))?;
        self.written(name).await
    }

    /// A file has been written: sees to it that it is durable, but for its name.
    ///
    /// # Errors
    /// It cannot be flushed.
    pub(super) async fn written(&self, name: &str) -> Result<()> {
        let Some(directory) = &self.directory else { return Ok(()) };
        let file = directory.path.join(name);
        directory.note_changed(&file);
        let flushed = spawn_blocking(move || std::fs::File::open(file)?.sync_all()).await;
        flushed
            .unwrap_or_else(|error| Err(error.into()))
            .map_err(|error| Error::not_written(&self.url_of(name), local(error)))
    }

    /// Makes the names of all files durable that were written.
    ///
    /// # Errors
    /// They cannot be flushed.
    pub(super) async fn flush_names(&self) -> Result<()> {
        let Some(directory) = &self.directory else { return Ok(()) };
        let changed = directory.changed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let flush = move || changed.iter().try_for_each(|path| std::fs::File::open(path)?.sync_all());
        let flushed = spawn_blocking(flush).await;
        flushed.unwrap_or_else(|error| Err(error.into())).map_err(|error| Error::not_written(&self.url, local(error)))
    }

    /// Opens a file.
    ///
    /// # Errors
    /// It is not there, or cannot be read.
    pub(super) async fn get(&self, name: &str) -> Result<GetResult> {
        let got = self.store.get(&self.path_of(name)).await;
        got.map_err(|error| Error::from_object_store(&self.url_of(name), error))
    }

    /// Removes what is in a claimed place: the backup was given up. What cannot be removed stays, and is no backup.
    pub async fn give_up(&self) {
        let removed = match &self.directory {
            Some(directory) => directory.empty().map_err(local),
            None => {
                let found = self.store.list(Some(&self.path)).map_ok(|object| object.location).boxed();
                self.store.delete_stream(found).try_for_each(|_| async { Ok(()) }).await
            }
        };
        if let Err(error) = removed {
            let error = Error::not_written(&self.url, error);
            warn!(%error, "what a backup had written that was given up could not be removed");
        }
    }
}

impl Directory {
    /// Makes the directory and those above it that are not there; the owner alone may enter those.
    fn make(&self) -> io::Result<()> {
        let missing = self.path.ancestors().take_while(|path| !path.exists());
        missing.for_each(|path| self.note_changed(path));
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.path)
    }

    /// The names of a file and of the directories in the place that it is in may have been made.
    fn note_changed(&self, file: &FilePath) {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(parent) = file.parent() else { return };
        changed.insert(parent.to_path_buf());
        let above = parent.ancestors().skip(1).take_while(|path| path.starts_with(&self.path));
        changed.extend(above.map(FilePath::to_path_buf));
    }

    fn empty(&self) -> io::Result<()> {
        for entry in std::fs::read_dir(&self.path)? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => std::fs::remove_dir_all(entry.path())?,
                false => std::fs::remove_file(entry.path())?,
            }
        }
        Ok(())
    }
}

fn local(error: io::Error) -> object_store::Error {
    object_store::Error::Generic { store: "local file system", source: Box::new(error) }
}
