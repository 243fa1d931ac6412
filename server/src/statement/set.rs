//! SET and RESET.

use crate::error::{Error, Result};
use crate::parse::statement::{Set, SetValue, TransactionModes};
use crate::session::settings::setting::ListForm;
use crate::session::settings::{Known, isolation_named};
use crate::session::{Action, Object, Session, SessionSettings, TransactionStatus, authorize};
use crate::statement::Outcome;
use pg::PgError;
use pg::library::text::quoted_identifier;
use pg::sqlstate::SqlState;

/// # Errors
/// No such setting, or a value it cannot have.
pub fn execute(session: &mut Session, set: &Set) -> Result<Outcome> {
    let known = session.settings.find_or_new(&set.name)?;
    authorize(&session.identity, Action::Set, Object::Setting(known.name()))?;
    let value = value(&session.settings, &known, &set.value)?;
    check_role(session, &known, value.as_deref())?;
    if set.local && session.transaction_status() == TransactionStatus::Idle {
        session.warn(SqlState::NO_ACTIVE_SQL_TRANSACTION, "SET LOCAL can only be used in transaction blocks");
    }
    assign(session, &known, value.as_deref(), set.local)?;
    Ok(Outcome::command("SET"))
}

/// The value that a statement gives to a setting; none is the default.
///
/// # Errors
/// 22023 for several values of a setting that has one.
pub fn value(settings: &SessionSettings, known: &Known, value: &SetValue) -> Result<Option<String>> {
    let values = match value {
        SetValue::Default => return Ok(None),
        SetValue::Current => return Ok(Some(settings.shown(known))),
        SetValue::Values(values) => values,
    };
    let list = match known {
        Known::Own(setting) => setting.list(),
        Known::Custom(_) => None,
    };
    match (list, values.as_slice()) {
        (Some(ListForm::Names), values) => {
            Ok(Some(values.iter().map(|name| quoted_identifier(name)).collect::<Vec<_>>().join(", ")))
        }
        (Some(ListForm::Words), values) => Ok(Some(values.join(", "))),
        (None, [value]) => Ok(Some(value.clone())),
        (None, _) => Err(PgError::invalid_parameter(format!("SET {} takes only one argument", known.name())).into()),
    }
}

/// Whether a setting that is a role can be this one: the session's own is all that there is to choose from.
fn check_role(session: &mut Session, known: &Known, value: Option<&str>) -> Result<()> {
    let statement = match known.name() {
        "role" if value == Some("none") => return Ok(()),
        "role" => "SET ROLE",
        "session_authorization" => "SET SESSION AUTHORIZATION",
        _ => return Ok(()),
    };
    let Some(role) = value.filter(|role| *role != session.identity.user) else { return Ok(()) };
    if session.snapshot()?.role(role).is_none() {
        return Err(PgError::invalid_parameter(format!("role \"{role}\" does not exist")).into());
    }
    Err(Error::not_supported(format!("{statement} to another role")))
}

/// Gives a setting a value, or the default again. What is for a transaction and not in one is checked, and forgotten.
///
/// # Errors
/// A value it cannot have.
pub fn assign(session: &mut Session, known: &Known, value: Option<&str>, local: bool) -> Result<()> {
    let canonical = session.settings.check(known, value)?;
    let idle = session.transaction_status() == TransactionStatus::Idle;
    if let Some(modes) = transaction_modes(session, known, canonical.as_deref()) {
        return if idle { Ok(()) } else { session.set_transaction(modes) };
    }
    if !local || !idle {
        session.settings.set(known, value, local)?;
    }
    Ok(())
}

/// What a setting says about the transaction, if it is one of those.
fn transaction_modes(session: &Session, known: &Known, value: Option<&str>) -> Option<TransactionModes> {
    let mut modes = TransactionModes::default();
    match known.name() {
        "transaction_isolation" => {
            modes.isolation = Some(value.map_or_else(|| session.settings.default_isolation(), isolation_named));
        }
        "transaction_read_only" => {
            modes.read_only = Some(value.map_or_else(|| session.settings.default_read_only(), |value| value == "on"));
        }
        _ => return None,
    }
    Some(modes)
}

impl Session {
    /// Does what functions of the statement have asked for.
    ///
    /// # Errors
    /// The transaction has begun to read, and cannot be of another kind any more.
    pub fn set_what_was_asked(&mut self) -> Result<()> {
        for asked in self.asked.take() {
            assign(self, &asked.known, asked.value.as_deref(), asked.local)?;
        }
        Ok(())
    }
}

/// # Errors
/// No such setting, or one that cannot be changed.
pub fn reset(session: &mut Session, name: &str) -> Result<Outcome> {
    let known = session.settings.find_or_new(name)?;
    assign(session, &known, None, false)?;
    Ok(Outcome::command("RESET"))
}

/// # Errors
/// None.
pub fn reset_all(session: &mut Session) -> Result<Outcome> {
    session.settings.reset_all();
    Ok(Outcome::command("RESET"))
}
