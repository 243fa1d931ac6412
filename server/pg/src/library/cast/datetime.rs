//! Casts among dates, times and intervals. A timestamp with time zone is a moment; what date and time of day it is depends
//! on the session's zone.

use arrow::array::ArrayRef;
use datafusion_common::ScalarValue;

use crate::datetime::modifier::{apply_interval_typmod, round_time, round_timestamp};
use crate::datetime::zone::Zone;
use crate::datetime::{
    DATE_INFINITY, DATE_MINUS_INFINITY, DAY_US, Interval, TIMESTAMP_INFINITY, TIMESTAMP_MIN_US,
    TIMESTAMP_MINUS_INFINITY,
};
use crate::error::{PgError, Result};
use crate::function::CastContext::{Assignment, Implicit};
use crate::function::{ArgumentShape, Call, Cast, Date, Preimage, Time, TimeTz, Timestamp, cast};
use crate::sqlstate::SqlState;
use crate::types::*;

/// The casts of this module.
pub static CASTS: &[Cast] = &[
    monotonic(cast(&[DATE], TIMESTAMP, Implicit, date_to_timestamp), dates_of_timestamp),
    stable(cast(&[DATE], TIMESTAMPTZ, Implicit, date_to_timestamptz)),
    cast(&[TIME], TIME, Implicit, time_to_time),
    cast(&[TIME], INTERVAL, Implicit, time_to_interval),
    stable(cast(&[TIME], TIMETZ, Implicit, time_to_timetz)),
    cast(&[TIMESTAMP], DATE, Assignment, timestamp_to_date),
    cast(&[TIMESTAMP], TIME, Assignment, timestamp_to_time),
    cast(&[TIMESTAMP], TIMESTAMP, Implicit, timestamp_to_timestamp),
    stable(cast(&[TIMESTAMP], TIMESTAMPTZ, Implicit, timestamp_to_timestamptz)),
    stable(cast(&[TIMESTAMPTZ], DATE, Assignment, timestamptz_to_date)),
    stable(cast(&[TIMESTAMPTZ], TIME, Assignment, timestamptz_to_time)),
    stable(cast(&[TIMESTAMPTZ], TIMESTAMP, Assignment, timestamptz_to_timestamp)),
    cast(&[TIMESTAMPTZ], TIMESTAMPTZ, Implicit, timestamp_to_timestamp),
    stable(cast(&[TIMESTAMPTZ], TIMETZ, Assignment, timestamptz_to_timetz)),
    cast(&[INTERVAL], TIME, Assignment, interval_to_time),
    cast(&[INTERVAL], INTERVAL, Implicit, interval_to_interval),
    cast(&[TIMETZ], TIME, Assignment, timetz_to_time),
    cast(&[TIMETZ], TIMETZ, Implicit, timetz_to_timetz),
];

const fn stable(cast: Cast) -> Cast {
    Cast { function: cast.function.stable(), context: cast.context }
}

const fn monotonic(cast: Cast, preimage: Preimage) -> Cast {
    Cast { function: cast.function.monotonic(preimage), context: cast.context }
}

fn is_infinite(timestamp_us: i64) -> bool {
    matches!(timestamp_us, TIMESTAMP_INFINITY | TIMESTAMP_MINUS_INFINITY)
}

fn midnight(date: Date) -> Result<i64> {
    match date.0 {
        DATE_INFINITY => Ok(TIMESTAMP_INFINITY),
        DATE_MINUS_INFINITY => Ok(TIMESTAMP_MINUS_INFINITY),
        day => {
            let timestamp_us = i64::from(day).checked_mul(DAY_US).filter(|it| *it >= TIMESTAMP_MIN_US);
            let message = "date out of range for timestamp";
            timestamp_us.ok_or_else(|| PgError::new(SqlState::DATETIME_FIELD_OVERFLOW, message))
        }
    }
}

fn day(timestamp_us: i64) -> Date {
    Date(match timestamp_us {
        TIMESTAMP_INFINITY => DATE_INFINITY,
        TIMESTAMP_MINUS_INFINITY => DATE_MINUS_INFINITY,
        // 64 bits of microseconds are fewer days than 32 bits.
        _ => timestamp_us.div_euclid(DAY_US) as i32,
    })
}

/// An infinite timestamp has no time of day.
fn time_of_day(timestamp_us: i64) -> Option<i64> {
    (!is_infinite(timestamp_us)).then(|| timestamp_us.rem_euclid(DAY_US))
}

