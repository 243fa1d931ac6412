//! How requests to all object stores and web servers are sent: what they may connect to, how long they may take, and when
//! they are repeated.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, ETAG, HeaderMap, HeaderValue, RANGE};
use reqwest::redirect::{Attempt, Policy};
use url::Url;

use super::Secret;
use super::bounded_body::BoundedBody;
use super::networks::Reachable;
use super::place::is_web_file_below;
use crate::error;

/// How long a request that the service fails (5xx, 429) or leaves unanswered is repeated before the statement fails.
/// Services shed load in bursts of seconds; a user waits for half a minute, not for minutes.
const RETRY_TIMEOUT: Duration = Duration::from_secs(30);
/// Never the limit in practice: the time is.
const RETRIES_MAX: usize = 100;
/// First pause; later ones grow at random up to [`BACKOFF_MAX`].
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
/// Longest pause, so that a service that is back is noticed soon.
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// How long one request may take, its body included. Reads are small enough for a slow line.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Attempts to connect before the statement fails. Nobody listens at a mistyped endpoint in half a minute either, and
/// the user should know at once; two more attempts cover a service that is being restarted.
const CONNECT_ATTEMPTS_MAX: u32 = 3;
/// Pause between two attempts to connect.
const CONNECT_PAUSE: Duration = Duration::from_millis(500);
/// Redirections that are followed, as many as browsers and object_store's own clients do at least.
const REDIRECTS_MAX: usize = 10;
/// Bytes of an answer that says what went wrong. It is read into memory, for a message.
const FAILURE_BYTES_MAX: u64 = 64 * 1024;
/// Bytes of an answer that is none of an object: pages of listings have 5,000 names at most.
const ANSWER_BYTES_MAX: u64 = 64 << 20;
/// What stands between a weak tag and the number of the answer that has brought it.
const ANSWER_MARK: &str = "\"#";
const USER_AGENT: &str = concat!("thermocline/", env!("CARGO_PKG_VERSION"));

/// Makes clients that connect to nothing but what they may reach, and stop early when there is nobody to connect to. The
/// retry configuration knows one patience for all failures, and one that outlasts a storm of 5xx is too much for a mistyped
/// endpoint.
///
/// They know no proxy: which one would be for the process environment to say.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    pub(super) reachable: Reachable,
    /// Whether requests may go over the network in clear.
    pub(super) allow_http: bool,
    /// Whether requests may be redirected to other hosts. What is asked of a cloud has signatures in it.
    pub(super) leaves_host: bool,
    /// What every request brings with it, but not those to other hosts that it is redirected to.
    pub(super) bearer_token: Option<Secret>,
    /// Below which that may be sent.
    pub(super) token_scope: String,
}

#[derive(Debug)]
struct Connection {
    client: HttpClient,
    reachable: Reachable,
}

/// How often, and for how long, requests are repeated.
pub(super) fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { init_backoff: BACKOFF_FIRST, max_backoff: BACKOFF_MAX, base: 2.0 },
        max_retries: RETRIES_MAX,
        retry_timeout: RETRY_TIMEOUT,
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        let connector = self.clone();
        let client = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .timeout(REQUEST_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .no_proxy()
            // A URL may be signed.
            .referer(false)
            .https_only(!self.allow_http)
            .dns_resolver(Arc::new(self.reachable.clone()))
            .default_headers(self.headers()?)
            .redirect(Policy::custom(move |attempt| follow(&connector, attempt)))
            .build()
            .map_err(|error| object_store::Error::Generic { store: "HTTP", source: Box::new(error.without_url()) })?;
        let reachable = self.reachable.clone();
        Ok(HttpClient::new(Connection { client: HttpClient::new(client), reachable }))
    }
}

impl Connector {
    fn headers(&self) -> object_store::Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        if let Some(token) = &self.bearer_token {
            let value = HeaderValue::from_str(&format!("Bearer {}", token.reveal()));
            let invalid = |error| object_store::Error::Generic { store: "HTTP", source: Box::new(error) };
            let mut value = value.map_err(invalid)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(headers)
    }
}

