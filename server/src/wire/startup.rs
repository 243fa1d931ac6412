//! Before a client is let in: encryption requests, cancel requests, the start-up message, who may connect.
//!
//! Every message is read to its exact length, so nothing that a client sends early can be taken for something that came
//! later, and every error ends the connection: nobody is let in by a mistake.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::panic::catch_unwind;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use pgwire::messages::cancel::CancelRequest;
use pgwire::messages::startup::{GssEncRequest, NegotiateProtocolVersion, SecretKey, SslRequest, Startup};
use pgwire::messages::{DecodeContext, Message, ProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tracing::debug;

use crate::error::{Error, Result};
use crate::server::{DATABASE, SUPERUSER, Server};
use crate::wire::report::{Severity, error_response};

/// How long a client may take until it is let in (PostgreSQL's `authentication_timeout`).
const STARTUP_PATIENCE: Duration = Duration::from_secs(60);
/// Longest message before a client is let in, as in PostgreSQL (`MAX_STARTUP_PACKET_LENGTH`).
const STARTUP_BYTES_MAX: usize = 10_000;
/// Length and a code of four bytes each.
const STARTUP_BYTES_MIN: usize = 8;
/// Encryption requests that are answered: one of each kind, as in PostgreSQL.
const ENCRYPTION_REQUESTS_MAX: usize = 2;

/// Whether a client was let in.
#[derive(Debug)]
pub enum Admission {
    /// It was not, or did not want to be.
    Refused,
    /// It was.
    Admitted(Client),
}

/// A client that has been let in.
#[derive(Debug)]
pub struct Client {
    /// Its role.
    pub user: String,
    /// Its database.
    pub database: String,
    /// What else it said.
    pub parameters: BTreeMap<String, String>,
    /// Whether it has to be told that we speak an older version of the protocol.
    pub negotiate: Option<NegotiateProtocolVersion>,
}

/// Reads until the client may come in, or not.
///
/// # Errors
/// The connection breaks.
pub async fn admit(server: &Server, socket: &mut TcpStream, address: SocketAddr) -> io::Result<Admission> {
    let admission = tokio::select! {
        () = server.stopping().cancelled() => Err(Error::AdminShutdown),
        admission = tokio::time::timeout(STARTUP_PATIENCE, read_requests(server, socket, address)) => match admission {
            Ok(admission) => admission?,
            Err(_) => return Ok(Admission::Refused),
        },
    };
    match admission {
        Ok(admission) => Ok(admission),
        Err(error) => {
            debug!(%address, error = %error, "client not let in");
            let mut buffer = BytesMut::new();
            let response = error_response(Severity::Fatal, &error.report());
            if response.encode(&mut buffer).is_ok() {
                socket.write_all(&buffer).await?;
            }
            Ok(Admission::Refused)
        }
    }
}

async fn read_requests(server: &Server, socket: &mut TcpStream, address: SocketAddr) -> io::Result<Result<Admission>> {
    for _ in 0..=ENCRYPTION_REQUESTS_MAX {
        let Some(packet) = read_packet(socket).await? else { return Ok(Ok(Admission::Refused)) };
        if SslRequest::is_ssl_request_packet(&packet) || GssEncRequest::is_gss_enc_request_packet(&packet) {
            // Not offered; the client decides whether it goes on without.
            socket.write_all(b"N").await?;
            continue;
        }
        if CancelRequest::is_cancel_request_packet(&packet) {
            cancel(server, packet);
            return Ok(Ok(Admission::Refused));
        }
        return Ok(start(server, packet, address).map(Admission::Admitted));
    }
    Ok(Ok(Admission::Refused))
}

/// One message, or nothing when what comes is none: PostgreSQL does not answer those either.
async fn read_packet(socket: &mut TcpStream) -> io::Result<Option<BytesMut>> {
    let length = match socket.read_i32().await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        length => length?,
    };
    let Some(length) = usize::try_from(length).ok().filter(|it| (STARTUP_BYTES_MIN..=STARTUP_BYTES_MAX).contains(it))
    else {
        return Ok(None);
    };
    let mut packet = BytesMut::with_capacity(length);
    packet.put_i32(length as i32);
    packet.resize(length, 0);
    socket.read_exact(&mut packet[4..]).await?;
    Ok(Some(packet))
}

fn context() -> DecodeContext {
    DecodeContext::new(ProtocolVersion::PROTOCOL3_0)
}

/// The connection that brings a cancel request gets no answer, so that keys cannot be guessed with its help.
fn cancel(server: &Server, mut packet: BytesMut) {
    let decoded = catch_unwind(move || CancelRequest::decode(&mut packet, &context()));
    if let Ok(Ok(Some(CancelRequest { pid, secret_key: SecretKey::I32(key), .. }))) = decoded {
        server.sessions.cancel(pid, key);
    }
}

fn start(server: &Server, mut packet: BytesMut, address: SocketAddr) -> Result<Client> {
    let (major, minor) = (u16::from_be_bytes([packet[4], packet[5]]), u16::from_be_bytes([packet[6], packet[7]]));
    if major != 3 {
        let feature = format!("protocol version {major}.{minor}");
        return Err(Error::not_supported(feature));
    }
    if !packet.ends_with(b"\0") || std::str::from_utf8(&packet[STARTUP_BYTES_MIN..]).is_err() {
        return Err(Error::Protocol {
            message: "invalid startup packet layout: expected terminator as last byte".into(),
        });
    }
    let decoded = catch_unwind(move || Startup::decode(&mut packet, &context()));
    let Ok(Ok(Some(Startup { mut parameters, .. }))) = decoded else {
        return Err(Error::Protocol { message: "invalid startup packet".into() });
    };
    let user = parameters.remove("user").filter(|user| !user.is_empty()).ok_or_else(|| {
        Error::InvalidAuthorization { message: "no PostgreSQL user name specified in startup packet".into() }
    })?;
    let database = parameters.remove("database").filter(|name| !name.is_empty()).unwrap_or_else(|| user.clone());
    authenticate(server, &user, &database, address)?;
    if parameters.get("replication").is_some_and(|value| !matches!(value.as_str(), "false" | "off" | "no" | "0")) {
        return Err(Error::not_supported("replication"));
    }
    let negotiate = negotiation(minor, &parameters);
    parameters.retain(|name, _| !name.starts_with(PROTOCOL_OPTION_PREFIX));
    Ok(Client { user, database, parameters, negotiate })
}

/// Trusts whom the configuration trusts. The role is looked at only then: nobody else learns which ones there are.
fn authenticate(server: &Server, user: &str, database: &str, address: SocketAddr) -> Result<()> {
    if !server.config.trusts(address.ip()) {
        let message = format!("connections from {} are not trusted, and there is no authentication yet", address.ip());
        return Err(Error::InvalidAuthorization { message });
    }
    if user != SUPERUSER {
        return Err(Error::InvalidAuthorization { message: format!("role \"{user}\" does not exist") });
    }
    if database != DATABASE {
        return Err(Error::UndefinedDatabase { name: database.to_owned() });
    }
    Ok(())
}

/// Parameters that would change the protocol itself.
const PROTOCOL_OPTION_PREFIX: &str = "_pq_.";

/// What to tell a client that speaks a newer version than 3.0.
fn negotiation(minor: u16, parameters: &BTreeMap<String, String>) -> Option<NegotiateProtocolVersion> {
    let options: Vec<_> = parameters.keys().filter(|name| name.starts_with(PROTOCOL_OPTION_PREFIX)).cloned().collect();
    (minor > 0 || !options.is_empty()).then(|| NegotiateProtocolVersion::new(0, options))
}
