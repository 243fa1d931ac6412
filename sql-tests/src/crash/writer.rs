//! A client that makes changes until its server is gone, and knows afterwards what must be there.

use std::io;

use crate::answer::{Answer, SqlError};
use crate::crash::change::{Change, Request};
use crate::crash::model::State;
use crate::generate::random::Random;
use crate::session::Session;

/// Changes of a transaction.
const CHANGES_MAX: usize = 5;
/// Characters of a statement that are shown when it is refused.
const STATEMENT_SHOWN_MAX: usize = 120;

/// A client and what it knows.
#[derive(Clone, Debug)]
pub struct Writer {
    /// Its number.
    pub owner: usize,
    /// What is acknowledged.
    pub state: State,
    /// What is there if the change that had no answer was made.
    pub in_doubt: Option<State>,
    next_id: i64,
    random: Random,
    /// The statements since the last answer that ended a transaction, to be told when something is wrong.
    statements: Vec<String>,
}

/// What became of a change, or of several in a transaction.
enum Outcome {
    Acknowledged(State),
    /// It was refused, or rolled back, or the server was gone before COMMIT was sent.
    NotMade,
    InDoubt(State),
}

/// A step of a transaction.
enum Step {
    Change(Change),
    Savepoint,
    RollbackTo,
    Release,
}

/// Why a writer stopped.
#[derive(Debug)]
pub enum End {
    /// The server is gone.
    ServerGone,
    /// The server answered what it must not.
    Violation(String),
}

impl Writer {
    /// A client that has written nothing.
    pub fn new(owner: usize, seed: u64) -> Writer {
        let random = Random::of_batch(seed, owner as u64);
        Writer { owner, state: State::initial(), in_doubt: None, next_id: 1, random, statements: Vec::new() }
    }

    /// Makes changes until the server is gone; calls back after each that was acknowledged.
    pub fn write(&mut self, session: &mut Session, mut acknowledged: impl FnMut()) -> End {
        loop {
            self.statements.clear();
            let outcome = match self.random.percent(60) {
                true => self.alone(session),
                false => self.transaction(session),
            };
            match outcome {
                Ok(Outcome::Acknowledged(state)) => {
                    self.state = state;
                    acknowledged();
                }
                Ok(Outcome::NotMade) => {}
                Ok(Outcome::InDoubt(state)) => {
                    self.in_doubt = Some(state);
                    return End::ServerGone;
                }
                Err(end) => return end,
            }
        }
    }

    /// A statement outside of a transaction block.
    fn alone(&mut self, session: &mut Session) -> Result<Outcome, End> {
        let change = Change::random(&mut self.random, &self.state, self.owner, &mut self.next_id);
        let mut after = self.state.clone();
        change.apply(&mut after);
        let request = change.request(self.owner);
        match self.send(session, &request) {
            Err(_) => Ok(Outcome::InDoubt(after)),
            Ok(Answer::Error(error)) => match is_expected(&error, &change) {
                true => Ok(Outcome::NotMade),
                false => Err(self.refused(&error)),
            },
            Ok(_) if change.is_impossible() => Err(End::Violation(format!("a NULL was taken by {}", request.sql))),
            Ok(_) => Ok(Outcome::Acknowledged(after)),
        }
    }

    /// Several statements, with savepoints; at the end COMMIT or ROLLBACK.
    fn transaction(&mut self, session: &mut Session) -> Result<Outcome, End> {
        let level = *self.random.pick(&["READ COMMITTED", "REPEATABLE READ"]);
        self.step(session, &format!("BEGIN ISOLATION LEVEL {level}"))?;
        let mut draft = self.state.clone();
        let mut savepoints: Vec<State> = Vec::new();
        for _ in 0..1 + self.random.below(CHANGES_MAX) {
            match self.next_step(&draft, !savepoints.is_empty()) {
                Step::Change(change) => {
                    let request = change.request(self.owner);
                    match self.send(session, &request).map_err(|_| End::ServerGone)? {
                        Answer::Error(error) if is_expected(&error, &change) => match savepoints.last() {
                            Some(saved) => {
                                draft = saved.clone();
                                self.step(session, "ROLLBACK TO s")?;
                            }
                            // COMMIT of a failed transaction rolls it back.
                            None => return self.commit_of_failed(session),
                        },
                        Answer::Error(error) => return Err(self.refused(&error)),
                        _ if change.is_impossible() => {
                            return Err(End::Violation(format!("a NULL was taken by {}", request.sql)));
                        }
                        _ => change.apply(&mut draft),
                    }
                }
                Step::Savepoint => {
                    self.step(session, "SAVEPOINT s")?;
                    savepoints.push(draft.clone());
                }
                Step::RollbackTo => {
                    self.step(session, "ROLLBACK TO s")?;
                    draft = savepoints.last().cloned().unwrap_or(draft);
                }
                Step::Release => {
                    self.step(session, "RELEASE s")?;
                    savepoints.pop();
                }
            }
        }
        if self.random.percent(15) {
            self.step(session, "ROLLBACK")?;
            return Ok(Outcome::NotMade);
        }
        match self.run(session, "COMMIT") {
            Err(_) => Ok(Outcome::InDoubt(draft)),
            Ok(Answer::Error(error)) => Err(self.refused(&error)),
            Ok(Answer::Command(tag)) if tag == "COMMIT" => Ok(Outcome::Acknowledged(draft)),
            Ok(other) => Err(End::Violation(format!("COMMIT was answered with {other:?}"))),
        }
    }

    fn next_step(&mut self, draft: &State, has_savepoint: bool) -> Step {
        match self.random.below(10) {
            0 => Step::Savepoint,
            1 if has_savepoint => Step::RollbackTo,
            2 if has_savepoint => Step::Release,
            _ => Step::Change(Change::random(&mut self.random, draft, self.owner, &mut self.next_id)),
        }
    }

    fn commit_of_failed(&mut self, session: &mut Session) -> Result<Outcome, End> {
        match self.run(session, "COMMIT").map_err(|_| End::ServerGone)? {
            Answer::Command(tag) if tag == "ROLLBACK" => Ok(Outcome::NotMade),
            other => Err(End::Violation(format!("COMMIT of a failed transaction was answered with {other:?}"))),
        }
    }

    /// A statement that changes no rows and must succeed.
    fn step(&mut self, session: &mut Session, sql: &str) -> Result<(), End> {
        match self.run(session, sql).map_err(|_| End::ServerGone)? {
            Answer::Error(error) => Err(self.refused(&error)),
            _ => Ok(()),
        }
    }

    fn run(&mut self, session: &mut Session, sql: &str) -> io::Result<Answer> {
        self.send(session, &Request { sql: sql.to_owned(), data: None })
    }

    fn send(&mut self, session: &mut Session, request: &Request) -> io::Result<Answer> {
        self.statements.push(request.sql.chars().take(STATEMENT_SHOWN_MAX).collect());
        match &request.data {
            Some(data) => session.copy_in(&request.sql, data),
            None => session.run(&request.sql),
        }
    }

    /// An error that must not be.
    fn refused(&self, error: &SqlError) -> End {
        End::Violation(format!("writer {} was refused: {error}: {}", self.owner, self.statements.join("; ")))
    }
}

/// Writers are in nobody's way, so that only what cannot be is refused.
fn is_expected(error: &SqlError, change: &Change) -> bool {
    change.is_impossible() && error.sqlstate == "23502"
}
