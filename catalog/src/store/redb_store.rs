//! Records in one redb file.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{Database, ReadableDatabase, ReadableTable, Table, TableDefinition};
use tracing::{info, warn};

use crate::error::{Error, Result, file_error};
use crate::store::backend::{Header, RESERVE_KEPT_BYTES, StoreFile};
use crate::store::tally::Tally;
use crate::store::{CommitFailure, CommitStore, RecordVisitor, RecordWrite};
use crate::vfs::{OpenMode, Vfs, is_disk_full};

const RECORDS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("records");
const TALLY: TableDefinition<(), &[u8]> = TableDefinition::new("tally");

/// Bytes of pages that redb keeps in memory. Records are read once, at the start, so a large cache would hold what the
/// snapshot holds already.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// What a commit may need besides its records: redb's own tables, and the copies of the pages above a record.
pub(super) const COMMIT_BYTES: u64 = 256 * 1024;
/// What a record that is written may need besides its bytes.
const WRITE_BYTES: u64 = 8 * 1024;
/// What a record that is removed may need; neighbours share their pages.
const REMOVE_BYTES: u64 = 256;

/// A commit store in one redb file. Whether its last commit is there is seen by its number, see
/// [`LoggedStore`](crate::store::LoggedStore).
#[derive(Debug)]
pub struct RedbStore {
    vfs: Arc<dyn Vfs>,
    path: PathBuf,
    /// Absent after a failed attempt to open the file again.
    opened: Option<Opened>,
}

/// The open file.
#[derive(Debug)]
struct Opened {
    database: Database,
    file: Arc<StoreFile>,
    /// As the last commit left it; `None` in a store that was written before there was one.
    tally: Option<Tally>,
    room: Room,
}

/// Room for records in the pages that redb does not use.
#[derive(Debug, Clone, Copy, Default)]
struct Room {
    bytes: u64,
    /// The last commit before it was measured, if it was.
    measured_after: Option<u64>,
}

impl RedbStore {
    /// Opens the file, or makes it, and verifies every page of it.
    ///
    /// # Errors
    /// The file cannot be opened, is no redb file, or is damaged.
    pub fn open(vfs: Arc<dyn Vfs>, path: &Path) -> Result<Self> {
        if !vfs.exists(path).map_err(|source| file_error("access", path, source))? {
            create(vfs.as_ref(), path)?;
        }
        // Also when it was there: the process that made it may have been killed before it came to this.
        let directory = path.parent().unwrap_or(Path::new(""));
        vfs.sync_dir(directory).map_err(|source| file_error("flush directory", directory, source))?;
        let opened = Opened::open(vfs.as_ref(), path)?;
        Ok(RedbStore { vfs, path: path.to_path_buf(), opened: Some(opened) })
    }

    fn opened(&self) -> Result<&Opened> {
        self.opened.as_ref().ok_or_else(|| closed(&self.path))
    }

    /// Whether there is space for a commit. It is asked before, because redb could not go on after a failed write.
    fn has_space_for(&mut self, writes: &[RecordWrite]) -> Result<bool> {
        let path = &self.path;
        let opened = self.opened.as_mut().ok_or_else(|| closed(path))?;
        let needed = write_bytes(writes) + COMMIT_BYTES;
        let written: u64 = writes.iter().map(RecordWrite::value_bytes).sum();
        // What makes room must be possible on a full disk: it may use what others must leave, and is tried in any case.
        let makes_room = writes.iter().any(RecordWrite::removes) && written <= COMMIT_BYTES;
        let keep = if makes_room { 0 } else { RESERVE_KEPT_BYTES };
        Ok(opened.reserve(path, needed, keep)? || makes_room || opened.has_room_inside(path, needed, keep)?)
    }

    /// The number of the last commit.
    pub(super) fn commits(&self) -> u64 {
        self.opened.as_ref().and_then(|opened| opened.tally).unwrap_or_default().commits
    }

