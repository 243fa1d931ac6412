//! One file on its way into an object store.

use std::fmt;

use bytes::{Bytes, BytesMut};
use catalog::NamedFile;
use futures::StreamExt;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tracing::warn;

use crate::error::{Error, Result};
use crate::object_stores::{Location, ObjectStores};

/// Bytes of a part of a large file. Stores take 5 MiB at least, all parts but the last of one size, and 10,000 of them.
const PART_BYTES: usize = 8 << 20;
/// Parts of a file that are sent at the same time.
const PARTS_PARALLEL: usize = 4;

/// A file that is being written.
pub(super) struct FileUpload {
    location: Location,
    buffer: BytesMut,
    bytes: u64,
    upload: Option<PartsUpload>,
}

/// A file that is in parts.
struct PartsUpload {
    url: String,
    upload: Option<Box<dyn MultipartUpload>>,
    parts: JoinSet<object_store::Result<()>>,
}

/// A file whose bytes are all there, and which nobody sees yet.
#[derive(Debug)]
pub struct WrittenFile {
    location: Location,
    waiting: Waiting,
    /// Bytes of the file.
    pub bytes: u64,
    /// Rows in it.
    pub rows: u64,
}

/// Where the bytes of a file are that nobody sees yet.
#[derive(Debug)]
enum Waiting {
    InMemory(Bytes),
    InStore(PartsUpload),
    /// Nowhere: the file is there, or was given up.
    Nowhere,
}

impl FileUpload {
    pub(super) fn new(location: Location) -> Self {
        FileUpload { location, buffer: BytesMut::new(), bytes: 0, upload: None }
    }

    /// Adds bytes. Full parts are sent; when many are under way, it waits for one.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes += bytes.len() as u64;
        self.buffer.extend_from_slice(bytes);
        while self.buffer.len() > PART_BYTES {
            let part = self.buffer.split_to(PART_BYTES).freeze();
            self.send(part).await?;
        }
        Ok(())
    }

    /// Whether parts of it have been sent.
    pub(super) fn has_parts(&self) -> bool {
        self.upload.is_some()
    }

    async fn send(&mut self, part: Bytes) -> Result<()> {
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => none.insert(PartsUpload::begin(&self.location).await?),
        };
        upload.send(part).await
    }

    /// Ends the file. A small one is kept in memory when `stays_in_memory`.
    pub(super) async fn finish(mut self, rows: u64, stays_in_memory: bool) -> Result<WrittenFile> {
        let rest = std::mem::take(&mut self.buffer).freeze();
        if self.upload.is_some() || !stays_in_memory {
            self.send(rest.clone()).await?;
        }
        let waiting = match self.upload.take() {
            Some(mut upload) => {
                upload.sent().await?;
                Waiting::InStore(upload)
            }
            None => Waiting::InMemory(rest),
        };
        Ok(WrittenFile { location: self.location, waiting, bytes: self.bytes, rows })
    }
}

impl PartsUpload {
    async fn begin(location: &Location) -> Result<Self> {
        let upload = location.store.put_multipart(&location.path).await;
        let upload = upload.map_err(|error| Error::not_written(&location.url, error))?;
        Ok(PartsUpload { url: location.url.clone(), upload: Some(upload), parts: JoinSet::new() })
    }

    async fn send(&mut self, part: Bytes) -> Result<()> {
        while self.parts.len() >= PARTS_PARALLEL {
            self.one_sent().await?;
        }
        if let Some(upload) = &mut self.upload {
            self.parts.spawn(upload.put_part(PutPayload::from(part)));
        }
        Ok(())
    }

    async fn one_sent(&mut self) -> Result<()> {
        let Some(sent) = self.parts.join_next().await else { return Ok(()) };
        let sent = sent.unwrap_or_else(|error| Err(error.into()));
        sent.map_err(|error| Error::not_written(&self.url, error))
    }

    async fn sent(&mut self) -> Result<()> {
        while !self.parts.is_empty() {
            self.one_sent().await?;
        }
        Ok(())
    }

    async fn complete(mut self) -> Result<()> {
        let Some(mut upload) = self.upload.take() else { return Ok(()) };
        match upload.complete().await {
            Ok(_) => Ok(()),
            Err(error) => {
                self.upload = Some(upload);
                Err(Error::not_written(&self.url, error))
            }
        }
    }
}

/// A store keeps the parts of a file that is never put together, and has them paid for.
impl Drop for PartsUpload {
    fn drop(&mut self) {
        let (Some(mut upload), Ok(runtime)) = (self.upload.take(), Handle::try_current()) else { return };
        let (mut parts, url) = (std::mem::take(&mut self.parts), std::mem::take(&mut self.url));
        runtime.spawn(async move {
            parts.shutdown().await;
            if let Err(error) = upload.abort().await {
                let error = Error::not_written(&url, error);
                warn!(error = %error, "parts of a file that is not wanted could not be removed");
            }
        });
    }
}

impl fmt::Debug for PartsUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartsUpload").field("url", &self.url).finish_non_exhaustive()
    }
}

impl WrittenFile {
    /// A file of these bytes.
    pub fn of_bytes(location: Location, bytes: Bytes) -> Self {
        WrittenFile { location, bytes: bytes.len() as u64, waiting: Waiting::InMemory(bytes), rows: 0 }
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.location.url
    }

    /// What it is recognised by.
    pub fn name(&self) -> NamedFile {
        self.location.name_of(&self.location.path)
    }

    /// The path of the folder that it is in.
    pub fn folder(&self) -> Option<String> {
        self.location.path.as_ref().rsplit_once('/').map(|(folder, _)| folder.to_owned())
    }

    /// Bytes of memory that it takes until it is published.
    pub(super) fn memory_bytes(&self) -> usize {
        match &self.waiting {
            Waiting::InMemory(bytes) => bytes.len(),
            Waiting::InStore(_) | Waiting::Nowhere => 0,
        }
    }

    /// Makes it a file that everybody sees.
    pub(super) async fn publish(&mut self) -> Result<()> {
        match std::mem::replace(&mut self.waiting, Waiting::Nowhere) {
            Waiting::InMemory(bytes) => {
                let put = self.location.store.put(&self.location.path, PutPayload::from(bytes)).await;
                put.map(drop).map_err(|error| Error::not_written(&self.location.url, error))
            }
            Waiting::InStore(upload) => upload.complete().await,
            Waiting::Nowhere => Ok(()),
        }
    }
}

/// What became of a file that is not wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// It is not there any more
    Gone,
    /// Its URL leads to another service, whose file of that name is another
    OutOfReach,
}

/// Removes a file, if it is there.
///
/// # Errors
/// It cannot be removed.
pub async fn remove_file(stores: &ObjectStores, file: &NamedFile) -> Result<Removed> {
    let location = stores.locate_object(&file.url)?;
    if location.service != file.service {
        return Ok(Removed::OutOfReach);
    }
    let paths = futures::stream::iter([Ok::<Path, _>(location.path.clone())]).boxed();
    let mut removed = location.store.delete_stream(paths);
    let mut outcome = Ok(Removed::Gone);
    while let Some(removed) = removed.next().await {
        match removed.map_err(|error| Error::not_written(&file.url, error)) {
            Ok(_) | Err(Error::NotFound { .. }) => {}
            Err(error) => outcome = Err(error),
        }
    }
    stores.listings().clear();
    outcome
}
