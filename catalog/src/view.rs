//! Views: queries with a name.

use serde::{Deserialize, Serialize};

use crate::hot_table::{Column, HotTable};
use crate::name::{ObjectName, Oid};
use crate::named_files::NamedFiles;

/// The definition of a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Its number.
    pub oid: Oid,
    /// Its name.
    pub name: ObjectName,
    /// Names of its columns.
    pub columns: Vec<String>,
    /// The types of its columns, by number, with their modifiers.
    #[serde(default)]
    pub column_types: Vec<(Oid, i32)>,
    /// The query's text, as it was written.
    pub query: String,
    /// The search path it was written under: its names mean what they meant then.
    pub search_path: Vec<String>,
    /// The relations the query reads, by number: what DROP … CASCADE follows.
    pub depends_on: Vec<Oid>,
    /// The relations that the query names, as they were when it was written.
    #[serde(default)]
    pub relations: Vec<SeenRelation>,
    /// The files that the query names, as they were described when it was written: columns that others have by now are
    /// found in them by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<NamedFiles>,
    /// `WITH NO SCHEMA BINDING`: its names mean what they mean when it is read, and its columns, but those that were given
    /// names, are known then. It depends on nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late_binding: bool,
}

/// A relation as the text of a view knows it, whatever it and its columns are called by now, and whatever columns it has
/// got since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenRelation {
    /// Its number.
    pub oid: Oid,
    /// What it is called in the text.
    pub name: ObjectName,
    /// Its columns, in their order.
    pub columns: Vec<SeenColumn>,
}

/// A column as the text of a view knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenColumn {
    /// Its attribute number; of a view's column, its place from 1.
    pub number: i16,
    /// What it is called in the text.
    pub name: String,
    /// Whether the view reads it, so that it cannot be dropped alone.
    pub is_read: bool,
}

impl View {
    /// How its text knows the relation with this number.
    pub fn seen(&self, oid: Oid) -> Option<&SeenRelation> {
        self.relations.iter().find(|relation| relation.oid == oid)
    }

    /// Whether it reads this column of a relation.
    pub fn reads_column(&self, oid: Oid, number: i16) -> bool {
        let columns = self.seen(oid).map(|seen| seen.columns.as_slice()).unwrap_or_default();
        columns.iter().any(|column| column.number == number && column.is_read)
    }
}

impl SeenRelation {
    /// A table with the columns, and the names, that it had.
    pub fn of_table(&self, table: &HotTable) -> HotTable {
        let column = |seen: &SeenColumn| {
            let column = table.column(seen.number)?;
            Some(Column { name: seen.name.clone(), ..column.clone() })
        };
        let columns = self.columns.iter().filter_map(column).collect();
        HotTable { name: self.name.clone(), columns, ..table.clone() }
    }
}
