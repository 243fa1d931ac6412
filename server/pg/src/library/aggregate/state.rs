//! Aggregates that gather a small state of each group: a sum, a count, a greatest value.
//!
//! A [`State`] says what one row does to the state of one group. From it come both of the engine's interfaces: the
//! accumulator of one group ([`rows`]) and the one of all groups at once ([`groups`]).

use std::mem::{size_of, size_of_val};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, LargeBinaryArray, LargeBinaryBuilder};
use datafusion_common::{Result as EngineResult, ScalarValue};
use datafusion_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::bound::Shape;
use crate::error::{PgError, Result};
use crate::function::{Argument, Column, ResultBuilder, ResultValue, in_flight};
use crate::session::Interrupt;

/// The arguments of an aggregate in one row.
pub(super) trait Input<'a>: Sized {
    /// The columns they are read from.
    type Rows: 'a;

    /// The columns as such arguments.
    fn open(arguments: &'a [ArrayRef]) -> Result<Self::Rows>;

    /// The arguments in a row; `None` when one is NULL that the aggregate does not want to see.
    fn get(rows: &Self::Rows, row: usize) -> Option<Self>;
}

/// One argument.
pub(super) struct One<A>(pub A);

impl<'a, A: Argument<'a> + 'a> Input<'a> for One<A> {
    type Rows = Column<'a, A>;

    fn open(arguments: &'a [ArrayRef]) -> Result<Self::Rows> {
        Column::new(argument(arguments, 0)?, false)
    }

    #[inline]
    fn get(rows: &Self::Rows, row: usize) -> Option<Self> {
        rows.get(row).map(One)
    }
}

/// Two arguments.
pub(super) struct Two<A, B>(pub A, pub B);

impl<'a, A: Argument<'a> + 'a, B: Argument<'a> + 'a> Input<'a> for Two<A, B> {
    type Rows = (Column<'a, A>, Column<'a, B>);

    fn open(arguments: &'a [ArrayRef]) -> Result<Self::Rows> {
        Ok((Column::new(argument(arguments, 0)?, false)?, Column::new(argument(arguments, 1)?, false)?))
    }

    #[inline]
    fn get(rows: &Self::Rows, row: usize) -> Option<Self> {
        Some(Two(rows.0.get(row)?, rows.1.get(row)?))
    }
}

fn argument(arguments: &[ArrayRef], position: usize) -> Result<&ArrayRef> {
    arguments.get(position).ok_or_else(|| PgError::internal("an aggregate lacks an argument"))
}

/// What an aggregate gathers of one group. The default is the state of a group without rows.
pub(super) trait State: std::fmt::Debug + Clone + Default + Send + Sync + 'static {
    /// The arguments of a row.
    type Input<'a>: Input<'a>;
    /// The result.
    type Output: ResultValue;
    /// Whether rows can be taken out again, exactly.
    const REMOVABLE: bool = false;

    /// Takes a row in.
    fn add(&mut self, input: Self::Input<'_>) -> Result<()>;

    /// Takes a row out that was taken in before all others that are there.
    fn remove(&mut self, _input: Self::Input<'_>) -> Result<()> {
        Err(PgError::internal("rows cannot be taken out of this aggregate"))
    }

    /// Takes in what was gathered of later rows.
    fn merge(&mut self, later: Self) -> Result<()>;

    /// Appends the state as bytes.
    fn save(&self, out: &mut Vec<u8>);

    /// Takes a state off the front of the bytes.
    fn restore(from: &mut &[u8]) -> Result<Self>;

    /// The result.
    fn finish(self, shape: &Shape) -> Result<Self::Output>;

    /// Bytes it holds beyond its own size.
    #[inline]
    fn heap_size(&self) -> usize {
        0
    }
}

/// The accumulators that a state gives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Accumulators {
    /// Of one group.
    pub rows: fn(Shape) -> Box<dyn Accumulator>,
    /// Of all groups.
    pub groups: fn(Shape) -> Box<dyn GroupsAccumulator>,
    /// Whether rows can be taken out again.
    pub removable: bool,
}

/// The accumulators of a state.
pub(super) const fn accumulators<S: State>() -> Accumulators {
    Accumulators { rows: rows::<S>, groups: groups::<S>, removable: S::REMOVABLE }
}

fn rows<S: State>(shape: Shape) -> Box<dyn Accumulator> {
    Box::new(Rows { state: S::default(), shape })
}

fn groups<S: State>(shape: Shape) -> Box<dyn GroupsAccumulator> {
    Box::new(Groups { states: Vec::<S>::new(), heap: 0, shape })
}

/// The columns as values are carried in flight.
pub(super) fn columns_in_flight(values: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
    values.iter().map(|array| in_flight(array.clone())).collect()
}

/// The results as a column.
fn results<S: State>(states: Vec<S>, shape: &Shape) -> Result<ArrayRef> {
    let mut builder = <S::Output as ResultValue>::Builder::new(&shape.result, states.len())?;
    for state in states {
        state.finish(shape)?.append(&mut builder)?;
    }
    builder.finish()
}

