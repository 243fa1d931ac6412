//! The keys of a segment in a file: their hashes in order, each with the row that has it.
//!
//! Entries are in blocks of one page, each with a checksum; behind them is the first hash of every block, which is kept in
//! memory, so that looking for a key reads one page. The file is derived from the segment: it is not flushed, and one that
//! is not whole is made again.

use std::io;
use std::sync::Arc;

use catalog::vfs::VfsFile;

use super::Candidate;

/// Changes with the layout and with the hash of keys.
const FORMAT: u64 = u64::from_le_bytes(*b"tckeys01");
const BLOCK_BYTES: usize = 4096;
const ENTRY_BYTES: usize = size_of::<u64>() + size_of::<u32>();
const CHECKSUM_BYTES: usize = size_of::<u32>();
/// Entries of a block.
const BLOCK_ENTRIES: usize = (BLOCK_BYTES - CHECKSUM_BYTES) / ENTRY_BYTES;
/// Format, rows of the segment, entries, checksum of all that is behind the blocks.
const TAIL_BYTES: usize = 8 + 4 + 8 + CHECKSUM_BYTES;
/// Bytes that are collected before they are written.
const BUFFER_BLOCKS: usize = 256;

/// Hashes and rows, on the way to a file.
#[derive(Debug)]
pub(super) struct RunBuilder {
    rows: u32,
    entries: Vec<(u64, u32)>,
}

impl RunBuilder {
    /// Of a segment of so many rows.
    pub(super) fn new(rows: u32) -> Self {
        RunBuilder { rows, entries: Vec::with_capacity(rows as usize) }
    }

    /// Adds hashes with their rows.
    pub(super) fn extend(&mut self, entries: impl Iterator<Item = (u64, u32)>) {
        self.entries.extend(entries);
    }

    /// Writes them into an empty file.
    pub(super) fn write(mut self, file: &dyn VfsFile) -> io::Result<()> {
        self.entries.sort_unstable();
        let mut fences = Vec::with_capacity(self.entries.len().div_ceil(BLOCK_ENTRIES) * size_of::<u64>());
        for blocks in self.entries.chunks(BLOCK_ENTRIES * BUFFER_BLOCKS) {
            let mut buffer = Vec::with_capacity(BUFFER_BLOCKS * BLOCK_BYTES);
            for block in blocks.chunks(BLOCK_ENTRIES) {
                fences.extend(block[0].0.to_le_bytes());
                buffer.extend(encode_block(block));
            }
            file.append(&buffer)?;
        }
        let mut trailer = fences;
        trailer.extend(FORMAT.to_le_bytes());
        trailer.extend(self.rows.to_le_bytes());
        trailer.extend((self.entries.len() as u64).to_le_bytes());
        trailer.extend(crc32fast::hash(&trailer).to_le_bytes());
        file.append(&trailer)
    }
}

fn encode_block(entries: &[(u64, u32)]) -> Vec<u8> {
    let mut block = Vec::with_capacity(BLOCK_BYTES);
    for (hash, row) in entries {
        block.extend(hash.to_le_bytes());
        block.extend(row.to_le_bytes());
    }
    block.resize(BLOCK_BYTES - CHECKSUM_BYTES, 0);
    block.extend(crc32fast::hash(&block).to_le_bytes());
    block
}

/// A file of hashes, opened.
#[derive(Debug)]
pub(super) struct Run {
    file: Arc<dyn VfsFile>,
    /// The first hash of each block.
    fences: Vec<u64>,
    entries: u64,
}

impl Run {
    /// Opens the file of a segment of so many rows.
    ///
    /// # Errors
    /// It cannot be read, or is not whole.
    pub(super) fn open(file: Arc<dyn VfsFile>, rows: u32) -> io::Result<Self> {
        let length = file.len()?;
        let tail_at = length.checked_sub(TAIL_BYTES as u64).ok_or_else(|| wrong("it is too short"))?;
        let mut tail = [0; TAIL_BYTES];
        file.read_at(tail_at, &mut tail)?;
        let format = u64::from_le_bytes(part(&tail, 0)?);
        let of_rows = u32::from_le_bytes(part(&tail, 8)?);
        let entries = u64::from_le_bytes(part(&tail, 12)?);
        let blocks = entries.div_ceil(BLOCK_ENTRIES as u64);
        let fences_at = blocks * BLOCK_BYTES as u64;
        if format != FORMAT || of_rows != rows || entries > u64::from(rows) || fences_at + blocks * 8 != tail_at {
            return Err(wrong("it is of another segment or format"));
        }
        let mut trailer = vec![0; (length - fences_at) as usize];
        file.read_at(fences_at, &mut trailer)?;
        check(&trailer)?;
        let fences = trailer.chunks_exact(8).take(blocks as usize);
        let fences = fences.map(|bytes| part(bytes, 0).map(u64::from_le_bytes)).collect::<io::Result<_>>()?;
        Ok(Run { file, fences, entries })
    }

    /// Bytes of memory that it takes.
    pub(super) fn memory_bytes(&self) -> u64 {
        (size_of::<Self>() + self.fences.len() * size_of::<u64>()) as u64
    }

