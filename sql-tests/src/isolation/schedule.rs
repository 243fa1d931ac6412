//! Statements of several sessions in an order that a file gives: the Hermitage list (Kleppmann) and others like it.
//!
//! A line `2: COMMIT` is a statement of session 2. Each schedule is run at each isolation level, on a table `test` with the
//! rows (1, 10) and (2, 20). A statement that waits for another session is noticed by asking the server; its answer is
//! noted where it comes.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::answer::Answer;
use crate::expected::write_answer;
use crate::session::{Address, Session};

/// Isolation levels that schedules are run at.
pub const LEVELS: [&str; 2] = ["READ COMMITTED", "REPEATABLE READ"];
/// Time for which an answer is awaited before the server is asked whether the statement waits.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A file of a schedule.
#[derive(Debug)]
pub struct Schedule {
    /// Its name, without the ending.
    pub name: String,
    steps: Vec<(usize, String)>,
}

impl Schedule {
    /// The schedules in a folder, by name.
    pub fn all(folder: &Path) -> io::Result<Vec<Schedule>> {
        let mut schedules = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|it| it == "schedule") {
                let name = path.file_stem().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
                let steps = steps(&std::fs::read_to_string(&path)?)
                    .map_err(|line| io::Error::other(format!("{name}: not a step: {line}")))?;
                schedules.push(Schedule { name, steps });
            }
        }
        schedules.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(schedules)
    }

    /// Runs it at every level, and writes down what was answered.
    pub fn run(&self, address: &Address) -> io::Result<String> {
        let mut text = String::new();
        for level in LEVELS {
            let _ = writeln!(text, "-- {level}");
            text += &Run::new(address)?.steps(&self.steps, level)?;
        }
        Ok(text)
    }
}

fn steps(text: &str) -> Result<Vec<(usize, String)>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let step = |line: &str| {
        let (session, sql) = line.split_once(": ")?;
        Some((session.parse().ok()?, sql.to_owned()))
    };
    lines.map(|line| step(line).ok_or_else(|| line.to_owned())).collect()
}

/// A session on a thread of its own, so that another can be asked while it waits.
struct Client {
    statements: Sender<String>,
    answers: Receiver<io::Result<Answer>>,
    /// Its number for the server, if the server tells.
    pid: Option<String>,
    waits: bool,
}

struct Run {
    address: Address,
    control: Session,
    clients: BTreeMap<usize, Client>,
    text: String,
}

impl Run {
    fn new(address: &Address) -> io::Result<Run> {
        let mut control = Session::connect(address)?;
        for sql in [
            "DROP TABLE IF EXISTS test",
            "CREATE TABLE test (id int, value int)",
            "INSERT INTO test VALUES (1, 10), (2, 20)",
        ] {
            if let Answer::Error(error) = control.run(sql)? {
                return Err(io::Error::other(format!("{sql}: {error}")));
            }
        }
        Ok(Run { address: address.clone(), control, clients: BTreeMap::new(), text: String::new() })
    }

    fn steps(mut self, steps: &[(usize, String)], level: &str) -> io::Result<String> {
        for (number, sql) in steps {
            if !self.clients.contains_key(number) {
                let client = Client::connect(&self.address)?;
                self.clients.insert(*number, client);
            }
            // A session that waits gets its answer first.
            self.answer(*number, true)?;
            let _ = writeln!(self.text, "{number}> {sql}");
            let sql = if sql == "BEGIN" { format!("BEGIN ISOLATION LEVEL {level}") } else { sql.clone() };
            if let Some(client) = self.clients.get_mut(number) {
                client.waits = true;
                client.statements.send(sql).map_err(io::Error::other)?;
            }
            if !self.answer(*number, false)? {
                let _ = writeln!(self.text, "~ waits");
            }
            for other in self.clients.keys().copied().collect::<Vec<_>>() {
                if self.clients.get(&other).is_some_and(|it| it.waits) {
                    self.answer(other, false)?;
                }
            }
        }
        for number in self.clients.keys().copied().collect::<Vec<_>>() {
            self.answer(number, true)?;
        }
        Ok(self.text)
    }

    /// Notes the answer that a session waits for, if there is one; whether it has answered. Unless it must, the session
    /// need not answer when the server says that it waits for another.
    fn answer(&mut self, number: usize, must: bool) -> io::Result<bool> {
        loop {
            let Some(client) = self.clients.get_mut(&number).filter(|it| it.waits) else { return Ok(true) };
            match client.answers.recv_timeout(LOOK_EVERY) {
                Ok(answer) => {
                    client.waits = false;
                    let _ = write!(self.text, "{number}");
                    write_answer(&mut self.text, &answer?);
                    return Ok(true);
                }
                Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("a session has ended")),
                Err(RecvTimeoutError::Timeout) if must => {}
                Err(RecvTimeoutError::Timeout) => {
                    let Some(pid) = client.pid.clone() else { continue };
                    // A server that does not know the function has nobody wait.
                    let sql = format!("SELECT cardinality(pg_blocking_pids({pid})) > 0");
                    if matches!(self.control.run(&sql)?, Answer::Rows { rows, .. } if rows == [[Some("t".to_owned())]])
                    {
                        return Ok(false);
                    }
                }
            }
        }
    }
}

impl Client {
    fn connect(address: &Address) -> io::Result<Client> {
        let mut session = Session::connect(address)?;
        let pid = match session.run("SELECT pg_backend_pid()")? {
            Answer::Rows { rows, .. } => rows.into_iter().flatten().next().flatten(),
            _ => None,
        };
        let (statements, received) = channel::<String>();
        let (answered, answers) = channel();
        thread::spawn(move || {
            for sql in received {
                if answered.send(session.run(&sql)).is_err() {
                    return;
                }
            }
        });
        Ok(Client { statements, answers, pid, waits: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_step_of_a_session() {
        assert_eq!(steps("# why\n2: COMMIT\n"), Ok(vec![(2, "COMMIT".to_owned())]));
        assert!(steps("COMMIT").is_err());
    }
}
