//! PIVOT and UNPIVOT, as Redshift has them: queries that are written shorter.

use std::ops::ControlFlow;

use pg::error::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast::{
    self, ExprWithAlias, NullInclusion, PivotValueSource, SelectItem, SetExpr, TableAlias, TableFactor, Value,
    visit_expressions,
};

use super::Part;
use crate::analyze::expression::string_of;
use crate::analyze::{Analyzed, Analyzer, folded};
use crate::error::{Error, Result};

/// What PIVOT says.
pub(super) struct Pivot<'a> {
    pub table: &'a TableFactor,
    pub aggregates: &'a [ExprWithAlias],
    pub columns: &'a [ast::Expr],
    pub values: &'a PivotValueSource,
    pub alias: Option<&'a TableAlias>,
}

/// What UNPIVOT says.
pub(super) struct Unpivot<'a> {
    pub table: &'a TableFactor,
    pub value: &'a ast::Expr,
    pub name: &'a ast::Ident,
    pub columns: &'a [ExprWithAlias],
    pub nulls: Option<&'a NullInclusion>,
    pub alias: Option<&'a TableAlias>,
}

impl Analyzer<'_> {
    /// One group for each combination of the columns that PIVOT does not name, and in it each aggregate over the rows with
    /// each of the values.
    pub(super) fn pivot(&mut self, pivot: &Pivot<'_>) -> Result<Part> {
        let [column] = pivot.columns else {
            return Err(Error::not_supported("PIVOT over several columns"));
        };
        let PivotValueSource::List(values) = pivot.values else {
            return Err(Error::not_supported("PIVOT without a list of values"));
        };
        let mut items = Vec::with_capacity(values.len() * pivot.aggregates.len());
        for value in values {
            for aggregate in pivot.aggregates {
                items.push(self.pivot_item(column, value, aggregate)?);
            }
        }
        let mut used = names_in(column);
        pivot.aggregates.iter().for_each(|aggregate| used.extend(names_in(&aggregate.expr)));
        let input = self.pivot_input(pivot.table)?;
        let kept: Vec<_> = input.columns.iter().map(|column| column.name.clone()).collect();
        let kept: Vec<_> = kept.into_iter().filter(|name| !used.contains(name)).map(|name| quoted(&name)).collect();
        self.with_made_table("pivot", input, |analyzer, name| {
            let keys = kept.join(", ");
            let group_by = if kept.is_empty() { String::new() } else { format!(" GROUP BY {keys}") };
            let mut query = crate::parse::query(&format!("SELECT {keys} FROM {}{group_by}", quoted(name)))?;
            if let SetExpr::Select(select) = query.body.as_mut() {
                select.projection.extend(items);
            }
            analyzer.derived(&query, pivot.alias)
        })
    }

    fn pivot_item(&self, column: &ast::Expr, value: &ExprWithAlias, aggregate: &ExprWithAlias) -> Result<SelectItem> {
        let ast::Expr::Function(function) = &aggregate.expr else {
            let error = PgError::new(SqlState::SYNTAX_ERROR, "PIVOT takes calls of aggregate functions");
            return Err(self.at(error, &aggregate.expr));
        };
        let mut function = function.clone();
        let is_value = ast::Expr::IsNotDistinctFrom(
            Box::new(column.clone()),
            Box::new(ast::Expr::Nested(Box::new(value.expr.clone()))),
        );
        if function.filter.is_some() || function.over.is_some() {
            return Err(self.at(PgError::not_supported("FILTER or OVER in PIVOT"), &aggregate.expr));
        }
        function.filter = Some(Box::new(is_value));
        let name = match &value.alias {
            Some(alias) => folded(alias),
            None => constant_text(&value.expr).ok_or_else(|| {
                self.at(PgError::not_supported("a value of PIVOT that is not a constant"), &value.expr)
            })?,
        };
        let name = match &aggregate.alias {
            Some(alias) => format!("{name}_{}", folded(alias)),
            None => name,
        };
        Ok(SelectItem::ExprWithAlias { expr: ast::Expr::Function(function), alias: ast::Ident::with_quote('"', name) })
    }

    /// A row for each of the columns that UNPIVOT names, with the column's name and its value.
    pub(super) fn unpivot(&mut self, unpivot: &Unpivot<'_>) -> Result<Part> {
        let value_name = only_name(unpivot.value).ok_or_else(|| {
            self.at(PgError::not_supported("UNPIVOT into something else than one column"), unpivot.value)
        })?;
        let mut names = Vec::with_capacity(unpivot.columns.len());
        let mut used = Vec::with_capacity(unpivot.columns.len());
        for column in unpivot.columns {
            let name = only_name(&column.expr).ok_or_else(|| {
                self.at(PgError::not_supported("UNPIVOT of something else than columns"), &column.expr)
            })?;
            let shown = column.alias.as_ref().map_or_else(|| name.clone(), folded);
            names.push(format!("'{}'", shown.replace('\'', "''")));
            used.push(name);
        }
        let input = self.pivot_input(unpivot.table)?;
        let mut shown: Vec<_> =
            input.columns.iter().filter(|column| !used.contains(&column.name)).map(|it| quoted(&it.name)).collect();
        let (name, value) = (quoted(&folded(unpivot.name)), quoted(&value_name));
        shown.extend([format!("unpivoted.{name}"), format!("unpivoted.{value}")]);
        let values: Vec<_> = used.iter().map(|name| format!("input.{}", quoted(name))).collect();
        let keeps_nulls = matches!(unpivot.nulls, Some(NullInclusion::IncludeNulls));
        let condition = if keeps_nulls { String::new() } else { format!(" WHERE unpivoted.{value} IS NOT NULL") };
        self.with_made_table("unpivot", input, |analyzer, table| {
            let text = format!(
                "SELECT {} FROM {} AS input, unnest(ARRAY[{}], ARRAY[{}]) AS unpivoted ({name}, {value}){condition}",
                shown.join(", "),
                quoted(table),
                names.join(", "),
                values.join(", "),
            );
            // Its places are none of the statement's.
            let query = crate::parse::query(&text)?;
            analyzer.derived(&query, unpivot.alias).map_err(without_place)
        })
    }

    /// What stands before PIVOT or UNPIVOT, which sees nothing of what stands beside it.
    fn pivot_input(&mut self, table: &TableFactor) -> Result<Analyzed> {
        let mut query = crate::parse::query("SELECT * FROM input")?;
        if let SetExpr::Select(select) = query.body.as_mut() {
            select.from.iter_mut().for_each(|item| item.relation = table.clone());
        }
        let saved = std::mem::take(&mut self.level()?.namespace);
        let analyzed = self.settled_query(&query);
        self.level()?.namespace = saved;
        analyzed
    }
}

