//! Time zones: by name, by PostgreSQL's abbreviations, in POSIX's notation, and as plain offsets.
//!
//! Local times that a change of the clocks skips or repeats are taken as PostgreSQL takes them
//! (`DetermineTimeZoneOffset`): a skipped one by the offset before the change, a repeated one by the offset after it.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::{DateTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{OffsetComponents, OffsetName, Tz};

use super::posix_zone::PosixZone;
use super::zone_abbreviations::{CHANGING, FIXED};
use super::{DAY_US, SECOND_US, civil_of_day, day_of_civil};

/// Years from this on have no changes of their own in the zone data; they are taken for a like year before it.
const YEAR_END: i64 = 2100;
/// Years after which weekdays and leap years repeat, where no leap year is left out.
const CALENDAR_CYCLE_YEARS: i64 = 28;
/// A day on which every zone still had its first offset: 0001-01-01, in seconds since 1970.
const BEFORE_ALL_CHANGES_S: i64 = -62_135_596_800;
/// A day before which no zone had changed its offset: 1840-01-01, in seconds since 1970.
const FIRST_CHANGES_S: i64 = -4_102_444_800;
/// Steps and limits of the search for the time when an abbreviation was in use.
const SEARCH_STEP_US: i64 = 30 * DAY_US;
const SEARCH_STEPS_MAX: usize = 2_400;

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Zone {
    /// A zone of the zone data: `Europe/Berlin`.
    Named(Tz),
    /// An offset in seconds east of UTC.
    Fixed(i32),
    /// An abbreviation whose offset changed over time.
    Changing {
        /// The zone that used it.
        zone: Tz,
        /// The abbreviation, in upper case.
        abbreviation: String,
    },
    /// A rule in POSIX's notation: `CET-1CEST,M3.5.0,M10.5.0/3`.
    Posix(PosixZone),
}

/// What an abbreviation stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Abbreviation {
    /// An offset in seconds east of UTC, and whether it is daylight saving time.
    Fixed(i32, bool),
    /// An offset that changed over time.
    Changing(Zone),
}

static NAMES: LazyLock<HashMap<String, Tz>> =
    LazyLock::new(|| chrono_tz::TZ_VARIANTS.iter().map(|zone| (zone.name().to_ascii_lowercase(), *zone)).collect());

/// The names of the zones, and the zones.
pub fn names() -> impl Iterator<Item = (&'static str, Zone)> {
    chrono_tz::TZ_VARIANTS.iter().map(|zone| (zone.name(), Zone::Named(*zone)))
}

/// The abbreviations, in lower case.
pub fn abbreviations() -> impl Iterator<Item = &'static str> {
    let fixed = FIXED.iter().map(|(name, _, _)| *name);
    fixed.chain(CHANGING.iter().map(|(name, _)| *name))
}

