//! The server's settings: from flags, `THERMOCLINE_*` variables and one TOML file, under the same names in all three.
//!
//! This is the only place that reads the environment. A name that is not known is an error, wherever it stands: a
//! misspelt setting that is silently ignored would be noticed when it is too late.

mod access;
mod secrets;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use ipnet::IpNet;
use serde::Deserialize;
use storage::object_stores::{ObjectStoresConfig, S3Config, Secret};

use crate::access::AccessConfig;

/// Redshift's port, so that a local PostgreSQL is not in the way.
const LISTEN_DEFAULT: &str = "127.0.0.1:5439";
const DATA_DIR_DEFAULT: &str = "thermocline-data";
const LOG_DEFAULT: &str = "info";
const VARIABLE_PREFIX: &str = "THERMOCLINE_";
/// Share of the machine's memory that queries may use. The engine accounts for most of what it allocates, not for all,
/// so the rest is its margin.
const MEMORY_LIMIT_SHARE: f64 = 0.6;
/// The share of the memory that decoded columns have.
const COLUMN_CACHE_ONE_IN: usize = 4;
/// Of the memory, the part that is kept for bytes on their way to and from the local disk.
const PAGE_CACHE_ONE_IN: usize = 32;
/// With less memory than this, there is a page cache only when one is asked for.
const PAGE_CACHE_LIMIT_BYTES_MIN: usize = 256 << 20;
/// Of the memory, the part that is kept for what files say of themselves: a footer takes some 10 KB.
const FOOTER_CACHE_ONE_IN: usize = 16;
/// Of that part, the part for listings: a file has one line in them, and a footer.
const LISTING_CACHE_ONE_IN: usize = 4;
/// What is read of an external table without anybody asking for it.
const EXTERNAL_SAMPLE_BYTES: usize = 64 << 20;
/// Where Linux says how much memory a container may use: control groups, version 2 and 1.
const CGROUP_LIMITS: [&str; 2] = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
/// What is assumed where the machine's memory cannot be told.
const MACHINE_MEMORY_FALLBACK_BYTES: usize = 4 << 30;
/// Less than this and the simplest join would fail.
const MEMORY_LIMIT_BYTES_MIN: usize = 16 << 20;

/// The command line.
#[derive(Parser)]
#[command(
    name = "thermocline",
    args_override_self = true,
    version,
    about = "A SQL warehouse server that speaks PostgreSQL's protocol, over hot tables and files in object storage",
    after_help = "Every setting can also be given as a variable (THERMOCLINE_DATA_DIR) or in the TOML file (data-dir). \
                  A flag wins over a variable, and a variable over the file."
)]
pub struct CommandLine {
    /// What to do; without a command, the server is started.
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    settings: Settings,
}

/// What to do besides serving.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Load a small real data set, run three queries over it, and keep serving
    Demo,
    /// Make a data directory of a backup that BACKUP TO has made, and end
    Restore {
        /// Where the backup is: a directory, or a location such as s3://bucket/folder
        #[arg(long, value_name = "DIR|URL")]
        from: String,
    },
}

