//! Numbers of what has none of its own in our catalog.

use catalog::{CatalogSnapshot, Oid};
use pg::names::{INFORMATION_SCHEMA, PG_CATALOG, member_oid};
use pg::types::{FIRST_COMPUTED_OID, INFORMATION_SCHEMA_OID, PG_CATALOG_OID};

/// The role to which everything belongs.
pub const OWNER: Oid = catalog::role::FIRST_ROLE_OID;
/// `pg_class`
pub const CLASSES: u32 = 1259;
/// `pg_type`
pub const TYPES: u32 = 1247;
/// `pg_constraint`
pub const CONSTRAINTS: u32 = 2606;
/// `pg_attrdef`
pub const DEFAULTS: u32 = 2604;
/// `pg_rewrite`
pub const RULES: u32 = 2618;
/// `pg_namespace`
pub const SCHEMAS: u32 = 2615;

/// The number of the default of a column.
pub fn default_oid(table: Oid, column: i16) -> u32 {
    member_oid(table, u32::from(column.cast_unsigned()))
}

/// The number of the rule that makes a view what it is.
pub fn rule_oid(view: Oid) -> u32 {
    FIRST_COMPUTED_OID | view.0
}

/// The number of a schema; 0 when there is none.
pub fn schema_oid(snapshot: &CatalogSnapshot, name: &str) -> u32 {
    match name {
        PG_CATALOG => PG_CATALOG_OID,
        INFORMATION_SCHEMA => INFORMATION_SCHEMA_OID,
        _ => snapshot.schema(name).map_or(0, |schema| schema.oid.0),
    }
}
