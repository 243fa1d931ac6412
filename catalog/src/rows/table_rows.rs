//! The rows of a hot table at one version.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use imbl::OrdMap;

use crate::error::Error;
use crate::name::Oid;
use crate::rows::inline::{InlineUnit, InlineUnits};
use crate::rows::moved::MovedUnit;
use crate::rows::{NewPlaces, RowAddresses, RowSet, Segment, UnitId};

/// The rows of a hot table at one version: inline units and segments, less what was deleted from them. A copy shares
/// everything that does not change.
#[derive(Debug, Clone, Default)]
pub struct TableRows {
    inline: InlineUnits,
    segments: OrdMap<UnitId, Arc<Segment>>,
    deleted: OrdMap<UnitId, RowSet>,
    moved: OrdMap<UnitId, MovedUnit>,
    counts: RowCounts,
}

/// Counts the rows that commits of this process have added to a table and removed from it. While both are the same, the
/// table has the same rows, wherever they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Rows that were added.
    pub added: u64,
    /// Rows that were removed.
    pub removed: u64,
}

/// Where rows were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Appended {
    /// The inline unit.
    pub(crate) unit: UnitId,
    /// The position of the first of them.
    pub(crate) first_row: u32,
}

/// Why a change of rows does not fit.
#[derive(Debug)]
pub(crate) enum Misfit {
    /// A row was deleted, or a unit replaced, by somebody else.
    ChangedConcurrently,
    /// The rows do not fit into one batch.
    Arrow(ArrowError),
}

impl Misfit {
    /// What the writer of a table's rows is told.
    pub(crate) fn into_error(self, table: Oid) -> Error {
        match self {
            Misfit::ChangedConcurrently => Error::RowChangedConcurrently { table },
            Misfit::Arrow(error) => Error::Rows { table, reason: error.to_string() },
        }
    }
}

/// A unit to be replaced by new segments, as whoever wrote these had read it.
#[derive(Debug, Clone)]
pub struct ReplacedUnit {
    /// The unit.
    pub unit: UnitId,
    /// The rows that were deleted already.
    pub deleted: RowSet,
    /// Where the others are now.
    pub places: Arc<NewPlaces>,
}

impl TableRows {
    /// The inline units, oldest first.
    pub fn inline_units(&self) -> impl Iterator<Item = &Arc<InlineUnit>> {
        self.inline.iter()
    }

    /// The inline unit of this number, if there is one.
    pub fn inline_unit(&self, unit: UnitId) -> Option<&Arc<InlineUnit>> {
        self.inline.iter().rev().find(|inline| inline.unit == unit)
    }

    /// The segments, oldest first.
    pub fn segments(&self) -> impl Iterator<Item = (UnitId, &Arc<Segment>)> {
        self.segments.iter().map(|(unit, segment)| (*unit, segment))
    }

    /// The segment of this number, if there is one.
    pub fn segment(&self, unit: UnitId) -> Option<&Arc<Segment>> {
        self.segments.get(&unit)
    }

    /// The units with deleted rows, and these.
    pub fn all_deleted(&self) -> impl Iterator<Item = (UnitId, &RowSet)> {
        self.deleted.iter().map(|(unit, rows)| (*unit, rows))
    }

    /// The deleted rows of a unit, if there are any.
    pub fn deleted(&self, unit: UnitId) -> Option<&RowSet> {
        self.deleted.get(&unit)
    }

    /// How many rows a query sees.
    pub fn rows(&self) -> u64 {
        let inline: u64 = self.inline.iter().map(|unit| u64::from(unit.rows())).sum();
        let segments: u64 = self.segments.values().map(|segment| u64::from(segment.file.rows)).sum();
        let deleted: u64 = self.deleted.values().map(RowSet::len).sum();
        inline + segments - deleted
    }

    /// Counts the rows that commits of this process have added: while it is the same, there are no rows that were not there.
    pub fn added(&self) -> u64 {
        self.counts.added
    }

    /// What commits of this process have done. A transaction's own rows do not count.
    pub fn counts(&self) -> RowCounts {
        self.counts
    }

    /// No rows, after these.
    pub(crate) fn emptied(&self) -> TableRows {
        let removed = self.counts.removed + self.rows();
        TableRows { counts: RowCounts { removed, ..self.counts }, ..TableRows::default() }
    }

    /// Deletes rows in a commit, see [`delete`](Self::delete).
    pub(crate) fn commit_deletion(&mut self, addresses: &RowAddresses) -> Result<Vec<(UnitId, u16)>, Misfit> {
        self.counts.removed += addresses.len();
        self.delete(addresses)
    }

    /// Where a row is now that was at this address in an earlier version; `None` when it is gone.
    pub fn current_address(&self, unit: UnitId, row: u32) -> Option<(UnitId, u32)> {
        let mut address = (unit, row);
        while let Some(moved) = self.moved.get(&address.0) {
            address = moved.find(address.1)?;
        }
        Some(address)
    }

    /// The addresses with rows of rewritten units by their new addresses, and whether every row is still there.
    pub fn current_addresses(&self, addresses: &RowAddresses) -> (RowAddresses, bool) {
        let (mut current, mut all_there) = (RowAddresses::default(), true);
        for (unit, rows) in addresses.iter() {
            if !self.moved.contains_key(&unit) {
                current.insert_all(unit, rows);
                continue;
            }
            for row in rows.iter() {
                match self.current_address(unit, row) {
                    Some((unit, row)) => drop(current.insert(unit, row)),
                    None => all_there = false,
                }
            }
        }
        for (unit, rows) in current.iter() {
            all_there &= self.has_unit(unit) && !self.deleted(unit).is_some_and(|deleted| deleted.intersects(rows));
        }
        (current, all_there)
    }

