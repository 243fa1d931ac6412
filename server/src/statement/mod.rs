//! Runs statements. Every verb is one line here and one file beside this one.

pub mod add_partitions;
pub mod alter_domain;
pub mod alter_type;
pub mod assignment;
pub mod copy_domains;
pub mod copy_from;
pub mod create_domain;
pub mod create_external_schema;
pub mod create_external_table;
pub mod create_schema;
pub mod create_table;
pub mod create_type;
pub mod create_view;
pub mod drop;
pub mod drop_partition;
pub mod drop_types;
pub mod explain;
pub mod insert;
pub mod literal_rows;
pub mod modify;
pub mod on_conflict;
pub mod outcome;
pub mod prepare;
pub mod query;
pub mod returning;
pub mod row_rules;
pub mod sequence;
pub mod sequence_options;
pub mod set;
pub mod show;
pub mod table_definition;
pub mod transaction;
pub mod truncate;
pub mod vacuum;
pub mod write;

pub use copy_from::CopyIn;
pub use outcome::{Outcome, RowStream};
pub use prepare::prepare;

use datafusion::common::ScalarValue;

use crate::error::Result;
use crate::parse::Statement;
use crate::session::{Prepared, Session};

/// Runs a prepared statement with these parameters. `None` is an empty query string.
///
/// # Errors
/// Whatever the verb finds; nothing of the statement is left.
pub async fn execute(
    session: &mut Session,
    prepared: &Prepared,
    parameters: &[ScalarValue],
) -> Result<Option<Outcome>> {
    let Some(parsed) = &prepared.parsed else { return Ok(None) };
    let outcome = match &parsed.statement {
        Statement::Query(_) => query::execute(session, prepared, parameters).await,
        Statement::Explain(explain) => explain::execute(session, prepared, explain, parameters).await,
        Statement::Insert(insert) => insert::execute(session, prepared, insert, parameters).await,
        Statement::Modify(modify) => modify::execute(session, prepared, modify, parameters).await,
        Statement::Truncate(truncate) => truncate::execute(session, truncate).await,
        Statement::Vacuum { table } => vacuum::execute(session, table.as_ref()).await,
        Statement::CopyFrom(copy) => copy_from::execute(session, copy).await,
        Statement::CreateSchema(create) => create_schema::execute(session, create).await,
        Statement::CreateExternalSchema(create) => create_external_schema::execute(session, create).await,
        Statement::CreateTable(create) => create_table::execute(session, create, &parsed.text).await,
        Statement::CreateSequence(create) => sequence::create(session, create).await,
        Statement::AlterSequence(alter) => sequence::alter(session, alter).await,
        Statement::CreateExternalTable(create) => create_external_table::execute(session, create).await,
        Statement::CreateView(create) => create_view::execute(session, create).await,
        Statement::AddPartitions(add) => add_partitions::execute(session, add).await,
        Statement::DropPartition(drop) => drop_partition::execute(session, drop).await,
        Statement::CreateType(create) => create_type::execute(session, create).await,
        Statement::AlterType(alter) => alter_type::execute(session, alter).await,
        Statement::CreateDomain(create) => create_domain::execute(session, create).await,
        Statement::AlterDomain(alter) => alter_domain::execute(session, alter).await,
        Statement::Drop(drop) => drop::execute(session, drop).await,
        Statement::Begin(modes) => transaction::begin(session, modes),
        Statement::SetTransaction(modes) => transaction::set_transaction(session, modes),
        Statement::Commit => transaction::commit(session).await,
        Statement::Rollback => transaction::rollback(session),
        Statement::Savepoint(name) => transaction::savepoint(session, name),
        Statement::RollbackTo(name) => transaction::rollback_to(session, name),
        Statement::Release(name) => transaction::release(session, name),
        Statement::Set(set) => set::execute(session, set),
        Statement::Reset { name } => set::reset(session, name),
        Statement::ResetAll => set::reset_all(session),
        Statement::Show { name } => show::execute(session, name),
    };
    session.end_statement();
    outcome.map(Some).map_err(|error| write::named_duplicate(&session.values(Vec::new()), error))
}
