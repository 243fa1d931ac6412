//! The long forms of the tests of the commit store.
//!
//! ```text
//! cargo run --release --example faults -- power-loss --images 100000 --seed 1
//! cargo run --release --example faults -- late-flushes --images 2000 --seed 1
//! cargo run --release --example faults -- no-flushes --images 2000 --seed 1
//! cargo run --release --example faults -- failing-calls --groups 10 --step 1 --seed 1
//! cargo run --release --example faults -- full-disk --disks 100 --seed 1
//! cargo run --release --example faults -- flipped-bytes --step 1 --seed 1
//! ```

#[path = "../tests/faults/damage.rs"]
#[allow(dead_code)]
mod damage;
#[path = "../tests/faults/failing_calls.rs"]
mod failing_calls;
#[path = "../tests/faults/history.rs"]
#[allow(clippy::unwrap_used)]
mod history;
#[path = "../tests/faults/power_loss.rs"]
mod power_loss;
#[path = "../tests/faults/space.rs"]
mod space;
#[path = "../tests/faults/workload.rs"]
mod workload;

use std::fmt::Debug;
use std::process::ExitCode;

use catalog::vfs::simulated::Syncs;

/// Violations that are shown.
const SHOWN_MAX: usize = 20;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, default: u64| {
        let at = arguments.iter().position(|it| it == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(default)
    };
    let (seed, step) = (number("--seed", 1), number("--step", 1));
    let images = number("--images", 10_000);
    match arguments.first().map(String::as_str) {
        Some("power-loss") => power_loss(seed, images, Syncs::Honest),
        Some("late-flushes") => power_loss(seed, images, Syncs::Late),
        Some("no-flushes") => power_loss(seed, images, Syncs::Nothing),
        Some("failing-calls") => {
            let mut report = failing_calls::run(seed, number("--groups", 10), step);
            let violations = std::mem::take(&mut report.violations);
            finish(&report, &violations)
        }
        Some("full-disk") => {
            let mut report = space::run(seed, number("--disks", 100));
            let violations = std::mem::take(&mut report.violations);
            finish(&report, &violations)
        }
        Some("flipped-bytes") => flipped_bytes(seed, usize::try_from(step).unwrap_or(1)),
        _ => {
            eprintln!(
                "what is to be done: power-loss, late-flushes, no-flushes, failing-calls, full-disk, flipped-bytes"
            );
            ExitCode::FAILURE
        }
    }
}

fn power_loss(seed: u64, images: u64, syncs: Syncs) -> ExitCode {
    let mut report = power_loss::run(seed, images, syncs);
    let violations = std::mem::take(&mut report.violations);
    finish(&report, &violations)
}

fn flipped_bytes(seed: u64, step: usize) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for image in damage::images(seed) {
        for file in damage::FILES {
            let mut flips: Vec<_> = damage::used(&image, file).into_iter().step_by(step).collect();
            let mut report = damage::run(&image, file, &mut flips);
            let violations = std::mem::take(&mut report.violations);
            if !violations.is_empty() {
                code = ExitCode::FAILURE;
            }
            finish(&report, &violations);
        }
    }
    code
}

fn finish(report: &dyn Debug, violations: &[String]) -> ExitCode {
    println!("{report:?}, {} violations", violations.len());
    for violation in violations.iter().take(SHOWN_MAX) {
        println!("  {violation}");
    }
    if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
