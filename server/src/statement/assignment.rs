//! The tables and columns that statements write to.

use std::sync::Arc;

use catalog::{CatalogChange, CatalogSnapshot, HotTable, Relation};
use sqlparser::ast;

use crate::analyze::domain::has_domain;
use crate::error::{Error, Result};
use crate::parse::position;
use crate::plan::PG_SETTINGS;
use crate::plan::relations::{NameScope, identifier};

/// What COPY does to a relation, in messages.
pub const COPY: &str = "copy to";

/// The relation that a statement is to change.
///
/// # Errors
/// 42P01 at the place of its name when there is none.
pub fn target_relation<'a>(
    scope: &NameScope,
    snapshot: &'a CatalogSnapshot,
    name: &ast::ObjectName,
    text: &str,
) -> Result<&'a Relation> {
    scope.must_relation(snapshot, name).map_err(|error| match error {
        // PostgreSQL changes the setting.
        Error::SystemRelation { name } if name == PG_SETTINGS => Error::not_supported("changing pg_settings"),
        Error::UndefinedTable { name: wanted, position: None } => {
            let place = name.0.first().and_then(|part| part.as_ident()).map(|part| part.span.start);
            let position = place.and_then(|place| position::character(text, place));
            Error::UndefinedTable { name: wanted, position }
        }
        other => other,
    })
}

/// The columns of a table that a statement gives values, by position.
///
/// # Errors
/// 42703 for a column that is not there, 42701 for one that is named twice.
pub fn target_columns(table: &HotTable, named: &[ast::Ident]) -> Result<Vec<usize>> {
    if named.is_empty() {
        return Ok((0..table.columns.len()).collect());
    }
    let mut targets = Vec::with_capacity(named.len());
    for name in named.iter().map(identifier) {
        let found = table.columns.iter().position(|column| column.name == name);
        let found =
            found.ok_or_else(|| Error::UndefinedColumn { column: name.clone(), relation: table.name.name.clone() })?;
        if targets.contains(&found) {
            return Err(Error::DuplicateColumn { column: name });
        }
        targets.push(found);
    }
    Ok(targets)
}

/// That the rows of a table are committed only if the domains that have checked them are still what they were.
pub fn expected_domains(snapshot: &CatalogSnapshot, table: &HotTable) -> Option<CatalogChange> {
    let demanding = table.columns.iter().map(|column| column.sql_type.clone()).filter(has_domain);
    let types = snapshot.types_within(demanding);
    (!types.is_empty()).then_some(CatalogChange::ExpectTypes(types))
}

/// The hot table that a statement writes to.
///
/// # Errors
/// 42809 when the relation is of another kind.
pub fn writable(relation: &Relation, action: &'static str) -> Result<Arc<HotTable>> {
    match relation {
        Relation::Hot(table) => Ok(table.clone()),
        // Writing to external tables is something a table of theirs could do; to a view, not.
        Relation::External(_) => Err(Error::not_supported(format!("{action} an external table"))),
        Relation::View(view) => Err(Error::CannotChange { action, kind: "view", name: view.name.name.clone() }),
        Relation::Sequence(sequence) => {
            let action = if action == COPY { COPY } else { "change" };
            Err(Error::CannotChange { action, kind: "sequence", name: sequence.name.name.clone() })
        }
    }
}
