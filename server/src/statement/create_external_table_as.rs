//! CREATE EXTERNAL TABLE … AS: an external table, and the rows of a query in its files.

use std::sync::Arc;

use catalog::{CatalogChange, Column, ExternalTable};
use datafusion::common::ScalarValue;
use pg::Type;

use crate::error::{Error, Result};
use crate::parse::statement::CreateExternalTableAs;
use crate::plan::types::type_of_result;
use crate::session::{Prepared, Session};
use crate::statement::Outcome;
use crate::statement::create_external_table::{check_columns, new_name};
use crate::statement::insert_external::write_rows;
use crate::statement::partition_order::{column_order, with_columns};

/// # Errors
/// The name is taken, a column is none that such a table can have, there is something at the location, or the query fails;
/// then there are neither table nor files.
pub async fn execute(
    session: &mut Session,
    prepared: &Prepared,
    create: &CreateExternalTableAs,
    parameters: &[ScalarValue],
) -> Result<Outcome> {
    let (planned, plan) = prepared.bound_plan(session, parameters).await?;
    let snapshot = planned.snapshot.clone();
    let Some(name) = new_name(session, &snapshot, &create.name, &create.location, create.if_not_exists)? else {
        return Ok(Outcome::command("CREATE EXTERNAL TABLE"));
    };
    let names = session.names()?;
    let all = {
        let _entered = names.enter();
        columns(&planned.schema)?
    };
    let names: Vec<_> = all.iter().map(|column| column.name.as_str()).collect();
    let order = column_order(&names, &create.partition_columns)?;
    let in_files = all.len() - create.partition_columns.len();
    let numbered = |(number, place): (i16, &usize)| Column { attribute_number: number, ..all[*place].clone() };
    let ordered: Vec<Column> = (1..).zip(&order).map(numbered).collect();
    let (file_columns, partition_columns) = ordered.split_at(in_files);
    check_columns(file_columns, partition_columns, &create.format.format)?;
    let (guard, stores) = (session.guard(), session.stores()?);
    stores.check_writable(&create.location)?;
    if guard.run(stores.has_files(&create.location)).await?? {
        return Err(storage::Error::LocationNotEmpty { location: create.location.clone() }.into());
    }
    let plan = with_columns(plan, &order)?;
    let table = Arc::new(ExternalTable {
        oid: session.server.catalog.allocate_oid(),
        name,
        columns: file_columns.to_vec(),
        partition_columns: partition_columns.to_vec(),
        format: create.format.format.clone(),
        compression: create.format.compression,
        encoding: create.format.encoding,
        layout: create.layout.clone(),
        bad_data: create.bad_data.clone(),
        location: create.location.clone(),
        properties: create.properties.clone(),
    });
    let created = vec![CatalogChange::CreateExternalTable(table.as_ref().clone())];
    let rows = write_rows(session, &planned, plan, &table, Arc::default(), created).await?;
    Ok(Outcome::command(format!("SELECT {rows}")))
}

/// The columns of the query.
fn columns(query: &arrow::datatypes::Schema) -> Result<Vec<Column>> {
    let mut columns: Vec<Column> = Vec::with_capacity(query.fields().len());
    for (number, field) in (1..).zip(query.fields()) {
        if columns.iter().any(|column| column.name == *field.name()) {
            return Err(Error::DuplicateColumn { column: field.name().clone() });
        }
        let sql_type = type_of_result(field.name(), &Type::of_field(field))?;
        columns.push(Column::new(number, field.name().clone(), sql_type));
    }
    Ok(columns)
}
