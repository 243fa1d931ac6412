//! Runs concurrent transactions and looks for anomalies that their isolation level forbids.
//!
//! `isolation --record ADDRESS` records PostgreSQL's answers to the schedules instead, and then ours where they differ.
//!
//! `isolation [--seeds N] [--seed N] [--transactions N] [--clients N] [--server ADDRESS]`

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use sql_tests::command;
use sql_tests::isolation::anomalies::{find, is_forbidden};
use sql_tests::isolation::history::Transaction;
use sql_tests::isolation::schedule::{LEVELS, Schedule};
use sql_tests::isolation::workload::{Plan, run};
use sql_tests::session::Address;
use sql_tests::under_test::UnderTest;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    command::end(Options::read(std::env::args().skip(1)).and_then(|options| check(&options)))
}

/// What the command line says.
struct Options {
    seed: u64,
    seeds: u64,
    clients: usize,
    transactions: usize,
    /// A server that runs already; otherwise one is started.
    server: Option<Address>,
    /// The PostgreSQL whose answers to the schedules are recorded.
    record: Option<Address>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Options> {
        let mut options = Options { seed: 1, seeds: 3, clients: 6, transactions: 60, server: None, record: None };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or(format!("{name} needs a value"))?;
            match name.as_str() {
                "--seed" => options.seed = value.parse()?,
                "--seeds" => options.seeds = value.parse()?,
                "--clients" => options.clients = value.parse()?,
                "--transactions" => options.transactions = value.parse()?,
                "--server" => options.server = Some(Address::parse(&value)?),
                "--record" => options.record = Some(Address::parse(&value)?),
                _ => return Err(format!("not an option: {name}").into()),
            }
        }
        Ok(options)
    }
}

fn check(options: &Options) -> Result<()> {
    let started = match options.server {
        Some(_) => None,
        None => Some(UnderTest::start(&std::env::temp_dir().join(format!("isolation-{}", std::process::id())))?),
    };
    let address = options.server.as_ref().or(started.as_ref().map(UnderTest::address)).ok_or("no server")?;
    if let Some(postgres) = &options.record {
        return record(postgres, address);
    }
    let mut violations = 0;
    for level in LEVELS {
        let (mut transactions, mut committed, mut shown) = (0, 0, BTreeMap::new());
        for seed in options.seed..options.seed + options.seeds {
            let plan = Plan { level, seed, clients: options.clients, transactions: options.transactions };
            let history = run(address, plan)?;
            transactions += history.len();
            committed += history.iter().filter(|it| Transaction::is_committed(it)).count();
            for (anomaly, example) in find(&history) {
                *shown.entry(anomaly).or_insert(0) += 1;
                if is_forbidden(anomaly, level) {
                    violations += 1;
                    println!("{level}, seed {seed}: {anomaly:?}: {example}");
                }
            }
        }
        println!(
            "{level}: {transactions} transactions, {committed} committed; histories that show anomalies: {shown:?}"
        );
    }
    match violations {
        0 => Ok(()),
        _ => Err(format!("{violations} anomalies that the levels forbid").into()),
    }
}

/// Writes what PostgreSQL answers to the schedules, and what we answer where that is something else.
fn record(postgres: &Address, ours: &Address) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schedules");
    for schedule in Schedule::all(&folder)? {
        let file = |ending: &str| folder.join(format!("{}.{ending}", schedule.name));
        let (expected, found) = (schedule.run(postgres)?, schedule.run(ours)?);
        std::fs::write(file("expected"), &expected)?;
        match found == expected {
            true if file("differs").exists() => std::fs::remove_file(file("differs"))?,
            true => {}
            false => std::fs::write(file("differs"), &found)?,
        }
    }
    Ok(())
}
