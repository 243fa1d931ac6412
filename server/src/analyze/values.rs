//! VALUES.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use pg::Type;
use pg::error::PgError;
use pg::function::CastContext;
use pg::sqlstate::SqlState;
use pg::types::UNKNOWN;
use pg::user_types::{is_composite, type_of_column};
use sqlparser::ast;

use crate::analyze::coerce::{can_coerce, cannot_assign, native};
use crate::analyze::correlation::{Under, is_subquery};
use crate::analyze::expression::row_values;
use crate::analyze::modify::is_default;
use crate::analyze::scope::{Level, Place};
use crate::analyze::typed::{Typed, unknown_type};
use crate::analyze::{Analyzed, Analyzer, OutputColumn};
use crate::error::{Error, Result};

impl Analyzer<'_> {
    pub(super) fn values(&mut self, values: &ast::Values) -> Result<Analyzed> {
        self.levels.push(Level { place: Some(Place::Plain("VALUES")), ..Level::default() });
        let rows = self.value_rows(values, false);
        self.levels.pop();
        self.values_of(rows?, values)
    }

    /// VALUES of an INSERT: each value is assigned by itself.
    pub(super) fn assigned_values(&mut self, values: &ast::Values, targets: &[&catalog::Column]) -> Result<Analyzed> {
        self.levels.push(Level { place: Some(Place::Plain("VALUES")), ..Level::default() });
        let rows = self.value_rows(values, true);
        self.levels.pop();
        let rows = rows?;
        let width = rows.first().map_or(0, Vec::len);
        if width > targets.len() {
            let extra = values.rows.first().and_then(|row| row.content.get(targets.len()));
            return Err(Error::InsertArity { more_expressions: true, position: self.position(extra) });
        }
        let mut assigned = Vec::with_capacity(rows.len());
        for (row, written) in rows.into_iter().zip(&values.rows) {
            let mut cells = Vec::with_capacity(width);
            for ((value, expr), column) in row.into_iter().zip(&written.content).zip(targets) {
                if is_default(expr) {
                    cells.push(self.default_of(column)?.expr);
                    continue;
                }
                let (name, target) = (&column.name, &type_of_column(&column.sql_type));
                if let (Some(fields), true) = (row_values(expr), is_composite(target.oid)) {
                    self.levels.push(Level { place: Some(Place::Plain("VALUES")), ..Level::default() });
                    let row = self.row_as_composite(&fields, target, CastContext::Assignment);
                    self.levels.pop();
                    cells.push(row.map_err(|error| self.placed(error, expr))?.expr);
                    continue;
                }
                if !can_coerce(value.ty.oid, target.oid, CastContext::Assignment) {
                    return Err(self.at(cannot_assign(name, &value.ty, target), expr));
                }
                let value =
                    self.coerce(value, target, CastContext::Assignment).map_err(|error| self.at(error, expr))?;
                let value = self.in_dimensions(value, target)?;
                cells.push(native(value, target.clone()).expr);
            }
            assigned.push(cells);
        }
        let types = targets[..width].iter().map(|target| type_of_column(&target.sql_type));
        let plan = self.rows_plan(assigned, types)?;
        let columns = targets[..width].iter().zip(plan.schema().columns());
        let columns = columns
            .map(|(target, column)| {
                let ty = type_of_column(&target.sql_type);
                OutputColumn { name: target.name.clone(), ty, column, constant: None, origin: None }
            })
            .collect();
        Ok(Analyzed { plan, columns })
    }

    fn value_rows(&mut self, values: &ast::Values, assigned: bool) -> Result<Vec<Vec<Typed>>> {
        let width = values.rows.first().map_or(0, |row| row.content.len());
        let mut rows = Vec::with_capacity(values.rows.len());
        for row in &values.rows {
            if row.content.len() != width {
                let error = PgError::new(SqlState::SYNTAX_ERROR, "VALUES lists must all be the same length");
                return Err(match row.content.first() {
                    Some(first) => self.at(error, first),
                    None => error.into(),
                });
            }
            let value = |expr: &ast::Expr| match is_default(expr) {
                true if assigned => Ok(Typed::null()),
                true => {
                    let error = PgError::new(SqlState::SYNTAX_ERROR, "DEFAULT is not allowed in this context");
                    Err(self.at(error, expr))
                }
                false => self.expression(expr),
            };
            rows.push(row.content.iter().map(value).collect::<Result<Vec<_>>>()?);
        }
        Ok(rows)
    }

    fn values_of(&mut self, rows: Vec<Vec<Typed>>, place: &ast::Values) -> Result<Analyzed> {
        let width = rows.first().map_or(0, Vec::len);
        let mut by_column: Vec<Vec<Typed>> = vec![Vec::with_capacity(rows.len()); width];
        for row in rows {
            for (column, value) in by_column.iter_mut().zip(row) {
                column.push(value);
            }
        }
        let mut columns = Vec::with_capacity(width);
        let mut unified = Vec::with_capacity(width);
        for (position, values) in by_column.into_iter().enumerate() {
            let name = column_name(position);
            // One row of constants: they may still become anything.
            let constant = match values.as_slice() {
                [only] if only.is_unknown() => Some(only.expr.clone()),
                _ => None,
            };
            let values = match &constant {
                Some(_) => values,
                None => self.unify_each(values, "VALUES").map_err(|wrong| {
                    let row = wrong.value.and_then(|row| place.rows.get(row)).or(place.rows.first());
                    match row.and_then(|row| row.content.get(position)) {
                        Some(value) => self.at(wrong.error, value),
                        None => wrong.error.into(),
                    }
                })?,
            };
            let ty = match &constant {
                Some(_) => unknown_type(),
                None => values.first().map_or_else(|| Type::of(UNKNOWN), |value| value.ty.clone()),
            };
            columns.push(OutputColumn { column: Column::new_unqualified(&name), name, ty, constant, origin: None });
            unified.push(values);
        }
        let height = unified.first().map_or(0, Vec::len);
        let mut cells: Vec<_> = unified.into_iter().map(Vec::into_iter).collect();
        let mut rows = Vec::with_capacity(height);
        for _ in 0..height {
            rows.push(cells.iter_mut().filter_map(Iterator::next).map(|value| text_null(value.expr)).collect());
        }
        let plan = match columns.iter().any(|column| column.constant.is_some()) {
            true if !any_subquery(&rows)? => LogicalPlanBuilder::values(rows)?.build()?,
            _ => self.rows_plan(rows, columns.iter().map(|column| column.ty.clone()))?,
        };
        Ok(Analyzed { plan, columns })
    }

    /// Rows of values of these types. The engine computes VALUES when it plans them, so rows with subqueries are queries.
    fn rows_plan(&mut self, rows: Vec<Vec<Expr>>, types: impl Iterator<Item = Type>) -> Result<LogicalPlan> {
        if !any_subquery(&rows)? {
            return values_plan(rows, types);
        }
        let mut all: Option<LogicalPlanBuilder> = None;
        for mut row in rows {
            let plan = self.applied(LogicalPlanBuilder::empty(true).build()?, row.iter_mut(), Under::Projection)?;
            let named = row.into_iter().enumerate().map(|(number, value)| value.alias(column_name(number)));
            let row = LogicalPlanBuilder::from(plan).project(named.collect::<Vec<_>>())?;
            all = Some(match all {
                Some(before) => before.union(row.build()?)?,
                None => row,
            });
        }
        let all = all.ok_or_else(|| PgError::internal("VALUES without rows"))?;
        Ok(all.build()?)
    }
}

/// Rows of values of these types, whatever else is known of single values.
fn values_plan(rows: Vec<Vec<Expr>>, types: impl Iterator<Item = Type>) -> Result<LogicalPlan> {
    let fields = types.enumerate().map(|(number, ty)| Field::new(column_name(number), ty.arrow, true));
    let schema = DFSchema::try_from(Schema::new(fields.collect::<Vec<_>>()))?;
    Ok(LogicalPlanBuilder::values_with_schema(rows, &Arc::new(schema))?.build()?)
}

/// What the columns of VALUES are called.
fn column_name(position: usize) -> String {
    format!("column{}", position + 1)
}

fn any_subquery(rows: &[Vec<Expr>]) -> Result<bool> {
    for value in rows.iter().flatten() {
        if value.exists(|node| Ok(is_subquery(node)))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// NULL that nothing has given a type is a text.
fn text_null(expr: Expr) -> Expr {
    match expr {
        Expr::Literal(datafusion::common::ScalarValue::Null, metadata) => {
            Expr::Literal(datafusion::common::ScalarValue::Utf8View(None), metadata)
        }
        other => other,
    }
}
