//! Lines of fields: CSV and its kin, as Hive, Redshift and most programs write them.
//!
//! A line ends at a newline, a carriage return, or both. In quotes, which begin with a field, delimiters and line ends are
//! part of it, and two quotes are one. Behind an escape a character means nothing but itself. A byte order mark at the
//! file's beginning is none of it.

use std::io::Read;
use std::ops::Range;

use catalog::Delimited;

use super::RowError;
use super::lines::BYTE_ORDER_MARK;

/// Bytes read at once.
const READ_BYTES: usize = 256 * 1024;
/// Longest line.
const LINE_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Reads lines.
pub(super) struct FieldReader {
    input: Box<dyn Read + Send>,
    format: Delimited,
    /// What is not part of a field as it stands, outside quotes.
    is_special: [bool; 256],
    buffer: Vec<u8>,
    /// Where the next line begins.
    begin: usize,
    has_ended: bool,
    /// The number of the next line, from 1.
    line: u64,
    /// Line ends that have been found within the line's quotes.
    line_ends: u64,
    current: Line,
}

/// A line that has been read.
#[derive(Default)]
struct Line {
    number: u64,
    /// Where it is in the buffer, with its end.
    range: Range<usize>,
    is_text: bool,
    fields: Vec<Field>,
    /// Fields that do not stand in the buffer as they are.
    text: Vec<u8>,
}

#[derive(Clone)]
struct Field {
    range: Range<usize>,
    /// It is in `text`, not in the buffer.
    is_apart: bool,
    is_quoted: bool,
}

/// How the attempt to read a line ended.
enum Attempt {
    /// The next one begins here.
    Read(usize),
    /// Its end is not in the buffer.
    Incomplete,
}

impl FieldReader {
    /// Reads what `input` holds.
    pub(super) fn new(format: Delimited, input: Box<dyn Read + Send>) -> Self {
        let mut is_special = [false; 256];
        for byte in [Some(format.delimiter), Some(b'\n'), Some(b'\r'), format.escape].into_iter().flatten() {
            is_special[usize::from(byte)] = true;
        }
        FieldReader {
            input,
            format,
            is_special,
            buffer: Vec::new(),
            begin: 0,
            has_ended: false,
            line: 1,
            line_ends: 0,
            current: Line::default(),
        }
    }

    /// Reads the next line; false at the end.
    ///
    /// # Errors
    /// The file cannot be read, or the line is none. Behind a bad line the next call goes on.
    pub(super) fn next(&mut self) -> Result<bool, RowError> {
        while self.line <= u64::from(self.format.header_lines) {
            if !self.skip_line()? {
                return Ok(false);
            }
        }
        loop {
            if self.begin == self.buffer.len() && !self.fill()? {
                return Ok(false);
            }
            self.line_ends = 0;
            match self.attempt() {
                Attempt::Read(end) => {
                    self.current.range = self.begin..end;
                    self.current.is_text = std::str::from_utf8(self.raw()).is_ok();
                    self.current.number = self.line;
                    self.line += 1 + self.line_ends;
                    self.begin = end;
                    return Ok(true);
                }
                Attempt::Incomplete if self.has_ended => {
                    let (number, begin) = (self.line, self.begin);
                    self.skip_line()?;
                    self.current.range = begin..self.begin;
                    self.current.number = number;
                    return Err(RowError::bad(number, "a field in quotes has no end"));
                }
                Attempt::Incomplete if self.buffer.len() - self.begin > LINE_BYTES_MAX => {
                    return Err(RowError::TooLong { line: self.line, bytes_max: LINE_BYTES_MAX });
                }
                Attempt::Incomplete => drop(self.fill()?),
            }
        }
    }

    /// The number of the line that was read, or of the one that is to be read next.
    pub(super) fn line(&self) -> u64 {
        self.current.number
    }

    /// How many have been read, those of the header included.
    pub(super) fn lines(&self) -> u64 {
        self.line - 1
    }

    /// The line as it stands in the file, with its end.
    pub(super) fn raw(&self) -> &[u8] {
        &self.buffer[self.current.range.clone()]
    }

    /// Whether it is UTF-8.
    pub(super) fn is_text(&self) -> bool {
        self.current.is_text
    }

    /// How many fields it has.
    pub(super) fn width(&self) -> usize {
        self.current.fields.len()
    }

    /// A field of the line; none when it is NULL, or not there.
    pub(super) fn field(&self, number: usize) -> Option<&[u8]> {
        let field = self.current.fields.get(number)?;
        let bytes = if field.is_apart { &self.current.text } else { &self.buffer };
        let field_bytes = &bytes[field.range.clone()];
        let is_null = field_bytes == self.format.null.as_bytes() || self.format.empty_is_null && field_bytes.is_empty();
        (field.is_quoted || !is_null).then_some(field_bytes)
    }

