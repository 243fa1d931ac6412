//! The schemas `pg_catalog` and `information_schema`: every relation and column that PostgreSQL 15 has, with rows that say
//! what is here.
//!
//! What relations there are, and what they are like, is recorded ([`pg::recorded`]). The rows of tables are made from the
//! catalog's snapshot, one function for each table, or are recorded too. Views are queries over them ([`views`]). What is
//! neither says nothing: it is about something that is not here, and has no rows.

mod activity;
mod classes;
mod constraints;
mod databases;
mod dependencies;
mod functions;
mod numbers;
mod rows;
mod schemas;
mod table;
mod type_facts;
mod types;
pub mod views;

use std::sync::Arc;

use arrow::array::RecordBatch;
use catalog::{CatalogSnapshot, ObjectName, Oid};
use datafusion::datasource::provider_as_source;
use pg::names::PG_CATALOG;
use pg::recorded;

pub use activity::ActivityRows;
pub use table::{SystemRows, SystemTable};

use crate::error::Result;
use crate::plan::in_memory::InMemory;
use crate::plan::{FoundRelation, PlanContext};

/// The relation of this name, if there is one.
///
/// # Errors
/// None but bugs.
pub fn find(schema: &str, name: &str, context: &PlanContext) -> Result<Option<FoundRelation>> {
    if let Some(analyzed) = views::analyzed(schema, name, context)? {
        let name = ObjectName::new(schema, name);
        return Ok(Some(FoundRelation::View { oid: Oid(0), name, analyzed: Box::new(analyzed) }));
    }
    let Some(relation) = recorded::relation(schema, name) else { return Ok(None) };
    if relation.name == activity::NAME {
        let source = provider_as_source(Arc::new(InMemory(context.activity(relation))));
        let name = ObjectName::new(schema, name);
        return Ok(Some(FoundRelation::Table { oid: Oid(0), name, source, system_columns: 0 }));
    }
    let table = SystemTable::new(relation, context.snapshot().clone(), context.database(), context.system_rows());
    let (name, source) = (ObjectName::new(schema, name), provider_as_source(Arc::new(table)));
    let system_columns = table::columns_by_name_only(relation);
    Ok(Some(FoundRelation::Table { oid: Oid(0), name, source, system_columns }))
}

/// The rows of a table.
///
/// # Errors
/// None but bugs.
fn rows_of(relation: &'static recorded::Relation, snapshot: &CatalogSnapshot, database: &str) -> Result<RecordBatch> {
    if relation.schema != PG_CATALOG {
        return Ok(RecordBatch::new_empty(rows::schema_of(relation)));
    }
    match relation.name {
        "pg_aggregate" => functions::pg_aggregate(),
        "pg_attrdef" => classes::pg_attrdef(snapshot),
        "pg_attribute" => classes::pg_attribute(snapshot),
        "pg_cast" => functions::pg_cast(),
        "pg_class" => classes::pg_class(snapshot),
        "pg_constraint" => constraints::pg_constraint(snapshot),
        "pg_database" => databases::pg_database(database),
        "pg_db_role_setting" => databases::pg_db_role_setting(snapshot),
        "pg_depend" => dependencies::pg_depend(snapshot),
        "pg_description" => dependencies::pg_description(snapshot),
        "pg_enum" => types::pg_enum(snapshot),
        "pg_external_partition" => classes::pg_external_partition(snapshot),
        "pg_foreign_data_wrapper" => schemas::pg_foreign_data_wrapper(snapshot),
        "pg_foreign_server" => schemas::pg_foreign_server(snapshot),
        "pg_foreign_table" => classes::pg_foreign_table(snapshot),
        "pg_index" => constraints::pg_index(snapshot),
        "pg_namespace" => schemas::pg_namespace(snapshot),
        "pg_operator" => functions::pg_operator(),
        "pg_proc" => functions::pg_proc(),
        "pg_rewrite" => dependencies::pg_rewrite(snapshot),
        "pg_sequence" => classes::pg_sequence(snapshot),
        "pg_shdescription" => dependencies::pg_shdescription(snapshot),
        "pg_type" => types::pg_type(snapshot),
        recorded => rows::recorded_rows(recorded, |_| true),
    }
}
