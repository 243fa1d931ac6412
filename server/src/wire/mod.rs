//! The socket: PostgreSQL's frontend/backend protocol, version 3.0.
//!
//! The messages are pgwire's; this is the only module that names it. The loop that reads and answers them is ours, because
//! results are streamed, statements are cancelled while they stream, and nothing runs before a client has been let in.
//! See "Frontend/Backend Protocol" in PostgreSQL's documentation.

pub mod codec;
pub mod connection;
pub mod copy_in;
pub mod copy_out;
pub mod extended_query;
pub mod layout;
pub mod output;
pub mod parameters;
pub mod report;
pub mod rows;
pub mod simple_query;
pub mod startup;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;

use crate::error::Error;
use crate::server::Server;
use connection::Connection;
use startup::Admission;

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
pub async fn serve(server: Arc<Server>, mut socket: TcpStream, address: SocketAddr) -> io::Result<()> {
    // Answers are written in one piece; waiting to join them with later ones would only delay them.
    socket.set_nodelay(true)?;
    match startup::admit(&server, &mut socket, address).await? {
        Admission::Refused => Ok(()),
        Admission::Admitted(client) => Connection::new(server, socket, client).run().await,
    }
}
