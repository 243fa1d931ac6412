//! The durable commit store: one redb file.

use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use crate::error::{Error, Result};
use crate::store::{CommitStore, RecordVisitor, RecordWrite};

const RECORDS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("records");

/// Bytes of pages that redb keeps in memory. Records are read once, at the start, so a large cache would hold what the
/// snapshot holds already.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// A commit store in one redb file.
#[derive(Debug)]
pub struct RedbStore {
    database: Database,
}

impl RedbStore {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// The file cannot be opened or is no redb file.
    pub fn open(path: &Path) -> Result<Self> {
        let database = Database::builder().set_cache_size(CACHE_BYTES).create(path).map_err(store_error)?;
        Ok(RedbStore { database })
    }
}

impl CommitStore for RedbStore {
    fn load(&self, visit: &mut RecordVisitor<'_>) -> Result<()> {
        let transaction = self.database.begin_read().map_err(store_error)?;
        let table = match transaction.open_table(RECORDS) {
            Ok(table) => table,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(()),
            Err(error) => return Err(store_error(error)),
        };
        for entry in table.iter().map_err(store_error)? {
            let (key, value) = entry.map_err(store_error)?;
            visit(key.value(), value.value())?;
        }
        Ok(())
    }

    fn commit(&mut self, writes: &[RecordWrite]) -> Result<()> {
        // redb's default durability is Immediate: `commit` returns after the file was flushed.
        let transaction = self.database.begin_write().map_err(store_error)?;
        {
            let mut table = transaction.open_table(RECORDS).map_err(store_error)?;
            for write in writes {
                match &write.value {
                    Some(value) => table.insert(write.key.as_slice(), value.as_ref()).map_err(store_error)?,
                    None => table.remove(write.key.as_slice()).map_err(store_error)?,
                };
            }
        }
        transaction.commit().map_err(store_error)
    }
}

fn store_error(error: impl Into<redb::Error>) -> Error {
    Error::Store(Box::new(error.into()))
}
