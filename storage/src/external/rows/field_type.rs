//! Of which type the values of a column of texts are.

use catalog::{Column, SqlType};

use super::values::{ValueBuilder, ValueBuilders};

/// Digits of a whole number that `double precision` keeps.
const DOUBLE_DIGITS: usize = 15;
/// Values that are tried before the builder is emptied.
const TRIED_MAX: usize = 1024;

/// A type that values can be written as, in the order in which they are preferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldType {
    /// `true` and `false`, in any case
    Boolean,
    /// Digits, perhaps behind a minus
    BigInt,
    /// The same with a point or an exponent; a whole number of at most fifteen digits
    Double,
    /// Digits, perhaps with a point
    Numeric,
    /// `2024-01-31`
    Date,
    /// `2024-01-31 10:20`, `2024-01-31T10:20:30.123456`, or a date
    Timestamp,
    /// The same with a zone: `Z`, `+02`, `-03:30`
    TimestampTz,
    /// Anything
    Text,
}

/// Those but the last.
const TYPES: [FieldType; 7] = [
    FieldType::Boolean,
    FieldType::BigInt,
    FieldType::Double,
    FieldType::Numeric,
    FieldType::Date,
    FieldType::Timestamp,
    FieldType::TimestampTz,
];

/// The types that all values so far are written as.
pub(super) struct FieldTypes {
    left: Vec<(FieldType, Box<dyn ValueBuilder>)>,
    has_values: bool,
}

impl FieldTypes {
    /// All of them, as there have been no values.
    pub(super) fn new(builders: &dyn ValueBuilders) -> Self {
        FieldTypes { left: TYPES.map(|it| (it, it.builder(builders))).into(), has_values: false }
    }

    /// The same types again.
    pub(super) fn clone_kept(&self, builders: &dyn ValueBuilders) -> Self {
        let left = self.left.iter().map(|(it, _)| (*it, it.builder(builders))).collect();
        FieldTypes { left, has_values: self.has_values }
    }

    /// Adds a value. One that is empty is no value of any type but `text`.
    pub(super) fn add(&mut self, text: Option<&str>) {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        self.has_values = true;
        // How a value looks is asked first, since the types' input takes more than we want to take for one, such as `today`.
        self.left.retain_mut(|(field_type, builder)| {
            if builder.len() >= TRIED_MAX {
                builder.finish();
            }
            field_type.is_like(text) && builder.push_text(text).is_ok()
        });
    }

    /// The type of the column.
    pub(super) fn found(&self) -> FieldType {
        self.left.first().map(|(found, _)| *found).filter(|_| self.has_values).unwrap_or(FieldType::Text)
    }
}

impl FieldType {
    /// The type in SQL.
    pub(super) fn sql_type(self) -> SqlType {
        match self {
            FieldType::Boolean => SqlType::Boolean,
            FieldType::BigInt => SqlType::BigInt,
            FieldType::Double => SqlType::Double,
            FieldType::Numeric => SqlType::Numeric(None),
            FieldType::Date => SqlType::Date,
            FieldType::Timestamp => SqlType::Timestamp,
            FieldType::TimestampTz => SqlType::TimestampTz,
            FieldType::Text => SqlType::Text,
        }
    }

    fn builder(self, builders: &dyn ValueBuilders) -> Box<dyn ValueBuilder> {
        builders.builder(&Column::new(1, "sample", self.sql_type()), TRIED_MAX)
    }

    /// Whether a text is written as values of the type are.
    fn is_like(self, text: &str) -> bool {
        match self {
            FieldType::Boolean => text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false"),
            FieldType::BigInt => Number::of(text).is_some_and(|number| number.is_whole()),
            FieldType::Double => Number::of(text).is_some_and(|it| !it.is_whole() || it.digits <= DOUBLE_DIGITS),
            // The type has so many digits behind the point, and would round others away.
            FieldType::Numeric => Number::of(text).is_some_and(|it| !it.has_exponent && it.decimals <= 18),
            FieldType::Date => rest_of_date(text) == Some(""),
            FieldType::Timestamp => matches!(rest_of_timestamp(text), Some("")),
            FieldType::TimestampTz => rest_of_timestamp(text).is_some_and(is_zone),
            FieldType::Text => true,
        }
    }
}

/// How a number is written.
struct Number {
    /// Digits before the point.
    digits: usize,
    /// Digits behind it.
    decimals: usize,
    has_point: bool,
    has_exponent: bool,
}

