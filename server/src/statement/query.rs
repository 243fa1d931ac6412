//! SELECT, VALUES, TABLE, WITH.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::stream;

use crate::error::Result;
use crate::plan::PlanContext;
use crate::plan::relations::NameScope;
use crate::plan::short::ShortQuery;
use crate::session::{Prepared, Session};
use crate::statement::{Outcome, RowStream};

/// Starts the query; its rows come as they are asked for.
///
/// # Errors
/// The query cannot be planned or started.
pub async fn execute(session: &mut Session, prepared: &Prepared, parameters: &[ScalarValue]) -> Result<Outcome> {
    start(session, prepared, parameters).await.map(Outcome::Rows)
}

/// The rows of the query.
///
/// # Errors
/// As for [`execute`].
pub async fn start(session: &mut Session, prepared: &Prepared, parameters: &[ScalarValue]) -> Result<RowStream> {
    if let Some(short) = prepared.planned.as_ref().and_then(|planned| planned.short.as_ref())
        && let Some(rows) = start_short(session, short, parameters).await?
    {
        return Ok(rows);
    }
    let (planned, plan) = prepared.bound_plan(session, parameters).await?;
    let guard = session.guard();
    let context = Arc::new(PlanContext::new(session, planned.snapshot.clone()));
    let plan = guard.run(session.server.engine.physical_plan(context.clone(), plan)).await??;
    let stream = session.server.engine.execute(plan, context.state())?;
    Ok(RowStream::new(planned.schema, "SELECT", stream, guard).with_names(context.names().clone()))
}

/// The rows of a query that needs no engine; `None` when what it was planned for has changed.
///
/// # Errors
/// As for [`execute`].
pub async fn start_short(
    session: &mut Session,
    query: &ShortQuery,
    parameters: &[ScalarValue],
) -> Result<Option<RowStream>> {
    let snapshot = session.snapshot()?;
    if !snapshot.has_seen(&query.definitions) || NameScope::of(session).search_path != query.search_path {
        return Ok(None);
    }
    let guard = session.guard();
    let keys = session.server.keys.clone();
    let found = guard.run(query.rows.rows(&keys, &snapshot, parameters, &query.schema)).await??;
    let stream = stream::iter(found.into_iter().map(Ok));
    let stream = Box::pin(RecordBatchStreamAdapter::new(query.schema.clone(), stream));
    Ok(Some(RowStream::new(query.schema.clone(), "SELECT", stream, guard)))
}
