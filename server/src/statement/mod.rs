//! Runs statements. Every verb is one line here and one file beside this one.

pub mod add_partitions;
pub mod alter_domain;
pub mod alter_schema;
pub mod alter_table;
pub mod alter_type;
pub mod analyze;
pub mod assignment;
pub mod backup;
mod clear_cache;
pub mod comment;
pub mod copy_domains;
mod copy_encoding;
pub mod copy_from;
pub mod copy_input;
pub mod copy_to;
pub mod copy_where;
pub mod create_domain;
pub mod create_external_schema;
pub mod create_external_table;
mod create_external_table_as;
pub mod create_index;
pub mod create_schema;
pub mod create_table;
pub mod create_table_as;
pub mod create_type;
pub mod create_view;
pub mod cursor;
pub mod discard;
pub mod drop;
pub mod drop_absent;
pub mod drop_partition;
pub mod drop_types;
pub mod explain;
pub mod index;
pub mod insert;
pub mod insert_external;
pub mod literal_rows;
mod load;
pub mod lock_table;
pub mod merge;
pub mod modify;
pub mod notification;
pub mod on_conflict;
pub mod outcome;
mod partition_order;
pub mod prepare;
pub mod prepared;
pub mod query;
mod refresh_external_table;
pub mod returning;
pub mod role;
pub mod row_rules;
pub mod row_text;
mod secret;
pub mod sequence;
pub mod sequence_options;
pub mod set;
pub mod set_partition_location;
pub mod short_query;
pub mod show;
pub mod show_objects;
pub mod stated_query;
pub mod table_definition;
pub mod transaction;
pub mod truncate;
mod unload;
pub mod vacuum;
pub mod write;
pub mod write_files;

pub use copy_from::CopyIn;
pub use copy_to::CopyOut;
pub use outcome::{Outcome, RowStream};
pub use prepare::prepare;

use datafusion::common::ScalarValue;
use pg::PgError;

use crate::error::{Error, Result};
use crate::parse::{Parsed, Statement};
use crate::session::{Prepared, Session, TransactionStatus};

/// Times that a statement is run because others have changed in between what it was made for.
const ATTEMPTS_MAX: usize = 100;

/// Runs a prepared statement with these parameters. `None` is an empty query string. A statement outside of a transaction
/// block that was overtaken by another begins again with what that has left; nothing has come of it yet.
///
/// # Errors
/// Whatever the verb finds; nothing of the statement is left.
pub async fn execute(
    session: &mut Session,
    prepared: &Prepared,
    parameters: &[ScalarValue],
) -> Result<Option<Outcome>> {
    let Some(parsed) = &prepared.parsed else { return Ok(None) };
    prepared.count_execution();
    if let Some(execute) = parsed.statement.executed() {
        let (executed, parameters) = prepared::executed(session, parsed, execute).await?;
        return Box::pin(self::execute(session, &executed, &parameters)).await;
    }
    // Whatever became of the one before.
    session.explained = None;
    let alone = session.transaction_status() == TransactionStatus::Idle;
    let mut attempt = 1;
    loop {
        let outcome = execute_once(session, prepared, parsed, parameters).await;
        session.end_statement();
        match outcome {
            Err(error) if alone && attempt < ATTEMPTS_MAX && is_overtaken(&parsed.statement, &error) => attempt += 1,
            Err(error) => {
                let values = session.named_values().unwrap_or_else(|_| session.values(Vec::new()));
                return Err(write::named_duplicate(&values, error));
            }
            Ok(outcome) => return Ok(Some(outcome)),
        }
        session.take_notices();
        session.forget_skipped();
        session.notifications.roll_back();
    }
}

/// Whether a statement has met what others have committed since it began. UPDATE, DELETE and MERGE look after their rows
/// themselves.
fn is_overtaken(statement: &Statement, error: &Error) -> bool {
    match error {
        Error::Catalog(catalog::Error::ChangedConcurrently { .. }) => true,
        Error::Catalog(catalog::Error::RowChangedConcurrently { .. }) => {
            !matches!(statement.changing(), Statement::Modify(_))
        }
        _ => false,
    }
}

