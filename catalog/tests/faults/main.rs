//! The commit store under power loss, failing calls, a full disk and damaged bytes. The long forms of these tests are the
//! example `faults`.
#![allow(clippy::unwrap_used)]

mod damage;
mod failing_calls;
mod history;
mod power_loss;
mod space;
mod workload;

use catalog::vfs::simulated::Syncs;

#[test]
fn a_power_loss_takes_nothing_that_was_acknowledged_and_leaves_nothing_half() {
    let report = power_loss::run(7, 1000, Syncs::Honest);
    assert!(report.violations.is_empty(), "{:#?}", report.violations);
    assert!(report.images >= 1000 && report.in_doubt_kept > 0 && report.in_doubt_lost > 0, "{report:?}");
}

/// A test that lets everything pass would let these two pass.
#[test]
fn flushes_that_lie_are_caught() {
    for syncs in [Syncs::Late, Syncs::Nothing] {
        let report = power_loss::run(7, 200, syncs);
        assert!(report.violations.len() > 20, "{syncs:?}: {report:?}");
    }
}

#[test]
fn each_failing_call_gets_the_right_answer() {
    let report = failing_calls::run(3, 6, 7);
    assert!(report.violations.is_empty(), "{:#?}", report.violations);
    assert!(report.refused > 0 && report.in_doubt > 0 && report.unharmed > 0, "{report:?}");
}

#[test]
fn a_full_disk_refuses_and_goes_on_when_there_is_space() {
    let report = space::run(5, 2);
    assert!(report.violations.is_empty(), "{:#?}", report.violations);
    assert!(report.refused > 0 && report.acknowledged > 0, "{report:?}");
}

#[test]
fn a_flipped_byte_is_noticed_or_changes_nothing() {
    for image in damage::images(11) {
        for file in damage::FILES {
            let report = damage::run(&image, file, &mut damage::sample(&image, file, 150));
            assert!(report.violations.is_empty(), "{:#?}", report.violations);
            assert!(report.noticed > 0, "{report:?}");
        }
    }
}
