//! The conversions between types of dates and times as functions that are called by name: `date(ts)`, `timestamptz(d, t)`.

use arrow::array::ArrayRef;

use super::operators::{date_and_time, date_and_timetz};
use crate::datetime::arithmetic::{self, date_of_timestamp, timestamp_of_date};
use crate::datetime::interval_arithmetic::interval_out_of_range;
use crate::datetime::modifier::{apply_interval_typmod, round_time, round_timestamp};
use crate::datetime::zone::Zone;
use crate::datetime::{DAY_US, Interval};
use crate::error::Result;
use crate::function::{Call, Date, Function, Time, TimeTz, Timestamp, function};
use crate::types::*;

/// The functions. Those of one argument are what the casts of the same types do.
pub static FUNCTIONS: &[Function] = &[
    function("date", &[TIMESTAMP], DATE, |call| call.map1(|at: Timestamp| Date(date_of_timestamp(at.0)))),
    function("date", &[TIMESTAMPTZ], DATE, |call| {
        let zone = zone_of(call);
        call.map1(|at: Timestamp| arithmetic::local(at.0, &zone).map(|local| Date(date_of_timestamp(local))))
    })
    .stable(),
    function("timestamp", &[DATE], TIMESTAMP, |call| call.map1(|day: Date| timestamp_of_date(day.0).map(Timestamp))),
    function("timestamp", &[DATE, TIME], TIMESTAMP, date_and_time),
    function("timestamp", &[TIMESTAMPTZ], TIMESTAMP, |call| {
        let zone = zone_of(call);
        call.map1(|at: Timestamp| arithmetic::local(at.0, &zone).map(Timestamp))
    })
    .stable(),
    function("timestamp", &[TIMESTAMP, INT4], TIMESTAMP, rounded_timestamp),
    function("timestamptz", &[DATE], TIMESTAMPTZ, |call| {
        let zone = zone_of(call);
        call.map1(|day: Date| arithmetic::utc(timestamp_of_date(day.0)?, &zone).map(Timestamp))
    })
    .stable(),
    function("timestamptz", &[DATE, TIME], TIMESTAMPTZ, |call| {
        let zone = zone_of(call);
        call.map2(|day: Date, time: Time| -> Result<Timestamp> {
            let midnight = timestamp_of_date(day.0)?;
            let local_us = if arithmetic::is_infinite(midnight) { midnight } else { midnight.saturating_add(time.0) };
            arithmetic::utc(local_us, &zone).map(Timestamp)
        })
    })
    .stable(),
    function("timestamptz", &[DATE, TIMETZ], TIMESTAMPTZ, date_and_timetz),
    function("timestamptz", &[TIMESTAMP], TIMESTAMPTZ, |call| {
        let zone = zone_of(call);
        call.map1(|at: Timestamp| arithmetic::utc(at.0, &zone).map(Timestamp))
    })
    .stable(),
    function("timestamptz", &[TIMESTAMPTZ, INT4], TIMESTAMPTZ, rounded_timestamp),
    function("time", &[TIMESTAMP], TIME, |call| call.map1(|at: Timestamp| time_of(at.0))),
    function("time", &[TIMESTAMPTZ], TIME, |call| {
        let zone = zone_of(call);
        call.map1(|at: Timestamp| arithmetic::local(at.0, &zone).map(time_of))
    })
    .stable(),
    function("time", &[INTERVAL], TIME, |call| call.map1(|it: Interval| Time(it.time_us.rem_euclid(DAY_US)))),
    function("time", &[TIMETZ], TIME, |call| call.map1(|time: TimeTz| Time(time.time_us))),
    function("time", &[TIME, INT4], TIME, |call| {
        call.map2(|time: Time, precision: i32| Time(round_time(time.0, precision)))
    }),
    function("timetz", &[TIME], TIMETZ, |call| {
        let offset_s = zone_of(call).offset_at(call.session().transaction_start_us);
        call.map1(|time: Time| TimeTz { time_us: time.0, offset_s })
    })
    .stable(),
    function("timetz", &[TIMESTAMPTZ], TIMETZ, |call| {
        let zone = zone_of(call);
        call.map1(|at: Timestamp| -> Result<Option<TimeTz>> {
            let local_us = arithmetic::local(at.0, &zone)?;
            let offset_s = zone.offset_at(at.0);
            Ok(time_of(local_us).map(|time| TimeTz { time_us: time.0, offset_s }))
        })
    })
    .stable(),
    function("timetz", &[TIMETZ, INT4], TIMETZ, |call| {
        call.map2(|time: TimeTz, precision: i32| TimeTz { time_us: round_time(time.time_us, precision), ..time })
    }),
    function("interval", &[TIME], INTERVAL, |call| {
        call.map1(|time: Time| Interval { time_us: time.0, ..Interval::default() })
    }),
    function("interval", &[INTERVAL, INT4], INTERVAL, |call| {
        call.map2(|it: Interval, typmod: i32| apply_interval_typmod(it, typmod).map_err(|_| interval_out_of_range()))
    }),
];

fn zone_of(call: &Call) -> Zone {
    call.session().time_zone.clone()
}

/// The time of day of a timestamp; an infinity has none.
fn time_of(local_us: i64) -> Option<Time> {
    (!arithmetic::is_infinite(local_us)).then(|| Time(local_us.rem_euclid(DAY_US)))
}

fn rounded_timestamp(call: &Call) -> Result<ArrayRef> {
    call.map2(|at: Timestamp, precision: i32| round_timestamp(at.0, precision).map(Timestamp))
}
