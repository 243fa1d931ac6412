//! Power loss at any call of a restore: what is there then is all of the backup, or is refused, or is nothing at all.

use std::path::Path;
use std::sync::Arc;

use catalog::vfs::SimulatedVfs;
use catalog::vfs::simulated::Syncs;
use storage::backup::{BackupPlace, back_up, restore};
use tokio::runtime::Runtime;

use crate::node::{Content, DIRECTORY, Node, segment_files};
use crate::workload::{Outcome, Workload};

/// Changes of the server that is backed up.
const STEPS: usize = 40;
/// Images of one power loss.
const IMAGES_PER_CALL: u64 = 3;

/// What a series of images showed.
#[derive(Debug, Default)]
pub struct Report {
    pub complete: u64,
    pub refused: u64,
    pub nothing: u64,
    pub violations: Vec<String>,
}

/// Backs up a server with some tables, and restores it with a power loss at each call.
pub fn run(seed: u64, syncs: Syncs) -> Report {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let place = BackupPlace::of_directory(folder.path()).unwrap();
    let expected = backed_up(seed, &runtime, &place);
    let restore_on =
        |vfs: &SimulatedVfs| runtime.block_on(restore(&place, Arc::new(vfs.clone()), Path::new(DIRECTORY)));

    let undisturbed = SimulatedVfs::new();
    restore_on(&undisturbed).unwrap();
    let mut report = Report::default();
    for call in 1..=undisturbed.calls() + 1 {
        let vfs = SimulatedVfs::new();
        vfs.set_syncs(syncs);
        vfs.lose_power_at(call);
        let finished = restore_on(&vfs).is_ok();
        for image in 0..IMAGES_PER_CALL {
            look_at(&vfs.after_power_loss(image), finished, &expected, &mut report);
        }
    }
    report
}

fn backed_up(seed: u64, runtime: &Runtime, place: &BackupPlace) -> Content {
    let vfs = SimulatedVfs::new();
    let node = Node::start(&vfs).unwrap();
    let (mut workload, mut content) = (Workload::new(seed), Content::default());
    for _ in 0..STEPS {
        if let Outcome::Acknowledged(after) = workload.step(&node, runtime, &content) {
            content = after;
        }
    }
    assert!(segment_files(&vfs, &node).0 > 0 && !content.is_empty());
    runtime.block_on(place.claim()).unwrap();
    runtime.block_on(back_up(node.catalog.snapshot(), &node.segments, place)).unwrap();
    content
}

fn look_at(image: &SimulatedVfs, finished: bool, expected: &Content, report: &mut Report) {
    match Node::start(image).and_then(|node| node.content()) {
        Ok(content) if content == *expected => report.complete += 1,
        // The directory was not there yet, so that a server has made a new one.
        Ok(content) if content.is_empty() && !finished => report.nothing += 1,
        Err(refusal) if refusal.contains("RestoreUnfinished") && !finished => report.refused += 1,
        other => report.violations.push(format!("finished: {finished}, found: {other:?}")),
    }
}
