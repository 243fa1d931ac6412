//! Arithmetic: `+`, `-`, `*`, `/`, and the functions that move days to months and hours to days.

use arrow::array::ArrayRef;

use crate::datetime::arithmetic::{self, overflow};
use crate::datetime::zone::Zone;
use crate::datetime::{DAY_US, Interval, SECOND_US, age, interval_arithmetic as intervals};
use crate::error::Result;
use crate::function::{Call, Date, Function, Time, TimeTz, Timestamp, function};
use crate::types::*;

/// The operators.
pub static OPERATORS: &[Function] = &[
    function("+", &[DATE, INT4], DATE, date_plus),
    function("+", &[INT4, DATE], DATE, plus_date),
    function("-", &[DATE, INT4], DATE, date_minus),
    function("-", &[DATE, DATE], INT4, date_difference),
    function("+", &[DATE, INTERVAL], TIMESTAMP, date_plus_interval),
    function("+", &[INTERVAL, DATE], TIMESTAMP, interval_plus_date),
    function("-", &[DATE, INTERVAL], TIMESTAMP, date_minus_interval),
    function("+", &[DATE, TIME], TIMESTAMP, date_and_time),
    function("+", &[TIME, DATE], TIMESTAMP, time_and_date),
    function("+", &[DATE, TIMETZ], TIMESTAMPTZ, date_and_timetz),
    function("+", &[TIMETZ, DATE], TIMESTAMPTZ, timetz_and_date),
    function("+", &[TIMESTAMP, INTERVAL], TIMESTAMP, timestamp_plus),
    function("+", &[INTERVAL, TIMESTAMP], TIMESTAMP, plus_timestamp),
    function("-", &[TIMESTAMP, INTERVAL], TIMESTAMP, timestamp_minus),
    function("-", &[TIMESTAMP, TIMESTAMP], INTERVAL, timestamp_difference),
    function("+", &[TIMESTAMPTZ, INTERVAL], TIMESTAMPTZ, timestamptz_plus).stable(),
    function("+", &[INTERVAL, TIMESTAMPTZ], TIMESTAMPTZ, plus_timestamptz).stable(),
    function("-", &[TIMESTAMPTZ, INTERVAL], TIMESTAMPTZ, timestamptz_minus).stable(),
    function("-", &[TIMESTAMPTZ, TIMESTAMPTZ], INTERVAL, timestamp_difference),
    function("+", &[TIME, INTERVAL], TIME, time_plus),
    function("+", &[INTERVAL, TIME], TIME, plus_time),
    function("-", &[TIME, INTERVAL], TIME, time_minus),
    function("-", &[TIME, TIME], INTERVAL, time_difference),
    function("+", &[TIMETZ, INTERVAL], TIMETZ, timetz_plus),
    function("+", &[INTERVAL, TIMETZ], TIMETZ, plus_timetz),
    function("-", &[TIMETZ, INTERVAL], TIMETZ, timetz_minus),
    function("+", &[INTERVAL, INTERVAL], INTERVAL, interval_plus),
    function("-", &[INTERVAL, INTERVAL], INTERVAL, interval_minus),
    function("-", &[INTERVAL], INTERVAL, interval_negated),
    function("*", &[INTERVAL, FLOAT8], INTERVAL, interval_times),
    function("*", &[FLOAT8, INTERVAL], INTERVAL, times_interval),
    function("/", &[INTERVAL, FLOAT8], INTERVAL, interval_divided),
];

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("justify_days", &[INTERVAL], INTERVAL, |call| call.map1(intervals::justify_days)),
    function("justify_hours", &[INTERVAL], INTERVAL, |call| call.map1(intervals::justify_hours)),
    function("justify_interval", &[INTERVAL], INTERVAL, |call| call.map1(intervals::justify_interval)),
    function("age", &[TIMESTAMP, TIMESTAMP], INTERVAL, timestamp_age),
    function("age", &[TIMESTAMP], INTERVAL, timestamp_age_today).stable(),
    function("age", &[TIMESTAMPTZ, TIMESTAMPTZ], INTERVAL, timestamptz_age).stable(),
    function("age", &[TIMESTAMPTZ], INTERVAL, timestamptz_age_today).stable(),
    function("isfinite", &[DATE], BOOL, |call| call.map1(|day: Date| !arithmetic::is_infinite_date(day.0))),
    function("isfinite", &[TIMESTAMP], BOOL, |call| call.map1(|at: Timestamp| !arithmetic::is_infinite(at.0))),
    function("isfinite", &[TIMESTAMPTZ], BOOL, |call| call.map1(|at: Timestamp| !arithmetic::is_infinite(at.0))),
    function("isfinite", &[INTERVAL], BOOL, |call| call.map1(|_: Interval| true)),
];

