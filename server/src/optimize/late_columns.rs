//! Columns that are read after `ORDER BY … LIMIT` has chosen its rows: all but those that the order is made of.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use storage::scan::fragment::ScanFragment;
use storage::scan::late_columns::split;

use crate::lazy::physical_may_fail;

/// More rows are better read as they come.
const ROWS_MAX: usize = 1_000;
/// Of a smaller table, they are, too.
const TABLE_ROWS_MIN: usize = 20_000;

/// Reads columns of the rows that a sort with a limit leaves.
#[derive(Debug, Default)]
pub struct ReadLate;

impl PhysicalOptimizerRule for ReadLate {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_down(|node| {
            Ok(match late(&node)? {
                Some(late) => Transformed::yes(late),
                None => Transformed::no(node),
            })
        })
        .data()
    }

    fn name(&self) -> &str {
        "ReadLate"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The same rows, most columns of which are read when it is known which they are.
fn late(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let merge = node.downcast_ref::<SortPreservingMergeExec>();
    let (above, sort) = merge.map_or((None, node), |merge| projected(merge.input()));
    let Some(sort) = sort.downcast_ref::<SortExec>() else { return Ok(None) };
    let Some(fetch) = sort.fetch().filter(|fetch| *fetch <= ROWS_MAX) else { return Ok(None) };
    let (below, scan) = projected(sort.input());
    if merge.is_none() && sort.preserve_partitioning() || !is_large(scan) {
        return Ok(None);
    }
    let order = with_columns(sort.expr(), |key| {
        let projected = below.and_then(|projection| projection.expr().get(key.index()));
        Ok(projected.map_or_else(|| Arc::new(key.clone()) as _, |projected| projected.expr.clone()))
    })?;
    let Some(order) = order else { return Ok(None) };
    let columns = order.iter().flat_map(|key| collect_columns(&key.expr));
    let mut kept: Vec<usize> = columns.map(|column: Column| column.index()).collect();
    kept.sort_unstable();
    kept.dedup();
    if kept.len() == scan.schema().fields().len() {
        return Ok(None);
    }
    let Some((scan, columns)) = split(scan, &kept)? else { return Ok(None) };
    let order = with_columns(&order, |column| {
        let place = kept.iter().position(|place| *place == column.index());
        let place = place.ok_or_else(|| DataFusionError::Internal(format!("{column} is not kept")))?;
        Ok(Arc::new(Column::new(column.name(), place)))
    })?;
    let Some(order) = order else { return Ok(None) };
    let partitioned = sort.preserve_partitioning();
    let sorted = SortExec::new(order.clone(), scan).with_fetch(Some(fetch)).with_preserve_partitioning(partitioned);
    let rows: Arc<dyn ExecutionPlan> = match merge {
        Some(merge) => {
            Arc::new(SortPreservingMergeExec::new(order, Arc::new(sorted)).with_fetch(merge.fetch().or(Some(fetch))))
        }
        None => Arc::new(sorted),
    };
    [below, above]
        .into_iter()
        .flatten()
        .try_fold(columns.of(rows), |rows, projection| {
            Ok(Arc::new(ProjectionExec::try_new(projection.expr().to_vec(), rows)?) as _)
        })
        .map(Some)
}

/// A projection, if the node is one that may as well be made of those rows alone that are left, and its input.
fn projected(node: &Arc<dyn ExecutionPlan>) -> (Option<&ProjectionExec>, &Arc<dyn ExecutionPlan>) {
    let projection = node.downcast_ref::<ProjectionExec>();
    let projection = projection.filter(|projection| projection.expr().iter().all(|it| can_wait(&it.expr)));
    (projection, projection.map_or(node, |projection| projection.input()))
}

/// Whether an expression may as well be evaluated of those rows alone that are left.
fn can_wait(expr: &Arc<dyn PhysicalExpr>) -> bool {
    !physical_may_fail(expr) && !is_volatile(expr)
}

/// Whether it is a scan of enough rows to be worth two looks.
fn is_large(scan: &Arc<dyn ExecutionPlan>) -> bool {
    let fragment = ScanFragment::of(scan.as_ref());
    let rows = fragment.and_then(|fragment| fragment.statistics.num_rows.get_value().copied());
    rows.is_some_and(|rows| rows >= TABLE_ROWS_MIN)
}

/// An order, with something else in place of its columns.
fn with_columns(
    order: &LexOrdering,
    in_place_of: impl Fn(&Column) -> Result<Arc<dyn PhysicalExpr>>,
) -> Result<Option<LexOrdering>> {
    let column = |expr: Arc<dyn PhysicalExpr>| match expr.downcast_ref::<Column>() {
        // What is put in place has columns of its own.
        Some(column) => Ok(Transformed::new(in_place_of(column)?, true, TreeNodeRecursion::Jump)),
        None => Ok(Transformed::no(expr)),
    };
    let key = |key: &PhysicalSortExpr| {
        Ok(PhysicalSortExpr { expr: key.expr.clone().transform_down(column).data()?, options: key.options })
    };
    Ok(LexOrdering::new(order.iter().map(key).collect::<Result<Vec<_>>>()?))
}
