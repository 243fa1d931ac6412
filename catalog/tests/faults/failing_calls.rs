//! One call fails, or all from it on: each call of a workload, each kind of failure.

use catalog::vfs::SimulatedVfs;
use catalog::vfs::simulated::{Fault, FaultKind, Random};

use crate::history::{History, Server, content};
use crate::workload::Workload;

const ROWS_BYTES_MAX: u64 = 60_000;

/// What a series of failures showed.
#[derive(Debug, Default)]
pub struct Report {
    pub runs: u64,
    /// Runs in which a commit was refused.
    pub refused: u64,
    /// Runs in which the server ended.
    pub in_doubt: u64,
    /// Runs in which the server did not start.
    pub not_started: u64,
    /// Runs in which no commit noticed.
    pub unharmed: u64,
    pub violations: Vec<String>,
}

/// Fails every `step`-th call of a workload of so many groups, in every way.
pub fn run(seed: u64, groups: u64, step: u64) -> Report {
    let mut report = Report::default();
    let calls = calls_of(seed, groups);
    for kind in [FaultKind::InputOutput, FaultKind::NoSpace, FaultKind::ShortWrite] {
        for sticky in [false, true] {
            for call in (1..=calls).step_by(usize::try_from(step).unwrap_or(1)) {
                let fault = Fault { call, kind, sticky };
                report.runs += 1;
                if let Err(violation) = one_run(seed, groups, fault, &mut report) {
                    report.violations.push(format!("{fault:?}: {violation}"));
                }
            }
        }
    }
    report
}

fn calls_of(seed: u64, groups: u64) -> u64 {
    let vfs = SimulatedVfs::new();
    let server = Server::start(&vfs).expect("nothing happens to it");
    server.run(&mut Workload::new(seed, ROWS_BYTES_MAX), groups, &mut History::default());
    drop(server);
    vfs.calls()
}

fn one_run(seed: u64, groups: u64, fault: Fault, report: &mut Report) -> Result<(), String> {
    let vfs = SimulatedVfs::new();
    vfs.set_fault(Some(fault));
    let mut history = History::default();
    let mut workload = Workload::new(seed, ROWS_BYTES_MAX);
    match Server::start(&vfs) {
        Err(error) => {
            report.not_started += 1;
            let text = format!("{error:?}");
            if text.contains("Damaged") || text.contains("Corrupted") {
                return Err(format!("a failing call was taken for damage: {text}"));
            }
        }
        Ok(server) => {
            server.run(&mut workload, groups, &mut history);
            check_running(&server, &vfs, fault, &mut workload, &mut history, report)?;
        }
    }
    check_next_process(&vfs, &history, seed ^ fault.call)
}

/// A server that lives serves what is acknowledged and goes on once nothing fails any more; one that has ended said why.
fn check_running(
    server: &Server,
    vfs: &SimulatedVfs,
    fault: Fault,
    workload: &mut Workload,
    history: &mut History,
    report: &mut Report,
) -> Result<(), String> {
    let acknowledged = history.acknowledged.clone().ok_or("it has never answered")?;
    if content(&server.catalog.snapshot()) != content(&acknowledged) {
        return Err("it serves what is not acknowledged".into());
    }
    match (history.in_doubt.is_empty(), history.refused.is_empty()) {
        (false, _) => report.in_doubt += 1,
        (true, false) => report.refused += 1,
        (true, true) => report.unharmed += 1,
    }
    if let Some(refused) = history.refused.iter().find(|it| it.contains("Damaged") || it.contains("Corrupted")) {
        return Err(format!("a failing call was taken for damage: {refused}"));
    }
    if history.in_doubt.is_empty() {
        // The call that fails is one of those that close the file.
        if vfs.calls() < fault.call {
            return Ok(());
        }
        vfs.set_fault(None);
        let refused = history.refused.len();
        server.run(workload, 1, history);
        if history.refused.len() > refused || !history.in_doubt.is_empty() {
            return Err(format!("it does not go on: {:?}", history.refused));
        }
        return Ok(());
    }
    match server.ended() {
        None => Err("it ended without saying why".into()),
        Some(reason) if reason.contains("Damaged") || reason.contains("Corrupted") => {
            Err(format!("a failing call was taken for damage: {reason}"))
        }
        Some(_) => Ok(()),
    }
}

/// The next process finds what it must, also when the power goes after that.
fn check_next_process(vfs: &SimulatedVfs, history: &History, seed: u64) -> Result<(), String> {
    let next = vfs.after_kill();
    let server = Server::start(&next).map_err(|error| format!("it does not start again: {error:?}"))?;
    history.check(&server.catalog.snapshot())?;
    let found = content(&server.catalog.snapshot());
    let last = next.after_power_loss(Random::new(seed).next_u64());
    let server = Server::start(&last).map_err(|error| format!("it does not start after a power loss: {error:?}"))?;
    if content(&server.catalog.snapshot()) == found { Ok(()) } else { Err("what was found once is gone".into()) }
}
