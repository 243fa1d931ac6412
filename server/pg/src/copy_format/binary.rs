//! The binary format: a header, then rows of values, each after its length.

use std::ops::Range;

use super::{CONSUMED_BYTES_MAX, CopyError, ROW_BYTES_MAX};

/// What binary data begins with.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// What is written before the first row: the signature, no flags, no extension.
pub const BINARY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What is written behind the last row: a field count that no row has.
pub const BINARY_TRAILER: &[u8] = &[0xff, 0xff];
/// The field count that stands for the end.
const END_MARKER: i16 = -1;
/// The length that stands for NULL.
const NULL_LENGTH: i32 = -1;
/// The flag of the old rows with object numbers.
const FLAG_OIDS: u32 = 1 << 16;
/// Flags that a reader must know.
const FLAGS_CRITICAL: u32 = 0xffff_0000;

/// Reads rows.
#[derive(Debug)]
pub struct BinaryParser {
    /// How many values a row has.
    width: usize,
    buffer: Vec<u8>,
    begin: usize,
    header_read: bool,
    marker_read: bool,
    input_ended: bool,
    row: u64,
    fields: Vec<Option<Range<usize>>>,
}

/// The values of a row.
#[derive(Debug)]
pub struct BinaryRow<'a> {
    number: u64,
    buffer: &'a [u8],
    fields: &'a [Option<Range<usize>>],
}

impl BinaryRow<'_> {
    /// Its number, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The bytes of a value; `None` is NULL.
    pub fn field(&self, number: usize) -> Option<&[u8]> {
        self.fields.get(number)?.clone().map(|range| &self.buffer[range])
    }

    /// Bytes of its values.
    pub fn bytes(&self) -> usize {
        self.fields.iter().flatten().map(ExactSizeIterator::len).sum()
    }
}

/// What is left to be read.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, _) = self.bytes[self.at..].split_first_chunk::<N>()?;
        self.at += N;
        Some(*taken)
    }

    fn skip(&mut self, count: usize) -> Option<Range<usize>> {
        let range = self.at..self.at.checked_add(count)?;
        self.bytes.get(range.clone())?;
        self.at = range.end;
        Some(range)
    }
}

impl BinaryParser {
    /// A parser of rows of `width` values that has read nothing.
    pub fn new(width: usize) -> Self {
        BinaryParser {
            width,
            buffer: Vec::new(),
            begin: 0,
            header_read: false,
            marker_read: false,
            input_ended: false,
            row: 0,
            fields: Vec::with_capacity(width),
        }
    }

    /// Adds data.
    pub fn feed(&mut self, data: &[u8]) {
        if self.begin >= CONSUMED_BYTES_MAX || self.begin == self.buffer.len() {
            self.buffer.drain(..self.begin);
            self.begin = 0;
        }
        self.buffer.extend_from_slice(data);
    }

    /// There is no more data.
    pub fn finish(&mut self) {
        self.input_ended = true;
    }

    /// Bytes that are held.
    pub fn buffered_bytes(&self) -> usize {
        self.buffer.capacity()
    }

    /// The row that was read last, from 1; 0 is the header.
    pub fn row(&self) -> u64 {
        self.row
    }

    /// The next row, or `None` when its end has not arrived.
    ///
    /// # Errors
    /// The data is wrong.
    pub fn next_row(&mut self) -> Result<Option<BinaryRow<'_>>, CopyError> {
        if !self.header_read && !self.read_header()? {
            return Ok(None);
        }
        if self.marker_read {
            return match self.begin < self.buffer.len() {
                true => Err(CopyError::AfterMarker),
                false => Ok(None),
            };
        }
        let mut cursor = Cursor { bytes: &self.buffer, at: self.begin };
        let Some(count) = cursor.take().map(i16::from_be_bytes) else { return Ok(None) };
        self.row += 1;
        if count == END_MARKER {
            self.begin = cursor.at;
            self.marker_read = true;
            return self.next_row();
        }
        if usize::try_from(count) != Ok(self.width) {
            return Err(CopyError::FieldCount { found: count, expected: self.width });
        }
        self.fields.clear();
        for column in 0..self.width {
            let Some(field) = field(&mut cursor, column)? else { return self.incomplete(column) };
            self.fields.push(field);
        }
        self.begin = cursor.at;
        Ok(Some(BinaryRow { number: self.row, buffer: &self.buffer, fields: &self.fields }))
    }

    /// The rest of the row has not arrived.
    fn incomplete(&mut self, column: usize) -> Result<Option<BinaryRow<'_>>, CopyError> {
        if self.input_ended {
            return Err(CopyError::UnexpectedEnd { column });
        }
        if self.buffer.len() - self.begin > ROW_BYTES_MAX {
            return Err(CopyError::RowTooLong);
        }
        self.row -= 1;
        Ok(None)
    }

    /// Whether the header is there.
    fn read_header(&mut self) -> Result<bool, CopyError> {
        let mut cursor = Cursor { bytes: &self.buffer, at: self.begin };
        let missing = |problem| if self.input_ended { Err(CopyError::BinaryHeader { problem }) } else { Ok(false) };
        let begun = &self.buffer[self.begin..];
        if !begun.starts_with(SIGNATURE) {
            let undecided = SIGNATURE.starts_with(begun) && !self.input_ended;
            return if undecided { Ok(false) } else { Err(CopyError::Signature) };
        }
        cursor.at += SIGNATURE.len();
        let Some(flags) = cursor.take().map(u32::from_be_bytes) else {
            return missing("invalid COPY file header (missing flags)");
        };
        if flags & FLAG_OIDS != 0 {
            return Err(CopyError::BinaryHeader { problem: "invalid COPY file header (WITH OIDS)" });
        }
        if flags & FLAGS_CRITICAL != 0 {
            return Err(CopyError::BinaryHeader { problem: "unrecognized critical flags in COPY file header" });
        }
        let Some(length) = cursor.take().map(i32::from_be_bytes) else {
            return missing("invalid COPY file header (missing length)");
        };
        let Ok(length) = usize::try_from(length) else {
            return Err(CopyError::BinaryHeader { problem: "invalid COPY file header (missing length)" });
        };
        if length > ROW_BYTES_MAX {
            return Err(CopyError::RowTooLong);
        }
        if cursor.skip(length).is_none() {
            return missing("invalid COPY file header (wrong length)");
        }
        self.begin = cursor.at;
        self.header_read = true;
        Ok(true)
    }
}

