//! The digits of a number that is written by a template: rounded to what the template shows.

use super::number_template::Layout;
use crate::error::{PgError, Result};
use crate::function::Numeric;

/// Decimal digits that a `double precision` has for sure (`DBL_DIG`).
const DOUBLE_DIGITS: usize = 15;
/// Decimal digits that a `real` has for sure (`FLT_DIG`).
const REAL_DIGITS: usize = 6;
/// From here on a `double precision` has nothing but zeros.
const DOUBLE_FRACTION_MAX: usize = 1100;
/// The largest number in Roman digits.
const ROMAN_MAX: i64 = 3999;
/// Characters that Roman digits take at most.
pub const ROMAN_WIDTH: usize = 15;

/// A number as a template gets it: digits and sign, or a text that is taken as it is.
#[derive(Debug)]
pub struct NumberText {
    /// Digits with a point, or what takes their place.
    pub text: String,
    /// Whether it is below zero.
    pub negative: bool,
    /// The layout, with what the number changed of it.
    pub layout: Layout,
    /// Digits of the template before those of the number.
    pub blanks: i32,
}

impl NumberText {
    fn verbatim(text: String, layout: Layout) -> Self {
        NumberText { text, negative: false, layout, blanks: 0 }
    }

    /// Lays out digits that may have a point, unless there are too many of them before it.
    fn laid_out(text: String, negative: bool, layout: Layout) -> Self {
        let integer = text.find('.').unwrap_or(text.len());
        let room = i64::from(layout.integer) - i64::try_from(integer).unwrap_or(i64::MAX);
        if room < 0 {
            let text = format!("{}.{}", hashes(layout.integer), hashes(layout.fraction));
            return NumberText { text, negative, layout, blanks: 0 };
        }
        NumberText { text, negative, layout, blanks: room as i32 }
    }
}

fn hashes(count: i32) -> String {
    "#".repeat(usize::try_from(count).unwrap_or_default())
}

fn count(digits: i32) -> usize {
    usize::try_from(digits).unwrap_or_default()
}

/// An `integer`.
pub fn of_int4(value: i32, mut layout: Layout) -> NumberText {
    if layout.roman {
        return NumberText::verbatim(roman(i64::from(value)), layout);
    }
    if layout.exponent {
        return NumberText::verbatim(scientific_f64(f64::from(value), layout), layout);
    }
    let value = if layout.shifted {
        layout.integer += layout.shift;
        // PostgreSQL multiplies without a look at the range.
        let power = u32::try_from(layout.shift).ok().and_then(|shift| 10i32.checked_pow(shift));
        value.wrapping_mul(power.unwrap_or(i32::MIN))
    } else {
        value
    };
    of_integer(i64::from(value), layout)
}

/// A `bigint`.
pub fn of_int8(value: i64, mut layout: Layout) -> Result<NumberText> {
    if layout.roman {
        let value = i32::try_from(value).map_err(|_| PgError::out_of_range("integer"))?;
        return Ok(NumberText::verbatim(roman(i64::from(value)), layout));
    }
    if layout.exponent {
        return Ok(NumberText::verbatim(scientific_numeric(Numeric::from_i128(i128::from(value)), layout), layout));
    }
    let value = if layout.shifted {
        layout.integer += layout.shift;
        let power = u32::try_from(layout.shift).ok().and_then(|shift| 10i64.checked_pow(shift));
        power.and_then(|power| value.checked_mul(power)).ok_or_else(|| PgError::out_of_range("bigint"))?
    } else {
        value
    };
    Ok(of_integer(value, layout))
}

fn of_integer(value: i64, layout: Layout) -> NumberText {
    let mut text = value.unsigned_abs().to_string();
    if layout.fraction > 0 {
        text.push('.');
        text.extend(std::iter::repeat_n('0', count(layout.fraction)));
    }
    NumberText::laid_out(text, value < 0, layout)
}

/// A `numeric`.
pub fn of_numeric(value: Numeric, mut layout: Layout) -> Result<NumberText> {
    if layout.roman {
        let rounded = value.at_scale(0).and_then(|it| it.unscaled.to_i128()).and_then(|it| i32::try_from(it).ok());
        let rounded = rounded.ok_or_else(|| PgError::out_of_range("integer"))?;
        return Ok(NumberText::verbatim(roman(i64::from(rounded)), layout));
    }
    if layout.exponent {
        return Ok(NumberText::verbatim(scientific_numeric(value, layout), layout));
    }
    let mut scale = i64::from(value.scale);
    if layout.shifted {
        layout.integer += layout.shift;
        scale -= i64::from(layout.shift);
    }
    let digits = value.unscaled.wrapping_abs().to_string();
    let scale = if digits == "0" { scale.max(0) } else { scale };
    let (text, is_zero) = fixed_point(digits, scale, count(layout.fraction));
    Ok(NumberText::laid_out(text, value.is_negative() && !is_zero, layout))
}

