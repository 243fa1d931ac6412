//! Keeps the engine from taking a column of a UNION ALL for a constant because it is one in each input.
//!
//! `SELECT 10, x … UNION ALL SELECT 12, y … ORDER BY 1`: the engine knows that the first column has two values, and drops it
//! from the order all the same. Constants in the inputs of a union are hidden from it here, after filters have been pushed
//! into the inputs, so that an input whose constant does not qualify is still left out.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_expr::projection::ProjectionExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::union::UnionExec;

/// Hides the constants in the inputs of unions.
#[derive(Debug, Default)]
pub struct UnionConstants;

impl PhysicalOptimizerRule for UnionConstants {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let hidden = plan.transform_up(|node| {
            let Some(union) = node.downcast_ref::<UnionExec>() else { return Ok(Transformed::no(node)) };
            let inputs = union.inputs().iter().map(with_hidden_constants).collect::<Result<Vec<_>>>()?;
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

fn with_hidden_constants(input: &Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let Some(projection) = input.downcast_ref::<ProjectionExec>() else { return Ok(input.clone()) };
    let schema = input.schema();
    let exprs = projection.expr().iter().zip(schema.fields()).map(|(projected, field)| {
        let expr: Arc<dyn PhysicalExpr> = match projected.expr.downcast_ref::<Literal>() {
            Some(literal) => Arc::new(InputConstant { value: literal.value().clone(), field: field.clone() }),
            None => projected.expr.clone(),
        };
        ProjectionExpr { expr, alias: projected.alias.clone() }
    });
    Ok(Arc::new(ProjectionExec::try_new(exprs.collect::<Vec<_>>(), projection.input().clone())?))
}

/// A constant that the engine does not know as one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct InputConstant {
    value: ScalarValue,
    field: FieldRef,
}

impl Hash for InputConstant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

impl fmt::Display for InputConstant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value)
    }
}

impl PhysicalExpr for InputConstant {
    fn data_type(&self, _input: &Schema) -> Result<DataType> {
        Ok(self.value.data_type())
    }

    fn nullable(&self, _input: &Schema) -> Result<bool> {
        Ok(self.field.is_nullable())
    }

    fn return_field(&self, _input: &Schema) -> Result<FieldRef> {
        Ok(self.field.clone())
    }

    fn evaluate(&self, _batch: &RecordBatch) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(self.value.clone()))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        Vec::new()
    }

    fn with_new_children(self: Arc<Self>, _children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(self)
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value)
    }
}
