//! Groups below a join (Yan and Larson, "Eager Aggregation and Lazy Aggregation", VLDB 1995).
//!
//! `SELECT c.name, sum(s.price) FROM sales s JOIN customers c … GROUP BY c.name`: the sales of a customer are put together before he
//! is looked up, so that his name is compared once for each customer, and not for each sale. It is right because each row
//! of such a group meets the same rows of the other side, as often as the group does.
//!
//! It pays where the keys of the groups are wide and those of the join are not, and where groups are far fewer than rows. Few groups in
//! all are quickly made anyway.

use std::collections::BTreeSet;

use arrow::datatypes::DataType;
use datafusion::common::{Column, JoinSide, JoinType, Result};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, Join, LogicalPlan};

use super::{Grouping, function, halves, in_place_of};
use crate::cost::Estimate;
use crate::lazy::may_fail_on;

/// Fewer rows are quickly grouped in any way.
const ROWS_MIN: f64 = 100_000.0;
/// What it must cost, in times of what it costs without.
const COST_MAX: f64 = 0.6;
/// Of a row, in some unit: to find its group, for each key of a fixed width and of any width, and to be joined.
const COST_OF_ROW: f64 = 5.0;
const COST_OF_NUMBER: f64 = 4.0;
const COST_OF_TEXT: f64 = 10.0;
const COST_OF_JOIN: f64 = 10.0;
/// More groups do not stay in the processor's caches, and are handed from core to core.
const GROUPS_MANY: f64 = 50_000.0;
/// How much more it costs then to find the group of a row.
const TIMES_OF_MANY: f64 = 3.0;

/// The same groups, of a join of groups; `None` if that cannot be, or had better not be.
///
/// # Errors
/// The plan cannot be built.
pub fn below_join(aggregate: &Aggregate, grouping: Grouping) -> Result<Option<LogicalPlan>> {
    let Some(join) = joined(&aggregate.input) else { return Ok(None) };
    for side in [JoinSide::Left, JoinSide::Right] {
        let Some(early) = Early::of(aggregate, join, side)? else { continue };
        if grouping == Grouping::Always || early.is_better()? {
            return early.plan().map(Some);
        }
    }
    Ok(None)
}

/// The inner join of which columns are grouped.
fn joined(input: &LogicalPlan) -> Option<&Join> {
    match input {
        LogicalPlan::Projection(projection) if projection.expr.iter().all(|it| matches!(it, Expr::Column(_))) => {
            joined(&projection.input)
        }
        LogicalPlan::Join(join) => {
            let is_inner = join.join_type == JoinType::Inner && join.filter.is_none() && !join.on.is_empty();
            is_inner.then_some(join)
        }
        _ => None,
    }
}

/// Groups of one side of a join.
struct Early<'a> {
    aggregate: &'a Aggregate,
    join: &'a Join,
    side: JoinSide,
    /// The groups below the join.
    groups: Aggregate,
    /// What the groups above it make of what those keep.
    results: Vec<Expr>,
}

impl<'a> Early<'a> {
    /// Groups of a side, if nothing but keys comes from the other.
    fn of(aggregate: &'a Aggregate, join: &'a Join, side: JoinSide) -> Result<Option<Self>> {
        let (input, other) = match side {
            JoinSide::Left => (&join.left, &join.right),
            _ => (&join.right, &join.left),
        };
        // A name without a relation may be one of both sides.
        let has = |plan: &LogicalPlan, column: &Column| plan.schema().has_column(column);
        let is_early = |column: &Column| has(input, column) && !has(other, column);
        let is_late = |column: &Column| has(other, column) && !has(input, column);
        let mut keys: BTreeSet<Column> = BTreeSet::new();
        for (left, right) in &join.on {
            match if side == JoinSide::Left { left } else { right } {
                Expr::Column(key) => keys.insert(key.clone()),
                _ => return Ok(None),
            };
        }
        for key in &aggregate.group_expr {
            match key {
                Expr::Column(key) if is_early(key) => drop(keys.insert(key.clone())),
                key if key.column_refs().into_iter().all(is_late) && !key.is_volatile() => {}
                _ => return Ok(None),
            }
        }
        let (mut kept, mut results) = (Vec::new(), Vec::new());
        for (place, expr) in aggregate.aggr_expr.iter().enumerate() {
            let is_of_side = expr.column_refs().into_iter().all(is_early) && !expr.is_volatile();
            // It is evaluated of rows that the join would have discarded, too.
            let is_safe = |function: &&AggregateFunction| {
                let filter = function.params.filter.as_deref();
                !function.params.args.iter().chain(filter).any(|expr| may_fail_on(expr, input.schema()))
            };
            let Some(function) = function(expr).filter(|_| is_of_side).filter(is_safe) else { return Ok(None) };
            let Some((keep, finish)) = halves(function, place, input.schema())? else { return Ok(None) };
            kept.push(keep);
            results.push(finish);
        }
        let keys = keys.into_iter().map(Expr::Column).collect();
        let groups = Aggregate::try_new(input.clone(), keys, kept)?;
        Ok(Some(Early { aggregate, join, side, groups, results }))
    }

    /// Whether the plan is expected to cost less.
    fn is_better(&self) -> Result<bool> {
        let rows = |plan: LogicalPlan| Estimate::of(&plan).rows;
        let of_side = Estimate::of(&self.groups.input).rows;
        let of_join = rows(LogicalPlan::Join(self.join.clone()));
        if of_side.min(of_join) < ROWS_MIN {
            return Ok(false);
        }
        let early = rows(LogicalPlan::Aggregate(self.groups.clone()));
        let late = rows(LogicalPlan::Aggregate(self.aggregate.clone()));
        let of_late = of_groups(self.aggregate, late)? + COST_OF_JOIN;
        let joined_groups = of_join * (early / of_side).min(1.0);
        let cost = of_side * of_groups(&self.groups, early)? + joined_groups * of_late;
        Ok(cost < of_join * of_late * COST_MAX)
    }

    fn plan(self) -> Result<LogicalPlan> {
        let groups = LogicalPlan::Aggregate(self.groups);
        let inputs = match self.side {
            JoinSide::Left => vec![groups, self.join.right.as_ref().clone()],
            _ => vec![self.join.left.as_ref().clone(), groups],
        };
        let join = LogicalPlan::Join(self.join.clone());
        let join = join.with_new_exprs(join.expressions(), inputs)?;
        in_place_of(self.aggregate, join, self.aggregate.group_expr.clone(), self.results)
    }
}

/// What it costs to put a row into one of so many groups.
fn of_groups(aggregate: &Aggregate, groups: f64) -> Result<f64> {
    let mut cost = COST_OF_ROW;
    for key in &aggregate.group_expr {
        let data_type = key.get_type(aggregate.input.schema())?;
        let is_number = data_type.is_primitive() || data_type == DataType::Boolean;
        cost += if is_number { COST_OF_NUMBER } else { COST_OF_TEXT };
    }
    Ok(if groups > GROUPS_MANY { cost * TIMES_OF_MANY } else { cost })
}
