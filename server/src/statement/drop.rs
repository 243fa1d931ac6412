//! DROP SCHEMA, DROP TABLE, DROP VIEW, DROP SEQUENCE, DROP TYPE, DROP DOMAIN.

use std::sync::Arc;

use catalog::constraint::{Constraint, ConstraintKind};
use catalog::snapshot::TypeUser;
use catalog::{CatalogChange, CatalogSnapshot, HotTable, Oid, Relation, Sequence, UserType};
use pg::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast;

use crate::error::{Error, Result};
use crate::parse::statement::{Drop, DropKind};
use crate::plan::relations::{NameScope, parts};
use crate::session::{Action, Object, Session, authorize};
use crate::statement::Outcome;
use crate::statement::drop_types::{self, Dropped};

/// # Errors
/// Something is not there, is of another kind, or is needed by something else.
pub async fn execute(session: &mut Session, drop: &Drop) -> Result<Outcome> {
    let snapshot = session.snapshot()?;
    let scope = NameScope::of(session);
    let mut plan =
        DropPlan { snapshot: &snapshot, relations: Vec::new(), schemas: Vec::new(), types: Vec::new(), scope };
    for name in &drop.names {
        match drop.kind {
            DropKind::Schema => add_schema(session, drop, name, &mut plan)?,
            DropKind::Table | DropKind::View | DropKind::Sequence => add_relation(session, drop, name, &mut plan)?,
            DropKind::Type | DropKind::Domain => {
                if let Some(ty) = drop_types::named_type(session, &snapshot, drop, name)? {
                    plan.add_type(&ty, drop.cascade)?;
                }
            }
        }
    }
    plan.check_dependents()?;
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
    types: Vec<Oid>,
    scope: NameScope,
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
        for sequence in self.snapshot.owned_sequences(oid) {
            self.add(sequence.oid, false);
        }
    }

    /// A type, and what needs it.
    fn add_type(&mut self, ty: &Arc<UserType>, cascade: bool) -> Result<()> {
        if self.types.contains(&ty.oid) {
            return Ok(());
        }
        self.types.push(ty.oid);
        if cascade { self.add_users(ty) } else { Ok(()) }
    }

    /// What needs a type that goes.
    fn add_users(&mut self, ty: &UserType) -> Result<()> {
        let dropped = Dropped { types: &self.types, relations: &self.relations };
        let (types, views) = drop_types::cascade(&self.scope, self.snapshot, ty, &dropped)?;
        views.into_iter().for_each(|view| self.add(view, true));
        types.iter().try_for_each(|ty| self.add_type(ty, true))
    }

    /// The types of a schema, which may need each other, and what needs them.
    fn add_types_of(&mut self, schema: &str) -> Result<()> {
        let types: Vec<_> = self.snapshot.types_in(schema).cloned().collect();
        let types: Vec<_> = types.into_iter().filter(|ty| !self.types.contains(&ty.oid)).collect();
        self.types.extend(types.iter().map(|ty| ty.oid));
        types.iter().try_for_each(|ty| self.add_users(ty))
    }

    /// What is not dropped with it must not need what is.
    fn check_dependents(&self) -> Result<()> {
        let (scope, snapshot) = (&self.scope, self.snapshot);
        let dropped = Dropped { types: &self.types, relations: &self.relations };
        for ty in self.types.iter().filter_map(|oid| snapshot.user_type_by_oid(*oid)) {
            drop_types::check_users(scope, snapshot, ty, &dropped)?;
        }
        for relation in self.relations.iter().filter_map(|oid| self.snapshot.relation_by_oid(*oid)) {
            let views = self.snapshot.dependents(relation.oid());
            let kept = views.into_iter().filter(|view| !self.relations.contains(&view.oid));
            let dependents: Vec<_> = kept.map(|view| scope.describe(self.snapshot, &Relation::View(view))).collect();
            let defaults = self.defaults_left(relation);
            let dependents: Vec<_> =
                defaults.into_iter().chain(dependents).chain(self.references_left(relation)).collect();
            if !dependents.is_empty() {
                return Err(Error::ObjectInUse { object: scope.describe(self.snapshot, relation), dependents });
            }
        }
        Ok(())
    }

    /// The defaults that refer to a relation and are not dropped with it.
    fn defaults_left(&self, relation: &Relation) -> Vec<String> {
        let defaults = self.snapshot.defaults_that_refer_to(relation.oid()).into_iter();
        let left = defaults.filter(|(table, _)| !self.relations.contains(&table.oid));
        let describe = |(table, column): (Arc<HotTable>, String)| {
            let table = self.scope.describe(self.snapshot, &Relation::Hot(table));
            format!("default value for column {column} of {table}")
        };
        left.map(describe).collect()
    }

    /// The foreign keys that refer to a table and are not dropped with it.
    fn references_left(&self, relation: &Relation) -> Vec<String> {
        let relations = self.snapshot.schemas().flat_map(|schema| self.snapshot.relations_in(&schema.name));
        let left = relations.filter(|other| !self.relations.contains(&other.oid()));
        left.flat_map(|other| {
            let constraints = match other {
                Relation::Hot(table) => table.constraints.as_slice(),
                _ => &[],
            };
            let refers = |constraint: &&Constraint| {
                matches!(&constraint.kind, ConstraintKind::ForeignKey(key) if key.referenced == relation.oid())
            };
            let table = self.scope.describe(self.snapshot, other);
            let describe = |constraint: &Constraint| format!("constraint {} on {table}", constraint.name);
            constraints.iter().filter(refers).map(describe).collect::<Vec<_>>()
        })
        .collect()
    }

    fn changes(mut self) -> Vec<CatalogChange> {
        // Views that were named after the tables they read have to go before them.
        let snapshot = self.snapshot;
        let mut ordered = Vec::with_capacity(self.relations.len());
        while !self.relations.is_empty() {
            let free = |oid: &Oid| {
                !snapshot.dependents(*oid).iter().any(|view| self.relations.contains(&view.oid))
                    && !snapshot.defaults_that_refer_to(*oid).iter().any(|(it, _)| self.relations.contains(&it.oid))
            };
            let (now, later): (Vec<_>, Vec<_>) = self.relations.iter().copied().partition(free);
            ordered.extend(now);
            self.relations = later;
        }
        let relations = ordered.into_iter().map(|oid| CatalogChange::DropRelation { oid });
        let types = in_order(snapshot, self.types).into_iter().map(|oid| CatalogChange::DropType { oid });
        let schemas = self.schemas.into_iter().map(|name| CatalogChange::DropSchema { name });
        relations.chain(types).chain(schemas).collect()
    }
}