/// The settings, as far as one of the three places gives them.
// No Debug: it would print the secret.
#[derive(Default, Args, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Settings {
    /// Where to listen for clients [default: 127.0.0.1:5439]
    #[arg(long, global = true, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Where hot tables and the catalog are kept; made if it is not there [default: thermocline-data]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// A TOML file with settings
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A folder below which file:// locations may be read and written; may be given several times
    #[arg(long, global = true, value_name = "DIR")]
    external_root: Vec<PathBuf>,
    /// A network that web servers and endpoints which statements name may be in, besides public addresses; may be given several times
    #[arg(long, global = true, value_name = "CIDR")]
    external_network: Vec<String>,
    /// URL of the S3-compatible store behind s3:// locations, when it is not AWS
    #[arg(long, global = true, value_name = "URL")]
    s3_endpoint: Option<String>,
    /// Region of the store [default: us-east-1]
    #[arg(long, global = true, value_name = "REGION")]
    s3_region: Option<String>,
    /// Access key; without keys, requests are not signed
    #[arg(long, global = true, value_name = "KEY")]
    s3_access_key_id: Option<String>,
    /// Secret key; better given in the file or as a variable, since other users see flags
    #[arg(long, global = true, value_name = "SECRET")]
    s3_secret_access_key: Option<String>,
    /// The file with the key that secrets are encrypted with, 32 bytes [default: secrets.key in the data directory, made when it is needed]
    #[arg(long, global = true, value_name = "FILE")]
    secrets_key_file: Option<PathBuf>,
    // Secrets, as CREATE SECRET makes them: in the file only.
    #[arg(skip)]
    secret: Vec<secrets::SecretTable>,
    /// A folder for a Unix socket to listen at too, .s.PGSQL.PORT
    #[arg(long, global = true, value_name = "DIR")]
    unix_socket_dir: Option<PathBuf>,
    /// Who may encrypt: require, prefer, off [default: prefer when there is a certificate]
    #[arg(long, global = true, value_name = "POLICY")]
    tls: Option<String>,
    /// The server's certificate and those it leads to, as PEM; read again at SIGHUP
    #[arg(long, global = true, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Its private key, as PEM
    #[arg(long, global = true, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// The authorities whose certificates clients may show, as PEM
    #[arg(long, global = true, value_name = "FILE")]
    tls_client_ca: Option<PathBuf>,
    /// Rules of who may connect, as in pg_hba.conf; read again at SIGHUP
    #[arg(long, global = true, value_name = "FILE")]
    hba_file: Option<PathBuf>,
    /// A file with the password that the role thermocline gets while it has none
    #[arg(long, global = true, value_name = "FILE")]
    password_file: Option<PathBuf>,
    // The password itself: as a variable or in the file, never as a flag, which other users see.
    #[arg(skip)]
    password: Option<String>,
    /// Sessions that there may be at a time [default: 1000]
    #[arg(long, global = true, value_name = "NUMBER")]
    max_connections: Option<String>,
    /// How long a client may take until it is let in [default: 60s]
    #[arg(long, global = true, value_name = "TIME")]
    authentication_timeout: Option<String>,
    /// How long transactions that are open may go on when the server is asked to stop [default: 10s]
    #[arg(long, global = true, value_name = "TIME")]
    shutdown_timeout: Option<String>,
    /// A network whose clients may connect without a password, besides this machine; may be given several times
    #[arg(long, global = true, value_name = "CIDR")]
    trusted_network: Vec<String>,
    /// Memory that queries may use in all, such as 4GB [default: 60 % of the machine's]
    #[arg(long, global = true, value_name = "SIZE")]
    memory_limit: Option<String>,
    /// Memory of it that is kept for decoded columns, such as 1GB [default: a quarter]
    #[arg(long, global = true, value_name = "SIZE")]
    column_cache: Option<String>,
    /// Memory of it that is kept for what is known of files: listings, footers, indexes, filters [default: a sixteenth]
    #[arg(long, global = true, value_name = "SIZE")]
    footer_cache: Option<String>,
    /// Space on the local disk for bytes read from object stores, such as 100GB; 0 for none [default: a tenth of what is free,
    /// at most 16GB]
    #[arg(long, global = true, value_name = "SIZE")]
    page_cache: Option<String>,
    /// How much of an external table's files is read for statistics once queries have asked for it, such as 64MB; 0 for nothing
    /// [default: 64MB]
    #[arg(long, global = true, value_name = "SIZE")]
    external_sample: Option<String>,
    /// What is logged: a level, or a filter such as info,server::session=debug [default: info]
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
}

