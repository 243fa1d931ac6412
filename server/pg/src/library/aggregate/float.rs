//! Sums, averages, variances and regressions of floating point numbers, as in PostgreSQL's `float.c`: one pass, by Youngs
//! and Cramer's updates of the sums of squared differences.

use std::fmt::Debug;
use std::marker::PhantomData;

use super::bound::{Shape, unordered};
use super::saved::{Saved, saved};
use super::state::{One, State, Two};
use crate::error::{PgError, Result};
use crate::function::{Aggregate, Argument, ResultValue, aggregate};
use crate::sqlstate::SqlState;
use crate::types::*;

type Pair<F> = Regression<F>;

/// What is computed of floating point numbers.
pub(super) static ENTRIES: &[Aggregate] = &[
    aggregate("sum", &[FLOAT4], FLOAT4, |call| unordered::<FloatSum<f32>>("sum", call)),
    aggregate("sum", &[FLOAT8], FLOAT8, |call| unordered::<FloatSum<f64>>("sum", call)),
    aggregate("avg", &[FLOAT4], FLOAT8, |call| unordered::<Moments<f32, Average>>("avg", call)),
    aggregate("avg", &[FLOAT8], FLOAT8, |call| unordered::<Moments<f64, Average>>("avg", call)),
    aggregate("variance", &[FLOAT4], FLOAT8, |call| unordered::<Moments<f32, SampleVariance>>("variance", call)),
    aggregate("variance", &[FLOAT8], FLOAT8, |call| unordered::<Moments<f64, SampleVariance>>("variance", call)),
    aggregate("var_samp", &[FLOAT4], FLOAT8, |call| unordered::<Moments<f32, SampleVariance>>("var_samp", call)),
    aggregate("var_samp", &[FLOAT8], FLOAT8, |call| unordered::<Moments<f64, SampleVariance>>("var_samp", call)),
    aggregate("var_pop", &[FLOAT4], FLOAT8, |call| unordered::<Moments<f32, Variance>>("var_pop", call)),
    aggregate("var_pop", &[FLOAT8], FLOAT8, |call| unordered::<Moments<f64, Variance>>("var_pop", call)),
    aggregate("stddev", &[FLOAT4], FLOAT8, |call| unordered::<Moments<f32, SampleDeviation>>("stddev", call)),
    aggregate("stddev", &[FLOAT8], FLOAT8, |call| unordered::<Moments<f64, SampleDeviation>>("stddev", call)),
    aggregate("stddev_samp", &[FLOAT4], FLOAT8, |call| unordered::<Moments<f32, SampleDeviation>>("stddev_samp", call)),
    aggregate("stddev_samp", &[FLOAT8], FLOAT8, |call| unordered::<Moments<f64, SampleDeviation>>("stddev_samp", call)),
    aggregate("stddev_pop", &[FLOAT4], FLOAT8, |call| unordered::<Moments<f32, Deviation>>("stddev_pop", call)),
    aggregate("stddev_pop", &[FLOAT8], FLOAT8, |call| unordered::<Moments<f64, Deviation>>("stddev_pop", call)),
    aggregate("regr_count", PAIR, INT8, |call| unordered::<PairCount>("regr_count", call)),
    aggregate("regr_sxx", PAIR, FLOAT8, |call| unordered::<Pair<Sxx>>("regr_sxx", call)),
    aggregate("regr_syy", PAIR, FLOAT8, |call| unordered::<Pair<Syy>>("regr_syy", call)),
    aggregate("regr_sxy", PAIR, FLOAT8, |call| unordered::<Pair<Sxy>>("regr_sxy", call)),
    aggregate("regr_avgx", PAIR, FLOAT8, |call| unordered::<Pair<AverageX>>("regr_avgx", call)),
    aggregate("regr_avgy", PAIR, FLOAT8, |call| unordered::<Pair<AverageY>>("regr_avgy", call)),
    aggregate("regr_r2", PAIR, FLOAT8, |call| unordered::<Pair<Determination>>("regr_r2", call)),
    aggregate("regr_slope", PAIR, FLOAT8, |call| unordered::<Pair<Slope>>("regr_slope", call)),
    aggregate("regr_intercept", PAIR, FLOAT8, |call| unordered::<Pair<Intercept>>("regr_intercept", call)),
    aggregate("covar_pop", PAIR, FLOAT8, |call| unordered::<Pair<Covariance>>("covar_pop", call)),
    aggregate("covar_samp", PAIR, FLOAT8, |call| unordered::<Pair<SampleCovariance>>("covar_samp", call)),
    aggregate("corr", PAIR, FLOAT8, |call| unordered::<Pair<Correlation>>("corr", call)),
];