impl Number {
    fn of(text: &str) -> Option<Number> {
        let text = text.strip_prefix('-').unwrap_or(text);
        let (text, exponent) = match text.split_once(['e', 'E']) {
            Some((text, exponent)) => (text, Some(exponent)),
            None => (text, None),
        };
        let (whole, decimals) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
        let is_exponent = |it: &str| is_digits(it.strip_prefix(['+', '-']).unwrap_or(it), 1..=3);
        let has_leading_zero = whole.len() > 1 && whole.starts_with('0');
        let is_number = is_digits(whole, 0..=400)
            && decimals.is_none_or(|decimals| is_digits(decimals, 0..=400))
            && whole.len() + decimals.map_or(0, str::len) > 0
            && exponent.is_none_or(is_exponent)
            && !has_leading_zero;
        is_number.then(|| Number {
            digits: whole.len(),
            decimals: decimals.map_or(0, str::len),
            has_point: decimals.is_some(),
            has_exponent: exponent.is_some(),
        })
    }

    fn is_whole(&self) -> bool {
        !self.has_point && !self.has_exponent
    }
}

fn is_digits(text: &str, count: std::ops::RangeInclusive<usize>) -> bool {
    count.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What follows `2024-01-31`.
fn rest_of_date(text: &str) -> Option<&str> {
    let (date, rest) = text.split_at_checked(10)?;
    let bytes = date.as_bytes();
    let is_date = bytes[4] == b'-' && bytes[7] == b'-' && is_digits(&date[..4], 4..=4);
    (is_date && is_digits(date.get(5..7)?, 2..=2) && is_digits(date.get(8..)?, 2..=2)).then_some(rest)
}

/// What follows a date, or a date and a time.
fn rest_of_timestamp(text: &str) -> Option<&str> {
    let rest = rest_of_date(text)?;
    let Some(time) = rest.strip_prefix([' ', 'T']) else { return rest.is_empty().then_some("") };
    let (minutes, rest) = time.split_at_checked(5)?;
    let is_pair = |text: Option<&str>| text.is_some_and(|text| is_digits(text, 2..=2));
    if !is_pair(minutes.get(..2)) || minutes.as_bytes()[2] != b':' || !is_pair(minutes.get(3..)) {
        return None;
    }
    let Some(rest) = rest.strip_prefix(':') else { return Some(rest) };
    if !is_pair(rest.get(..2)) {
        return None;
    }
    let rest = &rest[2..];
    let Some(fraction) = rest.strip_prefix('.') else { return Some(rest) };
    let end = fraction.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(fraction.len());
    // More than microseconds would be rounded away.
    (1..=6).contains(&end).then(|| &fraction[end..])
}

fn is_zone(text: &str) -> bool {
    let offset = text.strip_prefix(['+', '-']);
    let is_offset = |it: &str| is_digits(&it.replace(':', ""), 2..=4) && it.len() != 3;
    text == "Z" || offset.is_some_and(is_offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(texts: &[&str], expected: &[FieldType]) {
        for text in texts {
            let found: Vec<_> = TYPES.into_iter().filter(|field_type| field_type.is_like(text)).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_text_is_like_the_values_of_some_types() {
        use FieldType::*;
        check(&["true", "FALSE"], &[Boolean]);
        check(&["0", "-12", "123456789012345"], &[BigInt, Double, Numeric]);
        check(&["1234567890123456"], &[BigInt, Numeric]);
        check(&["1.5", "-.5", "0.25", "3."], &[Double, Numeric]);
        check(&["1e5", "1.5E-10", "0.1234567890123456789"], &[Double]);
        check(&["007", "+1", "1,000", "-", ".", "e5", "1e", "0x1", "t", "nan", "today", "now", " 1"], &[]);
        check(&["2024-01-31"], &[Date, Timestamp]);
        check(&["2024-01-31 10:20", "2024-01-31T10:20:30", "2024-01-31 10:20:30.123456"], &[Timestamp]);
        check(&["2024-01-31 10:20Z", "2024-01-31T10:20:30+02", "2024-01-31T10:20:30.5-03:30"], &[TimestampTz]);
        check(
            &["2024-1-1", "31.01.2024", "2024-01-31 10", "2024-01-31 10:20:30.1234567", "2024-01-31x", "äääää-01-01"],
            &[],
        );
    }
}
