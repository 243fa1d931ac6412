//! Changes of the rows of hot tables.

use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::error::{Error, Result};
use crate::name::Oid;
use crate::rows::write::TableDraft;
use crate::rows::{ReplacedUnit, RowAddresses, RowChanges, RowCounts, Segment, TableRows, UnitId};
use crate::snapshot::{CatalogSnapshot, Relation};
use crate::store::{RecordKey, StoredRows, Touched};

impl CatalogSnapshot {
    fn table_rows(&mut self, table: Oid) -> Result<&mut TableRows> {
        if !matches!(self.relation_by_oid(table), Some(Relation::Hot(_))) {
            return Err(Error::ChangedConcurrently { oid: table });
        }
        Ok(self.restored_rows(table))
    }

    /// The rows of a table, when it is known to be there.
    pub(crate) fn restored_rows(&mut self, table: Oid) -> &mut TableRows {
        Arc::make_mut(self.rows.entry(table).or_default())
    }

    fn allocate_unit(&mut self) -> UnitId {
        let unit = self.next_unit;
        self.next_unit = UnitId(unit.0 + 1);
        unit
    }

    pub(super) fn change_rows(&mut self, table: Oid, changes: &RowChanges, touched: &mut Touched) -> Result<()> {
        if let Some(definition) = &changes.made_for {
            self.expect_hot_table(definition)?;
        }
        self.delete_rows(table, &changes.delete, touched)?;
        for rows in &changes.append {
            self.append_rows(table, rows, touched)?;
        }
        for (segment, hidden) in &changes.segments {
            let unit = self.allocate_unit();
            self.table_rows(table)?.add_segment(unit, segment.clone());
            touched.add_segment(table, unit, segment.clone());
            self.delete_rows(table, &RowAddresses::from_unit(unit, hidden.clone()), touched)?;
        }
        Ok(())
    }

    fn append_rows(&mut self, table: Oid, rows: &RecordBatch, touched: &mut Touched) -> Result<()> {
        let unit = self.allocate_unit();
        let appended = self.table_rows(table)?.append(rows.clone(), unit).map_err(|misfit| misfit.into_error(table))?;
        if appended.unit == unit {
            touched.records.push(RecordKey::InlineUnit(table, unit));
        } else {
            self.next_unit = unit;
        }
        touched.rows.push(StoredRows { table, unit: appended.unit, first_row: appended.first_row, rows: rows.clone() });
        Ok(())
    }

