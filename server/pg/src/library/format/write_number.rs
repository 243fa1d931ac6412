//! Numbers to text by a template.
//!
//! The digits of the template and those of the number are gone through together; the sign is written where the first
//! digit of the number comes, or a zero that the template demands.

use super::number_template::{Layout, NumberField, NumberTemplate, SignAnchor};
use super::number_text::{NumberText, ROMAN_WIDTH};
use super::template::{Node, check_length, ordinal_ending};
use crate::error::Result;

/// The thousands separator of the locale C.
pub const GROUP_SEPARATOR: char = ',';

/// The number in the form of the template.
pub fn write(template: &NumberTemplate, number: NumberText) -> Result<String> {
    if number.layout.exponent {
        return check_length(number.text);
    }
    let mut writer = Writer::new(&number);
    for node in &template.nodes {
        match node {
            Node::Field(field) => writer.write_field(*field)?,
            other => writer.out.extend(other.character()),
        }
    }
    // The digits may have come to an end before those of the template: PostgreSQL's result ends there.
    let mut out = writer.out;
    if let Some(end) = out.find('\0') {
        out.truncate(end);
    }
    check_length(out)
}

/// How far the digits of template and number have come.
struct Writer<'a> {
    number: &'a str,
    negative: bool,
    layout: Layout,
    blanks: i32,
    out: String,
    /// Whether the sign is written, or somewhere else.
    sign_written: bool,
    /// The digit of the number that comes next.
    position: usize,
    /// Digits of the template that were seen.
    seen: i32,
    /// Digits of the template, and the sign.
    total: i32,
    /// Whether the last pattern wrote a digit.
    in_number: bool,
    /// In fill mode, the last digit after the point that is not zero, or the point.
    last_relevant: Option<usize>,
}

impl<'a> Writer<'a> {
    fn new(number: &'a NumberText) -> Self {
        let mut layout = number.layout;
        if layout.roman {
            let fill_mode = layout.fill_mode;
            layout = Layout { roman: true, fill_mode, ..Layout::default() };
        }
        layout.zero_start = (layout.zero_start - 1).max(0);
        let sign_written = if layout.plus || layout.minus {
            layout.minus
        } else {
            if !number.negative && layout.fill_mode {
                layout.brackets = false;
            }
            if layout.sign == Some(SignAnchor::Before) && layout.integer == layout.digits_before_sign {
                layout.sign = Some(SignAnchor::After);
            }
            !number.negative && layout.fill_mode && layout.sign.is_none()
        };
        let total = layout.fraction + layout.integer - 1 + i32::from(!sign_written && number.blanks == 0);
        let mut writer = Writer {
            number: &number.text,
            negative: number.negative,
            layout,
            blanks: number.blanks,
            out: String::new(),
            sign_written,
            position: 0,
            seen: 0,
            total,
            in_number: false,
            last_relevant: None,
        };
        writer.last_relevant = writer.find_last_relevant();
        writer
    }

    /// Zeros that the template demands count as relevant.
    fn find_last_relevant(&self) -> Option<usize> {
        if !self.layout.fill_mode || !self.layout.point {
            return None;
        }
        let point = self.number.find('.')?;
        let digits = self.number.get(point + 1..).unwrap_or_default();
        let relevant = digits.rfind(|digit| digit != '0').map_or(point, |position| point + 1 + position);
        let demanded = usize::try_from(self.layout.zero_end - self.blanks).unwrap_or_default();
        Some(relevant.max(demanded.min(self.number.len().saturating_sub(1))))
    }

    fn digit(&self, position: usize) -> u8 {
        self.number.as_bytes().get(position).copied().unwrap_or_default()
    }

    /// In fill mode, whether nothing but zeros is after the point.
    fn ends_with_point(&self) -> bool {
        self.last_relevant.is_some_and(|position| self.digit(position) == b'.')
    }

    /// Whether the zero before the point is shown as a blank.
    fn is_blank_zero(&self) -> bool {
        !self.layout.zeros && self.position == 0 && self.digit(0) == b'0' && self.layout.fraction != 0
    }

    fn push_unless_fill_mode(&mut self, character: char) {
        if !self.layout.fill_mode {
            self.out.push(character);
        }
    }

