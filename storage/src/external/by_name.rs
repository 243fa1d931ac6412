//! Finds the declared columns in a file, by name.
//!
//! The engine calls this for each file with the expressions of the scan, which are about declared columns, and gets
//! expressions about the file's columns. Both the values that a query sees and the filters that are compared with a
//! file's statistics come from here, so a filter must mean the same after it as before: a comparison is only handed to
//! the engine in a form that it can compare with statistics when the file's order is the declared type's order.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, SchemaRef};
use catalog::SqlType;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CastExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, Literal, lit,
};
use datafusion::physical_expr_adapter::{PhysicalExprAdapter, PhysicalExprAdapterFactory};
use datafusion::scalar::ScalarValue;

use super::coerced_column::{CoercedColumn, Target};
use super::coercion::{self, Bound, Coercion, TimeScale, literal_of, literal_ticks};
use super::nested::{self, Reason, Unreadable};
use crate::error::Error;

/// Key of a file's metadata under which [`footers`](super::footers) says which file it is: the engine gives
/// an adapter the file's schema and nothing else.
pub(super) const FILE_URL: &str = "thermocline.file";

/// Makes an adapter for each file.
#[derive(Debug)]
pub(super) struct ByName {
    columns: Arc<[catalog::Column]>,
}

/// Rewrites expressions about declared columns into expressions about one file's columns.
#[derive(Debug)]
pub(super) struct FileColumns {
    columns: Arc<[catalog::Column]>,
    pub(super) file: SchemaRef,
}

/// A declared column in a file.
struct Found {
    column: Column,
    file_type: DataType,
    coercion: Coercion,
    field: FieldRef,
    sql_type: SqlType,
}

impl ByName {
    /// For a table whose files hold these columns.
    pub(super) fn new(columns: &[catalog::Column]) -> Self {
        ByName { columns: columns.into() }
    }
}

impl PhysicalExprAdapterFactory for ByName {
    fn create(&self, _declared: SchemaRef, file: SchemaRef) -> Result<Arc<dyn PhysicalExprAdapter>> {
        Ok(Arc::new(FileColumns { columns: self.columns.clone(), file }))
    }
}

impl PhysicalExprAdapter for FileColumns {
    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        if let Some(column) = expr.downcast_ref::<Column>() {
            return self.value(column);
        }
        if let Some(field) = self.field(&expr)? {
            return Ok(field);
        }
        expr.transform_down(|node| {
            // What is put in place is about the file: it must not be rewritten again.
            let done = |expr| Ok(Transformed::new(expr, true, TreeNodeRecursion::Jump));
            if let Some(column) = node.downcast_ref::<Column>() {
                return done(self.operand(column)?);
            }
            if let Some(field) = self.field(&node)? {
                return done(field);
            }
            match self.comparison(&node)? {
                Some(comparison) => done(comparison),
                None => Ok(Transformed::no(node)),
            }
        })
        .data()
    }
}

impl FileColumns {
    /// For a file with these columns, of a table with those.
    pub(super) fn new(columns: &[catalog::Column], file: SchemaRef) -> Self {
        FileColumns { columns: columns.into(), file }
    }

    /// A column's values, in batches that have all of the file's columns as they are in the file.
    pub(super) fn whole_value(&self, column: &Column) -> Result<Arc<dyn PhysicalExpr>> {
        let Some(Found { column, coercion, field, sql_type, .. }) = self.find(column)? else {
            return self.missing(column);
        };
        let target = Arc::new(Target { coercion, field, sql_type, path: self.path() });
        Ok(Arc::new(CoercedColumn { column: Arc::new(column), target }))
    }

    /// A column's values.
    fn value(&self, column: &Column) -> Result<Arc<dyn PhysicalExpr>> {
        let Some(found) = self.find(column)? else {
            return self.missing(column);
        };
        Ok(match found.coercion {
            Coercion::Same | Coercion::Cast => found.comparable(),
            _ => self.coerced(found)?,
        })
    }

    /// A column's values, as part of a larger expression that could be compared with statistics.
    fn operand(&self, column: &Column) -> Result<Arc<dyn PhysicalExpr>> {
        match self.find(column)? {
            Some(found) if found.field.data_type().is_floating() => self.coerced(found),
            _ => self.value(column),
        }
    }