/// A value: its place, or `None` in place of it for NULL; `None` when its end has not arrived.
fn field(cursor: &mut Cursor<'_>, column: usize) -> Result<Option<Option<Range<usize>>>, CopyError> {
    let Some(length) = cursor.take().map(i32::from_be_bytes) else { return Ok(None) };
    if length == NULL_LENGTH {
        return Ok(Some(None));
    }
    let length = usize::try_from(length).map_err(|_| CopyError::FieldSize { column })?;
    Ok(cursor.skip(length).map(Some))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What two columns are read from `data`, fed in pieces of `piece` bytes.
    fn read(data: &[u8], piece: usize) -> String {
        let mut parser = BinaryParser::new(2);
        let mut printed = Vec::new();
        let mut pieces: Vec<&[u8]> = data.chunks(piece).collect();
        pieces.push(&[]);
        let last = pieces.len() - 1;
        for (number, piece) in pieces.into_iter().enumerate() {
            parser.feed(piece);
            if number == last {
                parser.finish();
            }
            loop {
                match parser.next_row() {
                    Ok(Some(row)) => printed.push(format!("{:?}", (row.field(0), row.field(1)))),
                    Ok(None) => break,
                    Err(error) => {
                        printed.push(format!("{} {error}", parser.row()));
                        return printed.join(" ");
                    }
                }
            }
        }
        printed.join(" ")
    }

    fn check(rows: &[u8], expected: &str) {
        let data = [BINARY_HEADER, rows].concat();
        assert_eq!(read(&data, data.len()), expected, "{rows:?}");
        assert_eq!(read(&data, 1), expected, "{rows:?} byte by byte");
    }

    #[test]
    fn rows_are_read_in_any_pieces() {
        check(&[], "");
        check(&[0], "");
        check(&[0xff, 0xff], "");
        let row = [0, 2, 0, 0, 0, 1, 7, 0xff, 0xff, 0xff, 0xff];
        check(&row, "(Some([7]), None)");
        check(&[&row[..], &row[..], &[0xff, 0xff]].concat(), "(Some([7]), None) (Some([7]), None)");
    }

    #[test]
    fn what_is_no_row_is_refused() {
        check(&[0xff, 0xff, 1], "1 received copy data after EOF marker");
        check(&[0, 1], "1 row field count is 1, expected 2");
        check(&[0, 2], "1 unexpected EOF in COPY data");
        check(&[0, 2, 0xff, 0xff, 0xff, 0xfd], "1 invalid field size");
        check(&[0, 2, 0, 0, 0, 4, 0], "1 unexpected EOF in COPY data");
        for (data, expected) in [
            (&b""[..], "0 COPY file signature not recognized"),
            (b"PGCOPX", "0 COPY file signature not recognized"),
            (b"PGCOPY\n\xff\r\n\0", "0 invalid COPY file header (missing flags)"),
            (b"PGCOPY\n\xff\r\n\0\0\x01\0\0\0\0\0\0", "0 invalid COPY file header (WITH OIDS)"),
            (b"PGCOPY\n\xff\r\n\0\0\x02\0\0\0\0\0\0", "0 unrecognized critical flags in COPY file header"),
            (b"PGCOPY\n\xff\r\n\0\0\0\0\0\0", "0 invalid COPY file header (missing length)"),
            (b"PGCOPY\n\xff\r\n\0\0\0\0\0\xff\xff\xff\xff", "0 invalid COPY file header (missing length)"),
            (b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\x04abc", "0 invalid COPY file header (wrong length)"),
        ] {
            assert_eq!(read(data, 3), expected, "{data:?}");
        }
    }
}
