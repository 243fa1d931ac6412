//! Numbers from text by a template.

use arrow::datatypes::i256;

use super::number_template::{Layout, NumberField, NumberTemplate};
use super::template::Node;
use super::write_number::GROUP_SEPARATOR;
use crate::error::{PgError, Result};
use crate::function::{Numeric, power_of_ten};
use crate::sqlstate::SqlState;

/// Characters that belong to numbers and so stand for no other character of a template.
const DATA: &str = "0123456789.,+-";

/// Digits after the point of a number whose template has `V`.
pub const SHIFTED_SCALE: i8 = 16;

/// Reads a number.
pub fn read(template: &NumberTemplate, text: &str) -> Result<Numeric> {
    let layout = template.layout;
    let unsupported =
        |pattern: &str| PgError::new(SqlState::FEATURE_NOT_SUPPORTED, format!("\"{pattern}\" not supported for input"));
    if layout.exponent {
        return Err(unsupported("EEEE"));
    }
    if layout.roman {
        return Err(unsupported("RN"));
    }
    let mut reader = Reader {
        text: text.as_bytes(),
        position: 0,
        layout,
        sign: b' ',
        digits: String::new(),
        integer: 0,
        fraction: 0,
        in_fraction: false,
    };
    for node in &template.nodes {
        if reader.at_end() {
            break;
        }
        match node {
            Node::Field(field) => reader.read_field(*field),
            _ => reader.skip_character(),
        }
    }
    reader.number()
}

/// What was read so far.
struct Reader<'a> {
    text: &'a [u8],
    position: usize,
    layout: Layout,
    /// A blank as long as there is none.
    sign: u8,
    /// Digits and the point.
    digits: String,
    integer: i32,
    fraction: i32,
    in_fraction: bool,
}

