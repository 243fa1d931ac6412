//! `date_trunc`, and Redshift's `trunc` of a timestamp.

use arrow::array::ArrayRef;

use super::extract::refusal;
use super::zones::named_zone;
use crate::datetime::arithmetic::{self, is_infinite, timestamp_of};
use crate::datetime::words::{self, Unit};
use crate::datetime::zone::Zone;
use crate::datetime::{DAY_US, Interval, SECOND_US, civil_of_day, day_of_civil};
use crate::error::{PgError, Result};
use crate::function::{Call, Date, Function, Timestamp, function};
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("date_trunc", &[TEXT, TIMESTAMP], TIMESTAMP, truncate_timestamp),
    function("date_trunc", &[TEXT, TIMESTAMPTZ], TIMESTAMPTZ, truncate_timestamptz).stable(),
    function("date_trunc", &[TEXT, TIMESTAMPTZ, TEXT], TIMESTAMPTZ, truncate_in_zone).stable(),
    function("date_trunc", &[TEXT, INTERVAL], INTERVAL, truncate_interval),
    // Redshift
    function("trunc", &[TIMESTAMP], DATE, |call| call.map1(|at: Timestamp| Date(arithmetic::date_of_timestamp(at.0)))),
];

/// The unit that a text names, as `date_trunc` takes it.
fn unit_of(call: &Call, text: &str) -> Result<Unit> {
    let lower = text.to_lowercase();
    let unit = words::interval_unit(&lower).or_else(|| words::redshift_part(&lower).filter(|unit| is_span(*unit)));
    match unit {
        Some(unit) => Ok(unit),
        None => {
            let name = call.types[1].name();
            Err(PgError::invalid_parameter(format!("unit \"{lower}\" not recognized for type {name}")))
        }
    }
}

/// Whether a unit is a span of time, unlike the number of a weekday.
fn is_span(unit: Unit) -> bool {
    use Unit::*;
    !matches!(
        unit,
        Timezone | TimezoneHour | TimezoneMinute | DayOfWeek | IsoDayOfWeek | DayOfYear | IsoYear | Julian | Epoch
    )
}

/// Reads the unit once for each text that differs from the one before.
fn cached<'c>(call: &'c Call) -> impl FnMut(&str) -> Result<Unit> + 'c {
    let mut last: Option<(String, Unit)> = None;
    move |text| match &last {
        Some((known, unit)) if known == text => Ok(*unit),
        _ => {
            let unit = unit_of(call, text)?;
            last = Some((text.to_owned(), unit));
            Ok(unit)
        }
    }
}

fn truncate_timestamp(call: &Call) -> Result<ArrayRef> {
    let mut unit_of = cached(call);
    call.map2(|text: &str, at: Timestamp| -> Result<Timestamp> {
        if is_infinite(at.0) {
            return Ok(at);
        }
        truncated(at.0, unit_of(text)?)?.map(Timestamp).ok_or_else(|| refusal(text, &call.types[1]))
    })
}

fn truncate_timestamptz(call: &Call) -> Result<ArrayRef> {
    let zone = call.session().time_zone.clone();
    let mut unit_of = cached(call);
    call.map2(|text: &str, at: Timestamp| -> Result<Timestamp> {
        if is_infinite(at.0) {
            return Ok(at);
        }
        truncated_in(at, unit_of(text)?, &zone)?.ok_or_else(|| refusal(text, &call.types[1]))
    })
}

fn truncate_in_zone(call: &Call) -> Result<ArrayRef> {
    let mut unit_of = cached(call);
    let mut last: Option<(String, Zone)> = None;
    call.map3(|text: &str, at: Timestamp, name: &str| -> Result<Timestamp> {
        if is_infinite(at.0) {
            return Ok(at);
        }
        let zone = match last.take() {
            Some((known, zone)) if known == name => zone,
            _ => named_zone(name)?,
        };
        let unit = unit_of(text)?;
        let answer = truncated_in(at, unit, &zone)?.ok_or_else(|| refusal(text, &call.types[1]));
        last = Some((name.to_owned(), zone));
        answer
    })
}

fn truncated_in(at: Timestamp, unit: Unit, zone: &Zone) -> Result<Option<Timestamp>> {
    let local_us = arithmetic::local(at.0, zone)?;
    let Some(start_us) = truncated(local_us, unit)? else { return Ok(None) };
    // Below a day the offset stays, even where the clocks change within the hour.
    let same_day = matches!(unit, Unit::Hour | Unit::Minute | Unit::Second | Unit::Millisecond | Unit::Microsecond);
    let utc_us = match same_day {
        true => arithmetic::finite_timestamp(at.0.checked_sub(local_us - start_us))?,
        false => arithmetic::utc(start_us, zone)?,
    };
    Ok(Some(Timestamp(utc_us)))
}

