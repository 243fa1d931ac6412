//! Making arrays and records: `ARRAY[…]`, `ROW(…)`, `array_fill`; and the fields of records.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, StructArray};
use arrow::compute::{is_null, nullif};
use arrow::datatypes::{DataType, Field, Int32Type};
use datafusion_common::ScalarValue;

use super::concatenate::fewer_dimensions;
use super::leaves::{Leaves, depth, leaf};
use super::picks::{ELEMENTS_MAX, Picks, too_many_elements};
use super::unify::{argument, array_of, array_type, brought_to, common};
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{ArgumentShape, Call, Function, function};
use crate::sqlstate::SqlState;
use crate::types::{self, *};

/// Dimensions an array can have (`MAXDIM`).
const DIMENSIONS_MAX: usize = 6;

/// The functions. The planner writes `ARRAY[a, b]` as `array_constructor(a, b)`, `ROW(a, b)` as `row(a, b)` and `(r).f` as
/// `field_select(r, 'f')`.
pub static CONSTRUCTORS: &[Function] = &[
    function("array_constructor", &[ANY], ANYARRAY, array_constructor).variadic().shaped(constructed_array),
    function("row", &[ANY], RECORD, row_constructor).variadic().shaped(constructed_row),
    function("field_select", &[RECORD, TEXT], ANYELEMENT, field_select).shaped(selected_field),
    function("array_fill", &[ANYELEMENT, INT4_ARRAY], ANYARRAY, fill).shaped(filled),
    function("array_fill", &[ANYELEMENT, INT4_ARRAY, INT4_ARRAY], ANYARRAY, fill).shaped(filled),
];

/// Arrays in an array are its first dimension.
fn constructed_array(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let first = argument(arguments, 0)?;
    let mut leaf_type = leaf(&first.arrow).clone();
    let mut inner_depth = 0;
    let mut typmod = first.typmod;
    for it in arguments {
        leaf_type = common(&leaf_type, leaf(&it.ty.arrow))?;
        inner_depth = inner_depth.max(depth(&it.ty.arrow));
        typmod = if it.ty.typmod == typmod { typmod } else { -1 };
    }
    if inner_depth >= DIMENSIONS_MAX {
        return Err(too_many_dimensions(inner_depth + 1));
    }
    Ok(array_of(array_type(first)?, typmod, leaf_type, inner_depth + 1))
}

fn too_many_dimensions(dimensions: usize) -> PgError {
    let message = format!("number of array dimensions ({dimensions}) exceeds the maximum allowed ({DIMENSIONS_MAX})");
    PgError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message)
}

fn array_constructor(call: &Call) -> Result<ArrayRef> {
    let arguments: Vec<ArrayRef> = (0..call.width()).map(|position| call.array(position)).collect::<Result<_>>()?;
    if depth(&call.result.arrow) > 1 {
        return array_of_arrays(call, &arguments);
    }
    let mut picks = Picks::of_leaves(&call.result, &arguments.iter().collect::<Vec<_>>())?;
    for row in 0..call.rows() {
        (0..arguments.len()).for_each(|position| picks.pick(position, row));
        picks.end()?;
    }
    picks.finish(&call.result)
}

/// The elements follow one another; all arrays must have the same dimensions, or all be empty or NULL.
fn array_of_arrays(call: &Call, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let arrays: Vec<Leaves> = arguments.iter().map(Leaves::new).collect::<Result<_>>()?;
    let mut picks = Picks::of_leaves(&call.result, &arrays.iter().map(|it| &it.values).collect::<Vec<_>>())?;
    let depth = depth(&call.result.arrow);
    let mut dimensions = Vec::with_capacity(call.rows());
    for row in 0..call.rows() {
        let mut of_row: Option<Vec<usize>> = None;
        for (position, array) in arrays.iter().enumerate() {
            let own = if array.is_null(row) { Vec::new() } else { array.dimensions(row) };
            match &of_row {
                Some(expected) if *expected != own => return Err(mismatched_dimensions()),
                _ => of_row = Some(own),
            }
            picks.pick_all(position, array.range(row));
        }
        let mut of_row = of_row.unwrap_or_default();
        if !of_row.is_empty() {
            of_row.insert(0, arrays.len());
            if of_row.len() != depth {
                return Err(fewer_dimensions());
            }
        }
        dimensions.push(of_row);
        picks.end()?;
    }
    picks.finish_with_dimensions(&call.result, &dimensions)
}

/// The error of arrays that cannot lie in one array.
pub fn mismatched_dimensions() -> PgError {
    let message = "multidimensional arrays must have array expressions with matching dimensions";
    PgError::new(SqlState::ARRAY_SUBSCRIPT_ERROR, message)
}

fn constructed_row(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let fields = arguments.iter().enumerate().map(|(position, it)| it.ty.field(&format!("f{}", position + 1)));
    let arrow = DataType::Struct(fields.collect::<Vec<Field>>().into());
    Ok(Type { oid: RECORD, typmod: -1, arrow })
}

fn row_constructor(call: &Call) -> Result<ArrayRef> {
    let DataType::Struct(fields) = &call.result.arrow else {
        return Err(PgError::internal("a row is a record"));
    };
    let mut columns = Vec::with_capacity(fields.len());
    for (position, field) in fields.iter().enumerate() {
        columns.push(brought_to(&call.array(position)?, field.data_type())?);
    }
    Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, None, call.rows())?))
}

