//! DROP of objects of kinds that there are none of here, and SET CONSTRAINTS, which has none to defer.

use pg::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast;

use crate::error::{Error, Result};
use crate::parse::statement::{AbsentObject, DropAbsent, SetConstraints};
use crate::plan::relations::{NameScope, identifier, parts};
use crate::session::{Session, TransactionStatus};
use crate::statement::Outcome;
use crate::statement::drop::missing;

/// # Errors
/// None of them is there, and IF EXISTS was not written; 2BP01 for a function of the system's.
pub fn execute(session: &mut Session, drop: &DropAbsent) -> Result<Outcome> {
    for object in &drop.objects {
        match object {
            AbsentObject::Plain(name) => {
                let what = format!("{} \"{}\"", drop.kind, parts(name)?.join("."));
                let error = PgError::new(SqlState::UNDEFINED_OBJECT, format!("{what} does not exist"));
                missing(session, drop.if_exists, what, error.into())?;
            }
            AbsentObject::Function { name, arguments } => drop_function(session, drop, name, arguments)?,
            AbsentObject::OfTable { name, table } => {
                drop_of_table(session, drop, &identifier(name), table)?;
            }
        }
    }
    Ok(Outcome::command(drop.tag))
}

fn drop_function(session: &mut Session, drop: &DropAbsent, name: &ast::ObjectName, arguments: &[String]) -> Result<()> {
    let parts = parts(name)?;
    let what = format!("{} {}({})", drop.kind, parts.join("."), arguments.join(", "));
    let is_systems =
        matches!(parts.as_slice(), [_]) || parts.first().is_some_and(|schema| schema == pg::names::PG_CATALOG);
    if is_systems && parts.last().is_some_and(|name| !pg::recorded::functions_named(name).is_empty()) {
        let message = format!("cannot drop {what} because it is required by the database system");
        return Err(PgError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message).into());
    }
    let error = PgError::new(SqlState::UNDEFINED_FUNCTION, format!("{what} does not exist"));
    missing(session, drop.if_exists, what, error.into())
}

fn drop_of_table(session: &mut Session, drop: &DropAbsent, name: &str, table: &ast::ObjectName) -> Result<()> {
    let snapshot = session.snapshot()?;
    let (kind, shown) = (drop.kind, parts(table)?.join("."));
    if let Err(error) = NameScope::of(session).must_relation(&snapshot, table) {
        return match error {
            Error::UndefinedTable { .. } => missing(session, drop.if_exists, format!("relation \"{shown}\""), error),
            other => Err(other),
        };
    }
    let relation = if kind == "rule" { "relation" } else { "table" };
    let message = format!("{kind} \"{name}\" for {relation} \"{shown}\" does not exist");
    let error = PgError::new(SqlState::UNDEFINED_OBJECT, message).into();
    missing(session, drop.if_exists, format!("{kind} \"{name}\" for relation \"{shown}\""), error)
}

/// `SET CONSTRAINTS`: each constraint is checked by the statement that could violate it.
///
/// # Errors
/// 42704 for a constraint that is not there, 42809 for deferring one that is.
pub fn set_constraints(session: &mut Session, set: &SetConstraints) -> Result<Outcome> {
    let snapshot = session.snapshot()?;
    for name in &set.names {
        let parts = parts(name)?;
        let Some(name) = parts.last() else { continue };
        let scope = NameScope::of(session);
        let is_searched = |schema: &str| match parts.as_slice() {
            [_] => scope.schemas().any(|searched| searched == schema),
            [.., written, _] => written == schema,
            [] => false,
        };
        let mut tables = snapshot.hot_tables().filter(|table| is_searched(&table.name.schema));
        if !tables.any(|table| table.constraints.iter().any(|constraint| constraint.name == *name)) {
            let message = format!("constraint \"{name}\" does not exist");
            return Err(PgError::new(SqlState::UNDEFINED_OBJECT, message).into());
        }
        if set.deferred {
            let message = format!("constraint \"{name}\" is not deferrable");
            return Err(PgError::new(SqlState::WRONG_OBJECT_TYPE, message).into());
        }
    }
    if session.transaction_status() == TransactionStatus::Idle {
        session.warn(SqlState::NO_ACTIVE_SQL_TRANSACTION, "SET CONSTRAINTS can only be used in transaction blocks");
    }
    Ok(Outcome::command("SET CONSTRAINTS"))
}
