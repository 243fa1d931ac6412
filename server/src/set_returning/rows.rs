//! Functions that are called for each row of the input.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, new_null_array};
use arrow::compute::concat;
use datafusion::common::{Result, ScalarValue};
use pg::function::{SetCall, SetChunk};
use pg::{SessionValues, Type};

use super::execution::{Calls, SetRows};

/// The rows for a batch of the input.
pub(super) struct RowByRow {
    calls: Arc<Calls>,
    session: Arc<SessionValues>,
    arguments: Vec<Vec<ArrayRef>>,
    input_rows: usize,
    /// The input row that comes next.
    row: usize,
    /// The sets of the input row that is under way.
    current: Option<Current>,
}

/// The sets of one row of the input.
struct Current {
    row: u32,
    sets: Vec<Set>,
    given: i64,
}

/// The rest of one set.
struct Set {
    rows: pg::function::SetRows,
    /// What is left of the chunk that was made last; empty at the end.
    chunk: SetChunk,
    ended: bool,
}

impl Set {
    /// Rows that are there without another call.
    fn ready(&mut self) -> Result<usize> {
        while !self.ended && self.chunk.first().is_none_or(|column| column.is_empty()) {
            match self.rows.next() {
                Some(chunk) => self.chunk = chunk?,
                None => self.ended = true,
            }
        }
        Ok(if self.ended { 0 } else { self.chunk.first().map_or(0, |column| column.len()) })
    }

    /// Takes so many rows; NULLs when the set has ended.
    fn take(&mut self, count: usize, columns: &[Type], parts: &mut [Vec<ArrayRef>]) {
        for (position, (part, ty)) in parts.iter_mut().zip(columns).enumerate() {
            match self.chunk.get_mut(position).filter(|_| !self.ended) {
                Some(column) => {
                    part.push(column.slice(0, count));
                    *column = column.slice(count, column.len() - count);
                }
                None => part.push(new_null_array(&ty.arrow, count)),
            }
        }
    }
}

impl RowByRow {
    pub fn new(
        calls: Arc<Calls>,
        session: Arc<SessionValues>,
        arguments: Vec<Vec<ArrayRef>>,
        input_rows: usize,
    ) -> Self {
        RowByRow { calls, session, arguments, input_rows, row: 0, current: None }
    }

    /// The next rows, at most so many; none at the end.
    pub fn next(&mut self, rows_max: usize) -> Result<SetRows> {
        let widths: Vec<usize> = self.calls.calls.iter().map(|call| call.columns.len()).collect();
        let mut parts: Vec<Vec<Vec<ArrayRef>>> = widths.iter().map(|width| vec![Vec::new(); *width]).collect();
        let mut input_rows = Vec::new();
        let mut ordinality = Vec::new();
        while input_rows.len() < rows_max {
            self.begin_row()?;
            let Some(current) = &mut self.current else { break };
            let mut ready = Vec::with_capacity(current.sets.len());
            for set in &mut current.sets {
                ready.push(set.ready()?);
            }
            // Each set that has not ended gives as many rows as the one that has the fewest at hand.
            let count = ready.iter().copied().filter(|ready| *ready > 0).min().unwrap_or_default();
            let kept = count == 0 && current.given == 0 && self.calls.outer;
            let count = if kept { 1 } else { count.min(rows_max - input_rows.len()) };
            if count > 0 {
                for ((set, call), parts) in current.sets.iter_mut().zip(&self.calls.calls).zip(&mut parts) {
                    set.take(count, &call.columns, parts);
                }
                input_rows.extend(std::iter::repeat_n(current.row, count));
                let numbers = current.given + 1..=current.given + count as i64;
                ordinality.extend(numbers.map(|number| (!kept).then_some(number)));
                current.given += count as i64;
            }
            if ready.iter().all(|ready| *ready == 0) {
                self.current = None;
            }
        }
        self.gather(parts, input_rows, ordinality)
    }

    /// Calls the functions for the next row of the input, unless one is under way or there is none.
    fn begin_row(&mut self) -> Result<()> {
        if self.current.is_none() && self.row < self.input_rows {
            let mut sets = Vec::with_capacity(self.arguments.len());
            for (call, arguments) in self.calls.calls.iter().zip(&self.arguments) {
                let value = |column: &ArrayRef| ScalarValue::try_from_array(column, self.row);
                let set_call = SetCall {
                    arguments: arguments.iter().map(value).collect::<Result<_>>()?,
                    types: call.types.clone(),
                    columns: call.columns.clone(),
                    session: self.session.clone(),
                };
                let rows = (call.function.rows)(set_call)?;
                sets.push(Set { rows, chunk: Vec::new(), ended: false });
            }
            self.current = Some(Current { row: self.row as u32, sets, given: 0 });
            self.row += 1;
        }
        Ok(())
    }

    fn gather(
        &self,
        parts: Vec<Vec<Vec<ArrayRef>>>,
        input_rows: Vec<u32>,
        ordinality: Vec<Option<i64>>,
    ) -> Result<SetRows> {
        if input_rows.is_empty() {
            return Ok(SetRows { input_rows, columns: Vec::new() });
        }
        let mut columns = Vec::new();
        for part in parts.into_iter().flatten() {
            let part: Vec<&dyn Array> = part.iter().map(AsRef::as_ref).collect();
            columns.push(concat(&part)?);
        }
        if self.calls.ordinality {
            columns.push(Arc::new(Int64Array::from(ordinality)));
        }
        Ok(SetRows { input_rows, columns })
    }
}
