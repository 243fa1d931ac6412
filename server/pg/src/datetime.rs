//! Dates, times and intervals: how the engine counts them, reads them, computes with them, and how PostgreSQL prints them
//! with `DateStyle` ISO.
//!
//! The engine counts from 1970, the protocol's binary format from 2000. In both, the two extreme values of the integer
//! are the infinities, so nothing may add to or subtract from a value before it has looked for them.

pub mod age;
pub mod arithmetic;
pub mod date_format;
pub mod date_style;
mod decode;
pub mod interval_arithmetic;
pub mod interval_style;
mod interval_sum;
pub mod modifier;
mod numbers;
pub mod parse;
pub mod parse_interval;
mod parse_iso_interval;
mod posix_zone;
mod tokens;
pub mod words;
pub mod zone;
mod zone_abbreviations;

pub(crate) use numbers::offset as read_offset;

pub use parse_interval::Interval;

use bytes::{BufMut, BytesMut};

use crate::output::write_integer;

/// The date `infinity`.
pub const DATE_INFINITY: i32 = i32::MAX;
/// The date `-infinity`.
pub const DATE_MINUS_INFINITY: i32 = i32::MIN;
/// The timestamp `infinity`.
pub const TIMESTAMP_INFINITY: i64 = i64::MAX;
/// The timestamp `-infinity`.
pub const TIMESTAMP_MINUS_INFINITY: i64 = i64::MIN;

/// The first day that PostgreSQL has, 4714-11-24 BC, in days since 1970.
pub const DAY_MIN: i64 = -2_440_588;
/// The last day that PostgreSQL has, 5874897-12-31, in days since 1970.
pub const DAY_MAX: i64 = 2_145_042_905;
/// The first timestamp that PostgreSQL has, in microseconds since 1970. Its last one, at the end of 294276, is beyond 64
/// bits when counted from 1970; the engine ends in January 294247.
pub const TIMESTAMP_MIN_US: i64 = DAY_MIN * DAY_US;
/// 2000-01-01, from which the binary format counts, in days since 1970.
pub const EPOCH_2000_DAYS: i32 = 10_957;
/// 2000-01-01, from which the binary format counts, in microseconds since 1970.
pub const EPOCH_2000_US: i64 = EPOCH_2000_DAYS as i64 * DAY_US;
/// Microseconds of a second.
pub const SECOND_US: i64 = 1_000_000;
/// Microseconds of a day.
pub const DAY_US: i64 = 86_400 * SECOND_US;

/// Whether a timestamp is printed with the zone it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneSuffix {
    /// `timestamp without time zone`
    None,
    /// `timestamp with time zone`, in UTC
    Utc,
    /// `timestamp with time zone`, which is local already, with the seconds it is east of UTC
    Offset(i32),
}

/// Year (0 is 1 BC), month and day of a day since 1970, in the proleptic Gregorian calendar.
pub fn civil_of_day(day: i64) -> (i64, u32, u32) {
    // Days are counted from 0000-03-01, so that the leap day is the last day of a year and of a 400-year era.
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month as u32, day as u32)
}

