//! A transaction: what a session has changed and not committed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::change::CatalogChange;
use crate::error::{Error, Result};
use crate::hot_table::HotTable;
use crate::name::Oid;
use crate::rows::write::TableDraft;
use crate::snapshot::CatalogSnapshot;
use crate::temporary::SessionCatalog;

/// What a transaction's statements see of others' commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what was committed before it began.
    ReadCommitted,
    /// Every statement sees what was committed before the first one began (snapshot isolation).
    RepeatableRead,
}

/// A transaction: its changes, over the commits it may see.
#[derive(Debug)]
pub struct Transaction {
    isolation: Isolation,
    /// What the last statement saw of others' commits.
    base: Option<Arc<CatalogSnapshot>>,
    /// Whether a statement has begun that has not looked at others' commits yet, and may see newer ones than `base`.
    looks_again: bool,
    /// The oldest snapshot whose addresses of rows are among the changes: it keeps them good.
    addresses: Option<Arc<CatalogSnapshot>>,
    changes: Changes,
    /// `base` with the changes on top, as long as both are the same.
    draft: Option<Arc<CatalogSnapshot>>,
}

/// What a transaction has changed. A copy shares the rows.
#[derive(Debug, Clone, Default)]
struct Changes {
    /// All but the changes of rows, in order. They come before these.
    definitions: Vec<CatalogChange>,
    /// Changes of rows, by table.
    rows: BTreeMap<Oid, TableDraft>,
}

/// A point in a transaction that it can come back to.
#[derive(Debug, Clone)]
pub struct Savepoint(Changes);

impl Transaction {
    /// A transaction that has changed nothing.
    pub fn new(isolation: Isolation) -> Self {
        let changes = Changes::default();
        Transaction { isolation, base: None, looks_again: false, addresses: None, changes, draft: None }
    }

    /// A statement begins, or looks again at what others have committed: it sees that, if its isolation level lets it.
    pub fn begin_statement(&mut self) {
        self.looks_again = self.isolation == Isolation::ReadCommitted;
    }

    /// What the statement sees, the same from its beginning to its end: the commits it may see, and on top of them the
    /// transaction's own changes.
    ///
    /// # Errors
    /// A concurrent commit has taken away what the transaction's changes build on.
    pub fn snapshot(&mut self, catalog: &SessionCatalog) -> Result<Arc<CatalogSnapshot>> {
        let base = match &self.base {
            Some(base) if !self.looks_again => base.clone(),
            _ => catalog.snapshot(),
        };
        self.looks_again = false;
        self.see(base)
    }

    /// The changes on top of `base`, from now on.
    fn see(&mut self, base: Arc<CatalogSnapshot>) -> Result<Arc<CatalogSnapshot>> {
        if !self.base.as_ref().is_some_and(|known| Arc::ptr_eq(known, &base)) {
            self.draft = None;
            self.base = Some(base.clone());
        }
        if self.changes.is_empty() {
            return Ok(base);
        }
        let draft = match self.draft.take() {
            Some(draft) => draft,
            None => Arc::new(self.changes.over(&base)?),
        };
        self.draft = Some(draft.clone());
        Ok(draft)
    }

    /// What is committed by now, whatever the transaction's statements see of it, and the transaction's own changes on top.
    ///
    /// # Errors
    /// A concurrent commit has taken away what the transaction's changes build on.
    pub fn newest(&self, catalog: &SessionCatalog) -> Result<Arc<CatalogSnapshot>> {
        let newest = catalog.snapshot();
        match &self.draft {
            Some(draft) if self.base.as_ref().is_some_and(|base| Arc::ptr_eq(base, &newest)) => Ok(draft.clone()),
            _ if self.changes.is_empty() => Ok(newest),
            _ => Ok(Arc::new(self.changes.over(&newest)?)),
        }
    }

    /// Adds changes, to be committed with the others.
    ///
    /// # Errors
    /// A change that does not fit what the transaction sees; none is added.
    pub fn add(&mut self, catalog: &SessionCatalog, added: Vec<CatalogChange>) -> Result<()> {
        // What the statement has seen: the addresses in its changes may be those of that snapshot.
        let seen = match &self.base {
            Some(base) => base.clone(),
            None => self.base.insert(catalog.snapshot()).clone(),
        };
        // It may have met rows that are newer than that, which ON CONFLICT does.
        let base = match self.isolation {
            Isolation::ReadCommitted => catalog.snapshot(),
            Isolation::RepeatableRead => seen.clone(),
        };
        let added = catalog.with_schema(added, &*self.see(base.clone())?);
        let mut changes = self.changes.clone();
        for change in added {
            changes.add(change)?;
        }
        let draft = changes.over(&base)?;
        if self.addresses.is_none() && changes.rows.values().any(TableDraft::deletes_committed) {
            self.addresses = Some(seen);
        }
        self.changes = changes;
        self.draft = Some(Arc::new(draft));
        Ok(())
    }

