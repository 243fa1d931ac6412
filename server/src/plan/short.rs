//! Queries that need no engine: one row of constants, or the row with a key. They are recognised when they are planned; what
//! is not exactly of such a form takes the usual way, and has the same answer.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use catalog::{CatalogSnapshot, SeenDefinitions};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlan};
use pg::Type;
use pg::names::is_user_number;
use pg::types::{describe, is_object_number};
use storage::hot::KeyIndex;

use crate::error::Result;
use crate::plan::point::PointSelect;

/// A query that needs no engine, and what it was planned for.
#[derive(Debug)]
pub struct ShortQuery {
    /// What it answers with.
    pub rows: ShortRows,
    /// The result's columns, as the client sees them.
    pub schema: SchemaRef,
    /// OIDs of its parameters' types.
    pub parameter_types: Vec<u32>,
    /// The search path its names were looked up in.
    pub search_path: Vec<String>,
    /// What its names meant.
    pub definitions: SeenDefinitions,
}

/// What answers a short query.
#[derive(Debug)]
pub enum ShortRows {
    /// This row.
    Constants(RecordBatch),
    /// The row with a key, if there is one.
    Point(PointSelect),
}

impl ShortRows {
    /// What answers the query with this plan, if it is short.
    pub fn of(plan: &LogicalPlan, schema: &SchemaRef, parameters: &[Option<Type>]) -> Option<Self> {
        // What is printed with names from the catalog needs a context.
        let needs_names = |oid: u32| is_user_number(oid) || is_object_number(oid);
        if schema.fields().iter().any(|field| needs_names(describe(field).oid)) {
            return None;
        }
        let point = || PointSelect::of(plan, schema, parameters).map(ShortRows::Point);
        constants(plan, schema).map(ShortRows::Constants).or_else(point)
    }

    /// The rows, under the result's schema.
    ///
    /// # Errors
    /// A parameter does not fit, or a segment cannot be read.
    pub async fn rows(
        &self,
        index: &KeyIndex,
        snapshot: &CatalogSnapshot,
        parameters: &[ScalarValue],
        schema: &SchemaRef,
    ) -> Result<Vec<RecordBatch>> {
        match self {
            ShortRows::Constants(row) => Ok(vec![row.clone()]),
            ShortRows::Point(point) => point.rows(index, &snapshot.rows(point.table()), parameters, schema).await,
        }
    }
}

/// The row of a SELECT of nothing but constants, without FROM.
fn constants(plan: &LogicalPlan, schema: &SchemaRef) -> Option<RecordBatch> {
    let LogicalPlan::Projection(projection) = plan else { return None };
    if !matches!(projection.input.as_ref(), LogicalPlan::EmptyRelation(empty) if empty.produce_one_row) {
        return None;
    }
    let constant = |expr: &Expr| match expr.clone().unalias_nested().data {
        Expr::Literal(value, _) => value.to_array().ok(),
        _ => None,
    };
    let columns = projection.expr.iter().map(constant).collect::<Option<Vec<_>>>()?;
    if columns.is_empty() {
        return None;
    }
    RecordBatch::try_new(schema.clone(), columns).ok()
}
