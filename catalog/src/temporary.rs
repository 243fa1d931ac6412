//! Temporary objects: tables, views and sequences that a session has for itself, in a schema that only it sees.
//!
//! They never reach the commit store. A session keeps them as a snapshot of their own, which holds nothing else, and sees
//! them merged into the one that everybody sees. What a transaction has changed is committed in two parts, both or neither:
//! its changes of temporary objects are tried out first, which needs nobody else; then the others are committed by the
//! catalog; then the session's snapshot is replaced. The merged snapshot shares with the others whatever does not differ,
//! so that many sessions with temporary objects take little more memory than these objects do.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::change::CatalogChange;
use crate::comment::{Commented, ObjectClass};
use crate::commit::Catalog;
use crate::error::Result;
use crate::hot_table::{Column, HotTable, OnCommit};
use crate::name::{ObjectName, Oid, TEMPORARY_SCHEMA_PREFIX};
use crate::rows::TableRows;
use crate::schema::{Schema, SchemaKind};
use crate::snapshot::{CatalogSnapshot, Definitions, Relation};
use crate::types::SqlType;

/// The catalog as a session has it: what everybody sees, and the session's temporary objects.
#[derive(Debug)]
pub struct SessionCatalog {
    shared: Arc<Catalog>,
    /// The schema of the temporary objects, whether it is there yet or not.
    schema: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The temporary objects, and nothing else.
    temporary: Arc<CatalogSnapshot>,
    merged: Option<MergedDefinitions>,
    /// What the session saw last, as long as somebody needs it: whoever kept it would keep files that nobody reads.
    last: Weak<CatalogSnapshot>,
}

/// Definitions, and those that they were made of.
#[derive(Debug)]
struct MergedDefinitions {
    shared: Arc<Definitions>,
    temporary: Arc<Definitions>,
    merged: Arc<Definitions>,
}

impl SessionCatalog {
    /// Of a session, the number of which no other session has at the time; it has no temporary objects.
    pub fn new(shared: Arc<Catalog>, session: i32) -> Self {
        let temporary = Arc::new(CatalogSnapshot::empty());
        let state = State { temporary, merged: None, last: Weak::new() };
        SessionCatalog { shared, schema: format!("{TEMPORARY_SCHEMA_PREFIX}{session}"), state: Mutex::new(state) }
    }

    /// The name of the schema of the temporary objects.
    pub fn temporary_schema(&self) -> &str {
        &self.schema
    }

    /// What is committed: by everybody, and by the session for itself.
    pub fn snapshot(&self) -> Arc<CatalogSnapshot> {
        let shared = self.shared.snapshot();
        self.state().over(shared)
    }

    /// The committed temporary relations.
    pub fn temporary_relations(&self) -> Vec<Relation> {
        self.state().temporary.relations_in(&self.schema).cloned().collect()
    }

    /// The rows of a temporary table.
    pub fn temporary_rows(&self, table: Oid) -> Arc<TableRows> {
        self.state().temporary.rows(table)
    }

    /// The changes, with the schema of the temporary objects before them when they need it and `seen` has it not.
    pub fn with_schema(&self, changes: Vec<CatalogChange>, seen: &CatalogSnapshot) -> Vec<CatalogChange> {
        let in_schema = |change: &CatalogChange| change.created().is_some_and(|name| name.schema == self.schema);
        if seen.schema(&self.schema).is_some() || !changes.iter().any(in_schema) {
            return changes;
        }
        let oid = self.shared.allocate_oid();
        let schema = Schema { oid, name: self.schema.clone(), kind: SchemaKind::Local };
        [CatalogChange::CreateSchema(schema)].into_iter().chain(changes).collect()
    }