    /// Reads on; false when there is nothing more.
    fn fill(&mut self) -> Result<bool, RowError> {
        if self.has_ended {
            return Ok(false);
        }
        let is_beginning = self.line == 1 && self.begin == 0 && self.buffer.is_empty();
        self.buffer.drain(..self.begin);
        self.begin = 0;
        // As much again as there is: a long line is looked at a few times only.
        let wanted = READ_BYTES.max(self.buffer.len());
        let read = self.input.by_ref().take(wanted as u64).read_to_end(&mut self.buffer).map_err(RowError::Read)?;
        self.has_ended = read < wanted;
        if is_beginning && self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.begin = BYTE_ORDER_MARK.len();
        }
        Ok(self.begin < self.buffer.len())
    }

    /// Goes over a line, whatever is in it; false when there is none.
    fn skip_line(&mut self) -> Result<bool, RowError> {
        loop {
            let rest = &self.buffer[self.begin..];
            if let Some(at) = memchr::memchr2(b'\n', b'\r', rest)
                && let Some(end) = self.line_end(self.begin + at)
            {
                self.begin = end;
                self.line += 1;
                return Ok(true);
            }
            if self.buffer.len() - self.begin > LINE_BYTES_MAX {
                return Err(RowError::TooLong { line: self.line, bytes_max: LINE_BYTES_MAX });
            }
            if self.has_ended || !self.fill()? {
                let is_line = self.begin < self.buffer.len();
                self.begin = self.buffer.len();
                self.line += u64::from(is_line);
                return Ok(is_line);
            }
        }
    }

    /// Where the line begins that follows the line end at `at`; unknown when the next byte decides and is not there.
    fn line_end(&self, at: usize) -> Option<usize> {
        if self.buffer[at] == b'\n' {
            return Some(at + 1);
        }
        match self.buffer.get(at + 1) {
            Some(b'\n') => Some(at + 2),
            Some(_) => Some(at + 1),
            None => self.has_ended.then_some(at + 1),
        }
    }

    fn attempt(&mut self) -> Attempt {
        self.current.fields.clear();
        self.current.text.clear();
        let mut at = self.begin;
        loop {
            let is_quoted = self.format.quote.is_some() && self.buffer.get(at).copied() == self.format.quote;
            let Some(end) = (if is_quoted { self.quoted(at) } else { self.plain(at) }) else {
                return Attempt::Incomplete;
            };
            match self.buffer.get(end) {
                Some(byte) if *byte == self.format.delimiter => at = end + 1,
                Some(_) => return self.line_end(end).map_or(Attempt::Incomplete, Attempt::Read),
                None if self.has_ended => return Attempt::Read(end),
                None => return Attempt::Incomplete,
            }
        }
    }

    /// Reads the field that begins here, and says where it ends.
    fn plain(&mut self, begin: usize) -> Option<usize> {
        let end = self.next_special(begin);
        if self.format.escape.is_none() || self.buffer.get(end).copied() != self.format.escape {
            self.current.fields.push(Field { range: begin..end, is_apart: false, is_quoted: false });
            return Some(end);
        }
        let start = self.current.text.len();
        let end = self.rest(begin)?;
        // What stands for NULL may have the escape in it: `\N`.
        let is_null = self.buffer[begin..end] == *self.format.null.as_bytes();
        let apart = Field { range: start..self.current.text.len(), is_apart: true, is_quoted: true };
        let field = if is_null { Field { range: begin..end, is_apart: false, is_quoted: false } } else { apart };
        self.current.fields.push(field);
        Some(end)
    }

    /// The same for one that begins with a quote.
    fn quoted(&mut self, begin: usize) -> Option<usize> {
        let quote = self.format.quote?;
        let escape = self.format.escape.filter(|escape| *escape != quote);
        let start = self.current.text.len();
        let mut at = begin + 1;
        loop {
            let rest = &self.buffer[at..];
            let found = memchr::memchr2(quote, escape.unwrap_or(quote), rest)?;
            self.line_ends += line_ends(&rest[..found]);
            self.current.text.extend_from_slice(&rest[..found]);
            let byte = rest[found];
            at += found + 1;
            let next = self.buffer.get(at).copied();
            if next.is_none() && !self.has_ended {
                return None;
            }
            if Some(byte) == escape || next == Some(quote) {
                self.current.text.extend(next);
                at += usize::from(next.is_some());
                continue;
            }
            // What follows the quotes belongs to the field.
            let end = self.rest(at)?;
            self.current.fields.push(Field { range: start..self.current.text.len(), is_apart: true, is_quoted: true });
            return Some(end);
        }
    }

    /// Adds to the text what is left of a field, and says where that ends.
    fn rest(&mut self, begin: usize) -> Option<usize> {
        let mut at = begin;
        loop {
            let end = self.next_special(at);
            self.current.text.extend_from_slice(&self.buffer[at..end]);
            if self.format.escape.is_none() || self.buffer.get(end).copied() != self.format.escape {
                return Some(end);
            }
            match self.buffer.get(end + 1) {
                Some(byte) => self.current.text.push(*byte),
                None if self.has_ended => return Some(end + 1),
                None => return None,
            }
            at = end + 2;
        }
    }

    fn next_special(&self, at: usize) -> usize {
        let found = self.buffer[at..].iter().position(|byte| self.is_special[usize::from(*byte)]);
        found.map_or(self.buffer.len(), |found| at + found)
    }
}

