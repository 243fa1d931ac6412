//! Sends cases to a server, and looks how it takes them.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::case::Case;
use crate::answer::Answer;
use crate::session::{Address, Session};

/// An answer that takes longer is a hang.
const DEADLINE: Duration = Duration::from_secs(60);
/// The types of messages that a server sends.
const KINDS: &[u8] = b"RKSZTDCEN123InstGHWdcvVA";

/// What a server must not do.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It neither answers nor hangs up.
    #[error("the server does not answer")]
    Hangs,
    /// What it sends is no message.
    #[error("the server has sent what is no message: {0}")]
    Malformed(String),
    /// It does not let a client in that keeps to the protocol, or does not answer it.
    #[error("the server does not serve others: {0}")]
    Refuses(String),
}

/// Sends a case, and reads up to the end of the connection.
///
/// # Errors
/// The server hangs, or sends what is no message.
pub fn send(address: &Address, case: &Case) -> Result<(), Failure> {
    let refused = |error: io::Error| Failure::Refuses(error.to_string());
    let mut socket = TcpStream::connect((address.host.as_str(), address.port)).map_err(refused)?;
    socket.set_nodelay(true).map_err(refused)?;
    socket.set_read_timeout(Some(DEADLINE)).map_err(refused)?;
    for piece in &case.pieces {
        // The server may have hung up while there was more to send.
        if socket.write_all(piece).is_err() {
            break;
        }
    }
    if case.leaves || socket.shutdown(Shutdown::Write).is_err() {
        return Ok(());
    }
    let mut answer = Vec::new();
    match socket.read_to_end(&mut answer) {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            return Err(Failure::Hangs);
        }
        // Bytes that the server has not read turn the end of the connection into a reset.
        Ok(_) | Err(_) => {}
    }
    // Answers to encryption requests are single bytes.
    let begin = answer.iter().position(|byte| !matches!(byte, b'N')).unwrap_or(answer.len());
    check_messages(&answer[begin..])
}

/// The bytes must be messages; the last one may be cut off where a reset has come before it.
fn check_messages(mut bytes: &[u8]) -> Result<(), Failure> {
    while let Some((kind, rest)) = bytes.split_first() {
        let Some((length, body)) = rest.split_first_chunk::<4>() else { return Ok(()) };
        let length = u32::from_be_bytes(*length) as usize;
        if !KINDS.contains(kind) || length < 4 {
            return Err(Failure::Malformed(bytes[..bytes.len().min(60)].escape_ascii().to_string()));
        }
        bytes = body.get(length - 4..).unwrap_or_default();
    }
    Ok(())
}

/// A client that keeps to the protocol must be let in, and answered.
///
/// # Errors
/// It is not.
pub fn check_server(address: &Address) -> Result<(), Failure> {
    let answer = Session::connect(address).and_then(|mut session| session.run("SELECT 1"));
    match answer {
        Ok(Answer::Error(error)) => Err(Failure::Refuses(error.to_string())),
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::Refuses(error.to_string())),
    }
}

/// Makes what the statements of the cases are about.
///
/// # Errors
/// The server does not do it.
pub fn prepare(address: &Address) -> io::Result<()> {
    match Session::connect(address)?.run("CREATE TABLE fuzzed (i int, t text)")? {
        Answer::Error(error) => Err(io::Error::other(error.to_string())),
        _ => Ok(()),
    }
}
