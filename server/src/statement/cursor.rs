//! DECLARE CURSOR, FETCH, MOVE, CLOSE. Cursors are portals, as in PostgreSQL.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use pg::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast::Ident;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::cursor::scrollable::goes_backward;
use crate::cursor::{CursorRows, fetched};
use crate::error::{Error, Result};
use crate::parse::statement::{Declare, Direction, Fetch};
use crate::parse::{Parsed, Statement};
use crate::plan::relations::identifier;
use crate::session::portal::{Lifetime, PortalRows};
use crate::session::{Portal, Prepared, Session, TransactionStatus};
use crate::statement::{Outcome, RowStream, query};

/// Rows that wait to be fetched, in the engine's pool.
const CONSUMER: &str = "cursor";

/// # Errors
/// 25P01 outside of a transaction block, unless the cursor outlives its transaction; 42P03 when the name is taken; the query
/// cannot be started.
pub async fn declare(
    session: &mut Session,
    prepared: &Prepared,
    declare: &Declare,
    parameters: &[ScalarValue],
) -> Result<Outcome> {
    if !declare.hold && !session.may_declare() {
        return Err(Error::OutsideTransaction { statement: "DECLARE CURSOR" });
    }
    let name = identifier(&declare.name);
    session.portals.check_new(&name)?;
    let Some(planned) = &prepared.planned else { return Err(PgError::internal("a cursor without a plan").into()) };
    let scrolls = declare.scroll.unwrap_or_else(|| goes_backward(&declare.query, &planned.plan));
    let rows = query::start(session, prepared, parameters).await?;
    let batches = scrolls.then(|| session.server.engine.batches(CONSUMER, rows.schema.clone()));
    let rows = Arc::new(Mutex::new(CursorRows::new(rows, batches)));
    let query = Parsed { statement: Statement::Query(declare.query.clone()), text: prepared.text().into() };
    let query = Prepared::new(Some(query), prepared.planned.clone(), Vec::new());
    let mut portal = Portal::new(Arc::new(query), Vec::new(), Vec::new());
    portal.rows = Some(PortalRows::Cursor(rows));
    portal.lifetime = if declare.hold { Lifetime::ToBeHeld } else { Lifetime::Transaction };
    portal.scrolls = scrolls;
    portal.binary = declare.binary;
    session.portals.insert(name.clone(), portal);
    // A statement that is a transaction of its own is over.
    if session.transaction_status() == TransactionStatus::Idle {
        match session.hold_cursors().await {
            Ok(()) => session.portals.commit(),
            Err(error) => {
                session.portals.roll_back();
                return Err(error);
            }
        }
    }
    Ok(Outcome::command("DECLARE CURSOR"))
}

/// # Errors
/// 34000 when there is no such cursor, 55000 when it has failed or cannot go there; the query fails.
pub async fn fetch(session: &mut Session, fetch: &Fetch) -> Result<Outcome> {
    let name = identifier(&fetch.cursor);
    let binary = session.portals.must_get(&name)?.binary;
    let rows = opened(session, &name).await?;
    if fetch.moves {
        let moved = moved(session, &name, rows, fetch.direction).await?;
        return Ok(Outcome::command(format!("MOVE {moved}")));
    }
    let mut rows = reading(session, &name, rows, fetch.direction, "FETCH").await?;
    rows.binary = binary;
    Ok(Outcome::Rows(rows))
}

/// # Errors
/// 34000 when there is no such cursor.
pub fn close(session: &mut Session, name: Option<&Ident>) -> Result<Outcome> {
    let Some(name) = name else {
        session.portals.clear();
        return Ok(Outcome::command("CLOSE CURSOR ALL"));
    };
    let name = identifier(name);
    session.portals.must_get(&name)?;
    session.portals.remove(&name);
    Ok(Outcome::command("CLOSE CURSOR"))
}

/// The next rows of a cursor, for a client that executes it by its name.
///
/// # Errors
/// As for [`fetch`].
pub async fn execute(
    session: &mut Session,
    name: &str,
    rows: Arc<Mutex<CursorRows>>,
    rows_max: usize,
) -> Result<RowStream> {
    let direction = match rows_max {
        usize::MAX => Direction::ForwardAll,
        rows => Direction::Forward(rows as u64),
    };
    reading(session, name, rows, direction, "SELECT").await
}

