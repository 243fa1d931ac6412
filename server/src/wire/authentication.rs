//! Who a client is, and whether it may come in.
//!
//! The only way to an [`Authenticated`] is [`authenticate`], and there is no connection without one: no statement is ever
//! handled for a client that has not been let in.

use std::sync::Arc;

use catalog::Role;
use pg::PgError;
use pg::sqlstate::SqlState;
use pgwire::messages::startup::Authentication;
use tokio::io::AsyncReadExt;
use tokio::time::Instant;
use tracing::{debug, info};

use crate::access::random_bytes;
use crate::access::rules::{Asking, ClientCertificate, Method};
use crate::access::scram::{Channel, Exchange, MECHANISM, MECHANISM_PLUS, ScramFailure};
use crate::access::slots::{Full, Slot};
use crate::access::tls::{TlsPolicy, common_name};
use crate::access::verifier::{ScramVerifier, Verifier, md5_hex};
use crate::error::{Error, Result};
use crate::server::Server;
use crate::session::now_us;
use crate::wire::Failure;
use crate::wire::startup::{Guest, send};
use crate::wire::stream::{ClientStream, Peer};

/// The message that answers us.
const PASSWORD_MESSAGE: u8 = b'p';
/// Longest answer, as in PostgreSQL (`PG_MAX_AUTH_TOKEN_LENGTH`).
const ANSWER_BYTES_MAX: usize = 65_535;
/// Bytes of salt that an MD5 hash is made with.
const MD5_SALT_BYTES: usize = 4;

/// A client that may come in.
#[derive(Debug)]
pub struct Authenticated {
    role: Arc<Role>,
    _slot: Slot,
}

impl Authenticated {
    /// Who it is.
    pub fn role(&self) -> &Arc<Role> {
        &self.role
    }
}

/// What came of asking for a password.
enum Answer {
    Right,
    Wrong,
}

/// Asks a client for what the rules say.
///
/// # Errors
/// It may not come in, or the connection breaks.
pub async fn authenticate(
    server: &Server,
    guest: &mut Guest,
    user: &str,
    database: &str,
) -> Result<Authenticated, Failure> {
    let method = method(server, guest, user, database)?;
    let role = server.catalog.snapshot().role(user).cloned();
    let answer = match method {
        Method::Trust | Method::Certificate => Answer::Right,
        Method::Reject => Answer::Wrong,
        Method::ScramSha256 | Method::Md5 | Method::Password => {
            let address = ip_address(guest.peer);
            let Some(wait) = server.access.back_off.turn(address, Instant::now()) else {
                let message = "too many attempts to log in from this address after wrong passwords";
                return Err(PgError::new(SqlState::TOO_MANY_CONNECTIONS, message).into());
            };
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            let verifier = role.as_ref().and_then(|role| current_verifier(role));
            let answer = ask(server, guest, user, verifier, method).await?;
            if let Answer::Wrong = answer {
                server.access.back_off.failed(address, Instant::now());
                info!(peer = %guest.peer, user, "password authentication failed");
            }
            answer
        }
    };
    if let Answer::Wrong = answer {
        let message = format!("password authentication failed for user \"{user}\"");
        return Err(PgError::new(SqlState::INVALID_PASSWORD, message).into());
    }
    let role = role.ok_or_else(|| not_authorized(format!("role \"{user}\" does not exist")))?;
    if !role.can_login {
        return Err(not_authorized(format!("role \"{user}\" is not permitted to log in")).into());
    }
    let slot = server.access.slots.admit(&role).map_err(|full| too_many(&full, user))?;
    send(&mut guest.stream, &Authentication::Ok).await.map_err(Failure::Disconnected)?;
    Ok(Authenticated { role, _slot: slot })
}

