//! What a client sends: read while it is waited for, and, up to a limit, while a statement runs.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use pg::encoding::Encoding;
use pgwire::messages::PgWireFrontendMessage;
use tokio::io::{AsyncRead, ReadBuf, ReadHalf};
use tokio_util::codec::Decoder;

use crate::error::Error;
use crate::wire::codec::{DecodeFailure, HEADER_BYTES, LENGTH_BYTES, MessageCodec};
use crate::wire::stream::ClientStream;

/// What is read at a time.
const READ_BYTES: usize = 8 * 1024;
/// What is read ahead while a statement runs; the rest waits in the network, and with it the client.
const AHEAD_BYTES_MAX: usize = 1024 * 1024;
/// An empty buffer that a long message has made larger than this is given back.
const BUFFER_BYTES_KEPT_MAX: usize = 64 * 1024;

/// A message, or what is wrong with one of this kind.
pub type Received = Result<PgWireFrontendMessage, (u8, Error)>;

/// What a client sends. It is held twice: by whoever answers its messages, and by whoever looks whether it is still there
/// meanwhile; both belong to one task.
#[derive(Debug, Clone)]
pub struct Incoming(Arc<Mutex<Reader>>);

#[derive(Debug)]
struct Reader {
    socket: ReadHalf<ClientStream>,
    buffer: BytesMut,
    codec: MessageCodec,
    /// Whether there is nothing more to come.
    ended: bool,
    /// Whether a statement takes messages: then nobody else reads.
    taken: bool,
}

impl Incoming {
    /// What comes from here.
    pub fn new(socket: ReadHalf<ClientStream>) -> Self {
        let buffer = BytesMut::with_capacity(READ_BYTES);
        let codec = MessageCodec { encoding: Encoding::UTF8 };
        Incoming(Arc::new(Mutex::new(Reader { socket, buffer, codec, ended: false, taken: false })))
    }

    fn reader(&self) -> MutexGuard<'_, Reader> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the strings of the messages that have not been read are in.
    pub fn set_encoding(&self, encoding: Encoding) {
        self.reader().codec.encoding = encoding;
    }

    /// The next message; nothing when the client has gone. Whoever stops waiting loses nothing.
    ///
    /// # Errors
    /// The connection breaks, or the client the protocol.
    pub async fn next(&self) -> Result<Option<Received>, DecodeFailure> {
        std::future::poll_fn(|cx| self.reader().poll_next(cx)).await
    }

    /// Waits until the client has gone and left nothing that is still to be done.
    pub async fn gone(&self) {
        std::future::poll_fn(|cx| self.reader().poll_gone(cx)).await;
    }

    /// While the answer lives, a statement takes the messages.
    pub fn take(&self) -> Taken {
        self.reader().taken = true;
        Taken(self.clone())
    }
}

/// A statement takes the messages as long as it lives.
#[derive(Debug)]
pub struct Taken(Incoming);

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.reader().taken = false;
    }
}

impl Reader {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Received>, DecodeFailure>> {
        loop {
            if let Some(message) = self.codec.decode(&mut self.buffer)? {
                return Poll::Ready(Ok(Some(message)));
            }
            if self.ended {
                return Poll::Ready(Ok(None));
            }
            if self.buffer.is_empty() && self.buffer.capacity() > BUFFER_BYTES_KEPT_MAX {
                self.buffer = BytesMut::with_capacity(READ_BYTES);
            }
            ready!(self.poll_more(cx))?;
        }
    }

    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while !self.ended {
            if self.taken || self.buffer.len() >= AHEAD_BYTES_MAX {
                return Poll::Pending;
            }
            if ready!(self.poll_more(cx)).is_err() {
                self.ended = true;
                self.buffer.clear();
            }
        }
        // Who has said what is to be done and then left, wants it done.
        if asks_only(&self.buffer) { Poll::Ready(()) } else { Poll::Pending }
    }

    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let begin = self.buffer.len();
        self.buffer.resize(begin + READ_BYTES, 0);
        let mut space = ReadBuf::new(&mut self.buffer[begin..]);
        let polled = Pin::new(&mut self.socket).poll_read(cx, &mut space);
        let read = space.filled().len();
        self.buffer.truncate(begin + read);
        ready!(polled)?;
        self.ended = read == 0;
        Poll::Ready(Ok(()))
    }
}

/// Whether all of these messages only ask for answers, or are not complete.
fn asks_only(mut bytes: &[u8]) -> bool {
    // Sync, which drivers send behind each statement, Flush, Describe, Close.
    const ASKING: &[u8] = b"SHDC";
    while let Some((header, _)) = bytes.split_first_chunk::<HEADER_BYTES>() {
        let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]) as usize;
        match bytes.get(1 + length..) {
            None => return true,
            Some(rest) if ASKING.contains(&header[0]) && length >= LENGTH_BYTES => bytes = rest,
            Some(_) => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_only_asked_wants_nothing_done() {
        for (bytes, expected) in [
            (&b""[..], true),
            (b"S\0\0\0\x04", true),
            (b"D\0\0\0\x06P\0H\0\0\0\x04S\0\0\0\x04", true),
            (b"S\0\0\0\x04Q\0\0\0\x09se", true),
            (b"S\0\0\0\x04X\0\0\0\x04", false),
            (b"Q\0\0\0\x05\0", false),
            (b"S\0\0\0\0", false),
        ] {
            assert_eq!(asks_only(bytes), expected, "{bytes:?}");
        }
    }
}
