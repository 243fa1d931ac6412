//! Calls that fail on purpose.

use std::io;

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Any call: an input/output error.
    InputOutput,
    /// Calls that may need space, and flushes: the disk is full.
    NoSpace,
    /// Writes: a part of the data is written, then an input/output error.
    ShortWrite,
}

/// A call that fails, or all from it on.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// The number of the call, as [`SimulatedVfs::calls`](super::SimulatedVfs::calls) counts.
    pub call: u64,
    /// How it fails.
    pub kind: FaultKind,
    /// Whether all later calls fail, too.
    pub sticky: bool,
}

/// What a call is about; it decides which faults apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallKind {
    Read,
    Write,
    Space,
    Sync,
    Names,
}

impl Fault {
    pub(super) fn applies(&self, call: u64, kind: CallKind) -> bool {
        let now = if self.sticky { call >= self.call } else { call == self.call };
        now && match self.kind {
            FaultKind::InputOutput => true,
            FaultKind::NoSpace => matches!(kind, CallKind::Write | CallKind::Space | CallKind::Sync),
            FaultKind::ShortWrite => kind == CallKind::Write,
        }
    }

    pub(super) fn error(&self) -> io::Error {
        match self.kind {
            FaultKind::NoSpace => no_space(),
            FaultKind::InputOutput | FaultKind::ShortWrite => input_output("simulated input/output error"),
        }
    }
}

pub(super) fn no_space() -> io::Error {
    io::Error::new(io::ErrorKind::StorageFull, "simulated disk is full")
}

pub(super) fn input_output(message: &'static str) -> io::Error {
    io::Error::other(message)
}
