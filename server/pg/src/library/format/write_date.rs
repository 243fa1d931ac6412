//! Timestamps and intervals to text.

use std::borrow::Cow;
use std::fmt::Write;

use super::date_template::{Case, DateField, Meaning};
use super::template::{Node, check_length, ordinal_ending};
use crate::datetime::{DAY_US, Interval, SECOND_US, civil_of_day, day_of_civil};
use crate::error::{PgError, Result};
use crate::sqlstate::SqlState;

/// Names of the months.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Names of the days of the week.
pub const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
/// The months in Roman digits, the last one first: so no name begins with one that comes before it.
pub const ROMAN_MONTHS: [&str; 12] = ["XII", "XI", "X", "IX", "VIII", "VII", "VI", "V", "IV", "III", "II", "I"];
/// Letters of a short name.
pub const SHORT_LETTERS: usize = 3;
/// Letters that names are padded to.
const NAME_WIDTH: usize = 9;
const ROMAN_MONTH_WIDTH: usize = 4;
/// Days between 4714-11-24 BC, where Julian days begin, and 1970.
pub const JULIAN_1970: i64 = 2_440_588;

/// A timestamp or an interval, field by field.
#[derive(Debug, Clone, Default)]
pub struct DateFields {
    /// 0 is 1 BC
    pub year: i64,
    /// From 1; of an interval, from -11 to 11
    pub month: i64,
    /// Day of the month
    pub day: i64,
    /// Hours
    pub hour: i64,
    /// Minutes
    pub minute: i64,
    /// Seconds
    pub second: i64,
    /// Microseconds of the second
    pub fraction_us: i64,
    /// Day of the year, from 1
    pub year_day: i64,
    /// Seconds east of UTC
    pub offset_s: i64,
    /// Abbreviation of the time zone
    pub zone: Option<String>,
    /// Whether it is an interval
    pub is_interval: bool,
}

impl DateFields {
    /// The fields of a local time, in microseconds since 1970.
    pub fn of_timestamp(local_us: i64) -> Self {
        let days = local_us.div_euclid(DAY_US);
        let (year, month, day) = civil_of_day(days);
        let mut fields = DateFields {
            year,
            month: i64::from(month),
            day: i64::from(day),
            year_day: days - day_of_civil(year, 1, 1) + 1,
            ..DateFields::default()
        };
        fields.set_time(local_us.rem_euclid(DAY_US));
        fields
    }

    /// The fields of an interval; the day of the year is about the days it has.
    pub fn of_interval(interval: Interval) -> Self {
        let (months, day) = (i64::from(interval.months), i64::from(interval.days));
        let mut fields = DateFields {
            year: months / 12,
            month: months % 12,
            day,
            year_day: months * 30 + day,
            is_interval: true,
            ..DateFields::default()
        };
        fields.set_time(interval.time_us);
        fields
    }

    fn set_time(&mut self, time_us: i64) {
        let seconds = time_us / SECOND_US;
        self.hour = seconds / 3600;
        self.minute = seconds / 60 % 60;
        self.second = seconds % 60;
        self.fraction_us = time_us % SECOND_US;
    }

    /// The year as it is written: there is no year 0.
    fn written_year(&self, year: i64) -> i64 {
        if self.is_interval || year > 0 { year } else { 1 - year }
    }

    fn julian(&self) -> i64 {
        julian(self.year, self.month, self.day)
    }

    fn week_day(&self) -> i64 {
        (self.julian() + 1).rem_euclid(7)
    }

    fn century(&self) -> i64 {
        match self.year {
            year if self.is_interval => year / 100,
            year if year > 0 => (year - 1) / 100 + 1,
            year => year / 100 - 1,
        }
    }

    fn must_be_date(&self) -> Result<()> {
        if self.is_interval {
            let message = "invalid format specification for an interval value";
            let error = PgError::new(SqlState::INVALID_DATETIME_FORMAT, message);
            return Err(error.with_hint("Intervals are not tied to specific calendar dates."));
        }
        Ok(())
    }
}

