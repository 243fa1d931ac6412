//! PostgreSQL's input functions: one value from its text.

use std::str::FromStr;

use catalog::SqlType;
use catalog::types::{NUMERIC_PRECISION_MAX, NUMERIC_UNCONSTRAINED_SCALE, NumericSize};

use super::InputError;
use crate::datetime::parse::{self, DatetimeError, Moment};
use crate::datetime::parse_interval::{self, Interval};
use crate::function::TimeTz;
use crate::numeric::{NumericError, WrittenNumber};

/// Words for true and false, and how many characters tell each from the others.
const BOOLEAN_WORDS: [(&str, usize, bool); 8] = [
    ("true", 1, true),
    ("yes", 1, true),
    ("on", 2, true),
    ("1", 1, true),
    ("false", 1, false),
    ("no", 1, false),
    ("off", 2, false),
    ("0", 1, false),
];

/// Reads a `boolean`.
pub fn boolean(text: &str) -> Result<bool, InputError> {
    let word = trim(text).to_ascii_lowercase();
    BOOLEAN_WORDS
        .iter()
        .find(|(full, shortest, _)| word.len() >= *shortest && full.starts_with(&word))
        .map(|(_, _, value)| *value)
        .ok_or_else(|| invalid("boolean", text))
}

/// Reads an integer of any width. One that has more digits than the type can hold is out of range, whatever follows them.
pub fn integer<T: FromStr>(text: &str, type_name: &'static str) -> Result<T, InputError> {
    let trimmed = trim(text);
    if let Ok(value) = trimmed.parse() {
        return Ok(value);
    }
    let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    let digits = digits.bytes().take_while(u8::is_ascii_digit).count();
    let sign = trimmed.len() - trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed).len();
    let number: Option<T> = trimmed[..sign + digits].parse().ok();
    if digits > 0 && number.is_none() {
        return Err(InputError::IntegerOutOfRange { type_name, value: text.to_owned() });
    }
    Err(invalid(type_name, text))
}

/// Reads an `oid`; the numbers of 32 bits below zero are the same as those above `2147483647`.
pub fn oid(text: &str) -> Result<u32, InputError> {
    let value: i64 = integer(text, "oid")?;
    let unsigned = u32::try_from(value).ok().or_else(|| i32::try_from(value).ok().map(i32::cast_unsigned));
    unsigned.ok_or_else(|| InputError::IntegerOutOfRange { type_name: "oid", value: text.to_owned() })
}

/// Reads a `uuid`: hexadecimal digits, in braces if need be, with a hyphen behind every four of them or not.
pub fn uuid(text: &str) -> Result<[u8; 16], InputError> {
    let error = || invalid("uuid", text);
    let unbraced = match text.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}').ok_or_else(error)?,
        None => text,
    };
    let mut value = [0; 16];
    let mut rest = unbraced.as_bytes();
    for (position, byte) in value.iter_mut().enumerate() {
        let [high, low, after @ ..] = rest else { return Err(error()) };
        let (high, low) = (char::from(*high).to_digit(16), char::from(*low).to_digit(16));
        let (Some(high), Some(low)) = (high, low) else { return Err(error()) };
        *byte = (high << 4 | low) as u8;
        rest = match after {
            [b'-', after @ ..] if position % 2 == 1 && position < 15 => after,
            after => after,
        };
    }
    if rest.is_empty() { Ok(value) } else { Err(error()) }
}

/// Bytes of a `name` (`NAMEDATALEN`, without the NUL at its end).
const NAME_BYTES_MAX: usize = 63;

/// Cuts a `name` to the length that names have.
pub fn name(text: &str) -> &str {
    &text[..text.floor_char_boundary(NAME_BYTES_MAX)]
}

