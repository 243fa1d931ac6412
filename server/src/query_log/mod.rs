//! What has been asked: the statements that run, and those that have run of late, with what became of them. Redshift's
//! system views of queries read it; when the server ends, it is gone.

mod plans;
mod relations;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use catalog::Oid;
use pg::session::TransactionNumber;
use storage::scan::report::ScanReport;

use plans::ShownNode;
pub use relations::relation;

use crate::cost;
use crate::error::Error;
use crate::plan::statement_plans::StatementPlans;
use crate::session::activity::shown;
use crate::session::{Session, now_us};

/// Bytes that are kept, about; the oldest statements go first.
const BYTES_MAX: usize = 16 << 20;
/// Bytes of a statement's text that are kept.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// Bytes that a statement takes beside its texts, about.
const ENTRY_BYTES: usize = 300;

/// The statements of all sessions.
#[derive(Debug, Default)]
pub struct QueryLog(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    last: i64,
    running: BTreeMap<i64, Arc<Query>>,
    ended: VecDeque<EndedQuery>,
    bytes: usize,
}

/// A statement, whose it is, and when it began.
#[derive(Debug)]
struct Query {
    number: i64,
    role: Oid,
    user: String,
    database: String,
    process_id: i32,
    application_name: String,
    /// The number of its transaction, if that has one.
    transaction: Option<i64>,
    /// The command tag, or its beginning.
    verb: &'static str,
    text: String,
    start_us: i64,
}

/// A statement that has ended.
#[derive(Debug)]
struct EndedQuery {
    query: Arc<Query>,
    end_us: i64,
    end: End,
    /// Bytes that it takes, about, as it ended: a cursor of its may still meet what it cannot read.
    bytes: usize,
}

/// How a statement has ended.
#[derive(Debug, Clone)]
struct End {
    outcome: QueryOutcome,
    /// Rows that were sent, or changed.
    rows: i64,
    /// What it has read of external tables.
    scans: Vec<ScanReport>,
    /// Its plan, if that was kept.
    nodes: Arc<[ShownNode]>,
}

/// What became of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
enum QueryOutcome {
    Success,
    /// It was ended: by a request, its time limit, its client's end.
    Cancelled(String),
    /// SQLSTATE and message.
    Failed(&'static str, String),
}

impl QueryLog {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn end(&mut self, number: i64, end: End) {
        let Some(query) = self.running.remove(&number) else { return };
        let bytes = bytes(&query, &end);
        let ended = EndedQuery { query, end_us: now_us(), end, bytes };
        self.bytes += bytes;
        self.ended.push_back(ended);
        while self.bytes > BYTES_MAX {
            let Some(oldest) = self.ended.pop_front() else { return };
            self.bytes -= oldest.bytes;
        }
    }
}

/// Bytes that a statement takes which has ended, about.
fn bytes(query: &Query, end: &End) -> usize {
    let message = match &end.outcome {
        QueryOutcome::Success => 0,
        QueryOutcome::Cancelled(message) | QueryOutcome::Failed(_, message) => message.len(),
    };
    let loaded = |scan: &ScanReport| scan.loaded.as_ref().map_or(0, |loaded| loaded.bytes());
    let of_scan =
        |scan: &ScanReport| scan.location.len() + size_of::<ScanReport>() + scan.faults.bytes() + loaded(scan);
    let scans: usize = end.scans.iter().map(of_scan).sum();
    let nodes: usize = end.nodes.iter().map(ShownNode::bytes).sum();
    ENTRY_BYTES + query.text.len() + message + scans + nodes
}

/// The entry of a statement that runs. When it is dropped, its client has gone, or does not want the rest of its rows.
#[derive(Debug)]
pub struct RunningQuery {
    log: Arc<QueryLog>,
    number: i64,
    /// Rows that were sent, once the client has been asked whether it wants more.
    paused_after: Option<i64>,
    plans: Arc<StatementPlans>,
    /// How long it has to run for its plan to be kept; nothing if no plan is.
    plan_kept_from_us: Option<i64>,
}

impl RunningQuery {
    /// A statement of a session begins.
    pub fn begin(session: &Session, verb: &'static str, text: &str) -> Self {
        let log = session.server.query_log.clone();
        let text = shown(text, TEXT_BYTES_MAX);
        let identity = &session.identity;
        let mut entries = log.entries();
        let number = entries.last + 1;
        let query = Query {
            number,
            role: identity.role,
            user: identity.user.clone(),
            database: identity.database.clone(),
            process_id: identity.process_id,
            application_name: session.settings.value("application_name").cloned().unwrap_or_default(),
            transaction: session.transaction_number.as_ref().assigned(),
            verb,
            text: text.to_owned(),
            start_us: now_us(),
        };
        entries.last = number;
        entries.running.insert(number, Arc::new(query));
        drop(entries);
        let plan_kept_from_us = session.settings.plan_kept_from_us();
        RunningQuery { log, number, paused_after: None, plans: Arc::default(), plan_kept_from_us }
    }

    /// Its number.
    pub fn number(&self) -> i64 {
        self.number
    }

    /// Where its plans are noted.
    pub fn plans(&self) -> &Arc<StatementPlans> {
        &self.plans
    }

    /// What scans have done counts for nothing: it begins again.
    pub fn forget_scans(&self) {
        self.plans.clear();
    }

    /// So many rows more were sent; the client may want others, or not.
    pub fn pause(&mut self, rows: u64) {
        self.paused_after = Some(self.paused_after.unwrap_or(0) + rows as i64);
    }

    /// It has come to its end, with this command tag.
    pub fn succeed(self, tag: &str) {
        if let Some(plan) = self.plans.whole() {
            cost::learn(&plan);
        }
        let rows = tag.rsplit(' ').next().and_then(|rows| rows.parse().ok()).unwrap_or(0);
        self.end(QueryOutcome::Success, rows);
    }

    /// It has failed.
    pub fn fail(self, error: &Error) {
        let report = error.report();
        let outcome = match error {
            Error::Cancelled | Error::StatementTimeout | Error::AdminShutdown => {
                QueryOutcome::Cancelled(report.message)
            }
            _ => QueryOutcome::Failed(report.sqlstate.code(), report.message),
        };
        self.end(outcome, 0);
    }

    fn end(&self, outcome: QueryOutcome, rows: i64) {
        let (plan, reports) = self.plans.take();
        let scans: Vec<ScanReport> = reports.iter().flat_map(|reports| reports.all()).collect();
        let rows = self.paused_after.unwrap_or(0) + rows;
        let start_us = self.log.entries().running.get(&self.number).map(|query| query.start_us);
        let is_kept =
            self.plan_kept_from_us.zip(start_us).is_some_and(|(least, start_us)| now_us() - start_us >= least);
        // Whoever unwinds has no time for it.
        let is_kept = is_kept && !std::thread::panicking();
        let nodes = plan.filter(|_| is_kept).map(|plan| plans::nodes(plan, &scans)).unwrap_or_default();
        self.log.entries().end(self.number, End { outcome, rows, scans, nodes });
    }
}

impl Drop for RunningQuery {
    fn drop(&mut self) {
        // What has ended is not among those that run any more.
        let outcome = match self.paused_after {
            Some(_) => QueryOutcome::Success,
            None => QueryOutcome::Cancelled(Error::Cancelled.report().message),
        };
        self.end(outcome, 0);
    }
}
