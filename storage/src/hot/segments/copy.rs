//! Reads the whole file of a segment, to copy it.

use std::ops::Range;

use bytes::Bytes;
use catalog::rows::SegmentFile;
use catalog::vfs::{OpenMode, VfsFile};

use super::details::{CheckedRange, SegmentDetails};
use super::{Segments, damaged};
use crate::error::{Error, Result};

/// Bytes that are read and handed on together.
const BLOCK_BYTES: u64 = 1 << 20;

impl Segments {
    /// Gives the bytes of a segment's file to `emit`, in order, and verifies by its checksum what is read again later;
    /// stops when `emit` answers false. What was emitted before an error counts for nothing.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn read_verified(&self, file: &SegmentFile, emit: &mut dyn FnMut(Bytes) -> bool) -> Result<()> {
        let unreadable = |source| Error::SegmentUnreadable { name: file.name.clone(), source };
        let path = self.table_directory(file.table).join(&file.name);
        let opened = self.vfs.open(&path, OpenMode::Existing).map_err(unreadable)?;
        if opened.len().map_err(unreadable)? != file.bytes {
            return Err(damaged(file, "it has another length".to_owned()));
        }
        let details = self.details(file)?;
        let mut next = 0;
        for range in checked_ranges(&details) {
            if range.offset < next || range.offset + range.length > file.bytes {
                return Err(damaged(file, "its parts overlap".to_owned()));
            }
            // Between the checked parts lies what nobody reads.
            let end = range.offset + range.length;
            let read = emit_range(opened.as_ref(), next..range.offset, emit).and_then(|before| match before {
                Some(_) => emit_range(opened.as_ref(), range.offset..end, emit),
                None => Ok(None),
            });
            match read.map_err(unreadable)? {
                None => return Ok(()),
                Some(checksum) if checksum != range.checksum => {
                    return Err(damaged(file, "its checksum does not match".to_owned()));
                }
                Some(_) => next = end,
            }
        }
        emit_range(opened.as_ref(), next..file.bytes, emit).map_err(unreadable)?;
        Ok(())
    }
}

fn checked_ranges(details: &SegmentDetails) -> Vec<CheckedRange> {
    let chunks = details.columns.values().flat_map(|column| column.chunks.iter().copied());
    let mut ranges: Vec<_> = chunks.chain([details.footer]).filter(|range| range.length > 0).collect();
    ranges.sort_by_key(|range| range.offset);
    ranges
}

/// The checksum of the range, or `None` when nobody wants more.
fn emit_range(
    file: &dyn VfsFile,
    range: Range<u64>,
    emit: &mut dyn FnMut(Bytes) -> bool,
) -> std::io::Result<Option<u32>> {
    let mut hasher = crc32fast::Hasher::new();
    let mut next = range.start;
    while next < range.end {
        let mut block = vec![0; (range.end - next).min(BLOCK_BYTES) as usize];
        file.read_at(next, &mut block)?;
        hasher.update(&block);
        next += block.len() as u64;
        if !emit(block.into()) {
            return Ok(None);
        }
    }
    Ok(Some(hasher.finalize()))
}
