//! INSERT … VALUES of nothing but constants and parameters: each constant is read as a value of its column, as PostgreSQL
//! does, and no query has to be planned.
//!
//! Values whose assignment needs more than reading (a decimal for an integer column, say) are left to the planner, and with
//! them the whole statement.

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::compute::concat;
use catalog::{Column, ColumnDefault, HotTable, Oid, SqlType};
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use pg::Type;
use sqlparser::ast::{Expr, Query, SetExpr, UnaryOperator, Value};
use sqlparser::tokenizer::Location;

use crate::analyze::domain::has_domain;
use crate::analyze::insert::only_default;
use crate::analyze::kept::next_value;
use crate::error::{Error, Result};
use crate::parse::position;
use crate::statement::row_rules::has_generated;
use pg::input::ColumnBuilder;

/// A value for a column.
enum Given {
    /// A constant, as text to be read; `None` is NULL.
    Constant { text: Option<String>, place: Location },
    /// The value of a parameter, of the column's type.
    Parameter(ScalarValue),
}

/// The parameters of a statement that is executed: their types, where the statement tells, and their values.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parameters<'a> {
    /// The types.
    pub types: &'a [Option<Type>],
    /// The values.
    pub values: &'a [ScalarValue],
}

/// Rows of values, each for one of the target columns.
pub struct LiteralRows {
    rows: Vec<Vec<Given>>,
    /// What columns have that are no targets, by their places.
    defaults: Vec<(usize, LeftColumn)>,
}

/// What a column has that is no target.
enum LeftColumn {
    /// A constant, as text to be read; NULL without.
    Constant(Option<String>),
    /// The values of a sequence.
    Sequence(Oid),
}

/// The rows of a query that is VALUES of constants and parameters which can be taken as they are; `None` when it is something
/// else.
pub fn literal_rows(
    query: &Query,
    table: &HotTable,
    targets: &[usize],
    parameters: Parameters<'_>,
) -> Option<LiteralRows> {
    let plain =
        query.with.is_none() && query.order_by.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
    let SetExpr::Values(values) = query.body.as_ref() else { return None };
    // What the type of a column demands beyond its text is for the planner.
    let demanding = table.columns.iter().any(|column| has_domain(&column.sql_type)) || has_generated(table);
    let computed = |target: &usize| only_default(&table.columns[*target]).is_some();
    if !plain || values.explicit_row || demanding || targets.iter().any(computed) {
        return None;
    }
    let mut rows = Vec::with_capacity(values.rows.len());
    for row in &values.rows {
        if row.len() > targets.len() || row.len() != values.rows[0].len() {
            return None;
        }
        let given = row.iter().zip(targets).map(|(expr, target)| given(expr, &table.columns[*target], parameters));
        rows.push(given.collect::<Option<Vec<_>>>()?);
    }
    let width = rows.first().map_or(0, Vec::len);
    let left = table.columns.iter().enumerate().filter(|(place, _)| !targets[..width].contains(place));
    let defaults = left.filter_map(|(place, column)| Some((place, column.default.as_ref().map(|it| (column, it))?)));
    let defaults = defaults.map(|(place, (column, default))| Some((place, left_column(default, column)?)));
    Some(LiteralRows { rows, defaults: defaults.collect::<Option<_>>()? })
}

/// A default that needs no plan.
fn left_column(default: &ColumnDefault, column: &Column) -> Option<LeftColumn> {
    match default {
        ColumnDefault::Identity { sequence, .. } => Some(LeftColumn::Sequence(*sequence)),
        ColumnDefault::Expression(written) => match written.refers_to.as_slice() {
            [sequence] if written.text == next_value(*sequence) && is_whole(&column.sql_type) => {
                Some(LeftColumn::Sequence(*sequence))
            }
            _ => constant_default(default, column).map(LeftColumn::Constant),
        },
        ColumnDefault::Generated(_) => None,
    }
}

fn is_whole(sql_type: &SqlType) -> bool {
    matches!(sql_type, SqlType::SmallInt | SqlType::Integer | SqlType::BigInt)
}

