//! SELECT, VALUES, TABLE, WITH.

use std::sync::Arc;

use datafusion::common::ScalarValue;

use crate::error::Result;
use crate::plan::PlanContext;
use crate::session::{Prepared, Session};
use crate::statement::{Outcome, RowStream};

/// Starts the query; its rows come as they are asked for.
///
/// # Errors
/// The query cannot be planned or started.
pub async fn execute(session: &mut Session, prepared: &Prepared, parameters: &[ScalarValue]) -> Result<Outcome> {
    let (planned, plan) = prepared.bound_plan(session, parameters).await?;
    let guard = session.guard();
    let context = Arc::new(PlanContext::new(session, planned.snapshot.clone()));
    let plan = guard.run(session.server.engine.physical_plan(context.clone(), plan)).await??;
    let stream = session.server.engine.execute(plan, context.state())?;
    Ok(Outcome::Rows(RowStream::new(planned.schema, "SELECT", stream, guard).with_names(context.names().clone())))
}
