//! The order of columns and rows that are written partition by partition: the columns of partitions last, and the rows of a
//! partition together.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::Result as PlanResult;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::expr::Sort as SortExpr;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Projection, Sort};
use pg::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast::Ident;

use crate::error::{Error, Result};
use crate::plan::relations::identifier;

/// The places of a query's columns, those that `partitioned_by` names at the end.
///
/// # Errors
/// 42703 for a column that the query has not, 42701 for one that is named twice, 42P16 when no other is left.
pub fn column_order(columns: &[&str], partitioned_by: &[Ident]) -> Result<Vec<usize>> {
    let mut last = Vec::with_capacity(partitioned_by.len());
    for name in partitioned_by.iter().map(identifier) {
        let place = columns.iter().position(|column| *column == name).ok_or_else(|| {
            PgError::new(SqlState::UNDEFINED_COLUMN, format!("partition column \"{name}\" is not in the query"))
        })?;
        if last.contains(&place) {
            return Err(Error::DuplicateColumn { column: name });
        }
        last.push(place);
    }
    if last.len() == columns.len() {
        let message = "there must be a column besides those of partitions".to_owned();
        return Err(Error::InvalidDefinition { message });
    }
    let others = (0..columns.len()).filter(|place| !last.contains(place));
    Ok(others.chain(last.iter().copied()).collect())
}

/// The plan with its columns in this order.
///
/// # Errors
/// The engine's, a bug.
pub fn with_columns(plan: LogicalPlan, order: &[usize]) -> Result<LogicalPlan> {
    if order.is_sorted() {
        return Ok(plan);
    }
    let column = |place: &usize| Expr::Column(plan.schema().qualified_field(*place).into());
    let columns: Vec<Expr> = order.iter().map(column).collect();
    Ok(LogicalPlanBuilder::from(plan).project(columns)?.build()?)
}

/// The plan whose rows come partition by partition, and within one in the order that the query asks for.
///
/// # Errors
/// The engine's, a bug.
pub fn by_partition(plan: LogicalPlan, partition_columns: usize) -> Result<LogicalPlan> {
    if partition_columns == 0 {
        return Ok(plan);
    }
    let schema = plan.schema().clone();
    let width = schema.fields().len();
    let column = |place: usize| Expr::Column(schema.qualified_field(place).into());
    let columns = (width - partition_columns..width).map(column).collect();
    Ok(sorted_by(plan, columns)?)
}

fn sorted_by(plan: LogicalPlan, columns: Vec<Expr>) -> PlanResult<LogicalPlan> {
    match plan {
        LogicalPlan::Sort(Sort { expr, input, fetch: None }) => {
            let expr = columns.into_iter().map(ascending).chain(expr).collect();
            Ok(LogicalPlan::Sort(Sort { expr, input, fetch: None }))
        }
        LogicalPlan::Projection(projection) if is_sorted(&projection.input) => {
            let below = columns.iter().map(|column| below(column.clone(), &projection));
            let below = below.collect::<PlanResult<Vec<_>>>()?;
            // What would be another value each time that it is computed can only be sorted by where it has been.
            if below.iter().any(Expr::is_volatile) {
                return Ok(sorted_above(LogicalPlan::Projection(projection), columns));
            }
            let input = sorted_by(Arc::unwrap_or_clone(projection.input), below)?;
            let projection = Projection::try_new_with_schema(projection.expr, Arc::new(input), projection.schema)?;
            Ok(LogicalPlan::Projection(projection))
        }
        other => Ok(sorted_above(other, columns)),
    }
}

fn sorted_above(plan: LogicalPlan, columns: Vec<Expr>) -> LogicalPlan {
    let expr = columns.into_iter().map(ascending).collect();
    LogicalPlan::Sort(Sort { expr, input: Arc::new(plan), fetch: None })
}

fn ascending(column: Expr) -> SortExpr {
    SortExpr::new(column, true, false)
}

/// Whether the rows have an order that a sort above would undo.
fn is_sorted(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort(sort) => sort.fetch.is_none(),
        LogicalPlan::Projection(projection) => is_sorted(&projection.input),
        _ => false,
    }
}

/// The expression, of what is below a projection.
fn below(column: Expr, projection: &Projection) -> PlanResult<Expr> {
    let fields = projection.schema.columns();
    let computed: HashMap<_, _> = fields.into_iter().zip(&projection.expr).collect();
    let replaced = column.transform_up(|expr| match &expr {
        Expr::Column(column) => match computed.get(column) {
            Some(Expr::Alias(alias)) => Ok(Transformed::yes(alias.expr.as_ref().clone())),
            Some(found) => Ok(Transformed::yes((*found).clone())),
            None => Ok(Transformed::no(expr)),
        },
        _ => Ok(Transformed::no(expr)),
    });
    Ok(replaced?.data)
}
