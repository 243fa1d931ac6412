//! SELECT, VALUES, TABLE, WITH.

use datafusion::common::ScalarValue;

use crate::error::Result;
use crate::plan::PlanContext;
use crate::plan::logical::physical_plan;
use crate::session::{Prepared, Session};
use crate::statement::{Outcome, RowStream};

/// Starts the query; its rows come as they are asked for.
///
/// # Errors
/// The query cannot be planned or started.
pub async fn execute(session: &mut Session, prepared: &Prepared, parameters: &[ScalarValue]) -> Result<Outcome> {
    let guard = session.guard();
    let planned = prepared.current_plan(session)?;
    let context = PlanContext::new(session, planned.snapshot.clone());
    let plan = planned.bind(parameters)?;
    let plan = guard.run(physical_plan(&context, &plan)).await??;
    let stream = session.server.engine.execute(plan, context.state())?;
    Ok(Outcome::Rows(RowStream::new(planned.schema, "SELECT", stream, guard)))
}
