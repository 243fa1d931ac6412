//! Dates, times and timestamps from text, with `DateStyle` "ISO, MDY" and the session zone UTC.
//!
//! The forms are those PostgreSQL prints, other ISO 8601 forms, dates with slashes, points or names of months, and
//! `infinity` and `epoch`. Words that depend on the clock (`now`, `today`) and zones with a name are refused by name: a
//! guess would be a wrong value.

use super::{
    DATE_INFINITY, DATE_MINUS_INFINITY, DAY_MAX, DAY_MIN, DAY_US, SECOND_US, TIMESTAMP_INFINITY, TIMESTAMP_MIN_US,
    TIMESTAMP_MINUS_INFINITY, day_of_civil,
};

/// Date fields of one value: year, month and day.
const DATE_FIELDS_MAX: usize = 3;
/// Hours of the widest offset from UTC, exclusive (`MAX_TZDISP_HOUR`).
const ZONE_HOURS_END: i64 = 16;
/// Two-digit years below this are in the 2000s.
const TWO_DIGIT_YEAR_PIVOT: i64 = 70;
/// Digits of a number that is read; longer ones are no field of any date.
const NUMBER_DIGITS_MAX: usize = 9;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// Words whose value depends on the clock.
const CLOCK_WORDS: [&str; 4] = ["now", "today", "tomorrow", "yesterday"];
/// Zones that are UTC under another name.
const UTC_NAMES: [&str; 6] = ["z", "utc", "gmt", "ut", "zulu", "uct"];
/// Abbreviations of zones that PostgreSQL knows and clients still send.
const ZONE_ABBREVIATIONS: [&str; 16] =
    ["bst", "cdt", "cest", "cet", "cst", "edt", "eest", "eet", "est", "hst", "ist", "jst", "mdt", "msk", "mst", "pst"];

/// Why a text is not a date or time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatetimeError {
    /// It does not have the form of one.
    Syntax,
    /// A field has a value that it cannot have: month 13.
    FieldOutOfRange,
    /// An offset from UTC is too large.
    ZoneOutOfRange,
    /// The value is beyond the first or last one of the type.
    OutOfRange,
    /// It names a zone other than UTC.
    ZoneNotSupported(String),
    /// It is a word whose value depends on the clock.
    WordNotSupported(String),
}

/// The result of reading a date, time or interval.
pub type Result<T> = std::result::Result<T, DatetimeError>;

/// What a text said, field by field.
#[derive(Default)]
struct Fields {
    date: DateFields,
    /// Microseconds since midnight, up to and including 24:00.
    time_us: Option<i64>,
    meridiem: Option<Meridiem>,
    /// Seconds east of UTC.
    zone: Option<i64>,
    special: Option<Special>,
}

