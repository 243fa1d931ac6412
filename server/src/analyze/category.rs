//! Categories of types (`pg_type.typcategory`), by which PostgreSQL chooses among functions.

use pg::types::*;
use pg::user_types;

/// A category of types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// Arrays.
    Array,
    /// `boolean`
    Boolean,
    /// Dates, times and timestamps.
    DateTime,
    /// Numbers.
    Numeric,
    /// Polymorphic and other pseudo-types.
    Pseudo,
    /// Strings.
    String,
    /// `interval`
    Timespan,
    /// Records of a composite type.
    Composite,
    /// Labels of an enum.
    Enum,
    /// Everything else.
    User,
    /// A constant without a type.
    Unknown,
    /// `"char"` and other internal types.
    Internal,
}

/// The category of a type.
pub fn category(oid: u32) -> Category {
    let oid = user_types::base_number(oid);
    match oid {
        BOOL => Category::Boolean,
        INT2 | INT4 | INT8 | FLOAT4 | FLOAT8 | NUMERIC => Category::Numeric,
        oid if is_object_number(oid) => Category::Numeric,
        TEXT | VARCHAR | BPCHAR | NAME => Category::String,
        CHAR | PG_NODE_TREE => Category::Internal,
        DATE | TIME | TIMETZ | TIMESTAMP | TIMESTAMPTZ => Category::DateTime,
        INTERVAL => Category::Timespan,
        UNKNOWN => Category::Unknown,
        RECORD
        | ANY
        | ANYELEMENT
        | ANYARRAY
        | ANYNONARRAY
        | ANYENUM
        | VOID
        | ANYCOMPATIBLE
        | ANYCOMPATIBLEARRAY
        | ANYCOMPATIBLENONARRAY => Category::Pseudo,
        oid if element_type(oid).is_some() => Category::Array,
        oid if user_types::is_enum(oid) => Category::Enum,
        oid if user_types::is_composite(oid) => Category::Composite,
        _ => Category::User,
    }
}

/// Whether a type is preferred among those of its category (`pg_type.typispreferred`).
pub fn is_preferred(oid: u32) -> bool {
    matches!(oid, BOOL | FLOAT8 | OID | TEXT | TIMESTAMPTZ | INTERVAL)
}

/// Whether a type stands for others.
pub fn is_polymorphic(oid: u32) -> bool {
    matches!(
        oid,
        ANYELEMENT | ANYARRAY | ANYNONARRAY | ANYENUM | ANYCOMPATIBLE | ANYCOMPATIBLEARRAY | ANYCOMPATIBLENONARRAY
    )
}