fn date_plus(call: &Call) -> Result<ArrayRef> {
    call.map2(|day: Date, days: i32| arithmetic::date_plus(day.0, i64::from(days)).map(Date))
}

fn plus_date(call: &Call) -> Result<ArrayRef> {
    call.map2(|days: i32, day: Date| arithmetic::date_plus(day.0, i64::from(days)).map(Date))
}

fn date_minus(call: &Call) -> Result<ArrayRef> {
    call.map2(|day: Date, days: i32| arithmetic::date_plus(day.0, -i64::from(days)).map(Date))
}

fn date_difference(call: &Call) -> Result<ArrayRef> {
    call.map2(|left: Date, right: Date| {
        if arithmetic::is_infinite_date(left.0) || arithmetic::is_infinite_date(right.0) {
            return Err(overflow("cannot subtract infinite dates"));
        }
        // PostgreSQL's dates are less than 2^31 days apart.
        Ok(left.0.wrapping_sub(right.0))
    })
}

fn date_interval(day: Date, interval: Interval) -> Result<Timestamp> {
    arithmetic::timestamp_plus(arithmetic::timestamp_of_date(day.0)?, interval).map(Timestamp)
}

fn date_plus_interval(call: &Call) -> Result<ArrayRef> {
    call.map2(date_interval)
}

fn interval_plus_date(call: &Call) -> Result<ArrayRef> {
    call.map2(|interval: Interval, day: Date| date_interval(day, interval))
}

fn date_minus_interval(call: &Call) -> Result<ArrayRef> {
    call.map2(|day: Date, interval: Interval| date_interval(day, intervals::negated(interval)?))
}

/// A time on a day, which is so many seconds east of UTC.
pub(super) fn date_time(day: Date, time_us: i64, offset_s: i32) -> Result<Timestamp> {
    let midnight = arithmetic::timestamp_of_date(day.0)?;
    if arithmetic::is_infinite(midnight) {
        return Ok(Timestamp(midnight));
    }
    let moment = midnight.checked_add(time_us - i64::from(offset_s) * SECOND_US);
    arithmetic::finite_timestamp(moment).map(Timestamp)
}

pub(super) fn date_and_time(call: &Call) -> Result<ArrayRef> {
    call.map2(|day: Date, time: Time| date_time(day, time.0, 0))
}

fn time_and_date(call: &Call) -> Result<ArrayRef> {
    call.map2(|time: Time, day: Date| date_time(day, time.0, 0))
}

pub(super) fn date_and_timetz(call: &Call) -> Result<ArrayRef> {
    call.map2(|day: Date, time: TimeTz| date_time(day, time.time_us, time.offset_s))
}

fn timetz_and_date(call: &Call) -> Result<ArrayRef> {
    call.map2(|time: TimeTz, day: Date| date_time(day, time.time_us, time.offset_s))
}

fn timestamp_plus(call: &Call) -> Result<ArrayRef> {
    call.map2(|at: Timestamp, interval: Interval| arithmetic::timestamp_plus(at.0, interval).map(Timestamp))
}

fn plus_timestamp(call: &Call) -> Result<ArrayRef> {
    call.map2(|interval: Interval, at: Timestamp| arithmetic::timestamp_plus(at.0, interval).map(Timestamp))
}

fn timestamp_minus(call: &Call) -> Result<ArrayRef> {
    call.map2(|at: Timestamp, interval: Interval| {
        arithmetic::timestamp_plus(at.0, intervals::negated(interval)?).map(Timestamp)
    })
}

fn timestamp_difference(call: &Call) -> Result<ArrayRef> {
    call.map2(|left: Timestamp, right: Timestamp| arithmetic::timestamp_difference(left.0, right.0))
}

fn timestamptz_plus(call: &Call) -> Result<ArrayRef> {
    let zone = call.session().time_zone.clone();
    call.map2(|at: Timestamp, interval: Interval| arithmetic::timestamptz_plus(at.0, interval, &zone).map(Timestamp))
}

fn plus_timestamptz(call: &Call) -> Result<ArrayRef> {
    let zone = call.session().time_zone.clone();
    call.map2(|interval: Interval, at: Timestamp| arithmetic::timestamptz_plus(at.0, interval, &zone).map(Timestamp))
}