/// A default that is nothing but a constant.
fn constant_default(default: &ColumnDefault, column: &Column) -> Option<Option<String>> {
    let ColumnDefault::Expression(written) = default else { return None };
    let text = written.text.as_str();
    let quoted = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    if let Some(quoted) = quoted {
        return (!quoted.contains('\'')).then(|| Some(quoted.to_owned()));
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_number && takes_number(&column.sql_type, digits) {
        return Some(Some(text.to_owned()));
    }
    let is_boolean = text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false");
    if is_boolean && column.sql_type == SqlType::Boolean {
        return Some(Some(text.to_owned()));
    }
    text.eq_ignore_ascii_case("null").then_some(None)
}

fn given(expr: &Expr, column: &Column, parameters: Parameters<'_>) -> Option<Given> {
    let (value, sign) = match expr {
        Expr::Value(value) => match &value.value {
            Value::Placeholder(name) => return parameter(name, column, parameters).map(Given::Parameter),
            _ => (value, ""),
        },
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
    Some(Given::Constant { text, place: value.span.start })
}

/// The value of a parameter that is one of the column's as it is: it need not be cut, rounded or padded.
fn parameter(name: &str, column: &Column, parameters: Parameters<'_>) -> Option<ScalarValue> {
    let number = name.strip_prefix('$')?.parse::<usize>().ok()?.checked_sub(1)?;
    let (ty, value) = (parameters.types.get(number)?.as_ref()?, parameters.values.get(number)?);
    let is_whole_type = matches!(
        column.sql_type,
        SqlType::Boolean
            | SqlType::SmallInt
            | SqlType::Integer
            | SqlType::BigInt
            | SqlType::Real
            | SqlType::Double
            | SqlType::Text
            | SqlType::Varchar(None)
            | SqlType::Bytea
            | SqlType::Date
            | SqlType::Time
            | SqlType::Timestamp
            | SqlType::TimestampTz
            | SqlType::Uuid
    );
    let carried = column.sql_type.in_flight();
    let fits = is_whole_type && ty.oid == column.sql_type.oid().0 && value.data_type() == carried;
    fits.then(|| value.clone())
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

    /// The columns that have the values of sequences, by their places.
    pub fn sequences(&self) -> impl Iterator<Item = (usize, Oid)> + '_ {
        self.defaults.iter().filter_map(|(place, default)| match default {
            LeftColumn::Sequence(sequence) => Some((*place, *sequence)),
            LeftColumn::Constant(_) => None,
        })
    }

    /// How many rows there are.
    pub fn height(&self) -> usize {
        self.rows.len()
    }

    /// The columns of the table: those that are not targets have their defaults, or NULL; those of
    /// [`LiteralRows::sequences`] are still to be filled.
    ///
    /// # Errors
    /// A constant that cannot be read, with its position in `text`.
    pub fn columns(&self, table: &HotTable, targets: &[usize], text: &str) -> Result<Vec<ArrayRef>> {
        let mut columns: Vec<Option<ArrayRef>> = vec![None; table.columns.len()];
        for (number, target) in targets.iter().take(self.width()).enumerate() {
            let given = self.rows.iter().map(|row| &row[number]);
            columns[*target] = Some(column(&table.columns[*target], given, self.rows.len(), text)?);
        }
        for (place, default) in &self.defaults {
            let LeftColumn::Constant(default) = default else { continue };
            let mut builder = ColumnBuilder::new(&table.columns[*place], self.rows.len());
            for _ in &self.rows {
                match default {
                    Some(default) => builder.push_text(default)?,
                    None => builder.push_null(),
                }
            }
            columns[*place] = Some(builder.finish());
        }
        let columns = table.columns.iter().zip(columns).map(|(column, array)| {
            array.unwrap_or_else(|| new_null_array(&column.sql_type.in_flight(), self.rows.len()))
        });
        Ok(columns.collect())
    }
}

/// The values of one column.
fn column<'a>(column: &Column, given: impl Iterator<Item = &'a Given>, rows: usize, text: &str) -> Result<ArrayRef> {
    let mut pieces: Vec<ArrayRef> = Vec::new();
    let mut builder = ColumnBuilder::new(column, rows);
    for given in given {
        match given {
            Given::Constant { text: None, .. } => builder.push_null(),
            Given::Constant { text: Some(value), place } => builder
                .push_text(value)
                .map_err(|source| Error::Constant { source, position: position::character(text, *place) })?,
            Given::Parameter(value) => {
                if !builder.is_empty() {
                    pieces.push(builder.finish());
                }
                pieces.push(value.to_array()?);
            }
        }
    }
    if pieces.is_empty() || !builder.is_empty() {
        pieces.push(builder.finish());
    }
    match pieces.as_slice() {
        [piece] => Ok(piece.clone()),
        pieces => {
            let pieces: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
            Ok(concat(&pieces).map_err(DataFusionError::from)?)
        }
    }
}
