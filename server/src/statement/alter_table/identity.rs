//! Columns that become identity columns, and stop being ones.

use std::sync::Arc;

use catalog::{CatalogChange, Column, ColumnDefault, Oid, Relation, Sequence};
use pg::sqlstate::SqlState;
use sqlparser::ast;

use super::changes::Altering;
use super::refused;
use crate::error::{Error, Result};
use crate::parse::definition::SequenceOption;
use crate::plan::PlanContext;
use crate::plan::relations::identifier;
use crate::session::Session;
use crate::statement::sequence_options::apply;
use crate::statement::table_definition::Definition;

/// `ADD GENERATED … AS IDENTITY`
pub(super) fn add(
    session: &mut Session,
    altering: &mut Altering,
    column: &ast::Ident,
    always: bool,
    options: &[SequenceOption],
) -> Result<()> {
    let column = altering.column(&identifier(column))?.clone();
    let what = match &column.default {
        Some(ColumnDefault::Identity { .. }) => Some("is already an identity column"),
        Some(ColumnDefault::Expression(_) | ColumnDefault::Generated(_)) => Some("already has a default value"),
        None if !column.not_null => Some("must be declared NOT NULL before identity can be added"),
        None => None,
    };
    if let Some(what) = what {
        return Err(not_so(altering, &column, what));
    }
    let context = PlanContext::new(session, altering.snapshot.clone());
    let _entered = context.names().enter();
    let mut definition = Definition::new(&context, &session.server, "", altering.new.clone());
    let sequence = definition.column_sequence(&column, options, true)?;
    for made in definition.sequences {
        altering.before.push(CatalogChange::CreateSequence(made.clone()));
        altering.sequences.push(Arc::new(made));
    }
    altering.column_mut(&column.name)?.default = Some(ColumnDefault::Identity { always, sequence });
    Ok(())
}

/// `SET GENERATED …`, `SET option`, `RESTART`
pub(super) fn set(
    session: &Session,
    altering: &mut Altering,
    column: &ast::Ident,
    always: Option<bool>,
    options: &[SequenceOption],
) -> Result<()> {
    let column = altering.column(&identifier(column))?.clone();
    let Some(ColumnDefault::Identity { always: before, sequence }) = column.default else {
        return Err(not_so(altering, &column, "is not an identity column"));
    };
    let always = always.unwrap_or(before);
    altering.column_mut(&column.name)?.default = Some(ColumnDefault::Identity { always, sequence });
    if options.is_empty() {
        return Ok(());
    }
    let old = must_sequence(altering, sequence)?;
    let mut new = old.as_ref().clone();
    let restarted = apply(&mut new, Some(session.sequences.state(&old)?), options)?;
    let new = Arc::new(new);
    if new != old {
        altering.after.push(CatalogChange::ReplaceSequence { old, new: new.clone() });
    }
    if let Some(state) = restarted {
        altering.after.push(CatalogChange::SetSequence { sequence, state, expected: None });
        altering.restarted.push((new, state));
    }
    Ok(())
}

fn must_sequence(altering: &Altering, oid: Oid) -> Result<Arc<Sequence>> {
    match altering.snapshot.relation_by_oid(oid) {
        Some(Relation::Sequence(sequence)) => Ok(sequence.clone()),
        _ => Err(catalog::Error::ChangedConcurrently { oid }.into()),
    }
}

/// `DROP IDENTITY`
pub(super) fn drop(session: &mut Session, altering: &mut Altering, column: &ast::Ident, if_exists: bool) -> Result<()> {
    let column = altering.column(&identifier(column))?.clone();
    let Some(ColumnDefault::Identity { sequence, .. }) = column.default else {
        if !if_exists {
            return Err(not_so(altering, &column, "is not an identity column"));
        }
        let relation = &altering.new.name.name;
        session.notice(format!(
            "column \"{}\" of relation \"{relation}\" is not an identity column, skipping",
            column.name
        ));
        return Ok(());
    };
    altering.column_mut(&column.name)?.default = None;
    altering.after.push(CatalogChange::DropRelation { oid: sequence });
    Ok(())
}

/// 55000
fn not_so(altering: &Altering, column: &Column, what: &str) -> Error {
    let message = format!("column \"{}\" of relation \"{}\" {what}", column.name, altering.new.name.name);
    refused(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
}
