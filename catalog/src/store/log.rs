//! The log: where a commit is durable before it is in the store's file.
//!
//! A file of one size, filled with zeros before it is used, so that to flush it writes data and nothing of the file system's
//! own. Each commit is a frame that begins at a sector of its own: no sector that holds an acknowledged commit is written
//! again. Frames are numbered without gaps, and the next one is written when the one before is durable; so where a frame is
//! damaged and one with a higher number is there, that is damage, and otherwise the end.
//!
//! When the store's file has everything, the next frame is written at the beginning again. What is behind it is recognised
//! by its number, which is not higher than that of the last commit in the store's file. Frames begin with a mark that was
//! made at random with the file, so that nobody can have written a row that looks like one.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes};

use crate::error::{Error, Result, file_error};
use crate::store::RecordWrite;
use crate::vfs::{OpenMode, Vfs, VfsFile};

/// What a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;
/// The file begins with this, the mark of its frames, and a checksum over both.
const FORMAT: [u8; 8] = *b"tc.log.1";
/// What frames begin with.
type Mark = [u8; 16];
/// A frame begins with the mark, its number, the length of its content, and a checksum over these two and the content.
const HEADER_BYTES: usize = LENGTH_AT + 2 * size_of::<u32>();
const LENGTH_AT: usize = size_of::<Mark>() + size_of::<u64>();
const CHECKSUM_AT: usize = LENGTH_AT + size_of::<u32>();
/// Bytes that are written at once when the file is made.
const ZEROS_BYTES: usize = 64 * 1024;

/// A log.
#[derive(Debug)]
pub(super) struct Log {
    file: Arc<dyn VfsFile>,
    path: PathBuf,
    mark: Mark,
    capacity: usize,
    /// Where the next frame goes.
    end: usize,
}

/// A commit, as it is in the log.
#[derive(Debug)]
pub(super) struct Frame(Vec<u8>);

/// A commit that was found in the log.
#[derive(Debug)]
pub(super) struct Logged {
    pub(super) number: u64,
    pub(super) writes: Vec<RecordWrite>,
}

/// Why a frame is not known to be durable.
#[derive(Debug)]
pub(super) enum AppendFailure {
    /// It could not be written.
    Write(Error),
    /// Nobody knows what the disk holds.
    Flush(Error),
}

impl Frame {
    /// Bytes that it takes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Log {
    /// Opens the file, or makes it with so many bytes. Its name is durable when the directory has been flushed.
    ///
    /// # Errors
    /// The file cannot be opened or made.
    pub(super) fn open(vfs: &dyn Vfs, path: &Path, capacity: usize) -> Result<Self> {
        if !vfs.exists(path).map_err(|source| file_error("access", path, source))? {
            create(vfs, path, capacity)?;
        }
        let access = |source| file_error("access", path, source);
        let file = vfs.open(path, OpenMode::Existing).map_err(|source| file_error("open", path, source))?;
        file.sync_data().map_err(access)?;
        // What is read is what the disk holds: the process before may have failed to flush the file.
        file.drop_cache().map_err(access)?;
        let capacity = file.len().map_err(access)? as usize;
        let mut first = [0; SECTOR_BYTES];
        if capacity >= first.len() {
            file.read_at(0, &mut first).map_err(access)?;
        }
        let mark = mark_of(&first).ok_or_else(|| damaged(path, "its header does not match its checksum"))?;
        Ok(Log { file, path: path.to_path_buf(), mark, capacity, end: SECTOR_BYTES })
    }

