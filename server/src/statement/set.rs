//! SET and RESET.

use crate::error::Result;
use crate::parse::statement::{Set, TransactionModes};
use crate::session::settings::{Setting, isolation_named};
use crate::session::{Action, Object, Session, SessionSettings, TransactionStatus, authorize};
use crate::statement::Outcome;
use pg::sqlstate::SqlState;

/// # Errors
/// No such setting, or a value it cannot have.
pub fn execute(session: &mut Session, set: &Set) -> Result<Outcome> {
    let setting = SessionSettings::find(&set.name)?;
    authorize(&session.identity, Action::Set, Object::Setting(setting.name))?;
    if let Some(modes) = transaction_modes(session, setting, set.value.as_deref())? {
        session.set_transaction(modes)?;
        return Ok(Outcome::command("SET"));
    }
    if set.local && session.transaction_status() == TransactionStatus::Idle {
        // What could be wrong is wrong all the same.
        session.settings.clone().set(setting, set.value.as_deref(), true)?;
        session.warn(SqlState::NO_ACTIVE_SQL_TRANSACTION, "SET LOCAL can only be used in transaction blocks");
    } else {
        session.settings.set(setting, set.value.as_deref(), set.local)?;
    }
    Ok(Outcome::command("SET"))
}

/// What a setting says about the transaction, if it is one of those.
fn transaction_modes(session: &Session, setting: &Setting, value: Option<&str>) -> Result<Option<TransactionModes>> {
    let mut modes = TransactionModes::default();
    match setting.name {
        "transaction_isolation" => {
            modes.isolation = Some(match value {
                Some(value) => isolation_named(&setting.canonical(value)?),
                None => session.settings.default_isolation(),
            });
        }
        "transaction_read_only" => {
            modes.read_only = Some(match value {
                Some(value) => setting.canonical(value)? == "on",
                None => session.settings.default_read_only(),
            });
        }
        _ => return Ok(None),
    }
    Ok(Some(modes))
}

/// # Errors
/// No such setting, or one that cannot be changed.
pub fn reset(session: &mut Session, name: &str) -> Result<Outcome> {
    let setting = SessionSettings::find(name)?;
    if let Some(modes) = transaction_modes(session, setting, None)? {
        session.set_transaction(modes)?;
    } else {
        session.settings.set(setting, None, false)?;
    }
    Ok(Outcome::command("RESET"))
}

/// # Errors
/// None.
pub fn reset_all(session: &mut Session) -> Result<Outcome> {
    session.settings.reset_all();
    Ok(Outcome::command("RESET"))
}
