//! Dates and times among the items of a path: what `.datetime()` makes of a string.

use std::cmp::Ordering;

use bytes::BytesMut;
use chrono::NaiveDate;

use crate::datetime::zone::Zone;
use crate::datetime::{self, DAY_US, SECOND_US, ZoneSuffix};
use crate::error::{PgError, Result};
use crate::sqlstate::SqlState;

/// A date, a time or both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Datetime {
    /// Days since 1970.
    day: Option<i32>,
    /// Microseconds since midnight, local.
    time_us: Option<i64>,
    /// Seconds east of UTC.
    offset_s: Option<i32>,
}

/// Splits off a number of so many digits at most.
fn digits(text: &str, most: usize) -> Option<(i64, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    Some((text.get(..count)?.parse().ok()?, text.get(count..)?))
}

fn date(text: &str) -> Option<(i32, &str)> {
    let (year, rest) = digits(text, 4)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let date =
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, u32::try_from(month).ok()?, u32::try_from(day).ok()?)?;
    let day = date.signed_duration_since(NaiveDate::from_ymd_opt(1970, 1, 1)?).num_days();
    Some((i32::try_from(day).ok()?, rest))
}

fn time(text: &str) -> Option<(i64, &str)> {
    let (hour, rest) = digits(text, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let (second, mut rest) = digits(rest.strip_prefix(':')?, 2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut fraction = 0;
    if let Some(written) = rest.strip_prefix('.') {
        let (value, after) = digits(written, 6)?;
        let places = written.len() - after.len();
        fraction = value * 10i64.pow(6 - u32::try_from(places).ok()?);
        rest = after;
    }
    Some((((hour * 60 + minute) * 60 + second) * SECOND_US + fraction, rest))
}

fn zone(text: &str) -> Option<(i32, &str)> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let (hours, rest) = digits(rest, 2)?;
    let (minutes, rest) = match rest.strip_prefix(':') {
        Some(rest) => digits(rest, 2)?,
        None => (0, rest),
    };
    if hours > 15 || minutes > 59 {
        return None;
    }
    Some((sign * i32::try_from(hours * 3600 + minutes * 60).ok()?, rest))
}

/// Reads a string in one of the ISO formats.
pub fn parse(text: &str) -> Result<Datetime> {
    let trimmed = text.trim();
    read(trimmed).ok_or_else(|| {
        let message = format!("datetime format is not recognized: \"{text}\"");
        PgError::new(SqlState::INVALID_ARGUMENT_FOR_SQL_JSON_DATETIME_FUNCTION, message)
            .with_hint("Use a datetime template argument to specify the input data format.")
    })
}

fn read(text: &str) -> Option<Datetime> {
    let mut value = Datetime { day: None, time_us: None, offset_s: None };
    let mut rest = text;
    if let Some((day, after)) = date(text) {
        value.day = Some(day);
        if after.is_empty() {
            return Some(value);
        }
        rest = after.strip_prefix('T').or_else(|| after.strip_prefix(' '))?.trim_start();
    }
    let (time_us, after) = time(rest)?;
    value.time_us = Some(time_us);
    if after.is_empty() {
        return Some(value);
    }
    let (offset, after) = zone(after.trim_start())?;
    value.offset_s = Some(offset);
    after.is_empty().then_some(value)
}

impl Datetime {
    /// The name of its type.
    pub fn type_name(self) -> &'static str {
        match (self.day, self.time_us, self.offset_s) {
            (Some(_), None, _) => "date",
            (Some(_), Some(_), None) => "timestamp without time zone",
            (Some(_), Some(_), Some(_)) => "timestamp with time zone",
            (None, _, None) => "time without time zone",
            (None, _, Some(_)) => "time with time zone",
        }
    }

    /// In ISO format.
    pub fn text(self) -> String {
        let mut out = BytesMut::new();
        match (self.day, self.time_us) {
            (Some(day), Some(time)) => {
                datetime::write_timestamp(i64::from(day) * DAY_US + time, ZoneSuffix::None, &mut out);
            }
            (Some(day), None) => datetime::write_date(day, &mut out),
            (None, time) => datetime::write_time(time.unwrap_or_default(), &mut out),
        }
        let mut text = String::from_utf8_lossy(&out).into_owned();
        if self.day.is_some() && self.time_us.is_some() {
            text = text.replacen(' ', "T", 1);
        }
        if let Some(offset) = self.offset_s {
            let magnitude = offset.unsigned_abs();
            let sign = if offset < 0 { '-' } else { '+' };
            text.push_str(&format!("{sign}{:02}:{:02}", magnitude / 3600, magnitude / 60 % 60));
        }
        text
    }

    /// Compares two of them; `None` if they have no order. With a zone against without one needs to know the session's
    /// zone, which only the `_tz` functions may.
    pub fn compare(self, other: Self, zone: Option<&Zone>) -> Result<Option<Ordering>> {
        if self.day.is_some() != other.day.is_some() {
            return Ok(None);
        }
        if self.offset_s.is_some() == other.offset_s.is_some() {
            let order = self.instant(0).cmp(&other.instant(0));
            // Times with zones that are the same moment are ordered by their zones.
            let by_zone = if self.day.is_none() { other.offset_s.cmp(&self.offset_s) } else { Ordering::Equal };
            return Ok(Some(order.then(by_zone)));
        }
        let (without, with) = if self.offset_s.is_none() { (self, other) } else { (other, self) };
        let Some(zone) = zone else {
            let message = format!(
                "cannot convert value from {} to {} without time zone usage",
                without.short_type_name(),
                with.short_type_name()
            );
            return Err(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message)
                .with_hint("Use *_tz() function for time zone support."));
        };
        let (left, right) = (self.in_zone(zone), other.in_zone(zone));
        left.compare(right, Some(zone))
    }

    fn short_type_name(self) -> &'static str {
        match (self.day, self.time_us, self.offset_s) {
            (Some(_), None, _) => "date",
            (Some(_), Some(_), None) => "timestamp",
            (Some(_), Some(_), Some(_)) => "timestamptz",
            (None, _, None) => "time",
            (None, _, Some(_)) => "timetz",
        }
    }

    /// Microseconds since 1970 UTC, or since midnight; without a zone of its own, in one so many seconds east.
    fn instant(self, offset_s: i32) -> i64 {
        let offset = i64::from(self.offset_s.unwrap_or(offset_s)) * SECOND_US;
        i64::from(self.day.unwrap_or(0)) * DAY_US + self.time_us.unwrap_or(0) - offset
    }

    /// With the offset that the zone has then.
    fn in_zone(self, zone: &Zone) -> Self {
        if self.offset_s.is_some() {
            return self;
        }
        let offset_s = Some(zone.offset_at_local(self.instant(0)));
        Datetime { time_us: Some(self.time_us.unwrap_or(0)), offset_s, ..self }
    }
}
