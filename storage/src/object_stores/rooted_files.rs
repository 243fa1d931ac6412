//! The local file system, as far as the configuration opens it.

use std::ops::Range;
use std::path::{Component, Path as FilePath, PathBuf};
use std::sync::Arc;
use std::{fmt, fs, io};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, UploadPart,
};

use crate::error::{Error, Result};

const NAME: &str = "files below the external roots";

/// Files below some roots. Paths are those of the whole file system, so that one store serves every root
/// and messages show a path that its reader knows.
///
/// A path is followed to where it leads before each access: a symbolic link below a root that leads outside is refused.
/// A link that is put in place between this look and the access is not noticed; whoever can do that writes below the
/// roots anyway.
#[derive(Debug)]
pub(super) struct RootedFiles {
    roots: Arc<[PathBuf]>,
    files: LocalFileSystem,
}

impl RootedFiles {
    pub(super) fn new(roots: &[PathBuf]) -> Result<Self> {
        let roots = roots.iter().map(|root| canonical_root(root)).collect::<Result<_>>()?;
        Ok(RootedFiles { roots, files: LocalFileSystem::new() })
    }

    /// Where a path leads, if that is below a root; what does not exist leads to where it would be created.
    pub(super) fn locate(&self, path: &FilePath) -> Option<PathBuf> {
        locate(&self.roots, path)
    }

    /// Refuses the path of a new file that would be outside of the roots; the root that it is below.
    async fn check_new(&self, location: &Path) -> object_store::Result<PathBuf> {
        let (roots, path) = (self.roots.clone(), location.to_string());
        let found = tokio::task::spawn_blocking(move || {
            let located = locate(&roots, FilePath::new(&format!("/{path}")));
            // It is written where it is said to be, so no link may be on the way.
            let located = located.filter(|located| located.ends_with(&path));
            located.and_then(|located| roots.iter().find(|root| located.starts_with(root)).cloned()).ok_or(path)
        });
        found.await?.map_err(not_allowed)
    }

    /// Refuses a path that leads outside of the roots, and one that leads nowhere.
    async fn check(&self, location: &Path) -> object_store::Result<()> {
        let roots = self.roots.clone();
        let path = location.to_string();
        let canonical = tokio::task::spawn_blocking(move || {
            let canonical = fs::canonicalize(format!("/{path}"));
            canonical.map(|canonical| (is_below(&roots, &canonical), path))
        });
        match canonical.await? {
            Ok((true, _)) => Ok(()),
            Ok((false, path)) => Err(not_allowed(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(object_store::Error::NotFound { path: location.to_string(), source: Box::new(error) })
            }
            Err(error) => Err(object_store::Error::Generic { store: NAME, source: Box::new(error) }),
        }
    }
}

fn locate(roots: &[PathBuf], path: &FilePath) -> Option<PathBuf> {
    let has_parent_step = path.components().any(|component| component == Component::ParentDir);
    if has_parent_step || !path.is_absolute() {
        return None;
    }
    let (existing, canonical) = path.ancestors().find_map(|it| Some((it, fs::canonicalize(it).ok()?)))?;
    let rest = path.strip_prefix(existing).ok()?;
    let located = if rest.as_os_str().is_empty() { canonical } else { canonical.join(rest) };
    is_below(roots, &located).then_some(located)
}

fn canonical_root(root: &FilePath) -> Result<PathBuf> {
    let invalid = |reason: String| Error::ConfigurationInvalid { setting: "external_roots", reason };
    let canonical = fs::canonicalize(root).map_err(|error| invalid(format!("\"{}\": {error}", root.display())))?;
    if canonical.is_dir() { Ok(canonical) } else { Err(invalid(format!("\"{}\" is not a folder", root.display()))) }
}

/// Whether a path without links is a root or below one; by components, so `/data2` is not below `/data`.
fn is_below(roots: &[PathBuf], path: &FilePath) -> bool {
    roots.iter().any(|root| path.starts_with(root))
}

fn not_allowed(path: String) -> object_store::Error {
    let source = Box::new(Error::LocationNotAllowed { location: format!("file:///{path}") });
    object_store::Error::PermissionDenied { path, source }
}

impl fmt::Display for RootedFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}

#[async_trait]
impl ObjectStore for RootedFiles {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> object_store::Result<GetResult> {
        self.check(location).await?;
        self.files.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> object_store::Result<Vec<Bytes>> {
        self.check(location).await?;
        self.files.get_ranges(location, ranges).await
    }

    /// A folder that is not there is an error, unlike in an object store: the file system it was on may have gone.
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        let prefix = prefix.cloned().unwrap_or_default();
        let files = RootedFiles { roots: self.roots.clone(), files: self.files.clone() };
        let listing = async move {
            files.check(&prefix).await?;
            Ok::<_, object_store::Error>(files.files.list(Some(&prefix)))
        };
        futures::stream::once(listing).try_flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.check(prefix.unwrap_or(&Path::ROOT)).await?;
        self.files.list_with_delimiter(prefix).await
    }

    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        let root = self.check_new(location).await?;
        let put = self.files.put_opts(location, payload, options).await?;
        flush(location, root).await?;
        Ok(put)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        let root = self.check_new(location).await?;
        let upload = self.files.put_multipart_opts(location, options).await?;
        Ok(Box::new(DurableUpload { upload, location: location.clone(), root }))
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        let files = RootedFiles { roots: self.roots.clone(), files: self.files.clone() };
        let checked = locations.and_then(move |location| {
            let files = RootedFiles { roots: files.roots.clone(), files: files.files.clone() };
            async move { files.check(&location).await.map(|()| location) }
        });
        self.files.delete_stream(checked.boxed())
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> object_store::Result<()> {
        Err(object_store::Error::NotImplemented { operation: "copy".to_owned(), implementer: NAME.to_owned() })
    }
}

/// A file in parts, which is durable when it is complete.
#[derive(Debug)]
struct DurableUpload {
    upload: Box<dyn MultipartUpload>,
    location: Path,
    root: PathBuf,
}

#[async_trait]
impl MultipartUpload for DurableUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.upload.put_part(data)
    }

    async fn complete(&mut self) -> object_store::Result<PutResult> {
        let put = self.upload.complete().await?;
        flush(&self.location, self.root.clone()).await?;
        Ok(put)
    }

    async fn abort(&mut self) -> object_store::Result<()> {
        self.upload.abort().await
    }
}

/// Makes a file durable, and the names of all folders on the way to it, some of which may be new.
async fn flush(location: &Path, root: PathBuf) -> object_store::Result<()> {
    let path = PathBuf::from(format!("/{location}"));
    let flush = move || {
        fs::File::open(&path)?.sync_all()?;
        let folders = path.ancestors().skip(1).take_while(|folder| folder.starts_with(&root));
        folders.into_iter().try_for_each(|folder| fs::File::open(folder)?.sync_all())
    };
    let failed = |error: io::Error| object_store::Error::Generic { store: NAME, source: Box::new(error) };
    tokio::task::spawn_blocking(flush).await?.map_err(failed)
}
