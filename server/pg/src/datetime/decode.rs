//! What the fields of a date or time mean (PostgreSQL's `DecodeDateTime` and `DecodeTimeOnly`).
//!
//! Which field a number is follows from its digits and from the fields before it; a field may come once.

mod time_only;

use super::numbers::{clock, fraction, fraction_us, integer, month_length, offset, read_fraction};
use super::parse::{DatetimeError, Moment, Result, local_us};
use super::tokens::{self, Kind, Token};
use super::words::{self, DateWord};
use super::zone::{self, Abbreviation, Zone};
use super::{DAY_US, SECOND_US, civil_of_day, day_of_civil};
use crate::styles::DateOrder;

pub(super) use time_only::time_only;

/// Two-digit years below this are in the 2000s.
const TWO_DIGIT_YEAR_PIVOT: i64 = 70;
/// The Julian day of 1970-01-01.
const JULIAN_1970: i64 = 2_440_588;

/// Which fields there are, as bits.
type Fields = u32;
const YEAR: Fields = 1;
const MONTH: Fields = 1 << 1;
const DAY: Fields = 1 << 2;
const DATE: Fields = YEAR | MONTH | DAY;
const HOUR: Fields = 1 << 3;
const MINUTE: Fields = 1 << 12;
const SECOND: Fields = 1 << 13;
const TIME: Fields = HOUR | MINUTE | SECOND;
const ZONE: Fields = 1 << 4;
const ZONE_DAYLIGHT: Fields = 1 << 5;
const DAYLIGHT_WORD: Fields = 1 << 6;
const DAY_OF_YEAR: Fields = 1 << 7;
const WEEKDAY: Fields = 1 << 8;
const MERIDIEM: Fields = 1 << 9;
const ERA: Fields = 1 << 10;
const SPECIAL: Fields = 1 << 11;

/// A value that stands for a moment without fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    Infinity,
    MinusInfinity,
    Epoch,
}

/// A date or time that has been understood.
#[derive(Debug, Clone)]
pub(super) struct Decoded {
    pub year: i64,
    pub month: u32,
    pub day_of_month: u32,
    pub has_date: bool,
    /// Microseconds since midnight, up to and including 24:00.
    pub time_us: i64,
    /// Seconds east of UTC, where a zone was written.
    pub zone_offset_s: Option<i64>,
    pub special: Option<Special>,
}

impl Decoded {
    /// Days since 1970.
    pub fn day(&self) -> i64 {
        day_of_civil(self.year, self.month, self.day_of_month)
    }
}

/// What a label before a number says of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    Julian,
    Time,
    /// The number is this field: `y2001m02d04`.
    Field(Fields),
    /// No number may follow.
    None,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Meridiem {
    Am,
    Pm,
}

#[derive(Default)]
struct Decoder {
    seen: Fields,
    year: i64,
    month: i64,
    day: i64,
    day_of_year: i64,
    hour: i64,
    minute: i64,
    second: i64,
    fraction_us: i64,
    meridiem: Option<Meridiem>,
    text_month: bool,
    two_digit_year: bool,
    julian: bool,
    before_christ: bool,
    label: Option<Label>,
    /// Seconds east of UTC.
    offset_s: i64,
    zone: Option<Zone>,
    special: Option<Special>,
    order: DateOrder,
}

/// Understands a date, with or without a time.
pub(super) fn datetime(text: &str, moment: &Moment) -> Result<Decoded> {
    let lower = text.to_ascii_lowercase();
    let tokens = tokens::split(&lower)?;
    let mut decoder = Decoder::reading(moment);
    for position in 0..tokens.len() {
        let fields = decoder.datetime_field(&tokens, position, moment)?;
        decoder.add(fields)?;
    }
    decoder.finish_datetime()
}

impl Decoder {
    /// One that takes numbers in the order that the session has set.
    fn reading(moment: &Moment) -> Self {
        Decoder { order: moment.order, ..Decoder::default() }
    }

    fn add(&mut self, fields: Fields) -> Result<()> {
        if self.seen & fields != 0 {
            return Err(DatetimeError::Syntax);
        }
        self.seen |= fields;
        Ok(())
    }

    fn has(&self, fields: Fields) -> bool {
        self.seen & fields == fields
    }

