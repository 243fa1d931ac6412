//! Who may do what.

use catalog::Relation;

use crate::error::Result;
use crate::session::Identity;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Make something in a schema, or a schema.
    Create,
    /// Change the definition of an object.
    Alter,
    /// Remove it.
    Drop,
    /// Read its rows.
    Select,
    /// Add rows.
    Insert,
    /// Change rows.
    Update,
    /// Remove rows.
    Delete,
    /// Remove all rows.
    Truncate,
    /// Copy everything to a location.
    Backup,
    /// Forget what the server keeps to read less.
    ClearCache,
    /// Refer to an external location.
    UseLocation,
    /// Change a setting.
    Set,
}

/// To what.
#[derive(Debug, Clone, Copy)]
pub enum Object<'a> {
    /// The database.
    Database,
    /// A schema, by name.
    Schema(&'a str),
    /// A relation.
    Relation(&'a Relation),
    /// An external location, by URL.
    Location(&'a str),
    /// A setting, by name.
    Setting(&'a str),
}

/// Refuses what this user may not do to relations, schemas, locations and settings. Every verb asks before it acts.
///
/// There are no privileges on these yet: whoever is let in may do everything to them. The question is asked all the same, so
/// that privileges can be added in one place. What a role may do to roles is in `statement::role`.
///
/// # Errors
/// 42501 when the user may not.
pub fn authorize(identity: &Identity, action: Action, object: Object<'_>) -> Result<()> {
    tracing::trace!(user = %identity.user, ?action, ?object, "authorized");
    Ok(())
}