#[derive(Default)]
struct DateFields {
    numbers: [(i64, usize); DATE_FIELDS_MAX],
    count: usize,
    /// The month, where it has its name.
    month: Option<u32>,
    before_christ: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Meridiem {
    Am,
    Pm,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Special {
    Infinity,
    MinusInfinity,
    Epoch,
}

/// Reads a date, in days since 1970. A time of day is allowed and ignored.
pub fn date(text: &str) -> Result<i32> {
    let fields = Fields::read(text)?;
    match fields.special {
        Some(Special::Infinity) => return Ok(DATE_INFINITY),
        Some(Special::MinusInfinity) => return Ok(DATE_MINUS_INFINITY),
        Some(Special::Epoch) => return Ok(0),
        None => {}
    }
    let day = fields.date.day()?;
    let in_range = (DAY_MIN..=DAY_MAX).contains(&day);
    i32::try_from(day).ok().filter(|_| in_range).ok_or(DatetimeError::OutOfRange)
}

/// Reads a time of day, in microseconds. A date before it is allowed and ignored.
pub fn time(text: &str) -> Result<i64> {
    let fields = Fields::read(text)?;
    if fields.special.is_some() {
        return Err(DatetimeError::Syntax);
    }
    if fields.date.count > 0 || fields.date.month.is_some() {
        fields.date.day()?;
    }
    fields.time_of_day()?.ok_or(DatetimeError::Syntax)
}

/// Reads a timestamp without time zone, in microseconds since 1970. A zone is allowed and ignored.
pub fn timestamp(text: &str) -> Result<i64> {
    Fields::read(text)?.timestamp(0)
}

/// Reads a timestamp with time zone, in microseconds since 1970 UTC. Without a zone it is in UTC.
pub fn timestamp_with_zone(text: &str) -> Result<i64> {
    let fields = Fields::read(text)?;
    let zone = fields.zone.unwrap_or(0);
    fields.timestamp(zone)
}

impl Fields {
    fn timestamp(self, zone_seconds: i64) -> Result<i64> {
        match self.special {
            Some(Special::Infinity) => return Ok(TIMESTAMP_INFINITY),
            Some(Special::MinusInfinity) => return Ok(TIMESTAMP_MINUS_INFINITY),
            Some(Special::Epoch) => return Ok(0),
            None => {}
        }
        let day = self.date.day()?;
        let time_us = self.time_of_day()?.unwrap_or(0);
        // The two extreme values are the infinities and no timestamps.
        day.checked_mul(DAY_US)
            .and_then(|day_us| day_us.checked_add(time_us - zone_seconds * SECOND_US))
            .filter(|timestamp_us| (TIMESTAMP_MIN_US..TIMESTAMP_INFINITY).contains(timestamp_us))
            .ok_or(DatetimeError::OutOfRange)
    }

    fn time_of_day(&self) -> Result<Option<i64>> {
        let (Some(time_us), Some(meridiem)) = (self.time_us, self.meridiem) else {
            return if self.meridiem.is_some() { Err(DatetimeError::Syntax) } else { Ok(self.time_us) };
        };
        let half_day = DAY_US / 2;
        let hour_twelve = time_us >= half_day && time_us < half_day + 3600 * SECOND_US;
        match meridiem {
            _ if time_us >= half_day && !hour_twelve => Err(DatetimeError::FieldOutOfRange),
            Meridiem::Am if hour_twelve => Ok(Some(time_us - half_day)),
            Meridiem::Pm if !hour_twelve => Ok(Some(time_us + half_day)),
            _ => Ok(Some(time_us)),
        }
    }

    /// Splits a text into fields, from left to right.
    fn read(text: &str) -> Result<Fields> {
        let mut fields = Fields::default();
        let mut rest = text.as_bytes();
        let mut empty = true;
        while let Some(first) = rest.first() {
            rest = match first {
                b' ' | b'\t'..=b'\r' | b',' => {
                    rest = &rest[1..];
                    continue;
                }
                b'0'..=b'9' => fields.read_number(rest)?,
                b'+' | b'-' => fields.read_signed(rest)?,
                it if it.is_ascii_alphabetic() => fields.read_word(rest)?,
                _ => return Err(DatetimeError::Syntax),
            };
            empty = false;
        }
        if empty { Err(DatetimeError::Syntax) } else { fields.check_special() }
    }

    /// A special value stands alone.
    fn check_special(self) -> Result<Fields> {
        let others = self.date.count > 0 || self.date.month.is_some() || self.time_us.is_some();
        if self.special.is_some() && others { Err(DatetimeError::Syntax) } else { Ok(self) }
    }

    /// Reads what starts with a digit: a time, a date with separators, or a number alone.
    fn read_number<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8]> {
        let (digits, rest) = split_while(bytes, |b| b.is_ascii_digit());
        match rest {
            [b':', ..] => {
                let (time, rest) = split_while(bytes, |b| b.is_ascii_digit() || matches!(b, b':' | b'.'));
                self.set_time(read_time(time)?)?;
                Ok(rest)
            }
            [separator @ (b'-' | b'/' | b'.'), ..] => self.read_separated(digits, *separator, rest),
            _ => {
                self.push_bare_number(digits)?;
                Ok(rest)
            }
        }
    }

    /// Reads a date whose fields have one separator: `2024-01-05`, `1/5/2024`, `5-Jan-2024`.
    fn read_separated<'a>(&mut self, digits: &[u8], separator: u8, mut rest: &'a [u8]) -> Result<&'a [u8]> {
        self.date.push(digits)?;
        for _ in 1..DATE_FIELDS_MAX {
            let Some(after) = rest.strip_prefix(&[separator]) else {
                return Err(DatetimeError::Syntax);
            };
            let numeric = after.first().is_some_and(u8::is_ascii_digit);
            let (field, after) =
                split_while(after, |b| if numeric { b.is_ascii_digit() } else { b.is_ascii_alphabetic() });
            if numeric {
                self.date.push(field)?;
            } else {
                let month = month_of(&field.to_ascii_lowercase()).ok_or(DatetimeError::Syntax)?;
                self.date.set_month(month)?;
            }
            rest = after;
        }
        Ok(rest)
    }

    /// A number without separators: a whole date, a whole time after a date, or one field of a date.
    fn push_bare_number(&mut self, digits: &[u8]) -> Result<()> {
        let first = self.date.count == 0 && self.date.month.is_none();
        match digits.len() {
            8 | 6 if first => {
                let (year, month_and_day) = digits.split_at(digits.len() - 4);
                self.date.push(year)?;
                self.date.push(&month_and_day[..2])?;
                self.date.push(&month_and_day[2..])?;
                self.date.year_first();
                Ok(())
            }
            6 | 4 if self.date.is_complete() => {
                let colons: Vec<&[u8]> = digits.chunks(2).collect();
                self.set_time(read_time(&colons.join(&b':'))?)
            }
            _ => self.date.push(digits),
        }
    }

    /// Reads what starts with a sign: a zone after a time or date, or `-infinity`.
    fn read_signed<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8]> {
        let negative = bytes[0] == b'-';
        if bytes.get(1).is_some_and(u8::is_ascii_alphabetic) {
            let (word, rest) = split_while(&bytes[1..], |b| b.is_ascii_alphabetic());
            if !negative || !word.eq_ignore_ascii_case(b"infinity") {
                return Err(DatetimeError::Syntax);
            }
            self.set_special(Special::MinusInfinity)?;
            return Ok(rest);
        }
        let (zone, rest) = split_while(&bytes[1..], |b| b.is_ascii_digit() || *b == b':');
        if !self.date.is_complete() && self.time_us.is_none() {
            return Err(DatetimeError::Syntax);
        }
        let seconds = read_zone(zone)?;
        self.set_zone(if negative { -seconds } else { seconds })?;
        Ok(rest)
    }

    fn read_word<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8]> {
        let (word, rest) = split_while(bytes, |b| b.is_ascii_alphabetic() || matches!(b, b'/' | b'_'));
        let lower = word.to_ascii_lowercase();
        let text = std::str::from_utf8(&lower).map_err(|_| DatetimeError::Syntax)?;
        match text {
            // A separator between date and time, or before a time.
            "t" if rest.first().is_some_and(u8::is_ascii_digit) => {}
            "am" => self.set_meridiem(Meridiem::Am)?,
            "pm" => self.set_meridiem(Meridiem::Pm)?,
            "bc" => self.date.before_christ = true,
            "ad" | "at" | "on" => {}
            "infinity" => self.set_special(Special::Infinity)?,
            "epoch" => self.set_special(Special::Epoch)?,
            _ if UTC_NAMES.contains(&text) => self.set_zone(0)?,
            _ if WEEKDAYS.iter().any(|day| *day == text || &day[..3] == text) => {}
            _ if CLOCK_WORDS.contains(&text) => return Err(DatetimeError::WordNotSupported(text.to_owned())),
            _ => match month_of(&lower) {
                Some(month) => self.date.set_month(month)?,
                None => return Err(unknown_word(word, text)),
            },
        }
        Ok(rest)
    }

    fn set_time(&mut self, time_us: i64) -> Result<()> {
        set_once(&mut self.time_us, time_us)
    }

    fn set_zone(&mut self, zone: i64) -> Result<()> {
        set_once(&mut self.zone, zone)
    }

    fn set_meridiem(&mut self, meridiem: Meridiem) -> Result<()> {
        set_once(&mut self.meridiem, meridiem)
    }

    fn set_special(&mut self, special: Special) -> Result<()> {
        set_once(&mut self.special, special)
    }
}

