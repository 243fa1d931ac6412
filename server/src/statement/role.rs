//! CREATE ROLE, ALTER ROLE, DROP ROLE.
//!
//! Who may do it is as in PostgreSQL 15: superusers everything, roles with CREATEROLE all but what has to do with
//! superusers, and everybody may change his own password and settings.

use std::sync::Arc;

use catalog::role::{FIRST_ROLE_OID, PasswordVerifier};
use catalog::{CatalogChange, Role};
use datafusion::common::ScalarValue;
use pg::sqlstate::SqlState;
use pg::types::TIMESTAMPTZ;
use pg::{PgError, Type, input};

use crate::access::verifier::{ITERATIONS_MAX, Verifier};
use crate::error::{Error, Result};
use crate::parse::roles::{AlterRole, AlterRoleAction, CreateRole, DropRoles, RoleName, RoleNameKind, RoleOption};
use crate::session::Session;
use crate::statement::Outcome;

/// Names that begin so are PostgreSQL's own.
const RESERVED_PREFIX: &str = "pg_";

/// CREATE ROLE.
///
/// # Errors
/// The role is there already, has a reserved name, or may not be made by this one.
pub async fn create(session: &mut Session, create: &CreateRole) -> Result<Outcome> {
    let name = new_name(&create.name)?;
    let mut role = Role::new(session.server.catalog.allocate_oid(), name);
    let asker = asker(session)?;
    for option in &create.options {
        match option {
            RoleOption::Superuser(true) if !asker.superuser => {
                return Err(denied("must be superuser to create superusers"));
            }
            RoleOption::Replication(true) if !asker.superuser => {
                return Err(denied("must be superuser to create replication users"));
            }
            RoleOption::BypassRls(true) if !asker.superuser => {
                return Err(denied("must be superuser to change bypassrls attribute"));
            }
            _ => {}
        }
    }
    if !manages_roles(&asker) {
        return Err(denied("permission denied to create role"));
    }
    tell(session, &mut role, &create.options)?;
    if session.snapshot()?.role(&role.name).is_some() {
        return Err(catalog::Error::RoleExists(role.name).into());
    }
    session.commit(vec![CatalogChange::CreateRole(role)]).await?;
    Ok(Outcome::command("CREATE ROLE"))
}

/// ALTER ROLE.
///
/// # Errors
/// There is no such role, or this one may not change it so.
pub async fn alter(session: &mut Session, alter: &AlterRole) -> Result<Outcome> {
    if let (AlterRoleAction::Rename(_), RoleNameKind::Session(word)) = (&alter.action, &alter.name.kind) {
        return Err(no_name(word, alter.name.position));
    }
    let old = existing(session, &alter.name)?;
    let asker = asker(session)?;
    let mut new = old.as_ref().clone();
    match &alter.action {
        AlterRoleAction::Options(options) => {
            check_may_tell(&asker, &old, options)?;
            tell(session, &mut new, options)?;
        }
        AlterRoleAction::Rename(to) => rename(session, &asker, &mut new, to)?,
        AlterRoleAction::Set(set) => {
            check_may_set(&asker, &old)?;
            let known = session.settings.find_or_new(&set.name)?;
            let value = super::set::value(&session.settings, &known, &set.value)?;
            // It is kept as it was written, if it can be had.
            session.settings.check(&known, value.as_deref())?;
            match value {
                Some(value) => new.settings.insert(known.name().to_owned(), value),
                None => new.settings.remove(known.name()),
            };
        }
        AlterRoleAction::Reset(name) => {
            check_may_set(&asker, &old)?;
            new.settings.remove(session.settings.find_or_new(name)?.name());
        }
        AlterRoleAction::ResetAll => {
            check_may_set(&asker, &old)?;
            new.settings.clear();
        }
    }
    if new != *old {
        session.commit(vec![CatalogChange::ReplaceRole { old, new: Arc::new(new) }]).await?;
    }
    Ok(Outcome::command("ALTER ROLE"))
}

