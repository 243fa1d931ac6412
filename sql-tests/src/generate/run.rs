//! Both servers' answers to batches of statements, and what they differ in.

use std::io;

use super::change;
use super::entry::Entries;
use super::expression::{Expression, Generator, Leaves};
use super::minimise::{carries_digits, minimise};
use super::query::{Query, QueryGenerator};
use super::random::Random;
use super::report::Report;
use super::tables::{EDGES, Tables, connect};
use super::writer;
use crate::answer::{Answer, SqlError};
use crate::compare::{Difference, compare, differ_in_digits_only};
use crate::session::{Address, Session};

/// Statements of a batch.
pub const BATCH: u64 = 64;

/// Of a hundred queries of queries so many become changes of a table.
const CHANGES_PERCENT: usize = 20;

/// Differences that are made smaller, by each worker. There are that many only when something is wrong in general.
const MINIMISED_MAX: usize = 2_000;

/// A statement that can be made smaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// An expression, and the rows that it is computed for.
    Expression {
        /// The expression.
        expression: Expression,
        /// The clauses after it.
        rows: String,
    },
    /// A query.
    Query(Query),
}

impl Statement {
    /// Its text.
    pub fn sql(&self) -> String {
        match self {
            Statement::Expression { expression, rows } => format!("SELECT {} AS v{rows}", expression.sql()),
            Statement::Query(query) => query.sql(),
        }
    }

    /// What it is counted as.
    pub fn label(&self) -> &str {
        match self {
            Statement::Expression { expression, .. } => &expression.label,
            Statement::Query(query) => &query.label,
        }
    }
}

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// PostgreSQL.
    pub postgres: Address,
    /// The server under test.
    pub ours: Address,
    /// What the random numbers begin with.
    pub seed: u64,
    /// How many statements, rounded up to whole batches.
    pub count: u64,
    /// Of a hundred statements so many are queries; the others are a single expression.
    pub queries_percent: usize,
    /// Of a hundred queries so many are queries of queries.
    pub nested_percent: usize,
    /// A statement whose answer is altered before it is compared, to see that this is noticed.
    pub planted: Option<u64>,
}

/// Runs the batches of one of several workers, who share them evenly.
pub fn run_share(plan: &Plan, entries: &Entries, tables: &Tables, worker: u64, workers: u64) -> io::Result<Report> {
    let generator = Generator::new(entries);
    let for_queries = Generator::for_queries(entries);
    let queries = QueryGenerator::new(&for_queries, tables);
    let mut pair = Pair::connect(plan)?;
    let mut report = Report::default();
    let mut minimised = 0;
    for batch in (worker..plan.count.div_ceil(BATCH)).step_by(workers.max(1) as usize) {
        let mut random = Random::of_batch(plan.seed, batch);
        let statements: Vec<_> =
            (0..BATCH).map(|_| statement(&mut random, plan, &generator, &queries, tables)).collect();
        let texts: Vec<_> = statements.iter().map(Statement::sql).collect();
        let (postgres, mut ours) = pair.answers(&texts)?;
        let planted = plant(plan, batch, &texts, &postgres, &mut ours);
        let answers = postgres.iter().zip(&ours);
        for (place, ((statement, sql), (postgres, ours))) in statements.iter().zip(&texts).zip(answers).enumerate() {
            let outcome = Outcome::of(sql, postgres, ours);
            let Outcome::Differs(difference) = outcome else {
                report.count(&outcome);
                continue;
            };
            // It would not be found again.
            if planted == Some(place) {
                report.count(&Outcome::Differs(difference.clone()));
                report.add("planted", sql, &difference);
                continue;
            }
            let found = if minimised < MINIMISED_MAX && !report.knows_enough_of(&difference, statement.label()) {
                minimised += 1;
                minimise(&mut pair, statement.clone(), difference)?
            } else {
                (statement.clone(), difference)
            };
            if carries_digits(&mut pair, &found.0)? {
                report.count(&Outcome::Digits);
                continue;
            }
            report.count(&Outcome::Differs(found.1.clone()));
            report.add(found.0.label(), &found.0.sql(), &found.1);
        }
    }
    Ok(report)
}

