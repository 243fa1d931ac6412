//! The settings that say with what stores are opened, and how secrets are kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use catalog::SecretKind;
use serde::Deserialize;
use storage::object_stores::{GivenSecret, SecretsKeyFile};

use super::ConfigError;

/// The file of the key in the data directory.
const KEY_FILE: &str = "secrets.key";

/// A `[[secret]]` of the file.
// No Debug: it would print the secret.
#[derive(Deserialize)]
pub(super) struct SecretTable {
    r#type: String,
    #[serde(default)]
    scope: String,
    #[serde(flatten)]
    options: BTreeMap<String, String>,
}

impl SecretTable {
    /// The secret. Options are called as in `CREATE SECRET`, or with `-` for `_` as settings are.
    ///
    /// # Errors
    /// There is no such type.
    pub(super) fn given(&self) -> Result<GivenSecret, ConfigError> {
        let unknown = || ConfigError::Setting {
            place: format!("setting secret, type = \"{}\"", self.r#type),
            message: "is none of s3, gs, az, http".to_owned(),
        };
        let kind = SecretKind::named(&self.r#type).ok_or_else(unknown)?;
        let option = |(name, value): (&String, &String)| (name.to_ascii_lowercase().replace('-', "_"), value.clone());
        Ok(GivenSecret { kind, scope: self.scope.clone(), options: self.options.iter().map(option).collect() })
    }
}

/// Where the key is: where the settings say, or in the data directory.
pub(super) fn key_file(given: Option<PathBuf>, data_dir: &Path) -> SecretsKeyFile {
    match given {
        Some(path) => SecretsKeyFile { path, is_made: false },
        None => SecretsKeyFile { path: data_dir.join(KEY_FILE), is_made: true },
    }
}
