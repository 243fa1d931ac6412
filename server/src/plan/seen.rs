//! What a view's text knows of the relations that it names: see [`catalog::view::SeenRelation`].

use std::collections::HashSet;

use catalog::view::{SeenColumn, SeenRelation};
use catalog::{CatalogSnapshot, Oid, Relation};
use datafusion::common::Column;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use crate::analyze::Analyzed;
use crate::error::Result;

/// A relation in FROM: its number, and what a plan calls its columns, in their order.
#[derive(Debug, Clone)]
pub struct Named {
    /// The relation.
    pub oid: Oid,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// The relations that a query names, as they are, and which of their columns its plan reads.
///
/// # Errors
/// None of its own.
pub fn seen_relations(snapshot: &CatalogSnapshot, named: &[Named], plan: &LogicalPlan) -> Result<Vec<SeenRelation>> {
    let read = columns_in(plan)?;
    let mut seen: Vec<SeenRelation> = Vec::new();
    for named in named {
        let Some(relation) = snapshot.relation_by_oid(named.oid) else { continue };
        let place = seen.iter().position(|known| known.oid == named.oid).unwrap_or_else(|| {
            seen.push(as_it_is(relation));
            seen.len() - 1
        });
        for (column, planned) in seen[place].columns.iter_mut().zip(&named.columns) {
            column.is_read |= read.contains(planned);
        }
    }
    Ok(seen)
}

fn as_it_is(relation: &Relation) -> SeenRelation {
    let numbered: Vec<(i16, &str)> = match relation {
        Relation::Hot(table) => {
            table.columns.iter().map(|column| (column.attribute_number, column.name.as_str())).collect()
        }
        Relation::View(view) => (1..).zip(view.columns.iter().map(String::as_str)).collect(),
        Relation::External(_) | Relation::Sequence(_) => (1..).zip(relation.columns().map(|(name, _)| name)).collect(),
    };
    let column = |(number, name): (i16, &str)| SeenColumn { number, name: name.to_owned(), is_read: false };
    SeenRelation {
        oid: relation.oid(),
        name: relation.name().clone(),
        columns: numbered.into_iter().map(column).collect(),
    }
}

/// All columns in the expressions of a plan.
fn columns_in(plan: &LogicalPlan) -> Result<HashSet<Column>> {
    let mut columns = HashSet::new();
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|part| {
                match part {
                    Expr::Column(column) | Expr::OuterReferenceColumn(_, column) => {
                        columns.insert(column.clone());
                    }
                    _ => {}
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(columns)
}

/// The query of a view as another view's text knows it: with the columns that it had, and their names.
///
/// # Errors
/// None of its own.
pub fn of_view(analyzed: Analyzed, seen: &SeenRelation) -> Result<Analyzed> {
    let Analyzed { mut plan, mut columns } = analyzed;
    if seen.columns.len() < columns.len() {
        columns.truncate(seen.columns.len());
        let kept: Vec<_> = columns.iter().map(|column| Expr::Column(column.column.clone())).collect();
        plan = LogicalPlanBuilder::from(plan).project(kept)?.build()?;
    }
    for (column, seen) in columns.iter_mut().zip(&seen.columns) {
        column.name.clone_from(&seen.name);
    }
    Ok(Analyzed { plan, columns })
}
