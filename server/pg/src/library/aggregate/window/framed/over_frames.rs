//! Aggregates, and `first_value` and its kin, over the frames of a partition.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use arrow::buffer::NullBuffer;
use arrow::compute::{filter, take};
use arrow::datatypes::{FieldRef, Int32Type, Schema};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::function::AccumulatorArgs;
use datafusion_expr::{Accumulator, AggregateUDF};

use super::frames::Frames;
use crate::error::PgError;
use crate::library::aggregate::window::frame_value::{Which, place_of};

/// An aggregate.
pub(super) struct Aggregation<'a> {
    function: &'a AggregateUDF,
    fields: &'a [FieldRef],
    ignore_nulls: bool,
}

impl<'a> Aggregation<'a> {
    pub(super) fn new(function: &'a AggregateUDF, fields: &'a [FieldRef], ignore_nulls: bool) -> Self {
        Aggregation { function, fields, ignore_nulls }
    }

    /// What it answers for each frame.
    pub(super) fn over(
        &self,
        frames: &Frames,
        arguments: &[ArrayRef],
        condition: Option<&ArrayRef>,
        rows: usize,
    ) -> Result<ArrayRef> {
        let rows_of = Counted::new(arguments, condition)?;
        let mut moving = Moving { aggregation: self, rows_of: &rows_of, frames, running: None };
        let answers = (0..rows).map(|row| {
            let parts: Vec<_> = frames.parts(row).iter().map(|part| rows_of.places(part)).collect();
            moving.answer(parts)
        });
        let answers = answers.collect::<Result<Vec<_>>>()?;
        ScalarValue::iter_to_array(answers)
    }

    fn accumulator(&self, sliding: bool) -> Result<Box<dyn Accumulator>> {
        let schema = Schema::empty();
        let arguments = AccumulatorArgs {
            return_field: self.function.return_field(self.fields)?,
            schema: &schema,
            ignore_nulls: self.ignore_nulls,
            order_bys: &[],
            is_reversed: false,
            name: self.function.name(),
            is_distinct: false,
            exprs: &[],
            expr_fields: self.fields,
        };
        match sliding {
            true => self.function.create_sliding_accumulator(arguments),
            false => self.function.accumulator(arguments),
        }
    }
}

/// The rows that FILTER leaves.
struct Counted {
    columns: Vec<ArrayRef>,
    /// How many of them there are before each row; none if all are left.
    before: Option<Vec<usize>>,
}

impl Counted {
    fn new(arguments: &[ArrayRef], condition: Option<&ArrayRef>) -> Result<Self> {
        let Some(condition) = condition else { return Ok(Counted { columns: arguments.to_vec(), before: None }) };
        let condition = condition.as_boolean_opt();
        let condition = condition.ok_or_else(|| PgError::internal("the condition of FILTER is a boolean"))?;
        let columns = arguments.iter().map(|column| Ok(filter(column, condition)?)).collect::<Result<_>>()?;
        let mut count = 0;
        let mut before = vec![0];
        before.extend((0..condition.len()).map(|row| {
            count += usize::from(condition.is_valid(row) && condition.value(row));
            count
        }));
        Ok(Counted { columns, before: Some(before) })
    }

    /// Where the rows of this range are.
    fn places(&self, range: &Range<usize>) -> Range<usize> {
        match &self.before {
            Some(before) => before[range.start]..before[range.end],
            None => range.clone(),
        }
    }

    fn rows(&self, places: &Range<usize>) -> Vec<ArrayRef> {
        self.columns.iter().map(|column| column.slice(places.start, places.len())).collect()
    }
}

/// An aggregate that goes from frame to frame.
struct Moving<'a> {
    aggregation: &'a Aggregation<'a>,
    rows_of: &'a Counted,
    frames: &'a Frames,
    running: Option<Running>,
}

struct Running {
    accumulator: Box<dyn Accumulator>,
    parts: Vec<Range<usize>>,
    answer: ScalarValue,
}

