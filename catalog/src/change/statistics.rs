//! Changes of what ANALYZE has found out.

use std::sync::Arc;

use arrow::array::Array;

use crate::error::{Error, Result};
use crate::hot_table::{Column, HotTable};
use crate::name::Oid;
use crate::snapshot::{CatalogSnapshot, Relation};
use crate::statistics::{ColumnStatistics, TableStatistics};
use crate::store::{RecordKey, Touched};

/// In the key of a record, what stands in the place of a column's number when the record is the table's.
pub(crate) const TABLE_ITSELF: i16 = 0;

impl CatalogSnapshot {
    /// What is known of columns that were not looked at stays.
    pub(super) fn set_statistics(&mut self, table: Oid, new: &TableStatistics, touched: &mut Touched) -> Result<()> {
        let definitions = match self.relation_by_oid(table) {
            Some(Relation::Hot(definition)) => definition.columns.clone(),
            Some(Relation::External(definition)) => definition.all_columns(),
            _ => return Err(Error::ChangedConcurrently { oid: table }),
        };
        // The column may have been dropped, or have got another type, since its values were looked at.
        let fits = |number: i16, known: &ColumnStatistics| {
            let column = definitions.iter().find(|column| column.attribute_number == number);
            let fits = |column: &Column| {
                known.values.as_ref().is_none_or(|values| *values.data_type() == column.sql_type.at_rest())
            };
            column.is_some_and(fits)
        };
        let mut columns = self.statistics(table).map(|it| it.columns.clone()).unwrap_or_default();
        let fresh = new.columns.iter().filter(|(number, known)| fits(**number, known));
        let fresh: Vec<_> = fresh.map(|(number, known)| (*number, known.clone())).collect();
        touched.records.push(RecordKey::Statistics(table, TABLE_ITSELF));
        touched.records.extend(fresh.iter().map(|(number, _)| RecordKey::Statistics(table, *number)));
        columns.extend(fresh);
        let mut known = new.clone();
        known.columns = columns;
        self.statistics.insert(table, Arc::new(known));
        Ok(())
    }

    /// What is known of a table that goes.
    pub(super) fn drop_statistics(&mut self, table: Oid, touched: &mut Touched) {
        let Some(gone) = self.statistics.remove(&table) else { return };
        touched.records.push(RecordKey::Statistics(table, TABLE_ITSELF));
        touched.records.extend(gone.columns.keys().map(|number| RecordKey::Statistics(table, *number)));
    }

    /// What is known of columns that a table does not have any more, or that have got another type.
    pub(super) fn drop_statistics_within(&mut self, old: &HotTable, new: &HotTable, touched: &mut Touched) {
        let Some(known) = self.statistics(new.oid) else { return };
        let sql_type = |table: &HotTable, number| table.column(number).map(|column| column.sql_type.clone());
        let is_kept = |number: i16| {
            let ty = sql_type(new, number);
            ty.is_some() && ty == sql_type(old, number)
        };
        let gone: Vec<i16> = known.columns.keys().copied().filter(|number| !is_kept(*number)).collect();
        if gone.is_empty() {
            return;
        }
        let mut kept = known.as_ref().clone();
        kept.columns.retain(|number, _| !gone.contains(number));
        self.statistics.insert(new.oid, Arc::new(kept));
        touched.records.extend(gone.into_iter().map(|number| RecordKey::Statistics(new.oid, number)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CatalogChange;
    use crate::hot_table::Column;
    use crate::name::ObjectName;
    use crate::types::SqlType;
    use arrow::array::{ArrayRef, Int32Array, Int64Array};

    const TABLE: Oid = Oid(20_000);

    fn table(types: &[SqlType]) -> Arc<HotTable> {
        let columns = (1..).zip(types).map(|(number, ty)| Column::new(number, format!("c{number}"), ty.clone()));
        Arc::new(HotTable::new(TABLE, ObjectName::new("public", "t"), columns.collect()))
    }

    fn analyzed(columns: Vec<(i16, ArrayRef)>, rows: u64) -> CatalogChange {
        let known = |values| Arc::new(ColumnStatistics { values: Some(values), ..ColumnStatistics::default() });
        let columns = columns.into_iter().map(|(number, values)| (number, known(values))).collect();
        let statistics = Arc::new(TableStatistics { rows, columns, ..TableStatistics::default() });
        CatalogChange::SetStatistics { table: TABLE, statistics }
    }

    fn numbers() -> ArrayRef {
        Arc::new(Int32Array::from(vec![1, 2]))
    }

    fn known(snapshot: &CatalogSnapshot) -> Vec<i16> {
        snapshot.statistics(TABLE).iter().flat_map(|it| it.columns.keys().copied()).collect()
    }

    #[test]
    fn statistics_go_with_their_columns_and_their_table() {
        let old = table(&[SqlType::Integer, SqlType::Integer]);
        let create = CatalogChange::CreateHotTable(old.as_ref().clone());
        let both = analyzed(vec![(1, numbers()), (2, numbers())], 7);
        let snapshot = CatalogSnapshot::initial().after(&[create, both]).unwrap();
        assert_eq!(known(&snapshot), [1, 2]);
        for new in [table(&[SqlType::Integer]), table(&[SqlType::Integer, SqlType::Oid])] {
            let replace = CatalogChange::ReplaceHotTable { old: old.clone(), new };
            assert_eq!(known(&snapshot.after(&[replace]).unwrap()), [1]);
        }
        let dropped = snapshot.after(&[CatalogChange::DropRelation { oid: TABLE }]).unwrap();
        assert!(dropped.statistics(TABLE).is_none());
        assert!(matches!(dropped.after(&[analyzed(vec![], 1)]), Err(Error::ChangedConcurrently { .. })));
    }

    #[test]
    fn what_was_found_out_is_added_to_what_was_known_as_far_as_it_fits() {
        let create = CatalogChange::CreateHotTable(table(&[SqlType::Integer, SqlType::Integer]).as_ref().clone());
        let snapshot = CatalogSnapshot::initial().after(&[create, analyzed(vec![(1, numbers())], 7)]).unwrap();
        let other_type: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let late = analyzed(vec![(2, numbers()), (1, other_type), (3, numbers())], 9);
        let snapshot = snapshot.after(&[late]).unwrap();
        assert_eq!((known(&snapshot), snapshot.statistics(TABLE).unwrap().rows), (vec![1, 2], 9));
        let first = &snapshot.statistics(TABLE).unwrap().columns[&1];
        assert_eq!(first.values.as_ref().unwrap(), &numbers());
    }
}
