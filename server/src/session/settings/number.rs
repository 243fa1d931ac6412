//! Numbers of settings, with their units.

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Nothing in particular.
    None,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Kilobytes.
    Kilobytes,
    /// Pages of eight kilobytes.
    Pages,
    /// Megabytes.
    Megabytes,
}

/// A unit, and how many of the smallest of its kind it is.
type Factor = (&'static str, f64);

/// Units of sizes, in bytes, the largest first.
const SIZES: [Factor; 5] =
    [("TB", 1_099_511_627_776.0), ("GB", 1_073_741_824.0), ("MB", 1_048_576.0), ("kB", 1024.0), ("B", 1.0)];
/// Units of times, in microseconds, the largest first.
const TIMES: [Factor; 6] = [("d", 86_400e6), ("h", 3_600e6), ("min", 60e6), ("s", 1e6), ("ms", 1e3), ("us", 1.0)];
const SIZES_HINT: &str = "Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\".";
const TIMES_HINT: &str = "Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\".";
const INTEGER_HINT: &str = "Value exceeds integer range.";
/// Digits of a number that are printed (`%g`).
const DIGITS: usize = 6;

impl Unit {
    /// Its name in `pg_settings`.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Unit::None => None,
            Unit::Milliseconds => Some("ms"),
            Unit::Seconds => Some("s"),
            Unit::Bytes => Some("B"),
            Unit::Kilobytes => Some("kB"),
            Unit::Pages => Some("8kB"),
            Unit::Megabytes => Some("MB"),
        }
    }

    /// The name behind a number in a message.
    pub(super) fn suffix(self) -> String {
        self.name().map(|name| format!(" {name}")).unwrap_or_default()
    }

    /// The units of its kind, what one of this is in their smallest, and what to say when another is written.
    fn family(self) -> Option<(&'static [Factor], f64, &'static str)> {
        let one = match self {
            Unit::None => return None,
            Unit::Milliseconds => 1e3,
            Unit::Seconds => 1e6,
            Unit::Bytes => 1.0,
            Unit::Kilobytes => 1024.0,
            Unit::Pages => 8192.0,
            Unit::Megabytes => 1_048_576.0,
        };
        Some(match self {
            Unit::Milliseconds | Unit::Seconds => (&TIMES, one, TIMES_HINT),
            _ => (&SIZES, one, SIZES_HINT),
        })
    }
}

/// What is said of a number that cannot be read.
type Hint = Option<&'static str>;

/// A whole number in this unit; a fraction is rounded. Digits may be hexadecimal (`0x`) or octal (`0`).
///
/// # Errors
/// It is none. The hint says which units there are, or that it is too large.
pub fn integer(text: &str, unit: Unit) -> Result<i64, Hint> {
    let text = text.trim_start();
    let (value, rest) = match c_integer(text) {
        Some((value, rest)) if !rest.starts_with(['.', 'e', 'E']) => (value as f64, rest),
        _ => decimal(text).ok_or(None)?,
    };
    let value = in_unit(value, rest, unit)?.round_ties_even();
    let fits = (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&value);
    if fits { Ok(value as i64) } else { Err(Some(INTEGER_HINT)) }
}

/// A number in this unit.
///
/// # Errors
/// It is none.
pub fn real(text: &str, unit: Unit) -> Result<f64, Hint> {
    let (value, rest) = decimal(text.trim_start()).ok_or(None)?;
    in_unit(value, rest, unit)
}

fn in_unit(value: f64, rest: &str, unit: Unit) -> Result<f64, Hint> {
    let written = rest.trim();
    if written.is_empty() {
        return Ok(value);
    }
    let (units, one, hint) = unit.family().ok_or(None)?;
    let position = units.iter().position(|(name, _)| *name == written).ok_or(Some(hint))?;
    let converted = value * units[position].1 / one;
    // Fractions such as 0.1GB mean whole ones of the next smaller unit.
    match units.get(position + 1) {
        Some((_, smaller)) if smaller / one >= 1.0 => Ok((converted * one / smaller).round_ties_even() * smaller / one),
        _ => Ok(converted),
    }
}

/// The integer that a text begins with, as `strtol` reads it, and what follows.
fn c_integer(text: &str) -> Option<(i64, &str)> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let negative = text.starts_with('-');
    let hexadecimal = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X"));
    let (digits, radix) = match hexadecimal {
        Some(digits) if digits.starts_with(|c: char| c.is_ascii_hexdigit()) => (digits, 16),
        _ if unsigned.starts_with('0') => (unsigned, 8),
        _ => (unsigned, 10),
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let value = i64::from_str_radix(&digits[..end], radix).ok()?;
    Some((if negative { -value } else { value }, &digits[end..]))
}

