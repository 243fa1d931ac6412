//! Scans: what runs in them, what does not, and why.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use storage::scan::bounds::BoundsWith;
use storage::scan::fragment::ScanFragment;
use storage::scan::late_columns::LateRead;
use storage::scan::report::{ScanReport, Step};

use super::actual;
use super::builder::{Built, PlanBuilder};
use super::expression::Names;
use super::node::{PlanNode, Property, Relationship, Value};
use crate::cost::physical::{before_conditions, of_fragment};
use crate::cost::{Cost, Estimate};
use crate::lazy::physical_may_fail;

/// A property that holds all conditions on the rows of a scan.
const FILTER: &str = "Filter";
/// Bytes of a request to an object store, about.
const REQUEST_BYTES: f64 = 8.0 * 1024.0 * 1024.0;

impl PlanBuilder<'_> {
    pub(super) fn scan(&mut self, plan: &Arc<dyn ExecutionPlan>, fragment: ScanFragment) -> Built {
        let name = fragment.alias.as_deref().unwrap_or(&fragment.table.name).to_owned();
        let reference = self.reference(&name);
        let mut node = self.titled_scan(&fragment, &reference);
        let columns = self.scanned_columns(&fragment, &reference);
        let names = self.names(&columns, &fragment.columns);
        let conditions: Vec<String> = fragment.conditions.iter().flat_map(|it| names.conjuncts(it)).collect();
        node.push_conditions(FILTER, conditions.clone());
        node.push_list("Dynamic Filter", hinted(&names, &fragment.hints));
        if let Some(fetch) = fragment.fetch {
            node.properties.push(Property::integer("Rows Wanted", fetch as u64));
        }
        if let Some(with) = fragment.bounds {
            node.properties.push(Property::text("Bounds Wanted", bounds_wanted(with)));
        }
        let report = self.report_of(&fragment);
        if let Some(report) = report {
            push_files(&mut node, &names, report, self.told.costs);
        }
        if let Some((excluded, total)) = fragment.row_groups.filter(|(excluded, _)| *excluded > 0) {
            node.properties.push(Property::text("Row Groups", format!("{} of {total}", total - excluded)));
        }
        if self.told.analyze {
            self.push_waterfall(&mut node, plan, report);
        }
        let estimate = of_fragment(&fragment);
        let cost = scan_cost(&fragment, report, conditions.len());
        let output = names.all(&fragment.output);
        let built = self.finish(plan, node, output, estimate, cost);
        let is_limited = fragment.fetch.is_some() && plan.output_partitioning().partition_count() == 1;
        if is_limited { self.limited(plan, built) } else { Built { fragment: Some(fragment), ..built } }
    }

    fn titled_scan(&self, fragment: &ScanFragment, reference: &str) -> PlanNode {
        let table = &fragment.table;
        let mut node = PlanNode::new(if fragment.format.is_some() { "Foreign Scan" } else { "Seq Scan" });
        let schema = if self.told.verbose { format!("{}.", identifier(&table.schema)) } else { String::new() };
        node.title = format!("{} on {schema}{}", node.node_type, identifier(&table.name));
        if reference != table.name {
            node.title.push_str(&format!(" {}", identifier(reference)));
        }
        node.attributes = vec![
            Property::text("Relation Name", table.name.clone()),
            Property::text("Schema", table.schema.clone()),
            Property::text("Alias", reference),
        ];
        node
    }

    /// Columns of a scan below, which are read of those rows alone that are left.
    pub(super) fn late_columns(&mut self, plan: &Arc<dyn ExecutionPlan>, read: &LateRead) -> Option<Built> {
        let input = self.build(plan.children().first()?);
        let reference = self.last_reference(&read.name);
        let schema = plan.schema();
        let late: Vec<String> = schema.fields().iter().map(|field| self.column(&reference, field.name())).collect();
        let given = |place: &Option<usize>| input.columns.get((*place)?).cloned();
        let columns = read.places.iter().zip(&late).map(|(place, late)| given(place).unwrap_or_else(|| late.clone()));
        let columns = columns.collect();
        let late = read.places.iter().zip(late).filter(|(place, _)| place.is_none()).map(|(_, late)| late).collect();
        let mut node = PlanNode::new("Late Columns");
        node.push_list("Columns Read", late);
        let estimate = Estimate::of_node(plan.as_ref(), &[&input.estimate]);
        let cost = input.cost.handed_on(estimate.rows);
        node.plans = vec![input.node.related(Relationship::Outer)];
        Some(self.finish(plan, node, columns, estimate, cost))
    }

    fn scanned_columns(&self, fragment: &ScanFragment, reference: &str) -> Vec<String> {
        fragment.columns.fields().iter().map(|field| self.column(reference, field.name())).collect()
    }

    fn report_of(&self, fragment: &ScanFragment) -> Option<&ScanReport> {
        let read = fragment.read.as_ref()?;
        self.told.reports.iter().find(|report| Arc::ptr_eq(&report.read, read))
    }

    /// Adds conditions on the rows of a scan that are not evaluated in it.
    pub(super) fn filter_scan(
        &self,
        node: &mut PlanNode,
        fragment: &ScanFragment,
        predicate: &Arc<dyn PhysicalExpr>,
        conditions: Vec<String>,
    ) {
        let written =
            if conditions.len() == 1 { conditions[0].clone() } else { format!("({})", conditions.join(" AND ")) };
        let reason = not_in_scan(fragment, predicate);
        let both = |one: String, other: String| format!("({one} AND {other})");
        node.merge(FILTER, written.clone(), both);
        node.merge("Filter Above Scan", format!("{written}: {reason}"), |one, other| format!("{one}; {other}"));
    }

    /// What was excluded on the way, step by step, and what was read of the rest.
    fn push_waterfall(&self, node: &mut PlanNode, plan: &Arc<dyn ExecutionPlan>, report: Option<&ScanReport>) {
        let counted = |name| actual::count(plan.as_ref(), name).filter(|count| *count > 0);
        node.properties.extend(counted("rows_excluded").map(|rows| Property::integer("Rows Removed in Scan", rows)));
        let Some(report) = report else {
            let counts =
                [("row_groups_read", "Row Groups Read"), ("row_groups_pruned_late", "Row Groups Excluded Late")];
            let counts = counts.into_iter().filter_map(|(of, name)| Some(Property::integer(name, counted(of)?)));
            node.properties.extend(counts);
            return;
        };
        let is_buffer = |step: Step| matches!(step, Step::ColumnsCached | Step::ColumnsDecoded);
        let steps = STEPS.iter().filter(|(step, _)| self.told.buffers || !is_buffer(*step));
        let steps = steps.map(|(step, name)| Property::integer(name, report.steps.get(*step)));
        node.properties.extend(steps.filter(|step| step.value != Value::Integer(0)));
        if self.told.buffers {
            node.properties.push(Property::integer("Bytes Read", report.read.bytes()));
            node.properties.push(Property::integer("Requests", report.read.requests()));
        }
    }
}

