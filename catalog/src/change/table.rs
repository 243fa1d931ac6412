//! Changes of the definitions of hot tables.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::hot_table::HotTable;
use crate::name::ObjectName;
use crate::snapshot::{CatalogSnapshot, Relation};
use crate::store::Touched;

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
        for (constraint, key) in table.keys() {
            let known = |old: &HotTable| {
                old.name.schema == table.name.schema && old.keys().any(|(other, _)| other.name == constraint.name)
            };
            let name = ObjectName::new(table.name.schema.as_str(), constraint.name.as_str());
            if !old.is_some_and(known) {
                self.check_relation_name(&name)?;
            }
            self.reserve_oid(key.index);
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
