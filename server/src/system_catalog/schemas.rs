//! Schemas, and what stands for external ones: `pg_namespace`, `pg_foreign_server`, `pg_foreign_data_wrapper`.

use arrow::array::RecordBatch;
use catalog::{CatalogSnapshot, Schema, SchemaKind};
use pg::names::{WRAPPER, WRAPPER_OID};
use pg::recorded;

use super::numbers::OWNER;
use super::rows::{Rows, Value};
use crate::error::Result;

/// `pg_namespace`
///
/// # Errors
/// None but bugs.
pub fn pg_namespace(snapshot: &CatalogSnapshot) -> Result<RecordBatch> {
    let mut rows = Rows::new("pg_namespace", &["oid", "nspname", "nspowner"])?;
    for row in recorded::rows("pg_namespace").map(|it| it.rows.as_slice()).unwrap_or_default() {
        let oid: u32 = row[0].and_then(|oid| oid.parse().ok()).unwrap_or_default();
        rows.push([oid.into(), Value::from(row[1]), OWNER.into()])?;
    }
    for schema in snapshot.schemas() {
        rows.push([schema.oid.into(), Value::from(&schema.name), OWNER.into()])?;
    }
    rows.finish()
}

/// `pg_foreign_data_wrapper`: one, as soon as there is an external schema.
///
/// # Errors
/// None but bugs.
pub fn pg_foreign_data_wrapper(snapshot: &CatalogSnapshot) -> Result<RecordBatch> {
    let mut rows = Rows::new("pg_foreign_data_wrapper", &["oid", "fdwname", "fdwowner"])?;
    if external(snapshot).next().is_some() {
        rows.push([WRAPPER_OID.into(), WRAPPER.into(), OWNER.into()])?;
    }
    rows.finish()
}

/// `pg_foreign_server`: the external schemas.
///
/// # Errors
/// None but bugs.
pub fn pg_foreign_server(snapshot: &CatalogSnapshot) -> Result<RecordBatch> {
    let columns = ["oid", "srvname", "srvowner", "srvfdw", "srvoptions"];
    let mut rows = Rows::new("pg_foreign_server", &columns)?;
    for (schema, source) in external(snapshot) {
        // What roles may be used is said to nobody.
        let options = [("database", &source.database), ("region", &source.region)];
        let options = options.into_iter().filter_map(|(name, value)| value.as_ref().map(|it| format!("{name}={it}")));
        let options: Vec<String> = options.collect();
        let options = if options.is_empty() { Value::Null } else { options.into() };
        rows.push([schema.oid.into(), Value::from(&schema.name), OWNER.into(), WRAPPER_OID.into(), options])?;
    }
    rows.finish()
}

fn external(snapshot: &CatalogSnapshot) -> impl Iterator<Item = (&Schema, &catalog::ExternalSource)> {
    snapshot.schemas().filter_map(|schema| match &schema.kind {
        SchemaKind::External(source) => Some((schema.as_ref(), source)),
        SchemaKind::Local => None,
    })
}
