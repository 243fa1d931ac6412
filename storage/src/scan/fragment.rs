//! What a scan does of a plan: for EXPLAIN, and for whoever estimates what a plan costs.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use catalog::ObjectName;
use datafusion::common::Statistics;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;

use super::bounds::BoundsWith;
use super::knowledge::Knowledge;
use super::report::ReadCounter;
use crate::external;
use crate::hot::scan::HotScanExec;

/// The part of a plan that a scan of a table does.
#[derive(Debug, Clone)]
pub struct ScanFragment {
    /// The table.
    pub table: ObjectName,
    /// What the query calls it, where that is something else.
    pub alias: Option<Arc<str>>,
    /// The files' format; none of a hot table.
    pub format: Option<&'static str>,
    /// The columns that are read, which conditions and outputs are about.
    pub columns: SchemaRef,
    /// What comes out, on `columns`.
    pub output: Vec<Arc<dyn PhysicalExpr>>,
    /// The conditions that every row satisfies that comes out, on `columns`.
    pub conditions: Vec<Arc<dyn PhysicalExpr>>,
    /// What joins and sorts find out while the query runs, by which rows may be left out, on `columns`.
    pub hints: Vec<Arc<dyn PhysicalExpr>>,
    /// What is known of the rows before any condition, by place in `columns`.
    pub statistics: Statistics,
    /// What is known of the table, whose columns are the first of `columns`.
    pub known: Option<Knowledge>,
    /// Rows that come out at most, of each partition.
    pub fetch: Option<usize>,
    /// Whether bounds that are known before may stand for the rows.
    pub bounds: Option<BoundsWith>,
    /// Whether the scan could evaluate conditions.
    pub takes_conditions: bool,
    /// Row groups that zone maps have excluded, and those there are; of a hot table.
    pub row_groups: Option<(usize, usize)>,
    /// Counts what is read of files. It is that of the scan's report.
    pub read: Option<Arc<ReadCounter>>,
}

impl ScanFragment {
    /// What a node does, if it is a scan of a table.
    pub fn of(node: &dyn ExecutionPlan) -> Option<ScanFragment> {
        if let Some(scan) = node.downcast_ref::<HotScanExec>() {
            return Some(scan.fragment());
        }
        match node.downcast_ref::<DataSourceExec>() {
            Some(scan) => external::fragment_of_rows(scan),
            None => external::fragment_of_columns(node),
        }
    }
}