/// The settings, complete and checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; several addresses when a host name has them.
    pub listen: Vec<SocketAddr>,
    /// Where hot tables and the catalog are kept.
    pub data_dir: PathBuf,
    /// Which external locations can be reached, and how.
    pub stores: ObjectStoresConfig,
    /// A folder for a Unix socket to listen at too.
    pub unix_socket_dir: Option<PathBuf>,
    /// How long transactions that are open may go on when the server is asked to stop.
    pub shutdown_timeout: Duration,
    /// Who may come in.
    pub access: AccessConfig,
    /// The password that the first role gets while it has none.
    pub first_password: Option<Secret>,
    /// Bytes that queries may use in all, decoded columns included.
    pub memory_limit_bytes: usize,
    /// Bytes of these that are kept for decoded columns.
    pub column_cache_bytes: usize,
    /// Bytes of these that are kept for what files say of themselves.
    pub footer_cache_bytes: usize,
    /// Bytes of these that are kept for what was read from object stores.
    pub page_memory_bytes: usize,
    /// Bytes of the local disk for the same; none given means a part of what is free.
    pub page_disk_bytes: Option<usize>,
    /// Bytes of an external table's files that are read for statistics without anybody asking for them.
    pub external_sample_bytes: usize,
    /// Filter of the log.
    pub log: String,
}

impl Config {
    /// Bytes of the memory that caches have.
    pub fn cache_bytes(&self) -> usize {
        let of_files = self.footer_cache_bytes + self.stores.listing_cache_bytes as usize + self.page_memory_bytes;
        self.column_cache_bytes + of_files
    }
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The command line cannot be read, or asks for help.
    #[error(transparent)]
    CommandLine(#[from] clap::Error),
    /// The file cannot be read.
    #[error("could not read configuration file \"{path}\": {source}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file or a variable has an unknown name or a wrong value.
    #[error("{place}: {message}")]
    Setting {
        /// Where it stands.
        place: String,
        /// What is wrong with it.
        message: String,
    },
}

impl Config {
    /// The settings of this process.
    ///
    /// # Errors
    /// An unknown name or a wrong value in any of the three places. Asking for help comes as an error too.
    #[allow(clippy::disallowed_methods, reason = "the one place where the environment enters")]
    pub fn from_process() -> Result<(Self, Option<Command>), ConfigError> {
        Self::from_parts(std::env::args_os(), std::env::vars())
    }

    fn from_parts(
        arguments: impl IntoIterator<Item = OsString>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(Self, Option<Command>), ConfigError> {
        let CommandLine { command, settings: flags } = CommandLine::try_parse_from(arguments)?;
        let variables = Settings::from_variables(variables)?;
        let file = match flags.config.as_ref().or(variables.config.as_ref()) {
            Some(path) => Settings::from_file(path)?,
            None => Settings::default(),
        };
        Ok((flags.over(variables).over(file).complete()?, command))
    }
}

impl Settings {
    fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut table = toml::Table::new();
        let mut names = BTreeMap::new();
        for (variable, value) in variables {
            let Some(name) = variable.strip_prefix(VARIABLE_PREFIX) else { continue };
            let key = name.to_ascii_lowercase().replace('_', "-");
            if key == "secret" {
                let message = "secrets can be given in the file only".to_owned();
                return Err(ConfigError::Setting { place: format!("variable {variable}"), message });
            }
            let value = match key.as_str() {
                "external-root" => list(&value, ':'),
                "trusted-network" | "external-network" => list(&value, ','),
                _ => toml::Value::String(value),
            };
            names.insert(key.clone(), variable);
            table.insert(key, value);
        }
        table.try_into().map_err(|error: toml::de::Error| {
            let message = error.message().to_owned();
            let variable = names.iter().find(|(key, _)| message.contains(&format!("`{key}`")));
            let place = variable.map_or("environment".to_owned(), |(_, variable)| format!("variable {variable}"));
            ConfigError::Setting { place, message }
        })
    }

