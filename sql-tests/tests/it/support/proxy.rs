//! An HTTP reverse proxy in front of an S3 server: where tests look, and where they interfere.
//!
//! It adds what s3s-fs leaves out (`If-Match` on reads), counts the requests that reach it, and makes chosen ones fail
//! ([`Fault`]). Otherwise requests and answers stream through as they are. That must stay so: a SigV4 signature covers
//! the path, the query, `Host` and most other headers, so a proxy that rewrites them makes honest clients fail.
//!
//! For the same reason a literal `+` in a path is passed on untouched. s3s reads it as a plus sign, but checks a
//! signature made over the unencoded path only while the path on the wire is unencoded too; writing `%2B` for it would
//! help nobody and break that client.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use futures::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, ETAG, HeaderValue, IF_MATCH};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type AnswerBody = UnsyncBoxBody<Bytes, BoxError>;
type Answer = Response<AnswerBody>;

/// A running proxy. Dropping it ends its tasks and cuts its connections.
pub struct Proxy {
    address: SocketAddr,
    relay: Arc<Relay>,
    _serving: JoinSet<()>,
}

/// Requests that reached the proxy, also those that a fault or the store then refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// GETs of objects, each range a request of its own.
    pub gets: u64,
    /// HEADs of objects and buckets.
    pub heads: u64,
    /// Pages of listings: GETs of a bucket with `list-type`.
    pub lists: u64,
    /// PUTs: whole objects, parts of multipart uploads, and copies.
    pub puts: u64,
    /// Bytes of objects handed to clients: the bodies of successful GETs that are not listings.
    pub bytes_sent: u64,
}

/// Something that goes wrong, for the next `times` requests whose key contains `key_contains`.
///
/// The key is percent-decoded and without the bucket; for a listing it is the prefix. An empty text matches everything.
/// Of several faults that match, the one injected first is used up first.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The request gets this status and never reaches the store.
    Status {
        /// The HTTP status.
        status: u16,
        /// Which keys.
        key_contains: String,
        /// How many requests.
        times: u32,
    },
    /// The connection is cut in the middle of the answer's body, or before the answer if it has no body. The store has
    /// carried out the request by then: whoever cuts a PUT leaves its client in doubt about an object that exists.
    HangUp {
        /// Which keys.
        key_contains: String,
        /// How many requests.
        times: u32,
    },
}

impl Proxy {
    /// Starts a proxy on a free loopback port, in front of the HTTP server at `upstream`.
    pub async fn start(upstream: SocketAddr) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");

        let relay = Arc::new(Relay::to(upstream));
        let service = {
            let relay = Arc::clone(&relay);
            service_fn(move |request| Arc::clone(&relay).answer(request))
        };
        Proxy { address, relay, _serving: serve(listener, service) }
    }

    /// Where clients connect: `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What has passed since the start or the last [`Proxy::reset_counts`]. A byte is counted before it is sent, so an
    /// answer that a client has read is in the counts.
    pub fn counts(&self) -> Counts {
        *self.relay.counts()
    }

    /// Counts from zero.
    pub fn reset_counts(&self) {
        *self.relay.counts() = Counts::default();
    }

    /// Makes the next matching requests fail.
    pub fn inject(&self, fault: Fault) {
        self.relay.faults().push(fault);
    }

    /// Lets every request through from here on.
    pub fn clear_faults(&self) {
        self.relay.faults().clear();
    }
}

/// Serves each connection that `listener` accepts, until the returned set is dropped.
pub(super) fn serve<S, B>(listener: TcpListener, service: S) -> JoinSet<()>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        // The connections belong to the accepting task, so that all of them end with it.
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            // Without this a small answer may wait for the client's delayed acknowledgement of the one before.
            stream.set_nodelay(true).expect("a connected socket takes options");
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone());
            connections.spawn(async move {
                // An error is a client that left or a connection that we cut: the client is the one to notice.
                let _ = connection.await;
            });
        }
    });
    serving
}