    /// How many commits have been durable at least, here or elsewhere; `None` when nothing is known.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn noted_durable(&self) -> Result<Option<u64>> {
        let noted = self.opened()?.file.noted_durable();
        noted.map_err(|source| file_error("access", &self.path, source))
    }

    /// Notes that so many commits are durable, here or elsewhere.
    pub(super) fn note_durable(&self, commits: u64) {
        let noted = self.opened.as_ref().map_or(Ok(()), |opened| opened.file.note_durable(commits));
        if let Err(error) = noted {
            // They are durable all the same.
            warn!(%error, "it could not be noted that a commit is durable");
        }
    }

    /// Reserves space for commits to come. Whether it is there, with what must be left.
    ///
    /// # Errors
    /// The file system failed otherwise.
    pub(super) fn reserve(&self, needed: u64) -> Result<bool> {
        self.opened()?.reserve(&self.path, needed, RESERVE_KEPT_BYTES)
    }

    /// Commits if there is space; the commit has this number, which is higher than that of the one before.
    ///
    /// # Errors
    /// As [`CommitStore::commit`].
    pub(super) fn commit_as(&mut self, writes: &[RecordWrite], number: u64) -> Result<(), CommitFailure> {
        match self.has_space_for(writes) {
            Ok(true) => self.commit_reserved(writes, number),
            Ok(false) => Err(CommitFailure::Refused(disk_full(&self.path))),
            Err(failure) => self.after_failure(failure, number),
        }
    }

    /// As [`commit_as`](Self::commit_as), where the space has been reserved.
    ///
    /// # Errors
    /// As [`CommitStore::commit`].
    pub(super) fn commit_reserved(&mut self, writes: &[RecordWrite], number: u64) -> Result<(), CommitFailure> {
        self.write(writes, number).or_else(|failure| self.after_failure(failure, number))
    }

    /// What a failed commit means for its writers.
    fn after_failure(&mut self, failure: Error, number: u64) -> Result<(), CommitFailure> {
        let sync_failed = self.opened.as_ref().is_none_or(|opened| opened.file.sync_failed());
        if sync_failed || matches!(failure, Error::DamagedStore { .. }) {
            return Err(CommitFailure::InDoubt(failure));
        }
        self.reopen(failure, number)
    }

    /// After a failed write and before any failed flush: opens the file again and looks what is there.
    fn reopen(&mut self, failure: Error, number: u64) -> Result<(), CommitFailure> {
        warn!(error = %failure, "a commit failed, the commit store is opened again");
        let Some(Opened { database, file, tally, .. }) = self.opened.take() else {
            return Err(CommitFailure::InDoubt(failure));
        };
        let before = tally.unwrap_or_default();
        drop(database);
        if file.sync_failed() {
            return Err(CommitFailure::InDoubt(failure));
        }
        let opened = Opened::open(self.vfs.as_ref(), &self.path).map_err(CommitFailure::InDoubt)?;
        let after = opened.tally.unwrap_or_default();
        opened.load(&self.path, &mut |_, _| Ok(())).map_err(CommitFailure::InDoubt)?;
        self.opened = Some(opened);
        if after == before {
            return Err(CommitFailure::Refused(failure));
        }
        // redb writes more after the flush that makes a commit durable.
        if after.commits == number {
            info!("the failed commit turned out to be durable");
            return Ok(());
        }
        Err(CommitFailure::InDoubt(failure))
    }

    fn write(&mut self, writes: &[RecordWrite], number: u64) -> Result<()> {
        let path = &self.path;
        let opened = self.opened.as_mut().ok_or_else(|| closed(path))?;
        opened.tally = Some(unpanicked(path, || opened.write(path, writes, number))?);
        self.note_durable(number);
        Ok(())
    }
}

impl CommitStore for RedbStore {
    fn load(&self, visit: &mut RecordVisitor<'_>) -> Result<()> {
        self.opened()?.load(&self.path, visit)
    }

    fn commit(&mut self, writes: &[RecordWrite]) -> Result<(), CommitFailure> {
        self.commit_as(writes, self.commits().wrapping_add(1))
    }
}

