//! Redshift's `ratio_to_report`.

use datafusion_expr::{Expr, lit, when};

use super::bound::unordered;
use super::float::FloatSum;
use crate::error::{PgError, Result};
use crate::function::{Aggregate, AggregateCall, aggregate};
use crate::types::*;

/// A value over the sum of all: an expression around an aggregate, that only makes sense as a window function.
pub(super) static ENTRIES: &[Aggregate] = &[aggregate("ratio_to_report", &[FLOAT8], FLOAT8, ratio)];

fn ratio(call: AggregateCall) -> Result<Expr> {
    let value = call.arguments.first().ok_or_else(|| PgError::internal("an aggregate lacks its argument"))?.clone();
    let sum = unordered::<FloatSum<f64>>("sum", call)?;
    Ok(when(sum.clone().eq(lit(0.0_f64)), lit(datafusion_common::ScalarValue::Float64(None))).otherwise(value / sum)?)
}