/// DROP ROLE.
///
/// # Errors
/// There is no such role, it is in use, or this one may not drop it.
pub async fn drop(session: &mut Session, drop: &DropRoles) -> Result<Outcome> {
    let asker = asker(session)?;
    if !manages_roles(&asker) {
        return Err(denied("permission denied to drop role"));
    }
    let snapshot = session.snapshot()?;
    let mut changes = Vec::new();
    for name in &drop.names {
        let RoleNameKind::Named(name) = &name.kind else {
            let message = "cannot use special role specifier in DROP ROLE";
            return Err(PgError::invalid_parameter(message).into());
        };
        let Some(role) = snapshot.role(name) else {
            if !drop.if_exists {
                return Err(undefined(name));
            }
            session.notice(format!("role \"{name}\" does not exist, skipping"));
            continue;
        };
        if role.oid == asker.oid {
            return Err(PgError::new(SqlState::OBJECT_IN_USE, "current user cannot be dropped").into());
        }
        if role.superuser && !asker.superuser {
            return Err(denied("must be superuser to drop superusers"));
        }
        if role.oid == FIRST_ROLE_OID {
            let message = format!("cannot drop role {name} because it is required by the database system");
            return Err(PgError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message).into());
        }
        // A role that is named twice is dropped once.
        if !changes.iter().any(|change| matches!(change, CatalogChange::DropRole { oid } if *oid == role.oid)) {
            changes.push(CatalogChange::DropRole { oid: role.oid });
        }
    }
    if !changes.is_empty() {
        session.commit(changes).await?;
    }
    Ok(Outcome::command("DROP ROLE"))
}

/// The role that asks, as it is by now.
///
/// # Errors
/// As for [`Session::snapshot`].
pub fn asker(session: &mut Session) -> Result<Arc<Role>> {
    let oid = session.identity.role;
    let role = session.snapshot()?.role_by_oid(oid).cloned();
    // Its session outlives a role that is dropped, with no rights.
    Ok(role.unwrap_or_else(|| Arc::new(Role::new(oid, session.identity.user.clone()))))
}

fn manages_roles(asker: &Role) -> bool {
    asker.superuser || asker.create_role
}

fn existing(session: &mut Session, name: &RoleName) -> Result<Arc<Role>> {
    match &name.kind {
        RoleNameKind::Session(_) => asker(session),
        RoleNameKind::Named(name) => session.snapshot()?.role(name).cloned().ok_or_else(|| undefined(name)),
    }
}

/// The name for a role.
fn new_name(name: &RoleName) -> Result<String> {
    match &name.kind {
        RoleNameKind::Session(word) => Err(no_name(word, name.position)),
        RoleNameKind::Named(name) if name.starts_with(RESERVED_PREFIX) => {
            let error = PgError::new(SqlState::RESERVED_NAME, format!("role name \"{name}\" is reserved"));
            Err(error.with_detail("Role names starting with \"pg_\" are reserved.").into())
        }
        RoleNameKind::Named(name) => Ok(name.clone()),
    }
}

fn no_name(word: &str, position: Option<usize>) -> Error {
    let message = format!("{word} cannot be used as a role name here");
    Error::Sql { error: Box::new(PgError::new(SqlState::RESERVED_NAME, message)), position }
}

fn check_may_tell(asker: &Role, role: &Role, options: &[RoleOption]) -> Result<()> {
    if asker.superuser {
        return Ok(());
    }
    let tells = |wanted: fn(&RoleOption) -> bool| options.iter().any(wanted);
    if role.superuser || tells(|it| matches!(it, RoleOption::Superuser(_))) {
        return Err(denied("must be superuser to alter superuser roles or change superuser attribute"));
    }
    if role.replication || tells(|it| matches!(it, RoleOption::Replication(_))) {
        return Err(denied("must be superuser to alter replication roles or change replication attribute"));
    }
    if tells(|it| matches!(it, RoleOption::BypassRls(_))) {
        return Err(denied("must be superuser to change bypassrls attribute"));
    }
    let own_password = role.oid == asker.oid && options.iter().all(|it| matches!(it, RoleOption::Password(_)));
    if asker.create_role || own_password { Ok(()) } else { Err(denied("permission denied")) }
}

