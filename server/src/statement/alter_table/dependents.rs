//! What depends on a column, and goes with it or keeps it.

use std::collections::BTreeSet;
use std::sync::Arc;

use catalog::{CatalogChange, HotTable, Oid, Relation, View};

use super::changes::Altering;
use super::constraints::change_other;
use crate::error::{Error, Result};
use crate::plan::relations::NameScope;

/// Drops the views that read a column.
///
/// # Errors
/// 2BP01 when there are some, and CASCADE was not written.
pub(super) fn drop_views_of(scope: &NameScope, altering: &mut Altering, number: i16, cascade: bool) -> Result<()> {
    let snapshot = altering.snapshot.clone();
    let table = Relation::Hot(altering.old.clone());
    let shown_table = scope.describe(&snapshot, &table);
    let column = altering.old.column(number).map(|column| column.name.clone()).unwrap_or_default();
    let shown = |view: &Arc<View>| scope.describe(&snapshot, &Relation::View(view.clone()));
    // Older ones first, each followed by what depends on it.
    let above = |oid: Oid| {
        let mut views = snapshot.dependents(oid);
        views.sort_by_key(|view| std::cmp::Reverse(view.oid));
        views
    };
    let (mut lines, mut ordered, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    let reading = above(table.oid()).into_iter().filter(|view| view.reads_column(table.oid(), number));
    let mut open: Vec<_> = reading.map(|view| (view, format!("column {column} of {shown_table}"))).collect();
    while let Some((view, on)) = open.pop() {
        lines.push(format!("{} depends on {on}", shown(&view)));
        if seen.insert(view.oid) {
            open.extend(above(view.oid).into_iter().map(|next| (next, shown(&view))));
            ordered.push(view);
        }
    }
    if ordered.is_empty() {
        return Ok(());
    }
    if !cascade {
        return Err(Error::still_needed(&format!("column {column} of {shown_table}"), &lines));
    }
    altering.cascaded.extend(ordered.iter().map(shown));
    // A view goes before what it reads.
    let mut left: Vec<_> = ordered.iter().map(|view| view.oid).collect();
    while !left.is_empty() {
        let is_free = |oid: &Oid| !snapshot.dependents(*oid).iter().any(|view| left.contains(&view.oid));
        let (now, later): (Vec<_>, Vec<_>) = left.iter().copied().partition(is_free);
        if now.is_empty() {
            break;
        }
        for oid in now {
            let is_dropped =
                |change: &CatalogChange| matches!(change, CatalogChange::DropRelation { oid: gone } if *gone == oid);
            if !altering.before.iter().any(is_dropped) {
                altering.before.push(CatalogChange::DropRelation { oid });
            }
        }
        left = later;
    }
    Ok(())
}

/// The view that reads a column, if there is one, by name.
pub(super) fn view_of(scope: &NameScope, altering: &Altering, number: i16) -> Option<String> {
    let oid = altering.old.oid;
    let reading = altering.snapshot.dependents(oid).into_iter().filter(|view| view.reads_column(oid, number));
    let view = reading.min_by_key(|view| view.oid)?;
    Some(scope.describe(&altering.snapshot, &Relation::View(view)))
}

/// The sequences that belong to a column go with it, and with CASCADE the defaults of other columns that use them.
///
/// # Errors
/// 2BP01 when another column has its default from one of them, and CASCADE was not written.
pub(super) fn drop_sequences_of(scope: &NameScope, altering: &mut Altering, number: i16, cascade: bool) -> Result<()> {
    let (snapshot, oid) = (altering.snapshot.clone(), altering.old.oid);
    let owned = snapshot.owned_sequences(oid).into_iter().filter(|sequence| sequence.owner == Some((oid, number)));
    let column = altering.old.column(number).map(|column| column.name.clone()).unwrap_or_default();
    for sequence in owned {
        let shown = scope.describe(&snapshot, &Relation::Sequence(sequence.clone()));
        let users = snapshot.defaults_that_refer_to(sequence.oid).into_iter();
        let users = users.filter(|(table, user)| table.oid != oid || *user != column);
        let mut lines = Vec::new();
        for (table, user) in users {
            let described = scope.describe(&snapshot, &Relation::Hot(table.clone()));
            let default = format!("default value for column {user} of {described}");
            if !cascade {
                lines.push(format!("{default} depends on {shown}"));
                continue;
            }
            altering.cascaded.push(default);
            let without_default = |new: &mut HotTable| {
                new.columns.iter_mut().filter(|it| it.name == user).for_each(|it| it.default = None);
            };
            match table.oid == oid {
                true => without_default(&mut altering.new),
                false => change_other(&mut altering.before, &table, without_default),
            }
        }
        if !lines.is_empty() {
            let table = scope.describe(&snapshot, &Relation::Hot(altering.old.clone()));
            return Err(Error::still_needed(&format!("column {column} of {table}"), &lines));
        }
        altering.after.push(CatalogChange::DropRelation { oid: sequence.oid });
    }
    Ok(())
}
