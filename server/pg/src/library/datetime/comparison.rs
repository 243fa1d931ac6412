//! Comparisons of values whose order is not that of the Arrow values that carry them: intervals, times with zones, and
//! timestamps of both kinds and dates with one another, for which the session's zone decides.

use std::cmp::Ordering;

use arrow::array::ArrayRef;

use crate::datetime::arithmetic::{is_infinite, timestamp_of_date};
use crate::datetime::zone::Zone;
use crate::datetime::{DAY_US, Interval, SECOND_US, TIMESTAMP_INFINITY, interval_arithmetic};
use crate::error::Result;
use crate::expression_type::Type;
use crate::function::{
    Argument, ArgumentShape, Call, Date, Function, Numeric, ResultValue, Time, TimeTz, Timestamp, function,
};
use crate::types::*;

/// Lists of six comparison operators, each over a function that orders two values; `stable` ones depend on the session.
macro_rules! comparisons {
    ($($list:ident: $left:ident $right:ident $compare:ident $($stable:ident)?;)*) => {
        $(
            #[doc = concat!("Comparisons of ", stringify!($left), " with ", stringify!($right), ".")]
            pub static $list: &[Function] = &[
                function("=", &[$left, $right], BOOL, |call| $compare(call, Ordering::is_eq))$(.$stable())?,
                function("<>", &[$left, $right], BOOL, |call| $compare(call, Ordering::is_ne))$(.$stable())?,
                function("<", &[$left, $right], BOOL, |call| $compare(call, Ordering::is_lt))$(.$stable())?,
                function("<=", &[$left, $right], BOOL, |call| $compare(call, Ordering::is_le))$(.$stable())?,
                function(">", &[$left, $right], BOOL, |call| $compare(call, Ordering::is_gt))$(.$stable())?,
                function(">=", &[$left, $right], BOOL, |call| $compare(call, Ordering::is_ge))$(.$stable())?,
            ];
        )*
    };
}

comparisons! {
    INTERVALS: INTERVAL INTERVAL intervals;
    TIMETZS: TIMETZ TIMETZ timetzs;
    TIMESTAMP_TIMESTAMPTZ: TIMESTAMP TIMESTAMPTZ timestamp_timestamptz stable;
    TIMESTAMPTZ_TIMESTAMP: TIMESTAMPTZ TIMESTAMP timestamptz_timestamp stable;
    DATE_TIMESTAMPTZ: DATE TIMESTAMPTZ date_timestamptz stable;
    TIMESTAMPTZ_DATE: TIMESTAMPTZ DATE timestamptz_date stable;
}

/// The functions that tell an order as -1, 0 or 1, and the keys that intervals and times with zones are sorted, grouped and
/// joined by.
pub static FUNCTIONS: &[Function] = &[
    function("date_cmp", &[DATE, DATE], INT4, |call| call.map2(|a: Date, b: Date| a.cmp(&b) as i32)),
    function("time_cmp", &[TIME, TIME], INT4, |call| call.map2(|a: Time, b: Time| a.cmp(&b) as i32)),
    function("timestamp_cmp", &[TIMESTAMP, TIMESTAMP], INT4, timestamp_cmp),
    function("timestamptz_cmp", &[TIMESTAMPTZ, TIMESTAMPTZ], INT4, timestamp_cmp),
    function("interval_cmp", &[INTERVAL, INTERVAL], INT4, |call| compare(call, order_intervals, sign)),
    function("timetz_cmp", &[TIMETZ, TIMETZ], INT4, |call| compare(call, order_timetzs, sign)),
    function("date_cmp_timestamp", &[DATE, TIMESTAMP], INT4, |call| compare(call, order_date_timestamp, sign)),
    function("timestamp_cmp_date", &[TIMESTAMP, DATE], INT4, |call| {
        compare(call, |a, b| order_date_timestamp(b, a).reverse(), sign)
    }),
    function("date_cmp_timestamptz", &[DATE, TIMESTAMPTZ], INT4, |call| date_timestamptz(call, sign)).stable(),
    function("timestamptz_cmp_date", &[TIMESTAMPTZ, DATE], INT4, |call| timestamptz_date(call, sign)).stable(),
    function("timestamp_cmp_timestamptz", &[TIMESTAMP, TIMESTAMPTZ], INT4, |call| timestamp_timestamptz(call, sign))
        .stable(),
    function("timestamptz_cmp_timestamp", &[TIMESTAMPTZ, TIMESTAMP], INT4, |call| timestamptz_timestamp(call, sign))
        .stable(),
    function("date_order", &[DATE], TIMESTAMP, |call| call.map1(date_order)),
    function("interval_order", &[INTERVAL], NUMERIC, interval_order).shaped(whole_number),
    function("timetz_order", &[TIMETZ], NUMERIC, timetz_order).shaped(whole_number),
];

