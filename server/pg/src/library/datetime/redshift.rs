//! Redshift's functions of dates: `dateadd`, `datediff`, `add_months`, `months_between`, `last_day`, `next_day`.
//!
//! Each has an entry for text too, which a quoted literal resolves to; it is read as a timestamp.

use arrow::array::ArrayRef;

use super::redshift_parts::{interval_of, ordinal, part_of};
use crate::datetime::arithmetic::{
    self, date_of_timestamp, finite_date, is_infinite, overflow, plus_months, time_plus, timestamp_of_date,
};
use crate::datetime::parse::Moment;
use crate::datetime::words::Unit;
use crate::datetime::{DAY_US, SECOND_US, civil_of_day, day_of_civil};
use crate::error::{PgError, Result};
use crate::function::{Call, Date, Function, Time, TimeTz, Timestamp, function};
use crate::input::scalars;
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("dateadd", &[TEXT, INT8, DATE], TIMESTAMP, |call| {
        call.map3(|part: &str, number: i64, day: Date| add(part, number, timestamp_of_date(day.0)?))
    }),
    function("dateadd", &[TEXT, INT8, TIMESTAMP], TIMESTAMP, |call| {
        call.map3(|part: &str, number: i64, at: Timestamp| add(part, number, at.0))
    }),
    function("dateadd", &[TEXT, INT8, TIMESTAMPTZ], TIMESTAMPTZ, date_add_timestamptz).stable(),
    function("dateadd", &[TEXT, INT8, TIME], TIME, |call| {
        call.map3(|part: &str, number: i64, time: Time| add_time(part, number, time.0).map(Time))
    }),
    function("dateadd", &[TEXT, INT8, TIMETZ], TIMETZ, |call| {
        call.map3(|part: &str, number: i64, time: TimeTz| -> Result<TimeTz> {
            Ok(TimeTz { time_us: add_time(part, number, time.time_us)?, ..time })
        })
    }),
    function("dateadd", &[TEXT, INT8, TEXT], TIMESTAMP, |call| {
        let moment = Moment::from(call.session());
        call.map3(|part: &str, number: i64, text: &str| add(part, number, scalars::timestamp_at(text, &moment)?))
    })
    .stable(),
    function("datediff", &[TEXT, DATE, DATE], INT8, |call| {
        call.map3(|part: &str, from: Date, to: Date| {
            difference(part, timestamp_of_date(from.0)?, timestamp_of_date(to.0)?)
        })
    }),
    function("datediff", &[TEXT, TIMESTAMP, TIMESTAMP], INT8, |call| {
        call.map3(|part: &str, from: Timestamp, to: Timestamp| difference(part, from.0, to.0))
    }),
    function("datediff", &[TEXT, TIMESTAMPTZ, TIMESTAMPTZ], INT8, |call| {
        let zone = call.session().time_zone.clone();
        call.map3(|part: &str, from: Timestamp, to: Timestamp| {
            difference(part, arithmetic::local(from.0, &zone)?, arithmetic::local(to.0, &zone)?)
        })
    })
    .stable(),
    function("datediff", &[TEXT, TIME, TIME], INT8, |call| {
        call.map3(|part: &str, from: Time, to: Time| difference(part, from.0, to.0))
    }),
    function("datediff", &[TEXT, TIMETZ, TIMETZ], INT8, |call| {
        let utc = |time: TimeTz| time.time_us - i64::from(time.offset_s) * SECOND_US;
        call.map3(|part: &str, from: TimeTz, to: TimeTz| difference(part, utc(from), utc(to)))
    }),
    function("datediff", &[TEXT, TEXT, TEXT], INT8, |call| {
        let moment = Moment::from(call.session());
        call.map3(|part: &str, from: &str, to: &str| {
            difference(part, scalars::timestamp_at(from, &moment)?, scalars::timestamp_at(to, &moment)?)
        })
    })
    .stable(),
    function("add_months", &[DATE, INT8], TIMESTAMP, |call| {
        call.map2(|day: Date, months: i64| add_months(timestamp_of_date(day.0)?, months))
    }),
    function("add_months", &[TIMESTAMP, INT8], TIMESTAMP, |call| {
        call.map2(|at: Timestamp, months: i64| add_months(at.0, months))
    }),
    function("add_months", &[TEXT, INT8], TIMESTAMP, |call| {
        let moment = Moment::from(call.session());
        call.map2(|text: &str, months: i64| add_months(scalars::timestamp_at(text, &moment)?, months))
    })
    .stable(),
    function("months_between", &[DATE, DATE], FLOAT8, |call| {
        call.map2(|left: Date, right: Date| months_between(timestamp_of_date(left.0)?, timestamp_of_date(right.0)?))
    }),
    function("months_between", &[TIMESTAMP, TIMESTAMP], FLOAT8, |call| {
        call.map2(|left: Timestamp, right: Timestamp| months_between(left.0, right.0))
    }),
    function("months_between", &[TEXT, TEXT], FLOAT8, |call| {
        let moment = Moment::from(call.session());
        call.map2(|left: &str, right: &str| {
            months_between(scalars::timestamp_at(left, &moment)?, scalars::timestamp_at(right, &moment)?)
        })
    })
    .stable(),
    function("last_day", &[DATE], DATE, |call| call.map1(|day: Date| last_day(day.0))),
    function("last_day", &[TIMESTAMP], DATE, |call| call.map1(|at: Timestamp| last_day(date_of_timestamp(at.0)))),
    function("last_day", &[TEXT], DATE, |call| {
        let moment = Moment::from(call.session());
        call.map1(|text: &str| last_day(scalars::date_at(text, &moment)?))
    })
    .stable(),
    function("next_day", &[DATE, TEXT], DATE, |call| call.map2(|day: Date, weekday: &str| next_day(day.0, weekday))),
    function("next_day", &[TIMESTAMP, TEXT], DATE, |call| {
        call.map2(|at: Timestamp, weekday: &str| next_day(date_of_timestamp(at.0), weekday))
    }),
    function("next_day", &[TEXT, TEXT], DATE, |call| {
        let moment = Moment::from(call.session());
        call.map2(|text: &str, weekday: &str| next_day(scalars::date_at(text, &moment)?, weekday))
    })
    .stable(),
];