fn statement(
    random: &mut Random,
    plan: &Plan,
    generator: &Generator<'_>,
    queries: &QueryGenerator<'_>,
    tables: &Tables,
) -> Statement {
    if random.percent(plan.queries_percent) {
        if !random.percent(plan.nested_percent) {
            return Statement::Query(queries.query(random));
        }
        let is_change = random.percent(CHANGES_PERCENT);
        return Statement::Query(if is_change { change::change(random) } else { writer::query(random) });
    }
    let depth = *random.pick(&[1, 1, 1, 2, 2, 3, 4]);
    let (leaves, rows) = match random.below(10) {
        0..=5 => (Leaves::Values, String::new()),
        6..=8 => (Leaves::Columns(&tables.edges.columns), format!(" FROM {EDGES} WHERE id = {}", random.below(17))),
        _ => {
            let range = format!(" FROM {EDGES} WHERE id BETWEEN {} AND 16 ORDER BY id", random.below(17));
            (Leaves::Columns(&tables.edges.columns), range)
        }
    };
    Statement::Expression { expression: generator.any(random, leaves, depth), rows }
}

/// Alters the answer to the planted statement, or to the first one after it that both have answered alike, by one row: of
/// several, another could be the first that differs. Which one it is.
fn plant(plan: &Plan, batch: u64, texts: &[String], postgres: &[Answer], ours: &mut [Answer]) -> Option<usize> {
    let begin = plan.planted?.checked_sub(batch * BATCH)? as usize;
    for (place, answer) in ours.iter_mut().enumerate().skip(begin) {
        let is_same = matches!(Outcome::of(&texts[place], &postgres[place], answer), Outcome::Same);
        if let Answer::Rows { rows, .. } = answer
            && let [row] = rows.as_mut_slice()
            && let Some(value) = row.first_mut()
            && is_same
        {
            *value = Some("planted".to_owned());
            return Some(place);
        }
    }
    None
}

/// What came of a statement.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Both answered the same.
    Same,
    /// Both refused it for the same reason.
    BothRefuse,
    /// The same numbers, but not to the last digit.
    Digits,
    /// PostgreSQL gave no answer in time.
    NoAnswer,
    /// Something else.
    Differs(Difference),
}

impl Outcome {
    /// What came of it.
    pub fn of(sql: &str, postgres: &Answer, ours: &Answer) -> Outcome {
        if let Answer::Error(error) = postgres
            && ["57014", "53200", "-----"].contains(&error.sqlstate.as_str())
        {
            return Outcome::NoAnswer;
        }
        match compare(sql, postgres, ours) {
            None if matches!(postgres, Answer::Error(_)) => Outcome::BothRefuse,
            None => Outcome::Same,
            Some(Difference::Value(_)) if differ_in_digits_only(sql, postgres, ours) => Outcome::Digits,
            Some(difference) => Outcome::Differs(difference),
        }
    }
}

/// A session with each server.
pub struct Pair {
    plan: Plan,
    postgres: Session,
    ours: Session,
}

impl Pair {
    fn connect(plan: &Plan) -> io::Result<Pair> {
        Ok(Pair { plan: plan.clone(), postgres: connect(&plan.postgres)?, ours: connect(&plan.ours)? })
    }

    /// PostgreSQL's answers and ours, which are made at the same time.
    pub fn answers(&mut self, statements: &[String]) -> io::Result<(Vec<Answer>, Vec<Answer>)> {
        let Pair { plan, postgres, ours } = self;
        std::thread::scope(|scope| {
            let ours = scope.spawn(|| surely(ours, &plan.ours, statements));
            let postgres = surely(postgres, &plan.postgres, statements)?;
            let ours = ours.join().map_err(|_| io::Error::other("a session panicked"))??;
            Ok((postgres, ours))
        })
    }

    /// What comes of one statement.
    pub fn outcome(&mut self, sql: &str) -> io::Result<Outcome> {
        let (postgres, ours) = self.answers(&[sql.to_owned()])?;
        Ok(match (postgres.first(), ours.first()) {
            (Some(postgres), Some(ours)) => Outcome::of(sql, postgres, ours),
            _ => Outcome::NoAnswer,
        })
    }

    /// PostgreSQL's answer alone.
    pub fn postgres(&mut self, sql: &str) -> io::Result<Answer> {
        let answers = surely(&mut self.postgres, &self.plan.postgres, &[sql.to_owned()])?;
        answers.into_iter().next().ok_or_else(|| io::Error::other("no answer"))
    }
}

/// The answers to the statements, though the server may hang up: then one by one, to find out at which.
fn surely(session: &mut Session, address: &Address, statements: &[String]) -> io::Result<Vec<Answer>> {
    if let Ok(answers) = session.run_all(statements) {
        return Ok(answers);
    }
    *session = connect(address)?;
    let mut answers = Vec::new();
    for sql in statements {
        match session.run(sql) {
            Ok(answer) => answers.push(answer),
            Err(error) => {
                answers.push(Answer::Error(SqlError::lost(&error)));
                let gone = |error| io::Error::other(format!("the server {address} is gone: {error}\nafter {sql}"));
                *session = connect(address).map_err(gone)?;
            }
        }
    }
    Ok(answers)
}
