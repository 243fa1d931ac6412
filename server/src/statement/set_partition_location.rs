//! ALTER TABLE … PARTITION … SET LOCATION: the partition is somewhere else from now on. The files stay.

use catalog::{CatalogChange, Partition};

use crate::error::Result;
use crate::parse::statement::SetPartitionLocation;
use crate::session::{Action, Object, Session, authorize};
use crate::statement::Outcome;
use crate::statement::add_partitions::{partition_values, partitioned_table};

/// # Errors
/// The table is none, the values are wrong, there is no such partition, or the location cannot be read.
pub async fn execute(session: &mut Session, set: &SetPartitionLocation) -> Result<Outcome> {
    let table = partitioned_table(session, &set.table)?;
    let values = partition_values(&table, &set.values)?;
    authorize(&session.identity, Action::UseLocation, Object::Location(&set.location))?;
    let guard = session.guard();
    guard.run(session.stores()?.check_all_readable(vec![set.location.clone()])).await??;
    let (oid, location) = (table.oid, set.location.clone());
    let partition = Partition { values: values.clone(), location };
    let moved = vec![
        CatalogChange::DropPartition { table: oid, values },
        CatalogChange::AddPartition { table: oid, partition, may_exist: false },
    ];
    session.commit(moved).await?;
    Ok(Outcome::command("ALTER TABLE"))
}