const PAIR: &[u32] = &[FLOAT8, FLOAT8];

#[cold]
fn overflow() -> PgError {
    PgError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow")
}

/// A number that can be summed.
pub(super) trait Float:
    for<'a> Argument<'a> + ResultValue + Saved + Debug + Copy + Default + Send + Sync + 'static
{
    /// Both together.
    fn plus(self, other: Self) -> Self;
    /// Without losing digits.
    fn widen(self) -> f64;
}

impl Float for f32 {
    #[inline]
    fn plus(self, other: Self) -> Self {
        self + other
    }

    #[inline]
    fn widen(self) -> f64 {
        f64::from(self)
    }
}

impl Float for f64 {
    #[inline]
    fn plus(self, other: Self) -> Self {
        self + other
    }

    #[inline]
    fn widen(self) -> f64 {
        self
    }
}

/// A sum, in the type of the values.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FloatSum<A> {
    sum: Option<A>,
}

impl<A: Float> FloatSum<A> {
    #[inline]
    fn take(&mut self, value: A) -> Result<()> {
        let Some(sum) = self.sum else {
            self.sum = Some(value);
            return Ok(());
        };
        let next = sum.plus(value);
        if next.widen().is_infinite() && !sum.widen().is_infinite() && !value.widen().is_infinite() {
            return Err(overflow());
        }
        self.sum = Some(next);
        Ok(())
    }
}

impl<A: Float> State for FloatSum<A> {
    type Input<'a> = One<A>;
    type Output = Option<A>;

    #[inline]
    fn add(&mut self, One(value): One<A>) -> Result<()> {
        self.take(value)
    }

    fn merge(&mut self, later: Self) -> Result<()> {
        later.sum.map_or(Ok(()), |sum| self.take(sum))
    }

    saved!(sum);

    fn finish(self, _shape: &Shape) -> Result<Self::Output> {
        Ok(self.sum)
    }
}

/// What is made of the moments of at least one value.
pub(super) trait OfMoments: 'static {
    /// From the count, the sum, and the sum of squared differences from the average.
    fn result(n: f64, sum: f64, squares: f64) -> Option<f64>;
}

/// What is made of the moments of at least one pair.
pub(super) trait OfPairs: 'static {
    /// From the moments.
    fn result(moments: &PairMoments) -> Option<f64>;
}