/// What the connections of a proxy share.
struct Relay {
    upstream: SocketAddr,
    client: Client<HttpConnector, Incoming>,
    counts: Mutex<Counts>,
    faults: Mutex<Vec<Fault>>,
}

impl Relay {
    fn to(upstream: SocketAddr) -> Relay {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Relay {
            upstream,
            client: Client::builder(TokioExecutor::new()).build(connector),
            counts: Mutex::default(),
            faults: Mutex::default(),
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().expect("nobody panics while holding the counts")
    }

    fn faults(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.faults.lock().expect("nobody panics while holding the faults")
    }

    /// Answers one request. An error makes hyper cut the connection.
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, BoxError> {
        let kind = RequestKind::of(&request);
        self.count(kind);

        let answer = match self.next_fault(&key_of(request.uri())) {
            None => self.forward(request).await?,
            Some(Fault::Status { status, .. }) => refuse(request, StatusCode::from_u16(status)?).await?,
            Some(Fault::HangUp { .. }) => cut_short(self.forward(request).await?)?,
        };

        let hands_out_an_object = kind == RequestKind::Get && answer.status().is_success();
        Ok(if hands_out_an_object { self.count_bytes(answer) } else { answer })
    }

    /// Sends the request to the store, and holds the answer to the request's `If-Match`.
    async fn forward(&self, request: Request<Incoming>) -> Result<Answer, BoxError> {
        let condition = read_condition(&request);
        let response = self.client.request(redirect(request, self.upstream)?).await?;

        // Only a success has an ETag to compare. For a missing object S3 answers 404, whatever the condition.
        if let Some(condition) = condition
            && response.status().is_success()
            && !etag_matches(&condition, response.headers().get(ETAG))
        {
            return Ok(error_answer(StatusCode::PRECONDITION_FAILED));
        }
        Ok(response.map(|body| body.map_err(BoxError::from).boxed_unsync()))
    }

    /// Uses up one time of the first fault that matches.
    fn next_fault(&self, key: &str) -> Option<Fault> {
        self.faults().iter_mut().find_map(|fault| {
            let (key_contains, times) = fault.reach();
            if *times == 0 || !key.contains(key_contains) {
                return None;
            }
            *times -= 1;
            Some(fault.clone())
        })
    }

    fn count(&self, kind: RequestKind) {
        let mut counts = self.counts();
        match kind {
            RequestKind::Get => counts.gets += 1,
            RequestKind::Head => counts.heads += 1,
            RequestKind::List => counts.lists += 1,
            RequestKind::Put => counts.puts += 1,
            RequestKind::Other => {}
        }
    }

    /// Counts the body as it passes, which is before it is sent.
    fn count_bytes(self: Arc<Self>, answer: Answer) -> Answer {
        answer.map(|body| {
            let counted = body.inspect_frame(move |frame| {
                if let Some(data) = frame.data_ref() {
                    self.counts().bytes_sent += data.len() as u64;
                }
            });
            counted.boxed_unsync()
        })
    }
}

impl Fault {
    /// Which keys the fault is for, and how many times it is left.
    fn reach(&mut self) -> (&str, &mut u32) {
        match self {
            Fault::Status { key_contains, times, .. } | Fault::HangUp { key_contains, times } => (key_contains, times),
        }
    }
}

/// Requests as [`Counts`] tells them apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RequestKind {
    Get,
    Head,
    List,
    Put,
    Other,
}

impl RequestKind {
    fn of<B>(request: &Request<B>) -> RequestKind {
        match *request.method() {
            Method::GET if query_value(request.uri(), "list-type").is_some() => RequestKind::List,
            Method::GET => RequestKind::Get,
            Method::HEAD => RequestKind::Head,
            Method::PUT => RequestKind::Put,
            _ => RequestKind::Other,
        }
    }
}

