//! Dates and times in files, in a form that a load names: `DATEFORMAT 'DD.MM.YYYY'`, `TIMEFORMAT 'epochsecs'`.
//!
//! A text is taken apart by the form and written down as ISO 8601 has it, so that the input functions of the types decide
//! what is a date. Both forms have Redshift's letters, of which `HH` is the hour of 24.

use crate::error::PgError;
use crate::sqlstate::SqlState;
use chrono::DateTime;

/// Names of months, by their first three letters.
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A form of dates or times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum DateFormat {
    /// Whatever the input function understands.
    #[default]
    Auto,
    /// Seconds since 1970, perhaps with a fraction.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMilliseconds,
    /// Parts, one behind the other.
    Parts(Vec<Part>),
}

/// A part of a date or time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `YYYY`
    Year,
    /// `YY`, of 1970 to 2069
    ShortYear,
    /// `MM`
    Month,
    /// `MON`: a name, or its first three letters
    MonthName,
    /// `DD`
    Day,
    /// `HH`, `HH24`
    Hour,
    /// `HH12`
    Hour12,
    /// `MI`
    Minute,
    /// `SS`, perhaps with a fraction
    Second,
    /// `AM`, `PM`
    Meridiem,
    /// `OF`: how far from UTC, or `Z`
    Offset,
    /// A character that stands for itself.
    Literal(char),
}

/// What a text tells, part by part.
#[derive(Debug, Default)]
struct Found<'a> {
    year: Option<u32>,
    month: Option<usize>,
    day: Option<&'a str>,
    hour: Option<u32>,
    is_afternoon: Option<bool>,
    minute: Option<&'a str>,
    second: Option<&'a str>,
    offset: Option<&'a str>,
}

const LETTERS: [(&str, Part); 13] = [
    ("YYYY", Part::Year),
    ("YY", Part::ShortYear),
    ("MON", Part::MonthName),
    ("MM", Part::Month),
    ("MI", Part::Minute),
    ("DD", Part::Day),
    ("HH24", Part::Hour),
    ("HH12", Part::Hour12),
    ("HH", Part::Hour),
    ("SS", Part::Second),
    ("AM", Part::Meridiem),
    ("PM", Part::Meridiem),
    ("OF", Part::Offset),
];

impl DateFormat {
    /// The form that a text names; `of_times` may be counted from 1970.
    ///
    /// # Errors
    /// 22023 for what is none.
    pub fn named(text: &str, of_times: bool) -> Result<Self, PgError> {
        match text.to_ascii_lowercase().as_str() {
            "auto" => return Ok(DateFormat::Auto),
            "epochsecs" if of_times => return Ok(DateFormat::EpochSeconds),
            "epochmillisecs" if of_times => return Ok(DateFormat::EpochMilliseconds),
            _ => {}
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let begins =
                |letters: &str| rest.get(..letters.len()).is_some_and(|head| head.eq_ignore_ascii_case(letters));
            let (part, length) = match LETTERS.iter().find(|(letters, _)| begins(letters)) {
                Some((letters, part)) => (*part, letters.len()),
                // Between a date and its time.
                None if first.eq_ignore_ascii_case(&'T') || !first.is_ascii_alphanumeric() => {
                    (Part::Literal(first), first.len_utf8())
                }
                None => return Err(unknown(text)),
            };
            if !matches!(part, Part::Literal(_)) && parts.contains(&part) {
                return Err(unknown(text));
            }
            parts.push(part);
            rest = &rest[length..];
        }
        let has_day = parts.contains(&Part::Day) && [Part::Month, Part::MonthName].iter().any(|it| parts.contains(it));
        if !has_day || ![Part::Year, Part::ShortYear].iter().any(|it| parts.contains(it)) {
            return Err(unknown(text));
        }
        Ok(DateFormat::Parts(parts))
    }

    /// What a text in this form is in ISO 8601; `None` when it is not in this form.
    pub fn iso(&self, text: &str) -> Option<String> {
        match self {
            DateFormat::Auto => Some(text.to_owned()),
            DateFormat::EpochSeconds => from_epoch(text, 6),
            DateFormat::EpochMilliseconds => from_epoch(text, 3),
            DateFormat::Parts(parts) => Found::in_text(parts, text.trim())?.iso(),
        }
    }
}

fn unknown(text: &str) -> PgError {
    PgError::new(SqlState::INVALID_PARAMETER_VALUE, format!("invalid format of dates and times \"{text}\""))
}

/// A moment in seconds, of which `digits` digits more are microseconds.
fn from_epoch(text: &str, digits: usize) -> Option<String> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let negative = whole.starts_with('-');
    let units: i64 = whole.parse().ok()?;
    let fraction: i64 = format!("{fraction:0<digits$}").get(..digits)?.parse().ok()?;
    let scale = 10_i64.pow(digits as u32);
    let whole_us = units.checked_mul(scale)?;
    let us = if negative { whole_us.checked_sub(fraction)? } else { whole_us.checked_add(fraction)? };
    Some(DateTime::from_timestamp_micros(us)?.format("%Y-%m-%d %H:%M:%S%.6f").to_string())
}

