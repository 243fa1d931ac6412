//! Which part of the rows a condition leaves.
//!
//! Where nothing is known of a column the parts are guesses, near PostgreSQL's (`src/include/utils/selfuncs.h`) but for
//! equality, which here often meets columns of few values.

use std::hash::Hash;

use datafusion::logical_expr::Operator;

use super::condition::{Condition, Operand};
use super::estimate::{ColumnEstimate, Estimate};
use super::shape::{self, End, Point};

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
/// Of values beyond those that have been seen.
const OUTSIDE: f64 = 0.0001;
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

/// The part of the rows for which a condition is true.
pub(crate) fn part<C: Eq + Hash + Clone>(rows: &Estimate<C>, condition: &Condition<C>) -> f64 {
    match condition {
        Condition::And(all) => all.iter().map(|one| part(rows, one)).product(),
        Condition::Or(any) => any.iter().map(|one| part(rows, one)).fold(0.0, |all, one| all + one - all * one),
        Condition::Not(inner) => 1.0 - part(rows, inner),
        Condition::Compare { left, operator, right } => of_comparison(rows, left, *operator, right),
        Condition::In { operand, values } => {
            values.iter().map(|value| equal_to(rows, operand, value)).sum::<f64>().min(1.0)
        }
        Condition::Like { operand, pattern, ignores_case } => like(rows, operand, pattern, *ignores_case),
        Condition::IsNull(operand) => known(rows, operand).map_or(NULLS, |column| column.nulls),
        Condition::Constant(holds) => f64::from(u8::from(*holds)),
        Condition::Holds(_) => 0.5,
        Condition::Between { operand, low, high } => between(rows, operand, Some((low, true)), Some((high, true))),
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
        (Operator::NotEq | Operator::IsDistinctFrom, true, true) => 1.0 - equal(rows, left).min(equal(rows, right)),
        (Operator::NotEq | Operator::IsDistinctFrom, false, true) => 1.0 - equal_to(rows, right, left),
        (Operator::NotEq | Operator::IsDistinctFrom, ..) => 1.0 - equal_to(rows, left, right),
        (Operator::Lt | Operator::LtEq, true, false) => {
            between(rows, left, None, Some((right, operator == Operator::LtEq)))
        }
        (Operator::Gt | Operator::GtEq, true, false) => {
            between(rows, left, Some((right, operator == Operator::GtEq)), None)
        }
        (Operator::Lt | Operator::LtEq, false, true) => {
            between(rows, right, Some((left, operator == Operator::LtEq)), None)
        }
        (Operator::Gt | Operator::GtEq, false, true) => {
            between(rows, right, None, Some((left, operator == Operator::GtEq)))
        }
        _ => RANGE,
    }
}

/// The part whose value is a constant.
fn equal_to<C: Eq + Hash + Clone>(rows: &Estimate<C>, operand: &Operand<C>, value: &Operand<C>) -> f64 {
    let Some(column) = known(rows, operand) else { return equal(rows, operand) };
    let bounds = column.bounds.zip(value.number());
    let is_outside = bounds.is_some_and(|((least, greatest), value)| value < least || value > greatest);
    let told = || shape::equal(column.shape.as_ref()?, &value.point()?);
    match told() {
        // Bounds that come from a sample are not those of all values.
        Some(_) if is_outside => OUTSIDE,
        Some(part) => (part / not_narrowed(column)).min(1.0) * (1.0 - column.nulls),
        None if is_outside => 0.0,
        None => equal(rows, operand),
    }
}

/// The part of a column's values that conditions on it have left so far.
fn not_narrowed(column: &ColumnEstimate) -> f64 {
    let end = |number: f64| End { point: Point::Number(number), is_included: true };
    let part = column.shape.as_ref().zip(column.bounds);
    let part = part.and_then(|(shape, (low, high))| shape::range(&shape.known, Some(&end(low)), Some(&end(high))));
    part.unwrap_or(1.0).clamp(PART_MIN, 1.0)
}

