//! Bits that flip in the files of a data directory: a query then answers what it would have answered, or fails with `XX001`,
//! or the server refuses to start. It never answers anything else, and never ends.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::answer::Answer;
use crate::generate::random::Random;
use crate::session::Session;
use crate::under_test::UnderTest;

/// What makes the data directory: rows in a segment, deleted ones among them, and rows in the commits.
const SETUP: [&str; 5] = [
    "CREATE TABLE t (id bigint, name text, x double precision, list int[])",
    "INSERT INTO t SELECT g, 'name ' || g % 97, g * 1.5, ARRAY[g, g + 1] FROM generate_series(1, 3000) AS g",
    "VACUUM t",
    "DELETE FROM t WHERE id % 10 = 3",
    "INSERT INTO t SELECT g, 'late', 0.5, NULL FROM generate_series(5001, 5200) AS g",
];
/// Reads every column.
const QUERY: &str = "SELECT count(*), sum(id), count(DISTINCT name), sum(length(name)), sum(x), sum(list[1]) FROM t";
/// A part of a file: flips are where there is anything else than zeros.
const PART_BYTES: usize = 512;
/// What the server says when it finds its own files damaged.
const DAMAGED: &str = "damaged";

/// What flips have shown.
#[derive(Debug, Default)]
pub struct Report {
    /// The answer was the same.
    pub harmless: u64,
    /// The query failed.
    pub failed: u64,
    /// The server did not start.
    pub refused: u64,
    /// Anything else.
    pub violations: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { harmless, failed, refused, violations } = self;
        let count = violations.len();
        write!(
            f,
            "flipped bits: {harmless} harmless, {failed} queries failed, {refused} starts refused; {count} violations"
        )
    }
}

/// Makes a data directory below the folder, and flips so many bits, each in a copy of its own.
pub fn run(folder: &Path, flips: u64, seed: u64) -> io::Result<Report> {
    fs::create_dir_all(folder)?;
    let (data, log, copy) = (folder.join("data"), folder.join("log"), folder.join("copy"));
    let expected = {
        let server = UnderTest::start_on(&data, &log)?;
        let mut session = Session::connect(server.address())?;
        for sql in SETUP {
            if let Answer::Error(error) = session.run(sql)? {
                return Err(io::Error::other(format!("{sql}: {error}")));
            }
        }
        session.run(QUERY)?
    };
    let mut report = Report::default();
    for flip in 0..flips {
        copy_folder(&data, &copy)?;
        fs::write(&log, "")?;
        let place = flip_bit(&copy, &mut Random::of_batch(seed, flip))?;
        if let Err(error) = look(&copy, &log, &expected, &mut report) {
            report.violations.push(format!("{place}: {error}"));
        }
        fs::remove_dir_all(&copy)?;
    }
    Ok(report)
}

/// Starts a server on the damaged folder, and asks.
fn look(data: &Path, log: &Path, expected: &Answer, report: &mut Report) -> io::Result<()> {
    let server = match UnderTest::start_on(data, log) {
        Ok(server) => server,
        Err(_) if fs::read_to_string(log)?.contains(DAMAGED) => {
            report.refused += 1;
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    match Session::connect(server.address())?.run(QUERY)? {
        Answer::Error(error) if error.sqlstate == "XX001" => report.failed += 1,
        answer if answer == *expected => report.harmless += 1,
        other => return Err(io::Error::other(format!("{other:?}"))),
    }
    // It serves others.
    Session::connect(server.address())?.run("SELECT 1").map(drop)
}

/// Flips a bit of one of the files; where that is.
fn flip_bit(data: &Path, random: &mut Random) -> io::Result<String> {
    let mut files = Vec::new();
    list_files(data, &mut files)?;
    // Half of the flips concern segments, of which there may be fewer than other files.
    let (segments, others): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|file| file.extension().is_some_and(|it| it == "parquet"));
    let chosen = if random.percent(50) { &segments } else { &others };
    let file = random.pick(chosen).clone();
    let mut bytes = fs::read(&file)?;
    let parts = bytes.chunks(PART_BYTES).enumerate();
    let used: Vec<usize> = parts.filter(|(_, part)| part.iter().any(|byte| *byte != 0)).map(|(at, _)| at).collect();
    let at = (random.pick(&used) * PART_BYTES + random.below(PART_BYTES)).min(bytes.len() - 1);
    bytes[at] ^= 1 << random.below(8);
    fs::write(&file, bytes)?;
    Ok(format!("{}, byte {at}", file.display()))
}

/// The files with anything in them, in order.
fn list_files(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            list_files(&path, files)?;
        } else if fs::metadata(&path)?.len() > 0 {
            files.push(path);
        }
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
