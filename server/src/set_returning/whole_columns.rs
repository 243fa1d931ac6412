//! Functions whose sets can be had for a whole column of arguments at once: the elements of arrays lie one after the other.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, UInt64Array};
use arrow::compute::take;
use datafusion::common::Result;
use pg::function::SetChunk;

use super::execution::{Calls, SetRows};

/// The rows for a batch of the input.
pub(super) struct WholeColumns {
    calls: Arc<Calls>,
    sets: Vec<Set>,
    input_rows: usize,
    /// The input row that is under way, and how many of its rows have been given.
    row: usize,
    given: usize,
}

/// All sets of one function.
struct Set {
    lengths: Vec<usize>,
    columns: SetChunk,
    /// Where the set of the input row that is under way begins.
    start: usize,
}

impl WholeColumns {
    pub fn new(calls: Arc<Calls>, arguments: &[Vec<ArrayRef>]) -> Result<Self> {
        let mut sets = Vec::with_capacity(arguments.len());
        for (call, arguments) in calls.calls.iter().zip(arguments) {
            let (lengths, columns) = match arguments.first() {
                Some(argument) => pg::library::array::expand(call.function, argument, &call.columns)?,
                None => (Vec::new(), Vec::new()),
            };
            sets.push(Set { lengths, columns, start: 0 });
        }
        let input_rows = sets.iter().map(|set| set.lengths.len()).max().unwrap_or_default();
        Ok(WholeColumns { calls, sets, input_rows, row: 0, given: 0 })
    }

    /// The next rows, at most so many; none at the end.
    pub fn next(&mut self, rows_max: usize) -> Result<SetRows> {
        let mut picks = Picks::new(self.sets.len());
        while self.row < self.input_rows && picks.input_rows.len() < rows_max {
            let length = self.sets.iter().map(|set| set.lengths[self.row]).max().unwrap_or_default();
            let kept = length == 0 && self.calls.outer;
            let wanted = if kept { 1 } else { length };
            let end = wanted.min(self.given + rows_max - picks.input_rows.len());
            for position in self.given..end {
                picks.input_rows.push(self.row as u32);
                picks.ordinality.push((!kept).then_some(position as i64 + 1));
            }
            for (set, picks) in self.sets.iter().zip(&mut picks.elements) {
                let own = set.lengths[self.row];
                picks.extend(
                    (self.given..end).map(|position| (position < own).then_some((set.start + position) as u64)),
                );
            }
            self.given = end;
            if end == wanted {
                self.advance();
            }
        }
        self.gather(picks)
    }

    fn advance(&mut self) {
        for set in &mut self.sets {
            set.start += set.lengths[self.row];
        }
        self.row += 1;
        self.given = 0;
    }

    fn gather(&self, picks: Picks) -> Result<SetRows> {
        let mut columns = Vec::new();
        for (set, picks) in self.sets.iter().zip(picks.elements) {
            match run(&picks) {
                Some(start) => columns.extend(set.columns.iter().map(|column| column.slice(start, picks.len()))),
                None => {
                    let picks = UInt64Array::from(picks);
                    for column in &set.columns {
                        columns.push(take(column, &picks, None)?);
                    }
                }
            }
        }
        if self.calls.ordinality {
            columns.push(Arc::new(Int64Array::from(picks.ordinality)));
        }
        Ok(SetRows { input_rows: picks.input_rows, columns })
    }
}

/// Which rows a batch is made of.
struct Picks {
    input_rows: Vec<u32>,
    ordinality: Vec<Option<i64>>,
    /// For each function the elements, or nothing where its set has ended.
    elements: Vec<Vec<Option<u64>>>,
}

impl Picks {
    fn new(functions: usize) -> Self {
        Picks { input_rows: Vec::new(), ordinality: Vec::new(), elements: vec![Vec::new(); functions] }
    }
}

/// Where the elements begin, when they follow one another. None is missing then, since sets follow one another.
fn run(picks: &[Option<u64>]) -> Option<usize> {
    let first = (*picks.first()?)?;
    picks.iter().all(Option::is_some).then_some(first as usize)
}
