//! Secrets: what stores below a location are opened with. They are those of `CREATE SECRET`, which the catalog has, and
//! those of the configuration.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use catalog::{Oid, SecretKind, StoredSecret};
use ipnet::IpNet;

use super::place::{Place, Service, account_of_scope, compared_scope, is_below, scope_of};
use super::sealed::{self, SecretsKeyFile};
use super::settings::Settings;
use super::{ObjectStores, Opened, Opening};
use crate::error::{Error, Result};

/// A secret as somebody writes it down.
#[derive(Clone)]
pub struct GivenSecret {
    /// Which stores it is for.
    pub kind: SecretKind,
    /// The URL below which it is used; empty for all locations of its kind.
    pub scope: String,
    /// Options by their names in lower case.
    pub options: BTreeMap<String, String>,
}

/// The secrets that a statement may use: those of its snapshot.
pub type StoredSecrets = Arc<BTreeMap<String, Arc<StoredSecret>>>;

/// An option of secrets.
struct SecretOption {
    name: &'static str,
    kinds: &'static [SecretKind],
    /// Whether others may see its value.
    is_shown: bool,
}

/// A secret of the configuration.
#[derive(Debug)]
pub(super) struct ConfiguredSecret {
    kind: SecretKind,
    scope: String,
    settings: Settings,
}

/// What a place is opened with.
pub(super) enum Chosen<'a> {
    /// What the statement brings with it
    Keys(&'a Keys),
    Stored(&'a StoredSecret),
    /// One of the configuration
    Configured(&'a ConfiguredSecret),
    /// What the configuration says in general
    Nothing,
}

/// What a statement brings with it to open buckets of S3.
#[derive(Debug)]
pub(super) struct Keys {
    settings: Settings,
    identity: String,
}

impl Chosen<'_> {
    /// Below which it may be used.
    pub(super) fn scope(&self) -> &str {
        match self {
            Chosen::Stored(secret) => &secret.scope,
            Chosen::Configured(secret) => &secret.scope,
            Chosen::Keys(_) | Chosen::Nothing => "",
        }
    }
}

use SecretKind::{Az, Gs, Http, S3};

/// What can be said about a secret. The names are DuckDB's, where it has them.
const OPTIONS: [SecretOption; 12] = [
    SecretOption { name: "key_id", kinds: &[S3, Gs], is_shown: false },
    SecretOption { name: "secret", kinds: &[S3, Gs], is_shown: false },
    SecretOption { name: "session_token", kinds: &[S3], is_shown: false },
    SecretOption { name: "region", kinds: &[S3], is_shown: true },
    SecretOption { name: "endpoint", kinds: &[S3, Gs, Az], is_shown: true },
    SecretOption { name: "url_style", kinds: &[S3], is_shown: true },
    SecretOption { name: "use_ssl", kinds: &[S3, Gs, Az], is_shown: true },
    SecretOption { name: "service_account_key", kinds: &[Gs], is_shown: false },
    SecretOption { name: "account_name", kinds: &[Az], is_shown: true },
    SecretOption { name: "account_key", kinds: &[Az], is_shown: false },
    SecretOption { name: "sas_token", kinds: &[Az], is_shown: false },
    SecretOption { name: "bearer_token", kinds: &[Http], is_shown: false },
];

impl fmt::Debug for GivenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options: Vec<_> = self.options.keys().collect();
        f.debug_struct("GivenSecret").field("kind", &self.kind).field("options", &options).finish_non_exhaustive()
    }
}

impl GivenSecret {
    /// The secret with its scope as it is compared, and its settings, if stores can be opened with these.
    fn checked(mut self, endpoint_is_trusted: bool) -> Result<(Self, Settings), String> {
        let mut settings = Settings { endpoint_is_trusted, ..Settings::default() };
        for (name, value) in &mut self.options {
            let known = OPTIONS.iter().find(|option| option.name == name);
            let known = known.ok_or_else(|| format!("there is no option {}", name.to_uppercase()))?;
            if !known.kinds.contains(&self.kind) {
                return Err(format!("type {} has no option {}", self.kind.name(), name.to_uppercase()));
            }
            check_value(name, value)?;
            settings.set(name, value);
        }
        if settings.get("session_token").is_some() && settings.get("key_id").is_none() {
            return Err("SESSION_TOKEN goes with KEY_ID and SECRET".to_owned());
        }
        if self.kind == Az && settings.get("account_name").is_none() {
            // Whoever names an account in a URL must not be sent what opens another.
            return Err("ACCOUNT_NAME must say what it is for".to_owned());
        }
        settings.endpoint().map_err(|reason| format!("ENDPOINT: {reason}"))?;
        self.scope = scope_of(self.kind, &self.scope)?;
        if let Some(named) =
            account_of_scope(&self.scope).filter(|named| Some(&**named) != settings.get("account_name"))
        {
            return Err(format!("SCOPE names the account \"{named}\", ACCOUNT_NAME another"));
        }
        Ok((self, settings))
    }
}

