//! A web server with files in memory, on loopback. It answers as an nginx does: with `ETag`, `Last-Modified` and ranges, and it
//! keeps to `If-Match` and `If-Unmodified-Since`.
//!
//! What Google Cloud Storage and Azure are asked for one file without a signature is the same, but for the listing before it:
//! this server's are empty.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderName, IF_MATCH, IF_UNMODIFIED_SINCE, LAST_MODIFIED,
    LOCATION, RANGE,
};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::proxy::{percent_decode, serve};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Answer = Response<UnsyncBoxBody<Bytes, BoxError>>;

/// When all files were written that tell when they were.
const WRITTEN: &str = "Tue, 02 Jan 2024 03:04:05 GMT";
const WRITTEN_BEFORE: &str = "Mon, 01 Jan 2024 03:04:05 GMT";

/// A running web server. Dropping it ends its tasks.
pub struct WebServer {
    address: SocketAddr,
    content: Arc<Mutex<Content>>,
    _serving: JoinSet<()>,
}

/// A file of a web server.
#[derive(Clone, Default)]
pub struct WebFile {
    /// What is in it.
    pub bytes: Bytes,
    /// Its version, with its quotes.
    pub etag: Option<&'static str>,
    /// Whether the server says when it was written.
    pub is_dated: bool,
    /// The file is here instead.
    pub moved_to: Option<String>,
    /// What whoever asks for it has to bring.
    pub bearer_token: Option<&'static str>,
    /// How many answers break off in the middle.
    pub breaks: u32,
    /// How the server deceives.
    pub deceit: Deceit,
}

/// What a web server may do wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deceit {
    #[default]
    None,
    /// It says that there is no file, without end and with a length that nobody has
    EndlessRefusal,
    /// What is read is from before what was looked at
    OlderWhenRead,
    /// The last byte of what is asked for is missing
    Short,
}

#[derive(Default)]
struct Content {
    files: BTreeMap<String, WebFile>,
    tokens: BTreeSet<String>,
}

impl WebServer {
    /// Starts an empty web server.
    pub async fn start() -> WebServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let content = Arc::<Mutex<Content>>::default();
        let service = {
            let content = content.clone();
            service_fn(move |request| {
                let answer = answer(&mut content.lock().expect("nobody panics while holding the files"), &request);
                async move { answer }
            })
        };
        WebServer { address, content, _serving: serve(listener, service) }
    }

    /// The beginning of its URLs: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Puts a file, by its path without the first slash, not encoded.
    pub fn put(&self, path: &str, file: WebFile) {
        self.content.lock().expect("nobody panics while holding the files").files.insert(format!("/{path}"), file);
    }

    /// All that has been said to it by way of credentials.
    pub fn tokens(&self) -> BTreeSet<String> {
        self.content.lock().expect("nobody panics while holding the files").tokens.clone()
    }
}

fn answer(content: &mut Content, request: &Request<Incoming>) -> Result<Answer, BoxError> {
    let header = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    content.tokens.extend(header(AUTHORIZATION).map(str::to_owned));
    match request.uri().query().unwrap_or_default() {
        query if query.contains("list-type=2") => return listing("<ListBucketResult></ListBucketResult>"),
        query if query.contains("comp=list") => {
            return listing("<EnumerationResults><Blobs></Blobs><NextMarker/></EnumerationResults>");
        }
        _ => {}
    }
    let Some(file) = content.files.get_mut(&percent_decode(request.uri().path())) else {
        return status(StatusCode::NOT_FOUND);
    };
    if let Some(target) = &file.moved_to {
        return Ok(Response::builder().status(StatusCode::FOUND).header(LOCATION, target).body(body(Bytes::new()))?);
    }
    if file.bearer_token.is_some_and(|token| header(AUTHORIZATION) != Some(&format!("Bearer {token}"))) {
        return status(StatusCode::UNAUTHORIZED);
    }
    if file.deceit == Deceit::EndlessRefusal && request.method() != Method::HEAD {
        let frames = stream::repeat_with(|| Ok(Frame::data(Bytes::from_static(&[b'x'; 1000]))));
        let body = StreamBody::new(frames).boxed_unsync();
        return Ok(Response::builder()
            .status(StatusCode::NOT_FOUND)
            .header(CONTENT_LENGTH, "9000000000000000000")
            .body(body)?);
    }
    let is_other = header(IF_MATCH).is_some_and(|tag| Some(tag) != file.etag);
    if is_other || header(IF_UNMODIFIED_SINCE).is_some_and(|time| time != WRITTEN) {
        return status(StatusCode::PRECONDITION_FAILED);
    }
    let size = file.bytes.len();
    let mut builder = Response::builder();
    if let Some(tag) = file.etag {
        builder = builder.header(ETAG, tag);
    }
    if file.is_dated {
        let is_older = file.deceit == Deceit::OlderWhenRead && request.method() != Method::HEAD;
        builder = builder.header(LAST_MODIFIED, if is_older { WRITTEN_BEFORE } else { WRITTEN });
    }
    if request.method() == Method::HEAD {
        return Ok(builder.header(CONTENT_LENGTH, size).body(body(Bytes::new()))?);
    }
    let (begin, end) = header(RANGE).and_then(|range| range_of(range, size)).unwrap_or((0, size));
    if header(RANGE).is_some() {
        let range = format!("bytes {begin}-{}/{size}", end - 1);
        builder = builder.status(StatusCode::PARTIAL_CONTENT).header(CONTENT_RANGE, range);
    }
    let is_short = file.deceit == Deceit::Short;
    let bytes = file.bytes.slice(begin..end - usize::from(is_short));
    if file.breaks > 0 {
        file.breaks -= 1;
        let (half, whole) = (bytes.slice(..bytes.len() / 2), bytes.len());
        let frames = [Ok(Frame::data(half)), Err(BoxError::from("the line is cut"))];
        return Ok(builder.header(CONTENT_LENGTH, whole).body(StreamBody::new(stream::iter(frames)).boxed_unsync())?);
    }
    Ok(builder.body(body(bytes))?)
}

/// `bytes=FIRST-LAST`
fn range_of(range: &str, size: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
    Some((first, size.min(last + 1)))
}

fn listing(text: &'static str) -> Result<Answer, BoxError> {
    Ok(Response::new(body(Bytes::from_static(text.as_bytes()))))
}

fn status(status: StatusCode) -> Result<Answer, BoxError> {
    Ok(Response::builder().status(status).body(body(Bytes::new()))?)
}

fn body(bytes: Bytes) -> UnsyncBoxBody<Bytes, BoxError> {
    Full::new(bytes).map_err(BoxError::from).boxed_unsync()
}
