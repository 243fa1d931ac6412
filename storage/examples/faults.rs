//! The long form of the tests of segments and commits on disks that fail.
//!
//! ```text
//! cargo run --release -p storage --example faults -- --images 100000 --seed 1
//! ```
#![allow(clippy::unwrap_used)]

#[path = "../tests/faults/lives.rs"]
mod lives;
#[path = "../tests/faults/node.rs"]
mod node;
#[path = "../tests/faults/workload.rs"]
mod workload;

use std::process::ExitCode;

use catalog::vfs::simulated::Syncs;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, default: u64| {
        let at = arguments.iter().position(|it| it == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(default)
    };
    let report = lives::run(number("--seed", 1), number("--images", 10_000), Syncs::Honest);
    println!("{report:#?}");
    if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
