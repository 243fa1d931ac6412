//! `first_value`, `last_value` and `nth_value`.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array};
use arrow::datatypes::Int32Type;
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::PartitionEvaluator;

use crate::error::PgError;
use crate::sqlstate::SqlState;

/// Which row of the frame is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    First,
    Last,
    /// As the second argument says.
    Nth,
}

/// The value in a row of the frame; NULL when there is no such row.
#[derive(Debug)]
pub(super) struct FrameValue {
    /// Which row.
    pub which: Which,
    /// Whether rows whose value is NULL are not counted.
    pub ignore_nulls: bool,
}

impl FrameValue {
    fn row(&self, values: &[ArrayRef], range: &Range<usize>) -> Result<Option<usize>> {
        let column = values.first().ok_or_else(|| PgError::internal("a window function lacks its argument"))?;
        let nulls = if self.ignore_nulls { column.logical_nulls() } else { None };
        let mut rows = range.clone().filter(|row| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row)));
        Ok(match self.which {
            Which::First => rows.next(),
            Which::Last => rows.next_back(),
            Which::Nth => match nth(values, range)? {
                Some(place) if nulls.is_none() => {
                    let row = range.start.saturating_add(place);
                    (row < range.end).then_some(row)
                }
                Some(place) => rows.nth(place),
                None => None,
            },
        })
    }
}

/// Rows of the frame before the one that `nth_value` wants, as its frame's first row says: the number is the same in all of
/// them. `None` when it is NULL.
fn nth(values: &[ArrayRef], range: &Range<usize>) -> Result<Option<usize>> {
    let places = values.get(1).and_then(|column| column.as_primitive_opt::<Int32Type>());
    place_of(places.ok_or_else(|| PgError::internal("nth_value lacks its second argument"))?, range.start)
}

/// Rows of the frame before the one that `nth_value` wants, as this row says; `None` when it says NULL.
pub(super) fn place_of(places: &Int32Array, row: usize) -> Result<Option<usize>> {
    if places.is_null(row) {
        return Ok(None);
    }
    match usize::try_from(places.value(row)) {
        Ok(place @ 1..) => Ok(Some(place - 1)),
        _ => {
            let message = "argument of nth_value must be greater than zero";
            Err(PgError::new(SqlState::INVALID_ARGUMENT_FOR_NTH_VALUE, message).into())
        }
    }
}

impl PartitionEvaluator for FrameValue {
    fn evaluate(&mut self, values: &[ArrayRef], range: &Range<usize>) -> Result<ScalarValue> {
        let column = values.first().ok_or_else(|| PgError::internal("a window function lacks its argument"))?;
        if range.is_empty() {
            return ScalarValue::try_from(column.data_type());
        }
        match self.row(values, range)? {
            Some(row) => ScalarValue::try_from_array(column, row),
            None => ScalarValue::try_from(column.data_type()),
        }
    }

    fn supports_bounded_execution(&self) -> bool {
        true
    }

    fn uses_window_frame(&self) -> bool {
        true
    }
}
