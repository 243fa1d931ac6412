//! `(start, end) OVERLAPS (start, end)`, which the planner calls `overlaps(start, end, start, end)`. An end may be an
//! interval that is added to its start.

use arrow::array::ArrayRef;

use super::comparison::timetz_key;
use crate::datetime::Interval;
use crate::datetime::arithmetic::{self, time_plus};
use crate::error::Result;
use crate::function::{Argument, Call, Function, Time, TimeTz, Timestamp, function};
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("overlaps", &[TIMESTAMP, TIMESTAMP, TIMESTAMP, TIMESTAMP], BOOL, |call| plain::<Timestamp>(call)),
    function("overlaps", &[TIMESTAMP, INTERVAL, TIMESTAMP, INTERVAL], BOOL, |call| both(call, timestamp_plus)),
    function("overlaps", &[TIMESTAMP, INTERVAL, TIMESTAMP, TIMESTAMP], BOOL, |call| first(call, timestamp_plus)),
    function("overlaps", &[TIMESTAMP, TIMESTAMP, TIMESTAMP, INTERVAL], BOOL, |call| second(call, timestamp_plus)),
    function("overlaps", &[TIMESTAMPTZ, TIMESTAMPTZ, TIMESTAMPTZ, TIMESTAMPTZ], BOOL, |call| plain::<Timestamp>(call)),
    function("overlaps", &[TIMESTAMPTZ, INTERVAL, TIMESTAMPTZ, INTERVAL], BOOL, |call| {
        both(call, timestamptz_plus(call))
    })
    .stable(),
    function("overlaps", &[TIMESTAMPTZ, INTERVAL, TIMESTAMPTZ, TIMESTAMPTZ], BOOL, |call| {
        first(call, timestamptz_plus(call))
    })
    .stable(),
    function("overlaps", &[TIMESTAMPTZ, TIMESTAMPTZ, TIMESTAMPTZ, INTERVAL], BOOL, |call| {
        second(call, timestamptz_plus(call))
    })
    .stable(),
    function("overlaps", &[TIME, TIME, TIME, TIME], BOOL, |call| plain::<Time>(call)),
    function("overlaps", &[TIME, INTERVAL, TIME, INTERVAL], BOOL, |call| both(call, later_time)),
    function("overlaps", &[TIME, INTERVAL, TIME, TIME], BOOL, |call| first(call, later_time)),
    function("overlaps", &[TIME, TIME, TIME, INTERVAL], BOOL, |call| second(call, later_time)),
    function("overlaps", &[TIMETZ, TIMETZ, TIMETZ, TIMETZ], BOOL, timetzs),
];

fn timestamp_plus(start: Timestamp, length: Interval) -> Result<Timestamp> {
    arithmetic::timestamp_plus(start.0, length).map(Timestamp)
}

fn timestamptz_plus(call: &Call) -> impl Fn(Timestamp, Interval) -> Result<Timestamp> {
    let zone = call.session().time_zone.clone();
    move |start, length| arithmetic::timestamptz_plus(start.0, length, &zone).map(Timestamp)
}

fn later_time(start: Time, length: Interval) -> Result<Time> {
    Ok(Time(time_plus(start.0, length.time_us)))
}

/// Whether two spans of time have something in common. The ends of a span may be in either order; one that is NULL counts
/// as if it were the other. What is not certain then is NULL.
fn overlap<T: PartialOrd + Copy>(first: [Option<T>; 2], second: [Option<T>; 2]) -> Option<bool> {
    let (start, end) = ordered(first)?;
    let (other_start, other_end) = ordered(second)?;
    // The span that begins earlier must reach the start of the other one.
    let reaches = |end: Option<T>, own_end: Option<T>, other_start: T| match end {
        Some(end) if other_start < end => Some(true),
        // Neither its own end nor that of the other may be unknown for it to be over.
        None => None,
        Some(_) => own_end.map(|_| false),
    };
    if start > other_start {
        reaches(other_end, end, start)
    } else if start < other_start {
        reaches(end, other_end, other_start)
    } else {
        // Both begin at one moment, which they share.
        end.and(other_end).map(|_| true)
    }
}