    fn write_field(&mut self, field: NumberField) -> Result<()> {
        let fill_mode = self.layout.fill_mode;
        match field {
            NumberField::Digit | NumberField::Zero | NumberField::Point => self.write_digit(field),
            NumberField::Comma | NumberField::GroupSeparator if self.in_number => self.out.push(GROUP_SEPARATOR),
            NumberField::Comma | NumberField::GroupSeparator => self.push_unless_fill_mode(' '),
            // The currency of the locale C has no symbol.
            NumberField::Currency => self.out.push(' '),
            NumberField::Roman { lower } => {
                let digits = if lower { self.number.to_ascii_lowercase() } else { self.number.to_owned() };
                let width = if fill_mode { 0 } else { ROMAN_WIDTH };
                self.out.push_str(&format!("{digits:>width$}"));
            }
            NumberField::Ordinal(ordinal) => {
                let refused = self.layout.roman || self.negative || self.layout.point;
                if !refused && self.digit(0) != b'#' {
                    self.out.push_str(ordinal_ending(self.number, ordinal)?);
                }
            }
            NumberField::Minus if self.negative => self.out.push('-'),
            NumberField::Plus if !self.negative && !self.layout.roman => self.out.push('+'),
            NumberField::Minus | NumberField::Plus => self.push_unless_fill_mode(' '),
            // A number in Roman digits has no sign, and PostgreSQL's result ends there.
            NumberField::PlusOrMinus if self.layout.roman => self.out.push('\0'),
            NumberField::PlusOrMinus => self.out.push(if self.negative { '-' } else { '+' }),
            // These say something about the number as a whole.
            NumberField::Blank
            | NumberField::FillMode
            | NumberField::Sign
            | NumberField::Brackets
            | NumberField::Shift
            | NumberField::Exponent
            | NumberField::Ignored => {}
        }
        Ok(())
    }

    fn write_digit(&mut self, field: NumberField) {
        if self.layout.roman {
            return;
        }
        self.in_number = false;
        self.write_sign_before();
        let zeros_begun = self.layout.zeros && self.layout.zero_start <= self.seen;
        if self.seen < self.blanks && !zeros_begun {
            self.push_unless_fill_mode(' ');
        } else if self.seen < self.blanks {
            self.out.push('0');
            self.in_number = true;
        } else {
            self.write_own_digit(field);
        }
        let mut end = self.total + i32::from(self.blanks != 0) + i32::from(self.layout.point);
        if self.last_relevant == Some(self.position) {
            end = self.seen;
        }
        if self.seen + 1 == end {
            self.write_sign_after();
        }
        self.seen += 1;
    }

    fn write_sign_before(&mut self) {
        let at_zero = self.layout.zeros && self.layout.zero_start == self.seen;
        let begun = self.seen >= self.blanks || at_zero;
        if self.sign_written || !begun || self.is_blank_zero() && !self.ends_with_point() {
            return;
        }
        match self.layout.sign {
            Some(SignAnchor::Before) => self.out.push(if self.negative { '-' } else { '+' }),
            Some(SignAnchor::After) => return,
            None if self.layout.brackets => self.out.push(if self.negative { '<' } else { ' ' }),
            None if self.negative => self.out.push('-'),
            None => self.push_unless_fill_mode(' '),
        }
        self.sign_written = true;
    }

    fn write_sign_after(&mut self) {
        if self.sign_written && self.layout.brackets {
            self.out.push(if self.negative { '>' } else { ' ' });
        } else if self.layout.sign == Some(SignAnchor::After) {
            self.out.push(if self.negative { '-' } else { '+' });
        }
    }

    /// Writes what comes next of the number.
    fn write_own_digit(&mut self, field: NumberField) {
        let digit = self.digit(self.position);
        let irrelevant = self.last_relevant.is_some_and(|last| self.position > last);
        if digit == b'.' {
            self.out.push('.');
        } else if irrelevant && field != NumberField::Zero {
            // Fill mode leaves out zeros at the end.
        } else if self.is_blank_zero() {
            if self.layout.fill_mode && self.ends_with_point() {
                self.out.push('0');
            } else {
                self.push_unless_fill_mode(' ');
            }
        } else {
            self.out.push(char::from(digit));
            self.in_number = true;
        }
        if digit != 0 {
            self.position += 1;
        }
    }
}
