//! Types that users make: enums, domains and composite types.
//!
//! A definition says what a type is; how its values are carried ([`UserType::sql_type`]) follows from it and never changes,
//! whatever ALTER TYPE does: an enum's values are carried by numbers whose order is that of the labels, with room between
//! them for labels that come later (see docs/decisions/007-user-types.md).

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use serde::{Deserialize, Deserializer, Serialize};

use crate::name::{ObjectName, Oid};
use crate::types::SqlType;

/// The distance of the numbers of neighbouring labels when an enum is made: as many labels fit between two as the
/// distance can be halved.
const LABEL_DISTANCE: i64 = 1 << 32;

/// The definition of a type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserType {
    /// Its number.
    pub oid: Oid,
    /// The number of the type of arrays of it.
    pub array_oid: Oid,
    /// Its name.
    pub name: ObjectName,
    /// What it is.
    pub kind: UserTypeKind,
}

/// What a type is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserTypeKind {
    /// `CREATE TYPE … AS ENUM`: the labels, in their order
    Enum(Vec<EnumLabel>),
    /// `CREATE DOMAIN`
    Domain(Domain),
    /// `CREATE TYPE … AS (…)`
    Composite(Vec<Attribute>),
}

/// A value of an enum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnumLabel {
    /// The number that carries it, in flight and at rest.
    pub number: i64,
    /// How it is written.
    pub label: String,
}

/// What a domain adds to another type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// The type that it narrows, which may be a domain too.
    pub base: SqlType,
    /// Whether NULL is refused.
    pub not_null: bool,
    /// What columns have that are given no value.
    pub default: Option<WrittenExpression>,
    /// What its values must fulfil, ordered by name.
    pub checks: Vec<DomainCheck>,
}

/// A CHECK constraint of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainCheck {
    /// Its name.
    pub name: String,
    /// The condition, over `VALUE`.
    pub condition: WrittenExpression,
}

/// An expression as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenExpression {
    /// Its text.
    pub text: String,
    /// The search path it was written under: its names mean what they meant then.
    pub search_path: Vec<String>,
    /// The relations that it refers to by number, so that they can be renamed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refers_to: Vec<Oid>,
}

/// A field of a composite type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its type.
    pub sql_type: SqlType,
}

impl UserType {
    /// The type of columns of it.
    pub fn sql_type(&self) -> SqlType {
        let carried = match &self.kind {
            UserTypeKind::Enum(_) => Carried::Number,
            UserTypeKind::Domain(domain) => Carried::As(domain.base.clone()),
            UserTypeKind::Composite(attributes) => {
                Carried::Record(attributes.iter().map(|it| (it.name.clone(), it.sql_type.clone())).collect())
            }
        };
        SqlType::User(UserSqlType::new(self.oid, carried))
    }

    /// The type of columns that hold arrays of it.
    pub fn array_sql_type(&self) -> SqlType {
        SqlType::User(UserSqlType::new(self.array_oid, Carried::Array(self.sql_type())))
    }

    /// The types that its definition names.
    pub fn referred(&self) -> impl Iterator<Item = SqlType> + '_ {
        let (base, attributes) = match &self.kind {
            UserTypeKind::Enum(_) => (None, [].as_slice()),
            UserTypeKind::Domain(domain) => (Some(domain.base.clone()), [].as_slice()),
            UserTypeKind::Composite(attributes) => (None, attributes.as_slice()),
        };
        base.into_iter().chain(attributes.iter().map(|attribute| attribute.sql_type.clone()))
    }

    /// Whether its definition names this type, directly.
    pub fn refers_to(&self, ty: &UserType) -> bool {
        self.referred().any(|sql_type| ty.is_type_of(&sql_type))
    }

    /// Whether columns of `sql_type` are of this type, or hold arrays of it.
    pub fn is_type_of(&self, sql_type: &SqlType) -> bool {
        matches!(sql_type, SqlType::User(user) if user.oid() == self.oid || user.oid() == self.array_oid)
    }
}