/// What the rules ask this client for, once it has shown the certificate that they ask for too.
fn method(server: &Server, guest: &Guest, user: &str, database: &str) -> Result<Method> {
    let encrypted = guest.tls.is_some();
    let asking = Asking { address: ip_address(guest.peer), encrypted, database, user };
    let rules = server.access.rules();
    let rule = rules.find(asking);
    let may_be_plain = encrypted || guest.peer == Peer::Unix;
    let rule = rule.filter(|_| may_be_plain || server.access.config.tls_policy != TlsPolicy::Require);
    let whom = || {
        let host = asking.address.map_or("[local]".to_owned(), |address| address.to_string());
        let encryption = if encrypted { "SSL encryption" } else { "no encryption" };
        format!("host \"{host}\", user \"{user}\", database \"{database}\", {encryption}")
    };
    let Some(rule) = rule else { return Err(not_authorized(format!("no pg_hba.conf entry for {}", whom()))) };
    if rule.method == Method::Reject {
        return Err(not_authorized(format!("pg_hba.conf rejects connection for {}", whom())));
    }
    let certificate = match &guest.stream {
        ClientStream::Tls(stream) => stream.get_ref().1.peer_certificates().and_then(|chain| chain.first()),
        _ => None,
    };
    match (rule.client_certificate, certificate) {
        (ClientCertificate::NotAsked, _) | (ClientCertificate::Any, Some(_)) => {}
        (ClientCertificate::OfUser, Some(certificate)) if common_name(certificate).as_deref() == Some(user) => {}
        (ClientCertificate::OfUser, Some(_)) => {
            return Err(not_authorized(format!("certificate authentication failed for user \"{user}\"")));
        }
        (_, None) => return Err(not_authorized("connection requires a valid client certificate".to_owned())),
    }
    Ok(rule.method)
}

fn ip_address(peer: Peer) -> Option<std::net::IpAddr> {
    match peer {
        Peer::Tcp(address) => Some(address.ip().to_canonical()),
        Peer::Unix => None,
    }
}

/// What a role's password is compared with, as long as it is good.
fn current_verifier(role: &Role) -> Option<Verifier> {
    if role.valid_until_us.is_some_and(|until| until < now_us()) {
        debug!(role = role.name, "the password has expired");
        return None;
    }
    Verifier::parse(&role.password.as_ref()?.0)
}

/// Asks for the password. Who asks for a role that is not there, or has no password, is asked all the same.
async fn ask(
    server: &Server,
    guest: &mut Guest,
    user: &str,
    verifier: Option<Verifier>,
    method: Method,
) -> Result<Answer, Failure> {
    match (method, verifier) {
        (Method::Password, verifier) => ask_in_clear(server, guest, user, verifier).await,
        (Method::Md5, Some(Verifier::Md5(hash))) => ask_md5(guest, &hash).await,
        (_, Some(Verifier::Scram(verifier))) => ask_scram(guest, &verifier, true).await,
        // Also who has only an MD5 hash where SCRAM is asked for.
        (_, _) => ask_scram(guest, &server.access.mock.verifier(user), false).await,
    }
}

async fn ask_in_clear(
    server: &Server,
    guest: &mut Guest,
    user: &str,
    verifier: Option<Verifier>,
) -> Result<Answer, Failure> {
    send(&mut guest.stream, &Authentication::CleartextPassword).await.map_err(Failure::Disconnected)?;
    let answer = read_answer(&mut guest.stream).await?;
    let password = text_of(&answer)?;
    if password.is_empty() {
        return Err(PgError::new(SqlState::INVALID_PASSWORD, "empty password returned by client").into());
    }
    let is_there = verifier.is_some();
    let verifier = verifier.unwrap_or_else(|| Verifier::Scram(server.access.mock.verifier(user)));
    let fits = verifier.is_of(password, user);
    Ok(if fits && is_there { Answer::Right } else { Answer::Wrong })
}

async fn ask_md5(guest: &mut Guest, hash: &str) -> Result<Answer, Failure> {
    use subtle::ConstantTimeEq;
    let salt = random_bytes::<MD5_SALT_BYTES>();
    send(&mut guest.stream, &Authentication::MD5Password(salt.to_vec())).await.map_err(Failure::Disconnected)?;
    let answer = read_answer(&mut guest.stream).await?;
    let expected = format!("md5{}", md5_hex(&[hash.as_bytes(), &salt]));
    let fits = text_of(&answer)?.as_bytes().ct_eq(expected.as_bytes());
    Ok(if fits.into() { Answer::Right } else { Answer::Wrong })
}

