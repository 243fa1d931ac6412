//! The values that functions over single values take and give, and how results become a column.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use arrow::array::*;
use arrow::datatypes::*;

use crate::datetime::Interval;
use crate::error::{PgError, Result};
use crate::expression_type::Type;

/// A `date`: days since 1970; the two extreme values are the infinities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub i32);

/// A `time`: microseconds since midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

/// A `time with time zone`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeTz {
    /// Microseconds since midnight, local.
    pub time_us: i64,
    /// Seconds **east** of UTC.
    pub offset_s: i32,
}

/// A `timestamp` or `timestamp with time zone`: microseconds since 1970 (UTC); the two extreme values are the infinities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// A `uuid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub [u8; 16]);

/// An `oid` or another number of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(pub u32);

/// The elements of an array; of one with several dimensions, the arrays of the outermost.
#[derive(Debug, Clone)]
pub struct Elements(pub ArrayRef);

/// A `numeric`: an integer over a power of ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Numeric {
    /// The number times ten to the power of the scale.
    pub unscaled: i256,
    /// Digits after the point; never negative.
    pub scale: i8,
}

/// Digits of the widest number: 256 bits hold all numbers of so many digits.
const DIGITS_MAX: u32 = DECIMAL256_MAX_PRECISION as u32;

impl Numeric {
    /// A number from its digits.
    pub fn new(unscaled: i256, scale: i8) -> Self {
        Numeric { unscaled, scale }
    }

    /// An integer.
    pub fn from_i128(value: i128) -> Self {
        Numeric { unscaled: i256::from_i128(value), scale: 0 }
    }

    /// The number with so many digits after the point, rounded half away from zero; `None` when it has too many digits
    /// then.
    pub fn at_scale(self, scale: i8) -> Option<Self> {
        let unscaled = if scale >= self.scale {
            let power = power_of_ten(u32::from((scale - self.scale).unsigned_abs()));
            match power {
                Some(power) => self.unscaled.checked_mul(power)?,
                None if self.unscaled == i256::ZERO => i256::ZERO,
                None => return None,
            }
        } else {
            match power_of_ten(u32::from((self.scale - scale).unsigned_abs())) {
                Some(power) => divide_rounding(self.unscaled, power),
                None => i256::ZERO,
            }
        };
        Some(Numeric { unscaled, scale })
    }

    /// Whether it is below zero.
    pub fn is_negative(self) -> bool {
        self.unscaled < i256::ZERO
    }
}

/// Ten to this power, if it fits.
pub fn power_of_ten(exponent: u32) -> Option<i256> {
    POWERS_OF_TEN.get(exponent as usize).copied()
}

static POWERS_OF_TEN: LazyLock<Vec<i256>> =
    LazyLock::new(|| (0..=DIGITS_MAX).map(|exponent| i256::from_i128(10).wrapping_pow(exponent)).collect());

/// The quotient, rounded half away from zero. The divisor is above zero.
pub fn divide_rounding(dividend: i256, divisor: i256) -> i256 {
    let quotient = dividend.wrapping_div(divisor);
    let rest = dividend.wrapping_rem(divisor).wrapping_abs();
    // rest * 2 >= divisor, without overflow
    if rest >= divisor.wrapping_sub(rest) && rest != i256::ZERO {
        let step = if dividend < i256::ZERO { i256::MINUS_ONE } else { i256::ONE };
        return quotient.wrapping_add(step);
    }
    quotient
}

/// What a function over single values can answer.
pub trait ResultValue: Sized {
    /// What collects the answers.
    type Builder: ResultBuilder;

    /// Adds the answer to the column.
    fn append(self, builder: &mut Self::Builder) -> Result<()>;
}

/// Collects the results of a function.
pub trait ResultBuilder: Sized {
    /// For a column of this type.
    fn new(result: &Type, rows: usize) -> Result<Self>;
    /// Adds NULL.
    fn append_null(&mut self);
    /// The column.
    fn finish(self) -> Result<ArrayRef>;
}

impl<R: ResultValue> ResultValue for Result<R> {
    type Builder = R::Builder;

