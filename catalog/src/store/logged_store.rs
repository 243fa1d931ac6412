//! The durable commit store: commits go to a log, and many at once from there to redb's file.
//!
//! A commit of redb writes a dozen pages; one of the log writes what is new. So a commit is durable in the log, and waits in
//! memory until the log is full; then all that wait are one commit of redb. Large ones go to redb at once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use tracing::{info, warn};

use crate::error::{Error, Result, file_error};
use crate::store::log::{AppendFailure, Log};
use crate::store::redb_store::{COMMIT_BYTES, write_bytes};
use crate::store::{CommitFailure, CommitStore, RecordVisitor, RecordWrite, RedbStore};
use crate::vfs::Vfs;

/// Bytes of the log. As much may wait in memory, and is written again after a crash; redb takes it in some ten
/// milliseconds, for which commits wait.
pub const LOG_BYTES: usize = 4 << 20;
/// A commit that takes a larger part of the log than this goes to redb at once: it would be written twice.
const LOGGED_PART_MAX: usize = 8;

/// A commit store of a log and a redb file.
#[derive(Debug)]
pub struct LoggedStore {
    store: RedbStore,
    log: Log,
    /// What is in the log and not in redb's file.
    waiting: Waiting,
    /// The number of the last commit.
    commits: u64,
    /// Until it is known what is in the log, and after a commit was in doubt, nothing may be written.
    in_doubt: bool,
}

/// Commits that wait for redb, merged: records that were written again and again are written once.
#[derive(Debug, Default)]
struct Waiting {
    /// What goes before anything else is written.
    removed: Vec<Vec<u8>>,
    /// Records, or that they go.
    records: BTreeMap<Vec<u8>, Option<Bytes>>,
    /// What redb's file may grow by for them.
    write_bytes: u64,
}

impl Waiting {
    fn add(&mut self, writes: &[RecordWrite]) {
        self.write_bytes += write_bytes(writes);
        for write in writes {
            match write {
                RecordWrite::Put { key, value } => drop(self.records.insert(key.clone(), Some(value.clone()))),
                RecordWrite::Remove { key } => drop(self.records.insert(key.clone(), None)),
                RecordWrite::RemoveAll { prefix } => {
                    self.records.retain(|key, _| !key.starts_with(prefix));
                    self.removed.push(prefix.clone());
                }
            }
        }
    }

    fn writes(&self) -> Vec<RecordWrite> {
        let removed = self.removed.iter().map(|prefix| RecordWrite::RemoveAll { prefix: prefix.clone() });
        let records = self.records.iter().map(|(key, value)| match value {
            Some(value) => RecordWrite::Put { key: key.clone(), value: value.clone() },
            None => RecordWrite::Remove { key: key.clone() },
        });
        removed.chain(records).collect()
    }
}

impl LoggedStore {
    /// Opens the files, or makes them, verifies them, and brings what the log has into redb's file.
    ///
    /// # Errors
    /// A file cannot be opened, or is damaged.
    pub fn open(vfs: Arc<dyn Vfs>, path: &Path, log_path: &Path, log_bytes: usize) -> Result<Self> {
        let store = RedbStore::open(vfs.clone(), path)?;
        let log = Log::open(vfs.as_ref(), log_path, log_bytes)?;
        let directory = log_path.parent().unwrap_or(Path::new(""));
        vfs.sync_dir(directory).map_err(|source| file_error("flush directory", directory, source))?;
        let commits = store.commits();
        let mut opened = LoggedStore { store, log, waiting: Waiting::default(), commits, in_doubt: true };
        opened.recover(path)?;
        opened.in_doubt = false;
        Ok(opened)
    }

    /// Takes from the log what redb's file does not have.
    fn recover(&mut self, path: &Path) -> Result<()> {
        let logged = self.log.read(self.commits)?;
        for commit in &logged {
            self.waiting.add(&commit.writes);
            self.commits = commit.number;
        }
        if self.store.noted_durable()?.is_some_and(|durable| durable > self.commits) {
            let reason = "its last commit is damaged or missing".to_owned();
            return Err(Error::DamagedStore { path: path.display().to_string(), reason });
        }
        if !logged.is_empty() {
            info!(commits = logged.len(), "commits of the log are brought into the store");
            self.checkpoint()?;
        }
        Ok(())
    }

    /// Brings everything into redb's file.
    fn checkpoint(&mut self) -> Result<(), CommitFailure> {
        if self.store.commits() < self.commits {
            // Their space was reserved before they were acknowledged.
            self.store.commit_reserved(&self.waiting.writes(), self.commits)?;
            self.waiting = Waiting::default();
        }
        self.log.restart();
        Ok(())
    }

    fn try_commit(&mut self, writes: &[RecordWrite]) -> Result<(), CommitFailure> {
        let number = self.commits.wrapping_add(1);
        let frame = self.log.frame(number, writes);
        let is_large = frame.len() > self.log.capacity() / LOGGED_PART_MAX;
        let needed = self.waiting.write_bytes + write_bytes(writes) + COMMIT_BYTES;
        // Where there is not enough space to wait, redb decides.
        if is_large || !self.store.reserve(needed).map_err(CommitFailure::Refused)? {
            self.checkpoint()?;
            self.store.commit_as(writes, number)?;
            self.commits = number;
            return Ok(());
        }
        if !self.log.fits(&frame) {
            self.checkpoint()?;
        }
        match self.log.append(&frame) {
            Ok(()) => {}
            Err(AppendFailure::Flush(error)) => return Err(CommitFailure::InDoubt(error)),
            Err(AppendFailure::Write(error)) => {
                // What is there of it, if anything, is no commit, unless all of it is.
                return match self.log.holds(&frame) {
                    Ok(false) => Err(CommitFailure::Refused(error)),
                    _ => Err(self.without(number, error)),
                };
            }
        }
        self.waiting.add(writes);
        self.commits = number;
        self.store.note_durable(number);
        Ok(())
    }