/// The labels of a new enum.
pub fn new_labels(labels: impl IntoIterator<Item = String>) -> Vec<EnumLabel> {
    let numbers = (1..).map(|place: i64| place.saturating_mul(LABEL_DISTANCE));
    numbers.zip(labels).map(|(number, label)| EnumLabel { number, label }).collect()
}

/// The number for a label that goes between those at the places before and from `place`; `None` when no room is left.
pub fn number_at(labels: &[EnumLabel], place: usize) -> Option<i64> {
    let before = place.checked_sub(1).and_then(|before| labels.get(before)).map(|label| label.number);
    let behind = labels.get(place).map(|label| label.number);
    match (before, behind) {
        (None, None) => Some(LABEL_DISTANCE),
        (Some(before), None) => before.checked_add(LABEL_DISTANCE),
        (None, Some(behind)) => behind.checked_sub(LABEL_DISTANCE),
        (Some(before), Some(behind)) => {
            let middle = before + (behind - before) / 2;
            (middle != before).then_some(middle)
        }
    }
}

/// A type that a user has made, as a column has it: its number, and how its values are carried. It is as small as the other
/// column types because what it refers to is kept for the life of the process, once for each way of carrying values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct UserSqlType {
    oid: Oid,
    carried: &'static Carried,
}

/// How values are carried.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Carried {
    /// By a number: enums.
    Number,
    /// As values of another type: domains.
    As(SqlType),
    /// As lists: arrays.
    Array(SqlType),
    /// As structs: composite types.
    Record(Vec<(String, SqlType)>),
}

static KNOWN: LazyLock<Mutex<HashSet<&'static Carried>>> = LazyLock::new(Mutex::default);

impl UserSqlType {
    /// The type with this number, whose values are carried so.
    pub fn new(oid: Oid, carried: Carried) -> Self {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let carried = match known.get(&carried) {
            Some(known) => known,
            None => {
                let kept: &'static Carried = Box::leak(Box::new(carried));
                known.insert(kept);
                kept
            }
        };
        UserSqlType { oid, carried }
    }

    /// The number of the type.
    pub fn oid(self) -> Oid {
        self.oid
    }

    /// How its values are carried.
    pub fn carried(self) -> &'static Carried {
        self.carried
    }
}

impl<'de> Deserialize<'de> for UserSqlType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Stored {
            oid: Oid,
            carried: Carried,
        }
        let stored = Stored::deserialize(deserializer)?;
        Ok(UserSqlType::new(stored.oid, stored.carried))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_between_others_have_numbers_between_theirs() {
        let mut labels = new_labels(["a", "b"].map(str::to_owned));
        for place in [0, 1, 1, 2, 5] {
            let number = number_at(&labels, place).unwrap();
            labels.insert(place, EnumLabel { number, label: place.to_string() });
        }
        assert!(labels.is_sorted_by(|left, right| left.number < right.number), "{labels:?}");
    }

    #[test]
    fn room_between_two_labels_ends() {
        let mut labels = new_labels(["a", "b"].map(str::to_owned));
        let mut added = 0;
        while let Some(number) = number_at(&labels, 1) {
            labels.insert(1, EnumLabel { number, label: added.to_string() });
            added += 1;
        }
        assert_eq!(added, 32);
    }

    #[test]
    fn a_column_of_a_composite_type_is_the_same_after_it_was_stored() {
        let fields = vec![("a".to_owned(), SqlType::Integer), ("b".to_owned(), SqlType::Varchar(Some(3)))];
        let stored = SqlType::User(UserSqlType::new(Oid(20_000), Carried::Record(fields)));
        let text = serde_json::to_string(&stored).unwrap();
        assert_eq!(serde_json::from_str::<SqlType>(&text).unwrap(), stored);
    }
}
