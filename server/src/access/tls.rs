//! The server's side of TLS: its certificate, which certificates of clients it knows, and how both are read anew.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use ring::digest;
use rustls::RootCertStore;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ServerConfig, WebPkiClientVerifier};
use tokio_rustls::TlsAcceptor;
use x509_certificate::{SignatureAlgorithm, X509Certificate};

/// The name of our protocol among those that may be spoken inside of TLS (PostgreSQL's `PG_ALPN_PROTOCOL`).
pub const ALPN_PROTOCOL: &[u8] = b"postgresql";

/// Who must and who may encrypt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsPolicy {
    /// Nobody can.
    Off,
    /// Whoever wants to.
    Prefer,
    /// All that come by TCP.
    Require,
}

/// Where certificate and key are.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The server's certificate, and those that lead from it to an authority, as PEM.
    pub certificate: PathBuf,
    /// Its private key, as PEM.
    pub key: PathBuf,
    /// The authorities whose certificates clients may show, as PEM.
    pub client_authorities: Option<PathBuf>,
}

/// The TLS of a server.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    current: RwLock<Arc<TlsContext>>,
}

/// What the connections use that begin now.
pub struct TlsContext {
    /// Encrypts a connection.
    pub acceptor: TlsAcceptor,
    /// What binds an authentication to this certificate (`tls-server-end-point`, RFC 5929), where that is defined.
    pub end_point: Option<Vec<u8>>,
}

impl std::fmt::Debug for TlsContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsContext").finish_non_exhaustive()
    }
}

/// Why TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds something else.
    #[error("could not load {what} file \"{path}\": {reason}")]
    File {
        /// What it should hold.
        what: &'static str,
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Certificate and key are not those of one server.
    #[error("certificate \"{certificate}\" cannot be used with its private key: {reason}")]
    Pair {
        /// The file of the certificate.
        certificate: String,
        /// What is wrong with them.
        reason: String,
    },
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// One of them cannot be used.
    pub fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let context = TlsContext::read(&files)?;
        Ok(Tls { files, current: RwLock::new(Arc::new(context)) })
    }

    /// Reads the files again. Connections that are there go on as they are.
    ///
    /// # Errors
    /// One of them cannot be used; everything stays as it was.
    pub fn reload(&self) -> Result<(), TlsError> {
        let context = Arc::new(TlsContext::read(&self.files)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = context;
        Ok(())
    }

    /// What a connection uses that begins now.
    pub fn current(&self) -> Arc<TlsContext> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether clients are asked for their certificates.
    pub fn knows_client_authorities(&self) -> bool {
        self.files.client_authorities.is_some()
    }
}

impl TlsContext {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let chain = certificates("server certificate", &files.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&files.key)
            .map_err(|error| file_error("private key", &files.key, &error.to_string()))?;
        let end_point = chain.first().and_then(|certificate| end_point(certificate));
        let pair = |reason: &str| TlsError::Pair {
            certificate: files.certificate.display().to_string(),
            reason: reason.to_owned(),
        };
        // TLS 1.2 and 1.3, which is all that rustls speaks.
        let provider = Arc::new(default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| pair(&error.to_string()))?;
        let builder = match &files.client_authorities {
            None => builder.with_no_client_auth(),
            // Whether a client has to show one is the business of the rules.
            Some(path) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities(path)?), provider)
                    .allow_unauthenticated()
                    .build()
                    .map_err(|error| file_error("client authorities", path, &error.to_string()))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| pair(&error.to_string()))?;
        config.alpn_protocols = vec![ALPN_PROTOCOL.to_vec()];
        Ok(TlsContext { acceptor: TlsAcceptor::from(Arc::new(config)), end_point })
    }
}

fn file_error(what: &'static str, path: &Path, reason: &str) -> TlsError {
    TlsError::File { what, path: path.display().to_string(), reason: reason.to_owned() }
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if certificates.is_empty() => Err(file_error(what, path, "it holds no certificate")),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(file_error(what, path, &error.to_string())),
    }
}

fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    const WHAT: &str = "client authorities";
    let mut store = RootCertStore::empty();
    for certificate in certificates(WHAT, path)? {
        store.add(certificate).map_err(|error| file_error(WHAT, path, &error.to_string()))?;
    }
    Ok(store)
}

/// The hash of a certificate by the algorithm that it is signed with, or by SHA-256 instead of weaker ones. For other
/// signatures than by RSA and ECDSA nobody has said what it is.
fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let algorithm = match X509Certificate::from_der(certificate).ok()?.signature_algorithm()? {
        SignatureAlgorithm::RsaSha1 | SignatureAlgorithm::RsaSha256 | SignatureAlgorithm::EcdsaSha256 => {
            &digest::SHA256
        }
        SignatureAlgorithm::RsaSha384 | SignatureAlgorithm::EcdsaSha384 => &digest::SHA384,
        SignatureAlgorithm::RsaSha512 => &digest::SHA512,
        SignatureAlgorithm::Ed25519 | SignatureAlgorithm::NoSignature(_) => return None,
    };
    Some(digest::digest(algorithm, certificate).as_ref().to_vec())
}

/// The common name that a client's certificate was made for.
pub fn common_name(certificate: &[u8]) -> Option<String> {
    // What names end at, elsewhere, must not be in the middle of one (CVE-2009-4034).
    X509Certificate::from_der(certificate).ok()?.subject_common_name().filter(|name| !name.contains('\0'))
}
