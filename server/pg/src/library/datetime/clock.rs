//! What time it is: for the transaction, the statement, or really.

use std::time::{SystemTime, UNIX_EPOCH};

use arrow::array::ArrayRef;
use bytes::BytesMut;

use crate::datetime::arithmetic::{date_of_timestamp, local};
use crate::datetime::zone::Zone;
use crate::datetime::{DAY_US, SECOND_US, civil_of_day, write_time};
use crate::error::Result;
use crate::function::{Call, Date, Function, Time, TimeTz, Timestamp, function};
use crate::types::*;

const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The functions. Those that SQL calls without parentheses are here as functions without arguments.
pub static FUNCTIONS: &[Function] = &[
    function("now", &[], TIMESTAMPTZ, transaction_start).stable(),
    function("transaction_timestamp", &[], TIMESTAMPTZ, transaction_start).stable(),
    function("current_timestamp", &[], TIMESTAMPTZ, transaction_start).stable(),
    function("statement_timestamp", &[], TIMESTAMPTZ, statement_start).stable(),
    function("clock_timestamp", &[], TIMESTAMPTZ, |call| call.map0(|| Timestamp(clock_us()))).volatile(),
    function("timeofday", &[], TEXT, time_of_day).volatile(),
    function("current_date", &[], DATE, current_date).stable(),
    function("current_time", &[], TIMETZ, current_time).stable(),
    function("localtime", &[], TIME, local_time).stable(),
    function("localtimestamp", &[], TIMESTAMP, local_timestamp).stable(),
    // Redshift
    function("getdate", &[], TIMESTAMP, get_date).stable(),
    function("sysdate", &[], TIMESTAMP, local_timestamp).stable(),
];

fn transaction_start(call: &Call) -> Result<ArrayRef> {
    let now = Timestamp(call.session().transaction_start_us);
    call.map0(|| now)
}

fn statement_start(call: &Call) -> Result<ArrayRef> {
    let now = Timestamp(call.session().statement_start_us);
    call.map0(|| now)
}

fn zone_of(call: &Call) -> Zone {
    call.session().time_zone.clone()
}

fn local_now(call: &Call) -> Result<i64> {
    local(call.session().transaction_start_us, &zone_of(call))
}

fn current_date(call: &Call) -> Result<ArrayRef> {
    let today = Date(date_of_timestamp(local_now(call)?));
    call.map0(|| today)
}

fn current_time(call: &Call) -> Result<ArrayRef> {
    let offset_s = zone_of(call).offset_at(call.session().transaction_start_us);
    let now = TimeTz { time_us: local_now(call)?.rem_euclid(DAY_US), offset_s };
    call.map0(|| now)
}

fn local_time(call: &Call) -> Result<ArrayRef> {
    let now = Time(local_now(call)?.rem_euclid(DAY_US));
    call.map0(|| now)
}

fn local_timestamp(call: &Call) -> Result<ArrayRef> {
    let now = Timestamp(local_now(call)?);
    call.map0(|| now)
}

/// The start of the statement in whole seconds.
fn get_date(call: &Call) -> Result<ArrayRef> {
    let now_us = local(call.session().statement_start_us, &zone_of(call))?;
    let now = Timestamp(now_us.div_euclid(SECOND_US) * SECOND_US);
    call.map0(|| now)
}

/// What the clock says, for the functions that do not tell when the transaction began, in microseconds since 1970.
#[allow(clippy::disallowed_methods, reason = "clock_timestamp and timeofday tell the real time")]
pub(super) fn clock_us() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_micros()).unwrap_or_default()
}

/// `Sat Feb 17 19:07:32.000126 2024 CET`
fn time_of_day(call: &Call) -> Result<ArrayRef> {
    let zone = zone_of(call);
    let abbreviation = |utc_us| call.session().time_zone.abbreviation_at(utc_us);
    call.map0(|| -> Result<String> {
        let now_us = clock_us();
        let local_us = local(now_us, &zone)?;
        let day = local_us.div_euclid(DAY_US);
        let (year, month, date) = civil_of_day(day);
        let weekday = WEEKDAYS[day.rem_euclid(7) as usize];
        let month = MONTHS[month as usize - 1];
        let mut clock = BytesMut::new();
        write_time(local_us.rem_euclid(DAY_US) / SECOND_US * SECOND_US, &mut clock);
        let clock = String::from_utf8_lossy(&clock);
        let fraction = local_us.rem_euclid(SECOND_US);
        Ok(format!("{weekday} {month} {date:02} {clock}.{fraction:06} {year} {}", abbreviation(now_us)))
    })
}
