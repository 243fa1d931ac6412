//! Which part of the rows a condition leaves.
//!
//! Where nothing is known of a column the parts are guesses, near PostgreSQL's (`src/include/utils/selfuncs.h`) but for
//! equality, which here often meets columns of few values.

use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::expr::{Between, InList, Like};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

use super::estimate::{ColumnEstimate, Estimate, number};

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
pub(super) fn apply(rows: Estimate, condition: &Expr) -> Estimate {
    split_conjunction(condition).into_iter().fold(rows, |rows, condition| {
        let part = part(&rows, condition).clamp(PART_MIN, 1.0);
        let mut left = rows.clone().scaled(part);
        if let Some((column, known)) = narrowed(&rows, condition) {
            left.columns.insert(column, known);
        }
        left
    })
}

/// The rows of a join by keys, of which the numbers of values of both sides are known or not. What is not known is taken for a
/// key of the smaller side.
pub(super) fn equal_rows(
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
pub(super) fn part(rows: &Estimate, condition: &Expr) -> f64 {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => part(rows, left) * part(rows, right),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            let (left, right) = (part(rows, left), part(rows, right));
            left + right - left * right
        }
        Expr::BinaryExpr(comparison) => of_comparison(rows, comparison),
        Expr::Not(inner) => 1.0 - part(rows, inner),
        Expr::IsNull(inner) => nulls(rows, inner),
        Expr::IsNotNull(inner) => 1.0 - nulls(rows, inner),
        Expr::InList(InList { expr, list, negated }) => {
            negated_if(*negated, (list.len() as f64 * equal(rows, expr)).min(1.0))
        }
        Expr::Between(Between { expr, negated, low, high }) => {
            negated_if(*negated, between(rows, expr, literal(low), literal(high)))
        }
        Expr::Like(Like { negated, pattern, .. }) => negated_if(*negated, like(pattern)),
        Expr::Literal(ScalarValue::Boolean(Some(true)), _) => 1.0,
        Expr::Literal(..) => 0.0,
        Expr::Column(_) => 0.5,
        _ => UNKNOWN,
    }
}

fn negated_if(negated: bool, part: f64) -> f64 {
    if negated { 1.0 - part } else { part }
}

fn nulls(rows: &Estimate, expr: &Expr) -> f64 {
    rows.column_of(expr).map_or(NULLS, |column| column.nulls)
}

fn equal(rows: &Estimate, expr: &Expr) -> f64 {
    let not_null = 1.0 - rows.column_of(expr).map_or(0.0, |column| column.nulls);
    not_null / rows.distinct(expr).unwrap_or(DISTINCT_UNKNOWN.min(rows.rows))
}

fn of_comparison(rows: &Estimate, comparison: &BinaryExpr) -> f64 {
    let BinaryExpr { left, op, right } = comparison;
    let is_column = |expr: &Expr| rows.column_of(expr).is_some();
    match (op, is_column(left), is_column(right)) {
        (Operator::Eq | Operator::IsNotDistinctFrom, true, true) => equal(rows, left).min(equal(rows, right)),
        (Operator::Eq | Operator::IsNotDistinctFrom, false, true) => equal_to(rows, right, left),
        (Operator::Eq | Operator::IsNotDistinctFrom, ..) => equal_to(rows, left, right),
        (Operator::NotEq | Operator::IsDistinctFrom, false, true) => 1.0 - equal(rows, right),
        (Operator::NotEq | Operator::IsDistinctFrom, ..) => 1.0 - equal(rows, left),
        (Operator::Lt | Operator::LtEq, true, false) => between(rows, left, None, literal(right)),
        (Operator::Gt | Operator::GtEq, true, false) => between(rows, left, literal(right), None),
        (Operator::Lt | Operator::LtEq, false, true) => between(rows, right, literal(left), None),
        (Operator::Gt | Operator::GtEq, false, true) => between(rows, right, None, literal(left)),
        _ => RANGE,
    }
}

fn equal_to(rows: &Estimate, expr: &Expr, value: &Expr) -> f64 {
    let bounds = rows.column_of(expr).and_then(|column| column.bounds);
    match bounds.zip(literal(value)) {
        Some(((least, greatest), value)) if value < least || value > greatest => 0.0,
        _ => equal(rows, expr),
    }
}

/// The part of the values between two, as if they were spread evenly.
fn between(rows: &Estimate, expr: &Expr, low: Option<f64>, high: Option<f64>) -> f64 {
    let Some(ColumnEstimate { bounds: Some((least, greatest)), nulls, .. }) = rows.column_of(expr) else {
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
    let single = rows.distinct(expr).map_or(0.0, |distinct| 1.0 / distinct);
    let part = if width > 0.0 { ((to - from) / width).max(single) } else { 1.0 };
    part * (1.0 - nulls)
}

fn like(pattern: &Expr) -> f64 {
    match pattern {
        Expr::Literal(value, _) => match value.try_as_str().flatten() {
            Some(pattern) if pattern.starts_with('%') => CONTAINS,
            Some(_) => PREFIX,
            None => 0.0,
        },
        _ => CONTAINS,
    }
}

fn literal(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Literal(value, _) => number(value),
        Expr::Cast(cast) => literal(&cast.expr),
        _ => None,
    }
}

/// The column that a condition compares with constants, and what is known of its values then.
fn narrowed(rows: &Estimate, condition: &Expr) -> Option<(Column, ColumnEstimate)> {
    let (expr, low, high, listed) = match condition {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::Eq if matches!(right.as_ref(), Expr::Literal(..)) => {
                (left, literal(right), literal(right), Some(1.0))
            }
            Operator::Lt | Operator::LtEq => (left, None, literal(right), None),
            Operator::Gt | Operator::GtEq => (left, literal(right), None, None),
            _ => return None,
        },
        Expr::Between(Between { expr, negated: false, low, high }) => (expr, literal(low), literal(high), None),
        Expr::InList(InList { expr, list, negated: false }) => (expr, None, None, Some(list.len() as f64)),
        _ => return None,
    };
    let Expr::Column(column) = expr.as_ref() else { return None };
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