/// The types, those that others are made of after these.
fn in_order(snapshot: &CatalogSnapshot, mut types: Vec<Oid>) -> Vec<Oid> {
    let mut ordered = Vec::with_capacity(types.len());
    while !types.is_empty() {
        let needed = |oid: &Oid| {
            let ty = snapshot.user_type_by_oid(*oid);
            let users = ty.map(|ty| snapshot.type_users(ty)).unwrap_or_default();
            users.iter().any(|user| matches!(user, TypeUser::Type(user) if types.contains(&user.oid)))
        };
        let (later, now): (Vec<_>, Vec<_>) = types.iter().copied().partition(needed);
        ordered.extend(now);
        types = later;
    }
    ordered
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
        plan.add_types_of(&name)?;
    }
    if !plan.schemas.contains(&name) {
        plan.schemas.push(name);
    }
    Ok(())
}

fn add_relation(session: &mut Session, drop: &Drop, name: &ast::ObjectName, plan: &mut DropPlan<'_>) -> Result<()> {
    let parts = parts(name)?;
    let Some(relation) = NameScope::of(session).relation(plan.snapshot, &parts)? else {
        let kind = match drop.kind {
            DropKind::View => "view",
            DropKind::Sequence => "sequence",
            _ => "table",
        };
        let shown = parts.join(".");
        let error = Error::UndefinedRelation { kind, name: shown.clone() };
        return missing(session, drop.if_exists, format!("{kind} \"{shown}\""), error);
    };
    authorize(&session.identity, Action::Drop, Object::Relation(relation))?;
    let expected = match (drop.kind, relation) {
        (DropKind::View, Relation::View(_))
        | (DropKind::Sequence, Relation::Sequence(_))
        | (DropKind::Table, Relation::Hot(_) | Relation::External(_)) => None,
        (DropKind::View, _) => Some("a view"),
        (DropKind::Sequence, _) => Some("a sequence"),
        _ => Some("a table"),
    };
    if let (Relation::Sequence(sequence), None) = (relation, expected)
        && let Some((table, column)) = identity_column(plan.snapshot, sequence)
    {
        let (scope, snapshot) = (&plan.scope, plan.snapshot);
        let what = format!("column {column} of {}", scope.describe(snapshot, &Relation::Hot(table)));
        let sequence = scope.describe(snapshot, relation);
        let message = format!("cannot drop {sequence} because {what} requires it");
        let error = PgError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message);
        return Err(error.with_hint(format!("You can drop {what} instead.")).into());
    }
    if let Some(expected) = expected {
        return Err(Error::WrongObjectType { name: relation.name().name.clone(), expected });
    }
    let needed =
        matches!(relation, Relation::Sequence(_)) && !plan.snapshot.defaults_that_refer_to(relation.oid()).is_empty();
    if needed && drop.cascade {
        return Err(Error::not_supported("dropping a sequence together with the defaults that use it"));
    }
    plan.add(relation.oid(), drop.cascade);
    Ok(())
}

/// The identity column that a sequence belongs to.
fn identity_column(snapshot: &CatalogSnapshot, sequence: &Sequence) -> Option<(Arc<HotTable>, String)> {
    let (table, column) = sequence.owner.filter(|_| sequence.identity)?;
    match snapshot.relation_by_oid(table)? {
        Relation::Hot(table) => Some((table.clone(), table.column(column)?.name.clone())),
        _ => None,
    }
}

/// A notice where IF EXISTS was written, the error where it was not.
fn missing(session: &mut Session, if_exists: bool, what: String, error: Error) -> Result<()> {
    if !if_exists {
        return Err(error);
    }
    session.notice(format!("{what} does not exist, skipping"));
    Ok(())
}