impl DateFields {
    fn push(&mut self, digits: &[u8]) -> Result<()> {
        let limit = DATE_FIELDS_MAX - usize::from(self.month.is_some());
        if self.count == limit {
            return Err(DatetimeError::Syntax);
        }
        self.numbers[self.count] = (read_digits(digits)?, digits.len());
        self.count += 1;
        Ok(())
    }

    fn set_month(&mut self, month: u32) -> Result<()> {
        if self.count == DATE_FIELDS_MAX {
            return Err(DatetimeError::Syntax);
        }
        set_once(&mut self.month, month)
    }

    /// Marks the first number as the year however few digits it has: `240105`.
    fn year_first(&mut self) {
        let (year, digits) = self.numbers[0];
        self.numbers[0] = (if digits == 2 { four_digit_year(year) } else { year }, 4);
    }

    fn is_complete(&self) -> bool {
        self.count + usize::from(self.month.is_some()) == DATE_FIELDS_MAX
    }

    /// Days since 1970.
    fn day(&self) -> Result<i64> {
        if !self.is_complete() {
            return Err(DatetimeError::Syntax);
        }
        let ((year, digits), month, day) = self.year_month_day();
        let year = match (self.before_christ, digits) {
            (true, _) => 1 - year,
            (false, ..=2) => four_digit_year(year),
            (false, _) => year,
        };
        // There is no year 0: 1 BC is followed by 1 AD.
        let year_written = if self.before_christ { 1 - year } else { year };
        let month = u32::try_from(month).ok().filter(|month| (1..=12).contains(month));
        let valid = month.and_then(|month| {
            let day = u32::try_from(day).ok().filter(|day| (1..=month_length(year, month)).contains(day))?;
            Some(day_of_civil(year, month, day))
        });
        valid.filter(|_| year_written > 0).ok_or(DatetimeError::FieldOutOfRange)
    }

