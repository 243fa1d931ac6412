//! `ntile`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array};
use arrow::datatypes::Int32Type;
use datafusion_common::Result;
use datafusion_expr::PartitionEvaluator;

use crate::error::PgError;
use crate::sqlstate::SqlState;

/// Rows in so many parts of equal size, the first of which have one row more when it does not come out even. The number
/// is that of the first row where it is not NULL.
#[derive(Debug)]
pub(super) struct Ntile;

impl PartitionEvaluator for Ntile {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let buckets = values.first().and_then(|column| column.as_primitive_opt::<Int32Type>());
        let buckets = buckets.ok_or_else(|| PgError::internal("ntile lacks its argument"))?;
        // Rows before the number is known have none, and are not counted.
        let skipped = (0..rows).find(|row| buckets.is_valid(*row)).unwrap_or(rows);
        if skipped == rows {
            return Ok(Arc::new(Int32Array::new_null(rows)));
        }
        let count = match i64::from(buckets.value(skipped)) {
            count @ 1.. => count,
            _ => {
                let message = "argument of ntile must be greater than zero";
                return Err(PgError::new(SqlState::INVALID_ARGUMENT_FOR_NTILE, message).into());
            }
        };
        let total = rows as i64;
        let (size, larger) = (total / count, total % count);
        let large_rows = larger * (size + 1);
        let bucket = |place: i64| match place < large_rows {
            true => place / (size + 1) + 1,
            // There are rows beyond the large parts only when the small ones are not empty.
            false => larger + (place - large_rows) / size.max(1) + 1,
        };
        let places = (0..rows as i64).map(|row| row - skipped as i64);
        let buckets = places.map(|place| (place >= 0).then(|| i32::try_from(bucket(place)).unwrap_or(i32::MAX)));
        Ok(Arc::new(buckets.collect::<Int32Array>()))
    }
}