/// What an abbreviation stands for; it is given in lower case.
pub fn abbreviation(lower: &str) -> Option<Abbreviation> {
    if let Ok(found) = FIXED.binary_search_by(|entry| entry.0.cmp(lower)) {
        return Some(Abbreviation::Fixed(FIXED[found].1, FIXED[found].2));
    }
    let found = CHANGING.binary_search_by(|entry| entry.0.cmp(lower)).ok()?;
    let zone = *NAMES.get(&CHANGING[found].1.to_ascii_lowercase())?;
    Some(Abbreviation::Changing(Zone::Changing { zone, abbreviation: lower.to_ascii_uppercase() }))
}

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Zone = Zone::Named(Tz::UTC);

    /// The zone of a text in `AT TIME ZONE`: an abbreviation, a name or a rule.
    pub fn find(text: &str) -> Option<Zone> {
        match abbreviation(&text.to_ascii_lowercase()) {
            Some(Abbreviation::Fixed(offset_s, _)) => Some(Zone::Fixed(offset_s)),
            Some(Abbreviation::Changing(zone)) => Some(zone),
            None => Zone::named(text),
        }
    }

    /// The zone with this name, or of this rule.
    pub fn named(text: &str) -> Option<Zone> {
        let lower = text.to_ascii_lowercase();
        let name = lower.strip_prefix("posix/").unwrap_or(&lower);
        match NAMES.get(name) {
            Some(zone) => Some(Zone::Named(*zone)),
            None => PosixZone::parse(text).map(Zone::Posix),
        }
    }

    /// Seconds east of UTC at a moment.
    pub fn offset_at(&self, utc_us: i64) -> i32 {
        match self {
            Zone::Named(zone) => named_offset(*zone, utc_us),
            Zone::Fixed(offset_s) => *offset_s,
            Zone::Posix(rule) => rule.offset_at(utc_us),
            Zone::Changing { zone, abbreviation } => {
                changing_offset(*zone, abbreviation, utc_us).unwrap_or_else(|| named_offset(*zone, utc_us))
            }
        }
    }

    /// The abbreviation that is in use at a moment.
    pub fn abbreviation_at(&self, utc_us: i64) -> String {
        match self {
            Zone::Named(zone) | Zone::Changing { zone, .. } => {
                let offset = zone.offset_from_utc_datetime(&moment(utc_us));
                let of_letters = offset.abbreviation().map(str::to_owned);
                of_letters.unwrap_or_else(|| numeric_abbreviation(offset.fix().local_minus_utc()))
            }
            Zone::Fixed(offset_s) => numeric_abbreviation(*offset_s),
            Zone::Posix(rule) => rule.abbreviation_at(utc_us).to_owned(),
        }
    }

    /// Whether daylight saving time is in use at a moment. Rules in POSIX's notation are not asked.
    pub fn is_daylight_at(&self, utc_us: i64) -> bool {
        match self {
            Zone::Named(zone) | Zone::Changing { zone, .. } => {
                !zone.offset_from_utc_datetime(&moment(utc_us)).dst_offset().is_zero()
            }
            Zone::Fixed(_) | Zone::Posix(_) => false,
        }
    }

    /// The name of the zone as setting `TimeZone` shows it, and the zone.
    pub fn of_setting(text: &str) -> Option<(String, Zone)> {
        let zone = Zone::named(text)?;
        let name = match &zone {
            Zone::Named(zone) if text.len() > zone.name().len() => format!("posix/{}", zone.name()),
            Zone::Named(zone) => zone.name().to_owned(),
            _ => text.to_ascii_uppercase(),
        };
        Some((name, zone))
    }

    /// Seconds east of UTC at a local time.
    pub fn offset_at_local(&self, local_us: i64) -> i32 {
        match self {
            Zone::Fixed(offset_s) => *offset_s,
            Zone::Named(Tz::UTC) => 0,
            Zone::Changing { zone, abbreviation } => {
                let offset_s = Zone::Named(*zone).offset_at_local(local_us);
                let utc_us = local_us.saturating_sub(i64::from(offset_s) * SECOND_US);
                changing_offset(*zone, abbreviation, utc_us).unwrap_or(offset_s)
            }
            _ => {
                let before = self.offset_at(local_us.saturating_sub(DAY_US));
                let after = self.offset_at(local_us.saturating_add(DAY_US));
                if before == after {
                    return before;
                }
                let holds = |offset_s: i32| {
                    self.offset_at(local_us.saturating_sub(i64::from(offset_s) * SECOND_US)) == offset_s
                };
                // Where neither holds, the local time was skipped; where both do, it came twice.
                if holds(after) { after } else { before }
            }
        }
    }

    /// The local time at a moment, if 64 bits hold it. The infinities stay.
    pub fn local(&self, utc_us: i64) -> Option<i64> {
        match utc_us {
            i64::MIN | i64::MAX => Some(utc_us),
            _ => utc_us.checked_add(i64::from(self.offset_at(utc_us)) * SECOND_US),
        }
    }

    /// The moment of a local time, if 64 bits hold it. The infinities stay.
    pub fn utc(&self, local_us: i64) -> Option<i64> {
        match local_us {
            i64::MIN | i64::MAX => Some(local_us),
            _ => local_us.checked_sub(i64::from(self.offset_at_local(local_us)) * SECOND_US),
        }
    }

    /// The offset, where it never changed.
    pub fn only_offset(&self) -> Option<i32> {
        match self {
            Zone::Fixed(offset_s) => Some(*offset_s),
            Zone::Posix(rule) => rule.only_offset(),
            Zone::Changing { .. } => None,
            Zone::Named(zone) => {
                let first = self.offset_at(BEFORE_ALL_CHANGES_S * SECOND_US);
                let years = (1840..YEAR_END).flat_map(|year| [(year, 1), (year, 4), (year, 7), (year, 10)]);
                let mut moments = years.map(|(year, month)| day_of_civil(year, month, 1) * DAY_US);
                moments.all(|moment| named_offset(*zone, moment) == first).then_some(first)
            }
        }
    }
}

impl From<Tz> for Zone {
    fn from(zone: Tz) -> Self {
        Zone::Named(zone)
    }
}

fn named_offset(zone: Tz, utc_us: i64) -> i32 {
    if zone == Tz::UTC {
        return 0;
    }
    zone.offset_from_utc_datetime(&moment(utc_us)).fix().local_minus_utc()
}