fn save_all<S: State>(states: &[S]) -> LargeBinaryArray {
    let mut builder = LargeBinaryBuilder::with_capacity(states.len(), size_of_val(states));
    let mut bytes = Vec::with_capacity(size_of::<S>());
    for state in states {
        bytes.clear();
        state.save(&mut bytes);
        builder.append_value(&bytes);
    }
    builder.finish()
}

fn saved_states(columns: &[ArrayRef]) -> Result<&LargeBinaryArray> {
    let column = columns.first().and_then(|column| column.as_binary_opt::<i64>());
    column.ok_or_else(|| PgError::internal("the state of an aggregate is not of its type"))
}

/// One group.
#[derive(Debug)]
struct Rows<S> {
    state: S,
    shape: Shape,
}

impl<S: State> Accumulator for Rows<S> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> EngineResult<()> {
        Interrupt::check_current()?;
        let arguments = columns_in_flight(values)?;
        let length = arguments.first().map_or(0, |column| column.len());
        let columns = S::Input::open(&arguments)?;
        for row in 0..length {
            if let Some(input) = S::Input::get(&columns, row) {
                self.state.add(input)?;
            }
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> EngineResult<()> {
        let arguments = columns_in_flight(values)?;
        let length = arguments.first().map_or(0, |column| column.len());
        let columns = S::Input::open(&arguments)?;
        for row in 0..length {
            if let Some(input) = S::Input::get(&columns, row) {
                self.state.remove(input)?;
            }
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        S::REMOVABLE
    }

    fn evaluate(&mut self) -> EngineResult<ScalarValue> {
        Interrupt::check_current()?;
        let results = results(vec![self.state.clone()], &self.shape)?;
        ScalarValue::try_from_array(&results, 0)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.state.heap_size()
    }

    fn state(&mut self) -> EngineResult<Vec<ScalarValue>> {
        let mut bytes = Vec::new();
        self.state.save(&mut bytes);
        Ok(vec![ScalarValue::LargeBinary(Some(bytes))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> EngineResult<()> {
        for mut bytes in saved_states(states)?.iter().flatten() {
            self.state.merge(S::restore(&mut bytes)?)?;
        }
        Ok(())
    }
}

/// All groups, by their numbers.
#[derive(Debug)]
struct Groups<S> {
    states: Vec<S>,
    /// Bytes that the states hold beyond their own size. The engine asks after every batch, so it is kept up to date.
    heap: usize,
    shape: Shape,
}

impl<S: State> Groups<S> {
    /// Does something to the state of a group.
    #[inline]
    fn change(&mut self, group: usize, change: impl FnOnce(&mut S) -> Result<()>) -> Result<()> {
        let state = &mut self.states[group];
        let before = state.heap_size();
        change(state)?;
        self.heap = (self.heap + state.heap_size()).saturating_sub(before);
        Ok(())
    }

    fn take(&mut self, emit_to: EmitTo) -> Vec<S> {
        let states = emit_to.take_needed(&mut self.states);
        let taken: usize = states.iter().map(State::heap_size).sum();
        self.heap = self.heap.saturating_sub(taken);
        states
    }
}

fn passes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

impl<S: State> GroupsAccumulator for Groups<S> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> EngineResult<()> {
        self.states.resize_with(total_num_groups, S::default);
        let arguments = columns_in_flight(values)?;
        let columns = S::Input::open(&arguments)?;
        for (row, group) in group_indices.iter().enumerate() {
            if passes(opt_filter, row)
                && let Some(input) = S::Input::get(&columns, row)
            {
                self.change(*group, |state| state.add(input))?;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> EngineResult<ArrayRef> {
        let states = self.take(emit_to);
        Ok(results(states, &self.shape)?)
    }

    fn state(&mut self, emit_to: EmitTo) -> EngineResult<Vec<ArrayRef>> {
        let states = self.take(emit_to);
        Ok(vec![Arc::new(save_all(&states))])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> EngineResult<()> {
        self.states.resize_with(total_num_groups, S::default);
        let saved = saved_states(values)?;
        for (row, group) in group_indices.iter().enumerate() {
            if saved.is_valid(row) {
                let other = S::restore(&mut saved.value(row))?;
                self.change(*group, |state| state.merge(other))?;
            }
        }
        Ok(())
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> EngineResult<Vec<ArrayRef>> {
        let arguments = columns_in_flight(values)?;
        let length = arguments.first().map_or(0, |column| column.len());
        let columns = S::Input::open(&arguments)?;
        let mut states = vec![S::default(); length];
        for (row, state) in states.iter_mut().enumerate() {
            if passes(opt_filter, row)
                && let Some(input) = S::Input::get(&columns, row)
            {
                state.add(input)?;
            }
        }
        Ok(vec![Arc::new(save_all(&states))])
    }

    fn size(&self) -> usize {
        self.states.capacity() * size_of::<S>() + self.heap
    }
}
