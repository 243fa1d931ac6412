//! Before a client is let in: encryption, cancel requests, the start-up message.
//!
//! Every message is read to its exact length, so nothing that a client sends early can be taken for something that came
//! later, and every error ends the connection: nobody is let in by a mistake.

use std::collections::BTreeMap;
use std::io;
use std::panic::catch_unwind;
use std::sync::Arc;

use bytes::{Buf, BufMut, BytesMut};
use pg::PgError;
use pg::session::Addresses;
use pg::sqlstate::SqlState;
use pgwire::messages::cancel::CancelRequest;
use pgwire::messages::startup::{GssEncRequest, NegotiateProtocolVersion, SslRequest, Startup};
use pgwire::messages::{DecodeContext, Message, ProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tracing::debug;

use crate::access::tls::{ALPN_PROTOCOL, TlsContext};
use crate::error::{Error, Result};
use crate::server::{DATABASE, Server};
use crate::wire::Failure;
use crate::wire::authentication::{Authenticated, authenticate};
use crate::wire::report::{Severity, error_response};
use crate::wire::stream::{ClientStream, Peer};

/// Longest message before a client is let in, as in PostgreSQL (`MAX_STARTUP_PACKET_LENGTH`).
const STARTUP_BYTES_MAX: usize = 10_000;
/// Length and a code of four bytes each.
const STARTUP_BYTES_MIN: usize = 8;
/// Encryption requests that are answered: one of each kind, as in PostgreSQL.
const ENCRYPTION_REQUESTS_MAX: usize = 2;
/// What a connection begins with that is encrypted without having been asked (the type of a TLS handshake record).
const TLS_HANDSHAKE: u8 = 0x16;
/// The newest minor version of protocol 3 that we speak; it has longer cancel keys than 3.0.
const MINOR_VERSION_MAX: u16 = 2;
/// Parameters that would change the protocol itself.
const PROTOCOL_OPTION_PREFIX: &str = "_pq_.";

/// Somebody who has come and is not let in yet.
#[derive(Debug)]
pub struct Guest {
    /// Where it can be heard.
    pub stream: ClientStream,
    /// Where it is.
    pub peer: Peer,
    /// What encrypts the connection.
    pub tls: Option<Arc<TlsContext>>,
}

/// A client that has been let in.
#[derive(Debug)]
pub struct Client {
    /// Who it is.
    pub authenticated: Authenticated,
    /// Its database.
    pub database: String,
    /// Where it is and where it has found the server, if it is not on this machine at a Unix socket.
    pub addresses: Option<Addresses>,
    /// What else it said.
    pub parameters: BTreeMap<String, String>,
    /// Whether its cancel key is a long one.
    pub long_key: bool,
}

/// What a client said at the beginning.
struct Request {
    user: String,
    database: String,
    parameters: BTreeMap<String, String>,
    minor_version: u16,
    /// What it has to be told about the version of the protocol.
    negotiate: Option<NegotiateProtocolVersion>,
}

/// Reads until the client may come in, or not. Nothing is answered to what is no client of ours.
///
/// # Errors
/// The connection breaks.
pub async fn admit(server: &Server, guest: Guest) -> io::Result<Option<(ClientStream, Client)>> {
    let deadline = Instant::now() + server.access.config.authentication_timeout;
    let peer = guest.peer;
    let read = tokio::select! {
        () = server.draining().cancelled() => return Ok(None),
        read = timeout_at(deadline, read_requests(server, guest)) => match read {
            Ok(read) => read?,
            Err(_) => return Ok(None),
        },
    };
    let Some((mut guest, packet)) = read else { return Ok(None) };
    let admitted = tokio::select! {
        () = server.draining().cancelled() => Err(Failure::Statement(Error::from(PgError::new(
            SqlState::CANNOT_CONNECT_NOW,
            "the database system is shutting down",
        )))),
        admitted = timeout_at(deadline, let_in(server, &mut guest, packet)) => admitted.unwrap_or_else(|_| {
            let message = "canceling authentication due to timeout";
            Err(Failure::Statement(Error::from(PgError::new(SqlState::QUERY_CANCELED, message))))
        }),
    };
    match admitted {
        Ok(client) => Ok(Some((guest.stream, client))),
        Err(Failure::Disconnected(error)) => Err(error),
        Err(Failure::Statement(error)) => {
            debug!(%peer, error = %error, "client not let in");
            refuse(&mut guest.stream, &error).await?;
            Ok(None)
        }
    }
}

async fn let_in(server: &Server, guest: &mut Guest, packet: BytesMut) -> Result<Client, Failure> {
    let Request { user, database, parameters, minor_version, negotiate } = request(packet)?;
    if let Some(negotiate) = negotiate {
        send(&mut guest.stream, &negotiate).await.map_err(Failure::Disconnected)?;
    }
    let authenticated = authenticate(server, guest, &user, &database).await?;
    if database != DATABASE {
        return Err(Error::UndefinedDatabase { name: database }.into());
    }
    if parameters.get("replication").is_some_and(|value| !matches!(value.as_str(), "false" | "off" | "no" | "0")) {
        return Err(Error::not_supported("replication").into());
    }
    let server_address = guest.stream.local_address().map_err(Failure::Disconnected)?;
    let addresses = match (guest.peer, server_address) {
        (Peer::Tcp(client), Some(server)) => Some(Addresses { client, server }),
        _ => None,
    };
    Ok(Client { authenticated, database, addresses, parameters, long_key: minor_version >= MINOR_VERSION_MAX })
}

/// Sends a message to somebody who is not let in yet.
pub(super) async fn send(stream: &mut ClientStream, message: &impl Message) -> io::Result<()> {
    let mut buffer = BytesMut::new();
    message.encode(&mut buffer).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
    stream.write_all(&buffer).await?;
    stream.flush().await
}

/// Ends the connection of somebody for whom there is no room.
///
/// # Errors
/// The connection breaks.
pub async fn turn_away(mut stream: ClientStream) -> io::Result<()> {
    let error = PgError::new(SqlState::TOO_MANY_CONNECTIONS, "sorry, too many clients already");
    refuse(&mut stream, &error.into()).await
}

/// Says why, and ends the connection.
async fn refuse(stream: &mut ClientStream, error: &Error) -> io::Result<()> {
    let mut buffer = BytesMut::new();
    if error_response(Severity::Fatal, &error.report()).encode(&mut buffer).is_ok() {
        stream.write_all(&buffer).await?;
        stream.shutdown().await?;
        // What has not been read would turn the end of the connection into a reset, and the client would not read why.
        stream.take_early(&mut vec![0; STARTUP_BYTES_MAX]);
    }
    Ok(())
}

/// Reads up to the start-up message.
async fn read_requests(server: &Server, mut guest: Guest) -> io::Result<Option<(Guest, BytesMut)>> {
    if let ClientStream::Tcp(socket) = &guest.stream
        && begins_encrypted(socket).await?
    {
        let Some(encrypted) = encrypt(server, guest).await? else { return Ok(None) };
        guest = encrypted;
        // Without this, what was meant for another protocol could be taken for ours.
        let ClientStream::Tls(stream) = &guest.stream else { return Ok(None) };
        if stream.get_ref().1.alpn_protocol() != Some(ALPN_PROTOCOL) {
            debug!(peer = %guest.peer, "direct TLS connection without ALPN");
            return Ok(None);
        }
    }
    for _ in 0..=ENCRYPTION_REQUESTS_MAX {
        let Some(packet) = read_packet(&mut guest.stream).await? else { return Ok(None) };
        if GssEncRequest::is_gss_enc_request_packet(&packet) && guest.tls.is_none() {
            // Not offered; the client decides whether it goes on without.
            guest.stream.write_all(b"N").await?;
        } else if SslRequest::is_ssl_request_packet(&packet) && guest.tls.is_none() {
            guest = match answer_ssl_request(server, guest).await? {
                Some(guest) => guest,
                None => return Ok(None),
            };
        } else if CancelRequest::is_cancel_request_packet(&packet) {
            cancel(server, packet);
            return Ok(None);
        } else {
            return Ok(Some((guest, packet)));
        }
    }
    Ok(None)
}

async fn begins_encrypted(socket: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    Ok(socket.peek(&mut first).await? == 1 && first[0] == TLS_HANDSHAKE)
}

/// Encrypts the connection, or says that it is not offered. Whoever sends more than the request before it has the answer is
/// no client, or somebody in between has added to what it sent, to be read as if it had come encrypted (CVE-2021-23214).
async fn answer_ssl_request(server: &Server, mut guest: Guest) -> io::Result<Option<Guest>> {
    if guest.stream.take_early(&mut [0]) > 0 {
        let message = "received unencrypted data after SSL request";
        let detail = "This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.";
        let error = PgError::new(SqlState::PROTOCOL_VIOLATION, message).with_detail(detail);
        refuse(&mut guest.stream, &error.into()).await?;
        return Ok(None);
    }
    if server.access.tls.is_none() || guest.peer == Peer::Unix {
        guest.stream.write_all(b"N").await?;
        return Ok(Some(guest));
    }
    guest.stream.write_all(b"S").await?;
    encrypt(server, guest).await
}

async fn encrypt(server: &Server, guest: Guest) -> io::Result<Option<Guest>> {
    let (Some(tls), ClientStream::Tcp(socket)) = (&server.access.tls, guest.stream) else { return Ok(None) };
    let tls = tls.current();
    // Nothing has been read ahead: the handshake begins with what the client sends next.
    let stream = tls.acceptor.accept(socket).await?;
    Ok(Some(Guest { stream: ClientStream::Tls(Box::new(stream)), tls: Some(tls), ..guest }))
}

/// One message, or nothing when what comes is none: PostgreSQL does not answer those either.
async fn read_packet(stream: &mut ClientStream) -> io::Result<Option<BytesMut>> {
    let length = match stream.read_i32().await {
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
    stream.read_exact(&mut packet[4..]).await?;
    Ok(Some(packet))
}

/// The connection that brings a cancel request gets no answer, so that keys cannot be guessed with its help.
fn cancel(server: &Server, mut packet: BytesMut) {
    packet.advance(STARTUP_BYTES_MIN);
    if let Ok(process_id) = packet.try_get_i32() {
        server.sessions.cancel(process_id, &packet);
    }
}

fn request(mut packet: BytesMut) -> Result<Request> {
    let (major, minor) = (u16::from_be_bytes([packet[4], packet[5]]), u16::from_be_bytes([packet[6], packet[7]]));
    if major != 3 {
        let message =
            format!("unsupported frontend protocol {major}.{minor}: server supports 3.0 to 3.{MINOR_VERSION_MAX}");
        return Err(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message).into());
    }
    if !packet.ends_with(b"\0") || std::str::from_utf8(&packet[STARTUP_BYTES_MIN..]).is_err() {
        return Err(Error::Protocol {
            message: "invalid startup packet layout: expected terminator as last byte".into(),
        });
    }
    let context = DecodeContext::new(ProtocolVersion::PROTOCOL3_0);
    let decoded = catch_unwind(move || Startup::decode(&mut packet, &context));
    let Ok(Ok(Some(Startup { mut parameters, .. }))) = decoded else {
        return Err(Error::Protocol { message: "invalid startup packet".into() });
    };
    let user = parameters.remove("user").filter(|user| !user.is_empty()).ok_or_else(|| {
        Error::InvalidAuthorization { message: "no PostgreSQL user name specified in startup packet".into() }
    })?;
    let database = parameters.remove("database").filter(|name| !name.is_empty()).unwrap_or_else(|| user.clone());
    let negotiate = negotiation(minor, &parameters);
    parameters.retain(|name, _| !name.starts_with(PROTOCOL_OPTION_PREFIX));
    Ok(Request { user, database, parameters, minor_version: minor.min(MINOR_VERSION_MAX), negotiate })
}

/// What to tell a client that speaks a newer version than we do, or asks for options of the protocol: there are none.
fn negotiation(minor: u16, parameters: &BTreeMap<String, String>) -> Option<NegotiateProtocolVersion> {
    let options: Vec<_> = parameters.keys().filter(|name| name.starts_with(PROTOCOL_OPTION_PREFIX)).cloned().collect();
    // The whole version, as PostgreSQL sends it.
    let newest = 3 << 16 | i32::from(MINOR_VERSION_MAX);
    (minor > MINOR_VERSION_MAX || !options.is_empty()).then(|| NegotiateProtocolVersion::new(newest, options))
}
