//! `numeric` in text and in the protocol's binary format, to and from the engine's decimals.
//!
//! A decimal is an integer and a scale. Neither direction goes through floating point: what was written is what is read.

use arrow::datatypes::i256;
use bytes::{Buf, BufMut, BytesMut};

/// Decimal digits in one digit of the binary format.
const DIGITS_PER_GROUP: usize = 4;
/// Groups that the widest decimal needs: 77 digits, 128 zeros of a negative scale, and alignment on both sides.
const GROUPS_MAX: usize = 64;
/// The sign word of a negative number in the binary format.
const SIGN_NEGATIVE: u16 = 0x4000;
/// Exponents beyond this are cut to it: no decimal reaches as far, and it keeps the arithmetic within 64 bits.
const EXPONENT_MAX: i64 = 1_000_000_000;

/// Why a text or a binary value is not a decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumericError {
    /// It is not a number.
    Syntax,
    /// It is one of PostgreSQL's special values, which the engine's decimals do not have.
    Special(&'static str),
}

/// A number as it was written: digits, a point and an exponent, not yet brought to a scale.
#[derive(Debug, Clone, Copy)]
pub struct WrittenNumber<'a> {
    negative: bool,
    integer: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

/// A number brought to a scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScaledNumber {
    /// The number times ten to the power of the scale, rounded half away from zero.
    pub unscaled: i128,
    /// Whether nothing but zeros was cut off.
    pub exact: bool,
}

impl<'a> WrittenNumber<'a> {
    /// Reads a number as `numeric_in` does; the text has no white space around it.
    pub fn parse(text: &'a str) -> Result<Self, NumericError> {
        if let Some(special) = special_value(text) {
            return Err(NumericError::Special(special));
        }
        let (negative, unsigned) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let (integer, rest) = split_digits(unsigned);
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => split_digits(rest),
            rest => (&rest[..0], rest),
        };
        if integer.is_empty() && fraction.is_empty() {
            return Err(NumericError::Syntax);
        }
        let exponent = match rest {
            [] => 0,
            [b'e' | b'E', rest @ ..] => exponent(rest)?,
            _ => return Err(NumericError::Syntax),
        };
        Ok(WrittenNumber { negative, integer, fraction, exponent })
    }

    /// The number with these digits, of which the last `scale` are after the point.
    pub fn from_digits(negative: bool, digits: &'a [u8], scale: i8) -> Self {
        WrittenNumber { negative, integer: digits, fraction: &[], exponent: -i64::from(scale) }
    }

    /// Digits after the point, as PostgreSQL counts them: trailing zeros included.
    pub fn scale(&self) -> i64 {
        (self.fraction.len() as i64 - self.exponent).max(0)
    }

    /// The number at a scale; `None` when it does not fit into 128 bits.
    pub fn at_scale(&self, scale: i64) -> Option<ScaledNumber> {
        let written = (self.integer.len() + self.fraction.len()) as i64;
        let kept = self.integer.len() as i64 + self.exponent + scale;
        let mut unscaled: i128 = 0;
        let mut exact = true;
        let mut round_up = false;
        for (position, digit) in (0i64..).zip(self.integer.iter().chain(self.fraction)) {
            let digit = digit - b'0';
            if position < kept {
                unscaled = unscaled.checked_mul(10)?.checked_add(i128::from(digit))?;
            } else {
                round_up |= position == kept && digit >= 5;
                exact &= digit == 0;
            }
        }
        if unscaled != 0 {
            for _ in written..kept {
                unscaled = unscaled.checked_mul(10)?;
            }
        }
        unscaled = unscaled.checked_add(i128::from(round_up))?;
        Some(ScaledNumber { unscaled: if self.negative { -unscaled } else { unscaled }, exact })
    }
}

impl WrittenNumber<'_> {
    /// As [`WrittenNumber::at_scale`], in 256 bits: the unscaled number, and whether nothing but zeros was cut off. `None`
    /// when it does not fit.
    pub fn wide_at_scale(&self, scale: i64) -> Option<(i256, bool)> {
        if let Some(number) = self.at_scale(scale) {
            return Some((i256::from_i128(number.unscaled), number.exact));
        }
        let ten = i256::from_i128(10);
        let written = (self.integer.len() + self.fraction.len()) as i64;
        let kept = self.integer.len() as i64 + self.exponent + scale;
        let mut unscaled = i256::ZERO;
        let (mut exact, mut round_up) = (true, false);
        for (position, digit) in (0i64..).zip(self.integer.iter().chain(self.fraction)) {
            let digit = digit - b'0';
            if position < kept {
                unscaled = unscaled.checked_mul(ten)?.checked_add(i256::from_i128(i128::from(digit)))?;
            } else {
                round_up |= position == kept && digit >= 5;
                exact &= digit == 0;
            }
        }
        for _ in written..kept {
            unscaled = unscaled.checked_mul(ten)?;
        }
        if round_up {
            unscaled = unscaled.checked_add(i256::ONE)?;
        }
        Some((if self.negative { unscaled.checked_neg()? } else { unscaled }, exact))
    }
}

