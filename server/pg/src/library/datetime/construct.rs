//! Dates, times, timestamps and intervals from numbers: `make_date` and its kin, `to_timestamp`, `date_bin`.

use arrow::array::ArrayRef;

use crate::datetime::arithmetic::{self, finite_date, is_infinite, overflow, timestamp_of};
use crate::datetime::interval_arithmetic::interval_out_of_range;
use crate::datetime::parse::DatetimeError;
use crate::datetime::zone::Zone;
use crate::datetime::{DAY_US, Interval, SECOND_US, TIMESTAMP_INFINITY, TIMESTAMP_MINUS_INFINITY};
use crate::datetime::{civil_of_day, day_of_civil, read_offset};
use crate::error::{PgError, Result};
use crate::function::{Call, Date, Function, Time, Timestamp, function};
use crate::sqlstate::SqlState;
use crate::types::*;

/// The functions. `make_interval` has all its arguments by default, so there is one entry for each number of them.
pub static FUNCTIONS: &[Function] = &[
    function("make_date", &[INT4, INT4, INT4], DATE, |call| call.map3(make_date)),
    function("make_time", &[INT4, INT4, FLOAT8], TIME, |call| {
        call.map3(|hour: i32, minute: i32, second: f64| time_of(hour, minute, second).map(Time))
    }),
    function("make_timestamp", &[INT4, INT4, INT4, INT4, INT4, FLOAT8], TIMESTAMP, make_timestamp),
    function("make_timestamptz", &[INT4, INT4, INT4, INT4, INT4, FLOAT8], TIMESTAMPTZ, make_timestamptz).stable(),
    function("make_timestamptz", &[INT4, INT4, INT4, INT4, INT4, FLOAT8, TEXT], TIMESTAMPTZ, make_timestamptz_at)
        .stable(),
    function("make_interval", &[], INTERVAL, make_interval),
    function("make_interval", &[INT4], INTERVAL, make_interval),
    function("make_interval", &[INT4, INT4], INTERVAL, make_interval),
    function("make_interval", &[INT4, INT4, INT4], INTERVAL, make_interval),
    function("make_interval", &[INT4, INT4, INT4, INT4], INTERVAL, make_interval),
    function("make_interval", &[INT4, INT4, INT4, INT4, INT4], INTERVAL, make_interval),
    function("make_interval", &[INT4, INT4, INT4, INT4, INT4, INT4], INTERVAL, make_interval),
    function("make_interval", &[INT4, INT4, INT4, INT4, INT4, INT4, FLOAT8], INTERVAL, make_interval),
    function("to_timestamp", &[FLOAT8], TIMESTAMPTZ, |call| call.map1(to_timestamp)),
    function("date_bin", &[INTERVAL, TIMESTAMP, TIMESTAMP], TIMESTAMP, |call| call.map3(date_bin)),
    function("date_bin", &[INTERVAL, TIMESTAMPTZ, TIMESTAMPTZ], TIMESTAMPTZ, |call| call.map3(date_bin)),
];

fn make_date(year: i32, month: i32, day: i32) -> Result<Date> {
    // The year before Christ is printed as it is counted with a year 0.
    let shown = if year < 0 { year.wrapping_add(1) } else { year };
    let error = |what: &str| overflow(format!("date {what}: {shown}-{month:02}-{day:02}"));
    let found = day_of(year, month, day).ok_or_else(|| error("field value out of range"))?;
    finite_date(found).map(Date).map_err(|_| error("out of range"))
}

/// The day since 1970; a negative year is before Christ.
fn day_of(year: i32, month: i32, day: i32) -> Option<i64> {
    let astronomical = if year < 0 { i64::from(year) + 1 } else { i64::from(year) };
    let (month, day) = (u32::try_from(month).ok()?, u32::try_from(day).ok()?);
    if year == 0 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let found = day_of_civil(astronomical, month, day);
    (civil_of_day(found) == (astronomical, month, day)).then_some(found)
}

fn time_of(hour: i32, minute: i32, second: f64) -> Result<i64> {
    let error = || overflow(format!("time field value out of range: {hour}:{minute:02}:{}", short(second)));
    // NaN is in no range.
    if !(0..=24).contains(&hour) || !(0..60).contains(&minute) || !(0.0..=60.0).contains(&second) {
        return Err(error());
    }
    let second_us = (second * SECOND_US as f64).round_ties_even() as i64;
    let time_us = (i64::from(hour) * 3600 + i64::from(minute) * 60) * SECOND_US + second_us;
    if time_us > DAY_US { Err(error()) } else { Ok(time_us) }
}

