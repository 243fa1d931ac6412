//! `min`, `max`, `count` and `any_value`.
//!
//! The engine's own are used where its order or equality is PostgreSQL's: they are answered from statistics and prune
//! files. Its order of floating point numbers, intervals, arrays and times with zones is not.

use std::cmp::Ordering;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use datafusion_common::ScalarValue;
use datafusion_expr::expr::AggregateFunction;
use datafusion_expr::utils::COUNT_STAR_EXPANSION;
use datafusion_expr::{Cast, Expr, lit};
use datafusion_functions_aggregate::approx_distinct::approx_distinct_udaf;
use datafusion_functions_aggregate::count::count_udaf;
use datafusion_functions_aggregate::first_last::first_value_udaf;
use datafusion_functions_aggregate::min_max::{max_udaf, min_udaf};

use super::bound::{Shape, collected, engine, engine_ignoring_nulls, has_engine_equality, unordered};
use super::order::{interval_key, timetz_key, typed_keys};
use super::saved::{Saved, saved};
use super::state::{Input, One, State};
use crate::datetime::Interval;
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{Aggregate, AggregateCall, Argument, ArgumentShape, ResultValue, TimeTz, aggregate};
use crate::types::*;

/// The type of the only argument: its scale, its fields.
fn same(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let ty = arguments.last().map(|argument| argument.ty.of_result());
    ty.ok_or_else(|| PgError::internal("an aggregate lacks its argument"))
}

macro_rules! extremes {
    ($name:literal $engine:ident $which:ident $array:ident) => {
        &[
            aggregate($name, &[INT2], INT2, |call| engine($engine(), once(call))),
            aggregate($name, &[INT4], INT4, |call| engine($engine(), once(call))),
            aggregate($name, &[INT8], INT8, |call| engine($engine(), once(call))),
            aggregate($name, &[NUMERIC], NUMERIC, |call| engine($engine(), once(call))).shaped(same),
            aggregate($name, &[FLOAT4], FLOAT4, |call| unordered::<Extreme<f32, $which>>($name, once(call))),
            aggregate($name, &[FLOAT8], FLOAT8, |call| unordered::<Extreme<f64, $which>>($name, once(call))),
            aggregate($name, &[TEXT], TEXT, |call| engine($engine(), once(call))),
            aggregate($name, &[BPCHAR], BPCHAR, |call| match call.types.first() {
                Some(ty) if ty.carries_blanks() => collected($name, $array, once(call)),
                _ => engine($engine(), once(call)),
            })
            .shaped(same),
            aggregate($name, &[DATE], DATE, |call| engine($engine(), once(call))),
            aggregate($name, &[TIME], TIME, |call| engine($engine(), once(call))),
            aggregate($name, &[TIMESTAMP], TIMESTAMP, |call| engine($engine(), once(call))),
            aggregate($name, &[TIMESTAMPTZ], TIMESTAMPTZ, |call| engine($engine(), once(call))),
            aggregate($name, &[TIMETZ], TIMETZ, |call| unordered::<Extreme<TimeTz, $which>>($name, once(call))),
            aggregate($name, &[INTERVAL], INTERVAL, |call| unordered::<Extreme<Interval, $which>>($name, once(call))),
            aggregate($name, &[OID], OID, |call| engine($engine(), once(call))),
            aggregate($name, &[ANYENUM], ANYENUM, |call| engine($engine(), once(call))).shaped(same),
            aggregate($name, &[ANYARRAY], ANYARRAY, |call| collected($name, $array, once(call))).shaped(same),
        ]
    };
}

/// `min`
pub(super) static MIN: &[Aggregate] = extremes!("min" min_udaf Least least_array);
/// `max`
pub(super) static MAX: &[Aggregate] = extremes!("max" max_udaf Greatest greatest_array);

/// `count`, and any of the values.
pub(super) static COUNTS: &[Aggregate] = &[
    aggregate("count", &[], INT8, |call| {
        engine(count_udaf(), AggregateCall { arguments: vec![lit(COUNT_STAR_EXPANSION)], ..call })
    }),
    aggregate("count", &[ANY], INT8, count),
    aggregate("any_value", &[ANYELEMENT], ANYELEMENT, |call| {
        engine_ignoring_nulls("any_value", first_value_udaf(), call)
    })
    .shaped(same),
    aggregate("approx_count_distinct", &[ANY], INT8, approximate_count),
];

/// Equal rows need not be dropped where the same one is chosen anyway, and the order does not matter.
pub(super) fn once(call: AggregateCall) -> AggregateCall {
    AggregateCall { distinct: false, order_by: Vec::new(), ..call }
}

fn count(call: AggregateCall) -> Result<Expr> {
    let by_engine = !call.distinct || call.types.first().is_some_and(has_engine_equality);
    if by_engine { engine(count_udaf(), call) } else { unordered::<Count>("count", call) }
}

/// `APPROXIMATE COUNT(DISTINCT …)`: HyperLogLog, for the types that the engine has it for.
fn approximate_count(call: AggregateCall) -> Result<Expr> {
    let by_engine = call.types.first().is_some_and(|ty| has_engine_equality(ty) && !ty.arrow.is_floating());
    if !by_engine {
        return count(AggregateCall { distinct: true, ..call });
    }
    let function =
        AggregateFunction::new_udf(approx_distinct_udaf(), call.arguments, false, call.filter, Vec::new(), None);
    // The engine counts without a sign.
    let field = Arc::new(call.result.field("approx_count_distinct"));
    Ok(Expr::Cast(Cast::new_from_field(Box::new(Expr::AggregateFunction(function)), field)))
}

