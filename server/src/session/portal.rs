//! Portals: those of the protocol, and cursors, which are the same.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::common::ScalarValue;
use pg::PgError;
use pg::sqlstate::SqlState;

use crate::cursor::CursorRows;
use crate::error::{Error, Result};
use crate::parse::Statement;
use crate::query_log::RunningQuery;
use crate::session::{Prepared, now_us};
use crate::statement::RowStream;
use crate::wire::rows::Format;

/// A prepared statement with values for its parameters.
#[derive(Debug)]
pub struct Portal {
    /// The statement.
    pub prepared: Arc<Prepared>,
    /// The values.
    pub parameters: Vec<ScalarValue>,
    /// Formats of the result columns: none, one for all, or one for each.
    pub formats: Vec<Format>,
    /// Its rows, once it has been executed in part.
    pub rows: Option<PortalRows>,
    /// Its entry in the log while the client may ask for more of its rows.
    pub running: Option<RunningQuery>,
    /// Whether it has been executed to its end.
    pub finished: bool,
    /// How long it lives.
    pub lifetime: Lifetime,
    /// Whether it can go backward.
    pub scrolls: bool,
    /// Whether FETCH sends its rows in binary.
    pub binary: bool,
    /// Which of the session's portals it is, in the order in which they were made.
    number: u64,
}

/// The rows of a portal.
#[derive(Debug)]
pub enum PortalRows {
    /// They go to the client, once.
    Stream(RowStream),
    /// FETCH and MOVE move among them.
    Cursor(Arc<tokio::sync::Mutex<CursorRows>>),
}

/// How long a portal lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as the transaction that it was made in.
    Transaction,
    /// Longer, once that has been committed: `WITH HOLD`.
    ToBeHeld,
    /// As long as the session.
    Held,
}

impl Portal {
    /// A portal that has not been executed, and lives as long as its transaction.
    pub fn new(prepared: Arc<Prepared>, parameters: Vec<ScalarValue>, formats: Vec<Format>) -> Self {
        Portal {
            prepared,
            parameters,
            formats,
            rows: None,
            running: None,
            finished: false,
            lifetime: Lifetime::Transaction,
            scrolls: false,
            binary: false,
            number: 0,
        }
    }

    /// Its rows, among which FETCH moves.
    ///
    /// # Errors
    /// 0A000 when its statement is no query.
    pub fn cursor(&mut self) -> Result<Option<Arc<tokio::sync::Mutex<CursorRows>>>> {
        let is_query = matches!(self.prepared.parsed.as_ref().map(|it| &it.statement), Some(Statement::Query(_)));
        if !is_query {
            return Err(Error::not_supported("FETCH from a portal that is no query"));
        }
        let rows = match self.rows.take() {
            None => return Ok(None),
            Some(PortalRows::Stream(rows)) => Arc::new(tokio::sync::Mutex::new(CursorRows::new(rows, None))),
            Some(PortalRows::Cursor(rows)) => rows,
        };
        self.rows = Some(PortalRows::Cursor(rows.clone()));
        Ok(Some(rows))
    }
}

/// The portals of a session by their names; the unnamed one, which only the protocol knows, is "".
#[derive(Debug, Default)]
pub struct Portals {
    portals: HashMap<String, Portal>,
    /// How many have been made.
    made: u64,
    /// What `pg_cursors` shows.
    pub shown: Arc<ShownPortals>,
}

impl Portals {
    /// The portal of this name.
    pub fn get(&self, name: &str) -> Option<&Portal> {
        self.portals.get(name)
    }

