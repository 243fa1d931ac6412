//! Redshift's `FROM t, t.items AS i`: the elements of a nested column, for each row of its table.

use pg::types::{MAP, element_type};
use sqlparser::ast::{self, Ident, TableFactor};

use crate::analyze::from::Part;
use crate::analyze::names::find_relation;
use crate::analyze::scope::Namespace;
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, folded};
use crate::error::Result;

impl Analyzer<'_> {
    /// The array or map that a name in FROM means: a column, or a field of one, of a relation that stands before it or in a
    /// query outside. Such a relation hides a schema of its name.
    pub(super) fn nested_collection(&mut self, before: Option<&Part>, name: &ast::ObjectName) -> Result<Option<Typed>> {
        let parts: Option<Vec<&Ident>> = name.0.iter().map(|part| part.as_ident()).collect();
        let Some(parts) = parts.filter(|parts| parts.len() > 1) else { return Ok(None) };
        let names: Vec<String> = parts.iter().map(|part| folded(part)).collect();
        let here = before.and_then(|part| self.named_column(&part.namespace, &names)).map(|found| (found, 0));
        let outside = || {
            let count = self.levels.len();
            (1..count).find_map(|depth| {
                let namespace = &self.levels[count - 1 - depth].namespace;
                self.named_column(namespace, &names).map(|found| (found, depth))
            })
        };
        let Some(((column, rest), depth)) = here.or_else(outside) else { return Ok(None) };
        let mut value = self.outer(column, depth);
        for field in &parts[rest..] {
            value = self.field(value, field)?;
        }
        let is_collection = value.ty.oid == MAP || element_type(value.ty.oid).is_some();
        Ok(is_collection.then_some(value))
    }

    /// The column that a qualified name means, and how many of the names are behind it.
    fn named_column(&self, namespace: &Namespace, names: &[String]) -> Option<(Typed, usize)> {
        (1..names.len().min(4)).rev().find_map(|length| {
            let relation = find_relation(namespace, &names[..length], self.context.database())?;
            let column = relation.columns.iter().find(|column| column.name == names[length])?;
            Some((column.typed(), length + 1))
        })
    }

    pub(super) fn is_collection(&mut self, left: &Part, factor: &TableFactor) -> Result<bool> {
        match factor {
            TableFactor::Table { name, args: None, .. } => Ok(self.nested_collection(Some(left), name)?.is_some()),
            _ => Ok(false),
        }
    }
}
