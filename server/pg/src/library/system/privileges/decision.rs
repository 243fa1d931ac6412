//! Whether a role may do something.

use catalog::Role;

use super::object::Object;
use super::privilege::{Kind, Privilege, Privilege::*};
use crate::recorded;

/// The relations of `pg_catalog` that have what is kept of passwords: for superusers.
const WITH_PASSWORDS: [&str; 2] = ["pg_authid", "pg_shadow"];

/// Whether a role may do this; `None` is everybody.
///
/// There are no privileges on objects yet: whoever is let in may do everything to what users have made. System catalogs are
/// changed by nobody but, as in PostgreSQL, whom nothing is forbidden; settings that are not for everybody are for
/// superusers, and so are passwords. It says what `session::authorize` of the server does.
pub fn is_allowed(role: Option<&Role>, privilege: Privilege, object: Object) -> bool {
    if role.is_some_and(|role| role.superuser) {
        return true;
    }
    match object.kind {
        Kind::Parameter => false,
        Kind::Table | Kind::AnyColumn | Kind::Column => match recorded::relation_by_oid(object.oid) {
            Some(system) if WITH_PASSWORDS.contains(&system.name) => false,
            Some(system) => system.is_view || !matches!(privilege, Insert | Update | Delete | Truncate),
            None => true,
        },
        _ => true,
    }
}
