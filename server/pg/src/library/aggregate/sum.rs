//! `sum` and `avg` of integers and numerics: exact, and never wrapping.
//!
//! The average of a `numeric` with scale s, or of an integer, has the scale max(s, 16). PostgreSQL chooses the scale by
//! the value, so that there are sixteen significant digits; here it is part of the type.

use std::fmt::Debug;
use std::marker::PhantomData;

use arrow::array::{Array, ArrayRef, Decimal128Array};
use arrow::datatypes::{DataType, i256};

use super::bound::{Shape, unordered};
use super::saved::{Saved, saved};
use super::state::{One, State};
use crate::error::{PgError, Result};
use crate::expression_type::{NUMERIC_PRECISION_IN_FLIGHT_MAX, Type};
use crate::function::{
    Aggregate, AggregateCall, Argument, ArgumentShape, Numeric, ResultValue, aggregate, divide_rounding, power_of_ten,
};
use crate::types::*;

/// Digits after the point that an average has at least (`NUMERIC_MIN_SIG_DIGITS`).
pub(super) const AVERAGE_SCALE_MIN: i8 = 16;
/// Digits that a sum has more than what is summed: there are fewer than ten thousand million rows.
const SUM_DIGITS_MORE: u8 = 10;
/// Digits that sums of may be gathered in 128 bits.
const NARROW_DIGITS_MAX: u8 = 28;

/// The sums and averages.
pub(super) static ENTRIES: &[Aggregate] = &[
    aggregate("sum", &[INT2], INT8, |call| unordered::<Sum<i16, i64, AsBigint>>("exact_sum", call)),
    aggregate("sum", &[INT4], INT8, |call| unordered::<Sum<i32, i64, AsBigint>>("exact_sum", call)),
    aggregate("sum", &[INT8], NUMERIC, |call| unordered::<Sum<i64, i128, AsNumeric>>("exact_sum", call))
        .shaped(|_| Ok(Type::numeric(38, 0))),
    aggregate("sum", &[NUMERIC], NUMERIC, |call| decimals::<AsNumeric>("exact_sum", call)).shaped(sum_shape),
    aggregate("avg", &[INT2], NUMERIC, |call| unordered::<Sum<i16, i64, Average>>("avg", call)).shaped(average_shape),
    aggregate("avg", &[INT4], NUMERIC, |call| unordered::<Sum<i32, i64, Average>>("avg", call)).shaped(average_shape),
    aggregate("avg", &[INT8], NUMERIC, |call| unordered::<Sum<i64, i128, Average>>("avg", call)).shaped(average_shape),
    aggregate("avg", &[NUMERIC], NUMERIC, |call| decimals::<Average>("avg", call)).shaped(average_shape),
];

/// Digits in all and after the point of an aggregate's only argument.
pub(super) fn digits(arguments: &[ArgumentShape<'_>]) -> Result<(u8, i8)> {
    let digits = arguments.last().and_then(|argument| argument.ty.digits());
    digits.ok_or_else(|| PgError::internal("an exact aggregate is of numbers"))
}

/// The numeric type with so many digits before and after the point.
pub(super) fn numeric_of(before: u32, scale: i8) -> Type {
    let precision = before.saturating_add(u32::from(scale.unsigned_abs()));
    let precision = precision.min(u32::from(NUMERIC_PRECISION_IN_FLIGHT_MAX));
    Type::numeric(u8::try_from(precision).unwrap_or(NUMERIC_PRECISION_IN_FLIGHT_MAX), scale)
}

fn sum_shape(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let (precision, scale) = digits(arguments)?;
    let precision = precision.saturating_add(SUM_DIGITS_MORE);
    Ok(match precision <= 38 {
        true => Type::numeric(38, scale),
        false => Type::numeric(precision.min(NUMERIC_PRECISION_IN_FLIGHT_MAX), scale),
    })
}

fn average_shape(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let (precision, scale) = digits(arguments)?;
    let before = u32::from(precision).saturating_sub(u32::from(scale.unsigned_abs()));
    Ok(numeric_of(before, scale.max(AVERAGE_SCALE_MIN)))
}

fn decimals<F: Finish>(name: &str, call: AggregateCall) -> Result<datafusion_expr::Expr> {
    match call.types.first().map(|ty| &ty.arrow) {
        Some(DataType::Decimal256(..)) => unordered::<Sum<Numeric, Wide, F>>(name, call),
        Some(DataType::Decimal128(precision, _)) if *precision > NARROW_DIGITS_MAX => {
            unordered::<Sum<Narrow, Wide, F>>(name, call)
        }
        _ => unordered::<Sum<Narrow, i128, F>>(name, call),
    }
}

/// The digits of a `numeric` of 128 bits; the scale is known from the type.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Narrow(pub i128);

impl<'a> Argument<'a> for Narrow {
    type Values = &'a Decimal128Array;

    fn values(array: &'a ArrayRef) -> Result<Self::Values> {
        let decimals = array.as_any().downcast_ref();
        decimals.ok_or_else(|| PgError::internal(format!("{} is not a decimal of 128 bits", array.data_type())))
    }

    #[inline]
    fn read(values: &Self::Values, row: usize) -> Self {
        Narrow(values.value(row))
    }
}

/// What a sum is gathered in. It is changed in place: a total that is handed through is copied for each row.
pub(super) trait Total<A>: Debug + Copy + Default + Saved + Send + Sync + 'static {
    /// Adds a value; `None` when that is too much.
    fn add(&mut self, value: A) -> Option<()>;
    /// Takes a value away; `None` when that is too much.
    fn subtract(&mut self, value: A) -> Option<()>;
    /// Adds another total; `None` when that is too much.
    fn join(&mut self, other: Self) -> Option<()>;
    /// All digits.
    fn digits(self) -> Option<i256>;
}

