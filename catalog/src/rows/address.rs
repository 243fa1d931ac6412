//! Where a row is: the unit it is in, and its position there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rows::RowSet;

/// Units from here on are drafts: rows of a transaction that has not committed. They get another number when it does.
const FIRST_DRAFT: u64 = 1 << 63;

/// The number of a set of rows: an inline unit or a segment. Together with the row's position in it, it is the row's
/// address; one sequence numbers the units of all tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnitId(pub u64);

impl UnitId {
    /// The number of a transaction's `count`-th own unit.
    pub fn draft(count: u64) -> Self {
        UnitId(FIRST_DRAFT + count)
    }

    /// Whether it is the unit of a transaction that has not committed.
    pub fn is_draft(self) -> bool {
        self.0 >= FIRST_DRAFT
    }
}

/// Rows of one table, by unit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowAddresses {
    units: BTreeMap<UnitId, RowSet>,
}

impl RowAddresses {
    /// Rows of one unit.
    pub fn from_unit(unit: UnitId, rows: RowSet) -> Self {
        RowAddresses { units: BTreeMap::from([(unit, rows)]) }
    }

    /// Adds a row; whether it was not there.
    pub fn insert(&mut self, unit: UnitId, row: u32) -> bool {
        self.units.entry(unit).or_default().insert(row)
    }

    /// Adds rows of a unit.
    pub fn insert_all(&mut self, unit: UnitId, rows: &RowSet) {
        if !rows.is_empty() {
            self.units.entry(unit).or_default().insert_all(rows);
        }
    }

    /// The rows of one unit.
    pub fn of(&self, unit: UnitId) -> Option<&RowSet> {
        self.units.get(&unit)
    }

    /// The units and their rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = (UnitId, &RowSet)> {
        self.units.iter().map(|(unit, rows)| (*unit, rows))
    }

    /// The committed rows among them: those that are no transaction's own.
    pub fn without_drafts(&self) -> RowAddresses {
        let committed = self.units.iter().filter(|(unit, _)| !unit.is_draft());
        RowAddresses { units: committed.map(|(unit, rows)| (*unit, rows.clone())).collect() }
    }

    /// How many rows there are.
    pub fn len(&self) -> u64 {
        self.units.values().map(RowSet::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.units.values().all(RowSet::is_empty)
    }

    /// Whether a row is in both.
    pub fn intersects(&self, other: &RowAddresses) -> bool {
        self.units.iter().any(|(unit, rows)| other.of(*unit).is_some_and(|others| others.intersects(rows)))
    }
}
