//! Templates of numbers.

use super::template::{Node, Ordinal, Step, split};
use crate::error::{PgError, Result};
use crate::sqlstate::SqlState;

/// A pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberField {
    /// `9`
    Digit,
    /// `0`
    Zero,
    /// `.` or `D`
    Point,
    /// `,`
    Comma,
    /// `G`
    GroupSeparator,
    /// `L`
    Currency,
    /// `B`: PostgreSQL knows it and ignores it.
    Blank,
    /// `FM`
    FillMode,
    /// `S`
    Sign,
    /// `MI`
    Minus,
    /// `PL`
    Plus,
    /// `SG`
    PlusOrMinus,
    /// `PR`
    Brackets,
    /// `RN`
    Roman { lower: bool },
    /// `TH`
    Ordinal(Ordinal),
    /// `V`
    Shift,
    /// `EEEE`
    Exponent,
    /// `C`, `SP`: PostgreSQL knows them and ignores them.
    Ignored,
}

/// Where `S` puts the sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignAnchor {
    /// Before the number
    Before,
    /// After the number
    After,
}

/// What the patterns of a template say together.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layout {
    /// Digits before the point.
    pub integer: i32,
    /// Digits after the point.
    pub fraction: i32,
    /// Digits after `V`.
    pub shift: i32,
    /// Where `S` puts the sign.
    pub sign: Option<SignAnchor>,
    /// Digits before `S`.
    pub digits_before_sign: i32,
    /// Position of the first `0`, from 1.
    pub zero_start: i32,
    /// Digits up to the last `0`.
    pub zero_end: i32,
    /// There is a `0` before the point.
    pub zeros: bool,
    /// There is a point.
    pub point: bool,
    /// `FM`
    pub fill_mode: bool,
    /// `B` came first.
    pub blank: bool,
    /// `MI` or `SG`
    pub minus: bool,
    /// `PL` or `SG`
    pub plus: bool,
    /// `PR`
    pub brackets: bool,
    /// `RN`
    pub roman: bool,
    /// `V`
    pub shifted: bool,
    /// `EEEE`
    pub exponent: bool,
}

/// A template of numbers.
#[derive(Debug)]
pub struct NumberTemplate {
    /// Its parts.
    pub nodes: Vec<Node<NumberField>>,
    /// What they say together.
    pub layout: Layout,
}

/// Reads a template.
pub fn read(text: &str) -> Result<NumberTemplate> {
    let mut layout = Layout::default();
    let nodes = split(text, false, |rest| {
        let Some((field, length)) = first_field(rest) else { return Ok(Step::Nothing(0)) };
        layout.add(field)?;
        Ok(Step::Field(field, length))
    })?;
    Ok(NumberTemplate { nodes, layout })
}

fn first_field(text: &str) -> Option<(NumberField, usize)> {
    use NumberField::*;
    let rest = text.as_bytes();
    let begins = |name: &str| rest.get(..name.len()).is_some_and(|it| it == name.as_bytes());
    // Of two that begin alike the longer is first. A pattern is in one case throughout.
    let words = [
        ("EEEE", Exponent),
        ("FM", FillMode),
        ("MI", Minus),
        ("PL", Plus),
        ("PR", Brackets),
        ("RN", Roman { lower: false }),
        ("SG", PlusOrMinus),
        ("SP", Ignored),
        ("TH", Ordinal(self::Ordinal::Upper)),
        ("eeee", Exponent),
        ("fm", FillMode),
        ("mi", Minus),
        ("pl", Plus),
        ("pr", Brackets),
        ("rn", Roman { lower: true }),
        ("sg", PlusOrMinus),
        ("sp", Ignored),
        ("th", Ordinal(self::Ordinal::Lower)),
    ];
    if let Some((name, field)) = words.iter().find(|(name, _)| begins(name)) {
        return Some((*field, name.len()));
    }
    let field = match rest.first()? {
        b'9' => Digit,
        b'0' => Zero,
        b'.' | b'D' | b'd' => Point,
        b',' => Comma,
        b'G' | b'g' => GroupSeparator,
        b'L' | b'l' => Currency,
        b'B' | b'b' => Blank,
        b'C' | b'c' => Ignored,
        b'S' | b's' => Sign,
        b'V' | b'v' => Shift,
        _ => return None,
    };
    Some((field, 1))
}

