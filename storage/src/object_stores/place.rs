//! What a location's URL names: a service, what is asked of it, and a path there.

use catalog::SecretKind;
use object_store::path::Path;
use url::Url;

use super::{az, invalid};
use crate::error::{Error, Result};

/// A place outside of the server's files.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) service: Service,
    /// The beginning of its URL, up to the path and without the slash before that.
    pub(super) store: String,
    pub(super) path: Path,
    /// Its URL, normalised, as messages show it.
    pub(super) url: String,
}

/// Who is asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Service {
    S3 {
        bucket: String,
    },
    Gs {
        bucket: String,
    },
    /// The account is named by the location, or by a secret.
    Az {
        container: String,
        account: Option<String>,
    },
    /// A web server, by the beginning of its URLs.
    Http {
        server: String,
    },
}

impl Place {
    /// What stands behind a scheme, which is in lower case, and `://`.
    ///
    /// # Errors
    /// The scheme is another, or the rest does not fit it.
    pub(super) fn of(scheme: &str, rest: &str) -> Result<Place> {
        match scheme {
            "s3" | "gs" => Self::of_bucket(scheme, rest),
            "az" => Self::of_container(scheme, rest),
            "abfs" | "abfss" if rest.split('/').next().is_some_and(|authority| authority.contains('@')) => {
                Self::of_account(scheme, rest)
            }
            "abfs" | "abfss" => Self::of_container(scheme, rest),
            "http" | "https" => Self::of_web(&format!("{scheme}://{rest}")),
            _ => Err(Error::SchemeNotSupported { scheme: scheme.to_owned() }),
        }
    }

    /// Locations in buckets are no real URLs: a key is taken as it is written, as all tools for S3 do. `dt=10%3A00` is a
    /// key that holds a percent sign.
    fn of_bucket(scheme: &str, rest: &str) -> Result<Place> {
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        check_no_user(scheme, rest)?;
        if !is_bucket_name(bucket) {
            return Err(invalid(&format!("{scheme}://{rest}"), "it does not name a bucket"));
        }
        let (store, bucket) = (format!("{scheme}://{bucket}"), bucket.to_owned());
        let (path, url) = path_below(&store, key)?;
        let service = if scheme == "gs" { Service::Gs { bucket } } else { Service::S3 { bucket } };
        Ok(Place { service, store, path, url })
    }

    fn of_container(scheme: &str, rest: &str) -> Result<Place> {
        check_unsigned(scheme, rest)?;
        let place = Self::of_bucket(scheme, rest)?;
        let container = place.store[scheme.len() + "://".len()..].to_owned();
        Ok(Place { service: Service::Az { container, account: None }, ..place })
    }

    /// `container@account.dfs.core.windows.net/key`
    fn of_account(scheme: &str, rest: &str) -> Result<Place> {
        check_unsigned(scheme, rest)?;
        let (authority, key) = rest.split_once('/').unwrap_or((rest, ""));
        let named = authority.split_once('@').filter(|(container, _)| is_bucket_name(container));
        let Some((container, account)) = named.and_then(|(it, host)| Some((it, az::account_of_host(host)?))) else {
            let reason = "it is not written as container@account.dfs.core.windows.net/folder/";
            return Err(invalid(&without_secrets(&format!("{scheme}://{rest}")), reason));
        };
        let store = format!("{scheme}://{authority}");
        let (path, url) = path_below(&store, key)?;
        let service = Service::Az { container: container.to_owned(), account: Some(account.to_owned()) };
        Ok(Place { service, store, path, url })
    }

    /// A file of a web server, whose URL is percent-encoded.
    fn of_web(location: &str) -> Result<Place> {
        let shown = without_secrets(location);
        let url = Url::parse(location).map_err(|error| invalid(&shown, &error.to_string()))?;
        let (store, path) = web_file(&url)?;
        if path.as_ref().contains('*') {
            return Err(invalid(&shown, "it is a pattern, and web servers do not tell what files there are"));
        }
        if path.is_root() || url.path().ends_with('/') {
            return Err(invalid(&shown, "it names a folder, and web servers do not tell what is in one"));
        }
        Ok(Place { service: Service::Http { server: store.clone() }, url: format!("{store}/{path}"), store, path })
    }
}

