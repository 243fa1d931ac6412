//! Which part of the rows a condition leaves.
//!
//! Where nothing is known of a column the parts are guesses, near PostgreSQL's (`src/include/utils/selfuncs.h`) but for
//! equality, which here often meets columns of few values.

use std::hash::Hash;

use datafusion::logical_expr::Operator;

use super::condition::{Condition, Operand};
use super::estimate::{ColumnEstimate, Estimate};

/// Values of a column of which nothing is known.
const DISTINCT_UNKNOWN: f64 = 20.0;
/// Of a comparison with what is not known.
const RANGE: f64 = 1.0 / 3.0;
/// Of a text that begins in some way.
const PREFIX: f64 = 0.02;
/// Of a text that holds another.
const CONTAINS: f64 = 0.1;
/// Of a condition of which nothing is known.
const UNKNOWN: f64 = 1.0 / 3.0;
/// Of a column that is NULL, when it is not known how often.
const NULLS: f64 = 0.05;
/// The least part that is left.
const PART_MIN: f64 = 1e-9;

/// What is left of rows by a condition.
pub(crate) fn apply<C: Eq + Hash + Clone>(rows: Estimate<C>, condition: &Condition<C>) -> Estimate<C> {
    if let Condition::And(all) = condition {
        return all.iter().fold(rows, apply);
    }
    let part = part(&rows, condition).clamp(PART_MIN, 1.0);
    let known = narrowed(&rows, condition);
    let mut left = rows.scaled(part);
    left.columns.extend(known);
    left
}

/// The rows of a join by keys, of which the numbers of values of both sides are known or not. What is not known is taken for a
/// key of the smaller side.
pub(crate) fn equal_rows(
    left_rows: f64,
    right_rows: f64,
    keys: impl Iterator<Item = (Option<f64>, Option<f64>)>,
) -> f64 {
    let (mut left, mut right, mut count) = (1.0, 1.0, 0);
    for (of_left, of_right) in keys {
        let unknown = left_rows.min(right_rows);
        left *= of_left.or(of_right).unwrap_or(unknown);
        right *= of_right.or(of_left).unwrap_or(unknown);
        count += 1;
    }
    if count == 0 {
        return left_rows * right_rows;
    }
    // There are no more combinations of keys than rows.
    left_rows * right_rows / left.min(left_rows).max(right.min(right_rows)).max(1.0)
}

/// The part of the rows for which a condition is true.
pub(crate) fn part<C: Eq + Hash + Clone>(rows: &Estimate<C>, condition: &Condition<C>) -> f64 {
    match condition {
        Condition::And(all) => all.iter().map(|one| part(rows, one)).product(),
        Condition::Or(any) => any.iter().map(|one| part(rows, one)).fold(0.0, |all, one| all + one - all * one),
        Condition::Not(inner) => 1.0 - part(rows, inner),
        Condition::Compare { left, operator, right } => of_comparison(rows, left, *operator, right),
        Condition::In { operand, values } => (values.len() as f64 * equal(rows, operand)).min(1.0),
        Condition::Like { pattern } => like(pattern),
        Condition::IsNull(operand) => known(rows, operand).map_or(NULLS, |column| column.nulls),
        Condition::Constant(holds) => f64::from(u8::from(*holds)),
        Condition::Holds(_) => 0.5,
        Condition::Between { operand, low, high } => between(rows, operand, low.number(), high.number()),
        Condition::Unknown => UNKNOWN,
    }
}

fn known<'a, C: Eq + Hash + Clone>(rows: &'a Estimate<C>, operand: &Operand<C>) -> Option<&'a ColumnEstimate> {
    rows.columns.get(operand.column()?)
}

fn equal<C: Eq + Hash + Clone>(rows: &Estimate<C>, operand: &Operand<C>) -> f64 {
    let not_null = 1.0 - known(rows, operand).map_or(0.0, |column| column.nulls);
    let distinct = operand.column().and_then(|column| rows.distinct(column));
    not_null / distinct.unwrap_or(DISTINCT_UNKNOWN.min(rows.rows))
}