    /// A comparison of a column with literals, so that it can be compared with statistics; none if it is something else
    /// or cannot.
    fn comparison(&self, expr: &Arc<dyn PhysicalExpr>) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        if let Some(binary) = expr.downcast_ref::<BinaryExpr>() {
            return self.binary(binary);
        }
        if let Some(list) = expr.downcast_ref::<InListExpr>() {
            return self.in_list(list);
        }
        let is_null = expr.downcast_ref::<IsNullExpr>().map(IsNullExpr::arg);
        let is_not_null = expr.downcast_ref::<IsNotNullExpr>().map(IsNotNullExpr::arg);
        let Some(found) = self.find_column(is_null.or(is_not_null))? else {
            return Ok(None);
        };
        // No rule makes or takes away a NULL.
        let column: Arc<dyn PhysicalExpr> = Arc::new(found.column);
        Ok(Some(if is_null.is_some() {
            Arc::new(IsNullExpr::new(column))
        } else {
            Arc::new(IsNotNullExpr::new(column))
        }))
    }

    fn binary(&self, binary: &BinaryExpr) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let (left, right) = (binary.left(), binary.right());
        let (column, operator, literal) = match (right.downcast_ref::<Literal>(), left.downcast_ref::<Literal>()) {
            (Some(literal), _) => (left, Some(*binary.op()), literal),
            (None, Some(literal)) => (right, binary.op().swap(), literal),
            (None, None) => return Ok(None),
        };
        match (self.find_column(Some(column))?, operator) {
            (Some(found), Some(operator)) => Ok(found.compared(operator, literal.value())),
            _ => Ok(None),
        }
    }

    fn in_list(&self, list: &InListExpr) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let Some(found) = self.find_column(Some(list.expr()))? else {
            return Ok(None);
        };
        let literals: Option<Vec<_>> = list.list().iter().map(|it| it.downcast_ref::<Literal>()).collect();
        let are_comparable = literals.is_some_and(|literals| {
            !list.negated() && literals.iter().all(|literal| found.can_compare(Operator::Eq, literal.value()))
        });
        if !are_comparable {
            return Ok(None);
        }
        let list = InListExpr::try_new(found.comparable(), list.list().to_vec(), false, &self.file)?;
        Ok(Some(Arc::new(list)))
    }

    fn find_column(&self, expr: Option<&Arc<dyn PhysicalExpr>>) -> Result<Option<Found>> {
        match expr.and_then(|expr| expr.downcast_ref::<Column>()) {
            Some(column) => self.find(column),
            None => Ok(None),
        }
    }

    /// The declared column in this file, if the file has it.
    fn find(&self, column: &Column) -> Result<Option<Found>> {
        let declared = self.declared(column)?;
        let Some(index) = self.index(&declared.name)? else {
            return Ok(None);
        };
        let file_field = self.file.field(index);
        if file_field.data_type().is_null() {
            return Ok(None);
        }
        let file_type = file_field.data_type().clone();
        let coercion = nested::reading(&file_type, &declared.sql_type);
        let coercion = coercion.map_err(|unreadable| self.unreadable(&declared.name, unreadable))?;
        Ok(Some(Found {
            column: Column::new(file_field.name(), index),
            file_type,
            coercion,
            field: Arc::new(declared.sql_type.field(&declared.name, true)),
            sql_type: declared.sql_type.clone(),
        }))
    }

    pub(super) fn declared(&self, column: &Column) -> Result<&catalog::Column> {
        match self.columns.iter().find(|declared| declared.name == column.name()) {
            Some(declared) => Ok(declared),
            None => exec_err!("column \"{}\" is not declared", column.name()),
        }
    }

    /// Where a file has a column.
    pub(super) fn index(&self, name: &str) -> Result<Option<usize>> {
        let named = nested::named(self.file.fields(), name);
        named.map_err(|reason| self.unreadable(name, Unreadable { path: Vec::new(), reason }).into())
    }

    /// A file that lacks a column was written before the column was added.
    fn missing(&self, column: &Column) -> Result<Arc<dyn PhysicalExpr>> {
        let declared = self.declared(column)?;
        Ok(lit(ScalarValue::try_from(&declared.sql_type.in_flight())?))
    }

    fn coerced(&self, found: Found) -> Result<Arc<dyn PhysicalExpr>> {
        let Found { column, file_type, mut coercion, field, sql_type } = found;
        let needed = nested::needed(&file_type, &coercion);
        let mut read: Arc<dyn PhysicalExpr> = Arc::new(column.clone());
        if needed != file_type {
            coercion = nested::reading(&needed, &sql_type).map_err(|error| self.unreadable(field.name(), error))?;
            let part = self.file.field(column.index()).clone().with_data_type(needed);
            read = Arc::new(CastExpr::new_with_target_field(read, Arc::new(part), None));
        }
        let target = Arc::new(Target { coercion, field, sql_type, path: self.path() });
        Ok(Arc::new(CoercedColumn { column: read, target }))
    }

    /// The error that names what cannot be read, by its path from the column on.
    pub(super) fn unreadable(&self, column: &str, unreadable: Unreadable) -> Error {
        let names: Vec<_> = std::iter::once(column).chain(unreadable.path.iter().map(String::as_str)).collect();
        let (column, path) = (names.join("."), self.path());
        match unreadable.reason {
            Reason::Mismatch { file, declared } => Error::ColumnTypeMismatch {
                column,
                path,
                file_type: coercion::sql_name(&file),
                declared_type: declared.to_string(),
            },
            Reason::Ambiguous { candidates } => Error::ColumnAmbiguous { column, path, candidates },
        }
    }

    pub(super) fn path(&self) -> String {
        self.file.metadata().get(FILE_URL).cloned().unwrap_or_default()
    }
}

