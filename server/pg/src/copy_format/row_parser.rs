//! Text and CSV, as COPY … FROM reads them (copyfromparse.c): bytes in, rows of fields out.
//!
//! The data arrives in pieces that end anywhere. A row is parsed when its last byte is there; what has been scanned is not
//! scanned again.

use std::ops::Range;

use memchr::{memchr, memchr_iter, memchr2, memchr3};

use super::{CONSUMED_BYTES_MAX, CopyError, CopyFormat, CopyOptions, Header, ROW_BYTES_MAX};

/// How lines end; the first one decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    Newline,
    CarriageReturn,
    Both,
}

/// Reads rows.
#[derive(Debug)]
pub struct RowParser {
    options: CopyOptions,
    buffer: Vec<u8>,
    /// Where the row that is being read begins.
    begin: usize,
    scan: Scan,
    line_end: Option<LineEnd>,
    /// The last line that was read, from 1.
    line: u64,
    /// The line itself, without its end.
    content: Range<usize>,
    header_pending: bool,
    input_ended: bool,
    /// The end marker has been read: what follows it is ignored.
    marker_read: bool,
    text: Vec<u8>,
    fields: Vec<Option<Range<usize>>>,
}

/// How far the search for the end of the row has come.
#[derive(Debug, Default)]
struct Scan {
    at: usize,
    in_quotes: bool,
    after_escape: bool,
    /// Line ends inside the row's quotes.
    line_ends: u64,
}

/// What stands where an end marker may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker {
    /// The end marker.
    Complete,
    /// Data.
    Absent,
    /// What arrives next decides.
    Undecided,
}

/// A row of fields.
#[derive(Debug)]
pub struct Row<'a> {
    line: u64,
    raw: &'a [u8],
    text: &'a str,
    fields: &'a [Option<Range<usize>>],
}

impl Row<'_> {
    /// The line at which it ends, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The line as it was sent, without its end.
    pub fn raw(&self) -> &[u8] {
        self.raw
    }

    /// Bytes of its fields.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// How many fields it has.
    pub fn width(&self) -> usize {
        self.fields.len()
    }

    /// A field; `None` is NULL.
    pub fn field(&self, number: usize) -> Option<&str> {
        self.fields.get(number)?.clone().map(|range| &self.text[range])
    }
}

impl RowParser {
    /// A parser that has read nothing.
    pub fn new(options: CopyOptions) -> Self {
        RowParser {
            header_pending: options.header == Header::Yes,
            options,
            buffer: Vec::new(),
            begin: 0,
            scan: Scan::default(),
            line_end: None,
            line: 0,
            content: 0..0,
            input_ended: false,
            marker_read: false,
            text: Vec::new(),
            fields: Vec::new(),
        }
    }

    /// Adds data.
    pub fn feed(&mut self, data: &[u8]) {
        if self.begin >= CONSUMED_BYTES_MAX || self.begin == self.buffer.len() {
            self.buffer.drain(..self.begin);
            self.scan.at -= self.begin;
            self.begin = 0;
            self.content = 0..0;
        }
        if !self.marker_read {
            self.buffer.extend_from_slice(data);
        }
    }

    /// Whether the end marker has been read: nothing behind it counts.
    pub fn has_read_marker(&self) -> bool {
        self.marker_read
    }

    /// There is no more data: the last row may end without a line end.
    pub fn finish(&mut self) {
        self.input_ended = true;
    }

    /// Bytes that are held.
    pub fn buffered_bytes(&self) -> usize {
        self.buffer.capacity() + self.text.capacity()
    }

    /// The last line that was read, from 1: where an error is.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// That line as it was sent, without its end.
    pub fn raw_line(&self) -> &[u8] {
        &self.buffer[self.content.clone()]
    }