    #[inline]
    fn append(self, builder: &mut Self::Builder) -> Result<()> {
        self?.append(builder)
    }
}

impl<R: ResultValue> ResultValue for Option<R> {
    type Builder = R::Builder;

    #[inline]
    fn append(self, builder: &mut Self::Builder) -> Result<()> {
        match self {
            Some(value) => value.append(builder),
            None => {
                builder.append_null();
                Ok(())
            }
        }
    }
}

/// A column of a type that Arrow has a builder of single values for.
macro_rules! results {
    ($($value:ty: $builder:ty, |$self:ident| $convert:expr;)*) => {
        $(
            impl ResultValue for $value {
                type Builder = $builder;

                #[inline]
                fn append($self, builder: &mut Self::Builder) -> Result<()> {
                    builder.append_value($convert);
                    Ok(())
                }
            }
        )*
    };
}

macro_rules! builders {
    ($($builder:ty, |$result:ident, $rows:ident| $new:expr;)*) => {
        $(
            impl ResultBuilder for $builder {
                fn new($result: &Type, $rows: usize) -> Result<Self> {
                    Ok($new)
                }

                #[inline]
                fn append_null(&mut self) {
                    <$builder>::append_null(self);
                }

                fn finish(mut self) -> Result<ArrayRef> {
                    Ok(Arc::new(<$builder>::finish(&mut self)))
                }
            }
        )*
    };
}

builders! {
    BooleanBuilder, |_result, rows| BooleanBuilder::with_capacity(rows);
    Int16Builder, |_result, rows| Int16Builder::with_capacity(rows);
    Int32Builder, |_result, rows| Int32Builder::with_capacity(rows);
    Int64Builder, |_result, rows| Int64Builder::with_capacity(rows);
    UInt32Builder, |_result, rows| UInt32Builder::with_capacity(rows);
    Float32Builder, |_result, rows| Float32Builder::with_capacity(rows);
    Float64Builder, |_result, rows| Float64Builder::with_capacity(rows);
    StringViewBuilder, |_result, rows| StringViewBuilder::with_capacity(rows);
    BinaryViewBuilder, |_result, rows| BinaryViewBuilder::with_capacity(rows);
    Date32Builder, |_result, rows| Date32Builder::with_capacity(rows);
    Time64MicrosecondBuilder, |_result, rows| Time64MicrosecondBuilder::with_capacity(rows);
    TimestampMicrosecondBuilder, |result, rows|
        TimestampMicrosecondBuilder::with_capacity(rows).with_data_type(result.arrow.clone());
    IntervalMonthDayNanoBuilder, |_result, rows| IntervalMonthDayNanoBuilder::with_capacity(rows);
}

results! {
    bool: BooleanBuilder, |self| self;
    i16: Int16Builder, |self| self;
    i32: Int32Builder, |self| self;
    i64: Int64Builder, |self| self;
    Oid: UInt32Builder, |self| self.0;
    f32: Float32Builder, |self| canonical_f32(self);
    f64: Float64Builder, |self| canonical_f64(self);
    String: StringViewBuilder, |self| self;
    &str: StringViewBuilder, |self| self;
    Cow<'_, str>: StringViewBuilder, |self| self;
    Vec<u8>: BinaryViewBuilder, |self| self;
    &[u8]: BinaryViewBuilder, |self| self;
    Date: Date32Builder, |self| self.0;
    Time: Time64MicrosecondBuilder, |self| self.0;
    Timestamp: TimestampMicrosecondBuilder, |self| self.0;
}

/// One NaN and one zero: the engine orders and groups by bits, PostgreSQL has one of each.
#[inline]
pub fn canonical_f64(value: f64) -> f64 {
    if value == 0.0 {
        0.0
    } else if value.is_nan() {
        f64::NAN
    } else {
        value
    }
}

/// As [`canonical_f64`].
#[inline]
pub fn canonical_f32(value: f32) -> f32 {
    if value == 0.0 {
        0.0
    } else if value.is_nan() {
        f32::NAN
    } else {
        value
    }
}

