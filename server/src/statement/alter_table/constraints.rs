//! Constraints that go, are looked at, and get other names.

use std::sync::Arc;

use catalog::{CatalogChange, Constraint, ConstraintKind, HotTable, Relation};
use pg::sqlstate::SqlState;
use sqlparser::ast;

use super::changes::Altering;
use super::refused;
use super::verify::Demand;
use crate::error::{Error, Result};
use crate::plan::relations::{NameScope, identifier};
use crate::session::Session;

/// `DROP CONSTRAINT`
pub(super) fn drop(
    session: &mut Session,
    altering: &mut Altering,
    name: &str,
    if_exists: bool,
    cascade: bool,
) -> Result<()> {
    let Some(constraint) = altering.new.declared_constraint(name).cloned() else {
        if !if_exists {
            return Err(no_constraint(&altering.new, name));
        }
        let relation = &altering.new.name.name;
        session.notice(format!("constraint \"{name}\" of relation \"{relation}\" does not exist, skipping"));
        return Ok(());
    };
    remove(&NameScope::of(session), altering, &constraint, cascade)
}

/// Takes a constraint, or the key of an index, from the table, with the foreign keys that need it.
pub(super) fn remove(scope: &NameScope, altering: &mut Altering, gone: &Constraint, cascade: bool) -> Result<()> {
    drop_references(scope, altering, gone, cascade)?;
    altering.new.constraints.retain(|constraint| constraint.oid != gone.oid);
    altering.demands.retain(|demand| *demand != Demand::Constraint(gone.name.clone()));
    Ok(())
}

/// The foreign keys that need a key go with it.
fn drop_references(scope: &NameScope, altering: &mut Altering, constraint: &Constraint, cascade: bool) -> Result<()> {
    let ConstraintKind::Key(key) = &constraint.kind else { return Ok(()) };
    let oid = altering.old.oid;
    let needs = |other: &Constraint| {
        matches!(&other.kind, ConstraintKind::ForeignKey(foreign)
        if foreign.referenced == oid && same_columns(&foreign.referenced_columns, &key.columns))
    };
    let referring: Vec<(Arc<HotTable>, String)> = altering
        .snapshot
        .hot_tables()
        .flat_map(|table| {
            let names = table.constraints.iter().filter(|other| needs(other)).map(|other| other.name.clone());
            names.map(|name| (table.clone(), name)).collect::<Vec<_>>()
        })
        .collect();
    if referring.is_empty() {
        return Ok(());
    }
    let shown = |table: &Arc<HotTable>| scope.describe(&altering.snapshot, &Relation::Hot(table.clone()));
    if !cascade {
        let (table, name) = (shown(&altering.old), &constraint.name);
        let lines: Vec<_> = referring
            .iter()
            .map(|(other, foreign)| format!("constraint {foreign} on {} depends on index {name}", shown(other)))
            .collect();
        let what = match constraint.is_index_only() {
            true => format!("index {name}"),
            false => format!("constraint {name} on {table}"),
        };
        return Err(Error::still_needed(&what, &lines));
    }
    for (table, name) in referring {
        altering.cascaded.push(format!("constraint {name} on {}", shown(&table)));
        if table.oid == oid {
            altering.new.constraints.retain(|constraint| constraint.name != name);
            continue;
        }
        let drop = |new: &mut HotTable| new.constraints.retain(|constraint| constraint.name != name);
        change_other(&mut altering.before, &table, drop);
    }
    Ok(())
}

fn same_columns(left: &[i16], right: &[i16]) -> bool {
    left.len() == right.len() && left.iter().all(|number| right.contains(number))
}

/// Another table loses something, beside whatever it loses already.
pub(super) fn change_other(
    changes: &mut Vec<CatalogChange>,
    table: &Arc<HotTable>,
    change: impl FnOnce(&mut HotTable),
) {
    let latest = changes.iter_mut().find_map(|change| match change {
        CatalogChange::ReplaceHotTable { old, new } if old.oid == table.oid => Some(new),
        _ => None,
    });
    match latest {
        Some(new) => change(Arc::make_mut(new)),
        None => {
            let mut new = table.as_ref().clone();
            change(&mut new);
            changes.push(CatalogChange::ReplaceHotTable { old: table.clone(), new: Arc::new(new) });
        }
    }
}

/// `VALIDATE CONSTRAINT`
pub(super) fn validate(altering: &mut Altering, name: &str) -> Result<()> {
    let relation = &altering.new.name.name;
    match altering.new.declared_constraint(name).map(|constraint| &constraint.kind) {
        None => Err(no_constraint(&altering.new, name)),
        Some(ConstraintKind::Key(_)) => {
            let message =
                format!("constraint \"{name}\" of relation \"{relation}\" is not a foreign key or check constraint");
            Err(refused(SqlState::WRONG_OBJECT_TYPE, message))
        }
        Some(_) => Ok(()),
    }?;
    if let Some(constraint) = altering.new.constraints.iter_mut().find(|it| it.name == name && !it.is_valid) {
        constraint.is_valid = true;
        altering.demand(Demand::Constraint(name.to_owned()));
    }
    Ok(())
}

/// `RENAME CONSTRAINT`
pub(super) fn rename(altering: &mut Altering, from: &ast::Ident, to: &ast::Ident) -> Result<()> {
    let (from, to) = (identifier(from), identifier(to));
    let relation = altering.new.name.name.clone();
    let Some(place) = altering.new.constraints.iter().position(|it| it.name == from && !it.is_index_only()) else {
        let message = format!("constraint \"{from}\" for table \"{relation}\" does not exist");
        return Err(refused(SqlState::UNDEFINED_OBJECT, message));
    };
    if altering.new.constraint(&to).is_some() {
        let message = format!("constraint \"{to}\" for relation \"{relation}\" already exists");
        return Err(refused(SqlState::DUPLICATE_OBJECT, message));
    }
    altering.new.constraints[place].name = to;
    Ok(())
}

fn no_constraint(table: &HotTable, name: &str) -> Error {
    let message = format!("constraint \"{name}\" of relation \"{}\" does not exist", table.name.name);
    refused(SqlState::UNDEFINED_OBJECT, message)
}
