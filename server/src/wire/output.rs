//! What is written to the client: messages are collected and sent in large pieces.

use std::io;

use bytes::{BufMut, BytesMut};
use pg::encoding::Encoding;
use pgwire::messages::PgWireBackendMessage;
use tokio::io::{AsyncWriteExt, WriteHalf};

use crate::wire::codec::{HEADER_BYTES, LENGTH_BYTES};
use crate::wire::encoding;
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
    /// What the client's strings are in.
    pub encoding: Encoding,
    socket: WriteHalf<ClientStream>,
}

impl Output {
    /// Writes to this socket.
    pub fn new(socket: WriteHalf<ClientStream>) -> Self {
        Output { buffer: BytesMut::with_capacity(BUFFER_BYTES), complete: 0, encoding: Encoding::UTF8, socket }
    }

    /// Adds a message.
    pub fn message(&mut self, message: PgWireBackendMessage) -> io::Result<()> {
        self.discard_incomplete();
        let encoded = message.encode(&mut self.buffer);
        encoded.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        if !self.encoding.is_plain() {
            self.convert_last().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.message))?;
        }
        self.complete = self.buffer.len();
        Ok(())
    }

    /// The message that was added gets the strings of the client's encoding.
    fn convert_last(&mut self) -> pg::error::Result<()> {
        let message = self.buffer.split_off(self.complete);
        let body = message.get(HEADER_BYTES..).unwrap_or_default();
        let body = encoding::outgoing(message[0], body, self.encoding)?;
        self.buffer.put_u8(message[0]);
        self.buffer.put_u32((LENGTH_BYTES + body.len()) as u32);
        self.buffer.put_slice(&body);
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
