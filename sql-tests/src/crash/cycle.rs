//! Starts a server, lets clients write, kills it, and starts it again on the same data directory.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::answer::Answer;
use crate::crash::change::own_tables;
use crate::crash::check::check;
use crate::crash::model::{COLUMNS, SHARED};
use crate::crash::nuisance;
use crate::crash::writer::{End, Writer};
use crate::generate::random::Random;
use crate::session::{Address, Session};
use crate::under_test::{UnderTest, kill_while_it_starts};

/// A server that does nothing for so long hangs.
const DEADLINE: Duration = Duration::from_secs(60);
/// Changes that are acknowledged, at most, before the server is killed.
const CHANGES_MAX: usize = 25;
/// Longest time between the last of these and the kill: it decides in the middle of what the server is.
const KILL_DELAY_MAX_US: usize = 20_000;
/// In so many of a hundred cycles a server is killed while it starts.
const KILLED_AT_START_PERCENT: usize = 15;
/// Longest time that such a one has.
const START_MAX_US: usize = 150_000;
/// What a line of the log says of a bug.
const PANIC: &str = "panicked at";

/// A data directory, and the clients whose rows are in it.
pub struct Field {
    folder: PathBuf,
    writers: Vec<Writer>,
    random: Random,
    /// What was seen so far.
    pub report: Report,
}

/// What a series of cycles showed.
#[derive(Debug, Default)]
pub struct Report {
    /// Servers that were killed while clients wrote.
    pub cycles: u64,
    /// Servers that were killed before they were ready.
    pub killed_at_start: u64,
    /// Changes that were acknowledged.
    pub acknowledged: u64,
    /// Changes that had no answer when the server was killed.
    pub in_doubt: u64,
    /// Of these, those that were there afterwards.
    pub in_doubt_made: u64,
    /// What must not be.
    pub violations: Vec<String>,
}

/// What clients tell while they run.
enum Event {
    /// The client has looked at what the server holds, and begins to write.
    Checked {
        in_doubt: bool,
        made: bool,
    },
    Acknowledged,
    Ended,
}