    /// Sees to it that a commit is never found in the log: redb's file says that it has the one with its number.
    fn without(&mut self, number: u64, error: Error) -> CommitFailure {
        if let Err(failure) = self.store.commit_reserved(&self.waiting.writes(), number) {
            warn!(error = %Error::from(failure), "a commit that failed cannot be taken back");
            return CommitFailure::InDoubt(error);
        }
        self.waiting = Waiting::default();
        self.commits = number;
        self.log.restart();
        CommitFailure::Refused(error)
    }
}

impl CommitStore for LoggedStore {
    fn load(&self, visit: &mut RecordVisitor<'_>) -> Result<()> {
        self.store.load(visit)
    }

    fn commit(&mut self, writes: &[RecordWrite]) -> Result<(), CommitFailure> {
        let committed = self.try_commit(writes);
        self.in_doubt |= matches!(committed, Err(CommitFailure::InDoubt(_)));
        committed
    }
}

impl Drop for LoggedStore {
    /// The next start finds nothing in the log, and the space that redb gives back when it closes its file is not missed.
    fn drop(&mut self) {
        if !self.in_doubt
            && let Err(failure) = self.checkpoint()
        {
            warn!(error = %Error::from(failure), "the log could not be brought into the store; the next start does it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vfs::SimulatedVfs;

    const PATH: &str = "/store";
    const LOG_PATH: &str = "/log";
    const BYTES: usize = 16 * 1024;

    fn open(vfs: &SimulatedVfs) -> Result<LoggedStore> {
        LoggedStore::open(Arc::new(vfs.clone()), Path::new(PATH), Path::new(LOG_PATH), BYTES)
    }

    fn put(key: &str, value: &str) -> RecordWrite {
        RecordWrite::Put { key: key.into(), value: Bytes::copy_from_slice(value.as_bytes()) }
    }

    fn remove_all(prefix: &str) -> RecordWrite {
        RecordWrite::RemoveAll { prefix: prefix.into() }
    }

    fn records(store: &LoggedStore) -> BTreeMap<String, String> {
        let mut records = BTreeMap::new();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let mut visit = |key: &[u8], value: &[u8]| {
            records.insert(text(key), text(value));
            Ok(())
        };
        store.load(&mut visit).unwrap();
        records
    }

    /// What is there after a kill.
    fn found(vfs: &SimulatedVfs) -> BTreeMap<String, String> {
        records(&open(&vfs.copy()).unwrap())
    }

    #[test]
    fn commits_are_there_after_a_kill_wherever_the_log_is() {
        let vfs = SimulatedVfs::new();
        let mut store = open(&vfs).unwrap();
        let mut expected = BTreeMap::new();
        for number in 0..100 {
            let (key, value) = (format!("key {}", number % 7), format!("{number:0300}"));
            store.commit(&[put(&key, &value)]).unwrap();
            expected.insert(key, value);
            if number % 9 == 0 {
                assert_eq!(found(&vfs), expected, "after {number}");
            }
        }
    }

    #[test]
    fn what_waits_is_merged_in_its_order() {
        let vfs = SimulatedVfs::new();
        let mut store = open(&vfs).unwrap();
        store.commit(&[put("a1", "old"), put("a2", "old"), put("b", "old")]).unwrap();
        store.checkpoint().unwrap();
        store.commit(&[put("a3", "gone"), put("b", "new")]).unwrap();
        store.commit(&[remove_all("a"), put("a2", "new")]).unwrap();
        store.commit(&[RecordWrite::Remove { key: b"b".to_vec() }]).unwrap();
        assert_eq!(found(&vfs), BTreeMap::from([("a2".to_owned(), "new".to_owned())]));
    }

    #[test]
    fn a_large_commit_follows_those_that_wait() {
        let vfs = SimulatedVfs::new();
        let mut store = open(&vfs).unwrap();
        let large = "x".repeat(3 * BYTES);
        store.commit(&[put("a", "1"), put("b", "1")]).unwrap();
        store.commit(&[remove_all("a"), put("c", &large)]).unwrap();
        store.commit(&[put("d", "1")]).unwrap();
        assert_eq!(found(&vfs).keys().collect::<Vec<_>>(), ["b", "c", "d"]);
    }

    #[test]
    fn a_log_that_is_gone_or_of_another_store_is_noticed() {
        let vfs = SimulatedVfs::new();
        let mut store = open(&vfs).unwrap();
        store.commit(&[put("a", "1")]).unwrap();
        let without_log = vfs.copy();
        without_log.remove_file(Path::new(LOG_PATH)).unwrap();
        assert!(matches!(open(&without_log), Err(Error::DamagedStore { .. })));
        store.checkpoint().unwrap();
        store.commit(&[put("b", "1")]).unwrap();
        let without_store = vfs.copy();
        without_store.remove_file(Path::new(PATH)).unwrap();
        assert!(matches!(open(&without_store), Err(Error::DamagedStore { .. })));
    }
}
