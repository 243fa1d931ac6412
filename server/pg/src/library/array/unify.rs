//! One Arrow type for values that have one PostgreSQL type: numerics of several scales, strings of several layouts.

use arrow::array::ArrayRef;
use arrow::compute::CastOptions;
use arrow::datatypes::{DataType, Field};

use super::leaves::{leaf, list_item};
use crate::error::{PgError, Result};
use crate::expression_type::{NUMERIC_PRECISION_IN_FLIGHT_MAX, Type, decimal_type, list_of};
use crate::function::ArgumentShape;
use crate::types;

/// The Arrow type that both can be brought to.
pub fn common(left: &DataType, right: &DataType) -> Result<DataType> {
    if left == right {
        return Ok(left.clone());
    }
    if left.is_integer() && right.is_integer() && *left != DataType::UInt64 && *right != DataType::UInt64 {
        return Ok(DataType::Int64);
    }
    if left.is_numeric() && right.is_numeric() && (left.is_floating() || right.is_floating()) {
        return Ok(DataType::Float64);
    }
    if let (Some((left, left_scale)), Some((right, right_scale))) = (digits(left), digits(right)) {
        let scale = left_scale.max(right_scale);
        let whole = (i16::from(left) - i16::from(left_scale)).max(i16::from(right) - i16::from(right_scale));
        let precision = (whole + i16::from(scale)).clamp(1, i16::from(NUMERIC_PRECISION_IN_FLIGHT_MAX));
        return Ok(decimal_type(precision as u8, scale));
    }
    match (left, right) {
        (DataType::Null, other) | (other, DataType::Null) => Ok(other.clone()),
        (left, right) if left.is_string() && right.is_string() => Ok(DataType::Utf8View),
        (left, right) if left.is_binary() && right.is_binary() => Ok(DataType::BinaryView),
        (DataType::Struct(left), DataType::Struct(right)) if left.len() == right.len() => {
            let fields = left.iter().zip(right).map(|(left, right)| {
                let ty = common(left.data_type(), right.data_type())?;
                Ok(Field::clone(left).with_data_type(ty).with_nullable(left.is_nullable() || right.is_nullable()))
            });
            Ok(DataType::Struct(fields.collect::<Result<Vec<_>>>()?.into()))
        }
        (left, right) => match (list_item(left), list_item(right)) {
            (Some(left), Some(right)) => Ok(list_of(common(left, right)?)),
            _ => Err(PgError::internal(format!("values of type {left} and {right} cannot be brought to one type"))),
        },
    }
}

fn digits(data_type: &DataType) -> Option<(u8, i8)> {
    match data_type {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => Some((*precision, *scale)),
        // 64 bits of a number with or without a sign.
        it if it.is_integer() => Some((20, 0)),
        _ => None,
    }
}

/// The values as values of an Arrow type that [`common`] found.
pub fn brought_to(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef> {
    if array.data_type() == wanted {
        return Ok(array.clone());
    }
    let options = CastOptions { safe: false, ..Default::default() };
    arrow::compute::cast_with_options(array, wanted, &options).map_err(|error| match wanted {
        DataType::Decimal128(..) | DataType::Decimal256(..) => PgError::out_of_range("numeric"),
        _ => error.into(),
    })
}

/// A type of this number, with the lists in one another that are asked for around this leaf.
pub fn array_of(oid: u32, typmod: i32, leaf: DataType, depth: usize) -> Type {
    let arrow = (0..depth).fold(leaf, |inner, _| list_of(inner));
    Type { oid, typmod, arrow }
}

/// The type of arrays whose elements are of this type.
pub fn array_type(element: &Type) -> Result<u32> {
    types::array_type(element.oid).ok_or_else(|| {
        let message = format!("could not find array type for data type {}", element.name());
        PgError::new(crate::sqlstate::SqlState::UNDEFINED_OBJECT, message)
    })
}

/// The shape of a function whose result is the array it is given.
pub fn same_array(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    Ok(argument(arguments, 0)?.clone())
}

/// The shape of a function that gives an array of the elements of all arguments, of which the one at this position is the
/// array.
pub fn array_with_elements(arguments: &[ArgumentShape<'_>], array: usize) -> Result<Type> {
    let array = argument(arguments, array)?;
    let mut leaf_type = leaf(&array.arrow).clone();
    for other in arguments {
        if other.ty.arrow != DataType::Null {
            leaf_type = common(&leaf_type, leaf(&other.ty.arrow))?;
        }
    }
    Ok(array_of(array.oid, -1, leaf_type, super::leaves::depth(&array.arrow).max(1)))
}

/// The type of an argument, which the library's entry promises.
pub fn argument<'a>(arguments: &'a [ArgumentShape<'_>], position: usize) -> Result<&'a Type> {
    arguments.get(position).map(|it| it.ty).ok_or_else(|| PgError::internal("a function lacks an argument"))
}