    /// Commits the changes, all or none, as far as they are not the session's own durably.
    ///
    /// # Errors
    /// As for [`Catalog::commit`].
    pub async fn commit(&self, changes: Vec<CatalogChange>) -> Result<()> {
        let own = self.own_numbers(&changes);
        if !changes.iter().any(|change| self.is_own(change, &own)) {
            let changes = changes.into_iter().map(|change| without_checked(change, &own));
            self.shared.commit(changes.collect()).await?;
            return Ok(());
        }
        let before = self.snapshot();
        let temporary = self.temporary_part(&before, &before.after(&changes)?);
        let shared = changes.into_iter().filter(|change| !self.is_own(change, &own));
        let shared: Vec<_> = shared.map(|change| without_checked(change, &own)).collect();
        if shared.iter().any(|change| !change.is_expectation()) {
            self.shared.commit(shared).await?;
        }
        let mut state = self.state();
        state.temporary = Arc::new(temporary);
        state.last = Weak::new();
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The numbers of the temporary objects: those that are there, and those that the changes make.
    fn own_numbers(&self, changes: &[CatalogChange]) -> BTreeSet<Oid> {
        let temporary = self.state().temporary.clone();
        let mut own: BTreeSet<Oid> = temporary.schemas().map(|schema| schema.oid).collect();
        for relation in temporary.relations_in(&self.schema) {
            own.insert(relation.oid());
            own.extend(constraints(relation));
        }
        for change in changes {
            match change {
                CatalogChange::CreateSchema(schema) if schema.name == self.schema => drop(own.insert(schema.oid)),
                CatalogChange::CreateHotTable(table) => self.add_table(table, &mut own),
                CatalogChange::ReplaceHotTable { new, .. } => self.add_table(new, &mut own),
                CatalogChange::CreateView(view) if view.name.schema == self.schema => drop(own.insert(view.oid)),
                CatalogChange::CreateSequence(it) if it.name.schema == self.schema => drop(own.insert(it.oid)),
                _ => {}
            }
        }
        own
    }

    fn add_table(&self, table: &HotTable, own: &mut BTreeSet<Oid>) {
        if table.name.schema == self.schema {
            own.insert(table.oid);
            own.extend(table.constraints.iter().map(|constraint| constraint.oid));
        }
    }

    /// Whether a change is one of temporary objects.
    fn is_own(&self, change: &CatalogChange, own: &BTreeSet<Oid>) -> bool {
        use CatalogChange as Change;
        let named = |name: &ObjectName| name.schema == self.schema;
        match change {
            Change::CreateSchema(schema) => schema.name == self.schema,
            Change::DropSchema { name } | Change::RenameSchema { from: name, .. } => *name == self.schema,
            Change::CreateHotTable(table) => named(&table.name),
            Change::ReplaceHotTable { old: table, .. } | Change::ExpectHotTable(table) => named(&table.name),
            Change::CreateView(view) => named(&view.name),
            Change::ReplaceView { old, .. } => named(&old.name),
            Change::CreateSequence(sequence) => named(&sequence.name),
            Change::ReplaceSequence { old, .. } => named(&old.name),
            Change::ExpectRows { table: oid, .. }
            | Change::ChangeRows { table: oid, .. }
            | Change::Truncate { table: oid, .. }
            | Change::SetStatistics { table: oid, .. }
            | Change::RecordLoads { table: oid, .. }
            | Change::SealRows { table: oid }
            | Change::RewriteRows { table: oid, .. }
            | Change::SetSequence { sequence: oid, .. }
            | Change::DropRelation { oid } => own.contains(oid),
            Change::SetComment { commented, .. } => own.contains(&commented.oid),
            // There are neither types nor external tables nor roles nor secrets among them.
            Change::CreateRole(_)
            | Change::ReplaceRole { .. }
            | Change::DropRole { .. }
            | Change::CreateSecret(_)
            | Change::ReplaceSecret { .. }
            | Change::DropSecret { .. }
            | Change::CreateExternalTable(_)
            | Change::CreateType(_)
            | Change::ReplaceType { .. }
            | Change::ExpectTypes(_)
            | Change::DropType { .. }
            | Change::AddPartition { .. }
            | Change::BeginFileWrite { .. }
            | Change::NameWrittenFiles { .. }
            | Change::EndFileWrite { .. }
            | Change::AbandonFileWrite { .. }
            | Change::DropPartition { .. } => false,
        }
    }

    /// The temporary objects of a snapshot once what has come of them is committed.
    fn temporary_part(&self, before: &CatalogSnapshot, after: &CatalogSnapshot) -> CatalogSnapshot {
        let dropped = self.dropped_on_commit(after);
        let mut part = CatalogSnapshot { next_unit: after.next_unit, ..CatalogSnapshot::empty() };
        for relation in after.relations_in(&self.schema).filter(|it| !dropped.contains(&it.oid())) {
            let oid = relation.oid();
            if let Some(rows) = after.rows.get(&oid) {
                let kept = if empties_on_commit(relation) { Arc::new(rows.emptied()) } else { rows.clone() };
                part.rows.insert(oid, kept);
                // The transaction is over: nobody knows old addresses.
                part.restored_rows(oid).forget_moved(u64::MAX);
            }
            if let Some(state) = after.sequences.get(&oid) {
                part.sequences.insert(oid, *state);
            }
            if let Some(ledger) = after.loads.get(&oid).filter(|_| !empties_on_commit(relation)) {
                part.loads.insert(oid, ledger.clone());
            }
            if let Some(known) = after.statistics.get(&oid) {
                part.statistics.insert(oid, known.clone());
            }
        }
        part.definitions = match before.has_definitions_of(after) {
            true => self.state().temporary.definitions.clone(),
            false => Arc::new(self.temporary_definitions(after, &dropped)),
        };
        part
    }

    fn temporary_definitions(&self, all: &CatalogSnapshot, dropped: &BTreeSet<Oid>) -> Definitions {
        let mut part = Definitions::default();
        if let Some(schema) = all.schema(&self.schema) {
            part.schemas.insert(schema.name.clone(), schema.clone());
            part.copy_comments(&all.definitions, ObjectClass::Schema, schema.oid);
        }
        for relation in all.relations_in(&self.schema).filter(|it| !dropped.contains(&it.oid())) {
            part.names.insert(relation.oid(), relation.name().clone());
            part.relations.insert(relation.name().clone(), relation.clone());
            part.copy_comments(&all.definitions, ObjectClass::Relation, relation.oid());
            constraints(relation).for_each(|it| part.copy_comments(&all.definitions, ObjectClass::Constraint, it));
        }
        part
    }

    /// `ON COMMIT DROP`, and what goes with such a table.
    fn dropped_on_commit(&self, all: &CatalogSnapshot) -> BTreeSet<Oid> {
        let mut open: Vec<Oid> = Vec::new();
        let tables = all.relations_in(&self.schema).filter_map(|relation| match relation {
            Relation::Hot(table) => Some(table),
            _ => None,
        });
        let drops = |table: &&Arc<HotTable>| table.on_commit == OnCommit::Drop;
        open.extend(tables.filter(drops).map(|table| table.oid));
        let mut dropped = BTreeSet::new();
        while let Some(oid) = open.pop() {
            if dropped.insert(oid) {
                open.extend(all.dependents(oid).iter().map(|view| view.oid));
                open.extend(all.owned_sequences(oid).iter().map(|sequence| sequence.oid));
            }
        }
        dropped
    }
}

impl State {
    /// What the session sees when everybody sees `shared`.
    fn over(&mut self, shared: Arc<CatalogSnapshot>) -> Arc<CatalogSnapshot> {
        if self.temporary.definitions.schemas.is_empty() {
            return shared;
        }
        if let Some(last) = self.last.upgrade()
            && last.shared.as_ref().is_some_and(|known| Arc::ptr_eq(known, &shared))
        {
            return last;
        }
        let mut merged = shared.as_ref().clone();
        merged.definitions = self.merged_definitions(&shared.definitions);
        merged.next_unit = merged.next_unit.max(self.temporary.next_unit);
        merged.rows.extend(self.temporary.rows.iter().map(|(oid, rows)| (*oid, rows.clone())));
        merged.sequences.extend(self.temporary.sequences.iter().map(|(oid, state)| (*oid, *state)));
        let statistics = self.temporary.statistics.iter().map(|(oid, known)| (*oid, known.clone()));
        merged.statistics.extend(statistics);
        merged.loads.extend(self.temporary.loads.iter().map(|(oid, ledger)| (*oid, ledger.clone())));
        merged.shared = Some(shared);
        let merged = Arc::new(merged);
        self.last = Arc::downgrade(&merged);
        merged
    }