/// A moment for which the zone data has the offset.
fn moment(utc_us: i64) -> NaiveDateTime {
    let day = utc_us.div_euclid(DAY_US);
    let (year, month, date) = civil_of_day(day);
    let seconds = if year >= YEAR_END {
        let time_s = utc_us.rem_euclid(DAY_US) / SECOND_US;
        day_of_civil(like_year(year), month, date) * (DAY_US / SECOND_US) + time_s
    } else {
        utc_us.div_euclid(SECOND_US).max(BEFORE_ALL_CHANGES_S)
    };
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().naive_utc()
}

/// The year before [`YEAR_END`] that begins on the same weekday and is as long.
fn like_year(year: i64) -> i64 {
    let shape = |year: i64| {
        let start = day_of_civil(year, 1, 1);
        (start.rem_euclid(7), day_of_civil(year + 1, 1, 1) - start)
    };
    let wanted = shape(year);
    let candidates = YEAR_END - CALENDAR_CYCLE_YEARS..YEAR_END;
    candidates.into_iter().find(|candidate| shape(*candidate) == wanted).unwrap_or(YEAR_END - 1)
}

/// What an abbreviation meant in its zone: when it was last in use, else when it first was. `None` when the zone data do
/// not have it, as is so for most of those that are not in English.
fn changing_offset(zone: Tz, abbreviation: &str, utc_us: i64) -> Option<i32> {
    let used = |utc_us: i64| {
        let offset = zone.offset_from_utc_datetime(&moment(utc_us));
        (offset.abbreviation() == Some(abbreviation)).then(|| offset.fix().local_minus_utc())
    };
    let steps = |direction: i64| {
        let start_us = utc_us.max(FIRST_CHANGES_S * SECOND_US);
        let mut moments = std::iter::successors(Some(start_us), move |at| at.checked_add(direction * SEARCH_STEP_US));
        moments.by_ref().take(SEARCH_STEPS_MAX).find_map(used)
    };
    steps(-1).or_else(|| steps(1))
}

/// The abbreviation of a zone that has none of letters: `-03`, `+0530`.
fn numeric_abbreviation(offset_s: i32) -> String {
    let sign = if offset_s < 0 { '-' } else { '+' };
    let (hours, minutes) = (offset_s.abs() / 3600, offset_s.abs() / 60 % 60);
    match minutes {
        0 => format!("{sign}{hours:02}"),
        _ => format!("{sign}{hours:02}{minutes:02}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(year: i64, month: u32, day: u32, hour: i64) -> i64 {
        day_of_civil(year, month, day) * DAY_US + hour * 3600 * SECOND_US
    }

    #[test]
    fn skipped_and_repeated_local_times_are_taken_as_postgresql_takes_them() {
        let berlin = Zone::named("europe/BERLIN").unwrap();
        for (local, expected) in [
            (at(2024, 3, 31, 1), 3600),
            (at(2024, 3, 31, 2), 3600),
            (at(2024, 3, 31, 3), 7200),
            (at(2024, 10, 27, 1), 7200),
            (at(2024, 10, 27, 2), 3600),
            (at(2024, 10, 27, 3), 3600),
            (at(2500, 7, 1, 0), 7200),
            (at(250_000, 1, 1, 0), 3600),
            (at(1800, 1, 1, 0), 3208),
        ] {
            assert_eq!(berlin.offset_at_local(local), expected, "{local}");
        }
    }

    #[test]
    fn abbreviations_and_rules_are_zones() {
        let july = at(2020, 7, 1, 0);
        for (text, expected) in [
            ("EST", -18000),
            ("z", 0),
            ("msk", 10800),
            ("UTC+3", -10800),
            ("<+03>-3", 10800),
            ("+03:00", -10800),
            ("AAA5BBB", -14400),
            ("CET-1CEST,M3.5.0,M10.5.0/3", 7200),
            ("FOO5BAR4,J60,J300", -14400),
            ("America/New_York", -14400),
        ] {
            assert_eq!(Zone::find(text).unwrap().offset_at(july), expected, "{text}");
        }
        for text in ["", "foo", "UTC+168", "<a>", "Europe/Nowhere"] {
            assert_eq!(Zone::find(text), None, "{text}");
        }
        assert_eq!(Zone::find("MSK").unwrap().offset_at(at(2012, 7, 1, 0)), 14400);
        assert_eq!(
            (Zone::find("GMT").unwrap().only_offset(), Zone::named("Europe/Paris").unwrap().only_offset()),
            (Some(0), None)
        );
    }
}
