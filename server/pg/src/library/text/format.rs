//! `format`: a string with places for values.
//!
//! A place is `%[position][flags][width]type`, as PostgreSQL's manual describes it.

use arrow::array::ArrayRef;

use super::concat::Texts;
use super::{by_row, check_length, quote};
use crate::error::{PgError, Result};
use crate::function::{Call, Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;

pub(super) static FUNCTIONS: &[Function] = &[
    function("format", &[TEXT], TEXT, format).stable(),
    function("format", &[TEXT, ANY], TEXT, format).variadic().stable(),
];

fn format(call: &Call) -> Result<ArrayRef> {
    let formats = call.column::<&str>(0)?;
    let columns: Result<Vec<_>> = (1..call.width()).map(|argument| Texts::printed(call, argument)).collect();
    let mut columns = columns?;
    by_row(call, |row| formats.get(row).map(|text| formatted(text, &mut columns, row)).transpose())
}

/// Where a width comes from.
enum Width {
    None,
    Given(i32),
    /// From the argument with this number, or from the next.
    Argument(Option<usize>),
}

/// One place of a format.
struct Place {
    /// The argument's number, counted from one; the next one when there is none.
    argument: Option<usize>,
    left: bool,
    width: Width,
    kind: char,
}

fn unterminated() -> PgError {
    PgError::invalid_parameter("unterminated format() type specifier").with_hint("For a single \"%\" use \"%%\".")
}

/// Reads what follows a percent sign.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn peek(&self) -> Result<char> {
        self.rest.chars().next().ok_or_else(unterminated)
    }

    fn skip(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// A number, if digits come next.
    fn number(&mut self) -> Result<Option<i32>> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Ok(None);
        }
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        let out_of_range = |_| PgError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "number is out of range");
        let number = number.parse().map_err(out_of_range)?;
        self.peek()?;
        Ok(Some(number))
    }

    fn place(&mut self) -> Result<Place> {
        let mut place = Place { argument: None, left: false, width: Width::None, kind: 's' };
        self.peek()?;
        if let Some(number) = self.number()? {
            if !self.skip('$') {
                // A number without a dollar sign is the width.
                place.width = Width::Given(number);
                place.kind = self.kind()?;
                return Ok(place);
            }
            place.argument = Some(position(number)?);
        }
        self.peek()?;
        while self.skip('-') {
            place.left = true;
            self.peek()?;
        }
        if self.skip('*') {
            self.peek()?;
            let argument = match self.number()? {
                Some(number) => {
                    let dollar = self.skip('$');
                    if !dollar {
                        let message = "width argument position must be ended by \"$\"";
                        return Err(PgError::invalid_parameter(message));
                    }
                    Some(position(number)?)
                }
                None => None,
            };
            place.width = Width::Argument(argument);
        } else if let Some(number) = self.number()? {
            place.width = Width::Given(number);
        }
        place.kind = self.kind()?;
        Ok(place)
    }

    fn kind(&mut self) -> Result<char> {
        let kind = self.peek()?;
        self.rest = &self.rest[kind.len_utf8()..];
        if !matches!(kind, 's' | 'I' | 'L') {
            let message = format!("unrecognized format() type specifier \"{kind}\"");
            return Err(PgError::invalid_parameter(message).with_hint("For a single \"%\" use \"%%\"."));
        }
        Ok(kind)
    }
}

fn position(number: i32) -> Result<usize> {
    usize::try_from(number)
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| PgError::invalid_parameter("format specifies argument 0, but arguments are numbered from 1"))
}

