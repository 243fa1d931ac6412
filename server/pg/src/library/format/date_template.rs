//! Templates of dates and times.

use super::template::{Node, Ordinal, Step, split};
use crate::error::Result;

/// Case of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// `MONDAY`
    Upper,
    /// `Monday`
    Capital,
    /// `monday`
    Lower,
}

/// What a pattern stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// AM or PM
    Meridiem { dotted: bool, lower: bool },
    /// AD or BC
    Era { dotted: bool, lower: bool },
    /// Century
    Century,
    /// Name of the month
    MonthName(Case),
    /// Short name of the month
    MonthShort(Case),
    /// Month
    Month,
    /// Month in Roman digits
    MonthRoman { lower: bool },
    /// Name of the day of the week
    DayName(Case),
    /// Short name of the day of the week
    DayShort(Case),
    /// Day of the year
    DayOfYear,
    /// Day of the ISO year
    IsoDayOfYear,
    /// Day of the month
    Day,
    /// Day of the week, Sunday is 1
    DayOfWeek,
    /// Day of the ISO week, Monday is 1
    IsoDayOfWeek,
    /// Week of the year, the first begins on the first day
    Week,
    /// ISO week
    IsoWeek,
    /// Week of the month
    WeekOfMonth,
    /// Quarter
    Quarter,
    /// Days since 4714 BC
    Julian,
    /// So many last digits of the year
    Year(u32),
    /// So many last digits of the ISO year
    IsoYear(u32),
    /// Year with a comma after the thousands
    YearWithComma,
    /// Hour from 0 to 23
    Hour24,
    /// Hour from 1 to 12
    Hour12,
    /// Minute
    Minute,
    /// Second
    Second,
    /// So many digits of the fraction of the second
    Fraction(u32),
    /// Milliseconds
    Milliseconds,
    /// Microseconds
    Microseconds,
    /// Seconds since midnight
    SecondsOfDay,
    /// Fixed format for what follows
    Fixed,
    /// Abbreviation of the time zone
    Zone { lower: bool },
    /// Hours of the offset from UTC
    ZoneHours,
    /// Minutes of the offset from UTC
    ZoneMinutes,
    /// The offset from UTC
    Offset,
}

/// The convention of dates that a pattern belongs to; they cannot be mixed when a date is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Convention {
    /// Any
    Any,
    /// Year, month, day
    Gregorian,
    /// ISO year, ISO week, day of the week
    IsoWeek,
}

/// A pattern.
#[derive(Debug)]
pub struct Pattern {
    /// As it is written.
    pub name: &'static str,
    /// What it stands for.
    pub meaning: Meaning,
    /// Whether it is read from digits, so that a number before it must know its length.
    pub digits: bool,
    /// Which convention it belongs to.
    pub convention: Convention,
}

/// A pattern with its modifiers.
#[derive(Debug, Clone, Copy)]
pub struct DateField {
    /// The pattern.
    pub pattern: &'static Pattern,
    /// `FM`: no padding.
    pub fill_mode: bool,
    /// `TM`: as the locale has it. Ours is C: the names are English, but they are not padded.
    pub translated: bool,
    /// `TH`
    pub ordinal: Option<Ordinal>,
}

/// A template of dates.
pub type DateTemplate = Vec<Node<DateField>>;

/// Reads a template.
pub fn read(text: &str) -> Result<DateTemplate> {
    split(text, true, |rest| Ok(first_field(rest)))
}

fn first_field(text: &str) -> Step<DateField> {
    let prefix = |upper, lower| usize::from(text.starts_with(upper) || text.starts_with(lower)) * 2;
    let (fill_mode, translated) = (prefix("FM", "fm"), prefix("TM", "tm"));
    let start = fill_mode + translated;
    let rest = text.get(start..).unwrap_or_default();
    let Some(pattern) = PATTERNS.iter().find(|pattern| rest.starts_with(pattern.name)) else {
        return Step::Nothing(start);
    };
    let after = rest.get(pattern.name.len()..).unwrap_or_default();
    let (ordinal, suffix) = match after.as_bytes() {
        [b'T', b'H', ..] => (Some(Ordinal::Upper), 2),
        [b't', b'h', ..] => (Some(Ordinal::Lower), 2),
        // A modifier for spelled numbers that PostgreSQL knows and ignores.
        [b'S', b'P', ..] => (None, 2),
        _ => (None, 0),
    };
    let field = DateField { pattern, fill_mode: fill_mode > 0, translated: translated > 0, ordinal };
    Step::Field(field, start + pattern.name.len() + suffix)
}