fn refused(message: &str) -> Result<()> {
    Err(PgError::new(SqlState::SYNTAX_ERROR, message))
}

impl Layout {
    /// Adds the next pattern, if it goes with those before it.
    fn add(&mut self, field: NumberField) -> Result<()> {
        if self.exponent && field != NumberField::Exponent {
            return refused("\"EEEE\" must be the last pattern used");
        }
        match field {
            NumberField::Digit if self.brackets => return refused("\"9\" must be ahead of \"PR\""),
            NumberField::Digit => match (self.shifted, self.point) {
                (true, _) => self.shift += 1,
                (false, true) => self.fraction += 1,
                (false, false) => self.integer += 1,
            },
            NumberField::Zero => return self.add_zero(),
            NumberField::Point if self.point => return refused("multiple decimal points"),
            NumberField::Point if self.shifted => return refused("cannot use \"V\" and decimal point together"),
            NumberField::Point => self.point = true,
            NumberField::Blank => self.blank |= self.integer == 0 && self.fraction == 0 && !self.zeros,
            NumberField::FillMode => self.fill_mode = true,
            NumberField::Sign => return self.add_sign(),
            NumberField::Minus if self.sign.is_some() => return refused("cannot use \"S\" and \"MI\" together"),
            NumberField::Minus => self.minus = true,
            NumberField::Plus if self.sign.is_some() => return refused("cannot use \"S\" and \"PL\" together"),
            NumberField::Plus => self.plus = true,
            NumberField::PlusOrMinus if self.sign.is_some() => {
                return refused("cannot use \"S\" and \"SG\" together");
            }
            NumberField::PlusOrMinus => (self.minus, self.plus) = (true, true),
            NumberField::Brackets if self.sign.is_some() || self.plus || self.minus => {
                return refused("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together");
            }
            NumberField::Brackets => self.brackets = true,
            NumberField::Roman { .. } => self.roman = true,
            NumberField::Shift if self.point => return refused("cannot use \"V\" and decimal point together"),
            NumberField::Shift => self.shifted = true,
            NumberField::Exponent => return self.add_exponent(),
            NumberField::Comma
            | NumberField::GroupSeparator
            | NumberField::Currency
            | NumberField::Ordinal(_)
            | NumberField::Ignored => {}
        }
        Ok(())
    }

    fn add_zero(&mut self) -> Result<()> {
        if self.brackets {
            return refused("\"0\" must be ahead of \"PR\"");
        }
        if !self.zeros && !self.point {
            self.zeros = true;
            self.zero_start = self.integer + 1;
        }
        if self.point {
            self.fraction += 1;
        } else {
            self.integer += 1;
        }
        self.zero_end = self.integer + self.fraction;
        Ok(())
    }

    fn add_sign(&mut self) -> Result<()> {
        if self.sign.is_some() {
            return refused("cannot use \"S\" twice");
        }
        if self.plus || self.minus || self.brackets {
            return refused("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");
        }
        if self.point {
            self.sign = Some(SignAnchor::After);
        } else {
            self.sign = Some(SignAnchor::Before);
            self.digits_before_sign = self.integer;
        }
        Ok(())
    }

    fn add_exponent(&mut self) -> Result<()> {
        if self.exponent {
            return refused("cannot use \"EEEE\" twice");
        }
        let others = [
            self.blank,
            self.fill_mode,
            self.sign.is_some(),
            self.brackets,
            self.minus,
            self.plus,
            self.roman,
            self.shifted,
        ];
        if others.contains(&true) {
            let error = PgError::new(SqlState::SYNTAX_ERROR, "\"EEEE\" is incompatible with other formats");
            return Err(error.with_detail("\"EEEE\" may only be used together with digit and decimal point patterns."));
        }
        self.exponent = true;
        Ok(())
    }
}
