//! DROP SCHEMA, DROP TABLE, DROP VIEW, DROP SEQUENCE, DROP TYPE, DROP DOMAIN.

use std::collections::BTreeMap;
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
    let mut plan = DropPlan::new(&snapshot, NameScope::of(session));
    for name in &drop.names {
        match drop.kind {
            DropKind::Schema => add_schema(session, drop, name, &mut plan)?,
            DropKind::Type | DropKind::Domain => {
                if let Some(ty) = drop_types::named_type(session, &snapshot, drop, name)? {
                    plan.named.push(ty.oid);
                    plan.add_type(&ty, drop.cascade)?;
                }
            }
            _ => add_relation(session, drop, name, &mut plan)?,
        }
    }
    plan.check_dependents()?;
    let cascaded = plan.cascaded();
    let changes = plan.changes();
    session.notice_cascade(&cascaded);
    if !changes.is_empty() {
        session.commit(changes).await?;
    }
    Ok(Outcome::command(drop.kind.tag()))
}

/// Drops all temporary objects of the session.
///
/// # Errors
/// They cannot be dropped: a bug.
pub async fn drop_temporary(session: &mut Session) -> Result<()> {
    let snapshot = session.snapshot()?;
    let scope = NameScope::of(session);
    let relations: Vec<_> = snapshot.relations_in(&scope.temporary_schema).map(Relation::oid).collect();
    let mut plan = DropPlan::new(&snapshot, scope);
    relations.into_iter().for_each(|oid| plan.add(oid, true));
    let changes = plan.changes();
    if !changes.is_empty() {
        session.commit(changes).await?;
    }
    Ok(())
}

/// What goes: dependents before what they depend on.
struct DropPlan<'a> {
    snapshot: &'a CatalogSnapshot,
    /// What the statement names.
    named: Vec<Oid>,
    relations: Vec<Oid>,
    schemas: Vec<String>,
    types: Vec<Oid>,
    /// Columns of tables that stay, by attribute number.
    columns: Vec<(Oid, i16)>,
    /// What tables that stay lose because a relation goes, by that.
    parts: Vec<(Oid, Referring)>,
    scope: NameScope,
}

/// A part of a table that refers to a relation.
#[derive(Debug, Clone, PartialEq)]
struct Referring {
    table: Arc<HotTable>,
    part: Part,
}

/// Parts of a table, by name.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    /// The default of a column.
    Default(String),
    /// A foreign key.
    ForeignKey(String),
}

impl Referring {
    /// The parts that refer to a relation, those of older tables first.
    fn to(snapshot: &CatalogSnapshot, oid: Oid) -> Vec<Self> {
        let defaults = snapshot.defaults_that_refer_to(oid).into_iter();
        let mut parts: Vec<_> =
            defaults.map(|(table, column)| Referring { table, part: Part::Default(column) }).collect();
        for table in snapshot.hot_tables() {
            let refers = |constraint: &&Constraint| matches!(&constraint.kind, ConstraintKind::ForeignKey(key) if key.referenced == oid);
            let keys = table.constraints.iter().filter(refers);
            let part = |key: &Constraint| Part::ForeignKey(key.name.clone());
            parts.extend(keys.map(|key| Referring { table: table.clone(), part: part(key) }));
        }
        parts.sort_by_key(|referring| referring.table.oid);
        parts
    }

    /// How messages name it.
    fn describe(&self, scope: &NameScope, snapshot: &CatalogSnapshot) -> String {
        let table = scope.describe(snapshot, &Relation::Hot(self.table.clone()));
        match &self.part {
            Part::Default(column) => format!("default value for column {column} of {table}"),
            Part::ForeignKey(name) => format!("constraint {name} on {table}"),
        }
    }

    fn take_from(&self, table: &mut HotTable) {
        match &self.part {
            Part::Default(name) => {
                table.columns.iter_mut().filter(|column| column.name == *name).for_each(|column| column.default = None);
            }
            Part::ForeignKey(name) => table.constraints.retain(|constraint| constraint.name != *name),
        }
    }
}

impl<'a> DropPlan<'a> {
    /// Nothing goes yet.
    fn new(snapshot: &'a CatalogSnapshot, scope: NameScope) -> Self {
        let (named, relations, schemas) = (Vec::new(), Vec::new(), Vec::new());
        DropPlan {
            snapshot,
            named,
            relations,
            schemas,
            types: Vec::new(),
            columns: Vec::new(),
            parts: Vec::new(),
            scope,
        }
    }

