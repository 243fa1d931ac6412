//! How secrets are encrypted where they are stored.
//!
//! AES-256-GCM under a key that is a file of its own, so that neither the files of the catalog nor a backup say anything to
//! somebody who does not have that file as well. What is said openly about a secret is authenticated with it: a key that is
//! meant for one endpoint cannot be made one for another by changing a record.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use catalog::StoredSecret;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};
use serde::Serialize;

/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// Bytes of what a secret is recognised by: the nonce that it was sealed with.
const IDENTITY_BYTES: usize = NONCE_LEN;

/// Digits behind the name of a key that does not have its own yet.
const UNNAMED_DIGITS: usize = 16;

/// Where the key is.
#[derive(Debug, Clone)]
pub struct SecretsKeyFile {
    /// The file, of 32 bytes.
    pub path: PathBuf,
    /// Whether it is made when it is needed and not there.
    pub is_made: bool,
}

impl SecretsKeyFile {
    /// The key to encrypt with.
    ///
    /// # Errors
    /// It cannot be read, or made.
    pub(super) fn key_to_seal(&self) -> Result<[u8; KEY_BYTES], String> {
        match self.read() {
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.is_made => self.make(),
            read => read,
        }
        .map_err(|error| format!("the key file cannot be used: {error}"))
    }

    /// The key to decrypt with, which must be there.
    fn key_to_open(&self) -> Result<[u8; KEY_BYTES], String> {
        self.read().map_err(|error| format!("the key file cannot be used: {error}"))
    }

    /// A file that others may read is refused, as PostgreSQL does with `server.key`; one of root's may be its group's.
    fn read(&self) -> io::Result<[u8; KEY_BYTES]> {
        let about = fs::metadata(&self.path)?;
        let closed = if about.uid() == 0 { 0o037 } else { 0o077 };
        if about.mode() & closed != 0 {
            return Err(io::Error::other("others than its owner may read or change it"));
        }
        let key: Result<[u8; KEY_BYTES], _> = fs::read(&self.path)?.try_into();
        key.map_err(|_| io::Error::other(format!("it does not have {KEY_BYTES} bytes")))
    }

    /// Removes keys that have never had their name: the end of the process came first. Nobody else makes one yet.
    pub(super) fn remove_remains(&self) {
        let is_hex = |text: &str| text.len() == UNNAMED_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_remains = |path: &Path| {
            let ending = path.extension().and_then(OsStr::to_str);
            path.file_stem() == self.path.file_stem() && ending.is_some_and(is_hex)
        };
        let Some(folder) = self.path.parent().filter(|_| self.is_made) else { return };
        let found = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        for path in found.filter(|path| is_remains(path)) {
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!(%error, path = %path.display(), "a key that is not needed could not be removed");
            }
        }
    }

    /// The file has its name when it is whole, and keeps the one it has when somebody else has been faster.
    fn make(&self) -> io::Result<[u8; KEY_BYTES]> {
        let key: [u8; KEY_BYTES] = random()?;
        let unnamed = self.path.with_extension(format!("{:016x}", u64::from_be_bytes(random()?)));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unnamed)?;
        let named =
            file.write_all(&key).and_then(|()| file.sync_all()).and_then(|()| fs::hard_link(&unnamed, &self.path));
        fs::remove_file(&unnamed)?;
        let key = match named {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.read()?,
            named => named.map(|()| key)?,
        };
        // Whoever has been faster may not have come to it yet.
        self.path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())?;
        Ok(key)
    }
}

fn random<const LENGTH: usize>() -> io::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    SystemRandom::new().fill(&mut bytes).map_err(|_| io::Error::other("there are no random numbers"))?;
    Ok(bytes)
}

/// Encrypts texts by their names, beside what a secret says openly.
///
/// # Errors
/// The system gives no random numbers.
pub(super) fn seal(
    key: &[u8; KEY_BYTES],
    secret: &StoredSecret,
    hidden: &BTreeMap<String, String>,
) -> Result<Vec<u8>, String> {
    let nonce: [u8; NONCE_LEN] = random().map_err(|error| error.to_string())?;
    let mut bytes = serde_json::to_vec(hidden).expect("strings are always JSON");
    let said = Aad::from(said_openly(secret));
    let sealed = aead(key).seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), said, &mut bytes);
    sealed.map_err(|_| "it is too long".to_owned())?;
    Ok([nonce.as_slice(), &bytes].concat())
}

/// Decrypts the texts of a secret.
///
/// # Errors
/// There is no such key, it is another, or the secret is damaged.
pub(super) fn open(file: &SecretsKeyFile, secret: &StoredSecret) -> Result<BTreeMap<String, String>, String> {
    let key = file.key_to_open()?;
    let wrong = || "it was encrypted under another key, or is damaged".to_owned();
    let (nonce, bytes) = secret.sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(wrong)?;
    let (nonce, mut bytes) = (Nonce::assume_unique_for_key(*nonce), bytes.to_vec());
    let opened = aead(&key).open_in_place(nonce, Aad::from(said_openly(secret)), &mut bytes).map_err(|_| wrong())?;
    serde_json::from_slice(opened).map_err(|_| wrong())
}

