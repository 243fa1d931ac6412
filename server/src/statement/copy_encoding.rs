//! COPY's text in another encoding than the server's, turned into UTF-8 line by line.

use pg::PgError;
use pg::encoding::Encoding;

/// Converts text that comes in pieces, whose characters may be torn. No encoding has the end of a line within a character,
/// so lines are whole.
#[derive(Debug)]
pub struct LineConverter {
    encoding: Encoding,
    /// The beginning of a line.
    held: Vec<u8>,
    /// Lines that have been converted.
    lines: u64,
    /// The first line that is no text in the encoding, and why; nothing behind it is converted.
    pub failed: Option<(u64, PgError)>,
}

impl LineConverter {
    /// A converter, if one is needed.
    pub fn of(encoding: Encoding) -> Option<Self> {
        (!encoding.is_plain()).then_some(LineConverter { encoding, held: Vec::new(), lines: 0, failed: None })
    }

    /// Bytes of a line that has not ended.
    pub fn held_bytes(&self) -> usize {
        self.held.len()
    }

    /// The lines that end in what has come.
    pub fn convert(&mut self, data: &[u8]) -> String {
        let Some(last) = memchr::memrchr2(b'\n', b'\r', data) else {
            self.held.extend_from_slice(data);
            return String::new();
        };
        let (lines, rest) = data.split_at(last + 1);
        self.held.extend_from_slice(lines);
        let complete = std::mem::replace(&mut self.held, rest.to_vec());
        self.text(&complete)
    }

    /// What is left when there is no more.
    pub fn finish(&mut self) -> String {
        let rest = std::mem::take(&mut self.held);
        self.text(&rest)
    }

    fn text(&mut self, bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len());
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.failed.is_some() {
                break;
            }
            match self.encoding.decode(line) {
                Ok(line) => text.push_str(&line),
                Err(error) => self.failed = Some((self.lines + 1, error)),
            }
            self.lines += 1;
        }
        text
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn characters_may_be_torn() {
        let sjis = Encoding::named("SJIS").unwrap();
        // The second byte of the first character is a backslash.
        let bytes = b"\x83\x5c\x09a\n\x83\x61\n\x83\x61";
        for torn in 0..bytes.len() {
            let mut converter = LineConverter::of(sjis).unwrap();
            let mut text = converter.convert(&bytes[..torn]);
            text += &converter.convert(&bytes[torn..]);
            text += &converter.finish();
            assert_eq!(text, "ソ\ta\nヂ\nヂ");
        }
        let mut converter = LineConverter::of(sjis).unwrap();
        assert_eq!(converter.convert(b"a\n\x83\nb\n"), "a\n");
        assert_eq!(converter.failed.unwrap().0, 2);
        assert!(LineConverter::of(Encoding::UTF8).is_none());
    }
}