/// Refuses a value that could mean something else than it says. Words become lower case.
fn check_value(option: &str, value: &mut str) -> Result<(), String> {
    let words: &[&str] = match option {
        "url_style" => &["path", "vhost"],
        "use_ssl" => &["true", "false"],
        _ if value.is_empty() || value.contains(char::is_control) && option != "service_account_key" => {
            return Err(format!("{} is empty or holds a control character", option.to_uppercase()));
        }
        _ => return Ok(()),
    };
    value.make_ascii_lowercase();
    match words.contains(&&*value) {
        true => Ok(()),
        false => Err(format!("{} is neither {} nor {}", option.to_uppercase(), words[0], words[1])),
    }
}

/// Whether a secret is for a place; that of an account of Azure is for no place of another.
fn covers(kind: SecretKind, scope: &str, account: Option<&str>, place: &Place) -> bool {
    let scope = &*compared_scope(kind, scope);
    let is_of_account = place.account().is_none_or(|named| Some(named) == account);
    kind == place.kind() && is_of_account && (scope.is_empty() || is_below(scope, &place.compared()))
}

impl ConfiguredSecret {
    /// What it is recognised by after a restart with another configuration too: what is kept on the disk of files of one
    /// service is nothing of another's.
    fn identity(&self) -> String {
        let settings = &self.settings;
        let said = (self.kind, &self.scope, settings.get("endpoint"), settings.get("account_name"));
        sealed::identity_of_said(&said)
    }

    /// # Errors
    /// What is wrong with it.
    pub(super) fn new(given: GivenSecret, networks: &Arc<[IpNet]>) -> Result<Self, String> {
        let (given, settings) = given.checked(true)?;
        try_to_open(given.kind, &settings, networks)?;
        Ok(ConfiguredSecret { kind: given.kind, scope: given.scope, settings })
    }
}

impl ObjectStores {
    /// The same stores for statements that may use these secrets.
    pub fn with_secrets(&self, secrets: StoredSecrets) -> ObjectStores {
        ObjectStores { secrets, ..self.clone() }
    }

    /// The same stores for a statement that brings with it what buckets of S3 are opened with, as the options of a secret.
    ///
    /// # Errors
    /// They cannot be used.
    pub fn with_keys(&self, options: BTreeMap<String, String>) -> Result<ObjectStores> {
        let invalid = |reason| Error::SecretInvalid { reason };
        let identity = sealed::identity_of_keys(&options).map_err(invalid)?;
        let given = GivenSecret { kind: S3, scope: String::new(), options };
        let (_, settings) = given.checked(false).map_err(invalid)?;
        try_to_open(S3, &settings, &self.opened.networks).map_err(invalid)?;
        Ok(ObjectStores { keys: Some(Arc::new(Keys { settings, identity })), ..self.clone() })
    }

    /// A secret as the catalog is to have it.
    ///
    /// # Errors
    /// It cannot be used, or not be encrypted.
    pub fn seal(&self, oid: Oid, owner: Oid, name: &str, given: GivenSecret) -> Result<StoredSecret> {
        let invalid = |reason| Error::SecretInvalid { reason };
        let (given, settings) = given.checked(false).map_err(invalid)?;
        try_to_open(given.kind, &settings, &self.opened.networks).map_err(invalid)?;
        let is_shown = |name: &String| OPTIONS.iter().any(|option| option.name == name && option.is_shown);
        let (shown, hidden) = given.options.into_iter().partition(|(name, _)| is_shown(name));
        let (name, scope) = (name.to_owned(), given.scope);
        let secret = StoredSecret { oid, name, owner, kind: given.kind, scope, settings: shown, sealed: Vec::new() };
        let unreadable = |reason| Error::SecretUnreadable { name: secret.name.clone(), reason };
        let key = self.opened.key_file()?.key_to_seal().map_err(unreadable)?;
        let sealed = sealed::seal(&key, &secret, &hidden).map_err(unreadable)?;
        Ok(StoredSecret { sealed, ..secret })
    }

