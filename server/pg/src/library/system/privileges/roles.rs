//! `pg_has_role`. There are no memberships: a role is a member of itself, and a superuser of all.

use arrow::array::ArrayRef;

use super::privilege::without_suffix;
use super::{Written, answer, of_statement, role_named};
use crate::error::{PgError, Result};
use crate::function::{Call, Function, function};
use crate::names::Names;
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("pg_has_role", &[NAME, NAME, TEXT], BOOL, pg_has_role).stable(),
    function("pg_has_role", &[NAME, OID, TEXT], BOOL, pg_has_role).stable(),
    function("pg_has_role", &[OID, NAME, TEXT], BOOL, pg_has_role).stable(),
    function("pg_has_role", &[OID, OID, TEXT], BOOL, pg_has_role).stable(),
    function("pg_has_role", &[NAME, TEXT], BOOL, pg_has_role).stable(),
    function("pg_has_role", &[OID, TEXT], BOOL, pg_has_role).stable(),
];

/// What a role can be to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Membership {
    /// Its privileges are the other's, or can become it.
    Member,
    /// Who decides on who is a member.
    Admin,
}

fn pg_has_role(call: &Call) -> Result<ArrayRef> {
    let names = of_statement()?;
    answer(call, 2, |member, rest| {
        let [role, Written::Name(privileges)] = *rest else { return Ok(None) };
        let member = match member {
            Some(written) => role_number(&names, written)?,
            None => names.role_number(&call.session().user).unwrap_or_default(),
        };
        let role = role_number(&names, role)?;
        let wanted = wanted(privileges)?;
        Ok(Some(wanted.into_iter().any(|membership| is_member(&names, member, role, membership))))
    })
}

/// A number need not be that of a role.
fn role_number(names: &Names, written: Written<'_>) -> Result<u32> {
    match written {
        Written::Name(name) => Ok(role_named(names, name)?.oid.0),
        Written::Number(number) => Ok(number),
        Written::Attribute(_) => Err(PgError::internal("a column is no role")),
    }
}

fn is_member(names: &Names, member: u32, role: u32, membership: Membership) -> bool {
    let superuser = names.snapshot().role_by_oid(catalog::Oid(member)).is_some_and(|it| it.superuser);
    superuser || membership == Membership::Member && member == role
}

/// What a list says (`convert_role_priv_string`).
fn wanted(list: &str) -> Result<Vec<Membership>> {
    let one = |written: &str| {
        let written = written.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
        let admin = [" WITH GRANT OPTION", " WITH ADMIN OPTION"];
        let before = admin.iter().find_map(|suffix| without_suffix(written, suffix));
        match before.unwrap_or(written).to_ascii_uppercase().as_str() {
            "MEMBER" | "USAGE" => Ok(before.map_or(Membership::Member, |_| Membership::Admin)),
            _ => Err(PgError::invalid_parameter(format!("unrecognized privilege type: \"{written}\""))),
        }
    };
    list.split(',').map(one).collect()
}
