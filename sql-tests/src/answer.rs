//! What a server answered to a statement.

use std::fmt;

/// Types of columns by their OIDs. They are written by name where people read them.
const TYPES: [(u32, &str); 79] = [
    (16, "bool"),
    (17, "bytea"),
    (18, "\"char\""),
    (19, "name"),
    (20, "int8"),
    (21, "int2"),
    (22, "int2vector"),
    (23, "int4"),
    (24, "regproc"),
    (25, "text"),
    (26, "oid"),
    (27, "tid"),
    (28, "xid"),
    (30, "oidvector"),
    (114, "json"),
    (142, "xml"),
    (194, "pg_node_tree"),
    (199, "json[]"),
    (600, "point"),
    (601, "lseg"),
    (602, "path"),
    (603, "box"),
    (604, "polygon"),
    (650, "cidr"),
    (700, "float4"),
    (701, "float8"),
    (705, "unknown"),
    (718, "circle"),
    (790, "money"),
    (829, "macaddr"),
    (869, "inet"),
    (1000, "bool[]"),
    (1001, "bytea[]"),
    (1002, "\"char\"[]"),
    (1003, "name[]"),
    (1005, "int2[]"),
    (1007, "int4[]"),
    (1009, "text[]"),
    (1014, "bpchar[]"),
    (1015, "varchar[]"),
    (1016, "int8[]"),
    (1021, "float4[]"),
    (1022, "float8[]"),
    (1028, "oid[]"),
    (1033, "aclitem"),
    (1042, "bpchar"),
    (1043, "varchar"),
    (1082, "date"),
    (1083, "time"),
    (1114, "timestamp"),
    (1115, "timestamp[]"),
    (1182, "date[]"),
    (1183, "time[]"),
    (1184, "timestamptz"),
    (1185, "timestamptz[]"),
    (1186, "interval"),
    (1187, "interval[]"),
    (1231, "numeric[]"),
    (1266, "timetz"),
    (1270, "timetz[]"),
    (1560, "bit"),
    (1562, "varbit"),
    (1700, "numeric"),
    (2202, "regprocedure"),
    (2205, "regclass"),
    (2206, "regtype"),
    (2249, "record"),
    (2278, "void"),
    (2287, "record[]"),
    (2950, "uuid"),
    (2951, "uuid[]"),
    (3614, "tsvector"),
    (3615, "tsquery"),
    (3802, "jsonb"),
    (3807, "jsonb[]"),
    (3904, "int4range"),
    (4072, "jsonpath"),
    (4089, "regnamespace"),
    (4096, "regrole"),
];

/// The first OID of objects that a user has made: they are others in every database.
const FIRST_USER_OID: u32 = 16_384;

/// The answer to one statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Rows, perhaps none; NULL is `None`.
    Rows {
        /// The columns.
        columns: Vec<Column>,
        /// The values of each row, in the order of the columns.
        rows: Vec<Vec<Option<String>>>,
    },
    /// What was done, as the server says it: `CREATE TABLE`.
    Command(String),
    /// The statement was refused.
    Error(SqlError),
}

/// A column of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, which need not be unique.
    pub name: String,
    /// OID of its type.
    pub type_oid: u32,
}

/// Why a statement was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlError {
    /// Five characters.
    pub sqlstate: String,
    /// The sentence for people.
    pub message: String,
    /// Where in the statement, in characters from 1.
    pub position: Option<usize>,
}

/// The sentence that stands for the end of a connection, which is no error that a server has sent.
pub const LOST: &str = "the connection was lost";

impl SqlError {
    /// What is noted when a server hangs up, or does not answer at all.
    pub fn lost(error: &std::io::Error) -> SqlError {
        SqlError { sqlstate: "-----".to_owned(), message: format!("{LOST}: {error}"), position: None }
    }

    /// Whether it says that something is not supported.
    pub fn is_not_supported(&self) -> bool {
        self.sqlstate == "0A000"
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.sqlstate, self.message)
    }
}

/// The name of a type.
pub fn type_name(oid: u32) -> String {
    match TYPES.iter().find(|(known, _)| *known == oid) {
        Some((_, name)) => (*name).to_owned(),
        None if oid >= FIRST_USER_OID => "user-defined".to_owned(),
        None => oid.to_string(),
    }
}

/// The OID of a type by the name that [`type_name`] gives.
pub fn type_oid(name: &str) -> Option<u32> {
    match TYPES.iter().find(|(_, known)| *known == name) {
        Some((oid, _)) => Some(*oid),
        None if name == "user-defined" => Some(FIRST_USER_OID),
        None => name.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_found_by_its_name() {
        for oid in [16, 18, 1700, 1231, 9999, FIRST_USER_OID] {
            assert_eq!(type_oid(&type_name(oid)), Some(oid));
        }
        assert_eq!(type_oid("nonsense"), None);
    }
}
