//! Redshift's `hllsketch`: about how many distinct values a column has, in a value of at most 32 KiB that can be kept and
//! combined with others.
//!
//! Flajolet, Fusy, Gandouet, Meunier: HyperLogLog (2007), with the estimate of Ertl: New cardinality estimation algorithms
//! for HyperLogLog sketches (2017), algorithm 6. A sketch is carried as its text, which is Redshift's JSON as far as that is
//! documented. The hashes are not, so sketches of Redshift's must not be combined with those that are made here.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::Section;
use crate::error::{PgError, Result};
use crate::function::{Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;

/// What this module has; the aggregates are among the others.
pub static SECTION: Section = Section { functions: &[FUNCTIONS], ..Section::EMPTY };

static FUNCTIONS: &[Function] = &[
    function("hll_cardinality", &[HLLSKETCH], INT8, |call| {
        call.map1(|it: &str| Sketch::parse(it).map(|it| it.count()))
    }),
    function("hll_combine_sketches", &[HLLSKETCH, HLLSKETCH], HLLSKETCH, |call| call.map2(combined)),
];

fn combined(left: &str, right: &str) -> Result<String> {
    let mut sketch = Sketch::parse(left)?;
    sketch.merge(&Sketch::parse(right)?);
    Ok(sketch.to_string())
}

/// Bits of a hash that choose the register, as in Redshift.
const REGISTER_BITS: u32 = 15;
const REGISTERS: usize = 1 << REGISTER_BITS;
/// The bits that are left; a register holds a number of leading zeros among them, plus one.
const RANK_MAX: u8 = (u64::BITS - REGISTER_BITS + 1) as u8;
/// With more registers in use, the text is shorter when it has all of them.
const SPARSE_MAX: usize = 4096;
/// What a register holds, as a character: the digits of base64.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A sketch. The default has seen no values.
#[derive(Debug, Clone)]
pub enum Sketch {
    /// The registers that are in use.
    Sparse(BTreeMap<u16, u8>),
    /// All registers.
    Dense(Box<[u8]>),
}

impl Default for Sketch {
    fn default() -> Self {
        Sketch::Sparse(BTreeMap::new())
    }
}

/// The text as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<'a> {
    logm: u32,
    sparse: Option<WrittenSparse>,
    dense: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSparse {
    indices: Vec<u16>,
    values: Vec<u8>,
}

impl Sketch {
    /// Takes in a value with this hash.
    #[inline]
    pub fn add(&mut self, hash: u64) {
        let register = (hash >> (u64::BITS - REGISTER_BITS)) as u16;
        // The bit below the register's ends the zeros of a hash that has no other.
        let rank = ((hash << REGISTER_BITS) | 1 << (REGISTER_BITS - 1)).leading_zeros() as u8 + 1;
        self.raise(register, rank);
    }

    #[inline]
    fn raise(&mut self, register: u16, rank: u8) {
        match self {
            Sketch::Dense(registers) => {
                let held = &mut registers[usize::from(register)];
                *held = rank.max(*held);
            }
            Sketch::Sparse(registers) => {
                let held = registers.entry(register).or_default();
                *held = rank.max(*held);
                if registers.len() > SPARSE_MAX {
                    let mut all = vec![0; REGISTERS].into_boxed_slice();
                    registers.iter().for_each(|(register, rank)| all[usize::from(*register)] = *rank);
                    *self = Sketch::Dense(all);
                }
            }
        }
    }

    /// Takes in all values that another has seen.
    pub fn merge(&mut self, other: &Sketch) {
        match other {
            Sketch::Sparse(registers) => registers.iter().for_each(|(register, rank)| self.raise(*register, *rank)),
            Sketch::Dense(registers) => {
                let used = (0..).zip(registers).filter(|(_, rank)| **rank > 0);
                used.for_each(|(register, rank)| self.raise(register, *rank));
            }
        }
    }

    /// About how many distinct values it has seen.
    pub fn count(&self) -> i64 {
        let mut registers_with = [0_u32; RANK_MAX as usize + 1];
        match self {
            Sketch::Dense(registers) => registers.iter().for_each(|rank| registers_with[usize::from(*rank)] += 1),
            Sketch::Sparse(registers) => {
                registers.values().for_each(|rank| registers_with[usize::from(*rank)] += 1);
                registers_with[0] = (REGISTERS - registers.len()) as u32;
            }
        }
        let all = REGISTERS as f64;
        let share = |rank: usize| f64::from(registers_with[rank]) / all;
        let full = usize::from(RANK_MAX);
        let above_none = all * tau(1.0 - share(full));
        let summed = (1..full).rev().fold(above_none, |sum, rank| (sum + f64::from(registers_with[rank])) / 2.0);
        let alpha = 0.5 / std::f64::consts::LN_2;
        (alpha * all * all / (summed + all * sigma(share(0)))).round() as i64
    }

    /// The sketch that a text says.
    ///
    /// # Errors
    /// 22P02: the text is none.
    pub fn parse(text: &str) -> Result<Self> {
        let invalid = |reason: &str| {
            let message = "invalid input syntax for type hllsketch";
            PgError::new(SqlState::INVALID_TEXT_REPRESENTATION, message).with_detail(reason.to_owned())
        };
        let written: Written<'_> = serde_json::from_str(text).map_err(|error| invalid(&error.to_string()))?;
        if written.logm != REGISTER_BITS {
            return Err(invalid(&format!("\"logm\" must be {REGISTER_BITS}.")));
        }
        let pairs: Vec<(u16, u8)> = match (written.sparse, written.dense) {
            (Some(sparse), None) if sparse.indices.len() == sparse.values.len() => {
                sparse.indices.into_iter().zip(sparse.values).collect()
            }
            (None, Some(dense)) if dense.len() == REGISTERS => {
                let rank = |byte| DIGITS.iter().position(|digit| *digit == byte).map_or(u8::MAX, |rank| rank as u8);
                (0..).zip(dense.bytes().map(rank)).filter(|(_, rank)| *rank > 0).collect()
            }
            _ => return Err(invalid("There must be as many values as indices, or all registers.")),
        };
        let mut sketch = Sketch::default();
        for (register, rank) in pairs {
            if usize::from(register) >= REGISTERS || !(1..=RANK_MAX).contains(&rank) {
                return Err(invalid(&format!("Register {register} cannot hold {rank}.")));
            }
            sketch.raise(register, rank);
        }
        Ok(sketch)
    }

    /// Bytes it holds beyond its own size.
    pub fn heap_size(&self) -> usize {
        match self {
            // An entry takes about four times its size in a tree.
            Sketch::Sparse(registers) => registers.len() * 12,
            Sketch::Dense(registers) => registers.len(),
        }
    }
}

impl fmt::Display for Sketch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{\"logm\":{REGISTER_BITS},")?;
        match self {
            Sketch::Sparse(registers) => {
                let list = |numbers: Vec<String>| numbers.join(",");
                let indices = list(registers.keys().map(ToString::to_string).collect());
                let values = list(registers.values().map(ToString::to_string).collect());
                write!(f, "\"sparse\":{{\"indices\":[{indices}],\"values\":[{values}]}}}}")
            }
            Sketch::Dense(registers) => {
                let digits = registers.iter().map(|rank| char::from(DIGITS[usize::from(*rank)]));
                write!(f, "\"dense\":\"{}\"}}", digits.collect::<String>())
            }
        }
    }
}