impl Place {
    /// Which secrets are for it.
    pub(super) fn kind(&self) -> SecretKind {
        match self.service {
            Service::S3 { .. } => SecretKind::S3,
            Service::Gs { .. } => SecretKind::Gs,
            Service::Az { .. } => SecretKind::Az,
            Service::Http { .. } => SecretKind::Http,
        }
    }

    /// What scopes are compared with, without a slash at its end: a container of Azure has several URLs, and its account is
    /// compared on its own.
    pub(super) fn compared(&self) -> String {
        let compared = match &self.service {
            Service::Az { container, .. } => format!("az://{container}/{}", self.path),
            _ => self.url.clone(),
        };
        compared.trim_end_matches('/').to_owned()
    }

    /// The account of Azure that its URL names.
    pub(super) fn account(&self) -> Option<&str> {
        match &self.service {
            Service::Az { account, .. } => account.as_deref(),
            _ => None,
        }
    }
}

impl Service {
    /// A service that settings are tried with.
    pub(super) fn tried(kind: SecretKind) -> Service {
        let name = || "tried".to_owned();
        match kind {
            SecretKind::S3 => Service::S3 { bucket: name() },
            SecretKind::Gs => Service::Gs { bucket: name() },
            SecretKind::Az => Service::Az { container: name(), account: None },
            SecretKind::Http => Service::Http { server: "https://tried".to_owned() },
        }
    }
}

/// The URL below which a secret is used, as [`Place::url`] writes it and without a slash at its end; empty for all locations
/// of its kind.
///
/// # Errors
/// It is not the beginning of a location of the kind.
pub(super) fn scope_of(kind: SecretKind, scope: &str) -> Result<String, String> {
    let invalid = |scope: &str| format!("SCOPE \"{scope}\" is not the beginning of a location of type {}", kind.name());
    let of_kind = |scheme: &str| match kind {
        SecretKind::S3 => scheme == "s3",
        SecretKind::Gs => scheme == "gs",
        SecretKind::Az => ["az", "abfs", "abfss"].contains(&scheme),
        SecretKind::Http => ["http", "https"].contains(&scheme),
    };
    let (scheme, rest) = scope.split_once("://").map_or((String::new(), scope), |(it, rest)| (it.to_lowercase(), rest));
    if kind == SecretKind::Http {
        // Whoever names a web server in a statement must not be sent what is meant for another.
        let server = || Url::parse(scope).ok().filter(|url| of_kind(url.scheme()));
        let url = server().ok_or_else(|| "SCOPE must name the web server, as https://host/".to_owned())?;
        let (store, path) = web_file(&url).map_err(|error| error.to_string())?;
        return Ok(format!("{store}/{path}").trim_end_matches('/').to_owned());
    }
    if scope.is_empty() || rest.is_empty() && of_kind(&scheme) {
        return Ok(String::new());
    }
    if !of_kind(&scheme) {
        return Err(invalid(&without_secrets(scope)));
    }
    let place = Place::of(&scheme, rest).map_err(|_| invalid(&without_secrets(scope)))?;
    Ok(place.url.trim_end_matches('/').to_owned())
}

/// A scope as it is compared: see [`Place::compared`].
pub(super) fn compared_scope(kind: SecretKind, scope: &str) -> String {
    let place = scope.split_once("://").filter(|_| kind == SecretKind::Az);
    let place = place.and_then(|(scheme, rest)| Place::of(scheme, rest).ok());
    place.map_or_else(|| scope.to_owned(), |place| place.compared())
}