    /// Which number is which: a year of three digits or more is one wherever it stands; otherwise the order is month,
    /// day, year, and day, year where the month has its name.
    fn year_month_day(&self) -> ((i64, usize), i64, i64) {
        let [first, second, third] = self.numbers;
        match self.month {
            Some(month) if first.1 > 2 => (first, i64::from(month), second.0),
            Some(month) => (second, i64::from(month), first.0),
            None if first.1 > 2 => (first, second.0, third.0),
            None => (third, first.0, second.0),
        }
    }
}

fn set_once<T>(slot: &mut Option<T>, value: T) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(DatetimeError::Syntax),
    }
}

fn split_while(bytes: &[u8], belongs: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|b| !belongs(b)).unwrap_or(bytes.len());
    bytes.split_at(end)
}

fn read_digits(digits: &[u8]) -> Result<i64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(DatetimeError::Syntax);
    }
    if digits.len() > NUMBER_DIGITS_MAX {
        return Err(DatetimeError::FieldOutOfRange);
    }
    Ok(digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
}

/// `10:11`, `10:11:12`, `10:11:12.5`; two fields with a fraction are minutes and seconds. A 60th second and 24:00:00 are
/// allowed.
fn read_time(text: &[u8]) -> Result<i64> {
    let (whole, fraction) = split_while(text, |b| *b != b'.');
    let mut fields = [0i64; 3];
    let mut count = 0;
    for part in whole.split(|b| *b == b':') {
        *fields.get_mut(count).ok_or(DatetimeError::Syntax)? = read_digits(part)?;
        count += 1;
    }
    if count < 2 {
        return Err(DatetimeError::Syntax);
    }
    if count == 2 && !fraction.is_empty() {
        fields.rotate_right(1);
    }
    let [hours, minutes, seconds] = fields;
    let time_us = (hours * 3600 + minutes * 60 + seconds) * SECOND_US + read_fraction(fraction)?;
    if minutes > 59 || seconds > 60 || hours > 24 || time_us > DAY_US {
        return Err(DatetimeError::FieldOutOfRange);
    }
    Ok(time_us)
}

