//! Prepared statements: those of the protocol and those of PREPARE, which are the same.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::datatypes::SchemaRef;

use crate::error::{Error, Result};
use crate::parse::Parsed;
use crate::plan::Planned;
use crate::session::now_us;

/// A statement that has been parsed and, if it is a query, planned.
#[derive(Debug)]
pub struct Prepared {
    /// The statement; `None` is an empty query string.
    pub parsed: Option<Parsed>,
    /// Its plan, if it has one.
    pub planned: Option<Planned>,
    /// OIDs of its parameters' types.
    pub parameter_types: Vec<u32>,
    /// The columns of what it names: a prepared statement that it executes, a cursor that it fetches from.
    pub named: Option<SchemaRef>,
    /// How often it has been executed.
    executions: AtomicI64,
}

impl Prepared {
    /// A statement that has not been executed.
    pub fn new(parsed: Option<Parsed>, planned: Option<Planned>, parameter_types: Vec<u32>) -> Self {
        Prepared { parsed, planned, parameter_types, named: None, executions: AtomicI64::default() }
    }

    /// The text of the query string it came in.
    pub fn text(&self) -> &str {
        self.parsed.as_ref().map_or("", |parsed| parsed.text.as_ref())
    }

    /// The command tag of the statement, or its beginning.
    pub fn verb(&self) -> &'static str {
        self.parsed.as_ref().map_or("", |parsed| parsed.statement.verb())
    }

    /// It is executed.
    pub fn count_execution(&self) {
        self.executions.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it has been executed.
    pub fn executions(&self) -> i64 {
        self.executions.load(Ordering::Relaxed)
    }
}

/// The prepared statements of a session by their names; the unnamed one, which only the protocol knows, is "". They are the
/// session's, whatever becomes of its transactions.
#[derive(Debug, Default)]
pub struct PreparedStatements(Mutex<BTreeMap<String, NamedStatement>>);

/// A prepared statement under a name.
#[derive(Debug, Clone)]
pub struct NamedStatement {
    /// The statement.
    pub prepared: Arc<Prepared>,
    /// When it was prepared, in microseconds since 1970.
    pub prepared_us: i64,
    /// Whether by PREPARE, not by the protocol.
    pub from_sql: bool,
}

impl PreparedStatements {
    fn statements(&self) -> MutexGuard<'_, BTreeMap<String, NamedStatement>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The statement of this name.
    ///
    /// # Errors
    /// 26000 when there is none.
    pub fn get(&self, name: &str) -> Result<Arc<Prepared>> {
        let found = self.statements().get(name).map(|named| named.prepared.clone());
        found.ok_or_else(|| Error::UndefinedStatement { name: name.to_owned() })
    }

    /// Whether a statement may get this name: the unnamed one gives way.
    ///
    /// # Errors
    /// 42P05 when there is one.
    pub fn check_new(&self, name: &str) -> Result<()> {
        match !name.is_empty() && self.statements().contains_key(name) {
            true => Err(Error::DuplicateStatement { name: name.to_owned() }),
            false => Ok(()),
        }
    }

    /// Adds a statement, or puts it in the place of another.
    pub fn insert(&self, name: String, prepared: Prepared, from_sql: bool) {
        let named = NamedStatement { prepared: Arc::new(prepared), prepared_us: now_us(), from_sql };
        self.statements().insert(name, named);
    }

    /// Takes a statement out. Whether it was there.
    pub fn remove(&self, name: &str) -> bool {
        self.statements().remove(name).is_some()
    }

    /// Takes all statements out.
    pub fn clear(&self) {
        self.statements().clear();
    }

    /// Those that have names.
    pub fn named(&self) -> Vec<(String, NamedStatement)> {
        let statements = self.statements();
        let named = statements.iter().filter(|(name, _)| !name.is_empty());
        named.map(|(name, statement)| (name.clone(), statement.clone())).collect()
    }
}
