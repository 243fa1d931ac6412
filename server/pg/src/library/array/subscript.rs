//! Elements and slices of arrays.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use arrow::datatypes::DataType;

use super::dimensions::lower_bound;
use super::leaves::Leaves;
use super::picks::Picks;
use super::unify::{argument, same_array};
use crate::error::{PgError, Result};
use crate::function::{Call, Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;

/// The functions. The planner writes `a[1][2]` as `array_subscript(a, 1, 2)` and `a[1:2][3:4]` as
/// `array_slice(a, 1, 2, 3, 4)`, where a bound that was left out is the least or the greatest integer.
pub static SUBSCRIPTS: &[Function] = &[
    function("array_subscript", &[ANYARRAY, INT4], ANYELEMENT, subscript).variadic().shaped(|arguments| {
        let element = argument(arguments, 0)?.element();
        element.ok_or_else(|| PgError::internal("only an array has elements"))
    }),
    function("array_slice", &[ANYARRAY, INT4], ANYARRAY, slice).variadic().shaped(same_array),
    function("trim_array", &[ANYARRAY, INT4], ANYARRAY, trim).shaped(same_array),
    // Redshift counts from 0 here.
    function("subarray", &[ANYARRAY, INT4, INT4], ANYARRAY, subarray).shaped(same_array),
];

/// NULL for a subscript that is NULL or outside, and for fewer or more subscripts than dimensions.
fn subscript(call: &Call) -> Result<ArrayRef> {
    let leaves = Leaves::new(&call.array(0)?)?;
    let lower = lower_bound(call.types.first());
    let subscripts: Vec<_> = (1..call.width()).map(|position| call.column::<i32>(position)).collect::<Result<_>>()?;
    let element = |row: usize| {
        if leaves.is_null(row) || subscripts.len() != leaves.depth {
            return None;
        }
        let mut range = leaves.outer_range(row);
        let mut values = leaves.lists.values();
        for (level, subscript) in subscripts.iter().enumerate() {
            let place = usize::try_from(subscript.get(row)?.checked_sub(lower)?).ok()?;
            let found = range.clone().nth(place)?;
            if level + 1 == subscripts.len() {
                return Some(found as u64);
            }
            (range, values) = inner(values, found)?;
        }
        None
    };
    let elements: UInt64Array = (0..call.rows()).map(element).collect();
    Ok(arrow::compute::take(&leaves.values, &elements, None)?)
}

/// The elements of an array in an array.
fn inner(values: &ArrayRef, row: usize) -> Option<(Range<usize>, &ArrayRef)> {
    let list = values.as_list_opt::<i32>()?;
    let offsets = list.value_offsets();
    Some((*offsets.get(row)? as usize..*offsets.get(row + 1)? as usize, list.values()))
}

/// The places of a dimension that a slice takes, counted from 0.
type Places = Range<usize>;

fn slice(call: &Call) -> Result<ArrayRef> {
    let bounds: Vec<_> = (1..call.width()).map(|position| call.column::<i32>(position)).collect::<Result<_>>()?;
    let lower = lower_bound(call.types.first());
    slices(call, |leaves, row| {
        let mut wanted = Vec::with_capacity(bounds.len() / 2);
        for pair in bounds.chunks(2) {
            let [from, to] = pair else {
                return Err(PgError::internal("a slice has a lower and an upper bound"));
            };
            let (Some(from), Some(to)) = (from.get(row), to.get(row)) else { return Ok(None) };
            wanted.push(places(i64::from(from) - i64::from(lower), i64::from(to) - i64::from(lower)));
        }
        let dimensions = leaves.dimensions(row);
        Ok(Some(if wanted.len() > dimensions.len() { Vec::new() } else { clamped(wanted, &dimensions) }))
    })
}

/// The places from one to another, both counted from 0.
fn places(from: i64, to: i64) -> Places {
    let from = usize::try_from(from.max(0)).unwrap_or_default();
    let end = usize::try_from(to.saturating_add(1).max(0)).unwrap_or_default();
    from..end.max(from)
}

/// The places that there are; all of a dimension that the slice does not name.
fn clamped(wanted: Vec<Places>, dimensions: &[usize]) -> Vec<Places> {
    let all = std::iter::repeat(0..usize::MAX);
    let of_dimension = |(places, length): (Places, &usize)| places.start.min(*length)..places.end.min(*length);
    wanted.into_iter().chain(all).zip(dimensions).map(of_dimension).collect()
}

fn trim(call: &Call) -> Result<ArrayRef> {
    let counts = call.column::<i32>(1)?;
    slices(call, |leaves, row| {
        let Some(count) = counts.get(row).filter(|_| !leaves.is_null(row)) else { return Ok(None) };
        let dimensions = leaves.dimensions(row);
        let length = dimensions.first().copied().unwrap_or_default();
        let kept = usize::try_from(count).ok().and_then(|count| length.checked_sub(count)).ok_or_else(|| {
            let message = format!("number of elements to trim must be between 0 and {length}");
            PgError::new(SqlState::ARRAY_SUBSCRIPT_ERROR, message)
        })?;
        Ok(Some(clamped(vec![places(0, kept as i64 - 1)], &dimensions)))
    })
}

fn subarray(call: &Call) -> Result<ArrayRef> {
    let (starts, lengths) = (call.column::<i32>(1)?, call.column::<i32>(2)?);
    slices(call, |leaves, row| {
        let (Some(start), Some(length)) = (starts.get(row), lengths.get(row)) else { return Ok(None) };
        let start = i64::from(start);
        let wanted = places(start, start + i64::from(length) - 1);
        Ok(Some(clamped(vec![wanted], &leaves.dimensions(row))))
    })
}

/// The slices of all rows. A slice is NULL without places, and empty where a dimension has none.
fn slices(call: &Call, places: impl Fn(&Leaves, usize) -> Result<Option<Vec<Places>>>) -> Result<ArrayRef> {
    let leaves = Leaves::new(&call.array(0)?)?;
    let mut picks = Picks::of_leaves(&call.result, &[&leaves.values])?;
    let mut dimensions = Vec::with_capacity(call.rows());
    for row in 0..call.rows() {
        let Some(places) = places(&leaves, row)?.filter(|_| !leaves.is_null(row)) else {
            dimensions.push(Vec::new());
            picks.end_null();
            continue;
        };
        let is_empty = places.iter().any(|places| places.is_empty());
        let places = if is_empty { Vec::new() } else { places };
        if !places.is_empty() {
            pick(&mut picks, leaves.lists.values(), leaves.outer_range(row), &places);
        }
        dimensions.push(places.into_iter().map(|places| places.len()).collect());
        picks.end()?;
    }
    picks.finish_with_dimensions(&call.result, &dimensions)
}

/// Picks the elements at these places of the dimensions.
fn pick(picks: &mut Picks, values: &ArrayRef, range: Range<usize>, places: &[Places]) {
    let Some((first, deeper)) = places.split_first() else { return };
    let end = range.start.saturating_add(first.end).min(range.end);
    let taken = (range.start + first.start).min(end)..end;
    if !matches!(values.data_type(), DataType::List(_)) {
        return picks.pick_all(0, taken);
    }
    for row in taken {
        if let Some((range, values)) = inner(values, row) {
            pick(picks, values, range, deeper);
        }
    }
}
