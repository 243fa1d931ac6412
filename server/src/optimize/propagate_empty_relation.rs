//! The engine's rule that removes what has no rows, with the columns of a union where they belong.
//!
//! Of a union whose other branches are gone the engine takes the columns by the union's names, though the last branch
//! may call them otherwise or have those names in another order: `(SELECT a, b FROM t LIMIT 0) UNION ALL SELECT b, a FROM t`
//! had its columns exchanged.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection, Union};
use datafusion::optimizer::propagate_empty_relation::PropagateEmptyRelation;
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// [`PropagateEmptyRelation`], where it does no harm.
#[derive(Debug, Default)]
pub struct SafePropagateEmptyRelation(PropagateEmptyRelation);

impl OptimizerRule for SafePropagateEmptyRelation {
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
        match plan {
            LogicalPlan::Union(union) => match only_branch(&union) {
                Some(branch) => Ok(Transformed::yes(in_place_of(&union, branch)?)),
                None => self.0.rewrite(LogicalPlan::Union(union), config),
            },
            other => self.0.rewrite(other, config),
        }
    }
}

/// The branch of the union that may have rows, when there is just one.
fn only_branch(union: &Union) -> Option<Arc<LogicalPlan>> {
    let mut branches = union.inputs.iter().filter(|input| !has_no_rows(input));
    let only = branches.next()?;
    branches.next().is_none().then(|| Arc::clone(only))
}

fn has_no_rows(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::EmptyRelation(empty) if !empty.produce_one_row)
}

/// The branch with the union's columns, which are the branch's by their places.
fn in_place_of(union: &Union, branch: Arc<LogicalPlan>) -> Result<LogicalPlan> {
    if branch.schema() == &union.schema {
        return Ok(Arc::unwrap_or_clone(branch));
    }
    let columns = branch.schema().columns().into_iter().zip(union.schema.iter());
    let columns = columns
        .map(|(column, (qualifier, field))| Expr::Column(column).alias_qualified(qualifier.cloned(), field.name()));
    let columns: Vec<Expr> = columns.collect();
    Ok(LogicalPlan::Projection(Projection::try_new_with_schema(columns, branch, Arc::clone(&union.schema))?))
}
