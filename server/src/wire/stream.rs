//! The bytes of a connection, whichever way they come.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;

/// A connection to a client.
#[derive(Debug)]
pub enum ClientStream {
    /// By TCP, for everybody on the way to read.
    Tcp(TcpStream),
    /// By TCP, encrypted.
    Tls(Box<TlsStream<TcpStream>>),
    /// Through a file of this machine.
    Unix(UnixStream),
}

/// Where a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// At the other end of a network, or of loopback.
    Tcp(SocketAddr),
    /// On this machine, at a Unix socket.
    Unix,
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Peer::Tcp(address) => address.fmt(f),
            Peer::Unix => f.write_str("[local]"),
        }
    }
}

impl ClientStream {
    /// Where the client has found the server; nowhere in the network at a Unix socket.
    ///
    /// # Errors
    /// The connection is broken.
    pub(super) fn local_address(&self) -> io::Result<Option<SocketAddr>> {
        match self {
            ClientStream::Tcp(socket) => socket.local_addr().map(Some),
            ClientStream::Tls(stream) => stream.get_ref().0.local_addr().map(Some),
            ClientStream::Unix(_) => Ok(None),
        }
    }

    /// Takes what has come already, without waiting, as far as it fits. Nothing may have come is no error.
    pub(super) fn take_early(&self, buffer: &mut [u8]) -> usize {
        let taken = match self {
            ClientStream::Tcp(socket) => socket.try_read(buffer),
            ClientStream::Unix(socket) => socket.try_read(buffer),
            // What comes behind the handshake is as good as what comes later.
            ClientStream::Tls(_) => return 0,
        };
        taken.unwrap_or(0)
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            ClientStream::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            ClientStream::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
            ClientStream::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            ClientStream::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            ClientStream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            ClientStream::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            ClientStream::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            ClientStream::Tls(stream) => Pin::new(stream).poll_flush(cx),
            ClientStream::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            ClientStream::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            ClientStream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            ClientStream::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
