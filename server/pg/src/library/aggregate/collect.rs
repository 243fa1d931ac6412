//! Keeps all rows of a group, brings them in order and drops equal ones, and aggregates them then.

use std::mem::size_of;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, UInt32Array, new_empty_array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{concat, take};
use arrow::datatypes::DataType;
use datafusion_common::{Result as EngineResult, ScalarValue};
use datafusion_expr::Accumulator;

use super::bound::{Gather, Shape};
use super::order::{ASCENDING, Order, comparable_as};
use super::state::columns_in_flight;
use crate::error::{PgError, Result};
use crate::expression_type::list_of;

/// Batches that are kept apart. A group gets few rows of each batch, and an array of few rows takes more room than they do.
const CHUNKS_MAX: usize = 32;

/// The rows of one group.
#[derive(Debug)]
pub(super) struct Collected {
    gather: Gather,
    shape: Shape,
    /// The types of the columns: the arguments, and what else the rows are ordered by.
    types: Vec<DataType>,
    /// Every column, as parts.
    columns: Vec<Vec<ArrayRef>>,
}

impl Collected {
    /// No rows yet.
    pub(super) fn new(gather: Gather, shape: Shape, types: Vec<DataType>) -> Self {
        let columns = vec![Vec::new(); types.len()];
        Collected { gather, shape, types, columns }
    }

    fn push(&mut self, chunk: Vec<ArrayRef>) -> Result<()> {
        for (parts, array) in self.columns.iter_mut().zip(chunk) {
            if array.is_empty() {
                continue;
            }
            parts.push(array);
            // Parts that are large already are left alone, so that no row is copied more than a few times.
            let small = parts.iter().rev().take_while(|part| part.len() < CHUNKS_MAX * CHUNKS_MAX).count();
            if small >= CHUNKS_MAX {
                let tail = parts.split_off(parts.len() - small);
                parts.push(concat(&tail.iter().map(AsRef::as_ref).collect::<Vec<_>>())?);
            }
        }
        Ok(())
    }

    /// The columns, whole.
    fn whole(&mut self) -> Result<Vec<ArrayRef>> {
        for parts in &mut self.columns {
            if parts.len() > 1 {
                *parts = vec![concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>())?];
            }
        }
        let columns = self.columns.iter().zip(&self.types);
        Ok(columns.map(|(parts, ty)| parts.first().cloned().unwrap_or_else(|| new_empty_array(ty))).collect())
    }

    /// The columns in order, equal rows once if that is asked for.
    fn in_order(&mut self) -> Result<Vec<ArrayRef>> {
        let columns = self.whole()?;
        if self.shape.keys.is_empty() && !self.shape.distinct {
            return Ok(columns);
        }
        let mut sort_columns = Vec::new();
        for key in &self.shape.keys {
            let column = columns.get(key.column).ok_or_else(|| PgError::internal("an aggregate lacks a sort key"))?;
            sort_columns.push((column.clone(), key.options));
        }
        if self.shape.distinct {
            for (column, ty) in columns.iter().zip(&self.shape.types) {
                sort_columns.push((comparable_as(ty, column)?, ASCENDING));
            }
        }
        let order = Order::new(sort_columns.iter().map(|(column, options)| (column.data_type().clone(), *options)))?;
        let sort_columns: Vec<ArrayRef> = sort_columns.into_iter().map(|(column, _)| column).collect();
        let keys = order.keys(&sort_columns)?;
        let rows = u32::try_from(keys.num_rows());
        let rows = rows.map_err(|_| PgError::not_supported("an ordered aggregate of so many rows"))?;
        let mut positions: Vec<u32> = (0..rows).collect();
        let key = |position: u32| keys.row(position as usize);
        positions.sort_by(|a, b| key(*a).cmp(&key(*b)));
        if self.shape.distinct {
            positions.dedup_by(|a, b| key(*a) == key(*b));
        }
        let positions = UInt32Array::from(positions);
        columns.iter().map(|column| Ok(take(column, &positions, None)?)).collect()
    }
}

impl Accumulator for Collected {
    fn update_batch(&mut self, values: &[ArrayRef]) -> EngineResult<()> {
        Ok(self.push(columns_in_flight(values)?)?)
    }

    fn evaluate(&mut self) -> EngineResult<ScalarValue> {
        let mut columns = self.in_order()?;
        columns.truncate(self.shape.types.len());
        match &self.gather {
            Gather::Collect(finish) => Ok(finish(&self.shape, &columns)?),
            Gather::State(state) => {
                let plain = Shape { keys: Vec::new(), distinct: false, ..self.shape.clone() };
                let mut accumulator = (state.rows)(plain);
                accumulator.update_batch(&columns)?;
                accumulator.evaluate()
            }
            Gather::Engine(_) => datafusion_common::internal_err!("the engine's aggregates see to their own rows"),
        }
    }

    fn size(&self) -> usize {
        let parts = self.columns.iter().flatten();
        size_of::<Self>() + parts.map(|part| part.get_array_memory_size()).sum::<usize>()
    }

    fn state(&mut self) -> EngineResult<Vec<ScalarValue>> {
        let columns = self.whole()?;
        columns.into_iter().map(|column| Ok(ScalarValue::List(Arc::new(one_list(column)?)))).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> EngineResult<()> {
        let length = states.first().map_or(0, |column| column.len());
        for row in 0..length {
            let lists = states.iter().map(|column| column.as_list_opt::<i32>());
            let lists = lists.collect::<Option<Vec<_>>>();
            let lists = lists.ok_or_else(|| PgError::internal("the state of an aggregate is not of its type"))?;
            if lists.iter().all(|list| list.is_valid(row)) {
                self.push(lists.iter().map(|list| list.value(row)).collect())?;
            }
        }
        Ok(())
    }
}

/// An array of one list that has these elements.
pub(super) fn one_list(elements: ArrayRef) -> Result<ListArray> {
    let DataType::List(field) = list_of(elements.data_type().clone()) else {
        return Err(PgError::internal("a list is a list"));
    };
    let offsets = OffsetBuffer::from_lengths([elements.len()]);
    Ok(ListArray::try_new(field, offsets, elements, None)?)
}
