//! INSERT … VALUES of nothing but constants: each is read as a value of its column, as PostgreSQL does, and no query has
//! to be planned.
//!
//! Constants whose assignment needs more than reading (a decimal for an integer column, say) are left to the planner, and
//! with them the whole statement.

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use catalog::{Column, HotTable, SqlType};
use sqlparser::ast::{Expr, Query, SetExpr, UnaryOperator, Value};
use sqlparser::tokenizer::Location;

use crate::analyze::domain::has_domain;
use crate::error::{Error, Result};
use crate::parse::position;
use crate::statement::assignment::complete_rows;
use pg::input::ColumnBuilder;

/// A constant, as text to be read; `None` is NULL.
struct Constant {
    text: Option<String>,
    place: Location,
}

/// Rows of constants, each for one of the target columns.
pub struct LiteralRows {
    rows: Vec<Vec<Constant>>,
}

/// The rows of a query that is VALUES of constants which can be read as they are; `None` when it is something else.
pub fn literal_rows(query: &Query, table: &HotTable, targets: &[usize]) -> Option<LiteralRows> {
    let plain =
        query.with.is_none() && query.order_by.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
    let SetExpr::Values(values) = query.body.as_ref() else { return None };
    // What the type of a column demands beyond its text is for the planner.
    let demanding = table.columns.iter().any(|column| has_domain(&column.sql_type));
    if !plain || values.explicit_row || demanding {
        return None;
    }
    let mut rows = Vec::with_capacity(values.rows.len());
    for row in &values.rows {
        if row.len() > targets.len() || row.len() != values.rows[0].len() {
            return None;
        }
        let constants = row.iter().zip(targets).map(|(expr, target)| constant(expr, &table.columns[*target]));
        rows.push(constants.collect::<Option<_>>()?);
    }
    Some(LiteralRows { rows })
}

fn constant(expr: &Expr, column: &Column) -> Option<Constant> {
    let (value, sign) = match expr {
        Expr::Value(value) => (value, ""),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match expr.as_ref() {
            Expr::Value(value) if matches!(value.value, Value::Number(..)) => (value, "-"),
            _ => return None,
        },
        _ => return None,
    };
    let text = match &value.value {
        Value::Null => None,
        Value::SingleQuotedString(text) => Some(text.clone()),
        Value::Boolean(value) if column.sql_type == SqlType::Boolean => Some(value.to_string()),
        Value::Number(digits, false) if takes_number(&column.sql_type, digits) => Some(format!("{sign}{digits}")),
        _ => return None,
    };
    Some(Constant { text, place: value.span.start })
}

/// Whether reading a number is what assigning it would be: it fits, and need not be rounded or become something else.
fn takes_number(sql_type: &SqlType, digits: &str) -> bool {
    match sql_type {
        SqlType::SmallInt => digits.parse::<i16>().is_ok(),
        SqlType::Integer => digits.parse::<i32>().is_ok(),
        SqlType::BigInt => digits.parse::<i64>().is_ok(),
        SqlType::Numeric(_) | SqlType::Real | SqlType::Double => true,
        _ => false,
    }
}

impl LiteralRows {
    /// How many values each row has.
    pub fn width(&self) -> usize {
        self.rows.first().map_or(0, Vec::len)
    }

    /// The rows of the table: the columns that are not targets become NULL.
    ///
    /// # Errors
    /// A constant that cannot be read, with its position in `text`; NULL where it may not be.
    pub fn table_rows(&self, table: &HotTable, targets: &[usize], text: &str) -> Result<RecordBatch> {
        let mut columns: Vec<Option<ArrayRef>> = vec![None; table.columns.len()];
        for (number, target) in targets.iter().take(self.width()).enumerate() {
            let mut builder = ColumnBuilder::new(&table.columns[*target], self.rows.len());
            for constant in self.rows.iter().map(|row| &row[number]) {
                push(&mut builder, constant, text)?;
            }
            columns[*target] = Some(builder.finish());
        }
        let columns = table.columns.iter().zip(columns).map(|(column, array)| {
            array.unwrap_or_else(|| new_null_array(&column.sql_type.in_flight(), self.rows.len()))
        });
        complete_rows(table, columns.collect(), self.rows.len())
    }
}

fn push(builder: &mut ColumnBuilder, constant: &Constant, text: &str) -> Result<()> {
    match &constant.text {
        None => builder.push_null(),
        Some(value) => builder
            .push_text(value)
            .map_err(|source| Error::Constant { source, position: position::character(text, constant.place) })?,
    }
    Ok(())
}
