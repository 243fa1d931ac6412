//! Types made of other types, which come from files: structs and maps.

use std::fmt;

use arrow::datatypes::{DataType, Field, Fields};
use serde::{Deserialize, Serialize};

use super::SqlType;

/// A field of a struct.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StructField {
    /// Its name.
    pub name: String,
    /// Its type.
    pub sql_type: SqlType,
}

/// The types of a map's keys and values.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MapEntry {
    /// The type of the keys.
    pub key: SqlType,
    /// The type of the values.
    pub value: SqlType,
}

impl MapEntry {
    /// The Arrow type of a map with such entries; its keys are never NULL.
    pub(super) fn in_flight(&self) -> DataType {
        let entries = Fields::from(vec![self.key.field("key", false), self.value.field("value", true)]);
        DataType::Map(Field::new("entries", DataType::Struct(entries), false).into(), false)
    }
}

/// The Arrow type of structs with these fields.
pub(super) fn struct_of(fields: &[StructField]) -> DataType {
    DataType::Struct(fields.iter().map(|field| field.sql_type.field(&field.name, true)).collect())
}

/// The names as `CREATE EXTERNAL TABLE` reads them.
impl fmt::Display for StructField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.sql_type)
    }
}

impl fmt::Display for MapEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "map<{},{}>", self.key, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nested_type_is_written_down_and_read_back() {
        let money = SqlType::from_oid(crate::Oid(1700), (10 << 16 | 2) + 4).unwrap();
        let item = SqlType::Struct(vec![
            StructField { name: "price".into(), sql_type: money },
            StructField { name: "tags".into(), sql_type: SqlType::array_of(SqlType::Varchar(Some(5))) },
        ]);
        let items = SqlType::array_of(item);
        let map = SqlType::Map(Box::new(MapEntry { key: SqlType::Text, value: items.clone() }));
        let text = "map<text,struct<price:numeric(10,2),tags:character varying(5)[]>[]>";
        assert_eq!(map.to_string(), text);
        let stored = serde_json::to_string(&map).unwrap();
        assert_eq!(serde_json::from_str::<SqlType>(&stored).unwrap(), map);
        assert_eq!((items.oid().0, map.oid().0), (2287, super::super::MAP_OID));
    }
}