    /// The next row, or `None` when its end has not arrived.
    ///
    /// # Errors
    /// The data is wrong.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, CopyError> {
        loop {
            if self.marker_read {
                return Ok(None);
            }
            let found = self.next_line();
            if !matches!(found, Ok(None)) {
                self.line += 1 + std::mem::take(&mut self.scan).line_ends;
                self.scan.at = self.begin;
            }
            let Some(content) = found? else { return Ok(None) };
            self.content = content.clone();
            if std::mem::take(&mut self.header_pending) {
                continue;
            }
            if self.marker_read && content.is_empty() {
                return Ok(None);
            }
            self.text.clear();
            self.fields.clear();
            match self.options.format {
                CopyFormat::Csv => self.split_csv(content)?,
                _ => self.split_text(content),
            }
            let text = checked_text(&self.text, &self.fields)?;
            let line = self.line;
            return Ok(Some(Row { line, raw: &self.buffer[self.content.clone()], text, fields: &self.fields }));
        }
    }

    /// Where the next row stands in the buffer, without its line end; the parser is then behind it.
    fn next_line(&mut self) -> Result<Option<Range<usize>>, CopyError> {
        loop {
            self.skip_plain();
            let at = self.scan.at;
            if at - self.begin > ROW_BYTES_MAX {
                return Err(CopyError::RowTooLong);
            }
            let Some(byte) = self.buffer.get(at).copied() else { break };
            if byte == b'.' && self.marker_may_end() {
                match self.marker()? {
                    Marker::Complete => {
                        let content = self.begin..at - 1;
                        self.begin = self.buffer.len();
                        self.marker_read = true;
                        return Ok(Some(content));
                    }
                    Marker::Undecided => return Ok(None),
                    Marker::Absent => {}
                }
            }
            if matches!(byte, b'\n' | b'\r') && self.line_may_end() {
                let Some(length) = self.line_end_length(byte)? else { return Ok(None) };
                let content = self.begin..at;
                self.begin = at + length;
                return Ok(Some(content));
            }
            self.step(byte);
        }
        // No data at all is an empty line where a header must be.
        let is_missing_header = self.options.header == Header::Match && self.line == 0;
        if !self.input_ended || (self.begin == self.buffer.len() && !is_missing_header) {
            return Ok(None);
        }
        let content = self.begin..self.buffer.len();
        self.begin = self.buffer.len();
        if self.scan.in_quotes {
            self.content = content;
            return Err(CopyError::UnterminatedQuote);
        }
        Ok(Some(content))
    }

    /// Whether a point here would complete an end marker: anywhere in text, at the start of a line in CSV.
    fn marker_may_end(&self) -> bool {
        match self.options.format {
            CopyFormat::Text | CopyFormat::Binary => self.scan.after_escape,
            CopyFormat::Csv => self.scan.at == self.begin + 1 && self.buffer[self.begin] == b'\\',
        }
    }

    /// Looks at what follows a point that may complete an end marker. Without a line end behind it, it is data in CSV and
    /// an error in text, where data has another way to write it.
    fn marker(&self) -> Result<Marker, CopyError> {
        let following = &self.buffer[self.scan.at + 1..];
        let expected: &[u8] = match self.line_end {
            Some(LineEnd::Both) => b"\r\n",
            Some(LineEnd::Newline) => b"\n",
            Some(LineEnd::CarriageReturn) => b"\r",
            None if following.first() == Some(&b'\r') => b"\r",
            None => b"\n",
        };
        if following.starts_with(expected) {
            return Ok(Marker::Complete);
        }
        if expected.starts_with(following) && !self.input_ended {
            return Ok(Marker::Undecided);
        }
        match (self.options.format, following.first()) {
            (CopyFormat::Csv, Some(b'\n')) if self.line_end == Some(LineEnd::Both) => Ok(Marker::Absent),
            (_, Some(b'\n' | b'\r')) => Err(CopyError::MarkerLineEnd),
            (CopyFormat::Csv, _) => Ok(Marker::Absent),
            (CopyFormat::Text | CopyFormat::Binary, _) => Err(CopyError::MarkerCorrupt),
        }
    }

    /// Bytes of the line end that begins with `first`; `None` when the next byte decides and has not arrived.
    fn line_end_length(&mut self, first: u8) -> Result<Option<usize>, CopyError> {
        let following = self.buffer.get(self.scan.at + 1);
        let may_be_both = matches!(self.line_end, None | Some(LineEnd::Both));
        let found = match (first, following) {
            (b'\n', _) => LineEnd::Newline,
            (_, None) if may_be_both && !self.input_ended => return Ok(None),
            (_, Some(b'\n')) if may_be_both => LineEnd::Both,
            _ => LineEnd::CarriageReturn,
        };
        if *self.line_end.get_or_insert(found) != found {
            let character = if first == b'\n' { "newline" } else { "carriage return" };
            return Err(CopyError::MixedLineEnds { format: self.options.format, character });
        }
        Ok(Some(if found == LineEnd::Both { 2 } else { 1 }))
    }

    fn line_may_end(&self) -> bool {
        match self.options.format {
            CopyFormat::Text | CopyFormat::Binary => !self.scan.after_escape,
            CopyFormat::Csv => !self.scan.in_quotes,
        }
    }

    /// Goes over bytes that mean nothing to the search for the end of the row, which are nearly all.
    fn skip_plain(&mut self) {
        let Scan { at, in_quotes, after_escape, .. } = self.scan;
        // A backslash at the beginning of a line may begin an end marker.
        let may_be_marker = self.options.format == CopyFormat::Csv && at <= self.begin + 1;
        if after_escape || may_be_marker {
            return;
        }
        let rest = &self.buffer[at..];
        let plain = match self.options.format {
            CopyFormat::Csv if in_quotes => match self.line_end {
                Some(LineEnd::Newline) => memchr3(self.options.quote, self.options.escape, b'\n', rest),
                _ => memchr3(self.options.quote, self.options.escape, b'\r', rest),
            },
            CopyFormat::Csv => memchr3(self.options.quote, b'\n', b'\r', rest),
            CopyFormat::Text | CopyFormat::Binary => memchr3(b'\\', b'\n', b'\r', rest),
        };
        self.scan.at += plain.unwrap_or(rest.len());
    }

    /// Goes over a byte that does not end the row.
    fn step(&mut self, byte: u8) {
        let scan = &mut self.scan;
        scan.at += 1;
        match self.options.format {
            CopyFormat::Csv => {
                // As in PostgreSQL, which does not know how lines end before the first one has.
                let counted = if self.line_end == Some(LineEnd::Newline) { b'\n' } else { b'\r' };
                scan.line_ends += u64::from(scan.in_quotes && byte == counted);
                // An escape that is the quote itself closes and opens again: no different from what is looked for here.
                let escapes = self.options.escape != self.options.quote && byte == self.options.escape;
                if byte == self.options.quote && !scan.after_escape {
                    scan.in_quotes = !scan.in_quotes;
                }
                scan.after_escape = scan.in_quotes && escapes && !scan.after_escape;
            }
            _ => scan.after_escape = byte == b'\\' && !scan.after_escape,
        }
    }

    fn split_text(&mut self, content: Range<usize>) {
        let line = &self.buffer[content];
        if memchr(b'\\', line).is_none() {
            return split_plain(line, &self.options, &mut self.text, &mut self.fields);
        }
        let mut rest = line;
        loop {
            let (raw, end) = first_field(rest, self.options.delimiter);
            if raw == self.options.null.as_bytes() {
                self.fields.push(None);
            } else {
                let begin = self.text.len();
                unescape(raw, &mut self.text);
                self.fields.push(Some(begin..self.text.len()));
            }
            match rest.get(end + 1..) {
                Some(next) => rest = next,
                None => return,
            }
        }
    }

    fn split_csv(&mut self, content: Range<usize>) -> Result<(), CopyError> {
        let CopyOptions { delimiter, quote, escape, .. } = self.options;
        let mut rest = &self.buffer[content];
        if memchr(quote, rest).is_none() {
            split_plain(rest, &self.options, &mut self.text, &mut self.fields);
            return Ok(());
        }
        let (mut field, mut quoted, mut in_quotes) = (self.text.len(), false, false);
        loop {
            let plain = if in_quotes { memchr2(quote, escape, rest) } else { memchr2(delimiter, quote, rest) };
            let plain = plain.unwrap_or(rest.len());
            self.text.extend_from_slice(&rest[..plain]);
            let byte = rest.get(plain).copied();
            let following = rest.get(plain + 1).copied();
            rest = rest.get(plain + 1..).unwrap_or_default();
            match byte {
                None if in_quotes => return Err(CopyError::UnterminatedQuote),
                Some(byte)
                    if in_quotes && byte == escape && matches!(following, Some(it) if it == quote || it == escape) =>
                {
                    self.text.extend(following);
                    rest = &rest[1..];
                }
                Some(byte) if byte == quote => {
                    in_quotes = !in_quotes;
                    quoted = true;
                }
                Some(byte) if in_quotes => self.text.push(byte),
                // The end of a field.
                _ => {
                    let is_null = !quoted && self.text[field..] == *self.options.null.as_bytes();
                    self.fields.push((!is_null).then_some(field..self.text.len()));
                    if byte.is_none() {
                        return Ok(());
                    }
                    (field, quoted) = (self.text.len(), false);
                }
            }
        }
    }
}

