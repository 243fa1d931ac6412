//! ALTER TABLE … DROP PARTITION. The files stay.

use catalog::CatalogChange;

use crate::error::Result;
use crate::parse::statement::DropPartition;
use crate::session::Session;
use crate::statement::Outcome;
use crate::statement::add_partitions::{partition_values, partitioned_table};

/// # Errors
/// The table is none, the values are wrong, or there is no such partition.
pub async fn execute(session: &mut Session, drop: &DropPartition) -> Result<Outcome> {
    let table = partitioned_table(session, &drop.table)?;
    let values = partition_values(&table, &drop.values)?;
    if drop.if_exists && session.snapshot()?.partitions(table.oid).get(&values).is_none() {
        session.notice(format!("partition of \"{}\" does not exist, skipping", table.name.name));
        return Ok(Outcome::command("ALTER TABLE"));
    }
    session.commit(vec![CatalogChange::DropPartition { table: table.oid, values }]).await?;
    Ok(Outcome::command("ALTER TABLE"))
}
