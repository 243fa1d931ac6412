//! Segments and the commit store together: power loss, kills, failing calls and full disks. The long form of these tests
//! is the example `faults`.
#![allow(clippy::unwrap_used)]

mod lives;
mod node;
mod restores;
mod workload;

use catalog::vfs::simulated::Syncs;

#[test]
fn what_was_acknowledged_outlives_power_losses_kills_failing_calls_and_full_disks() {
    let report = lives::run(1, 800, Syncs::Honest);
    assert!(report.violations.is_empty(), "{report:#?}");
    assert!(report.made > 0 && report.refused > 0 && report.full_disks > 0 && report.kills > 0, "{report:?}");
}

/// A test that lets everything pass would let these pass.
#[test]
fn flushes_that_lie_are_caught() {
    for syncs in [Syncs::Late, Syncs::Nothing] {
        let report = lives::run(2, 100, syncs);
        assert!(report.violations.len() > 5, "{syncs:?}: {report:?}");
    }
}

#[test]
fn a_restore_that_is_cut_off_is_refused_and_one_that_has_finished_is_there() {
    let report = restores::run(3, Syncs::Honest);
    assert!(report.violations.is_empty(), "{report:#?}");
    assert!(report.complete > 0 && report.refused > 0 && report.nothing > 0, "{report:?}");
    assert!(!restores::run(3, Syncs::Nothing).violations.is_empty());
}