const fn digits(name: &'static str, convention: Convention, meaning: Meaning) -> Pattern {
    Pattern { name, meaning, digits: true, convention }
}

const fn word(name: &'static str, convention: Convention, meaning: Meaning) -> Pattern {
    Pattern { name, meaning, digits: false, convention }
}

use Convention::{Any, Gregorian, IsoWeek};

/// The patterns; of two that begin alike the longer is first.
static PATTERNS: &[Pattern] = &[
    word("A.D.", Any, Meaning::Era { dotted: true, lower: false }),
    word("A.M.", Any, Meaning::Meridiem { dotted: true, lower: false }),
    word("AD", Any, Meaning::Era { dotted: false, lower: false }),
    word("AM", Any, Meaning::Meridiem { dotted: false, lower: false }),
    word("B.C.", Any, Meaning::Era { dotted: true, lower: false }),
    word("BC", Any, Meaning::Era { dotted: false, lower: false }),
    digits("CC", Any, Meaning::Century),
    word("DAY", Any, Meaning::DayName(Case::Upper)),
    digits("DDD", Gregorian, Meaning::DayOfYear),
    digits("DD", Gregorian, Meaning::Day),
    word("DY", Any, Meaning::DayShort(Case::Upper)),
    word("Day", Any, Meaning::DayName(Case::Capital)),
    word("Dy", Any, Meaning::DayShort(Case::Capital)),
    digits("D", Gregorian, Meaning::DayOfWeek),
    digits("FF1", Any, Meaning::Fraction(1)),
    digits("FF2", Any, Meaning::Fraction(2)),
    digits("FF3", Any, Meaning::Fraction(3)),
    digits("FF4", Any, Meaning::Fraction(4)),
    digits("FF5", Any, Meaning::Fraction(5)),
    digits("FF6", Any, Meaning::Fraction(6)),
    word("FX", Any, Meaning::Fixed),
    digits("HH24", Any, Meaning::Hour24),
    digits("HH12", Any, Meaning::Hour12),
    digits("HH", Any, Meaning::Hour12),
    digits("IDDD", IsoWeek, Meaning::IsoDayOfYear),
    digits("ID", IsoWeek, Meaning::IsoDayOfWeek),
    digits("IW", IsoWeek, Meaning::IsoWeek),
    digits("IYYY", IsoWeek, Meaning::IsoYear(4)),
    digits("IYY", IsoWeek, Meaning::IsoYear(3)),
    digits("IY", IsoWeek, Meaning::IsoYear(2)),
    digits("I", IsoWeek, Meaning::IsoYear(1)),
    digits("J", Any, Meaning::Julian),
    digits("MI", Any, Meaning::Minute),
    digits("MM", Gregorian, Meaning::Month),
    word("MONTH", Gregorian, Meaning::MonthName(Case::Upper)),
    word("MON", Gregorian, Meaning::MonthShort(Case::Upper)),
    digits("MS", Any, Meaning::Milliseconds),
    word("Month", Gregorian, Meaning::MonthName(Case::Capital)),
    word("Mon", Gregorian, Meaning::MonthShort(Case::Capital)),
    word("OF", Any, Meaning::Offset),
    word("P.M.", Any, Meaning::Meridiem { dotted: true, lower: false }),
    word("PM", Any, Meaning::Meridiem { dotted: false, lower: false }),
    digits("Q", Any, Meaning::Quarter),
    word("RM", Gregorian, Meaning::MonthRoman { lower: false }),
    digits("SSSSS", Any, Meaning::SecondsOfDay),
    digits("SSSS", Any, Meaning::SecondsOfDay),
    digits("SS", Any, Meaning::Second),
    word("TZH", Any, Meaning::ZoneHours),
    digits("TZM", Any, Meaning::ZoneMinutes),
    word("TZ", Any, Meaning::Zone { lower: false }),
    digits("US", Any, Meaning::Microseconds),
    digits("WW", Gregorian, Meaning::Week),
    digits("W", Gregorian, Meaning::WeekOfMonth),
    digits("Y,YYY", Gregorian, Meaning::YearWithComma),
    digits("YYYY", Gregorian, Meaning::Year(4)),
    digits("YYY", Gregorian, Meaning::Year(3)),
    digits("YY", Gregorian, Meaning::Year(2)),
    digits("Y", Gregorian, Meaning::Year(1)),
    word("a.d.", Any, Meaning::Era { dotted: true, lower: true }),
    word("a.m.", Any, Meaning::Meridiem { dotted: true, lower: true }),
    word("ad", Any, Meaning::Era { dotted: false, lower: true }),
    word("am", Any, Meaning::Meridiem { dotted: false, lower: true }),
    word("b.c.", Any, Meaning::Era { dotted: true, lower: true }),
    word("bc", Any, Meaning::Era { dotted: false, lower: true }),
    digits("cc", Any, Meaning::Century),
    word("day", Any, Meaning::DayName(Case::Lower)),
    digits("ddd", Gregorian, Meaning::DayOfYear),
    digits("dd", Gregorian, Meaning::Day),
    word("dy", Any, Meaning::DayShort(Case::Lower)),
    digits("d", Gregorian, Meaning::DayOfWeek),
    digits("ff1", Any, Meaning::Fraction(1)),
    digits("ff2", Any, Meaning::Fraction(2)),
    digits("ff3", Any, Meaning::Fraction(3)),
    digits("ff4", Any, Meaning::Fraction(4)),
    digits("ff5", Any, Meaning::Fraction(5)),
    digits("ff6", Any, Meaning::Fraction(6)),
    word("fx", Any, Meaning::Fixed),
    digits("hh24", Any, Meaning::Hour24),
    digits("hh12", Any, Meaning::Hour12),
    digits("hh", Any, Meaning::Hour12),
    digits("iddd", IsoWeek, Meaning::IsoDayOfYear),
    digits("id", IsoWeek, Meaning::IsoDayOfWeek),
    digits("iw", IsoWeek, Meaning::IsoWeek),
    digits("iyyy", IsoWeek, Meaning::IsoYear(4)),
    digits("iyy", IsoWeek, Meaning::IsoYear(3)),
    digits("iy", IsoWeek, Meaning::IsoYear(2)),
    digits("i", IsoWeek, Meaning::IsoYear(1)),
    digits("j", Any, Meaning::Julian),
    digits("mi", Any, Meaning::Minute),
    digits("mm", Gregorian, Meaning::Month),
    word("month", Gregorian, Meaning::MonthName(Case::Lower)),
    word("mon", Gregorian, Meaning::MonthShort(Case::Lower)),
    digits("ms", Any, Meaning::Milliseconds),
    word("of", Any, Meaning::Offset),
    word("p.m.", Any, Meaning::Meridiem { dotted: true, lower: true }),
    word("pm", Any, Meaning::Meridiem { dotted: false, lower: true }),
    digits("q", Any, Meaning::Quarter),
    word("rm", Gregorian, Meaning::MonthRoman { lower: true }),
    digits("sssss", Any, Meaning::SecondsOfDay),
    digits("ssss", Any, Meaning::SecondsOfDay),
    digits("ss", Any, Meaning::Second),
    word("tzh", Any, Meaning::ZoneHours),
    digits("tzm", Any, Meaning::ZoneMinutes),
    word("tz", Any, Meaning::Zone { lower: true }),
    digits("us", Any, Meaning::Microseconds),
    digits("ww", Gregorian, Meaning::Week),
    digits("w", Gregorian, Meaning::WeekOfMonth),
    digits("y,yyy", Gregorian, Meaning::YearWithComma),
    digits("yyyy", Gregorian, Meaning::Year(4)),
    digits("yyy", Gregorian, Meaning::Year(3)),
    digits("yy", Gregorian, Meaning::Year(2)),
    digits("y", Gregorian, Meaning::Year(1)),
];