    /// Commits the changes, if there are any.
    ///
    /// # Errors
    /// As for [`SessionCatalog::commit`].
    pub async fn commit(self, catalog: &SessionCatalog) -> Result<()> {
        if !self.changes.is_empty() {
            // The snapshot whose addresses are among the changes is held until they have been applied.
            let _addresses = self.addresses;
            catalog.commit(self.changes.into_list()?).await?;
        }
        Ok(())
    }

    /// The changes so far, to come back to.
    pub fn savepoint(&self) -> Savepoint {
        Savepoint(self.changes.clone())
    }

    /// Takes back every change since the savepoint.
    pub fn roll_back_to(&mut self, savepoint: &Savepoint) {
        self.changes = savepoint.0.clone();
        self.draft = None;
    }

    /// The isolation level.
    pub fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// Whether a statement has run in it, after which its isolation level is fixed.
    pub fn has_started(&self) -> bool {
        self.base.is_some()
    }
}

impl Changes {
    fn is_empty(&self) -> bool {
        self.definitions.is_empty() && self.rows.is_empty()
    }

    fn add(&mut self, change: CatalogChange) -> Result<()> {
        match change {
            CatalogChange::ChangeRows { table, mut changes } => {
                if let Some(definition) = changes.made_for.take() {
                    self.expect(definition);
                }
                let draft = self.rows.entry(table).or_default();
                draft.add(changes).map_err(|misfit| misfit.into_error(table))?;
            }
            // What the transaction has done to the rows before is gone with them.
            CatalogChange::Truncate { table, .. } | CatalogChange::DropRelation { oid: table } => {
                self.rows.remove(&table);
                self.definitions.push(change);
            }
            other => self.definitions.push(other),
        }
        Ok(())
    }

    /// Rows were made for a definition: it must hold at this place among the changes of definitions.
    fn expect(&mut self, definition: Arc<HotTable>) {
        let is_same = |change: &CatalogChange| {
            matches!(change,
            CatalogChange::ExpectHotTable(known) if Arc::ptr_eq(known, &definition))
        };
        if !self.definitions.iter().any(is_same) {
            self.definitions.push(CatalogChange::ExpectHotTable(definition));
        }
    }

    fn over(&self, base: &CatalogSnapshot) -> Result<CatalogSnapshot> {
        let mut snapshot = base.after(&self.definitions)?;
        for (table, draft) in &self.rows {
            snapshot.overlay_rows(*table, draft)?;
        }
        Ok(snapshot)
    }