/// Makes an empty store. It gets its name when it is complete, so that a crash on the way leaves nothing that looks like
/// a damaged one.
fn create(vfs: &dyn Vfs, path: &Path) -> Result<()> {
    let draft = path.with_extension("new");
    if vfs.exists(&draft).map_err(|source| file_error("access", &draft, source))? {
        vfs.remove_file(&draft).map_err(|source| file_error("remove", &draft, source))?;
    }
    let file = vfs.open(&draft, OpenMode::Create).map_err(|source| file_error("create", &draft, source))?;
    let file = StoreFile::new(file).map_err(|source| file_error("access", &draft, source))?;
    let file = Arc::new(file);
    drop(builder().create_with_backend(file.backend()).map_err(|error| store_error(&draft, error))?);
    // redb closes a file as well as it can and does not say how that went.
    let header = file.header().map_err(|source| file_error("access", &draft, source))?;
    if file.sync_failed() || header != Header::Clean {
        return Err(file_error("create", &draft, std::io::Error::other("the new file could not be flushed")));
    }
    vfs.rename(&draft, path).map_err(|source| file_error("rename", &draft, source))
}

fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

impl Opened {
    /// Opens a file that is there. Every page is verified: when the file was not closed, redb does it to find out which
    /// pages are in use; otherwise it would trust what it left, so that it is asked to.
    fn open(vfs: &dyn Vfs, path: &Path) -> Result<Self> {
        let access = |source| file_error("access", path, source);
        let file = vfs.open(path, OpenMode::Existing).map_err(|source| file_error("open", path, source))?;
        let file = Arc::new(StoreFile::new(file).map_err(access)?);
        file.settle().map_err(access)?;
        if matches!(file.header().map_err(access)?, Header::Empty | Header::Damaged) {
            return Err(damaged_header(path));
        }
        let database = unpanicked(path, || open_verified(path, &file))?;
        let mut opened = Opened { database, file, tally: None, room: Room::default() };
        opened.tally = unpanicked(path, || opened.read_tally(path))?;
        Ok(opened)
    }

    fn read_tally(&self, path: &Path) -> Result<Option<Tally>> {
        let transaction = self.database.begin_read().map_err(|error| store_error(path, error))?;
        let table = match transaction.open_table(TALLY) {
            Ok(table) => table,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(store_error(path, error)),
        };
        let stored = table.get(()).map_err(|error| store_error(path, error))?;
        stored.map(|bytes| Tally::from_bytes(bytes.value())).transpose()
    }

    fn load(&self, path: &Path, visit: &mut RecordVisitor<'_>) -> Result<()> {
        let transaction = self.database.begin_read().map_err(|error| store_error(path, error))?;
        let mut read = Tally::default();
        match transaction.open_table(RECORDS) {
            Ok(table) => {
                for entry in table.iter().map_err(|error| store_error(path, error))? {
                    let (key, value) = entry.map_err(|error| store_error(path, error))?;
                    read.add(key.value(), value.value());
                    visit(key.value(), value.value())?;
                }
            }
            Err(redb::TableError::TableDoesNotExist(_)) => {}
            Err(error) => return Err(store_error(path, error)),
        }
        self.tally.map_or(Ok(()), |written| written.check(read))
    }

    fn reserve(&self, path: &Path, needed: u64, keep: u64) -> Result<bool> {
        self.file.reserve(needed, keep).map_err(|source| file_error("reserve space in", path, source))
    }

    /// Whether so much fits into the file as it is: it does not shrink when records are removed. To measure that takes a
    /// walk through the file, so it is done once after a commit, and only when nothing else helps.
    fn has_room_inside(&mut self, path: &Path, needed: u64, keep: u64) -> Result<bool> {
        // redb needs pages that lie together, and gives back those of a commit only after the next one.
        let taken = needed.saturating_mul(2);
        let wanted = taken.saturating_add(keep);
        let last_commit = Some(self.tally.unwrap_or_default().commits);
        if self.room.bytes < wanted && self.room.measured_after != last_commit {
            let bytes = unpanicked(path, || self.measure_room(path))?;
            self.room = Room { bytes, measured_after: last_commit };
            // The file may have become shorter on the way.
            if self.reserve(path, needed, keep)? {
                return Ok(true);
            }
        }
        let fits = self.room.bytes >= wanted;
        if fits {
            self.room.bytes -= taken;
        }
        Ok(fits)
    }

    fn measure_room(&self, path: &Path) -> Result<u64> {
        // A commit of nothing, so that redb may use again what the last one freed.
        self.begin_write(path)?.commit().map_err(|error| store_error(path, error))?;
        let transaction = self.begin_write(path)?;
        let stats = transaction.stats().map_err(|error| store_error(path, error))?;
        transaction.abort().map_err(|error| store_error(path, error))?;
        let used = stats.allocated_pages().saturating_mul(stats.page_size() as u64);
        Ok(self.file.reserved().saturating_sub(used))
    }

