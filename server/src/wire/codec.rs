//! Frames messages and hands them to pgwire to read.
//!
//! pgwire reads a message's fields without checking that they are there, so it is given exactly one complete message, and
//! only when [`layout`] has found all of its fields. Should it panic all the same, that is the message's fault.

use std::panic::catch_unwind;

use bytes::{Buf, BufMut, BytesMut};
use pg::encoding::Encoding;
use pgwire::messages::{DecodeContext, PgWireFrontendMessage, ProtocolVersion};
use tokio_util::codec::Decoder;

use crate::error::Error;
use crate::wire::{encoding, layout};

/// Type byte and length.
pub(super) const HEADER_BYTES: usize = 5;
/// The length counts itself.
pub(super) const LENGTH_BYTES: usize = 4;
/// Longest message, as in PostgreSQL (`PQ_LARGE_MESSAGE_LIMIT`) for those that carry statements, values or data …
const MESSAGE_BYTES_MAX: usize = 0x3fff_ffff;
/// … and for all others (`PQ_SMALL_MESSAGE_LIMIT`).
const SMALL_MESSAGE_BYTES_MAX: usize = 10_000;

/// Reads the messages of a client that has been let in.
#[derive(Debug)]
pub struct MessageCodec {
    /// What its strings are in.
    pub encoding: Encoding,
}

/// Why no message can be read any more.
#[derive(Debug)]
pub enum DecodeFailure {
    /// The client broke the protocol; where the next message begins is unknown.
    Broken(Error),
    /// The connection broke.
    Io(std::io::Error),
}

impl From<std::io::Error> for DecodeFailure {
    fn from(error: std::io::Error) -> Self {
        DecodeFailure::Io(error)
    }
}

impl Decoder for MessageCodec {
    /// A message, or what is wrong with one of this kind.
    type Item = Result<PgWireFrontendMessage, (u8, Error)>;
    type Error = DecodeFailure;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Self::Item>, DecodeFailure> {
        let Some((header, _)) = buffer.split_first_chunk::<HEADER_BYTES>() else { return Ok(None) };
        let kind = header[0];
        let length = i32::from_be_bytes([header[1], header[2], header[3], header[4]]);
        let length = usize::try_from(length).ok().filter(|length| (LENGTH_BYTES..=length_max(kind)).contains(length));
        let Some(length) = length else {
            return Err(DecodeFailure::Broken(protocol("invalid message length")));
        };
        if buffer.len() < 1 + length {
            // What has arrived is what is stored: nothing is reserved for a length that is only claimed.
            return Ok(None);
        }
        let frame = buffer.split_to(1 + length);
        Ok(Some(read(kind, frame, self.encoding).map_err(|error| (kind, error))))
    }
}

fn length_max(kind: u8) -> usize {
    match kind {
        b'Q' | b'P' | b'B' | b'd' | b'F' | b'p' => MESSAGE_BYTES_MAX,
        _ => SMALL_MESSAGE_BYTES_MAX,
    }
}

fn read(kind: u8, mut frame: BytesMut, encoding: Encoding) -> Result<PgWireFrontendMessage, Error> {
    if !layout::is_well_formed(kind, &frame[HEADER_BYTES..]) {
        return Err(protocol("invalid message format"));
    }
    if !encoding.is_plain() && !frame[HEADER_BYTES..].is_ascii() {
        let body = encoding::incoming(kind, &frame[HEADER_BYTES..], encoding)?;
        frame.truncate(1);
        frame.put_i32(i32::try_from(LENGTH_BYTES + body.len()).map_err(|_| protocol("invalid message length"))?);
        frame.put_slice(&body);
    }
    if matches!(kind, b'Q' | b'P') && !texts_are_utf8(kind, &frame[HEADER_BYTES..]) {
        return Err(Error::InvalidEncoding);
    }
    let decoded = catch_unwind(move || {
        let mut context = DecodeContext::new(ProtocolVersion::PROTOCOL3_0);
        context.awaiting_frontend_ssl = false;
        context.awaiting_frontend_startup = false;
        PgWireFrontendMessage::decode(&mut frame, &context).map(|message| (message, frame.remaining()))
    });
    match decoded {
        Ok(Ok((Some(message), 0))) => Ok(message),
        Ok(Ok(_)) | Err(_) => Err(protocol("invalid message format")),
        Ok(Err(error)) => Err(protocol(&format!("invalid message: {error}"))),
    }
}

/// Whether the strings of a Query or Parse message are UTF-8; pgwire would replace what is not.
fn texts_are_utf8(kind: u8, body: &[u8]) -> bool {
    let texts = if kind == b'Q' { 1 } else { 2 };
    body.split(|byte| *byte == 0).take(texts).all(|text| std::str::from_utf8(text).is_ok())
}

fn protocol(message: &str) -> Error {
    Error::Protocol { message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> String {
        match (MessageCodec { encoding: Encoding::UTF8 }).decode(&mut BytesMut::from(bytes)) {
            Ok(None) => "more".into(),
            Ok(Some(Ok(message))) => format!("{message:?}"),
            Ok(Some(Err((_, error)))) => error.report().sqlstate.code().to_owned(),
            Err(DecodeFailure::Broken(error)) => format!("broken {}", error.report().sqlstate.code()),
            Err(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn messages_are_read_whole_or_not_at_all() {
        assert_eq!(decode(b"Q"), "more");
        assert_eq!(decode(b"Q\0\0\0\x0dselect"), "more");
        assert!(decode(b"Q\0\0\0\x0dselect 1\0").contains("select 1"));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for (bytes, expected) in [
            (&b"Q\0\0\0\0"[..], "broken 08P01"),
            (b"Q\xff\xff\xff\xff", "broken 08P01"),
            (b"S\0\x10\0\0", "broken 08P01"),
            (b"B\0\0\0\x04", "08P01"),
            (b"B\0\0\0\x08\0\0\xff\xff", "08P01"),
            (b"!\0\0\0\x04", "08P01"),
            (b"Q\0\0\0\x07\xff\xfe\0", "22021"),
        ] {
            assert_eq!(decode(bytes), expected, "{bytes:?}");
        }
    }
}