/// Julian day of a date. An interval has months below 1, which PostgreSQL counts as others are counted: from the March
/// before, by the rule that 256 months from March on have 7834 days.
pub fn julian(year: i64, month: i64, day: i64) -> i64 {
    let (year, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = (7834 * (months + 4)).div_euclid(256) - 122;
    day_of_civil(year, 3, 1) + days + day - 1 + JULIAN_1970
}

/// Julian day of the Monday of an ISO week.
pub fn julian_of_iso_week(year: i64, week: i64) -> i64 {
    // The first week is the one with January 4. Julian days are counted from a Monday.
    let fourth = julian(year, 1, 4);
    fourth - fourth.rem_euclid(7) + (week - 1) * 7
}

/// The ISO year of a day in a year: that year or one of its neighbours, which an interval may be beyond.
fn iso_year(year: i64, julian: i64) -> i64 {
    if julian < julian_of_iso_week(year, 1) {
        year - 1
    } else if julian >= julian_of_iso_week(year + 1, 1) {
        year + 1
    } else {
        year
    }
}

/// The value in the form of a template.
pub fn write(template: &[Node<DateField>], value: &DateFields) -> Result<String> {
    let mut out = String::new();
    for node in template {
        match node {
            Node::Field(field) => write_field(field, value, &mut out)?,
            other => out.extend(other.character()),
        }
    }
    check_length(out)
}

fn write_field(field: &DateField, value: &DateFields, out: &mut String) -> Result<()> {
    use Meaning::*;
    match field.pattern.meaning {
        Meridiem { .. } | Era { .. } | MonthName(_) | MonthShort(_) | MonthRoman { .. } | DayName(_) | DayShort(_) => {
            write_word(field, value, out)
        }
        Zone { .. } | ZoneHours | ZoneMinutes | Offset => write_zone(field, value, out),
        Fixed => Ok(()),
        _ => write_number(field, value, out),
    }
}

fn write_word(field: &DateField, value: &DateFields, out: &mut String) -> Result<()> {
    use Meaning::*;
    match field.pattern.meaning {
        Meridiem { dotted, lower } => {
            let after_noon = value.hour % 24 >= 12;
            out.push_str(MERIDIEMS[usize::from(dotted)][usize::from(lower)][usize::from(after_noon)]);
        }
        Era { dotted, lower } => {
            value.must_be_date()?;
            out.push_str(ERAS[usize::from(dotted)][usize::from(lower)][usize::from(value.year > 0)]);
        }
        MonthName(case) | MonthShort(case) => {
            value.must_be_date()?;
            let month = usize::try_from(value.month - 1).ok().and_then(|month| MONTHS.get(month));
            write_name(field, month.copied().unwrap_or_default(), case, out);
        }
        DayName(case) | DayShort(case) => {
            value.must_be_date()?;
            let day = usize::try_from(value.week_day()).ok().and_then(|day| DAYS.get(day));
            write_name(field, day.copied().unwrap_or_default(), case, out);
        }
        MonthRoman { lower } => {
            if value.month == 0 && value.year == 0 {
                return Ok(());
            }
            let month = roman_month(value);
            let month = if lower { Cow::Owned(month.to_ascii_lowercase()) } else { Cow::Borrowed(month) };
            let width = if field.fill_mode { 0 } else { ROMAN_MONTH_WIDTH };
            let _ = write!(out, "{month:width$}");
        }
        _ => {}
    }
    Ok(())
}

/// By whether they are dotted, in lower case, and after noon.
const MERIDIEMS: [[[&str; 2]; 2]; 2] = [[["AM", "PM"], ["am", "pm"]], [["A.M.", "P.M."], ["a.m.", "p.m."]]];
/// By whether they are dotted, in lower case, and after the birth of Christ.
const ERAS: [[[&str; 2]; 2]; 2] = [[["BC", "AD"], ["bc", "ad"]], [["B.C.", "A.D."], ["b.c.", "a.d."]]];

fn write_name(field: &DateField, name: &str, case: Case, out: &mut String) {
    let short = matches!(field.pattern.meaning, Meaning::MonthShort(_) | Meaning::DayShort(_));
    let name = if short { name.get(..SHORT_LETTERS).unwrap_or_default() } else { name };
    let name = match case {
        Case::Upper => name.to_ascii_uppercase(),
        Case::Capital => name.to_owned(),
        Case::Lower => name.to_ascii_lowercase(),
    };
    let width = if short || field.fill_mode || field.translated { 0 } else { NAME_WIDTH };
    let _ = write!(out, "{name:width$}");
}

/// The months of an interval may be negative, or none with some years.
fn roman_month(value: &DateFields) -> &'static str {
    let position = match value.month {
        0 if value.year >= 0 => 0,
        0 => 11,
        month if month < 0 => -(month + 1),
        month => 12 - month,
    };
    usize::try_from(position).ok().and_then(|position| ROMAN_MONTHS.get(position)).copied().unwrap_or_default()
}