    /// The rows that have one of the hashes, which are in order.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub(super) fn find(&self, hashes: &[u64]) -> io::Result<Vec<Candidate>> {
        let mut found = Vec::new();
        let mut block: Option<(usize, Vec<(u64, u32)>)> = None;
        for (place, hash) in hashes.iter().enumerate() {
            // Entries with this hash begin in the last block whose first hash is smaller, or in the one behind it.
            let mut number = self.fences.partition_point(|first| first < hash).saturating_sub(1);
            while self.fences.get(number).is_some_and(|first| first <= hash) {
                let (_, entries) = match block.take() {
                    Some(known) if known.0 == number => block.insert(known),
                    _ => block.insert((number, self.block(number)?)),
                };
                let from = entries.partition_point(|(known, _)| known < hash);
                let same = entries[from..].iter().take_while(|(known, _)| known == hash);
                found.extend(same.map(|(_, row)| Candidate { place, row: *row }));
                number += 1;
            }
        }
        Ok(found)
    }

    fn block(&self, number: usize) -> io::Result<Vec<(u64, u32)>> {
        let mut bytes = vec![0; BLOCK_BYTES];
        self.file.read_at((number * BLOCK_BYTES) as u64, &mut bytes)?;
        check(&bytes)?;
        let before = number as u64 * BLOCK_ENTRIES as u64;
        let count = (self.entries - before).min(BLOCK_ENTRIES as u64) as usize;
        let entry = |bytes: &[u8]| Ok((u64::from_le_bytes(part(bytes, 0)?), u32::from_le_bytes(part(bytes, 8)?)));
        bytes.chunks_exact(ENTRY_BYTES).take(count).map(entry).collect()
    }
}

/// That bytes end with the checksum of those before it.
fn check(bytes: &[u8]) -> io::Result<()> {
    let split = bytes.len().checked_sub(CHECKSUM_BYTES).ok_or_else(|| wrong("it is too short"))?;
    if crc32fast::hash(&bytes[..split]) != u32::from_le_bytes(part(bytes, split)?) {
        return Err(wrong("a checksum does not match"));
    }
    Ok(())
}

fn part<const LENGTH: usize>(bytes: &[u8], from: usize) -> io::Result<[u8; LENGTH]> {
    let part = bytes.get(from..from + LENGTH).and_then(|part| part.try_into().ok());
    part.ok_or_else(|| wrong("it is too short"))
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use catalog::vfs::{OpenMode, SimulatedVfs, Vfs};
    use std::path::Path;

    fn written(entries: &[(u64, u32)], rows: u32) -> Arc<dyn VfsFile> {
        let file = SimulatedVfs::new().open(Path::new("/run"), OpenMode::Create).unwrap();
        let mut builder = RunBuilder::new(rows);
        builder.extend(entries.iter().copied());
        builder.write(file.as_ref()).unwrap();
        file
    }

    fn rows(run: &Run, hash: u64) -> Vec<u32> {
        run.find(&[hash]).unwrap().into_iter().map(|candidate| candidate.row).collect()
    }

    #[test]
    fn every_entry_is_found_and_nothing_else() {
        let entries: Vec<(u64, u32)> =
            (0..10_000).map(|row| (u64::from(row).wrapping_mul(0x9e37_79b9_7f4a_7c15), row)).collect();
        let run = Run::open(written(&entries, 10_000), 10_000).unwrap();
        for (hash, row) in &entries {
            assert_eq!(rows(&run, *hash), [*row]);
            assert!(rows(&run, hash ^ 1).is_empty());
        }
        let mut hashes: Vec<u64> = entries.iter().map(|(hash, _)| *hash).collect();
        hashes.sort_unstable();
        assert_eq!(run.find(&hashes).unwrap().len(), 10_000);
        assert!(
            rows(&run, u64::MAX).is_empty() && Run::open(written(&[], 5), 5).unwrap().find(&[7]).unwrap().is_empty()
        );
    }

    #[test]
    fn many_rows_with_one_hash_may_fill_several_blocks() {
        let entries: Vec<(u64, u32)> = (0..2_000).map(|row| (u64::from(row / 1000) * 5 + 1, row)).collect();
        let run = Run::open(written(&entries, 2_000), 2_000).unwrap();
        assert_eq!(rows(&run, 1), (0..1000).collect::<Vec<_>>());
        assert_eq!(rows(&run, 6), (1000..2000).collect::<Vec<_>>());
        assert!([0, 2, 5, 7].iter().all(|hash| rows(&run, *hash).is_empty()));
    }

    #[test]
    fn a_flipped_byte_is_an_error_or_harmless() {
        let entries: Vec<(u64, u32)> = (0..500).map(|row| (u64::from(row) << 50, row)).collect();
        let file = written(&entries, 500);
        let length = file.len().unwrap();
        for at in (0..length).step_by(7) {
            let mut byte = [0];
            file.read_at(at, &mut byte).unwrap();
            file.write_at(at, &[byte[0] ^ 0x10]).unwrap();
            if let Ok(run) = Run::open(file.clone(), 500) {
                for (hash, row) in &entries {
                    if let Ok(found) = run.find(&[*hash]) {
                        assert_eq!(found, [Candidate { place: 0, row: *row }], "byte {at}");
                    }
                }
            }
            file.write_at(at, &byte).unwrap();
        }
        assert!(Run::open(file.clone(), 499).is_err());
        file.set_len(length - 1).unwrap();
        assert!(Run::open(file, 500).is_err());
    }
}