/// Digits, of which `scale` are after the point, rounded to `fraction` of them; and whether nothing but zeros is left.
fn fixed_point(digits: String, scale: i64, fraction: usize) -> (String, bool) {
    let mut digits = digits;
    // The position of the point, and at least one digit before it.
    let missing = (scale + 1 - digits.len() as i64).max(0);
    digits.insert_str(0, &"0".repeat(usize::try_from(missing).unwrap_or_default()));
    let point = digits.len() as i64 - scale;
    if scale < 0 {
        digits.extend(std::iter::repeat_n('0', usize::try_from(-scale).unwrap_or_default()));
    }
    let point = usize::try_from(point).unwrap_or_default();
    let kept = point.saturating_add(fraction);
    let mut point = point;
    if digits.len() > kept {
        let round_up = digits.as_bytes()[kept] >= b'5';
        digits.truncate(kept);
        if round_up {
            point += usize::from(increment(&mut digits));
        }
    } else {
        digits.extend(std::iter::repeat_n('0', kept - digits.len()));
    }
    let is_zero = digits.bytes().all(|digit| digit == b'0');
    if fraction > 0 {
        digits.insert(point, '.');
    }
    (digits, is_zero)
}

/// Adds one to the last digit; whether that made another digit.
fn increment(digits: &mut String) -> bool {
    let nines = digits.bytes().rev().take_while(|digit| *digit == b'9').count();
    let start = digits.len() - nines;
    let (position, digit) = match start.checked_sub(1) {
        Some(position) => (position, digits.as_bytes()[position]),
        None => {
            digits.insert(0, '0');
            (0, b'0')
        }
    };
    digits.truncate(position);
    digits.push(char::from(digit + 1));
    digits.extend(std::iter::repeat_n('0', nines));
    start == 0
}

/// A `real`.
pub fn of_float4(value: f32, mut layout: Layout) -> NumberText {
    let mut shifted = value;
    if layout.shifted && !layout.roman && !layout.exponent {
        shifted = value * 10f64.powf(f64::from(layout.shift)) as f32;
        layout.integer += layout.shift;
    }
    of_float(f64::from(shifted), layout, REAL_DIGITS)
}

/// A `double precision`.
pub fn of_float8(value: f64, mut layout: Layout) -> NumberText {
    let mut shifted = value;
    if layout.shifted && !layout.roman && !layout.exponent {
        shifted = value * 10f64.powf(f64::from(layout.shift));
        layout.integer += layout.shift;
    }
    of_float(shifted, layout, DOUBLE_DIGITS)
}

/// Digits that the type does not have for sure are not shown after the point.
fn of_float(value: f64, mut layout: Layout, digits: usize) -> NumberText {
    if layout.roman {
        return NumberText::verbatim(roman(value.round_ties_even() as i64), layout);
    }
    if layout.exponent {
        return NumberText::verbatim(scientific_f64(value, layout), layout);
    }
    let integer = fixed_f64(value.abs(), 0).len();
    let fraction = count(layout.fraction).min(digits.saturating_sub(integer));
    layout.fraction = fraction as i32;
    let text = fixed_f64(value, fraction);
    match text.strip_prefix('-') {
        Some(unsigned) => NumberText::laid_out(unsigned.to_owned(), true, layout),
        None => NumberText::laid_out(text, false, layout),
    }
}

fn fixed_f64(value: f64, fraction: usize) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value < 0.0 { "-Infinity".to_owned() } else { "Infinity".to_owned() }
    } else {
        format!("{value:.fraction$}")
    }
}

/// The number in Roman digits; signs where there are none for it.
fn roman(value: i64) -> String {
    const DIGITS: [(i64, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    if !(1..=ROMAN_MAX).contains(&value) {
        return "#".repeat(ROMAN_WIDTH);
    }
    let mut text = String::new();
    let mut rest = value;
    for (number, digit) in DIGITS {
        while rest >= number {
            text.push_str(digit);
            rest -= number;
        }
    }
    text
}

/// What stands for a number that has no digits.
fn scientific_hashes(layout: Layout) -> String {
    format!(" {}.{}", hashes(layout.integer), hashes(layout.fraction.saturating_add(4)))
}

fn scientific_f64(value: f64, layout: Layout) -> String {
    if !value.is_finite() {
        return scientific_hashes(layout);
    }
    let wanted = count(layout.fraction);
    let shown = wanted.min(DOUBLE_FRACTION_MAX);
    let text = format!("{value:.shown$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i64 = exponent.parse().unwrap_or_default();
    let sign = if mantissa.starts_with('-') { "" } else { " " };
    let zeros = "0".repeat(wanted - shown);
    format!("{sign}{mantissa}{zeros}{}", exponent_text(exponent))
}

/// PostgreSQL rounds the mantissa after it has found the exponent: it may come to ten.
fn scientific_numeric(value: Numeric, layout: Layout) -> String {
    let digits = value.unscaled.wrapping_abs().to_string();
    let exponent = if digits == "0" { 0 } else { digits.len() as i64 - 1 - i64::from(value.scale) };
    let scale = if digits == "0" { 0 } else { digits.len() as i64 - 1 };
    let (mantissa, _) = fixed_point(digits, scale, count(layout.fraction));
    let sign = if value.is_negative() { "-" } else { " " };
    format!("{sign}{mantissa}{}", exponent_text(exponent))
}

fn exponent_text(exponent: i64) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("e{sign}{:02}", exponent.abs())
}
