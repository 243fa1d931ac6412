//! Keeps the engine from taking a column of a UNION ALL for a constant, or for the same as another one, because it is that in
//! each input.
//!
//! `SELECT 10, x … UNION ALL SELECT 12, y … ORDER BY 1`: the engine knows that the first column has two values, and drops it
//! from the order all the same. `SELECT x, x … UNION ALL SELECT y, y … ORDER BY 1, 2`: each input is ordered by its only value,
//! which the engine does not find enough for both columns afterwards. Constants and repeated values in the inputs of a union
//! are hidden from it here, after filters have been pushed into the inputs, so that an input whose constant does not qualify
//! is still left out.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::projection::ProjectionExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::union::UnionExec;

/// Hides what the engine knows about the columns of the inputs of unions.
#[derive(Debug, Default)]
pub struct UnionConstants;

impl PhysicalOptimizerRule for UnionConstants {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let hidden = plan.transform_up(|node| {
            let Some(union) = node.downcast_ref::<UnionExec>() else { return Ok(Transformed::no(node)) };
            let inputs = union.inputs().iter().map(with_hidden_values).collect::<Result<Vec<_>>>()?;
            Ok(Transformed::yes(UnionExec::try_new(inputs)?))
        });
        hidden.map(|transformed| transformed.data)
    }

    fn name(&self) -> &str {
        "UnionConstants"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The input below a projection that hides columns, if there are such.
fn with_hidden_values(input: &Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = input.schema();
    let columns: Vec<_> =
        schema.fields().iter().enumerate().map(|(place, field)| column(field.name(), place)).collect();
    let known = input.properties().equivalence_properties();
    let is_hidden = |place: usize, value: &Arc<dyn PhysicalExpr>| {
        let mut earlier = columns.iter().take(place);
        known.is_expr_constant(value).is_some() || earlier.any(|earlier| known.eq_group().exprs_equal(earlier, value))
    };
    let hidden: Vec<_> = columns.iter().enumerate().map(|(place, value)| is_hidden(place, value)).collect();
    if !hidden.contains(&true) {
        return Ok(input.clone());
    }
    let projected = columns.iter().zip(hidden).zip(schema.fields()).enumerate();
    let projected = projected.map(|(place, ((value, hidden), field))| {
        let value = value.clone();
        let expr: Arc<dyn PhysicalExpr> = if hidden { Arc::new(HiddenValue { value, place }) } else { value };
        ProjectionExpr { expr, alias: field.name().clone() }
    });
    Ok(Arc::new(ProjectionExec::try_new(projected.collect::<Vec<_>>(), input.clone())?))
}

fn column(name: &str, place: usize) -> Arc<dyn PhysicalExpr> {
    Arc::new(Column::new(name, place))
}

/// A column about which the engine knows nothing. No two have the same place, so that they are not the same.
#[derive(Debug, Clone, Eq)]
struct HiddenValue {
    value: Arc<dyn PhysicalExpr>,
    place: usize,
}

// Derived, they would move the value (rust-lang/rust#78808).
impl PartialEq for HiddenValue {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place && self.value.eq(&other.value)
    }
}

impl Hash for HiddenValue {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.place.hash(state);
        self.value.hash(state);
    }
}

impl fmt::Display for HiddenValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl PhysicalExpr for HiddenValue {
    fn data_type(&self, input: &Schema) -> Result<DataType> {
        self.value.data_type(input)
    }

    fn nullable(&self, input: &Schema) -> Result<bool> {
        self.value.nullable(input)
    }

    fn return_field(&self, input: &Schema) -> Result<FieldRef> {
        self.value.return_field(input)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        self.value.evaluate(batch)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.value]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let value = children.into_iter().next().unwrap_or_else(|| self.value.clone());
        Ok(Arc::new(HiddenValue { value, place: self.place }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt_sql(f)
    }
}
