//! Joins.

use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::common::{JoinSide, JoinType, NullEquality};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode, SortMergeJoinExec};

use super::actual;
use super::builder::{Built, PlanBuilder, expected};
use super::node::{Actual, PlanNode, Property, Relationship};
use crate::cost::physical::{JoinColumn, JoinParts};
use crate::cost::{Cost, Estimate};

impl PlanBuilder<'_> {
    /// A join. PostgreSQL's first input is the one whose rows look for partners, which is the engine's second.
    pub(super) fn join(
        &mut self,
        plan: &Arc<dyn ExecutionPlan>,
        join: &JoinParts<'_>,
        [left, right]: [&Arc<dyn ExecutionPlan>; 2],
    ) -> Built {
        let (left_schema, right_schema) = (left.schema(), right.schema());
        let (left, right) = (self.build(left), self.build(right));
        let keeps_order = plan.is::<SortMergeJoinExec>();
        let mut node = titled(plan, join.join_type);
        let (left_names, right_names) =
            (self.names(&left.columns, &left_schema), self.names(&right.columns, &right_schema));
        let equal = if is_null_equal(plan) { "IS NOT DISTINCT FROM" } else { "=" };
        let conditions = join.keys.iter().map(|(of_left, of_right)| {
            let (of_left, of_right) = (left_names.sql(of_left), right_names.sql(of_right));
            let (outer, inner) = if keeps_order { (of_left, of_right) } else { (of_right, of_left) };
            format!("({outer} {equal} {inner})")
        });
        let name = if keeps_order { "Merge Cond" } else { "Hash Cond" };
        node.push_conditions(name, conditions.collect());
        if let Some(filter) = join.filter {
            node.push_conditions("Join Filter", self.filter_conditions(filter, &left.columns, &right.columns));
        }
        if let (Some(hash), true) = (plan.downcast_ref::<HashJoinExec>(), self.told.verbose) {
            let all = matches!(hash.partition_mode(), PartitionMode::CollectLeft);
            let kept = if all { "one for all workers" } else { "one for each worker" };
            node.properties.push(Property::text("Hash Table", kept));
        }

        let columns = join.columns(left.columns.len(), right.columns.len()).into_iter().map(|column| match column {
            JoinColumn::Left(place) => left.columns[place].clone(),
            JoinColumn::Right(place) => right.columns[place].clone(),
            JoinColumn::Mark => "(has partner)".to_owned(),
        });
        let columns = columns.collect();
        let estimate = Estimate::of_node(plan.as_ref(), &[&left.estimate, &right.estimate]);
        let cost = join_cost(plan, join, &left, &right, estimate.rows);
        node.plans = if keeps_order {
            vec![left.node.related(Relationship::Outer), right.node.related(Relationship::Inner)]
        } else {
            let kept = self.kept(plan, left, &left_schema);
            vec![right.node.related(Relationship::Outer), kept.related(Relationship::Inner)]
        };
        let built = self.finish(plan, node, columns, estimate, cost);
        if plan.fetch().is_some() { self.limited(plan, built) } else { built }
    }

    /// The rows that are kept for the others to find.
    fn kept(&self, plan: &Arc<dyn ExecutionPlan>, rows: Built, schema: &Schema) -> PlanNode {
        let is_hashed = plan.is::<HashJoinExec>();
        let mut node = PlanNode::new(if is_hashed { "Hash" } else { "Materialize" });
        let cost = if is_hashed { Cost { startup: rows.cost.total, ..rows.cost } } else { rows.cost };
        node.expected = expected(schema, &rows.estimate, cost);
        if self.told.analyze {
            let of_input = rows.node.actual;
            let counted = actual::count(plan.as_ref(), "build_input_rows");
            let total_ms = of_input.map_or(0.0, |input| input.total_ms);
            let kept = counted.map(|rows| Actual { startup_ms: total_ms, total_ms, rows, loops: 1 });
            node.actual = kept.filter(|_| of_input.is_some());
        }
        node.plans = vec![rows.node.related(Relationship::Outer)];
        node
    }

    /// What pairs of rows have to satisfy beside their keys.
    fn filter_conditions(&self, filter: &JoinFilter, left: &[String], right: &[String]) -> Vec<String> {
        let columns: Vec<String> = filter
            .column_indices()
            .iter()
            .map(|column| {
                let side = if column.side == JoinSide::Left { left } else { right };
                side.get(column.index).cloned().unwrap_or_default()
            })
            .collect();
        self.names(&columns, filter.schema()).conjuncts(filter.expression())
    }
}

fn join_cost(plan: &Arc<dyn ExecutionPlan>, join: &JoinParts<'_>, left: &Built, right: &Built, rows: f64) -> Cost {
    let (kept, others) = ((left.cost, left.estimate.rows), (right.cost, right.estimate.rows));
    if plan.is::<HashJoinExec>() {
        Cost::hash_join(kept, others, join.keys.len(), rows)
    } else if plan.is::<SortMergeJoinExec>() {
        Cost::merge_join(kept, others, join.keys.len(), rows)
    } else {
        Cost::nested_loop(kept, others, usize::from(join.filter.is_some()), rows)
    }
}

fn is_null_equal(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let hash = plan.downcast_ref::<HashJoinExec>().map(HashJoinExec::null_equality);
    let merge = plan.downcast_ref::<SortMergeJoinExec>().map(SortMergeJoinExec::null_equality);
    hash.or(merge) == Some(NullEquality::NullEqualsNull)
}

/// The node, by the kind of join and by which rows come out without a partner.
fn titled(plan: &Arc<dyn ExecutionPlan>, join_type: JoinType) -> PlanNode {
    let keeps_order = plan.is::<SortMergeJoinExec>();
    let (kind, begins) = if plan.is::<HashJoinExec>() {
        ("Hash Join", "Hash")
    } else if keeps_order {
        ("Merge Join", "Merge")
    } else {
        ("Nested Loop", "Nested Loop")
    };
    let name = join_name(if keeps_order { join_type } else { join_type.swap() });
    let mut node = PlanNode::new(kind);
    if name != "Inner" {
        node.title = format!("{begins} {name} Join");
    }
    node.attributes = vec![Property::text("Join Type", name)];
    node
}

fn join_name(join_type: JoinType) -> &'static str {
    match join_type {
        JoinType::Inner => "Inner",
        JoinType::Left => "Left",
        JoinType::Right => "Right",
        JoinType::Full => "Full",
        JoinType::LeftSemi => "Semi",
        JoinType::RightSemi => "Right Semi",
        JoinType::LeftAnti => "Anti",
        JoinType::RightAnti => "Right Anti",
        JoinType::LeftMark => "Mark",
        JoinType::RightMark => "Right Mark",
    }
}