async fn execute_once(
    session: &mut Session,
    prepared: &Prepared,
    parsed: &Parsed,
    parameters: &[ScalarValue],
) -> Result<Outcome> {
    session.check_may_write(&parsed.statement)?;
    match &parsed.statement {
        Statement::Query(_) | Statement::ShowObjects(_) => query::execute(session, prepared, parameters).await,
        Statement::Explain(explain) => explain::execute(session, prepared, explain, parameters).await,
        Statement::Insert(insert) => insert::execute(session, prepared, insert, parameters).await,
        Statement::Modify(modify) => modify::execute(session, prepared, modify, parameters).await,
        Statement::Truncate(truncate) => truncate::execute(session, truncate).await,
        Statement::Vacuum(vacuum) => vacuum::execute(session, vacuum).await,
        Statement::Analyze(analyze) => analyze::execute(session, analyze).await,
        Statement::Backup { location } => backup::execute(session, location).await,
        Statement::Load(load) => load::execute(session, load).await,
        Statement::Unload(unload) => unload::execute(session, prepared, unload).await,
        Statement::CopyFrom(copy) => copy_from::execute(session, copy, &parsed.text).await,
        Statement::CopyTo(copy) => copy_to::execute(session, prepared, copy).await,
        Statement::CreateSchema(create) => create_schema::execute(session, create).await,
        Statement::AlterSchema(alter) => alter_schema::execute(session, alter).await,
        Statement::CreateExternalSchema(create) => create_external_schema::execute(session, create).await,
        Statement::CreateTable(create) => create_table::execute(session, create, &parsed.text).await,
        Statement::CreateTableAs(create) => create_table_as::execute(session, prepared, create, parameters).await,
        Statement::CreateSequence(create) => sequence::create(session, create).await,
        Statement::AlterSequence(alter) => sequence::alter(session, alter).await,
        Statement::CreateIndex(create) => create_index::execute(session, create, prepared.text()).await,
        Statement::AlterIndex(alter) => index::alter(session, alter, prepared.text()).await,
        Statement::DropIndex(drop) => index::drop(session, drop).await,
        Statement::Reindex(reindex) => index::reindex(session, reindex),
        Statement::CreateExternalTable(create) => create_external_table::execute(session, create).await,
        Statement::CreateExternalTableAs(create) => {
            create_external_table_as::execute(session, prepared, create, parameters).await
        }
        Statement::CreateView(create) => create_view::execute(session, create).await,
        Statement::AlterTable(alter) => alter_table::execute(session, alter, prepared.text()).await,
        Statement::Comment(comment) => comment::execute(session, comment).await,
        Statement::AddPartitions(add) => add_partitions::execute(session, add).await,
        Statement::DropPartition(drop) => drop_partition::execute(session, drop).await,
        Statement::SetPartitionLocation(set) => set_partition_location::execute(session, set).await,
        Statement::CreateType(create) => create_type::execute(session, create).await,
        Statement::AlterType(alter) => alter_type::execute(session, alter).await,
        Statement::CreateDomain(create) => create_domain::execute(session, create).await,
        Statement::AlterDomain(alter) => alter_domain::execute(session, alter).await,
        Statement::DropAbsent(drop) => drop_absent::execute(session, drop),
        Statement::LockTable(lock) => lock_table::execute(session, lock),
        Statement::SetConstraints(set) => drop_absent::set_constraints(session, set),
        Statement::Drop(drop) => drop::execute(session, drop).await,
        Statement::CreateRole(create) => role::create(session, create).await,
        Statement::AlterRole(alter) => role::alter(session, alter).await,
        Statement::DropRoles(drop) => role::drop(session, drop).await,
        Statement::CreateSecret(create) => secret::create(session, create).await,
        Statement::DropSecret(drop) => secret::drop(session, drop).await,
        Statement::Begin { modes, tag } => transaction::begin(session, *modes, tag),
        Statement::SetTransaction(modes) => transaction::set_transaction(session, *modes),
        Statement::SetCharacteristics(modes) => transaction::set_characteristics(session, *modes),
        Statement::Commit { chain } => transaction::commit(session, *chain).await,
        Statement::Rollback { chain } => transaction::rollback(session, *chain),
        Statement::RefreshExternalTable(name) => refresh_external_table::execute(session, name).await,
        Statement::ClearCache(cache) => clear_cache::execute(session, *cache).await,
        Statement::Discard(discard) => discard::execute(session, *discard).await,
        Statement::Prepare(prepare) => prepared::prepare_named(session, prepare, parsed).await,
        Statement::Execute(_) => Err(PgError::internal("EXECUTE does not stand for a statement").into()),
        Statement::Deallocate { name } => prepared::deallocate(session, name.as_ref()),
        Statement::Declare(declare) => cursor::declare(session, prepared, declare, parameters).await,
        Statement::Fetch(fetch) => cursor::fetch(session, fetch).await,
        Statement::Close { name } => cursor::close(session, name.as_ref()),
        Statement::Listen { channel } => notification::listen(session, channel),
        Statement::Notify(notify) => notification::notify(session, notify),
        Statement::Unlisten { channel } => notification::unlisten(session, channel.as_ref()),
        Statement::Savepoint(name) => transaction::savepoint(session, name),
        Statement::RollbackTo(name) => transaction::rollback_to(session, name),
        Statement::Release(name) => transaction::release(session, name),
        Statement::Set(set) => set::execute(session, set),
        Statement::Reset { name } => set::reset(session, name),
        Statement::ResetAll => set::reset_all(session),
        Statement::ShowAll => show::execute_all(session),
        Statement::Show { name } => show::execute(session, name),
    }
}
