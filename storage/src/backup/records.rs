//! The file with the records: for each the lengths of key and value, then both.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use catalog::CatalogSnapshot;
use catalog::store::visit_records;

use crate::error::Result;

const LENGTHS_BYTES: usize = 2 * size_of::<u32>();
/// Bytes of records that are handed on together.
const BLOCK_BYTES: usize = 1 << 20;

/// A record: key and value.
pub type Record = (Vec<u8>, Bytes);

/// Gives all records of a snapshot, as bytes, to `emit`; stops when it answers false.
///
/// # Errors
/// Rows that cannot be stored: a bug.
pub fn write_records(snapshot: &CatalogSnapshot, emit: &mut dyn FnMut(Bytes) -> bool) -> Result<()> {
    let mut block = BytesMut::with_capacity(BLOCK_BYTES);
    let mut wanted = true;
    visit_records(snapshot, &mut |key, value| {
        if wanted {
            block.put_u32_le(key.len() as u32);
            block.put_u32_le(value.len() as u32);
            block.put_slice(key);
            block.put_slice(value);
            if block.len() >= BLOCK_BYTES {
                wanted = emit(block.split().freeze());
            }
        }
        Ok(())
    })?;
    if wanted && !block.is_empty() {
        emit(block.freeze());
    }
    Ok(())
}

/// Makes records of the bytes of such a file, as they come.
#[derive(Debug, Default)]
pub struct RecordReader {
    rest: BytesMut,
}

impl RecordReader {
    /// The records that are complete with these bytes.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<Record> {
        self.rest.extend_from_slice(bytes);
        std::iter::from_fn(|| self.next()).collect()
    }

    fn next(&mut self) -> Option<Record> {
        let mut lengths = self.rest.get(..LENGTHS_BYTES)?;
        let (key, value) = (lengths.get_u32_le() as usize, lengths.get_u32_le() as usize);
        if self.rest.len() < LENGTHS_BYTES + key + value {
            return None;
        }
        self.rest.advance(LENGTHS_BYTES);
        let key = self.rest.split_to(key).to_vec();
        Some((key, self.rest.split_to(value).freeze()))
    }

    /// Whether nothing is left that belongs to a record.
    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn records_come_back_however_the_bytes_are_cut() {
        let mut bytes = Vec::new();
        write_records(&CatalogSnapshot::initial(), &mut |block| {
            bytes.extend_from_slice(&block);
            true
        })
        .unwrap();
        let whole = RecordReader::default().read(&bytes);
        assert_eq!(whole.iter().map(|(key, _)| key[0]).collect::<Vec<_>>(), b"abl");
        for size in [1, 7, 8, 9, 30] {
            let mut reader = RecordReader::default();
            let cut: Vec<Record> = bytes.chunks(size).flat_map(|chunk| reader.read(chunk)).collect();
            assert!(reader.is_at_end() && cut == whole, "{size}");
        }
        let mut reader = RecordReader::default();
        reader.read(&bytes[..bytes.len() - 1]);
        assert!(!reader.is_at_end());
    }
}
