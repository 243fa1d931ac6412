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
mod locks;
mod numbers;
mod row_formats;
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
pub use constraints::operator_class_name;
pub use locks::LockRows;
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
    let live = match relation.name {
        activity::NAME => Some(provider_as_source(Arc::new(InMemory(context.activity(relation))))),
        locks::NAME => Some(provider_as_source(Arc::new(InMemory(context.locks(relation))))),
        _ => None,
    };
    if let Some(source) = live {
        let name = ObjectName::new(schema, name);
        return Ok(Some(FoundRelation::Table { oid: Oid(0), name, source, system_columns: 0 }));
    }
    let table = SystemTable::new(relation, context.snapshot().clone(), context.database(), context.system_rows());
    let (name, source) = (ObjectName::new(schema, name), provider_as_source(Arc::new(table)));
    let system_columns = table::columns_by_name_only(relation);
    Ok(Some(FoundRelation::Table { oid: Oid(0), name, source, system_columns }))
}

/// What makes the rows of a table, of what a session in a database sees.
type Maker = fn(&CatalogSnapshot, &str) -> Result<RecordBatch>;

/// The rows of a table.
///
/// # Errors
/// None but bugs.
fn rows_of(relation: &'static recorded::Relation, snapshot: &CatalogSnapshot, database: &str) -> Result<RecordBatch> {
    match maker(relation) {
        Some(make) => make(snapshot, database),
        None if relation.schema == PG_CATALOG => rows::recorded_rows(relation.name, |_| true),
        None => Ok(RecordBatch::new_empty(rows::schema_of(relation))),
    }
}

/// Whether a table has no rows whatever is made: it is about something that is not here.
fn is_always_empty(relation: &'static recorded::Relation) -> bool {
    let recorded =
        || relation.schema == PG_CATALOG && recorded::rows(relation.name).is_some_and(|it| !it.rows.is_empty());
    maker(relation).is_none() && !recorded()
}

/// What makes the rows of a table that are not recorded.
fn maker(relation: &'static recorded::Relation) -> Option<Maker> {
    if relation.schema != PG_CATALOG {
        return None;
    }
    Some(match relation.name {
        "pg_aggregate" => |_, _| functions::pg_aggregate(),
        "pg_attrdef" => |snapshot, _| classes::pg_attrdef(snapshot),
        "pg_attribute" => |snapshot, _| classes::pg_attribute(snapshot),
        "pg_cast" => |_, _| functions::pg_cast(),
        "pg_class" => |snapshot, _| classes::pg_class(snapshot),
        "pg_constraint" => |snapshot, _| constraints::pg_constraint(snapshot),
        "pg_database" => |_, database| databases::pg_database(database),
        "pg_db_role_setting" => |snapshot, _| databases::pg_db_role_setting(snapshot),
        "pg_depend" => |snapshot, _| dependencies::pg_depend(snapshot),
        "pg_description" => |snapshot, _| dependencies::pg_description(snapshot),
        "pg_enum" => |snapshot, _| types::pg_enum(snapshot),
        "pg_external_partition" => |snapshot, _| classes::pg_external_partition(snapshot),
        "pg_foreign_data_wrapper" => |snapshot, _| schemas::pg_foreign_data_wrapper(snapshot),
        "pg_foreign_server" => |snapshot, _| schemas::pg_foreign_server(snapshot),
        "pg_foreign_table" => |snapshot, _| classes::pg_foreign_table(snapshot),
        "pg_index" => |snapshot, _| constraints::pg_index(snapshot),
        "pg_namespace" => |snapshot, _| schemas::pg_namespace(snapshot),
        "pg_operator" => |_, _| functions::pg_operator(),
        "pg_proc" => |_, _| functions::pg_proc(),
        "pg_rewrite" => |snapshot, _| dependencies::pg_rewrite(snapshot),
        "pg_sequence" => |snapshot, _| classes::pg_sequence(snapshot),
        "pg_shdescription" => |snapshot, _| dependencies::pg_shdescription(snapshot),
        "pg_type" => |snapshot, _| types::pg_type(snapshot),
        _ => return None,
    })
}
