//! INSERT into an external table: new files in its folder, or in those of its partitions.

use std::collections::BTreeSet;
use std::sync::Arc;

use catalog::partition::Partitions;
use catalog::{CatalogChange, ExternalTable, HotTable, Oid};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::LogicalPlan;

use crate::error::Result;
use crate::file_writes::FileWrite;
use crate::plan::Planned;
use crate::session::{Prepared, Session};
use crate::statement::Outcome;
use crate::statement::write_files::{FilesTarget, write_query};

/// The table as an INSERT's query is planned for: values are assigned to its columns as to those of a hot table, which
/// accept NULL and have no defaults.
pub fn as_target(table: &ExternalTable) -> HotTable {
    let mut columns = table.all_columns();
    for (number, column) in (1..).zip(&mut columns) {
        column.attribute_number = number;
    }
    HotTable::new(table.oid, table.name.clone(), columns)
}

/// Writes the rows; they are a part of the transaction.
///
/// # Errors
/// The query fails, or a file cannot be written; then there is none.
pub async fn execute(
    session: &mut Session,
    prepared: &Prepared,
    table: &Arc<ExternalTable>,
    parameters: &[ScalarValue],
) -> Result<Outcome> {
    let (planned, plan) = prepared.bound_plan(session, parameters).await?;
    let registered = planned.snapshot.partitions(table.oid);
    let rows = write_rows(session, &planned, plan, table, registered, Vec::new()).await?;
    Ok(Outcome::command(format!("INSERT 0 {rows}")))
}

/// Writes the rows of a query as a table's, and commits them together with `before`.
///
/// # Errors
/// As [`execute`].
pub async fn write_rows(
    session: &mut Session,
    planned: &Planned,
    plan: LogicalPlan,
    table: &Arc<ExternalTable>,
    registered: Arc<Partitions>,
    before: Vec<CatalogChange>,
) -> Result<u64> {
    let write = FileWrite::begin(session.server.catalog.clone(), session.stores()?).await?;
    let target = FilesTarget::of_table(session.stores()?, table, registered, write.writes(), write.number())?;
    let mut files = write_query(session, planned, plan, target).await?;
    write.publish(&mut files, &BTreeSet::new()).await?;
    let new_partitions = std::mem::take(&mut files.new_partitions);
    let changes = before.into_iter().chain(registrations(table.oid, new_partitions)).chain([write.end()]);
    session.commit(changes.collect()).await?;
    session.keep_file_write(write);
    Ok(files.rows())
}

fn registrations(table: Oid, partitions: Vec<catalog::Partition>) -> impl Iterator<Item = CatalogChange> {
    let may_exist = true;
    partitions.into_iter().map(move |partition| CatalogChange::AddPartition { table, partition, may_exist })
}