fn without_place(error: Error) -> Error {
    match error {
        Error::Sql { error, .. } => Error::Sql { error, position: None },
        other => other,
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The column that is named, without its qualifier.
fn only_name(expr: &ast::Expr) -> Option<String> {
    match expr {
        ast::Expr::Identifier(name) => Some(folded(name)),
        ast::Expr::CompoundIdentifier(names) => names.last().map(folded),
        _ => None,
    }
}

/// All columns that an expression names.
fn names_in(expr: &ast::Expr) -> Vec<String> {
    let mut names = Vec::new();
    let _ = visit_expressions(expr, |part| {
        names.extend(only_name(part));
        ControlFlow::<()>::Continue(())
    });
    names
}

/// A constant as the name of a column.
fn constant_text(expr: &ast::Expr) -> Option<String> {
    match expr {
        ast::Expr::Value(value) => match &value.value {
            Value::Number(text, _) => Some(text.clone()),
            Value::Boolean(value) => Some(value.to_string()),
            Value::Null => Some("null".to_owned()),
            other => string_of(other),
        },
        ast::Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => {
            constant_text(expr).map(|text| format!("-{text}"))
        }
        ast::Expr::TypedString(typed) => string_of(&typed.value.value),
        ast::Expr::Cast { expr, .. } | ast::Expr::Nested(expr) => constant_text(expr),
        _ => None,
    }
}
