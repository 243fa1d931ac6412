//! What all databases share: `pg_database`, `pg_db_role_setting`.

use arrow::array::RecordBatch;
use catalog::CatalogSnapshot;
use pg::names::DATABASE_OID;

use super::numbers::OWNER;
use super::rows::{Rows, Value};
use crate::error::Result;

/// The number of the encoding UTF8.
const UTF8: i32 = 6;
/// The tablespace `pg_default`.
const DEFAULT_TABLESPACE: u32 = 1663;
/// Every setting of a role holds in all databases.
const ALL_DATABASES: u32 = 0;

/// `pg_database`: the one that the session is in, since a session may call it as it likes.
///
/// # Errors
/// None but bugs.
pub fn pg_database(database: &str) -> Result<RecordBatch> {
    let mut rows = Rows::new(
        "pg_database",
        &[
            "oid",
            "datname",
            "datdba",
            "encoding",
            "datlocprovider",
            "datallowconn",
            "datconnlimit",
            "dattablespace",
            "datcollate",
            "datctype",
        ],
    )?;
    rows.push([
        DATABASE_OID.into(),
        database.into(),
        OWNER.into(),
        UTF8.into(),
        "c".into(),
        true.into(),
        Value::Int4(-1),
        DEFAULT_TABLESPACE.into(),
        "C".into(),
        "C.UTF-8".into(),
    ])?;
    rows.finish()
}

/// `pg_db_role_setting`
///
/// # Errors
/// None but bugs.
pub fn pg_db_role_setting(snapshot: &CatalogSnapshot) -> Result<RecordBatch> {
    let mut rows = Rows::new("pg_db_role_setting", &["setdatabase", "setrole", "setconfig"])?;
    for role in snapshot.roles().filter(|role| !role.settings.is_empty()) {
        let settings: Vec<_> = role.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        rows.push([ALL_DATABASES.into(), role.oid.into(), settings.into()])?;
    }
    rows.finish()
}
