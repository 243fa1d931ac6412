//! `lag` and `lead`.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::interleave;
use arrow::datatypes::{DataType, Int32Type};
use datafusion_common::Result;
use datafusion_expr::PartitionEvaluator;

use crate::error::PgError;

/// The value so many rows away, which each row may say for itself; NULL when the number is. A row beyond the partition has
/// the default's value of the row that asks.
#[derive(Debug)]
pub(super) struct LagLead {
    /// 1 for later rows, -1 for earlier ones.
    pub direction: i64,
    /// Whether rows whose value is NULL are not counted.
    pub ignore_nulls: bool,
    /// The type of the result.
    pub result: DataType,
}

/// Where a value comes from.
enum Source {
    Value(usize),
    Default,
    Null,
}

impl PartitionEvaluator for LagLead {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let column = values.first().ok_or_else(|| PgError::internal("a window function lacks its argument"))?;
        let column = self.as_result(column)?;
        let offsets = match values.get(1) {
            Some(offsets) => {
                let offsets = offsets.as_primitive_opt::<Int32Type>();
                Some(offsets.ok_or_else(|| PgError::internal("the offset of a window function is an integer"))?)
            }
            None => None,
        };
        let default = values.get(2).map(|column| self.as_result(column)).transpose()?;
        let nulls = arrow::array::new_null_array(&self.result, 1);
        let present = self.ignore_nulls.then(|| Present::new(&column));
        let picks = (0..rows).map(|row| {
            let offset =
                offsets.map_or(Some(1), |offsets| offsets.is_valid(row).then(|| i64::from(offsets.value(row))));
            let source = offset.map_or(Source::Null, |offset| {
                let step = offset * self.direction;
                let target = match &present {
                    Some(present) => present.away(row, step),
                    None => usize::try_from(row as i64 + step).ok().filter(|target| *target < rows),
                };
                target.map_or(Source::Default, Source::Value)
            });
            match source {
                Source::Value(target) => (0, target),
                Source::Default if default.is_some() => (2, row),
                Source::Default | Source::Null => (1, 0),
            }
        });
        let picks: Vec<(usize, usize)> = picks.collect();
        let mut sources: Vec<&dyn Array> = vec![&column, &nulls];
        sources.extend(default.as_ref().map(|default| default as &dyn Array));
        Ok(interleave(&sources, &picks)?)
    }
}

impl LagLead {
    /// Numerics of another scale are brought to the result's.
    fn as_result(&self, column: &ArrayRef) -> Result<ArrayRef> {
        if column.data_type() == &self.result {
            return Ok(column.clone());
        }
        Ok(arrow::compute::cast(column, &self.result)?)
    }
}

/// The rows that are not NULL.
struct Present {
    rows: Vec<usize>,
}

impl Present {
    fn new(column: &ArrayRef) -> Self {
        let nulls = column.logical_nulls();
        let valid = |row: &usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row));
        Present { rows: (0..column.len()).filter(valid).collect() }
    }

    /// The row that is so many of them away.
    fn away(&self, row: usize, step: i64) -> Option<usize> {
        if step == 0 {
            return Some(row);
        }
        let later = self.rows.partition_point(|it| *it <= row) as i64;
        let earlier = self.rows.partition_point(|it| *it < row) as i64;
        let place = if step > 0 { later + step - 1 } else { earlier + step };
        self.rows.get(usize::try_from(place).ok()?).copied()
    }
}