/// What registers add that hold nothing (Ertl's σ).
fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

/// What registers add that can hold no more (Ertl's τ).
fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x).powi(2) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use twox_hash::XxHash64;

    use super::*;

    fn sketch_of(values: std::ops::Range<u64>) -> Sketch {
        let mut sketch = Sketch::default();
        values.for_each(|value| sketch.add(XxHash64::oneshot(0, &value.to_le_bytes())));
        sketch
    }

    #[test]
    fn counts_within_two_percent() {
        assert_eq!(Sketch::default().count(), 0);
        for n in [1_u64, 10, 1000, 5000, 30_000, 100_000, 1_000_000] {
            let count = sketch_of(0..n).count() as f64;
            let error = (count / n as f64 - 1.0).abs();
            assert!(error < 0.02, "{count} of {n}");
        }
    }

    #[test]
    fn together_they_have_seen_what_each_has() {
        for (left, right) in [(0..10, 5..20), (0..3000, 0..100_000), (0..100_000, 0..3000), (0..60_000, 50_000..90_000)]
        {
            let all = sketch_of(0..left.end.max(right.end));
            let mut both = sketch_of(left);
            both.merge(&sketch_of(right));
            assert_eq!((both.count(), both.to_string()), (all.count(), all.to_string()));
        }
    }

    #[test]
    fn a_text_is_the_sketch_again() {
        for n in [0, 3, 4000, 50_000] {
            let sketch = sketch_of(0..n);
            assert_eq!(Sketch::parse(&sketch.to_string()).unwrap().to_string(), sketch.to_string());
        }
        for wrong in [
            "",
            "{}",
            "{\"logm\":14,\"sparse\":{\"indices\":[],\"values\":[]}}",
            "{\"logm\":15,\"sparse\":{\"indices\":[1],\"values\":[]}}",
            "{\"logm\":15,\"sparse\":{\"indices\":[32768],\"values\":[1]}}",
            "{\"logm\":15,\"sparse\":{\"indices\":[1],\"values\":[51]}}",
            "{\"logm\":15,\"dense\":\"AAAA\"}",
        ] {
            assert_eq!(Sketch::parse(wrong).unwrap_err().sqlstate, SqlState::INVALID_TEXT_REPRESENTATION, "{wrong}");
        }
    }
}
