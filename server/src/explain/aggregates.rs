//! Groups and aggregates.

use std::sync::Arc;

use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::{ExecutionPlan, InputOrderMode};

use super::builder::{Built, PlanBuilder};
use super::expression::Names;
use super::node::{PlanNode, Property, Relationship};
use crate::aggregation::is_finish;
use crate::cost::Estimate;
use crate::optimize::ExpandExec;

/// The column that tells which set of keys a group is of.
const GROUPING: &str = "GROUPING()";

impl PlanBuilder<'_> {
    pub(super) fn aggregate(&mut self, plan: &Arc<dyn ExecutionPlan>, aggregate: &AggregateExec) -> Built {
        let input = self.build(aggregate.input());
        let schema = aggregate.input().schema();
        let names = self.names(&input.columns, &schema);
        let group_by = aggregate.group_expr();
        let keys = names.all(group_by.expr().iter().map(|(key, _)| key));
        let mode = partial_mode(aggregate.mode());
        let calls = match &input.partial {
            // Aggregates are put together of parts whose rows nobody knows any more.
            Some(calls) => calls.clone(),
            None => {
                let filters = aggregate.filter_expr();
                aggregate.aggr_expr().iter().zip(filters).map(|(call, filter)| written(&names, call, filter)).collect()
            }
        };
        let node = node_of(aggregate, mode, &keys);
        let operators = keys.len() + calls.len();
        let estimate = Estimate::of_node(plan.as_ref(), &[&input.estimate]);
        let cost = input.cost.blocked(input.estimate.rows, operators as f64, estimate.rows);
        let columns = columns(plan, group_by, &keys, &calls, mode);
        let node = PlanNode { plans: vec![input.node.related(Relationship::Outer)], ..node };
        let built = self.finish(plan, node, columns, estimate, cost);
        let is_partial = mode == "Partial";
        Built { partial: is_partial.then_some(calls), takes_filter: !is_partial, ..built }
    }

    /// Groups by all keys, once for each set of keys.
    pub(super) fn expand(&mut self, plan: &Arc<dyn ExecutionPlan>, expand: &ExpandExec) -> Built {
        let input = self.build(expand.input());
        let keys = expand.sets().expr().len();
        let mut node = PlanNode::new("Expand");
        node.push_list("Grouping Sets", sets(expand.sets(), &input.columns[..keys]));
        let mut columns = input.columns;
        columns.insert(keys, GROUPING.to_owned());
        let estimate = Estimate::of_node(plan.as_ref(), &[&input.estimate]);
        let cost = input.cost.evaluated(estimate.rows, 1);
        node.plans = vec![input.node.related(Relationship::Outer)];
        let built = self.finish(plan, node, columns, estimate, cost);
        Built { partial: input.partial, takes_filter: false, ..built }
    }
}

fn node_of(aggregate: &AggregateExec, mode: &'static str, keys: &[String]) -> PlanNode {
    let group_by = aggregate.group_expr();
    let is_sorted = matches!(aggregate.input_order_mode(), InputOrderMode::Sorted);
    let (strategy, kind) = match (keys.is_empty(), is_sorted) {
        (true, _) => ("Plain", "Aggregate"),
        (false, true) => ("Sorted", "GroupAggregate"),
        (false, false) => ("Hashed", "HashAggregate"),
    };
    let mut node = PlanNode::new("Aggregate");
    node.title = if mode == "Simple" { kind.to_owned() } else { format!("{mode} {kind}") };
    node.attributes = vec![Property::text("Strategy", strategy), Property::text("Partial Mode", mode)];
    if group_by.groups().len() > 1 {
        node.push_list("Grouping Sets", sets(group_by, keys));
    } else {
        node.push_list("Group Key", keys.to_vec());
    }
    if let Some(limit) = aggregate.limit_options() {
        node.properties.push(Property::integer("Groups Kept", limit.limit() as u64));
    }
    node
}

/// The keys of each set.
fn sets(group_by: &PhysicalGroupBy, keys: &[String]) -> Vec<String> {
    let set = |set: &Vec<bool>| {
        let keys = keys.iter().zip(set).filter(|(_, is_null)| !**is_null).map(|(key, _)| key.as_str());
        format!("({})", keys.collect::<Vec<_>>().join(", "))
    };
    group_by.groups().iter().map(set).collect()
}

fn partial_mode(mode: &AggregateMode) -> &'static str {
    match mode {
        AggregateMode::Partial | AggregateMode::PartialReduce => "Partial",
        AggregateMode::Final | AggregateMode::FinalPartitioned => "Finalize",
        AggregateMode::Single | AggregateMode::SinglePartitioned => "Simple",
    }
}

/// What the columns are called that come out: keys, which set they are of, and aggregates or what is kept for them.
fn columns(
    plan: &Arc<dyn ExecutionPlan>,
    group_by: &PhysicalGroupBy,
    keys: &[String],
    calls: &[String],
    mode: &str,
) -> Vec<String> {
    let mut columns = keys.to_vec();
    if group_by.groups().len() > 1 || group_by.has_grouping_set() {
        columns.push(GROUPING.to_owned());
    }
    let count = plan.schema().fields().len();
    if mode == "Partial" {
        columns.extend(calls.iter().map(|call| format!("{PARTIAL}{call}")));
        // Some aggregates keep several values.
        let schema = plan.schema();
        let rest = schema.fields().iter().skip(columns.len()).map(|field| field.name().clone());
        columns.extend(rest.collect::<Vec<_>>());
    } else {
        columns.extend(calls.iter().cloned());
    }
    columns.truncate(count);
    columns
}

/// Stands before an aggregate of which there is what was kept, and no result.
const PARTIAL: &str = "PARTIAL ";

/// `sum(DISTINCT x ORDER BY y) FILTER (WHERE z)`
fn written(names: &Names<'_>, call: &AggregateFunctionExpr, filter: &Option<Arc<dyn PhysicalExpr>>) -> String {
    let function = call.fun().name();
    // Groups below a join keep what others make results of.
    let (partial, function) = function.strip_prefix("partial ").map_or(("", function), |of| (PARTIAL, of));
    // Sums of our own are called so beside the engine's.
    let function = function.strip_prefix("exact_").unwrap_or(function);
    let args = names.all(&call.expressions());
    let args =
        if args.is_empty() || (function == "count" && is_constant(call)) { "*".to_owned() } else { args.join(", ") };
    // What they are the result of is what was kept.
    if let Some(finished) = args.strip_prefix(PARTIAL).filter(|_| is_finish(call.fun())) {
        return finished.to_owned();
    }
    let distinct = if call.is_distinct() { "DISTINCT " } else { "" };
    let order = names.sort_keys(call.order_bys()).join(", ");
    let order = if order.is_empty() { order } else { format!(" ORDER BY {order}") };
    let filter = filter.as_ref().map_or_else(String::new, |filter| format!(" FILTER (WHERE {})", names.sql(filter)));
    format!("{partial}{function}({distinct}{args}{order}){filter}")
}

/// Whether all that a call is given is a constant, as `count(*)` is.
fn is_constant(call: &AggregateFunctionExpr) -> bool {
    let is_value = |arg: &Arc<dyn PhysicalExpr>| arg.downcast_ref::<Literal>().is_some_and(|it| !it.value().is_null());
    call.expressions().iter().all(is_value)
}
