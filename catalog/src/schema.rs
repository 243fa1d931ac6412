//! Schemas: name spaces of relations, local or over files elsewhere.

use serde::{Deserialize, Serialize};

use crate::name::Oid;

/// A schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// Its number.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// What its tables are.
    pub kind: SchemaKind,
}

/// What the tables of a schema are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SchemaKind {
    /// Hot tables and views.
    Local,
    /// External tables, as made by `CREATE EXTERNAL SCHEMA`.
    External(ExternalSource),
}

/// What `CREATE EXTERNAL SCHEMA … FROM DATA CATALOG` said. Kept and shown back; tables are looked up in our own catalog.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalSource {
    /// `DATABASE '…'`
    pub database: Option<String>,
    /// `REGION '…'`
    pub region: Option<String>,
    /// `IAM_ROLE '…'`: accepted for compatibility, without effect.
    pub iam_role: Option<String>,
}
