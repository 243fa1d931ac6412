//! Indexes of hot tables: what the catalog says of them. No rows are found by an index that keeps no key.

use serde::{Deserialize, Serialize};

use crate::constraint::{Constraint, Key};
use crate::name::Oid;

/// Bit of a column's order: `DESC`.
pub const DESCENDING: i16 = 1;
/// Bit of a column's order: `NULLS FIRST`.
pub const NULLS_FIRST: i16 = 2;

/// An index that keeps no key, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Its number.
    pub oid: Oid,
    /// Its name, which no other relation of the schema has.
    pub name: String,
    /// The numbers of its columns, in their order.
    pub columns: Vec<i16>,
    /// The order of each column, bits as PostgreSQL's `indoption` has them.
    pub order: Vec<i16>,
    /// The access method that was asked for.
    pub method: IndexMethod,
}

/// Access methods of indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum IndexMethod {
    /// `btree`
    #[default]
    Btree,
    /// `hash`
    Hash,
}

impl IndexMethod {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            IndexMethod::Btree => "btree",
            IndexMethod::Hash => "hash",
        }
    }

    /// Its number in `pg_am`.
    pub fn oid(self) -> Oid {
        match self {
            IndexMethod::Btree => Oid(403),
            IndexMethod::Hash => Oid(405),
        }
    }
}

/// An index of a table, whether it keeps a key or not.
#[derive(Debug, Clone, Copy)]
pub struct ShownIndex<'a> {
    /// Its number.
    pub oid: Oid,
    /// Its name.
    pub name: &'a str,
    /// The numbers of its columns, in their order.
    pub columns: &'a [i16],
    /// The order of each column; empty when it is the usual one of all.
    pub order: &'a [i16],
    /// Its access method.
    pub method: IndexMethod,
    /// The key that it keeps.
    pub key: Option<&'a Key>,
}

impl<'a> ShownIndex<'a> {
    /// The index of a key.
    pub fn of_key(constraint: &'a Constraint, key: &'a Key) -> Self {
        let (name, method) = (constraint.name.as_str(), IndexMethod::Btree);
        ShownIndex { oid: key.index, name, columns: &key.columns, order: &key.order, method, key: Some(key) }
    }

    /// An index that keeps no key.
    pub fn plain(index: &'a Index) -> Self {
        let Index { oid, name, columns, order, method } = index;
        ShownIndex { oid: *oid, name, columns, order, method: *method, key: None }
    }

    /// The order of each column.
    pub fn orders(&self) -> Vec<i16> {
        let order = |place: usize| self.order.get(place).copied().unwrap_or_default();
        (0..self.columns.len()).map(order).collect()
    }
}