/// The rows of a portal, which is executed if it has not been yet.
async fn opened(session: &mut Session, name: &str) -> Result<Arc<Mutex<CursorRows>>> {
    let portal = session.portals.must_get(name)?;
    if let Some(rows) = portal.cursor()? {
        return Ok(rows);
    }
    let (prepared, parameters) = (portal.prepared.clone(), portal.parameters.clone());
    let rows = query::start(session, &prepared, &parameters).await?;
    let portal = session.portals.must_get(name)?;
    portal.rows = Some(PortalRows::Stream(rows));
    portal.cursor()?.ok_or_else(|| PgError::internal("a portal has lost its rows").into())
}

/// The rows for one statement, which begins to move the cursor.
fn begin(name: &str, rows: Arc<Mutex<CursorRows>>) -> Result<OwnedMutexGuard<CursorRows>> {
    let cannot_be_run = || {
        let message = format!("portal \"{name}\" cannot be run");
        PgError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
    };
    // A statement that still has rows of it to send is the only other one.
    let mut rows = rows.try_lock_owned().map_err(|_| cannot_be_run())?;
    match rows.begin() {
        true => Ok(rows),
        false => Err(cannot_be_run().into()),
    }
}

async fn moved(session: &mut Session, name: &str, rows: Arc<Mutex<CursorRows>>, direction: Direction) -> Result<u64> {
    let mut rows = begin(name, rows)?;
    let guard = session.guard();
    let moved = match direction {
        Direction::Forward(0) | Direction::Relative(0) => u64::from(rows.is_on_row()),
        // Any cursor can go to where it is.
        Direction::BackwardAll if rows.is_before_first() => 0,
        direction => {
            let reading = guard.run(rows.go(direction)).await??;
            guard.run(rows.pass(reading)).await??
        }
    };
    rows.end();
    Ok(moved)
}

async fn reading(
    session: &mut Session,
    name: &str,
    rows: Arc<Mutex<CursorRows>>,
    direction: Direction,
    verb: &'static str,
) -> Result<RowStream> {
    let mut rows = begin(name, rows)?;
    let guard = session.guard();
    let reading = guard.run(rows.go(direction)).await??;
    let (schema, names) = (rows.schema.clone(), rows.names.clone());
    let mut stream = RowStream::new(schema, verb, fetched(rows, reading), guard);
    stream.names = names;
    Ok(stream)
}

impl Session {
    /// Whether a cursor that lives as long as its transaction can be of use.
    fn may_declare(&self) -> bool {
        match &self.transaction {
            crate::session::TransactionState::Open(open) => !open.implicit || open.is_of_query_string,
            _ => false,
        }
    }

    /// Cursors that outlive their transaction get all of their rows.
    ///
    /// # Errors
    /// Their queries fail.
    pub async fn hold_cursors(&mut self) -> Result<()> {
        let (guard, server) = (self.guard(), self.server.clone());
        for portal in self.portals.to_be_held() {
            let Some(PortalRows::Cursor(rows)) = &portal.rows else { continue };
            let mut rows = begin("", rows.clone());
            match &mut rows {
                Ok(rows) => {
                    guard.run(rows.hold(|schema| server.engine.batches(CONSUMER, schema))).await??;
                    rows.end();
                }
                // One that has failed ends with the transaction.
                Err(_) => portal.lifetime = Lifetime::Transaction,
            }
        }
        Ok(())
    }

    /// A statement's rows, all of them computed.
    ///
    /// # Errors
    /// They cannot be computed.
    pub async fn computed_rows(&mut self, rows: RowStream) -> Result<RowStream> {
        let (verb, guard) = (rows.verb(), self.guard());
        let mut computed = CursorRows::new(rows, None);
        guard.run(computed.hold(|schema| self.server.engine.batches(CONSUMER, schema))).await??;
        let (schema, names) = (computed.schema.clone(), computed.names.clone());
        let rows = Arc::new(Mutex::new(computed));
        let mut rows = rows.try_lock_owned().map_err(|_| PgError::internal("rows that are new are locked"))?;
        let reading = rows.go(Direction::ForwardAll).await?;
        let mut stream = RowStream::new(schema, verb, fetched(rows, reading), guard);
        stream.names = names;
        Ok(stream)
    }
}