/// The decimal number that a text begins with, and what follows.
fn decimal(text: &str) -> Option<(f64, &str)> {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut end = usize::from(text.starts_with(['-', '+']));
    let whole = digits(end);
    end += whole;
    let mut fraction = 0;
    if text[end..].starts_with('.') {
        fraction = digits(end + 1);
        end += 1 + fraction;
    }
    if whole + fraction == 0 {
        return None;
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['-', '+']));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    let value: f64 = text[..end].parse().ok()?;
    value.is_finite().then_some((value, &text[end..]))
}

/// A number of whole units as SHOW prints it: in the largest unit of which it is a whole number.
pub fn shown_integer(value: &str, unit: Unit) -> String {
    let (Ok(number), Some((units, one, _))) = (value.parse::<i64>(), unit.family()) else { return value.to_owned() };
    let whole = |(_, factor): &&(&str, f64)| (number as f64 * one) % factor == 0.0;
    match units.iter().find(whole) {
        Some((name, factor)) if number > 0 => format!("{}{name}", number as f64 * one / factor),
        _ => value.to_owned(),
    }
}

/// The same for a number with a fraction.
pub fn shown_real(value: &str, unit: Unit) -> String {
    let (Ok(number), Some((units, one, _))) = (value.parse::<f64>(), unit.family()) else { return value.to_owned() };
    let in_unit = |factor: f64| number * one / factor;
    let whole = |(_, factor): &&(&str, f64)| {
        let value = in_unit(*factor);
        value.round_ties_even() > 0.0 && (value.round_ties_even() / value - 1.0).abs() <= 1e-8
    };
    match units.iter().find(whole) {
        _ if number <= 0.0 => value.to_owned(),
        Some((name, factor)) => format!("{}{name}", exact(in_unit(*factor).round_ties_even())),
        None => {
            units.last().map_or_else(|| value.to_owned(), |(name, one)| format!("{}{name}", general(in_unit(*one))))
        }
    }
}

/// A number as C prints it with `%g`, or with all of its digits where these would be another number.
pub fn exact(value: f64) -> String {
    let general = general(value);
    if general.parse() == Ok(value) { general } else { value.to_string() }
}

/// A number as C prints it with `%g`.
pub fn general(value: f64) -> String {
    let scientific = format!("{value:.*e}", DIGITS - 1);
    let Some((digits, exponent)) = scientific.split_once('e') else { return value.to_string() };
    let Ok(exponent) = exponent.parse::<i32>() else { return value.to_string() };
    if !(-4..DIGITS as i32).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", without_zeros(digits), exponent.abs());
    }
    let decimals = (DIGITS as i32 - 1 - exponent).unsigned_abs() as usize;
    without_zeros(&format!("{value:.decimals$}")).to_owned()
}

fn without_zeros(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, unit: Unit, expected: &str) {
        let read = integer(text, unit).map(|value| shown_integer(&value.to_string(), unit));
        assert_eq!(read.unwrap_or_else(|hint| hint.unwrap_or("invalid").to_owned()), expected, "{text}");
    }

    #[test]
    fn whole_numbers_have_units() {
        check("1.5GB", Unit::Kilobytes, "1536MB");
        check("0.1GB", Unit::Kilobytes, "102MB");
        check("0x400", Unit::Kilobytes, "1MB");
        check("02000", Unit::Kilobytes, "1MB");
        check("1e4", Unit::Kilobytes, "10000kB");
        check("64 MB ", Unit::Kilobytes, "64MB");
        check("64mb", Unit::Kilobytes, SIZES_HINT);
        check("9999999999", Unit::Kilobytes, INTEGER_HINT);
        check("abc", Unit::Kilobytes, "invalid");
        check("", Unit::Kilobytes, "invalid");
        check("2kB", Unit::None, "invalid");
        check("1", Unit::Pages, "8kB");
        check("1.5h", Unit::Milliseconds, "90min");
        check("100us", Unit::Milliseconds, "0");
        check("5m", Unit::Milliseconds, TIMES_HINT);
        check("25d", Unit::Milliseconds, INTEGER_HINT);
        check("-1", Unit::Milliseconds, "-1");
    }

    #[test]
    fn numbers_with_a_fraction_have_units_too() {
        let shown =
            |text: &str| shown_real(&general(real(text, Unit::Milliseconds).unwrap_or(f64::NAN)), Unit::Milliseconds);
        assert_eq!(
            [shown("1.5"), shown("0.01s"), shown("500us"), shown("0")],
            ["1500us", "10ms", "500us", "0"].map(str::to_owned)
        );
        let shown = |text: &str| shown_real(&exact(real(text, Unit::Bytes).unwrap_or(f64::NAN)), Unit::Bytes);
        let sizes = ["10GB", "10737419264", "1000001B", "1.5kB"];
        assert_eq!(sizes.map(shown), ["10GB", "10485761kB", "1000001B", "1536B"].map(str::to_owned));
        assert_eq!([general(f64::MAX), general(0.0001), general(100_000.0)], ["1.79769e+308", "0.0001", "100000"]);
    }
}
