//! What a client hears that asks for a role which is not there, or has no password: as much as of any other, and the same
//! each time (PostgreSQL's `mock_authentication_nonce`).

use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::access::random_bytes;
use crate::access::verifier::{HASH_BYTES, Hash, ITERATIONS, SALT_BYTES, ScramVerifier, sign};

/// The file of the secret, in the data directory. It outlives the process: salts that change when it starts again would
/// show which roles are not there.
const FILE: &str = "mock-secret";

/// What is known to nobody but this server.
pub struct MockSecret([u8; HASH_BYTES]);

impl std::fmt::Debug for MockSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MockSecret")
    }
}

impl MockSecret {
    /// The secret of a data directory; made when it has none.
    ///
    /// # Errors
    /// The file can be neither read nor written.
    pub fn open(data_dir: &Path) -> io::Result<Self> {
        let path = data_dir.join(FILE);
        match std::fs::read(&path) {
            // One that a crash has cut short is made anew.
            Ok(bytes) => {
                if let Ok(secret) = bytes.try_into() {
                    return Ok(MockSecret(secret));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let secret = random_bytes();
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        file.write_all(&secret)?;
        Ok(MockSecret(secret))
    }

    /// A verifier that no password fits.
    pub fn verifier(&self, role: &str) -> ScramVerifier {
        let of_role = |what: &[u8]| -> Hash { sign(&self.0, &[what, role.as_bytes()].concat()) };
        let salt = of_role(b"salt")[..SALT_BYTES].to_vec();
        ScramVerifier { iterations: ITERATIONS, salt, stored_key: of_role(b"stored"), server_key: of_role(b"server") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_that_is_not_there_is_the_same_each_time() {
        let directory = tempfile::tempdir().unwrap();
        let salt = |role: &str| MockSecret::open(directory.path()).unwrap().verifier(role).salt;
        assert_eq!(salt("eva"), salt("eva"));
        assert_ne!(salt("eva"), salt("adam"));
        std::fs::write(directory.path().join(FILE), b"short").unwrap();
        assert_eq!(salt("eva"), salt("eva"));
    }
}