/// The format with the values of one row in their places.
fn formatted(format: &str, columns: &mut [Texts<'_>], row: usize) -> Result<String> {
    let mut result = String::new();
    let mut last_argument = 0;
    let mut reader = Reader { rest: format };
    while let Some((before, after)) = reader.rest.split_once('%') {
        result.push_str(before);
        reader.rest = after;
        if reader.skip('%') {
            result.push('%');
            continue;
        }
        let place = reader.place()?;
        let mut fetch = |argument: Option<usize>| -> Result<Option<String>> {
            last_argument = argument.unwrap_or(last_argument + 1);
            let column = columns.get_mut(last_argument - 1);
            let column = column.ok_or_else(|| PgError::invalid_parameter("too few arguments for format()"))?;
            Ok(column.get(row)?.map(str::to_owned))
        };
        let width = match place.width {
            Width::None => 0,
            Width::Given(width) => width,
            Width::Argument(argument) => fetch(argument)?.map_or(Ok(0), |text| width_of(&text))?,
        };
        let value = fetch(place.argument)?;
        let text = match (place.kind, value) {
            ('I', None) => {
                let message = "null values cannot be formatted as an SQL identifier";
                return Err(PgError::new(SqlState::NULL_VALUE_NOT_ALLOWED, message));
            }
            ('I', Some(value)) => quote::identifier(&value),
            ('L', None) => "NULL".to_owned(),
            ('L', Some(value)) => quote::literal(&value),
            (_, value) => value.unwrap_or_default(),
        };
        push_padded(&mut result, &text, width, place.left)?;
    }
    result.push_str(reader.rest);
    check_length(result.len())?;
    Ok(result)
}

fn width_of(text: &str) -> Result<i32> {
    text.trim().parse().map_err(|_| {
        let message = format!("invalid input syntax for type integer: \"{text}\"");
        PgError::new(SqlState::INVALID_TEXT_REPRESENTATION, message)
    })
}

/// A negative width is one that aligns to the left.
fn push_padded(result: &mut String, text: &str, width: i32, left: bool) -> Result<()> {
    if width == i32::MIN {
        return Err(PgError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "number is out of range"));
    }
    let wanted = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
    let missing = wanted.saturating_sub(text.chars().count());
    check_length(result.len().saturating_add(text.len()).saturating_add(missing))?;
    let blanks = " ".repeat(missing);
    if left || width < 0 {
        result.push_str(text);
        result.push_str(&blanks);
    } else {
        result.push_str(&blanks);
        result.push_str(text);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::call;
    use crate::types::*;

    fn check(format: &str, values: &[Option<&str>], expected: &str) {
        let mut arguments = vec![(TEXT, Some(format))];
        arguments.extend(values.iter().map(|value| (TEXT, *value)));
        let found = call("format", &arguments);
        let found = found.map_or_else(|error| error.message, Option::unwrap_or_default);
        assert_eq!(found, expected, "{format}");
    }

    #[test]
    fn values_stand_in_their_places() {
        let abc = &[Some("a"), Some("B c"), Some("x'y"), Some("d"), Some("e")];
        check("%s %I %L %% %1$s %3$s %-10s| %10s|", abc, "a \"B c\" 'x''y' % a x'y d         |          e|");
        check("abc", &[], "abc");
        check("%1$*2$s|", &[Some("a"), Some("5")], "    a|");
        check("%*s|%-*s|", &[Some("5"), Some("a"), Some("-3"), Some("b")], "    a|b  |");
        check("%L|%s|", &[None, None], "NULL||");
        check("%5s|%-5s|", &[None, Some("é")], "     |é    |");
    }

    #[test]
    fn what_is_wrong_is_said() {
        check("%", &[], "unterminated format() type specifier");
        check("%1$", &[Some("a")], "unterminated format() type specifier");
        check("%s", &[], "too few arguments for format()");
        check("%0$s", &[Some("a")], "format specifies argument 0, but arguments are numbered from 1");
        check("%x", &[Some("a")], "unrecognized format() type specifier \"x\"");
        check("%I", &[None], "null values cannot be formatted as an SQL identifier");
        check("%99999999999s", &[Some("a")], "number is out of range");
        check("%*s", &[Some("x"), Some("a")], "invalid input syntax for type integer: \"x\"");
    }
}
