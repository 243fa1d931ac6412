//! How many rows a plan gives, and what values its columns have, as far as that can be told before it runs.
//!
//! Estimates are for comparing plans. They never decide an answer.

use std::collections::HashMap;

use datafusion::common::{Column, JoinType, ScalarValue, Statistics, TableReference};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Aggregate, Distinct, Expr, FetchType, Join, LogicalPlan, TableScan, Union};

use super::selectivity::{apply, equal_rows};

/// Rows of what nothing is known of.
const ROWS_UNKNOWN: f64 = 1000.0;
/// The part of its input's rows that is left when rows are grouped by what nothing is known of, as an exponent.
const GROUPS_EXPONENT: f64 = 0.75;

/// What is known of the rows of a plan.
#[derive(Debug, Clone)]
pub(super) struct Estimate {
    pub rows: f64,
    /// Of those columns of which something is known.
    pub columns: HashMap<Column, ColumnEstimate>,
}

/// What is known of the values of a column.
#[derive(Debug, Clone, Default)]
pub(super) struct ColumnEstimate {
    /// How many values there are, but NULL.
    pub distinct: Option<f64>,
    /// The least and the greatest value, as numbers.
    pub bounds: Option<(f64, f64)>,
    /// The part of the rows that is NULL.
    pub nulls: f64,
}

impl Estimate {
    /// Of what nothing is known of but its rows.
    fn of_rows(rows: f64) -> Self {
        Estimate { rows, columns: HashMap::new() }
    }

    /// What is known of a plan.
    pub fn of(plan: &LogicalPlan) -> Self {
        let estimate = match plan {
            LogicalPlan::TableScan(scan) => of_scan(scan),
            LogicalPlan::Filter(filter) => apply(Estimate::of(&filter.input), &filter.predicate),
            LogicalPlan::Projection(projection) => {
                let input = Estimate::of(&projection.input);
                let names = projection.schema.columns().into_iter().zip(&projection.expr);
                let columns = names.filter_map(|(name, expr)| Some((name, input.column_of(expr)?.clone()))).collect();
                Estimate { rows: input.rows, columns }
            }
            LogicalPlan::SubqueryAlias(alias) => Estimate::of(&alias.input).renamed(&alias.alias),
            LogicalPlan::Aggregate(aggregate) => of_aggregate(aggregate),
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let input = Estimate::of(input);
                let rows = groups(&input, input.columns.values().map(Some), input.columns.len());
                Estimate { rows, ..input }
            }
            LogicalPlan::Limit(limit) => {
                let input = Estimate::of(&limit.input);
                match limit.get_fetch_type() {
                    Ok(FetchType::Literal(Some(fetch))) => input.at_most(fetch as f64),
                    _ => input,
                }
            }
            LogicalPlan::Sort(sort) => {
                let input = Estimate::of(&sort.input);
                sort.fetch.map_or(input.clone(), |fetch| input.at_most(fetch as f64))
            }
            LogicalPlan::Union(union) => of_union(union),
            LogicalPlan::Join(join) => of_join(join),
            LogicalPlan::Values(values) => Estimate::of_rows(values.values.len() as f64),
            LogicalPlan::EmptyRelation(empty) => Estimate::of_rows(f64::from(u8::from(empty.produce_one_row))),
            other => match other.inputs().as_slice() {
                [input] => Estimate::of(input),
                _ => Estimate::of_rows(ROWS_UNKNOWN),
            },
        };
        Estimate { rows: estimate.rows.max(1.0), ..estimate }
    }

    /// What is known of an expression's values.
    pub fn column_of(&self, expr: &Expr) -> Option<&ColumnEstimate> {
        match expr {
            Expr::Column(column) => self.columns.get(column),
            Expr::Alias(alias) => self.column_of(&alias.expr),
            Expr::Cast(cast) => self.column_of(&cast.expr),
            Expr::TryCast(cast) => self.column_of(&cast.expr),
            _ => None,
        }
    }

    /// The number of an expression's values, if it is known.
    pub fn distinct(&self, expr: &Expr) -> Option<f64> {
        self.column_of(expr)?.distinct_in(self.rows)
    }

    fn renamed(self, alias: &TableReference) -> Self {
        let renamed = |column: Column| Column::new(Some(alias.clone()), column.name);
        Estimate { columns: self.columns.into_iter().map(|(column, it)| (renamed(column), it)).collect(), ..self }
    }

    fn at_most(self, rows: f64) -> Self {
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
}

impl ColumnEstimate {
    /// How many values there are among so many rows: no more than fit between the bounds of integers.
    pub fn distinct_in(&self, rows: f64) -> Option<f64> {
        Some(self.distinct?.min(rows * (1.0 - self.nulls)).max(1.0))
    }
}

/// How many of the values are left when so many rows are, if these are any: the chance that all rows of a value go.
fn left_of(distinct: f64, rows: f64, left: f64) -> f64 {
    let each = rows / distinct.max(1.0);
    let part = (left / rows.max(1.0)).min(1.0);
    (distinct * (1.0 - (1.0 - part).powf(each))).max(1.0)
}

