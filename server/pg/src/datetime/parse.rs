//! Dates, times and timestamps from text, in the order that `DateStyle` says: PostgreSQL's `date_in`, `time_in`, `timetz_in`,
//! `timestamp_in` and `timestamptz_in`.
//!
//! [`tokens`](super::tokens) splits a text, [`decode`](super::decode) understands its fields, and here they become a value.
//! Functions that are given no [`Moment`] read for a session in UTC and refuse words that depend on the clock.

use super::decode::{self, Decoded, Special};
use super::numbers::month_length;
use super::zone::Zone;
use super::{
    DATE_INFINITY, DATE_MINUS_INFINITY, DAY_MAX, DAY_MIN, DAY_US, SECOND_US, TIMESTAMP_INFINITY, TIMESTAMP_MIN_US,
    TIMESTAMP_MINUS_INFINITY, day_of_civil,
};
use crate::function::TimeTz;
use crate::session::SessionValues;
use crate::styles::DateOrder;

/// Why a text is not a date or time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatetimeError {
    /// It does not have the form of one.
    Syntax,
    /// A field has a value that it cannot have.
    FieldOutOfRange,
    /// A month or day has a value that it cannot have, perhaps because they are in another order.
    MonthOrDayOutOfRange,
    /// An offset from UTC is too large.
    ZoneOutOfRange,
    /// The value is beyond the first or last one of the type.
    OutOfRange,
    /// It names a zone that there is not.
    UnknownZone(String),
    /// It is a word whose value depends on the clock, where there is none.
    WordNotSupported(String),
}

/// The result of reading a date, time or interval.
pub type Result<T> = std::result::Result<T, DatetimeError>;

/// What the value of a text depends on besides.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The zone of values that are written without one.
    pub zone: Zone,
    /// What `now` is, in microseconds since 1970 UTC.
    pub now_us: Option<i64>,
    /// Which number of a date is the month.
    pub order: DateOrder,
}

impl Moment {
    /// UTC, without a clock.
    pub const NONE: Moment = Moment { zone: Zone::UTC, now_us: None, order: DateOrder::Mdy };
}

impl From<&SessionValues> for Moment {
    fn from(session: &SessionValues) -> Self {
        Moment {
            zone: session.time_zone.clone(),
            now_us: Some(session.transaction_start_us),
            order: session.styles.dates.order,
        }
    }
}

/// Reads a date, in days since 1970. A time of day is allowed and ignored.
pub fn date(text: &str) -> Result<i32> {
    date_at(text, &Moment::NONE)
}

/// Reads a time of day, in microseconds. A date before it is allowed and ignored.
pub fn time(text: &str) -> Result<i64> {
    time_at(text, &Moment::NONE)
}

/// Reads a timestamp without time zone, in microseconds since 1970. A zone is allowed and ignored.
pub fn timestamp(text: &str) -> Result<i64> {
    timestamp_at(text, &Moment::NONE)
}

/// Reads a timestamp with time zone, in microseconds since 1970 UTC. Without a zone it is in UTC.
pub fn timestamp_with_zone(text: &str) -> Result<i64> {
    timestamp_with_zone_at(text, &Moment::NONE)
}

/// As [`date`], in a session.
pub fn date_at(text: &str, moment: &Moment) -> Result<i32> {
    let day = match plain(text.as_bytes()) {
        Some((day, _)) => day,
        None => {
            let decoded = decode::datetime(text, moment)?;
            match decoded.special {
                Some(Special::Infinity) => return Ok(DATE_INFINITY),
                Some(Special::MinusInfinity) => return Ok(DATE_MINUS_INFINITY),
                Some(Special::Epoch) => return Ok(0),
                None => decoded.day(),
            }
        }
    };
    let in_range = (DAY_MIN..=DAY_MAX).contains(&day);
    i32::try_from(day).ok().filter(|_| in_range).ok_or(DatetimeError::OutOfRange)
}

