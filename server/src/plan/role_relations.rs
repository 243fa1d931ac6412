//! `pg_roles` and `pg_authid`, as PostgreSQL has them.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Int32Array, ListBuilder, StringViewArray, StringViewBuilder,
    TimestampMicrosecondArray, UInt32Array,
};
use catalog::{CatalogSnapshot, Role, SqlType};
use pg::PgError;
use pg::sqlstate::SqlState;

use crate::error::Result;
use crate::plan::in_memory::Shown;
use crate::session::Identity;

/// What `pg_roles` shows instead of what is kept of a password.
const HIDDEN: &str = "********";

/// The columns of the relation of this name, if it is one of them.
///
/// # Errors
/// 42501 for `pg_authid` when not a superuser asks: it has what is kept of passwords.
pub fn find(name: &str, snapshot: &CatalogSnapshot, identity: &Identity) -> Result<Option<Vec<Shown>>> {
    let roles: Vec<_> = snapshot.roles().map(AsRef::as_ref).collect();
    match name {
        "pg_roles" => Ok(Some(pg_roles(&roles))),
        "pg_authid" if snapshot.role_by_oid(identity.role).is_some_and(|role| role.superuser) => {
            Ok(Some(pg_authid(&roles)))
        }
        "pg_authid" => {
            Err(PgError::new(SqlState::INSUFFICIENT_PRIVILEGE, "permission denied for table pg_authid").into())
        }
        _ => Ok(None),
    }
}

fn pg_roles(roles: &[&Role]) -> Vec<Shown> {
    let hidden = StringViewArray::from_iter_values(roles.iter().map(|_| HIDDEN));
    let mut columns = vec![name(roles)];
    columns.extend(attributes(roles));
    columns.push(replication(roles));
    columns.push(connection_limit(roles));
    columns.push(("rolpassword", SqlType::Text, Arc::new(hidden)));
    columns.push(valid_until(roles));
    columns.push(bypass_rls(roles));
    columns.push(("rolconfig", SqlType::array_of(SqlType::Text), settings(roles)));
    columns.push(oid(roles));
    columns
}

fn pg_authid(roles: &[&Role]) -> Vec<Shown> {
    let kept = roles.iter().map(|role| role.password.as_ref().map(|password| password.0.as_str()));
    let kept = StringViewArray::from_iter(kept);
    let mut columns = vec![oid(roles), name(roles)];
    columns.extend(attributes(roles));
    columns.extend([replication(roles), bypass_rls(roles), connection_limit(roles)]);
    columns.push(("rolpassword", SqlType::Text, Arc::new(kept)));
    columns.push(valid_until(roles));
    columns
}

fn flag(name: &'static str, roles: &[&Role], flag: fn(&Role) -> bool) -> Shown {
    let values = roles.iter().map(|role| Some(flag(role)));
    (name, SqlType::Boolean, Arc::new(values.collect::<BooleanArray>()))
}

fn attributes(roles: &[&Role]) -> [Shown; 5] {
    [
        flag("rolsuper", roles, |role| role.superuser),
        flag("rolinherit", roles, |role| role.inherit),
        flag("rolcreaterole", roles, |role| role.create_role),
        flag("rolcreatedb", roles, |role| role.create_db),
        flag("rolcanlogin", roles, |role| role.can_login),
    ]
}

fn replication(roles: &[&Role]) -> Shown {
    flag("rolreplication", roles, |role| role.replication)
}

fn bypass_rls(roles: &[&Role]) -> Shown {
    flag("rolbypassrls", roles, |role| role.bypass_rls)
}

fn oid(roles: &[&Role]) -> Shown {
    let numbers = UInt32Array::from_iter_values(roles.iter().map(|role| role.oid.0));
    ("oid", SqlType::Oid, Arc::new(numbers))
}

fn name(roles: &[&Role]) -> Shown {
    let names = StringViewArray::from_iter_values(roles.iter().map(|role| &role.name));
    ("rolname", SqlType::Name, Arc::new(names))
}

fn connection_limit(roles: &[&Role]) -> Shown {
    let limits = Int32Array::from_iter_values(roles.iter().map(|role| role.connection_limit));
    ("rolconnlimit", SqlType::Integer, Arc::new(limits))
}

fn valid_until(roles: &[&Role]) -> Shown {
    let times = TimestampMicrosecondArray::from_iter(roles.iter().map(|role| role.valid_until_us));
    ("rolvaliduntil", SqlType::TimestampTz, Arc::new(times.with_timezone("UTC")))
}

/// `name=value` of each setting; NULL where there are none.
fn settings(roles: &[&Role]) -> ArrayRef {
    let mut lists = ListBuilder::new(StringViewBuilder::new());
    for role in roles {
        for (name, value) in &role.settings {
            lists.values().append_value(format!("{name}={value}"));
        }
        lists.append(!role.settings.is_empty());
    }
    let lists = lists.finish();
    debug_assert_eq!(lists.len(), roles.len(), "a list for each role");
    Arc::new(lists)
}
