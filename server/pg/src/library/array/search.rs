//! Looking for elements: `array_position`, `array_remove`, `array_replace`, `@>`, `<@`, `&&`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int32Array};

use super::dimensions::lower_bound;
use super::leaves::Leaves;
use super::order::{Comparator, Purpose};
use super::picks::Picks;
use super::unify::array_with_elements;
use crate::error::{PgError, Result};
use crate::function::{Call, Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;

const ARRAY_ELEMENT: &[u32] = &[ANYCOMPATIBLEARRAY, ANYCOMPATIBLE];
const ARRAY_ELEMENT_START: &[u32] = &[ANYCOMPATIBLEARRAY, ANYCOMPATIBLE, INT4];
const ARRAY_TWO_ELEMENTS: &[u32] = &[ANYCOMPATIBLEARRAY, ANYCOMPATIBLE, ANYCOMPATIBLE];

/// The functions.
pub static SEARCHES: &[Function] = &[
    function("array_position", ARRAY_ELEMENT, INT4, position),
    function("array_position", ARRAY_ELEMENT_START, INT4, position),
    function("array_positions", ARRAY_ELEMENT, INT4_ARRAY, positions),
    function("array_remove", ARRAY_ELEMENT, ANYCOMPATIBLEARRAY, remove)
        .shaped(|arguments| array_with_elements(arguments, 0)),
    function("array_replace", ARRAY_TWO_ELEMENTS, ANYCOMPATIBLEARRAY, replace)
        .shaped(|arguments| array_with_elements(arguments, 0)),
];

/// The operators.
pub static CONTAINMENTS: &[Function] = &[
    function("@>", &[ANYARRAY, ANYARRAY], BOOL, |call| containment(call, 0, 1, Wanted::All)),
    function("<@", &[ANYARRAY, ANYARRAY], BOOL, |call| containment(call, 1, 0, Wanted::All)),
    function("&&", &[ANYARRAY, ANYARRAY], BOOL, |call| containment(call, 0, 1, Wanted::One)),
];

/// An array, a value for each row, and how to compare an element with it.
struct Search {
    leaves: Leaves,
    comparator: Comparator,
}

impl Search {
    fn new(call: &Call) -> Result<Self> {
        let leaves = Leaves::new(&call.array(0)?)?;
        let comparator = Comparator::new(element_oid(call), &leaves.values, &call.array(1)?, Purpose::Equality)?;
        Ok(Search { leaves, comparator })
    }

    fn finds(&self, element: usize, row: usize) -> bool {
        self.comparator.equal(element, row)
    }

    fn check_one_dimension(&self, row: usize, doing: &str) -> Result<()> {
        if self.leaves.depth > 1 && !self.leaves.is_null(row) && !self.leaves.is_empty(row) {
            return Err(PgError::not_supported(format!("{doing} multidimensional arrays")));
        }
        Ok(())
    }
}

fn element_oid(call: &Call) -> u32 {
    call.types.first().and_then(|ty| ty.element()).map_or(UNKNOWN, |element| element.oid)
}

fn position(call: &Call) -> Result<ArrayRef> {
    let search = Search::new(call)?;
    let starts = if call.width() > 2 { Some(call.column::<i32>(2)?) } else { None };
    let lower = lower_bound(call.types.first());
    let (wanted_nulls, nulls) = (call.array(1)?.logical_nulls(), search.leaves.values.logical_nulls());
    let wants_null = |row: usize| wanted_nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
    let has_null =
        |row: usize| nulls.as_ref().is_some_and(|nulls| search.leaves.range(row).any(|element| nulls.is_null(element)));
    let mut found = Vec::with_capacity(call.rows());
    for row in 0..call.rows() {
        search.check_one_dimension(row, "searching for elements in")?;
        // Where there is nothing to find, the start is not looked at.
        let in_vain = search.leaves.is_empty(row) || wants_null(row) && !has_null(row);
        if search.leaves.is_null(row) || in_vain {
            found.push(None);
            continue;
        }
        let start = match &starts {
            Some(starts) => starts.get(row).ok_or_else(start_is_null)?,
            None => lower,
        };
        let skipped = usize::try_from(start.saturating_sub(lower)).unwrap_or_default();
        let position = search.leaves.range(row).skip(skipped).position(|element| search.finds(element, row));
        found.push(position.and_then(|position| i32::try_from(position + skipped).ok()).map(|it| it + lower));
    }
    Ok(Arc::new(Int32Array::from(found)))
}

fn start_is_null() -> PgError {
    PgError::new(SqlState::NULL_VALUE_NOT_ALLOWED, "initial position must not be null")
}

fn positions(call: &Call) -> Result<ArrayRef> {
    let search = Search::new(call)?;
    let lower = lower_bound(call.types.first());
    let mut row = 0..call.rows();
    call.map0(|| -> Result<Option<Vec<Option<i32>>>> {
        let Some(row) = row.next().filter(|row| !search.leaves.is_null(*row)) else { return Ok(None) };
        search.check_one_dimension(row, "searching for elements in")?;
        let elements = search.leaves.range(row).zip(lower..);
        let found = elements.filter(|(element, _)| search.finds(*element, row)).map(|(_, position)| Some(position));
        Ok(Some(found.collect()))
    })
}

fn remove(call: &Call) -> Result<ArrayRef> {
    let search = Search::new(call)?;
    let mut picks = Picks::of_leaves(&call.result, &[&search.leaves.values])?;
    let mut dimensions = Vec::with_capacity(call.rows());
    for row in 0..call.rows() {
        search.check_one_dimension(row, "removing elements from")?;
        let kept: Vec<usize> = search.leaves.range(row).filter(|element| !search.finds(*element, row)).collect();
        dimensions.push(if kept.is_empty() { Vec::new() } else { vec![kept.len()] });
        kept.into_iter().for_each(|element| picks.pick(0, element));
        end(&mut picks, &search.leaves, row)?;
    }
    picks.finish_with_dimensions(&call.result, &dimensions)
}

fn replace(call: &Call) -> Result<ArrayRef> {
    let search = Search::new(call)?;
    let replacements = call.array(2)?;
    let mut picks = Picks::of_leaves(&call.result, &[&search.leaves.values, &replacements])?;
    let mut dimensions = Vec::with_capacity(call.rows());
    for row in 0..call.rows() {
        for element in search.leaves.range(row) {
            match search.finds(element, row) {
                true => picks.pick(1, row),
                false => picks.pick(0, element),
            }
        }
        dimensions.push(search.leaves.dimensions(row));
        end(&mut picks, &search.leaves, row)?;
    }
    picks.finish_with_dimensions(&call.result, &dimensions)
}

fn end(picks: &mut Picks, leaves: &Leaves, row: usize) -> Result<()> {
    match leaves.is_null(row) {
        true => picks.end_null(),
        false => picks.end()?,
    }
    Ok(())
}

/// How many elements of the second array must be in the first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    All,
    One,
}

/// NULL is no element of any array here.
fn containment(call: &Call, container: usize, contained: usize, wanted: Wanted) -> Result<ArrayRef> {
    let (container, contained) = (Leaves::new(&call.array(container)?)?, Leaves::new(&call.array(contained)?)?);
    let comparator = Comparator::new(element_oid(call), &container.values, &contained.values, Purpose::Equality)?;
    let nulls = contained.values.logical_nulls();
    let answer = |row: usize| {
        let is_in = |element: usize| {
            let not_null = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(element));
            not_null && container.range(row).any(|candidate| comparator.equal(candidate, element))
        };
        match wanted {
            Wanted::All => contained.range(row).all(is_in),
            Wanted::One => contained.range(row).any(is_in),
        }
    };
    let answer = |row: usize| (!container.is_null(row) && !contained.is_null(row)).then(|| answer(row));
    Ok(Arc::new((0..call.rows()).map(answer).collect::<BooleanArray>()))
}
