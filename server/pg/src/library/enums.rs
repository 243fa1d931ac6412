//! The functions of enums: `enum_first`, `enum_last`, `enum_range`. Comparisons, `min` and `max` are those of the numbers
//! that carry the labels, whose order is theirs.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};

use super::Section;
use crate::error::{PgError, Result};
use crate::function::{Call, Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;
use crate::user_types::EnumLabels;

/// What this module has.
pub static SECTION: Section = Section { functions: &[FUNCTIONS], ..Section::EMPTY };

/// Stable: an enum gets labels.
static FUNCTIONS: &[Function] = &[
    function("enum_first", &[ANYENUM], ANYENUM, |call| end(call, false)).stable(),
    function("enum_last", &[ANYENUM], ANYENUM, |call| end(call, true)).stable(),
    function("enum_range", &[ANYENUM], ANYARRAY, range_of_all).stable(),
    function("enum_range", &[ANYENUM, ANYENUM], ANYARRAY, range).stable(),
];

/// The labels of the argument's type, in their order.
fn numbers(call: &Call) -> Result<Vec<i64>> {
    let oid = call.types.first().map_or(UNKNOWN, |ty| ty.oid);
    Ok(EnumLabels::must(oid)?.labels().iter().map(|label| label.number).collect())
}

fn end(call: &Call, last: bool) -> Result<ArrayRef> {
    let numbers = numbers(call)?;
    let end = if last { numbers.last() } else { numbers.first() };
    let end = *end.ok_or_else(|| {
        let name = type_name(call.result.oid);
        PgError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, format!("enum {name} contains no values"))
    })?;
    Ok(Arc::new(Int64Array::from_value(end, call.rows())))
}

fn range_of_all(call: &Call) -> Result<ArrayRef> {
    let numbers = numbers(call)?;
    call.map0(|| numbers.iter().copied().map(Some).collect::<Vec<_>>())
}

/// NULL is no bound.
fn range(call: &Call) -> Result<ArrayRef> {
    let numbers = numbers(call)?;
    call.map2(|first: Option<i64>, last: Option<i64>| {
        let within = |number: &&i64| first.is_none_or(|it| **number >= it) && last.is_none_or(|it| **number <= it);
        numbers.iter().filter(within).copied().map(Some).collect::<Vec<_>>()
    })
}
