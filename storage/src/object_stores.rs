//! From a location's URL to the object store that holds it.
//!
//! What SQL can reach is decided here and nowhere else: `file://` only below the roots that the configuration names,
//! `s3://` with the configuration's endpoint and credentials, `gs://`, `az://` and `abfss://` at the clouds' own hosts, web
//! servers at public addresses and in the networks that the configuration names. Nothing is read from the process
//! environment, and the instance metadata service is never asked for credentials.
//!
//! A plan carries the stores that it reads from. The engine's own registry would hand out the whole local file system;
//! [`NothingRegistered`] takes its place in the runtime environment.

mod az;
mod bounded_body;
mod connector;
mod gs;
mod http;
pub mod listings;
mod networks;
mod place;
mod registry;
mod rooted_files;
mod s3;
mod sealed;
mod secrets;
mod settings;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use catalog::NamedFile;
use datafusion::execution::object_store::ObjectStoreUrl;
use futures::FutureExt;
use futures::stream::{self, StreamExt, TryStreamExt};
use ipnet::IpNet;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use url::Url;

use crate::error::{Error, Result};
use connector::Connector;
use listings::Listings;
use networks::Reachable;
use place::{Place, Service};
pub use registry::NothingRegistered;
use rooted_files::RootedFiles;
pub use sealed::SecretsKeyFile;
use secrets::{ConfiguredSecret, Keys};
pub use secrets::{GivenSecret, StoredSecrets};
pub use settings::Secret;
use settings::Settings;

/// Longest location. S3's keys end at 1,024 bytes; what is far longer cannot even be made into a request.
const LOCATION_BYTES_MAX: usize = 4096;

/// Locations that are looked at at the same time.
const CHECKS_PARALLEL: usize = 16;

/// Buckets, containers and web servers that have a store at the same time. Each has its own connections; a statement that
/// names ever new ones must not collect them without end.
const STORES_MAX: usize = 64;

/// What can be reached, and how.
#[derive(Debug, Clone, Default)]
pub struct ObjectStoresConfig {
    /// Folders below which `file://` locations may be read and written. None means that `file://` is closed.
    pub external_roots: Vec<PathBuf>,
    /// Networks that web servers may be in, besides the public addresses.
    pub networks: Vec<IpNet>,
    /// How `s3://` locations are reached that have no secret.
    pub s3: S3Config,
    /// Secrets beside those that `CREATE SECRET` makes.
    pub secrets: Vec<GivenSecret>,
    /// Where the key is that these are encrypted with; without one none can be made.
    pub secrets_key_file: Option<SecretsKeyFile>,
    /// Bytes of memory for what is known to be below locations.
    pub listing_cache_bytes: u64,
}

/// How `s3://` locations are reached.
#[derive(Debug, Clone, Default)]
pub struct S3Config {
    /// URL of the service; that of AWS when absent.
    pub endpoint: Option<String>,
    /// The region, `us-east-1` when absent.
    pub region: Option<String>,
    /// Name of the access key. Without one requests are not signed, which is enough for public buckets.
    pub access_key_id: Option<String>,
    /// The access key.
    pub secret_access_key: Option<Secret>,
}

/// Every object store that a statement may use. A copy shares what is open.
#[derive(Debug, Clone)]
pub struct ObjectStores {
    opened: Arc<Opened>,
    secrets: StoredSecrets,
    /// What a statement brings with it.
    keys: Option<Arc<Keys>>,
}

/// What statements share.
struct Opened {
    files: Arc<RootedFiles>,
    networks: Arc<[IpNet]>,
    /// What `s3://` locations are opened with that have no secret.
    s3: Settings,
    configured: Vec<ConfiguredSecret>,
    key_file: Option<SecretsKeyFile>,
    /// Those that are open, by what the engine calls them, which tells with which secret. So nobody finds a store that was
    /// opened with a secret that his snapshot does not have.
    stores: Mutex<BTreeMap<String, Arc<dyn ObjectStore>>>,
    listings: Listings,
}

/// Where a location is.
#[derive(Clone)]
pub struct Location {
    /// Its URL, normalised, as messages show it.
    pub url: String,
    /// The store that holds it.
    pub store: Arc<dyn ObjectStore>,
    /// What the engine calls that store. It tells with which secret it was opened, which messages do not show: see
    /// [`object_url`].
    pub store_url: ObjectStoreUrl,
    /// Which service it is, of those whose locations have the same URLs; empty where these lead to one only, and for the
    /// cloud's own.
    pub service: String,
    /// The folder or file within the store.
    pub path: Path,
}

