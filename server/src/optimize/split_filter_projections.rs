//! Takes the projection out of filters again before the engine pushes projections down a second time.
//!
//! The engine's first pass lets a filter choose the columns that it passes on. Its second pass swaps a projection with a
//! filter, and takes the columns of the filter's output for those of its input: they have other places once the filter
//! chooses. `SELECT y.a, y.b || x.b FROM x RIGHT JOIN y ON x.a = y.a WHERE x.a + 1 IS NULL` is an internal error then, and
//! where a name occurs at both places, the filter looks at another column. A filter without a projection of its own is safe,
//! and gets it back in that pass.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::projection::ProjectionExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::projection::ProjectionExec;

/// Makes a projection above a filter of each projection inside a filter.
#[derive(Debug, Default)]
pub struct SplitFilterProjections;

impl PhysicalOptimizerRule for SplitFilterProjections {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let split = plan.transform_up(|node| match node.downcast_ref::<FilterExec>().map(split) {
            Some(Some(split)) => Ok(Transformed::yes(split?)),
            _ => Ok(Transformed::no(node)),
        });
        split.map(|transformed| transformed.data)
    }

    fn name(&self) -> &str {
        "SplitFilterProjections"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn split(filter: &FilterExec) -> Option<Result<Arc<dyn ExecutionPlan>>> {
    let projection = filter.projection().as_ref()?;
    let plain = FilterExecBuilder::from(filter).apply_projection(None).and_then(FilterExecBuilder::build);
    Some(plain.and_then(|plain| {
        let schema = plain.schema();
        let column = |place: &usize| {
            let name = schema.field(*place).name();
            ProjectionExpr { expr: Arc::new(Column::new(name, *place)), alias: name.clone() }
        };
        let columns: Vec<_> = projection.iter().map(column).collect();
        Ok(Arc::new(ProjectionExec::try_new(columns, Arc::new(plain))?) as Arc<dyn ExecutionPlan>)
    }))
}
