//! How large arrays are: `array_length`, `array_dims`, `cardinality` …

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array};

use super::leaves::Leaves;
use crate::error::Result;
use crate::expression_type::Type;
use crate::function::{Call, Function, function};
use crate::types::*;

/// The functions.
pub static DIMENSIONS: &[Function] = &[
    function("array_ndims", &[ANYARRAY], INT4, ndims),
    function("array_dims", &[ANYARRAY], TEXT, dims),
    function("array_length", &[ANYARRAY, INT4], INT4, |call| of_dimension(call, |length, _lower| length)),
    function("array_lower", &[ANYARRAY, INT4], INT4, |call| of_dimension(call, |_length, lower| lower)),
    function("array_upper", &[ANYARRAY, INT4], INT4, |call| of_dimension(call, |length, lower| length + lower - 1)),
    function("cardinality", &[ANYARRAY], INT4, cardinality),
    // Redshift's name for the number of elements of the outermost dimension.
    function("get_array_length", &[ANYARRAY], INT4, outer_length),
];

/// The subscript of the first element. The vectors of the system catalogs begin with 0, all other arrays here with 1.
pub fn lower_bound(ty: Option<&Type>) -> i32 {
    match ty {
        Some(ty) if matches!(ty.oid, INT2VECTOR | OIDVECTOR) => 0,
        _ => 1,
    }
}

fn numbers(call: &Call, number: impl Fn(&Leaves, usize) -> Option<i32>) -> Result<ArrayRef> {
    let leaves = Leaves::new(&call.array(0)?)?;
    let of_row = |row: usize| if leaves.is_null(row) { None } else { number(&leaves, row) };
    Ok(Arc::new((0..leaves.rows()).map(of_row).collect::<Int32Array>()))
}

fn count(length: usize) -> Option<i32> {
    i32::try_from(length).ok()
}

fn ndims(call: &Call) -> Result<ArrayRef> {
    numbers(call, |leaves, row| count(leaves.dimensions(row).len()).filter(|ndims| *ndims > 0))
}

fn cardinality(call: &Call) -> Result<ArrayRef> {
    numbers(call, |leaves, row| count(leaves.range(row).len()))
}

fn outer_length(call: &Call) -> Result<ArrayRef> {
    numbers(call, |leaves, row| count(leaves.outer_range(row).len()))
}

fn dims(call: &Call) -> Result<ArrayRef> {
    let leaves = Leaves::new(&call.array(0)?)?;
    let lower = lower_bound(call.types.first());
    let mut row = 0..leaves.rows();
    call.map0(|| {
        let row = row.next().filter(|row| !leaves.is_null(*row))?;
        let mut text = String::new();
        for length in leaves.dimensions(row) {
            let upper = count(length)? + lower - 1;
            write!(text, "[{lower}:{upper}]").ok()?;
        }
        Some(text).filter(|text| !text.is_empty())
    })
}

fn of_dimension(call: &Call, answer: fn(i32, i32) -> i32) -> Result<ArrayRef> {
    let leaves = Leaves::new(&call.array(0)?)?;
    let wanted = call.column::<i32>(1)?;
    let lower = lower_bound(call.types.first());
    let of_row = |row: usize| {
        let position = usize::try_from(wanted.get(row)?.checked_sub(1)?).ok()?;
        let length = *leaves.dimensions(row).get(position)?;
        Some(answer(count(length)?, lower))
    };
    let of_row = |row: usize| if leaves.is_null(row) { None } else { of_row(row) };
    Ok(Arc::new((0..leaves.rows()).map(of_row).collect::<Int32Array>()))
}
