//! The fields of dates, times and intervals, as exact numbers.

use crate::datetime::words::Unit;
use crate::datetime::{DAY_US, Interval, SECOND_US, civil_of_day, day_of_civil};

/// The Julian day of 1970-01-01.
const JULIAN_1970: i64 = 2_440_588;
/// Digits after the point of a Julian day with a time.
pub(super) const JULIAN_SCALE: i8 = 20;
/// Seconds of a year in an interval, which has 365.25 days.
const YEAR_S: i64 = 31_557_600;
/// Seconds of a month in an interval, which has 30 days.
const MONTH_S: i64 = 30 * 86_400;

/// What a field is taken from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// A date.
    Date(i64),
    /// A local time, and for a timestamp with time zone its offset in seconds east of UTC.
    Timestamp(i64, Option<i32>),
    /// A time of day, and its offset.
    Time(i64, Option<i32>),
    /// An interval.
    Interval(Interval),
}

/// A number, as an integer over a power of ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub unscaled: i128,
    pub scale: i8,
}

fn whole(number: i64) -> Option<Part> {
    Some(Part { unscaled: i128::from(number), scale: 0 })
}

impl Source {
    /// The field; `None` when such a value does not have it.
    pub fn part(&self, unit: Unit) -> Option<Part> {
        match *self {
            Source::Date(day) => date_part(unit, day).or_else(|| match unit {
                Unit::Epoch => whole(day * 86_400),
                Unit::Julian => whole(day + JULIAN_1970),
                _ => None,
            }),
            Source::Timestamp(local_us, offset_s) => {
                let (day, time_us) = (local_us.div_euclid(DAY_US), local_us.rem_euclid(DAY_US));
                let utc_us = i128::from(local_us) - i128::from(offset_s.unwrap_or(0)) * i128::from(SECOND_US);
                let special = || match unit {
                    Unit::Epoch => Some(Part { unscaled: utc_us, scale: 6 }),
                    Unit::Julian => Some(julian(day, time_us)),
                    _ => zone_part(unit, offset_s?),
                };
                date_part(unit, day).or_else(|| time_part(unit, time_us)).or_else(special)
            }
            Source::Time(time_us, offset_s) => time_part(unit, time_us).or_else(|| match unit {
                Unit::Epoch => {
                    let utc_us = time_us - i64::from(offset_s.unwrap_or(0)) * SECOND_US;
                    Some(Part { unscaled: i128::from(utc_us), scale: 6 })
                }
                _ => zone_part(unit, offset_s?),
            }),
            Source::Interval(interval) => interval_part(unit, interval),
        }
    }

    /// The same as a double, which PostgreSQL computes with doubles: the last digit may differ from the exact number's.
    pub fn double(&self, unit: Unit) -> Option<f64> {
        let seconds = |time_us: i64| {
            let (second, fraction_us) = (time_us / SECOND_US % 60, time_us % SECOND_US);
            (second as f64, fraction_us as f64)
        };
        let time_us = match *self {
            Source::Date(_) => 0,
            Source::Timestamp(local_us, _) => local_us.rem_euclid(DAY_US),
            Source::Time(time_us, _) => time_us,
            Source::Interval(interval) => interval.time_us,
        };
        let (second, fraction_us) = seconds(time_us);
        Some(match (unit, self) {
            (Unit::Second, _) => second + fraction_us / 1e6,
            (Unit::Millisecond, _) => second * 1000.0 + fraction_us / 1000.0,
            (Unit::Epoch, Source::Interval(interval)) => {
                let (years, months) = (f64::from(interval.months / 12), f64::from(interval.months % 12));
                let days = 86_400.0 * f64::from(interval.days);
                interval.time_us as f64 / 1e6 + YEAR_S as f64 * years + MONTH_S as f64 * months + days
            }
            (Unit::Julian, Source::Timestamp(local_us, _)) => {
                let day = (local_us.div_euclid(DAY_US) + JULIAN_1970) as f64;
                let whole_seconds = (time_us / SECOND_US) as f64;
                day + (whole_seconds + fraction_us / 1e6) / 86_400.0
            }
            _ => {
                let part = self.part(unit)?;
                part.unscaled as f64 / 10f64.powi(i32::from(part.scale))
            }
        })
    }
}

