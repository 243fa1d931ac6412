//! Messages of clients that have another encoding than the server (`client_encoding`): their strings, one by one.
//!
//! The values of rows and of COPY are written in the client's encoding at once ([`rows`](super::rows),
//! [`copy_out`](super::copy_out)); parameters in binary are read in it ([`parameters`](super::parameters)).

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};
use pg::PgError;
use pg::encoding::Encoding;
use pg::error::Result;

/// The body of a frontend message that [`layout`](super::layout) has found complete, in UTF-8.
///
/// # Errors
/// A string is none in the encoding.
pub fn incoming(kind: u8, body: &[u8], encoding: Encoding) -> Result<Vec<u8>> {
    let convert = |bytes: &[u8]| Ok(encoding.decode(bytes)?.into_owned().into_bytes());
    let mut body = Rewriter { rest: body, out: Vec::with_capacity(body.len()), convert: &convert };
    match kind {
        b'Q' | b'f' | b'E' => body.strings(1)?,
        b'P' => body.strings(2)?,
        b'B' => {
            body.strings(2)?;
            body.parameters()?;
        }
        b'D' | b'C' => {
            body.keep(1)?;
            body.strings(1)?;
        }
        _ => {}
    }
    Ok(body.finish())
}

/// The body of a backend message for a client of this encoding; what that has not becomes a question mark.
pub fn outgoing(kind: u8, body: &[u8], encoding: Encoding) -> Result<Vec<u8>> {
    let convert = |bytes: &[u8]| Ok(encoding.encode_lossy(&String::from_utf8_lossy(bytes)).into_owned());
    let mut body = Rewriter { rest: body, out: Vec::with_capacity(body.len()), convert: &convert };
    match kind {
        b'S' => body.strings(2)?,
        b'A' => {
            body.keep(size_of::<i32>())?;
            body.strings(2)?;
        }
        b'E' | b'N' => {
            while body.rest.first().is_some_and(|code| *code != 0) {
                body.keep(1)?;
                body.strings(1)?;
            }
        }
        b'T' => {
            for _ in 0..body.count()? {
                body.strings(1)?;
                body.keep(COLUMN_BYTES)?;
            }
        }
        _ => {}
    }
    Ok(body.finish())
}

/// Bytes of what RowDescription says of a column behind its name.
const COLUMN_BYTES: usize = 18;
/// The format code of a value in binary.
const BINARY: i16 = 1;

/// Writes a body anew, with other strings.
struct Rewriter<'a> {
    rest: &'a [u8],
    out: Vec<u8>,
    convert: &'a dyn Fn(&[u8]) -> Result<Vec<u8>>,
}

impl Rewriter<'_> {
    fn keep(&mut self, count: usize) -> Result<&[u8]> {
        let (kept, rest) = self.rest.split_at_checked(count).ok_or_else(incomplete)?;
        self.rest = rest;
        self.out.extend_from_slice(kept);
        Ok(kept)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.keep(N)?.try_into().map_err(|_| incomplete())
    }

    fn count(&mut self) -> Result<u16> {
        self.number().map(u16::from_be_bytes)
    }

    /// Strings, each up to its NUL.
    fn strings(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            let end = memchr::memchr(0, self.rest).ok_or_else(incomplete)?;
            let converted = (self.convert)(&self.rest[..end])?;
            self.out.extend_from_slice(&converted);
            self.rest = &self.rest[end..];
            self.keep(1)?;
        }
        Ok(())
    }

    /// The formats and values of Bind; those in binary stay as they are.
    fn parameters(&mut self) -> Result<()> {
        let mut formats = Vec::new();
        for _ in 0..self.count()? {
            formats.push(self.number().map(i16::from_be_bytes)?);
        }
        for parameter in 0..usize::from(self.count()?) {
            let format = if formats.len() == 1 { formats.first() } else { formats.get(parameter) };
            let Some((length, rest)) = self.rest.split_first_chunk() else { return Err(incomplete()) };
            // NULL has no bytes.
            let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
                self.keep(size_of::<i32>())?;
                continue;
            };
            if format == Some(&BINARY) {
                self.keep(size_of::<i32>() + length)?;
                continue;
            }
            let (value, rest) = rest.split_at_checked(length).ok_or_else(incomplete)?;
            self.rest = rest;
            let converted = (self.convert)(value)?;
            self.out.put_i32(i32::try_from(converted.len()).map_err(|_| incomplete())?);
            self.out.extend_from_slice(&converted);
        }
        Ok(())
    }

    fn finish(mut self) -> Vec<u8> {
        self.out.extend_from_slice(self.rest);
        self.out
    }
}

fn incomplete() -> PgError {
    PgError::internal("a message that was found complete is not")
}

/// Adds what `write` writes, in UTF-8, for a client of this encoding.
///
/// # Errors
/// Those of `write`, and 22P05 for a character that the encoding has not.
pub fn in_encoding<E: From<PgError>>(
    encoding: Encoding,
    out: &mut BytesMut,
    write: impl FnOnce(&mut BytesMut) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    let begin = out.len();
    write(out)?;
    if encoding.is_plain() || out[begin..].is_ascii() {
        return Ok(());
    }
    let text = out.split_off(begin);
    match encoding.encode(pg::encoding::utf8(&text)?)? {
        Cow::Borrowed(bytes) => out.put_slice(bytes),
        Cow::Owned(bytes) => out.put_slice(&bytes),
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_converted_where_they_are() {
        let latin1 = Encoding::named("LATIN1").unwrap();
        for (kind, latin, utf8) in [
            (b'Q', &b"select '\xe4'\0"[..], "select 'ä'\0".as_bytes()),
            (b'P', b"\xe4\0\xf6\0\0\x01\0\0\0\xe4", b"\xc3\xa4\0\xc3\xb6\0\0\x01\0\0\0\xe4"),
            (b'B', b"\0\0\0\0\0\x01\0\0\0\x01\xe4\0\0", b"\0\0\0\0\0\x01\0\0\0\x02\xc3\xa4\0\0"),
            (b'B', b"\0\0\0\x01\0\x01\0\x01\0\0\0\x01\xe4\0\0", b"\0\0\0\x01\0\x01\0\x01\0\0\0\x01\xe4\0\0"),
            (b'B', b"\0\0\0\0\0\x01\xff\xff\xff\xff\0\0", b"\0\0\0\0\0\x01\xff\xff\xff\xff\0\0"),
            (b'D', b"S\xe4\0", b"S\xc3\xa4\0"),
            (b'd', b"\xe4", b"\xe4"),
        ] {
            assert_eq!(incoming(kind, latin, latin1).unwrap(), utf8, "{}", char::from(kind));
        }
        for (kind, utf8, latin) in [
            (b'E', "Mäh\u{20ac}\0Dö\0\0".as_bytes(), &b"M\xe4h?\0D\xf6\0\0"[..]),
            (b'A', b"\0\0\0\xc3\xc3\xa4\0\0", b"\0\0\0\xc3\xe4\0\0"),
            (
                b'T',
                b"\0\x01\xc3\xa4\0\0\0\0\xc3\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
                b"\0\x01\xe4\0\0\0\0\xc3\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            ),
        ] {
            assert_eq!(outgoing(kind, utf8, latin1).unwrap(), latin, "{}", char::from(kind));
        }
    }
}