/// Reads a `"char"`: one byte, the first of the text or the one whose three octal digits follow a backslash.
pub fn char(text: &str) -> String {
    match text.as_bytes() {
        [] => String::new(),
        [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7'] => {
            char_text((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'))
        }
        [first, ..] => char_text(*first),
    }
}

/// A `"char"` as it is carried and printed: a byte beyond ASCII as its octal digits behind a backslash, zero as nothing.
pub fn char_text(byte: u8) -> String {
    match byte {
        0 => String::new(),
        1..=127 => char::from(byte).to_string(),
        _ => format!("\\{byte:03o}"),
    }
}

/// The byte of a `"char"`.
pub fn char_byte(text: &str) -> u8 {
    match text.as_bytes() {
        [b'\\', a, b, c] => (a & 3) << 6 | (b & 7) << 3 | (c & 7),
        [first, ..] => *first,
        [] => 0,
    }
}

/// Reads a `real`.
pub fn real(text: &str) -> Result<f32, InputError> {
    let value: f32 = trim(text).parse().map_err(|_| invalid("real", text))?;
    if lost(value.is_infinite(), value == 0.0, text) {
        return Err(InputError::FloatOutOfRange { type_name: "real", value: text.to_owned() });
    }
    Ok(value)
}

/// Reads a `double precision`.
pub fn double(text: &str) -> Result<f64, InputError> {
    let value: f64 = trim(text).parse().map_err(|_| invalid("double precision", text))?;
    if lost(value.is_infinite(), value == 0.0, text) {
        return Err(InputError::FloatOutOfRange { type_name: "double precision", value: text.to_owned() });
    }
    Ok(value)
}

/// Whether a number became an infinity or zero that it was not when it was written.
fn lost(infinite: bool, zero: bool, text: &str) -> bool {
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    infinite && text.bytes().any(|b| b.is_ascii_digit()) || zero && mantissa.bytes().any(|b| matches!(b, b'1'..=b'9'))
}

/// Reads a `numeric`, as the unscaled integer at the scale of the column.
pub fn numeric(text: &str, size: Option<NumericSize>) -> Result<i128, InputError> {
    let number = written_number(text)?;
    fit_numeric(&number, size, || text.to_owned())
}

/// Reads a number that has not been brought to a scale yet.
pub fn written_number(text: &str) -> Result<WrittenNumber<'_>, InputError> {
    WrittenNumber::parse(trim(text)).map_err(|error| match error {
        NumericError::Syntax => invalid("numeric", text),
        NumericError::Special(value) => InputError::NumericSpecial { value },
    })
}

/// Brings a number to the scale of a column: rounded when one was declared, exact or an error when none was.
pub fn fit_numeric(
    number: &WrittenNumber<'_>,
    size: Option<NumericSize>,
    text: impl Fn() -> String,
) -> Result<i128, InputError> {
    let (precision, scale) =
        size.map_or((NUMERIC_PRECISION_MAX, NUMERIC_UNCONSTRAINED_SCALE), |size| (size.precision, size.scale));
    let limit = 10u128.pow(u32::from(precision));
    let fitting = number.at_scale(i64::from(scale)).filter(|it| it.unscaled.unsigned_abs() < limit);
    match (fitting, size) {
        (Some(number), Some(_)) => Ok(number.unscaled),
        (Some(number), None) if number.exact => Ok(number.unscaled),
        (_, None) => Err(InputError::NumericTooWide { value: text() }),
        (None, Some(size)) => Err(InputError::NumericFieldOverflow { size }),
    }
}

/// Checks a string against the length of its type; what is returned is what is stored.
pub fn string<'a>(text: &'a str, sql_type: &SqlType) -> Result<&'a str, InputError> {
    if text.contains('\0') {
        return Err(InputError::NulCharacter);
    }
    fit_string(text, sql_type)
}

/// Cuts a string to the length of its type where only spaces are lost; `character` loses all spaces at its end, since
/// they are padding.
pub fn fit_string<'a>(text: &'a str, sql_type: &SqlType) -> Result<&'a str, InputError> {
    let (text, length) = match sql_type {
        SqlType::Varchar(Some(length)) => (text, *length),
        SqlType::Char(length) => (text.trim_end_matches(' '), *length),
        _ => return Ok(text),
    };
    let Some((end, _)) = text.char_indices().nth(length as usize) else {
        return Ok(text);
    };
    let (kept, excess) = text.split_at(end);
    if excess.bytes().all(|b| b == b' ') {
        Ok(kept)
    } else {
        Err(InputError::ValueTooLong { column_type: sql_type.clone() })
    }
}

/// Reads a `bytea` in hexadecimal or escape format.
pub fn bytea(text: &str) -> Result<Vec<u8>, InputError> {
    match text.strip_prefix("\\x") {
        Some(hex) => hex_bytes(hex),
        None => escaped_bytes(text.as_bytes()),
    }
}

/// White space is allowed between bytes, not within one.
fn hex_bytes(hex: &str) -> Result<Vec<u8>, InputError> {
    let mut bytes = Vec::with_capacity(hex.len() / 2);
    let mut characters = hex.chars();
    while let Some(first) = characters.next() {
        if matches!(first, ' ' | '\n' | '\t' | '\r') {
            continue;
        }
        let high = hex_digit(first)?;
        let low = hex_digit(characters.next().ok_or(InputError::OddHexDigits)?)?;
        bytes.push(high << 4 | low);
    }
    Ok(bytes)
}

