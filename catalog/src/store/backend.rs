//! The file under redb.
//!
//! Three things are added to what redb asks for. Its header is sealed and kept twice: redb has checksums of its pages and of
//! its commit slots, but not of the flags that say which slot counts, and one flipped bit there would bring back an earlier
//! commit without an error. Beside it stands how many commits have been durable: redb takes a commit that is damaged for one
//! that was never finished, and goes back to the one before; that one is missing is seen by the count. And space is
//! reserved before a commit begins, because redb can do nothing more with a file once a write to it has failed.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::vfs::{VfsFile, is_disk_full};

/// The header and its seal are in the first sector, and again in the second one. redb uses neither's rest, nor the second.
const SECTOR_BYTES: usize = 512;
/// Where the seal is: a mark, then a checksum over everything before it.
const SEAL_OFFSET: usize = SECTOR_BYTES - SEAL_MARK.len() - 4;
const SEAL_MARK: [u8; 8] = *b"tc.seal1";
/// Where it is said how many commits have been durable, in the third sector: a mark, the number, a checksum over both.
const DURABLE_OFFSET: u64 = 2 * SECTOR_BYTES as u64;
const DURABLE_MARK: [u8; 8] = *b"tc.done1";
const DURABLE_BYTES: usize = DURABLE_MARK.len() + size_of::<u64>() + size_of::<u32>();
/// The byte of redb's header whose bit [`UNCLEAN_BIT`] says that the file was not closed.
const FLAGS_OFFSET: usize = 9;
const UNCLEAN_BIT: u8 = 2;

/// Space is reserved in steps of this size: reserving is a flush of the file system's own, and not for every commit.
const RESERVE_STEP_BYTES: u64 = 8 * 1024 * 1024;
/// What an ordinary commit must leave reserved, so that tables can still be dropped when the disk is full: to remove a
/// record, redb may have to copy large ones beside it.
pub(super) const RESERVE_KEPT_BYTES: u64 = 8 * 1024 * 1024;

/// The file under redb, as redb uses it.
#[derive(Debug)]
pub(super) struct Backend {
    file: Arc<StoreFile>,
}

/// The file under redb, as the store uses it.
#[derive(Debug)]
pub(super) struct StoreFile {
    file: Arc<dyn VfsFile>,
    sync_failed: AtomicBool,
    extent: Mutex<Extent>,
}

/// How far the file is in use, and how far there is space for it on the disk.
#[derive(Debug, Clone, Copy)]
struct Extent {
    length: u64,
    used: u64,
    reserved: u64,
    /// Some file systems cannot reserve space.
    can_reserve: bool,
}

/// What a file's first sector says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    /// There is none yet.
    Empty,
    /// The file was closed.
    Clean,
    /// The process that had it open ended without closing it.
    Unclean,
    /// Neither copy of the header matches its seal.
    Damaged,
}

impl StoreFile {
    /// The file, of which nothing is known yet.
    ///
    /// # Errors
    /// Its length cannot be told.
    pub(super) fn new(file: Arc<dyn VfsFile>) -> io::Result<Self> {
        let length = file.len()?;
        let extent = Extent { length, used: length, reserved: 0, can_reserve: true };
        Ok(StoreFile { file, sync_failed: AtomicBool::new(false), extent: Mutex::new(extent) })
    }

    /// The same file for redb.
    pub(super) fn backend(self: &Arc<Self>) -> Backend {
        Backend { file: self.clone() }
    }

    /// Whether a flush has failed: nobody knows what is on the disk.
    pub(super) fn sync_failed(&self) -> bool {
        self.sync_failed.load(Ordering::Acquire)
    }

    /// Reads the header. When the first copy was torn or damaged, the second one takes its place: both are written at once,
    /// so it is as new as the last flush or newer.
    ///
    /// # Errors
    /// The file cannot be read or mended.
    pub(super) fn header(&self) -> io::Result<Header> {
        let mut copies = [0; 2 * SECTOR_BYTES];
        match self.file.len()? {
            0 => return Ok(Header::Empty),
            len if len < copies.len() as u64 => return Ok(Header::Damaged),
            _ => self.file.read_at(0, &mut copies)?,
        }
        let (first, second) = copies.split_at(SECTOR_BYTES);
        // Files of before there was a seal have zeros there.
        let unsealed = copies[SEAL_OFFSET..].iter().all(|byte| *byte == 0);
        let flags = if unsealed || is_sealed(first) {
            first[FLAGS_OFFSET]
        } else if is_sealed(second) {
            self.file.write_at(0, second)?;
            self.sync()?;
            second[FLAGS_OFFSET]
        } else {
            return Ok(Header::Damaged);
        };
        Ok(if flags & UNCLEAN_BIT == 0 { Header::Clean } else { Header::Unclean })
    }

