//! How many bytes relations take (PostgreSQL's `dbsize.c`).

use arrow::array::ArrayRef;
use catalog::{CatalogSnapshot, Relation};

use crate::error::{PgError, Result};
use crate::function::{Call, Function, Oid, function};
use crate::names::{self, DATABASE_OID};
use crate::sqlstate::SqlState;
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("pg_database_size", &[NAME], INT8, pg_database_size).stable(),
    function("pg_database_size", &[OID], INT8, |call| {
        call.map1(|Oid(database)| (database == DATABASE_OID).then(all_bytes).flatten())
    })
    .stable(),
    // The rows of keys are in memory, or files that can be made again.
    function("pg_indexes_size", &[REGCLASS], INT8, |call| call.map1(|Oid(table)| bytes_of(table).map(|_| 0i64)))
        .stable(),
    function("pg_relation_size", &[REGCLASS], INT8, |call| call.map1(|Oid(relation)| bytes_of(relation))).stable(),
    function("pg_relation_size", &[REGCLASS, TEXT], INT8, pg_relation_size).stable(),
    function("pg_table_size", &[REGCLASS], INT8, |call| call.map1(|Oid(table)| bytes_of(table))).stable(),
    function("pg_tablespace_size", &[OID], INT8, |call| call.map1(|_: Oid| all_bytes())).stable(),
    function("pg_total_relation_size", &[REGCLASS], INT8, |call| call.map1(|Oid(table)| bytes_of(table))).stable(),
];

/// The bytes of a relation: of a hot table, those of its files, and of its rows in memory. NULL when there is no such
/// relation.
fn bytes_of(relation: u32) -> Option<i64> {
    let names = names::current()?;
    match names.snapshot().relation_by_oid(catalog::Oid(relation)) {
        Some(Relation::Hot(table)) => Some(bytes_of_rows(names.snapshot(), table.oid)),
        Some(_) => Some(0),
        None => names.relation_name(relation).map(|_| 0),
    }
}

fn bytes_of_rows(snapshot: &CatalogSnapshot, table: catalog::Oid) -> i64 {
    let rows = snapshot.rows(table);
    let files: u64 = rows.segments().map(|(_, segment)| segment.file.bytes).sum();
    let inline: usize = rows.inline_units().map(|unit| unit.memory_bytes()).sum();
    i64::try_from(files + inline as u64).unwrap_or(i64::MAX)
}

fn all_bytes() -> Option<i64> {
    let names = names::current()?;
    Some(names.snapshot().hot_tables().map(|table| bytes_of_rows(names.snapshot(), table.oid)).sum())
}

fn pg_database_size(call: &Call) -> Result<ArrayRef> {
    call.map1(|database: &str| {
        let is_here = names::current().is_some_and(|names| names.is_database(database));
        let message = || format!("database \"{database}\" does not exist");
        if is_here { Ok(all_bytes()) } else { Err(PgError::new(SqlState::INVALID_CATALOG_NAME, message())) }
    })
}

/// All is in the main fork.
fn pg_relation_size(call: &Call) -> Result<ArrayRef> {
    call.map2(|Oid(relation): Oid, fork: &str| match fork {
        "main" => Ok(bytes_of(relation)),
        "fsm" | "vm" | "init" => Ok(bytes_of(relation).map(|_| 0)),
        _ => {
            let error = PgError::new(SqlState::INVALID_PARAMETER_VALUE, "invalid fork name");
            Err(error.with_hint("Valid fork names are \"main\", \"fsm\", \"vm\", and \"init\"."))
        }
    })
}
