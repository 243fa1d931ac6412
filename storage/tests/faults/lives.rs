//! Disks that live through several processes: each makes changes until it is killed, loses power, meets a call that fails
//! or a full disk, or ends in order; the next one must find what was acknowledged.

use catalog::vfs::SimulatedVfs;
use catalog::vfs::simulated::{Fault, FaultKind, Syncs};
use tokio::runtime::{Builder, Runtime};

use crate::node::{Content, Node, segment_files};
use crate::workload::{Outcome, Workload};

/// Processes on a disk, one after the other.
const PROCESSES: u64 = 4;
/// Changes that a process makes, if nothing ends it.
const STEPS_MAX: u64 = 14;
/// Calls of a process; a fault or an end beyond its last call does not happen.
const CALLS_MAX: u64 = 400;
/// Images that are looked at of a disk after a power loss. The last one is what the next process gets.
const IMAGES: u64 = 8;

/// What a series of disks showed.
#[derive(Debug, Default)]
pub struct Report {
    pub disks: u64,
    pub acknowledged: u64,
    pub refused: u64,
    pub in_doubt: u64,
    /// Changes in doubt that were found.
    pub made: u64,
    /// Disks as they may be after a power loss.
    pub images: u64,
    pub kills: u64,
    pub failed_calls: u64,
    pub full_disks: u64,
    pub violations: Vec<String>,
}

/// How a process ends, or what happens to it.
#[derive(Debug, Clone, Copy)]
enum Fate {
    PowerLoss { call: u64 },
    Kill { call: u64 },
    Failure(Fault),
    FullDisk { bytes: u64 },
    Orderly,
}

/// Lets disks live until there were so many images.
pub fn run(seed: u64, images: u64, syncs: Syncs) -> Report {
    let runtime = Builder::new_current_thread().build().unwrap();
    let mut report = Report::default();
    while report.images < images {
        let disk = seed.wrapping_mul(1_000_003).wrapping_add(report.disks);
        report.disks += 1;
        if let Err(violation) = one_disk(disk, syncs, &runtime, &mut report) {
            report.violations.push(format!("disk {disk}: {violation}"));
        }
    }
    report
}

fn one_disk(seed: u64, syncs: Syncs, runtime: &Runtime, report: &mut Report) -> Result<(), String> {
    let mut workload = Workload::new(seed);
    let mut vfs = SimulatedVfs::new();
    let mut known = Known { content: Content::new(), in_doubt: None };
    for _ in 0..PROCESSES {
        let fate = fate(&mut workload);
        vfs.set_syncs(syncs);
        live(&vfs, fate, &mut workload, runtime, &mut known, report).map_err(|it| format!("{fate:?}: {it}"))?;
        vfs = match fate {
            Fate::PowerLoss { .. } => after_power_loss(&vfs, &mut workload, &mut known, report),
            _ => after_kill(&vfs, &mut known, report),
        }
        .map_err(|it| format!("after {fate:?}: {it}"))?;
    }
    Ok(())
}

/// What the tables hold.
#[derive(Clone)]
struct Known {
    content: Content,
    in_doubt: Option<Content>,
}

fn fate(workload: &mut Workload) -> Fate {
    let call = 1 + workload.random.below(CALLS_MAX);
    match workload.random.below(10) {
        0..4 => Fate::PowerLoss { call },
        4..6 => Fate::Kill { call },
        6..8 => {
            let kinds = [FaultKind::InputOutput, FaultKind::NoSpace, FaultKind::ShortWrite];
            let kind = kinds[workload.random.below(3) as usize];
            Fate::Failure(Fault { call, kind, sticky: workload.random.chance(1, 3) })
        }
        8 => Fate::FullDisk { bytes: workload.random.below(200_000) },
        _ => Fate::Orderly,
    }
}