    /// Whether a row is there, under its present address.
    pub fn has_row(&self, unit: UnitId, row: u32) -> bool {
        let rows = self.segment(unit).map(|segment| segment.file.rows);
        let rows = rows.or_else(|| self.inline_unit(unit).map(|unit| unit.rows()));
        rows.is_some_and(|rows| row < rows) && !self.deleted(unit).is_some_and(|deleted| deleted.contains(row))
    }

    /// Whether there is a unit of this number.
    pub fn has_unit(&self, unit: UnitId) -> bool {
        self.segments.contains_key(&unit) || self.inline.iter().any(|inline| inline.unit == unit)
    }

    /// Adds rows to the last inline unit, or, when it does not take them, to a new one with the number `new_unit`.
    pub(crate) fn append(&mut self, rows: RecordBatch, new_unit: UnitId) -> Result<Appended, Misfit> {
        match self.inline.last() {
            Some(last) if last.takes(&rows) => {}
            _ => self.inline.push(Arc::new(InlineUnit::new(new_unit, rows.schema()))),
        }
        let last = self.inline.last_mut().map(Arc::make_mut).ok_or(Misfit::ChangedConcurrently)?;
        let appended = Appended { unit: last.unit, first_row: last.rows() };
        self.counts.added += rows.num_rows() as u64;
        last.append(rows).map_err(Misfit::Arrow)?;
        Ok(appended)
    }

    /// Adds an inline unit as it is stored.
    pub(crate) fn restore_unit(&mut self, unit: InlineUnit) {
        self.inline.push(Arc::new(unit));
    }

    /// Closes the last inline unit: what is added after this gets a new one.
    pub(crate) fn seal(&mut self) {
        if let Some(last) = self.inline.last_mut() {
            *last = Arc::new(last.as_ref().clone().sealed());
        }
    }

    /// These rows, less those at `deleted`, and `own` ones: what a transaction sees that has written.
    pub(crate) fn overlaid(&self, own: &TableRows, deleted: &RowAddresses) -> Result<TableRows, Misfit> {
        let mut rows = self.clone();
        rows.delete(deleted)?;
        rows.inline.extend(own.inline.iter().cloned());
        rows.segments.extend(own.segments.iter().map(|(unit, segment)| (*unit, segment.clone())));
        rows.deleted.extend(own.deleted.iter().map(|(unit, rows)| (*unit, rows.clone())));
        Ok(rows)
    }

    /// Adds a segment of rows that were not there.
    pub(crate) fn add_segment(&mut self, unit: UnitId, segment: Arc<Segment>) {
        self.counts.added += u64::from(segment.file.rows);
        self.segments.insert(unit, segment);
    }

    /// Adds deleted rows as they are stored.
    pub(crate) fn restore_deleted(&mut self, unit: UnitId, block: u16, rows: roaring::RoaringBitmap) {
        self.deleted.entry(unit).or_default().set_block(block, rows);
    }

    /// Deletes rows, all of which must be there. Tells the units and blocks that changed.
    pub(crate) fn delete(&mut self, addresses: &RowAddresses) -> Result<Vec<(UnitId, u16)>, Misfit> {
        let (current, all_there) = self.current_addresses(addresses);
        if !all_there {
            return Err(Misfit::ChangedConcurrently);
        }
        let mut touched = Vec::new();
        for (unit, rows) in current.iter() {
            self.deleted.entry(unit).or_default().insert_all(rows);
            touched.extend(rows.blocks().map(|block| (unit, block)));
        }
        Ok(touched)
    }

    /// Puts segments in the place of units. What was deleted from these since they were read is deleted from the new
    /// ones; which blocks that concerns is told.
    pub(crate) fn replace(
        &mut self,
        replaced: &[ReplacedUnit],
        segments: &[(UnitId, Arc<Segment>)],
        version: u64,
    ) -> Result<Vec<(UnitId, u16)>, Misfit> {
        let numbers: Arc<[UnitId]> = segments.iter().map(|(unit, _)| *unit).collect();
        let mut deleted_since = RowAddresses::default();
        for old in replaced {
            let rows = self.take_unit(old.unit).ok_or(Misfit::ChangedConcurrently)?;
            if rows != old.places.rows() {
                return Err(Misfit::ChangedConcurrently);
            }
            let moved = MovedUnit { segments: numbers.clone(), places: old.places.clone(), version };
            let deleted = self.deleted.remove(&old.unit).unwrap_or_default();
            for row in deleted.without(&old.deleted).iter() {
                if let Some((unit, row)) = moved.find(row) {
                    deleted_since.insert(unit, row);
                }
            }
            self.moved.insert(old.unit, moved);
        }
        for (unit, segment) in segments {
            self.segments.insert(*unit, segment.clone());
        }
        self.delete(&deleted_since)
    }

    /// Takes a unit out that gets no more rows; tells how many it had.
    fn take_unit(&mut self, unit: UnitId) -> Option<u32> {
        if let Some(segment) = self.segments.remove(&unit) {
            return Some(segment.file.rows);
        }
        let at = self.inline.iter().position(|inline| inline.unit == unit)?;
        Some(self.inline.remove(at).rows())
    }

    /// Forgets the old addresses that nobody knows any more: those of units that were replaced in `version` or before.
    /// Whether old addresses are left.
    pub(crate) fn forget_moved(&mut self, version: u64) -> bool {
        let known = self.moved.iter().filter(|(_, moved)| moved.version > version);
        self.moved = known.map(|(unit, moved)| (*unit, moved.clone())).collect();
        !self.moved.is_empty()
    }
}
