//! `random()` and `setseed`: PostgreSQL's generator (`pg_prng.c`: xoroshiro128**, seeded by splitmix64), so that a seed
//! gives the same numbers as there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{ArrayRef, Float64Array, StringViewBuilder};

use crate::error::{PgError, Result};
use crate::function::{Call, Function, function};
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] =
    &[function("random", &[], FLOAT8, random).volatile(), function("setseed", &[FLOAT8], VOID, set_seed).volatile()];

/// The generator of a session; a clone is the same generator.
#[derive(Debug, Clone)]
pub struct RandomState(Arc<Mutex<Generator>>);

impl Default for RandomState {
    fn default() -> Self {
        RandomState(Arc::new(Mutex::new(Generator::new(rand::random()))))
    }
}

impl RandomState {
    fn generator(&self) -> MutexGuard<'_, Generator> {
        // Two numbers cannot be left half written in a way that matters.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Generator(u64, u64);

impl Generator {
    fn new(mut seed: u64) -> Self {
        Generator(split_mix(&mut seed), split_mix(&mut seed))
    }

    fn next(&mut self) -> u64 {
        let Generator(first, second) = *self;
        let mixed = first ^ second;
        self.0 = first.rotate_left(24) ^ mixed ^ (mixed << 16);
        self.1 = mixed.rotate_left(37);
        first.wrapping_mul(5).rotate_left(7).wrapping_mul(9)
    }

    /// At least zero and below one.
    fn next_fraction(&mut self) -> f64 {
        (self.next() >> 12) as f64 / (1u64 << 52) as f64
    }
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut value = *state;
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

fn random(call: &Call) -> Result<ArrayRef> {
    let mut generator = call.session().random.generator();
    let numbers: Float64Array = (0..call.rows()).map(|_| generator.next_fraction()).collect::<Vec<_>>().into();
    Ok(Arc::new(numbers))
}

fn set_seed(call: &Call) -> Result<ArrayRef> {
    let seeds = call.column::<f64>(0)?;
    let mut results = StringViewBuilder::with_capacity(call.rows());
    for row in 0..call.rows() {
        let Some(seed) = seeds.get(row) else {
            results.append_null();
            continue;
        };
        if !(-1.0..=1.0).contains(&seed) {
            let message = format!("setseed parameter {seed} is out of allowed range [-1,1]");
            return Err(PgError::invalid_parameter(message));
        }
        let scaled = ((1u64 << 52) - 1) as f64 * seed;
        *call.session().random.generator() = Generator::new(scaled as i64 as u64);
        results.append_value("");
    }
    Ok(Arc::new(results.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(seed: f64, expected: f64) {
        let scaled = ((1u64 << 52) - 1) as f64 * seed;
        assert_eq!(Generator::new(scaled as i64 as u64).next_fraction(), expected);
    }

    #[test]
    fn a_seed_gives_the_numbers_that_postgresql_gives() {
        check(0.5, 0.985_167_717_534_799_9);
        check(-0.3, 0.739_669_804_988_659);
    }
}