const WEEKDAYS: [&str; 7] = ["thursday", "friday", "saturday", "sunday", "monday", "tuesday", "wednesday"];
/// Days of the months that a part of a month is counted in.
const DAYS_PER_MONTH: f64 = 31.0;

fn add(part: &str, number: i64, at_us: i64) -> Result<Timestamp> {
    arithmetic::timestamp_plus(at_us, interval_of(part_of(part)?, number)?).map(Timestamp)
}

fn date_add_timestamptz(call: &Call) -> Result<ArrayRef> {
    let zone = call.session().time_zone.clone();
    call.map3(|part: &str, number: i64, at: Timestamp| {
        arithmetic::timestamptz_plus(at.0, interval_of(part_of(part)?, number)?, &zone).map(Timestamp)
    })
}

fn add_time(part: &str, number: i64, time_us: i64) -> Result<i64> {
    let unit = part_of(part)?;
    match unit {
        Unit::Hour | Unit::Minute | Unit::Second | Unit::Millisecond | Unit::Microsecond => {
            Ok(time_plus(time_us, interval_of(unit, number)?.time_us))
        }
        _ => Err(PgError::not_supported(format!("date part \"{part}\" of a time"))),
    }
}

/// How many boundaries of a part lie between two local times.
fn difference(part: &str, from_us: i64, to_us: i64) -> Result<i64> {
    if is_infinite(from_us) || is_infinite(to_us) {
        return Err(overflow("cannot subtract infinite timestamps"));
    }
    let unit = part_of(part)?;
    let difference = ordinal(unit, to_us)?.checked_sub(ordinal(unit, from_us)?);
    difference.ok_or_else(|| PgError::out_of_range("bigint"))
}

fn month_end(year: i64, month: u32) -> i64 {
    let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    day_of_civil(year, month, 1) - 1
}

/// Some months later; the last day of a month stays the last.
fn add_months(at_us: i64, months: i64) -> Result<Timestamp> {
    if is_infinite(at_us) {
        return Ok(Timestamp(at_us));
    }
    if i32::try_from(months).is_err() {
        return Err(arithmetic::timestamp_out_of_range());
    }
    let later_us = plus_months(at_us, months)?;
    let day = at_us.div_euclid(DAY_US);
    let (year, month, _) = civil_of_day(day);
    if day != month_end(year, month) {
        return Ok(Timestamp(later_us));
    }
    let (year, month, _) = civil_of_day(later_us.div_euclid(DAY_US));
    arithmetic::timestamp_of(month_end(year, month), at_us.rem_euclid(DAY_US)).map(Timestamp)
}

/// Months from the second to the first. They are whole between equal days of a month and between last days.
fn months_between(left_us: i64, right_us: i64) -> Result<f64> {
    if is_infinite(left_us) || is_infinite(right_us) {
        return Err(overflow("cannot subtract infinite timestamps"));
    }
    let day = |us: i64| us.div_euclid(DAY_US);
    let ((year, month, date), (other_year, other_month, other_date)) =
        (civil_of_day(day(left_us)), civil_of_day(day(right_us)));
    let months = ((year - other_year) * 12 + i64::from(month) - i64::from(other_month)) as f64;
    let both_last = day(left_us) == month_end(year, month) && day(right_us) == month_end(other_year, other_month);
    if date == other_date || both_last {
        return Ok(months);
    }
    let time = |us: i64| us.rem_euclid(DAY_US) as f64 / DAY_US as f64;
    let days = f64::from(date) - f64::from(other_date) + time(left_us) - time(right_us);
    Ok(months + days / DAYS_PER_MONTH)
}

