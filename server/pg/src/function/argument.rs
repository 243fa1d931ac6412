//! Reading single values out of the arguments' columns.

use arrow::array::*;
use arrow::buffer::NullBuffer;
use arrow::datatypes::*;

use super::value::*;
use crate::datetime::Interval;
use crate::error::{PgError, Result};

/// A type that a function over single values can take.
pub trait Argument<'a>: Sized {
    /// The column its values are read from.
    type Values: 'a;

    /// The column as one of such values.
    fn values(array: &'a ArrayRef) -> Result<Self::Values>;

    /// The value in a row that is not NULL.
    fn read(values: &Self::Values, row: usize) -> Self;

    /// What stands for NULL, if the function wants to see it.
    fn null() -> Option<Self> {
        None
    }
}

/// A column of arguments.
pub struct Column<'a, A: Argument<'a>> {
    values: Option<A::Values>,
    nulls: Option<NullBuffer>,
    /// All bits for a column, none for a constant.
    mask: usize,
}

impl<'a, A: Argument<'a>> Column<'a, A> {
    /// Reads a column, or one value for all rows.
    pub(crate) fn new(array: &'a ArrayRef, constant: bool) -> Result<Self> {
        let mask = if constant { 0 } else { usize::MAX };
        if array.data_type() == &DataType::Null {
            return Ok(Column { values: None, nulls: None, mask });
        }
        Ok(Column { values: Some(A::values(array)?), nulls: array.logical_nulls(), mask })
    }

    /// The value for a row; `None` for a NULL that the function does not want to see.
    #[inline]
    pub fn get(&self, row: usize) -> Option<A> {
        let row = row & self.mask;
        match &self.values {
            Some(values) if self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) => Some(A::read(values, row)),
            _ => A::null(),
        }
    }
}

fn downcast<T: 'static>(array: &ArrayRef) -> Result<&T> {
    array
        .as_any()
        .downcast_ref::<T>()
        .ok_or_else(|| PgError::internal(format!("a function cannot read a column of type {}", array.data_type())))
}

impl<'a, A: Argument<'a>> Argument<'a> for Option<A> {
    type Values = A::Values;

    fn values(array: &'a ArrayRef) -> Result<Self::Values> {
        A::values(array)
    }

    #[inline]
    fn read(values: &Self::Values, row: usize) -> Self {
        Some(A::read(values, row))
    }

    fn null() -> Option<Self> {
        Some(None)
    }
}

/// Arguments that are read from one Arrow array.
macro_rules! arguments {
    ($($argument:ty: $array:ty, |$values:ident, $row:ident| $read:expr;)*) => {
        $(
            impl<'a> Argument<'a> for $argument {
                type Values = &'a $array;

                fn values(array: &'a ArrayRef) -> Result<Self::Values> {
                    downcast(array)
                }

                #[inline]
                fn read($values: &Self::Values, $row: usize) -> Self {
                    $read
                }
            }
        )*
    };
}

arguments! {
    bool: BooleanArray, |values, row| values.value(row);
    i16: Int16Array, |values, row| values.value(row);
    i32: Int32Array, |values, row| values.value(row);
    i64: Int64Array, |values, row| values.value(row);
    f32: Float32Array, |values, row| values.value(row);
    f64: Float64Array, |values, row| values.value(row);
    &'a str: StringViewArray, |values, row| values.value(row);
    &'a [u8]: BinaryViewArray, |values, row| values.value(row);
    Oid: UInt32Array, |values, row| Oid(values.value(row));
    Date: Date32Array, |values, row| Date(values.value(row));
    Time: Time64MicrosecondArray, |values, row| Time(values.value(row));
    Timestamp: TimestampMicrosecondArray, |values, row| Timestamp(values.value(row));
    Elements: ListArray, |values, row| Elements(values.value(row));
    Interval: IntervalMonthDayNanoArray, |values, row| interval_of(values.value(row));
    Uuid: FixedSizeBinaryArray, |values, row| {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(values.value(row));
        Uuid(bytes)
    };
}

fn interval_of(value: IntervalMonthDayNano) -> Interval {
    Interval { months: value.months, days: value.days, time_us: value.nanoseconds / 1000 }
}

/// Both fields of a `timetz`.
impl<'a> Argument<'a> for TimeTz {
    type Values = (&'a Time64MicrosecondArray, &'a Int32Array);

    fn values(array: &'a ArrayRef) -> Result<Self::Values> {
        let fields = downcast::<StructArray>(array)?;
        Ok((downcast(fields.column(0))?, downcast(fields.column(1))?))
    }

    fn read(values: &Self::Values, row: usize) -> Self {
        TimeTz { time_us: values.0.value(row), offset_s: values.1.value(row) }
    }
}

/// A decimal of either width.
pub enum NumericValues<'a> {
    /// 128 bits, and the scale.
    Narrow(&'a Decimal128Array, i8),
    /// 256 bits, and the scale.
    Wide(&'a Decimal256Array, i8),
}

impl<'a> Argument<'a> for Numeric {
    type Values = NumericValues<'a>;

    fn values(array: &'a ArrayRef) -> Result<Self::Values> {
        match array.data_type() {
            DataType::Decimal256(_, scale) => Ok(NumericValues::Wide(downcast(array)?, *scale)),
            DataType::Decimal128(_, scale) => Ok(NumericValues::Narrow(downcast(array)?, *scale)),
            other => Err(PgError::internal(format!("a function cannot read a column of type {other} as numeric"))),
        }
    }

    fn read(values: &Self::Values, row: usize) -> Self {
        match values {
            NumericValues::Narrow(array, scale) => Numeric::new(i256::from_i128(array.value(row)), *scale),
            NumericValues::Wide(array, scale) => Numeric::new(array.value(row), *scale),
        }
    }
}
