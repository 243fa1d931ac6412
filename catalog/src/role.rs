//! Roles: who may come in, and with what.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::Oid;

/// The role that exists from the start and may do everything.
pub const FIRST_ROLE: &str = "thermocline";
/// OID of [`FIRST_ROLE`], that of PostgreSQL's first role (`BOOTSTRAP_SUPERUSERID`).
pub const FIRST_ROLE_OID: Oid = Oid(10);
/// [`Role::connection_limit`] of a role that may have any number of connections.
pub const NO_CONNECTION_LIMIT: i32 = -1;

/// A role, as `pg_authid` has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Its number.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// Whether it may do everything.
    pub superuser: bool,
    /// `INHERIT`
    pub inherit: bool,
    /// Whether it may make and change other roles.
    pub create_role: bool,
    /// `CREATEDB`
    pub create_db: bool,
    /// Whether it may begin a session.
    pub can_login: bool,
    /// `REPLICATION`
    pub replication: bool,
    /// `BYPASSRLS`
    pub bypass_rls: bool,
    /// How many connections it may have at a time, or [`NO_CONNECTION_LIMIT`].
    pub connection_limit: i32,
    /// What its password is compared with.
    pub password: Option<PasswordVerifier>,
    /// When the password expires: microseconds since 1970, or the infinities at both ends of the range.
    pub valid_until_us: Option<i64>,
    /// The settings that its sessions begin with.
    pub settings: BTreeMap<String, String>,
}

/// What is kept instead of a password, written as `pg_authid.rolpassword` is. It is never printed with the rest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordVerifier(pub String);

impl fmt::Debug for PasswordVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordVerifier")
    }
}

impl Role {
    /// A role as `CREATE ROLE name` makes it.
    pub fn new(oid: Oid, name: impl Into<String>) -> Self {
        Role {
            oid,
            name: name.into(),
            superuser: false,
            inherit: true,
            create_role: false,
            create_db: false,
            can_login: false,
            replication: false,
            bypass_rls: false,
            connection_limit: NO_CONNECTION_LIMIT,
            password: None,
            valid_until_us: None,
            settings: BTreeMap::new(),
        }
    }

    /// The role that exists from the start.
    pub(crate) fn first() -> Self {
        Role {
            superuser: true,
            create_role: true,
            create_db: true,
            can_login: true,
            replication: true,
            bypass_rls: true,
            ..Role::new(FIRST_ROLE_OID, FIRST_ROLE)
        }
    }
}
