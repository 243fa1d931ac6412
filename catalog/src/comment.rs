//! Comments: what users say about what they have made.

use crate::name::Oid;

/// What a comment is about, as PostgreSQL names it in `pg_description`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Commented {
    /// Its kind.
    pub class: ObjectClass,
    /// Its number.
    pub oid: Oid,
    /// The attribute number of a column; 0 for the object itself.
    pub column: i16,
}

/// The kinds of things that have comments, with the numbers of PostgreSQL's catalogs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectClass {
    /// `pg_type`
    Type,
    /// `pg_class`: relations and their columns
    Relation,
    /// `pg_database`
    Database,
    /// `pg_constraint`
    Constraint,
    /// `pg_namespace`
    Schema,
}

const CLASSES: &[(ObjectClass, u32, &str)] = &[
    (ObjectClass::Type, 1247, "pg_type"),
    (ObjectClass::Relation, 1259, "pg_class"),
    (ObjectClass::Database, 1262, "pg_database"),
    (ObjectClass::Constraint, 2606, "pg_constraint"),
    (ObjectClass::Schema, 2615, "pg_namespace"),
];

impl ObjectClass {
    /// The number of PostgreSQL's catalog.
    pub fn oid(self) -> u32 {
        CLASSES.iter().find(|class| class.0 == self).map_or(0, |class| class.1)
    }

    /// The class with this number.
    pub(crate) fn of_oid(oid: u32) -> Option<Self> {
        CLASSES.iter().find(|class| class.1 == oid).map(|class| class.0)
    }

    /// The class whose catalog has this name.
    pub fn named(name: &str) -> Option<Self> {
        CLASSES.iter().find(|class| class.2 == name).map(|class| class.0)
    }
}

impl Commented {
    /// An object as a whole.
    pub fn object(class: ObjectClass, oid: Oid) -> Self {
        Commented { class, oid, column: 0 }
    }

    /// A column of a relation.
    pub fn column(relation: Oid, column: i16) -> Self {
        Commented { class: ObjectClass::Relation, oid: relation, column }
    }
}
