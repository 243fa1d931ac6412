//! The fields of a date in a text, found by a template.

use super::date_template::{Convention, DateField, Meaning};
use super::template::{Node, is_separator, is_space};
use super::write_date::{DAYS, MONTHS, ROMAN_MONTHS, SHORT_LETTERS};
use crate::error::{PgError, Result};
use crate::sqlstate::SqlState;

/// What a text said. Zero is what was not said, and no contradiction to anything.
#[derive(Debug, Default)]
pub struct ReadFields {
    /// Convention of the patterns that were read.
    pub convention: Option<Convention>,
    /// `HH24` or `HH12`
    pub hour: i32,
    /// 1 after noon
    pub after_noon: i32,
    /// `MI`
    pub minute: i32,
    /// `SS`
    pub second: i32,
    /// `SSSS`
    pub second_of_day: i32,
    /// `D`: Sunday is 1
    pub week_day: i32,
    /// `DD`
    pub day: i32,
    /// `DDD`
    pub year_day: i32,
    /// `MM`
    pub month: i32,
    /// `MS`
    pub milliseconds: i32,
    /// `YYYY`
    pub year: i32,
    /// 1 before Christ
    pub before_christ: i32,
    /// `WW` or `IW`
    pub week: i32,
    /// `W`
    pub week_of_month: i32,
    /// `CC`
    pub century: i32,
    /// `J`
    pub julian: i32,
    /// `US` or `FF…`
    pub microseconds: i32,
    /// Digits that the year was written with at most.
    pub year_digits: u32,
    /// Whether hours are those of a clock with twelve.
    pub twelve_hours: bool,
    /// Sign of the offset from UTC; 0 when there is none.
    pub zone_sign: i32,
    /// `TZH`
    pub zone_hours: i32,
    /// `TZM`
    pub zone_minutes: i32,
    /// Digits that a fraction is rounded to.
    pub fraction_digits: Option<u32>,
}

/// Finds the fields.
pub fn read(template: &[Node<DateField>], text: &str) -> Result<ReadFields> {
    let mut reader = Reader { text, position: 0, fixed: false, skipped: 0, fields: ReadFields::default() };
    for (position, node) in template.iter().enumerate() {
        if reader.rest().is_empty() {
            break;
        }
        reader.read_node(node, template.get(position + 1), position == 0)?;
    }
    Ok(reader.fields)
}

