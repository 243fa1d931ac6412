//! Conditions that no row satisfies: `day >= '2024-01-01' AND day = '2023-06-01'`.
//!
//! A view over several tables says which of them has the rows of which days; a query for some days contradicts what it says
//! of the others, which need not be read then, or even be listed.

use std::cmp::Ordering;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchemaRef, Result, ScalarValue};
use datafusion::logical_expr::expr::{Between, InList};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, EmptyRelation, Expr, LogicalPlan, Operator};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// Takes the rows away that contradict themselves.
#[derive(Debug, Default)]
pub struct EliminateContradictions;

impl OptimizerRule for EliminateContradictions {
    fn name(&self) -> &str {
        "eliminate_contradictions"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let schema = match &plan {
            LogicalPlan::Filter(filter) if contradict(split_conjunction(&filter.predicate)) => filter.input.schema(),
            LogicalPlan::TableScan(scan) if contradict(scan.filters.iter().flat_map(split_conjunction)) => {
                &scan.projected_schema
            }
            _ => return Ok(Transformed::no(plan)),
        };
        Ok(Transformed::yes(nothing(schema.clone())))
    }
}

fn nothing(schema: DFSchemaRef) -> LogicalPlan {
    LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: false, schema })
}

/// Whether no value of a column satisfies all of the conditions.
fn contradict<'a>(conditions: impl IntoIterator<Item = &'a Expr>) -> bool {
    let mut ranges: Vec<(&Column, Range)> = Vec::new();
    for condition in conditions {
        let Some((column, range)) = range_of(condition) else { continue };
        match ranges.iter_mut().find(|(known, _)| *known == column) {
            Some((_, known)) => {
                known.narrow(range);
                if known.is_empty() {
                    return true;
                }
            }
            None => ranges.push((column, range)),
        }
    }
    false
}

/// An end of a range, and whether it belongs to it.
type End<'a> = Option<(&'a ScalarValue, bool)>;

/// The values that satisfy a condition.
#[derive(Debug, Default)]
struct Range<'a> {
    low: End<'a>,
    high: End<'a>,
}

impl<'a> Range<'a> {
    /// Leaves what is in another range, too. Values that cannot be compared leave it as it is.
    fn narrow(&mut self, other: Range<'a>) {
        self.low = closer(self.low, other.low, Ordering::Greater);
        self.high = closer(self.high, other.high, Ordering::Less);
    }

    fn is_empty(&self) -> bool {
        let (Some((low, has_low)), Some((high, has_high))) = (self.low, self.high) else { return false };
        match low.partial_cmp(high) {
            Some(Ordering::Greater) => true,
            Some(Ordering::Equal) => !(has_low && has_high),
            _ => false,
        }
    }
}

/// The end that leaves less: the other, if it compares so with the first.
fn closer<'a>(one: End<'a>, other: End<'a>, leaves_less: Ordering) -> End<'a> {
    let (Some((value, has)), Some((other_value, other_has))) = (one, other) else { return one.or(other) };
    match other_value.partial_cmp(value) {
        Some(Ordering::Equal) => Some((value, has && other_has)),
        Some(order) if order == leaves_less => other,
        _ => one,
    }
}

/// The column that a condition compares with constants, and the values that satisfy it.
fn range_of(condition: &Expr) -> Option<(&Column, Range<'_>)> {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (left.as_ref(), right.as_ref()) {
            (Expr::Column(column), value) => Some((column, comparison(*op, constant(value)?)?)),
            (value, Expr::Column(column)) => Some((column, comparison(op.swap()?, constant(value)?)?)),
            _ => None,
        },
        Expr::Between(Between { expr, negated: false, low, high }) => {
            let Expr::Column(column) = expr.as_ref() else { return None };
            Some((column, Range { low: Some((constant(low)?, true)), high: Some((constant(high)?, true)) }))
        }
        Expr::InList(InList { expr, list, negated: false }) => {
            let Expr::Column(column) = expr.as_ref() else { return None };
            let values: Vec<&ScalarValue> = list.iter().map(constant).collect::<Option<_>>()?;
            let end = |wanted: Ordering| {
                let mut values = values.iter();
                let first = *values.next()?;
                // One that cannot be compared with the others leaves no range.
                values.try_fold(first, |end, value| {
                    let order = value.partial_cmp(&end)?;
                    Some(if order == wanted { *value } else { end })
                })
            };
            let (low, high) = (end(Ordering::Less)?, end(Ordering::Greater)?);
            Some((column, Range { low: Some((low, true)), high: Some((high, true)) }))
        }
        _ => None,
    }
}

fn comparison(operator: Operator, value: &ScalarValue) -> Option<Range<'_>> {
    let none = Range::default();
    Some(match operator {
        Operator::Eq => Range { low: Some((value, true)), high: Some((value, true)) },
        Operator::Lt => Range { high: Some((value, false)), ..none },
        Operator::LtEq => Range { high: Some((value, true)), ..none },
        Operator::Gt => Range { low: Some((value, false)), ..none },
        Operator::GtEq => Range { low: Some((value, true)), ..none },
        _ => return None,
    })
}

/// A value that is compared as its type says. Zeros of both signs are the same number, but not the same value.
fn constant(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(value, _) if !value.is_null() && !value.data_type().is_floating() => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{col, lit};

    use super::*;

    fn check(conditions: &[Expr], expected: bool) {
        assert_eq!(contradict(conditions.iter()), expected, "{conditions:?}");
    }

    #[test]
    fn ranges_that_do_not_meet_contradict_each_other() {
        check(&[col("a").gt(lit(5)), col("a").lt(lit(3))], true);
        check(&[col("a").gt(lit(5)), lit(5).gt_eq(col("a"))], true);
        check(&[col("a").eq(lit(5)), col("a").eq(lit(6))], true);
        check(&[col("a").lt(lit(5)), col("a").between(lit(5), lit(7))], true);
        check(&[col("a").in_list(vec![lit(3), lit(1), lit(2)], false), col("a").gt(lit(3))], true);
        check(&[col("a").gt(lit(1)), col("a").lt(lit(9)), col("a").gt(lit(9))], true);
        check(&[col("a").gt_eq(lit("b")), col("a").eq(lit("a"))], true);
    }

    #[test]
    fn others_do_not() {
        check(&[col("a").gt_eq(lit(5)), col("a").lt_eq(lit(5))], false);
        check(&[col("a").gt(lit(5)), col("b").lt(lit(3))], false);
        check(&[col("a").gt(lit(5)), col("a").lt(lit(3i64))], false);
        check(&[col("a").gt_eq(lit(0.0)), col("a").lt_eq(lit(-0.0))], false);
        check(&[col("a").eq(lit(5)), col("a").not_eq(lit(5))], false);
        check(&[col("a").in_list(vec![lit(3), lit(1)], false), col("a").gt_eq(lit(3))], false);
        check(&[col("a").in_list(vec![lit(3), lit(1)], true), col("a").between(lit(1), lit(1))], false);
    }
}
