//! Sorts, limits, and rows of several workers that come together.

use std::sync::Arc;

use datafusion::physical_plan::limit::{GlobalLimitExec, LocalLimitExec};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use super::actual;
use super::builder::{Built, PlanBuilder, expected};
use super::node::{PlanNode, Property, Relationship};
use crate::cost::Estimate;

impl PlanBuilder<'_> {
    pub(super) fn sort(&mut self, plan: &Arc<dyn ExecutionPlan>, sort: &SortExec) -> Built {
        let input = self.build(sort.input());
        let mut node = PlanNode::new("Sort");
        let schema = sort.input().schema();
        node.push_list("Sort Key", self.names(&input.columns, &schema).sort_keys(sort.expr()));
        if let Some(fetch) = sort.fetch() {
            node.properties.push(Property::integer("Rows Kept", fetch as u64));
        }
        let cost = input.cost.sorted(input.estimate.rows, sort.fetch().map(|fetch| fetch as f64));
        let estimate = Estimate::of_node(plan.as_ref(), &[&input.estimate]);
        let columns = input.columns;
        node.plans = vec![input.node.related(Relationship::Outer)];
        let sorted = self.finish(plan, node, columns, estimate, cost);
        let limits = sort.fetch().is_some() && plan.output_partitioning().partition_count() == 1;
        let sorted = Built { takes_filter: false, ..sorted };
        if limits { self.limited(plan, sorted) } else { sorted }
    }

    /// Rows of several threads come together.
    pub(super) fn gather(
        &mut self,
        plan: &Arc<dyn ExecutionPlan>,
        input: &Arc<dyn ExecutionPlan>,
        kind: &str,
    ) -> Built {
        let threads = input.output_partitioning().partition_count();
        let mut built = self.build(input);
        if threads > 1 {
            let mut node = PlanNode::new(kind);
            node.properties.push(Property::integer("Workers Planned", threads as u64));
            let cost = built.cost.handed_on(built.estimate.rows);
            let partial = built.partial.take();
            let gathered = self.above(plan, Built { cost, ..built }, node);
            built = Built { partial, takes_filter: false, ..gathered };
        }
        match plan.fetch() {
            Some(_) => self.limited(plan, built),
            None => built,
        }
    }

    /// The first rows of a node that hands on no more.
    pub(super) fn limited(&self, plan: &Arc<dyn ExecutionPlan>, mut built: Built) -> Built {
        let estimate = match plan.children().is_empty() {
            true => built.estimate.clone(),
            false => Estimate::of_node(plan.as_ref(), &[&built.estimate]),
        };
        let cost = built.cost.limited(built.estimate.rows, estimate.rows);
        let is_limit_alone = plan.is::<GlobalLimitExec>() || plan.is::<LocalLimitExec>();
        if built.node.node_type == "Limit" {
            built.node.expected = expected(&plan.schema(), &estimate, cost);
            let startup_ms = built.node.actual.map_or(0.0, |actual| actual.startup_ms);
            let actual = actual::of_node(plan.as_ref(), self.begun_ns, startup_ms);
            built.node.actual = built.node.actual.and(actual).or(built.node.actual);
            return Built { estimate, cost, ..built };
        }
        let mut limited = self.above(plan, Built { estimate, cost, ..built }, PlanNode::new("Limit"));
        if !is_limit_alone {
            // What it took is said of the node that has the limit.
            limited.node.properties.retain(|property| property.name == "Output");
        }
        Built { takes_filter: false, ..limited }
    }

    pub(super) fn limit(&mut self, plan: &Arc<dyn ExecutionPlan>) -> Built {
        let inputs: Vec<_> = plan.children().into_iter().cloned().collect();
        let Some((rows, counts)) = inputs.split_first() else { return self.other(plan) };
        let built = self.build(rows);
        let mut built = self.limited(plan, built);
        built.node.plans.extend(counts.iter().map(|counts| {
            let name = "InitPlan (counts of rows)".to_owned();
            self.build(counts).node.related(Relationship::InitPlan(name))
        }));
        built
    }
}
