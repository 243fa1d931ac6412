//! The settings that say who may come in, by which way, and how many.

use std::path::PathBuf;
use std::time::Duration;

use super::{ConfigError, Secret, Settings, networks, wrong};
use crate::access::AccessConfig;
use crate::access::tls::{TlsFiles, TlsPolicy};
use crate::session::settings::number::{self, Unit};

/// Sessions that there may be.
const SESSIONS_MAX_DEFAULT: usize = 1000;
/// How long a client may take until it is let in, as in PostgreSQL.
const AUTHENTICATION_TIMEOUT_DEFAULT: Duration = Duration::from_secs(60);
/// How long open transactions may go on at the end: what container engines grant before they kill.
const SHUTDOWN_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

impl Settings {
    /// Who may come in.
    ///
    /// # Errors
    /// A wrong value, or one without another that belongs to it.
    pub(super) fn access(&self) -> Result<AccessConfig, ConfigError> {
        let tls_files = self.tls_files()?;
        let tls_policy = match self.tls.as_deref() {
            None if tls_files.is_some() => TlsPolicy::Prefer,
            None | Some("off") => TlsPolicy::Off,
            Some("prefer" | "require") if tls_files.is_none() => {
                let message = "needs tls-cert and tls-key".to_owned();
                return Err(wrong("tls", self.tls.as_deref().unwrap_or_default(), &message));
            }
            Some("prefer") => TlsPolicy::Prefer,
            Some("require") => TlsPolicy::Require,
            Some(other) => return Err(wrong("tls", other, "must be require, prefer or off")),
        };
        Ok(AccessConfig {
            tls_policy,
            tls_files,
            rules_file: self.rules_file()?,
            trusted_networks: networks("trusted-network", &self.trusted_network)?,
            sessions_max: self.sessions_max()?,
            authentication_timeout: self.authentication_timeout()?,
        })
    }

    fn tls_files(&self) -> Result<Option<TlsFiles>, ConfigError> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Ok(Some(TlsFiles {
                certificate: certificate.clone(),
                key: key.clone(),
                client_authorities: self.tls_client_ca.clone(),
            })),
            (None, None) if self.tls_client_ca.is_none() => Ok(None),
            _ => {
                let message = "tls-cert and tls-key must be given together, and with tls-client-ca".to_owned();
                Err(ConfigError::Setting { place: "settings".into(), message })
            }
        }
    }

    fn rules_file(&self) -> Result<Option<PathBuf>, ConfigError> {
        match (&self.hba_file, self.trusted_network.first()) {
            (Some(_), Some(network)) => Err(wrong("trusted-network", network, "is of no use beside hba-file")),
            (file, _) => Ok(file.clone()),
        }
    }

    fn sessions_max(&self) -> Result<usize, ConfigError> {
        let Some(text) = &self.max_connections else { return Ok(SESSIONS_MAX_DEFAULT) };
        let number = text.parse().ok().filter(|number| *number > 0);
        number.ok_or_else(|| wrong("max-connections", text, "not a number above 0"))
    }

    fn authentication_timeout(&self) -> Result<Duration, ConfigError> {
        let Some(text) = &self.authentication_timeout else { return Ok(AUTHENTICATION_TIMEOUT_DEFAULT) };
        let timeout = parse_time(text).filter(|time| !time.is_zero());
        timeout.ok_or_else(|| wrong("authentication-timeout", text, "not a time such as 60s"))
    }

    /// How long transactions that are open may go on when the server is asked to stop.
    ///
    /// # Errors
    /// It is no time.
    pub(super) fn shutdown_timeout(&self) -> Result<Duration, ConfigError> {
        let Some(text) = &self.shutdown_timeout else { return Ok(SHUTDOWN_TIMEOUT_DEFAULT) };
        parse_time(text).ok_or_else(|| wrong("shutdown-timeout", text, "not a time such as 10s"))
    }

    /// The password that the first role gets while it has none.
    ///
    /// # Errors
    /// It is given twice, or its file cannot be read.
    pub(super) fn first_password(&self) -> Result<Option<Secret>, ConfigError> {
        match (&self.password, &self.password_file) {
            (Some(_), Some(file)) => {
                Err(wrong("password-file", &file.display().to_string(), "is of no use beside password"))
            }
            (Some(password), None) => Ok(Some(Secret::new(password.clone()))),
            (None, None) => Ok(None),
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| ConfigError::File { path: path.display().to_string(), source })?;
                Ok(Some(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned())))
            }
        }
    }
}

/// A time; a number without a unit is one of seconds, as PostgreSQL has it where seconds are usual.
fn parse_time(text: &str) -> Option<Duration> {
    let milliseconds = match text.trim().parse::<u64>() {
        Ok(seconds) => seconds.checked_mul(1000),
        Err(_) => number::integer(text, Unit::Milliseconds).ok().and_then(|it| u64::try_from(it).ok()),
    };
    milliseconds.map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(settings: Settings, expected: &str) {
        let shown = match settings.access() {
            Ok(access) => format!("{:?} {:?}", access.tls_policy, access.authentication_timeout),
            Err(error) => error.to_string(),
        };
        assert!(shown.contains(expected), "{shown} should contain {expected}");
    }

    #[test]
    fn tls_is_as_the_files_and_the_policy_say() {
        let with_files = |tls: Option<&str>| Settings {
            tls: tls.map(str::to_owned),
            tls_cert: Some("c".into()),
            tls_key: Some("k".into()),
            ..Settings::default()
        };
        check(Settings::default(), "Off 60s");
        check(with_files(None), "Prefer");
        check(with_files(Some("require")), "Require");
        check(with_files(Some("off")), "Off");
        check(with_files(Some("on")), "must be require, prefer or off");
        check(Settings { tls: Some("require".into()), ..Settings::default() }, "needs tls-cert");
        check(Settings { tls_cert: Some("c".into()), ..Settings::default() }, "together");
        check(Settings { tls_client_ca: Some("c".into()), ..Settings::default() }, "together");
    }

    #[test]
    fn limits_are_read() {
        let timeout = |text: &str| Settings { authentication_timeout: Some(text.into()), ..Settings::default() };
        check(timeout("5"), "5s");
        check(timeout("200ms"), "200ms");
        check(timeout("0"), "not a time");
        check(Settings { max_connections: Some("none".into()), ..Settings::default() }, "not a number");
    }
}
