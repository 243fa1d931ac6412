//! What happens to types, and how a snapshot follows from the one before.

use std::sync::Arc;

use crate::change::describe;
use crate::comment::ObjectClass;
use crate::error::{Error, Result};
use crate::name::{ObjectName, Oid};
use crate::snapshot::{CatalogSnapshot, TypeUser};
use crate::store::{RecordKey, Touched};
use crate::types::SqlType;
use crate::user_type::UserType;

impl CatalogSnapshot {
    /// A type that a column is to have may have been dropped by another session.
    pub(crate) fn check_type(&self, sql_type: SqlType) -> Result<()> {
        match sql_type {
            SqlType::User(user) if self.user_type_by_oid(user.oid()).is_none() => {
                Err(Error::ChangedConcurrently { oid: user.oid() })
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn create_type(&mut self, ty: &UserType, touched: &mut Touched) -> Result<()> {
        self.must_schema(&ty.name.schema)?;
        self.check_type_name(&ty.name)?;
        ty.referred().try_for_each(|sql_type| self.check_type(sql_type))?;
        self.reserve_oid(ty.oid);
        self.reserve_oid(ty.array_oid);
        self.definitions_mut().put_type(Arc::new(ty.clone()));
        touched.records.push(RecordKey::Type(ty.oid));
        Ok(())
    }

    /// Types share their names with relations, whose rows are of types of their own.
    pub(crate) fn check_type_name(&self, name: &ObjectName) -> Result<()> {
        match self.user_type(name).is_some() || self.relation(name).is_some() {
            true => Err(Error::TypeExists(name.clone())),
            false => Ok(()),
        }
    }

    pub(crate) fn replace_type(
        &mut self,
        old: &UserType,
        new: &UserType,
        checked: &[(Oid, u64)],
        touched: &mut Touched,
    ) -> Result<()> {
        let oid = old.oid;
        if self.user_type_by_oid(oid).is_none_or(|current| current.as_ref() != old) {
            return Err(Error::ChangedConcurrently { oid });
        }
        if let Some((table, _)) = checked.iter().find(|(table, rows)| self.rows(*table).added() != *rows) {
            return Err(Error::ChangedConcurrently { oid: *table });
        }
        if old.name != new.name {
            self.must_schema(&new.name.schema)?;
            self.check_type_name(&new.name)?;
        }
        let definitions = self.definitions_mut();
        definitions.types.remove(&old.name);
        definitions.put_type(Arc::new(new.clone()));
        touched.records.push(RecordKey::Type(oid));
        Ok(())
    }

    pub(crate) fn expect_types(&self, types: &[Arc<UserType>]) -> Result<()> {
        let is_other = |ty: &&Arc<UserType>| self.user_type_by_oid(ty.oid).is_none_or(|current| current != *ty);
        types.iter().find(is_other).map_or(Ok(()), |ty| Err(Error::ChangedConcurrently { oid: ty.oid }))
    }

    pub(crate) fn drop_type(&mut self, oid: Oid, touched: &mut Touched) -> Result<()> {
        let ty = self.user_type_by_oid(oid).ok_or(Error::ChangedConcurrently { oid })?.clone();
        let users = self.type_users(&ty);
        if !users.is_empty() {
            let dependents = users.iter().map(describe_user).collect();
            return Err(Error::TypeInUse { ty: describe_type(&ty), dependents });
        }
        let definitions = self.definitions_mut();
        definitions.types.remove(&ty.name);
        definitions.type_names.remove(&ty.oid);
        definitions.type_names.remove(&ty.array_oid);
        touched.records.push(RecordKey::Type(ty.oid));
        self.drop_comments(ObjectClass::Type, ty.oid, touched);
        Ok(())
    }
}

/// How messages name a type.
pub(crate) fn describe_type(ty: &UserType) -> String {
    format!("type {}", ty.name)
}

fn describe_user(user: &TypeUser) -> String {
    match user {
        TypeUser::Column { relation, column } => format!("column {column} of {}", describe(relation)),
        TypeUser::View(view) => format!("view {}", view.name),
        TypeUser::Type(ty) => describe_type(ty),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::CatalogChange;
    use crate::hot_table::{Column, HotTable};
    use crate::user_type::{UserTypeKind, new_labels};

    fn table(oid: u32, name: &str) -> HotTable {
        let column = Column::new(1, "id", SqlType::Integer);
        HotTable::new(Oid(oid), ObjectName::new("public", name), vec![column])
    }

    fn enum_type(oid: u32, name: &str, labels: &[&str]) -> UserType {
        let labels = new_labels(labels.iter().map(|label| (*label).to_owned()));
        let kind = UserTypeKind::Enum(labels);
        UserType { oid: Oid(oid), array_oid: Oid(oid + 1), name: ObjectName::new("public", name), kind }
    }

    #[test]
    fn of_two_changes_to_one_definition_of_a_type_the_second_fails() {
        let (old, first) = (enum_type(20_000, "mood", &["a"]), enum_type(20_000, "mood", &["a", "b"]));
        let second = enum_type(20_000, "mood", &["a", "c"]);
        let replace = |new: &UserType| CatalogChange::ReplaceType {
            old: Box::new(old.clone()),
            new: Box::new(new.clone()),
            checked: vec![],
        };
        let snapshot = CatalogSnapshot::initial().after(&[CatalogChange::CreateType(old.clone())]).unwrap();
        let changed = snapshot.after(&[replace(&first)]).unwrap();
        let expect = |ty: &UserType| CatalogChange::ExpectTypes(vec![Arc::new(ty.clone())]);
        assert!(changed.after(&[expect(&first)]).is_ok());
        assert!(matches!(changed.after(&[expect(&old)]), Err(Error::ChangedConcurrently { .. })));
        assert_eq!(changed.user_type_by_oid(Oid(20_001)).unwrap().as_ref(), &first);
        assert!(matches!(changed.after(&[replace(&second)]), Err(Error::ChangedConcurrently { .. })));
    }

    #[test]
    fn a_type_that_a_column_has_cannot_be_dropped_and_one_that_is_gone_not_be_used() {
        let mood = enum_type(20_000, "mood", &["a"]);
        let mut table = table(20_010, "t");
        table.columns[0].sql_type = mood.array_sql_type();
        let create = [CatalogChange::CreateType(mood), CatalogChange::CreateHotTable(table)];
        let snapshot = CatalogSnapshot::initial().after(&create).unwrap();
        let drop = CatalogChange::DropType { oid: Oid(20_000) };
        assert!(matches!(snapshot.after(std::slice::from_ref(&drop)), Err(Error::TypeInUse { .. })));
        assert!(snapshot.after(&[CatalogChange::DropRelation { oid: Oid(20_010) }, drop.clone()]).is_ok());
        let gone = CatalogSnapshot::initial().after(&[create[0].clone(), drop]).unwrap();
        assert!(matches!(gone.after(&create[1..]), Err(Error::ChangedConcurrently { .. })));
    }

    #[test]
    fn a_type_and_a_table_do_not_share_a_name() {
        let (mood, table) = (CatalogChange::CreateType(enum_type(20_000, "t", &[])), table(20_010, "t"));
        let table = CatalogChange::CreateHotTable(table);
        for changes in [[mood.clone(), table.clone()], [table, mood]] {
            assert!(matches!(CatalogSnapshot::initial().after(&changes), Err(Error::TypeExists(_))));
        }
    }
}
