//! Generates statements, and compares the answers of the server under test with PostgreSQL's.
//!
//! `generate --postgresql ADDRESS [--ours ADDRESS] [--seed N] [--count N] [--workers N] [--plant N]
//! [--queries PERCENT] [--nested PERCENT]`

use std::path::Path;
use std::process::ExitCode;

use sql_tests::command;
use sql_tests::differences::{Differences, GENERATED};
use sql_tests::generate::entry::Entries;
use sql_tests::generate::report::Report;
use sql_tests::generate::run::{Plan, run_share};
use sql_tests::generate::tables;
use sql_tests::session::{Address, Session};
use sql_tests::under_test::UnderTest;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    command::end(Options::read(std::env::args().skip(1)).and_then(|options| run(&options)))
}

/// What the command line says.
struct Options {
    postgres: Address,
    /// A server that runs already; otherwise one is started.
    ours: Option<Address>,
    seed: u64,
    count: u64,
    workers: u64,
    planted: Option<u64>,
    queries_percent: usize,
    nested_percent: usize,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Options> {
        let mut options = Options {
            postgres: Address::parse("")?,
            ours: None,
            seed: 1,
            count: 10_000,
            workers: 2,
            planted: None,
            queries_percent: 20,
            nested_percent: 25,
        };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or(format!("{name} needs a value"))?;
            match name.as_str() {
                "--postgresql" => options.postgres = Address::parse(&value)?,
                "--ours" => options.ours = Some(Address::parse(&value)?),
                "--seed" => options.seed = value.parse()?,
                "--count" => options.count = value.parse()?,
                "--workers" => options.workers = value.parse()?,
                "--plant" => options.planted = Some(value.parse()?),
                "--queries" => options.queries_percent = value.parse()?,
                "--nested" => options.nested_percent = value.parse()?,
                _ => return Err(format!("not an option: {name}").into()),
            }
        }
        Ok(options)
    }
}

fn run(options: &Options) -> Result<()> {
    let started = match options.ours {
        Some(_) => None,
        None => Some(UnderTest::start(&std::env::temp_dir().join(format!("generate-{}", std::process::id())))?),
    };
    let ours = options.ours.as_ref().or(started.as_ref().map(UnderTest::address)).ok_or("no server")?.clone();
    let mut postgres = Session::connect(&options.postgres)?;
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/differences.txt");
    let mut known = Differences::read(&std::fs::read_to_string(list)?)?;
    let entries = Entries::load(&mut postgres, |label| known.lists(GENERATED, label))?;
    let tables = tables::create(&mut postgres, &mut Session::connect(&ours)?)?;
    println!("{} operators, functions, casts and forms; {} aggregates", entries.scalar.len(), entries.aggregates.len());

    let Options { seed, count, planted, queries_percent, nested_percent, .. } = *options;
    let plan = Plan { postgres: options.postgres.clone(), ours, seed, count, queries_percent, nested_percent, planted };
    let report = std::thread::scope(|scope| {
        let share = |worker| {
            let (plan, entries, tables) = (&plan, &entries, &tables);
            scope.spawn(move || run_share(plan, entries, tables, worker, options.workers))
        };
        let workers: Vec<_> = (0..options.workers).map(share).collect();
        let mut report = Report::default();
        for worker in workers {
            report.merge(worker.join().map_err(|_| "a worker panicked")??);
        }
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(report)
    })?;
    println!("{report}");
    Ok(report.verdict(&mut known)?)
}
