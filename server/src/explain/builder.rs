//! Makes the nodes that are shown of those of the engine's plan.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::limit::{GlobalLimitExec, LocalLimitExec};
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::recursive_query::RecursiveQueryExec;
use datafusion::physical_plan::scalar_subquery::ScalarSubqueryExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::union::{InterleaveExec, UnionExec};
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::work_table::WorkTableExec;
use storage::scan::fragment::ScanFragment;
use storage::scan::late_columns::{LateRead, is_address};
use storage::scan::report::ScanReport;

use super::actual;
use super::expression::Names;
use super::node::{Expected, PlanNode, Property, Relationship};
use super::scans;
use super::subplans::Spooled;
use crate::apply::ApplyExec;
use crate::computed_limit::ComputedLimitExec;
use crate::cost::physical::JoinParts;
use crate::cost::{Cost, Estimate};
use crate::optimize::ExpandExec;
use crate::spool::SpoolExec;

/// The highest cost that is shown. It has to be a number.
const COST_MAX: f64 = 1e100;
/// Nodes that only hand rows on.
const TRANSPARENT: [&str; 8] = [
    "CooperativeExec",
    "RepartitionExec",
    "CoalesceBatchesExec",
    "BufferExec",
    "OrderExec",
    "SequenceExec",
    "InterruptibleExec",
    "GuardExec",
];

/// What is told of a plan beside its nodes.
#[derive(Debug, Default)]
pub struct Told {
    /// Of the scans of external tables.
    pub reports: Vec<ScanReport>,
    /// Whether the columns that come out of each node are.
    pub verbose: bool,
    /// Whether what is expected of them is.
    pub costs: bool,
    /// Whether what was read is.
    pub buffers: bool,
    /// Whether the plan has run.
    pub analyze: bool,
    /// Whether it is told how long it took.
    pub timing: bool,
}

impl Told {
    /// What there is to tell before a plan has run, with these scans.
    pub fn before(reports: Vec<ScanReport>) -> Self {
        Told { reports, costs: true, ..Told::default() }
    }
}

/// Makes the nodes of one plan.
pub struct PlanBuilder<'a> {
    pub(super) told: &'a Told,
    /// Whether columns have to say what relation they are of.
    pub(super) qualifies: bool,
    /// How often a relation has been called so.
    pub(super) called: HashMap<String, usize>,
    /// What has been kept for several readers.
    pub(super) spooled: Vec<Spooled>,
    /// What is run before the plan.
    pub(super) init_plans: Vec<PlanNode>,
    /// Subqueries of one row that have been numbered.
    pub(super) subqueries: usize,
    /// Those before the ones that expressions refer to.
    pub(super) subqueries_before: usize,
    pub(super) begun_ns: Option<i64>,
}

/// A node, and what the node above it has to know.
pub(super) struct Built {
    pub node: PlanNode,
    /// What its columns are called.
    pub columns: Vec<String>,
    pub estimate: Estimate<usize>,
    pub cost: Cost,
    /// The scan, while nothing has been done to its rows but that they were filtered.
    pub fragment: Option<ScanFragment>,
    /// The aggregates of groups that are not complete.
    pub partial: Option<Vec<String>>,
    /// Whether a condition on its rows can be shown as the node's own.
    pub takes_filter: bool,
}

impl<'a> PlanBuilder<'a> {
    /// For one plan.
    pub fn new(told: &'a Told) -> Self {
        PlanBuilder {
            told,
            qualifies: false,
            called: HashMap::new(),
            spooled: Vec::new(),
            init_plans: Vec::new(),
            subqueries: 0,
            subqueries_before: 0,
            begun_ns: None,
        }
    }

    /// The nodes of a plan.
    pub fn plan(mut self, plan: &Arc<dyn ExecutionPlan>) -> PlanNode {
        self.qualifies = relations(plan) > 1;
        self.begun_ns = actual::begun_ns(plan).filter(|_| self.told.analyze);
        let mut node = self.build(plan).node;
        node.plans.splice(0..0, self.init_plans);
        node
    }

    pub(super) fn build(&mut self, plan: &Arc<dyn ExecutionPlan>) -> Built {
        if let Some(fragment) = ScanFragment::of(plan.as_ref()) {
            return self.scan(plan, fragment);
        }
        if let Some(built) = self.one_input(plan).or_else(|| self.subplans(plan)) {
            return built;
        }
        if let (Some(join), [left, right]) = (JoinParts::of(plan.as_ref()), plan.children().as_slice()) {
            return self.join(plan, &join, [left, right]);
        }
        match plan.children().as_slice() {
            [] => self.leaf(plan),
            [input] if TRANSPARENT.contains(&plan.name()) => self.build(input),
            _ => self.other(plan),
        }
    }

