//! Values whose text or binary form has a few bytes, made in a place of their own: a third of the work of appending their
//! parts to a buffer one after another. What does not fit is `None`, and is left to the general functions.

use crate::datetime::{DATE_INFINITY, DATE_MINUS_INFINITY, DAY_US, SECOND_US, civil_of_day};

/// Most bytes of a short value.
pub const SHORT_BYTES: usize = 32;
/// As many again, so that all of [`SHORT_BYTES`] can be read from wherever the value begins.
const PLACE_BYTES: usize = 2 * SHORT_BYTES;
/// Two digits at a time.
const PAIRS: [[u8; 2]; 100] = pairs();
/// Powers of ten that 64 bits hold.
const POWERS: [u64; 20] = powers();
/// The base of the digits of a binary `numeric`, and how many decimal digits one of them has.
const GROUP: u64 = 10_000;
const GROUP_DIGITS: usize = 4;
/// Bytes before the digits of a binary `numeric`.
const NUMERIC_HEADER_BYTES: usize = 8;
/// The sign word of a negative binary `numeric`.
const NUMERIC_NEGATIVE: u16 = 0x4000;
/// Most digits after the point that a short `numeric` may have: aligned to groups they fit into 64 bits.
const NUMERIC_SCALE_MAX: u8 = 16;

const fn pairs() -> [[u8; 2]; 100] {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
}

