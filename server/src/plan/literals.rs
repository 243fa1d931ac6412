//! Which columns of a query are string constants without a type: PostgreSQL reads those as whatever they are assigned to,
//! while a computed string is a string.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlan, Values};

/// For each column of the plan, whether all its values are constants or parameters.
pub fn literal_columns(plan: &LogicalPlan) -> Vec<bool> {
    let columns = plan.schema().fields().len();
    match plan {
        LogicalPlan::Values(Values { values, .. }) => {
            (0..columns).map(|column| values.iter().all(|row| row.get(column).is_some_and(is_literal))).collect()
        }
        LogicalPlan::Projection(projection) => match projection.input.as_ref() {
            // SELECT 1, 'x' and SELECT * FROM (VALUES …): the projection hands the constants on.
            LogicalPlan::EmptyRelation(_) => projection.expr.iter().map(is_literal).collect(),
            input => {
                let below = literal_columns(input);
                projection.expr.iter().map(|expr| is_literal(expr) || passes_on(expr, input, &below)).collect()
            }
        },
        _ => vec![false; columns],
    }
}

fn is_literal(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(ScalarValue::Utf8(_) | ScalarValue::Utf8View(_) | ScalarValue::Null, _) => true,
        Expr::Placeholder(_) => true,
        Expr::Alias(alias) => is_literal(&alias.expr),
        // The planner casts the constants of VALUES to the type that its rows have in common; a cast of a string
        // constant, though, was written by somebody who wanted a type.
        Expr::Cast(cast) => matches!(cast.expr.as_ref(), Expr::Literal(value, _) if !value.data_type().is_string()),
        _ => false,
    }
}

fn passes_on(expr: &Expr, input: &LogicalPlan, below: &[bool]) -> bool {
    match expr {
        Expr::Column(column) => {
            let index = input.schema().maybe_index_of_column(column);
            index.and_then(|index| below.get(index)).copied().unwrap_or(false)
        }
        Expr::Alias(alias) => passes_on(&alias.expr, input, below),
        _ => false,
    }
}