impl Reader<'_> {
    fn at_end(&self) -> bool {
        self.position >= self.text.len()
    }

    /// The byte that comes next; zero at the end.
    fn next(&self) -> u8 {
        self.text.get(self.position).copied().unwrap_or_default()
    }

    fn skip_character(&mut self) {
        self.position += 1;
        while self.next() & 0b1100_0000 == 0b1000_0000 {
            self.position += 1;
        }
    }

    /// Skips so many characters that are no part of a number.
    fn skip_other(&mut self, characters: usize) {
        for _ in 0..characters {
            if self.at_end() || DATA.as_bytes().contains(&self.next()) {
                break;
            }
            self.skip_character();
        }
    }

    fn read_field(&mut self, field: NumberField) {
        match field {
            NumberField::Digit | NumberField::Zero | NumberField::Point => {
                self.read_digit(field);
                self.position += 1;
            }
            // PostgreSQL asks whether a digit was just written, which none is while it reads.
            NumberField::Comma | NumberField::GroupSeparator => {
                if !self.layout.fill_mode && self.next() == GROUP_SEPARATOR as u8 {
                    self.position += 1;
                }
            }
            NumberField::Currency => self.skip_other(1),
            NumberField::Ordinal(_) if self.layout.point => {}
            NumberField::Ordinal(_) => self.skip_other(2),
            NumberField::Minus => self.read_sign(b"-"),
            NumberField::Plus => self.read_sign(b"+"),
            NumberField::PlusOrMinus => self.read_sign(b"-+"),
            NumberField::Blank
            | NumberField::FillMode
            | NumberField::Sign
            | NumberField::Brackets
            | NumberField::Roman { .. }
            | NumberField::Shift
            | NumberField::Exponent
            | NumberField::Ignored => {}
        }
    }

    fn read_sign(&mut self, signs: &[u8]) {
        if signs.contains(&self.next()) {
            self.sign = self.next();
            self.position += 1;
        } else {
            self.skip_other(1);
        }
    }

    /// Reads a digit or the point, and a sign on either side of it. The caller goes on by one byte.
    fn read_digit(&mut self, field: NumberField) {
        if self.next() == b' ' {
            self.position += 1;
        }
        if self.at_end() {
            return;
        }
        if self.sign == b' ' && field != NumberField::Point && self.integer + self.fraction == 0 {
            self.read_sign_before();
            if self.at_end() {
                return;
            }
        }
        let next = self.next();
        let mut is_read = false;
        if next.is_ascii_digit() {
            if self.in_fraction && self.fraction == self.layout.fraction {
                return;
            }
            self.digits.push(char::from(next));
            let count = if self.in_fraction { &mut self.fraction } else { &mut self.integer };
            *count += 1;
            is_read = true;
        } else if self.layout.point && !self.in_fraction && next == b'.' {
            self.digits.push('.');
            self.in_fraction = true;
            is_read = true;
        }
        if self.sign == b' ' && self.integer + self.fraction > 0 {
            self.read_sign_after(is_read);
        }
    }

    fn read_sign_before(&mut self) {
        let next = self.next();
        if next == b'-' || self.layout.brackets && next == b'<' {
            self.sign = b'-';
            self.position += 1;
        } else if next == b'+' {
            self.sign = b'+';
            self.position += 1;
        }
    }

    fn read_sign_after(&mut self, is_read: bool) {
        let after = self.text.get(self.position + 1).copied().unwrap_or_default();
        if self.layout.sign.is_some() && is_read {
            if matches!(after, b'-' | b'+') {
                self.sign = after;
                self.position += 1;
            }
        } else if !is_read && self.layout.sign.is_none() && (self.layout.plus || self.layout.minus) {
            let next = self.next();
            if matches!(next, b'-' | b'+') {
                self.sign = next;
            }
        }
    }

    /// The number that the digits are. PostgreSQL reads them as a `numeric` with as many digits as the template has, and
    /// refuses more.
    fn number(self) -> Result<Numeric> {
        let digits = self.digits.strip_suffix('.').unwrap_or(&self.digits);
        if !digits.bytes().any(|digit| digit.is_ascii_digit()) {
            let text = format!("{}{digits}", char::from(self.sign));
            let message = format!("invalid input syntax for type numeric: \"{text}\"");
            return Err(PgError::new(SqlState::INVALID_TEXT_REPRESENTATION, message));
        }
        let significant: String = digits.chars().filter(|digit| *digit != '.').collect();
        let significant = significant.trim_start_matches('0');
        let room = self.layout.integer + self.layout.shift;
        if significant.len() as i64 > i64::from(room) + i64::from(self.fraction) {
            return Err(field_overflow(room, self.fraction));
        }
        let out_of_range = || PgError::out_of_range("numeric");
        let mut unscaled = match significant {
            "" => i256::ZERO,
            digits => i256::from_string(digits).ok_or_else(out_of_range)?,
        };
        let mut scale = i8::try_from(self.fraction).map_err(|_| out_of_range())?;
        if self.layout.shifted {
            // PostgreSQL multiplies by a power of ten that has so many digits after the point, or is zero.
            scale = SHIFTED_SCALE;
            let zeros = u32::try_from(i32::from(SHIFTED_SCALE) - self.layout.shift);
            let factor = zeros.ok().and_then(power_of_ten).unwrap_or(i256::ZERO);
            unscaled = unscaled.checked_mul(factor).ok_or_else(out_of_range)?;
        }
        if power_of_ten(76).is_some_and(|limit| unscaled >= limit) {
            return Err(out_of_range());
        }
        if self.sign == b'-' {
            unscaled = unscaled.wrapping_neg();
        }
        Ok(Numeric::new(unscaled, scale))
    }
}

fn field_overflow(integer: i32, fraction: i32) -> PgError {
    let limit = if integer == 0 { "1".to_owned() } else { format!("10^{integer}") };
    let detail = format!(
        "A field with precision {}, scale {fraction} must round to an absolute value less than {limit}.",
        integer + fraction
    );
    PgError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "numeric field overflow").with_detail(detail)
}
