//! The keys of an inline unit: a table in memory that follows the unit as it grows.

use arrow::error::ArrowError;
use catalog::rows::InlineUnit;
use hashbrown::HashTable;

use super::{Candidate, TableKey, inline_columns};

/// The keys of the first rows of a unit. All snapshots share it: positions stay good, and who has fewer rows ignores the
/// others.
#[derive(Debug, Default)]
pub(super) struct InlineKeys {
    /// Rows whose keys are in it.
    rows: u32,
    places: HashTable<(u64, u32)>,
}

impl InlineKeys {
    /// Adds the keys of rows that are not in it.
    pub(super) fn follow(&mut self, key: &TableKey, unit: &InlineUnit) -> Result<(), ArrowError> {
        if self.rows >= unit.rows() {
            return Ok(());
        }
        for (first, batch) in unit.batches() {
            let end = first + batch.num_rows() as u32;
            if end <= self.rows {
                continue;
            }
            let known = (self.rows - first) as usize;
            let values = inline_columns(key.columns(), batch, known, batch.num_rows() - known)?;
            for (row, hash) in (self.rows..).zip(key.hasher().hashes(&values)?) {
                if let Some(hash) = hash {
                    self.places.insert_unique(hash.short(), (hash.short(), row), |(hash, _)| *hash);
                }
            }
            self.rows = end;
        }
        Ok(())
    }

    /// The rows below `rows_max` that have one of the hashes.
    pub(super) fn find(&self, hashes: &[u64], rows_max: u32) -> Vec<Candidate> {
        let of_hash = |(place, hash): (usize, &u64)| {
            let hash = *hash;
            let same = self.places.iter_hash(hash).filter(move |(known, row)| *known == hash && *row < rows_max);
            same.map(move |(_, row)| Candidate { place, row: *row })
        };
        hashes.iter().enumerate().flat_map(of_hash).collect()
    }
}
