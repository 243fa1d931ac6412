//! The cast of an array: of each of its elements.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use datafusion_expr::ColumnarValue;

use super::by_text::{FROM_TEXT, TO_TEXT};
use crate::error::{PgError, Result};
use crate::expression_type::{Type, list_of};
use crate::function::{Call, Function, Method, function};
use crate::library;
use crate::library::array::leaves::Leaves;
use crate::library::text::blanks::trimmed_column;
use crate::types::{ANYARRAY, BPCHAR, CHAR, NAME, TEXT, VARCHAR};
use crate::user_types::base_type;

/// An array to an array of another element type, or of the same one with another modifier; the context is that of the
/// elements' cast. The result has as many dimensions as the source: see [`array_cast_type`].
pub static ARRAY_CAST: Function = function("cast", &[ANYARRAY], ANYARRAY, array_cast).stable();

/// The type of an array of this type that is cast to that one: the wanted elements in the dimensions of the source.
pub fn array_cast_type(source: &Type, wanted: &Type) -> Option<Type> {
    let element = wanted.element()?;
    let mut arrow = element.arrow;
    for _ in 0..dimensions(&source.arrow) {
        arrow = list_of(arrow);
    }
    Some(Type { oid: wanted.oid, typmod: wanted.typmod, arrow })
}

/// An array where one of another number of dimensions is expected. An array without elements has none, so it is one of
/// any; others are refused.
pub static DIMENSIONS_CAST: Function = function("dimensions", &[ANYARRAY], ANYARRAY, dimensions_cast);

fn dimensions_cast(call: &Call) -> Result<ArrayRef> {
    let leaves = Leaves::new(&call.array(0)?)?;
    let is_empty = |row: usize| leaves.is_null(row) || leaves.range(row).is_empty();
    if !(0..leaves.rows()).all(is_empty) {
        let (found, expected) = (leaves.depth, dimensions(&call.result.arrow));
        let message = format!("an array with {found} dimensions where {expected} are expected");
        return Err(PgError::not_supported(message));
    }
    let DataType::List(item) = &call.result.arrow else { return Err(PgError::internal("an array is a list")) };
    let offsets = OffsetBuffer::from_lengths(vec![0; leaves.rows()]);
    let values = arrow::array::new_empty_array(item.data_type());
    Ok(Arc::new(ListArray::try_new(item.clone(), offsets, values, leaves.lists.nulls().cloned())?))
}

/// Dimensions of arrays that are carried so.
pub fn dimensions(data_type: &DataType) -> usize {
    match data_type {
        DataType::List(field) => 1 + dimensions(field.data_type()),
        _ => 0,
    }
}

fn array_cast(call: &Call) -> Result<ArrayRef> {
    let no_elements = || PgError::internal("an array without elements");
    let source = call.types.first().and_then(Type::element).ok_or_else(no_elements)?;
    let target = call.result.element().ok_or_else(no_elements)?;
    rebuilt(&call.array(0)?, &|elements| cast_elements(call, elements, &source, &target))
}

/// The same lists, whose innermost values are replaced.
fn rebuilt(array: &ArrayRef, replace: &dyn Fn(&ArrayRef) -> Result<ArrayRef>) -> Result<ArrayRef> {
    let Some(lists) = array.as_list_opt::<i32>() else { return replace(array) };
    let values = rebuilt(lists.values(), replace)?;
    let field = Arc::new(Field::new("item", values.data_type().clone(), true));
    Ok(Arc::new(ListArray::try_new(field, lists.offsets().clone(), values, lists.nulls().cloned())?))
}

fn is_string(oid: u32) -> bool {
    matches!(oid, TEXT | VARCHAR | BPCHAR | NAME | CHAR)
}

fn cast_elements(call: &Call, elements: &ArrayRef, source: &Type, target: &Type) -> Result<ArrayRef> {
    let (source, target) = (&base_type(source), &base_type(target));
    // The blanks of `character` are none of another type's.
    let carries_blanks = source.carries_blanks() && target.oid != BPCHAR;
    let elements = &if carries_blanks { trimmed_column(elements) } else { elements.clone() };
    // A binary-compatible or computed cast of the engine leaves the modifier to a second step.
    let elements = match library::cast(source.oid, target.oid) {
        Some(cast) => apply(call, &cast.function, elements, source, target)?,
        None if source.oid == target.oid => elements.clone(),
        None if is_string(target.oid) => return apply(call, &TO_TEXT, elements, source, target),
        None if is_string(source.oid) => return apply(call, &FROM_TEXT, elements, source, target),
        None => {
            let message = format!("cannot cast type {} to {}", source.name(), target.name());
            return Err(PgError::new(crate::sqlstate::SqlState::CANNOT_COERCE, message));
        }
    };
    if elements.data_type() == &target.arrow {
        return Ok(elements);
    }
    Ok(arrow::compute::cast(&elements, &target.arrow)?)
}

fn apply(call: &Call, function: &Function, elements: &ArrayRef, source: &Type, target: &Type) -> Result<ArrayRef> {
    match function.method {
        Method::Kernel(kernel) => {
            let argument = [ColumnarValue::Array(elements.clone())];
            kernel(&call.nested(vec![source.clone()], target.clone(), &argument, elements.len())?)
        }
        _ => {
            let length = library::cast(target.oid, target.oid).filter(|_| target.typmod >= 0);
            let unmodified = Type::of(target.oid);
            let Some(length) = length else { return Ok(arrow::compute::cast(elements, &target.arrow)?) };
            let ty = match source.digits().filter(|_| target.oid == crate::types::NUMERIC) {
                Some((precision, scale)) => Type::numeric(precision, scale),
                None => unmodified,
            };
            let values = arrow::compute::cast(elements, &ty.arrow)?;
            apply(call, &length.function, &values, &ty, target)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::session::SessionValues;
    use crate::types::*;
    use crate::{input, testing};

    fn check(source: u32, text: &str, target: Type, expected: &str) {
        let (source, scalar) = input::value(&Type::of(source), text, &SessionValues::default()).unwrap();
        let target = array_cast_type(&source, &target).unwrap();
        let mut call = Call::new(vec![source], target.clone(), &[ColumnarValue::Scalar(scalar)], 1, None).unwrap();
        call.context = crate::function::CastContext::Explicit;
        let answer = array_cast(&call).unwrap();
        assert_eq!(answer.data_type(), &target.arrow);
        assert_eq!(testing::text(&answer, &target, 0).unwrap().unwrap(), expected, "{text}");
    }

    #[test]
    fn each_element_is_cast() {
        check(INT4_ARRAY, "{1,NULL,3}", Type::of(FLOAT8_ARRAY), "{1,NULL,3}");
        check(NUMERIC_ARRAY, "{1.5,2}", Type::of(INT4_ARRAY), "{2,2}");
        check(INT4_ARRAY, "{{1,2},{3,4}}", Type::of(TEXT_ARRAY), "{{1,2},{3,4}}");
        check(TEXT_ARRAY, "{1,2}", Type::of(INT8_ARRAY), "{1,2}");
        check(BOOL_ARRAY, "{t,f}", Type::of(TEXT_ARRAY), "{true,false}");
        check(TEXT_ARRAY, "{a,bcd}", Type::with_typmod(1015, 6), "{a,bc}");
        check(INT4_ARRAY, "{1,2}", Type::with_typmod(NUMERIC_ARRAY, (5 << 16 | 2) + 4), "{1.00,2.00}");
        check(INT4_ARRAY, "{}", Type::of(TEXT_ARRAY), "{}");
    }
}