/// What a store is opened with.
struct Opening<'a> {
    settings: &'a Settings,
    /// Below which these are for.
    scope: &'a str,
    networks: &'a Arc<[IpNet]>,
}

impl ObjectStores {
    /// The stores that a configuration opens.
    ///
    /// # Errors
    /// A root that is not a folder, an endpoint that is not a URL, half a key.
    pub fn new(config: ObjectStoresConfig) -> Result<Self> {
        let files = Arc::new(RootedFiles::new(&config.external_roots)?);
        let (networks, s3) = (Arc::from(config.networks), config.s3.settings()?);
        let configured = config.secrets.into_iter().map(|secret| ConfiguredSecret::new(secret, &networks));
        let invalid = |reason| Error::ConfigurationInvalid { setting: "secret", reason };
        let configured = configured.collect::<Result<_, _>>().map_err(invalid)?;
        let (key_file, stores) = (config.secrets_key_file, Mutex::default());
        key_file.iter().for_each(SecretsKeyFile::remove_remains);
        let listings = Listings::new(config.listing_cache_bytes);
        let opened = Opened { files, networks, s3, configured, key_file, stores, listings };
        Ok(ObjectStores { opened: Arc::new(opened), secrets: Arc::default(), keys: None })
    }

    /// What was below locations a moment ago.
    pub fn listings(&self) -> &Listings {
        &self.opened.listings
    }

    /// Where a location is. Looks at the local file system's folders, not at their files; asks no object store.
    ///
    /// # Errors
    /// What is not a URL, not a kind of URL that can be read, or not allowed.
    pub fn resolve(&self, location: &str) -> Result<Location> {
        check_text(location)?;
        let Some((scheme, rest)) = location.split_once("://") else {
            // With one slash it may still have a key in it.
            let shown = match location.split_once(':') {
                Some((scheme, rest)) if rest.contains(['?', '@']) => format!("{scheme}:***"),
                _ => location.to_owned(),
            };
            return Err(invalid(&shown, "it is not a URL like s3://bucket/folder/ or file:///folder/"));
        };
        let scheme = scheme.to_ascii_lowercase();
        if scheme == "file" {
            return self.resolve_file(location);
        }
        let place = Place::of(&scheme, rest)?;
        let (store, store_url) = self.store(&place)?;
        let service = self.service(&place);
        Ok(Location { url: place.url, store, store_url, service, path: place.path })
    }

    /// Refuses a location that can only be read.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve), and for files of web servers.
    pub fn check_writable(&self, location: &str) -> Result<()> {
        match location.split_once("://") {
            Some((scheme, _)) if ["http", "https"].iter().any(|it| scheme.eq_ignore_ascii_case(it)) => {
                let (operation, location) = ("writing".to_owned(), place::without_secrets(location));
                Err(Error::OperationNotSupported { operation, location })
            }
            _ => Ok(()),
        }
    }

    /// The store of a place, and what the engine calls it.
    fn store(&self, place: &Place) -> Result<(Arc<dyn ObjectStore>, ObjectStoreUrl)> {
        let chosen = self.chosen(place);
        let store_url = store_url(&place.store, self.identity(&chosen, place.kind()).as_deref());
        let store_url = ObjectStoreUrl::parse(store_url).map_err(|_| invalid(&place.url, "it is not a URL"))?;
        let known = self.opened.stores().get(store_url.as_str()).cloned();
        if let Some(store) = known {
            return Ok((store, store_url));
        }
        // Nobody waits while a key is read from its file. Of two that are opened at the same time, one stays.
        let settings = self.settings(&chosen, place.kind())?;
        let opening = Opening { settings: &settings, scope: chosen.scope(), networks: &self.opened.networks };
        let store = opening.open(&place.service).map_err(|reason| invalid(&place.url, &reason))?;
        let mut open = self.opened.stores();
        if open.len() >= STORES_MAX {
            // Plans that read from it keep it; the next statement makes it anew.
            open.pop_first();
        }
        Ok((open.entry(store_url.as_str().to_owned()).or_insert(store).clone(), store_url))
    }

