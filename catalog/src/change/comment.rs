//! Changes of comments.

use std::sync::Arc;

use crate::comment::{Commented, ObjectClass};
use crate::error::{Error, Result};
use crate::hot_table::HotTable;
use crate::name::Oid;
use crate::snapshot::{CatalogSnapshot, Relation};
use crate::store::{RecordKey, Touched};

impl CatalogSnapshot {
    pub(super) fn set_comment(
        &mut self,
        commented: Commented,
        text: Option<&Arc<str>>,
        touched: &mut Touched,
    ) -> Result<()> {
        if !self.is_there(commented) {
            return Err(Error::ChangedConcurrently { oid: commented.oid });
        }
        let comments = &mut self.definitions_mut().comments;
        match text {
            Some(text) => drop(comments.insert(commented, text.clone())),
            None => drop(comments.remove(&commented)),
        }
        touched.records.push(RecordKey::Comment(commented));
        Ok(())
    }

    fn is_there(&self, commented: Commented) -> bool {
        let oid = commented.oid;
        match commented.class {
            ObjectClass::Relation => match (self.relation_by_oid(oid), commented.column) {
                (Some(Relation::Hot(table)), column @ 1..) => table.column(column).is_some(),
                (found, _) => found.is_some(),
            },
            ObjectClass::Type => self.user_type_by_oid(oid).is_some(),
            ObjectClass::Schema => self.schemas().any(|schema| schema.oid == oid),
            ObjectClass::Constraint => {
                self.hot_tables().any(|table| table.constraints.iter().any(|constraint| constraint.oid == oid))
            }
            ObjectClass::Database => true,
        }
    }

    /// What is said about an object that goes, and its columns, goes too.
    pub(crate) fn drop_comments(&mut self, class: ObjectClass, oid: Oid, touched: &mut Touched) {
        let (first, last) = (Commented { class, oid, column: i16::MIN }, Commented { class, oid, column: i16::MAX });
        let gone: Vec<_> = self.definitions.comments.range(first..=last).map(|(commented, _)| *commented).collect();
        self.forget_comments(gone, touched);
    }

    /// What is said about columns and constraints of a table that it does not have any more.
    pub(super) fn drop_comments_within(&mut self, old: &HotTable, new: &HotTable, touched: &mut Touched) {
        let columns = old.columns.iter().map(|column| column.attribute_number);
        let columns = columns.filter(|number| new.column(*number).is_none());
        let columns = columns.map(|number| Commented::column(old.oid, number));
        let is_kept = |oid: Oid| new.constraints.iter().any(|constraint| constraint.oid == oid);
        let constraints = old.constraints.iter().map(|constraint| constraint.oid).filter(|oid| !is_kept(*oid));
        let constraints = constraints.map(|oid| Commented::object(ObjectClass::Constraint, oid));
        let gone = columns.chain(constraints).collect();
        self.forget_comments(gone, touched);
    }

    fn forget_comments(&mut self, gone: Vec<Commented>, touched: &mut Touched) {
        for commented in gone {
            if self.definitions.comments.contains_key(&commented) {
                self.definitions_mut().comments.remove(&commented);
                touched.records.push(RecordKey::Comment(commented));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CatalogChange;
    use crate::hot_table::Column;
    use crate::name::ObjectName;
    use crate::types::SqlType;

    #[test]
    fn a_comment_goes_with_what_it_is_about() {
        let columns = vec![Column::new(1, "a", SqlType::Integer), Column::new(2, "b", SqlType::Integer)];
        let old = Arc::new(HotTable::new(Oid(20_000), ObjectName::new("public", "t"), columns));
        let mut new = old.as_ref().clone();
        new.columns.pop();
        let comment = |commented| CatalogChange::SetComment { commented, text: Some("text".into()) };
        let of_table = Commented::object(ObjectClass::Relation, old.oid);
        let of_column = Commented::column(old.oid, 2);
        let create = CatalogChange::CreateHotTable(old.as_ref().clone());
        let said = CatalogSnapshot::initial().after(&[create, comment(of_table), comment(of_column)]).unwrap();
        assert_eq!(said.comment(of_column), Some("text"));
        let altered = said.after(&[CatalogChange::ReplaceHotTable { old, new: Arc::new(new) }]).unwrap();
        assert_eq!((altered.comment(of_table), altered.comment(of_column)), (Some("text"), None));
        assert!(matches!(altered.after(&[comment(of_column)]), Err(Error::ChangedConcurrently { .. })));
        let dropped = altered.after(&[CatalogChange::DropRelation { oid: Oid(20_000) }]).unwrap();
        assert_eq!(dropped.comment(of_table), None);
    }
}