    fn from_file(path: &PathBuf) -> Result<Self, ConfigError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|source| ConfigError::File { path: shown.clone(), source })?;
        let place = format!("configuration file \"{shown}\"");
        let settings: Settings = toml::from_str(&text)
            .map_err(|error| ConfigError::Setting { place: place.clone(), message: without_source(&error, &text) })?;
        if settings.config.is_some() {
            let message = "a configuration file cannot name another one".to_owned();
            return Err(ConfigError::Setting { place, message });
        }
        Ok(settings)
    }

    /// These settings, and where they say nothing, those of `other`.
    fn over(self, other: Settings) -> Settings {
        let first_given = |own: Vec<PathBuf>, theirs| if own.is_empty() { theirs } else { own };
        let texts = |own: Vec<String>, theirs| if own.is_empty() { theirs } else { own };
        Settings {
            listen: self.listen.or(other.listen),
            data_dir: self.data_dir.or(other.data_dir),
            config: self.config.or(other.config),
            external_root: first_given(self.external_root, other.external_root),
            external_network: texts(self.external_network, other.external_network),
            s3_endpoint: self.s3_endpoint.or(other.s3_endpoint),
            s3_region: self.s3_region.or(other.s3_region),
            s3_access_key_id: self.s3_access_key_id.or(other.s3_access_key_id),
            s3_secret_access_key: self.s3_secret_access_key.or(other.s3_secret_access_key),
            secrets_key_file: self.secrets_key_file.or(other.secrets_key_file),
            secret: if self.secret.is_empty() { other.secret } else { self.secret },
            unix_socket_dir: self.unix_socket_dir.or(other.unix_socket_dir),
            tls: self.tls.or(other.tls),
            tls_cert: self.tls_cert.or(other.tls_cert),
            tls_key: self.tls_key.or(other.tls_key),
            tls_client_ca: self.tls_client_ca.or(other.tls_client_ca),
            hba_file: self.hba_file.or(other.hba_file),
            password_file: self.password_file.or(other.password_file),
            password: self.password.or(other.password),
            max_connections: self.max_connections.or(other.max_connections),
            authentication_timeout: self.authentication_timeout.or(other.authentication_timeout),
            shutdown_timeout: self.shutdown_timeout.or(other.shutdown_timeout),
            trusted_network: texts(self.trusted_network, other.trusted_network),
            memory_limit: self.memory_limit.or(other.memory_limit),
            column_cache: self.column_cache.or(other.column_cache),
            footer_cache: self.footer_cache.or(other.footer_cache),
            page_cache: self.page_cache.or(other.page_cache),
            external_sample: self.external_sample.or(other.external_sample),
            log: self.log.or(other.log),
        }
    }

    fn memory(&self) -> Result<Memory, ConfigError> {
        let size = |name: &str, size: &Option<String>, default: usize, example: &str| match size {
            Some(size) => parse_size(size).ok_or_else(|| wrong(name, size, &format!("not a size such as {example}"))),
            None => Ok(default),
        };
        let machines = (machine_memory_bytes() as f64 * MEMORY_LIMIT_SHARE) as usize;
        let limit_bytes = size("memory-limit", &self.memory_limit, machines, "4GB")?;
        if limit_bytes < MEMORY_LIMIT_BYTES_MIN {
            return Err(wrong(
                "memory-limit",
                self.memory_limit.as_deref().unwrap_or_default(),
                "must be at least 16MB",
            ));
        }
        let cache = |name: &str, given: &Option<String>, one_in: usize, example: &str, part: &str, parts: usize| {
            let bytes = size(name, given, limit_bytes / one_in, example)?;
            if bytes > limit_bytes / parts {
                let message = format!("must not be more than {part} of memory-limit");
                return Err(wrong(name, given.as_deref().unwrap_or_default(), &message));
            }
            Ok(bytes)
        };
        let column_cache_bytes = cache("column-cache", &self.column_cache, COLUMN_CACHE_ONE_IN, "1GB", "half", 2)?;
        let footer_cache_bytes =
            cache("footer-cache", &self.footer_cache, FOOTER_CACHE_ONE_IN, "256MB", "a quarter", 4)?;
        let listing_cache_bytes = footer_cache_bytes / LISTING_CACHE_ONE_IN;
        let footer_cache_bytes = footer_cache_bytes - listing_cache_bytes;
        let page_disk_bytes = match &self.page_cache {
            Some(_) => Some(size("page-cache", &self.page_cache, 0, "100GB")?),
            None if limit_bytes < PAGE_CACHE_LIMIT_BYTES_MIN => Some(0),
            None => None,
        };
        let page_memory_bytes = if page_disk_bytes == Some(0) { 0 } else { limit_bytes / PAGE_CACHE_ONE_IN };
        Ok(Memory {
            limit_bytes,
            column_cache_bytes,
            footer_cache_bytes,
            listing_cache_bytes,
            page_memory_bytes,
            page_disk_bytes,
        })
    }

    fn complete(self) -> Result<Config, ConfigError> {
        let listen = self.listen.as_deref().unwrap_or(LISTEN_DEFAULT);
        let addresses = listen.to_socket_addrs().map_err(|error| wrong("listen", listen, &error.to_string()))?;
        if self.s3_access_key_id.is_some() != self.s3_secret_access_key.is_some() {
            let message = "s3-access-key-id and s3-secret-access-key must be given together".to_owned();
            return Err(ConfigError::Setting { place: "settings".into(), message });
        }
        let (access, first_password) = (self.access()?, self.first_password()?);
        let shutdown_timeout = self.shutdown_timeout()?;
        let memory = self.memory()?;
        let external_sample_bytes = match &self.external_sample {
            Some(size) => parse_size(size).ok_or_else(|| wrong("external-sample", size, "not a size such as 64MB"))?,
            None => EXTERNAL_SAMPLE_BYTES,
        };
        let networks = networks("external-network", &self.external_network)?;
        let secrets = self.secret.iter().map(|secret| secret.given()).collect::<Result<_, _>>()?;
        let data_dir = self.data_dir.unwrap_or_else(|| DATA_DIR_DEFAULT.into());
        let secrets_key_file = Some(secrets::key_file(self.secrets_key_file, &data_dir));
        let s3 = S3Config {
            endpoint: self.s3_endpoint,
            region: self.s3_region,
            access_key_id: self.s3_access_key_id,
            secret_access_key: self.s3_secret_access_key.map(Secret::new),
        };
        Ok(Config {
            listen: addresses.collect(),
            data_dir,
            stores: ObjectStoresConfig {
                external_roots: self.external_root,
                networks,
                s3,
                secrets,
                secrets_key_file,
                listing_cache_bytes: memory.listing_cache_bytes as u64,
            },
            unix_socket_dir: self.unix_socket_dir,
            shutdown_timeout,
            access,
            first_password,
            memory_limit_bytes: memory.limit_bytes,
            column_cache_bytes: memory.column_cache_bytes,
            footer_cache_bytes: memory.footer_cache_bytes,
            page_memory_bytes: memory.page_memory_bytes,
            page_disk_bytes: memory.page_disk_bytes,
            external_sample_bytes,
            log: self.log.unwrap_or_else(|| LOG_DEFAULT.into()),
        })
    }
}

