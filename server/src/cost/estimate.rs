//! What is known of rows.

use std::collections::HashMap;
use std::hash::Hash;

use datafusion::common::{ColumnStatistics, JoinType, ScalarValue};

/// Rows of what nothing is known of.
pub(super) const ROWS_UNKNOWN: f64 = 1000.0;
/// The part of its input's rows that is left when rows are grouped by what nothing is known of, as an exponent.
const GROUPS_EXPONENT: f64 = 0.75;
/// The part of the rows that has no partner at least, as far as an anti join or an outer join wants to know.
const ANTI_PART_MIN: f64 = 0.1;

/// What is known of the rows of a plan, whose columns are named by `C`.
#[derive(Debug, Clone)]
pub(crate) struct Estimate<C> {
    pub rows: f64,
    /// Of those columns of which something is known.
    pub columns: HashMap<C, ColumnEstimate>,
}

/// What is known of the values of a column.
#[derive(Debug, Clone, Default)]
pub(crate) struct ColumnEstimate {
    /// How many values there are, but NULL.
    pub distinct: Option<f64>,
    /// The least and the greatest value, as numbers.
    pub bounds: Option<(f64, f64)>,
    /// The part of the rows that is NULL.
    pub nulls: f64,
}

impl<C: Eq + Hash + Clone> Estimate<C> {
    /// Of what nothing is known of but its rows.
    pub fn of_rows(rows: f64) -> Self {
        Estimate { rows, columns: HashMap::new() }
    }

    /// The number of a column's values, if it is known.
    pub fn distinct(&self, column: &C) -> Option<f64> {
        self.columns.get(column)?.distinct_in(self.rows)
    }

    /// The first rows of these.
    pub fn at_most(self, rows: f64) -> Self {
        Estimate { rows: self.rows.min(rows), ..self }
    }

    /// The same with a part of the rows, whichever.
    pub fn scaled(mut self, part: f64) -> Self {
        let rows = (self.rows * part).max(1.0);
        for column in self.columns.values_mut() {
            column.distinct = column.distinct_in(self.rows).map(|distinct| left_of(distinct, self.rows, rows));
        }
        Estimate { rows, ..self }
    }

    /// Groups by keys, of some of which something is known.
    pub fn groups<'a>(&self, keys: impl Iterator<Item = Option<&'a ColumnEstimate>>, count: usize) -> f64 {
        let unknown = self.rows.powf(GROUPS_EXPONENT / count.max(1) as f64);
        let keys = keys.map(|key| key.and_then(|key| key.distinct_in(self.rows)).unwrap_or(unknown));
        let mut counts: Vec<f64> = keys.collect();
        counts.sort_by(f64::total_cmp);
        counts.into_iter().product::<f64>().min(self.rows)
    }

    /// The rows of both sides of a join. `found` is how many pairs of rows satisfy its condition.
    pub fn joined(left: Self, right: Self, join_type: JoinType, found: f64) -> Self {
        let rows = joined_rows(left.rows, right.rows, join_type, found).max(1.0);
        let (of_left, of_right) = ((rows / left.rows).min(1.0), (rows / right.rows).min(1.0));
        let (mut left, mut right) = (left.scaled(of_left), right.scaled(of_right));
        let without_partner = (1.0 - found / rows).clamp(ANTI_PART_MIN, 1.0);
        if matches!(join_type, JoinType::Left | JoinType::Full) {
            right.extend_with_nulls(without_partner);
        }
        if matches!(join_type, JoinType::Right | JoinType::Full) {
            left.extend_with_nulls(without_partner);
        }
        left.columns.extend(right.columns);
        Estimate { rows, columns: left.columns }
    }

    /// Rows without a partner have NULL in its place.
    fn extend_with_nulls(&mut self, part: f64) {
        for column in self.columns.values_mut() {
            column.nulls += (1.0 - column.nulls) * part;
        }
    }
}

