//! Sends a server what no client should, and looks whether it panics, hangs, answers nonsense, or grows.
//!
//! `fuzz-wire [--cases N] [--seed N] [--only NUMBER] [--clients N] [--server ADDRESS]`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use sql_tests::command;
use sql_tests::fuzz_wire::run::prepare;
use sql_tests::fuzz_wire::{Case, Failure, check_server, send};
use sql_tests::session::Address;
use sql_tests::under_test::UnderTest;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// After so many cases it is looked whether others are served.
const CASES_BETWEEN_CHECKS: u64 = 500;
/// The share of the cases after which the server has all the memory that it needs once.
const WARM_UP_ONE_IN: u64 = 10;
/// What it may grow after that, whatever the number of cases: what allocators keep.
const GROWTH_BYTES_MAX: u64 = 64 << 20;

fn main() -> ExitCode {
    command::end(Options::read(std::env::args().skip(1)).and_then(|options| fuzz(&options)))
}

/// What the command line says.
struct Options {
    seed: u64,
    cases: u64,
    /// The number of the one case that is sent, and shown.
    only: Option<u64>,
    clients: usize,
    /// A server that runs already, whose log and memory are not looked at; otherwise one is started.
    server: Option<Address>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Options> {
        let mut options = Options { seed: 1, cases: 10_000, only: None, clients: 4, server: None };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or(format!("{name} needs a value"))?;
            match name.as_str() {
                "--seed" => options.seed = value.parse()?,
                "--cases" => options.cases = value.parse()?,
                "--only" => options.only = Some(value.parse()?),
                "--clients" => options.clients = value.parse()?,
                "--server" => options.server = Some(Address::parse(&value)?),
                _ => return Err(format!("not an option: {name}").into()),
            }
        }
        Ok(options)
    }
}

fn fuzz(options: &Options) -> Result<()> {
    let folder = Folder::new()?;
    let started = match options.server {
        Some(_) => None,
        None => Some(UnderTest::start_on(&folder.0.join("data"), &folder.log())?),
    };
    let address = options.server.as_ref().or(started.as_ref().map(UnderTest::address)).ok_or("no server")?;
    prepare(address)?;
    if let Some(number) = options.only {
        let case = Case::new(options.seed, number);
        println!("{case}");
        send(address, &case)?;
    } else {
        let warm_up = options.cases / WARM_UP_ONE_IN;
        send_cases(options, address, 0..warm_up)?;
        let before = started.as_ref().map(UnderTest::memory_bytes).transpose()?;
        send_cases(options, address, warm_up..options.cases)?;
        let after = started.as_ref().map(UnderTest::memory_bytes).transpose()?;
        if let (Some(before), Some(after)) = (before, after) {
            println!("memory: {} MiB, {} MiB at the end", before >> 20, after >> 20);
            if after > before + GROWTH_BYTES_MAX {
                return Err("the server has grown".into());
            }
        }
    }
    check_server(address)?;
    match started.is_some() && std::fs::read_to_string(folder.log())?.contains("panicked") {
        true => Err(format!("the server has panicked:\n{}", std::fs::read_to_string(folder.log())?).into()),
        false => Ok(()),
    }
}

/// Sends these cases, from several clients.
fn send_cases(options: &Options, address: &Address, numbers: std::ops::Range<u64>) -> Result<()> {
    let (next, stop, failed) = (AtomicU64::new(numbers.start), AtomicBool::new(false), Mutex::new(None));
    let begin = Instant::now();
    let client = || {
        while !stop.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= numbers.end {
                return;
            }
            if let Err(failure) = send_one(options, address, number) {
                stop.store(true, Ordering::Relaxed);
                *failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some((number, failure));
            }
        }
    };
    std::thread::scope(|scope| (0..options.clients).for_each(|_| drop(scope.spawn(client))));
    match failed.into_inner()? {
        Some((number, failure)) => {
            let case = Case::new(options.seed, number);
            Err(format!("{failure}, at case {number} of seed {}:\n{case}", options.seed).into())
        }
        None => {
            println!("{} cases in {:.0} s", numbers.end - numbers.start, begin.elapsed().as_secs_f64());
            Ok(())
        }
    }
}

fn send_one(options: &Options, address: &Address, number: u64) -> std::result::Result<(), Failure> {
    send(address, &Case::new(options.seed, number))?;
    if number.is_multiple_of(CASES_BETWEEN_CHECKS) { check_server(address) } else { Ok(()) }
}

/// A folder that goes away at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("fuzz-wire-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Folder(folder))
    }

    fn log(&self) -> PathBuf {
        Path::join(&self.0, "log")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