/// Where the reading of a text has come.
struct Reader<'a> {
    text: &'a str,
    position: usize,
    /// Whether `FX` has come: the text then matches the template character for character.
    fixed: bool,
    /// Characters that were skipped beyond those of the template.
    skipped: i32,
    fields: ReadFields,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_character(&mut self) {
        self.position += self.next().map_or(0, char::len_utf8);
    }

    fn skip_spaces(&mut self) {
        while self.next().is_some_and(is_space) {
            self.skip_character();
            self.skipped += 1;
        }
    }

    fn read_node(&mut self, node: &Node<DateField>, after: Option<&Node<DateField>>, is_first: bool) -> Result<()> {
        let is_fixed_mark = matches!(node, Node::Field(field) if field.pattern.meaning == Meaning::Fixed);
        if !self.fixed && !is_fixed_mark && (is_first || matches!(node, Node::Field(_))) {
            self.skip_spaces();
        }
        match node {
            Node::Field(field) => {
                self.read_field(field, after)?;
                if !self.fixed {
                    self.skipped = 0;
                    self.skip_spaces();
                }
            }
            Node::Space(_) | Node::Separator(_) if self.fixed => self.skip_character(),
            // One separator of the template matches one of the text, whichever it is, or none.
            Node::Space(_) | Node::Separator(_) => {
                self.skipped -= 1;
                if self.next().is_some_and(|it| is_space(it) || is_separator(it)) {
                    self.skip_character();
                    self.skipped += 1;
                }
            }
            // What was skipped already may have stood for this character.
            Node::Literal(_) if !self.fixed && self.skipped > 0 => self.skipped -= 1,
            Node::Literal(_) => self.skip_character(),
        }
        Ok(())
    }

    fn read_field(&mut self, field: &DateField, after: Option<&Node<DateField>>) -> Result<()> {
        self.set_convention(field.pattern.convention)?;
        match field.pattern.meaning {
            Meaning::Fixed => {
                self.fixed = true;
                return Ok(());
            }
            Meaning::Zone { .. } | Meaning::Offset => {
                let message = format!("formatting field \"{}\" is only supported in to_char", field.pattern.name);
                return Err(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
            }
            meaning if !field.pattern.digits && meaning != Meaning::ZoneHours => return self.read_word(field),
            _ => {}
        }
        self.read_number(field, after)?;
        if field.ordinal.is_some() && !matches!(field.pattern.meaning, Meaning::ZoneHours | Meaning::ZoneMinutes) {
            self.skip_character();
            self.skip_character();
        }
        Ok(())
    }

    fn set_convention(&mut self, convention: Convention) -> Result<()> {
        if convention == Convention::Any {
            return Ok(());
        }
        if *self.fields.convention.get_or_insert(convention) != convention {
            let error = PgError::new(SqlState::INVALID_DATETIME_FORMAT, "invalid combination of date conventions");
            let hint = "Do not mix Gregorian and ISO week date conventions in a formatting template.";
            return Err(error.with_hint(hint));
        }
        Ok(())
    }

    fn read_word(&mut self, field: &DateField) -> Result<()> {
        let short = |names: &'static [&'static str]| -> Vec<&'static str> {
            names.iter().map(|name| name.get(..SHORT_LETTERS).unwrap_or_default()).collect()
        };
        match field.pattern.meaning {
            Meaning::Meridiem { dotted, .. } => {
                let found = self.find(field, if dotted { &["A.M.", "P.M."] } else { &["AM", "PM"] })?;
                self.fields.twelve_hours = true;
                set(&mut self.fields.after_noon, found, field)
            }
            Meaning::Era { dotted, .. } => {
                let found = self.find(field, if dotted { &["A.D.", "B.C."] } else { &["AD", "BC"] })?;
                set(&mut self.fields.before_christ, found, field)
            }
            Meaning::MonthName(_) => {
                let found = self.find(field, &MONTHS)?;
                set(&mut self.fields.month, found + 1, field)
            }
            Meaning::MonthShort(_) => {
                let found = self.find(field, &short(&MONTHS))?;
                set(&mut self.fields.month, found + 1, field)
            }
            Meaning::MonthRoman { .. } => {
                let found = self.find(field, &ROMAN_MONTHS)?;
                set(&mut self.fields.month, 12 - found, field)
            }
            Meaning::DayName(_) => {
                let found = self.find(field, &DAYS)?;
                self.set_named_week_day(found, field)
            }
            _ => {
                let found = self.find(field, &short(&DAYS))?;
                self.set_named_week_day(found, field)
            }
        }
    }

    /// PostgreSQL compares the named day with a day that was read before as if the named one were counted from 0, and
    /// then counts what is there from 1.
    fn set_named_week_day(&mut self, found: i32, field: &DateField) -> Result<()> {
        set(&mut self.fields.week_day, found, field)?;
        self.fields.week_day = self.fields.week_day.wrapping_add(1);
        Ok(())
    }

    /// Which of the names the text goes on with.
    fn find(&mut self, field: &DateField, names: &[&str]) -> Result<i32> {
        let rest = self.rest().as_bytes();
        let matches = |name: &&str| rest.get(..name.len()).is_some_and(|it| it.eq_ignore_ascii_case(name.as_bytes()));
        if let Some((position, name)) = (0..).zip(names).find(|(_, name)| matches(name)) {
            self.position += name.len();
            return Ok(position);
        }
        let word = self.rest().split(is_space).next().unwrap_or_default();
        let error = invalid(format!("invalid value \"{word}\" for \"{}\"", field.pattern.name));
        Err(error.with_detail("The given value did not match any of the allowed values for this field."))
    }

    fn read_number(&mut self, field: &DateField, after: Option<&Node<DateField>>) -> Result<()> {
        let name_length = field.pattern.name.len();
        let number = |reader: &mut Self, digits: usize| reader.integer(field, after, digits);
        match field.pattern.meaning {
            Meaning::Hour12 | Meaning::Hour24 => {
                let (value, _) = number(self, 2)?;
                self.fields.twelve_hours |= field.pattern.meaning == Meaning::Hour12;
                set(&mut self.fields.hour, value, field)
            }
            Meaning::Milliseconds => {
                let (value, length) = number(self, 3)?;
                set(&mut self.fields.milliseconds, value, field)?;
                self.fields.milliseconds = self.fields.milliseconds.wrapping_mul(10i32.pow(missing_digits(length, 3)));
                Ok(())
            }
            Meaning::Microseconds => {
                let (value, length) = number(self, 6)?;
                self.set_microseconds(value, length, field)
            }
            Meaning::Fraction(digits) => {
                self.fields.fraction_digits = Some(digits);
                let (value, length) = number(self, digits as usize)?;
                self.set_microseconds(value, length, field)
            }
            Meaning::ZoneHours => {
                self.read_zone_sign();
                let (value, _) = number(self, 2)?;
                set(&mut self.fields.zone_hours, value, field)
            }
            Meaning::ZoneMinutes => {
                if self.fields.zone_sign == 0 {
                    self.fields.zone_sign = 1;
                }
                let (value, _) = number(self, 2)?;
                set(&mut self.fields.zone_minutes, value, field)
            }
            Meaning::IsoDayOfYear => {
                let (value, _) = number(self, 3)?;
                set(&mut self.fields.year_day, value, field)
            }
            Meaning::IsoDayOfWeek => {
                let (value, _) = number(self, 1)?;
                set(&mut self.fields.week_day, value, field)?;
                // Sunday is 1 in the other convention.
                self.fields.week_day = if value > 6 { 1 } else { value.wrapping_add(1) };
                Ok(())
            }
            Meaning::YearWithComma => self.read_year_with_comma(field),
            Meaning::Year(digits) | Meaning::IsoYear(digits) => {
                let (value, length) = number(self, digits as usize)?;
                set(&mut self.fields.year, value, field)?;
                self.fields.year_digits = digits;
                if digits < 4 && length < 4 {
                    self.fields.year = near_2020(self.fields.year);
                }
                Ok(())
            }
            meaning => {
                let (value, _) = number(self, name_length)?;
                match self.plain_field(meaning) {
                    Some(slot) => set(slot, value, field),
                    // Nothing follows from a quarter.
                    None => Ok(()),
                }
            }
        }
    }

    fn plain_field(&mut self, meaning: Meaning) -> Option<&mut i32> {
        let fields = &mut self.fields;
        Some(match meaning {
            Meaning::Minute => &mut fields.minute,
            Meaning::Second => &mut fields.second,
            Meaning::SecondsOfDay => &mut fields.second_of_day,
            Meaning::Month => &mut fields.month,
            Meaning::DayOfYear => &mut fields.year_day,
            Meaning::Day => &mut fields.day,
            Meaning::DayOfWeek => &mut fields.week_day,
            Meaning::Week | Meaning::IsoWeek => &mut fields.week,
            Meaning::WeekOfMonth => &mut fields.week_of_month,
            Meaning::Century => &mut fields.century,
            Meaning::Julian => &mut fields.julian,
            _ => return None,
        })
    }

    fn set_microseconds(&mut self, value: i32, length: usize, field: &DateField) -> Result<()> {
        set(&mut self.fields.microseconds, value, field)?;
        self.fields.microseconds = self.fields.microseconds.wrapping_mul(10i32.pow(missing_digits(length, 6)));
        Ok(())
    }

    /// The sign may have been taken for a separator already.
    fn read_zone_sign(&mut self) {
        let before = self.text.get(..self.position).unwrap_or_default();
        self.fields.zone_sign = match self.next() {
            Some(sign @ ('+' | '-' | ' ')) => {
                self.skip_character();
                if sign == '-' { -1 } else { 1 }
            }
            _ if self.skipped > 0 && before.ends_with('-') => -1,
            _ => 1,
        };
    }

    fn read_year_with_comma(&mut self, field: &DateField) -> Result<()> {
        let start = self.position;
        let wrong = || invalid("invalid input string for \"Y,YYY\"".to_owned());
        let (thousands, length) = leading_integer(self.rest()).ok_or_else(wrong)?;
        let rest = self.rest().get(length..).and_then(|rest| rest.strip_prefix(',')).ok_or_else(wrong)?;
        // White space before the number is not one of its three characters.
        let spaces = rest.len() - rest.trim_start_matches(is_space).len();
        let three = rest.get(..spaces + 3).unwrap_or(rest);
        let (years, years_length) = leading_integer(three).ok_or_else(wrong)?;
        // Without a look at the range, as PostgreSQL adds them.
        let year = (thousands as i32).wrapping_mul(1000).wrapping_add(years as i32);
        set(&mut self.fields.year, year, field)?;
        self.fields.year_digits = 4;
        self.position = start + length + 1 + years_length;
        Ok(())
    }

    /// A number, and how many characters it took. It takes all digits there are, unless digits of another field follow:
    /// then it has `digits` of them.
    fn integer(&mut self, field: &DateField, after: Option<&Node<DateField>>, digits: usize) -> Result<(i32, usize)> {
        let start = self.position;
        let spaces = self.rest().len() - self.rest().trim_start_matches(is_space).len();
        let rest = self.rest().get(spaces..).unwrap_or_default().as_bytes();
        let copy = rest.get(..digits).unwrap_or(rest);
        let read = if field.fill_mode || ends_before(field, after) {
            leading_integer(self.rest())
        } else {
            self.position += spaces;
            fixed_integer(field, rest, copy)?
        };
        let (value, length) = read.unwrap_or((0, 0));
        self.position += length;
        if self.position == start {
            let copy = whole_characters(copy);
            let error = invalid(format!("invalid value \"{copy}\" for \"{}\"", field.pattern.name));
            return Err(error.with_detail("Value must be an integer."));
        }
        let value = i32::try_from(value).map_err(|_| {
            let message = format!("value for \"{}\" in source string is out of range", field.pattern.name);
            let detail = format!("Value must be in the range {} to {}.", i32::MIN, i32::MAX);
            PgError::new(SqlState::DATETIME_FIELD_OVERFLOW, message).with_detail(detail)
        })?;
        Ok((value, self.position - start))
    }
}

