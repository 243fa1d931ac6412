//! Kills servers while clients write, and checks what they hold afterwards; then plants faults, which must be found;
//! and flips bits in the files of a data directory.
//!
//! `crash [--cycles N] [--seed N] [--writers N] [--flips N] [--folder DIR]`

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use sql_tests::command;
use sql_tests::crash::control;
use sql_tests::crash::cycle::Field;
use sql_tests::crash::flips;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Violations that are shown.
const SHOWN_MAX: usize = 20;

fn main() -> ExitCode {
    command::end(Options::read(std::env::args().skip(1)).and_then(|options| run(&options)))
}

/// What the command line says.
struct Options {
    cycles: u64,
    seed: u64,
    writers: usize,
    flips: u64,
    folder: PathBuf,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Options> {
        let folder = std::env::temp_dir().join(format!("crash-{}", std::process::id()));
        let mut options = Options { cycles: 200, seed: 1, writers: 4, flips: 20, folder };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or(format!("{name} needs a value"))?;
            match name.as_str() {
                "--cycles" => options.cycles = value.parse()?,
                "--seed" => options.seed = value.parse()?,
                "--writers" => options.writers = value.parse()?,
                "--flips" => options.flips = value.parse()?,
                "--folder" => options.folder = value.into(),
                _ => return Err(format!("not an option: {name}").into()),
            }
        }
        Ok(options)
    }
}

fn run(options: &Options) -> Result<()> {
    let mut field = Field::new(&options.folder.join("cycles"), options.writers, options.seed)?;
    let started = Instant::now();
    for _ in 0..options.cycles {
        field.cycle()?;
        if field.report.violations.len() > SHOWN_MAX {
            break;
        }
    }
    let last = field.check_only()?;
    field.report.violations.extend(last);
    field.drop_everything()?;
    println!("{} in {:.0} s", field.report, started.elapsed().as_secs_f64());
    for violation in field.report.violations.iter().take(SHOWN_MAX) {
        println!("  {violation}");
    }
    if !field.report.violations.is_empty() {
        let kept = options.folder.display();
        return Err(format!("seed {}: there were violations; the data directory is below {kept}", options.seed).into());
    }
    let missed = control::missed(&mut Field::new(&options.folder.join("control"), options.writers, options.seed)?)?;
    if !missed.is_empty() {
        return Err(format!("faults were planted and not found: {missed:?}").into());
    }
    println!("the controls were found: each planted fault fails the checks");
    let flipped = flips::run(&options.folder.join("flips"), options.flips, options.seed)?;
    println!("{flipped}");
    if !flipped.violations.is_empty() {
        return Err(flipped.violations.join("\n").into());
    }
    std::fs::remove_dir_all(&options.folder)?;
    Ok(())
}