    /// What a place is opened with: the keys that the statement brings with it, or else the secret that is closest to it, or
    /// else what the configuration says. Of two that are as close, one of the catalog comes first, and then the first by name.
    pub(super) fn chosen(&self, place: &Place) -> Chosen<'_> {
        if let (Some(keys), S3) = (&self.keys, place.kind()) {
            return Chosen::Keys(keys);
        }
        let account = |secret: &StoredSecret| secret.settings.get("account_name").cloned();
        let is_for =
            |secret: &&Arc<StoredSecret>| covers(secret.kind, &secret.scope, account(secret).as_deref(), place);
        let stored = self.secrets.values().filter(is_for);
        let closeness = |kind, scope: &str| compared_scope(kind, scope).len();
        let stored = stored.rev().max_by_key(|secret| closeness(secret.kind, &secret.scope));
        let is_for =
            |secret: &ConfiguredSecret| covers(secret.kind, &secret.scope, secret.settings.get("account_name"), place);
        let configured = self.opened.configured.iter().filter(|secret| is_for(secret));
        let configured = configured.rev().max_by_key(|secret| closeness(secret.kind, &secret.scope));
        match (stored, configured) {
            (Some(stored), Some(configured))
                if closeness(configured.kind, &configured.scope) > closeness(stored.kind, &stored.scope) =>
            {
                Chosen::Configured(configured)
            }
            (Some(stored), _) => Chosen::Stored(stored),
            (None, Some(configured)) => Chosen::Configured(configured),
            (None, None) => Chosen::Nothing,
        }
    }

    /// What tells the chosen one from what others open the same with.
    pub(super) fn identity(&self, chosen: &Chosen<'_>, kind: SecretKind) -> Option<String> {
        match chosen {
            Chosen::Keys(keys) => Some(keys.identity.clone()),
            Chosen::Stored(secret) => Some(sealed::identity(secret)),
            Chosen::Configured(secret) => Some(secret.identity()),
            Chosen::Nothing if kind == S3 => self.opened.s3.get("endpoint").map(|it| sealed::identity_of_said(&it)),
            Chosen::Nothing => None,
        }
    }

    /// Which service a place is of: the endpoint that it is reached at, and the account that the URL leaves open.
    pub(super) fn service(&self, place: &Place) -> String {
        let chosen = self.chosen(place);
        let mut settings = Settings::default();
        for name in ["endpoint", "use_ssl", "account_name"] {
            let value = match &chosen {
                Chosen::Keys(keys) => keys.settings.get(name),
                Chosen::Stored(secret) => secret.settings.get(name).map(String::as_str),
                Chosen::Configured(secret) => secret.settings.get(name),
                Chosen::Nothing => None,
            };
            value.into_iter().for_each(|value| settings.set(name, value));
        }
        if place.kind() == S3 {
            settings.inherit("endpoint", &self.opened.s3);
        }
        let endpoint = settings.endpoint().ok().flatten().map(String::from);
        let account = settings.get("account_name").filter(|_| place.account().is_none());
        [endpoint.as_deref(), account].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// What a store of a kind is opened with. What a secret does not say of the service is as the configuration says.
    ///
    /// # Errors
    /// The secret cannot be decrypted.
    pub(super) fn settings(&self, chosen: &Chosen<'_>, kind: SecretKind) -> Result<Settings> {
        let mut settings = match chosen {
            Chosen::Keys(keys) => keys.settings.clone(),
            Chosen::Stored(secret) => self.unsealed(secret)?,
            Chosen::Configured(secret) => secret.settings.clone(),
            Chosen::Nothing if kind == S3 => self.opened.s3.clone(),
            Chosen::Nothing => Settings::default(),
        };
        if kind == S3 && settings.get("endpoint").is_none() {
            settings.inherit("endpoint", &self.opened.s3);
            settings.inherit("region", &self.opened.s3);
            settings.endpoint_is_trusted = true;
        }
        Ok(settings)
    }

    fn unsealed(&self, secret: &StoredSecret) -> Result<Settings> {
        let hidden = sealed::open(self.opened.key_file()?, secret);
        let hidden = hidden.map_err(|reason| Error::SecretUnreadable { name: secret.name.clone(), reason })?;
        let mut settings = Settings::default();
        for (name, value) in secret.settings.iter().chain(&hidden) {
            settings.set(name, value);
        }
        Ok(settings)
    }
}

/// Whether a store can be opened with these settings. Nothing is connected to.
fn try_to_open(kind: SecretKind, settings: &Settings, networks: &Arc<[IpNet]>) -> Result<(), String> {
    Opening { settings, scope: "", networks }.open(&Service::tried(kind)).map(drop)
}

impl Opened {
    fn key_file(&self) -> Result<&SecretsKeyFile> {
        let missing =
            || Error::ConfigurationInvalid { setting: "secrets-key-file", reason: "there is none".to_owned() };
        self.key_file.as_ref().ok_or_else(missing)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_in_azure_covers_all_spellings_of_its_locations() {
        let scopes = ["az://c/a", "abfs://c/a/", "abfss://c@account.dfs.core.windows.net/a"];
        let locations =
            ["az://c/a/x", "abfss://c@account.dfs.core.windows.net/a", "abfss://c@account.blob.core.windows.net/a/x"];
        for (scope, location) in scopes.iter().flat_map(|scope| locations.map(|location| (scope, location))) {
            let scope = scope_of(Az, scope).unwrap();
            let (scheme, rest) = location.split_once("://").unwrap();
            let place = Place::of(scheme, rest).unwrap();
            assert!(covers(Az, &scope, Some("account"), &place), "{scope} {location}");
            assert_eq!(covers(Az, &scope, Some("another"), &place), place.account().is_none(), "{scope} {location}");
        }
        let beside = Place::of("az", "c/ab").unwrap();
        assert!(!covers(Az, "az://c/a", Some("account"), &beside));
    }
}
