//! `array_agg`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use datafusion_common::ScalarValue;
use datafusion_expr::Expr;
use datafusion_functions_aggregate::array_agg::array_agg_udaf;

use super::bound::{Shape, collected, engine};
use super::collect::one_list;
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{Aggregate, AggregateCall, ArgumentShape, aggregate};
use crate::sqlstate::SqlState;
use crate::types::*;

/// Of values, and of arrays of one size.
pub(super) static ENTRIES: &[Aggregate] = &[
    aggregate("array_agg", &[ANYNONARRAY], ANYARRAY, values).shaped(shape),
    aggregate("array_agg", &[ANYARRAY], ANYARRAY, |call| collected("array_agg", arrays, call)).shaped(shape),
];

fn shape(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let element = arguments.last().map(|argument| argument.ty.of_result());
    let array = element.as_ref().and_then(Type::array_of);
    array.ok_or_else(|| {
        let name = element.map_or_else(String::new, |element| element.name());
        let message = format!("could not find array type for data type {name}");
        PgError::new(SqlState::UNDEFINED_OBJECT, message)
    })
}

fn values(call: AggregateCall) -> Result<Expr> {
    if call.distinct || !call.order_by.is_empty() {
        return collected("array_agg", all, call);
    }
    engine(array_agg_udaf(), call)
}

/// All rows, as they are; NULL when there are none.
fn all(shape: &Shape, columns: &[ArrayRef]) -> Result<ScalarValue> {
    match columns.first() {
        Some(values) if !values.is_empty() => Ok(ScalarValue::List(Arc::new(one_list(values.clone())?))),
        _ => Ok(ScalarValue::try_from(&shape.result.arrow)?),
    }
}

/// All arrays, as one with a dimension more; PostgreSQL's arrays have no rows of different lengths.
fn arrays(shape: &Shape, columns: &[ArrayRef]) -> Result<ScalarValue> {
    let mut known: Option<Vec<usize>> = None;
    for row in 0..columns.first().map_or(0, |column| column.len()) {
        let array = &columns[0];
        if array.is_null(row) {
            let message = "cannot accumulate null arrays";
            return Err(PgError::new(SqlState::NULL_VALUE_NOT_ALLOWED, message));
        }
        let dimensions = dimensions(&array.slice(row, 1));
        if dimensions.contains(&0) {
            return Err(PgError::new(SqlState::ARRAY_SUBSCRIPT_ERROR, "cannot accumulate empty arrays"));
        }
        match &known {
            Some(known) if *known != dimensions => {
                let message = "cannot accumulate arrays of different dimensionality";
                return Err(PgError::new(SqlState::ARRAY_SUBSCRIPT_ERROR, message));
            }
            Some(_) => {}
            None => known = Some(dimensions),
        }
    }
    all(shape, columns)
}

/// The lengths of the dimensions of an array of one row.
fn dimensions(array: &ArrayRef) -> Vec<usize> {
    let mut dimensions = Vec::new();
    let mut array = array.clone();
    while let Some(list) = array.as_list_opt::<i32>()
        && !list.is_empty()
    {
        dimensions.push(list.value(0).len());
        let inner = list.value(0);
        array = inner;
    }
    dimensions
}
