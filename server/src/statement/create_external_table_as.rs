//! CREATE EXTERNAL TABLE … AS: an external table, and the rows of a query in its files.

use std::sync::Arc;

use catalog::{CatalogChange, Column, ExternalTable, SchemaKind};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use pg::Type;

use crate::error::{Error, Result};
use crate::parse::statement::CreateExternalTableAs;
use crate::plan::relations::{NameScope, identifier};
use crate::plan::types::type_of_result;
use crate::session::{Action, Object, Prepared, Session, authorize};
use crate::statement::Outcome;
use crate::statement::create_external_table::{check_columns, not_external};
use crate::statement::create_table::{check_type_name, exists_already, is_taken};
use crate::statement::insert_external::write_rows;

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
    let (name, schema) = NameScope::of(session).new_permanent(&snapshot, &create.name, "external table")?;
    authorize(&session.identity, Action::Create, Object::Schema(&name.schema))?;
    authorize(&session.identity, Action::UseLocation, Object::Location(&create.location))?;
    if schema == SchemaKind::Local {
        return Err(not_external(&name));
    }
    if is_taken(&snapshot, &name) {
        return exists_already(session, name, create.if_not_exists, "CREATE EXTERNAL TABLE");
    }
    check_type_name(&snapshot, &name)?;
    let names = session.names()?;
    let all = {
        let _entered = names.enter();
        columns(&planned.schema)?
    };
    let order = column_order(&all, create)?;
    let in_files = all.len() - create.partition_columns.len();
    let numbered = |(number, place): (i16, &usize)| Column { attribute_number: number, ..all[*place].clone() };
    let ordered: Vec<Column> = (1..).zip(&order).map(numbered).collect();
    let (file_columns, partition_columns) = ordered.split_at(in_files);
    check_columns(file_columns, partition_columns, &create.format.format)?;
    let guard = session.guard();
    if guard.run(session.server.stores.has_files(&create.location)).await?? {
        return Err(storage::Error::LocationNotEmpty { location: create.location.clone() }.into());
    }
    let reordered = order.iter().map(|place| Expr::Column(plan.schema().qualified_field(*place).into()));
    let reordered: Vec<Expr> = reordered.collect();
    let plan = match order.is_sorted() {
        true => plan,
        false => LogicalPlanBuilder::from(plan).project(reordered)?.build()?,
    };
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

/// The places of the columns, those of partitions at the end.
fn column_order(columns: &[Column], create: &CreateExternalTableAs) -> Result<Vec<usize>> {
    let mut partition_columns = Vec::new();
    for name in create.partition_columns.iter().map(identifier) {
        let place = columns.iter().position(|column| column.name == name);
        let relation = create.name.to_string();
        let place = place.ok_or_else(|| Error::UndefinedColumn { column: name.clone(), relation })?;
        if partition_columns.contains(&place) {
            return Err(Error::DuplicateColumn { column: name });
        }
        partition_columns.push(place);
    }
    if partition_columns.len() == columns.len() {
        let message = "a partitioned table needs a column besides those of PARTITIONED BY".to_owned();
        return Err(Error::InvalidDefinition { message });
    }
    let others = (0..columns.len()).filter(|place| !partition_columns.contains(place));
    Ok(others.chain(partition_columns.iter().copied()).collect())
}
