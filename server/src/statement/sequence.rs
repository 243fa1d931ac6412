//! CREATE SEQUENCE, ALTER SEQUENCE.

use std::sync::Arc;

use catalog::{CatalogChange, CatalogSnapshot, HotTable, ObjectName, Oid, Relation, SchemaKind, Sequence, SqlType};
use pg::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast;

use crate::error::{Error, Result};
use crate::parse::definition::{AlterSequence, AlterSequenceAction, CreateSequence, SequenceOption};
use crate::plan::relations::{NameScope, identifier, parts};
use crate::session::{Action, Object, Session, authorize};
use crate::statement::Outcome;
use crate::statement::alter_table::check_owner;
use crate::statement::create_table::{check_type_name, exists_already, is_taken};
use crate::statement::sequence_options::{apply, new_sequence};

/// CREATE SEQUENCE.
///
/// # Errors
/// The relation is there already, or the options do not fit each other.
pub async fn create(session: &mut Session, create: &CreateSequence) -> Result<Outcome> {
    const TAG: &str = "CREATE SEQUENCE";
    let snapshot = session.snapshot()?;
    let (name, schema) = NameScope::of(session).new_relation(&snapshot, &create.name, create.temporary)?;
    authorize(&session.identity, Action::Create, Object::Schema(&name.schema))?;
    if schema != SchemaKind::Local {
        let message = format!("sequences cannot be made in external schema \"{}\"", name.schema);
        return Err(Error::InvalidDefinition { message });
    }
    if is_taken(&snapshot, &name) {
        return exists_already(session, name, create.if_not_exists, TAG);
    }
    check_type_name(&snapshot, &name)?;
    let oid = session.server.catalog.allocate_oid();
    let mut sequence = new_sequence(oid, name, SqlType::BigInt, &create.options)?;
    let restarted = apply(&mut sequence.clone(), Some(sequence.initial_state()), &create.options)?;
    if let Some(owner) = owner(session, &snapshot, &create.options, &sequence)? {
        sequence.owner = owner;
    }
    let mut changes = vec![CatalogChange::CreateSequence(sequence.clone())];
    changes.extend(restarted.map(|state| CatalogChange::SetSequence { sequence: oid, state, expected: None }));
    session.commit(changes).await?;
    if let Some(state) = restarted {
        session.restarted(&Arc::new(sequence), state);
    }
    Ok(Outcome::command(TAG))
}

/// ALTER SEQUENCE.
///
/// # Errors
/// It is not there, the name is taken, or the options do not fit.
pub async fn alter(session: &mut Session, alter: &AlterSequence) -> Result<Outcome> {
    const TAG: &str = "ALTER SEQUENCE";
    let snapshot = session.snapshot()?;
    let parts = parts(&alter.name)?;
    let old = match NameScope::of(session).relation(&snapshot, &parts)? {
        Some(Relation::Sequence(sequence)) => sequence.clone(),
        Some(other) => {
            return Err(Error::WrongObjectType { name: other.name().name.clone(), expected: "a sequence" });
        }
        None if alter.if_exists => {
            session.notice(format!("relation \"{}\" does not exist, skipping", parts.join(".")));
            return Ok(Outcome::command(TAG));
        }
        None => return Err(Error::UndefinedTable { name: parts.join("."), position: None }),
    };
    authorize(&session.identity, Action::Create, Object::Schema(&old.name.schema))?;
    let mut new = old.as_ref().clone();
    let mut restarted = None;
    match &alter.action {
        AlterSequenceAction::Rename(name) => {
            new.name = ObjectName::new(old.name.schema.as_str(), identifier(name));
            check_free(&snapshot, &new.name)?;
        }
        AlterSequenceAction::SetSchema(schema) => {
            NameScope::of(session).check_move(&old.name, &identifier(schema))?;
            new.name = moved(&snapshot, &old, schema)?;
        }
        AlterSequenceAction::OwnerTo(role) => check_owner(session, role)?,
        AlterSequenceAction::Options(options) => {
            let state = session.sequences.state(&old)?;
            restarted = apply(&mut new, Some(state), options)?;
            if let Some(owner) = owner(session, &snapshot, options, &new)? {
                new.owner = owner;
            }
        }
    }
    let (oid, new) = (old.oid, Arc::new(new));
    let mut changes = Vec::new();
    if new != old {
        changes.push(CatalogChange::ReplaceSequence { old, new: new.clone() });
    }
    changes.extend(restarted.map(|state| CatalogChange::SetSequence { sequence: oid, state, expected: None }));
    if !changes.is_empty() {
        session.commit(changes).await?;
    }
    if let Some(state) = restarted {
        session.restarted(&new, state);
    }
    Ok(Outcome::command(TAG))
}

