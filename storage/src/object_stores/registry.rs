//! What the engine finds when it looks for an object store by a URL: nothing.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::error::DataFusionError;
use datafusion::execution::object_store::ObjectStoreRegistry;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult,
};
use url::Url;

use crate::error::Error;

/// Gives the engine a store in which there is nothing, whatever it asks for. Scans have their stores from the
/// [`Location`](super::Location) that they were planned for; the engine asks the registry all the same.
#[derive(Debug)]
pub struct NothingRegistered;

#[derive(Debug)]
struct Nothing;

impl ObjectStoreRegistry for NothingRegistered {
    /// What can be reached is not changed by a statement.
    fn register_store(&self, url: &Url, _store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        tracing::warn!(scheme = url.scheme(), "an object store was to be registered, it was not");
        None
    }

    fn get_store(&self, _url: &Url) -> Result<Arc<dyn ObjectStore>, DataFusionError> {
        Ok(Arc::new(Nothing))
    }
}

impl fmt::Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing")
    }
}

fn closed<T>() -> object_store::Result<T> {
    let source = Box::new(Error::LocationNotAllowed { location: String::new() });
    Err(object_store::Error::PermissionDenied { path: String::new(), source })
}

#[async_trait]
impl ObjectStore for Nothing {
    async fn get_opts(&self, _: &Path, _: GetOptions) -> object_store::Result<GetResult> {
        closed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        stream::once(async { closed() }).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> object_store::Result<ListResult> {
        closed()
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> object_store::Result<PutResult> {
        closed()
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        closed()
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        locations.then(|_| async { closed() }).boxed()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> object_store::Result<()> {
        closed()
    }
}