impl ResultValue for Interval {
    type Builder = IntervalMonthDayNanoBuilder;

    fn append(self, builder: &mut Self::Builder) -> Result<()> {
        builder.append_value(interval_value(self)?);
        Ok(())
    }
}

/// The interval as it is carried. Its time part has 64 bits of nanoseconds: 292 years.
pub fn interval_value(interval: Interval) -> Result<IntervalMonthDayNano> {
    let nanoseconds = interval.time_us.checked_mul(1000);
    let nanoseconds = nanoseconds
        .ok_or_else(|| PgError::new(crate::sqlstate::SqlState::DATETIME_FIELD_OVERFLOW, "interval out of range"))?;
    Ok(IntervalMonthDayNano { months: interval.months, days: interval.days, nanoseconds })
}

/// Collects values of sixteen bytes.
pub struct UuidBuilder(FixedSizeBinaryBuilder);

impl ResultBuilder for UuidBuilder {
    fn new(_result: &Type, rows: usize) -> Result<Self> {
        Ok(UuidBuilder(FixedSizeBinaryBuilder::with_capacity(rows, 16)))
    }

    fn append_null(&mut self) {
        self.0.append_null();
    }

    fn finish(mut self) -> Result<ArrayRef> {
        Ok(Arc::new(self.0.finish()))
    }
}

impl ResultValue for Uuid {
    type Builder = UuidBuilder;

    fn append(self, builder: &mut Self::Builder) -> Result<()> {
        Ok(builder.0.append_value(self.0)?)
    }
}

/// Collects times with zones.
pub struct TimeTzBuilder {
    times: Vec<i64>,
    offsets: Vec<i32>,
    valid: Vec<bool>,
    fields: Fields,
}

impl ResultBuilder for TimeTzBuilder {
    fn new(result: &Type, rows: usize) -> Result<Self> {
        let DataType::Struct(fields) = &result.arrow else {
            return Err(PgError::internal("a time with time zone has two fields"));
        };
        let (times, offsets, valid) = (Vec::with_capacity(rows), Vec::with_capacity(rows), Vec::with_capacity(rows));
        Ok(TimeTzBuilder { times, offsets, valid, fields: fields.clone() })
    }

    fn append_null(&mut self) {
        self.times.push(0);
        self.offsets.push(0);
        self.valid.push(false);
    }

    fn finish(self) -> Result<ArrayRef> {
        let columns: Vec<ArrayRef> =
            vec![Arc::new(Time64MicrosecondArray::from(self.times)), Arc::new(Int32Array::from(self.offsets))];
        Ok(Arc::new(StructArray::try_new(self.fields, columns, Some(self.valid.into()))?))
    }
}

impl ResultValue for TimeTz {
    type Builder = TimeTzBuilder;

    fn append(self, builder: &mut Self::Builder) -> Result<()> {
        builder.times.push(self.time_us);
        builder.offsets.push(self.offset_s);
        builder.valid.push(true);
        Ok(())
    }
}

/// Collects numerics, each brought to the scale of the result's type.
pub enum NumericBuilder {
    /// 128 bits.
    Narrow(Decimal128Builder, u8, i8),
    /// 256 bits.
    Wide(Decimal256Builder, u8, i8),
}

impl ResultBuilder for NumericBuilder {
    fn new(result: &Type, rows: usize) -> Result<Self> {
        Ok(match &result.arrow {
            DataType::Decimal256(precision, scale) => {
                let builder = Decimal256Builder::with_capacity(rows).with_data_type(result.arrow.clone());
                NumericBuilder::Wide(builder, *precision, *scale)
            }
            DataType::Decimal128(precision, scale) => {
                let builder = Decimal128Builder::with_capacity(rows).with_data_type(result.arrow.clone());
                NumericBuilder::Narrow(builder, *precision, *scale)
            }
            other => return Err(PgError::internal(format!("a numeric result cannot be of type {other}"))),
        })
    }

