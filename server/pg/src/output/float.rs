//! `real` and `double precision` in text: the shortest digits that read back as the same value, or as many as
//! `extra_float_digits` says, laid out as PostgreSQL does.

use std::io::Write;

use bytes::{BufMut, BytesMut};

/// Bytes that the longest number takes in Rust's scientific notation.
const SCIENTIFIC_BYTES_MAX: usize = 32;

/// Bits after the point from which on a value has more decimal digits than a shortest form can be half way of: five to
/// this power has more.
const SHORT_FRACTION_BITS_MAX: i32 = 26;
/// Powers of two from which on neither a value nor a midpoint is a decimal of few digits: it would need a power of five
/// that no mantissa holds, or more digits for its factors of two.
const SHORT_POWER_MAX: i32 = 80;

/// What differs between the two floating point types.
trait Float: Copy + std::fmt::LowerExp + std::str::FromStr + PartialEq {
    /// Powers of ten from which PostgreSQL changes to scientific notation.
    const SCIENTIFIC_FROM: i32;
    /// Most digits that the shortest form needs.
    const DIGITS_MAX: usize;
    /// Digits that every decimal keeps: as many are printed when `extra_float_digits` is 0.
    const DIGITS_KEPT: i32;

    /// The absolute value as `mantissa * 2^exponent`.
    fn decode(self) -> (u64, i32);
}

impl Float for f32 {
    const SCIENTIFIC_FROM: i32 = 6;
    const DIGITS_MAX: usize = 9;
    const DIGITS_KEPT: i32 = 6;

    fn decode(self) -> (u64, i32) {
        let bits = self.to_bits() & 0x7fff_ffff;
        let (exponent, fraction) = ((bits >> 23) as i32, u64::from(bits & 0x7f_ffff));
        if exponent == 0 { (fraction, -149) } else { (fraction | 1 << 23, exponent - 150) }
    }
}

impl Float for f64 {
    const SCIENTIFIC_FROM: i32 = 15;
    const DIGITS_MAX: usize = 17;
    const DIGITS_KEPT: i32 = 15;

    fn decode(self) -> (u64, i32) {
        let bits = self.to_bits() & (u64::MAX >> 1);
        let (exponent, fraction) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
        if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) }
    }
}

/// Decimal digits and the power of ten of the first one.
struct Digits {
    digits: [u8; SCIENTIFIC_BYTES_MAX],
    count: usize,
    exponent: i32,
}

impl Digits {
    fn as_slice(&self) -> &[u8] {
        &self.digits[..self.count]
    }
}

/// Appends a `real`.
pub fn write_f32(value: f32, out: &mut BytesMut) {
    write_f32_with(value, 1, out);
}

/// Appends a `double precision`.
pub fn write_f64(value: f64, out: &mut BytesMut) {
    write_f64_with(value, 1, out);
}

/// Appends a `real` with so many `extra_float_digits`.
pub(super) fn write_f32_with(value: f32, extra_digits: i32, out: &mut BytesMut) {
    if !write_special(f64::from(value), out) {
        write_finite(value, extra_digits, out);
    }
}

/// Appends a `double precision` with so many `extra_float_digits`.
pub(super) fn write_f64_with(value: f64, extra_digits: i32, out: &mut BytesMut) {
    if !write_special(value, out) {
        write_finite(value, extra_digits, out);
    }
}

/// Appends what has no digits, and the sign of everything else.
fn write_special(value: f64, out: &mut BytesMut) -> bool {
    if value.is_nan() {
        out.put_slice(b"NaN");
        return true;
    }
    if value.is_sign_negative() {
        out.put_u8(b'-');
    }
    if value.is_infinite() {
        out.put_slice(b"Infinity");
    } else if value == 0.0 {
        out.put_u8(b'0');
    }
    value.is_infinite() || value == 0.0
}

fn write_finite<F: Float>(value: F, extra_digits: i32, out: &mut BytesMut) {
    let (found, scientific_from) = if extra_digits > 0 {
        (shortest(value), F::SCIENTIFIC_FROM)
    } else {
        let count = (F::DIGITS_KEPT + extra_digits).max(1);
        (scientific_digits(format_args!("{value:.*e}", count as usize - 1)), count)
    };
    let (digits, exponent) = (found.as_slice(), found.exponent);
    if !(-4..scientific_from).contains(&exponent) {
        return write_scientific(digits, exponent, out);
    }
    match usize::try_from(exponent) {
        Ok(exponent) if digits.len() <= exponent + 1 => {
            out.put_slice(digits);
            out.put_bytes(b'0', exponent + 1 - digits.len());
        }
        Ok(exponent) => {
            out.put_slice(&digits[..=exponent]);
            out.put_u8(b'.');
            out.put_slice(&digits[exponent + 1..]);
        }
        Err(_) => {
            out.put_slice(b"0.");
            out.put_bytes(b'0', exponent.unsigned_abs() as usize - 1);
            out.put_slice(digits);
        }
    }
}

fn write_scientific(digits: &[u8], exponent: i32, out: &mut BytesMut) {
    out.put_u8(digits[0]);
    if digits.len() > 1 {
        out.put_u8(b'.');
        out.put_slice(&digits[1..]);
    }
    out.put_slice(if exponent < 0 { b"e-" } else { b"e+" });
    if exponent.abs() < 10 {
        out.put_u8(b'0');
    }
    super::write_integer(i64::from(exponent.abs()), out);
}