/// The exchange of SCRAM-SHA-256. What is not there is refused at its end, as a wrong password is.
async fn ask_scram(guest: &mut Guest, verifier: &ScramVerifier, is_there: bool) -> Result<Answer, Failure> {
    let tls = guest.tls.clone();
    let end_point = tls.as_ref().and_then(|tls| tls.end_point.as_deref());
    let mechanisms = match end_point {
        Some(_) => vec![MECHANISM_PLUS.to_owned(), MECHANISM.to_owned()],
        None => vec![MECHANISM.to_owned()],
    };
    send(&mut guest.stream, &Authentication::SASL(mechanisms)).await.map_err(Failure::Disconnected)?;
    let answer = read_answer(&mut guest.stream).await?;
    let (mechanism, first) = initial_response(&answer)?;
    let plus = match mechanism {
        MECHANISM => false,
        MECHANISM_PLUS if end_point.is_some() => true,
        _ => return Err(protocol("client selected an invalid SASL authentication mechanism").into()),
    };
    let exchange = Exchange::begin(verifier, Channel { end_point, plus }, first).map_err(scram_error)?;
    let challenge = exchange.challenge().to_owned();
    send(&mut guest.stream, &Authentication::SASLContinue(challenge.into())).await.map_err(Failure::Disconnected)?;
    let answer = read_answer(&mut guest.stream).await?;
    let last = std::str::from_utf8(&answer).map_err(|_| protocol("malformed SCRAM message"))?;
    let proof = match exchange.finish(last) {
        Ok(proof) if is_there => proof,
        Ok(_) | Err(ScramFailure::Refused) => return Ok(Answer::Wrong),
        Err(failure) => return Err(scram_error(failure).into()),
    };
    send(&mut guest.stream, &Authentication::SASLFinal(proof.into())).await.map_err(Failure::Disconnected)?;
    Ok(Answer::Right)
}

/// The body of the client's answer.
async fn read_answer(stream: &mut ClientStream) -> Result<Vec<u8>, Failure> {
    let kind = stream.read_u8().await.map_err(Failure::Disconnected)?;
    if kind != PASSWORD_MESSAGE {
        return Err(protocol(&format!("expected password response, got message type {kind}")).into());
    }
    let length = stream.read_i32().await.map_err(Failure::Disconnected)?;
    let length = usize::try_from(length).ok().and_then(|length| length.checked_sub(size_of::<i32>()));
    let Some(length) = length.filter(|length| *length <= ANSWER_BYTES_MAX) else {
        return Err(protocol("invalid message length").into());
    };
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).await.map_err(Failure::Disconnected)?;
    Ok(answer)
}

/// A text that ends where the message does.
fn text_of(answer: &[u8]) -> Result<&str> {
    match answer.split_last() {
        Some((0, text)) if !text.contains(&0) => std::str::from_utf8(text).map_err(|_| Error::InvalidEncoding),
        _ => Err(protocol("invalid password packet size")),
    }
}

/// The mechanism that the client has chosen, and its first message.
fn initial_response(answer: &[u8]) -> Result<(&str, &str)> {
    let malformed = || protocol("malformed SASL initial response");
    let end = answer.iter().position(|byte| *byte == 0).ok_or_else(malformed)?;
    let (length, message) = answer[end + 1..].split_first_chunk::<4>().ok_or_else(malformed)?;
    // It may come without a first message, but SCRAM has one.
    if usize::try_from(i32::from_be_bytes(*length)).ok() != Some(message.len()) {
        return Err(malformed());
    }
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| malformed());
    Ok((text(&answer[..end])?, text(message)?))
}

fn scram_error(failure: ScramFailure) -> Error {
    let (sqlstate, message, detail) = match failure {
        ScramFailure::Malformed { message, detail } => (SqlState::PROTOCOL_VIOLATION, message, detail),
        ScramFailure::Channel { message, detail } => (SqlState::INVALID_AUTHORIZATION_SPECIFICATION, message, detail),
        ScramFailure::Refused => (SqlState::INVALID_PASSWORD, "password authentication failed", ""),
    };
    let error = PgError::new(sqlstate, message);
    if detail.is_empty() { error.into() } else { error.with_detail(detail).into() }
}

fn too_many(full: &Full, user: &str) -> Error {
    let message = match full {
        Full::Server => "sorry, too many clients already".to_owned(),
        Full::Reserved => {
            "remaining connection slots are reserved for non-replication superuser connections".to_owned()
        }
        Full::Role => format!("too many connections for role \"{user}\""),
    };
    PgError::new(SqlState::TOO_MANY_CONNECTIONS, message).into()
}

fn not_authorized(message: String) -> Error {
    Error::InvalidAuthorization { message }
}

fn protocol(message: &str) -> Error {
    Error::Protocol { message: message.to_owned() }
}