/// How many lines end here; of a carriage return and a newline, the newline counts.
fn line_ends(bytes: &[u8]) -> u64 {
    let newlines = memchr::memchr_iter(b'\n', bytes).count();
    let lone = memchr::memchr_iter(b'\r', bytes).filter(|at| bytes.get(at + 1) != Some(&b'\n')).count();
    (newlines + lone) as u64
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Cursor;

    use catalog::WidthRule;

    use super::*;

    /// Gives a few bytes at a time.
    struct Slowly(Cursor<Vec<u8>>);

    impl Read for Slowly {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = buffer.len().min(3);
            self.0.read(&mut buffer[..length])
        }
    }

    fn csv() -> Delimited {
        Delimited {
            delimiter: b',',
            quote: Some(b'"'),
            escape: Some(b'\\'),
            null: String::new(),
            empty_is_null: false,
            skips_blank_lines: false,
            header_lines: 0,
            named_by_header: false,
            width: WidthRule::SetToNull,
        }
    }

    fn plain() -> Delimited {
        Delimited { delimiter: b'|', quote: None, escape: None, null: "\\N".to_owned(), ..csv() }
    }

    /// Every line with its number, its fields between `,` and NULL as `~`; what is wrong with one in its place.
    fn read(format: Delimited, text: &[u8]) -> Vec<String> {
        let mut reader = FieldReader::new(format, Box::new(Slowly(Cursor::new(text.to_vec()))));
        let mut lines = Vec::new();
        loop {
            match reader.next() {
                Ok(false) => return lines,
                Ok(true) => {
                    let field = |number| String::from_utf8_lossy(reader.field(number).unwrap_or(b"~"));
                    let fields = (0..reader.width()).map(field).collect::<Vec<_>>();
                    let what = if reader.is_text() { "" } else { " no text" };
                    lines.push(format!("{}{what}: {}", reader.line(), fields.join(",")));
                }
                Err(error) => lines.push(format!("{error:?}")),
            }
        }
    }

    #[test]
    fn fields_are_between_delimiters_and_lines_end_in_every_way() {
        assert_eq!(read(plain(), b"a|b\nc|\r\n|d\r\\N|e"), ["1: a,b", "2: c,", "3: ,d", "4: ~,e"]);
        assert_eq!(read(plain(), b"a|\"b|c\n\n\nd\\|e"), ["1: a,\"b,c", "2: ", "3: ", "4: d\\,e"]);
    }

    #[test]
    fn quotes_keep_what_is_in_them() {
        assert_eq!(read(csv(), b"\"a,b\",\"c\nd\"\r\nx,y"), ["1: a,b,c\nd", "3: x,y"]);
        assert_eq!(read(csv(), b"\"a\"\"b\",\"c\\\"d\",e\\,f"), ["1: a\"b,c\"d,e,f"]);
        assert_eq!(read(csv(), b"\"\",,a\"b,\"c\"d"), ["1: ,~,a\"b,cd"]);
        let own_escape = Delimited { escape: Some(b'"'), ..csv() };
        assert_eq!(read(own_escape, b"\"a\"\"b\\\",c"), ["1: a\"b\\,c"]);
    }

    #[test]
    fn an_escape_takes_the_meaning_from_what_follows() {
        let escaped = Delimited { escape: Some(b'\\'), ..plain() };
        assert_eq!(read(escaped, b"a\\|b|\\N|\\\\N\nc\\\nd|e"), ["1: a|b,~,\\N", "2: c\nd,e"]);
    }

    #[test]
    fn a_header_and_a_byte_order_mark_are_no_data() {
        let headed = Delimited { header_lines: 2, ..csv() };
        assert_eq!(read(headed.clone(), b"\xef\xbb\xbfa,b\n\"x\n1,2\n"), ["3: 1,2"]);
        assert_eq!(read(headed, b"a,b"), Vec::<String>::new());
        assert_eq!(read(csv(), b"\xef\xbb\xbf\"a\",b\n"), ["1: a,b"]);
    }

    #[test]
    fn a_bad_line_does_not_take_the_others_away() {
        let bad = read(csv(), b"a,b\n\xff,c\nd,\"e\nf,g\nh");
        assert_eq!(bad[0], "1: a,b");
        assert_eq!(bad[1], "2 no text: \u{fffd},c");
        assert!(bad[2].contains("line: 3") && bad[2].contains("quotes"), "{bad:?}");
        assert_eq!(bad[3..], ["4: f,g", "5: h"]);
    }
}