fn timestamptz_minus(call: &Call) -> Result<ArrayRef> {
    let zone = call.session().time_zone.clone();
    call.map2(|at: Timestamp, interval: Interval| {
        arithmetic::timestamptz_plus(at.0, intervals::negated(interval)?, &zone).map(Timestamp)
    })
}

fn time_plus(call: &Call) -> Result<ArrayRef> {
    call.map2(|time: Time, interval: Interval| Time(arithmetic::time_plus(time.0, interval.time_us)))
}

fn plus_time(call: &Call) -> Result<ArrayRef> {
    call.map2(|interval: Interval, time: Time| Time(arithmetic::time_plus(time.0, interval.time_us)))
}

fn time_minus(call: &Call) -> Result<ArrayRef> {
    call.map2(|time: Time, interval: Interval| Time(arithmetic::time_plus(time.0, -(interval.time_us % DAY_US))))
}

fn time_difference(call: &Call) -> Result<ArrayRef> {
    call.map2(|left: Time, right: Time| Interval { time_us: left.0 - right.0, ..Interval::default() })
}

fn timetz_later(time: TimeTz, later_us: i64) -> TimeTz {
    TimeTz { time_us: arithmetic::time_plus(time.time_us, later_us), ..time }
}

fn timetz_plus(call: &Call) -> Result<ArrayRef> {
    call.map2(|time: TimeTz, interval: Interval| timetz_later(time, interval.time_us))
}

fn plus_timetz(call: &Call) -> Result<ArrayRef> {
    call.map2(|interval: Interval, time: TimeTz| timetz_later(time, interval.time_us))
}

fn timetz_minus(call: &Call) -> Result<ArrayRef> {
    call.map2(|time: TimeTz, interval: Interval| timetz_later(time, -(interval.time_us % DAY_US)))
}

fn interval_plus(call: &Call) -> Result<ArrayRef> {
    call.map2(intervals::plus)
}

fn interval_minus(call: &Call) -> Result<ArrayRef> {
    call.map2(intervals::minus)
}

fn interval_negated(call: &Call) -> Result<ArrayRef> {
    call.map1(intervals::negated)
}

fn interval_times(call: &Call) -> Result<ArrayRef> {
    call.map2(intervals::times)
}

fn times_interval(call: &Call) -> Result<ArrayRef> {
    call.map2(|factor: f64, interval: Interval| intervals::times(interval, factor))
}

fn interval_divided(call: &Call) -> Result<ArrayRef> {
    call.map2(intervals::divided)
}

fn timestamp_age(call: &Call) -> Result<ArrayRef> {
    call.map2(|left: Timestamp, right: Timestamp| age::age(left.0, right.0))
}

/// The local time at which the day began on which the transaction did.
fn today_us(call: &Call, zone: &Zone) -> Result<i64> {
    Ok(arithmetic::local(call.session().transaction_start_us, zone)?.div_euclid(DAY_US) * DAY_US)
}

fn timestamp_age_today(call: &Call) -> Result<ArrayRef> {
    let today_us = today_us(call, &call.session().time_zone.clone())?;
    call.map1(|at: Timestamp| age::age(today_us, at.0))
}

fn timestamptz_age(call: &Call) -> Result<ArrayRef> {
    let zone = call.session().time_zone.clone();
    call.map2(|left: Timestamp, right: Timestamp| {
        age::age(arithmetic::local(left.0, &zone)?, arithmetic::local(right.0, &zone)?)
    })
}