    fn begin_write(&self, path: &Path) -> Result<redb::WriteTransaction> {
        self.database.begin_write().map_err(|error| store_error(path, error))
    }

    /// Writes and flushes; what the store then says about itself.
    fn write(&self, path: &Path, writes: &[RecordWrite], number: u64) -> Result<Tally> {
        let transaction = self.begin_write(path)?;
        let mut tally = match self.tally {
            Some(tally) => tally,
            None => self.count(path)?,
        };
        tally.commits = number;
        {
            let mut table = transaction.open_table(RECORDS).map_err(|error| store_error(path, error))?;
            for write in writes {
                apply(&mut table, write, &mut tally).map_err(|error| store_error(path, error))?;
            }
            let mut table = transaction.open_table(TALLY).map_err(|error| store_error(path, error))?;
            table.insert((), tally.to_bytes().as_slice()).map_err(|error| store_error(path, error))?;
        }
        // redb's default durability is Immediate: `commit` returns after the file was flushed.
        transaction.commit().map_err(|error| store_error(path, error))?;
        Ok(tally)
    }

    /// The tally of a store that has none yet.
    fn count(&self, path: &Path) -> Result<Tally> {
        let mut tally = Tally::default();
        self.load(path, &mut |key, value| {
            tally.add(key, value);
            Ok(())
        })?;
        Ok(tally)
    }
}

fn open_verified(path: &Path, file: &Arc<StoreFile>) -> Result<Database> {
    let verified = Arc::new(AtomicBool::new(false));
    let mut builder = builder();
    builder.set_repair_callback({
        let verified = verified.clone();
        move |_| verified.store(true, Ordering::Relaxed)
    });
    let mut database = builder.create_with_backend(file.backend()).map_err(|error| store_error(path, error))?;
    if !verified.load(Ordering::Relaxed) {
        let clean = database.check_integrity().map_err(|error| store_error(path, error))?;
        if !clean {
            warn!(path = %path.display(), "the commit store's list of free pages was wrong and was made anew");
        }
    }
    Ok(database)
}

/// Runs what reads a file that may be damaged. redb verifies a page before it uses what is in it, but not in all places,
/// and then panics.
fn unpanicked<T>(path: &Path, run: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let reason = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("redb panicked");
        Err(Error::DamagedStore { path: path.display().to_string(), reason: reason.to_owned() })
    })
}

/// Does what a commit asks for, and counts it.
fn apply(
    table: &mut Table<'_, &'static [u8], &'static [u8]>,
    write: &RecordWrite,
    tally: &mut Tally,
) -> Result<(), redb::StorageError> {
    match write {
        RecordWrite::Put { key, value } => {
            if let Some(old) = table.insert(key.as_slice(), value.as_ref())? {
                tally.remove(key, old.value());
            }
            tally.add(key, value);
        }
        RecordWrite::Remove { key } => {
            if let Some(old) = table.remove(key.as_slice())? {
                tally.remove(key, old.value());
            }
        }
        RecordWrite::RemoveAll { prefix } => {
            for key in keys_with(table, prefix)? {
                if let Some(old) = table.remove(key.as_slice())? {
                    tally.remove(&key, old.value());
                }
            }
        }
    }
    Ok(())
}

/// The keys that begin so: they are together, and the first of them is the first that is not less than their beginning.
fn keys_with(
    table: &Table<'_, &'static [u8], &'static [u8]>,
    prefix: &[u8],
) -> Result<Vec<Vec<u8>>, redb::StorageError> {
    let mut keys = Vec::new();
    for entry in table.range::<&[u8]>(prefix..)? {
        let (key, _) = entry?;
        if !key.value().starts_with(prefix) {
            break;
        }
        keys.push(key.value().to_vec());
    }
    Ok(keys)
}

/// What the file may grow by for these, besides what a commit needs; rather too much than too little.
pub(super) fn write_bytes(writes: &[RecordWrite]) -> u64 {
    let of_write = |write: &RecordWrite| match write {
        // redb rounds what a large record takes up to a power of two.
        RecordWrite::Put { key, value } => ((key.len() + value.len()) as u64).next_power_of_two() + WRITE_BYTES,
        RecordWrite::Remove { .. } | RecordWrite::RemoveAll { .. } => REMOVE_BYTES,
    };
    writes.iter().map(of_write).sum()
}