fn write_zone(field: &DateField, value: &DateFields, out: &mut String) -> Result<()> {
    value.must_be_date()?;
    let sign = if value.offset_s < 0 { '-' } else { '+' };
    let (hours, minutes) = (value.offset_s.abs() / 3600, value.offset_s.abs() / 60 % 60);
    let zone = value.zone.as_deref().unwrap_or_default();
    let _ = match field.pattern.meaning {
        Meaning::Zone { lower: false } => out.write_str(zone),
        Meaning::Zone { lower: true } => out.write_str(&zone.to_ascii_lowercase()),
        Meaning::ZoneHours => write!(out, "{sign}{hours:02}"),
        Meaning::ZoneMinutes => write!(out, "{minutes:02}"),
        _ => {
            let width = if field.fill_mode { 0 } else { 2 };
            let _ = write!(out, "{sign}{hours:0width$}");
            if value.offset_s % 3600 == 0 { Ok(()) } else { write!(out, ":{minutes:02}") }
        }
    };
    Ok(())
}

fn write_number(field: &DateField, value: &DateFields, out: &mut String) -> Result<()> {
    if let Meaning::YearWithComma = field.pattern.meaning {
        let year = value.written_year(value.year);
        return write_ordinal(field, &format!("{},{:03}", year / 1000, year % 1000), out);
    }
    let Some((number, width)) = number_and_width(field.pattern.meaning, value)? else { return Ok(()) };
    // PostgreSQL makes room for a sign where the whole value has one.
    let negative = match field.pattern.meaning {
        Meaning::Hour12 => value.hour < 0,
        Meaning::Year(_) | Meaning::IsoYear(_) => value.written_year(value.year) < 0,
        _ => number < 0,
    };
    let width = match width {
        _ if field.fill_mode && !is_fraction(field.pattern.meaning) => 0,
        width if negative && width > 1 && is_longer_with_sign(field.pattern.meaning) => width + 1,
        width => width,
    };
    write_ordinal(field, &format!("{number:0width$}"), out)
}

/// Fractions are padded always.
fn is_fraction(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::Fraction(_) | Meaning::Milliseconds | Meaning::Microseconds)
}

/// Whether the sign is not one of the digits that a number is padded to.
fn is_longer_with_sign(meaning: Meaning) -> bool {
    use Meaning::*;
    matches!(meaning, Hour24 | Hour12 | Minute | Second | Century | Month | Year(_) | IsoYear(_))
}

fn write_ordinal(field: &DateField, number: &str, out: &mut String) -> Result<()> {
    out.push_str(number);
    if let Some(ordinal) = field.ordinal {
        out.push_str(ordinal_ending(number, ordinal)?);
    }
    Ok(())
}

/// What a pattern that is a number shows, and the digits it is padded to.
fn number_and_width(meaning: Meaning, value: &DateFields) -> Result<Option<(i64, usize)>> {
    Ok(Some(match meaning {
        Meaning::Hour24 => (value.hour, 2),
        Meaning::Hour12 => (if value.hour % 12 == 0 { 12 } else { value.hour % 12 }, 2),
        Meaning::Minute => (value.minute, 2),
        Meaning::Second => (value.second, 2),
        Meaning::Fraction(digits) => (value.fraction_us / 10i64.pow(6 - digits), digits as usize),
        Meaning::Milliseconds => (value.fraction_us / 1000, 3),
        Meaning::Microseconds => (value.fraction_us, 6),
        Meaning::SecondsOfDay => (value.hour * 3600 + value.minute * 60 + value.second, 0),
        Meaning::Century => match value.century() {
            century if century.abs() <= 99 => (century, 2),
            century => (century, 0),
        },
        Meaning::Year(digits) => last_digits(value.written_year(value.year), digits),
        Meaning::IsoYear(digits) => last_digits(value.written_year(iso_year(value.year, value.julian())), digits),
        Meaning::Month => (value.month, 2),
        Meaning::Quarter if value.month == 0 => return Ok(None),
        Meaning::Quarter => ((value.month - 1) / 3 + 1, 0),
        Meaning::Day => (value.day, 2),
        Meaning::DayOfYear => (value.year_day, 3),
        Meaning::IsoDayOfYear => {
            let julian = value.julian();
            (julian - julian_of_iso_week(iso_year(value.year, julian), 1) + 1, 3)
        }
        Meaning::DayOfWeek => {
            value.must_be_date()?;
            (value.week_day() + 1, 0)
        }
        Meaning::IsoDayOfWeek => {
            value.must_be_date()?;
            ((value.week_day() + 6) % 7 + 1, 0)
        }
        Meaning::Week => ((value.year_day - 1) / 7 + 1, 2),
        Meaning::IsoWeek => {
            let julian = value.julian();
            ((julian - julian_of_iso_week(iso_year(value.year, julian), 1)) / 7 + 1, 2)
        }
        Meaning::WeekOfMonth => ((value.day - 1) / 7 + 1, 0),
        Meaning::Julian => (value.julian(), 0),
        _ => return Ok(None),
    }))
}

fn last_digits(year: i64, digits: u32) -> (i64, usize) {
    let number = if digits < 4 { year % 10i64.pow(digits) } else { year };
    (number, digits as usize)
}
