//! Where rows are after their units were rewritten.

use std::sync::Arc;

use crate::rows::UnitId;

/// A row that is not in the new segments: it was deleted before they were written.
const GONE: u64 = u64::MAX;

/// Of each row of a unit, in order: its place in the segments that replace the unit.
#[derive(Debug, Clone, Default)]
pub struct NewPlaces {
    /// The segment's position among the new ones in the upper half, the row's in the lower one.
    places: Vec<u64>,
}

impl NewPlaces {
    /// For a unit of `rows` rows, none of which has a new place yet.
    pub fn none(rows: u32) -> Self {
        NewPlaces { places: vec![GONE; rows as usize] }
    }

    /// Says where a row is now: in the `segment`-th of the new segments.
    pub fn set(&mut self, row: u32, segment: u32, new_row: u32) {
        if let Some(place) = self.places.get_mut(row as usize) {
            *place = (u64::from(segment) << u32::BITS) | u64::from(new_row);
        }
    }

    /// The segment, by its position among the new ones, and the row in it; `None` for a row that is gone.
    pub fn get(&self, row: u32) -> Option<(u32, u32)> {
        let place = self.places.get(row as usize).filter(|place| **place != GONE)?;
        Some(((place >> u32::BITS) as u32, *place as u32))
    }

    /// How many rows the unit had.
    pub fn rows(&self) -> u32 {
        self.places.len() as u32
    }
}

/// A unit that was rewritten, for those who know its rows by their old addresses.
#[derive(Debug, Clone)]
pub(crate) struct MovedUnit {
    /// The new segments.
    pub(crate) segments: Arc<[UnitId]>,
    /// Where each row is in them.
    pub(crate) places: Arc<NewPlaces>,
    /// The first version of the catalog without the unit: snapshots before it know the old addresses.
    pub(crate) version: u64,
}

impl MovedUnit {
    /// The row's new address; `None` when it is gone.
    pub(crate) fn find(&self, row: u32) -> Option<(UnitId, u32)> {
        let (segment, row) = self.places.get(row)?;
        Some((*self.segments.get(segment as usize)?, row))
    }
}
