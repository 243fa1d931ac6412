//! Variance and standard deviation of integers and numerics: exact sums, and one division at the end.
//!
//! The results have the scale max(s, 16), s being the arguments'. PostgreSQL chooses the scale by the value, so that there
//! are sixteen significant digits; here it is part of the type.

use std::fmt::Debug;
use std::marker::PhantomData;

use arrow::datatypes::i256;

use super::bound::{Shape, unordered};
use super::saved::saved;
use super::state::{One, State};
use super::sum::{AVERAGE_SCALE_MIN, digits, numeric_of, quotient};
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{Aggregate, Argument, ArgumentShape, Numeric, aggregate, power_of_ten};
use crate::types::*;

macro_rules! entries {
    ($($name:literal $shape:ident $finish:ident;)*) => {
        &[$(
            aggregate($name, &[INT2], NUMERIC, |call| unordered::<Squares<i16, $finish>>($name, call)).shaped($shape),
            aggregate($name, &[INT4], NUMERIC, |call| unordered::<Squares<i32, $finish>>($name, call)).shaped($shape),
            aggregate($name, &[INT8], NUMERIC, |call| unordered::<Squares<i64, $finish>>($name, call)).shaped($shape),
            aggregate($name, &[NUMERIC], NUMERIC, |call| unordered::<Squares<Numeric, $finish>>($name, call))
                .shaped($shape),
        )*]
    };
}

/// The variances and standard deviations.
pub(super) static ENTRIES: &[Aggregate] = entries! {
    "variance" variance_shape SampleVariance;
    "var_samp" variance_shape SampleVariance;
    "var_pop" variance_shape Variance;
    "stddev" deviation_shape SampleDeviation;
    "stddev_samp" deviation_shape SampleDeviation;
    "stddev_pop" deviation_shape Deviation;
};

fn digits_before(arguments: &[ArgumentShape<'_>]) -> Result<(u32, i8)> {
    let (precision, scale) = digits(arguments)?;
    Ok((u32::from(precision).saturating_sub(u32::from(scale.unsigned_abs())), scale.max(AVERAGE_SCALE_MIN)))
}

/// A variance is at most the square of the greatest value, or twice that for a sample of two.
fn variance_shape(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let (before, scale) = digits_before(arguments)?;
    Ok(numeric_of(before * 2 + 1, scale))
}

fn deviation_shape(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let (before, scale) = digits_before(arguments)?;
    Ok(numeric_of(before + 1, scale))
}

/// A number with its digits as an integer.
pub(super) trait Digits: for<'a> Argument<'a> + Debug + 'static {
    /// The digits.
    fn digits(self) -> i256;
}

macro_rules! integers {
    ($($integer:ty)*) => {
        $(
            impl Digits for $integer {
                fn digits(self) -> i256 {
                    i256::from_i128(i128::from(self))
                }
            }
        )*
    };
}

integers! { i16 i32 i64 }

impl Digits for Numeric {
    fn digits(self) -> i256 {
        self.unscaled
    }
}

/// What is made of the sums.
pub(super) trait Finish: Debug + 'static {
    /// Whether it is of a sample, and NULL for a single value.
    const SAMPLE: bool;
    /// Whether it is the root.
    const ROOT: bool;
}

