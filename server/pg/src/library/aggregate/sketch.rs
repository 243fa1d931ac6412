//! Redshift's `hll`, `hll_create_sketch` and `hll_combine`.
//!
//! A sketch is kept, so that the hash of a value never changes: XXH64 of its bytes, which equal values share, and integers
//! of all widths.

use std::fmt::Debug;
use std::marker::PhantomData;

use arrow::datatypes::i256;
use twox_hash::XxHash64;

use super::bound::{Shape, unordered};
use super::extreme::once;
use super::order::{interval_key, timetz_key};
use super::saved::{Saved, saved};
use super::state::{One, State};
use crate::datetime::Interval;
use crate::error::{PgError, Result};
use crate::function::{Aggregate, Argument, Date, Numeric, ResultValue, Time, TimeTz, Timestamp, Uuid, aggregate};
use crate::library::sketch::Sketch;
use crate::types::*;

macro_rules! of_types {
    ($name:literal $result:ident $wanted:ident) => {
        &[
            aggregate($name, &[BOOL], $result, |call| unordered::<Gathered<bool, $wanted>>($name, once(call))),
            aggregate($name, &[INT2], $result, |call| unordered::<Gathered<i16, $wanted>>($name, once(call))),
            aggregate($name, &[INT4], $result, |call| unordered::<Gathered<i32, $wanted>>($name, once(call))),
            aggregate($name, &[INT8], $result, |call| unordered::<Gathered<i64, $wanted>>($name, once(call))),
            aggregate($name, &[NUMERIC], $result, |call| unordered::<Gathered<Numeric, $wanted>>($name, once(call))),
            aggregate($name, &[FLOAT4], $result, |call| unordered::<Gathered<f32, $wanted>>($name, once(call))),
            aggregate($name, &[FLOAT8], $result, |call| unordered::<Gathered<f64, $wanted>>($name, once(call))),
            aggregate($name, &[TEXT], $result, |call| unordered::<Gathered<Text, $wanted>>($name, once(call))),
            aggregate($name, &[BPCHAR], $result, |call| unordered::<Gathered<Blanked, $wanted>>($name, once(call))),
            aggregate($name, &[BYTEA], $result, |call| unordered::<Gathered<Bytes, $wanted>>($name, once(call))),
            aggregate($name, &[DATE], $result, |call| unordered::<Gathered<Date, $wanted>>($name, once(call))),
            aggregate($name, &[TIME], $result, |call| unordered::<Gathered<Time, $wanted>>($name, once(call))),
            aggregate($name, &[TIMETZ], $result, |call| unordered::<Gathered<TimeTz, $wanted>>($name, once(call))),
            aggregate($name, &[TIMESTAMP], $result, |call| {
                unordered::<Gathered<Timestamp, $wanted>>($name, once(call))
            }),
            aggregate($name, &[TIMESTAMPTZ], $result, |call| {
                unordered::<Gathered<Timestamp, $wanted>>($name, once(call))
            }),
            aggregate($name, &[INTERVAL], $result, |call| unordered::<Gathered<Interval, $wanted>>($name, once(call))),
            aggregate($name, &[UUID], $result, |call| unordered::<Gathered<Uuid, $wanted>>($name, once(call))),
        ]
    };
}

/// About how many distinct values there are.
pub(super) static COUNTS: &[Aggregate] = of_types!("hll" INT8 Count);
/// The sketch of the values.
pub(super) static SKETCHES: &[Aggregate] = of_types!("hll_create_sketch" HLLSKETCH Whole);
/// The sketch of all that the sketches have seen.
pub(super) static COMBINATIONS: &[Aggregate] = &[aggregate("hll_combine", &[HLLSKETCH], HLLSKETCH, |call| {
    unordered::<Gathered<Other, Whole>>("hll_combine", once(call))
})];

/// Values that a sketch can see.
pub(super) trait Seen: Debug + 'static {
    /// A value of a row.
    type Value<'a>: Argument<'a> + 'a;

    /// Lets the sketch see it.
    fn show(value: Self::Value<'_>, sketch: &mut Sketch) -> Result<()>;
}

/// What is asked of a sketch.
pub(super) trait Wanted: Debug + 'static {
    /// The result.
    type Output: ResultValue;

    /// The result of a sketch.
    fn of(sketch: &Sketch) -> Self::Output;
}

/// How many there are.
#[derive(Debug)]
pub(super) struct Count;

impl Wanted for Count {
    type Output = i64;

    fn of(sketch: &Sketch) -> i64 {
        sketch.count()
    }
}

/// The sketch itself.
#[derive(Debug)]
pub(super) struct Whole;

impl Wanted for Whole {
    type Output = String;