fn timestamptz_age_today(call: &Call) -> Result<ArrayRef> {
    let zone = call.session().time_zone.clone();
    let today_us = today_us(call, &zone)?;
    call.map1(|at: Timestamp| age::age(today_us, arithmetic::local(at.0, &zone)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{call, operator};

    fn check(left: (u32, &str), symbol: &str, right: (u32, &str), expected: &str) {
        let answer = operator(symbol, &[(left.0, Some(left.1)), (right.0, Some(right.1))]);
        let answer = answer.map_or_else(|error| error.to_string(), Option::unwrap);
        assert_eq!(answer, expected, "{} {symbol} {}", left.1, right.1);
    }

    #[test]
    fn dates_and_timestamps_are_moved_by_days_and_intervals() {
        for (left, symbol, right, expected) in [
            ((DATE, "2024-02-28"), "+", (INT4, "2"), "2024-03-01"),
            ((DATE, "2024-03-01"), "-", (DATE, "2023-03-01"), "366"),
            ((DATE, "infinity"), "+", (INT4, "1"), "infinity"),
            ((DATE, "infinity"), "-", (DATE, "2020-01-01"), "cannot subtract infinite dates"),
            ((DATE, "2020-01-01"), "+", (INT4, "2147483647"), "date out of range"),
            ((DATE, "5874897-12-31"), "+", (INTERVAL, "1 day"), "date out of range for timestamp"),
            ((DATE, "2024-01-31"), "+", (INTERVAL, "1 month"), "2024-02-29 00:00:00"),
            ((DATE, "2024-01-31"), "+", (TIME, "10:11"), "2024-01-31 10:11:00"),
            ((DATE, "2024-01-31"), "+", (TIMETZ, "10:11+02"), "2024-01-31 08:11:00+00"),
            ((TIMESTAMP, "2024-01-31"), "+", (INTERVAL, "1 month 1 day -1 second"), "2024-02-29 23:59:59"),
            ((TIMESTAMP, "2024-03-31 10:00"), "-", (INTERVAL, "1 month"), "2024-02-29 10:00:00"),
            ((TIMESTAMP, "2024-03-31 10:00"), "-", (TIMESTAMP, "2024-01-31 12:00"), "59 days 22:00:00"),
            ((TIMESTAMP, "2024-01-31 10:00"), "-", (TIMESTAMP, "2024-03-31 12:00"), "-60 days -02:00:00"),
            ((TIMESTAMP, "infinity"), "-", (TIMESTAMP, "2024-03-31"), "cannot subtract infinite timestamps"),
            ((TIMESTAMP, "294246-12-31"), "+", (INTERVAL, "1 year"), "timestamp out of range"),
            ((TIME, "10:00"), "+", (INTERVAL, "25 hours"), "11:00:00"),
            ((TIME, "00:00"), "-", (INTERVAL, "1 second"), "23:59:59"),
            ((TIME, "00:00"), "-", (TIME, "10:00"), "-10:00:00"),
            ((TIMETZ, "10:00-03:30"), "+", (INTERVAL, "15 hours"), "01:00:00-03:30"),
        ] {
            check(left, symbol, right, expected);
        }
    }

    #[test]
    fn fractions_of_intervals_go_to_days_and_time() {
        for (left, symbol, right, expected) in [
            ((INTERVAL, "1 month"), "*", (FLOAT8, "0.5"), "15 days"),
            ((INTERVAL, "1 year 1 day"), "*", (FLOAT8, "1.5"), "1 year 6 mons 1 day 12:00:00"),
            ((INTERVAL, "1 month"), "/", (FLOAT8, "7"), "4 days 06:51:25.6896"),
            ((INTERVAL, "-1 day"), "/", (FLOAT8, "3"), "-08:00:00"),
            ((INTERVAL, "1 day"), "/", (FLOAT8, "0"), "division by zero"),
            ((INTERVAL, "1 day"), "*", (FLOAT8, "nan"), "interval out of range"),
            ((INTERVAL, "2147483647 days"), "+", (INTERVAL, "1 day"), "interval out of range"),
            ((INTERVAL, "1 mon 2 days"), "-", (INTERVAL, "1 day 03:00"), "1 mon 1 day -03:00:00"),
        ] {
            check(left, symbol, right, expected);
        }
    }

    #[test]
    fn ages_count_calendar_months() {
        for (left, right, expected) in [
            ("2001-04-10", "1957-06-13", "43 years 9 mons 27 days"),
            ("2024-03-01", "2024-01-31", "1 mon 1 day"),
            ("2024-01-31", "2024-03-01", "-1 mons -1 days"),
            ("2024-03-31 01:00", "2024-02-29 02:00", "1 mon 1 day 23:00:00"),
            ("2024-01-01", "2024-01-01", "00:00:00"),
        ] {
            let answer = call("age", &[(TIMESTAMP, Some(left)), (TIMESTAMP, Some(right))]);
            assert_eq!(answer.unwrap().unwrap(), expected, "{left} {right}");
        }
        for (name, value, expected) in [
            ("justify_hours", "27 hours", "1 day 03:00:00"),
            ("justify_days", "35 days", "1 mon 5 days"),
            ("justify_interval", "1 mon -1 hour", "29 days 23:00:00"),
        ] {
            assert_eq!(call(name, &[(INTERVAL, Some(value))]).unwrap().unwrap(), expected);
        }
    }
}