/// Whether a redirection is followed. The addresses of names are looked at when they are connected to.
fn follow(connector: &Connector, attempt: Attempt<'_>) -> reqwest::redirect::Action {
    if attempt.previous().len() > REDIRECTS_MAX {
        return attempt.error("too many redirections");
    }
    let is_origin = |first: &Url| first.origin() == attempt.url().origin();
    let stays = attempt.previous().first().is_some_and(is_origin);
    if !stays && !connector.leaves_host {
        return attempt.error("a redirection to another host");
    }
    if stays && connector.bearer_token.is_some() && !is_web_file_below(&connector.token_scope, attempt.url()) {
        return attempt.error("a redirection to what the token is not for");
    }
    match connector.reachable.check(attempt.url()) {
        Ok(()) => attempt.follow(),
        Err(error) => attempt.error(error),
    }
}

#[async_trait]
impl HttpService for Connection {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let url = Url::parse(&request.uri().to_string()).map_err(refused)?;
        self.reachable.check(&url).map_err(refused)?;
        let bytes_max = bytes_max(&request, &url);
        let mut answer = self.answer(request).await?;
        mark_weak_tag(answer.headers_mut());
        let bytes_max = if answer.status().is_success() { bytes_max } else { FAILURE_BYTES_MAX };
        Ok(answer.map(|body| HttpResponseBody::new(BoundedBody::new(body, bytes_max))))
    }
}

impl Connection {
    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        for _ in 1..CONNECT_ATTEMPTS_MAX {
            match self.client.execute(request.clone()).await {
                Err(error) if is_unconnected(&error) => tokio::time::sleep(CONNECT_PAUSE).await,
                answer => return answer.map_err(last),
            }
        }
        self.client.execute(request).await.map_err(last)
    }
}

/// How long the answer to a request may be: as long as what it asks for, or as a listing is. That of a whole object is read
/// piece by piece.
fn bytes_max(request: &HttpRequest, url: &Url) -> u64 {
    let range = request.headers().get(RANGE).and_then(|range| range.to_str().ok());
    match range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-')) {
        Some((first, last)) => match (first.parse::<u64>(), last.parse::<u64>()) {
            (Ok(first), Ok(last)) => last.saturating_sub(first).saturating_add(1),
            (Err(_), Ok(length)) => length,
            _ => u64::MAX,
        },
        None if request.method() == Method::GET && !is_listing(url) => u64::MAX,
        None => ANSWER_BYTES_MAX,
    }
}

fn is_listing(url: &Url) -> bool {
    url.query_pairs().any(|(name, value)| name == "list-type" || name == "comp" && value == "list")
}

/// Makes a weak tag one of this answer alone: answers that break off are gone on with where their tags are equal, and what
/// has the same weak tag may have other bytes. [`without_mark`] takes it away.
fn mark_weak_tag(headers: &mut HeaderMap) {
    static ANSWERS: AtomicU64 = AtomicU64::new(0);
    let tag = headers.get(ETAG).and_then(|tag| tag.to_str().ok()).filter(|tag| tag.starts_with("W/"));
    let marked = tag.map(|tag| format!("{tag}{ANSWER_MARK}{}", ANSWERS.fetch_add(1, Ordering::Relaxed)));
    if let Some(marked) = marked.and_then(|tag| HeaderValue::try_from(tag).ok()) {
        headers.insert(ETAG, marked);
    }
}

/// A tag as the service has told it.
pub(super) fn without_mark(tag: String) -> String {
    match tag.rsplit_once(ANSWER_MARK) {
        Some((told, _)) if tag.starts_with("W/") => told.to_owned(),
        _ => tag,
    }
}

/// An error that is not attempted again.
fn refused(error: impl std::error::Error + Send + Sync + 'static) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, error)
}

/// Whether another attempt to connect may help.
fn is_unconnected(error: &HttpError) -> bool {
    error.kind() == HttpErrorKind::Connect && error::find(error).is_none()
}

/// What has not come to a connection is not attempted again by others.
fn last(error: HttpError) -> HttpError {
    match error.kind() {
        HttpErrorKind::Connect => refused(error),
        _ => error,
    }
}