/// As [`time`], in a session.
pub fn time_at(text: &str, moment: &Moment) -> Result<i64> {
    Ok(decode::time_only(text, moment)?.time_us)
}

/// Reads a time of day with a zone: the written one, else the session's on the written day or today.
pub fn time_with_zone_at(text: &str, moment: &Moment) -> Result<TimeTz> {
    let decoded = decode::time_only(text, moment)?;
    let session_zone = || -> Result<i64> {
        let zone = &moment.zone;
        let day = match (decoded.has_date, moment.now_us) {
            (true, _) => decoded.day(),
            (false, Some(now_us)) => zone.local(now_us).unwrap_or(now_us).div_euclid(DAY_US),
            (false, None) => 0,
        };
        Ok(i64::from(zone.offset_at_local(local_us(day, decoded.time_us)?)))
    };
    let offset = match decoded.zone_offset_s {
        Some(offset) => offset,
        None => session_zone()?,
    };
    let offset_s = i32::try_from(offset).map_err(|_| DatetimeError::ZoneOutOfRange)?;
    Ok(TimeTz { time_us: decoded.time_us, offset_s })
}

/// As [`timestamp`], in a session.
pub fn timestamp_at(text: &str, moment: &Moment) -> Result<i64> {
    match plain(text.as_bytes()) {
        Some((day, time_us)) => checked(local_us(day, time_us)?),
        None => {
            let decoded = decode::datetime(text, moment)?;
            special(&decoded).map_or_else(|| checked(local_us(decoded.day(), decoded.time_us)?), Ok)
        }
    }
}

/// As [`timestamp_with_zone`], in a session.
pub fn timestamp_with_zone_at(text: &str, moment: &Moment) -> Result<i64> {
    let (local, offset) = match plain(text.as_bytes()) {
        Some((day, time_us)) => (local_us(day, time_us)?, None),
        None => {
            let decoded = decode::datetime(text, moment)?;
            if let Some(special) = special(&decoded) {
                return Ok(special);
            }
            (local_us(decoded.day(), decoded.time_us)?, decoded.zone_offset_s)
        }
    };
    let offset = offset.unwrap_or_else(|| i64::from(moment.zone.offset_at_local(local)));
    checked(local.checked_sub(offset * SECOND_US).ok_or(DatetimeError::OutOfRange)?)
}

fn special(decoded: &Decoded) -> Option<i64> {
    decoded.special.map(|special| match special {
        Special::Infinity => TIMESTAMP_INFINITY,
        Special::MinusInfinity => TIMESTAMP_MINUS_INFINITY,
        Special::Epoch => 0,
    })
}

pub(super) fn local_us(day: i64, time_us: i64) -> Result<i64> {
    day.checked_mul(DAY_US).and_then(|us| us.checked_add(time_us)).ok_or(DatetimeError::OutOfRange)
}

/// The two extreme values are the infinities and no timestamps.
fn checked(timestamp_us: i64) -> Result<i64> {
    let in_range = (TIMESTAMP_MIN_US..TIMESTAMP_INFINITY).contains(&timestamp_us);
    if in_range { Ok(timestamp_us) } else { Err(DatetimeError::OutOfRange) }
}