    fn delete_rows(&mut self, table: Oid, rows: &RowAddresses, touched: &mut Touched) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let blocks = self.table_rows(table)?.commit_deletion(rows).map_err(|misfit| misfit.into_error(table))?;
        touched.records.extend(blocks.into_iter().map(|(unit, block)| RecordKey::Deleted(table, unit, block)));
        Ok(())
    }

    pub(super) fn truncate(&mut self, table: Oid, seen: Option<u64>, touched: &mut Touched) -> Result<()> {
        if seen.is_some_and(|seen| seen != self.rows(table).added()) {
            return Err(Error::RowChangedConcurrently { table });
        }
        let emptied = self.table_rows(table)?.emptied();
        self.drop_rows(table, touched);
        self.drop_loads(table, touched);
        // The counts go on: rows that are added after this must not look like those that were there before.
        self.rows.insert(table, Arc::new(emptied));
        Ok(())
    }

    /// What was made of all rows of a table is refused when it has others.
    pub(super) fn expect_rows(&self, table: Oid, counts: RowCounts) -> Result<()> {
        match self.rows(table).counts() == counts {
            true => Ok(()),
            false => Err(Error::RowChangedConcurrently { table }),
        }
    }

    /// Removes the rows of a table.
    pub(super) fn drop_rows(&mut self, table: Oid, touched: &mut Touched) {
        let Some(rows) = self.rows.remove(&table) else { return };
        self.moved.remove(&table);
        for unit in rows.inline_units() {
            touched.records.push(RecordKey::InlineUnit(table, unit.unit));
        }
        for (unit, segment) in rows.segments() {
            touched.remove_segment(table, unit, segment.clone());
        }
        touched.remove_deleted_of(table, &rows);
    }

    pub(super) fn seal_rows(&mut self, table: Oid) -> Result<()> {
        self.table_rows(table)?.seal();
        Ok(())
    }

    pub(super) fn rewrite_rows(
        &mut self,
        table: Oid,
        replaced: &[ReplacedUnit],
        segments: &[Arc<Segment>],
        touched: &mut Touched,
    ) -> Result<()> {
        let before = self.rows(table);
        let new: Vec<_> = segments.iter().map(|segment| (self.allocate_unit(), segment.clone())).collect();
        let version = self.version;
        let blocks =
            self.table_rows(table)?.replace(replaced, &new, version).map_err(|misfit| misfit.into_error(table))?;
        self.moved.insert(table);
        for old in replaced {
            match before.segment(old.unit) {
                Some(segment) => touched.remove_segment(table, old.unit, segment.clone()),
                None => touched.records.push(RecordKey::InlineUnit(table, old.unit)),
            }
            let deleted = before.deleted(old.unit).into_iter().flat_map(|deleted| deleted.blocks());
            touched.records.extend(deleted.map(|block| RecordKey::Deleted(table, old.unit, block)));
        }
        for (unit, segment) in new {
            touched.add_segment(table, unit, segment);
        }
        touched.records.extend(blocks.into_iter().map(|(unit, block)| RecordKey::Deleted(table, unit, block)));
        Ok(())
    }

    /// Puts a transaction's own changes on top of the rows of a table.
    pub(crate) fn overlay_rows(&mut self, table: Oid, draft: &TableDraft) -> Result<()> {
        let rows = self.table_rows(table)?;
        *rows = draft.over(rows).map_err(|misfit| misfit.into_error(table))?;
        Ok(())
    }

    /// Forgets old addresses of rows that no snapshot, from `oldest_version` on, has as its own.
    pub(crate) fn forget_moved(&mut self, oldest_version: u64) {
        for table in std::mem::take(&mut self.moved) {
            if self.rows.contains_key(&table) && self.restored_rows(table).forget_moved(oldest_version) {
                self.moved.insert(table);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CatalogChange;
    use crate::hot_table::{Column, HotTable};
    use crate::name::ObjectName;
    use crate::rows::{NewPlaces, SegmentFile, testing};
    use crate::types::SqlType;
    use bytes::Bytes;

    const TABLE: Oid = Oid(20_000);

    fn table() -> CatalogSnapshot {
        let column = Column::new(1, "id", SqlType::Integer);
        let name = ObjectName::new("public", "t");
        let table = HotTable::new(TABLE, name, vec![column]);
        CatalogSnapshot::initial().after(&[CatalogChange::CreateHotTable(table)]).unwrap()
    }

    fn append(values: std::ops::Range<i32>) -> CatalogChange {
        testing::append(TABLE, values)
    }

    fn delete(unit: u64, rows: &[u32]) -> CatalogChange {
        testing::delete(TABLE, UnitId(unit), rows)
    }

    fn segment(rows: u32) -> Arc<Segment> {
        let file = SegmentFile { table: TABLE, name: "s".into(), rows, bytes: 1, details: Bytes::new() };
        Arc::new(Segment::new(file, None))
    }

    /// Unit 1, of ten rows, becomes a segment in reverse order; row 3 was deleted before.
    fn rewrite() -> CatalogChange {
        let mut places = NewPlaces::none(10);
        for (new_row, row) in (0..10).rev().filter(|row| *row != 3).enumerate() {
            places.set(row, 0, new_row as u32);
        }
        let deleted = [3].into_iter().collect();
        let replaced = vec![ReplacedUnit { unit: UnitId(1), deleted, places: Arc::new(places) }];
        CatalogChange::RewriteRows { table: TABLE, replaced, segments: vec![segment(9)] }
    }

    #[test]
    fn rows_do_not_change_the_definition_version() {
        let created = table();
        let filled = created.after(&vec![append(0..3); 600]).unwrap();
        assert_eq!(filled.definition_version(), created.definition_version());
        assert_eq!(filled.rows(TABLE).rows(), 1800);
        assert_eq!(filled.rows(TABLE).inline_units().count(), 1);
        assert_eq!(created.rows(TABLE).rows(), 0);
    }

    #[test]
    fn a_row_is_deleted_once() {
        let filled = table().after(&[append(0..10)]).unwrap();
        let deleted = filled.after(&[delete(1, &[3, 4])]).unwrap();
        assert_eq!(deleted.rows(TABLE).rows(), 8);
        assert!(matches!(deleted.after(&[delete(1, &[4])]), Err(Error::RowChangedConcurrently { .. })));
        assert!(matches!(deleted.after(&[delete(2, &[4])]), Err(Error::RowChangedConcurrently { .. })));
    }

    #[test]
    fn old_addresses_are_good_after_a_rewrite_until_they_are_forgotten() {
        let sealed = CatalogChange::SealRows { table: TABLE };
        let read = table().after(&[append(0..10), delete(1, &[3]), sealed]).unwrap();
        // Between the reading and the commit of the compaction somebody deletes row 9 and adds one.
        let changed = read.after(&[delete(1, &[9]), append(10..11)]).unwrap();
        let rewritten = changed.after(&[rewrite()]).unwrap();
        let rows = rewritten.rows(TABLE);
        assert_eq!(rows.rows(), 9);
        let (segment, _) = rows.segments().next().unwrap();
        assert_eq!(rows.deleted(segment).unwrap().iter().collect::<Vec<_>>(), [0]);
        assert_eq!(rows.current_address(UnitId(1), 8), Some((segment, 1)));
        assert_eq!(rows.current_address(UnitId(1), 3), None);
        // One who read before the rewrite deletes by the old address, and meets what was deleted since.
        let after = rewritten.after(&[delete(1, &[8])]).unwrap();
        assert_eq!(after.rows(TABLE).deleted(segment).unwrap().iter().collect::<Vec<_>>(), [0, 1]);
        assert!(matches!(rewritten.after(&[delete(1, &[9])]), Err(Error::RowChangedConcurrently { .. })));
        let mut forgotten = rewritten.clone();
        forgotten.forget_moved(rewritten.version());
        assert!(matches!(forgotten.after(&[delete(1, &[8])]), Err(Error::RowChangedConcurrently { .. })));
    }

    #[test]
    fn a_unit_that_still_grows_is_not_rewritten() {
        let read = table().after(&[append(0..10), delete(1, &[3])]).unwrap();
        let grown = read.after(&[append(10..11)]).unwrap();
        assert!(matches!(grown.after(&[rewrite()]), Err(Error::RowChangedConcurrently { .. })));
    }
}