/// One process, from its start to its end.
fn live(
    vfs: &SimulatedVfs,
    fate: Fate,
    workload: &mut Workload,
    runtime: &Runtime,
    known: &mut Known,
    report: &mut Report,
) -> Result<(), String> {
    let begin = vfs.calls();
    match fate {
        Fate::PowerLoss { call } | Fate::Kill { call } => vfs.lose_power_at(begin + call),
        Fate::Failure(fault) => vfs.set_fault(Some(Fault { call: begin + fault.call, ..fault })),
        Fate::FullDisk { .. } | Fate::Orderly => {}
    }
    let node = match Node::start(vfs) {
        Ok(node) => node,
        // It is the start that meets the fault.
        Err(_) if !matches!(fate, Fate::FullDisk { .. } | Fate::Orderly) => return Ok(()),
        Err(error) => return Err(format!("it does not start: {error}")),
    };
    if let Fate::FullDisk { bytes } = fate {
        vfs.set_capacity(Some(vfs.used_bytes() + bytes));
        report.full_disks += 1;
    }
    // Reading is a part of checking, not of what may fail.
    if matches!(fate, Fate::FullDisk { .. } | Fate::Orderly) {
        known.settle(node.content()?, report)?;
    }
    for _ in 0..1 + workload.random.below(STEPS_MAX) {
        if !step(&node, workload, runtime, known, report) {
            break;
        }
    }
    match fate {
        Fate::Failure(_) => report.failed_calls += 1,
        Fate::FullDisk { .. } => {
            // With space all goes on.
            vfs.set_capacity(None);
            let refused = report.refused;
            if !step(&node, workload, runtime, known, report) || report.refused > refused {
                return Err("there is space again and it does not go on".to_owned());
            }
        }
        _ => {}
    }
    Ok(())
}

/// One change. Whether the process goes on.
fn step(node: &Node, workload: &mut Workload, runtime: &Runtime, known: &mut Known, report: &mut Report) -> bool {
    // What the process does not know yet is decided by what it found when it started.
    if known.in_doubt.is_some() {
        match node.content() {
            Ok(content) => {
                if known.settle(content, report).is_err() {
                    return false;
                }
            }
            Err(_) => return false,
        }
    }
    match workload.step(node, runtime, &known.content) {
        // A process whose flush has failed has ended before it could commit and answer.
        Outcome::Acknowledged(_) if node.has_ended() => false,
        Outcome::Acknowledged(content) => {
            known.content = content;
            report.acknowledged += 1;
            true
        }
        Outcome::Refused => {
            report.refused += 1;
            !node.has_ended()
        }
        Outcome::InDoubt(content) => {
            known.in_doubt = Some(content);
            report.in_doubt += 1;
            false
        }
    }
}

impl Known {
    /// What was found must be what is known, or that with what was in doubt; it is what is known from now on.
    fn settle(&mut self, found: Content, report: &mut Report) -> Result<(), String> {
        let made = self.in_doubt.take().is_some_and(|it| it == found && it != self.content);
        report.made += u64::from(made);
        if !made && found != self.content {
            let differs = self.content.iter().find(|(table, rows)| found.get(*table) != Some(*rows));
            let counts = differs.map(|(table, rows)| (table, rows.len(), found.get(table).map(Vec::len)));
            return Err(format!("{} tables instead of {}; {counts:?}", found.len(), self.content.len()));
        }
        self.content = found;
        Ok(())
    }
}

/// Several disks that a power loss may leave; each is looked at, and looked at again after another power loss.
fn after_power_loss(
    vfs: &SimulatedVfs,
    workload: &mut Workload,
    known: &mut Known,
    report: &mut Report,
) -> Result<SimulatedVfs, String> {
    let mut last = None;
    for _ in 0..IMAGES {
        let image = vfs.after_power_loss(workload.random.next_u64());
        report.images += 1;
        let mut found = known.clone();
        look(&image, &mut found, report)?;
        let again = image.after_power_loss(workload.random.next_u64());
        look(&again, &mut found, report)?;
        last = Some((again, found));
    }
    let (image, found) = last.ok_or("no image")?;
    *known = found;
    Ok(image)
}

fn after_kill(vfs: &SimulatedVfs, known: &mut Known, report: &mut Report) -> Result<SimulatedVfs, String> {
    report.kills += 1;
    let image = vfs.after_kill();
    // Looking at it would flush what the next process must be able to lose, so it looks at another.
    let mut found = known.clone();
    look(&image.after_kill(), &mut found, report)?;
    *known = found;
    Ok(image)
}

/// Opens the disk, reads everything, and closes it again.
fn look(image: &SimulatedVfs, known: &mut Known, report: &mut Report) -> Result<(), String> {
    let node = Node::start(image).map_err(|error| format!("it does not start: {error}"))?;
    known.settle(node.content()?, report)?;
    match segment_files(image, &node) {
        (there, needed) if there == needed => Ok(()),
        (there, needed) => Err(format!("{there} files of segments, {needed} are needed")),
    }
}