fn damaged_header(path: &Path) -> Error {
    Error::DamagedStore { path: path.display().to_string(), reason: "its header does not match its checksum".into() }
}

fn closed(path: &Path) -> Error {
    Error::DamagedStore { path: path.display().to_string(), reason: "it is closed".into() }
}

fn disk_full(path: &Path) -> Error {
    Error::DiskFull { path: path.display().to_string() }
}

fn store_error(path: &Path, error: impl Into<redb::Error>) -> Error {
    use std::io::ErrorKind::{InvalidData, UnexpectedEof};
    let damaged = |reason| Error::DamagedStore { path: path.display().to_string(), reason };
    match error.into() {
        redb::Error::Io(source) if is_disk_full(&source) => disk_full(path),
        // A page is said to lie behind the end of the file, or there is no file of redb's at all.
        redb::Error::Io(source) if matches!(source.kind(), UnexpectedEof | InvalidData) => damaged(source.to_string()),
        redb::Error::Io(source) => file_error("access", path, source),
        redb::Error::Corrupted(reason) => damaged(reason),
        other => Error::Store(Box::new(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vfs::SimulatedVfs;
    use bytes::Bytes;

    const PATH: &str = "/store";

    fn write(key: &'static [u8], value: &'static [u8]) -> RecordWrite {
        RecordWrite::Put { key: key.to_vec(), value: Bytes::from_static(value) }
    }

    fn keys(store: &RedbStore) -> Result<Vec<Vec<u8>>> {
        let mut keys = Vec::new();
        store.load(&mut |key, _| {
            keys.push(key.to_vec());
            Ok(())
        })?;
        Ok(keys)
    }

    #[test]
    fn a_record_that_is_missing_is_noticed() {
        let vfs: Arc<dyn Vfs> = Arc::new(SimulatedVfs::new());
        let mut store = RedbStore::open(vfs.clone(), Path::new(PATH)).unwrap();
        store.commit(&[write(b"a", b"1"), write(b"b", b"2")]).unwrap();
        let transaction = store.opened().unwrap().database.begin_write().unwrap();
        transaction.open_table(RECORDS).unwrap().remove(b"a".as_slice()).unwrap();
        transaction.commit().unwrap();
        drop(store);
        let store = RedbStore::open(vfs, Path::new(PATH)).unwrap();
        assert!(matches!(keys(&store), Err(Error::Corrupted { .. })));
    }

    #[test]
    fn a_store_of_before_there_was_a_seal_and_a_tally_is_read_and_goes_on() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        let old = Database::create(&path).unwrap();
        let transaction = old.begin_write().unwrap();
        transaction.open_table(RECORDS).unwrap().insert(b"a".as_slice(), b"1".as_slice()).unwrap();
        transaction.commit().unwrap();
        drop(old);
        for expected in [vec![b"a".to_vec()], vec![b"a".to_vec(), b"b".to_vec()]] {
            let mut store = RedbStore::open(Arc::new(crate::vfs::OsVfs), &path).unwrap();
            assert_eq!(keys(&store).unwrap(), expected);
            store.commit(&[write(b"b", b"2")]).unwrap();
        }
    }

    #[test]
    fn a_damaged_or_torn_header_is_mended_from_its_copy() {
        let vfs = SimulatedVfs::new();
        let mut store = RedbStore::open(Arc::new(vfs.clone()), Path::new(PATH)).unwrap();
        store.commit(&[write(b"a", b"1")]).unwrap();
        drop(store);
        for at in [0, 9, 100, 511] {
            let damaged = vfs.with_flipped_byte(Path::new(PATH), at, 0x05);
            let store = RedbStore::open(Arc::new(damaged.clone()), Path::new(PATH)).unwrap();
            assert_eq!(keys(&store).unwrap(), [b"a".to_vec()]);
            let twice = vfs.with_flipped_byte(Path::new(PATH), at, 1).with_flipped_byte(Path::new(PATH), at + 512, 1);
            let refused = RedbStore::open(Arc::new(twice), Path::new(PATH)).unwrap_err();
            assert!(matches!(refused, Error::DamagedStore { .. }));
        }
    }
}