/// Fields of a date.
fn date_part(unit: Unit, day: i64) -> Option<Part> {
    let (year, month, date) = civil_of_day(day);
    // Years are counted without a year 0.
    let written = |year: i64| if year > 0 { year } else { year - 1 };
    let periods = |years: i64| match year {
        1.. => (year + years - 1) / years,
        _ => -((years - 1 - (year - 1)) / years),
    };
    whole(match unit {
        Unit::Day => i64::from(date),
        Unit::Month => i64::from(month),
        Unit::Quarter => (i64::from(month) - 1) / 3 + 1,
        Unit::Year => written(year),
        Unit::Decade => year.div_euclid(10),
        Unit::Century => periods(100),
        Unit::Millennium => periods(1000),
        Unit::Week => iso_week(day).1,
        Unit::IsoYear => written(iso_week(day).0),
        Unit::DayOfWeek => (day + 4).rem_euclid(7),
        Unit::IsoDayOfWeek => (day + 3).rem_euclid(7) + 1,
        Unit::DayOfYear => day - day_of_civil(year, 1, 1) + 1,
        _ => return None,
    })
}

/// The year (0 is 1 BC) and the number of the week that a day is in. The first week of a year has its first Thursday.
pub(super) fn iso_week(day: i64) -> (i64, i64) {
    let thursday = day - (day + 3).rem_euclid(7) + 3;
    let (year, ..) = civil_of_day(thursday);
    (year, (thursday - day_of_civil(year, 1, 1)) / 7 + 1)
}

/// Fields of a time, or of the time of an interval.
fn time_part(unit: Unit, time_us: i64) -> Option<Part> {
    let within_minute = time_us % (60 * SECOND_US);
    match unit {
        Unit::Hour => whole(time_us / (3600 * SECOND_US)),
        Unit::Minute => whole(time_us / (60 * SECOND_US) % 60),
        Unit::Second => Some(Part { unscaled: i128::from(within_minute), scale: 6 }),
        Unit::Millisecond => Some(Part { unscaled: i128::from(within_minute), scale: 3 }),
        Unit::Microsecond => whole(within_minute),
        _ => None,
    }
}

/// Fields of an offset from UTC.
fn zone_part(unit: Unit, offset_s: i32) -> Option<Part> {
    whole(i64::from(match unit {
        Unit::Timezone => offset_s,
        Unit::TimezoneHour => offset_s / 3600,
        Unit::TimezoneMinute => offset_s / 60 % 60,
        _ => return None,
    }))
}

fn interval_part(unit: Unit, interval: Interval) -> Option<Part> {
    let (years, months) = (i64::from(interval.months / 12), i64::from(interval.months % 12));
    whole(match unit {
        Unit::Day => i64::from(interval.days),
        Unit::Month => months,
        Unit::Quarter => months / 3 + 1,
        Unit::Year => years,
        Unit::Decade => years / 10,
        Unit::Century => years / 100,
        Unit::Millennium => years / 1000,
        Unit::Epoch => {
            let seconds = years * YEAR_S + months * MONTH_S + i64::from(interval.days) * 86_400;
            let unscaled = i128::from(seconds) * i128::from(SECOND_US) + i128::from(interval.time_us);
            return Some(Part { unscaled, scale: 6 });
        }
        _ => return time_part(unit, interval.time_us),
    })
}

fn julian(day: i64, time_us: i64) -> Part {
    const ONE: i128 = 10i128.pow(JULIAN_SCALE as u32);
    let numerator = i128::from(time_us) * ONE;
    let fraction = (numerator + i128::from(DAY_US / 2)) / i128::from(DAY_US);
    Part { unscaled: i128::from(day + JULIAN_1970) * ONE + fraction, scale: JULIAN_SCALE }
}
