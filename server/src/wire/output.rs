//! What is written to the client: messages are collected and sent in large pieces.

use std::io;

use bytes::BytesMut;
use pgwire::messages::PgWireBackendMessage;
use tokio::io::{AsyncWriteExt, WriteHalf};

use crate::wire::stream::ClientStream;

/// What is collected before it is sent. Memory for a result is this and one slice of rows.
const BUFFER_BYTES: usize = 64 * 1024;
/// A buffer that a wide row has made larger than this is given back.
const BUFFER_BYTES_KEPT_MAX: usize = 1024 * 1024;

/// Writes messages to the client.
#[derive(Debug)]
pub struct Output {
    buffer: BytesMut,
    /// Where the last complete message ends.
    complete: usize,
    socket: WriteHalf<ClientStream>,
}

impl Output {
    /// Writes to this socket.
    pub fn new(socket: WriteHalf<ClientStream>) -> Self {
        Output { buffer: BytesMut::with_capacity(BUFFER_BYTES), complete: 0, socket }
    }

    /// Adds a message.
    pub fn message(&mut self, message: PgWireBackendMessage) -> io::Result<()> {
        self.discard_incomplete();
        let encoded = message.encode(&mut self.buffer);
        encoded.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        self.complete = self.buffer.len();
        Ok(())
    }

    /// Adds what `write` writes: complete messages, or nothing when it fails.
    ///
    /// # Errors
    /// What `write` answers.
    pub fn write<E>(&mut self, write: impl FnOnce(&mut BytesMut) -> Result<(), E>) -> Result<(), E> {
        self.discard_incomplete();
        write(&mut self.buffer)?;
        self.complete = self.buffer.len();
        Ok(())
    }

    /// Sends what has been collected if it is enough to be worth it. Waits until the client takes it.
    ///
    /// # Errors
    /// The connection breaks.
    pub async fn flush_if_full(&mut self) -> io::Result<()> {
        if self.buffer.len() >= BUFFER_BYTES { self.flush().await } else { Ok(()) }
    }

    /// Sends what has been collected.
    ///
    /// # Errors
    /// The connection breaks.
    pub async fn flush(&mut self) -> io::Result<()> {
        self.discard_incomplete();
        self.socket.write_all(&self.buffer).await?;
        // TLS collects what is written.
        self.socket.flush().await?;
        self.complete = 0;
        if self.buffer.capacity() > BUFFER_BYTES_KEPT_MAX {
            self.buffer = BytesMut::with_capacity(BUFFER_BYTES);
        } else {
            self.buffer.clear();
        }
        Ok(())
    }

    /// Sends what has been collected, and says that this is the end.
    ///
    /// # Errors
    /// The connection breaks.
    pub async fn finish(&mut self) -> io::Result<()> {
        self.flush().await?;
        self.socket.shutdown().await
    }

    /// A write that failed, or panicked, has left a part of a message behind.
    fn discard_incomplete(&mut self) {
        self.buffer.truncate(self.complete);
    }
}