    /// A commit with this number.
    pub(super) fn frame(&self, number: u64, writes: &[RecordWrite]) -> Frame {
        let mut bytes = Vec::with_capacity(SECTOR_BYTES);
        bytes.put_slice(&self.mark);
        bytes.put_u64_le(number);
        bytes.put_bytes(0, HEADER_BYTES - LENGTH_AT);
        writes.iter().for_each(|write| encode(write, &mut bytes));
        let length = (bytes.len() - HEADER_BYTES) as u32;
        bytes[LENGTH_AT..CHECKSUM_AT].copy_from_slice(&length.to_le_bytes());
        let checksum = checksum(&bytes);
        bytes[CHECKSUM_AT..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
        bytes.resize(bytes.len().next_multiple_of(SECTOR_BYTES), 0);
        Frame(bytes)
    }

    /// Bytes that it holds.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Whether there is room for a frame.
    pub(super) fn fits(&self, frame: &Frame) -> bool {
        self.end + frame.len() <= self.capacity
    }

    /// The next frame is written at the beginning: the store's file has all that are there.
    pub(super) fn restart(&mut self) {
        self.end = SECTOR_BYTES;
    }

    /// The commits after the one with the number `last`.
    ///
    /// # Errors
    /// The file cannot be read, or a commit is damaged and not the last one.
    pub(super) fn read(&self, last: u64) -> Result<Vec<Logged>> {
        let mut bytes = vec![0; self.capacity];
        self.file.read_at(0, &mut bytes).map_err(|source| file_error("access", &self.path, source))?;
        let (mut at, mut last) = (SECTOR_BYTES, last);
        let mut found = Vec::new();
        while let Some((number, content)) = self.frame_at(&bytes, at).filter(|(number, _)| *number == last + 1) {
            let writes = decode(content).ok_or_else(|| damaged(&self.path, "a commit cannot be read"))?;
            found.push(Logged { number, writes });
            at += (HEADER_BYTES + content.len()).next_multiple_of(SECTOR_BYTES);
            last = number;
        }
        let mut rest = (at..self.capacity).step_by(SECTOR_BYTES);
        match rest.any(|at| self.frame_at(&bytes, at).is_some_and(|(number, _)| number > last)) {
            true => Err(damaged(&self.path, "a commit is missing before others")),
            false => Ok(found),
        }
    }

    /// Writes a frame for which there is room, and returns when it is durable.
    ///
    /// # Errors
    /// Nothing of it will be there, or nobody knows.
    pub(super) fn append(&mut self, frame: &Frame) -> Result<(), AppendFailure> {
        let written = self.file.write_at(self.end as u64, &frame.0);
        written.map_err(|source| AppendFailure::Write(file_error("write", &self.path, source)))?;
        let flushed = self.file.sync_data();
        flushed.map_err(|source| AppendFailure::Flush(file_error("flush", &self.path, source)))?;
        self.end += frame.len();
        Ok(())
    }

    /// Whether all of a frame is in the file although it could not be written. One that is not can never be found.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn holds(&self, frame: &Frame) -> io::Result<bool> {
        let mut bytes = vec![0; frame.len()];
        self.file.read_at(self.end as u64, &mut bytes)?;
        Ok(bytes == frame.0)
    }

    /// The number and the content of the frame that begins here, if one does.
    fn frame_at<'a>(&self, bytes: &'a [u8], at: usize) -> Option<(u64, &'a [u8])> {
        let frame = bytes.get(at..)?;
        if !frame.starts_with(&self.mark) {
            return None;
        }
        let mut header = frame.get(self.mark.len()..HEADER_BYTES)?;
        let (number, length, expected) = (header.get_u64_le(), header.get_u32_le(), header.get_u32_le());
        let frame = frame.get(..HEADER_BYTES + length as usize)?;
        (checksum(frame) == expected).then_some((number, &frame[HEADER_BYTES..]))
    }
}

fn damaged(path: &Path, reason: &str) -> Error {
    Error::DamagedStore { path: path.display().to_string(), reason: reason.to_owned() }
}

/// Makes an empty log. It gets its name when it is complete.
fn create(vfs: &dyn Vfs, path: &Path, capacity: usize) -> Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    let file = vfs.open(&draft, OpenMode::Create).map_err(|source| file_error("create", &draft, source))?;
    let write = || {
        for offset in (0..capacity).step_by(ZEROS_BYTES) {
            file.write_at(offset as u64, &vec![0; ZEROS_BYTES.min(capacity - offset)])?;
        }
        file.write_at(0, &first_sector(rand::random()))?;
        file.sync_data()
    };
    write().map_err(|source| file_error("write", &draft, source))?;
    vfs.rename(&draft, path).map_err(|source| file_error("rename", &draft, source))
}

fn first_sector(mark: Mark) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(SECTOR_BYTES);
    bytes.put_slice(&FORMAT);
    bytes.put_slice(&mark);
    bytes.put_u32_le(crc32fast::hash(&bytes));
    bytes.resize(SECTOR_BYTES, 0);
    bytes
}

/// The mark that a first sector names, if it is one.
fn mark_of(sector: &[u8]) -> Option<Mark> {
    let mark = sector.get(FORMAT.len()..)?.first_chunk()?;
    (sector == first_sector(*mark)).then_some(*mark)
}