fn of_scan(scan: &TableScan) -> Estimate {
    let statistics = source_as_provider(&scan.source).ok().and_then(|provider| provider.statistics());
    let Some(statistics) = statistics else { return Estimate::of_rows(ROWS_UNKNOWN) };
    let rows = statistics.num_rows.get_value().map_or(ROWS_UNKNOWN, |rows| *rows as f64);
    let schema = scan.source.schema();
    let known = |column: Column| {
        let place = schema.index_of(&column.name).ok()?;
        Some((column, of_column(&statistics, place, rows)?))
    };
    let columns = scan.projected_schema.columns().into_iter();
    // Conditions may be of columns that are not answered.
    let of_conditions = scan.filters.iter().flat_map(|filter| filter.column_refs()).cloned();
    let columns = columns.chain(of_conditions).filter_map(known).collect();
    let all = Estimate { rows: rows.max(1.0), columns };
    let left = scan.filters.iter().fold(all, apply);
    scan.fetch.map_or(left.clone(), |fetch| left.at_most(fetch as f64))
}

fn of_column(statistics: &Statistics, place: usize, rows: f64) -> Option<ColumnEstimate> {
    let column = statistics.column_statistics.get(place)?;
    let bound = |value: Option<&ScalarValue>| value.and_then(number);
    let bounds = bound(column.min_value.get_value()).zip(bound(column.max_value.get_value()));
    let counted = column.distinct_count.get_value().map(|distinct| *distinct as f64);
    let is_whole = column.min_value.get_value().is_some_and(is_whole);
    let room = bounds.filter(|_| is_whole).map(|(least, greatest)| greatest - least + 1.0);
    let distinct = match (counted, room) {
        (Some(counted), Some(room)) => Some(counted.min(room)),
        (counted, room) => counted.or(room),
    };
    let nulls = column.null_count.get_value().map_or(0.0, |nulls| *nulls as f64 / rows.max(1.0));
    Some(ColumnEstimate { distinct, bounds, nulls: nulls.min(1.0) })
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

fn of_aggregate(aggregate: &Aggregate) -> Estimate {
    let input = Estimate::of(&aggregate.input);
    if aggregate.group_expr.is_empty() {
        return Estimate::of_rows(1.0);
    }
    let keys: Vec<_> = aggregate.group_expr.iter().map(|expr| input.column_of(expr)).collect();
    let rows = groups(&input, keys.iter().copied(), keys.len());
    let names = aggregate.schema.columns().into_iter().zip(keys);
    let columns = names.filter_map(|(name, key)| Some((name, key?.clone()))).collect();
    Estimate { rows, columns }
}

/// How many groups there are by keys.
fn groups<'a>(input: &Estimate, keys: impl Iterator<Item = Option<&'a ColumnEstimate>>, count: usize) -> f64 {
    let unknown = input.rows.powf(GROUPS_EXPONENT / count.max(1) as f64);
    let keys = keys.map(|key| key.and_then(|key| key.distinct_in(input.rows)).unwrap_or(unknown));
    let mut counts: Vec<f64> = keys.collect();
    counts.sort_by(f64::total_cmp);
    counts.into_iter().product::<f64>().min(input.rows)
}

fn of_union(union: &Union) -> Estimate {
    let inputs: Vec<_> = union.inputs.iter().map(|input| (Estimate::of(input), input.schema().columns())).collect();
    let rows = inputs.iter().map(|(input, _)| input.rows).sum();
    let column = |place: usize| {
        let mut all: Option<ColumnEstimate> = None;
        for (input, columns) in &inputs {
            let one = input.columns.get(columns.get(place)?)?;
            all = Some(all.map_or(one.clone(), |all| either(&all, one)));
        }
        all
    };
    let names = union.schema.columns().into_iter().enumerate();
    Estimate { rows, columns: names.filter_map(|(place, name)| Some((name, column(place)?))).collect() }
}

fn either(one: &ColumnEstimate, other: &ColumnEstimate) -> ColumnEstimate {
    let bounds = one.bounds.zip(other.bounds).map(|(one, other)| (one.0.min(other.0), one.1.max(other.1)));
    let distinct = one.distinct.zip(other.distinct).map(|(one, other)| one.max(other));
    ColumnEstimate { distinct, bounds, nulls: one.nulls.max(other.nulls) }
}

/// A join that is in no region.
fn of_join(join: &Join) -> Estimate {
    let (left, right) = (Estimate::of(&join.left), Estimate::of(&join.right));
    let (left_rows, right_rows) = (left.rows, right.rows);
    let keys = join.on.iter().map(|(one, other)| (left.distinct(one), right.distinct(other)));
    let inner = equal_rows(left_rows, right_rows, keys);
    let rows = match join.join_type {
        JoinType::Inner => inner,
        JoinType::Left => inner.max(left_rows),
        JoinType::Right => inner.max(right_rows),
        JoinType::Full => inner.max(left_rows + right_rows),
        JoinType::LeftSemi => inner.min(left_rows),
        JoinType::RightSemi => inner.min(right_rows),
        JoinType::LeftAnti => (left_rows - inner.min(left_rows)).max(left_rows * 0.1),
        JoinType::RightAnti => (right_rows - inner.min(right_rows)).max(right_rows * 0.1),
        JoinType::LeftMark => left_rows,
        JoinType::RightMark => right_rows,
    };
    let rows = rows.max(1.0);
    let mut columns = left.scaled((rows / left_rows).min(1.0)).columns;
    columns.extend(right.scaled((rows / right_rows).min(1.0)).columns);
    Estimate { rows, columns }
}
