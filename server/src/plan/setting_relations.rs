//! `pg_settings`: a view of a function, which no catalog has.

use catalog::ObjectName;
use pg::names::PG_CATALOG;

use crate::analyze::{Analyzed, Analyzer};
use crate::error::Result;
use crate::parse::query;
use crate::plan::PlanContext;

/// Its name.
const PG_SETTINGS: &str = "pg_settings";
const QUERY: &str = "SELECT * FROM pg_catalog.pg_show_all_settings()";

/// Whether a name, as it is written in messages, is its.
pub fn is_settings(name: &str) -> bool {
    name.strip_prefix("pg_catalog.").unwrap_or(name) == PG_SETTINGS
}

/// Its query, if the name is its.
///
/// # Errors
/// None of its own.
pub fn find(name: &ObjectName, context: &PlanContext) -> Result<Option<Analyzed>> {
    match name.schema == PG_CATALOG && name.name == PG_SETTINGS {
        true => Analyzer::new(&context.under(&[]), QUERY, Vec::new()).settled_query(&*query(QUERY)?).map(Some),
        false => Ok(None),
    }
}