fn last_day(day: i32) -> Result<Date> {
    if arithmetic::is_infinite_date(day) {
        return Ok(Date(day));
    }
    let (year, month, _) = civil_of_day(i64::from(day));
    finite_date(month_end(year, month)).map(Date)
}

/// The first such weekday after a day. The name may be cut where it stays clear.
fn next_day(day: i32, weekday: &str) -> Result<Date> {
    let wanted = weekday.to_lowercase();
    let mut matches = WEEKDAYS.iter().enumerate().filter(|(_, name)| !wanted.is_empty() && name.starts_with(&wanted));
    let (Some((number, _)), None) = (matches.next(), matches.next()) else {
        return Err(PgError::invalid_parameter(format!("unknown day of the week \"{weekday}\"")));
    };
    if arithmetic::is_infinite_date(day) {
        return Ok(Date(day));
    }
    let day = i64::from(day);
    let ahead = (number as i64 - day).rem_euclid(7);
    finite_date(day + if ahead == 0 { 7 } else { ahead }).map(Date)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::call;

    fn check(name: &str, arguments: &[(u32, &str)], expected: &str) {
        let arguments: Vec<_> = arguments.iter().map(|(ty, text)| (*ty, Some(*text))).collect();
        let answer = call(name, &arguments).map_or_else(|error| error.to_string(), Option::unwrap);
        assert_eq!(answer, expected, "{name} {arguments:?}");
    }

    #[test]
    fn parts_are_added() {
        for (part, number, ty, value, expected) in [
            ("month", "18", DATE, "2008-02-28", "2009-08-28 00:00:00"),
            ("mon", "1", TIMESTAMP, "2008-01-31 10:00", "2008-02-29 10:00:00"),
            ("m", "30", TIMESTAMP, "2008-01-31 10:00", "2008-01-31 10:30:00"),
            ("qtr", "-1", TEXT, "2008-05-31", "2008-02-29 00:00:00"),
            ("w", "2", TIMESTAMPTZ, "2008-01-31 10:00+00", "2008-02-14 10:00:00+00"),
            ("hour", "25", TIME, "10:00", "11:00:00"),
            ("parsec", "1", DATE, "2008-01-31", "unit \"parsec\" not recognized"),
        ] {
            check("dateadd", &[(TEXT, part), (INT8, number), (ty, value)], expected);
        }
    }

    #[test]
    fn boundaries_are_counted() {
        for (part, ty, from, to, expected) in [
            ("week", DATE, "2009-01-01", "2009-12-31", "52"),
            ("qtr", DATE, "1998-07-01", "2008-05-31", "39"),
            ("yr", TIMESTAMP, "2008-12-31 23:59:59", "2009-01-01 00:00", "1"),
            ("hour", TIMESTAMP, "2008-12-31 23:59:59", "2009-01-01 00:00", "1"),
            ("day", TEXT, "2009-01-02", "2009-01-01 12:00", "-1"),
            ("minute", TIME, "10:00:59", "10:01", "1"),
        ] {
            check("datediff", &[(TEXT, part), (ty, from), (ty, to)], expected);
        }
    }

    #[test]
    fn months_have_last_days() {
        check("add_months", &[(DATE, "2008-02-29"), (INT8, "1")], "2008-03-31 00:00:00");
        check("add_months", &[(DATE, "2008-01-31"), (INT8, "1")], "2008-02-29 00:00:00");
        check("add_months", &[(DATE, "2008-02-28"), (INT8, "1")], "2008-03-28 00:00:00");
        check("months_between", &[(DATE, "1969-01-18"), (DATE, "1969-03-18")], "-2");
        check("months_between", &[(DATE, "2008-02-29"), (DATE, "2008-01-31")], "1");
        check("months_between", &[(DATE, "2008-02-15"), (DATE, "2008-01-31")], "0.4838709677419355");
        check("last_day", &[(DATE, "2008-02-01")], "2008-02-29");
        check("next_day", &[(DATE, "2014-08-20"), (TEXT, "Tuesday")], "2014-08-26");
        check("next_day", &[(DATE, "2014-08-20"), (TEXT, "We")], "2014-08-27");
        check("next_day", &[(DATE, "2014-08-20"), (TEXT, "t")], "unknown day of the week \"t\"");
    }
}