macro_rules! totals {
    ($($value:ty => $total:ty, |$it:ident| $convert:expr;)*) => {
        $(
            impl Total<$value> for $total {
                #[inline]
                fn add(&mut self, $it: $value) -> Option<()> {
                    *self = self.checked_add($convert)?;
                    Some(())
                }

                #[inline]
                fn subtract(&mut self, $it: $value) -> Option<()> {
                    *self = self.checked_sub($convert)?;
                    Some(())
                }

                fn join(&mut self, other: Self) -> Option<()> {
                    *self = self.checked_add(other)?;
                    Some(())
                }

                fn digits(self) -> Option<i256> {
                    Some(i256::from_i128(self.into()))
                }
            }
        )*
    };
}

totals! {
    i16 => i64, |it| i64::from(it);
    i32 => i64, |it| i64::from(it);
    i64 => i128, |it| i128::from(it);
    Narrow => i128, |it| it.0;
}

/// A sum of 256 bits, most of which is done in 128.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wide {
    low: i128,
    high: i256,
}

impl Wide {
    #[inline]
    fn add_narrow(&mut self, value: i128) -> Option<()> {
        match self.low.checked_add(value) {
            Some(low) => self.low = low,
            None => {
                self.add_wide(i256::from_i128(self.low))?;
                self.low = value;
            }
        }
        Some(())
    }

    fn add_wide(&mut self, value: i256) -> Option<()> {
        self.high = self.high.checked_add(value)?;
        Some(())
    }
}

impl Saved for Wide {
    fn write(&self, out: &mut Vec<u8>) {
        self.low.write(out);
        self.high.write(out);
    }

    fn restored(from: &mut &[u8]) -> Result<Self> {
        Ok(Wide { low: i128::restored(from)?, high: i256::restored(from)? })
    }
}

impl Total<Narrow> for Wide {
    #[inline]
    fn add(&mut self, value: Narrow) -> Option<()> {
        self.add_narrow(value.0)
    }

    fn subtract(&mut self, value: Narrow) -> Option<()> {
        self.add_narrow(value.0.checked_neg()?)
    }

    fn join(&mut self, other: Self) -> Option<()> {
        self.add_narrow(other.low)?;
        self.add_wide(other.high)
    }

    fn digits(self) -> Option<i256> {
        self.high.checked_add(i256::from_i128(self.low))
    }
}

impl Total<Numeric> for Wide {
    #[inline]
    fn add(&mut self, value: Numeric) -> Option<()> {
        match value.unscaled.to_i128() {
            Some(narrow) => self.add_narrow(narrow),
            None => self.add_wide(value.unscaled),
        }
    }

    fn subtract(&mut self, value: Numeric) -> Option<()> {
        self.high = self.high.checked_sub(value.unscaled)?;
        Some(())
    }

    fn join(&mut self, other: Self) -> Option<()> {
        <Self as Total<Narrow>>::join(self, other)
    }

    fn digits(self) -> Option<i256> {
        <Self as Total<Narrow>>::digits(self)
    }
}