    /// Whether a statement could read what is there: lists at most one object.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve), and everything that keeps the location from being listed. A folder of an object
    /// store exists as soon as it is named, so an empty one is no error; a local folder has to be there.
    pub async fn check_readable(&self, location: &str) -> Result<()> {
        self.resolve(location)?.first_object().await?;
        Ok(())
    }

    /// The same for several locations, some of them at the same time.
    ///
    /// # Errors
    /// As [`check_readable`](Self::check_readable), for the first of them that is not.
    pub async fn check_all_readable(&self, locations: Vec<String>) -> Result<()> {
        let check = |location: String| async move { self.check_readable(&location).await }.boxed();
        stream::iter(locations).map(check).buffered(CHECKS_PARALLEL).try_collect().await
    }

    /// Where an object is, by what [`object_url`] has made of it. Such a URL is not percent-encoded.
    pub(crate) fn locate_object(&self, url: &str) -> Result<Location> {
        let Some(path) = url.strip_prefix("file:///") else { return self.resolve(url) };
        let path = Path::parse(path).map_err(|error| invalid(url, &error.to_string()))?;
        let store_url = ObjectStoreUrl::local_filesystem();
        let (store, service) = (self.opened.files.clone(), String::new());
        Ok(Location { url: url.to_owned(), store, store_url, service, path })
    }

