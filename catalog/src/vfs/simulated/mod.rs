//! A file system in memory that can fail any call, fill up, and lose power.
//!
//! It keeps for every file what is durable and the list of changes since; the same for the names in directories. A power
//! loss leaves any part of these changes, in any order, writes torn between sectors. A failed flush does what Linux does:
//! data that did not reach the disk count as written, and readers see them until the cache is dropped.
//!
//! The same seed makes the same images.

mod blocks;
mod content;
mod disk;
mod fault;
mod file;
mod random;

pub use fault::{Fault, FaultKind};
pub use random::Random;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::vfs::{OpenMode, Vfs, VfsFile};
use disk::{Disk, Entry, FileId};
use fault::{CallKind, input_output};
use file::SimulatedFile;

/// A file system in memory. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct SimulatedVfs {
    state: Arc<Mutex<State>>,
}

/// What flushes do. The lies are for tests of tests: what they do to a store must be noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syncs {
    /// They return when everything is durable.
    Honest,
    /// They return when that is durable which the one before should have made so: who trusts them acknowledges too early.
    Late,
    /// They do nothing, as those of a disk with a cache that it never writes.
    Nothing,
}

#[derive(Debug)]
struct State {
    disk: Disk,
    locked: BTreeSet<FileId>,
    calls: u64,
    fault: Option<Fault>,
    /// The power goes at this call.
    power_loss_at: Option<u64>,
    /// Bytes that fit on the disk.
    capacity: Option<u64>,
    syncs: Syncs,
    /// Counts the processes: a file opened by an earlier one is of no use.
    process: u64,
    random: Random,
}

impl Default for State {
    fn default() -> Self {
        State {
            disk: Disk::default(),
            locked: BTreeSet::new(),
            calls: 0,
            fault: None,
            power_loss_at: None,
            capacity: None,
            syncs: Syncs::Honest,
            process: 0,
            random: Random::new(0),
        }
    }
}

impl SimulatedVfs {
    /// An empty disk.
    pub fn new() -> Self {
        SimulatedVfs::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many calls there were.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Has a call fail, or none any more.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.state().fault = fault;
    }

    /// From this call on nothing works and nothing changes: the power is gone.
    pub fn lose_power_at(&self, call: u64) {
        self.state().power_loss_at = Some(call);
    }

    /// Whether the power is gone.
    pub fn has_lost_power(&self) -> bool {
        self.state().has_lost_power()
    }

    /// Limits the disk to so many bytes, or lifts the limit.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes;
    }

    /// Bytes that the disk's files take.
    pub fn used_bytes(&self) -> u64 {
        self.state().disk.allocated()
    }

    /// Has flushes lie, or not any more.
    pub fn set_syncs(&self, syncs: Syncs) {
        self.state().syncs = syncs;
    }

    /// The disk as one may find it after a power loss at this moment. This one goes on as it is.
    pub fn after_power_loss(&self, seed: u64) -> SimulatedVfs {
        let mut random = Random::new(seed);
        let disk = self.state().disk.after_power_loss(&mut random);
        SimulatedVfs { state: Arc::new(Mutex::new(State { disk, random, ..State::default() })) }
    }

    /// What the next process finds when this one was killed: all that was written, flushed or not. Files and locks of this
    /// process are dead, faults and limits are gone.
    pub fn after_kill(&self) -> SimulatedVfs {
        self.state().process += 1;
        self.copy()
    }

    /// The bytes of a file, as a reader sees them.
    pub fn content(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        let id = state.disk.file(path)?;
        state.disk.files.get(&id).map(|file| file.current.to_vec())
    }

    /// Another disk that differs in one byte of a file, `mask` being what is flipped in it.
    pub fn with_flipped_byte(&self, path: &Path, offset: u64, mask: u8) -> SimulatedVfs {
        let flipped = self.copy();
        let mut state = flipped.state();
        if let Some(id) = state.disk.file(path)
            && let Some(file) = state.disk.files.get_mut(&id)
        {
            let mut byte = [0];
            if file.current.read_at(offset, &mut byte) {
                let data = bytes::Bytes::copy_from_slice(&[byte[0] ^ mask]);
                file.change(disk::Change::Write { offset, data });
                file.sync();
            }
        }
        drop(state);
        flipped
    }

    /// A copy of the disk; this one goes on as it is.
    /// Another disk with the same content: what the next process would find if this one were killed now. It goes on.
    pub fn copy(&self) -> SimulatedVfs {
        let state = self.state();
        let (disk, random) = (state.disk.clone(), state.random.clone());
        SimulatedVfs { state: Arc::new(Mutex::new(State { disk, random, ..State::default() })) }
    }
}

impl State {
    fn has_lost_power(&self) -> bool {
        self.power_loss_at.is_some_and(|at| self.calls >= at)
    }

    /// Counts a call; the fault that it meets, if it is to fail.
    fn enter(&mut self, kind: CallKind) -> Result<Option<Fault>, io::Error> {
        if self.has_lost_power() {
            return Err(input_output("simulated power loss"));
        }
        self.calls += 1;
        if self.has_lost_power() {
            return Err(input_output("simulated power loss"));
        }
        let call = self.calls;
        Ok(self.fault.filter(|fault| fault.applies(call, kind)))
    }

    /// Counts a call that does nothing when it fails.
    fn enter_or_fail(&mut self, kind: CallKind) -> io::Result<()> {
        match self.enter(kind)? {
            Some(fault) => Err(fault.error()),
            None => Ok(()),
        }
    }

