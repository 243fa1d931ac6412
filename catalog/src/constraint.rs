//! Constraints of hot tables.

use serde::{Deserialize, Serialize};

use crate::name::Oid;
use crate::user_type::WrittenExpression;

/// A constraint of a table, other than NOT NULL, which a column has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constraint {
    /// Its number.
    pub oid: Oid,
    /// Its name; no other constraint of the table has it.
    pub name: String,
    /// What it asks for.
    pub kind: ConstraintKind,
    /// Whether all rows fulfil it: those that were there when it was made need not (`NOT VALID`).
    #[serde(default = "is_valid")]
    pub is_valid: bool,
}

impl Constraint {
    /// Whether it is the key of an index that was made by itself.
    pub fn is_index_only(&self) -> bool {
        matches!(&self.kind, ConstraintKind::Key(key) if key.index_only)
    }
}

/// Of constraints that were stored before this was said of them.
fn is_valid() -> bool {
    true
}

/// What a constraint asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConstraintKind {
    /// `CHECK (condition)`
    Check(Check),
    /// `PRIMARY KEY`, `UNIQUE`
    Key(Key),
    /// `REFERENCES`, `FOREIGN KEY`: recorded, not enforced
    ForeignKey(ForeignKey),
}

/// `CHECK (condition)`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The condition over the columns of a row.
    pub condition: WrittenExpression,
    /// The numbers of the columns in it.
    pub columns: Vec<i16>,
}

/// `PRIMARY KEY`, `UNIQUE`: no two rows have the same values in its columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Whether it is the primary one.
    pub primary: bool,
    /// The number of its index, which is a relation of the constraint's name to those who look into the catalog.
    pub index: Oid,
    /// The numbers of its columns, in their order.
    pub columns: Vec<i16>,
    /// `NULLS NOT DISTINCT`: NULL is a value like others
    pub nulls_not_distinct: bool,
    /// Whether it was made by CREATE UNIQUE INDEX: it is kept like the others, and no constraint to who looks for one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub index_only: bool,
    /// The order of each column in such an index; empty when it is the usual one of all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<i16>,
}

/// `FOREIGN KEY (columns) REFERENCES table (columns)`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// The numbers of its columns.
    pub columns: Vec<i16>,
    /// The table that they refer to.
    pub referenced: Oid,
    /// The numbers of the columns there.
    pub referenced_columns: Vec<i16>,
    /// What was said about rows whose referenced row goes.
    pub on_delete: ReferentialAction,
    /// What was said about rows whose referenced row changes.
    pub on_update: ReferentialAction,
    /// `MATCH FULL`
    pub match_full: bool,
}

/// What happens to rows that refer to one that changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ReferentialAction {
    /// `NO ACTION`
    #[default]
    NoAction,
    /// `RESTRICT`
    Restrict,
    /// `CASCADE`
    Cascade,
    /// `SET NULL`
    SetNull,
    /// `SET DEFAULT`
    SetDefault,
}