/// The day since 1970 of a year (0 is 1 BC), month and day.
pub fn day_of_civil(year: i64, month: u32, day: u32) -> i64 {
    let (month, day) = (i64::from(month), i64::from(day));
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Appends a date.
pub fn write_date(day: i32, out: &mut BytesMut) {
    match day {
        DATE_INFINITY => out.put_slice(b"infinity"),
        DATE_MINUS_INFINITY => out.put_slice(b"-infinity"),
        _ => {
            let (year, month, day) = civil_of_day(i64::from(day));
            write_civil(year, month, day, out);
            write_era(year, out);
        }
    }
}

/// Appends a time of day, given in microseconds; `24:00:00` is a time of day too.
pub fn write_time(time_us: i64, out: &mut BytesMut) {
    let seconds = time_us / SECOND_US;
    write_padded(seconds / 3600, 2, out);
    out.put_u8(b':');
    write_padded(seconds / 60 % 60, 2, out);
    out.put_u8(b':');
    write_padded(seconds % 60, 2, out);
    write_fraction(time_us % SECOND_US, out);
}

/// Appends a timestamp, given in microseconds since 1970.
pub fn write_timestamp(timestamp_us: i64, suffix: ZoneSuffix, out: &mut BytesMut) {
    match timestamp_us {
        TIMESTAMP_INFINITY => return out.put_slice(b"infinity"),
        TIMESTAMP_MINUS_INFINITY => return out.put_slice(b"-infinity"),
        _ => {}
    }
    let (year, month, day) = civil_of_day(timestamp_us.div_euclid(DAY_US));
    write_civil(year, month, day, out);
    out.put_u8(b' ');
    write_time(timestamp_us.rem_euclid(DAY_US), out);
    match suffix {
        ZoneSuffix::None => {}
        ZoneSuffix::Utc => write_offset(0, out),
        ZoneSuffix::Offset(offset_s) => write_offset(offset_s, out),
    }
    write_era(year, out);
}

/// Appends a timestamp with time zone as a session in this zone sees it.
pub fn write_timestamp_in(timestamp_us: i64, zone: &zone::Zone, out: &mut BytesMut) {
    let offset_s = match timestamp_us {
        TIMESTAMP_INFINITY | TIMESTAMP_MINUS_INFINITY => 0,
        _ => zone.offset_at(timestamp_us),
    };
    match timestamp_us.checked_add(i64::from(offset_s) * SECOND_US) {
        Some(local_us) => write_timestamp(local_us, ZoneSuffix::Offset(offset_s), out),
        // Within a day of the last moment there is no local time in 64 bits.
        None => write_timestamp(timestamp_us, ZoneSuffix::Utc, out),
    }
}

/// Appends a time of day with its zone.
pub fn write_time_with_zone(time_us: i64, offset_s: i32, out: &mut BytesMut) {
    write_time(time_us, out);
    write_offset(offset_s, out);
}

/// Appends an offset from UTC: `+02`, `-03:30`, `+00:53:28`.
pub fn write_offset(offset_s: i32, out: &mut BytesMut) {
    let seconds = i64::from(offset_s.unsigned_abs());
    out.put_u8(if offset_s < 0 { b'-' } else { b'+' });
    write_padded(seconds / 3600, 2, out);
    if seconds % 3600 != 0 {
        out.put_u8(b':');
        write_padded(seconds / 60 % 60, 2, out);
    }
    if seconds % 60 != 0 {
        out.put_u8(b':');
        write_padded(seconds % 60, 2, out);
    }
}

/// Appends an interval. Every unit has its own sign; a positive one after a negative one is marked.
pub fn write_interval(months: i32, days: i32, time_us: i64, out: &mut BytesMut) {
    let start = out.len();
    let mut after_negative = false;
    let units = [(months / 12, "year"), (months % 12, "mon"), (days, "day")];
    for (value, unit) in units.into_iter().filter(|(value, _)| *value != 0) {
        if out.len() > start {
            out.put_u8(b' ');
        }
        if after_negative && value > 0 {
            out.put_u8(b'+');
        }
        write_integer(i64::from(value), out);
        out.put_u8(b' ');
        out.put_slice(unit.as_bytes());
        if value != 1 {
            out.put_u8(b's');
        }
        after_negative = value < 0;
    }
    if out.len() > start && time_us == 0 {
        return;
    }
    if out.len() > start {
        out.put_u8(b' ');
    }
    if time_us < 0 {
        out.put_u8(b'-');
    } else if after_negative {
        out.put_u8(b'+');
    }
    write_interval_time(time_us.unsigned_abs(), out);
}

/// The time of an interval has no limit on its hours.
fn write_interval_time(time_us: u64, out: &mut BytesMut) {
    // The absolute value of the smallest integer is too large for `write_time`, but not once the hours are off.
    let hours = time_us / (3600 * SECOND_US as u64);
    let rest = (time_us % (3600 * SECOND_US as u64)) as i64;
    write_padded(hours as i64, 2, out);
    out.put_u8(b':');
    write_padded(rest / SECOND_US / 60, 2, out);
    out.put_u8(b':');
    write_padded(rest / SECOND_US % 60, 2, out);
    write_fraction(rest % SECOND_US, out);
}

fn write_civil(year: i64, month: u32, day: u32, out: &mut BytesMut) {
    write_padded(if year > 0 { year } else { 1 - year }, 4, out);
    out.put_u8(b'-');
    write_padded(i64::from(month), 2, out);
    out.put_u8(b'-');
    write_padded(i64::from(day), 2, out);
}

fn write_era(year: i64, out: &mut BytesMut) {
    if year <= 0 {
        out.put_slice(b" BC");
    }
}

fn write_fraction(microseconds: i64, out: &mut BytesMut) {
    if microseconds == 0 {
        return;
    }
    out.put_u8(b'.');
    let (mut digits, mut width) = (microseconds, 6);
    while digits % 10 == 0 {
        digits /= 10;
        width -= 1;
    }
    write_padded(digits, width, out);
}

/// Appends a number that is not negative with at least `width` digits.
fn write_padded(value: i64, width: usize, out: &mut BytesMut) {
    let digits = value.checked_ilog10().map_or(1, |log| log as usize + 1);
    out.put_bytes(b'0', width.saturating_sub(digits));
    write_integer(value, out);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check(write: impl Fn(&mut BytesMut), expected: &str) {
        let mut out = BytesMut::new();
        write(&mut out);
        assert_eq!(std::str::from_utf8(&out).unwrap(), expected);
    }

    #[test]
    fn days_and_calendar_dates_agree() {
        for day in (-3_000_000..3_000_000).step_by(97).chain([DAY_MIN, DAY_MAX, i64::from(i32::MIN), 0]) {
            let (year, month, date) = civil_of_day(day);
            assert_eq!(day_of_civil(year, month, date), day);
        }
        assert_eq!((civil_of_day(DAY_MIN), civil_of_day(DAY_MAX)), ((-4713, 11, 24), (5_874_897, 12, 31)));
    }

    #[test]
    fn dates_are_printed_as_postgresql_does() {
        for (day, expected) in [
            (0, "1970-01-01"),
            (19_782, "2024-02-29"),
            (-1, "1969-12-31"),
            (-735_160, "0044-03-15 BC"),
            (3_789_391, "12345-01-01"),
            (DATE_INFINITY, "infinity"),
            (DATE_MINUS_INFINITY, "-infinity"),
        ] {
            check(|out| write_date(day, out), expected);
        }
    }

    #[test]
    fn times_and_timestamps_have_no_trailing_zeros() {
        check(|out| write_time(0, out), "00:00:00");
        check(|out| write_time(DAY_US, out), "24:00:00");
        check(|out| write_time(36_671_000_000 + 120, out), "10:11:11.00012");
        check(|out| write_timestamp(-1, ZoneSuffix::None, out), "1969-12-31 23:59:59.999999");
        check(|out| write_timestamp(1_500_000, ZoneSuffix::Utc, out), "1970-01-01 00:00:01.5+00");
        check(|out| write_timestamp(TIMESTAMP_INFINITY, ZoneSuffix::Utc, out), "infinity");
        check(|out| write_timestamp(-735_160 * DAY_US, ZoneSuffix::Utc, out), "0044-03-15 00:00:00+00 BC");
        check(|out| write_timestamp(i64::MAX - 1, ZoneSuffix::None, out), "294247-01-10 04:00:54.775806");
    }

    #[test]
    fn intervals_are_printed_in_style_postgres() {
        const HOUR: i64 = 3600 * SECOND_US;
        for ((months, days, time_us), expected) in [
            ((0, 0, 0), "00:00:00"),
            ((14, 3, 4 * HOUR + 5 * 60 * SECOND_US + 6_789_000), "1 year 2 mons 3 days 04:05:06.789"),
            ((1, 0, 0), "1 mon"),
            ((-1, 1, 0), "-1 mons +1 day"),
            ((-1, 1, -HOUR), "-1 mons +1 day -01:00:00"),
            ((-14, 0, HOUR), "-1 years -2 mons +01:00:00"),
            ((0, -1, HOUR), "-1 days +01:00:00"),
            ((0, 0, -HOUR / 2), "-00:30:00"),
            ((0, 0, 100 * HOUR), "100:00:00"),
            ((0, 0, i64::MIN), "-2562047788:00:54.775808"),
        ] {
            check(|out| write_interval(months, days, time_us, out), expected);
        }
    }
}