/// The fields of a line that has nothing but delimiters between them: they are where they were in the line.
fn split_plain(line: &[u8], options: &CopyOptions, text: &mut Vec<u8>, fields: &mut Vec<Option<Range<usize>>>) {
    let base = text.len();
    text.extend_from_slice(line);
    let mut begin = 0;
    for end in memchr_iter(options.delimiter, line).chain([line.len()]) {
        let is_null = line[begin..end] == *options.null.as_bytes();
        fields.push((!is_null).then_some(base + begin..base + end));
        begin = end + 1;
    }
}

/// The first field of a line of the text format, and where it ends: at a delimiter that is not escaped, or at the end of
/// the line. A backslash with nothing behind it does not count, not even for what stands for NULL.
fn first_field(line: &[u8], delimiter: u8) -> (&[u8], usize) {
    let mut at = 0;
    while let Some(plain) = memchr2(delimiter, b'\\', &line[at..]) {
        at += plain;
        match line[at] {
            byte if byte == delimiter => return (&line[..at], at),
            _ if at + 1 == line.len() => return (&line[..at], line.len()),
            _ => at += 2,
        }
    }
    (line, line.len())
}

/// Resolves backslash escapes.
fn unescape(raw: &[u8], text: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        text.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let Some((byte, behind)) = rest.split_first() else { return };
        let (value, used) = match byte {
            b'b' => (8, 0),
            b'f' => (12, 0),
            b'n' => (b'\n', 0),
            b'r' => (b'\r', 0),
            b't' => (b'\t', 0),
            b'v' => (11, 0),
            b'0'..=b'7' => number(rest, 8, 3).map_or((*byte, 0), |(value, digits)| (value, digits - 1)),
            b'x' => number(behind, 16, 2).unwrap_or((b'x', 0)),
            other => (*other, 0),
        };
        text.push(value);
        rest = &behind[used..];
    }
    text.extend_from_slice(rest);
}

