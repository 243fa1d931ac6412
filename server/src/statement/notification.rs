//! LISTEN, NOTIFY, UNLISTEN. They take effect when their transaction is committed.

use pg::library::system::notifications::check;
use pg::session::Notifications;
use sqlparser::ast::Ident;

use crate::error::Result;
use crate::parse::statement::Notify;
use crate::plan::relations::identifier;
use crate::session::Session;
use crate::statement::Outcome;

/// # Errors
/// None.
pub fn listen(session: &mut Session, channel: &Ident) -> Result<Outcome> {
    session.notifications.listen(identifier(channel));
    Ok(Outcome::command("LISTEN"))
}

/// # Errors
/// None.
pub fn unlisten(session: &mut Session, channel: Option<&Ident>) -> Result<Outcome> {
    session.notifications.unlisten(channel.map(identifier));
    Ok(Outcome::command("UNLISTEN"))
}

/// # Errors
/// 22023 for a payload that is too long, 54000 when nobody has taken too many others.
pub fn notify(session: &mut Session, notify: &Notify) -> Result<Outcome> {
    let (channel, payload) = (identifier(&notify.channel), notify.payload.as_deref().unwrap_or_default());
    check(&channel, payload)?;
    session.notifications.notify(&channel, payload)?;
    Ok(Outcome::command("NOTIFY"))
}
