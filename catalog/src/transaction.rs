//! A transaction: what a session has changed and not committed.

use std::sync::Arc;

use crate::change::CatalogChange;
use crate::commit::Catalog;
use crate::error::Result;
use crate::snapshot::CatalogSnapshot;

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
    /// Set by the first statement under [`Isolation::RepeatableRead`].
    base: Option<Arc<CatalogSnapshot>>,
    changes: Vec<CatalogChange>,
}

impl Transaction {
    /// A transaction that has changed nothing.
    pub fn new(isolation: Isolation) -> Self {
        Transaction { isolation, base: None, changes: Vec::new() }
    }

    /// What the next statement sees: the commits it may see, and on top of them the transaction's own changes.
    ///
    /// # Errors
    /// A concurrent commit has taken away what the transaction's changes build on.
    pub fn snapshot(&mut self, catalog: &Catalog) -> Result<Arc<CatalogSnapshot>> {
        let base = match (self.isolation, &self.base) {
            (Isolation::RepeatableRead, Some(base)) => base.clone(),
            _ => catalog.snapshot(),
        };
        self.base = Some(base.clone());
        if self.changes.is_empty() { Ok(base) } else { Ok(Arc::new(base.after(&self.changes)?)) }
    }

    /// Adds changes, to be committed with the others.
    ///
    /// # Errors
    /// A change that does not fit what the transaction sees; none is added.
    pub fn add(&mut self, catalog: &Catalog, changes: Vec<CatalogChange>) -> Result<()> {
        self.snapshot(catalog)?.after(&changes)?;
        self.changes.extend(changes);
        Ok(())
    }

    /// The changes, for [`Catalog::commit`].
    pub fn into_changes(self) -> Vec<CatalogChange> {
        self.changes
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
