//! The engine's rule that makes keys of the equalities among the conditions of a join, but for joins whose keys join NULL with
//! NULL (IS NOT DISTINCT FROM): `=` beside them does not.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{NullEquality, Result};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::extract_equijoin_predicate::ExtractEquijoinPredicate;
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// [`ExtractEquijoinPredicate`], where it does no harm.
#[derive(Debug, Default)]
pub struct SafeExtractEquijoinPredicate(ExtractEquijoinPredicate);

impl OptimizerRule for SafeExtractEquijoinPredicate {
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
        match &plan {
            LogicalPlan::Join(join) if join.null_equality == NullEquality::NullEqualsNull => Ok(Transformed::no(plan)),
            _ => self.0.rewrite(plan, config),
        }
    }
}
