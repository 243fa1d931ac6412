//! REFRESH EXTERNAL TABLE: what the table's files say of themselves is written down on this server.

use std::sync::Arc;

use catalog::Relation;
use pg::PgError;
use sqlparser::ast;
use storage::external::ExternalTableProvider;
use storage::object_stores::listings::ListingAge;

use crate::error::{Error, Result};
use crate::plan::PlanContext;
use crate::plan::file_values::FileValues;
use crate::plan::relations::NameScope;
use crate::session::{Action, Object, Session, authorize, now_us};
use crate::statement::Outcome;

/// Others may go on reading meanwhile.
///
/// # Errors
/// 42P01, 42809 when it is no external table; its files cannot be listed or read.
pub async fn execute(session: &mut Session, name: &ast::ObjectName) -> Result<Outcome> {
    let snapshot = session.snapshot()?;
    let relation = NameScope::of(session).must_relation(&snapshot, name)?;
    authorize(&session.identity, Action::Select, Object::Relation(relation))?;
    let Relation::External(table) = relation else {
        return Err(Error::WrongObjectType { name: relation.name().name.clone(), expected: "an external table" });
    };
    let table = table.clone();
    let manifests = session.server.engine.reading().manifests.clone();
    let manifests = manifests.ok_or_else(|| PgError::internal("there is no place for what is known of files"))?;
    let values = Arc::new(FileValues::new(&table.bad_data));
    let partitions = snapshot.partitions(table.oid);
    let provider = ExternalTableProvider::new(table.clone(), partitions, session.server.stores_of(&snapshot), values);
    session.server.stores.listings().clear();
    let (guard, context) = (session.guard(), PlanContext::new(session, snapshot));
    let mut state = context.state().clone();
    state.config_mut().set_extension(Arc::new(ListingAge::default()));
    let refresh =
        session.server.engine.run(move |_| async move { provider.refresh(&state, &manifests, now_us()).await });
    let refreshed = guard.run(refresh).await??;
    let (files, read) = (refreshed.files, refreshed.read);
    session.inform(format!("\"{}\" has {files} files, {read} of them were not known", table.name.name));
    Ok(Outcome::command("REFRESH EXTERNAL TABLE"))
}