    fn append_null(&mut self) {
        match self {
            NumericBuilder::Narrow(builder, ..) => builder.append_null(),
            NumericBuilder::Wide(builder, ..) => builder.append_null(),
        }
    }

    fn finish(self) -> Result<ArrayRef> {
        Ok(match self {
            NumericBuilder::Narrow(mut builder, ..) => Arc::new(builder.finish()),
            NumericBuilder::Wide(mut builder, ..) => Arc::new(builder.finish()),
        })
    }
}

/// Rounded to the scale of the result; 22003 when it has more digits than the result's type.
impl ResultValue for Numeric {
    type Builder = NumericBuilder;

    fn append(self, builder: &mut Self::Builder) -> Result<()> {
        // Most results have the scale already, and few digits.
        if let NumericBuilder::Narrow(builder, precision, scale) = builder
            && self.scale == *scale
            && let Some(digits) = self.unscaled.to_i128()
            && 10_u128.checked_pow((*precision).into()).is_some_and(|limit| digits.unsigned_abs() < limit)
        {
            builder.append_value(digits);
            return Ok(());
        }
        let (precision, scale) = match builder {
            NumericBuilder::Narrow(_, precision, scale) | NumericBuilder::Wide(_, precision, scale) => {
                (*precision, *scale)
            }
        };
        let overflow = || PgError::out_of_range("numeric");
        let number = self.at_scale(scale).ok_or_else(overflow)?;
        let limit = power_of_ten(u32::from(precision)).ok_or_else(overflow)?;
        if number.unscaled.wrapping_abs() >= limit {
            return Err(overflow());
        }
        match builder {
            NumericBuilder::Narrow(builder, ..) => {
                builder.append_value(number.unscaled.to_i128().ok_or_else(overflow)?);
            }
            NumericBuilder::Wide(builder, ..) => builder.append_value(number.unscaled),
        }
        Ok(())
    }
}

/// Collects arrays.
pub struct ListResultBuilder {
    lengths: Vec<usize>,
    valid: Vec<bool>,
    parts: Vec<ArrayRef>,
    field: FieldRef,
}

impl ResultBuilder for ListResultBuilder {
    fn new(result: &Type, rows: usize) -> Result<Self> {
        let DataType::List(field) = &result.arrow else {
            return Err(PgError::internal(format!("an array result cannot be of type {}", result.arrow)));
        };
        let (lengths, valid) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        Ok(ListResultBuilder { lengths, valid, parts: Vec::new(), field: field.clone() })
    }

    fn append_null(&mut self) {
        self.lengths.push(0);
        self.valid.push(false);
    }

    fn finish(self) -> Result<ArrayRef> {
        let parts: Vec<&dyn Array> = self.parts.iter().map(AsRef::as_ref).collect();
        let values = match parts.as_slice() {
            [] => new_empty_array(self.field.data_type()),
            parts => arrow::compute::concat(parts)?,
        };
        let offsets = arrow::buffer::OffsetBuffer::from_lengths(self.lengths);
        Ok(Arc::new(ListArray::try_new(self.field, offsets, values, Some(self.valid.into()))?))
    }
}

/// An array of these elements, which are of the element type of the result.
impl ResultValue for Elements {
    type Builder = ListResultBuilder;

    fn append(self, builder: &mut Self::Builder) -> Result<()> {
        let elements = match self.0.data_type() == builder.field.data_type() {
            true => self.0,
            false => arrow::compute::cast(&self.0, builder.field.data_type())?,
        };
        builder.lengths.push(elements.len());
        builder.valid.push(true);
        if !elements.is_empty() {
            builder.parts.push(elements);
        }
        Ok(())
    }
}

/// An array of these values.
impl<R: ResultValue> ResultValue for Vec<Option<R>> {
    type Builder = ListResultBuilder;

    fn append(self, builder: &mut Self::Builder) -> Result<()> {
        let element = Type { oid: 0, typmod: -1, arrow: builder.field.data_type().clone() };
        let mut elements = R::Builder::new(&element, self.len())?;
        for value in self {
            value.append(&mut elements)?;
        }
        Elements(elements.finish()?).append(builder)
    }
}
