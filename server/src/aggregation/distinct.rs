//! `count(DISTINCT x)` beside other aggregates: by groups that have x among their keys.
//!
//! The engine keeps the distinct values of each group in memory, as long as there are some. Where there are expected to be many, they are
//! made groups, which can be put on disk. It does so by itself where all aggregates are of the distinct values.

use datafusion::common::Result;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, col};

use super::{Grouping, function, halves, in_place_of};
use crate::cost::Estimate;

/// From so many on, distinct values are better not kept in memory.
const VALUES_MAX: f64 = 1e6;
/// What the distinct values are called.
const VALUE: &str = "distinct value";

/// The same groups, made of such that have the distinct values among their keys; `None` if that cannot be, or had better not be.
///
/// # Errors
/// The plan cannot be built.
pub fn by_groups(aggregate: &Aggregate, grouping: Grouping) -> Result<Option<LogicalPlan>> {
    let Some(value) = distinct_value(aggregate) else { return Ok(None) };
    let mut keys = Vec::with_capacity(aggregate.group_expr.len() + 1);
    for (place, key) in aggregate.group_expr.iter().enumerate() {
        keys.push(key.clone().alias(format!("key {}", place + 1)));
    }
    keys.push(value.clone().alias(VALUE));
    let (mut kept, mut results) = (Vec::new(), Vec::new());
    for (place, expr) in aggregate.aggr_expr.iter().enumerate() {
        let Some(function) = function(expr) else { return Ok(None) };
        if function.params.distinct {
            results.push(of_groups(function));
            continue;
        }
        let Some((keep, finish)) = halves(function, place, aggregate.input.schema())? else { return Ok(None) };
        kept.push(keep);
        results.push(finish);
    }
    let first = LogicalPlan::Aggregate(Aggregate::try_new(aggregate.input.clone(), keys, kept)?);
    if grouping == Grouping::ByCost && Estimate::of(&first).rows < VALUES_MAX {
        return Ok(None);
    }
    let keys = (1..=aggregate.group_expr.len()).map(|place| named(&format!("key {place}"))).collect();
    in_place_of(aggregate, first, keys, results).map(Some)
}

/// The argument of all aggregates of distinct values, if it is one, and there are others.
fn distinct_value(aggregate: &Aggregate) -> Option<&Expr> {
    let mut value = None;
    let mut has_others = false;
    for expr in &aggregate.aggr_expr {
        let params = &function(expr)?.params;
        if !params.distinct {
            has_others = true;
            continue;
        }
        let [argument] = params.args.as_slice() else { return None };
        let is_plain = params.filter.is_none() && params.order_by.is_empty() && params.null_treatment.is_none();
        if !is_plain || argument.is_volatile() || value.is_some_and(|value| value != argument) {
            return None;
        }
        value = Some(argument);
    }
    let is_volatile = aggregate.group_expr.iter().any(Expr::is_volatile);
    value.filter(|_| has_others && !is_volatile)
}

/// An aggregate of distinct values, of groups each of which has one of them.
fn of_groups(function: &AggregateFunction) -> Expr {
    let params = AggregateFunctionParams { args: vec![named(VALUE)], distinct: false, ..function.params.clone() };
    Expr::AggregateFunction(AggregateFunction { func: function.func.clone(), params })
}

fn named(name: &str) -> Expr {
    col(format!("\"{name}\""))
}
