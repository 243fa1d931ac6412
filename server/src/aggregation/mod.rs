//! How groups are made, where there is more than one way.
//!
//! Rows can be put into groups below a join already, so that the join and the groups above it get fewer of them ([`eager`]); and the
//! distinct values of each group can be groups themselves, which can be put on disk ([`distinct`]). Both make groups twice: what an
//! aggregate keeps of the first ones is what the second ones are made of ([`states`]).

mod distinct;
mod eager;
mod states;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder, col};
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::{OptimizerContext, OptimizerRule};

use states::Split;
pub use states::{is_finish, keeps_little};

/// When groups are made in another way than the query is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grouping {
    /// Where that is expected to be better.
    #[default]
    ByCost,
    /// Wherever it can be, for tests.
    Always,
    /// Nowhere.
    AsWritten,
}

/// The plan with its groups made in the way that is expected to be the best. What it reads of its inputs is pruned anew.
///
/// # Errors
/// The plan cannot be rebuilt.
pub fn choose_groups(plan: LogicalPlan, grouping: Grouping) -> Result<LogicalPlan> {
    if grouping == Grouping::AsWritten {
        return Ok(plan);
    }
    let chosen = plan.transform_down_with_subqueries(|node| {
        let LogicalPlan::Aggregate(aggregate) = &node else { return Ok(Transformed::no(node)) };
        let is_plain = !matches!(aggregate.group_expr.first(), Some(Expr::GroupingSet(_)));
        // What has been made here is left alone.
        if !is_plain || aggregate.aggr_expr.is_empty() || aggregate.aggr_expr.iter().any(states::is_half) {
            return Ok(Transformed::no(node));
        }
        let made = match distinct::by_groups(aggregate, grouping)? {
            Some(plan) => Some(plan),
            None => eager::below_join(aggregate, grouping)?,
        };
        Ok(made.map_or_else(|| Transformed::no(node), Transformed::yes))
    })?;
    if !chosen.transformed {
        return Ok(chosen.data);
    }
    Ok(OptimizeProjections::new().rewrite(chosen.data, &OptimizerContext::new())?.data)
}

/// Groups of an input, under the names of those that they stand for.
fn in_place_of(
    aggregate: &Aggregate,
    input: LogicalPlan,
    groups: Vec<Expr>,
    results: Vec<Expr>,
) -> Result<LogicalPlan> {
    let made = LogicalPlan::Aggregate(Aggregate::try_new(input.into(), groups, results)?);
    let columns = made.schema().columns().into_iter().zip(aggregate.schema.iter());
    let named =
        columns.map(|(made, (qualifier, field))| Expr::Column(made).alias_qualified(qualifier.cloned(), field.name()));
    let named: Vec<_> = named.collect();
    LogicalPlanBuilder::from(made).project(named)?.build()
}

/// Whether aggregates are of distinct values.
pub fn has_distinct(aggregate: &Aggregate) -> bool {
    aggregate.aggr_expr.iter().filter_map(function).any(|function| function.params.distinct)
}

/// The function that an aggregate's expression calls.
fn function(expr: &Expr) -> Option<&AggregateFunction> {
    match expr {
        Expr::AggregateFunction(function) => Some(function),
        Expr::Alias(alias) => function(&alias.expr),
        _ => None,
    }
}

/// What the first groups keep for the aggregate in this place, under a name of its own, and what the second ones make of it;
/// `None` if it cannot be split.
fn halves(function: &AggregateFunction, place: usize, schema: &DFSchema) -> Result<Option<(Expr, Expr)>> {
    let Some(split) = Split::of(function, schema)? else { return Ok(None) };
    let name = format!("partial result {}", place + 1);
    let params = &function.params;
    let kept = split.keep(params.args.clone(), params.filter.clone()).alias(&name);
    Ok(Some((kept, split.finish(col(format!("\"{name}\""))))))
}
