//! Plans below a node that are no inputs of it: subqueries, and rows that are kept for several readers.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::scalar_subquery::ScalarSubqueryExec;

use super::builder::{Built, PlanBuilder};
use super::node::{Expected, PlanNode, Property, Relationship};
use super::scans::identifier;
use crate::apply::ApplyExec;
use crate::cost::physical::WIDTH_UNKNOWN;
use crate::cost::{Cost, Estimate};
use crate::spool::SpoolExec;

/// Rows that are kept for several readers.
#[derive(Clone)]
pub(super) struct Spooled {
    spool: SpoolExec,
    name: String,
    estimate: Estimate<usize>,
    /// Where its plan is among those that are shown above all.
    shown: usize,
    /// What relations were called before.
    called: HashMap<String, usize>,
}

impl PlanBuilder<'_> {
    /// Subqueries of one row that are run before the rest.
    pub(super) fn scalar_subqueries(&mut self, plan: &ScalarSubqueryExec) -> Built {
        let before = self.subqueries;
        self.subqueries += plan.subqueries().len();
        let outside = std::mem::replace(&mut self.subqueries_before, before);
        let mut built = self.build(plan.input());
        self.subqueries_before = outside;
        let subqueries = plan.subqueries().iter().map(|subquery| {
            let number = before + subquery.index.as_usize();
            let name = format!("InitPlan {} (returns ${number})", number + 1);
            self.build(&subquery.plan).node.related(Relationship::InitPlan(name))
        });
        let subqueries: Vec<PlanNode> = subqueries.collect();
        built.node.plans.splice(0..0, subqueries);
        built
    }

    /// What is kept for several readers is shown once, above all.
    pub(super) fn spool(&mut self, plan: &Arc<dyn ExecutionPlan>, spool: &SpoolExec) -> Built {
        let known = self.spooled.iter().position(|known| known.spool.is_same(spool));
        let place = known.unwrap_or_else(|| self.new_spool(spool));
        self.look_again(place, spool);
        let Spooled { name, estimate, .. } = self.spooled[place].clone();
        let reference = self.reference(&name);
        let mut node = PlanNode::new("CTE Scan");
        node.title = format!("CTE Scan on {}", identifier(&name));
        if reference != name {
            node.title.push_str(&format!(" {}", identifier(&reference)));
        }
        let schema = plan.schema();
        let columns = schema.fields().iter().map(|field| self.column(&reference, field.name())).collect();
        node.attributes = vec![Property::text("CTE Name", name), Property::text("Alias", reference)];
        let cost = Cost::scan(0.0, 0.0, estimate.rows, 0);
        self.finish(plan, node, columns, estimate, cost)
    }

    /// Shows what rows are made of that are kept, and says where they are known.
    fn new_spool(&mut self, spool: &SpoolExec) -> usize {
        let called = self.called.clone();
        let built = self.build(spool.input());
        let name = spool.name().map_or_else(|| format!("repeated_{}", self.spooled.len() + 1), str::to_owned);
        let relationship = Relationship::InitPlan(format!("CTE {name}"));
        self.init_plans.push(built.node.related(relationship));
        let shown = self.init_plans.len() - 1;
        self.spooled.push(Spooled { spool: spool.clone(), name, estimate: built.estimate, shown, called });
        self.spooled.len() - 1
    }

    /// Each reader has the plan of the rows, and one of them has run it.
    fn look_again(&mut self, place: usize, spool: &SpoolExec) {
        let Spooled { shown, called, .. } = self.spooled[place].clone();
        let has_run = self.init_plans[shown].actual.is_some_and(|actual| actual.loops > 0);
        if !self.told.analyze || has_run {
            return;
        }
        let called = std::mem::replace(&mut self.called, called);
        let again = self.build(spool.input()).node;
        self.called = called;
        self.init_plans[shown] = PlanNode { relationship: self.init_plans[shown].relationship.take(), ..again };
    }

    /// A subquery that is run for each combination of outer values.
    pub(super) fn apply(&mut self, plan: &Arc<dyn ExecutionPlan>, apply: &ApplyExec) -> Built {
        let input = self.build(apply.input());
        let schema = apply.input().schema();
        let names = self.names(&input.columns, &schema);
        let mut subplan = PlanNode::new("Correlated Subquery");
        subplan.push_list("Run For Each", names.all(apply.outer_values()));
        subplan.push_list("Relations", apply.relations());
        let name = "SubPlan".to_owned();
        subplan.expected = Expected { rows: 1.0, width: WIDTH_UNKNOWN, ..Expected::default() };
        let added = plan.schema().fields().len().saturating_sub(input.columns.len());
        let mut columns = input.columns;
        columns.extend((0..added).map(|_| "(SubPlan)".to_owned()));
        let estimate = Estimate::of_node(plan.as_ref(), &[&input.estimate]);
        let mut node = PlanNode::new("Result");
        node.plans = vec![input.node.related(Relationship::Outer), subplan.related(Relationship::SubPlan(name))];
        self.finish(plan, node, columns, estimate, input.cost)
    }
}