/// Over everything but the mark and the checksum itself.
fn checksum(frame: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&frame[size_of::<Mark>()..CHECKSUM_AT]);
    hasher.update(&frame[HEADER_BYTES..]);
    hasher.finalize()
}

const PUT: u8 = 1;
const REMOVE: u8 = 2;
const REMOVE_ALL: u8 = 3;

fn encode(write: &RecordWrite, bytes: &mut Vec<u8>) {
    let mut put = |kind: u8, key: &[u8], value: &[u8]| {
        bytes.put_u8(kind);
        for part in [key, value] {
            bytes.put_u32_le(part.len() as u32);
            bytes.put_slice(part);
        }
    };
    match write {
        RecordWrite::Put { key, value } => put(PUT, key, value),
        RecordWrite::Remove { key } => put(REMOVE, key, &[]),
        RecordWrite::RemoveAll { prefix } => put(REMOVE_ALL, prefix, &[]),
    }
}

fn decode(mut rest: &[u8]) -> Option<Vec<RecordWrite>> {
    let mut writes = Vec::new();
    while !rest.is_empty() {
        let kind = rest.get_u8();
        let key = part(&mut rest)?.to_vec();
        let value = Bytes::copy_from_slice(part(&mut rest)?);
        writes.push(match kind {
            PUT => RecordWrite::Put { key, value },
            REMOVE => RecordWrite::Remove { key },
            REMOVE_ALL => RecordWrite::RemoveAll { prefix: key },
            _ => return None,
        });
    }
    Some(writes)
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = rest.try_get_u32_le().ok()? as usize;
    let (part, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vfs::SimulatedVfs;

    const PATH: &str = "/log";

    fn open(vfs: &SimulatedVfs) -> Result<Log> {
        Log::open(vfs, Path::new(PATH), 8 * 1024)
    }

    fn write(text: &str) -> Vec<RecordWrite> {
        vec![RecordWrite::Put { key: b"k".to_vec(), value: Bytes::copy_from_slice(text.as_bytes()) }]
    }

    fn numbers(vfs: &SimulatedVfs, last: u64) -> Result<Vec<u64>> {
        Ok(open(vfs)?.read(last)?.iter().map(|logged| logged.number).collect())
    }

    #[test]
    fn the_end_is_told_from_damage() {
        let vfs = SimulatedVfs::new();
        let mut log = open(&vfs).unwrap();
        for number in 1..=3 {
            log.append(&log.frame(number, &write("text"))).unwrap();
        }
        assert_eq!(numbers(&vfs, 0).unwrap(), [1, 2, 3]);
        let flipped = |frame: u64| vfs.with_flipped_byte(Path::new(PATH), SECTOR_BYTES as u64 * frame + 30, 1);
        assert_eq!(numbers(&flipped(3), 0).unwrap(), [1, 2]);
        assert!(matches!(numbers(&flipped(1), 0), Err(Error::DamagedStore { .. })));
        assert!(matches!(numbers(&vfs.with_flipped_byte(Path::new(PATH), 9, 1), 0), Err(Error::DamagedStore { .. })));
        // They belong to a store that has commits which this one has not.
        assert!(matches!(numbers(&vfs, 1), Err(Error::DamagedStore { .. })));
    }

    #[test]
    fn what_was_written_before_the_beginning_was_reached_again_does_not_count() {
        let vfs = SimulatedVfs::new();
        let mut log = open(&vfs).unwrap();
        for number in 1..=5 {
            log.append(&log.frame(number, &write("text"))).unwrap();
        }
        log.restart();
        assert_eq!(numbers(&vfs, 5).unwrap(), Vec::<u64>::new());
        log.append(&log.frame(6, &write("text"))).unwrap();
        assert_eq!(numbers(&vfs, 5).unwrap(), [6]);
    }

    #[test]
    fn a_row_cannot_pass_for_a_commit() {
        let vfs = SimulatedVfs::new();
        let mut log = open(&vfs).unwrap();
        // What is found where the next commit would be, but with a mark that somebody has guessed.
        let mut forged = log.frame(2, &write("forged")).0;
        forged[..size_of::<Mark>()].copy_from_slice(&[7; 16]);
        log.append(&log.frame(1, &write("text"))).unwrap();
        log.append(&Frame(forged)).unwrap();
        assert_eq!(numbers(&vfs, 0).unwrap(), [1]);
    }
}