    fn merged_definitions(&mut self, shared: &Arc<Definitions>) -> Arc<Definitions> {
        let temporary = &self.temporary.definitions;
        let is_same =
            |known: &&MergedDefinitions| Arc::ptr_eq(&known.shared, shared) && Arc::ptr_eq(&known.temporary, temporary);
        if let Some(known) = self.merged.as_ref().filter(is_same) {
            return known.merged.clone();
        }
        let mut merged = shared.as_ref().clone();
        merged.schemas.extend(temporary.schemas.iter().map(|(name, schema)| (name.clone(), schema.clone())));
        let relations = temporary.relations.iter();
        merged.relations.extend(relations.map(|(name, it)| (name.clone(), shared.without_lost_columns(it))));
        merged.names.extend(temporary.names.iter().map(|(oid, name)| (*oid, name.clone())));
        merged.comments.extend(temporary.comments.iter().map(|(commented, text)| (*commented, text.clone())));
        let merged = Arc::new(merged);
        let (shared, temporary) = (shared.clone(), temporary.clone());
        self.merged = Some(MergedDefinitions { shared, temporary, merged: merged.clone() });
        merged
    }
}

impl Definitions {
    /// A temporary relation without the columns whose types others have dropped, who know nothing of them.
    fn without_lost_columns(&self, relation: &Relation) -> Relation {
        let Relation::Hot(table) = relation else { return relation.clone() };
        let is_lost = |column: &&Column| match &column.sql_type {
            SqlType::User(user) => !self.type_names.contains_key(&user.oid()),
            _ => false,
        };
        let mut lost = table.columns.iter().filter(is_lost).map(|column| column.attribute_number).peekable();
        match lost.peek() {
            None => relation.clone(),
            Some(_) => {
                let left = lost.fold(table.as_ref().clone(), |table, number| table.without_column(number));
                Relation::Hot(Arc::new(left))
            }
        }
    }

