//! SELECT, VALUES, TABLE, WITH.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::stream;

use crate::error::Result;
use crate::plan::PlanContext;
use crate::plan::relations::NameScope;
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
    if let Some(rows) = point_select(session, prepared, parameters).await? {
        return Ok(rows);
    }
    let (planned, plan) = prepared.bound_plan(session, parameters).await?;
    let guard = session.guard();
    let context = Arc::new(PlanContext::new(session, planned.snapshot.clone()));
    let plan = guard.run(session.server.engine.physical_plan(context.clone(), plan)).await??;
    let stream = session.server.engine.execute(plan, context.state())?;
    Ok(RowStream::new(planned.schema, "SELECT", stream, guard).with_names(context.names().clone()))
}

/// The rows of a query that asks for those of a key, if it is one, and if what it was planned for has not changed.
async fn point_select(
    session: &mut Session,
    prepared: &Prepared,
    parameters: &[ScalarValue],
) -> Result<Option<RowStream>> {
    let Some(planned) = &prepared.planned else { return Ok(None) };
    let Some(point) = planned.point.as_ref() else { return Ok(None) };
    let snapshot = session.snapshot()?;
    let still_good = snapshot.has_definitions_of(&planned.snapshot);
    if !still_good || NameScope::of(session).search_path != planned.search_path {
        return Ok(None);
    }
    let guard = session.guard();
    let keys = session.server.keys.clone();
    let rows = snapshot.rows(point.table());
    let found = guard.run(point.rows(&keys, &rows, parameters, &planned.schema)).await??;
    let stream = stream::iter(found.into_iter().map(Ok));
    let stream = Box::pin(RecordBatchStreamAdapter::new(planned.schema.clone(), stream));
    Ok(Some(RowStream::new(planned.schema.clone(), "SELECT", stream, guard)))
}