fn check_may_set(asker: &Role, role: &Role) -> Result<()> {
    if asker.superuser || role.oid == asker.oid {
        return Ok(());
    }
    if role.superuser {
        return Err(denied("must be superuser to alter superusers"));
    }
    if asker.create_role { Ok(()) } else { Err(denied("permission denied")) }
}

fn rename(session: &mut Session, asker: &Role, role: &mut Role, to: &RoleName) -> Result<()> {
    if role.oid == asker.oid {
        return Err(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, "session user cannot be renamed").into());
    }
    let name = new_name(to)?;
    if session.snapshot()?.role(&name).is_some() {
        return Err(catalog::Error::RoleExists(name).into());
    }
    if role.superuser && !asker.superuser {
        return Err(denied("must be superuser to rename superusers"));
    }
    if !manages_roles(asker) {
        return Err(denied("permission denied to rename role"));
    }
    // Clients look for it by this name.
    if role.oid == FIRST_ROLE_OID {
        return Err(Error::not_supported("renaming the first role"));
    }
    // The name is in the hash.
    let by_name = role.password.as_ref().and_then(|password| Verifier::parse(&password.0));
    if let Some(Verifier::Md5(_)) = by_name {
        role.password = None;
        session.notice("MD5 password cleared because of role rename");
    }
    role.name = name;
    Ok(())
}

/// Does what the options say.
fn tell(session: &mut Session, role: &mut Role, options: &[RoleOption]) -> Result<()> {
    for option in options {
        match option {
            RoleOption::Superuser(value) => role.superuser = *value,
            RoleOption::Inherit(value) => role.inherit = *value,
            RoleOption::CreateRole(value) => role.create_role = *value,
            RoleOption::CreateDb(value) => role.create_db = *value,
            RoleOption::Login(value) => role.can_login = *value,
            RoleOption::Replication(value) => role.replication = *value,
            RoleOption::BypassRls(value) => role.bypass_rls = *value,
            RoleOption::ConnectionLimit(limit) => {
                let valid = i32::try_from(*limit).ok().filter(|limit| *limit >= -1);
                let invalid = || PgError::invalid_parameter(format!("invalid connection limit: {limit}"));
                role.connection_limit = valid.ok_or_else(invalid)?;
            }
            RoleOption::Password(password) => {
                role.password = match password {
                    Some(password) => kept(session, &role.name, password)?,
                    None => None,
                }
            }
            RoleOption::ValidUntil(text) => {
                let values = session.values(Vec::new());
                role.valid_until_us = match input::value(&Type::of(TIMESTAMPTZ), text, &values)?.1 {
                    ScalarValue::TimestampMicrosecond(until, _) => until,
                    _ => return Err(PgError::internal("a time that is none").into()),
                };
            }
            RoleOption::SysId => session.notice("SYSID can no longer be specified"),
        }
    }
    // Whoever has made the data directory must be able to come in.
    if role.oid == FIRST_ROLE_OID && !(role.superuser && role.can_login) {
        return Err(Error::not_supported("NOSUPERUSER or NOLOGIN for the first role"));
    }
    Ok(())
}

/// What is kept of a password. It may come as that.
fn kept(session: &mut Session, role: &str, password: &str) -> Result<Option<PasswordVerifier>> {
    let verifier = match Verifier::parse(password) {
        Some(verifier) => verifier,
        None if session.settings.encrypts_passwords_by_md5() => Verifier::md5(password, role),
        None => Verifier::scram(password),
    };
    if verifier.iterations() > ITERATIONS_MAX {
        let message = format!("a password may be hashed {ITERATIONS_MAX} times at most");
        return Err(PgError::invalid_parameter(message).into());
    }
    // Many programs take an empty password for none.
    if password.is_empty() || verifier.is_of("", role) {
        session.notice("empty string is not a valid password, clearing password");
        return Ok(None);
    }
    Ok(Some(PasswordVerifier(verifier.to_string())))
}

fn undefined(name: &str) -> Error {
    PgError::new(SqlState::UNDEFINED_OBJECT, format!("role \"{name}\" does not exist")).into()
}

fn denied(message: &str) -> Error {
    PgError::new(SqlState::INSUFFICIENT_PRIVILEGE, message).into()
}