/// The forms that are read by the million: `2024-01-05` and `2024-01-05 10:11:12.123`, with fields in range. Whatever else a
/// text is, it is for the general way to say.
fn plain(text: &[u8]) -> Option<(i64, i64)> {
    let number = |range: std::ops::Range<usize>| {
        let digits = text.get(range)?;
        let valid = digits.iter().all(u8::is_ascii_digit);
        valid.then(|| digits.iter().fold(0, |number: i64, digit| number * 10 + i64::from(digit - b'0')))
    };
    if text.len() < 10 || text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    if year < 1 || !(1..=12).contains(&month) || day < 1 || day > month_length(year, month) {
        return None;
    }
    let day = day_of_civil(year, month as u32, day as u32);
    if text.len() == 10 {
        return Some((day, 0));
    }
    if text.len() < 19 || !matches!(text[10], b' ' | b'T') || text[13] != b':' || text[16] != b':' {
        return None;
    }
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = match text.len() {
        19 => 0,
        21..=26 if text[19] == b'.' => number(20..text.len())? * 10i64.pow(26 - text.len() as u32),
        _ => return None,
    };
    Some((day, (hour * 3600 + minute * 60 + second) * SECOND_US + fraction))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bytes::BytesMut;

    use super::super::{ZoneSuffix, write_date, write_time, write_timestamp};
    use super::*;

    fn printed<T>(parsed: Result<T>, write: impl Fn(T, &mut BytesMut)) -> std::result::Result<String, DatetimeError> {
        let mut out = BytesMut::new();
        write(parsed?, &mut out);
        Ok(String::from_utf8(out.to_vec()).unwrap())
    }

    fn check_date(text: &str, expected: std::result::Result<&str, DatetimeError>) {
        assert_eq!(printed(date(text), write_date), expected.map(str::to_owned), "{text}");
    }

    fn check_time(text: &str, expected: std::result::Result<&str, DatetimeError>) {
        assert_eq!(printed(time(text), write_time), expected.map(str::to_owned), "{text}");
    }

    /// `expected` is the timestamp with time zone; without one, the offset does not count.
    fn check_timestamp(text: &str, expected: std::result::Result<&str, DatetimeError>) {
        let with_zone = printed(timestamp_with_zone(text), |it, out| write_timestamp(it, ZoneSuffix::None, out));
        assert_eq!(with_zone, expected.map(str::to_owned), "{text}");
    }

    #[test]
    fn dates_are_read_as_postgresql_reads_them() {
        for (text, expected) in [
            ("2024-1-5", "2024-01-05"),
            (" 20240105 ", "2024-01-05"),
            ("240105", "2024-01-05"),
            ("1/8/1999", "1999-01-08"),
            ("1/18/99", "1999-01-18"),
            ("1.8.1999", "1999-01-08"),
            ("1999.1.8", "1999-01-08"),
            ("01-05-24", "2024-01-05"),
            ("5-Jan-2024", "2024-01-05"),
            ("2024-Jan-05", "2024-01-05"),
            ("January 5, 2024", "2024-01-05"),
            ("Fri 5 Jan 2024", "2024-01-05"),
            ("Sept 5 2024", "2024-09-05"),
            ("2024-01-05 10:11:12", "2024-01-05"),
            ("2024-01-05+02", "2024-01-05"),
            ("0044-03-15 BC", "0044-03-15 BC"),
            ("12345-01-01", "12345-01-01"),
            ("5874897-12-31", "5874897-12-31"),
            ("4714-11-24 BC", "4714-11-24 BC"),
            ("Infinity", "infinity"),
            ("-infinity", "-infinity"),
            ("epoch", "1970-01-01"),
        ] {
            check_date(text, Ok(expected));
        }
    }

    #[test]
    fn what_is_not_a_date_is_refused() {
        for text in ["2024-02-30", "2023-02-29", "0000-01-01"] {
            check_date(text, Err(DatetimeError::FieldOutOfRange));
        }
        for text in ["2024-13-01", "2024-00-10", "2024-01-00", "24-1-5"] {
            check_date(text, Err(DatetimeError::MonthOrDayOutOfRange));
        }
        for text in ["", " ", "abc", "2024", "2024-01", "2024-01/05", "inf", "2024-01-05 2024-01-05"] {
            check_date(text, Err(DatetimeError::Syntax));
        }
        check_date("-2024-01-05", Err(DatetimeError::ZoneOutOfRange));
        check_date("5874898-01-01", Err(DatetimeError::OutOfRange));
        check_date("4714-11-23 BC", Err(DatetimeError::OutOfRange));
        check_date("tomorrow", Err(DatetimeError::WordNotSupported("tomorrow".to_owned())));
        check_date("99999999999-01-01", Err(DatetimeError::FieldOutOfRange));
    }

    #[test]
    fn times_are_read_as_postgresql_reads_them() {
        for (text, expected) in [
            ("10:11", "10:11:00"),
            ("1:2:3", "01:02:03"),
            ("10:11.5", "00:10:11.5"),
            ("10:11:12.1234567", "10:11:12.123457"),
            ("10:11:12.5 PM", "22:11:12.5"),
            ("12:30am", "00:30:00"),
            ("12:30 PM", "12:30:00"),
            ("24:00:00", "24:00:00"),
            ("23:59:60", "24:00:00"),
            ("23:59:59.9999999", "24:00:00"),
            ("T10:11:12", "10:11:12"),
            ("2024-01-05 10:11:12+02", "10:11:12"),
        ] {
            check_time(text, Ok(expected));
        }
        for text in ["25:00", "24:00:00.000001", "10:60", "10:11:61", "13:00 PM"] {
            check_time(text, Err(DatetimeError::FieldOutOfRange));
        }
        for text in ["10", "10:11:12:13", "infinity", "10:11:12 10:11:12", "2024-01-05", "AM"] {
            check_time(text, Err(DatetimeError::Syntax));
        }
    }

    #[test]
    fn timestamps_are_read_as_postgresql_reads_them() {
        for (text, expected) in [
            ("2024-01-05", "2024-01-05 00:00:00"),
            ("2024-01-05T10:11:12.123456Z", "2024-01-05 10:11:12.123456"),
            ("20240105T101112", "2024-01-05 10:11:12"),
            ("2024-01-05 10:11:12+02", "2024-01-05 08:11:12"),
            ("2024-01-05 10:11:12 -08:30", "2024-01-05 18:41:12"),
            ("2024-01-05 10:11:12+0230", "2024-01-05 07:41:12"),
            ("2024-01-05 10:11:12-05:30:15", "2024-01-05 15:41:27"),
            ("2024-01-05 10:11:12 UTC", "2024-01-05 10:11:12"),
            ("2024-12-31 23:59:59.9999999", "2025-01-01 00:00:00"),
            ("2024-12-31 24:00", "2025-01-01 00:00:00"),
            ("0044-03-15 00:00:00+00 BC", "0044-03-15 00:00:00 BC"),
            ("294247-01-10 04:00:54.775806", "294247-01-10 04:00:54.775806"),
            ("infinity", "infinity"),
            ("-infinity", "-infinity"),
        ] {
            check_timestamp(text, Ok(expected));
        }
        assert_eq!(timestamp("1970-01-01 00:00:01+02"), Ok(SECOND_US));
    }

    #[test]
    fn what_is_not_a_timestamp_is_refused() {
        check_timestamp("294277-01-01", Err(DatetimeError::OutOfRange));
        check_timestamp("4714-11-23 BC", Err(DatetimeError::OutOfRange));
        check_timestamp("2024-01-05 10:11:12+16", Err(DatetimeError::ZoneOutOfRange));
        check_timestamp("2024-01-05 10:11:12 foo", Err(DatetimeError::Syntax));
        check_timestamp("10:11:12", Err(DatetimeError::Syntax));
        check_timestamp("2024-01-05 10:11:12+", Err(DatetimeError::Syntax));
        check_timestamp(
            "2024-01-05 10:11:12 Europe/Nowhere",
            Err(DatetimeError::UnknownZone("europe/nowhere".to_owned())),
        );
    }

    #[test]
    fn every_form_of_postgresql_is_read() {
        for (text, expected) in [
            ("2024-01-05 10:11:12 Europe/Berlin", "2024-01-05 09:11:12"),
            ("2024-07-05 10:11:12 america/new_york", "2024-07-05 14:11:12"),
            ("2024-01-05 10:11:12 EST", "2024-01-05 15:11:12"),
            ("2020-06-15 10:00 CEST", "2020-06-15 08:00:00"),
            ("2020-01-01 00:00 MET DST", "2019-12-31 22:00:00"),
            ("2020-01-01 00:00 UTC+3", "2020-01-01 03:00:00"),
            ("20240101T101112-08", "2024-01-01 18:11:12"),
            ("20240101 101112+0530", "2024-01-01 04:41:12"),
            ("2024-01-01 101112.5", "2024-01-01 10:11:12.5"),
            ("Jan 5 2020 3:04 PM", "2020-01-05 15:04:00"),
            ("Mon Jan 05 15:04:05 2020 PST", "2020-01-05 23:04:05"),
            ("Fri, 05 Jan 2024 10:00:00 GMT", "2024-01-05 10:00:00"),
            ("J2451187", "1999-01-08 00:00:00"),
            ("J2451187.5", "1999-01-08 12:00:00"),
            ("2020-01-01 1011", "2020-01-01 10:11:00"),
            ("2020-01-01 T1000", "2020-01-01 10:00:00"),
            ("2020-01-01 12:00 AM", "2020-01-01 00:00:00"),
            ("10:00 20240105", "2024-01-05 10:00:00"),
            ("2020-01-01@10:00", "2020-01-01 10:00:00"),
            ("2020-01-01 10:00:00+15:59:59", "2019-12-31 18:00:01"),
            ("1999-01-08 04:05:06 -8:00", "1999-01-08 12:05:06"),
            ("epoch", "1970-01-01 00:00:00"),
        ] {
            check_timestamp(text, Ok(expected));
        }
        for text in [
            "2020-01-01 00:00 foo",
            "allballs",
            "10:00 AM 2020-01-01",
            "Fri 2024-01-05",
            "2020-01-01 10",
            "2020-01-01T",
            "+infinity",
            "2020-01-01 T10",
            "2020.5",
            "5 Jan",
            "2024-W01-1",
        ] {
            check_timestamp(text, Err(DatetimeError::Syntax));
        }
        for (text, expected) in [
            ("y2001m02d04", Ok("2001-02-04")),
            ("1999.008", Ok("1999-01-08")),
            ("2020-120", Ok("2020-04-29")),
            ("1.2.3", Ok("2003-01-02")),
            ("January 8, 99 BC", Ok("0099-01-08 BC")),
            ("08-Jan-99", Ok("1999-01-08")),
            ("jan 8 99", Ok("1999-01-08")),
            ("99-Jan-08", Err(DatetimeError::MonthOrDayOutOfRange)),
            ("(2020-01-01)", Ok("2020-01-01")),
            ("infinity bc", Ok("infinity")),
        ] {
            check_date(text, expected);
        }
    }

    #[test]
    fn a_session_has_a_zone_and_a_clock() {
        // 2024-07-01 22:30 UTC is the next day in Berlin.
        let now_us = (19_905 * 86_400 + 22 * 3600 + 1800) * SECOND_US;
        let moment = Moment { zone: chrono_tz::Tz::Europe__Berlin.into(), now_us: Some(now_us), ..Moment::NONE };
        assert_eq!(date_at("today", &moment), Ok(19_906));
        assert_eq!(timestamp_with_zone_at("now", &moment), Ok(now_us));
        assert_eq!(timestamp_at("yesterday 10:00", &moment), Ok((19_905 * 24 + 10) * 3600 * SECOND_US));
        assert_eq!(timestamp_with_zone_at("2024-07-02", &moment), Ok((19_905 * 24 + 22) * 3600 * SECOND_US));
        for (text, expected) in [
            ("10:00", Ok((36_000, 7200))),
            ("2024-01-01 10:00", Ok((36_000, 3600))),
            ("10:00 America/New_York", Err(DatetimeError::Syntax)),
            ("2020-07-01 10:00 America/New_York", Ok((36_000, -14_400))),
            ("10:00 MSK", Ok((36_000, 10_800))),
            ("10:00-05:30", Ok((36_000, -19_800))),
            ("040506-08", Ok((14_706, -28_800))),
            ("allballs", Ok((0, 0))),
        ] {
            let read = time_with_zone_at(text, &moment).map(|time| (time.time_us / SECOND_US, time.offset_s));
            assert_eq!(read, expected, "{text}");
        }
    }
}