    /// A node that does something to the rows of one input.
    fn one_input(&mut self, plan: &Arc<dyn ExecutionPlan>) -> Option<Built> {
        if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
            return Some(self.projection(plan, projection));
        }
        if let Some(filter) = plan.downcast_ref::<FilterExec>() {
            return Some(self.filter(plan, filter));
        }
        if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
            return Some(self.aggregate(plan, aggregate));
        }
        if let Some(expand) = plan.downcast_ref::<ExpandExec>() {
            return Some(self.expand(plan, expand));
        }
        if let Some(sort) = plan.downcast_ref::<SortExec>() {
            return Some(self.sort(plan, sort));
        }
        if let Some(merge) = plan.downcast_ref::<SortPreservingMergeExec>() {
            return Some(self.gather(plan, merge.input(), "Gather Merge"));
        }
        if let Some(gather) = plan.downcast_ref::<CoalescePartitionsExec>() {
            return Some(self.gather(plan, gather.input(), "Gather"));
        }
        if let Some(read) = LateRead::of(plan.as_ref()) {
            return self.late_columns(plan, &read);
        }
        let is_limit = plan.is::<GlobalLimitExec>() || plan.is::<LocalLimitExec>() || plan.is::<ComputedLimitExec>();
        if is_limit {
            return Some(self.limit(plan));
        }
        if let Some(window) = plan.downcast_ref::<BoundedWindowAggExec>() {
            return Some(self.window(plan, window.input(), window.window_expr()));
        }
        let window = plan.downcast_ref::<WindowAggExec>()?;
        Some(self.window(plan, window.input(), window.window_expr()))
    }

    /// A node with plans below it that are no inputs.
    fn subplans(&mut self, plan: &Arc<dyn ExecutionPlan>) -> Option<Built> {
        if let Some(subqueries) = plan.downcast_ref::<ScalarSubqueryExec>() {
            return Some(self.scalar_subqueries(subqueries));
        }
        if let Some(spool) = plan.downcast_ref::<SpoolExec>() {
            return Some(self.spool(plan, spool));
        }
        let apply = plan.downcast_ref::<ApplyExec>()?;
        Some(self.apply(plan, apply))
    }

    /// The rest of a node that does something to rows of `inputs`.
    pub(super) fn finish(
        &self,
        plan: &Arc<dyn ExecutionPlan>,
        mut node: PlanNode,
        columns: Vec<String>,
        estimate: Estimate<usize>,
        cost: Cost,
    ) -> Built {
        node.expected = expected(&plan.schema(), &estimate, cost);
        if self.told.verbose {
            node.push_list("Output", visible(&plan.schema(), &columns));
        }
        if self.told.analyze {
            let first = node.plans.first().and_then(|plan| plan.actual);
            let startup_ms = first.map_or(0.0, |first| if blocks(plan) { first.total_ms } else { first.startup_ms });
            node.actual = actual::of_node(plan.as_ref(), self.begun_ns, startup_ms);
            if self.told.timing {
                node.properties.extend(actual::cpu_time(plan.as_ref()));
            }
            node.properties.extend(actual::resources(plan.as_ref()));
        }
        Built { node, columns, estimate, cost, fragment: None, partial: None, takes_filter: true }
    }

    /// What is called by the names of an input.
    pub(super) fn names<'n>(&self, columns: &'n [String], schema: &'n Schema) -> Names<'n> {
        Names { columns, schema, subqueries: self.subqueries_before }
    }

    /// Columns that are computed are called what they are computed by.
    fn projection(&mut self, plan: &Arc<dyn ExecutionPlan>, projection: &ProjectionExec) -> Built {
        let mut built = self.build(projection.input());
        let schema = projection.input().schema();
        let names = self.names(&built.columns, &schema);
        let columns = names.all(projection.expr().iter().map(|column| &column.expr));
        let computed = columns.iter().filter(|column| !built.columns.contains(column)).count();
        built.cost = built.cost.evaluated(built.estimate.rows, computed);
        built.estimate = Estimate::of_node(plan.as_ref(), &[&built.estimate]);
        built.node.expected = expected(&plan.schema(), &built.estimate, built.cost);
        if self.told.verbose {
            built.node.properties.retain(|property| property.name != "Output");
            built.node.push_list("Output", visible(&plan.schema(), &columns));
        }
        Built { columns, partial: None, fragment: None, ..built }
    }

    /// A condition on the rows of a node.
    fn filter(&mut self, plan: &Arc<dyn ExecutionPlan>, filter: &FilterExec) -> Built {
        let mut built = self.build(filter.input());
        let schema = filter.input().schema();
        let conditions = self.names(&built.columns, &schema).conjuncts(filter.predicate());
        let count = conditions.len();
        let is_filtered = built.node.has("Filter") && built.fragment.is_none();
        if !built.takes_filter || is_filtered {
            built = self.above(plan, built, PlanNode::new("Result"));
        }
        match &built.fragment {
            Some(fragment) => self.filter_scan(&mut built.node, fragment, filter.predicate(), conditions),
            None => built.node.push_conditions("Filter", conditions),
        }
        let estimate = Estimate::of_node(plan.as_ref(), &[&built.estimate]);
        built.cost = built.cost.evaluated(built.estimate.rows, count);
        built.estimate = estimate;
        built.node.expected = expected(&plan.schema(), &built.estimate, built.cost);
        self.note_removed(plan, &mut built.node);
        let places = filter.projection().as_ref();
        let columns = match places {
            Some(places) => places.iter().filter_map(|place| built.columns.get(*place).cloned()).collect(),
            None => built.columns,
        };
        let fragment = built.fragment.filter(|_| places.is_none());
        let built = Built { columns, partial: None, fragment, ..built };
        if plan.fetch().is_some() { self.limited(plan, built) } else { built }
    }

    /// What is left of a node's rows by a condition that is shown as its own.
    fn note_removed(&self, plan: &Arc<dyn ExecutionPlan>, node: &mut PlanNode) {
        let Some(before) = node.actual else { return };
        let Some(after) = actual::of_node(plan.as_ref(), self.begun_ns, before.startup_ms) else { return };
        node.actual = Some(after);
        node.add("Rows Removed by Filter", before.rows.saturating_sub(after.rows));
    }

    /// A node above another that it says something of.
    pub(super) fn above(&self, plan: &Arc<dyn ExecutionPlan>, built: Built, node: PlanNode) -> Built {
        let Built { node: input, columns, estimate, cost, .. } = built;
        let node = PlanNode { plans: vec![input.related(Relationship::Outer)], ..node };
        self.finish(plan, node, columns, estimate, cost)
    }

    fn window(
        &mut self,
        plan: &Arc<dyn ExecutionPlan>,
        input: &Arc<dyn ExecutionPlan>,
        windows: &[Arc<dyn datafusion::physical_plan::WindowExpr>],
    ) -> Built {
        let built = self.build(input);
        let schema = input.schema();
        let names = self.names(&built.columns, &schema);
        let mut node = PlanNode::new("WindowAgg");
        let mut columns = built.columns.clone();
        for window in windows {
            let call = window_call(window.name());
            let args = names.all(&window.expressions());
            columns.push(format!("{call}({}) OVER (?)", args.join(", ")));
        }
        if let Some(first) = windows.first() {
            node.push_list("Partition Key", names.all(first.partition_by()));
            node.push_list("Sort Key", names.sort_keys(first.order_by()));
        }
        let rows = built.estimate.rows;
        let estimate = Estimate::of_node(plan.as_ref(), &[&built.estimate]);
        let cost = built.cost.evaluated(rows, windows.len());
        node.plans = vec![built.node.related(Relationship::Outer)];
        self.finish(plan, node, columns, estimate, cost)
    }

    fn leaf(&mut self, plan: &Arc<dyn ExecutionPlan>) -> Built {
        let estimate = Estimate::of_node(plan.as_ref(), &[]);
        let mut node = if plan.is::<PlaceholderRowExec>() {
            PlanNode::new("Result")
        } else if plan.is::<EmptyExec>() {
            let mut node = PlanNode::new("Result");
            node.properties.push(Property::text("One-Time Filter", "false"));
            node
        } else if let Some(work) = plan.downcast_ref::<WorkTableExec>() {
            let mut node = PlanNode::new("WorkTable Scan");
            node.title = format!("WorkTable Scan on {}", work.name());
            node.attributes = vec![Property::text("CTE Name", work.name())];
            node
        } else {
            PlanNode::new("Values Scan")
        };
        node.title = node.title.trim().to_owned();
        let columns = plan.schema().fields().iter().map(|field| field.name().clone()).collect();
        let cost = Cost::scan(0.0, 0.0, estimate.rows, 0);
        self.finish(plan, node, columns, estimate, cost)
    }

    /// A node of which nothing more is known than its inputs.
    pub(super) fn other(&mut self, plan: &Arc<dyn ExecutionPlan>) -> Built {
        let inputs: Vec<_> = plan.children().into_iter().cloned().collect();
        let inputs: Vec<Built> = inputs.iter().map(|input| self.build(input)).collect();
        let estimates: Vec<_> = inputs.iter().map(|input| &input.estimate).collect();
        let estimate = Estimate::of_node(plan.as_ref(), &estimates);
        let is_union = plan.is::<UnionExec>() || plan.is::<InterleaveExec>();
        let mut node = if is_union {
            PlanNode::new("Append")
        } else if plan.is::<RecursiveQueryExec>() {
            PlanNode::new("Recursive Union")
        } else {
            PlanNode::new(&spaced(plan.name()))
        };
        let cost = Cost::appended(inputs.iter().map(|input| input.cost)).handed_on(estimate.rows);
        let columns = columns_of(plan, inputs.first());
        let relationships = [Relationship::Outer, Relationship::Inner];
        node.plans = inputs
            .into_iter()
            .enumerate()
            .map(|(place, input)| {
                let relationship = relationships.get(place).filter(|_| !is_union).cloned();
                input.node.related(relationship.unwrap_or(Relationship::Member))
            })
            .collect();
        self.finish(plan, node, columns, estimate, cost)
    }

    /// A column of a relation as expressions have it.
    pub(super) fn column(&self, reference: &str, name: &str) -> String {
        match self.qualifies || self.told.verbose {
            true => format!("{}.{}", scans::identifier(reference), scans::identifier(name)),
            false => scans::identifier(name),
        }
    }

    /// What a relation is called that is called `name`, when others are called so, too.
    pub(super) fn reference(&mut self, name: &str) -> String {
        let count = self.called.entry(name.to_owned()).or_default();
        *count += 1;
        self.last_reference(name)
    }

    /// What the last relation is called that is called `name`.
    pub(super) fn last_reference(&self, name: &str) -> String {
        match self.called.get(name) {
            Some(count) if *count > 1 => format!("{name}_{}", count - 1),
            _ => name.to_owned(),
        }
    }
}

