//! What `pg_type`, and the columns of a type, say of its values.

use std::collections::HashMap;
use std::sync::LazyLock;

use catalog::{CatalogSnapshot, Oid, UserTypeKind};
use pg::recorded;
use pg::types::{DEFAULT_COLLATION_OID, HLLSKETCH, HLLSKETCH_ARRAY};

/// What is to be known of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeFacts {
    /// `typlen`
    pub length: i16,
    /// `typbyval`
    pub by_value: bool,
    /// `typalign`
    pub align: &'static str,
    /// `typstorage`
    pub storage: &'static str,
    /// `typcollation`
    pub collation: u32,
    /// Whether its values are arrays.
    pub is_array: bool,
}

const OF_ENUMS: TypeFacts =
    TypeFacts { length: 4, by_value: true, align: "i", storage: "p", collation: 0, is_array: false };
const OF_ARRAYS: TypeFacts =
    TypeFacts { length: -1, by_value: false, align: "i", storage: "x", collation: 0, is_array: true };
/// Of composite types, and of what is known by no number.
const OF_RECORDS: TypeFacts =
    TypeFacts { length: -1, by_value: false, align: "d", storage: "x", collation: 0, is_array: false };
const OF_JSON: TypeFacts = TypeFacts { align: "i", ..OF_RECORDS };
const OF_TEXT: TypeFacts = TypeFacts { align: "i", collation: DEFAULT_COLLATION_OID, ..OF_RECORDS };

static RECORDED: LazyLock<HashMap<u32, TypeFacts>> = LazyLock::new(|| recorded_facts().unwrap_or_default());

fn recorded_facts() -> Option<HashMap<u32, TypeFacts>> {
    let rows = recorded::rows("pg_type")?;
    let [length, by_value, align, storage, collation, category] =
        ["typlen", "typbyval", "typalign", "typstorage", "typcollation", "typcategory"].map(|name| rows.column(name));
    let (length, by_value, align) = (length?, by_value?, align?);
    let (storage, collation, category) = (storage?, collation?, category?);
    let facts = |row: &'static Vec<Option<&'static str>>| {
        let facts = TypeFacts {
            length: row[length]?.parse().ok()?,
            by_value: row[by_value]? == "t",
            align: row[align]?,
            storage: row[storage]?,
            collation: row[collation]?.parse().ok()?,
            is_array: row[category]? == "A",
        };
        Some((row[0]?.parse().ok()?, facts))
    };
    Some(rows.rows.iter().filter_map(facts).collect())
}

/// What is to be known of the type with this number.
pub fn facts(snapshot: &CatalogSnapshot, oid: u32) -> TypeFacts {
    if let Some(facts) = RECORDED.get(&oid) {
        return *facts;
    }
    match snapshot.user_type_by_oid(Oid(oid)) {
        None if oid == HLLSKETCH => OF_JSON,
        None if oid == HLLSKETCH_ARRAY => OF_ARRAYS,
        Some(ty) if ty.array_oid.0 == oid => OF_ARRAYS,
        Some(ty) => match &ty.kind {
            UserTypeKind::Enum(_) => OF_ENUMS,
            UserTypeKind::Domain(domain) => facts(snapshot, domain.base.oid().0),
            UserTypeKind::Composite(_) => OF_RECORDS,
        },
        None if snapshot.relation_by_oid(Oid(oid)).is_some() => OF_RECORDS,
        None => OF_TEXT,
    }
}