fn sign(order: Ordering) -> i32 {
    order as i32
}

fn compare<'a, A: Argument<'a>, B: Argument<'a>, R: ResultValue>(
    call: &'a Call,
    order: impl Fn(A, B) -> Ordering,
    answer: fn(Ordering) -> R,
) -> Result<ArrayRef> {
    call.map2(|left: A, right: B| answer(order(left, right)))
}

fn timestamp_cmp(call: &Call) -> Result<ArrayRef> {
    compare(call, |a: Timestamp, b: Timestamp| a.cmp(&b), sign)
}

fn order_intervals(left: Interval, right: Interval) -> Ordering {
    interval_arithmetic::order(left).cmp(&interval_arithmetic::order(right))
}

fn intervals(call: &Call, answer: fn(Ordering) -> bool) -> Result<ArrayRef> {
    compare(call, order_intervals, answer)
}

/// The moment in UTC, and among equal ones the zone further west first.
pub(super) fn timetz_key(time: TimeTz) -> (i64, i32) {
    (time.time_us - i64::from(time.offset_s) * SECOND_US, -time.offset_s)
}

fn order_timetzs(left: TimeTz, right: TimeTz) -> Ordering {
    timetz_key(left).cmp(&timetz_key(right))
}

fn timetzs(call: &Call, answer: fn(Ordering) -> bool) -> Result<ArrayRef> {
    compare(call, order_timetzs, answer)
}

/// A local time as a moment, which may be beyond what timestamps hold.
fn moment(local_us: i64, zone: &Zone) -> i128 {
    match is_infinite(local_us) {
        true => i128::from(local_us),
        false => i128::from(local_us) - i128::from(zone.offset_at_local(local_us)) * i128::from(SECOND_US),
    }
}

/// A date as a local time, which may be beyond what timestamps hold.
fn date_us(day: Date) -> i128 {
    match timestamp_of_date(day.0) {
        Ok(timestamp_us) => i128::from(timestamp_us),
        // Such a date is after all timestamps but before infinity.
        Err(_) => i128::from(TIMESTAMP_INFINITY) - 1,
    }
}

/// A date as the timestamp that stands where it does among timestamps.
fn date_order(day: Date) -> Timestamp {
    Timestamp(i64::try_from(date_us(day)).unwrap_or(TIMESTAMP_INFINITY - 1))
}

fn order_date_timestamp(day: Date, at: Timestamp) -> Ordering {
    date_us(day).cmp(&i128::from(at.0))
}

fn date_moment(day: Date, zone: &Zone) -> i128 {
    match i64::try_from(date_us(day)) {
        Ok(local_us) => moment(local_us, zone),
        Err(_) => i128::from(TIMESTAMP_INFINITY) - 1,
    }
}

fn session_zone(call: &Call) -> Zone {
    call.session().time_zone.clone()
}

fn timestamp_timestamptz<R: ResultValue>(call: &Call, answer: fn(Ordering) -> R) -> Result<ArrayRef> {
    let zone = session_zone(call);
    compare(call, |a: Timestamp, b: Timestamp| moment(a.0, &zone).cmp(&i128::from(b.0)), answer)
}