macro_rules! of_moments {
    ($($(#[$doc:meta])* $name:ident |$n:ident, $sum:ident, $squares:ident| $result:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub(super) struct $name;

            impl OfMoments for $name {
                fn result($n: f64, $sum: f64, $squares: f64) -> Option<f64> {
                    $result
                }
            }
        )*
    };
}

of_moments! {
    /// `avg`
    Average |n, sum, _squares| Some(sum / n);
    /// `var_pop`
    Variance |n, _sum, squares| Some(squares / n);
    /// `var_samp`
    SampleVariance |n, _sum, squares| (n > 1.0).then(|| squares / (n - 1.0));
    /// `stddev_pop`
    Deviation |n, _sum, squares| Some((squares / n).sqrt());
    /// `stddev_samp`
    SampleDeviation |n, _sum, squares| (n > 1.0).then(|| (squares / (n - 1.0)).sqrt());
}

macro_rules! of_pairs {
    ($($(#[$doc:meta])* $name:ident |$it:ident| $result:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub(super) struct $name;

            impl OfPairs for $name {
                fn result($it: &PairMoments) -> Option<f64> {
                    $result
                }
            }
        )*
    };
}

of_pairs! {
    /// `regr_sxx`
    Sxx |it| Some(it.sxx);
    /// `regr_syy`
    Syy |it| Some(it.syy);
    /// `regr_sxy`
    Sxy |it| Some(it.sxy);
    /// `regr_avgx`
    AverageX |it| Some(it.sum_x / it.n);
    /// `regr_avgy`
    AverageY |it| Some(it.sum_y / it.n);
    /// `covar_pop`
    Covariance |it| Some(it.sxy / it.n);
    /// `covar_samp`
    SampleCovariance |it| (it.n > 1.0).then(|| it.sxy / (it.n - 1.0));
    /// `corr`; NULL for a vertical or a horizontal line
    Correlation |it| (it.sxx != 0.0 && it.syy != 0.0).then(|| it.sxy / (it.sxx * it.syy).sqrt());
    /// `regr_r2`; NULL for a vertical line, 1 for a horizontal one
    Determination |it| match (it.sxx == 0.0, it.syy == 0.0) {
        (true, _) => None,
        (false, true) => Some(1.0),
        (false, false) => Some((it.sxy * it.sxy) / (it.sxx * it.syy)),
    };
    /// `regr_slope`
    Slope |it| (it.sxx != 0.0).then(|| it.sxy / it.sxx);
    /// `regr_intercept`
    Intercept |it| (it.sxx != 0.0).then(|| (it.sum_y - it.sum_x * it.sxy / it.sxx) / it.n);
}

/// `regr_count`: no more than a count, which infinite values do not disturb.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PairCount {
    count: i64,
}

impl State for PairCount {
    type Input<'a> = Two<f64, f64>;
    type Output = i64;

    fn add(&mut self, _pair: Two<f64, f64>) -> Result<()> {
        self.count += 1;
        Ok(())
    }

    fn merge(&mut self, later: Self) -> Result<()> {
        self.count += later.count;
        Ok(())
    }

    saved!(count);

    fn finish(self, _shape: &Shape) -> Result<i64> {
        Ok(self.count)
    }
}

/// Count, sum, and sum of squared differences from the average.
#[derive(Debug)]
pub(super) struct Moments<A, F> {
    n: f64,
    sum: f64,
    squares: f64,
    kind: PhantomData<fn(A) -> F>,
}

impl<A, F> Clone for Moments<A, F> {
    fn clone(&self) -> Self {
        Moments { n: self.n, sum: self.sum, squares: self.squares, kind: PhantomData }
    }
}

impl<A, F> Default for Moments<A, F> {
    fn default() -> Self {
        Moments { n: 0.0, sum: 0.0, squares: 0.0, kind: PhantomData }
    }
}

impl<A: Float, F: OfMoments + Debug> State for Moments<A, F> {
    type Input<'a> = One<A>;
    type Output = Option<f64>;

    #[inline]
    fn add(&mut self, One(value): One<A>) -> Result<()> {
        let value = value.widen();
        let (before, sum) = (self.n, self.sum);
        self.n += 1.0;
        self.sum += value;
        if before == 0.0 {
            if !value.is_finite() {
                self.squares = f64::NAN;
            }
            return Ok(());
        }
        let difference = value * self.n - self.sum;
        self.squares += difference * difference / (self.n * before);
        if self.sum.is_infinite() || self.squares.is_infinite() {
            // An infinite value may make an infinite sum, finite ones may not.
            if !sum.is_infinite() && !value.is_infinite() {
                return Err(overflow());
            }
            self.squares = f64::NAN;
        }
        Ok(())
    }

    fn merge(&mut self, later: Self) -> Result<()> {
        if later.n == 0.0 {
            return Ok(());
        }
        if self.n == 0.0 {
            *self = later;
            return Ok(());
        }
        let n = self.n + later.n;
        let sum = self.sum + later.sum;
        if sum.is_infinite() && !self.sum.is_infinite() && !later.sum.is_infinite() {
            return Err(overflow());
        }
        let difference = self.sum / self.n - later.sum / later.n;
        let squares = self.squares + later.squares + self.n * later.n * difference * difference / n;
        if squares.is_infinite() && !self.squares.is_infinite() && !later.squares.is_infinite() {
            return Err(overflow());
        }
        *self = Moments { n, sum, squares, kind: PhantomData };
        Ok(())
    }

    saved!(n, sum, squares);

    fn finish(self, _shape: &Shape) -> Result<Option<f64>> {
        Ok(if self.n == 0.0 { None } else { F::result(self.n, self.sum, self.squares) })
    }
}

/// Count, sums, and sums of products of differences from the averages, of pairs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PairMoments {
    n: f64,
    sum_x: f64,
    sxx: f64,
    sum_y: f64,
    syy: f64,
    sxy: f64,
}

impl Saved for PairMoments {
    fn write(&self, out: &mut Vec<u8>) {
        for part in [self.n, self.sum_x, self.sxx, self.sum_y, self.syy, self.sxy] {
            part.write(out);
        }
    }

