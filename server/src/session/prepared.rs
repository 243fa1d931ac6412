//! Prepared statements and portals.

use std::sync::Arc;

use datafusion::common::ScalarValue;

use crate::parse::Parsed;
use crate::plan::Planned;
use crate::statement::RowStream;
use crate::wire::rows::Format;

/// A statement that has been parsed and, if it is a query, planned.
#[derive(Debug)]
pub struct Prepared {
    /// The statement; `None` is an empty query string.
    pub parsed: Option<Parsed>,
    /// Its plan, if it has one.
    pub planned: Option<Planned>,
    /// OIDs of its parameters' types.
    pub parameter_types: Vec<u32>,
}

impl Prepared {
    /// The text of the query string it came in.
    pub fn text(&self) -> &str {
        self.parsed.as_ref().map_or("", |parsed| parsed.text.as_ref())
    }
}

/// A prepared statement with values for its parameters.
#[derive(Debug)]
pub struct Portal {
    /// The statement.
    pub prepared: Arc<Prepared>,
    /// The values.
    pub parameters: Vec<ScalarValue>,
    /// Formats of the result columns: none, one for all, or one for each.
    pub formats: Vec<Format>,
    /// The rows that have not been fetched, once it has been executed in part.
    pub rows: Option<RowStream>,
    /// Whether it has been executed to its end.
    pub finished: bool,
}