    /// Whether there is anything at a location; a folder that is not there has nothing.
    ///
    /// # Errors
    /// As [`check_readable`](Self::check_readable).
    pub async fn has_files(&self, location: &str) -> Result<bool> {
        match self.resolve(location)?.first_object().await {
            Ok(object) => Ok(object.is_some()),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// `file:` URLs are percent-encoded paths: the parser takes `.` and `..` away, in every spelling.
    fn resolve_file(&self, location: &str) -> Result<Location> {
        let url = Url::parse(location).map_err(|error| invalid(location, &error.to_string()))?;
        if url.host().is_some() {
            return Err(invalid(location, "a file has no host, write file:///folder/"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid(location, "write ? as %3F and # as %23"));
        }
        let path = url.to_file_path().map_err(|()| invalid(location, "it is not a path"))?;
        let not_allowed = || Error::LocationNotAllowed { location: location.to_owned() };
        let path = self.opened.files.locate(&path).ok_or_else(not_allowed)?;
        let url = Url::from_file_path(&path).map_err(|()| not_allowed())?;
        let path = Path::from_url_path(url.path()).map_err(|error| invalid(location, &error.to_string()))?;
        let store_url = ObjectStoreUrl::local_filesystem();
        let (store, service) = (self.opened.files.clone(), String::new());
        Ok(Location { url: url.into(), store, store_url, service, path })
    }
}

/// Stores print what they were opened with, keys too.
impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("files", &self.files).field("networks", &self.networks).finish_non_exhaustive()
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Location").field("url", &self.url).field("service", &self.service).finish_non_exhaustive()
    }
}

impl Opened {
    fn stores(&self) -> MutexGuard<'_, BTreeMap<String, Arc<dyn ObjectStore>>> {
        self.stores.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Location {
    /// The object below this location that a listing gives first, or the one that it names.
    async fn first_object(&self) -> Result<Option<ObjectMeta>> {
        let failed = |error| Error::from_object_store(&self.url, error);
        match self.store.list(Some(&self.path)).try_next().await.map_err(failed)? {
            Some(object) => Ok(Some(object)),
            None => self.object().await,
        }
    }

    /// A file of this folder.
    ///
    /// # Errors
    /// The name is none.
    pub fn file(&self, name: &str) -> Result<Location> {
        let key = format!("{}/{name}", self.path);
        let path = Path::parse(&key).map_err(|error| invalid(&self.url, &error.to_string()))?;
        Ok(Location { url: object_url(&self.store_url, &path), path, ..self.clone() })
    }

    /// What an object of its store is recognised by in the catalog.
    pub fn name_of(&self, path: &Path) -> NamedFile {
        NamedFile { service: self.service.clone(), url: object_url(&self.store_url, path) }
    }

    /// The object that the location names, when it names one and not a folder.
    pub(crate) async fn object(&self) -> Result<Option<ObjectMeta>> {
        if self.path.is_root() {
            return Ok(None);
        }
        match self.store.head(&self.path).await.map_err(|error| Error::from_object_store(&self.url, error)) {
            Ok(object) => Ok(Some(object)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The URL of an object, as messages show it: the key is not percent-encoded, as it is not in a location.
pub fn object_url(store: &ObjectStoreUrl, path: &Path) -> String {
    match store.as_str().split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?))) {
        Some((scheme, (user, host))) => match user.split(':').next() {
            Some(container) if !container.is_empty() => format!("{scheme}://{container}@{host}{path}"),
            _ => format!("{scheme}://{host}{path}"),
        },
        None => format!("{store}{path}"),
    }
}

/// What the engine calls a store that was opened with a secret: the secret's identity is where URLs have a password.
fn store_url(store: &str, identity: Option<&str>) -> String {
    match (identity, store.split_once("://")) {
        (Some(identity), Some((scheme, rest))) => match rest.split_once('@') {
            Some((container, host)) => format!("{scheme}://{container}:{identity}@{host}"),
            None => format!("{scheme}://:{identity}@{rest}"),
        },
        _ => store.to_owned(),
    }
}

impl S3Config {
    fn settings(&self) -> Result<Settings> {
        let mut settings = Settings { endpoint_is_trusted: true, ..Settings::default() };
        let options = [
            ("endpoint", &self.endpoint),
            ("region", &self.region),
            ("key_id", &self.access_key_id),
            ("secret", &self.secret_access_key.as_ref().map(|key| key.reveal().to_owned())),
        ];
        for (option, value) in options {
            if let Some(value) = value {
                settings.set(option, value);
            }
        }
        let invalid = |setting, reason| Error::ConfigurationInvalid { setting, reason };
        settings.endpoint().map_err(|reason| invalid("s3.endpoint", reason))?;
        let is_url = |endpoint: &String| endpoint.starts_with("http://") || endpoint.starts_with("https://");
        if self.endpoint.as_ref().is_some_and(|endpoint| !is_url(endpoint)) {
            return Err(invalid("s3.endpoint", "it is not a URL like http://host:port or https://host".to_owned()));
        }
        let half = |_| invalid("s3.access_key_id", "access key and secret key go together".to_owned());
        settings.pair("key_id", "secret").map_err(half)?;
        Ok(settings)
    }
}

impl Opening<'_> {
    fn open(&self, service: &Service) -> Result<Arc<dyn ObjectStore>, String> {
        match service {
            Service::S3 { bucket } => s3::open(bucket, self),
            Service::Gs { bucket } => gs::open(bucket, self),
            Service::Az { container, account } => az::open(container, account.as_deref(), self),
            Service::Http { server } => http::open(server, self),
        }
    }

    /// Connects to the endpoint of the settings, or else to a cloud's own hosts.
    fn connector(&self, host: &str) -> Result<Connector, String> {
        let endpoint = self.settings.endpoint()?;
        let allow_http = endpoint.as_ref().is_some_and(|endpoint| endpoint.scheme() == "http");
        let trusted_host = match &endpoint {
            Some(endpoint) => endpoint.host_str().filter(|_| self.settings.endpoint_is_trusted),
            None => Some(host),
        };
        Ok(self.connector_to(trusted_host, allow_http))
    }

    fn connector_to(&self, trusted_host: Option<&str>, allow_http: bool) -> Connector {
        let reachable = Reachable { networks: self.networks.clone(), trusted_host: trusted_host.map(Arc::from) };
        Connector { reachable, allow_http, leaves_host: false, bearer_token: None, token_scope: self.scope.to_owned() }
    }

    /// That a store cannot be made of the settings. What the library says may quote them.
    fn unusable(&self) -> String {
        "its key cannot be read".to_owned()
    }
}

fn check_text(location: &str) -> Result<()> {
    if location.len() > LOCATION_BYTES_MAX {
        let start: String = place::without_secrets(location).chars().take(60).collect();
        return Err(invalid(&format!("{start}…"), "it is too long"));
    }
    if location.chars().any(char::is_control) {
        return Err(invalid(
            &place::without_secrets(location).escape_debug().to_string(),
            "it holds a control character",
        ));
    }
    Ok(())
}

pub(crate) fn invalid(location: &str, reason: &str) -> Error {
    Error::LocationInvalid { location: location.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
