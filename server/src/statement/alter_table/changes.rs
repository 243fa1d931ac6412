//! A table on its way from one definition to the next.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalog::{CatalogChange, CatalogSnapshot, Column, HotTable, RowChanges, Sequence, SequenceState};

use super::verify::{Demand, check_demands};
use super::{no_column, rewrite};
use crate::analyze::rewrite::ColumnSource;
use crate::error::Result;
use crate::session::Session;
use crate::statement::assignment::expected_domains;

/// A table on its way from one definition to the next.
pub(super) struct Altering {
    /// What the statement sees.
    pub(super) snapshot: Arc<CatalogSnapshot>,
    /// The table as it is.
    pub(super) old: Arc<HotTable>,
    /// As it becomes.
    pub(super) new: HotTable,
    /// Where the values of columns come from that are not what they were, by attribute number.
    pub(super) sources: BTreeMap<i16, ColumnSource>,
    /// Whether the rows have to be written anew.
    pub(super) rewrites: bool,
    /// What the rows have to fulfil that they did not have to before.
    pub(super) demands: Vec<Demand>,
    /// What has to change before the table does.
    pub(super) before: Vec<CatalogChange>,
    /// What has to change after it.
    pub(super) after: Vec<CatalogChange>,
    /// The sequences of columns that are added.
    pub(super) sequences: Vec<Arc<Sequence>>,
    /// Sequences that begin anew, and where.
    pub(super) restarted: Vec<(Arc<Sequence>, SequenceState)>,
    /// What is dropped together with what the statement names, as messages name it.
    pub(super) cascaded: Vec<String>,
}

impl Altering {
    pub(super) fn new(session: &mut Session, table: &Arc<HotTable>) -> Result<Self> {
        Ok(Altering {
            snapshot: session.snapshot()?,
            old: table.clone(),
            new: table.as_ref().clone(),
            sources: BTreeMap::new(),
            rewrites: false,
            demands: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
            sequences: Vec::new(),
            restarted: Vec::new(),
            cascaded: Vec::new(),
        })
    }

    /// The column of this name.
    pub(super) fn column(&self, name: &str) -> Result<&Column> {
        self.new.columns.iter().find(|column| column.name == name).ok_or_else(|| no_column(&self.new, name))
    }

    /// The column of this name, to be changed.
    pub(super) fn column_mut(&mut self, name: &str) -> Result<&mut Column> {
        let error = no_column(&self.new, name);
        self.new.columns.iter_mut().find(|column| column.name == name).ok_or(error)
    }

    /// Adds something that rows have to fulfil.
    pub(super) fn demand(&mut self, demand: Demand) {
        if !self.demands.contains(&demand) {
            self.demands.push(demand);
        }
    }

    /// Makes the rows what the new definition asks for, and commits it all.
    pub(super) async fn commit(mut self, session: &mut Session, text: &str) -> Result<()> {
        session.notice_cascade(&std::mem::take(&mut self.cascaded));
        let is_same = self.new == *self.old && self.before.is_empty() && self.after.is_empty();
        if is_same && self.demands.is_empty() && !self.rewrites {
            return Ok(());
        }
        if self.rewrites {
            // Every row gets a value for every column.
            self.new.columns.iter_mut().for_each(|column| column.missing = None);
        }
        let new = Arc::new(self.new.clone());
        let rows = match self.rewrites {
            true => Some(rewrite::rows(session, &self, &new, text).await?),
            false => None,
        };
        if self.rewrites {
            for sequence in &self.sequences {
                let state = session.sequences.state(sequence)?;
                self.after.push(CatalogChange::SetSequence { sequence: sequence.oid, state, expected: None });
            }
        }
        if !self.demands.is_empty() {
            let relaxed = Arc::new(self.relaxed());
            let unchecked = rows.clone().map(|rows| RowChanges { made_for: None, ..rows });
            let becoming = self.snapshot.after(&self.changes(&relaxed, unchecked))?;
            check_demands(session, Arc::new(becoming), &relaxed, &self.demands).await?;
        }
        let mut changes = Vec::new();
        if self.rewrites || !self.demands.is_empty() {
            let (table, counts) = (self.old.oid, self.snapshot.rows(self.old.oid).counts());
            changes.push(CatalogChange::ExpectRows { table, counts });
            changes.extend(expected_domains(&self.snapshot, &self.new));
        }
        changes.extend(self.changes(&new, rows));
        session.commit(changes).await?;
        self.restarted.iter().for_each(|(sequence, state)| session.restarted(sequence, *state));
        Ok(())
    }

    pub(super) fn changes(&self, new: &Arc<HotTable>, rows: Option<RowChanges>) -> Vec<CatalogChange> {
        let table = self.old.oid;
        let mut changes = self.before.clone();
        changes.push(CatalogChange::ReplaceHotTable { old: self.old.clone(), new: new.clone() });
        if let Some(rows) = rows {
            changes.push(CatalogChange::Truncate { table, seen: None });
            changes.push(CatalogChange::ChangeRows { table, changes: rows });
        }
        changes.extend(self.after.iter().cloned());
        changes
    }

    /// The new definition without what the rows may not fulfil yet: a query over it does not take that for granted.
    fn relaxed(&self) -> HotTable {
        let mut relaxed = self.new.clone();
        relaxed.columns.iter_mut().for_each(|column| column.not_null = false);
        relaxed
    }
}