    fn add(&mut self, oid: Oid, cascade: bool) {
        if self.relations.contains(&oid) {
            return;
        }
        self.relations.push(oid);
        if cascade {
            let mut views = self.snapshot.dependents(oid);
            views.sort_by_key(|view| view.oid);
            views.iter().for_each(|view| self.add(view.oid, true));
            let parts = Referring::to(self.snapshot, oid).into_iter().map(|part| (oid, part));
            self.parts.extend(parts);
        }
        for sequence in self.snapshot.owned_sequences(oid) {
            // Nobody is told of what is a part of something.
            self.named.push(sequence.oid);
            self.add(sequence.oid, cascade);
        }
    }

    /// What goes without being named, as messages name it.
    fn cascaded(&self) -> Vec<String> {
        let is_named = |oid: &&Oid| self.named.contains(oid);
        let relations = self.relations.iter().flat_map(|oid| {
            let itself = self.snapshot.relation_by_oid(*oid).filter(|_| !is_named(&oid));
            let itself = itself.map(|relation| self.scope.describe(self.snapshot, relation));
            let parts = self.parts_left(*oid).map(|part| part.describe(&self.scope, self.snapshot));
            itself.into_iter().chain(parts).collect::<Vec<_>>()
        });
        let types = self.types.iter().filter(|oid| !is_named(oid));
        let types = types.filter_map(|oid| self.snapshot.user_type_by_oid(*oid));
        let types = types.map(|ty| format!("type {}", self.scope.shown_type(self.snapshot, ty)));
        let columns = self.columns.iter().filter_map(|(oid, number)| {
            let Some(Relation::Hot(table)) = self.snapshot.relation_by_oid(*oid) else { return None };
            let shown = self.scope.describe(self.snapshot, &Relation::Hot(table.clone()));
            Some(format!("column {} of {shown}", table.column(*number)?.name))
        });
        relations.chain(types).chain(columns).collect()
    }

    /// What tables that stay lose because of a relation.
    fn parts_left(&self, oid: Oid) -> impl Iterator<Item = &Referring> {
        let parts = self.parts.iter().filter(move |(because, _)| *because == oid).map(|(_, part)| part);
        parts.filter(|part| !self.relations.contains(&part.table.oid))
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
        let dropped = Dropped { types: &self.types, relations: &self.relations, columns: &self.columns };
        let needing = drop_types::cascade(&self.scope, self.snapshot, ty, &dropped)?;
        for (table, number) in needing.columns {
            let reading = self.snapshot.dependents(table.oid).into_iter();
            let reading: Vec<_> = reading.filter(|view| view.reads_column(table.oid, number)).collect();
            self.columns.push((table.oid, number));
            let owned = self.snapshot.owned_sequences(table.oid).into_iter();
            for sequence in owned.filter(|sequence| sequence.owner == Some((table.oid, number))) {
                self.named.push(sequence.oid);
                self.add(sequence.oid, false);
            }
            reading.iter().for_each(|view| self.add(view.oid, true));
        }
        needing.views.into_iter().for_each(|view| self.add(view, true));
        needing.types.iter().try_for_each(|ty| self.add_type(ty, true))
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
        let dropped = Dropped { types: &self.types, relations: &self.relations, columns: &self.columns };
        for ty in self.types.iter().filter_map(|oid| snapshot.user_type_by_oid(*oid)) {
            drop_types::check_users(scope, snapshot, ty, &dropped)?;
        }
        for relation in self.relations.iter().filter_map(|oid| self.snapshot.relation_by_oid(*oid)) {
            let views = self.snapshot.dependents(relation.oid());
            let kept = views.into_iter().filter(|view| !self.relations.contains(&view.oid));
            let dependents: Vec<_> = kept.map(|view| scope.describe(self.snapshot, &Relation::View(view))).collect();
            let (defaults, keys) = self.referring_left(relation.oid());
            let dependents: Vec<_> = defaults.into_iter().chain(dependents).chain(keys).collect();
            if !dependents.is_empty() {
                return Err(Error::ObjectInUse { object: scope.describe(self.snapshot, relation), dependents });
            }
        }
        Ok(())
    }

