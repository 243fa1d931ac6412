//! What a store says about itself: how many records it holds and what they add up to.
//!
//! Each record carries a checksum of its own, which cannot tell that a whole record is missing or is of an earlier commit.
//! The tally can. It is written with every commit and compared when the store is read.

use crate::error::{Error, Result};

const BYTES: usize = 4 * 8 + 4;

/// How many records there are and what they add up to, after so many commits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) commits: u64,
    pub(super) records: u64,
    /// Keys and values together.
    pub(super) bytes: u64,
    /// Sum of the records' checksums: it does not depend on their order, so a commit adds and subtracts what it touches.
    checksums: u64,
}

impl Tally {
    /// Counts a record.
    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        self.records = self.records.wrapping_add(1);
        self.bytes = self.bytes.wrapping_add((key.len() + value.len()) as u64);
        self.checksums = self.checksums.wrapping_add(checksum(key, value));
    }

    /// Counts a record no longer.
    pub(super) fn remove(&mut self, key: &[u8], value: &[u8]) {
        self.records = self.records.wrapping_sub(1);
        self.bytes = self.bytes.wrapping_sub((key.len() + value.len()) as u64);
        self.checksums = self.checksums.wrapping_sub(checksum(key, value));
    }

    /// As it is stored.
    pub(super) fn to_bytes(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        let fields = [self.commits, self.records, self.bytes, self.checksums];
        for (target, field) in bytes.chunks_exact_mut(8).zip(fields) {
            target.copy_from_slice(&field.to_le_bytes());
        }
        let own = crc32fast::hash(&bytes[..BYTES - 4]);
        bytes[BYTES - 4..].copy_from_slice(&own.to_le_bytes());
        bytes
    }

    /// From what is stored.
    ///
    /// # Errors
    /// It does not match its checksum.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let Some((fields, own)) = bytes.split_last_chunk::<4>() else {
            return Err(corrupted("it is too short"));
        };
        if fields.len() + 4 != BYTES || crc32fast::hash(fields) != u32::from_le_bytes(*own) {
            return Err(corrupted("its checksum does not match"));
        }
        let mut fields = fields.chunks_exact(8).map(|field| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(field);
            u64::from_le_bytes(bytes)
        });
        let mut next = || fields.next().unwrap_or_default();
        Ok(Tally { commits: next(), records: next(), bytes: next(), checksums: next() })
    }

    /// Compares what was read with what the store says it holds.
    ///
    /// # Errors
    /// A record is missing, is too many, or is not the one that was written last.
    pub(super) fn check(&self, read: Tally) -> Result<()> {
        if self.records != read.records {
            return Err(corrupted(&format!("it counts {} records, {} are there", self.records, read.records)));
        }
        if (self.bytes, self.checksums) != (read.bytes, read.checksums) {
            return Err(corrupted("the records do not add up to it"));
        }
        Ok(())
    }
}

fn checksum(key: &[u8], value: &[u8]) -> u64 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(value);
    u64::from(hasher.finalize())
}

fn corrupted(reason: &str) -> Error {
    Error::Corrupted { key: "tally".into(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_and_an_old_record_are_noticed() {
        let mut written = Tally::default();
        written.add(b"a", b"1");
        written.add(b"b", b"2");
        written.remove(b"a", b"1");
        written.add(b"a", b"3");
        let written = Tally::from_bytes(&written.to_bytes()).unwrap();

        let mut read = Tally::default();
        read.add(b"b", b"2");
        assert!(written.check(read).is_err());
        let mut old = read;
        old.add(b"a", b"1");
        assert!(written.check(old).is_err());
        read.add(b"a", b"3");
        assert!(written.check(read).is_ok());
    }

    #[test]
    fn a_flipped_byte_in_the_tally_is_noticed() {
        let bytes = Tally { commits: 7, records: 3, bytes: 90, checksums: 12 }.to_bytes();
        for at in 0..bytes.len() {
            let mut flipped = bytes;
            flipped[at] ^= 0x10;
            assert!(Tally::from_bytes(&flipped).is_err());
        }
    }
}
