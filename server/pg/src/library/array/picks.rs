//! Building columns of arrays from elements of other columns.

use arrow::array::{Array, ArrayRef, ListArray, new_empty_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, FieldRef};
use std::ops::Range;
use std::sync::Arc;

use super::leaves::leaf;
use super::unify::brought_to;
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::sqlstate::SqlState;

/// Elements of an array that PostgreSQL allows (`MaxArraySize`).
pub const ELEMENTS_MAX: usize = 134_217_727;

/// Arrays of one dimension whose elements are picked out of columns.
#[derive(Debug)]
pub struct Picks {
    element: DataType,
    sources: Vec<ArrayRef>,
    picks: Vec<(usize, usize)>,
    /// Where the arrays end.
    ends: Vec<usize>,
    valid: Vec<bool>,
}

/// The error of an array that is too large.
pub fn too_many_elements() -> PgError {
    let message = format!("array size exceeds the maximum allowed ({ELEMENTS_MAX})");
    PgError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message)
}

impl Picks {
    /// Of elements of this type, which each of the sources can be brought to.
    pub fn new(element: &DataType, sources: &[&ArrayRef]) -> Result<Self> {
        let mut brought = Vec::with_capacity(sources.len());
        for source in sources {
            brought.push(brought_to(source, element)?);
        }
        Ok(Picks { element: element.clone(), sources: brought, picks: Vec::new(), ends: Vec::new(), valid: Vec::new() })
    }

    /// Of the innermost elements of a type of arrays.
    pub fn of_leaves(array: &Type, sources: &[&ArrayRef]) -> Result<Self> {
        Picks::new(leaf(&array.arrow), sources)
    }

    /// Adds an element to the array that is being built.
    pub fn pick(&mut self, source: usize, row: usize) {
        self.picks.push((source, row));
    }

    /// Adds elements that follow one another.
    pub fn pick_all(&mut self, source: usize, rows: Range<usize>) {
        self.picks.extend(rows.map(|row| (source, row)));
    }

    /// Ends the array that is being built.
    pub fn end(&mut self) -> Result<()> {
        let start = self.ends.last().copied().unwrap_or_default();
        if self.picks.len() - start > ELEMENTS_MAX || i32::try_from(self.picks.len()).is_err() {
            return Err(too_many_elements());
        }
        self.ends.push(self.picks.len());
        self.valid.push(true);
        Ok(())
    }

    /// Adds an array that is NULL.
    pub fn end_null(&mut self) {
        self.ends.push(self.picks.len());
        self.valid.push(false);
    }

    /// The elements alone.
    pub fn elements(&self) -> Result<ArrayRef> {
        if self.picks.is_empty() {
            return Ok(new_empty_array(&self.element));
        }
        let sources: Vec<&dyn Array> = self.sources.iter().map(AsRef::as_ref).collect();
        Ok(arrow::compute::interleave(&sources, &self.picks)?)
    }

    /// The column of arrays.
    pub fn finish(self, result: &Type) -> Result<ArrayRef> {
        let elements = self.elements()?;
        let mut last = 0;
        let lengths = self.ends.iter().map(|end| end - std::mem::replace(&mut last, *end));
        let offsets = OffsetBuffer::from_lengths(lengths);
        let nulls = Some(NullBuffer::from(self.valid)).filter(|nulls| nulls.null_count() > 0);
        list_column(list_field(&result.arrow)?, offsets, elements, nulls)
    }

    /// The column of arrays with the dimensions that each of them has. They end where a row was ended; a row without
    /// dimensions is an empty array.
    pub fn finish_with_dimensions(self, result: &Type, dimensions: &[Vec<usize>]) -> Result<ArrayRef> {
        let depth = super::leaves::depth(&result.arrow);
        self.check_dimensions(dimensions)?;
        let mut array = self.elements()?;
        for level in (1..depth).rev() {
            let lengths = dimensions.iter().flat_map(|dimensions| {
                let count: usize = dimensions.iter().take(level).product();
                let (count, length) = match dimensions.get(level) {
                    Some(length) => (count, *length),
                    None => (0, 0),
                };
                std::iter::repeat_n(length, count)
            });
            let offsets = OffsetBuffer::from_lengths(lengths);
            array = list_column(list_field(nth_item(&result.arrow, level))?, offsets, array, None)?;
        }
        let offsets = OffsetBuffer::from_lengths(dimensions.iter().map(|it| it.first().copied().unwrap_or_default()));
        let nulls = Some(NullBuffer::from(self.valid)).filter(|nulls| nulls.null_count() > 0);
        list_column(list_field(&result.arrow)?, offsets, array, nulls)
    }
}

impl Picks {
    /// Files may hold arrays of several lengths in one array.
    fn check_dimensions(&self, dimensions: &[Vec<usize>]) -> Result<()> {
        let mut start = 0;
        for (end, dimensions) in self.ends.iter().zip(dimensions) {
            let count = if dimensions.is_empty() { 0 } else { dimensions.iter().product() };
            if *end - start != count {
                return Err(super::construct::mismatched_dimensions());
            }
            start = *end;
        }
        Ok(())
    }
}

fn nth_item(data_type: &DataType, level: usize) -> &DataType {
    (0..level).fold(data_type, |outer, _| super::leaves::list_item(outer).unwrap_or(outer))
}

fn list_column(
    field: FieldRef,
    offsets: OffsetBuffer<i32>,
    values: ArrayRef,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    Ok(Arc::new(ListArray::try_new(field, offsets, values, nulls)?))
}

fn list_field(data_type: &DataType) -> Result<FieldRef> {
    match data_type {
        DataType::List(field) => Ok(field.clone()),
        other => Err(PgError::internal(format!("an array result cannot be of type {other}"))),
    }
}
