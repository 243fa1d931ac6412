//! Views: queries with a name.

use serde::{Deserialize, Serialize};

use crate::name::{ObjectName, Oid};

/// The definition of a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Its number.
    pub oid: Oid,
    /// Its name.
    pub name: ObjectName,
    /// Names of its columns.
    pub columns: Vec<String>,
    /// The query's text, as it was written.
    pub query: String,
    /// The search path it was written under: its names mean what they meant then.
    pub search_path: Vec<String>,
    /// The relations the query reads, by number: what DROP … CASCADE follows.
    pub depends_on: Vec<Oid>,
}