fn special_value(text: &str) -> Option<&'static str> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if text.eq_ignore_ascii_case("nan") {
        Some("NaN")
    } else if unsigned.eq_ignore_ascii_case("infinity") || unsigned.eq_ignore_ascii_case("inf") {
        Some(if text.starts_with('-') { "-Infinity" } else { "Infinity" })
    } else {
        None
    }
}

fn split_digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|b| !b.is_ascii_digit()).unwrap_or(bytes.len());
    bytes.split_at(end)
}

fn exponent(bytes: &[u8]) -> Result<i64, NumericError> {
    let (negative, unsigned) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (digits, rest) = split_digits(unsigned);
    if digits.is_empty() || !rest.is_empty() {
        return Err(NumericError::Syntax);
    }
    let magnitude = digits.iter().fold(0i64, |value, digit| (value * 10 + i64::from(digit - b'0')).min(EXPONENT_MAX));
    Ok(if negative { -magnitude } else { magnitude })
}

/// Appends a decimal in text. `digits` is the absolute value of the unscaled integer, without leading zeros.
pub fn write_text(negative: bool, digits: &[u8], scale: i8, out: &mut BytesMut) {
    if negative {
        out.put_u8(b'-');
    }
    if scale <= 0 {
        out.put_slice(digits);
        if digits != b"0" {
            out.put_bytes(b'0', usize::from(scale.unsigned_abs()));
        }
        return;
    }
    let scale = usize::from(scale.unsigned_abs());
    match digits.len().checked_sub(scale).filter(|integer| *integer > 0) {
        Some(integer) => {
            out.put_slice(&digits[..integer]);
            out.put_u8(b'.');
            out.put_slice(&digits[integer..]);
        }
        None => {
            out.put_slice(b"0.");
            out.put_bytes(b'0', scale - digits.len());
            out.put_slice(digits);
        }
    }
}

/// Appends a decimal in binary: digits of base 10,000 aligned to the point, without zeros at either end.
pub fn write_binary(negative: bool, digits: &[u8], scale: i8, out: &mut BytesMut) {
    let display_scale = usize::from(scale.max(0).unsigned_abs());
    let zeros = usize::from(scale.min(0).unsigned_abs());
    let fraction_groups = display_scale.div_ceil(DIGITS_PER_GROUP);
    let padding = zeros + fraction_groups * DIGITS_PER_GROUP - display_scale;
    let count = (digits.len() + padding).div_ceil(DIGITS_PER_GROUP);
    let lead = count * DIGITS_PER_GROUP - padding - digits.len();

    let mut groups = [0u16; GROUPS_MAX];
    for (position, digit) in (lead..).zip(digits) {
        let power = DIGITS_PER_GROUP - 1 - position % DIGITS_PER_GROUP;
        groups[position / DIGITS_PER_GROUP] += u16::from(digit - b'0') * 10u16.pow(power as u32);
    }
    let first = groups[..count].iter().position(|group| *group != 0).unwrap_or(count);
    let last = groups[..count].iter().rposition(|group| *group != 0).map_or(first, |last| last + 1);
    let is_zero = first == last;
    let weight = if is_zero { 0 } else { count as i16 - fraction_groups as i16 - 1 - first as i16 };
    out.put_u16((last - first) as u16);
    out.put_i16(weight);
    out.put_u16(if negative && !is_zero { SIGN_NEGATIVE } else { 0 });
    out.put_u16(display_scale as u16);
    for group in &groups[first..last] {
        out.put_u16(*group);
    }
}

/// Turns a binary value into the text of the same number, with all of its digits after the point.
pub fn binary_to_text(mut bytes: &[u8]) -> Result<String, NumericError> {
    if bytes.len() < 8 {
        return Err(NumericError::Syntax);
    }
    let count = usize::from(bytes.get_u16());
    let weight = i32::from(bytes.get_i16());
    let sign = bytes.get_u16();
    let display_scale = usize::from(bytes.get_u16());
    let negative = match sign {
        0 => false,
        SIGN_NEGATIVE => true,
        0xC000 => return Err(NumericError::Special("NaN")),
        0xD000 => return Err(NumericError::Special("Infinity")),
        0xF000 => return Err(NumericError::Special("-Infinity")),
        _ => return Err(NumericError::Syntax),
    };
    if bytes.len() != count * 2 {
        return Err(NumericError::Syntax);
    }
    let groups: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    if groups.iter().any(|group| *group > 9999) {
        return Err(NumericError::Syntax);
    }
    Ok(text_of_groups(negative, &groups, weight, display_scale))
}

