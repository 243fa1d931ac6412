//! `pg_locks`: who holds and who waits for what. Of statements that only read there is nothing: they lock nothing.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::{DataFusionError, Result};
use pg::names::DATABASE_OID;
use pg::recorded::Relation;

use super::rows::{Rows, Value, schema_of};
use crate::locks::{LockedObject, Locks, ShownLock};
use crate::plan::in_memory::RowSource;

/// The relation's name.
pub const NAME: &str = "pg_locks";

/// The rows, as they are when they are read.
#[derive(Debug)]
pub struct LockRows {
    schema: SchemaRef,
    locks: Arc<Locks>,
}

impl LockRows {
    /// The rows of the server's locks.
    pub fn new(relation: &'static Relation, locks: Arc<Locks>) -> Self {
        LockRows { schema: schema_of(relation), locks }
    }

    fn made(&self) -> crate::error::Result<RecordBatch> {
        let columns = [
            "locktype",
            "database",
            "relation",
            "transactionid",
            "classid",
            "objid",
            "objsubid",
            "virtualtransaction",
            "pid",
            "mode",
            "granted",
            "fastpath",
        ];
        let mut rows = Rows::new(NAME, &columns)?;
        for ShownLock { object, process_id, mode, granted } in self.locks.shown() {
            let database = Value::from(DATABASE_OID);
            let [none_a, none_b, none_c] = [Value::Null, Value::Null, Value::Null];
            let (kind, of) = match object {
                LockedObject::Relation(oid) => {
                    ("relation", [database, oid.into(), Value::Null, none_a, none_b, none_c])
                }
                LockedObject::Transaction(id) => {
                    ("transactionid", [Value::Null, Value::Null, Value::Number(id as u32), none_a, none_b, none_c])
                }
                LockedObject::Advisory { class, object, sub } => {
                    ("advisory", [database, Value::Null, Value::Null, class.into(), object.into(), Value::Int2(sub)])
                }
            };
            let [database, relation, transaction, class, object, sub] = of;
            rows.push([
                kind.into(),
                database,
                relation,
                transaction,
                class,
                object,
                sub,
                format!("{process_id}/0").into(),
                process_id.into(),
                mode.into(),
                granted.into(),
                false.into(),
            ])?;
        }
        rows.finish()
    }
}

impl RowSource for LockRows {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn rows(&self) -> Result<Vec<RecordBatch>> {
        Ok(vec![self.made().map_err(|error| DataFusionError::External(Box::new(error)))?])
    }
}