/// A number of `digits_max` digits at most, and how many it has; `None` when it has none.
fn number(digits: &[u8], radix: u32, digits_max: usize) -> Option<(u8, usize)> {
    let mut value = 0u32;
    let mut count = 0;
    while let Some(digit) = digits.get(count).and_then(|byte| char::from(*byte).to_digit(radix)) {
        value = value * radix + digit;
        count += 1;
        if count == digits_max {
            break;
        }
    }
    // As in PostgreSQL, an octal number that is too large loses its high bit.
    (count > 0).then_some(((value & 0xff) as u8, count))
}

/// The text of a row's fields. Escapes can make bytes that are no characters, or that are one only together with the next
/// field's, so each field is looked at by itself where they may have.
fn checked_text<'a>(text: &'a [u8], fields: &[Option<Range<usize>>]) -> Result<&'a str, CopyError> {
    let nul = text.contains(&0);
    let mut starts = fields.iter().flatten().map(|field| field.start);
    match std::str::from_utf8(text) {
        Ok(text) if !nul && starts.all(|start| text.is_char_boundary(start)) => return Ok(text),
        _ => {}
    }
    let refused = fields.iter().flatten().find_map(|field| first_refused(&text[field.clone()]));
    Err(CopyError::InvalidEncoding { bytes: refused.unwrap_or_default() })
}