    fn restored(from: &mut &[u8]) -> Result<Self> {
        Ok(PairMoments {
            n: f64::restored(from)?,
            sum_x: f64::restored(from)?,
            sxx: f64::restored(from)?,
            sum_y: f64::restored(from)?,
            syy: f64::restored(from)?,
            sxy: f64::restored(from)?,
        })
    }
}

/// The moments of pairs of a dependent and an independent variable, and what is made of them.
#[derive(Debug)]
pub(super) struct Regression<F> {
    moments: PairMoments,
    kind: PhantomData<fn() -> F>,
}

impl<F> Clone for Regression<F> {
    fn clone(&self) -> Self {
        Regression { moments: self.moments, kind: PhantomData }
    }
}

impl<F> Default for Regression<F> {
    fn default() -> Self {
        Regression { moments: PairMoments::default(), kind: PhantomData }
    }
}

impl PairMoments {
    fn first(y: f64, x: f64) -> Self {
        let squares = |value: f64| if value.is_finite() { 0.0 } else { f64::NAN };
        PairMoments { n: 1.0, sum_x: x, sxx: squares(x), sum_y: y, syy: squares(y), sxy: squares(x) + squares(y) }
    }

    fn with(&self, y: f64, x: f64) -> Result<Self> {
        let n = self.n + 1.0;
        let (sum_x, sum_y) = (self.sum_x + x, self.sum_y + y);
        let (difference_x, difference_y) = (x * n - sum_x, y * n - sum_y);
        let scale = 1.0 / (n * self.n);
        let mut sxx = self.sxx + difference_x * difference_x * scale;
        let mut syy = self.syy + difference_y * difference_y * scale;
        let mut sxy = self.sxy + difference_x * difference_y * scale;
        if [sum_x, sxx, sum_y, syy, sxy].iter().any(|part| part.is_infinite()) {
            let finite_x = !self.sum_x.is_infinite() && !x.is_infinite();
            let finite_y = !self.sum_y.is_infinite() && !y.is_infinite();
            let overflown = (sum_x.is_infinite() || sxx.is_infinite()) && finite_x
                || (sum_y.is_infinite() || syy.is_infinite()) && finite_y
                || sxy.is_infinite() && finite_x && finite_y;
            if overflown {
                return Err(overflow());
            }
            for part in [&mut sxx, &mut syy, &mut sxy] {
                if part.is_infinite() {
                    *part = f64::NAN;
                }
            }
        }
        Ok(PairMoments { n, sum_x, sxx, sum_y, syy, sxy })
    }

    fn joined(&self, later: &Self) -> Result<Self> {
        let n = self.n + later.n;
        let sum = |a: f64, b: f64| checked_sum(a, b, a + b);
        let difference_x = self.sum_x / self.n - later.sum_x / later.n;
        let difference_y = self.sum_y / self.n - later.sum_y / later.n;
        let weight = self.n * later.n;
        let products = |a: f64, b: f64, product: f64| checked_sum(a, b, a + b + weight * product / n);
        Ok(PairMoments {
            n,
            sum_x: sum(self.sum_x, later.sum_x)?,
            sxx: products(self.sxx, later.sxx, difference_x * difference_x)?,
            sum_y: sum(self.sum_y, later.sum_y)?,
            syy: products(self.syy, later.syy, difference_y * difference_y)?,
            sxy: products(self.sxy, later.sxy, difference_x * difference_y)?,
        })
    }
}

fn checked_sum(a: f64, b: f64, sum: f64) -> Result<f64> {
    match sum.is_infinite() && !a.is_infinite() && !b.is_infinite() {
        true => Err(overflow()),
        false => Ok(sum),
    }
}

impl<F: OfPairs + Debug> State for Regression<F> {
    type Input<'a> = Two<f64, f64>;
    type Output = Option<f64>;

    #[inline]
    fn add(&mut self, Two(y, x): Two<f64, f64>) -> Result<()> {
        self.moments = if self.moments.n == 0.0 { PairMoments::first(y, x) } else { self.moments.with(y, x)? };
        Ok(())
    }

    fn merge(&mut self, later: Self) -> Result<()> {
        if later.moments.n == 0.0 {
            return Ok(());
        }
        self.moments = if self.moments.n == 0.0 { later.moments } else { self.moments.joined(&later.moments)? };
        Ok(())
    }

    saved!(moments);

    fn finish(self, _shape: &Shape) -> Result<Self::Output> {
        Ok(if self.moments.n == 0.0 { None } else { F::result(&self.moments) })
    }
}