impl<'a> Found<'a> {
    fn in_text(parts: &[Part], text: &'a str) -> Option<Self> {
        let mut found = Found::default();
        let mut rest = text;
        for part in parts {
            let length = match part {
                Part::Year => digits(rest, 4).filter(|length| *length == 4)?,
                Part::ShortYear => digits(rest, 2).filter(|length| *length == 2)?,
                Part::Month | Part::Day | Part::Hour | Part::Hour12 | Part::Minute => digits(rest, 2)?,
                Part::Second => seconds(rest)?,
                Part::MonthName => rest.bytes().take_while(u8::is_ascii_alphabetic).count(),
                Part::Meridiem => 2,
                Part::Offset => offset(rest)?,
                Part::Literal(character) => character.len_utf8(),
            };
            let piece = rest.get(..length)?;
            rest = &rest[length..];
            match part {
                Part::Year => found.year = piece.parse().ok(),
                Part::ShortYear => {
                    let year: u32 = piece.parse().ok()?;
                    found.year = Some(if year < 70 { 2000 + year } else { 1900 + year });
                }
                Part::Month => found.month = piece.parse().ok(),
                Part::MonthName => found.month = Some(month(piece)?),
                Part::Day => found.day = Some(piece),
                Part::Hour => found.hour = piece.parse().ok(),
                Part::Hour12 => found.hour = Some(piece.parse().ok().filter(|hour| (1..=12).contains(hour))?),
                Part::Minute => found.minute = Some(piece),
                Part::Second => found.second = Some(piece),
                Part::Meridiem if piece.eq_ignore_ascii_case("am") => found.is_afternoon = Some(false),
                Part::Meridiem if piece.eq_ignore_ascii_case("pm") => found.is_afternoon = Some(true),
                Part::Meridiem => return None,
                Part::Offset => found.offset = Some(piece),
                Part::Literal(character) if piece.chars().eq([*character]) => {}
                Part::Literal(_) => return None,
            }
        }
        rest.is_empty().then_some(found)
    }

    fn iso(self) -> Option<String> {
        let date = format!("{:04}-{:02}-{:0>2}", self.year?, self.month?, self.day?);
        let Some(hour) = self.hour else { return Some(date) };
        let hour = match self.is_afternoon {
            None => hour,
            Some(is_afternoon) => hour % 12 + if is_afternoon { 12 } else { 0 },
        };
        let (minute, second) = (self.minute.unwrap_or("00"), self.second.unwrap_or("00"));
        Some(format!("{date} {hour:02}:{minute:0>2}:{second:0>2}{}", self.offset.unwrap_or_default()))
    }
}

/// How many digits the text begins with, one at least and so many at most.
fn digits(text: &str, most: usize) -> Option<usize> {
    let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    (digits > 0).then_some(digits)
}

fn seconds(text: &str) -> Option<usize> {
    let whole = digits(text, 2)?;
    let fraction = text[whole..].strip_prefix('.').map_or(0, |rest| digits(rest, usize::MAX).map_or(0, |it| it + 1));
    Some(whole + fraction)
}

fn offset(text: &str) -> Option<usize> {
    if text.starts_with(['Z', 'z']) {
        return Some(1);
    }
    text.starts_with(['+', '-']).then(|| text.bytes().take_while(|byte| b"+-:0123456789".contains(byte)).count())
}

fn month(name: &str) -> Option<usize> {
    let short = name.get(..3)?.to_ascii_lowercase();
    MONTHS.iter().position(|month| *month == short).map(|place| place + 1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check(format: &str, text: &str, expected: Option<&str>) {
        assert_eq!(DateFormat::named(format, true).unwrap().iso(text).as_deref(), expected, "{format} {text}");
    }

    #[test]
    fn texts_are_taken_apart_by_the_form() {
        check("DD.MM.YYYY", "1.12.2024", Some("2024-12-01"));
        check("MM/DD/YY", "12/31/69", Some("2069-12-31"));
        check("mon-dd-yyyy", "Sept-1-2024", Some("2024-09-01"));
        check("YYYYMMDD", "20240131", Some("2024-01-31"));
        check("YYYY-MM-DDTHH:MI:SS", "2024-01-02T15:04:05.678", Some("2024-01-02 15:04:05.678"));
        check("YYYY-MM-DD HH12:MI AM", "2024-01-02 12:04 pm", Some("2024-01-02 12:04:00"));
        check("YYYY-MM-DD HH12:MI AM", "2024-01-02 12:04 am", Some("2024-01-02 00:04:00"));
        check("YYYY-MM-DD HH:MI:SSOF", "2024-01-02 03:04:05+02", Some("2024-01-02 03:04:05+02"));
    }

    #[test]
    fn what_is_not_in_the_form_is_none() {
        check("DD.MM.YYYY", "2024-12-01", None);
        check("DD.MM.YYYY", "1.12.24", None);
        check("YYYY-MM-DD", "2024-01-02 03:04:05", None);
        check("YYYY-MON-DD", "2024-xyz-02", None);
        check("YYYY-MM-DD HH12:MI AM", "2024-01-02 13:04 pm", None);
        for format in ["DD.MM", "YYYY-MM-DD-DD", "YYYY-QQ-DD", ""] {
            assert!(DateFormat::named(format, true).is_err(), "{format}");
        }
        assert!(DateFormat::named("epochsecs", false).is_err());
    }

    #[test]
    fn moments_are_counted_from_1970() {
        check("epochsecs", "1704164645", Some("2024-01-02 03:04:05.000000"));
        check("epochsecs", "-1.5", Some("1969-12-31 23:59:58.500000"));
        check("EPOCHMILLISECS", "1704164645678", Some("2024-01-02 03:04:05.678000"));
        check("epochsecs", "99999999999999", None);
        check("epochsecs", "x", None);
    }
}