/// The first bytes of a field that are no character of a string, as PostgreSQL prints them.
fn first_refused(field: &[u8]) -> Option<String> {
    let valid = std::str::from_utf8(field).map_or_else(|error| error.valid_up_to(), str::len);
    let at = field[..valid].iter().position(|byte| *byte == 0).or((valid < field.len()).then_some(valid))?;
    // As many bytes as the first one announces.
    let announced = match field[at] {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => 1,
    };
    let bytes = field[at..].iter().take(announced).map(|byte| format!("0x{byte:02x}"));
    Some(bytes.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Rows as `line:field|field`, NULL as `~`; `pieces` are fed one after the other.
    fn read(options: CopyOptions, pieces: &[&[u8]]) -> String {
        let mut parser = RowParser::new(options);
        let mut printed = Vec::new();
        for (number, piece) in pieces.iter().enumerate() {
            parser.feed(piece);
            if number + 1 == pieces.len() {
                parser.finish();
            }
            loop {
                match parser.next_row() {
                    Ok(Some(row)) => {
                        let fields: Vec<_> = (0..row.width()).map(|it| row.field(it).unwrap_or("~")).collect();
                        printed.push(format!("{}:{}", row.line(), fields.join("|")));
                    }
                    Ok(None) => break,
                    Err(error) => {
                        printed.push(format!("{} {error}", error.sqlstate()));
                        return printed.join(" ");
                    }
                }
            }
        }
        printed.join(" ")
    }

    fn check(format: CopyFormat, data: &str, expected: &str) {
        let whole = read(CopyOptions::new(format), &[data.as_bytes()]);
        assert_eq!(whole, expected, "{data:?}");
        // However the data is cut, the rows are the same.
        let bytes: Vec<&[u8]> = data.as_bytes().chunks(1).collect();
        assert_eq!(read(CopyOptions::new(format), &bytes), expected, "{data:?} byte by byte");
    }

    #[test]
    fn text_is_read_as_postgresql_reads_it() {
        let check = |data, expected| check(CopyFormat::Text, data, expected);
        check("1\tone\n2\t\\N\n", "1:1|one 2:2|~");
        check("1\t\n\\N\t\\\\N", "1:1| 2:~|\\N");
        check("a\\tb\\\\c\\x41\\101\\q\\\td\n", "1:a\tb\\cAAq\td");
        check("a\\\nb\tc\nd\te\n", "1:a\nb|c 2:d|e");
        check("1\r\n2\r\n", "1:1 2:2");
        check("1\r2\r", "1:1 2:2");
        check("1\n\\.\nnonsense\n", "1:1");
        check("1\n2\r\n", "1:1 22P04 literal carriage return found in data");
        check("1\r\n2\n", "1:1 22P04 literal newline found in data");
        check("1\r2\r\n", "1:1 2:2 22P04 literal newline found in data");
        check("", "");
        check("\n", "1:");
        check("a\\", "1:a");
        check("\\N\\", "1:~");
    }

    #[test]
    fn the_end_marker_ends_the_data() {
        let in_text = |data, expected| check(CopyFormat::Text, data, expected);
        in_text("1\r\n\\.\r\n", "1:1");
        in_text("1\\.\nnonsense\n", "1:1");
        in_text("1\n\\.2\n", "1:1 22P04 end-of-copy marker corrupt");
        in_text("1\n\\.", "1:1 22P04 end-of-copy marker corrupt");
        in_text("1\n\\.\r\n", "1:1 22P04 end-of-copy marker does not match previous newline style");
        in_text("1\\\\.\n", "1:1\\.");
        let in_csv = |data, expected| check(CopyFormat::Csv, data, expected);
        in_csv("1\n\\.2\n", "1:1 2:\\.2");
        in_csv("1\n\\.", "1:1 2:\\.");
        in_csv("1,\\.\n2\n", "1:1|\\. 2:2");
        in_csv("1\n\"\n\\.\n\"\n", "1:1 4:\n\\.\n");
    }

    #[test]
    fn csv_is_read_as_postgresql_reads_it() {
        let check = |data, expected| check(CopyFormat::Csv, data, expected);
        check("1,one\n2,\n3,\"\"\n", "1:1|one 2:2|~ 3:3|");
        check("\"say \"\"hi\"\"\",\"a,b\"\n", "1:say \"hi\"|a,b");
        // The first line end inside quotes is not counted: it is not known yet how lines end.
        check("1,\"two\nlines\"\n2,\"x\ny\"\n", "1:1|two\nlines 3:2|x\ny");
        check("a\"b,c\"d\n", "1:ab,cd");
        check("1,\"open\n", "22P04 unterminated CSV quoted field");
        check("1,2\n\\.\n3,4\n", "1:1|2");
        check("1,2\r\n3,4", "1:1|2 2:3|4");
        check("1\n2\r\n", "1:1 22P04 unquoted carriage return found in data");
    }

    #[test]
    fn options_are_honoured() {
        let options = CopyOptions {
            delimiter: b';',
            null: "NULL".into(),
            header: Header::Yes,
            escape: b'\\',
            ..CopyOptions::new(CopyFormat::Csv)
        };
        let data = b"a;b\nNULL;\"NULL\"\n\"x\\\"y\";\n";
        assert_eq!(read(options, &[data]), "2:~|NULL 3:x\"y|");
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        assert_eq!(
            read(CopyOptions::new(CopyFormat::Text), &[b"ok\n\xff\n"]),
            "1:ok 22021 invalid byte sequence for encoding \"UTF8\": 0xff"
        );
        check(CopyFormat::Text, "a\\0", "22021 invalid byte sequence for encoding \"UTF8\": 0x00");
        // Two halves of a character are none, even side by side.
        check(CopyFormat::Text, "\\xc3\t\\xa9", "22021 invalid byte sequence for encoding \"UTF8\": 0xc3");
        check(CopyFormat::Text, "\\xc3\\xa9", "1:é");
    }
}
