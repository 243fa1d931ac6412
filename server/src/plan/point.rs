//! SELECT of columns of the row with a key: `SELECT a, b FROM t WHERE id = $1`.
//!
//! Executing it asks the key index and needs no engine.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{FieldRef, SchemaRef};
use catalog::{HotTable, TableRows};
use datafusion::common::ScalarValue;
use datafusion::datasource::source_as_provider;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator};
use pg::Type;
use storage::hot::keys::TableKey;
use storage::hot::{HotTableProvider, KeyIndex};

use crate::error::{Error, Result};
use crate::plan::logical::carried;

/// A SELECT of columns of the row with a key.
#[derive(Debug)]
pub struct PointSelect {
    table: Arc<HotTable>,
    key: TableKey,
    /// Of each column of the key: what it is to be.
    values: Vec<Value>,
    /// The columns of the result, by position in the table.
    columns: Vec<usize>,
}

/// What a column of the key is to be.
#[derive(Debug, Clone)]
enum Value {
    /// A parameter, counted from 0.
    Parameter(usize, Type),
    Constant(ScalarValue),
}

/// A plan that does nothing but take columns of a table's rows.
struct Columns<'a> {
    table: &'a HotTableProvider,
    /// By position in the table.
    places: Vec<usize>,
    condition: Option<(&'a Expr, &'a LogicalPlan)>,
}

impl PointSelect {
    /// The statement with this plan, whose result has these columns, if it is one.
    pub fn of(plan: &LogicalPlan, schema: &SchemaRef, parameters: &[Option<Type>]) -> Option<Self> {
        let source = provider(plan)?;
        let columns = columns(plan, source.downcast_ref()?)?;
        let (condition, input) = columns.condition?;
        let below = self::columns(input, columns.table)?;
        let table = columns.table.table().clone();
        let is_carried_so = |(place, field): (&usize, &FieldRef)| {
            table.columns[*place].sql_type.in_flight() == *field.data_type() && field.is_nullable()
        };
        if columns.places.len() != schema.fields().len()
            || !columns.places.iter().zip(schema.fields()).all(is_carried_so)
        {
            return None;
        }
        let mut given: Vec<(usize, Value)> = Vec::new();
        for conjunct in split_conjunction(condition) {
            let (column, value) = equality(conjunct, parameters)?;
            let place = *below.places.get(input.schema().index_of_column(column).ok()?)?;
            let carried = table.columns[place].sql_type.in_flight();
            let fits = match &value {
                Value::Parameter(_, ty) => ty.arrow == carried,
                Value::Constant(value) => value.data_type() == carried,
            };
            // The engine tells zeros and NaNs apart, keys do not.
            if !fits || carried.is_floating() || given.iter().any(|(known, _)| *known == place) {
                return None;
            }
            given.push((place, value));
        }
        let keys = table.keys().map(|(_, key)| TableKey::new(table.clone(), key));
        let covers = |key: &TableKey| {
            key.places().len() == given.len() && key.places().iter().all(|place| given.iter().any(|it| it.0 == *place))
        };
        let key = keys.flatten().find(covers)?;
        let value = |place: &usize| given.iter().find(|it| it.0 == *place).map(|it| it.1.clone());
        let values = key.places().iter().map(value).collect::<Option<_>>()?;
        Some(PointSelect { key, values, columns: columns.places, table })
    }

    /// The number of the table.
    pub fn table(&self) -> catalog::Oid {
        self.table.oid
    }

    /// The row, under the result's schema.
    ///
    /// # Errors
    /// A parameter does not fit, or a segment cannot be read.
    pub async fn rows(
        &self,
        index: &KeyIndex,
        rows: &TableRows,
        parameters: &[ScalarValue],
        schema: &SchemaRef,
    ) -> Result<Vec<RecordBatch>> {
        let mut wanted: Vec<ArrayRef> = Vec::with_capacity(self.values.len());
        for value in &self.values {
            let value = match value {
                Value::Constant(value) => value.clone(),
                Value::Parameter(number, ty) => match parameters.get(*number) {
                    Some(value) => carried(value, ty)?,
                    None => return Err(Error::UndefinedParameter { number: number + 1 }),
                },
            };
            if value.is_null() {
                return Ok(Vec::new());
            }
            wanted.push(value.to_array().map_err(Error::from)?);
        }
        let hashes = self.key.hasher().hashes(&wanted).map_err(DataFusionError::from)?;
        let [Some(hash)] = hashes.as_slice() else { return Ok(Vec::new()) };
        let found = index.find(&self.key, rows, &[*hash]).await.map_err(Error::Storage)?;
        let mut batches = Vec::with_capacity(found.len());
        for row in found {
            let columns = self.columns.iter().map(|place| &self.table.columns[*place]);
            let values = index.values(columns, rows, row.unit, row.row).await.map_err(Error::Storage)?;
            batches.push(RecordBatch::try_new(schema.clone(), values).map_err(DataFusionError::from)?);
        }
        Ok(batches)
    }
}

fn provider(plan: &LogicalPlan) -> Option<Arc<dyn datafusion::catalog::TableProvider>> {
    match plan {
        LogicalPlan::TableScan(scan) => source_as_provider(&scan.source).ok(),
        LogicalPlan::Projection(projection) => provider(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => provider(&alias.input),
        LogicalPlan::Filter(filter) => provider(&filter.input),
        _ => None,
    }
}

fn columns<'a>(plan: &'a LogicalPlan, table: &'a HotTableProvider) -> Option<Columns<'a>> {
    match plan {
        LogicalPlan::TableScan(scan) if scan.filters.is_empty() && scan.fetch.is_none() => {
            let all = || (0..table.table().columns.len()).collect();
            Some(Columns { table, places: scan.projection.clone().unwrap_or_else(all), condition: None })
        }
        LogicalPlan::SubqueryAlias(alias) => columns(&alias.input, table),
        LogicalPlan::Filter(filter) => {
            let below = columns(&filter.input, table)?;
            let condition = Some((&filter.predicate, filter.input.as_ref()));
            below.condition.is_none().then_some(Columns { condition, ..below })
        }
        LogicalPlan::Projection(projection) => {
            let below = columns(&projection.input, table)?;
            let place = |expr: &Expr| match expr.clone().unalias_nested().data {
                Expr::Column(column) => {
                    below.places.get(projection.input.schema().index_of_column(&column).ok()?).copied()
                }
                _ => None,
            };
            let places = projection.expr.iter().map(place).collect::<Option<_>>()?;
            Some(Columns { places, ..below })
        }
        _ => None,
    }
}

/// A column and what it is to be equal to.
fn equality<'a>(conjunct: &'a Expr, parameters: &[Option<Type>]) -> Option<(&'a datafusion::common::Column, Value)> {
    let Expr::BinaryExpr(binary) = conjunct else { return None };
    let value = |expr: &Expr| match expr {
        Expr::Literal(value, _) => Some(Value::Constant(value.clone())),
        Expr::Placeholder(placeholder) => {
            let number = placeholder.id.strip_prefix('$')?.parse::<usize>().ok()?.checked_sub(1)?;
            Some(Value::Parameter(number, parameters.get(number)?.clone()?))
        }
        _ => None,
    };
    match (binary.left.as_ref(), binary.op, binary.right.as_ref()) {
        (Expr::Column(column), Operator::Eq, other) | (other, Operator::Eq, Expr::Column(column)) => {
            Some((column, value(other)?))
        }
        _ => None,
    }
}
