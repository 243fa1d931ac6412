//! An open file of the simulated file system.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::disk::{Change, FileId, FileState};
use super::fault::{CallKind, FaultKind, input_output, no_space};
use super::{State, Syncs};
use crate::vfs::VfsFile;

/// An open file.
#[derive(Debug)]
pub(super) struct SimulatedFile {
    state: Arc<Mutex<State>>,
    id: FileId,
    process: u64,
    holds_lock: AtomicBool,
}

impl SimulatedFile {
    pub(super) fn new(state: Arc<Mutex<State>>, id: FileId, process: u64) -> Self {
        SimulatedFile { state, id, process, holds_lock: AtomicBool::new(false) }
    }

    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.process == self.process { Ok(state) } else { Err(input_output("the simulated process was killed")) }
    }

    /// Takes space for a range, or says that there is none.
    fn take_space(&self, state: &mut State, from: u64, to: u64) -> io::Result<()> {
        let missing = file_mut(state, self.id).blocks.missing_bytes(from, to);
        if missing > 0 && !state.has_space_for(missing) {
            return Err(no_space());
        }
        file_mut(state, self.id).blocks.take(from, to);
        Ok(())
    }
}

fn file_mut(state: &mut State, id: FileId) -> &mut FileState {
    state.disk.files.entry(id).or_default()
}

impl VfsFile for SimulatedFile {
    fn len(&self) -> io::Result<u64> {
        let mut state = self.state()?;
        state.enter_or_fail(CallKind::Read)?;
        Ok(file_mut(&mut state, self.id).current.len())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.state()?;
        state.enter_or_fail(CallKind::Read)?;
        let complete = file_mut(&mut state, self.id).current.read_at(offset, out);
        if complete { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state()?;
        if let Some(fault) = state.enter(CallKind::Write)? {
            if fault.kind == FaultKind::ShortWrite {
                let written = state.random.below(data.len() as u64 + 1) as usize;
                let data = Bytes::copy_from_slice(&data[..written]);
                file_mut(&mut state, self.id).change(Change::Write { offset, data });
            }
            return Err(fault.error());
        }
        self.take_space(&mut state, offset, offset + data.len() as u64)?;
        file_mut(&mut state, self.id).change(Change::Write { offset, data: Bytes::copy_from_slice(data) });
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state()?;
        state.enter_or_fail(CallKind::Space)?;
        let file = file_mut(&mut state, self.id);
        // As ext4 does: what was reserved behind the end goes unless the file grows.
        if len <= file.current.len() {
            file.blocks.give_back_behind(len);
        }
        file.change(Change::SetLen(len));
        Ok(())
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let mut state = self.state()?;
        state.enter_or_fail(CallKind::Space)?;
        self.take_space(&mut state, 0, len)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state()?;
        let fault = state.enter(CallKind::Sync)?;
        let state = &mut *state;
        let file = state.disk.files.entry(self.id).or_default();
        if let Some(fault) = fault {
            file.sync_failing(&mut state.random);
            return Err(fault.error());
        }
        match state.syncs {
            Syncs::Honest => file.sync(),
            Syncs::Late => file.sync_late(),
            Syncs::Nothing => {}
        }
        Ok(())
    }

    fn drop_cache(&self) -> io::Result<()> {
        let mut state = self.state()?;
        state.enter_or_fail(CallKind::Read)?;
        file_mut(&mut state, self.id).drop_cache();
        Ok(())
    }

    fn try_lock(&self) -> io::Result<bool> {
        let mut state = self.state()?;
        state.enter_or_fail(CallKind::Names)?;
        let taken = state.locked.insert(self.id);
        if taken {
            self.holds_lock.store(true, Ordering::Relaxed);
        }
        Ok(taken || self.holds_lock.load(Ordering::Relaxed))
    }
}

impl Drop for SimulatedFile {
    fn drop(&mut self) {
        if self.holds_lock.load(Ordering::Relaxed)
            && let Ok(mut state) = self.state()
        {
            state.locked.remove(&self.id);
        }
    }
}
