//! What is kept instead of a password, and how one is compared with it.

use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest, Md5};
use ring::{digest, hmac, pbkdf2};
use subtle::ConstantTimeEq;

use crate::access::random_bytes;

/// Bytes of a hash.
pub const HASH_BYTES: usize = digest::SHA256_OUTPUT_LEN;
/// A SHA-256 hash.
pub type Hash = [u8; HASH_BYTES];

/// How often a password is hashed, as in PostgreSQL (`SCRAM_SHA_256_DEFAULT_ITERATIONS`).
pub const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).expect("it is not zero");
/// How often a password may be hashed whose verifier comes from a client. To compare a password with it takes the server some
/// tenths of a second.
pub const ITERATIONS_MAX: u32 = 1 << 20;
/// Bytes of salt, as in PostgreSQL (`SCRAM_DEFAULT_SALT_LEN`).
pub const SALT_BYTES: usize = 16;
const SCRAM_PREFIX: &str = "SCRAM-SHA-256";
const MD5_PREFIX: &str = "md5";

/// What is kept instead of a password.
#[derive(Clone, PartialEq, Eq)]
pub enum Verifier {
    /// What SCRAM-SHA-256 needs.
    Scram(ScramVerifier),
    /// The MD5 hash of password and user name, in hexadecimal.
    Md5(String),
}

/// What the server of SCRAM-SHA-256 needs to know of a password (RFC 5802).
#[derive(Clone, PartialEq, Eq)]
pub struct ScramVerifier {
    /// How often the password was hashed.
    pub iterations: NonZeroU32,
    /// With what.
    pub salt: Vec<u8>,
    /// To tell who knows the password.
    pub stored_key: Hash,
    /// To show that the server knows it.
    pub server_key: Hash,
}

impl Verifier {
    /// Reads what `pg_authid.rolpassword` would have.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(hash) = text.strip_prefix(MD5_PREFIX) {
            let is_hash = hash.len() == 32 && hash.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
            return is_hash.then(|| Verifier::Md5(hash.to_owned()));
        }
        ScramVerifier::parse(text).map(Verifier::Scram)
    }

    /// The verifier of a password of this role, by MD5.
    pub fn md5(password: &str, role: &str) -> Self {
        Verifier::Md5(md5_hex(&[password.as_bytes(), role.as_bytes()]))
    }

    /// The verifier of a password, by SCRAM-SHA-256.
    pub fn scram(password: &str) -> Self {
        Verifier::Scram(ScramVerifier::new(password, random_bytes::<SALT_BYTES>().to_vec(), ITERATIONS))
    }

    /// How often a password is hashed to compare it with this.
    pub fn iterations(&self) -> u32 {
        match self {
            Verifier::Scram(scram) => scram.iterations.get(),
            Verifier::Md5(_) => 1,
        }
    }

    /// Whether this is the password of the role.
    pub fn is_of(&self, password: &str, role: &str) -> bool {
        match self {
            Verifier::Scram(scram) => {
                let other = ScramVerifier::new(password, scram.salt.clone(), scram.iterations);
                scram.server_key.ct_eq(&other.server_key).into()
            }
            Verifier::Md5(hash) => match Verifier::md5(password, role) {
                Verifier::Md5(other) => hash.as_bytes().ct_eq(other.as_bytes()).into(),
                Verifier::Scram(_) => false,
            },
        }
    }
}

impl std::fmt::Display for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Verifier::Md5(hash) => write!(f, "{MD5_PREFIX}{hash}"),
            Verifier::Scram(ScramVerifier { iterations, salt, stored_key, server_key }) => {
                let [salt, stored, server] = [salt.as_slice(), stored_key, server_key].map(|it| BASE64.encode(it));
                write!(f, "{SCRAM_PREFIX}${iterations}:{salt}${stored}:{server}")
            }
        }
    }
}

impl ScramVerifier {
    /// The verifier of a password.
    pub fn new(password: &str, salt: Vec<u8>, iterations: NonZeroU32) -> Self {
        // What cannot be prepared is taken as it is, as PostgreSQL and its clients do.
        let prepared = stringprep::saslprep(password).unwrap_or(password.into());
        let mut salted = Hash::default();
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, &salt, prepared.as_bytes(), &mut salted);
        let client_key = sign(&salted, b"Client Key");
        ScramVerifier { iterations, salt, stored_key: hash(&client_key), server_key: sign(&salted, b"Server Key") }
    }

    /// `SCRAM-SHA-256$iterations:salt$stored key:server key`
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('$');
        if parts.next()? != SCRAM_PREFIX {
            return None;
        }
        let (iterations, salt) = parts.next()?.split_once(':')?;
        let (stored, server) = parts.next()?.split_once(':')?;
        if parts.next().is_some() {
            return None;
        }
        let iterations: u32 = iterations.parse().ok().filter(|number| i32::try_from(*number).is_ok())?;
        Some(ScramVerifier {
            iterations: NonZeroU32::new(iterations)?,
            salt: BASE64.decode(salt).ok()?,
            stored_key: BASE64.decode(stored).ok()?.try_into().ok()?,
            server_key: BASE64.decode(server).ok()?.try_into().ok()?,
        })
    }
}

/// The SHA-256 hash.
pub fn hash(bytes: &[u8]) -> Hash {
    digest::digest(&digest::SHA256, bytes).as_ref().try_into().expect("it has this length")
}

/// The HMAC of a text, by SHA-256.
pub fn sign(key: &[u8], text: &[u8]) -> Hash {
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
    signature.as_ref().try_into().expect("it has this length")
}

/// The MD5 hash of these texts behind one another, in hexadecimal.
pub fn md5_hex(texts: &[&[u8]]) -> String {
    let mut hasher = Md5::new();
    texts.iter().for_each(|text| hasher.update(text));
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What PostgreSQL 15 has kept of this password.
    const KEPT: &str = "SCRAM-SHA-256$4096:wB/+nH+GF9tId8iEgobuWA==$MDLwd5mwKMbzzUmxc30Escx52lYlN0z5WzL5NYGofdQ=:\
                        L6J8RL2wgdgdgwUhRWulBfG/CeoW4TdvNyomTm+5oco=";

    #[test]
    fn a_verifier_knows_its_password_and_no_other() {
        for verifier in [Verifier::scram("sésame"), Verifier::md5("sésame", "eva")] {
            assert!(verifier.is_of("sésame", "eva"));
            assert!(!verifier.is_of("sesame", "eva"));
            assert_eq!(Verifier::parse(&verifier.to_string()).unwrap().to_string(), verifier.to_string());
        }
        assert!(!Verifier::md5("sésame", "eva").is_of("sésame", "adam"));
    }

    #[test]
    fn what_postgresql_has_kept_is_understood() {
        let by_md5 = Verifier::parse("md5f4f580f8b7c136b3cc3716a396c4bfbc").unwrap();
        assert!(by_md5.is_of("geheim", "wire_eva"));
        for text in ["", "md5", "md5xyz", "SCRAM-SHA-256$0:aaaa$bbbb:cccc", "SCRAM-SHA-256$4096:aaaa$bbbb:cccc", "hush"]
        {
            assert!(Verifier::parse(text).is_none(), "{text}");
        }
        assert!(Verifier::parse(KEPT).unwrap().is_of("geheim", "eva"));
    }
}