/// Microseconds of `.123456789`, rounded as PostgreSQL rounds: through a double, half to even.
fn read_fraction(text: &[u8]) -> Result<i64> {
    let Some((b'.', digits)) = text.split_first() else {
        return Ok(0);
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(DatetimeError::Syntax);
    }
    if digits.len() <= 6 {
        let value = digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
        return Ok(value * 10i64.pow(6 - digits.len() as u32));
    }
    let text = std::str::from_utf8(digits).map_err(|_| DatetimeError::Syntax)?;
    let seconds: f64 = format!("0.{text}").parse().map_err(|_| DatetimeError::Syntax)?;
    Ok((seconds * SECOND_US as f64).round_ties_even() as i64)
}

/// Seconds of `2`, `02`, `0230`, `02:30` or `02:30:15`.
fn read_zone(text: &[u8]) -> Result<i64> {
    let mut fields = [0i64; 3];
    if text.contains(&b':') {
        for (position, part) in text.split(|b| *b == b':').enumerate() {
            *fields.get_mut(position).ok_or(DatetimeError::Syntax)? = read_digits(part)?;
        }
    } else if text.len() > 2 {
        let (hours, minutes) = text.split_at(text.len() - 2);
        fields = [read_digits(hours)?, read_digits(minutes)?, 0];
    } else {
        fields[0] = read_digits(text)?;
    }
    let [hours, minutes, seconds] = fields;
    if hours >= ZONE_HOURS_END || minutes > 59 || seconds > 59 {
        return Err(DatetimeError::ZoneOutOfRange);
    }
    Ok(hours * 3600 + minutes * 60 + seconds)
}

fn month_of(lower: &[u8]) -> Option<u32> {
    let lower = if lower == b"sept" { b"sep" } else { lower };
    let position = MONTHS.iter().position(|name| name.as_bytes() == lower || &name.as_bytes()[..3] == lower)?;
    Some(position as u32 + 1)
}

fn unknown_word(word: &[u8], lower: &str) -> DatetimeError {
    if lower.contains('/') || ZONE_ABBREVIATIONS.contains(&lower) {
        return DatetimeError::ZoneNotSupported(String::from_utf8_lossy(word).into_owned());
    }
    DatetimeError::Syntax
}

fn four_digit_year(year: i64) -> i64 {
    if year < TWO_DIGIT_YEAR_PIVOT { year + 2000 } else { year + 1900 }
}

fn month_length(year: i64, month: u32) -> u32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    }
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
        for text in ["2024-13-01", "2024-02-30", "2023-02-29", "2024-00-10", "2024-01-00", "0000-01-01", "24-1-5"] {
            check_date(text, Err(DatetimeError::FieldOutOfRange));
        }
        for text in ["", " ", "abc", "2024", "2024-01", "2024-01/05", "-2024-01-05", "inf", "2024-01-05 2024-01-05"] {
            check_date(text, Err(DatetimeError::Syntax));
        }
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
        for zone in ["Europe/Berlin", "EST"] {
            let text = format!("2024-01-05 10:11:12 {zone}");
            check_timestamp(&text, Err(DatetimeError::ZoneNotSupported(zone.to_owned())));
        }
    }
}