impl Moving<'_> {
    /// What the aggregate answers for these rows, which are those of the frame after the last one.
    fn answer(&mut self, parts: Vec<Range<usize>>) -> Result<ScalarValue> {
        let parts: Vec<_> = parts.into_iter().filter(|part| part.start < part.end).collect();
        if let Some(running) = self.running.as_ref().filter(|running| running.parts == parts) {
            return Ok(running.answer.clone());
        }
        let mut accumulator = match self.running.take() {
            Some(running) => self.moved(running, &parts)?,
            None => None,
        };
        if accumulator.is_none() {
            let mut new = self.aggregation.accumulator(!self.frames.only_grow())?;
            for part in &parts {
                new.update_batch(&self.rows_of.rows(part))?;
            }
            accumulator = Some(new);
        }
        let mut accumulator = accumulator.ok_or_else(|| PgError::internal("an aggregate has a state"))?;
        let answer = accumulator.evaluate()?;
        self.running = Some(Running { accumulator, parts, answer: answer.clone() });
        Ok(answer)
    }

    /// The state for these rows, made of that for those before; nothing if it must be made anew.
    fn moved(&self, running: Running, parts: &[Range<usize>]) -> Result<Option<Box<dyn Accumulator>>> {
        let mut accumulator = running.accumulator;
        let ([before], [now]) = (running.parts.as_slice(), parts) else { return Ok(None) };
        if now.start < before.start || now.end < before.end || now.start >= before.end {
            return Ok(None);
        }
        if now.start > before.start {
            if !accumulator.supports_retract_batch() {
                return Ok(None);
            }
            accumulator.retract_batch(&self.rows_of.rows(&(before.start..now.start)))?;
        }
        if now.end > before.end {
            accumulator.update_batch(&self.rows_of.rows(&(before.end..now.end)))?;
        }
        Ok(Some(accumulator))
    }
}

/// `first_value`, `last_value` and `nth_value`.
pub(super) struct FrameValues<'a> {
    which: Which,
    column: &'a ArrayRef,
    /// The second argument of `nth_value`.
    places: Option<&'a ArrayRef>,
    /// Where the values are NULL, if those are not counted.
    skipped: Option<NullBuffer>,
}

impl<'a> FrameValues<'a> {
    pub(super) fn of(name: &str, arguments: &'a [ArrayRef], ignore_nulls: bool) -> Result<Self> {
        let which = match name {
            "first_value" => Which::First,
            "last_value" => Which::Last,
            _ => Which::Nth,
        };
        let column = arguments.first().ok_or_else(|| PgError::internal("a window function lacks its argument"))?;
        let skipped = if ignore_nulls { column.logical_nulls() } else { None };
        Ok(FrameValues { which, column, places: arguments.get(1), skipped })
    }

    /// The value in each frame.
    pub(super) fn over(&self, frames: &Frames, rows: usize) -> Result<ArrayRef> {
        let picks = (0..rows).map(|row| Ok(self.row(row, &frames.parts(row))?.map(|row| row as u64)));
        let picks = picks.collect::<Result<UInt64Array>>()?;
        Ok(take(self.column, &picks, None)?)
    }

    /// The row whose value it is.
    fn row(&self, row: usize, parts: &[Range<usize>]) -> Result<Option<usize>> {
        let counted = |row: &usize| self.skipped.as_ref().is_none_or(|nulls| nulls.is_valid(*row));
        let mut rows = parts.iter().flat_map(Range::clone).filter(counted);
        Ok(match self.which {
            Which::First => rows.next(),
            Which::Last => parts.iter().rev().flat_map(|part| part.clone().rev()).find(counted),
            Which::Nth => match self.places {
                Some(places) => place_of(places.as_primitive::<Int32Type>(), row)?.and_then(|place| rows.nth(place)),
                None => None,
            },
        })
    }
}
