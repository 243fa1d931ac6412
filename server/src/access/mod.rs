//! Who may come in.
//!
//! What a client is asked for is decided by [`rules`], in the syntax of `pg_hba.conf`. Passwords are compared with what the
//! catalog keeps of them ([`verifier`]), by the exchange of [`scram`] unless a rule says otherwise. Nothing here reads or
//! writes a socket: see `wire::authentication`.

pub mod back_off;
pub mod mock;
pub mod rules;
pub mod scram;
pub mod slots;
pub mod tls;
pub mod verifier;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ipnet::IpNet;
use rustls::crypto::ring::default_provider;
use tracing::{error, info};

use back_off::BackOff;
use mock::MockSecret;
use rules::{Rules, RulesError};
use slots::Slots;
use tls::{Tls, TlsError, TlsFiles, TlsPolicy};

/// The settings that say who may come in.
#[derive(Debug, Clone)]
pub struct AccessConfig {
    /// Who must and who may encrypt.
    pub tls_policy: TlsPolicy,
    /// Certificate and key, without which nobody can.
    pub tls_files: Option<TlsFiles>,
    /// The rules; without, the ones that are safe.
    pub rules_file: Option<PathBuf>,
    /// Networks whose clients may connect without a password, besides loopback, as long as there is no file of rules.
    pub trusted_networks: Vec<IpNet>,
    /// How many sessions there may be.
    pub sessions_max: usize,
    /// How long a client may take until it is let in.
    pub authentication_timeout: Duration,
}

/// What decides who may come in.
#[derive(Debug)]
pub struct Access {
    /// The settings.
    pub config: AccessConfig,
    /// What connections are encrypted with.
    pub tls: Option<Tls>,
    /// How many connections there are and may be.
    pub slots: Arc<Slots>,
    /// Where wrong passwords have come from.
    pub back_off: BackOff,
    /// What roles that are not there are told from.
    pub mock: MockSecret,
    rules: RwLock<Arc<Rules>>,
}

/// Why nobody can be let in.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// TLS cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The file of the secret cannot be used.
    #[error("could not open the secret of the data directory: {0}")]
    Secret(#[from] std::io::Error),
    /// The rules cannot be used.
    #[error(transparent)]
    Rules(#[from] RulesError),
}

impl Access {
    /// Reads the files that the settings name.
    ///
    /// # Errors
    /// One of them cannot be used.
    pub fn open(config: AccessConfig, data_dir: &Path) -> Result<Self, AccessError> {
        let tls = match config.tls_policy {
            TlsPolicy::Off => None,
            TlsPolicy::Prefer | TlsPolicy::Require => config.tls_files.clone().map(Tls::open).transpose()?,
        };
        let rules = RwLock::new(Arc::new(read_rules(&config, tls.as_ref())?));
        let mock = MockSecret::open(data_dir)?;
        let slots = Slots::new(config.sessions_max);
        Ok(Access { tls, slots, back_off: BackOff::default(), mock, rules, config })
    }

    /// The rules for connections that begin now.
    pub fn rules(&self) -> Arc<Rules> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the files again. What cannot be used is logged, and what was there stays.
    pub fn reload(&self) {
        if let Some(tls) = &self.tls {
            match tls.reload() {
                Ok(()) => info!("certificate read again"),
                Err(error) => error!(%error, "the new certificate is not used"),
            }
        }
        match read_rules(&self.config, self.tls.as_ref()) {
            Ok(rules) => {
                *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
                info!("rules of access read again");
            }
            Err(error) => error!(%error, "the new rules of access are not used"),
        }
    }
}

fn read_rules(config: &AccessConfig, tls: Option<&Tls>) -> Result<Rules, RulesError> {
    match &config.rules_file {
        Some(path) => Rules::read(path, tls.is_some_and(Tls::knows_client_authorities)),
        None => Ok(Rules::standard(&config.trusted_networks)),
    }
}

/// Bytes that cannot be guessed, from the random source that TLS uses.
pub fn random_bytes<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    default_provider().secure_random.fill(&mut bytes).expect("the operating system has random numbers");
    bytes
}