    /// Whether so many more bytes fit.
    fn has_space_for(&self, more: u64) -> bool {
        self.capacity.is_none_or(|capacity| self.disk.allocated() + more <= capacity)
    }
}

impl Disk {
    fn file(&self, path: &Path) -> Option<FileId> {
        match self.names.get(path) {
            Some(Entry::File(id)) => Some(*id),
            _ => None,
        }
    }
}

impl Vfs for SimulatedVfs {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn VfsFile>> {
        let mut state = self.state();
        state.enter_or_fail(CallKind::Names)?;
        let id = match state.disk.file(path) {
            Some(id) => id,
            None if mode == OpenMode::Create && path.parent().is_some_and(|it| state.disk.is_directory(it)) => {
                state.disk.add_file(path)
            }
            None => return Err(io::ErrorKind::NotFound.into()),
        };
        Ok(Arc::new(SimulatedFile::new(self.state.clone(), id, state.process)))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.enter_or_fail(CallKind::Names)?;
        if state.disk.names.contains_key(path) || path.parent().is_none() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if !path.parent().is_some_and(|it| state.disk.is_directory(it)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.disk.add_directory(path);
        Ok(())
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.enter_or_fail(CallKind::Names)?;
        let inside = state.disk.names.keys().filter(|path| path.parent() == Some(directory));
        Ok(inside.filter_map(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned()).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.enter_or_fail(CallKind::Names)?;
        let id = state.disk.file(from).ok_or(io::ErrorKind::NotFound)?;
        state.disk.rename(from, to, Entry::File(id));
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.enter_or_fail(CallKind::Names)?;
        state.disk.file(path).ok_or(io::ErrorKind::NotFound)?;
        state.disk.remove(path);
        Ok(())
    }

    fn sync_dir(&self, directory: &Path) -> io::Result<()> {
        let mut state = self.state();
        let fault = state.enter(CallKind::Sync)?;
        let state = &mut *state;
        match fault {
            Some(fault) => {
                state.disk.sync_directory_failing(directory, &mut state.random);
                Err(fault.error())
            }
            None => {
                if state.syncs == Syncs::Honest {
                    state.disk.sync_directory(directory);
                }
                Ok(())
            }
        }
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        let mut state = self.state();
        state.enter_or_fail(CallKind::Names)?;
        Ok(path.parent().is_none() || state.disk.names.contains_key(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "/a";

    fn written(vfs: &SimulatedVfs, data: &[u8]) -> Arc<dyn VfsFile> {
        let file = vfs.open(Path::new(A), OpenMode::Create).unwrap();
        file.write_at(0, data).unwrap();
        file
    }

    /// What power losses leave of the file.
    fn left(vfs: &SimulatedVfs) -> BTreeSet<Option<Vec<u8>>> {
        (0..200).map(|seed| vfs.after_power_loss(seed).content(Path::new(A))).collect()
    }

    #[test]
    fn what_was_flushed_stays_and_the_rest_may_go() {
        let vfs = SimulatedVfs::new();
        let file = written(&vfs, b"old");
        file.sync_data().unwrap();
        assert_eq!(left(&vfs), BTreeSet::from([None, Some(b"old".to_vec())]));
        vfs.sync_dir(Path::new("/")).unwrap();
        assert_eq!(left(&vfs), BTreeSet::from([Some(b"old".to_vec())]));
        file.write_at(0, b"new").unwrap();
        assert_eq!(left(&vfs), BTreeSet::from([Some(b"old".to_vec()), Some(b"new".to_vec())]));
        vfs.remove_file(Path::new(A)).unwrap();
        assert_eq!(left(&vfs), BTreeSet::from([None, Some(b"old".to_vec()), Some(b"new".to_vec())]));
    }

    #[test]
    fn writes_are_torn_between_sectors_only() {
        let vfs = SimulatedVfs::new();
        let file = written(&vfs, &[b'o'; 1024]);
        file.sync_data().unwrap();
        vfs.sync_dir(Path::new("/")).unwrap();
        file.write_at(0, &[b'n'; 1024]).unwrap();
        let left = left(&vfs);
        assert_eq!(left.len(), 4);
        for content in left.into_iter().flatten() {
            assert!(content.chunks(512).all(|sector| sector.iter().all(|byte| *byte == sector[0])));
        }
    }

    #[test]
    fn data_of_a_failed_flush_are_seen_until_the_cache_is_dropped() {
        let mut seen = BTreeSet::new();
        for seed in 0..50 {
            let vfs = SimulatedVfs::new().after_power_loss(seed);
            let file = written(&vfs, b"data");
            vfs.sync_dir(Path::new("/")).unwrap();
            vfs.set_fault(Some(Fault { call: vfs.calls() + 1, kind: FaultKind::InputOutput, sticky: false }));
            file.sync_data().unwrap_err();
            file.sync_data().unwrap();
            assert_eq!(vfs.content(Path::new(A)).unwrap(), b"data");
            file.drop_cache().unwrap();
            seen.insert(vfs.content(Path::new(A)).unwrap());
        }
        assert_eq!(seen, BTreeSet::from([b"".to_vec(), b"data".to_vec()]));
    }

    #[test]
    fn a_killed_process_leaves_its_writes_and_neither_locks_nor_files() {
        let vfs = SimulatedVfs::new();
        let file = written(&vfs, b"data");
        assert!(file.try_lock().unwrap());
        let next = vfs.after_kill();
        assert!(file.write_at(0, b"late").is_err());
        assert_eq!(next.content(Path::new(A)).unwrap(), b"data");
        assert!(next.open(Path::new(A), OpenMode::Existing).unwrap().try_lock().unwrap());
    }
}
