//! Schemas that get other names, and what is in them with them.

use std::sync::Arc;

use crate::change::CatalogSnapshot;
use crate::error::{Error, Result};
use crate::hot_table::{ColumnDefault, HotTable};
use crate::name::ObjectName;
use crate::schema::Schema;
use crate::snapshot::Relation;
use crate::store::{RecordKey, Touched};
use crate::user_type::{UserType, UserTypeKind, WrittenExpression};
use crate::{ConstraintKind, ExternalTable, Sequence, View};

impl CatalogSnapshot {
    /// Names in texts of expressions that are found by a search path are found as before; those that are written with the
    /// schema are the business of whoever asks for this. What a view's text calls things stays what it was.
    pub(super) fn rename_schema(&mut self, from: &str, to: &str, touched: &mut Touched) -> Result<()> {
        let old = self.must_schema(from)?.clone();
        if self.schema(to).is_some() {
            return Err(Error::SchemaExists(to.to_owned()));
        }
        let schemas = &mut self.definitions_mut().schemas;
        schemas.remove(from);
        schemas.insert(to.to_owned(), Arc::new(Schema { name: to.to_owned(), ..old.as_ref().clone() }));
        touched.records.push(RecordKey::Schema(old.oid));
        let types: Vec<_> = self.user_types().cloned().collect();
        for old in types {
            let new = with_type_renamed(&old, from, to);
            if new != *old {
                let definitions = self.definitions_mut();
                definitions.types.remove(&old.name);
                definitions.put_type(Arc::new(new));
                touched.records.push(RecordKey::Type(old.oid));
            }
        }
        let relations: Vec<_> = self.definitions.relations.values().cloned().collect();
        for old in relations {
            if let Some(new) = with_relation_renamed(&old, from, to) {
                self.definitions_mut().relations.remove(old.name());
                self.put_relation(new.name().clone(), new, touched);
            }
        }
        Ok(())
    }
}

fn renamed(name: &ObjectName, from: &str, to: &str) -> ObjectName {
    let schema = if name.schema == from { to } else { name.schema.as_str() };
    ObjectName::new(schema, name.name.as_str())
}

fn rename_in(written: &mut WrittenExpression, from: &str, to: &str) {
    for schema in written.search_path.iter_mut().filter(|schema| *schema == from) {
        to.clone_into(schema);
    }
}

fn with_type_renamed(old: &UserType, from: &str, to: &str) -> UserType {
    let mut new = UserType { name: renamed(&old.name, from, to), ..old.clone() };
    if let UserTypeKind::Domain(domain) = &mut new.kind {
        let checks = domain.checks.iter_mut().map(|check| &mut check.condition);
        checks.chain(&mut domain.default).for_each(|written| rename_in(written, from, to));
    }
    new
}

/// The relation as it becomes, if it changes.
fn with_relation_renamed(old: &Relation, from: &str, to: &str) -> Option<Relation> {
    let name = renamed(old.name(), from, to);
    let moves = name != *old.name();
    match old {
        Relation::Hot(table) => {
            let mut new = HotTable { name, ..table.as_ref().clone() };
            new.expressions_mut().for_each(|written| rename_in(written, from, to));
            (new != **table).then(|| Relation::Hot(Arc::new(new)))
        }
        Relation::External(table) => {
            moves.then(|| Relation::External(Arc::new(ExternalTable { name, ..table.as_ref().clone() })))
        }
        Relation::View(view) => moves.then(|| Relation::View(Arc::new(View { name, ..view.as_ref().clone() }))),
        Relation::Sequence(sequence) => {
            moves.then(|| Relation::Sequence(Arc::new(Sequence { name, ..sequence.as_ref().clone() })))
        }
    }
}

impl HotTable {
    /// Its defaults and conditions, as they were written.
    pub fn expressions_mut(&mut self) -> impl Iterator<Item = &mut WrittenExpression> {
        let defaults = self.columns.iter_mut().filter_map(|column| match &mut column.default {
            Some(ColumnDefault::Expression(written) | ColumnDefault::Generated(written)) => Some(written),
            Some(ColumnDefault::Identity { .. }) | None => None,
        });
        let checks = self.constraints.iter_mut().filter_map(|constraint| match &mut constraint.kind {
            ConstraintKind::Check(check) => Some(&mut check.condition),
            ConstraintKind::Key(_) | ConstraintKind::ForeignKey(_) => None,
        });
        defaults.chain(checks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hot_table::Column;
    use crate::name::Oid;
    use crate::types::SqlType;
    use crate::{CatalogChange, SchemaKind};

    #[test]
    fn what_is_in_a_schema_goes_with_its_name() {
        let schema = Schema { oid: Oid(20_000), name: "a".into(), kind: SchemaKind::Local };
        let mut column = Column::new(1, "id", SqlType::Integer);
        let search_path = vec!["a".into(), "public".into()];
        let written = WrittenExpression { text: "1".into(), search_path, refers_to: Vec::new() };
        column.default = Some(ColumnDefault::Expression(written));
        let table = HotTable::new(Oid(20_001), ObjectName::new("a", "t"), vec![column]);
        let made = [CatalogChange::CreateSchema(schema), CatalogChange::CreateHotTable(table)];
        let rename = |to: &str| CatalogChange::RenameSchema { from: "a".into(), to: to.into() };
        let before = CatalogSnapshot::initial().after(&made).unwrap();
        let after = before.after(&[rename("b")]).unwrap();
        assert!(after.schema("a").is_none() && after.relation(&ObjectName::new("a", "t")).is_none());
        let Some(Relation::Hot(table)) = after.relation_by_oid(Oid(20_001)) else { panic!("there is no table") };
        assert_eq!(table.name, ObjectName::new("b", "t"));
        let default = table.columns[0].default.clone();
        assert!(matches!(default, Some(ColumnDefault::Expression(written)) if written.search_path == ["b", "public"]));
        assert!(matches!(before.after(&[rename("public")]), Err(Error::SchemaExists(_))));
        assert!(matches!(after.after(&[rename("c")]), Err(Error::SchemaNotFound(_))));
    }
}