/// The part of the values between two: by what is known of them, or as if they were spread evenly.
fn between<C: Eq + Hash + Clone>(
    rows: &Estimate<C>,
    operand: &Operand<C>,
    low: Option<(&Operand<C>, bool)>,
    high: Option<(&Operand<C>, bool)>,
) -> f64 {
    let guess = if low.is_some() && high.is_some() { RANGE * RANGE } else { RANGE };
    let Some(column) = known(rows, operand) else { return guess };
    let end = |end: Option<(&Operand<C>, bool)>| {
        let (operand, is_included) = end?;
        Some(End { point: operand.point()?, is_included })
    };
    let (low, high) = (end(low), end(high));
    if low.is_none() && high.is_none() {
        return guess;
    }
    let told = column.shape.as_ref().and_then(|shape| {
        let (low, high) = (inside(column, low.as_ref(), true), inside(column, high.as_ref(), false));
        shape::range(&shape.known, low.as_ref(), high.as_ref())
    });
    if let Some(part) = told {
        return (part / not_narrowed(column)).min(1.0) * (1.0 - column.nulls);
    }
    let number = |end: Option<End>| match end?.point {
        Point::Number(number) => Some(number),
        Point::Text(_) => None,
    };
    match (column.bounds, number(low), number(high)) {
        (None, ..) | (_, None, None) => guess,
        (Some(bounds), low, high) => {
            let distinct = operand.column().and_then(|column| rows.distinct(column));
            spread_evenly(bounds, low, high, distinct) * (1.0 - column.nulls)
        }
    }
}

/// The part of the values between two, if all lie evenly between these bounds.
fn spread_evenly((least, greatest): (f64, f64), low: Option<f64>, high: Option<f64>, distinct: Option<f64>) -> f64 {
    let (from, to) = (low.unwrap_or(least).max(least), high.unwrap_or(greatest).min(greatest));
    if from > to {
        return 0.0;
    }
    let width = greatest - least;
    // One value is a part, too.
    let single = distinct.map_or(0.0, |distinct| 1.0 / distinct);
    if width > 0.0 { ((to - from) / width).max(single) } else { 1.0 }
}

/// The end of a range, as far as conditions have not gone further already.
fn inside(column: &ColumnEstimate, end: Option<&End>, is_low: bool) -> Option<End> {
    let bound = column.bounds.map(|(least, greatest)| if is_low { least } else { greatest });
    let bound = bound.map(|number| End { point: Point::Number(number), is_included: true });
    let goes_further = |bound: &End, end: &End| if is_low { bound.point > end.point } else { bound.point < end.point };
    match (bound, end) {
        (Some(bound), Some(end)) if !goes_further(&bound, end) => Some(end.clone()),
        (None, end) => end.cloned(),
        (bound, _) => bound,
    }
}

fn like<C: Eq + Hash + Clone>(
    rows: &Estimate<C>,
    operand: &Operand<C>,
    pattern: &Operand<C>,
    ignores_case: bool,
) -> f64 {
    let Operand::Value(pattern) = pattern else { return CONTAINS };
    let Some(pattern) = pattern.try_as_str().flatten() else { return 0.0 };
    let column = known(rows, operand);
    let told = column.and_then(|column| {
        let part = shape::matching(&column.shape.as_ref()?.known, pattern, ignores_case)?;
        Some(part * (1.0 - column.nulls))
    });
    told.unwrap_or(if pattern.starts_with('%') { CONTAINS } else { PREFIX })
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
        Condition::Like { operand, .. } => (operand, None, None, None),
        _ => return None,
    };
    let column = operand.column()?;
    let known = rows.columns.get(column)?;
    let inside = |(least, greatest): (f64, f64)| {
        let (from, to) = (low.unwrap_or(least).max(least), high.unwrap_or(greatest).min(greatest));
        if from <= to { (from, to) } else { (least, greatest) }
    };
    let bounds = known.bounds.map(inside);
    let part = match (known.bounds, bounds, condition) {
        (Some((least, greatest)), Some((from, to)), _) if greatest > least => (to - from) / (greatest - least),
        // Of values that are no numbers, as many are left as of the rows.
        (None, _, _) | (_, _, Condition::Like { .. }) => part(rows, condition).clamp(PART_MIN, 1.0),
        _ => 1.0,
    };
    let left_of = |distinct: f64| listed.map_or((distinct * part).max(1.0), |listed| distinct.min(listed));
    let distinct = known.distinct.map(left_of).or(listed);
    let in_table = known.in_table.map(|(values, rows)| (left_of(values), (rows * left_of(values) / values).max(1.0)));
    // What is left of numbers between two is told by the bounds.
    let is_range = listed.is_none() && bounds.is_some() && !matches!(condition, Condition::Like { .. });
    let shape = known.shape.clone().filter(|_| is_range);
    Some((column.clone(), ColumnEstimate { distinct, in_table, bounds, nulls: 0.0, shape }))
}