impl ColumnEstimate {
    /// What statistics say of a column of so many rows.
    pub fn of(column: &ColumnStatistics, rows: f64) -> Self {
        let bounds = column.min_value.get_value().and_then(number).zip(column.max_value.get_value().and_then(number));
        let counted = column.distinct_count.get_value().map(|distinct| *distinct as f64);
        let is_whole = column.min_value.get_value().is_some_and(is_whole);
        let room = bounds.filter(|_| is_whole).map(|(least, greatest)| greatest - least + 1.0);
        let distinct = match (counted, room) {
            (Some(counted), Some(room)) => Some(counted.min(room)),
            (counted, room) => counted.or(room),
        };
        let nulls = column.null_count.get_value().map_or(0.0, |nulls| *nulls as f64 / rows.max(1.0));
        ColumnEstimate { distinct, bounds, nulls: nulls.min(1.0) }
    }

    /// How many values there are among so many rows: no more than fit between the bounds of integers.
    pub fn distinct_in(&self, rows: f64) -> Option<f64> {
        Some(self.distinct?.min(rows * (1.0 - self.nulls)).max(1.0))
    }

    /// What is known of values that are of one column or of another.
    pub fn or(&self, other: &Self) -> Self {
        let bounds = self.bounds.zip(other.bounds).map(|(one, other)| (one.0.min(other.0), one.1.max(other.1)));
        let distinct = self.distinct.zip(other.distinct).map(|(one, other)| one.max(other));
        ColumnEstimate { distinct, bounds, nulls: self.nulls.max(other.nulls) }
    }
}

fn joined_rows(left: f64, right: f64, join_type: JoinType, found: f64) -> f64 {
    match join_type {
        JoinType::Inner => found,
        JoinType::Left => found.max(left),
        JoinType::Right => found.max(right),
        JoinType::Full => found.max(left + right),
        JoinType::LeftSemi => found.min(left),
        JoinType::RightSemi => found.min(right),
        JoinType::LeftAnti => (left - found.min(left)).max(left * ANTI_PART_MIN),
        JoinType::RightAnti => (right - found.min(right)).max(right * ANTI_PART_MIN),
        JoinType::LeftMark => left,
        JoinType::RightMark => right,
    }
}

/// How many of the values are left when so many rows are, if these are any: the chance that all rows of a value go.
fn left_of(distinct: f64, rows: f64, left: f64) -> f64 {
    let each = rows / distinct.max(1.0);
    let part = (left / rows.max(1.0)).min(1.0);
    (distinct * (1.0 - (1.0 - part).powf(each))).max(1.0)
}

/// A value as a number, where the distance of two says something.
pub(super) fn number(value: &ScalarValue) -> Option<f64> {
    use ScalarValue::*;
    Some(match value {
        Int8(Some(value)) => f64::from(*value),
        Int16(Some(value)) => f64::from(*value),
        Int32(Some(value)) | Date32(Some(value)) => f64::from(*value),
        Int64(Some(value)) => *value as f64,
        UInt32(Some(value)) => f64::from(*value),
        UInt64(Some(value)) => *value as f64,
        Float32(Some(value)) if value.is_finite() => f64::from(*value),
        Float64(Some(value)) if value.is_finite() => *value,
        Decimal128(Some(value), _, scale) => *value as f64 / 10f64.powi(i32::from(*scale)),
        Decimal64(Some(value), _, scale) => *value as f64 / 10f64.powi(i32::from(*scale)),
        TimestampSecond(Some(value), _) => *value as f64 * 1e6,
        TimestampMillisecond(Some(value), _) => *value as f64 * 1e3,
        TimestampMicrosecond(Some(value), _) => *value as f64,
        TimestampNanosecond(Some(value), _) => *value as f64 / 1e3,
        _ => return None,
    })
}

fn is_whole(value: &ScalarValue) -> bool {
    use ScalarValue::*;
    matches!(value, Int8(_) | Int16(_) | Int32(_) | Int64(_) | UInt32(_) | UInt64(_) | Date32(_))
}