/// The steps by which a scan of files narrows down what it reads.
const STEPS: [(Step, &str); 11] = [
    (Step::Files, "Files Considered"),
    (Step::FilesExcluded, "Files Excluded by Joins and Sorts"),
    (Step::RowGroups, "Row Groups"),
    (Step::RowGroupsExcludedByStatistics, "Row Groups Excluded by Statistics"),
    (Step::RowGroupsExcludedByBloomFilters, "Row Groups Excluded by Bloom Filters"),
    (Step::RowGroupsExcludedByPages, "Row Groups Excluded by Pages"),
    (Step::RowGroupsExcludedLate, "Row Groups Excluded by Joins and Sorts"),
    (Step::Rows, "Rows in Row Groups"),
    (Step::RowsExcludedByPages, "Rows Excluded by Pages"),
    (Step::ColumnsCached, "Columns from Cache"),
    (Step::ColumnsDecoded, "Columns Decoded"),
];

/// The partitions and files that are left.
fn push_files(node: &mut PlanNode, names: &Names<'_>, report: &ScanReport, costs: bool) {
    if let Some(filter) = &report.file_filter {
        node.push_conditions("Partition Filter", names.conjuncts(filter));
    }
    if report.partitions_total > 0 {
        let partitions = format!("{} of {}", report.partitions_read, report.partitions_total);
        node.properties.push(Property::text("Partitions", partitions));
    }
    node.properties.push(Property::text("Format", report.format));
    node.properties.push(Property::integer("Files", report.files as u64));
    if costs {
        node.properties.push(Property::integer("Bytes Expected", report.bytes_expected));
    }
}

/// What may be taken from the ends of files.
fn bounds_wanted(with: BoundsWith) -> &'static str {
    match with {
        BoundsWith::Nothing => "least and greatest values",
        BoundsWith::Counts => "least and greatest values, counts",
    }
}

/// The columns of which joins and sorts find out what they need.
fn hinted(names: &Names<'_>, hints: &[Arc<dyn PhysicalExpr>]) -> Vec<String> {
    let columns: BTreeSet<usize> =
        hints.iter().flat_map(collect_columns).map(|column: Column| column.index()).collect();
    columns.into_iter().filter_map(|place| names.columns.get(place).cloned()).collect()
}

/// Why a condition is not evaluated in the scan.
fn not_in_scan(fragment: &ScanFragment, predicate: &Arc<dyn PhysicalExpr>) -> &'static str {
    if !fragment.takes_conditions {
        "the format has no columns to compare before rows are read"
    } else if fragment.fetch.is_some() {
        "the scan has a limit"
    } else if is_volatile(predicate) {
        "it has a volatile function"
    } else if physical_may_fail(predicate) {
        "it can fail for rows that other conditions exclude"
    } else {
        "it was not handed down"
    }
}

/// Requests to the store that a scan is expected to make.
pub fn requests_expected(report: &ScanReport) -> f64 {
    report.files as f64 + (report.bytes_expected as f64 / REQUEST_BYTES).floor()
}

fn scan_cost(fragment: &ScanFragment, report: Option<&ScanReport>, conditions: usize) -> Cost {
    let rows = before_conditions(fragment).rows;
    match report {
        Some(report) => {
            let bytes = report.bytes_expected as f64;
            Cost::scan(bytes, requests_expected(report), rows, conditions)
        }
        None => {
            let bytes = fragment.statistics.total_byte_size.get_value().map_or(0.0, |bytes| *bytes as f64);
            Cost::scan(bytes, 0.0, rows, conditions)
        }
    }
}

/// A name as SQL writes it.
pub(super) fn identifier(name: &str) -> String {
    let is_plain = name.starts_with(|it: char| it.is_ascii_lowercase() || it == '_')
        && name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_' || it == '$');
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}