/// What is made of a sum and a count of at least one.
pub(super) trait Finish: Debug + Clone + Default + Send + Sync + 'static {
    /// The result.
    type Output: ResultValue;
    /// The result of a sum with this scale.
    fn finish(sum: i256, count: i64, scale: i8, shape: &Shape) -> Result<Self::Output>;
}

/// The sum, as `bigint`.
#[derive(Debug, Clone, Default)]
pub(super) struct AsBigint;

impl Finish for AsBigint {
    type Output = i64;

    fn finish(sum: i256, _count: i64, _scale: i8, _shape: &Shape) -> Result<i64> {
        let sum = sum.to_i128().and_then(|sum| i64::try_from(sum).ok());
        sum.ok_or_else(|| PgError::out_of_range("bigint"))
    }
}

/// The sum, as `numeric`.
#[derive(Debug, Clone, Default)]
pub(super) struct AsNumeric;

impl Finish for AsNumeric {
    type Output = Numeric;

    fn finish(sum: i256, _count: i64, scale: i8, _shape: &Shape) -> Result<Numeric> {
        Ok(Numeric::new(sum, scale))
    }
}

/// The sum over the count.
#[derive(Debug, Clone, Default)]
pub(super) struct Average;

impl Finish for Average {
    type Output = Numeric;

    fn finish(sum: i256, count: i64, scale: i8, shape: &Shape) -> Result<Numeric> {
        let (_, wanted) = shape.result.digits().unwrap_or((0, scale));
        quotient(sum, i256::from_i128(i128::from(count)), scale, wanted)
    }
}

/// A quotient with another scale than the dividend, rounded half away from zero. The divisor is above zero.
pub(super) fn quotient(dividend: i256, divisor: i256, scale: i8, wanted: i8) -> Result<Numeric> {
    let overflow = || PgError::out_of_range("numeric");
    if wanted < scale {
        let power = power_of_ten(u32::from((scale - wanted).unsigned_abs())).ok_or_else(overflow)?;
        let divisor = divisor.checked_mul(power).ok_or_else(overflow)?;
        return Ok(Numeric::new(divide_rounding(dividend, divisor), wanted));
    }
    let power = power_of_ten(u32::from((wanted - scale).unsigned_abs())).ok_or_else(overflow)?;
    if let Some(dividend) = dividend.checked_mul(power) {
        return Ok(Numeric::new(divide_rounding(dividend, divisor), wanted));
    }
    // The whole part first, so that only the rest is multiplied.
    let whole = dividend.wrapping_div(divisor).checked_mul(power);
    let rest = dividend.wrapping_rem(divisor).checked_mul(power).map(|rest| divide_rounding(rest, divisor));
    let sum = whole.zip(rest).and_then(|(whole, rest)| whole.checked_add(rest));
    Ok(Numeric::new(sum.ok_or_else(overflow)?, wanted))
}

/// A sum and a count of the values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sum<A, T, F> {
    total: T,
    count: i64,
    kind: PhantomData<fn(A) -> F>,
}

impl<A, T: Default, F> Default for Sum<A, T, F> {
    fn default() -> Self {
        Sum { total: T::default(), count: 0, kind: PhantomData }
    }
}

impl<A, T, F> State for Sum<A, T, F>
where
    A: for<'a> Argument<'a> + Debug + Clone + 'static,
    T: Total<A>,
    F: Finish,
{
    type Input<'a> = One<A>;
    type Output = Option<F::Output>;
    const REMOVABLE: bool = true;

    #[inline]
    fn add(&mut self, One(value): One<A>) -> Result<()> {
        self.total.add(value).ok_or_else(overflow)?;
        self.count += 1;
        Ok(())
    }

    fn remove(&mut self, One(value): One<A>) -> Result<()> {
        self.total.subtract(value).ok_or_else(overflow)?;
        self.count -= 1;
        Ok(())
    }

    fn merge(&mut self, later: Self) -> Result<()> {
        self.total.join(later.total).ok_or_else(overflow)?;
        self.count += later.count;
        Ok(())
    }

    saved!(total, count);

    fn finish(self, shape: &Shape) -> Result<Self::Output> {
        if self.count == 0 {
            return Ok(None);
        }
        let scale = shape.types.first().and_then(Type::digits).map_or(0, |(_, scale)| scale);
        F::finish(self.total.digits().ok_or_else(overflow)?, self.count, scale, shape).map(Some)
    }
}

#[cold]
fn overflow() -> PgError {
    PgError::out_of_range("numeric")
}
