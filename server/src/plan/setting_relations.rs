//! `pg_settings`: a view of a function, which no catalog has.

use catalog::ObjectName;
use pg::names::PG_CATALOG;

use crate::analyze::{Analyzed, Analyzer};
use crate::error::Result;
use crate::parse::query;
use crate::plan::PlanContext;

/// Its name.
pub const PG_SETTINGS: &str = "pg_settings";
const QUERY: &str = "SELECT * FROM pg_catalog.pg_show_all_settings()";

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