/// How much memory there is, and for what.
struct Memory {
    limit_bytes: usize,
    column_cache_bytes: usize,
    footer_cache_bytes: usize,
    listing_cache_bytes: usize,
    page_memory_bytes: usize,
    page_disk_bytes: Option<usize>,
}

fn list(value: &str, separator: char) -> toml::Value {
    let items = value.split(separator).filter(|item| !item.is_empty());
    toml::Value::Array(items.map(|item| toml::Value::String(item.to_owned())).collect())
}

fn networks(setting: &str, texts: &[String]) -> Result<Vec<IpNet>, ConfigError> {
    let network = |text: &String| text.parse::<IpNet>().map_err(|error| wrong(setting, text, &error.to_string()));
    texts.iter().map(network).collect()
}

fn wrong(setting: &str, value: &str, reason: &str) -> ConfigError {
    ConfigError::Setting { place: format!("setting {setting} = \"{value}\""), message: reason.to_owned() }
}

/// Bytes of a size such as `512MB`; units are powers of 1024, as in PostgreSQL's configuration.
fn parse_size(text: &str) -> Option<usize> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: usize = text[..digits].parse().ok()?;
    let shift = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "kb" => 10,
        "mb" => 20,
        "gb" => 30,
        "tb" => 40,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}

/// What is wrong with a file, and where. The error's own text quotes the line, which may hold a secret: only what stands
/// before the `=` is shown.
fn without_source(error: &toml::de::Error, text: &str) -> String {
    let number = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count());
    let Some(number) = number else { return error.message().to_owned() };
    match text.lines().nth(number).and_then(|line| line.split_once('=')) {
        Some((key, _)) => format!("line {}, {}: {}", number + 1, key.trim(), error.message()),
        None => format!("line {}: {}", number + 1, error.message()),
    }
}

