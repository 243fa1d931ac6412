//! Files of web servers.
//!
//! A web server can be asked for a file, and for nothing else: it has no folders that could be listed, and takes no files. It
//! may also leave conditions out of account, so what it sends is compared with what was asked for.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::http::{HttpBuilder, HttpStore};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMultipartOptions, PutOptions, PutPayload, PutResult,
};

use super::connector::{Connector, retry, without_mark};
use super::{Opening, Secret};
use crate::error::Error;

const NAME: &str = "web server";

/// The files of a web server.
#[derive(Debug)]
struct WebFiles {
    server: Arc<HttpStore>,
}

/// Opens a web server, by the beginning of its URLs.
///
/// # Errors
/// What is wrong with the settings.
pub(super) fn open(server: &str, opening: &Opening<'_>) -> Result<Arc<dyn ObjectStore>, String> {
    let bearer_token = opening.settings.get("bearer_token").map(Secret::new);
    let connector = opening.connector_to(None, server.starts_with("http://"));
    let builder = HttpBuilder::new()
        .with_url(server)
        .with_http_connector(Connector { bearer_token, leaves_host: true, ..connector })
        .with_retry(retry());
    let server = Arc::new(builder.build().map_err(|_| opening.unusable())?);
    Ok(Arc::new(WebFiles { server }))
}

impl fmt::Display for WebFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}

fn unsupported<T>(operation: &str) -> object_store::Result<T> {
    Err(object_store::Error::NotImplemented { operation: operation.to_owned(), implementer: NAME.to_owned() })
}

#[async_trait]
impl ObjectStore for WebFiles {
    async fn get_opts(&self, location: &Path, mut options: GetOptions) -> object_store::Result<GetResult> {
        let expected = (options.if_match.clone(), options.if_unmodified_since);
        // A weak tag never matches by the rules of HTTP; it is compared below.
        options.if_match = options.if_match.filter(|tag| !tag.starts_with("W/"));
        let mut got = self.server.get_opts(location, options).await?;
        got.meta.e_tag = got.meta.e_tag.map(without_mark);
        let is_same = match expected {
            (Some(tag), _) => got.meta.e_tag.as_ref() == Some(&tag),
            (None, Some(time)) => got.meta.last_modified == time,
            (None, None) => true,
        };
        if !is_same {
            let (path, source) = (location.to_string(), "the web server has another version".into());
            return Err(object_store::Error::Precondition { path, source });
        }
        if got.meta.e_tag.is_none() && got.meta.last_modified.timestamp() == 0 {
            let source = Box::new(Error::FileVersionUnknown { location: location.to_string() });
            return Err(object_store::Error::Generic { store: NAME, source });
        }
        Ok(got)
    }

    /// The file of this name: there are no folders.
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        let files = WebFiles { server: self.server.clone() };
        let path = prefix.cloned().unwrap_or_default();
        let listed = async move {
            match files.head(&path).await {
                Err(object_store::Error::NotFound { .. }) => None,
                found => Some(found),
            }
        };
        stream::once(listed).filter_map(|found| async move { found }).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> object_store::Result<ListResult> {
        unsupported("listing folders")
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> object_store::Result<PutResult> {
        unsupported("writing")
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        unsupported("writing")
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        locations.then(|_| async { unsupported("removing files") }).boxed()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> object_store::Result<()> {
        unsupported("copying files")
    }
}
