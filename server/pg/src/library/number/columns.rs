//! Whole columns of numbers at once: loops over plain slices, which the compiler can unroll.
//!
//! Under a NULL lies a number that nobody wrote, so a computation that fails is looked at again: only a row without NULL
//! makes it an error.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;

use crate::error::{PgError, Result};
use crate::function::Call;

/// An argument.
enum Operand<'a, T: ArrowPrimitiveType> {
    Null,
    Constant(T::Native),
    Column(&'a PrimitiveArray<T>),
}

impl<'a, T: ArrowPrimitiveType> Operand<'a, T> {
    fn of(call: &'a Call, argument: usize) -> Result<Self> {
        let array = call.compact_array(argument);
        if array.data_type() == &DataType::Null {
            return Ok(Operand::Null);
        }
        let column = array.as_primitive_opt::<T>();
        let column = column.ok_or_else(|| {
            PgError::internal(format!("a number cannot be read from a column of {}", array.data_type()))
        })?;
        Ok(match call.is_constant(argument) {
            false => Operand::Column(column),
            true if column.is_empty() || column.is_null(0) => Operand::Null,
            true => Operand::Constant(column.value(0)),
        })
    }
}

fn column<O: ArrowPrimitiveType>(call: &Call, values: Vec<O::Native>, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    let array = PrimitiveArray::<O>::try_new(values.into(), nulls)?;
    Ok(Arc::new(array.with_data_type(call.result.arrow.clone())))
}

/// The column that a function of one number gives. Where it has no answer, `error` says why.
pub fn unary<A: ArrowPrimitiveType, O: ArrowPrimitiveType>(
    call: &Call,
    compute: impl Fn(A::Native) -> Option<O::Native>,
    error: impl Fn(A::Native) -> PgError,
) -> Result<ArrayRef> {
    let operand = match Operand::<A>::of(call, 0)? {
        Operand::Null => return Ok(new_null_array(&call.result.arrow, call.rows())),
        Operand::Constant(value) => {
            let result = compute(value).ok_or_else(|| error(value))?;
            return column::<O>(call, vec![result; call.rows()], None);
        }
        Operand::Column(column) => column,
    };
    let mut complete = true;
    let mut attempt = |value: &A::Native| {
        let result = compute(*value);
        complete &= result.is_some();
        result.unwrap_or_default()
    };
    let values = operand.values().iter().map(&mut attempt).collect();
    if !complete && let Some(value) = operand.iter().flatten().find(|value| compute(*value).is_none()) {
        return Err(error(value));
    }
    column::<O>(call, values, operand.nulls().cloned())
}

/// The column that a function of two numbers gives. Where it has no answer, `error` says why.
pub fn binary<A: ArrowPrimitiveType, B: ArrowPrimitiveType, O: ArrowPrimitiveType>(
    call: &Call,
    compute: impl Fn(A::Native, B::Native) -> Option<O::Native>,
    error: impl Fn(A::Native, B::Native) -> PgError,
) -> Result<ArrayRef> {
    let mut complete = true;
    let mut attempt = |left: A::Native, right: B::Native| {
        let result = compute(left, right);
        complete &= result.is_some();
        result.unwrap_or_default()
    };
    let operands = (Operand::<A>::of(call, 0)?, Operand::<B>::of(call, 1)?);
    let (values, nulls): (Vec<_>, _) = match &operands {
        (Operand::Null, _) | (_, Operand::Null) => return Ok(new_null_array(&call.result.arrow, call.rows())),
        (Operand::Constant(left), Operand::Constant(right)) => (vec![attempt(*left, *right); call.rows()], None),
        (Operand::Constant(left), Operand::Column(right)) => {
            (right.values().iter().map(|right| attempt(*left, *right)).collect(), right.nulls().cloned())
        }
        (Operand::Column(left), Operand::Constant(right)) => {
            (left.values().iter().map(|left| attempt(*left, *right)).collect(), left.nulls().cloned())
        }
        (Operand::Column(left), Operand::Column(right)) => {
            let pairs = left.values().iter().zip(right.values().iter());
            let nulls = NullBuffer::union(left.nulls(), right.nulls());
            (pairs.map(|(left, right)| attempt(*left, *right)).collect(), nulls)
        }
    };
    if !complete {
        for row in (0..values.len()).filter(|row| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row))) {
            let (left, right) = (value(&operands.0, row), value(&operands.1, row));
            if compute(left, right).is_none() {
                return Err(error(left, right));
            }
        }
    }
    column::<O>(call, values, nulls)
}

fn value<T: ArrowPrimitiveType>(operand: &Operand<'_, T>, row: usize) -> T::Native {
    match operand {
        Operand::Null => T::Native::default(),
        Operand::Constant(value) => *value,
        Operand::Column(column) => column.value(row),
    }
}