/// The shortest digits strictly between the midpoints to the neighbouring values, and of those the nearest.
///
/// Rust's own shortest form differs in two cases. It takes a midpoint itself when reading it back rounds to this value;
/// PostgreSQL does not, so that a reader need not round half to even, and prints 1e23 as 9.999999999999999e+22. And of
/// two forms that are equally near, PostgreSQL takes the one that ends in an even digit.
fn shortest<F: Float>(value: F) -> Digits {
    let found = scientific_digits(format_args!("{value:e}"));
    if !may_differ(value, found.count) {
        return found;
    }
    let accepted = |it: &Digits| !is_midpoint(it, value) && reads_back(it, value);
    // Formatting with a precision rounds half to even.
    let with_digits = |count: usize| scientific_digits(format_args!("{value:.*e}", count - 1));
    let even = with_digits(found.count);
    if accepted(&even) {
        return even;
    }
    // Below a power of two the neighbours are nearer, and the even digit may be beyond the midpoint to the next one.
    if !is_midpoint(&found, value) {
        return found;
    }
    (found.count + 1..=F::DIGITS_MAX).map(with_digits).find(accepted).unwrap_or(found)
}

/// Whether a value could be one of the two cases, for which it or a midpoint must be a decimal of few digits. Saves most
/// values the closer look.
fn may_differ<F: Float>(value: F, digits: usize) -> bool {
    let (mantissa, exponent) = value.decode();
    // Among integers and fractions that the mantissa holds exactly, midpoints have as many digits as there can be.
    if exponent <= 0 && digits < F::DIGITS_MAX - 2 {
        return false;
    }
    let last_bit = exponent + mantissa.trailing_zeros() as i32;
    last_bit >= -SHORT_FRACTION_BITS_MAX && exponent <= SHORT_POWER_MAX
}

/// Takes Rust's scientific notation apart; trailing zeros of the digits are dropped.
fn scientific_digits(formatted: std::fmt::Arguments<'_>) -> Digits {
    let mut text = [0u8; SCIENTIFIC_BYTES_MAX];
    let mut rest = &mut text[..];
    rest.write_fmt(formatted).expect("a number in scientific notation fits");
    let length = SCIENTIFIC_BYTES_MAX - rest.len();

    let mut found = Digits { digits: [0; SCIENTIFIC_BYTES_MAX], count: 0, exponent: 0 };
    let mut bytes = text[..length].iter();
    for byte in bytes.by_ref() {
        match byte {
            b'0'..=b'9' => {
                found.digits[found.count] = *byte;
                found.count += 1;
            }
            b'e' => break,
            _ => {}
        }
    }
    let exponent = bytes.as_slice();
    let magnitude = exponent.iter().filter(|b| b.is_ascii_digit()).fold(0, |n, b| n * 10 + i32::from(b - b'0'));
    found.exponent = if exponent.first() == Some(&b'-') { -magnitude } else { magnitude };
    while found.count > 1 && found.digits[found.count - 1] == b'0' {
        found.count -= 1;
    }
    found
}

fn reads_back<F: Float>(found: &Digits, value: F) -> bool {
    let text = String::from_utf8_lossy(found.as_slice());
    let exponent = found.exponent - (found.count as i32 - 1);
    // The sign has been written already, so only the absolute value counts.
    [format!("{text}e{exponent}"), format!("-{text}e{exponent}")]
        .iter()
        .any(|it| it.parse::<F>().is_ok_and(|it| it == value))
}

/// Whether the digits are exactly half way between the value and a neighbour.
fn is_midpoint<F: Float>(found: &Digits, value: F) -> bool {
    let (mantissa, exponent) = value.decode();
    let power = found.exponent - (found.count as i32 - 1);
    let decimal = found.as_slice().iter().fold(0u128, |n, b| n * 10 + u128::from(b - b'0'));
    // An odd number of at most 54 bits cannot contain a higher power of five; nor can the digits.
    let Some(five) = 5u128.checked_pow(power.unsigned_abs()).filter(|five| *five < 1 << 54) else {
        return false;
    };
    let midpoints = [2 * u128::from(mantissa) + 1, (2 * u128::from(mantissa)).saturating_sub(1)];
    midpoints.into_iter().any(|midpoint| {
        // decimal * 10^power == midpoint * 2^(exponent - 1), with the powers of two taken out on both sides.
        let (left, right) = if power >= 0 { (decimal * five, midpoint) } else { (decimal, midpoint * five) };
        let twos = left.trailing_zeros() as i32 + power;
        left >> left.trailing_zeros() == right && twos == exponent - 1
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check(write: impl Fn(&mut BytesMut), expected: &str) {
        let mut out = BytesMut::new();
        write(&mut out);
        assert_eq!(std::str::from_utf8(&out).unwrap(), expected);
    }

    #[test]
    fn doubles_are_printed_as_postgresql_does() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
            (1.5, "1.5"),
            (-100.0, "-100"),
            (0.1, "0.1"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (123456789012345.0, "123456789012345"),
            (1e15, "1e+15"),
            (1e20, "1e+20"),
            (1e22, "1e+22"),
            (1e23, "9.999999999999999e+22"),
            (-1e23, "-9.999999999999999e+22"),
            (9007199254740993.0, "9.007199254740992e+15"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (0.1 + 0.2, "0.30000000000000004"),
            (900719925474099.2, "900719925474099.2"),
        ] {
            check(|out| write_f64(value, out), expected);
        }
    }

    #[test]
    fn reals_are_printed_as_postgresql_does() {
        for (value, expected) in [
            (0.3, "0.3"),
            (123456.0, "123456"),
            (1e6, "1e+06"),
            (16777216.0, "1.6777216e+07"),
            (33554432.0, "3.3554432e+07"),
            (-1.175_494_4e-38, "-1.1754944e-38"),
            (f32::INFINITY, "Infinity"),
        ] {
            check(|out| write_f32(value, out), expected);
        }
    }
}