fn of_comparison<C: Eq + Hash + Clone>(
    rows: &Estimate<C>,
    left: &Operand<C>,
    operator: Operator,
    right: &Operand<C>,
) -> f64 {
    match (operator, known(rows, left).is_some(), known(rows, right).is_some()) {
        (Operator::Eq | Operator::IsNotDistinctFrom, true, true) => equal(rows, left).min(equal(rows, right)),
        (Operator::Eq | Operator::IsNotDistinctFrom, false, true) => equal_to(rows, right, left),
        (Operator::Eq | Operator::IsNotDistinctFrom, ..) => equal_to(rows, left, right),
        (Operator::NotEq | Operator::IsDistinctFrom, false, true) => 1.0 - equal(rows, right),
        (Operator::NotEq | Operator::IsDistinctFrom, ..) => 1.0 - equal(rows, left),
        (Operator::Lt | Operator::LtEq, true, false) => between(rows, left, None, right.number()),
        (Operator::Gt | Operator::GtEq, true, false) => between(rows, left, right.number(), None),
        (Operator::Lt | Operator::LtEq, false, true) => between(rows, right, left.number(), None),
        (Operator::Gt | Operator::GtEq, false, true) => between(rows, right, None, left.number()),
        _ => RANGE,
    }
}

fn equal_to<C: Eq + Hash + Clone>(rows: &Estimate<C>, operand: &Operand<C>, value: &Operand<C>) -> f64 {
    let bounds = known(rows, operand).and_then(|column| column.bounds);
    match bounds.zip(value.number()) {
        Some(((least, greatest), value)) if value < least || value > greatest => 0.0,
        _ => equal(rows, operand),
    }
}

/// The part of the values between two, as if they were spread evenly.
fn between<C: Eq + Hash + Clone>(rows: &Estimate<C>, operand: &Operand<C>, low: Option<f64>, high: Option<f64>) -> f64 {
    let Some(ColumnEstimate { bounds: Some((least, greatest)), nulls, .. }) = known(rows, operand) else {
        return if low.is_some() && high.is_some() { RANGE * RANGE } else { RANGE };
    };
    if low.is_none() && high.is_none() {
        return RANGE;
    }
    let (from, to) = (low.unwrap_or(*least).max(*least), high.unwrap_or(*greatest).min(*greatest));
    if from > to {
        return 0.0;
    }
    let width = greatest - least;
    // One value is a part, too.
    let single = operand.column().and_then(|column| rows.distinct(column)).map_or(0.0, |distinct| 1.0 / distinct);
    let part = if width > 0.0 { ((to - from) / width).max(single) } else { 1.0 };
    part * (1.0 - nulls)
}

fn like<C>(pattern: &Operand<C>) -> f64 {
    match pattern {
        Operand::Value(value) => match value.try_as_str().flatten() {
            Some(pattern) if pattern.starts_with('%') => CONTAINS,
            Some(_) => PREFIX,
            None => 0.0,
        },
        _ => CONTAINS,
    }
}

/// The column that a condition compares with constants, and what is known of its values then.
fn narrowed<C: Eq + Hash + Clone>(rows: &Estimate<C>, condition: &Condition<C>) -> Option<(C, ColumnEstimate)> {
    let (operand, low, high, listed) = match condition {
        Condition::Compare { left, operator, right } => match operator {
            Operator::Eq if matches!(right, Operand::Value(_)) => (left, right.number(), right.number(), Some(1.0)),
            Operator::Lt | Operator::LtEq => (left, None, right.number(), None),
            Operator::Gt | Operator::GtEq => (left, right.number(), None, None),
            _ => return None,
        },
        Condition::Between { operand, low, high } => (operand, low.number(), high.number(), None),
        Condition::In { operand, values } => (operand, None, None, Some(values.len() as f64)),
        _ => return None,
    };
    let column = operand.column()?;
    let known = rows.columns.get(column)?;
    let inside = |(least, greatest): (f64, f64)| {
        let (from, to) = (low.unwrap_or(least).max(least), high.unwrap_or(greatest).min(greatest));
        if from <= to { (from, to) } else { (least, greatest) }
    };
    let bounds = known.bounds.map(inside);
    let part = match (known.bounds, bounds) {
        (Some((least, greatest)), Some((from, to))) if greatest > least => (to - from) / (greatest - least),
        _ => 1.0,
    };
    let distinct = match (known.distinct, listed) {
        (Some(distinct), Some(listed)) => Some(distinct.min(listed)),
        (distinct, None) => distinct.map(|distinct| (distinct * part).max(1.0)),
        (None, listed) => listed,
    };
    Some((column.clone(), ColumnEstimate { distinct, bounds, nulls: 0.0 }))
}
