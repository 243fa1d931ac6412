//! CREATE TABLE … AS, SELECT … INTO: a hot table, and the rows of a query in it.

use std::sync::Arc;

use arrow::datatypes::Schema;
use catalog::{CatalogChange, Column, HotTable};
use datafusion::common::ScalarValue;
use pg::{PgError, Type};
use storage::hot::TableWriter;
use storage::hot::table_writer::WrittenRows;

use crate::error::{Error, Result};
use crate::parse::statement::{CreateTableAs, RowsOf};
use crate::plan::relations::identifier;
use crate::plan::types::type_of_result;
use crate::session::{Prepared, Session};
use crate::statement::Outcome;
use crate::statement::assignment::expected_domains;
use crate::statement::create_table::new_table;
use crate::statement::insert::for_each_batch;
use crate::statement::row_rules::RowRules;
use crate::statement::table_definition::add_attributes;

/// # Errors
/// The name is taken, a column is none that a table can have, or the query fails; then there is no table.
pub async fn execute(
    session: &mut Session,
    prepared: &Prepared,
    create: &CreateTableAs,
    parameters: &[ScalarValue],
) -> Result<Outcome> {
    let (planned, plan) = prepared.bound_plan(session, parameters).await?;
    let snapshot = planned.snapshot.clone();
    let Some((name, on_commit)) = new_table(session, &snapshot, &create.name, &create.lifetime, create.if_not_exists)?
    else {
        return Ok(Outcome::command("CREATE TABLE AS"));
    };
    let names = session.names()?;
    let columns = {
        let _entered = names.enter();
        columns(create, &planned.schema)?
    };
    let server = &session.server;
    let oid = server.catalog.allocate_oid();
    let mut table = HotTable { on_commit, ..HotTable::new(oid, name, columns) };
    add_attributes(&mut table, &create.attributes)?;
    let table = Arc::new(table);
    let mut changes = vec![CatalogChange::CreateHotTable(table.as_ref().clone())];
    if !create.with_data {
        session.commit(changes).await?;
        return Ok(Outcome::command("CREATE TABLE AS"));
    }
    let reservation = server.engine.reserve("create table as");
    let mut writer = TableWriter::new(table.clone(), server.segments.clone(), reservation)?;
    let rules = RowRules::new(session, &snapshot, &table)?;
    let ordered = matches!(&create.query, RowsOf::Query(query) if query.order_by.is_some());
    for_each_batch(session, &planned, plan, ordered, |batch| {
        Ok(writer.append(rules.checked(batch.columns().to_vec(), batch.num_rows())?)?)
    })
    .await?;
    let WrittenRows { changes: rows, rows: count, .. } = writer.finish()?;
    changes.extend(expected_domains(&planned.snapshot, &table));
    if !rows.is_empty() {
        changes.push(CatalogChange::ChangeRows { table: oid, changes: rows });
    }
    session.commit(changes).await?;
    Ok(Outcome::command(format!("SELECT {count}")))
}

/// The columns of the table: those of the query, the first of them under the names that are given.
fn columns(create: &CreateTableAs, query: &Schema) -> Result<Vec<Column>> {
    if create.columns.len() > query.fields().len() {
        let message = "too many column names were specified".to_owned();
        return Err(Error::Syntax { message, detail: None, position: None });
    }
    let mut columns: Vec<Column> = Vec::with_capacity(query.fields().len());
    for (place, field) in query.fields().iter().enumerate() {
        let name = create.columns.get(place).map_or_else(|| field.name().clone(), identifier);
        if columns.iter().any(|column| column.name == name) {
            return Err(Error::DuplicateColumn { column: name });
        }
        let sql_type = type_of_result(&name, &Type::of_field(field))?;
        let number = i16::try_from(place + 1).map_err(|_| PgError::internal("a query has too many columns"))?;
        columns.push(Column::new(number, name, sql_type));
    }
    Ok(columns)
}
