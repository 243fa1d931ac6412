//! The cells of some rows of one column: each its length and its bytes, as they will stand in the rows.
//!
//! Columns are written one after another, each in a loop of its own type, and then put together to rows. Whatever has up
//! to [`SHORT_BYTES`] is copied as so many, which takes no loop and no call; what was copied too much the next value
//! overwrites.

use bytes::{BufMut, BytesMut};
use pg::output::short::{SHORT_BYTES, Short};

use super::{LENGTH_BYTES, NULL_LENGTH};

/// A column that has this much ends its slice of rows: a slice of wide rows must not fill the memory.
const FULL_BYTES: usize = 256 * 1024;
/// What a wide value has made larger than this is given back.
const KEPT_BYTES_MAX: usize = 1024 * 1024;

/// The cells of one column.
#[derive(Debug, Clone, Default)]
pub(super) struct Cells {
    /// Longer than what has been written, always by enough to copy a short value from its end.
    bytes: Vec<u8>,
    /// How much has been written.
    written: usize,
    /// How much has been put into rows.
    read: usize,
    /// A value of a type that is written in pieces.
    pieces: BytesMut,
}

impl Cells {
    /// No cells.
    pub fn clear(&mut self) {
        (self.written, self.read) = (0, 0);
        if self.bytes.len() > KEPT_BYTES_MAX {
            self.bytes = Vec::new();
        }
        if self.pieces.capacity() > KEPT_BYTES_MAX {
            self.pieces = BytesMut::new();
        }
    }

    /// Bytes that have been written.
    pub fn written(&self) -> usize {
        self.written
    }

    /// Whether there should be no more rows in this slice.
    pub fn is_full(&self) -> bool {
        self.written >= FULL_BYTES
    }

    /// Adds NULL.
    pub fn null(&mut self) {
        let end = self.written + LENGTH_BYTES;
        self.place(0)[..LENGTH_BYTES].copy_from_slice(&NULL_LENGTH.to_be_bytes());
        self.written = end;
    }

    /// Adds a short value.
    #[inline]
    pub fn short(&mut self, value: &Short) {
        self.padded(value.padded(), value.length());
    }

    /// Adds the first `length` bytes.
    #[inline]
    pub fn padded<const N: usize>(&mut self, bytes: &[u8; N], length: usize) {
        let place = self.place(N);
        place[..LENGTH_BYTES].copy_from_slice(&(length as i32).to_be_bytes());
        place[LENGTH_BYTES..LENGTH_BYTES + N].copy_from_slice(bytes);
        self.written += LENGTH_BYTES + length;
    }

    /// Adds a value.
    pub fn bytes(&mut self, value: &[u8]) {
        let place = self.place(value.len());
        place[..LENGTH_BYTES].copy_from_slice(&(value.len() as i32).to_be_bytes());
        place[LENGTH_BYTES..LENGTH_BYTES + value.len()].copy_from_slice(value);
        self.written += LENGTH_BYTES + value.len();
    }

    /// Adds what `write` appends.
    pub fn pieces<E>(&mut self, write: impl FnOnce(&mut BytesMut) -> Result<(), E>) -> Result<(), E> {
        let mut pieces = std::mem::take(&mut self.pieces);
        pieces.clear();
        let outcome = write(&mut pieces);
        if outcome.is_ok() {
            self.bytes(&pieces);
        }
        self.pieces = pieces;
        outcome
    }

    /// Room for a length and a value, and for what is copied too much.
    #[inline]
    fn place(&mut self, length: usize) -> &mut [u8] {
        let end = self.written + LENGTH_BYTES + length + SHORT_BYTES;
        if self.bytes.len() < end {
            self.bytes.resize(end.max(2 * self.bytes.len()), 0);
        }
        &mut self.bytes[self.written..]
    }

    /// Length of the next cell, with that of its length.
    #[inline]
    pub fn next_length(&self) -> usize {
        self.length_at(self.read)
    }

    #[inline]
    fn length_at(&self, position: usize) -> usize {
        let length = self.bytes[position..].first_chunk().map_or(NULL_LENGTH, |it| i32::from_be_bytes(*it));
        LENGTH_BYTES + usize::try_from(length).unwrap_or(0)
    }

    /// Puts the next cell into a place that has room for it and [`SHORT_BYTES`] more; returns its length.
    #[inline]
    pub fn put_next(&mut self, place: &mut [u8]) -> usize {
        let length = self.next_length();
        let copied = if length <= SHORT_BYTES { SHORT_BYTES } else { length };
        let cell = &self.bytes[self.read..self.read + copied];
        if copied == SHORT_BYTES {
            place[..SHORT_BYTES].copy_from_slice(&cell[..SHORT_BYTES]);
        } else {
            place[..length].copy_from_slice(cell);
        }
        self.read += length;
        length
    }

    /// Passes over the next cell; returns its length.
    pub fn skip_next(&mut self) -> usize {
        let length = self.next_length();
        self.read += length;
        length
    }

    /// Begins to put cells into rows again.
    pub fn rewind(&mut self) {
        self.read = 0;
    }
}

/// Puts the cells of as many rows together to messages of this kind, the first of which begins with `preface`.
pub(super) fn put_rows(cells: &mut [Cells], rows: usize, message: u8, preface: &[u8], out: &mut BytesMut) {
    let count = cells.len() as i16;
    let header = 1 + LENGTH_BYTES + size_of::<i16>();
    let total: usize = cells.iter().map(Cells::written).sum();
    let start = out.len();
    out.resize(start + total + rows * header + preface.len() + SHORT_BYTES, 0);
    let (mut at, mut preface) = (start, preface);
    for _ in 0..rows {
        let row = at;
        at += 1 + LENGTH_BYTES;
        out[at..at + preface.len()].copy_from_slice(preface);
        at += std::mem::take(&mut preface).len();
        let mut place = &mut out[at..];
        place.put_i16(count);
        at += size_of::<i16>();
        for column in &mut *cells {
            let length = column.put_next(place);
            place = &mut place[length..];
            at += length;
        }
        out[row] = message;
        super::set_length(row + 1, at - row - 1, out);
    }
    out.truncate(at);
}