macro_rules! finishes {
    ($($(#[$doc:meta])* $name:ident $sample:literal $root:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub(super) struct $name;

            impl Finish for $name {
                const SAMPLE: bool = $sample;
                const ROOT: bool = $root;
            }
        )*
    };
}

finishes! {
    /// `var_pop`
    Variance false false;
    /// `var_samp`
    SampleVariance true false;
    /// `stddev_pop`
    Deviation false true;
    /// `stddev_samp`
    SampleDeviation true true;
}

/// Count, sum, and sum of squares.
#[derive(Debug)]
pub(super) struct Squares<A, F> {
    count: i64,
    sum: i256,
    squares: i256,
    kind: PhantomData<fn(A) -> F>,
}

impl<A, F> Clone for Squares<A, F> {
    fn clone(&self) -> Self {
        Squares { count: self.count, sum: self.sum, squares: self.squares, kind: PhantomData }
    }
}

impl<A, F> Default for Squares<A, F> {
    fn default() -> Self {
        Squares { count: 0, sum: i256::ZERO, squares: i256::ZERO, kind: PhantomData }
    }
}

fn overflow() -> PgError {
    PgError::out_of_range("numeric")
}

impl<A: Digits, F: Finish> State for Squares<A, F> {
    type Input<'a> = One<A>;
    type Output = Option<Numeric>;
    const REMOVABLE: bool = true;

    fn add(&mut self, One(value): One<A>) -> Result<()> {
        let digits = value.digits();
        let square = digits.checked_mul(digits);
        self.count += 1;
        self.sum = self.sum.checked_add(digits).ok_or_else(overflow)?;
        self.squares = square.and_then(|square| self.squares.checked_add(square)).ok_or_else(overflow)?;
        Ok(())
    }

    fn remove(&mut self, One(value): One<A>) -> Result<()> {
        let digits = value.digits();
        let square = digits.checked_mul(digits);
        self.count -= 1;
        self.sum = self.sum.checked_sub(digits).ok_or_else(overflow)?;
        self.squares = square.and_then(|square| self.squares.checked_sub(square)).ok_or_else(overflow)?;
        Ok(())
    }

    fn merge(&mut self, later: Self) -> Result<()> {
        self.count += later.count;
        self.sum = self.sum.checked_add(later.sum).ok_or_else(overflow)?;
        self.squares = self.squares.checked_add(later.squares).ok_or_else(overflow)?;
        Ok(())
    }

    saved!(count, sum, squares);

    fn finish(self, shape: &Shape) -> Result<Option<Numeric>> {
        let needed = if F::SAMPLE { 2 } else { 1 };
        if self.count < needed {
            return Ok(None);
        }
        let scale = shape.types.first().and_then(Type::digits).map_or(0, |(_, scale)| scale);
        let wanted = shape.result.digits().map_or(AVERAGE_SCALE_MIN, |(_, scale)| scale);
        let count = i256::from_i128(i128::from(self.count));
        let product = count.checked_mul(self.squares).ok_or_else(overflow)?;
        let square = self.sum.checked_mul(self.sum).ok_or_else(overflow)?;
        let dividend = product.checked_sub(square).ok_or_else(overflow)?;
        let others = if F::SAMPLE { count.wrapping_sub(i256::ONE) } else { count };
        let divisor = count.checked_mul(others).ok_or_else(overflow)?;
        // The dividend has twice the scale of the values.
        match F::ROOT {
            false => quotient(dividend, divisor, scale.saturating_mul(2), wanted).map(Some),
            true => root(dividend, divisor, scale.saturating_mul(2), wanted).map(Some),
        }
    }
}

/// The root of a quotient, at a scale.
fn root(dividend: i256, divisor: i256, scale: i8, wanted: i8) -> Result<Numeric> {
    // A root has half the digits; of a number too large for that, fewer digits after the point are exact.
    for exact in (0..=wanted).rev() {
        if let Ok(square) = quotient(dividend, divisor, scale, exact.saturating_mul(2)) {
            let root = Numeric::new(integer_root(square.unscaled), exact);
            let power = power_of_ten(u32::from((wanted - exact).unsigned_abs())).ok_or_else(overflow)?;
            return Ok(Numeric::new(root.unscaled.checked_mul(power).ok_or_else(overflow)?, wanted));
        }
    }
    Err(overflow())
}

/// The root, rounded, by Newton's iteration from above.
fn integer_root(square: i256) -> i256 {
    if square <= i256::ZERO {
        return i256::ZERO;
    }
    let two = i256::from_i128(2);
    let bits = 256 - square.leading_zeros();
    // 2^ceil(bits / 2) is above the root, and within 129 bits.
    let mut root = i256::ONE;
    for _ in 0..bits.div_ceil(2) {
        root = root.wrapping_mul(two);
    }
    loop {
        let next = root.wrapping_add(square.wrapping_div(root)).wrapping_div(two);
        if next >= root {
            break;
        }
        root = next;
    }
    // (root + 1/2)^2 = root^2 + root + 1/4
    let rest = square.wrapping_sub(root.wrapping_mul(root));
    if rest > root { root.wrapping_add(i256::ONE) } else { root }
}
