//! Putting arrays together: `array_append`, `array_prepend`, `array_cat` and `||`.

use arrow::array::ArrayRef;

use super::leaves::{Leaves, depth, leaf};
use super::picks::Picks;
use super::unify::{argument, array_of, array_with_elements, common};
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{ArgumentShape, Call, Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;

const ARRAY_ELEMENT: &[u32] = &[ANYCOMPATIBLEARRAY, ANYCOMPATIBLE];
const ELEMENT_ARRAY: &[u32] = &[ANYCOMPATIBLE, ANYCOMPATIBLEARRAY];
const ARRAY_ARRAY: &[u32] = &[ANYCOMPATIBLEARRAY, ANYCOMPATIBLEARRAY];

/// The functions.
pub static CONCATENATIONS: &[Function] = &[
    appending("array_append"),
    prepending("array_prepend"),
    joining("array_cat"),
    // Redshift's name.
    joining("array_concat"),
];

/// The operators.
pub static CONCATENATION_OPERATORS: &[Function] = &[appending("||"), prepending("||"), joining("||")];

const fn appending(name: &'static str) -> Function {
    function(name, ARRAY_ELEMENT, ANYCOMPATIBLEARRAY, |call| with_element(call, 0, 1))
        .shaped(|arguments| array_with_elements(arguments, 0))
}

const fn prepending(name: &'static str) -> Function {
    function(name, ELEMENT_ARRAY, ANYCOMPATIBLEARRAY, |call| with_element(call, 1, 0))
        .shaped(|arguments| array_with_elements(arguments, 1))
}

const fn joining(name: &'static str) -> Function {
    function(name, ARRAY_ARRAY, ANYCOMPATIBLEARRAY, cat).shaped(joined)
}

/// As many dimensions as the one that has more.
fn joined(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let (left, right) = (argument(arguments, 0)?, argument(arguments, 1)?);
    let leaf = common(leaf(&left.arrow), leaf(&right.arrow))?;
    Ok(array_of(left.oid, -1, leaf, depth(&left.arrow).max(depth(&right.arrow)).max(1)))
}

/// An array and an element, in the order in which they stand in the call. An array that is NULL is empty.
fn with_element(call: &Call, array: usize, element: usize) -> Result<ArrayRef> {
    let leaves = Leaves::new(&call.array(array)?)?;
    let elements = call.array(element)?;
    let mut picks = Picks::of_leaves(&call.result, &[&leaves.values, &elements])?;
    for row in 0..leaves.rows() {
        if leaves.depth > 1 && !leaves.is_null(row) {
            return Err(not_one_dimensional(leaves.is_empty(row)));
        }
        if element < array {
            picks.pick(1, row);
        }
        picks.pick_all(0, leaves.range(row));
        if element > array {
            picks.pick(1, row);
        }
        picks.end()?;
    }
    picks.finish(&call.result)
}

fn not_one_dimensional(empty: bool) -> PgError {
    if empty {
        return fewer_dimensions();
    }
    PgError::new(SqlState::DATA_EXCEPTION, "argument must be empty or one-dimensional array")
}

/// The error of a result that has not the dimensions of its type. PostgreSQL's types have none.
pub fn fewer_dimensions() -> PgError {
    PgError::not_supported("an array with fewer dimensions than the column's other arrays have")
}

/// The elements of both follow one another in every case; what differs is the dimensions.
fn cat(call: &Call) -> Result<ArrayRef> {
    let (left, right) = (Leaves::new(&call.array(0)?)?, Leaves::new(&call.array(1)?)?);
    let mut picks = Picks::of_leaves(&call.result, &[&left.values, &right.values])?;
    let depth = depth(&call.result.arrow);
    let mut dimensions = Vec::with_capacity(left.rows());
    for row in 0..left.rows() {
        picks.pick_all(0, left.range(row));
        picks.pick_all(1, right.range(row));
        let of_row = if left.is_null(row) {
            right.dimensions(row)
        } else if right.is_null(row) {
            left.dimensions(row)
        } else {
            joined_dimensions(left.dimensions(row), right.dimensions(row))?
        };
        if !of_row.is_empty() && of_row.len() != depth {
            return Err(fewer_dimensions());
        }
        dimensions.push(of_row);
        match left.is_null(row) && right.is_null(row) {
            true => picks.end_null(),
            false => picks.end()?,
        }
    }
    picks.finish_with_dimensions(&call.result, &dimensions)
}

fn joined_dimensions(mut left: Vec<usize>, mut right: Vec<usize>) -> Result<Vec<usize>> {
    if left.is_empty() || right.is_empty() {
        return Ok(if left.is_empty() { right } else { left });
    }
    if left.len() == right.len() {
        if left[1..] != right[1..] {
            return Err(incompatible("Arrays with differing element dimensions are not compatible for concatenation."));
        }
        left[0] += right[0];
        return Ok(left);
    }
    let with_one_more = |outer: &[usize], element: &[usize]| {
        if outer[1..] == *element {
            return Ok(());
        }
        Err(incompatible("Arrays with differing dimensions are not compatible for concatenation."))
    };
    if left.len() == right.len() + 1 {
        with_one_more(&left, &right)?;
        left[0] += 1;
        Ok(left)
    } else if right.len() == left.len() + 1 {
        with_one_more(&right, &left)?;
        right[0] += 1;
        Ok(right)
    } else {
        let (left, right) = (left.len(), right.len());
        let detail = format!("Arrays of {left} and {right} dimensions are not compatible for concatenation.");
        Err(incompatible(&detail))
    }
}

fn incompatible(detail: &str) -> PgError {
    PgError::new(SqlState::ARRAY_SUBSCRIPT_ERROR, "cannot concatenate incompatible arrays").with_detail(detail)
}