/// Whether a number ends where its digits end.
fn ends_before(field: &DateField, after: Option<&Node<DateField>>) -> bool {
    field.ordinal.is_some()
        || match after {
            None => true,
            Some(Node::Field(next)) => !next.pattern.digits,
            Some(other) => !other.character().is_some_and(|it| it.is_ascii_digit()),
        }
}

/// A number of a fixed length.
fn fixed_integer(field: &DateField, rest: &[u8], copy: &[u8]) -> Result<Option<(i64, usize)>> {
    let (name, wanted) = (field.pattern.name, field_length(field));
    let hint = "If your source string is not fixed-width, try using the \"FM\" modifier.";
    if rest.len() < wanted {
        let error = invalid(format!("source string too short for \"{name}\" formatting field"));
        let detail = format!("Field requires {wanted} characters, but only {} remain.", rest.len());
        return Err(error.with_detail(detail).with_hint(hint));
    }
    let read = leading_integer(whole_characters(copy));
    match read {
        Some((_, length)) if length < wanted => {
            let copy = whole_characters(copy);
            let error = invalid(format!("invalid value \"{copy}\" for \"{name}\""));
            let detail = format!("Field requires {wanted} characters, but only {length} could be parsed.");
            Err(error.with_detail(detail).with_hint(hint))
        }
        other => Ok(other),
    }
}

