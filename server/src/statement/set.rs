//! SET and RESET.

use crate::error::{Error, Result};
use crate::parse::statement::Set;
use crate::session::{Action, Object, Session, SessionSettings, authorize};
use crate::statement::Outcome;

/// # Errors
/// No such setting, or a value it cannot have.
pub fn execute(session: &mut Session, set: &Set) -> Result<Outcome> {
    if set.local {
        return Err(Error::not_supported("SET LOCAL"));
    }
    let setting = SessionSettings::find(&set.name)?;
    authorize(&session.identity, Action::Set, Object::Setting(setting.name))?;
    match &set.value {
        Some(value) => session.settings.set(setting, value)?,
        None => session.settings.reset(setting),
    }
    Ok(Outcome::command("SET"))
}

/// # Errors
/// No such setting.
pub fn reset(session: &mut Session, name: &str) -> Result<Outcome> {
    let setting = SessionSettings::find(name)?;
    session.settings.reset(setting);
    Ok(Outcome::command("RESET"))
}

/// # Errors
/// None.
pub fn reset_all(session: &mut Session) -> Result<Outcome> {
    session.settings.reset_all();
    Ok(Outcome::command("RESET"))
}