/// What a [`Fault`] compares with: the key of an object request, the prefix of a listing, nothing for other requests of
/// a bucket.
fn key_of(uri: &Uri) -> String {
    let path = uri.path().trim_start_matches('/');
    match path.split_once('/') {
        Some((_bucket, key)) if !key.is_empty() => percent_decode(key),
        // In a query, other than in a path, a plus sign stands for a space.
        _ => percent_decode(&query_value(uri, "prefix").unwrap_or_default().replace('+', " ")),
    }
}

fn query_value<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    uri.query()?.split('&').find_map(|pair| match pair.split_once('=') {
        Some((key, value)) => (key == name).then_some(value),
        None => (pair == name).then_some(""),
    })
}

/// A path or a value of a query as it is meant.
pub(super) fn percent_decode(encoded: &str) -> String {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = if first == b'%' { tail.get(..2).and_then(hex_byte) } else { None };
        decoded.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// The request with the store as its target. Only the address to connect to changes: the path and query go out as they
/// came, and hyper leaves a `Host` that is already there alone.
fn redirect(request: Request<Incoming>, upstream: SocketAddr) -> Result<Request<Incoming>, BoxError> {
    let (mut parts, body) = request.into_parts();
    let mut target = parts.uri.into_parts();
    target.scheme = Some("http".parse()?);
    target.authority = Some(upstream.to_string().parse()?);
    parts.uri = Uri::from_parts(target)?;
    Ok(Request::from_parts(parts, body))
}

/// The `If-Match` of a read. That of a write is left to the store, which knows it.
fn read_condition<B>(request: &Request<B>) -> Option<HeaderValue> {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    request.headers().get(IF_MATCH).filter(|_| is_read).cloned()
}

/// Whether an object with this ETag meets the condition: `*`, or a list of tags. S3 takes tags without quotes too.
fn etag_matches(condition: &HeaderValue, etag: Option<&HeaderValue>) -> bool {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let bare = |tag: &str| tag.trim().trim_matches('"').to_owned();
    let etag = etag.map(|etag| bare(&text(etag)));
    text(condition).split(',').map(bare).any(|wanted| wanted == "*" || Some(wanted) == etag)
}

/// Answers with an error in the store's place.
async fn refuse(request: Request<Incoming>, status: StatusCode) -> Result<Answer, BoxError> {
    // Read to the end, or a client that is still sending might see a reset connection instead of the status.
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        frame?;
    }
    Ok(error_answer(status))
}

/// Half of the answer's body, and then an error, at which hyper cuts the connection. The headers still announce the
/// whole, so the client can tell. Without a body there is no middle, and the answer is lost altogether.
fn cut_short(answer: Answer) -> Result<Answer, BoxError> {
    let length = answer.body().size_hint().exact();
    if length == Some(0) {
        return Err("the proxy hangs up before the answer".into());
    }
    Ok(answer.map(|body| first_bytes(body, length.unwrap_or_default() / 2)))
}

/// The first `left` bytes of a body, and then an error.
fn first_bytes(body: AnswerBody, left: u64) -> AnswerBody {
    let frames = stream::try_unfold((body, left), async |(mut body, left)| {
        if left > 0
            && let Some(frame) = body.frame().await
            && let Ok(mut data) = frame?.into_data()
        {
            data.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            let left = left - data.len() as u64;
            return Ok(Some((Frame::data(data), (body, left))));
        }
        // hyper drops what it has buffered when a body fails, but sends it while a body makes it wait.
        tokio::task::yield_now().await;
        Err("the proxy hangs up in the middle of the body".into())
    });
    BodyExt::boxed_unsync(StreamBody::new(frames))
}

/// An error as S3 words it.
fn error_answer(status: StatusCode) -> Answer {
    let code = match status {
        StatusCode::FORBIDDEN => "AccessDenied",
        StatusCode::NOT_FOUND => "NoSuchKey",
        StatusCode::PRECONDITION_FAILED => "PreconditionFailed",
        StatusCode::SERVICE_UNAVAILABLE => "SlowDown",
        _ => "InternalError",
    };
    let message = "answered by the test proxy";
    let xml = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>");
    let body = Full::new(Bytes::from(xml)).map_err(|never| match never {}).boxed_unsync();
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    answer
}
