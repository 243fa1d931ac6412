//! Columns that are read after `ORDER BY … LIMIT` has chosen its rows: all but those that the order is made of.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::DataFusionError;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use storage::scan::fragment::ScanFragment;
use storage::scan::late_columns::split;

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
    let sort = merge.map_or(node, |merge| merge.input());
    let Some(sort) = sort.downcast_ref::<SortExec>() else { return Ok(None) };
    let Some(fetch) = sort.fetch().filter(|fetch| *fetch <= ROWS_MAX) else { return Ok(None) };
    let scan = sort.input();
    if merge.is_none() && sort.preserve_partitioning() || !is_large(scan) {
        return Ok(None);
    }
    let columns = sort.expr().iter().flat_map(|key| collect_columns(&key.expr));
    let mut kept: Vec<usize> = columns.map(|column: Column| column.index()).collect();
    kept.sort_unstable();
    kept.dedup();
    if kept.len() == scan.schema().fields().len() {
        return Ok(None);
    }
    let Some((scan, columns)) = split(scan, &kept)? else { return Ok(None) };
    let Some(order) = moved(sort.expr(), &kept)? else { return Ok(None) };
    let partitioned = sort.preserve_partitioning();
    let sorted = SortExec::new(order.clone(), scan).with_fetch(Some(fetch)).with_preserve_partitioning(partitioned);
    let rows: Arc<dyn ExecutionPlan> = match merge {
        Some(merge) => {
            Arc::new(SortPreservingMergeExec::new(order, Arc::new(sorted)).with_fetch(merge.fetch().or(Some(fetch))))
        }
        None => Arc::new(sorted),
    };
    Ok(Some(columns.of(rows)))
}

/// Whether it is a scan of enough rows to be worth two looks.
fn is_large(scan: &Arc<dyn ExecutionPlan>) -> bool {
    let fragment = ScanFragment::of(scan.as_ref());
    let rows = fragment.and_then(|fragment| fragment.statistics.num_rows.get_value().copied());
    rows.is_some_and(|rows| rows >= TABLE_ROWS_MIN)
}

/// An order, on those columns that are kept.
fn moved(order: &LexOrdering, kept: &[usize]) -> Result<Option<LexOrdering>> {
    let column = |expr: Arc<dyn PhysicalExpr>| {
        let Some(column) = expr.downcast_ref::<Column>() else { return Ok(Transformed::no(expr)) };
        let place = kept.iter().position(|place| *place == column.index());
        let place = place.ok_or_else(|| DataFusionError::Internal(format!("{column} is not kept")))?;
        Ok(Transformed::yes(Arc::new(Column::new(column.name(), place)) as Arc<dyn PhysicalExpr>))
    };
    let key = |key: &PhysicalSortExpr| {
        Ok(PhysicalSortExpr { expr: key.expr.clone().transform_up(column).data()?, options: key.options })
    };
    Ok(LexOrdering::new(order.iter().map(key).collect::<Result<Vec<_>>>()?))
}