fn selected_field(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let record = argument(arguments, 0)?;
    let name = arguments.get(1).and_then(|it| it.constant).and_then(ScalarValue::try_as_str).flatten();
    let name = name.ok_or_else(|| PgError::internal("a field is selected by a constant name"))?;
    match &record.arrow {
        DataType::Struct(fields) => {
            let found = fields.iter().find(|field| field.name() == name);
            found.map(|field| Type::of_field(field)).ok_or_else(|| no_field(name))
        }
        _ => Err(no_field(name)),
    }
}

fn no_field(name: &str) -> PgError {
    PgError::new(SqlState::UNDEFINED_COLUMN, format!("could not identify column \"{name}\" in record data type"))
}

fn field_select(call: &Call) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let record = array.as_struct_opt().ok_or_else(|| PgError::internal("a field is one of a record"))?;
    let name = call.constant(1)?;
    let name = name.as_ref().and_then(ScalarValue::try_as_str).flatten().unwrap_or_default();
    let column = record.column_by_name(name).ok_or_else(|| no_field(name))?;
    match record.nulls() {
        Some(_) => Ok(nullif(column, &is_null(record)?)?),
        None => Ok(column.clone()),
    }
}

/// The number of dimensions must be known before the first row.
fn filled(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let element = argument(arguments, 0)?;
    if types::element_type(element.oid).is_some() {
        let message = format!("could not find array type for data type {}", element.name());
        return Err(PgError::new(SqlState::UNDEFINED_OBJECT, message));
    }
    let depth = match arguments.get(1).and_then(|it| it.constant) {
        Some(ScalarValue::List(list)) if list.is_valid(0) => list.value_length(0).clamp(1, DIMENSIONS_MAX as i32),
        _ => 1,
    };
    Ok(array_of(array_type(element)?, element.typmod, element.arrow.clone(), depth as usize))
}

fn fill(call: &Call) -> Result<ArrayRef> {
    let elements = call.array(0)?;
    let lengths = Leaves::new(&call.array(1)?)?;
    let lower_bounds = if call.width() > 2 { Some(Leaves::new(&call.array(2)?)?) } else { None };
    let mut picks = Picks::of_leaves(&call.result, &[&elements])?;
    let depth = depth(&call.result.arrow);
    let mut dimensions = Vec::with_capacity(call.rows());
    for row in 0..call.rows() {
        let of_row = wanted_dimensions(&lengths, lower_bounds.as_ref(), row)?;
        if !of_row.is_empty() && of_row.len() != depth {
            return Err(PgError::not_supported("array_fill with dimensions that are not constant"));
        }
        let count = if of_row.is_empty() { 0 } else { of_row.iter().product() };
        (0..count).for_each(|_| picks.pick(0, row));
        dimensions.push(of_row);
        picks.end()?;
    }
    picks.finish_with_dimensions(&call.result, &dimensions)
}

/// The lengths that `array_fill` is given; none for an empty array.
fn wanted_dimensions(lengths: &Leaves, lower_bounds: Option<&Leaves>, row: usize) -> Result<Vec<usize>> {
    if lengths.is_null(row) || lower_bounds.is_some_and(|it| it.is_null(row)) {
        let message = "dimension array or low bound array cannot be null";
        return Err(PgError::new(SqlState::NULL_VALUE_NOT_ALLOWED, message));
    }
    let lengths = integers(lengths, row, "Dimension array")?;
    if lengths.len() > DIMENSIONS_MAX {
        return Err(too_many_dimensions(lengths.len()));
    }
    if let Some(lower_bounds) = lower_bounds {
        let lower_bounds = integers(lower_bounds, row, "Dimension array")?;
        if lower_bounds.len() != lengths.len() {
            return Err(wrong_subscripts("Low bound array has different size than dimensions array."));
        }
        if lower_bounds.iter().any(|bound| *bound != 1) {
            return Err(PgError::not_supported("an array whose lower bound is not 1"));
        }
    }
    let lengths: Option<Vec<usize>> = lengths.into_iter().map(|length| usize::try_from(length).ok()).collect();
    let lengths = lengths.ok_or_else(too_many_elements)?;
    let count = lengths.iter().try_fold(1usize, |count, length| count.checked_mul(*length));
    match count {
        Some(0) => Ok(Vec::new()),
        Some(count) if count <= ELEMENTS_MAX => Ok(lengths),
        _ => Err(too_many_elements()),
    }
}

fn integers(leaves: &Leaves, row: usize, what: &str) -> Result<Vec<i32>> {
    if leaves.depth > 1 && !leaves.is_empty(row) {
        return Err(wrong_subscripts(&format!("{what} must be one dimensional.")));
    }
    let values: &Int32Array = leaves.values.as_primitive_opt::<Int32Type>().ok_or_else(too_many_elements)?;
    let value = |position: usize| values.is_valid(position).then(|| values.value(position));
    let integers: Option<Vec<i32>> = leaves.range(row).map(value).collect();
    integers.ok_or_else(|| PgError::new(SqlState::NULL_VALUE_NOT_ALLOWED, "dimension values cannot be null"))
}

fn wrong_subscripts(detail: &str) -> PgError {
    PgError::new(SqlState::ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts").with_detail(detail)
}