    fn of(sketch: &Sketch) -> String {
        sketch.to_string()
    }
}

fn hash(bytes: &[u8]) -> u64 {
    XxHash64::oneshot(0, bytes)
}

macro_rules! seen {
    ($($kind:ident $value:ty: |$it:ident| $bytes:expr;)*) => {
        $(
            impl Seen for $kind {
                type Value<'a> = $value;

                fn show($it: Self::Value<'_>, sketch: &mut Sketch) -> Result<()> {
                    sketch.add(hash(&$bytes));
                    Ok(())
                }
            }
        )*
    };
}

/// `text`
#[derive(Debug)]
pub(super) struct Text;
/// `character(n)`, whose blanks at the end do not count
#[derive(Debug)]
pub(super) struct Blanked;
/// `bytea`
#[derive(Debug)]
pub(super) struct Bytes;

seen! {
    bool bool: |it| [u8::from(it)];
    i16 i16: |it| i64::from(it).to_le_bytes();
    i32 i32: |it| i64::from(it).to_le_bytes();
    i64 i64: |it| it.to_le_bytes();
    Numeric Numeric: |it| numeric_bytes(it);
    f32 f32: |it| float_bytes(f64::from(it));
    f64 f64: |it| float_bytes(it);
    Text &'a str: |it| it.as_bytes();
    Blanked &'a str: |it| it.trim_end_matches(' ').as_bytes();
    Bytes &'a [u8]: |it| it;
    Date Date: |it| it.0.to_le_bytes();
    Time Time: |it| it.0.to_le_bytes();
    TimeTz TimeTz: |it| timetz_bytes(it);
    Timestamp Timestamp: |it| it.0.to_le_bytes();
    Interval Interval: |it| interval_key(it).to_le_bytes();
    Uuid Uuid: |it| it.0;
}

/// The digits without zeros at the end, and where the point is among them.
fn numeric_bytes(value: Numeric) -> Vec<u8> {
    let ten = i256::from_i128(10);
    let Numeric { mut unscaled, mut scale } = value;
    while scale > 0 && unscaled.wrapping_rem(ten) == i256::ZERO {
        unscaled = unscaled.wrapping_div(ten);
        scale -= 1;
    }
    let mut bytes = unscaled.to_le_bytes().to_vec();
    bytes.push(scale as u8);
    bytes
}

/// There is one zero and one NaN.
fn float_bytes(value: f64) -> [u8; 8] {
    let value = if value == 0.0 {
        0.0
    } else if value.is_nan() {
        f64::NAN
    } else {
        value
    };
    value.to_le_bytes()
}

fn timetz_bytes(value: TimeTz) -> [u8; 12] {
    let (time_us, offset_s) = timetz_key(value.time_us, value.offset_s);
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&time_us.to_le_bytes());
    bytes[8..].copy_from_slice(&offset_s.to_le_bytes());
    bytes
}

/// Another sketch.
#[derive(Debug)]
pub(super) struct Other;

impl Seen for Other {
    type Value<'a> = &'a str;

    fn show(value: &str, sketch: &mut Sketch) -> Result<()> {
        sketch.merge(&Sketch::parse(value)?);
        Ok(())
    }
}

/// The sketch of a group.
#[derive(Debug)]
pub(super) struct Gathered<V, W> {
    sketch: Sketch,
    kind: PhantomData<fn() -> (V, W)>,
}

impl<V, W> Clone for Gathered<V, W> {
    fn clone(&self) -> Self {
        Gathered { sketch: self.sketch.clone(), kind: PhantomData }
    }
}

impl<V, W> Default for Gathered<V, W> {
    fn default() -> Self {
        Gathered { sketch: Sketch::default(), kind: PhantomData }
    }
}

impl<V: Seen, W: Wanted> State for Gathered<V, W> {
    type Input<'a> = One<V::Value<'a>>;
    type Output = W::Output;

    fn add(&mut self, One(value): Self::Input<'_>) -> Result<()> {
        V::show(value, &mut self.sketch)
    }

    fn merge(&mut self, later: Self) -> Result<()> {
        self.sketch.merge(&later.sketch);
        Ok(())
    }

    saved!(sketch);

    fn finish(self, _shape: &Shape) -> Result<W::Output> {
        Ok(W::of(&self.sketch))
    }

    fn heap_size(&self) -> usize {
        self.sketch.heap_size()
    }
}

impl Saved for Sketch {
    fn write(&self, out: &mut Vec<u8>) {
        self.to_string().into_bytes().write(out);
    }

    fn restored(from: &mut &[u8]) -> Result<Self> {
        let text = String::from_utf8(Vec::restored(from)?);
        Sketch::parse(&text.map_err(|_| PgError::internal("the state of a sketch is no text"))?)
    }
}