fn to_local(zone: &Zone, utc_us: i64) -> Result<i64> {
    within_range(zone.local(utc_us))
}

fn to_utc(zone: &Zone, local_us: i64) -> Result<i64> {
    within_range(zone.utc(local_us))
}

/// A finite timestamp must not become an infinity.
fn within_range(timestamp_us: Option<i64>) -> Result<i64> {
    timestamp_us
        .filter(|it| *it >= TIMESTAMP_MIN_US || *it == TIMESTAMP_MINUS_INFINITY)
        .ok_or_else(|| PgError::new(SqlState::DATETIME_FIELD_OVERFLOW, "timestamp out of range"))
}

fn rounded_timetz(value: TimeTz, typmod: i32) -> TimeTz {
    TimeTz { time_us: round_time(value.time_us, typmod), ..value }
}

fn date_to_timestamp(call: &Call) -> Result<ArrayRef> {
    call.map1(|date: Date| midnight(date).map(Timestamp))
}

/// The day that begins with the timestamp; if none does, no day, between those before and after.
fn dates_of_timestamp(_arguments: &[ArgumentShape<'_>], constant: &ScalarValue) -> Option<(ScalarValue, ScalarValue)> {
    let ScalarValue::TimestampMicrosecond(Some(timestamp_us), None) = constant else { return None };
    let Date(day) = day(*timestamp_us);
    let next = day.checked_add(1)?;
    let is_midnight = is_infinite(*timestamp_us) || timestamp_us.rem_euclid(DAY_US) == 0;
    let first = if is_midnight { day } else { next };
    Some((ScalarValue::Date32(Some(first)), ScalarValue::Date32(Some(next))))
}

fn date_to_timestamptz(call: &Call) -> Result<ArrayRef> {
    let zone = call.session().time_zone.clone();
    call.map1(|date: Date| to_utc(&zone, midnight(date)?).map(Timestamp))
}

fn time_to_time(call: &Call) -> Result<ArrayRef> {
    call.map1(|time: Time| Time(round_time(time.0, call.result.typmod)))
}

fn time_to_interval(call: &Call) -> Result<ArrayRef> {
    call.map1(|time: Time| apply_interval_typmod(Interval { months: 0, days: 0, time_us: time.0 }, call.result.typmod))
}

/// The zone's offset is the one of this moment.
fn time_to_timetz(call: &Call) -> Result<ArrayRef> {
    let session = call.session();
    let offset_s = session.time_zone.offset_at(session.transaction_start_us);
    call.map1(|time: Time| rounded_timetz(TimeTz { time_us: time.0, offset_s }, call.result.typmod))
}

fn timestamp_to_date(call: &Call) -> Result<ArrayRef> {
    call.map1(|timestamp: Timestamp| day(timestamp.0))
}

fn timestamp_to_time(call: &Call) -> Result<ArrayRef> {
    call.map1(|timestamp: Timestamp| {
        time_of_day(timestamp.0).map(|time_us| Time(round_time(time_us, call.result.typmod)))
    })
}

fn timestamp_to_timestamp(call: &Call) -> Result<ArrayRef> {
    call.map1(|timestamp: Timestamp| round_timestamp(timestamp.0, call.result.typmod).map(Timestamp))
}

fn timestamp_to_timestamptz(call: &Call) -> Result<ArrayRef> {
    let zone = call.session().time_zone.clone();
    call.map1(|timestamp: Timestamp| round_timestamp(to_utc(&zone, timestamp.0)?, call.result.typmod).map(Timestamp))
}

fn timestamptz_to_timestamp(call: &Call) -> Result<ArrayRef> {
    let zone = call.session().time_zone.clone();
    call.map1(|timestamp: Timestamp| round_timestamp(to_local(&zone, timestamp.0)?, call.result.typmod).map(Timestamp))
}

fn timestamptz_to_date(call: &Call) -> Result<ArrayRef> {
    let zone = call.session().time_zone.clone();
    call.map1(|timestamp: Timestamp| to_local(&zone, timestamp.0).map(day))
}

fn timestamptz_to_time(call: &Call) -> Result<ArrayRef> {
    let zone = call.session().time_zone.clone();
    call.map1(|timestamp: Timestamp| {
        let time_us = time_of_day(to_local(&zone, timestamp.0)?);
        Ok::<_, PgError>(time_us.map(|time_us| Time(round_time(time_us, call.result.typmod))))
    })
}

fn timestamptz_to_timetz(call: &Call) -> Result<ArrayRef> {
    let zone = call.session().time_zone.clone();
    call.map1(|timestamp: Timestamp| {
        let Some(time_us) = time_of_day(to_local(&zone, timestamp.0)?) else { return Ok(None) };
        let value = TimeTz { time_us, offset_s: zone.offset_at(timestamp.0) };
        Ok::<_, PgError>(Some(rounded_timetz(value, call.result.typmod)))
    })
}

/// Months and days go, and what is left is brought into one day.
fn interval_to_time(call: &Call) -> Result<ArrayRef> {
    call.map1(|interval: Interval| Time(round_time(interval.time_us.rem_euclid(DAY_US), call.result.typmod)))
}

fn interval_to_interval(call: &Call) -> Result<ArrayRef> {
    call.map1(|interval: Interval| apply_interval_typmod(interval, call.result.typmod))
}

fn timetz_to_time(call: &Call) -> Result<ArrayRef> {
    call.map1(|value: TimeTz| Time(round_time(value.time_us, call.result.typmod)))
}

fn timetz_to_timetz(call: &Call) -> Result<ArrayRef> {
    call.map1(|value: TimeTz| rounded_timetz(value, call.result.typmod))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing;

    fn check(source: u32, text: &str, target: u32, typmod: i32, expected: &str) {
        let answer = testing::cast((source, Some(text)), target, typmod);
        assert_eq!(answer.unwrap().as_deref(), Some(expected), "{text}");
    }

    #[test]
    fn infinities_stay_and_have_no_time_of_day() {
        check(DATE, "infinity", TIMESTAMP, -1, "infinity");
        check(DATE, "-infinity", TIMESTAMPTZ, -1, "-infinity");
        check(TIMESTAMP, "infinity", DATE, -1, "infinity");
        check(TIMESTAMP, "infinity", TIMESTAMPTZ, 0, "infinity");
        assert_eq!(testing::cast((TIMESTAMP, Some("infinity")), TIME, -1), Ok(None));
        assert_eq!(testing::cast((TIMESTAMPTZ, Some("-infinity")), TIMETZ, -1), Ok(None));
        let error = testing::cast((DATE, Some("5874897-12-31")), TIMESTAMP, -1).unwrap_err();
        assert_eq!(error.message, "date out of range for timestamp");
    }

    #[test]
    fn a_timestamp_is_the_beginning_of_a_day_or_between_two() {
        let dates = |timestamp_us| match dates_of_timestamp(
            &[],
            &ScalarValue::TimestampMicrosecond(Some(timestamp_us), None),
        ) {
            Some((ScalarValue::Date32(Some(first)), ScalarValue::Date32(Some(end)))) => Some((first, end)),
            _ => None,
        };
        assert_eq!(dates(0), Some((0, 1)));
        assert_eq!(dates(1), Some((1, 1)));
        assert_eq!(dates(-1), Some((0, 0)));
        assert_eq!(dates(-DAY_US), Some((-1, 0)));
        assert_eq!(dates(TIMESTAMP_MINUS_INFINITY), Some((i32::MIN, i32::MIN + 1)));
        assert_eq!(dates(TIMESTAMP_INFINITY), None);
    }

    #[test]
    fn parts_are_taken_and_rounded() {
        check(TIMESTAMP, "1969-12-31 23:59:59.999999", DATE, -1, "1969-12-31");
        check(TIMESTAMP, "2020-01-01 23:59:59.999999", TIME, -1, "23:59:59.999999");
        check(TIMESTAMPTZ, "2020-01-01 10:00:00.5+02", TIMETZ, -1, "08:00:00.5+00");
        check(INTERVAL, "25:30:01.5", TIME, -1, "01:30:01.5");
        check(INTERVAL, "-1:00", TIME, -1, "23:00:00");
        check(TIME, "10:00:00.5", INTERVAL, -1, "10:00:00.5");
        check(TIME, "10:00", TIMETZ, -1, "10:00:00+00");
        check(TIMETZ, "10:00+05", TIME, -1, "10:00:00");
        check(TIMESTAMP, "2020-01-01 10:00:00.123456", TIMESTAMP, 3, "2020-01-01 10:00:00.123");
        check(TIME, "23:59:59.9", TIME, 0, "24:00:00");
        check(TIMETZ, "10:00:00.126+03", TIMETZ, 2, "10:00:00.13+03");
        check(INTERVAL, "-1.5 s", INTERVAL, 0x7fff << 16, "-00:00:02");
    }
}