    /// The defaults, and the foreign keys, that refer to a relation and are not dropped with it.
    fn referring_left(&self, oid: Oid) -> (Vec<String>, Vec<String>) {
        let is_dropped = |part: &Referring| {
            self.relations.contains(&part.table.oid) || self.parts.iter().any(|(_, dropped)| dropped == part)
        };
        let left = Referring::to(self.snapshot, oid).into_iter().filter(|part| !is_dropped(part));
        let (defaults, keys): (Vec<_>, Vec<_>) = left.partition(|part| matches!(part.part, Part::Default(_)));
        let describe = |parts: Vec<Referring>| {
            parts.iter().map(|part| part.describe(&self.scope, self.snapshot)).collect::<Vec<_>>()
        };
        (describe(defaults), describe(keys))
    }

    fn changes(mut self) -> Vec<CatalogChange> {
        // Views that were named after the tables they read have to go before them.
        let snapshot = self.snapshot;
        let (parts, columns) = self.tables_that_stay();
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
        parts.into_iter().chain(relations).chain(columns).chain(types).chain(schemas).collect()
    }

    /// What becomes of tables that stay: those that refer to what is dropped before it is, those that lose columns after the
    /// views of these.
    fn tables_that_stay(&self) -> (Vec<CatalogChange>, Vec<CatalogChange>) {
        let mut without_parts: BTreeMap<Oid, (Arc<HotTable>, HotTable)> = BTreeMap::new();
        for part in self.relations.iter().flat_map(|oid| self.parts_left(*oid)) {
            let entry = || (part.table.clone(), part.table.as_ref().clone());
            part.take_from(&mut without_parts.entry(part.table.oid).or_insert_with(entry).1);
        }
        let without_parts: BTreeMap<Oid, (Arc<HotTable>, Arc<HotTable>)> =
            without_parts.into_iter().map(|(oid, (old, new))| (oid, (old, Arc::new(new)))).collect();
        let mut without_columns: BTreeMap<Oid, (Arc<HotTable>, HotTable)> = BTreeMap::new();
        for (oid, number) in self.columns.iter().filter(|(oid, _)| !self.relations.contains(oid)) {
            let Some(Relation::Hot(table)) = self.snapshot.relation_by_oid(*oid) else { continue };
            let table = without_parts.get(oid).map_or(table, |(_, new)| new);
            let (_, new) = without_columns.entry(*oid).or_insert_with(|| (table.clone(), table.as_ref().clone()));
            *new = new.without_column(*number);
        }
        let parts = without_parts.into_values().map(|(old, new)| CatalogChange::ReplaceHotTable { old, new });
        let columns = without_columns.into_values();
        let columns = columns.map(|(old, new)| CatalogChange::ReplaceHotTable { old, new: Arc::new(new) });
        (parts.collect(), columns.collect())
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
        let mut relations: Vec<_> = plan.snapshot.relations_in(&name).map(Relation::oid).collect();
        relations.sort();
        relations.into_iter().for_each(|oid| plan.add(oid, true));
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
        let kind = drop.kind.described();
        let shown = parts.join(".");
        if let Some((_, name)) = NameScope::of(session).index(plan.snapshot, &parts)? {
            return Err(Error::WrongObjectType { name: name.to_owned(), expected: drop.kind.expected() });
        }
        let error = match NameScope::of(session).absent(&parts) {
            Error::UndefinedTable { .. } if drop.kind == DropKind::ForeignTable => {
                let message = format!("{kind} \"{shown}\" does not exist");
                PgError::new(SqlState::UNDEFINED_OBJECT, message).into()
            }
            Error::UndefinedTable { .. } => Error::UndefinedRelation { kind, name: shown.clone() },
            other => return Err(other),
        };
        return missing(session, drop.if_exists, format!("{kind} \"{shown}\""), error);
    };
    authorize(&session.identity, Action::Drop, Object::Relation(relation))?;
    let expected = match (drop.kind, relation) {
        (DropKind::View, Relation::View(_))
        | (DropKind::Sequence, Relation::Sequence(_))
        | (DropKind::ForeignTable, Relation::External(_))
        | (DropKind::Table, Relation::Hot(_) | Relation::External(_)) => None,
        (kind, _) => Some(kind.expected()),
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
    plan.named.push(relation.oid());
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
pub(super) fn missing(session: &mut Session, if_exists: bool, what: String, error: Error) -> Result<()> {
    if !if_exists {
        return Err(error);
    }
    session.notice(format!("{what} does not exist, skipping"));
    Ok(())
}
