//! The engine's planner, with the nodes that we have added.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};

use crate::apply::ApplyPlanner;
use crate::computed_limit::LimitPlanner;
use crate::keyless::KeylessPlanner;
use crate::optimize::guard_joins;
use crate::set_returning::SetPlanner;
use crate::spool::SpoolPlanner;

/// The engine's planner, which can plan our nodes too.
#[derive(Debug)]
pub struct ExtendedPlanner;

#[async_trait]
impl QueryPlanner for ExtendedPlanner {
    async fn create_physical_plan(&self, plan: &LogicalPlan, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![
            Arc::new(SetPlanner),
            Arc::new(ApplyPlanner),
            Arc::new(LimitPlanner),
            Arc::new(SpoolPlanner),
            Arc::new(KeylessPlanner),
        ]);
        planner.create_physical_plan(&guard_joins(plan.clone())?, session).await
    }
}
