//! Keeps the engine from taking a column for a constant, or for the same as another one, because it is that in the input of a
//! UNION ALL, or of an outer join or grouping sets that extend it with NULLs.
//!
//! `SELECT 10, x … UNION ALL SELECT 12, y … ORDER BY 1`: the engine knows that the first column has two values, and drops it
//! from the order all the same. `SELECT x, x … UNION ALL SELECT y, y … ORDER BY 1, 2`: each input is ordered by its only value,
//! which the engine does not find enough for both columns afterwards. `t LEFT JOIN (SELECT 1 AS n) q … ORDER BY n`: it takes n
//! for 1 also where it is NULL. Constants and repeated values in such inputs are hidden from it here, after filters have been
//! pushed into the inputs, so that an input whose constant does not qualify is still left out.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{JoinType, Result};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Column, UnKnownColumn};
use datafusion::physical_expr::projection::ProjectionExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, replace_children_if_necessary};

/// Hides what the engine knows about the columns of inputs, where it does not hold for the output.
#[derive(Debug, Default)]
pub struct HideValues;

impl PhysicalOptimizerRule for HideValues {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let hidden = plan.transform_up(|node| {
            let hides = hides_inputs(node.as_ref());
            if !hides.contains(&true) {
                return Ok(Transformed::no(node));
            }
            let inputs = node.children().into_iter().zip(hides);
            let inputs = inputs.map(|(input, hides)| if hides { with_hidden_values(input) } else { Ok(input.clone()) });
            let inputs = inputs.collect::<Result<Vec<_>>>()?;
            Ok(Transformed::yes(replace_children_if_necessary(node, inputs)?))
        });
        hidden.map(|transformed| transformed.data)
    }

    fn name(&self) -> &str {
        "HideValues"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Of which inputs of a node values are to be hidden.
fn hides_inputs(node: &dyn ExecutionPlan) -> Vec<bool> {
    if let Some(union) = node.downcast_ref::<UnionExec>() {
        return vec![true; union.inputs().len()];
    }
    if let Some(aggregate) = node.downcast_ref::<AggregateExec>() {
        return vec![!aggregate.group_expr().is_single()];
    }
    let join_type = match node.downcast_ref::<HashJoinExec>() {
        Some(join) => Some(join.join_type),
        None => node.downcast_ref::<NestedLoopJoinExec>().map(|join| *join.join_type()),
    };
    match join_type {
        Some(JoinType::Left) => vec![false, true],
        Some(JoinType::Right) => vec![true, false],
        Some(JoinType::Full) => vec![true, true],
        _ => Vec::new(),
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
        let expr: Arc<dyn PhysicalExpr> = if hidden { Arc::new(HiddenValue::new(value, place)) } else { value };
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
    /// Another child, which is not read: what is made of constants alone is a constant to the engine.
    unknown: Arc<dyn PhysicalExpr>,
    place: usize,
}

impl HiddenValue {
    fn new(value: Arc<dyn PhysicalExpr>, place: usize) -> Self {
        HiddenValue { value, unknown: Arc::new(UnKnownColumn::new("hidden")), place }
    }
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
        vec![&self.value, &self.unknown]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let value = children.into_iter().next().unwrap_or_else(|| self.value.clone());
        Ok(Arc::new(HiddenValue::new(value, self.place)))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt_sql(f)
    }
}