    fn datetime_field(&mut self, tokens: &[Token<'_>], position: usize, moment: &Moment) -> Result<Fields> {
        let token = &tokens[position];
        let text = token.text.as_ref();
        match token.kind {
            Kind::Date if self.label == Some(Label::Julian) => self.julian_with_zone(text),
            Kind::Date if self.has(DATE) || self.label.is_some() => self.time_or_zone(text),
            Kind::Date => self.date(text),
            Kind::Time => {
                match self.label.take() {
                    None | Some(Label::Time) => {}
                    Some(_) => return Err(DatetimeError::Syntax),
                }
                self.time(text)?;
                self.check_time()?;
                Ok(TIME)
            }
            Kind::Signed => {
                self.offset_s = offset(text)?;
                Ok(ZONE)
            }
            Kind::Number => match self.label.take() {
                Some(label) => self.labelled_number(text, label),
                None => self.bare_number(text),
            },
            Kind::Word | Kind::SignedWord => self.word(tokens, position, moment, false),
        }
    }

    /// `2451187+02`, after `j`.
    fn julian_with_zone(&mut self, text: &str) -> Result<Fields> {
        let (day, rest) = integer(text)?;
        self.set_julian(day)?;
        self.offset_s = offset(rest)?;
        self.label = None;
        Ok(DATE | TIME | ZONE)
    }

    fn set_julian(&mut self, day: i64) -> Result<()> {
        if day < 0 {
            return Err(DatetimeError::FieldOutOfRange);
        }
        self.julian = true;
        self.set_day(day - JULIAN_1970);
        Ok(())
    }

    fn set_day(&mut self, day: i64) {
        let (year, month, day) = civil_of_day(day);
        (self.year, self.month, self.day) = (year, i64::from(month), i64::from(day));
    }

    /// After a date: the name of a zone, or a time run together with its zone (`101112-08`).
    fn time_or_zone(&mut self, text: &str) -> Result<Fields> {
        if text.starts_with(|c: char| c.is_ascii_digit()) || self.label.is_some() {
            if self.label.take().is_some_and(|label| label != Label::Time) || self.has(TIME) {
                return Err(DatetimeError::Syntax);
            }
            return self.time_with_offset(text, self.seen);
        }
        self.named_zone(text)
    }

    fn time_with_offset(&mut self, text: &str, seen: Fields) -> Result<Fields> {
        let dash = text.find('-').ok_or(DatetimeError::Syntax)?;
        self.offset_s = offset(&text[dash..])?;
        Ok(self.run_together(&text[..dash], seen)? | ZONE)
    }

    fn named_zone(&mut self, text: &str) -> Result<Fields> {
        self.zone = Some(Zone::named(text).ok_or_else(|| DatetimeError::UnknownZone(text.to_owned()))?);
        Ok(ZONE)
    }

    /// A number after a label: `j 2451187.5`, `t 101112`.
    fn labelled_number(&mut self, text: &str, label: Label) -> Result<Fields> {
        let (number, rest) = integer(text)?;
        let fraction_allowed = matches!(label, Label::Julian | Label::Time | Label::Field(SECOND));
        let number_ends = rest.is_empty() || rest.starts_with('.') && fraction_allowed;
        if !number_ends {
            return Err(DatetimeError::Syntax);
        }
        self.special = None;
        match label {
            Label::Julian => {
                self.set_julian(number)?;
                if rest.is_empty() {
                    return Ok(DATE);
                }
                let us = (fraction(rest)? * DAY_US as f64) as i64;
                self.set_clock(us);
                Ok(DATE | TIME)
            }
            Label::Time => match self.run_together(text, self.seen | DATE)? {
                TIME => Ok(TIME),
                _ => Err(DatetimeError::Syntax),
            },
            Label::Field(field) => {
                // `m` is a month, and after an hour a minute.
                let field = if field == MONTH && self.has(MONTH | HOUR) { MINUTE } else { field };
                match field {
                    YEAR => self.year = number,
                    MONTH => self.month = number,
                    DAY => self.day = number,
                    HOUR => self.hour = number,
                    MINUTE => self.minute = number,
                    _ => {
                        self.second = number;
                        self.fraction_us = if rest.is_empty() { 0 } else { fraction_us(rest)? };
                    }
                }
                Ok(field)
            }
            Label::None => Err(DatetimeError::Syntax),
        }
    }

    fn set_clock(&mut self, us: i64) {
        let seconds = us / SECOND_US;
        (self.hour, self.minute, self.second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        self.fraction_us = us % SECOND_US;
    }

    fn bare_number(&mut self, text: &str) -> Result<Fields> {
        match text.find('.') {
            Some(_) if self.seen & DATE == 0 => self.date(text),
            Some(point) if point > 2 => self.run_together(text, self.seen),
            _ if text.len() >= 6 && (self.seen & DATE == 0 || !self.has(TIME)) => self.run_together(text, self.seen),
            _ => self.number(text, self.seen, self.text_month),
        }
    }

    /// A word. Abbreviations of zones come before the words of dates.
    fn word(&mut self, tokens: &[Token<'_>], position: usize, moment: &Moment, time_only: bool) -> Result<Fields> {
        let text = tokens[position].text.as_ref();
        match zone::abbreviation(text) {
            Some(Abbreviation::Fixed(offset_s, daylight)) => {
                self.offset_s = i64::from(offset_s);
                return Ok(if daylight { ZONE | ZONE_DAYLIGHT } else { ZONE });
            }
            Some(Abbreviation::Changing(zone)) => {
                self.zone = Some(zone);
                return Ok(ZONE);
            }
            None => {}
        }
        let Some(word) = words::date_word(text) else {
            self.zone = Some(Zone::named(text).ok_or(DatetimeError::Syntax)?);
            return Ok(ZONE);
        };
        match word {
            DateWord::Ignored => Ok(0),
            DateWord::Am | DateWord::Pm => {
                self.meridiem = Some(if word == DateWord::Am { Meridiem::Am } else { Meridiem::Pm });
                Ok(MERIDIEM)
            }
            DateWord::BeforeChrist | DateWord::AnnoDomini => {
                self.before_christ = word == DateWord::BeforeChrist;
                Ok(ERA)
            }
            DateWord::DaylightSaving => {
                self.offset_s += 3600;
                Ok(DAYLIGHT_WORD | ZONE_DAYLIGHT)
            }
            DateWord::Now => self.now(text, moment, time_only),
            DateWord::Allballs => {
                self.set_clock(0);
                (self.offset_s, self.special) = (0, None);
                Ok(TIME | ZONE)
            }
            DateWord::IsoTime => self.iso_time(tokens.get(position + 1), time_only),
            DateWord::Julian | DateWord::OtherUnit => {
                self.label = Some(match text {
                    "y" => Label::Field(YEAR),
                    "m" => Label::Field(MONTH),
                    "d" => Label::Field(DAY),
                    "h" => Label::Field(HOUR),
                    "mm" => Label::Field(MINUTE),
                    "s" => Label::Field(SECOND),
                    _ if word == DateWord::Julian => Label::Julian,
                    _ => Label::None,
                });
                Ok(0)
            }
            _ if time_only => Err(DatetimeError::Syntax),
            DateWord::Weekday => Ok(WEEKDAY),
            DateWord::Month(month) => Ok(self.set_text_month(month)),
            DateWord::Day(days) => {
                let today = current_local(text, moment)?.div_euclid(DAY_US);
                self.set_day(today + days);
                self.special = None;
                Ok(DATE)
            }
            DateWord::Infinity => Ok(self.set_special(Special::Infinity)),
            DateWord::MinusInfinity => Ok(self.set_special(Special::MinusInfinity)),
            DateWord::Epoch => Ok(self.set_special(Special::Epoch)),
        }
    }

    fn set_special(&mut self, special: Special) -> Fields {
        self.special = Some(special);
        SPECIAL
    }

    fn now(&mut self, text: &str, moment: &Moment, time_only: bool) -> Result<Fields> {
        let local = current_local(text, moment)?;
        self.set_clock(local.rem_euclid(DAY_US));
        if time_only {
            return Ok(TIME);
        }
        self.set_day(local.div_euclid(DAY_US));
        self.offset_s = (local - moment.now_us.unwrap_or(local)) / SECOND_US;
        self.special = None;
        Ok(DATE | TIME | ZONE)
    }

    /// `t` before a time.
    fn iso_time(&mut self, next: Option<&Token<'_>>, time_only: bool) -> Result<Fields> {
        let time_follows = next.is_some_and(|next| matches!(next.kind, Kind::Number | Kind::Time | Kind::Date));
        if !time_follows || !time_only && !self.has(DATE) {
            return Err(DatetimeError::Syntax);
        }
        self.label = Some(Label::Time);
        Ok(0)
    }

    /// A month by its name. What was taken for a month then is a day: `5 jan`.
    fn set_text_month(&mut self, month: i64) -> Fields {
        let mut fields = MONTH;
        if self.has(MONTH) && !self.text_month && !self.has(DAY) && (1..=31).contains(&self.month) {
            self.day = self.month;
            fields = DAY;
        }
        self.text_month = true;
        self.month = month;
        fields
    }

    /// A date with separators.
    fn date(&mut self, text: &str) -> Result<Fields> {
        let parts = date_parts(text);
        let (mut seen, mut found, mut text_month) = (self.seen, 0, false);
        for part in parts.iter().filter(|part| part.starts_with(|c: char| c.is_ascii_lowercase())) {
            match words::date_word(part) {
                Some(DateWord::Ignored) => {}
                Some(DateWord::Month(month)) if seen & MONTH == 0 => {
                    self.month = month;
                    text_month = true;
                    (seen, found) = (seen | MONTH, found | MONTH);
                }
                _ => return Err(DatetimeError::Syntax),
            }
        }
        for part in parts.iter().filter(|part| part.starts_with(|c: char| c.is_ascii_digit())) {
            let fields = self.number(part, seen, text_month)?;
            if seen & fields != 0 {
                return Err(DatetimeError::Syntax);
            }
            (seen, found) = (seen | fields, found | fields);
        }
        if seen & !(DAY_OF_YEAR | ZONE) == DATE { Ok(found) } else { Err(DatetimeError::Syntax) }
    }

    /// A number that is one field of a date, or a time after it.
    fn number(&mut self, text: &str, seen: Fields, text_month: bool) -> Result<Fields> {
        let (number, rest) = integer(text)?;
        if rest.starts_with('.') {
            if text.len() - rest.len() > 2 {
                return self.run_together(text, seen | DATE);
            }
            self.fraction_us = fraction_us(rest)?;
        } else if !rest.is_empty() {
            return Err(DatetimeError::Syntax);
        }
        let digits = text.len();
        if digits == 3 && seen & DATE == YEAR && (1..=366).contains(&number) {
            self.day_of_year = number;
            return Ok(DAY_OF_YEAR | MONTH | DAY);
        }
        let field = match seen & DATE {
            0 => {
                if digits >= 3 || self.order == DateOrder::Ymd {
                    YEAR
                } else if self.order == DateOrder::Dmy {
                    DAY
                } else {
                    MONTH
                }
            }
            YEAR | DAY => MONTH,
            MONTH if text_month && (digits >= 3 || self.order == DateOrder::Ymd) => YEAR,
            MONTH => DAY,
            YEAR_AND_MONTH if text_month && digits >= 3 && self.two_digit_year => {
                // What was taken for a year was the day.
                self.day = self.year;
                self.year = number;
                self.two_digit_year = false;
                return Ok(DAY);
            }
            YEAR_AND_MONTH => DAY,
            MONTH_AND_DAY => YEAR,
            DATE => return self.run_together(text, seen),
            _ => return Err(DatetimeError::Syntax),
        };
        match field {
            YEAR => {
                self.year = number;
                self.two_digit_year = digits <= 2;
            }
            MONTH => self.month = number,
            _ => self.day = number,
        }
        Ok(field)
    }

    /// A number that is a whole date (`20240105`) or a whole time (`101112.5`).
    fn run_together(&mut self, text: &str, seen: Fields) -> Result<Fields> {
        let digits = match text.split_once('.') {
            Some((digits, rest)) => {
                self.fraction_us = (read_fraction(rest)? * SECOND_US as f64).round_ties_even() as i64;
                digits
            }
            None => text,
        };
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(DatetimeError::Syntax);
        }
        let number = |text: &str| text.parse::<i32>().map(i64::from).map_err(|_| DatetimeError::FieldOutOfRange);
        let length = digits.len();
        if digits.len() == text.len() && seen & DATE != DATE && length >= 6 {
            self.year = number(&digits[..length - 4])?;
            self.month = number(&digits[length - 4..length - 2])?;
            self.day = number(&digits[length - 2..])?;
            self.two_digit_year = length == 6;
            return Ok(DATE);
        }
        if seen & TIME != TIME && matches!(length, 4 | 6) {
            self.hour = number(&digits[..2])?;
            self.minute = number(&digits[2..4])?;
            self.second = if length == 6 { number(&digits[4..])? } else { 0 };
            return Ok(TIME);
        }
        Err(DatetimeError::Syntax)
    }

    /// A time with colons.
    fn time(&mut self, text: &str) -> Result<()> {
        let clock = clock(text, false)?;
        if clock.hour > i64::from(i32::MAX) {
            return Err(DatetimeError::FieldOutOfRange);
        }
        (self.hour, self.minute, self.second) = (clock.hour, clock.minute, clock.second);
        self.fraction_us = clock.fraction_us;
        Ok(())
    }

    fn time_us(&self) -> i64 {
        (self.hour * 3600 + self.minute * 60 + self.second) * SECOND_US + self.fraction_us
    }

    fn check_time(&self) -> Result<()> {
        let fields =
            (0..=24).contains(&self.hour) && (0..=59).contains(&self.minute) && (0..=60).contains(&self.second);
        let valid = fields && (0..=DAY_US).contains(&self.time_us());
        if valid { Ok(()) } else { Err(DatetimeError::FieldOutOfRange) }
    }

    /// Makes the year, month and day what they mean, once all fields are known.
    fn finish_date(&mut self) -> Result<()> {
        if self.has(YEAR) && !self.julian {
            if self.before_christ {
                if self.year <= 0 {
                    return Err(DatetimeError::FieldOutOfRange);
                }
                self.year = 1 - self.year;
            } else if self.two_digit_year {
                self.year += if self.year < TWO_DIGIT_YEAR_PIVOT { 2000 } else { 1900 };
            } else if self.year <= 0 {
                return Err(DatetimeError::FieldOutOfRange);
            }
        }
        if self.has(DAY_OF_YEAR) {
            let day = day_of_civil(self.year, 1, 1) + self.day_of_year - 1;
            self.set_day(day);
        }
        let month_valid = !self.has(MONTH) || (1..=12).contains(&self.month);
        if !month_valid || self.has(DAY) && !(1..=31).contains(&self.day) {
            return Err(DatetimeError::MonthOrDayOutOfRange);
        }
        if self.has(DATE) && self.day > month_length(self.year, self.month) {
            return Err(DatetimeError::FieldOutOfRange);
        }
        Ok(())
    }

    fn finish_meridiem(&mut self) -> Result<()> {
        match self.meridiem {
            Some(_) if self.hour > 12 => return Err(DatetimeError::FieldOutOfRange),
            Some(Meridiem::Am) if self.hour == 12 => self.hour = 0,
            Some(Meridiem::Pm) if self.hour != 12 => self.hour += 12,
            _ => {}
        }
        Ok(())
    }

    fn finish_datetime(mut self) -> Result<Decoded> {
        self.finish_date()?;
        self.finish_meridiem()?;
        if self.special.is_some() {
            return Ok(self.decoded(None));
        }
        if !self.has(DATE) {
            return Err(DatetimeError::Syntax);
        }
        self.check_zone()?;
        // The clock of a number such as 256070 has not been looked at; it runs over into the next day as in PostgreSQL.
        let decoded = self.decoded(None);
        let offset = match &self.zone {
            Some(zone) => Some(i64::from(zone.offset_at_local(local_us(decoded.day(), decoded.time_us)?))),
            None => self.has(ZONE).then_some(self.offset_s),
        };
        Ok(Decoded { zone_offset_s: offset, ..decoded })
    }

    /// `dst` goes with an abbreviation of an offset only.
    fn check_zone(&self) -> Result<()> {
        let misplaced = self.has(DAYLIGHT_WORD) && (self.zone.is_some() || !self.has(ZONE));
        if misplaced { Err(DatetimeError::Syntax) } else { Ok(()) }
    }

    fn decoded(&self, zone_offset_s: Option<i64>) -> Decoded {
        Decoded {
            year: self.year,
            month: self.month as u32,
            day_of_month: self.day as u32,
            has_date: self.has(DATE),
            time_us: self.time_us(),
            zone_offset_s,
            special: self.special,
        }
    }
}

const YEAR_AND_MONTH: Fields = YEAR | MONTH;
const MONTH_AND_DAY: Fields = MONTH | DAY;

/// The parts of a date: runs of digits and runs of letters.
fn date_parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        rest = &rest[start..];
        let digits = rest.starts_with(|c: char| c.is_ascii_digit());
        let belongs = |c: char| if digits { c.is_ascii_digit() } else { c.is_ascii_alphabetic() };
        let end = rest.find(|c: char| !belongs(c)).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        parts.push(part);
        // One character after a part separates it, whatever it is.
        let mut characters = after.chars();
        characters.next();
        rest = characters.as_str();
    }
    parts
}

/// The local time of a session.
fn current_local(word: &str, moment: &Moment) -> Result<i64> {
    let now_us = moment.now_us.ok_or_else(|| DatetimeError::WordNotSupported(word.to_owned()))?;
    moment.zone.local(now_us).ok_or(DatetimeError::OutOfRange)
}