/// A number with six significant digits, as C's `%02g` prints those that seconds usually are.
fn short(number: f64) -> String {
    if !number.is_finite() {
        let infinity = if number < 0.0 { "-Infinity" } else { "Infinity" };
        return if number.is_nan() { "NaN" } else { infinity }.to_owned();
    }
    let exponent = if number == 0.0 { 0 } else { number.abs().log10().floor() as i32 };
    if !(-5..6).contains(&exponent) {
        let scientific = format!("{number:.5e}");
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
        let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
        return format!("{mantissa}e{sign}{digits:0>2}");
    }
    let text = format!("{number:.*}", (5 - exponent).max(0) as usize);
    let trimmed = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{trimmed:0>2}")
}

fn make_timestamp(call: &Call) -> Result<ArrayRef> {
    call.map6(|year: i32, month: i32, day: i32, hour: i32, minute: i32, second: f64| {
        local_timestamp([year, month, day], hour, minute, second).map(Timestamp)
    })
}

fn local_timestamp([year, month, day]: [i32; 3], hour: i32, minute: i32, second: f64) -> Result<i64> {
    let date = || format!("{year}-{month:02}-{day:02}");
    let found = day_of(year, month, day);
    let found = found.ok_or_else(|| overflow(format!("date field value out of range: {}", date())))?;
    finite_date(found).map_err(|_| overflow(format!("date out of range: {}", date())))?;
    let out_of_range = |_| overflow(format!("timestamp out of range: {} {hour}:{minute:02}:{}", date(), short(second)));
    timestamp_of(found, time_of(hour, minute, second)?).map_err(out_of_range)
}

fn make_timestamptz(call: &Call) -> Result<ArrayRef> {
    let zone = call.session().time_zone.clone();
    call.map6(|year: i32, month: i32, day: i32, hour: i32, minute: i32, second: f64| {
        let local_us = local_timestamp([year, month, day], hour, minute, second)?;
        arithmetic::utc(local_us, &zone).map(Timestamp)
    })
}

fn make_timestamptz_at(call: &Call) -> Result<ArrayRef> {
    call.map7(|year: i32, month: i32, day: i32, hour: i32, minute: i32, second: f64, zone: &str| {
        let local_us = local_timestamp([year, month, day], hour, minute, second)?;
        arithmetic::utc(local_us, &written_zone(zone)?).map(Timestamp)
    })
}

/// A zone that may be an offset, in which hours east of UTC are positive, unlike in other places.
fn written_zone(text: &str) -> Result<Zone> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        let message = format!("invalid input syntax for type numeric time zone: \"{text}\"");
        return Err(PgError::invalid_parameter(message)
            .with_hint("Numeric time zones must have \"-\" or \"+\" as first character."));
    }
    match read_offset(text) {
        Ok(offset_s) => return Ok(Zone::Fixed(i32::try_from(offset_s).unwrap_or_default())),
        Err(DatetimeError::ZoneOutOfRange) => {
            return Err(PgError::invalid_parameter(format!("numeric time zone \"{text}\" out of range")));
        }
        Err(_) => {}
    }
    Zone::find(text).ok_or_else(|| PgError::invalid_parameter(format!("time zone \"{text}\" not recognized")))
}

fn make_interval(call: &Call) -> Result<ArrayRef> {
    let mut numbers = Vec::with_capacity(call.width());
    for argument in 0..call.width().min(6) {
        numbers.push(call.column::<i32>(argument)?);
    }
    let seconds = if call.width() > 6 { Some(call.column::<f64>(6)?) } else { None };
    let mut row = 0;
    call.map0(|| -> Result<Option<Interval>> {
        let mut fields = [0i64; 6];
        for (field, column) in fields.iter_mut().zip(&numbers) {
            let Some(number) = column.get(row) else {
                row += 1;
                return Ok(None);
            };
            *field = i64::from(number);
        }
        let second = seconds.as_ref().map_or(Some(0.0), |column| column.get(row));
        row += 1;
        second.map(|second| interval_of(fields, second)).transpose()
    })
}

fn interval_of([years, months, weeks, days, hours, minutes]: [i64; 6], seconds: f64) -> Result<Interval> {
    let narrow = |number: i64| i32::try_from(number).map_err(|_| interval_out_of_range());
    let seconds_us = (seconds * SECOND_US as f64).round_ties_even();
    // NaN and what 64 bits do not hold are in no range.
    if !(i64::MIN as f64..-(i64::MIN as f64)).contains(&seconds_us) {
        return Err(interval_out_of_range());
    }
    let clock_us = (hours * 3600 + minutes * 60).checked_mul(SECOND_US);
    let time_us = clock_us.and_then(|us| us.checked_add(seconds_us as i64)).ok_or_else(interval_out_of_range)?;
    Ok(Interval { months: narrow(years * 12 + months)?, days: narrow(weeks * 7 + days)?, time_us })
}