/// The account of Azure that a scope names.
pub(super) fn account_of_scope(scope: &str) -> Option<String> {
    let (scheme, rest) = scope.split_once("://")?;
    Place::of(scheme, rest).ok()?.account().map(str::to_owned)
}

/// The path that a key says, and its URL below a store's. A slash in front of a key says nothing, neither to the store nor to
/// those who compare the URL with a scope.
fn path_below(store: &str, key: &str) -> Result<(Path, String)> {
    let path = Path::parse(key).map_err(|error| invalid(&format!("{store}/{key}"), &error.to_string()))?;
    let slash = if key.ends_with('/') && !path.is_root() { "/" } else { "" };
    let url = format!("{store}/{path}{slash}");
    Ok((path, url))
}

/// Refuses the signature of a shared access in a location of Azure. A key may have a `?` in it.
fn check_unsigned(scheme: &str, rest: &str) -> Result<()> {
    match signature_in(rest) {
        None => Ok(()),
        Some(_) => {
            let shown = without_secrets(&format!("{scheme}://{rest}"));
            Err(invalid(&shown, "a signature does not belong into a location: make a secret with SAS_TOKEN"))
        }
    }
}

/// Where the query begins that has a signature of Azure in it.
fn signature_in(rest: &str) -> Option<usize> {
    let query = rest.find('?')?;
    rest[query..].to_ascii_lowercase().contains("sig=").then_some(query)
}

/// The beginning of a web server's URLs, and a path behind it.
fn web_file(url: &Url) -> Result<(String, Path)> {
    let shown = without_secrets(url.as_str());
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid(&shown, "credentials do not belong into a location"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        // A statement, and with it a signature, is shown in many places.
        return Err(invalid(&shown, "a query, which may hold a signature, does not belong into a location"));
    }
    let path = Path::from_url_path(url.path()).map_err(|error| invalid(&shown, &error.to_string()))?;
    Ok((url[..url::Position::BeforePath].to_owned(), path))
}

/// Whether a URL is below a scope of web servers, whatever is asked for there.
pub(super) fn is_web_file_below(scope: &str, url: &Url) -> bool {
    let Ok(path) = Path::from_url_path(url.path()) else { return false };
    is_below(scope, &format!("{}/{path}", &url[..url::Position::BeforePath]))
}

/// Whether a URL is that of a scope, or of something in it.
pub(super) fn is_below(scope: &str, url: &str) -> bool {
    url.strip_prefix(scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Refuses credentials in front of a bucket. A secret may have a slash in it.
fn check_no_user(scheme: &str, rest: &str) -> Result<()> {
    let bucket = rest.split('/').next().unwrap_or_default();
    if bucket.contains('@') || bucket.contains(':') && rest.contains('@') {
        let shown = format!("{scheme}://***@{}", rest.rsplit_once('@').map_or("", |(_, rest)| rest));
        return Err(invalid(&shown, "credentials do not belong into a location"));
    }
    Ok(())
}

/// A location as messages may show it: without what stands in front of an `@`, and behind a `?` of a web server's or in front
/// of a signature.
pub(super) fn without_secrets(location: &str) -> String {
    let Some((scheme, rest)) = location.split_once("://") else { return location.to_owned() };
    let is_web = ["http", "https"].iter().any(|it| scheme.eq_ignore_ascii_case(it));
    let query = if is_web { rest.find(['?', '#']) } else { signature_in(rest) };
    let (rest, query) = query.map_or((rest, ""), |query| (&rest[..query], "?***"));
    match rest.rsplit_once('@') {
        Some((_, rest)) => format!("{scheme}://***@{rest}{query}"),
        None => format!("{scheme}://{rest}{query}"),
    }
}

/// Whether a text is a bucket's name as far as a URL cares. Which names exist is for the service to say.
fn is_bucket_name(text: &str) -> bool {
    let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    (1..=255).contains(&text.len())
        && text.bytes().all(is_name_byte)
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
}
