//! ALTER INDEX, DROP INDEX, REINDEX.

use std::sync::Arc;

use catalog::{CatalogSnapshot, HotTable, ObjectName, Relation};
use pg::PgError;
use pg::sqlstate::SqlState;

use crate::error::{Error, Result};
use crate::parse::indexes::{AlterIndex, DropIndex, Reindex, Reindexed};
use crate::plan::relations::{NameScope, identifier, parts};
use crate::session::{Action, Object, Session, authorize};
use crate::statement::Outcome;
use crate::statement::alter_table::indexes;
use crate::statement::create_index::check_concurrently;
use crate::statement::create_table::{check_type_name, is_taken};
use crate::statement::drop::missing;

/// ALTER INDEX … RENAME TO. A constraint is called what its index is called.
///
/// # Errors
/// It is not there, or the name is taken.
pub async fn alter(session: &mut Session, alter: &AlterIndex, text: &str) -> Result<Outcome> {
    const TAG: &str = "ALTER INDEX";
    let snapshot = session.snapshot()?;
    let parts = parts(&alter.name)?;
    let Some((table, from)) = named(session, &snapshot, &parts)? else {
        let shown = parts.join(".");
        let error = Error::UndefinedTable { name: shown.clone(), position: None };
        missing(session, alter.if_exists, format!("relation \"{shown}\""), error)?;
        return Ok(Outcome::command(TAG));
    };
    authorize(&session.identity, Action::Alter, Object::Relation(&Relation::Hot(table.clone())))?;
    let to = identifier(&alter.to);
    let name = ObjectName::new(table.name.schema.as_str(), to.as_str());
    if is_taken(&snapshot, &name) {
        return Err(catalog::Error::RelationExists(name).into());
    }
    check_type_name(&snapshot, &name)?;
    if table.constraint(&to).is_some() {
        let message = format!("constraint \"{to}\" for relation \"{}\" already exists", table.name.name);
        return Err(PgError::new(SqlState::DUPLICATE_OBJECT, message).into());
    }
    let mut new = table.as_ref().clone();
    let keys = new.constraints.iter_mut().map(|constraint| &mut constraint.name);
    let plain = new.plain_indexes.iter_mut().map(|index| &mut index.name);
    keys.chain(plain).filter(|name| **name == from).for_each(|name| name.clone_from(&to));
    indexes::replace(session, &table, new, text).await?;
    Ok(Outcome::command(TAG))
}

/// DROP INDEX.
///
/// # Errors
/// One is not there, or something needs it.
pub async fn drop(session: &mut Session, drop: &DropIndex) -> Result<Outcome> {
    const TAG: &str = "DROP INDEX";
    check_concurrently(session, drop.concurrently, "DROP INDEX CONCURRENTLY")?;
    let several = drop.concurrently && drop.names.len() > 1;
    if several {
        return Err(Error::not_supported("DROP INDEX CONCURRENTLY of several indexes"));
    }
    let snapshot = session.snapshot()?;
    let mut dropped: Vec<(Arc<HotTable>, Vec<String>)> = Vec::new();
    for name in &drop.names {
        let parts = parts(name)?;
        let Some((table, name)) = named(session, &snapshot, &parts)? else {
            let what = format!("index \"{}\"", parts.join("."));
            let error = PgError::new(SqlState::UNDEFINED_OBJECT, format!("{what} does not exist"));
            missing(session, drop.if_exists, what, error.into())?;
            continue;
        };
        authorize(&session.identity, Action::Drop, Object::Relation(&Relation::Hot(table.clone())))?;
        if table.declared_constraint(&name).is_some_and(|it| matches!(it.kind, catalog::ConstraintKind::Key(_))) {
            return Err(of_constraint(&name, &table));
        }
        match dropped.iter_mut().find(|(known, _)| known.oid == table.oid) {
            Some((_, names)) => names.push(name),
            None => dropped.push((table, vec![name])),
        }
    }
    indexes::drop(session, &dropped, drop.cascade).await?;
    Ok(Outcome::command(TAG))
}

/// 2BP01 for the index by which a constraint is kept, which goes with that.
fn of_constraint(name: &str, table: &HotTable) -> Error {
    let constraint = format!("constraint {name} on table {}", table.name.name);
    let message = format!("cannot drop index {name} because {constraint} requires it");
    let error = PgError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message);
    error.with_hint(format!("You can drop {constraint} instead.")).into()
}

/// REINDEX. What keys are looked up in is made of the rows themselves whenever it is missing, so there is nothing to make anew.
///
/// # Errors
/// What it names is not there, or is something else.
pub fn reindex(session: &mut Session, reindex: &Reindex) -> Result<Outcome> {
    check_concurrently(session, reindex.concurrently, "REINDEX CONCURRENTLY")?;
    let snapshot = session.snapshot()?;
    let scope = NameScope::of(session);
    match &reindex.object {
        Reindexed::Index(name) => {
            let parts = parts(name)?;
            let found = named(session, &snapshot, &parts)?;
            let (table, _) = found.ok_or_else(|| Error::UndefinedTable { name: parts.join("."), position: None })?;
            authorize(&session.identity, Action::Alter, Object::Relation(&Relation::Hot(table)))?;
        }
        Reindexed::Table(name) => {
            let relation = scope.must_relation(&snapshot, name)?;
            authorize(&session.identity, Action::Alter, Object::Relation(relation))?;
            if !matches!(relation, Relation::Hot(_)) {
                let (name, expected) = (relation.name().name.clone(), "a table or materialized view");
                return Err(Error::WrongObjectType { name, expected });
            }
        }
        Reindexed::Schema(name) => {
            alone(session, "REINDEX SCHEMA")?;
            let name = scope.schema_name(name)?;
            authorize(&session.identity, Action::Alter, Object::Schema(&name))?;
            snapshot.must_schema(&name)?;
        }
        Reindexed::Database(name) => {
            alone(session, "REINDEX DATABASE")?;
            authorize(&session.identity, Action::Alter, Object::Database)?;
            if identifier(name) != session.identity.database {
                let message = "can only reindex the currently open database";
                return Err(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message).into());
            }
        }
    }
    Ok(Outcome::command("REINDEX"))
}

/// # Errors
/// 25001 in a transaction block.
fn alone(session: &Session, command: &str) -> Result<()> {
    check_concurrently(session, true, command)
}

/// The table with the index that a name means, and the name of the index in it.
///
/// # Errors
/// 42809 when the name is one of another relation.
fn named(session: &Session, snapshot: &CatalogSnapshot, parts: &[String]) -> Result<Option<(Arc<HotTable>, String)>> {
    let scope = NameScope::of(session);
    if let Some(relation) = scope.relation(snapshot, parts)? {
        return Err(Error::WrongObjectType { name: relation.name().name.clone(), expected: "an index" });
    }
    if let Some((table, name)) = scope.index(snapshot, parts)? {
        return Ok(Some((table.clone(), name.to_owned())));
    }
    match scope.absent(parts) {
        Error::UndefinedTable { .. } => Ok(None),
        error => Err(error),
    }
}