/// The earlier end first; a span of which one end is NULL has no other end.
fn ordered<T: PartialOrd + Copy>(ends: [Option<T>; 2]) -> Option<(T, Option<T>)> {
    match ends {
        [Some(a), Some(b)] => Some(if a > b { (b, Some(a)) } else { (a, Some(b)) }),
        [Some(only), None] | [None, Some(only)] => Some((only, None)),
        [None, None] => None,
    }
}

fn plain<'a, T: Argument<'a> + PartialOrd + Copy>(call: &'a Call) -> Result<ArrayRef> {
    call.map4(|a: Option<T>, b: Option<T>, c: Option<T>, d: Option<T>| overlap([a, b], [c, d]))
}

fn end_of<T: Copy>(
    start: Option<T>,
    length: Option<Interval>,
    plus: &impl Fn(T, Interval) -> Result<T>,
) -> Result<[Option<T>; 2]> {
    let end = start.zip(length).map(|(start, length)| plus(start, length)).transpose()?;
    Ok([start, end])
}

fn both<'a, T: Argument<'a> + PartialOrd + Copy>(
    call: &'a Call,
    plus: impl Fn(T, Interval) -> Result<T>,
) -> Result<ArrayRef> {
    call.map4(|a: Option<T>, b: Option<Interval>, c: Option<T>, d: Option<Interval>| -> Result<Option<bool>> {
        Ok(overlap(end_of(a, b, &plus)?, end_of(c, d, &plus)?))
    })
}

fn first<'a, T: Argument<'a> + PartialOrd + Copy>(
    call: &'a Call,
    plus: impl Fn(T, Interval) -> Result<T>,
) -> Result<ArrayRef> {
    call.map4(|a: Option<T>, b: Option<Interval>, c: Option<T>, d: Option<T>| -> Result<Option<bool>> {
        Ok(overlap(end_of(a, b, &plus)?, [c, d]))
    })
}

fn second<'a, T: Argument<'a> + PartialOrd + Copy>(
    call: &'a Call,
    plus: impl Fn(T, Interval) -> Result<T>,
) -> Result<ArrayRef> {
    call.map4(|a: Option<T>, b: Option<T>, c: Option<T>, d: Option<Interval>| -> Result<Option<bool>> {
        Ok(overlap([a, b], end_of(c, d, &plus)?))
    })
}

fn timetzs(call: &Call) -> Result<ArrayRef> {
    let key = |time: Option<TimeTz>| time.map(timetz_key);
    call.map4(|a: Option<TimeTz>, b: Option<TimeTz>, c: Option<TimeTz>, d: Option<TimeTz>| {
        overlap([key(a), key(b)], [key(c), key(d)])
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::call;

    #[test]
    fn spans_overlap_where_they_share_a_moment() {
        for (ends, expected) in [
            ([Some("2001-02-16"), Some("2001-12-21"), Some("2001-10-30"), Some("2002-10-30")], Some("t")),
            ([Some("2001-12-21"), Some("2001-02-16"), Some("2001-10-30"), Some("2002-10-30")], Some("t")),
            ([Some("2001-02-16"), Some("2001-10-30"), Some("2001-10-30"), Some("2002-10-30")], Some("f")),
            ([Some("2001-02-16"), Some("2001-02-16"), Some("2001-02-16"), Some("2002-10-30")], Some("t")),
            ([Some("2001-02-16"), None, Some("2001-10-30"), Some("2002-10-30")], None),
            ([None, Some("2001-12-16"), Some("2001-10-30"), Some("2002-10-30")], Some("t")),
            ([None, Some("2003-12-16"), Some("2001-10-30"), Some("2002-10-30")], None),
            ([None, None, Some("2001-10-30"), Some("2002-10-30")], None),
            ([None, Some("2001-10-30"), Some("2001-10-30"), Some("2002-10-30")], None),
        ] {
            let arguments = ends.map(|end| (TIMESTAMP, end));
            assert_eq!(call("overlaps", &arguments).unwrap().as_deref(), expected, "{ends:?}");
        }
    }
}
