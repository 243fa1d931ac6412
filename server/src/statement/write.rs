//! What a statement has done to the rows of a table becomes a part of its transaction: the rows that go are locked, the keys
//! of those that come are locked and looked for, and only then the change is committed.

use std::sync::Arc;

use catalog::{CatalogChange, HotTable, Oid, RowAddresses, TableRows};
use datafusion::error::DataFusionError;
use pg::error::Subject;
use pg::sqlstate::SqlState;
use pg::{PgError, SessionValues};
use storage::hot::keys::{DuplicateKey, FoundRow, KeyHash, NewKeys, TableKey};
use storage::hot::table_writer::WrittenRows;

use crate::error::{Error, Result};
use crate::locks::{Held, lock_timeout_error};
use crate::session::Session;
use crate::statement::row_text::row_text;

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
    // Nobody else sees the rows of a temporary table.
    if committed.is_empty() || table.name.is_temporary() {
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
    let FoundKeys { rows, found } = find_keys(session, table.oid, &keys.key, &keys.hashes(), deleted).await?;
    let Some(row) = found.first() else { return Ok(()) };
    let index = session.server.keys.clone();
    let values = index.values(keys.key.columns(), &rows, row.unit, row.row).await.map_err(Error::Storage)?;
    let duplicate = keys.duplicate_of(values).map_err(DataFusionError::from)?;
    Err(duplicate_key(&session.named_values()?, &duplicate))
}

/// Rows that have one of the keys that were looked for.
pub struct FoundKeys {
    /// All rows of the table, as they were looked through.
    pub rows: Arc<TableRows>,
    /// Those that have one of the keys.
    pub found: Vec<FoundRow>,
}

/// The rows that have one of the keys, except those at `deleted`, in what is committed by now and what the transaction has
/// changed. One that another transaction is about to change or delete is waited for: it may take the key away.
///
/// # Errors
/// 40P01 or 55P03 when it cannot be waited for; a segment cannot be read.
pub async fn find_keys(
    session: &mut Session,
    table: Oid,
    key: &TableKey,
    hashes: &[KeyHash],
    deleted: &RowAddresses,
) -> Result<FoundKeys> {
    loop {
        let rows = session.newest()?.rows(table);
        let gone = rows.current_addresses(deleted).0;
        let index = session.server.keys.clone();
        let mut found = session.guard().run(index.find(key, &rows, hashes)).await?.map_err(Error::Storage)?;
        found.retain(|row| !gone.of(row.unit).is_some_and(|gone| gone.contains(row.row)));
        let mut addresses = RowAddresses::default();
        for row in &found {
            addresses.insert(row.unit, row.row);
        }
        let committed = addresses.without_drafts();
        match session.locks().held_row(table, &committed, &rows) {
            Some(held) => wait(session, held).await?,
            // Who held the lock may have committed after the search, and before the lock was asked for.
            None if !session.newest()?.rows(table).current_addresses(&committed).1 => {}
            None => return Ok(FoundKeys { rows, found }),
        }
    }
}

/// Waits for the transaction that holds a lock, as long as the session's settings allow.
async fn wait(session: &mut Session, held: Held) -> Result<()> {
    let (guard, timeout) = (session.guard(), session.settings.lock_timeout());
    let wait = session.locks().wait(held).map_err(PgError::from)?;
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
        false => Err(lock_timeout_error().into()),
    }
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
    let _entered = values.enter();
    let message = format!("duplicate key value violates unique constraint \"{}\"", duplicate.constraint);
    let error = PgError::new(SqlState::UNIQUE_VIOLATION, message).about(Subject {
        schema: Some(duplicate.relation.schema.clone()),
        table: Some(duplicate.relation.name.clone()),
        constraint: Some(duplicate.constraint.clone()),
        ..Subject::default()
    });
    let fields = duplicate.values.schema();
    let names: Vec<_> = fields.fields().iter().map(|field| field.name().as_str()).collect();
    match row_text(values, &duplicate.values, 0) {
        Some(shown) => {
            let detail = format!("Key ({})=({}) already exists.", names.join(", "), shown.join(", "));
            error.with_detail(detail).into()
        }
        None => error.into(),
    }
}
