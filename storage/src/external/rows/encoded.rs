//! Text in other encodings as UTF-8.

use std::io::{self, Read};

use catalog::TextEncoding;

/// Bytes that are decoded at once.
const CHUNK_BYTES: usize = 64 * 1024;
/// What stands for something that is no character: no byte of UTF-8 either, so that the line that it is in is bad.
const NO_CHARACTER: u8 = 0xff;
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The text of a file as UTF-8, without a byte order mark where it had to be decoded.
pub(super) fn decoded(encoding: TextEncoding, input: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
    match encoding {
        TextEncoding::Utf8 => input,
        _ => Box::new(Decoded { encoding, input, raw: Vec::new(), text: Vec::new(), taken: 0, is_begun: false }),
    }
}

struct Decoded {
    encoding: TextEncoding,
    input: Box<dyn Read + Send>,
    /// What has been read and not decoded: the beginning of a character.
    raw: Vec<u8>,
    text: Vec<u8>,
    /// Bytes of the text that have been taken.
    taken: usize,
    is_begun: bool,
}

impl Decoded {
    /// Decodes on; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        self.text.clear();
        self.taken = 0;
        while self.text.is_empty() {
            let read = self.input.by_ref().take(CHUNK_BYTES as u64).read_to_end(&mut self.raw)?;
            if read == 0 && self.raw.is_empty() {
                return Ok(false);
            }
            if !self.is_begun && self.encoding == TextEncoding::Utf16 {
                self.encoding = match self.raw.get(..2) {
                    Some([0xff, 0xfe]) => TextEncoding::Utf16Le,
                    Some([0xfe, 0xff]) => TextEncoding::Utf16Be,
                    _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "it has no byte order mark of UTF-16")),
                };
            }
            match self.encoding {
                TextEncoding::Latin1 => self.latin1(),
                TextEncoding::Utf16Be => self.utf16(u16::from_be_bytes, read == 0),
                TextEncoding::Utf16Le | TextEncoding::Utf16 | TextEncoding::Utf8 => {
                    self.utf16(u16::from_le_bytes, read == 0);
                }
            }
        }
        Ok(true)
    }

    fn latin1(&mut self) {
        self.is_begun = true;
        let text = self.raw.drain(..).map(char::from).collect::<String>();
        self.text = text.into_bytes();
    }

    /// Decodes what is whole, or at the end all.
    fn utf16(&mut self, unit: fn([u8; 2]) -> u16, is_end: bool) {
        let units: Vec<u16> = self.raw.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        // The second half of a character may be among what comes next.
        let is_half = units.last().is_some_and(|last| (0xd800..0xdc00).contains(last));
        let whole = if is_half && !is_end { units.len() - 1 } else { units.len() };
        let mut buffer = [0; 4];
        for character in char::decode_utf16(units[..whole].iter().copied()) {
            match character {
                Ok(BYTE_ORDER_MARK) if !self.is_begun => {}
                Ok(character) => self.text.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes()),
                Err(_) => self.text.push(NO_CHARACTER),
            }
            self.is_begun = true;
        }
        self.raw.drain(..whole * 2);
        if is_end && !self.raw.is_empty() {
            self.raw.clear();
            self.text.push(NO_CHARACTER);
        }
    }
}

impl Read for Decoded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.text.len() && !self.fill()? {
            return Ok(0);
        }
        let length = buffer.len().min(self.text.len() - self.taken);
        buffer[..length].copy_from_slice(&self.text[self.taken..self.taken + length]);
        self.taken += length;
        Ok(length)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn check(encoding: TextEncoding, bytes: Vec<u8>, expected: &[u8]) {
        let mut text = Vec::new();
        decoded(encoding, Box::new(Cursor::new(bytes))).read_to_end(&mut text).unwrap();
        assert!(text == expected, "{encoding:?} {} {}", text.len(), expected.len());
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn texts_are_decoded_with_and_without_a_mark() {
        let text = "a,é\n😀";
        check(TextEncoding::Latin1, b"a\xe9\xff".to_vec(), "aéÿ".as_bytes());
        check(TextEncoding::Utf16Le, utf16(text, u16::to_le_bytes), text.as_bytes());
        check(TextEncoding::Utf16Be, utf16(text, u16::to_be_bytes), text.as_bytes());
        let marked = format!("\u{feff}{text}");
        check(TextEncoding::Utf16, utf16(&marked, u16::to_be_bytes), text.as_bytes());
        check(TextEncoding::Utf16, utf16(&marked, u16::to_le_bytes), text.as_bytes());
        check(TextEncoding::Utf16Le, utf16(&marked, u16::to_le_bytes), text.as_bytes());
        check(TextEncoding::Utf16Le, Vec::new(), b"");
        let unmarked =
            decoded(TextEncoding::Utf16, Box::new(Cursor::new(b"a\0".to_vec()))).read_to_end(&mut Vec::new());
        assert_eq!(unmarked.unwrap_err().to_string(), "it has no byte order mark of UTF-16");
    }

    #[test]
    fn a_character_may_be_divided_between_chunks() {
        let text = format!("a{}", "😀".repeat(CHUNK_BYTES));
        check(TextEncoding::Utf16Le, utf16(&text, u16::to_le_bytes), text.as_bytes());
    }

    #[test]
    fn what_is_no_character_is_no_text() {
        check(TextEncoding::Utf16Le, b"a\0\x00\xd8b\0".to_vec(), b"a\xffb");
        check(TextEncoding::Utf16Le, b"a\0b".to_vec(), b"a\xff");
        check(TextEncoding::Utf16Le, b"a\0\x00\xd8".to_vec(), b"a\xff");
    }
}