    /// Takes over what is said about an object and its columns.
    fn copy_comments(&mut self, all: &Definitions, class: ObjectClass, oid: Oid) {
        let (first, last) = (Commented { class, oid, column: i16::MIN }, Commented { class, oid, column: i16::MAX });
        let comments = all.comments.range(first..=last).map(|(commented, text)| (*commented, text.clone()));
        self.comments.extend(comments);
    }
}

/// `ON COMMIT DELETE ROWS`
fn empties_on_commit(relation: &Relation) -> bool {
    matches!(relation, Relation::Hot(table) if table.on_commit == OnCommit::DeleteRows)
}

/// The numbers of a table's constraints.
fn constraints(relation: &Relation) -> impl Iterator<Item = Oid> {
    let constraints = match relation {
        Relation::Hot(table) => table.constraints.as_slice(),
        _ => &[],
    };
    constraints.iter().map(|constraint| constraint.oid)
}

/// A change of a type of which the catalog cannot ask whether the session's tables are as they were: only the session
/// changes them.
fn without_checked(mut change: CatalogChange, own: &BTreeSet<Oid>) -> CatalogChange {
    if let CatalogChange::ReplaceType { checked, .. } = &mut change {
        checked.retain(|(table, _)| !own.contains(table));
    }
    change
}
