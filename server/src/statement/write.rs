//! What a statement has done to the rows of a table becomes a part of its transaction: the rows that go are locked, the keys
//! of those that come are locked and looked for, and only then the change is committed.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::FieldRef;
use bytes::BytesMut;
use catalog::{CatalogChange, HotTable, Oid, RowAddresses, TableRows};
use pg::output::text_writer_in;
use pg::sqlstate::SqlState;
use pg::types::describe;
use pg::{PgError, SessionValues};
use storage::hot::keys::{DuplicateKey, KeyHash, NewKeys};
use storage::hot::table_writer::WrittenRows;

use crate::error::{Error, Result};
use crate::locks::{Deadlock, Held};
use crate::session::Session;

/// Whether a statement is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// It is.
    Done,
    /// Others have changed its rows since it looked: it has to look again.
    RowsChanged,
}

/// Takes the locks and commits, or adds to the transaction that is open. `beside` goes with it.
///
/// # Errors
/// 23505 when a key is there already, 40P01 or 55P03 when a lock cannot be had, 40001 when rows have changed that a
/// transaction with one snapshot wants to change.
pub async fn commit_rows(
    session: &mut Session,
    table: &Arc<HotTable>,
    written: WrittenRows,
    beside: impl IntoIterator<Item = CatalogChange>,
) -> Result<Write> {
    let WrittenRows { changes, keys, .. } = written;
    if changes.is_empty() {
        return Ok(Write::Done);
    }
    if !lock_rows(session, table, &changes.delete).await? {
        return match session.sees_one_snapshot() {
            true => Err(catalog::Error::RowChangedConcurrently { table: table.oid }.into()),
            false => Ok(Write::RowsChanged),
        };
    }
    for keys in keys.iter().filter(|keys| !keys.is_empty()) {
        lock_keys(session, keys.constraint, &keys.hashes()).await?;
        check_keys(session, table, keys, &changes.delete).await?;
    }
    let mut list = vec![CatalogChange::ChangeRows { table: table.oid, changes }];
    list.extend(beside);
    session.commit(list).await?;
    Ok(Write::Done)
}

/// Locks committed rows. Whether they are still what the statement has seen.
///
/// # Errors
/// 40P01 or 55P03 when a lock cannot be had.
pub async fn lock_rows(session: &mut Session, table: &Arc<HotTable>, rows: &RowAddresses) -> Result<bool> {
    let committed = rows.without_drafts();
    if committed.is_empty() {
        return Ok(true);
    }
    loop {
        let newest = session.server.catalog.snapshot().rows(table.oid);
        match session.locks().lock_rows(table.oid, &committed, &newest) {
            // Who held the lock before may have committed after the statement had looked, and before the lock was had.
            Ok(()) => return Ok(session.server.catalog.snapshot().rows(table.oid).current_addresses(&committed).1),
            Err(held) => wait(session, held).await?,
        }
    }
}

/// Locks keys of a constraint.
///
/// # Errors
/// 40P01 or 55P03 when a lock cannot be had.
pub async fn lock_keys(session: &mut Session, constraint: Oid, keys: &[KeyHash]) -> Result<()> {
    while let Err(held) = session.locks().lock_keys(constraint, keys) {
        wait(session, held).await?;
    }
    Ok(())
}

/// That no row has one of the keys, except those that are deleted: in what is committed by now, and in what the transaction
/// has changed, whatever its snapshot shows.
async fn check_keys(
    session: &mut Session,
    table: &Arc<HotTable>,
    keys: &NewKeys,
    deleted: &RowAddresses,
) -> Result<()> {
    let rows: Arc<TableRows> = session.newest()?.rows(table.oid);
    let deleted = rows.current_addresses(deleted).0;
    let guard = session.guard();
    let index = session.server.keys.clone();
    let found = guard.run(index.find(&keys.key, &rows, &keys.hashes())).await?.map_err(Error::Storage)?;
    let found = found.iter().find(|row| !deleted.of(row.unit).is_some_and(|gone| gone.contains(row.row)));
    let Some(row) = found else { return Ok(()) };
    let values = index.values(keys.key.columns(), &rows, row.unit, row.row).await.map_err(Error::Storage)?;
    let duplicate = keys.duplicate_of(values).map_err(datafusion::error::DataFusionError::from)?;
    Err(duplicate_key(&session.values(Vec::new()), &duplicate))
}

/// Waits for the transaction that holds a lock, as long as the session's settings allow.
async fn wait(session: &mut Session, held: Held) -> Result<()> {
    let (guard, timeout) = (session.guard(), session.settings.lock_timeout());
    let wait = session.locks().wait(held).map_err(|deadlock| deadlock_error(&deadlock))?;
    let waited = async {
        match timeout {
            Some(timeout) => tokio::time::timeout(timeout, wait.ended()).await.is_ok(),
            None => {
                wait.ended().await;
                true
            }
        }
    };
    match guard.run(waited).await? {
        true => Ok(()),
        false => {
            let message = "canceling statement due to lock timeout";
            Err(PgError::new(SqlState::LOCK_NOT_AVAILABLE, message).into())
        }
    }
}

fn deadlock_error(deadlock: &Deadlock) -> Error {
    let others = deadlock.processes.iter().skip(1).chain(deadlock.processes.first());
    let lines = deadlock.processes.iter().zip(others);
    let lines = lines.map(|(waits, holds)| format!("Process {waits} waits for a lock; blocked by process {holds}."));
    let detail = lines.collect::<Vec<_>>().join("\n");
    PgError::new(SqlState::DEADLOCK_DETECTED, "deadlock detected").with_detail(detail).into()
}

/// The error, with the key in it when it is one of two rows of a statement that have the same.
pub fn named_duplicate(values: &SessionValues, error: Error) -> Error {
    let found = match &error {
        Error::Engine { source, .. } => storage::error::find(source),
        _ => None,
    };
    match found {
        Some(storage::Error::DuplicateKey(duplicate)) => duplicate_key(values, duplicate),
        _ => error,
    }
}

/// 23505
fn duplicate_key(values: &SessionValues, duplicate: &DuplicateKey) -> Error {
    let message = format!("duplicate key value violates unique constraint \"{}\"", duplicate.constraint);
    let error = PgError::new(SqlState::UNIQUE_VIOLATION, message);
    let fields = duplicate.values.schema();
    let names: Vec<_> = fields.fields().iter().map(|field| field.name().as_str()).collect();
    let shown = row_text(values, &duplicate.values, 0);
    error.with_detail(format!("Key ({})=({}) already exists.", names.join(", "), shown.join(", "))).into()
}

/// The values of a row as the client would read them.
fn row_text(values: &SessionValues, rows: &RecordBatch, row: usize) -> Vec<String> {
    let text = |(field, array): (&FieldRef, &ArrayRef)| {
        if array.is_null(row) {
            return "null".to_owned();
        }
        let described = describe(field);
        let mut out = BytesMut::new();
        let written = text_writer_in(array.as_ref(), described.oid, described.typmod, values)
            .and_then(|write| write(row, &mut out));
        written.map_or_else(|_| "?".to_owned(), |()| String::from_utf8_lossy(&out).into_owned())
    };
    rows.schema().fields().iter().zip(rows.columns()).map(text).collect()
}