fn text_of_groups(negative: bool, groups: &[u16], weight: i32, display_scale: usize) -> String {
    let group = |power: i32| {
        let position = usize::try_from(weight - power).ok();
        position.and_then(|position| groups.get(position)).copied().unwrap_or(0)
    };
    let mut text = if negative { "-".to_owned() } else { String::new() };
    for power in (0..=weight.max(0)).rev() {
        text.push_str(&format!("{:04}", group(power)));
    }
    text.push('.');
    let fraction_start = text.len();
    for power in 1..=display_scale.div_ceil(DIGITS_PER_GROUP) as i32 {
        text.push_str(&format!("{:04}", group(-power)));
    }
    // Digits beyond the display scale are hidden in PostgreSQL too.
    text.truncate(fraction_start + display_scale);
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check_scale(text: &str, scale: i64, unscaled: i128, exact: bool) {
        let number = WrittenNumber::parse(text).unwrap().at_scale(scale);
        assert_eq!(number, Some(ScaledNumber { unscaled, exact }), "{text}");
    }

    #[test]
    fn a_written_number_is_rounded_half_away_from_zero() {
        check_scale("1.25", 2, 125, true);
        check_scale("1.245", 2, 125, false);
        check_scale("-1.245", 2, -125, false);
        check_scale("1.2449", 2, 124, false);
        check_scale("1.2500", 2, 125, true);
        check_scale("007", 1, 70, true);
        check_scale(".5", 0, 1, false);
        check_scale(".05", 0, 0, false);
        check_scale("5.", 0, 5, true);
        check_scale("1.5e3", 0, 1500, true);
        check_scale("15E-1", 0, 2, false);
        check_scale("1e-2147483648", 18, 0, false);
        check_scale("0e999999999999", 0, 0, true);
        check_scale("-0", 2, 0, true);
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        for text in ["", ".", "-", "1.2.3", "1e", "e5", "1_000", "0x10", "1 2", "--1"] {
            assert_eq!(WrittenNumber::parse(text).unwrap_err(), NumericError::Syntax, "{text}");
        }
        assert_eq!(WrittenNumber::parse("NaN").unwrap_err(), NumericError::Special("NaN"));
        assert_eq!(WrittenNumber::parse("-inf").unwrap_err(), NumericError::Special("-Infinity"));
        assert_eq!(WrittenNumber::parse("1e1000000000000").unwrap().at_scale(0), None);
        assert_eq!(WrittenNumber::parse("1e39").unwrap().at_scale(0), None);
    }

    fn check_formats(negative: bool, digits: &str, scale: i8, text: &str, binary: &[u16]) {
        let mut out = BytesMut::new();
        write_text(negative, digits.as_bytes(), scale, &mut out);
        assert_eq!(std::str::from_utf8(&out).unwrap(), text);
        out.clear();
        write_binary(negative, digits.as_bytes(), scale, &mut out);
        let words: Vec<u16> = out.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        assert_eq!(words, binary, "{text}");
        let number = binary_to_text(&out).unwrap();
        let unscaled = WrittenNumber::parse(&number).unwrap().at_scale(i64::from(scale)).unwrap().unscaled;
        let expected: i128 = digits.parse().unwrap();
        assert_eq!(unscaled, if negative { -expected } else { expected }, "{number}");
    }

    #[test]
    fn a_decimal_is_written_as_postgresql_sends_it() {
        check_formats(false, "0", 0, "0", &[0, 0, 0, 0]);
        check_formats(false, "0", 2, "0.00", &[0, 0, 0, 2]);
        check_formats(false, "0", -2, "0", &[0, 0, 0, 0]);
        check_formats(false, "1", 0, "1", &[1, 0, 0, 0, 1]);
        check_formats(true, "150", 2, "-1.50", &[2, 0, SIGN_NEGATIVE, 2, 1, 5000]);
        check_formats(false, "5", 3, "0.005", &[1, 0xFFFF, 0, 3, 50]);
        check_formats(false, "5", 5, "0.00005", &[1, 0xFFFE, 0, 5, 5000]);
        check_formats(false, "12345678", 0, "12345678", &[2, 1, 0, 0, 1234, 5678]);
        check_formats(false, "10000", 0, "10000", &[1, 1, 0, 0, 1]);
        check_formats(false, "12345678", 3, "12345.678", &[3, 1, 0, 3, 1, 2345, 6780]);
        check_formats(false, "12", -3, "12000", &[2, 1, 0, 0, 1, 2000]);
    }

    #[test]
    fn a_hostile_binary_value_is_refused() {
        for words in [&[1u16, 0, 0, 0][..], &[0, 0, 0x1234, 0], &[1, 0, 0, 0, 10_000], &[0xFFFF, 0, 0, 0]] {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            assert_eq!(binary_to_text(&bytes), Err(NumericError::Syntax), "{words:?}");
        }
        assert_eq!(binary_to_text(&[0, 0, 0]), Err(NumericError::Syntax));
        let huge: Vec<u8> = [1u16, 0x7FFF, 0, 0x3FFF, 9999].iter().flat_map(|word| word.to_be_bytes()).collect();
        let text = binary_to_text(&huge).unwrap();
        assert_eq!(WrittenNumber::parse(&text).unwrap().at_scale(0), None);
    }
}
