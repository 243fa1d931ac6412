//! Reading columns of arrays: their elements without the dimensions, and the dimensions.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, UInt64Array};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use std::sync::Arc;

use crate::error::{PgError, Result};

/// The column as lists with 32-bit offsets, whose NULL rows hold no elements.
pub fn lists(array: &ArrayRef) -> Result<ListArray> {
    let list = match array.data_type() {
        DataType::List(_) => array.as_list::<i32>().clone(),
        DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::ListView(field)
        | DataType::LargeListView(field) => {
            arrow::compute::cast(array, &DataType::List(field.clone()))?.as_list::<i32>().clone()
        }
        DataType::Null => {
            let field = Arc::new(Field::new("item", DataType::Null, true));
            ListArray::new_null(field, array.len())
        }
        other => return Err(PgError::internal(format!("a function cannot read a column of type {other} as an array"))),
    };
    without_hidden_elements(list)
}

/// Arrow allows elements under a NULL row.
fn without_hidden_elements(list: ListArray) -> Result<ListArray> {
    let Some(nulls) = list.nulls() else { return Ok(list) };
    let hides = |row: usize| nulls.is_null(row) && list.value_length(row) > 0;
    if !(0..list.len()).any(hides) {
        return Ok(list);
    }
    let mut picks = Vec::new();
    let mut lengths = Vec::with_capacity(list.len());
    for row in 0..list.len() {
        let range = if nulls.is_null(row) { 0..0 } else { range(list.value_offsets(), row) };
        lengths.push(range.len());
        picks.extend(range.map(|element| element as u64));
    }
    let values = arrow::compute::take(list.values(), &UInt64Array::from(picks), None)?;
    let DataType::List(field) = list.data_type() else { return Err(PgError::internal("a list is a list")) };
    Ok(ListArray::try_new(field.clone(), OffsetBuffer::from_lengths(lengths), values, list.nulls().cloned())?)
}

fn range(offsets: &[i32], row: usize) -> Range<usize> {
    offsets[row] as usize..offsets[row + 1] as usize
}

/// A column of arrays, their elements in order without regard to dimensions.
#[derive(Debug)]
pub struct Leaves {
    /// The arrays as lists, of the outermost dimension.
    pub lists: ListArray,
    /// The elements of all rows. Those before the first row and after the last one are not of any row.
    pub values: ArrayRef,
    /// Dimensions that the arrays have unless they are empty.
    pub depth: usize,
    offsets: Vec<usize>,
}

impl Leaves {
    /// Of a column of arrays.
    pub fn new(array: &ArrayRef) -> Result<Self> {
        let outer = lists(array)?;
        let mut offsets: Vec<usize> = outer.value_offsets().iter().map(|offset| *offset as usize).collect();
        let mut values = outer.values().clone();
        let mut depth = 1;
        while values.data_type().is_list() {
            let inner = lists(&values)?;
            for offset in &mut offsets {
                *offset = inner.value_offsets()[*offset] as usize;
            }
            values = inner.values().clone();
            depth += 1;
        }
        Ok(Leaves { lists: outer, values, depth, offsets })
    }

    /// Number of arrays.
    pub fn rows(&self) -> usize {
        self.lists.len()
    }

    /// Whether the array in a row is NULL.
    pub fn is_null(&self, row: usize) -> bool {
        self.lists.is_null(row)
    }

    /// The elements of a row among [`Leaves::values`].
    pub fn range(&self, row: usize) -> Range<usize> {
        self.offsets[row]..self.offsets[row + 1]
    }

    /// The elements of a row among the lists' values: elements, or arrays of one dimension less.
    pub fn outer_range(&self, row: usize) -> Range<usize> {
        range(self.lists.value_offsets(), row)
    }

    /// The lengths of the dimensions; none of an empty array. Where a file has arrays of several lengths in one, the
    /// first counts.
    pub fn dimensions(&self, row: usize) -> Vec<usize> {
        let mut dimensions = Vec::with_capacity(self.depth);
        let mut range = self.outer_range(row);
        let mut values = self.lists.values();
        loop {
            if range.is_empty() {
                return Vec::new();
            }
            dimensions.push(range.len());
            match values.data_type() {
                DataType::List(_) => {
                    let inner = values.as_list::<i32>();
                    range = self::range(inner.value_offsets(), range.start);
                    values = inner.values();
                }
                _ => return dimensions,
            }
        }
    }

    /// Whether the array in a row has no elements.
    pub fn is_empty(&self, row: usize) -> bool {
        self.range(row).is_empty()
    }
}

/// Lists in lists of a type.
pub fn depth(data_type: &DataType) -> usize {
    match list_item(data_type) {
        Some(item) => 1 + depth(item),
        None => 0,
    }
}

/// What a list holds.
pub fn list_item(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _) => Some(field.data_type()),
        _ => None,
    }
}

/// What the innermost list holds.
pub fn leaf(data_type: &DataType) -> &DataType {
    list_item(data_type).map_or(data_type, leaf)
}