    fn into_list(self) -> Result<Vec<CatalogChange>> {
        let mut list = self.definitions;
        for (table, draft) in self.rows {
            let changes = draft.into_changes().map_err(|error| Error::Rows { table, reason: error.to_string() })?;
            if !changes.is_empty() {
                list.push(CatalogChange::ChangeRows { table, changes });
            }
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit::Catalog;
    use crate::hot_table::{Column, HotTable};
    use crate::name::ObjectName;
    use crate::rows::UnitId;
    use crate::rows::testing::{self, append, delete};
    use crate::schema::{Schema, SchemaKind};
    use crate::types::SqlType;

    const TABLE: Oid = Oid(20_000);

    fn open() -> (tempfile::TempDir, Arc<Catalog>, SessionCatalog) {
        let directory = tempfile::tempdir().unwrap();
        let catalog = Arc::new(Catalog::open(directory.path()).unwrap());
        let session = SessionCatalog::new(catalog.clone(), 1);
        (directory, catalog, session)
    }

    fn create(catalog: &Catalog, name: &str) -> CatalogChange {
        let oid = catalog.allocate_oid();
        CatalogChange::CreateSchema(Schema { oid, name: name.into(), kind: SchemaKind::Local })
    }

    fn sees(transaction: &mut Transaction, catalog: &SessionCatalog, names: [&str; 2]) -> [bool; 2] {
        transaction.begin_statement();
        let snapshot = transaction.snapshot(catalog).unwrap();
        names.map(|name| snapshot.schema(name).is_some())
    }

    #[tokio::test]
    async fn what_others_commit_is_seen_by_isolation_level_and_own_changes_always() {
        let (_directory, catalog, session) = open();
        for (isolation, sees_other) in [(Isolation::ReadCommitted, true), (Isolation::RepeatableRead, false)] {
            let (own, other) = (format!("own_{sees_other}"), format!("other_{sees_other}"));
            let mut transaction = Transaction::new(isolation);
            transaction.add(&session, vec![create(&catalog, &own)]).unwrap();
            assert_eq!(sees(&mut transaction, &session, [&own, &other]), [true, false]);
            catalog.commit(vec![create(&catalog, &other)]).await.unwrap();
            assert_eq!(sees(&mut transaction, &session, [&own, &other]), [true, sees_other]);
            transaction.add(&session, vec![create(&catalog, &format!("more_{sees_other}"))]).unwrap();
            assert_eq!(sees(&mut transaction, &session, [&own, &other]), [true, sees_other]);
            transaction.commit(&session).await.unwrap();
            assert!(catalog.snapshot().schema(&own).is_some());
        }
    }

    #[tokio::test]
    async fn statements_without_a_commit_between_them_see_the_same_snapshot() {
        let (_directory, catalog, session) = open();
        let mut transaction = Transaction::new(Isolation::ReadCommitted);
        transaction.add(&session, vec![create(&catalog, "a")]).unwrap();
        let (first, second) = (transaction.snapshot(&session).unwrap(), transaction.snapshot(&session).unwrap());
        assert!(Arc::ptr_eq(&first, &second));
    }

    #[tokio::test]
    async fn a_statement_sees_the_same_from_its_beginning_to_its_end() {
        let (_directory, catalog, session) = open();
        let mut transaction = Transaction::new(Isolation::ReadCommitted);
        transaction.begin_statement();
        let first = transaction.snapshot(&session).unwrap();
        catalog.commit(vec![create(&catalog, "other")]).await.unwrap();
        assert!(Arc::ptr_eq(&first, &transaction.snapshot(&session).unwrap()));
        transaction.begin_statement();
        assert!(transaction.snapshot(&session).unwrap().schema("other").is_some());
    }

    /// A table with ten rows in an inline unit, and the unit.
    async fn filled(catalog: &Catalog) -> UnitId {
        let column = Column::new(1, "id", SqlType::Integer);
        let name = ObjectName::new("public", "t");
        let table = HotTable::new(TABLE, name, vec![column]);
        let filled = catalog.commit(vec![CatalogChange::CreateHotTable(table), append(TABLE, 0..10)]).await.unwrap();
        filled.rows(TABLE).inline_units().next().unwrap().unit
    }

    async fn compact(catalog: &Catalog, unit: UnitId) {
        let rows = catalog.snapshot().rows(TABLE).inline_unit(unit).unwrap().rows();
        catalog.commit(testing::compaction(TABLE, unit, rows)).await.unwrap();
    }

    #[tokio::test]
    async fn a_statement_that_compaction_overtakes_deletes_the_rows_that_it_has_read() {
        let (_directory, catalog, session) = open();
        let unit = filled(&catalog).await;
        let mut transaction = Transaction::new(Isolation::ReadCommitted);
        transaction.begin_statement();
        drop(transaction.snapshot(&session).unwrap());
        compact(&catalog, unit).await;
        // A statement asks more than once for what it sees.
        drop(transaction.snapshot(&session).unwrap());
        transaction.add(&session, vec![delete(TABLE, unit, &[3])]).unwrap();
        // What nobody needs is forgotten with the next commits.
        for name in ["a", "b"] {
            catalog.commit(vec![create(&catalog, name)]).await.unwrap();
        }
        assert_eq!(transaction.snapshot(&session).unwrap().rows(TABLE).rows(), 9);
        transaction.commit(&session).await.unwrap();
        assert_eq!(catalog.snapshot().rows(TABLE).rows(), 9);
    }

    #[tokio::test]
    async fn a_statement_deletes_rows_that_are_newer_than_what_it_sees() {
        let (_directory, catalog, session) = open();
        let unit = filled(&catalog).await;
        let mut transaction = Transaction::new(Isolation::ReadCommitted);
        transaction.begin_statement();
        drop(transaction.snapshot(&session).unwrap());
        let full = catalog.commit(vec![append(TABLE, 10..20)]).await.unwrap();
        assert_eq!(full.rows(TABLE).inline_units().next().unwrap().unit, unit);
        transaction.add(&session, vec![delete(TABLE, unit, &[13])]).unwrap();
        compact(&catalog, unit).await;
        catalog.commit(vec![create(&catalog, "a")]).await.unwrap();
        transaction.commit(&session).await.unwrap();
        assert_eq!(catalog.snapshot().rows(TABLE).rows(), 19);
    }

    #[tokio::test]
    async fn truncate_takes_no_rows_that_others_have_put_in_the_place_of_those_it_saw() {
        let (_directory, catalog, session) = open();
        filled(&catalog).await;
        let mut transaction = Transaction::new(Isolation::ReadCommitted);
        let seen = Some(transaction.snapshot(&session).unwrap().rows(TABLE).added());
        transaction.add(&session, vec![CatalogChange::Truncate { table: TABLE, seen }]).unwrap();
        let empty = CatalogChange::Truncate { table: TABLE, seen: None };
        catalog.commit(vec![empty, append(TABLE, 10..20)]).await.unwrap();
        assert!(matches!(transaction.commit(&session).await, Err(Error::RowChangedConcurrently { .. })));
        assert_eq!(catalog.snapshot().rows(TABLE).rows(), 10);
    }
}