/// The text of some bytes, without a character that is cut off.
fn whole_characters(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    }
}

/// Digits that a field of fixed length has.
fn field_length(field: &DateField) -> usize {
    match field.pattern.meaning {
        Meaning::Hour12 | Meaning::Hour24 | Meaning::ZoneHours | Meaning::ZoneMinutes => 2,
        Meaning::Milliseconds | Meaning::IsoDayOfYear => 3,
        Meaning::Microseconds => 6,
        Meaning::Fraction(digits) => digits as usize,
        Meaning::IsoDayOfWeek => 1,
        _ => field.pattern.name.len(),
    }
}

/// The number at the beginning, as C's `strtol` reads it: white space and a sign may precede it. What is beyond 64 bits
/// is the largest value.
fn leading_integer(text: &str) -> Option<(i64, usize)> {
    let trimmed = text.trim_start_matches(is_space);
    let (negative, digits) = match trimmed.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let count = digits.iter().take_while(|digit| digit.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let magnitude = digits[..count]
        .iter()
        .fold(0i64, |value, digit| value.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    let length = text.len() - digits.len() + count;
    Some((if negative { -magnitude } else { magnitude }, length))
}

/// Digits that a fraction lacks; of one with too many, none.
fn missing_digits(length: usize, digits: u32) -> u32 {
    digits.saturating_sub(length.max(1) as u32)
}

/// The year near 2020 that a year of less than four digits means.
fn near_2020(year: i32) -> i32 {
    match year {
        ..70 => year.wrapping_add(2000),
        70..100 => year + 1900,
        100..520 => year + 2000,
        520..1000 => year + 1000,
        _ => year,
    }
}

/// A field that was set before must have the same value.
fn set(slot: &mut i32, value: i32, field: &DateField) -> Result<()> {
    if *slot != 0 && *slot != value {
        let error = invalid(format!("conflicting values for \"{}\" field in formatting string", field.pattern.name));
        return Err(error.with_detail("This value contradicts a previous setting for the same field type."));
    }
    *slot = value;
    Ok(())
}

fn invalid(message: String) -> PgError {
    PgError::new(SqlState::INVALID_DATETIME_FORMAT, message)
}
