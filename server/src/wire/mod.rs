//! The socket: PostgreSQL's frontend/backend protocol, version 3.0.
//!
//! The messages are pgwire's; this is the only module that names it. The loop that reads and answers them is ours, because
//! results are streamed, statements are cancelled while they stream, and nothing runs before a client has been let in.
//! See "Frontend/Backend Protocol" in PostgreSQL's documentation.

pub mod authentication;
pub mod codec;
pub mod connection;
pub mod copy_in;
pub mod copy_out;
mod encoding;
pub mod extended_query;
pub mod incoming;
pub mod layout;
pub mod output;
pub mod parameters;
pub mod report;
pub mod rows;
pub mod simple_query;
pub mod startup;
pub mod stream;

use std::io;
use std::sync::Arc;

use socket2::SockRef;

use crate::error::Error;
use crate::server::Server;
use connection::Connection;
use startup::Guest;
use stream::{ClientStream, Peer};

/// Why a statement's answer ended early.
#[derive(Debug)]
pub enum Failure {
    /// The statement failed; the session goes on.
    Statement(Error),
    /// The client is gone.
    Disconnected(io::Error),
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure::Statement(error.into())
    }
}

/// Serves one client until it leaves or the server stops.
///
/// # Errors
/// The connection breaks.
pub async fn serve(server: Arc<Server>, stream: ClientStream, peer: Peer) -> io::Result<()> {
    if let ClientStream::Tcp(socket) = &stream {
        // Answers are written in one piece; waiting to join them with later ones would only delay them.
        socket.set_nodelay(true)?;
        // A client whose machine is gone says nothing any more.
        SockRef::from(socket).set_keepalive(true)?;
    }
    // Who is not let in yet does not take the room of others, and there is an end to how many these are.
    let Some(arriving) = server.access.slots.arrive() else { return startup::turn_away(stream).await };
    match startup::admit(&server, Guest { stream, peer, tls: None }).await? {
        None => Ok(()),
        Some((stream, client)) => {
            drop(arriving);
            Connection::new(server, stream, client).run().await
        }
    }
}