    /// The portal of this name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Portal> {
        self.portals.get_mut(name)
    }

    /// The cursor of this name.
    ///
    /// # Errors
    /// 34000 when there is none.
    pub fn must_get(&mut self, name: &str) -> Result<&mut Portal> {
        self.portals.get_mut(name).ok_or_else(|| {
            let message = format!("cursor \"{name}\" does not exist");
            PgError::new(SqlState::INVALID_CURSOR_NAME, message).into()
        })
    }

    /// Whether a portal may get this name: the unnamed one gives way.
    ///
    /// # Errors
    /// 42P03 when there is one.
    pub fn check_new(&self, name: &str) -> Result<()> {
        // One that is being executed is not in its place.
        if name.is_empty() || !self.shown.portals().contains_key(name) {
            return Ok(());
        }
        let message = format!("cursor \"{name}\" already exists");
        Err(PgError::new(SqlState::DUPLICATE_CURSOR, message).into())
    }

    /// Adds a portal, or puts it in the place of another.
    pub fn insert(&mut self, name: String, mut portal: Portal) {
        self.made += 1;
        portal.number = self.made;
        let shown = ShownPortal {
            prepared: portal.prepared.clone(),
            is_holdable: portal.lifetime != Lifetime::Transaction,
            is_binary: portal.binary,
            is_scrollable: portal.scrolls,
            created_us: now_us(),
        };
        self.shown.portals().insert(name.clone(), shown);
        self.portals.insert(name, portal);
    }

    /// Takes a portal out for as long as it is executed.
    pub fn take(&mut self, name: &str) -> Option<Portal> {
        self.portals.remove(name)
    }

    /// Puts back what was taken.
    pub fn put_back(&mut self, name: String, portal: Portal) {
        self.portals.insert(name, portal);
    }

    /// A portal is no more. Whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        self.shown.portals().remove(name);
        self.portals.remove(name).is_some()
    }

    /// No portal is any more.
    pub fn clear(&mut self) {
        self.shown.portals().clear();
        self.portals.clear();
    }

    /// The transaction is committed: those that are held stay.
    pub fn commit(&mut self) {
        for portal in self.to_be_held() {
            portal.lifetime = Lifetime::Held;
        }
        self.roll_back();
    }

    /// The transaction is over, and what was made in it is no more.
    pub fn roll_back(&mut self) {
        self.keep(|portal| portal.lifetime == Lifetime::Held);
    }

    /// How many have been made by now.
    pub fn made(&self) -> u64 {
        self.made
    }

    /// Those that were made after so many are no more.
    pub fn roll_back_to(&mut self, made: u64) {
        self.keep(|portal| portal.number <= made);
    }

    fn keep(&mut self, keeps: impl Fn(&Portal) -> bool) {
        if self.portals.is_empty() && self.shown.portals().is_empty() {
            return;
        }
        self.portals.retain(|_, portal| keeps(portal));
        self.shown.portals().retain(|name, _| self.portals.contains_key(name));
    }

    /// Those that are to be held when their transaction is committed.
    pub fn to_be_held(&mut self) -> impl Iterator<Item = &mut Portal> {
        self.portals.values_mut().filter(|portal| portal.lifetime == Lifetime::ToBeHeld)
    }
}

/// What `pg_cursors` shows of portals, by their names.
#[derive(Debug, Default)]
pub struct ShownPortals(Mutex<BTreeMap<String, ShownPortal>>);

/// What `pg_cursors` shows of a portal.
#[derive(Debug, Clone)]
pub struct ShownPortal {
    /// The statement.
    pub prepared: Arc<Prepared>,
    /// Whether it outlives its transaction.
    pub is_holdable: bool,
    /// Whether FETCH sends its rows in binary.
    pub is_binary: bool,
    /// Whether it can go backward.
    pub is_scrollable: bool,
    /// When it was made, in microseconds since 1970.
    pub created_us: i64,
}

impl ShownPortals {
    fn portals(&self) -> MutexGuard<'_, BTreeMap<String, ShownPortal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of them.
    pub fn all(&self) -> Vec<(String, ShownPortal)> {
        self.portals().iter().map(|(name, portal)| (name.clone(), portal.clone())).collect()
    }
}
