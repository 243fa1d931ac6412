//! Moving frames for aggregates that rows cannot be taken out of: as in PostgreSQL, the frame is aggregated anew for
//! every row that has another one.

use std::collections::VecDeque;
use std::fmt;

use arrow::array::{Array, ArrayRef};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::Accumulator;

use crate::session::Interrupt;

type Make = Box<dyn Fn() -> Box<dyn Accumulator> + Send + Sync>;

/// Keeps the rows of the frame.
pub(super) struct Recomputed {
    make: Make,
    chunks: VecDeque<Vec<ArrayRef>>,
}

impl Recomputed {
    /// Aggregates with accumulators that this makes.
    pub(super) fn new(make: Make) -> Self {
        Recomputed { make, chunks: VecDeque::new() }
    }

    fn aggregate(&self) -> Result<Box<dyn Accumulator>> {
        let mut accumulator = (self.make)();
        for chunk in &self.chunks {
            accumulator.update_batch(chunk)?;
        }
        Ok(accumulator)
    }
}

impl fmt::Debug for Recomputed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recomputed").field("chunks", &self.chunks.len()).finish_non_exhaustive()
    }
}

fn length(chunk: &[ArrayRef]) -> usize {
    chunk.first().map_or(0, |column| column.len())
}

impl Accumulator for Recomputed {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.chunks.push_back(values.to_vec());
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let mut rows = length(values);
        while rows > 0
            && let Some(front) = self.chunks.front_mut()
        {
            let available = length(front);
            if available > rows {
                for column in front {
                    *column = column.slice(rows, available - rows);
                }
                return Ok(());
            }
            rows -= available;
            self.chunks.pop_front();
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Interrupt::check_current()?;
        self.aggregate()?.evaluate()
    }

    fn size(&self) -> usize {
        let columns = self.chunks.iter().flatten();
        size_of::<Self>() + columns.map(|column| column.get_array_memory_size()).sum::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.aggregate()?.state()
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        datafusion_common::internal_err!("a window's frame is not aggregated in parts")
    }
}
