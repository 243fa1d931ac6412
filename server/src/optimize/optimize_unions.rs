//! The engine's rule that makes one union of unions, with the columns of their branches where they belong.
//!
//! A projection between two unions is put on each branch of the lower one, whose columns it then takes by the names that
//! they have in the union. They may have others in the branch.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan, Projection, Union};
use datafusion::optimizer::optimize_unions::OptimizeUnions;
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// [`OptimizeUnions`], where it does no harm.
#[derive(Debug, Default)]
pub struct SafeOptimizeUnions(OptimizeUnions);

impl OptimizerRule for SafeOptimizeUnions {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let is_of_unions = match &plan {
            LogicalPlan::Union(_) => true,
            LogicalPlan::Distinct(Distinct::All(input)) => matches!(input.as_ref(), LogicalPlan::Union(_)),
            _ => false,
        };
        self.0.rewrite(if is_of_unions { with_named_branches(plan)? } else { plan }, config)
    }
}

/// The plan, a union below it, with the branches of all unions right below that called as those are.
fn with_named_branches(plan: LogicalPlan) -> Result<LogicalPlan> {
    let named = plan.transform_down(|node| match node {
        LogicalPlan::Union(Union { inputs, schema }) => {
            let inputs = inputs.into_iter().map(|input| called_as(&schema, input)).collect::<Result<_>>()?;
            Ok(Transformed::yes(LogicalPlan::Union(Union { inputs, schema })))
        }
        LogicalPlan::Projection(_) | LogicalPlan::Distinct(_) => Ok(Transformed::no(node)),
        other => Ok(Transformed::new(other, false, TreeNodeRecursion::Jump)),
    })?;
    Ok(named.data)
}

/// The branch with its columns called as those of `schema`, which they are by their places.
fn called_as(schema: &DFSchema, branch: Arc<LogicalPlan>) -> Result<Arc<LogicalPlan>> {
    let columns = branch.schema().columns();
    let names = schema.fields().iter().map(|field| field.name());
    if columns.iter().map(|column| &column.name).eq(names.clone()) {
        return Ok(branch);
    }
    let columns: Vec<Expr> =
        columns.into_iter().zip(names).map(|(column, name)| Expr::Column(column).alias(name)).collect();
    Ok(Arc::new(LogicalPlan::Projection(Projection::try_new(columns, branch)?)))
}
