//! Parts of a Parquet file that have been read, for a reader that asks for bytes by their place in the file.

use std::ops::Range;

use bytes::buf::Reader;
use bytes::{Buf, Bytes};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

/// Parts of a file, with the places of their first bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChunkBytes {
    /// In the order of their places.
    parts: Vec<(u64, Bytes)>,
}

impl ChunkBytes {
    /// One part.
    pub fn new(offset: u64, bytes: Bytes) -> Self {
        ChunkBytes { parts: vec![(offset, bytes)] }
    }

    /// Adds a part.
    pub fn add(&mut self, offset: u64, bytes: Bytes) {
        let place = self.parts.partition_point(|(other, _)| *other < offset);
        self.parts.insert(place, (offset, bytes));
    }

    /// The bytes of a range, if they are there, in one part.
    pub fn range(&self, range: &Range<u64>) -> Option<Bytes> {
        let length = usize::try_from(range.end.checked_sub(range.start)?).ok()?;
        let bytes = self.from(range.start).ok()?;
        (bytes.len() >= length).then(|| bytes.slice(..length))
    }

    fn from(&self, start: u64) -> parquet::errors::Result<Bytes> {
        let place = self.parts.partition_point(|(offset, _)| *offset <= start);
        let part = place.checked_sub(1).map(|place| &self.parts[place]);
        let part = part.filter(|(offset, bytes)| start - offset <= bytes.len() as u64);
        let (offset, bytes) = part.ok_or_else(outside)?;
        Ok(bytes.slice((start - offset) as usize..))
    }
}

fn outside() -> ParquetError {
    ParquetError::EOF("outside of the column".to_owned())
}

impl Length for ChunkBytes {
    fn len(&self) -> u64 {
        self.parts.last().map_or(0, |(offset, bytes)| offset + bytes.len() as u64)
    }
}

impl ChunkReader for ChunkBytes {
    type T = Reader<Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let bytes = self.from(start)?;
        if bytes.len() < length {
            return Err(outside());
        }
        Ok(bytes.slice(..length))
    }
}