impl Found {
    /// The column as the engine can see through it.
    fn comparable(&self) -> Arc<dyn PhysicalExpr> {
        let column = Arc::new(self.column.clone());
        match self.coercion {
            Coercion::Same => column,
            _ => Arc::new(CastExpr::new_with_target_field(column, self.field.clone(), None)),
        }
    }

    /// The column compared with a literal, if statistics can answer that.
    fn compared(&self, operator: Operator, literal: &ScalarValue) -> Option<Arc<dyn PhysicalExpr>> {
        if let Coercion::Time(scale) = self.coercion {
            return self.compared_time(scale, operator, literal);
        }
        let compared = || BinaryExpr::new(self.comparable(), operator, lit(literal.clone()));
        self.can_compare(operator, literal).then(|| Arc::new(compared()) as _)
    }

    fn can_compare(&self, operator: Operator, literal: &ScalarValue) -> bool {
        use Operator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
        let is_comparison = matches!(operator, Eq | NotEq | Lt | LtEq | Gt | GtEq);
        let keeps_order = matches!(self.coercion, Coercion::Same | Coercion::Cast | Coercion::CheckedCast);
        let is_float = self.field.data_type().is_floating();
        is_comparison && keeps_order && (!is_float || can_compare_float(operator, literal))
    }

    fn compared_time(
        &self,
        scale: TimeScale,
        operator: Operator,
        literal: &ScalarValue,
    ) -> Option<Arc<dyn PhysicalExpr>> {
        let compared = |bound: &Bound| {
            let ticks = lit(literal_of(bound.ticks, &self.file_type)?);
            let column = Arc::new(self.column.clone());
            Some(Arc::new(BinaryExpr::new(column, bound.operator, ticks)) as Arc<dyn PhysicalExpr>)
        };
        let bounds = scale.bounds(operator, literal_ticks(literal)?)?;
        let compared: Option<Vec<_>> = bounds.iter().map(compared).collect();
        compared?.into_iter().reduce(|a, b| Arc::new(BinaryExpr::new(a, Operator::And, b)))
    }
}

/// Whether statistics can answer a comparison of a binary fraction. They leave NaN out, which is greater than every
/// number, and they may hold either zero for both.
fn can_compare_float(operator: Operator, literal: &ScalarValue) -> bool {
    let literal = match literal {
        ScalarValue::Float32(Some(value)) => f64::from(*value),
        ScalarValue::Float64(Some(value)) => *value,
        _ => return false,
    };
    match operator {
        Operator::Lt | Operator::LtEq => !literal.is_nan(),
        Operator::Eq => !literal.is_nan() && literal != 0.0,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
