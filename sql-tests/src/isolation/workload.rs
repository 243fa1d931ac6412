//! Transactions by chance, against a server.

use std::io;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::answer::Answer;
use crate::generate::random::Random;
use crate::isolation::history::{Operation, Outcome, Transaction};
use crate::session::{Address, Session};

/// Lists. They are few, so that transactions meet.
const KEYS: usize = 5;
/// Operations of a transaction.
const OPERATIONS_MAX: usize = 5;
/// Transactions of a hundred that are rolled back at their end.
const ROLLED_BACK_PERCENT: usize = 8;
/// What a transaction may be refused with: somebody else was faster.
const OVERTAKEN: [&str; 2] = ["40001", "40P01"];

/// What is to be run.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The isolation level.
    pub level: &'a str,
    /// It decides what the clients do, not how they meet.
    pub seed: u64,
    /// Clients.
    pub clients: usize,
    /// Transactions of each.
    pub transactions: usize,
}

/// Runs transactions of several clients at the same time, and reads every list at the end.
pub fn run(address: &Address, plan: Plan<'_>) -> io::Result<Vec<Transaction>> {
    let mut session = Session::connect(address)?;
    for sql in ["DROP TABLE IF EXISTS lists", "CREATE TABLE lists (k bigint, v text)"] {
        expect(session.run(sql)?)?;
    }
    for key in 0..KEYS {
        expect(session.run(&format!("INSERT INTO lists VALUES ({key}, '')"))?)?;
    }
    let (clock, values, barrier) = (AtomicU64::new(0), AtomicU64::new(1), Barrier::new(plan.clients + 1));
    let mut history = thread::scope(|scope| {
        let client = |number| {
            let (clock, values, barrier) = (&clock, &values, &barrier);
            scope.spawn(move || {
                let session = Session::connect(address);
                barrier.wait();
                let random = Random::of_batch(plan.seed, number as u64);
                let mut client = Client { session: session?, random, clock, values, level: plan.level };
                (0..plan.transactions).map(|_| client.transaction()).collect::<io::Result<Vec<_>>>()
            })
        };
        let clients: Vec<_> = (0..plan.clients).map(client).collect();
        barrier.wait();
        vacuum_until(&mut session, || clients.iter().all(|client| client.is_finished()))?;
        let mut history = Vec::new();
        for client in clients {
            history.extend(client.join().map_err(|_| io::Error::other("a client panicked"))??);
        }
        Ok::<_, io::Error>(history)
    })?;
    let mut last =
        Client { session, random: Random::of_batch(0, 0), clock: &clock, values: &values, level: plan.level };
    history.push(last.read_everything()?);
    Ok(history)
}

/// Compaction moves rows all the time, which nobody may notice.
fn vacuum_until(session: &mut Session, done: impl Fn() -> bool) -> io::Result<()> {
    while !done() {
        expect(session.run("VACUUM lists")?)?;
    }
    Ok(())
}

struct Client<'a> {
    session: Session,
    random: Random,
    clock: &'a AtomicU64,
    values: &'a AtomicU64,
    level: &'a str,
}

impl Client<'_> {
    fn transaction(&mut self) -> io::Result<Transaction> {
        let begin = self.clock.fetch_add(1, Ordering::SeqCst);
        expect(self.session.run(&format!("BEGIN ISOLATION LEVEL {}", self.level))?)?;
        let mut operations = Vec::new();
        let mut outcome = Outcome::Committed;
        for _ in 0..1 + self.random.below(OPERATIONS_MAX) {
            match self.operation()? {
                Some(operation) => operations.push(operation),
                None => {
                    outcome = Outcome::Aborted;
                    break;
                }
            }
        }
        if outcome == Outcome::Aborted || self.random.percent(ROLLED_BACK_PERCENT) {
            outcome = Outcome::Aborted;
            expect(self.session.run("ROLLBACK")?)?;
        } else if !accepted(&self.session.run("COMMIT")?)? {
            outcome = Outcome::Aborted;
        }
        Ok(Transaction { operations, outcome, span: (begin, self.clock.fetch_add(1, Ordering::SeqCst)) })
    }

    /// One operation; nothing when somebody else was faster.
    fn operation(&mut self) -> io::Result<Option<Operation>> {
        let key = self.random.below(KEYS);
        if self.random.percent(50) {
            return self.read(key);
        }
        let value = self.values.fetch_add(1, Ordering::SeqCst);
        let answer = self.session.run(&format!("UPDATE lists SET v = v || '{value},' WHERE k = {key}"))?;
        match answer {
            Answer::Command(tag) if tag == "UPDATE 1" => Ok(Some(Operation::Append(key, value))),
            Answer::Command(tag) => Err(io::Error::other(format!("an append was answered with {tag}"))),
            other => accepted(&other).map(|_| None),
        }
    }

    fn read(&mut self, key: usize) -> io::Result<Option<Operation>> {
        match self.session.run(&format!("SELECT v FROM lists WHERE k = {key}"))? {
            Answer::Rows { rows, .. } => match rows.as_slice() {
                [row] => {
                    let text = row.first().cloned().flatten().unwrap_or_default();
                    let values = text.split_terminator(',').map(str::parse);
                    let list =
                        values.collect::<Result<_, _>>().map_err(|_| io::Error::other(format!("a list: {text}")))?;
                    Ok(Some(Operation::Read(key, list)))
                }
                _ => Err(io::Error::other(format!("key {key} has {} rows", rows.len()))),
            },
            other => accepted(&other).map(|_| None),
        }
    }

    /// What is there when all others have ended.
    fn read_everything(&mut self) -> io::Result<Transaction> {
        let begin = self.clock.fetch_add(1, Ordering::SeqCst);
        let reads = (0..KEYS).map(|key| self.read(key)).collect::<io::Result<Vec<_>>>()?;
        let span = (begin, self.clock.fetch_add(1, Ordering::SeqCst));
        Ok(Transaction { operations: reads.into_iter().flatten().collect(), outcome: Outcome::Committed, span })
    }
}

/// Whether it was done; an error that says that somebody else was faster is none.
fn accepted(answer: &Answer) -> io::Result<bool> {
    match answer {
        Answer::Error(error) if OVERTAKEN.contains(&error.sqlstate.as_str()) => Ok(false),
        Answer::Error(error) => Err(io::Error::other(error.to_string())),
        _ => Ok(true),
    }
}

fn expect(answer: Answer) -> io::Result<()> {
    match answer {
        Answer::Error(error) => Err(io::Error::other(error.to_string())),
        _ => Ok(()),
    }
}