/// Columns whose names are those of the first input as far as they are the same, and else their own.
fn columns_of(plan: &Arc<dyn ExecutionPlan>, first: Option<&Built>) -> Vec<String> {
    let schema = plan.schema();
    let name = |(place, field): (usize, &arrow::datatypes::FieldRef)| {
        let known = first.and_then(|first| first.columns.get(place));
        known.cloned().unwrap_or_else(|| field.name().clone())
    };
    schema.fields().iter().enumerate().map(name).collect()
}

/// Whether no row comes out before all of the first input have gone in.
fn blocks(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.is::<SortExec>() || plan.is::<AggregateExec>()
}

pub(super) fn expected(schema: &Schema, estimate: &Estimate<usize>, cost: Cost) -> Expected {
    Expected {
        startup_cost: cost.startup.min(COST_MAX),
        total_cost: cost.total.min(COST_MAX),
        rows: estimate.shown_rows(),
        width: estimate.width(schema).round() as usize,
    }
}

/// The function of a window, whose name says all of it.
fn window_call(name: &str) -> &str {
    name.split('(').next().unwrap_or(name)
}

/// The name of a node of the engine as words: `FooBarExec` is Foo Bar.
fn spaced(name: &str) -> String {
    let name = name.strip_suffix("Exec").unwrap_or(name);
    let mut words = String::with_capacity(name.len() + 2);
    for (place, it) in name.char_indices() {
        if place > 0 && it.is_uppercase() {
            words.push(' ');
        }
        words.push(it);
    }
    words
}

/// Relations that a plan reads.
fn relations(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let own = usize::from(ScanFragment::of(plan.as_ref()).is_some() || plan.is::<SpoolExec>());
    own + plan.children().into_iter().map(relations).sum::<usize>()
}

/// Columns that are the query's.
fn visible(schema: &Schema, columns: &[String]) -> Vec<String> {
    let of_query = columns.iter().zip(schema.fields()).filter(|(_, field)| !is_address(field));
    of_query.map(|(column, _)| column.clone()).collect()
}
