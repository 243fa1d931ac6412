//! The rank that a row would have among the rows of a group (`orderedsetaggs.c`).

use arrow::array::{Array, ArrayRef};
use datafusion_common::ScalarValue;
use datafusion_expr::Expr;

use super::bound::{Shape, collected};
use super::order::{ASCENDING, Order, comparable};
use crate::error::{PgError, Result};
use crate::function::{Aggregate, AggregateCall, AggregateKind};
use crate::types::*;

/// The hypothetical-set aggregates.
pub(super) static ENTRIES: &[Aggregate] = &[
    hypothetical("rank", INT8, |call| collect("rank", rank, call)),
    hypothetical("dense_rank", INT8, |call| collect("dense_rank", dense_rank, call)),
    hypothetical("percent_rank", FLOAT8, |call| collect("percent_rank", percent_rank, call)),
    hypothetical("cume_dist", FLOAT8, |call| collect("cume_dist", cume_dist, call)),
];

const fn hypothetical(name: &'static str, result: u32, build: fn(AggregateCall) -> Result<Expr>) -> Aggregate {
    let kind = AggregateKind::HypotheticalSet;
    Aggregate { name, direct: &[ANY], arguments: &[ANY], variadic: true, result, shape: None, kind, build }
}

/// The rows are ordered by the arguments themselves, in the directions that were asked for.
fn collect(name: &str, finish: super::bound::Finish, mut call: AggregateCall) -> Result<Expr> {
    let aggregated = call.arguments.len() / 2;
    if aggregated == 0 || call.order_by.len() != aggregated || call.arguments.len() != aggregated * 2 {
        return Err(PgError::internal("a hypothetical row has as many columns as the rows"));
    }
    for (position, sort) in call.order_by.iter_mut().enumerate() {
        sort.expr = call.arguments[aggregated + position].clone();
    }
    collected(name, finish, AggregateCall { distinct: false, ..call })
}

/// Where the hypothetical row is among the others.
struct Place {
    rows: i64,
    /// Rows that come before it.
    before: i64,
    /// Different rows that come before it.
    before_distinct: i64,
    /// Rows that are its peers.
    peers: i64,
}

fn place(shape: &Shape, columns: &[ArrayRef]) -> Result<Place> {
    let (direct, rows) = columns.split_at(columns.len() / 2);
    let mut place = Place { rows: 0, before: 0, before_distinct: 0, peers: 0 };
    let count = rows.first().map_or(0, |column| column.len());
    if count == 0 {
        return Ok(place);
    }
    let rows = rows.iter().map(comparable).collect::<Result<Vec<_>>>()?;
    let direct = direct.iter().map(|column| comparable(&column.slice(0, 1))).collect::<Result<Vec<_>>>()?;
    let options = shape.keys.iter().map(|key| key.options).chain(std::iter::repeat(ASCENDING));
    let order = Order::new(rows.iter().map(|column| column.data_type().clone()).zip(options))?;
    let (keys, wanted) = (order.keys(&rows)?, order.keys(&direct)?);
    let wanted = wanted.row(0);
    let mut before: Vec<_> = keys.iter().filter(|key| *key < wanted).collect();
    place.rows = count as i64;
    place.before = before.len() as i64;
    place.peers = keys.iter().filter(|key| *key == wanted).count() as i64;
    before.sort_unstable();
    before.dedup();
    place.before_distinct = before.len() as i64;
    Ok(place)
}

fn rank(shape: &Shape, columns: &[ArrayRef]) -> Result<ScalarValue> {
    Ok(ScalarValue::Int64(Some(place(shape, columns)?.before + 1)))
}

fn dense_rank(shape: &Shape, columns: &[ArrayRef]) -> Result<ScalarValue> {
    Ok(ScalarValue::Int64(Some(place(shape, columns)?.before_distinct + 1)))
}

fn percent_rank(shape: &Shape, columns: &[ArrayRef]) -> Result<ScalarValue> {
    let place = place(shape, columns)?;
    let rank = if place.rows == 0 { 0.0 } else { place.before as f64 / place.rows as f64 };
    Ok(ScalarValue::Float64(Some(rank)))
}

fn cume_dist(shape: &Shape, columns: &[ArrayRef]) -> Result<ScalarValue> {
    let place = place(shape, columns)?;
    let distance = (place.before + place.peers + 1) as f64 / (place.rows + 1) as f64;
    Ok(ScalarValue::Float64(Some(distance)))
}