fn to_timestamp(seconds: f64) -> Result<Timestamp> {
    if seconds.is_nan() {
        return Err(overflow("timestamp cannot be NaN"));
    }
    if seconds.is_infinite() {
        return Ok(Timestamp(if seconds > 0.0 { TIMESTAMP_INFINITY } else { TIMESTAMP_MINUS_INFINITY }));
    }
    let out_of_range = || overflow(format!("timestamp out of range: \"{}\"", short(seconds).trim_start_matches('0')));
    // PostgreSQL counts from 2000, which decides how a fraction that a double cannot hold is rounded.
    const EPOCH_2000_S: f64 = 946_684_800.0;
    let since_2000 = ((seconds - EPOCH_2000_S) * SECOND_US as f64).round_ties_even();
    if !(i64::MIN as f64..-(i64::MIN as f64)).contains(&since_2000) {
        return Err(out_of_range());
    }
    let since_1970 = (since_2000 as i64).checked_add(EPOCH_2000_S as i64 * SECOND_US);
    arithmetic::finite_timestamp(since_1970).map(Timestamp).map_err(|_| out_of_range())
}

fn date_bin(stride: Interval, source: Timestamp, origin: Timestamp) -> Result<Timestamp> {
    if is_infinite(source.0) {
        return Ok(source);
    }
    if is_infinite(origin.0) {
        return Err(overflow("origin out of range"));
    }
    if stride.months != 0 {
        let message = "timestamps cannot be binned into intervals containing months or years";
        return Err(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
    }
    let days_us = i64::from(stride.days).checked_mul(DAY_US);
    let stride_us = days_us.and_then(|us| us.checked_add(stride.time_us)).ok_or_else(interval_out_of_range)?;
    if stride_us <= 0 {
        return Err(overflow("stride must be greater than zero"));
    }
    let distance = source.0.checked_sub(origin.0).ok_or_else(interval_out_of_range)?;
    arithmetic::finite_timestamp(source.0.checked_sub(distance.rem_euclid(stride_us))).map(Timestamp)
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
    fn values_are_made_of_numbers() {
        let date = |year, month, day| [(INT4, year), (INT4, month), (INT4, day)];
        check("make_date", &date("2024", "2", "29"), "2024-02-29");
        check("make_date", &date("-44", "3", "15"), "0044-03-15 BC");
        check("make_date", &date("0", "1", "1"), "date field value out of range: 0-01-01");
        check("make_date", &date("2023", "2", "29"), "date field value out of range: 2023-02-29");
        let time = |hour, minute, second| [(INT4, hour), (INT4, minute), (FLOAT8, second)];
        check("make_time", &time("8", "15", "23.5"), "08:15:23.5");
        check("make_time", &time("24", "0", "0"), "24:00:00");
        check("make_time", &time("25", "1", "1.5"), "time field value out of range: 25:01:1.5");
        check("make_interval", &[], "00:00:00");
        check("make_interval", &[(INT4, "1"), (INT4, "2"), (INT4, "3")], "1 year 2 mons 21 days");
        let zoned = |zone| {
            let [year, month, day] = date("2020", "1", "1");
            let [hour, minute, second] = time("2", "1", "1.5");
            [year, month, day, hour, minute, second, (TEXT, zone)]
        };
        check("make_timestamptz", &zoned("+3"), "2019-12-31 23:01:01.5+00");
        check("make_timestamptz", &zoned("EST"), "2020-01-01 07:01:01.5+00");
        check("make_timestamptz", &zoned("3"), "invalid input syntax for type numeric time zone: \"3\"");
        check("make_timestamptz", &zoned("+33"), "numeric time zone \"+33\" out of range");
        check("make_timestamptz", &zoned("foo"), "time zone \"foo\" not recognized");
    }

    #[test]
    fn timestamps_are_counted_and_binned() {
        check("to_timestamp", &[(FLOAT8, "1284352323.5")], "2010-09-13 04:32:03.5+00");
        check("to_timestamp", &[(FLOAT8, "nan")], "timestamp cannot be NaN");
        check("to_timestamp", &[(FLOAT8, "1e20")], "timestamp out of range: \"1e+20\"");
        check("to_timestamp", &[(FLOAT8, "-infinity")], "-infinity");
        let bin = |stride, source, origin| [(INTERVAL, stride), (TIMESTAMP, source), (TIMESTAMP, origin)];
        check("date_bin", &bin("15 minutes", "2020-02-11 15:44:17", "2001-01-01"), "2020-02-11 15:30:00");
        check("date_bin", &bin("1 day", "2000-02-11 15:44:17", "2001-01-01 02:00"), "2000-02-11 02:00:00");
        check("date_bin", &bin("-1 day", "2000-02-11", "2001-01-01"), "stride must be greater than zero");
    }
}
