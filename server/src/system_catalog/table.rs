//! A table of the system catalogs, whose rows are made when it is scanned, once for the same definitions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use catalog::{CatalogSnapshot, SeenDefinitions};
use datafusion::catalog::memory::MemorySourceConfig;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use pg::Type;
use pg::recorded::Relation;
use pg::types::{OID, XID};

use super::rows::schema_of;
use super::{is_always_empty, rows_of};

/// Definitions whose rows are kept. Sessions with temporary objects have definitions of their own.
const DEFINITIONS_MAX: usize = 4;
/// Rows of it say what is not a definition: how many rows tables have.
const NOT_KEPT: &str = "pg_class";

/// The columns of every table, other than of views, that are found by their names only, and their types.
const SYSTEM_COLUMNS: [(&str, u32); 2] = [("tableoid", OID), ("xmin", XID)];
/// The number of the transaction that has written what was there before all others (PostgreSQL's `FrozenTransactionId`).
const FROZEN: u32 = 2;

/// How many of the last columns of a relation are found by their names only.
pub fn columns_by_name_only(relation: &Relation) -> usize {
    relation.hidden.len() + system_columns(relation).len()
}

/// The columns that every table has.
fn system_columns(relation: &Relation) -> &'static [(&'static str, u32)] {
    if relation.is_view { &[] } else { &SYSTEM_COLUMNS }
}

/// A table of the system catalogs.
#[derive(Debug)]
pub struct SystemTable {
    relation: &'static Relation,
    snapshot: Arc<CatalogSnapshot>,
    database: String,
    rows: Arc<SystemRows>,
    schema: SchemaRef,
    /// The rows that are kept nowhere else, once they have been asked for: a subquery can ask for each row of the query around
    /// it.
    made: OnceLock<RecordBatch>,
}

impl SystemTable {
    /// The table of a session in `database` that sees `snapshot`.
    pub fn new(
        relation: &'static Relation,
        snapshot: Arc<CatalogSnapshot>,
        database: &str,
        rows: &Arc<SystemRows>,
    ) -> Self {
        let (database, rows) = (database.to_owned(), rows.clone());
        let columns = schema_of(relation);
        let system_columns = system_columns(relation).iter().map(|(name, oid)| Arc::new(Type::of(*oid).field(name)));
        let fields: Vec<_> = columns.fields().iter().cloned().chain(system_columns).collect();
        SystemTable { relation, snapshot, database, rows, schema: Arc::new(Schema::new(fields)), made: OnceLock::new() }
    }

    /// The same for a session that sees another snapshot.
    #[must_use]
    pub fn seen_in(&self, snapshot: &Arc<CatalogSnapshot>) -> Self {
        SystemTable::new(self.relation, snapshot.clone(), &self.database, &self.rows)
    }

    /// Whether it has no rows, whatever is made.
    pub fn is_always_empty(&self) -> bool {
        is_always_empty(self.relation)
    }

    fn rows(&self) -> Result<RecordBatch> {
        if let Some(made) = self.made.get() {
            return Ok(made.clone());
        }
        let rows = self.rows.of(self.relation, &self.snapshot, &self.database);
        let rows = rows.map_err(|error| DataFusionError::External(Box::new(error)))?;
        let number = |value| Arc::new(UInt32Array::from_value(value, rows.num_rows())) as ArrayRef;
        let numbers = [number(self.relation.oid), number(FROZEN)];
        let system_columns = numbers.into_iter().take(system_columns(self.relation).len());
        let columns = rows.columns().iter().cloned().chain(system_columns).collect();
        let rows = RecordBatch::try_new(self.schema.clone(), columns)?;
        Ok(if self.relation.name == NOT_KEPT { self.made.get_or_init(|| rows).clone() } else { rows })
    }
}

#[async_trait]
impl TableProvider for SystemTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(MemorySourceConfig::try_new_exec(&[vec![self.rows()?]], self.schema(), projection.cloned())?)
    }
}

/// The rows of tables, as they were made last.
#[derive(Debug, Default)]
pub struct SystemRows(Mutex<Vec<(SeenDefinitions, HashMap<Key, RecordBatch>)>>);

/// A table, and the database of who asks, which one of them tells.
type Key = (&'static str, String);

impl SystemRows {
    fn of(
        &self,
        relation: &'static Relation,
        snapshot: &CatalogSnapshot,
        database: &str,
    ) -> crate::error::Result<RecordBatch> {
        if relation.name == NOT_KEPT {
            return rows_of(relation, snapshot, database);
        }
        let key = (relation.name, database.to_owned());
        let kept = |definitions: &mut Vec<(SeenDefinitions, HashMap<Key, RecordBatch>)>| {
            let place = definitions.iter().position(|(seen, _)| snapshot.has_seen(seen))?;
            Some(definitions.remove(place))
        };
        if let Some(rows) = self.locked(|definitions| {
            let (seen, tables) = kept(definitions)?;
            let rows = tables.get(&key).cloned();
            definitions.push((seen, tables));
            rows
        }) {
            return Ok(rows);
        }
        let rows = rows_of(relation, snapshot, database)?;
        self.locked(|definitions| {
            let (seen, mut tables) = kept(definitions).unwrap_or_else(|| (snapshot.seen_definitions(), HashMap::new()));
            tables.insert(key, rows.clone());
            definitions.push((seen, tables));
            if definitions.len() > DEFINITIONS_MAX {
                definitions.remove(0);
            }
        });
        Ok(rows)
    }

    fn locked<T>(&self, work: impl FnOnce(&mut Vec<(SeenDefinitions, HashMap<Key, RecordBatch>)>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
