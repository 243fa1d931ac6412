//! Subqueries about what is not here. What tools ask of the system catalogs has many of them, nested and for each relation;
//! none of them needs to be run.

use datafusion::catalog::default_table_source::source_as_provider;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{JoinType, Result};
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::{EmptyRelation, Expr, Extension, LogicalPlan, Subquery};

use super::logical::Apply;
use crate::system_catalog::SystemTable;

/// The expression with subqueries that do not read what has no rows.
///
/// # Errors
/// None of its own.
pub fn without_empty(expr: Expr) -> Result<Expr> {
    let rewritten = expr.transform_up(|expr| {
        Ok(match expr {
            Expr::ScalarSubquery(query) => folded(query)?.update_data(Expr::ScalarSubquery),
            Expr::Exists(Exists { subquery, negated }) => {
                folded(subquery)?.update_data(|subquery| Expr::Exists(Exists { subquery, negated }))
            }
            Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
                folded(subquery)?.update_data(|subquery| Expr::InSubquery(InSubquery { expr, subquery, negated }))
            }
            other => Transformed::no(other),
        })
    })?;
    Ok(rewritten.data)
}

fn folded(query: Subquery) -> Result<Transformed<Subquery>> {
    let rewritten = query.subquery.as_ref().clone().transform_up(|node| {
        let is_empty = match &node {
            LogicalPlan::TableScan(scan) => {
                let provider = source_as_provider(&scan.source)?;
                provider.downcast_ref::<SystemTable>().is_some_and(SystemTable::is_always_empty)
            }
            LogicalPlan::Filter(_)
            | LogicalPlan::Projection(_)
            | LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::Sort(_)
            | LogicalPlan::Distinct(_) => node.inputs().into_iter().all(has_no_rows),
            LogicalPlan::Extension(Extension { node }) if node.as_any().is::<Apply>() => {
                node.inputs().into_iter().all(has_no_rows)
            }
            LogicalPlan::Join(join) if join.join_type == JoinType::Inner => {
                has_no_rows(&join.left) || has_no_rows(&join.right)
            }
            _ => false,
        };
        if !is_empty {
            return Ok(Transformed::no(node));
        }
        let schema = node.schema().clone();
        Ok(Transformed::yes(LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: false, schema })))
    })?;
    if !rewritten.transformed {
        return Ok(Transformed::no(query));
    }
    let outer_ref_columns = rewritten.data.all_out_ref_exprs();
    Ok(Transformed::yes(Subquery { subquery: rewritten.data.into(), outer_ref_columns, spans: query.spans }))
}

fn has_no_rows(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: false, .. }))
}
