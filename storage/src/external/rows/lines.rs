//! A file's lines.

use std::io::{BufRead, BufReader, Read};

use super::RowError;

/// Bytes read at once.
const READ_BYTES: usize = 256 * 1024;
/// Longest line.
const LINE_BYTES_MAX: usize = 128 * 1024 * 1024;
/// What some programs write at the beginning of a file to say that it is UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads lines. A byte order mark at the file's beginning is part of none.
pub(super) struct LineReader {
    input: BufReader<Box<dyn Read + Send>>,
    bytes: Vec<u8>,
    number: u64,
}

impl LineReader {
    /// Reads what `input` holds.
    pub(super) fn new(input: Box<dyn Read + Send>) -> Self {
        LineReader { input: BufReader::with_capacity(READ_BYTES, input), bytes: Vec::new(), number: 0 }
    }

    /// Reads the next line; false at the end.
    ///
    /// # Errors
    /// The file cannot be read, or the line is too long.
    pub(super) fn next(&mut self) -> Result<bool, RowError> {
        self.bytes.clear();
        self.number += 1;
        let mut limited = self.input.by_ref().take(LINE_BYTES_MAX as u64);
        let read = limited.read_until(b'\n', &mut self.bytes).map_err(RowError::Read)?;
        if read == LINE_BYTES_MAX && !self.bytes.ends_with(b"\n") {
            return Err(RowError::TooLong { line: self.number, bytes_max: LINE_BYTES_MAX });
        }
        if self.number == 1 && self.bytes.starts_with(BYTE_ORDER_MARK) {
            self.bytes.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(read > 0)
    }

    /// The line that was read, with its end.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its number, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}
