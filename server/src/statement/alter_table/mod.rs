//! ALTER TABLE and ALTER VIEW.
//!
//! The actions of a statement become one new definition, in PostgreSQL's order of passes: what is dropped goes first, then
//! types change, columns are added, and constraints come last. What the rows have to be for it is found out at the end, in one
//! pass over them: they are written anew, or looked at, or neither. All of it is one commit, which is refused when somebody
//! else has changed the table or its rows in between.

mod added;
mod changes;
mod columns;
mod constraints;
mod dependents;
mod identity;
pub(super) mod indexes;
mod names;
mod rewrite;
mod verify;

use std::sync::Arc;

use catalog::{HotTable, Relation};
use pg::PgError;
use pg::sqlstate::SqlState;

use self::changes::Altering;
pub(super) use self::names::check_owner;
use crate::error::{Error, Result};
use crate::parse::statement::{AlterTable, AlterTableAction, AlteredKind};
use crate::plan::relations::{NameScope, identifier, parts};
use crate::session::{Action, Object, Session, TransactionStatus, authorize};
use crate::statement::Outcome;

/// # Errors
/// Something is not there or cannot be changed so, or rows do not fit; then everything is as it was.
pub async fn execute(session: &mut Session, alter: &AlterTable, text: &str) -> Result<Outcome> {
    let snapshot = session.snapshot()?;
    let parts = parts(&alter.name)?;
    let Some(relation) = NameScope::of(session).relation(&snapshot, &parts)?.cloned() else {
        let shown = parts.join(".");
        let error = NameScope::of(session).absent(&parts);
        if !alter.if_exists || !matches!(error, Error::UndefinedTable { .. }) {
            return Err(error);
        }
        session.notice(format!("relation \"{shown}\" does not exist, skipping"));
        return Ok(Outcome::command(alter.kind.tag()));
    };
    authorize(&session.identity, Action::Alter, Object::Relation(&relation))?;
    match (alter.kind, &relation) {
        (AlteredKind::View, Relation::Hot(_) | Relation::External(_) | Relation::Sequence(_)) => {
            return Err(Error::WrongObjectType { name: relation.name().name.clone(), expected: "a view" });
        }
        (_, Relation::Hot(table)) => {
            let altered = alter_hot_table(session, alter, table, text).await;
            // Outside of a transaction block, sequences that were made are everybody's now, or nobody's.
            if session.transaction_status() == TransactionStatus::Idle {
                session.sequences.forget_own();
            }
            altered?;
        }
        (_, Relation::View(view)) => names::alter_view(session, alter, view).await?,
        (_, Relation::External(_)) => {
            return Err(Error::not_supported("ALTER TABLE of this kind for an external table"));
        }
        (_, Relation::Sequence(_)) => return Err(Error::not_supported("ALTER TABLE of a sequence")),
    }
    Ok(Outcome::command(alter.kind.tag()))
}

async fn alter_hot_table(session: &mut Session, alter: &AlterTable, table: &Arc<HotTable>, text: &str) -> Result<()> {
    let mut altering = Altering::new(session, table)?;
    let mut actions: Vec<_> = alter.actions.iter().collect();
    actions.sort_by_key(|action| pass(action));
    let additions: Vec<_> = actions.iter().copied().filter(|action| pass(action) == ADDITIONS).collect();
    let mut has_added = false;
    for action in actions {
        match action {
            AlterTableAction::AddColumn { .. } | AlterTableAction::AddConstraint { .. } => {
                if !std::mem::replace(&mut has_added, true) {
                    added::add(session, &mut altering, &additions, text).await?;
                }
            }
            AlterTableAction::DropColumn { name, if_exists, cascade } => {
                columns::drop(session, &mut altering, &identifier(name), *if_exists, *cascade)?;
            }
            AlterTableAction::SetType { column, data_type, using } => {
                columns::set_type(session, &mut altering, column, data_type, using.as_ref())?;
            }
            AlterTableAction::SetDefault { column, default } => {
                columns::set_default(session, &mut altering, column, default.as_ref(), text)?;
            }
            AlterTableAction::SetNotNull { column, not_null } => {
                columns::set_not_null(&mut altering, column, *not_null)?;
            }
            AlterTableAction::AddIdentity { column, always, options } => {
                identity::add(session, &mut altering, column, *always, options)?;
            }
            AlterTableAction::SetIdentity { column, always, options } => {
                identity::set(session, &mut altering, column, *always, options)?;
            }
            AlterTableAction::DropIdentity { column, if_exists } => {
                identity::drop(session, &mut altering, column, *if_exists)?;
            }
            AlterTableAction::DropConstraint { name, if_exists, cascade } => {
                constraints::drop(session, &mut altering, &identifier(name), *if_exists, *cascade)?;
            }
            AlterTableAction::ValidateConstraint(name) => constraints::validate(&mut altering, &identifier(name))?,
            AlterTableAction::RenameConstraint { from, to } => constraints::rename(&mut altering, from, to)?,
            AlterTableAction::RenameColumn { from, to } => names::rename_column(&mut altering, from, to)?,
            AlterTableAction::Rename(to) => names::rename(&mut altering, &identifier(to))?,
            AlterTableAction::SetSchema(schema) => names::set_schema(session, &mut altering, &identifier(schema))?,
            AlterTableAction::OwnerTo(role) => names::check_owner(session, role)?,
        }
    }
    altering.commit(session, text).await
}

/// The place of what is added among the others.
const ADDITIONS: u8 = 2;

/// The order in which actions are done, whatever order they are written in.
fn pass(action: &AlterTableAction) -> u8 {
    use AlterTableAction as Action;
    match action {
        Action::DropColumn { .. }
        | Action::DropConstraint { .. }
        | Action::DropIdentity { .. }
        | Action::SetNotNull { not_null: false, .. }
        | Action::SetDefault { default: None, .. } => 0,
        Action::SetType { .. } => 1,
        Action::AddColumn { .. } | Action::AddConstraint { .. } => ADDITIONS,
        Action::SetNotNull { not_null: true, .. } | Action::SetIdentity { .. } => 3,
        Action::AddIdentity { .. } => 4,
        Action::SetDefault { default: Some(_), .. } => 5,
        Action::ValidateConstraint(_)
        | Action::RenameConstraint { .. }
        | Action::RenameColumn { .. }
        | Action::Rename(_)
        | Action::SetSchema(_)
        | Action::OwnerTo(_) => 6,
    }
}

/// `column … of relation … does not exist`
fn no_column(table: &HotTable, column: &str) -> Error {
    Error::UndefinedColumn { column: column.to_owned(), relation: table.name.name.clone() }
}

fn refused(sqlstate: SqlState, message: String) -> Error {
    PgError::new(sqlstate, message).into()
}
