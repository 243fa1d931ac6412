//! MIN, MAX and COUNT of a table's columns, from what its files say of themselves.
//!
//! Where these are all that is asked of a scan, it may give the least and the greatest values of each row group instead of all
//! values: the answer is the same, and nothing but the ends of files is read. Groups may be made by columns whose values
//! are the same for all rows of a file, such as those of partitions.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateInputMode};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, replace_children_if_necessary};
use storage::scan::bounds::{BoundsWith, for_bounds};

/// Asks scans for bounds alone.
#[derive(Debug, Default)]
pub struct BoundsFromFooters;

impl PhysicalOptimizerRule for BoundsFromFooters {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let of_bounds = |node: Arc<dyn ExecutionPlan>| {
            let Some(aggregate) = node.downcast_ref::<AggregateExec>() else { return Ok(Transformed::no(node)) };
            let Some(with) = wanted(aggregate) else { return Ok(Transformed::no(node)) };
            let groups = aggregate.group_expr().expr().iter().flat_map(|(key, _)| collect_columns(key));
            let kept: Vec<usize> = groups.map(|column| column.index()).collect();
            Ok(match input(aggregate.input(), &kept, with)? {
                Some(input) => Transformed::yes(replace_children_if_necessary(node, vec![input])?),
                None => Transformed::no(node),
            })
        };
        plan.transform_up(of_bounds).data()
    }

    fn name(&self) -> &str {
        "BoundsFromFooters"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// What an aggregate wants beside bounds; `None` if it wants the values.
fn wanted(aggregate: &AggregateExec) -> Option<BoundsWith> {
    let aggregates = aggregate.aggr_expr();
    let is_of_rows = aggregate.mode().input_mode() == AggregateInputMode::Raw;
    let is_filtered = aggregate.filter_expr().iter().any(Option::is_some);
    if !is_of_rows || is_filtered || aggregates.is_empty() || aggregate.limit_options().is_some() {
        return None;
    }
    let wanted: Vec<BoundsWith> = aggregates.iter().map(|it| wanted_by(it)).collect::<Option<_>>()?;
    Some(if wanted.contains(&BoundsWith::Counts) { BoundsWith::Counts } else { BoundsWith::Nothing })
}

fn wanted_by(aggregate: &AggregateFunctionExpr) -> Option<BoundsWith> {
    let is_column = |expr: &Arc<dyn PhysicalExpr>| expr.downcast_ref::<Column>().is_some();
    let is_constant = |expr: &Arc<dyn PhysicalExpr>| expr.downcast_ref::<Literal>().is_some();
    let arguments = aggregate.expressions();
    match aggregate.fun().name() {
        "min" | "max" if arguments.iter().all(is_column) => Some(BoundsWith::Nothing),
        "count" if !aggregate.is_distinct() && arguments.iter().all(|it| is_column(it) || is_constant(it)) => {
            Some(BoundsWith::Counts)
        }
        _ => None,
    }
}

/// The same rows as far as bounds go; `None` where nothing can be saved.
fn input(node: &Arc<dyn ExecutionPlan>, kept: &[usize], with: BoundsWith) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if node.children().is_empty() {
        return Ok(for_bounds(node.as_ref(), kept, with));
    }
    // Those that give on what they get.
    if !(node.is::<RepartitionExec>() || node.is::<CoalescePartitionsExec>() || node.is::<UnionExec>()) {
        return Ok(None);
    }
    let mut is_changed = false;
    let mut children = Vec::new();
    for child in node.children() {
        let changed = input(child, kept, with)?;
        is_changed |= changed.is_some();
        children.push(changed.unwrap_or_else(|| child.clone()));
    }
    Ok(if is_changed { Some(replace_children_if_necessary(node.clone(), children)?) } else { None })
}
