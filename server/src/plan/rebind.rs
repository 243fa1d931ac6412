//! A plan for newer rows: what was analysed once stays good as long as no definition changes, however many rows are written.

use std::sync::Arc;

use catalog::CatalogSnapshot;
use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::{LogicalPlan, TableScan};
use storage::external::ExternalTableProvider;
use storage::hot::HotTableProvider;

use crate::apply::Apply;
use crate::system_catalog::SystemTable;

/// The plan over the rows that hot tables have in another snapshot with the same definitions.
///
/// # Errors
/// None of its own.
pub fn with_rows_of(plan: LogicalPlan, snapshot: &Arc<CatalogSnapshot>) -> Result<LogicalPlan> {
    let rewritten = plan.transform_up_with_subqueries(|node| match &node {
        LogicalPlan::TableScan(scan) => match scan_of(scan, snapshot) {
            Some(scan) => Ok(Transformed::yes(LogicalPlan::TableScan(scan))),
            None => Ok(Transformed::no(node)),
        },
        LogicalPlan::Extension(extension) => match extension.node.as_any().downcast_ref::<Apply>() {
            Some(apply) => Ok(Transformed::yes(apply.map_subquery(|subquery| with_rows_of(subquery, snapshot))?)),
            None => Ok(Transformed::no(node)),
        },
        _ => Ok(Transformed::no(node)),
    })?;
    Ok(rewritten.data)
}

fn scan_of(scan: &TableScan, snapshot: &Arc<CatalogSnapshot>) -> Option<TableScan> {
    let provider = source_as_provider(&scan.source).ok()?;
    let source = if let Some(table) = provider.downcast_ref::<HotTableProvider>() {
        provider_as_source(Arc::new(table.seen_in(snapshot)))
    } else if let Some(table) = provider.downcast_ref::<ExternalTableProvider>() {
        provider_as_source(Arc::new(table.seen_in(snapshot)))
    } else {
        provider_as_source(Arc::new(provider.downcast_ref::<SystemTable>()?.seen_in(snapshot)))
    };
    Some(TableScan { source, ..scan.clone() })
}
