//! Zones in POSIX's notation: a name, the hours **west** of UTC, and perhaps another name with the rule when it holds:
//! `UTC+3`, `<+03>-3`, `EST5EDT`, `CET-1CEST,M3.5.0,M10.5.0/3`.

use super::{DAY_US, SECOND_US, civil_of_day, day_of_civil};

/// Hours of an offset or a time in a rule, inclusive.
const HOURS_MAX: i32 = 167;
/// When daylight saving time holds if the rule is not written: as in the United States.
const DEFAULT_RULE: &str = ",M3.2.0,M11.1.0";
/// Local time of a change if it is not written: two in the morning.
const CHANGE_S: i32 = 7200;
const HOUR_S: i32 = 3600;

/// A zone in POSIX's notation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PosixZone {
    /// Its abbreviation.
    standard: String,
    standard_s: i32,
    daylight: Option<Daylight>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Daylight {
    /// Its abbreviation.
    name: String,
    offset_s: i32,
    start: Change,
    end: Change,
}

/// A day of a year, and the local time of it in seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    day: ChangeDay,
    time_s: i32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ChangeDay {
    /// From 1; the leap day does not count.
    WithoutLeapDay(i64),
    /// From 0; the leap day counts.
    WithLeapDay(i64),
    /// A weekday (0 is Sunday) of a week of a month; the fifth is the last.
    Weekday { month: u32, week: i64, weekday: i64 },
}

impl PosixZone {
    /// Reads a zone; `None` when it is not one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader(text);
        let standard = reader.name()?.to_owned();
        let standard_s = -reader.offset()?;
        if reader.0.is_empty() {
            return Some(PosixZone { standard, standard_s, daylight: None });
        }
        let before = reader.0;
        let name = reader.name()?.to_owned();
        if reader.0.len() == before.len() {
            return None;
        }
        let starts_rule = reader.0.is_empty() || reader.0.starts_with([',', ';']);
        let offset_s = if starts_rule { standard_s + HOUR_S } else { -reader.offset()? };
        let mut rules = if reader.0.is_empty() { Reader(DEFAULT_RULE) } else { reader };
        let (start, end) = (rules.change()?, rules.change()?);
        let daylight = Some(Daylight { name, offset_s, start, end });
        rules.0.is_empty().then_some(PosixZone { standard, standard_s, daylight })
    }

    /// Seconds east of UTC at a moment.
    pub(super) fn offset_at(&self, utc_us: i64) -> i32 {
        self.daylight_at(utc_us).map_or(self.standard_s, |daylight| daylight.offset_s)
    }

    /// The abbreviation that is in use at a moment.
    pub(super) fn abbreviation_at(&self, utc_us: i64) -> &str {
        self.daylight_at(utc_us).map_or(&self.standard, |daylight| &daylight.name)
    }

    /// The daylight saving time, if it holds.
    fn daylight_at(&self, utc_us: i64) -> Option<&Daylight> {
        let daylight = self.daylight.as_ref()?;
        let utc_s = utc_us.div_euclid(SECOND_US);
        let (year, ..) = civil_of_day((utc_s + i64::from(self.standard_s)).div_euclid(DAY_US / SECOND_US));
        let start = daylight.start.local_s(year) - i64::from(self.standard_s);
        let end = daylight.end.local_s(year) - i64::from(daylight.offset_s);
        let holds = if start < end { (start..end).contains(&utc_s) } else { !(end..start).contains(&utc_s) };
        holds.then_some(daylight)
    }

    /// The offset, where it never changes.
    pub(super) fn only_offset(&self) -> Option<i32> {
        self.daylight.is_none().then_some(self.standard_s)
    }
}

impl Change {
    /// Seconds since 1970, as the local clock counts them.
    fn local_s(&self, year: i64) -> i64 {
        let january = day_of_civil(year, 1, 1);
        let day = match self.day {
            ChangeDay::WithLeapDay(day) => january + day,
            ChangeDay::WithoutLeapDay(day) => {
                let leap = day_of_civil(year, 3, 1) - january == 60;
                january + day - 1 + i64::from(leap && day >= 60)
            }
            ChangeDay::Weekday { month, week, weekday } => {
                let first = day_of_civil(year, month, 1);
                // 1970-01-01 was a Thursday.
                let day = first + (weekday - (first + 4)).rem_euclid(7) + (week - 1) * 7;
                let next = if month == 12 { day_of_civil(year + 1, 1, 1) } else { day_of_civil(year, month + 1, 1) };
                if day >= next { day - 7 } else { day }
            }
        };
        day * (DAY_US / SECOND_US) + i64::from(self.time_s)
    }
}

struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    /// A name, which may be empty, or anything between angle brackets.
    fn name(&mut self) -> Option<&'a str> {
        let (name, end) = match self.0.strip_prefix('<') {
            Some(quoted) => {
                let end = quoted.find('>')?;
                (&quoted[..end], end + 2)
            }
            None => {
                let ends = |c: char| c.is_ascii_digit() || matches!(c, ',' | '-' | '+');
                let end = self.0.find(ends).unwrap_or(self.0.len());
                (&self.0[..end], end)
            }
        };
        self.0 = self.0.get(end..)?;
        Some(name)
    }

    fn offset(&mut self) -> Option<i32> {
        let negative = self.take('-');
        if !negative {
            self.take('+');
        }
        let seconds = self.seconds()?;
        Some(if negative { -seconds } else { seconds })
    }

    /// `hh`, `hh:mm` or `hh:mm:ss`
    fn seconds(&mut self) -> Option<i32> {
        let mut seconds = self.number(0, HOURS_MAX)? * HOUR_S;
        if self.take(':') {
            seconds += self.number(0, 59)? * 60;
            if self.take(':') {
                seconds += self.number(0, 60)?;
            }
        }
        Some(seconds)
    }

    fn change(&mut self) -> Option<Change> {
        if !self.take(',') && !self.take(';') {
            return None;
        }
        let day = if self.take('J') {
            ChangeDay::WithoutLeapDay(i64::from(self.number(1, 365)?))
        } else if self.take('M') {
            let month = self.number(1, 12)?.unsigned_abs();
            self.take('.').then_some(())?;
            let week = i64::from(self.number(1, 5)?);
            self.take('.').then_some(())?;
            ChangeDay::Weekday { month, week, weekday: i64::from(self.number(0, 6)?) }
        } else {
            ChangeDay::WithLeapDay(i64::from(self.number(0, 365)?))
        };
        let time_s = if self.take('/') { self.offset()? } else { CHANGE_S };
        Some(Change { day, time_s })
    }

    fn take(&mut self, expected: char) -> bool {
        match self.0.strip_prefix(expected) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn number(&mut self, min: i32, max: i32) -> Option<i32> {
        let end = self.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        self.0 = rest;
        digits.parse().ok().filter(|number| (min..=max).contains(number))
    }
}
