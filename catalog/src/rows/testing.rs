//! Changes of rows that tests make, of a table with one column of integers.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch};

use super::{NewPlaces, ReplacedUnit, RowAddresses, RowChanges, RowSet, Segment, SegmentFile, UnitId};
use crate::change::CatalogChange;
use crate::name::Oid;

/// Rows with these values come.
pub(crate) fn append(table: Oid, values: Range<i32>) -> CatalogChange {
    let values: ArrayRef = Arc::new(Int32Array::from_iter_values(values));
    let rows = RecordBatch::try_from_iter_with_nullable([("c1", values, true)]).unwrap();
    CatalogChange::ChangeRows { table, changes: RowChanges::append(vec![rows]) }
}

/// Rows of a unit go.
pub(crate) fn delete(table: Oid, unit: UnitId, rows: &[u32]) -> CatalogChange {
    let delete = RowAddresses::from_unit(unit, rows.iter().copied().collect());
    CatalogChange::ChangeRows { table, changes: RowChanges { delete, ..RowChanges::default() } }
}

/// A unit of which no row is deleted becomes a segment.
pub(crate) fn compaction(table: Oid, unit: UnitId, rows: u32) -> Vec<CatalogChange> {
    let mut places = NewPlaces::none(rows);
    (0..rows).for_each(|row| places.set(row, 0, row));
    let replaced = vec![ReplacedUnit { unit, deleted: RowSet::default(), places: Arc::new(places) }];
    let file = SegmentFile { table, name: "s".into(), rows, bytes: 1, details: bytes::Bytes::new() };
    let segments = vec![Arc::new(Segment::new(file, None))];
    vec![CatalogChange::SealRows { table }, CatalogChange::RewriteRows { table, replaced, segments }]
}