/// The memory of the machine, or of the container.
fn machine_memory_bytes() -> usize {
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.trim().to_owned();
        line.strip_suffix("kB")?.trim().parse::<usize>().ok()
    });
    let machine = machine.map_or(MACHINE_MEMORY_FALLBACK_BYTES, |kilobytes| kilobytes * 1024);
    CGROUP_LIMITS
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok()?.trim().parse().ok())
        .fold(machine, usize::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(flags: &[&str], variables: &[(&str, &str)]) -> Result<Config, String> {
        let arguments = ["thermocline"].iter().chain(flags).map(OsString::from);
        let variables = variables.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        Config::from_parts(arguments, variables).map(|(config, _)| config).map_err(|error| error.to_string())
    }

    #[test]
    fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("server.toml");
        std::fs::write(
            &file,
            "data-dir = \"f\"\nlisten = \"127.0.0.1:1\"\nlog = \"warn\"\nexternal-root = [\"/a\", \"/b\"]\n",
        )
        .unwrap();
        let variables = [("THERMOCLINE_CONFIG", file.to_str().unwrap()), ("THERMOCLINE_LISTEN", "127.0.0.1:2")];
        let config = config(&["--log", "debug"], &variables).unwrap();
        assert_eq!(config.data_dir, PathBuf::from("f"));
        assert_eq!(config.listen[0].port(), 2);
        assert_eq!(config.log, "debug");
        assert_eq!(config.stores.external_roots, [PathBuf::from("/a"), PathBuf::from("/b")]);
    }

    #[test]
    fn what_is_not_known_or_wrong_is_an_error() {
        for (flags, variables, expected) in [
            (&["--listne", "x"][..], &[][..], "--listne"),
            (&[], &[("THERMOCLINE_TYPO", "1")], "typo"),
            (&["--config", "no/such/file"], &[], "could not read configuration file"),
            (&["--listen", "nonsense"], &[], "setting listen"),
            (&["--memory-limit", "lots"], &[], "not a size"),
            (&["--memory-limit", "1kB"], &[], "at least 16mb"),
            (&["--column-cache", "1000GB"], &[], "half of memory-limit"),
            (&["--s3-access-key-id", "k"], &[], "together"),
            (&[], &[("THERMOCLINE_TRUSTED_NETWORK", "10.0.0.0/99")], "trusted"),
            (&["--external-network", "here"], &[], "external-network"),
        ] {
            let error = config(flags, variables).unwrap_err();
            assert!(error.to_lowercase().contains(expected), "{error}");
        }
    }

    #[test]
    fn the_first_password_is_no_flag() {
        assert!(config(&["--password", "hush"], &[]).unwrap_err().contains("--password"));
        let config = config(&[], &[("THERMOCLINE_PASSWORD", "hush")]).unwrap();
        assert!(config.first_password.is_some() && !format!("{config:?}").contains("hush"));
    }

    #[test]
    fn sizes_are_powers_of_1024() {
        for (text, bytes) in [("16MB", Some(16 << 20)), ("2 GB", Some(2 << 30)), ("77", Some(77)), ("1.5GB", None)] {
            assert_eq!(parse_size(text), bytes);
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("server.toml");
        std::fs::write(&file, "listen = \"127.0.0.1:1\"\ns3-secret-access-key = \"hush\n").unwrap();
        let error = config(&["--config", file.to_str().unwrap()], &[]).unwrap_err();
        assert!(error.contains("line 2") && !error.contains("hush"), "{error}");

        let config = config(&["--s3-access-key-id", "k", "--s3-secret-access-key", "hush"], &[]).unwrap();
        assert!(!format!("{config:?}").contains("hush"));
    }
}