    /// Notes that so many commits are durable. It is not flushed: who reads it after the process was killed finds it, and after
    /// a power loss an older one will do, or none.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn note_durable(&self, commits: u64) -> io::Result<()> {
        let mut note = Vec::with_capacity(DURABLE_BYTES);
        note.extend(DURABLE_MARK);
        note.extend(commits.to_le_bytes());
        note.extend(crc32fast::hash(&note).to_le_bytes());
        self.file.write_at(DURABLE_OFFSET, &note)
    }

    /// How many commits were durable at least; `None` when nothing is known.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn noted_durable(&self) -> io::Result<Option<u64>> {
        let mut note = [0; DURABLE_BYTES];
        if self.file.len()? < DURABLE_OFFSET + DURABLE_BYTES as u64 {
            return Ok(None);
        }
        self.file.read_at(DURABLE_OFFSET, &mut note)?;
        let (noted, checksum) = note.split_at(DURABLE_BYTES - size_of::<u32>());
        let is_whole = noted.starts_with(&DURABLE_MARK) && crc32fast::hash(noted).to_le_bytes() == checksum;
        let commits = noted[DURABLE_MARK.len()..].try_into().map(u64::from_le_bytes).ok();
        Ok(commits.filter(|_| is_whole))
    }

    /// Makes sure that what is read is what the disk holds. The process before this one may have failed to flush the file,
    /// even when it closed it: its data are in memory then, count as written, and would be gone after a power loss although
    /// they had been served, or built upon.
    ///
    /// # Errors
    /// The file cannot be flushed.
    pub(super) fn settle(&self) -> io::Result<()> {
        self.sync()?;
        self.file.drop_cache()
    }

    /// Sees to it that the file can grow by `bytes` and `keep` are left reserved then. True when that is so, or when the
    /// file system reserves nothing; false when there is no space.
    ///
    /// # Errors
    /// The file system failed otherwise.
    pub(super) fn reserve(&self, bytes: u64, keep: u64) -> io::Result<bool> {
        let mut extent = self.extent();
        let wanted = extent.used.saturating_add(bytes).saturating_add(keep);
        if !extent.can_reserve || wanted <= extent.reserved {
            return Ok(true);
        }
        // With little space left, just what is needed may still fit; or else what is in use, which tells how much room there
        // is inside.
        for target in [wanted.next_multiple_of(RESERVE_STEP_BYTES), wanted, extent.used] {
            match self.file.allocate(target) {
                Ok(()) => {
                    extent.reserved = extent.reserved.max(target);
                    return Ok(target >= wanted);
                }
                Err(error) if is_disk_full(&error) => {}
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                    extent.can_reserve = false;
                    return Ok(true);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// How many bytes from the start are in the file and have their space on the disk.
    pub(super) fn reserved(&self) -> u64 {
        let extent = self.extent();
        extent.reserved.min(extent.length)
    }

    fn extent(&self) -> MutexGuard<'_, Extent> {
        self.extent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sync(&self) -> io::Result<()> {
        let synced = self.file.sync_data();
        if synced.is_err() {
            self.sync_failed.store(true, Ordering::Release);
        }
        synced
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if offset == 0 {
            return self.write_header(data);
        }
        self.file.write_at(offset, data)?;
        let mut extent = self.extent();
        extent.used = extent.used.max(offset + data.len() as u64);
        extent.length = extent.length.max(extent.used);
        Ok(())
    }

    fn write_header(&self, header: &[u8]) -> io::Result<()> {
        if header.len() > SEAL_OFFSET {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "redb's header is longer than expected"));
        }
        let mut sector = [0; SECTOR_BYTES];
        sector[..header.len()].copy_from_slice(header);
        let seal = seal_of(&sector[..SEAL_OFFSET]);
        sector[SEAL_OFFSET..].copy_from_slice(&seal);
        self.file.write_at(0, &[sector, sector].concat())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)?;
        let mut extent = self.extent();
        if len <= extent.length {
            // File systems give back what was reserved behind the end.
            extent.reserved = extent.reserved.min(len);
            extent.used = extent.used.min(len);
        }
        extent.length = len;
        Ok(())
    }
}

fn is_sealed(sector: &[u8]) -> bool {
    let (sealed, seal) = sector.split_at(SEAL_OFFSET);
    *seal == seal_of(sealed)
}

fn seal_of(sealed: &[u8]) -> [u8; SECTOR_BYTES - SEAL_OFFSET] {
    let mut seal = [0; SECTOR_BYTES - SEAL_OFFSET];
    seal[..SEAL_MARK.len()].copy_from_slice(&SEAL_MARK);
    seal[SEAL_MARK.len()..].copy_from_slice(&crc32fast::hash(sealed).to_le_bytes());
    seal
}

impl redb::StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.file.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.file.read_at(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write(offset, data)
    }
}