/// A value of any type, of which nothing is known but that it is there.
pub(super) struct Present;

impl<'a> Input<'a> for Present {
    type Rows = Option<arrow::buffer::NullBuffer>;

    fn open(arguments: &'a [ArrayRef]) -> Result<Self::Rows> {
        Ok(arguments.first().and_then(|column| column.logical_nulls()))
    }

    fn get(rows: &Self::Rows, row: usize) -> Option<Self> {
        rows.as_ref().is_none_or(|nulls| nulls.is_valid(row)).then_some(Present)
    }
}

/// How many there are.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    count: i64,
}

impl State for Count {
    type Input<'a> = Present;
    type Output = i64;
    const REMOVABLE: bool = true;

    fn add(&mut self, _value: Present) -> Result<()> {
        self.count += 1;
        Ok(())
    }

    fn remove(&mut self, _value: Present) -> Result<()> {
        self.count -= 1;
        Ok(())
    }

    fn merge(&mut self, later: Self) -> Result<()> {
        self.count += later.count;
        Ok(())
    }

    saved!(count);

    fn finish(self, _shape: &Shape) -> Result<i64> {
        Ok(self.count)
    }
}

/// A type with its order.
pub(super) trait Ordered {
    /// PostgreSQL's order.
    fn order(&self, other: &Self) -> Ordering;
}

macro_rules! floats {
    ($($float:ty)*) => {
        $(
            /// NaN is equal to NaN and above all others.
            impl Ordered for $float {
                fn order(&self, other: &Self) -> Ordering {
                    self.partial_cmp(other).unwrap_or_else(|| self.is_nan().cmp(&other.is_nan()))
                }
            }
        )*
    };
}

floats! { f32 f64 }

impl Ordered for Interval {
    fn order(&self, other: &Self) -> Ordering {
        interval_key(*self).cmp(&interval_key(*other))
    }
}

impl Ordered for TimeTz {
    fn order(&self, other: &Self) -> Ordering {
        timetz_key(self.time_us, self.offset_s).cmp(&timetz_key(other.time_us, other.offset_s))
    }
}

/// Which one is wanted.
pub(super) trait Which: Debug + 'static {
    /// How it compares with those that are not.
    const ORDERING: Ordering;
}

/// The least.
#[derive(Debug)]
pub(super) struct Least;

impl Which for Least {
    const ORDERING: Ordering = Ordering::Less;
}

/// The greatest.
#[derive(Debug)]
pub(super) struct Greatest;

impl Which for Greatest {
    const ORDERING: Ordering = Ordering::Greater;
}

/// The least or the greatest value; the last among equal ones, as `interval_larger` and its kin choose.
#[derive(Debug)]
pub(super) struct Extreme<A, W> {
    value: Option<A>,
    which: PhantomData<fn() -> W>,
}

impl<A: Clone, W> Clone for Extreme<A, W> {
    fn clone(&self) -> Self {
        Extreme { value: self.value.clone(), which: PhantomData }
    }
}

impl<A, W> Default for Extreme<A, W> {
    fn default() -> Self {
        Extreme { value: None, which: PhantomData }
    }
}

impl<A, W> State for Extreme<A, W>
where
    A: for<'a> Argument<'a> + ResultValue + Saved + Ordered + Debug + Copy + Send + Sync + 'static,
    W: Which,
{
    type Input<'a> = One<A>;
    type Output = Option<A>;

    #[inline]
    fn add(&mut self, One(value): One<A>) -> Result<()> {
        if self.value.is_none_or(|known| known.order(&value) != W::ORDERING) {
            self.value = Some(value);
        }
        Ok(())
    }

    fn merge(&mut self, later: Self) -> Result<()> {
        later.value.map_or(Ok(()), |value| self.add(One(value)))
    }

    saved!(value);

    fn finish(self, _shape: &Shape) -> Result<Option<A>> {
        Ok(self.value)
    }
}

fn least_array(shape: &Shape, columns: &[ArrayRef]) -> Result<ScalarValue> {
    extreme_array(Ordering::Less, shape, columns)
}

fn greatest_array(shape: &Shape, columns: &[ArrayRef]) -> Result<ScalarValue> {
    extreme_array(Ordering::Greater, shape, columns)
}

fn extreme_array(wanted: Ordering, shape: &Shape, columns: &[ArrayRef]) -> Result<ScalarValue> {
    let keys = typed_keys(columns, &shape.types)?;
    let arrays = columns.first().ok_or_else(|| PgError::internal("an aggregate lacks its argument"))?;
    let mut chosen = None;
    for row in (0..arrays.len()).filter(|row| arrays.is_valid(*row)) {
        if chosen.is_none_or(|known| keys.row(known).cmp(&keys.row(row)) != wanted) {
            chosen = Some(row);
        }
    }
    match chosen {
        Some(row) => Ok(ScalarValue::try_from_array(arrays, row)?),
        None => Ok(ScalarValue::try_from(&shape.result.arrow)?),
    }
}