impl Field {
    /// An empty data directory below a folder, which is made anew, and so many clients.
    pub fn new(folder: &Path, writers: usize, seed: u64) -> io::Result<Field> {
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        std::fs::create_dir_all(folder)?;
        let writers = (0..writers).map(|owner| Writer::new(owner, seed)).collect();
        let field = Field {
            folder: folder.to_owned(),
            writers,
            random: Random::of_batch(seed, u64::MAX),
            report: Report::default(),
        };
        let server = field.start()?;
        let mut session = Session::connect(server.address())?;
        session.run(&format!("CREATE TABLE {SHARED} ({COLUMNS})"))?;
        nuisance::create_accounts(&mut session)?;
        Ok(field)
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Starts a server on the data directory.
    pub fn start(&self) -> io::Result<UnderTest> {
        let log = self.log();
        UnderTest::start_on(&self.data(), &log).map_err(|error| {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let end: Vec<_> = text.lines().rev().take(5).collect();
            io::Error::other(format!("{error}: {end:?}"))
        })
    }

    /// Starts a server, checks what it holds, lets clients write, and kills it. An error says that it does not start.
    pub fn cycle(&mut self) -> io::Result<()> {
        if self.random.percent(KILLED_AT_START_PERCENT) {
            let after = Duration::from_micros(self.random.below(START_MAX_US) as u64);
            kill_while_it_starts(&self.data(), &self.log(), after)?;
            self.report.killed_at_start += 1;
        }
        let mut server = self.start()?;
        let address = server.address().clone();
        let moment = Moment {
            changes: self.random.below(CHANGES_MAX),
            delay: Duration::from_micros(self.random.below(KILL_DELAY_MAX_US) as u64),
        };
        let mut random = Random::of_batch(self.random.below(1 << 30) as u64, self.report.cycles);
        let killing = AtomicBool::new(false);
        let (events, received) = channel();
        let count = self.writers.len();
        let (writers, report) = (&mut self.writers, &mut self.report);
        let told = thread::scope(|scope| {
            let mut clients = Vec::new();
            for writer in &mut *writers {
                let (events, address, killing) = (events.clone(), &address, &killing);
                clients.push(scope.spawn(move || {
                    let told = run_writer(address, writer, &events, killing);
                    drop(events.send(Event::Ended));
                    told
                }));
            }
            drop(events);
            clients.push(scope.spawn(|| run_nuisance(&address, &mut random, count, &killing)));
            report.hear(&received, count, moment);
            killing.store(true, Ordering::SeqCst);
            if !server.kill()? {
                report.violations.push("the server ended by itself".to_owned());
            }
            let told =
                clients.into_iter().map(|client| client.join().map_err(|_| io::Error::other("a client panicked")));
            told.collect::<io::Result<Vec<_>>>()
        })?;
        report.violations.extend(told.into_iter().flatten());
        report.cycles += 1;
        self.look_into_log()
    }

    /// Starts a server and checks what it holds, in one session. What is wrong is returned, not reported.
    pub fn check_only(&mut self) -> io::Result<Vec<String>> {
        let server = self.start()?;
        let mut session = Session::connect(server.address())?;
        let mut violations = Vec::new();
        for writer in &mut self.writers {
            violations.extend(check(&mut session, writer)?.violations);
        }
        violations.extend(nuisance::check_accounts(&mut session)?);
        Ok(violations)
    }

    /// A row that somebody else has written for a writer.
    pub fn expect_row(&mut self, owner: usize, table: &str, id: i64, v: i64) {
        if let Some(writer) = self.writers.get_mut(owner) {
            writer.state.rows_mut(table).insert(id, v);
        }
    }

    /// What nobody needs any more is not on the disk: after all tables are dropped, the next start leaves no segment.
    pub fn drop_everything(&mut self) -> io::Result<()> {
        let server = self.start()?;
        let mut session = Session::connect(server.address())?;
        for owner in 0..self.writers.len() {
            for table in own_tables(owner) {
                session.run(&format!("DROP TABLE IF EXISTS {table}"))?;
            }
        }
        for sql in [format!("DROP TABLE {SHARED}"), "DROP TABLE accounts".to_owned()] {
            if let Answer::Error(error) = session.run(&sql)? {
                self.report.violations.push(format!("{sql}: {error}"));
            }
        }
        drop((session, server));
        drop(self.start()?);
        let left = segments(&self.data())?;
        if left > 0 {
            self.report.violations.push(format!("{left} segments are left of tables that were dropped"));
        }
        Ok(())
    }

    /// A panic is a violation even if no client has noticed.
    fn look_into_log(&mut self) -> io::Result<()> {
        let text = std::fs::read_to_string(self.log())?;
        self.report.violations.extend(text.lines().filter(|line| line.contains(PANIC)).map(str::to_owned));
        std::fs::write(self.log(), "")
    }
}

/// When a server is killed: after so many acknowledged changes, and some time.
struct Moment {
    changes: usize,
    delay: Duration,
}

impl Report {
    /// Listens to the clients until it is time to kill their server.
    fn hear(&mut self, received: &Receiver<Event>, clients: usize, moment: Moment) {
        let (mut checked, mut ended, mut acknowledged) = (0, 0, 0);
        while ended < clients && (checked < clients || acknowledged < moment.changes) {
            match received.recv_timeout(DEADLINE) {
                Ok(Event::Checked { in_doubt, made }) => {
                    checked += 1;
                    self.in_doubt += u64::from(in_doubt);
                    self.in_doubt_made += u64::from(made);
                }
                Ok(Event::Acknowledged) => {
                    acknowledged += 1;
                    self.acknowledged += 1;
                }
                Ok(Event::Ended) => ended += 1,
                Err(_) => {
                    self.violations.push(format!("nothing was answered within {DEADLINE:?}"));
                    return;
                }
            }
        }
        thread::sleep(moment.delay);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cycles, {} more servers killed while they started, {} changes acknowledged, {} in doubt, of which {} were \
             made; {} violations",
            self.cycles,
            self.killed_at_start,
            self.acknowledged,
            self.in_doubt,
            self.in_doubt_made,
            self.violations.len()
        )
    }
}

fn run_writer(address: &Address, writer: &mut Writer, events: &Sender<Event>, killing: &AtomicBool) -> Vec<String> {
    let checked = Session::connect(address).and_then(|mut session| {
        let checked = check(&mut session, writer)?;
        Ok((session, checked))
    });
    let (mut session, checked) = match checked {
        Ok(it) => it,
        Err(error) => return vec![format!("writer {} cannot look: {error}", writer.owner)],
    };
    // Nobody listens any more once it is time to kill the server.
    drop(events.send(Event::Checked { in_doubt: checked.in_doubt, made: checked.made }));
    let end = writer.write(&mut session, || drop(events.send(Event::Acknowledged)));
    checked.violations.into_iter().chain(violation(end, killing)).collect()
}

fn run_nuisance(address: &Address, random: &mut Random, writers: usize, killing: &AtomicBool) -> Vec<String> {
    let end = Session::connect(address).and_then(|mut session| {
        let accounts = nuisance::check_accounts(&mut session)?;
        Ok(accounts.map_or_else(|| nuisance::annoy(&mut session, random, writers), End::Violation))
    });
    violation(end.unwrap_or(End::ServerGone), killing).into_iter().collect()
}

/// What was wrong, if anything.
fn violation(end: End, killing: &AtomicBool) -> Option<String> {
    match end {
        End::Violation(text) => Some(text),
        End::ServerGone if killing.load(Ordering::SeqCst) => None,
        End::ServerGone => Some("a connection was lost before the server was killed".to_owned()),
    }
}

/// How many files of segments there are in a data directory.
fn segments(data: &Path) -> io::Result<usize> {
    let directory = data.join("segments");
    if !directory.exists() {
        return Ok(0);
    }
    let mut count = 0;
    for table in std::fs::read_dir(directory)? {
        count += std::fs::read_dir(table?.path())?.count();
    }
    Ok(count)
}
