//! ALTER TABLE … ADD PARTITION.

use std::sync::Arc;

use catalog::{CatalogChange, ExternalTable, Partition, Relation};
use sqlparser::ast;
use storage::external::canonical_partition_value;

use crate::error::{Error, Result};
use crate::parse::statement::{AddPartitions, PartitionValues};
use crate::plan::relations::{NameScope, identifier};
use crate::session::{Action, Object, Session, authorize};
use crate::statement::Outcome;

/// # Errors
/// The table is none, the values are wrong, the location cannot be read, or the partition is there already.
pub async fn execute(session: &mut Session, add: &AddPartitions) -> Result<Outcome> {
    let table = partitioned_table(session, &add.table)?;
    let known = session.snapshot()?.partitions(table.oid);
    let guard = session.guard();
    let (mut changes, mut locations) = (Vec::new(), Vec::new());
    for (values, location) in &add.partitions {
        let values = partition_values(&table, values)?;
        if add.if_not_exists && known.get(&values).is_some() {
            session.notice(format!("partition of \"{}\" already exists, skipping", table.name.name));
            continue;
        }
        authorize(&session.identity, Action::UseLocation, Object::Location(location))?;
        locations.push(location.clone());
        let partition = Partition { values, location: location.clone() };
        changes.push(CatalogChange::AddPartition { table: table.oid, partition, may_exist: false });
    }
    guard.run(session.stores()?.check_all_readable(locations)).await??;
    if !changes.is_empty() {
        session.commit(changes).await?;
    }
    Ok(Outcome::command("ALTER TABLE"))
}

/// The external table with partition columns that a statement is about.
///
/// # Errors
/// 42P01, or 42809 when it is something else.
pub fn partitioned_table(session: &mut Session, name: &ast::ObjectName) -> Result<Arc<ExternalTable>> {
    let snapshot = session.snapshot()?;
    let relation = NameScope::of(session).must_relation(&snapshot, name)?;
    authorize(&session.identity, Action::Alter, Object::Relation(relation))?;
    match relation {
        Relation::External(table) if !table.partition_columns.is_empty() => Ok(table.clone()),
        other => {
            Err(Error::WrongObjectType { name: other.name().name.clone(), expected: "a partitioned external table" })
        }
    }
}

/// The values of a partition, in the order of the table's partition columns, in their canonical form.
///
/// # Errors
/// A column is missing, unknown or named twice, or a value is none of its column's type.
pub fn partition_values(table: &ExternalTable, written: &PartitionValues) -> Result<Vec<Option<String>>> {
    for (number, (column, _)) in written.iter().enumerate() {
        let name = identifier(column);
        if !table.partition_columns.iter().any(|column| column.name == name) {
            return Err(Error::UndefinedColumn { column: name, relation: table.name.name.clone() });
        }
        if written[..number].iter().any(|(earlier, _)| identifier(earlier) == name) {
            return Err(Error::DuplicateColumn { column: name });
        }
    }
    let value_of = |column: &catalog::Column| {
        let found = written.iter().find(|(name, _)| identifier(name) == column.name);
        match found {
            Some((_, Some(text))) => Ok(Some(canonical_partition_value(text, column)?)),
            Some((_, None)) => Ok(None),
            None => Err(Error::InvalidDefinition {
                message: format!("no value is given for partition column \"{}\"", column.name),
            }),
        }
    };
    table.partition_columns.iter().map(value_of).collect()
}
