//! What is known of rows.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use datafusion::common::{ColumnStatistics, JoinType, ScalarValue};

use super::keys::KeyValues;
use super::shape::{self, Shape};

/// Rows of what nothing is known of.
pub(super) const ROWS_UNKNOWN: f64 = 1000.0;
/// The part of its input's rows that is left when rows are grouped by what nothing is known of, as an exponent.
const GROUPS_EXPONENT: f64 = 0.75;
/// More rows than anything has. Products of more would not be numbers.
const ROWS_MAX: f64 = 1e150;
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
    /// How many the table has, as far as conditions on the column itself let them through, and its rows.
    pub in_table: Option<(f64, f64)>,
    /// The least and the greatest value, as numbers.
    pub bounds: Option<(f64, f64)>,
    /// The part of the rows that is NULL.
    pub nulls: f64,
    /// How they are distributed, unless a condition has chosen among them.
    pub shape: Option<Shape>,
}

/// Microseconds of a day.
const DAY_US: f64 = 86_400e6;

impl<C: Eq + Hash + Clone> Estimate<C> {
    /// Of what nothing is known of but its rows.
    pub fn of_rows(rows: f64) -> Self {
        Estimate { rows, columns: HashMap::new() }
    }

    /// The number of a column's values, if it is known.
    pub fn distinct(&self, column: &C) -> Option<f64> {
        self.columns.get(column)?.distinct_in(self.rows)
    }

    /// What is known of a column as a key of a join.
    pub fn key(&self, column: &C) -> Option<KeyValues> {
        self.columns.get(column)?.key_in(self.rows)
    }

    /// The first rows of these.
    pub fn at_most(self, rows: f64) -> Self {
        Estimate { rows: self.rows.min(rows), ..self }
    }

    /// The same with so many rows.
    pub fn with_rows(self, rows: f64) -> Self {
        match rows < self.rows {
            true => {
                let part = rows / self.rows;
                self.scaled(part)
            }
            false => Estimate { rows, ..self },
        }
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
        let rows = joined_rows(left.rows, right.rows, join_type, found).clamp(1.0, ROWS_MAX);
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
    /// What statistics say of a column of so many rows, and ANALYZE has found out.
    pub fn of(column: &ColumnStatistics, rows: f64, known: Option<Arc<catalog::ColumnStatistics>>) -> Self {
        let bounds = column.min_value.get_value().and_then(number).zip(column.max_value.get_value().and_then(number));
        let bounds = bounds.or_else(|| shape::bounds(known.as_ref()?));
        let counted = column.distinct_count.get_value().map(|distinct| *distinct as f64);
        let step = column.min_value.get_value().and_then(step);
        let room = bounds.zip(step).map(|((least, greatest), step)| (greatest - least) / step + 1.0);
        let distinct = match (counted, room) {
            (Some(counted), Some(room)) => Some(counted.min(room)),
            (counted, room) => counted.or(room),
        };
        let nulls = column.null_count.get_value().map_or(0.0, |nulls| *nulls as f64 / rows.max(1.0));
        let nulls = nulls.min(1.0);
        let in_table = distinct.map(|distinct| (distinct.min(rows * (1.0 - nulls)).max(1.0), rows));
        let shape = known.map(|known| Shape { known, distinct });
        ColumnEstimate { distinct, in_table, bounds, nulls, shape }
    }

    /// Of the keys of so many groups.
    pub fn of_groups(self, rows: f64, groups: f64) -> Self {
        let distinct = self.distinct_in(rows);
        ColumnEstimate { in_table: distinct.map(|distinct| (distinct, groups)), shape: None, ..self }
    }

    /// What is known of a key among so many rows.
    pub fn key_in(&self, rows: f64) -> Option<KeyValues> {
        let now = self.distinct_in(rows)?;
        let (in_table, table_rows) = self.in_table.unwrap_or((now, rows));
        Some(KeyValues { now, in_table: in_table.max(now), table_rows: table_rows.max(rows.min(in_table)) })
    }

    /// How many values there are among so many rows: no more than fit between the bounds of integers.
    pub fn distinct_in(&self, rows: f64) -> Option<f64> {
        Some(self.distinct?.min(rows * (1.0 - self.nulls)).max(1.0))
    }

    /// What is known of values that are of one column or of another.
    pub fn or(&self, other: &Self) -> Self {
        let bounds = self.bounds.zip(other.bounds).map(|(one, other)| (one.0.min(other.0), one.1.max(other.1)));
        let distinct = self.distinct.zip(other.distinct).map(|(one, other)| one.max(other));
        let in_table = self.in_table.zip(other.in_table);
        let in_table = in_table.map(|(one, other)| (one.0.max(other.0), one.1 + other.1));
        ColumnEstimate { distinct, in_table, bounds, nulls: self.nulls.max(other.nulls), shape: None }
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

/// A value as a number, where the distance of two says something. Times are microseconds, whatever their type.
pub(super) fn number(value: &ScalarValue) -> Option<f64> {
    use ScalarValue::*;
    Some(match value {
        Int8(Some(value)) => f64::from(*value),
        Int16(Some(value)) => f64::from(*value),
        Int32(Some(value)) => f64::from(*value),
        Date32(Some(value)) => f64::from(*value) * DAY_US,
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

/// How far values are apart at least.
fn step(value: &ScalarValue) -> Option<f64> {
    use ScalarValue::*;
    match value {
        Int8(_) | Int16(_) | Int32(_) | Int64(_) | UInt32(_) | UInt64(_) => Some(1.0),
        Date32(_) => Some(DAY_US),
        _ => None,
    }
}
