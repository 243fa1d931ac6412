//! The types of parameters that the query itself tells: `CAST($1 AS integer)`, `$1::date`.

use std::ops::ControlFlow;

use arrow::datatypes::DataType;
use sqlparser::ast::{Expr, Query, Value, visit_expressions};

use crate::plan::types::column_type;

/// Adds to `parameters` the types of those that are cast: as in PostgreSQL, such a parameter has the type it is cast to.
pub fn add_cast_types(query: &Query, parameters: &mut Vec<Option<DataType>>) {
    let visited = visit_expressions(query, |expr| {
        if let Expr::Cast { expr, data_type, .. } = expr
            && let Some(number) = placeholder(expr)
            && let Ok(sql_type) = column_type(data_type)
        {
            add(parameters, number, sql_type.in_flight());
        }
        ControlFlow::<()>::Continue(())
    });
    debug_assert!(visited.is_continue());
}

/// Sets the type of a parameter that has none.
pub fn add(parameters: &mut Vec<Option<DataType>>, number: usize, data_type: DataType) {
    if parameters.len() < number {
        parameters.resize(number, None);
    }
    parameters[number - 1].get_or_insert(data_type);
}

/// The number of the parameter that an expression is.
pub fn placeholder(expression: &Expr) -> Option<usize> {
    let Expr::Value(value) = expression else { return None };
    let Value::Placeholder(name) = &value.value else { return None };
    let number = name.strip_prefix('$')?.parse::<u16>().ok()?;
    (number > 0).then_some(usize::from(number))
}
