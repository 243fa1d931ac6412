//! DROP SCHEMA, DROP TABLE, DROP VIEW.

use catalog::{CatalogChange, CatalogSnapshot, Oid, Relation};
use sqlparser::ast;

use crate::error::{Error, Result};
use crate::parse::statement::{Drop, DropKind};
use crate::plan::relations::{NameScope, parts};
use crate::session::{Action, Object, Session, authorize};
use crate::statement::Outcome;

/// # Errors
/// Something is not there, is of another kind, or is needed by something else.
pub async fn execute(session: &mut Session, drop: &Drop) -> Result<Outcome> {
    let snapshot = session.snapshot()?;
    let mut plan = DropPlan { snapshot: &snapshot, relations: Vec::new(), schemas: Vec::new() };
    for name in &drop.names {
        match drop.kind {
            DropKind::Schema => add_schema(session, drop, name, &mut plan)?,
            DropKind::Table | DropKind::View => add_relation(session, drop, name, &mut plan)?,
        }
    }
    plan.check_dependents(&NameScope::of(session))?;
    let changes = plan.changes();
    if !changes.is_empty() {
        session.commit(changes).await?;
    }
    Ok(Outcome::command(drop.kind.tag()))
}

/// What goes: dependents before what they depend on.
struct DropPlan<'a> {
    snapshot: &'a CatalogSnapshot,
    relations: Vec<Oid>,
    schemas: Vec<String>,
}

impl DropPlan<'_> {
    fn add(&mut self, oid: Oid, cascade: bool) {
        if self.relations.contains(&oid) {
            return;
        }
        if cascade {
            for view in self.snapshot.dependents(oid) {
                self.add(view.oid, true);
            }
        }
        self.relations.push(oid);
    }

    /// What is not dropped with it must not need what is.
    fn check_dependents(&self, scope: &NameScope) -> Result<()> {
        for relation in self.relations.iter().filter_map(|oid| self.snapshot.relation_by_oid(*oid)) {
            let views = self.snapshot.dependents(relation.oid());
            let kept = views.into_iter().filter(|view| !self.relations.contains(&view.oid));
            let dependents: Vec<_> = kept.map(|view| scope.describe(self.snapshot, &Relation::View(view))).collect();
            if !dependents.is_empty() {
                return Err(Error::ObjectInUse { object: scope.describe(self.snapshot, relation), dependents });
            }
        }
        Ok(())
    }

    fn changes(mut self) -> Vec<CatalogChange> {
        // Views that were named after the tables they read have to go before them.
        let snapshot = self.snapshot;
        let mut ordered = Vec::with_capacity(self.relations.len());
        while !self.relations.is_empty() {
            let free = |oid: &Oid| !snapshot.dependents(*oid).iter().any(|view| self.relations.contains(&view.oid));
            let (now, later): (Vec<_>, Vec<_>) = self.relations.iter().copied().partition(free);
            ordered.extend(now);
            self.relations = later;
        }
        let relations = ordered.into_iter().map(|oid| CatalogChange::DropRelation { oid });
        let schemas = self.schemas.into_iter().map(|name| CatalogChange::DropSchema { name });
        relations.chain(schemas).collect()
    }
}

fn add_schema(session: &mut Session, drop: &Drop, name: &ast::ObjectName, plan: &mut DropPlan<'_>) -> Result<()> {
    let name = NameScope::of(session).schema_name(name)?;
    if plan.snapshot.schema(&name).is_none() {
        return missing(session, drop.if_exists, format!("schema \"{name}\""), Error::UndefinedSchema { name });
    }
    authorize(&session.identity, Action::Drop, Object::Schema(&name))?;
    if drop.cascade {
        for relation in plan.snapshot.relations_in(&name) {
            plan.add(relation.oid(), true);
        }
    }
    if !plan.schemas.contains(&name) {
        plan.schemas.push(name);
    }
    Ok(())
}

fn add_relation(session: &mut Session, drop: &Drop, name: &ast::ObjectName, plan: &mut DropPlan<'_>) -> Result<()> {
    let parts = parts(name)?;
    let Some(relation) = NameScope::of(session).relation(plan.snapshot, &parts)? else {
        let kind = if drop.kind == DropKind::View { "view" } else { "table" };
        let shown = parts.join(".");
        let error = Error::UndefinedRelation { kind, name: shown.clone() };
        return missing(session, drop.if_exists, format!("{kind} \"{shown}\""), error);
    };
    authorize(&session.identity, Action::Drop, Object::Relation(relation))?;
    let expected = match (drop.kind, relation) {
        (DropKind::View, Relation::View(_)) | (DropKind::Table, Relation::Hot(_) | Relation::External(_)) => None,
        (DropKind::View, _) => Some("a view"),
        _ => Some("a table"),
    };
    if let Some(expected) = expected {
        return Err(Error::WrongObjectType { name: relation.name().name.clone(), expected });
    }
    plan.add(relation.oid(), drop.cascade);
    Ok(())
}

/// A notice where IF EXISTS was written, the error where it was not.
fn missing(session: &mut Session, if_exists: bool, what: String, error: Error) -> Result<()> {
    if !if_exists {
        return Err(error);
    }
    session.notice(format!("{what} does not exist, skipping"));
    Ok(())
}
