//! The engine's planner, with the nodes that we have added.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use futures::future::join_all;
use storage::external::ExternalTableProvider;

use crate::aggregation::{Grouping, choose_groups, has_distinct};
use crate::apply::ApplyPlanner;
use crate::computed_limit::LimitPlanner;
use crate::join_order::{JoinOrdering, order_joins};
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
        let which = session.config().get_extension::<JoinOrdering>().map(|it| *it).unwrap_or_default();
        let grouping = session.config().get_extension::<Grouping>().map(|it| *it).unwrap_or_default();
        let plan = match session.config_options().optimizer.join_reordering && which.rows_min.is_some() {
            true => {
                look_at_tables(plan, session).await?;
                choose_groups(order_joins(plan.clone(), which)?, grouping)?
            }
            false => plan.clone(),
        };
        planner.create_physical_plan(&guard_joins(plan)?, session).await
    }
}

/// Gets to know the external tables of a plan of which there is a choice: of joins, or of distinct values.
async fn look_at_tables(plan: &LogicalPlan, session: &dyn Session) -> Result<()> {
    let (mut sources, mut has_choice) = (Vec::new(), false);
    plan.apply_with_subqueries(|node| {
        match node {
            LogicalPlan::TableScan(scan) => sources.push(source_as_provider(&scan.source)?),
            LogicalPlan::Join(_) => has_choice = true,
            LogicalPlan::Aggregate(aggregate) => has_choice |= has_distinct(aggregate),
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    if !has_choice {
        return Ok(());
    }
    let looks = sources.iter().filter_map(|source| source.downcast_ref::<ExternalTableProvider>());
    for looked in join_all(looks.map(|table| table.look_at(session))).await {
        // The scan will say so, if it has to read what cannot be read.
        looked.unwrap_or_else(|error| tracing::debug!(%error, "nothing is known of a table"));
    }
    Ok(())
}