/// What no other secret is called, nor this one once it is replaced: what it was encrypted with is random.
pub(super) fn identity(secret: &StoredSecret) -> String {
    hex(&secret.sealed[..IDENTITY_BYTES.min(secret.sealed.len())])
}

/// What other keys are not called, as long as this process lives.
///
/// # Errors
/// The system gives no random numbers.
pub(super) fn identity_of_keys(options: &BTreeMap<String, String>) -> Result<String, String> {
    /// So that nobody can try keys out on what is shown of them.
    static TAGS: OnceLock<hmac::Key> = OnceLock::new();
    let fresh: [u8; KEY_BYTES] = random().map_err(|error| error.to_string())?;
    let key = TAGS.get_or_init(|| hmac::Key::new(hmac::HMAC_SHA256, &fresh));
    let tag = hmac::sign(key, &serde_json::to_vec(options).expect("strings are always JSON"));
    Ok(hex(&tag.as_ref()[..IDENTITY_BYTES]))
}

/// What something is recognised by that is no secret, for ever.
pub(super) fn identity_of_said(said: &impl Serialize) -> String {
    let said = serde_json::to_vec(said).expect("strings are always JSON");
    hex(&digest::digest(&digest::SHA256, &said).as_ref()[..IDENTITY_BYTES])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn aead(key: &[u8; KEY_BYTES]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("the key has as many bytes as the cipher wants"))
}

fn said_openly(secret: &StoredSecret) -> Vec<u8> {
    let said = (&secret.name, secret.kind, &secret.scope, &secret.settings);
    serde_json::to_vec(&said).expect("strings are always JSON")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use catalog::{Oid, SecretKind};

    use super::*;

    fn secret() -> StoredSecret {
        StoredSecret {
            oid: Oid(20_000),
            name: "lake".into(),
            owner: Oid(10),
            kind: SecretKind::S3,
            scope: "s3://lake".into(),
            settings: BTreeMap::from([("endpoint".to_owned(), "https://a".to_owned())]),
            sealed: Vec::new(),
        }
    }

    fn sealed(file: &SecretsKeyFile) -> StoredSecret {
        let hidden = BTreeMap::from([("secret".to_owned(), "hunter2".to_owned())]);
        let sealed = seal(&file.key_to_seal().unwrap(), &secret(), &hidden).unwrap();
        StoredSecret { sealed, ..secret() }
    }

    #[test]
    fn a_secret_is_opened_with_its_key_and_as_it_was_made_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| SecretsKeyFile { path: folder.path().join(name), is_made: true };
        let key = file("key");
        let made = sealed(&key);
        assert_eq!(open(&key, &made).unwrap()["secret"], "hunter2");
        assert!(!made.sealed.windows(7).any(|bytes| bytes == b"hunter2"));
        assert_ne!(identity(&made), identity(&sealed(&key)));

        let renamed = StoredSecret { name: "other".into(), ..made.clone() };
        let redirected = StoredSecret { settings: BTreeMap::new(), ..made.clone() };
        let moved = StoredSecret { scope: String::new(), ..made.clone() };
        let cut = StoredSecret { sealed: made.sealed[..5].to_vec(), ..made.clone() };
        for changed in [renamed, redirected, moved, cut] {
            assert!(open(&key, &changed).unwrap_err().contains("another key"));
        }
        let other = file("other");
        other.key_to_seal().unwrap();
        assert!(open(&other, &made).unwrap_err().contains("another key"));
        assert!(open(&file("missing"), &made).is_err(), "no key is made to decrypt with");
    }

    #[test]
    fn a_key_is_made_once_and_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let file = SecretsKeyFile { path: folder.path().join("key"), is_made: true };
        let key = file.key_to_seal().unwrap();
        assert_eq!(file.key_to_seal().unwrap(), key);
        assert_eq!(file.make().unwrap(), key, "who is slower takes what is there");
        assert_eq!(fs::metadata(&file.path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(folder.path().join("key.0123456789abcdef"), key).unwrap();
        fs::write(folder.path().join("key.kept"), key).unwrap();
        file.remove_remains();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        fs::set_permissions(&file.path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(file.key_to_seal().unwrap_err().contains("others than its owner"));
        fs::set_permissions(&file.path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&file.path, "short").unwrap();
        assert!(file.key_to_seal().unwrap_err().contains("32 bytes"));
        let given = SecretsKeyFile { path: folder.path().join("given"), is_made: false };
        assert!(given.key_to_seal().is_err(), "only a file of our own is made");
    }
}
