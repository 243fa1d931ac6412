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
        self.rename_relation(&old.name, &new.name)?;
        self.put_relation(new.name.clone(), Relation::Hot(new.clone()), touched);
        Ok(())
    }

    pub(super) fn expect_hot_table(&self, table: &HotTable) -> Result<()> {
        match self.relation_by_oid(table.oid) {
            Some(Relation::Hot(found)) if found.as_ref() == table => Ok(()),
            _ => Err(Error::ChangedConcurrently { oid: table.oid }),
        }
    }

    /// Takes a relation from its name, and sees that the new one is free.
    pub(super) fn rename_relation(&mut self, old: &ObjectName, new: &ObjectName) -> Result<()> {
        if old == new {
            return Ok(());
        }
        self.must_schema(&new.schema)?;
        if self.relation(new).is_some() {
            return Err(Error::RelationExists(new.clone()));
        }
        if self.user_type(new).is_some() {
            return Err(Error::TypeExists(new.clone()));
        }
        self.definitions_mut().relations.remove(old);
        Ok(())
    }
}
