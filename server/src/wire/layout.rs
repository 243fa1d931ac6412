//! Whether a message has the fields that its kind has. pgwire reads fields without looking whether they are there.
//!
//! See "Message Formats" in PostgreSQL's documentation.

/// Length of a parameter's value that stands for NULL.
const NULL_LENGTH: i32 = -1;

/// Whether the body of a frontend message of this kind is complete, and ends where its last field does.
pub fn is_well_formed(kind: u8, body: &[u8]) -> bool {
    let mut fields = Fields(body);
    let read = match kind {
        b'Q' | b'f' => fields.string(),
        b'P' => fields.string().and_then(|()| fields.string()).and_then(|()| fields.list(4)),
        b'B' => fields
            .string()
            .and_then(|()| fields.string())
            .and_then(|()| fields.list(2))
            .and_then(|()| fields.values())
            .and_then(|()| fields.list(2)),
        b'D' | b'C' => fields.bytes(1).and_then(|()| fields.string()),
        b'E' => fields.string().and_then(|()| fields.bytes(4)),
        b'H' | b'S' | b'X' | b'c' => Some(()),
        b'd' => fields.bytes(body.len()),
        _ => None,
    };
    read.is_some() && fields.0.is_empty()
}

/// What has not been read of a body.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn bytes(&mut self, count: usize) -> Option<()> {
        self.0 = self.0.get(count..)?;
        Some(())
    }

    /// Bytes up to a NUL.
    fn string(&mut self) -> Option<()> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        self.bytes(end + 1)
    }

    fn count(&mut self) -> Option<usize> {
        let (count, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(usize::from(u16::from_be_bytes(*count)))
    }

    /// A count, and so many items of `width` bytes.
    fn list(&mut self, width: usize) -> Option<()> {
        let count = self.count()?;
        self.bytes(count * width)
    }

    /// A count, and so many values, each behind its length.
    fn values(&mut self) -> Option<()> {
        for _ in 0..self.count()? {
            let (length, rest) = self.0.split_first_chunk()?;
            self.0 = rest;
            match i32::from_be_bytes(*length) {
                NULL_LENGTH => {}
                length => self.bytes(usize::try_from(length).ok()?)?,
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_messages_are_told_from_others() {
        for (kind, body, expected) in [
            (b'Q', &b"select 1\0"[..], true),
            (b'Q', b"select 1", false),
            (b'Q', b"select 1\0x", false),
            (b'P', b"name\0select $1\0\0\x01\0\0\0\x17", true),
            (b'P', b"name\0select $1\0\0\x02\0\0\0\x17", false),
            (b'B', b"\0\0\0\0\0\x02\xff\xff\xff\xff\0\0\0\x01x\0\0", true),
            (b'B', b"\0\0\0\0\0\x01\xff\xff\xff\xfe\0\0", false),
            (b'B', b"\0\0\0\0\0\x01\0\0\0\x09x\0\0", false),
            (b'D', b"S\0", true),
            (b'D', b"", false),
            (b'E', b"\0\0\0\0\x05", true),
            (b'S', b"", true),
            (b'S', b"\0", false),
            (b'd', b"anything", true),
            (b'!', b"", false),
        ] {
            assert_eq!(is_well_formed(kind, body), expected, "{} {body:?}", char::from(kind));
        }
    }
}
