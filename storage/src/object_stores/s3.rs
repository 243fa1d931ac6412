//! One store for each bucket of an S3-compatible service.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use object_store::aws::AmazonS3Builder;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use url::Url;

use super::S3Config;
use crate::error::{Error, Result};

/// Where requests go when the configuration names no region, as with AWS's own tools.
const REGION_DEFAULT: &str = "us-east-1";
/// Buckets that have a store at the same time. Each has its own connections; a statement that names ever new buckets
/// must not collect them without end.
const BUCKETS_MAX: usize = 64;

/// How long a request that the service fails (5xx, 429) or leaves unanswered is repeated before the statement fails.
/// S3 sheds load in bursts of seconds; a user waits for half a minute, not for minutes.
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

/// The stores of the buckets in use.
#[derive(Debug)]
pub(super) struct Buckets {
    config: S3Config,
    stores: Mutex<BTreeMap<String, Arc<dyn ObjectStore>>>,
}

impl Buckets {
    pub(super) fn new(config: S3Config) -> Result<Self> {
        if let Some(endpoint) = &config.endpoint {
            check_endpoint(endpoint)?;
        }
        if config.access_key_id.is_some() != config.secret_access_key.is_some() {
            let reason = "access key and secret key go together".to_owned();
            return Err(Error::ConfigurationInvalid { setting: "s3.access_key_id", reason });
        }
        Ok(Buckets { config, stores: Mutex::default() })
    }

    /// The store of a bucket, which must be a [bucket name](is_bucket_name).
    pub(super) fn store(&self, bucket: &str) -> Result<Arc<dyn ObjectStore>> {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = stores.get(bucket) {
            return Ok(store.clone());
        }
        if stores.len() >= BUCKETS_MAX {
            // Plans that read from it keep it; the next statement makes it anew.
            stores.pop_first();
        }
        let store = open(&self.config, bucket)?;
        stores.insert(bucket.to_owned(), store.clone());
        Ok(store)
    }
}

/// Whether a text is a bucket's name as far as a URL cares. Which names exist is for the service to say.
pub(super) fn is_bucket_name(text: &str) -> bool {
    let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    (1..=255).contains(&text.len())
        && text.bytes().all(is_name_byte)
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
}

fn check_endpoint(endpoint: &str) -> Result<()> {
    let invalid = |reason: &str| Error::ConfigurationInvalid { setting: "s3.endpoint", reason: reason.to_owned() };
    let url = Url::parse(endpoint).map_err(|error| invalid(&error.to_string()))?;
    let has_credentials = !url.username().is_empty() || url.password().is_some();
    match url.scheme() {
        "http" | "https" if has_credentials => Err(invalid("credentials do not belong into a URL")),
        "http" | "https" if url.query().is_some() || url.fragment().is_some() => {
            Err(invalid("it must not have a query or a fragment"))
        }
        "http" | "https" => Ok(()),
        _ => Err(invalid("it is not a URL like http://host:port or https://host")),
    }
}

fn open(config: &S3Config, bucket: &str) -> Result<Arc<dyn ObjectStore>> {
    let options = ClientOptions::new().with_timeout(REQUEST_TIMEOUT).with_connect_timeout(CONNECT_TIMEOUT);
    let mut builder = AmazonS3Builder::new()
        .with_client_options(options)
        .with_http_connector(GivesUpConnecting)
        .with_retry(retry())
        .with_region(config.region.as_deref().unwrap_or(REGION_DEFAULT))
        .with_bucket_name(bucket);
    if let Some(endpoint) = &config.endpoint {
        // Requests to other services than AWS name the bucket in the path: their host names seldom have a wildcard.
        builder = builder
            .with_allow_http(endpoint.starts_with("http://"))
            .with_endpoint(endpoint)
            .with_virtual_hosted_style_request(false);
    }
    builder = match (&config.access_key_id, &config.secret_access_key) {
        (Some(id), Some(key)) => builder.with_access_key_id(id).with_secret_access_key(key.reveal()),
        _ => builder.with_skip_signature(true),
    };
    let store = builder.build().map_err(|error| Error::from_object_store(&format!("s3://{bucket}/"), error))?;
    Ok(Arc::new(store))
}

fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { init_backoff: BACKOFF_FIRST, max_backoff: BACKOFF_MAX, base: 2.0 },
        max_retries: RETRIES_MAX,
        retry_timeout: RETRY_TIMEOUT,
    }
}

/// Makes clients that stop early when there is nobody to connect to. The retry configuration knows one patience for
/// all failures, and one that outlasts a storm of 5xx is too much for a mistyped endpoint.
#[derive(Debug)]
struct GivesUpConnecting;

#[derive(Debug)]
struct GivesUpClient(HttpClient);

impl HttpConnector for GivesUpConnecting {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(GivesUpClient(ReqwestConnector::default().connect(options)?)))
    }
}

#[async_trait]
impl HttpService for GivesUpClient {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        for _ in 1..CONNECT_ATTEMPTS_MAX {
            match self.0.execute(request.clone()).await {
                Err(error) if error.kind() == HttpErrorKind::Connect => tokio::time::sleep(CONNECT_PAUSE).await,
                answer => return answer,
            }
        }
        self.0.execute(request).await.map_err(|error| match error.kind() {
            // Of this kind, it is not attempted again.
            HttpErrorKind::Connect => HttpError::new(HttpErrorKind::Unknown, error),
            _ => error,
        })
    }
}
