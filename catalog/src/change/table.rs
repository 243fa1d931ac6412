//! Changes of the definitions of hot tables.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::hot_table::{Column, HotTable};
use crate::name::ObjectName;
use crate::snapshot::{CatalogSnapshot, Relation};
use crate::store::Touched;
use crate::view::View;

impl CatalogSnapshot {
    pub(super) fn replace_hot_table(
        &mut self,
        old: &HotTable,
        new: &Arc<HotTable>,
        touched: &mut Touched,
    ) -> Result<()> {
        self.expect_hot_table(old)?;
        for column in &new.columns {
            self.check_type(column.sql_type.clone())?;
        }
        // Another session may have made a view of a column that goes.
        let gone = |column: &Column| new.column(column.attribute_number).is_none();
        let dropped: Vec<_> = old.columns.iter().filter(|column| gone(column)).map(|it| it.attribute_number).collect();
        let reads_dropped = |view: &Arc<View>| dropped.iter().any(|number| view.reads_column(old.oid, *number));
        if !dropped.is_empty() && self.dependents(old.oid).iter().any(reads_dropped) {
            return Err(Error::ChangedConcurrently { oid: old.oid });
        }
        self.drop_comments_within(old, new, touched);
        self.drop_statistics_within(old, new, touched);
        self.check_indexes(new, Some(old))?;
        self.rename_relation(&old.name, &new.name)?;
        self.put_relation(new.name.clone(), Relation::Hot(new.clone()), touched);
        Ok(())
    }

    pub(super) fn expect_hot_table(&self, table: &HotTable) -> Result<()> {
        match self.relation_by_oid(table.oid) {
            Some(Relation::Hot(found)) if std::ptr::eq(found.as_ref(), table) || found.as_ref() == table => Ok(()),
            _ => Err(Error::ChangedConcurrently { oid: table.oid }),
        }
    }

    /// Relations and the indexes of tables share a name space.
    pub(super) fn check_relation_name(&self, name: &ObjectName) -> Result<()> {
        match self.relation(name).is_some() || self.table_of_index(name).is_some() {
            true => Err(Error::RelationExists(name.clone())),
            false => Ok(()),
        }
    }

    /// The indexes of a table that its old definition does not have need names of their own.
    pub(super) fn check_indexes(&mut self, table: &HotTable, old: Option<&HotTable>) -> Result<()> {
        for index in table.indexes() {
            let known = |old: &HotTable| old.name.schema == table.name.schema && old.index(index.name).is_some();
            let name = ObjectName::new(table.name.schema.as_str(), index.name);
            if !old.is_some_and(known) {
                self.check_relation_name(&name)?;
            }
            self.reserve_oid(index.oid);
        }
        table.constraints.iter().for_each(|constraint| self.reserve_oid(constraint.oid));
        Ok(())
    }

    /// Takes a relation from its name, and sees that the new one is free.
    pub(super) fn rename_relation(&mut self, old: &ObjectName, new: &ObjectName) -> Result<()> {
        if old == new {
            return Ok(());
        }
        self.must_schema(&new.schema)?;
        self.check_relation_name(new)?;
        if self.user_type(new).is_some() {
            return Err(Error::TypeExists(new.clone()));
        }
        self.definitions_mut().relations.remove(old);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CatalogChange;
    use crate::name::Oid;
    use crate::rows::RowChanges;
    use crate::types::SqlType;
    use crate::view::{SeenColumn, SeenRelation};
    use arrow::array::{ArrayRef, Int32Array, RecordBatch};

    const TABLE: Oid = Oid(20_000);

    fn table(columns: &[(i16, &str)]) -> Arc<HotTable> {
        let columns = columns.iter().map(|(number, name)| Column::new(*number, *name, SqlType::Integer)).collect();
        Arc::new(HotTable::new(TABLE, ObjectName::new("public", "t"), columns))
    }

    fn snapshot(table: &HotTable) -> CatalogSnapshot {
        CatalogSnapshot::initial().after(&[CatalogChange::CreateHotTable(table.clone())]).unwrap()
    }

    fn rows(made_for: &Arc<HotTable>) -> CatalogChange {
        let values: ArrayRef = Arc::new(Int32Array::from(vec![1]));
        let rows = RecordBatch::try_from_iter_with_nullable([("c1", values, true)]).unwrap();
        let changes = RowChanges { made_for: Some(made_for.clone()), ..RowChanges::append(vec![rows]) };
        CatalogChange::ChangeRows { table: TABLE, changes }
    }

    fn view_of(column: i16) -> View {
        let seen = SeenColumn { number: column, name: "b".into(), is_read: true };
        View {
            oid: Oid(20_001),
            name: ObjectName::new("public", "v"),
            columns: vec!["b".into()],
            column_types: Vec::new(),
            query: "SELECT b FROM t".into(),
            search_path: vec!["public".into()],
            depends_on: vec![TABLE],
            relations: vec![SeenRelation { oid: TABLE, name: ObjectName::new("public", "t"), columns: vec![seen] }],
            files: Vec::new(),
            late_binding: false,
        }
    }

    #[test]
    fn rows_that_were_made_for_another_definition_are_refused() {
        let (old, new) = (table(&[(1, "a")]), table(&[(1, "a"), (2, "b")]));
        let replace = CatalogChange::ReplaceHotTable { old: old.clone(), new: new.clone() };
        let changed = snapshot(&old).after(&[rows(&old), replace]).unwrap();
        assert!(matches!(changed.after(&[rows(&old)]), Err(Error::ChangedConcurrently { .. })));
        assert_eq!(changed.after(&[rows(&new)]).unwrap().rows(TABLE).rows(), 2);
    }

    #[test]
    fn what_was_made_of_all_rows_is_refused_when_there_are_others() {
        let table = table(&[(1, "a")]);
        let filled = snapshot(&table).after(&[rows(&table)]).unwrap();
        let expect = CatalogChange::ExpectRows { table: TABLE, counts: filled.rows(TABLE).counts() };
        assert!(filled.after(std::slice::from_ref(&expect)).is_ok());
        let truncate = CatalogChange::Truncate { table: TABLE, seen: None };
        // As many rows as before, and not the same.
        for changes in [vec![rows(&table)], vec![truncate, rows(&table)]] {
            let changed = filled.after(&changes).unwrap();
            let refused = changed.after(std::slice::from_ref(&expect));
            assert!(matches!(refused, Err(Error::RowChangedConcurrently { .. })));
        }
    }

    #[test]
    fn of_a_view_and_the_end_of_its_column_the_second_is_refused() {
        let (old, new) = (table(&[(1, "a"), (2, "b")]), table(&[(1, "a")]));
        let drop = CatalogChange::ReplaceHotTable { old: old.clone(), new };
        let create = CatalogChange::CreateView(view_of(2));
        for changes in [[create.clone(), drop.clone()], [drop, create]] {
            assert!(matches!(snapshot(&old).after(&changes), Err(Error::ChangedConcurrently { .. })));
        }
    }
}