const fn powers() -> [u64; 20] {
    let mut powers = [1; 20];
    let mut exponent = 1;
    while exponent < 20 {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
}

/// The bytes of a value.
#[derive(Debug, Clone, Copy)]
pub struct Short {
    place: [u8; PLACE_BYTES],
    start: usize,
    length: usize,
}

impl Short {
    /// How many there are.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The value, and whatever stands behind it.
    pub fn padded(&self) -> &[u8; SHORT_BYTES] {
        // The place is long enough wherever a value of this length begins.
        self.place[self.start..].first_chunk().unwrap_or(&[0; SHORT_BYTES])
    }

    /// The value.
    pub fn bytes(&self) -> &[u8] {
        &self.place[self.start..self.start + self.length]
    }

    /// A value of one, two, four, eight … bytes, such as an integer in binary.
    pub fn of<const N: usize>(value: [u8; N]) -> Short {
        let mut place = [0; PLACE_BYTES];
        place[..N].copy_from_slice(&value);
        Short { place, start: 0, length: N }
    }

    /// An integer in text.
    pub fn integer(value: i64) -> Short {
        let mut text = Backwards::new();
        text.integer(value.unsigned_abs());
        text.finish(value < 0)
    }

    /// A decimal in text: an integer of which the last `scale` digits are behind the point.
    pub fn decimal(unscaled: i64, scale: u8) -> Option<Short> {
        let power = *POWERS.get(usize::from(scale)).filter(|_| scale < 19)?;
        let magnitude = unscaled.unsigned_abs();
        let mut text = Backwards::new();
        if scale > 0 {
            text.fraction(magnitude % power, usize::from(scale));
        }
        text.integer(magnitude / power);
        Some(text.finish(unscaled < 0))
    }

    /// A decimal in binary.
    pub fn numeric(unscaled: i64, scale: u8) -> Option<Short> {
        if scale > NUMERIC_SCALE_MAX {
            return None;
        }
        let power = POWERS[usize::from(scale)];
        let fraction_groups = usize::from(scale).div_ceil(GROUP_DIGITS);
        let magnitude = unscaled.unsigned_abs();
        let (mut integer, fraction) = (magnitude / power, magnitude % power);
        let mut fraction = fraction * POWERS[fraction_groups * GROUP_DIGITS - usize::from(scale)];
        let mut groups = Groups::new();
        for _ in 0..fraction_groups {
            groups.before((fraction % GROUP) as u16);
            fraction /= GROUP;
        }
        while integer > 0 {
            groups.before((integer % GROUP) as u16);
            integer /= GROUP;
        }
        Some(groups.finish(fraction_groups, unscaled < 0, scale))
    }

    /// A date in ISO style, `YYYY-MM-DD`.
    pub fn date(day: i32) -> Option<Short> {
        if matches!(day, DATE_INFINITY | DATE_MINUS_INFINITY) {
            return None;
        }
        let mut place = [0; PLACE_BYTES];
        put_date(i64::from(day), &mut place)?;
        Some(Short { place, start: 0, length: 10 })
    }

    /// A timestamp in ISO style, given in microseconds since 1970.
    pub fn timestamp(timestamp_us: i64) -> Option<Short> {
        let mut place = [0; PLACE_BYTES];
        // The infinities are in years that have more digits.
        put_date(timestamp_us.div_euclid(DAY_US), &mut place)?;
        let time_us = timestamp_us.rem_euclid(DAY_US);
        let seconds = time_us / SECOND_US;
        place[10] = b' ';
        put_pair(seconds / 3600, &mut place, 11);
        place[13] = b':';
        put_pair(seconds / 60 % 60, &mut place, 14);
        place[16] = b':';
        put_pair(seconds % 60, &mut place, 17);
        let microseconds = time_us % SECOND_US;
        if microseconds == 0 {
            return Some(Short { place, start: 0, length: 19 });
        }
        place[19] = b'.';
        put_pair(microseconds / 10_000, &mut place, 20);
        put_pair(microseconds / 100 % 100, &mut place, 22);
        put_pair(microseconds % 100, &mut place, 24);
        let zeros = place[..26].iter().rev().take_while(|digit| **digit == b'0').count();
        Some(Short { place, start: 0, length: 26 - zeros })
    }
}

/// Puts a date of the years 1 to 9999.
fn put_date(day: i64, place: &mut [u8; PLACE_BYTES]) -> Option<()> {
    let (year, month, date) = civil_of_day(day);
    if !(1..=9999).contains(&year) {
        return None;
    }
    put_pair(year / 100, place, 0);
    put_pair(year % 100, place, 2);
    place[4] = b'-';
    put_pair(i64::from(month), place, 5);
    place[7] = b'-';
    put_pair(i64::from(date), place, 8);
    Some(())
}

/// Puts a number below 100.
fn put_pair(number: i64, place: &mut [u8; PLACE_BYTES], at: usize) {
    place[at..at + 2].copy_from_slice(&PAIRS[(number % 100) as usize]);
}

/// Text that is written from its end.
struct Backwards {
    place: [u8; PLACE_BYTES],
    start: usize,
}

impl Backwards {
    fn new() -> Self {
        Backwards { place: [0; PLACE_BYTES], start: SHORT_BYTES }
    }

    fn byte(&mut self, byte: u8) {
        self.start -= 1;
        self.place[self.start] = byte;
    }

    fn integer(&mut self, mut number: u64) {
        while number >= 100 {
            self.start -= 2;
            self.place[self.start..self.start + 2].copy_from_slice(&PAIRS[(number % 100) as usize]);
            number /= 100;
        }
        let [ten, one] = PAIRS[(number % 100) as usize];
        self.byte(one);
        if ten != b'0' {
            self.byte(ten);
        }
    }

    /// A point and as many digits.
    fn fraction(&mut self, mut number: u64, digits: usize) {
        for _ in 0..digits {
            self.byte(b'0' + (number % 10) as u8);
            number /= 10;
        }
        self.byte(b'.');
    }

    fn finish(mut self, negative: bool) -> Short {
        if negative {
            self.byte(b'-');
        }
        Short { place: self.place, start: self.start, length: SHORT_BYTES - self.start }
    }
}

/// Digits of a binary `numeric`, from the last to the first, without the zeros at both ends.
struct Groups {
    place: [u8; PLACE_BYTES],
    start: usize,
    /// Zeros at the end, which are not written.
    zeros: usize,
    count: usize,
}

impl Groups {
    fn new() -> Self {
        Groups { place: [0; PLACE_BYTES], start: PLACE_BYTES - SHORT_BYTES + NUMERIC_HEADER_BYTES, zeros: 0, count: 0 }
    }

    fn before(&mut self, group: u16) {
        if group == 0 && self.count == 0 {
            self.zeros += 1;
            return;
        }
        self.start -= 2;
        self.place[self.start..self.start + 2].copy_from_slice(&group.to_be_bytes());
        self.count += 1;
    }

    fn finish(mut self, fraction_groups: usize, negative: bool, scale: u8) -> Short {
        let all = self.zeros + self.count;
        // Zeros before the first digit behind the point.
        while self.count > 0 && self.place[self.start..self.start + 2] == [0, 0] {
            self.start += 2;
            self.count -= 1;
        }
        let leading = all - self.zeros - self.count;
        let weight = if self.count == 0 { 0 } else { all as i16 - leading as i16 - fraction_groups as i16 - 1 };
        let sign = if negative && self.count > 0 { NUMERIC_NEGATIVE } else { 0 };
        let end = self.start + 2 * self.count;
        for word in [u16::from(scale), sign, weight as u16, self.count as u16] {
            self.start -= 2;
            self.place[self.start..self.start + 2].copy_from_slice(&word.to_be_bytes());
        }
        Short { place: self.place, start: self.start, length: end - self.start }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::datetime::{ZoneSuffix, write_date, write_timestamp};
    use crate::numeric;

    /// Numbers of all sizes, the same each time.
    fn numbers() -> impl Iterator<Item = i64> {
        let edges = [0, 1, -1, 9, 10, 99, 100, 101, 9999, 10_000, 10_001, 1_000_000, -10_000_000, i64::MAX, i64::MIN];
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let random = (0..20_000).map(move |step| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state as i64) >> (step % 64)
        });
        edges.into_iter().chain(random)
    }

    #[test]
    fn numbers_are_as_the_general_functions_write_them() {
        for number in numbers() {
            assert_eq!(Short::integer(number).bytes(), number.to_string().as_bytes());
            let digits = number.unsigned_abs().to_string();
            for scale in 0..=18u8 {
                let mut text = BytesMut::new();
                numeric::write_text(number < 0, digits.as_bytes(), scale as i8, &mut text);
                assert_eq!(Short::decimal(number, scale).unwrap().bytes(), &text[..], "{number} {scale}");
                let mut binary = BytesMut::new();
                numeric::write_binary(number < 0, digits.as_bytes(), scale as i8, &mut binary);
                if let Some(short) = Short::numeric(number, scale) {
                    assert_eq!(short.bytes(), &binary[..], "{number} {scale}");
                    assert_eq!(&short.padded()[..short.length()], short.bytes());
                }
            }
            assert!(Short::decimal(number, 19).is_none());
        }
    }

    #[test]
    fn dates_and_timestamps_are_as_the_general_functions_write_them() {
        for number in numbers() {
            let mut text = BytesMut::new();
            let day = (number % 4_000_000) as i32;
            write_date(day, &mut text);
            match Short::date(day) {
                Some(short) => assert_eq!(short.bytes(), &text[..], "{day}"),
                None => assert!(text.len() > 10, "{day}"),
            }
            text.clear();
            write_timestamp(number, ZoneSuffix::None, &mut text);
            match Short::timestamp(number) {
                Some(short) => assert_eq!(short.bytes(), &text[..], "{number}"),
                None => assert!(text.ends_with(b"infinity") || text.ends_with(b"BC") || text[4] != b'-', "{number}"),
            }
        }
    }
}