fn hex_digit(digit: char) -> Result<u8, InputError> {
    digit.to_digit(16).map(|value| value as u8).ok_or(InputError::InvalidHexDigit { digit })
}

/// A backslash is doubled or followed by three octal digits; everything else is itself.
fn escaped_bytes(mut text: &[u8]) -> Result<Vec<u8>, InputError> {
    let mut bytes = Vec::with_capacity(text.len());
    loop {
        text = match text {
            [] => return Ok(bytes),
            [b'\\', b'\\', rest @ ..] => {
                bytes.push(b'\\');
                rest
            }
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', rest @ ..] => {
                bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest
            }
            [b'\\', ..] => return Err(InputError::InvalidBytea),
            [byte, rest @ ..] => {
                bytes.push(*byte);
                rest
            }
        };
    }
}

/// Reads a `date`, in days since 1970.
pub fn date(text: &str) -> Result<i32, InputError> {
    date_at(text, &Moment::NONE)
}

/// Reads a `time`, in microseconds.
pub fn time(text: &str) -> Result<i64, InputError> {
    time_at(text, &Moment::NONE)
}

/// Reads a `timestamp`, in microseconds since 1970.
pub fn timestamp(text: &str) -> Result<i64, InputError> {
    timestamp_at(text, &Moment::NONE)
}

/// Reads a `timestamp with time zone`, in microseconds since 1970 UTC.
pub fn timestamp_with_zone(text: &str) -> Result<i64, InputError> {
    timestamp_with_zone_at(text, &Moment::NONE)
}

/// Reads a `date` in a session.
pub fn date_at(text: &str, moment: &Moment) -> Result<i32, InputError> {
    parse::date_at(text, moment).map_err(|error| datetime_error(error, "date", "date", text))
}

/// Reads a `time` in a session.
pub fn time_at(text: &str, moment: &Moment) -> Result<i64, InputError> {
    parse::time_at(text, moment).map_err(|error| datetime_error(error, "time", "time", text))
}

/// Reads a `time with time zone` in a session.
pub fn time_with_zone_at(text: &str, moment: &Moment) -> Result<TimeTz, InputError> {
    parse::time_with_zone_at(text, moment).map_err(|error| datetime_error(error, "time with time zone", "time", text))
}

/// Reads a `timestamp` in a session.
pub fn timestamp_at(text: &str, moment: &Moment) -> Result<i64, InputError> {
    parse::timestamp_at(text, moment).map_err(|error| datetime_error(error, "timestamp", "timestamp", text))
}

/// Reads a `timestamp with time zone` in a session.
pub fn timestamp_with_zone_at(text: &str, moment: &Moment) -> Result<i64, InputError> {
    parse::timestamp_with_zone_at(text, moment)
        .map_err(|error| datetime_error(error, "timestamp with time zone", "timestamp", text))
}

/// Reads an `interval`.
pub fn interval(text: &str) -> Result<Interval, InputError> {
    interval_with(text, -1, false)
}

/// Reads an `interval` for a type modifier, which is yet to be applied; see [`parse_interval::interval_with`].
pub fn interval_with(text: &str, typmod: i32, sql_standard: bool) -> Result<Interval, InputError> {
    parse_interval::interval_with(text, typmod, sql_standard).map_err(|error| match error {
        DatetimeError::FieldOutOfRange => InputError::IntervalOutOfRange { value: text.to_owned() },
        DatetimeError::OutOfRange => InputError::IntervalTooLong,
        other => datetime_error(other, "interval", "interval", text),
    })
}

fn datetime_error(error: DatetimeError, type_name: &'static str, kind: &'static str, text: &str) -> InputError {
    let value = text.to_owned();
    match error {
        DatetimeError::Syntax => InputError::InvalidDatetime { type_name, value },
        DatetimeError::FieldOutOfRange => InputError::DatetimeFieldOutOfRange { value },
        DatetimeError::MonthOrDayOutOfRange => InputError::MonthOrDayOutOfRange { value },
        DatetimeError::ZoneOutOfRange => InputError::ZoneOutOfRange { value },
        DatetimeError::OutOfRange => InputError::DatetimeOutOfRange { kind, value },
        DatetimeError::UnknownZone(zone) => InputError::UnknownZone { zone },
        DatetimeError::WordNotSupported(word) => InputError::WordNotSupported { word },
    }
}

/// Takes off what C's `isspace` takes for white space.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r'])
}

fn invalid(type_name: &'static str, text: &str) -> InputError {
    InputError::InvalidSyntax { type_name, value: text.to_owned() }
}
