//! How many distinct values a column has: a HyperLogLog of the engine's, which errs by about one in a hundred whatever the
//! number is, in 16 KiB.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt64Array};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_aggregate::approx_distinct::approx_distinct_udaf;
use datafusion::logical_expr::Accumulator;
use datafusion::logical_expr::function::AccumulatorArgs;

/// Any; the same for all values of a column.
const SEED: u64 = 0;

/// A sketch of the values it has been given.
pub(super) struct Distinct {
    sketch: Box<dyn Accumulator>,
    state: RandomState,
}

impl Distinct {
    pub fn new() -> Result<Self> {
        // It is given hashes, since it does not take values of every type.
        let field = Arc::new(Field::new("hash", DataType::UInt64, true));
        let sketch = approx_distinct_udaf().accumulator(AccumulatorArgs {
            return_field: field.clone(),
            schema: &Schema::new(vec![field.clone()]),
            ignore_nulls: false,
            order_bys: &[],
            is_reversed: false,
            name: "distinct",
            is_distinct: false,
            exprs: &[],
            expr_fields: &[field],
        })?;
        Ok(Distinct { sketch, state: RandomState::with_seed(SEED) })
    }

    /// NULLs do not count. The hashes of the values.
    pub fn add(&mut self, values: &ArrayRef) -> Result<Vec<u64>> {
        let mut hashes = vec![0; values.len()];
        create_hashes([values], &self.state, &mut hashes)?;
        let column = UInt64Array::new(ScalarBuffer::from(hashes.clone()), values.logical_nulls());
        self.sketch.update_batch(&[Arc::new(column)])?;
        Ok(hashes)
    }

    pub fn count(&mut self) -> Result<u64> {
        match self.sketch.evaluate()? {
            ScalarValue::UInt64(Some(count)) => Ok(count),
            _ => Ok(0),
        }
    }
}
