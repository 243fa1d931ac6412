//! Secrets: what object stores ask for before they let somebody in, and for which locations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::name::Oid;

/// A secret, as it is stored: what nobody must read is encrypted, under a key that the catalog does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSecret {
    /// Its number.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// The role that has made it.
    pub owner: Oid,
    /// Which stores it is for.
    pub kind: SecretKind,
    /// The URL below which it is used; empty for all locations of its kind.
    pub scope: String,
    /// What may be shown: options by their names in lower case.
    pub settings: BTreeMap<String, String>,
    /// What must not be shown, encrypted.
    pub sealed: Vec<u8>,
}

/// Which stores a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SecretKind {
    /// S3 and what is compatible with it
    S3,
    /// Google Cloud Storage
    Gs,
    /// Azure Blob Storage
    Az,
    /// Web servers
    Http,
}

impl SecretKind {
    /// What SQL calls it.
    pub fn name(self) -> &'static str {
        match self {
            SecretKind::S3 => "s3",
            SecretKind::Gs => "gs",
            SecretKind::Az => "az",
            SecretKind::Http => "http",
        }
    }

    /// The kind of this name, or of one that DuckDB has for it, in any case.
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "s3" => Some(SecretKind::S3),
            "gs" | "gcs" => Some(SecretKind::Gs),
            "az" | "azure" => Some(SecretKind::Az),
            "http" => Some(SecretKind::Http),
            _ => None,
        }
    }
}