/// The start of the span of time that a local time is in; `None` when the unit is no span.
pub(super) fn truncated(local_us: i64, unit: Unit) -> Result<Option<i64>> {
    let multiple = |unit_us: i64| Ok(Some(local_us.div_euclid(unit_us) * unit_us));
    let day = local_us.div_euclid(DAY_US);
    let (year, month, _) = civil_of_day(day);
    let years = |years: i64, first: i64| day_of_civil((year - first).div_euclid(years) * years + first, 1, 1);
    let start = match unit {
        Unit::Microsecond => return Ok(Some(local_us)),
        Unit::Millisecond => return multiple(1000),
        Unit::Second => return multiple(SECOND_US),
        Unit::Minute => return multiple(60 * SECOND_US),
        Unit::Hour => return multiple(3600 * SECOND_US),
        Unit::Day => day,
        Unit::Week => day - (day + 3).rem_euclid(7),
        Unit::Month => day_of_civil(year, month, 1),
        Unit::Quarter => day_of_civil(year, (month - 1) / 3 * 3 + 1, 1),
        Unit::Year => years(1, 0),
        Unit::Decade => years(10, 0),
        Unit::Century => years(100, 1),
        Unit::Millennium => years(1000, 1),
        _ => return Ok(None),
    };
    timestamp_of(start, 0).map(Some)
}

fn truncate_interval(call: &Call) -> Result<ArrayRef> {
    let mut unit_of = cached(call);
    call.map2(|text: &str, interval: Interval| -> Result<Interval> {
        let unit = unit_of(text)?;
        let multiple = |unit_us: i64| Interval { time_us: interval.time_us / unit_us * unit_us, ..interval };
        let months = |months: i32| Interval { months: interval.months / months * months, ..Interval::default() };
        Ok(match unit {
            Unit::Microsecond => interval,
            Unit::Millisecond => multiple(1000),
            Unit::Second => multiple(SECOND_US),
            Unit::Minute => multiple(60 * SECOND_US),
            Unit::Hour => multiple(3600 * SECOND_US),
            Unit::Day => Interval { time_us: 0, ..interval },
            Unit::Month => months(1),
            Unit::Quarter => months(3),
            Unit::Year => months(12),
            Unit::Decade => months(120),
            Unit::Century => months(1200),
            Unit::Millennium => months(12_000),
            Unit::Week => {
                let error = refusal(text, &call.types[1]);
                return Err(error.with_detail("Months usually have fractional weeks."));
            }
            _ => return Err(refusal(text, &call.types[1])),
        })
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::call;

    #[test]
    fn timestamps_are_cut_to_the_start_of_a_span() {
        for (unit, ty, value, expected) in [
            ("hour", TIMESTAMP, "2001-02-16 20:38:40", "2001-02-16 20:00:00"),
            ("Year", TIMESTAMP, "2001-02-16 20:38:40", "2001-01-01 00:00:00"),
            ("week", TIMESTAMP, "2021-01-03", "2020-12-28 00:00:00"),
            ("quarter", TIMESTAMP, "2021-12-03", "2021-10-01 00:00:00"),
            ("century", TIMESTAMP, "2000-12-03", "1901-01-01 00:00:00"),
            ("decade", TIMESTAMP, "0004-12-25 BC", "0011-01-01 00:00:00 BC"),
            ("century", TIMESTAMP, "0055-08-10 BC", "0100-01-01 00:00:00 BC"),
            ("millennium", TIMESTAMP, "0001-01-01 BC", "1000-01-01 00:00:00 BC"),
            ("milliseconds", TIMESTAMP, "2001-02-16 20:38:40.123456", "2001-02-16 20:38:40.123"),
            ("day", TIMESTAMP, "infinity", "infinity"),
            ("day", TIMESTAMPTZ, "2001-02-16 20:38:40", "2001-02-16 00:00:00+00"),
            (
                "isoyear",
                TIMESTAMP,
                "2001-02-16",
                "unit \"isoyear\" not recognized for type timestamp without time zone",
            ),
            (
                "timezone",
                TIMESTAMP,
                "2001-02-16",
                "unit \"timezone\" not supported for type timestamp without time zone",
            ),
            ("week", INTERVAL, "1 month", "unit \"week\" not supported for type interval"),
            ("quarter", INTERVAL, "7 months 3 days", "6 mons"),
            ("hour", INTERVAL, "3 days 02:47:33", "3 days 02:00:00"),
        ] {
            let answer = call("date_trunc", &[(TEXT, Some(unit)), (ty, Some(value))]);
            assert_eq!(answer.map_or_else(|error| error.to_string(), Option::unwrap), expected, "{unit} {value}");
        }
        let zoned =
            [(TEXT, Some("day")), (TIMESTAMPTZ, Some("2001-02-16 20:38:40+00")), (TEXT, Some("Australia/Sydney"))];
        assert_eq!(call("date_trunc", &zoned).unwrap().unwrap(), "2001-02-16 13:00:00+00");
    }
}