fn check_free(snapshot: &CatalogSnapshot, name: &ObjectName) -> Result<()> {
    if is_taken(snapshot, name) {
        return Err(catalog::Error::RelationExists(name.clone()).into());
    }
    check_type_name(snapshot, name)
}

fn moved(snapshot: &CatalogSnapshot, old: &Sequence, schema: &ast::Ident) -> Result<ObjectName> {
    if let Some(table) = old.owner.and_then(|(table, _)| snapshot.relation_by_oid(table)) {
        let message = "cannot move an owned sequence into another schema";
        return Err(linked(message, old, table).into());
    }
    let schema = identifier(schema);
    match snapshot.schema(&schema) {
        None => return Err(Error::UndefinedSchema { name: schema }),
        Some(found) if found.kind != SchemaKind::Local => {
            let message = format!("sequences cannot be in external schema \"{schema}\"");
            return Err(Error::InvalidDefinition { message });
        }
        Some(_) => {}
    }
    let name = ObjectName::new(schema, old.name.name.as_str());
    if name != old.name {
        check_free(snapshot, &name)?;
    }
    Ok(name)
}

fn linked(message: &str, sequence: &Sequence, table: &Relation) -> PgError {
    let detail = format!("Sequence \"{}\" is linked to table \"{}\".", sequence.name.name, table.name().name);
    PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message).with_detail(detail)
}

/// What OWNED BY says, if it was written: the table and the column, or nothing for NONE.
fn owner(
    session: &Session,
    snapshot: &CatalogSnapshot,
    options: &[SequenceOption],
    sequence: &Sequence,
) -> Result<Option<Option<(Oid, i16)>>> {
    let Some(written) = options.iter().find_map(|option| match option {
        SequenceOption::OwnedBy(written) => Some(written),
        _ => None,
    }) else {
        return Ok(None);
    };
    if let (true, Some((table, _))) = (sequence.identity, sequence.owner)
        && let Some(table) = snapshot.relation_by_oid(table)
    {
        return Err(linked("cannot change ownership of identity sequence", sequence, table).into());
    }
    let Some(written) = written else { return Ok(Some(None)) };
    let parts = parts(written)?;
    let Some((column, table)) = parts.split_last().filter(|(_, table)| !table.is_empty()) else {
        let error = PgError::new(SqlState::SYNTAX_ERROR, "invalid OWNED BY option");
        return Err(error.with_hint("Specify OWNED BY table.column or OWNED BY NONE.").into());
    };
    let found = NameScope::of(session).relation(snapshot, table)?;
    let found = found.ok_or_else(|| Error::UndefinedTable { name: table.join("."), position: None })?;
    let Relation::Hot(table) = found else {
        let message = format!("sequence cannot be owned by relation \"{}\"", found.name().name);
        return Err(PgError::new(SqlState::WRONG_OBJECT_TYPE, message).into());
    };
    check_same_schema(table, sequence)?;
    let column = table
        .columns
        .iter()
        .find(|known| known.name == *column)
        .ok_or_else(|| Error::UndefinedColumn { column: column.clone(), relation: table.name.name.clone() })?;
    Ok(Some(Some((table.oid, column.attribute_number))))
}

fn check_same_schema(table: &HotTable, sequence: &Sequence) -> Result<()> {
    if table.name.schema == sequence.name.schema {
        return Ok(());
    }
    let message = "sequence must be in same schema as table it is linked to";
    Err(PgError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message).into())
}
