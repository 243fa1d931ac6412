//! What a store is opened with: an endpoint, and who asks.

use std::collections::BTreeMap;
use std::fmt;

use url::Url;

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Options by their names in lower case, those of `CREATE SECRET`. Values are not printed, whether or not they are secret.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub(super) options: BTreeMap<String, Secret>,
    /// Whether the endpoint, if there is one, is the configuration's and not a statement's.
    pub(super) endpoint_is_trusted: bool,
}

impl Secret {
    /// Keeps a text from being printed.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Settings {
    pub(super) fn get(&self, option: &str) -> Option<&str> {
        self.options.get(option).map(Secret::reveal)
    }

    pub(super) fn set(&mut self, option: &str, value: &str) {
        self.options.insert(option.to_owned(), Secret::new(value));
    }

    /// Takes an option from other settings, unless there is one.
    pub(super) fn inherit(&mut self, option: &str, from: &Settings) {
        if let (None, Some(value)) = (self.get(option), from.get(option)) {
            self.set(option, value);
        }
    }

    /// Two options that mean something together only.
    ///
    /// # Errors
    /// There is one of them.
    pub(super) fn pair(&self, first: &str, second: &str) -> Result<Option<(&str, &str)>, String> {
        match (self.get(first), self.get(second)) {
            (Some(first), Some(second)) => Ok(Some((first, second))),
            (None, None) => Ok(None),
            _ => Err(format!("{} and {} go together", first.to_uppercase(), second.to_uppercase())),
        }
    }

    /// The URL of the service. One without a scheme is that of a host, which is spoken to in secret unless `USE_SSL` is false.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn endpoint(&self) -> Result<Option<Url>, String> {
        let Some(endpoint) = self.get("endpoint") else { return Ok(None) };
        let endpoint = match endpoint.contains("://") {
            true => endpoint.to_owned(),
            false if self.get("use_ssl") == Some("false") => format!("http://{endpoint}"),
            false => format!("https://{endpoint}"),
        };
        let url = Url::parse(&endpoint).map_err(|error| error.to_string())?;
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        match url.scheme() {
            "http" | "https" if has_credentials => Err("credentials do not belong into a URL".to_owned()),
            "http" | "https" if url.query().is_some() || url.fragment().is_some() => {
                Err("it must not have a query or a fragment".to_owned())
            }
            "http" | "https" => Ok(Some(url)),
            _ => Err("it is not a URL like http://host:port or https://host".to_owned()),
        }
    }
}