fn timestamptz_timestamp<R: ResultValue>(call: &Call, answer: fn(Ordering) -> R) -> Result<ArrayRef> {
    let zone = session_zone(call);
    compare(call, |a: Timestamp, b: Timestamp| i128::from(a.0).cmp(&moment(b.0, &zone)), answer)
}

fn date_timestamptz<R: ResultValue>(call: &Call, answer: fn(Ordering) -> R) -> Result<ArrayRef> {
    let zone = session_zone(call);
    compare(call, |a: Date, b: Timestamp| date_moment(a, &zone).cmp(&i128::from(b.0)), answer)
}

fn timestamptz_date<R: ResultValue>(call: &Call, answer: fn(Ordering) -> R) -> Result<ArrayRef> {
    let zone = session_zone(call);
    compare(call, |a: Timestamp, b: Date| i128::from(a.0).cmp(&date_moment(b, &zone)), answer)
}

/// As many digits as 128 bits have, none after the point.
fn whole_number(_arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    Ok(Type::numeric(38, 0))
}

fn interval_order(call: &Call) -> Result<ArrayRef> {
    call.map1(|interval: Interval| Numeric::from_i128(interval_arithmetic::order(interval)))
}

/// The moment and the zone in one number, which equal values share.
fn timetz_order(call: &Call) -> Result<ArrayRef> {
    call.map1(|time: TimeTz| {
        let (moment, zone) = timetz_key(time);
        Numeric::from_i128(i128::from(moment) * i128::from(DAY_US) + i128::from(zone))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{call, operator};

    #[test]
    fn intervals_and_times_with_zones_are_ordered_as_in_postgresql() {
        for (ty, left, symbol, right, expected) in [
            (INTERVAL, "1 month", "=", "30 days", "t"),
            (INTERVAL, "1 day", "=", "24 hours", "t"),
            (INTERVAL, "1 month", "<", "31 days", "t"),
            (INTERVAL, "-1 month", "<", "-31 days", "f"),
            (TIMETZ, "10:00+02", "<", "09:00+00", "t"),
            (TIMETZ, "10:00+02", "=", "08:00+00", "f"),
            (TIMETZ, "10:00+02", "<", "08:00+00", "t"),
        ] {
            let answer = operator(symbol, &[(ty, Some(left)), (ty, Some(right))]).unwrap().unwrap();
            assert_eq!(answer, expected, "{left} {symbol} {right}");
        }
        for (day, expected) in [("2024-01-01", "2024-01-01 00:00:00"), ("-infinity", "-infinity")] {
            assert_eq!(call("date_order", &[(DATE, Some(day))]).unwrap().unwrap(), expected);
        }
        assert_ne!(call("date_order", &[(DATE, Some("5874897-12-31"))]).unwrap().unwrap(), "infinity");
        let answer = call("interval_order", &[(INTERVAL, Some("1 month 00:00:01"))]);
        assert_eq!(answer.unwrap().unwrap(), "2592001000000");
    }

    #[test]
    fn dates_and_timestamps_compare_with_one_another() {
        for (left, symbol, right, expected) in [
            ((DATE, "2024-01-01"), "=", (TIMESTAMPTZ, "2024-01-01 00:00+00"), "t"),
            ((TIMESTAMPTZ, "2024-01-01 00:00+01"), "<", (DATE, "2024-01-01"), "t"),
            ((TIMESTAMP, "2024-01-01"), ">=", (TIMESTAMPTZ, "2024-01-01"), "t"),
            ((TIMESTAMPTZ, "infinity"), ">", (TIMESTAMP, "2024-01-01"), "t"),
            ((DATE, "5874897-12-31"), "<", (TIMESTAMPTZ, "infinity"), "t"),
        ] {
            let answer = operator(symbol, &[(left.0, Some(left.1)), (right.0, Some(right.1))]).unwrap().unwrap();
            assert_eq!(answer, expected, "{} {symbol} {}", left.1, right.1);
        }
    }
}
