//! The keys of the rows that a statement adds: no two of them may be the same either.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use catalog::{Constraint, HotTable, ObjectName, Oid};
use hashbrown::HashTable;

use super::{KeyHash, TableKey};

/// Bytes that a key takes in the table of those that were added, room for more included.
const KEY_BYTES: usize = 2 * size_of::<KeyHash>();

/// Two rows have the same key.
#[derive(Debug, Clone)]
pub struct DuplicateKey {
    /// The table.
    pub relation: ObjectName,
    /// The name of the constraint.
    pub constraint: String,
    /// One row: the values of the key's columns, named as the table names them.
    pub values: RecordBatch,
}

/// The keys of the rows that a statement adds to a table, of one constraint.
#[derive(Debug)]
pub struct NewKeys {
    /// The constraint's number.
    pub constraint: Oid,
    /// Its name.
    pub name: String,
    /// The key.
    pub key: TableKey,
    hashes: HashTable<KeyHash>,
}

impl NewKeys {
    /// No keys of this constraint of a table; `None` when it is no key.
    ///
    /// # Errors
    /// As for [`TableKey::new`].
    pub fn new(table: &Arc<HotTable>, constraint: &Constraint) -> Option<Result<Self, ArrowError>> {
        let catalog::ConstraintKind::Key(key) = &constraint.kind else { return None };
        let key = TableKey::new(table.clone(), key);
        Some(key.map(|key| NewKeys {
            constraint: constraint.oid,
            name: constraint.name.clone(),
            key,
            hashes: HashTable::new(),
        }))
    }

    /// Adds the keys of rows in flight.
    ///
    /// # Errors
    /// A key that was added before: `Ok(Some(_))`, and nothing else is added. `Err` is a bug.
    pub fn add(&mut self, rows: &RecordBatch) -> Result<Option<DuplicateKey>, ArrowError> {
        let columns: Vec<_> = self.key.places().iter().map(|place| rows.column(*place).clone()).collect();
        let hashes = self.key.hasher().hashes(&columns)?;
        self.hashes.reserve(hashes.len(), |hash| hash.short());
        for (row, hash) in hashes.into_iter().enumerate() {
            let Some(hash) = hash else { continue };
            if self.hashes.find(hash.short(), |known| *known == hash).is_some() {
                return self.duplicate(rows, row).map(Some);
            }
            self.hashes.insert_unique(hash.short(), hash, |hash| hash.short());
        }
        Ok(None)
    }

    fn duplicate(&self, rows: &RecordBatch, row: usize) -> Result<DuplicateKey, ArrowError> {
        self.duplicate_of(rows.project(self.key.places())?.slice(row, 1).columns().to_vec())
    }

    /// What to say when a row is there already that has these values in the columns of the key.
    ///
    /// # Errors
    /// The columns are not the key's: a bug.
    pub fn duplicate_of(&self, values: Vec<ArrayRef>) -> Result<DuplicateKey, ArrowError> {
        let schema = self.key.table.arrow_schema().project(self.key.places())?;
        let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
        let values = RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), values)?;
        Ok(DuplicateKey { relation: self.key.table.name.clone(), constraint: self.name.clone(), values })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// The keys.
    pub fn hashes(&self) -> Vec<KeyHash> {
        self.hashes.iter().copied().collect()
    }

    /// Bytes of memory that they take.
    pub fn memory_bytes(&self) -> usize {
        self.hashes.len() * KEY_BYTES
    }
}
